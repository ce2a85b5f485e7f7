package flows

import (
	"cmp"
	"context"
	"slices"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/connect"
	"github.com/aws/aws-sdk-go-v2/service/connect/types"

	"ringdown/internal/catalog"
	"ringdown/internal/domain"
	"ringdown/internal/fault"
	"ringdown/internal/store"
)

// roleAssociatedEmail is that in which an association refers to the e-mail
// address that runs the flow.
const roleAssociatedEmail store.Role = "associated-email-address"

var flowAssociationKind = catalog.Kind[domain.FlowAssociation]{
	Of:     domain.KindFlowAssociation,
	Name:   (*domain.FlowAssociation).Key,
	Refs:   flowAssociationRefs,
	NoTags: true,
}

// flowAssociationRefs leaves out the flow, which may be deleted nevertheless:
// DeleteContactFlow declares no exception for use, DeleteEmailAddress has one.
func flowAssociationRefs(e *domain.FlowAssociation) []catalog.Ref {
	if !ofEmail(e.ResourceType) {
		return nil
	}
	arn, err := domain.ParseARN(e.ResourceID)
	if err != nil {
		return nil // never: resourceID has built it
	}
	return []catalog.Ref{{Role: roleAssociatedEmail, Kind: domain.KindEmailAddress, ID: arn.ID}}
}

// ofEmail reports whether resources of a type are e-mail addresses of the
// instance. All others are of services beside Amazon Connect.
func ofEmail(t types.FlowAssociationResourceType) bool {
	return t == types.FlowAssociationResourceTypeInboundEmail || t == types.FlowAssociationResourceTypeOutboundEmail
}

// resourceID is what a resource is stored under: an e-mail address by its ARN,
// however the request names it, what is of other services as it is given.
func resourceID(sc catalog.Scope, t types.FlowAssociationResourceType, given string) (string, error) {
	if !ofEmail(t) {
		return given, nil
	}
	id, err := catalog.ID(sc, domain.KindEmailAddress, given)
	return sc.ARN(domain.KindEmailAddress, id), err
}

// AssociateFlow makes a resource run a flow, in the place of the one that it
// ran before. An e-mail address must exist; whether something of another
// service does cannot be known.
func (f *Flows) AssociateFlow(ctx context.Context, in *connect.AssociateFlowInput) (*connect.AssociateFlowOutput, error) {
	sc, err := f.catalog.Scope(ctx, in.InstanceId)
	if err != nil {
		return nil, err
	}
	flow, err := f.contactFlows.id(sc, *in.FlowId)
	if err != nil {
		return nil, err
	}
	resource, err := resourceID(sc, in.ResourceType, *in.ResourceId)
	if err != nil {
		return nil, err
	}
	e := &domain.FlowAssociation{ResourceType: in.ResourceType, ResourceID: resource, FlowID: domain.ContactFlowID(flow)}
	return nil, f.catalog.Store().Update(ctx, func(tx store.Tx) error {
		if _, err := tx.Resolve(ctx, sc.PK, domain.KindContactFlow, flow); err != nil {
			return err
		}
		old, err := f.associations.GetByName(ctx, tx, sc, e.Key())
		if fault.Is(err, fault.ResourceNotFound) {
			_, err = f.associations.Insert(ctx, tx, sc, e, nil)
			return err
		}
		if err != nil {
			return err
		}
		return f.associations.Change(ctx, tx, sc, old.ID, func(old *domain.FlowAssociation) error {
			old.FlowID = e.FlowID
			return nil
		})
	})
}

// association finds which flow a resource runs.
func (f *Flows) association(ctx context.Context, rd store.Reader, sc catalog.Scope, t types.FlowAssociationResourceType, given string) (*catalog.Item[domain.FlowAssociation], error) {
	resource, err := resourceID(sc, t, given)
	if err != nil {
		return nil, err
	}
	i, err := f.associations.GetByName(ctx, rd, sc, domain.FlowAssociationKey(t, resource))
	if fault.Is(err, fault.ResourceNotFound) {
		return nil, fault.New(fault.ResourceNotFound, "No flow is associated with the %s %s.", t, given)
	}
	return i, err
}

// DisassociateFlow ends that a resource runs a flow.
func (f *Flows) DisassociateFlow(ctx context.Context, in *connect.DisassociateFlowInput) (*connect.DisassociateFlowOutput, error) {
	sc, err := f.catalog.Scope(ctx, in.InstanceId)
	if err != nil {
		return nil, err
	}
	return nil, f.catalog.Store().Update(ctx, func(tx store.Tx) error {
		i, err := f.association(ctx, tx, sc, in.ResourceType, *in.ResourceId)
		if err != nil {
			return err
		}
		return f.associations.Remove(ctx, tx, sc, i.ID, nil)
	})
}

// GetFlowAssociation tells which flow a resource runs.
func (f *Flows) GetFlowAssociation(ctx context.Context, in *connect.GetFlowAssociationInput) (*connect.GetFlowAssociationOutput, error) {
	sc, err := f.catalog.Scope(ctx, in.InstanceId)
	if err != nil {
		return nil, err
	}
	i, err := f.association(ctx, f.catalog.Store(), sc, in.ResourceType, *in.ResourceId)
	if err != nil {
		return nil, err
	}
	return &connect.GetFlowAssociationOutput{
		FlowId:       aws.String(sc.ARN(domain.KindContactFlow, string(i.Value.FlowID))),
		ResourceId:   aws.String(i.Value.ResourceID),
		ResourceType: i.Value.ResourceType,
	}, nil
}

// BatchGetFlowAssociation tells which flows some resources run, of one type or
// of all. A resource that runs none is left out.
func (f *Flows) BatchGetFlowAssociation(ctx context.Context, in *connect.BatchGetFlowAssociationInput) (*connect.BatchGetFlowAssociationOutput, error) {
	sc, err := f.catalog.Scope(ctx, in.InstanceId)
	if err != nil {
		return nil, err
	}
	wanted := map[string]bool{}
	for _, id := range in.ResourceIds {
		wanted[id] = true
		if !domain.IsARN(id) { // what the instance itself holds may be named by its id
			wanted[sc.ARN(domain.KindEmailAddress, id)] = true
			wanted[f.catalog.RootScope(ctx).ARN(domain.KindPhoneNumber, id)] = true
		}
	}
	all, err := f.shown(ctx, sc, in.ResourceType)
	if err != nil {
		return nil, err
	}
	return &connect.BatchGetFlowAssociationOutput{
		FlowAssociationSummaryList: slices.DeleteFunc(all, func(s types.FlowAssociationSummary) bool { return !wanted[*s.ResourceId] }),
	}, nil
}

// ListFlowAssociations lists which resources run which flows, of one type or of
// all, in the order of types and resources.
func (f *Flows) ListFlowAssociations(ctx context.Context, in *connect.ListFlowAssociationsInput) (*connect.ListFlowAssociationsOutput, error) {
	sc, err := f.catalog.Scope(ctx, in.InstanceId)
	if err != nil {
		return nil, err
	}
	all, err := f.shown(ctx, sc, in.ResourceType)
	if err != nil {
		return nil, err
	}
	slices.SortFunc(all, func(a, b types.FlowAssociationSummary) int { return cmp.Compare(byResource(a), byResource(b)) })
	page, next, err := catalog.Ordered(sc, domain.KindFlowAssociation, catalog.Page{MaxResults: in.MaxResults, NextToken: in.NextToken}, all, byResource)
	return &connect.ListFlowAssociationsOutput{FlowAssociationSummaryList: page, NextToken: next}, err
}

// byResource is the order of ListFlowAssociations.
func byResource(s types.FlowAssociationSummary) string {
	return string(s.ResourceType) + " " + *s.ResourceId
}

// shown are the associations of a type, "" for all, that lists show. Those of
// type SMS_PHONE_NUMBER are not among them: the type of a list's items does not
// have it (AWS API reference, FlowAssociationSummary).
func (f *Flows) shown(ctx context.Context, sc catalog.Scope, t types.ListFlowAssociationResourceType) ([]types.FlowAssociationSummary, error) {
	all := []types.FlowAssociationSummary{}
	if t != types.ListFlowAssociationResourceTypeVoicePhoneNumber {
		found, err := f.associations.All(ctx, f.catalog.Store(), sc)
		if err != nil {
			return nil, err
		}
		for _, i := range found {
			listed := types.ListFlowAssociationResourceType(i.Value.ResourceType)
			if slices.Contains(listed.Values(), listed) && (t == "" || t == listed) {
				all = append(all, types.FlowAssociationSummary{
					FlowId:       aws.String(sc.ARN(domain.KindContactFlow, string(i.Value.FlowID))),
					ResourceId:   aws.String(i.Value.ResourceID),
					ResourceType: listed,
				})
			}
		}
	}
	if t != "" && t != types.ListFlowAssociationResourceTypeVoicePhoneNumber {
		return all, nil
	}
	numbers, err := f.numbers.FlowAssociations(ctx, sc)
	return append(all, numbers...), err
}
