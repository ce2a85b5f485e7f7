package integrations

import (
	"context"

	"github.com/aws/aws-sdk-go-v2/service/connect"

	"ringdown/internal/catalog"
	"ringdown/internal/domain"
)

// lambdaFunctionQuota: admin guide, "Amazon Connect service quotas".
const lambdaFunctionQuota = 50

var lambdaFunctionKind = catalog.Kind[domain.LambdaFunction]{
	Of:     domain.KindLambdaFunction,
	Name:   func(e *domain.LambdaFunction) string { return e.ARN },
	Check:  (*domain.LambdaFunction).Check,
	Quota:  lambdaFunctionQuota,
	NoTags: true,
}

// AssociateLambdaFunction lets flows invoke a function.
func (g *Integrations) AssociateLambdaFunction(ctx context.Context, in *connect.AssociateLambdaFunctionInput) (*connect.AssociateLambdaFunctionOutput, error) {
	_, err := associate(ctx, g.catalog, call[connect.AssociateLambdaFunctionInput]{
		"AssociateLambdaFunction", domain.KindLambdaFunction, in.InstanceId, in.ClientToken, in,
	}, g.functions, &domain.LambdaFunction{ARN: *in.FunctionArn})
	return nil, err
}

// DisassociateLambdaFunction takes a function off the list, whether or not a
// flow names it.
func (g *Integrations) DisassociateLambdaFunction(ctx context.Context, in *connect.DisassociateLambdaFunctionInput) (*connect.DisassociateLambdaFunctionOutput, error) {
	return nil, disassociate(ctx, g.catalog, call[connect.DisassociateLambdaFunctionInput]{
		"DisassociateLambdaFunction", domain.KindLambdaFunction, in.InstanceId, in.ClientToken, in,
	}, g.functions, *in.FunctionArn)
}

// ListLambdaFunctions lists the ARNs as they were given.
func (g *Integrations) ListLambdaFunctions(ctx context.Context, in *connect.ListLambdaFunctionsInput) (*connect.ListLambdaFunctionsOutput, error) {
	sc, err := g.catalog.Scope(ctx, in.InstanceId)
	if err != nil {
		return nil, err
	}
	found, next, err := g.functions.List(ctx, sc, page(in.MaxResults, in.NextToken))
	if err != nil {
		return nil, err
	}
	return &connect.ListLambdaFunctionsOutput{
		NextToken:       next,
		LambdaFunctions: catalog.Map(found, func(i *catalog.Item[domain.LambdaFunction]) string { return i.Value.ARN }),
	}, nil
}
