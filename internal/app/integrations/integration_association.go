package integrations

import (
	"context"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/connect"
	"github.com/aws/aws-sdk-go-v2/service/connect/types"

	"ringdown/internal/catalog"
	"ringdown/internal/domain"
	"ringdown/internal/fault"
	"ringdown/internal/store"
)

// integrationQuotas are the most associations of a type: admin guide, "Amazon
// Connect service quotas". Types that it does not list have none.
var integrationQuotas = map[types.IntegrationType]int{
	types.IntegrationTypeEvent:               10,
	types.IntegrationTypeVoiceId:             1,
	types.IntegrationTypePinpointApp:         1,
	types.IntegrationTypeWisdomAssistant:     1,
	types.IntegrationTypeWisdomKnowledgeBase: 10,
	types.IntegrationTypeCasesDomain:         1,
}

var integrationAssociationKind = catalog.Kind[domain.IntegrationAssociation]{
	Of:    domain.KindIntegrationAssociation,
	Name:  (*domain.IntegrationAssociation).Name,
	Check: (*domain.IntegrationAssociation).Check,
}

type association = catalog.Item[domain.IntegrationAssociation]

// CreateIntegrationAssociation joins the instance with a resource of another
// service. The same resource once more in the same type is a
// DuplicateResourceException.
func (g *Integrations) CreateIntegrationAssociation(ctx context.Context, in *connect.CreateIntegrationAssociationInput) (*connect.CreateIntegrationAssociationOutput, error) {
	sc, err := g.catalog.Scope(ctx, in.InstanceId)
	if err != nil {
		return nil, err
	}
	e := &domain.IntegrationAssociation{
		Type:                  in.IntegrationType,
		ARN:                   *in.IntegrationArn,
		SourceApplicationName: aws.ToString(in.SourceApplicationName),
		SourceApplicationURL:  aws.ToString(in.SourceApplicationUrl),
		SourceType:            in.SourceType,
	}
	var made *association
	err = g.catalog.Store().Update(ctx, func(tx store.Tx) error {
		if err := g.checkIntegrationQuota(ctx, tx, sc, e.Type); err != nil {
			return err
		}
		made, err = g.associations.Insert(ctx, tx, sc, e, in.Tags)
		if fault.Is(err, fault.DuplicateResource) {
			return fault.New(fault.DuplicateResource, "The resource %s is already associated with the instance in the type %s.", e.ARN, e.Type).Wrap(err)
		}
		return err
	})
	if err != nil {
		return nil, err
	}
	return &connect.CreateIntegrationAssociationOutput{
		IntegrationAssociationArn: made.ARN(sc), IntegrationAssociationId: aws.String(made.ID),
	}, nil
}

// checkIntegrationQuota counts the associations of a type. The message is the
// service's.
func (g *Integrations) checkIntegrationQuota(ctx context.Context, tx store.Tx, sc catalog.Scope, of types.IntegrationType) error {
	quota, limited := integrationQuotas[of]
	if !limited || !g.catalog.Quotas() {
		return nil
	}
	all, err := g.associations.All(ctx, tx, sc)
	if err != nil {
		return err
	}
	for _, i := range all {
		if i.Value.Type == of {
			quota--
		}
	}
	if quota <= 0 {
		return fault.New(fault.InvalidRequest, "Reached Integration association limit for the Amazon Connect instance.")
	}
	return nil
}

// DeleteIntegrationAssociation removes an association, which must have no use
// cases (AWS API reference). The operation declares no ResourceInUseException,
// so that is an InvalidRequestException.
func (g *Integrations) DeleteIntegrationAssociation(ctx context.Context, in *connect.DeleteIntegrationAssociationInput) (*connect.DeleteIntegrationAssociationOutput, error) {
	sc, err := g.catalog.Scope(ctx, in.InstanceId)
	if err != nil {
		return nil, err
	}
	return nil, g.associations.Delete(ctx, sc, *in.IntegrationAssociationId, func(tx store.Tx, i *association) error {
		n, err := tx.CountReferrers(ctx, i.PK(), roleUseCase)
		if err == nil && n > 0 {
			err = fault.New(fault.InvalidRequest, "The integration association has %d use cases. Delete them first.", n)
		}
		return err
	})
}

// ListIntegrationAssociations lists the associations of a type, of a resource,
// or of both.
func (g *Integrations) ListIntegrationAssociations(ctx context.Context, in *connect.ListIntegrationAssociationsInput) (*connect.ListIntegrationAssociationsOutput, error) {
	sc, err := g.catalog.Scope(ctx, in.InstanceId)
	if err != nil {
		return nil, err
	}
	p := catalog.Page{MaxResults: in.MaxResults, NextToken: in.NextToken}
	found, next, err := g.associations.ListWhere(ctx, sc, p, func(i *association) bool {
		return (in.IntegrationType == "" || in.IntegrationType == i.Value.Type) &&
			(in.IntegrationArn == nil || *in.IntegrationArn == i.Value.ARN)
	})
	if err != nil {
		return nil, err
	}
	return &connect.ListIntegrationAssociationsOutput{
		NextToken: next,
		IntegrationAssociationSummaryList: catalog.Map(found, func(i *association) types.IntegrationAssociationSummary {
			return types.IntegrationAssociationSummary{
				InstanceId:                aws.String(string(sc.ID)),
				IntegrationAssociationArn: i.ARN(sc),
				IntegrationAssociationId:  aws.String(i.ID),
				IntegrationArn:            aws.String(i.Value.ARN),
				IntegrationType:           i.Value.Type,
				SourceApplicationName:     catalog.Optional(i.Value.SourceApplicationName),
				SourceApplicationUrl:      catalog.Optional(i.Value.SourceApplicationURL),
				SourceType:                i.Value.SourceType,
			}
		}),
	}, nil
}
