package integrations

import (
	"context"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/connect"
	"github.com/aws/aws-sdk-go-v2/service/connect/types"

	"ringdown/internal/catalog"
	"ringdown/internal/domain"
	"ringdown/internal/store"
)

// roleUseCase is the role in which use cases refer to their association.
const roleUseCase store.Role = "use-case"

var useCaseKind = catalog.Kind[domain.UseCase]{
	Of:   domain.KindUseCase,
	Name: func(e *domain.UseCase) string { return string(e.Type) },
	Parent: &catalog.Parent[domain.UseCase]{
		Kind: domain.KindIntegrationAssociation, Role: roleUseCase,
		ID: func(e *domain.UseCase) string { return string(e.IntegrationAssociationID) },
	},
}

// CreateUseCase adds a use case to an association, which can have one of each
// type: a second is a DuplicateResourceException.
func (g *Integrations) CreateUseCase(ctx context.Context, in *connect.CreateUseCaseInput) (*connect.CreateUseCaseOutput, error) {
	sc, err := g.catalog.Scope(ctx, in.InstanceId)
	if err != nil {
		return nil, err
	}
	of, err := g.associations.ID(sc, *in.IntegrationAssociationId)
	if err != nil {
		return nil, err
	}
	made, err := g.useCases.Create(ctx, sc, &domain.UseCase{
		IntegrationAssociationID: domain.IntegrationAssociationID(of), Type: in.UseCaseType,
	}, in.Tags)
	if err != nil {
		return nil, err
	}
	return &connect.CreateUseCaseOutput{UseCaseArn: made.ARN(sc), UseCaseId: aws.String(made.ID)}, nil
}

// DeleteUseCase removes a use case of the association that the request names.
func (g *Integrations) DeleteUseCase(ctx context.Context, in *connect.DeleteUseCaseInput) (*connect.DeleteUseCaseOutput, error) {
	sc, err := g.catalog.Scope(ctx, in.InstanceId)
	if err != nil {
		return nil, err
	}
	of, err := g.associations.ID(sc, *in.IntegrationAssociationId)
	if err != nil {
		return nil, err
	}
	return nil, g.useCases.Delete(ctx, sc, *in.UseCaseId, func(_ store.Tx, i *catalog.Item[domain.UseCase]) error {
		return g.useCases.IsPart(of, &i.Value)
	})
}

// ListUseCases lists the use cases of an association.
func (g *Integrations) ListUseCases(ctx context.Context, in *connect.ListUseCasesInput) (*connect.ListUseCasesOutput, error) {
	sc, err := g.catalog.Scope(ctx, in.InstanceId)
	if err != nil {
		return nil, err
	}
	p := catalog.Page{MaxResults: in.MaxResults, NextToken: in.NextToken}
	found, next, err := g.useCases.ListParts(ctx, sc, *in.IntegrationAssociationId, p, nil)
	if err != nil {
		return nil, err
	}
	return &connect.ListUseCasesOutput{
		NextToken: next,
		UseCaseSummaryList: catalog.Map(found, func(i *catalog.Item[domain.UseCase]) types.UseCase {
			return types.UseCase{UseCaseArn: i.ARN(sc), UseCaseId: aws.String(i.ID), UseCaseType: i.Value.Type}
		}),
	}, nil
}
