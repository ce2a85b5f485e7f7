package numbers

import (
	"context"
	"encoding/json"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/connect"
	"github.com/aws/aws-sdk-go-v2/service/connect/types"

	"ringdown/internal/catalog"
	"ringdown/internal/domain"
	"ringdown/internal/fault"
	"ringdown/internal/store"
)

// AssociatePhoneNumberContactFlow says which flow of its instance the calls of
// a number begin with.
func (n *Numbers) AssociatePhoneNumberContactFlow(ctx context.Context, in *connect.AssociatePhoneNumberContactFlowInput) (*connect.AssociatePhoneNumberContactFlowOutput, error) {
	sc, err := n.catalog.Scope(ctx, in.InstanceId)
	if err != nil {
		return nil, err
	}
	flow, err := catalog.ID(sc, domain.KindContactFlow, *in.ContactFlowId)
	if err != nil {
		return nil, err
	}
	return nil, n.setFlow(ctx, sc, *in.PhoneNumberId, flow)
}

// DisassociatePhoneNumberContactFlow leaves a number without a flow; one that
// has none stays so.
func (n *Numbers) DisassociatePhoneNumberContactFlow(ctx context.Context, in *connect.DisassociatePhoneNumberContactFlowInput) (*connect.DisassociatePhoneNumberContactFlowOutput, error) {
	sc, err := n.catalog.Scope(ctx, in.InstanceId)
	if err != nil {
		return nil, err
	}
	return nil, n.setFlow(ctx, sc, *in.PhoneNumberId, "")
}

// setFlow sets the flow of a number of the instance. From the region of a
// replica a number of a traffic distribution group is named by its ARN, which
// has the region of the group (AWS API reference,
// AssociatePhoneNumberContactFlow).
func (n *Numbers) setFlow(ctx context.Context, sc catalog.Scope, number, flow string) error {
	root := n.catalog.RootScope(ctx)
	if domain.IsARN(number) {
		arn, err := domain.ParseARN(number)
		if err != nil {
			return err
		}
		root.Region = arn.Region
	}
	return n.phoneNumbers.Update(ctx, root, number, func(tx store.Tx, e *domain.PhoneNumber) error {
		if e.InstanceID != sc.ID || e.GroupID == "" && e.Region != sc.Region {
			return fault.New(fault.ResourceNotFound, "The instance has no phone number %s.", number)
		}
		if flow != "" {
			if _, err := tx.Resolve(ctx, sc.PK, domain.KindContactFlow, flow); err != nil {
				return err
			}
		}
		e.ContactFlowID = domain.ContactFlowID(flow)
		return nil
	})
}

// FlowAssociations returns one for each claimed number of the instance that
// has a flow, in the order in which the numbers were claimed.
func (n *Numbers) FlowAssociations(ctx context.Context, sc catalog.Scope) ([]types.FlowAssociationSummary, error) {
	var all []types.FlowAssociationSummary
	page := catalog.Page{MaxResults: aws.Int32(unpaged)}
	found, _, err := n.phoneNumbers.ReferringWhere(ctx, n.catalog.Store(), sc, sc.PK, roleInstance, page, func(i *phoneNumber) bool {
		return i.Value.ContactFlowID != "" && (i.Value.GroupID != "" || i.Value.Region == sc.Region)
	})
	if err != nil {
		return nil, err
	}
	for _, i := range found {
		number := catalog.Scope{Region: i.Value.Region, Account: sc.Account}
		all = append(all, types.FlowAssociationSummary{
			ResourceType: types.ListFlowAssociationResourceTypeVoicePhoneNumber,
			ResourceId:   aws.String(number.ARN(domain.KindPhoneNumber, i.ID)),
			FlowId:       aws.String(sc.ARN(domain.KindContactFlow, string(i.Value.ContactFlowID))),
		})
	}
	return all, nil
}

// unpaged is a page size that no list reaches.
const unpaged = 1 << 30

// Number finds a claimed number by its id, wherever its calls go.
func (n *Numbers) Number(ctx context.Context, id domain.PhoneNumberID) (*domain.PhoneNumber, error) {
	r, err := n.catalog.Store().Get(ctx, store.Root, domain.KindPhoneNumber, string(id))
	if err != nil {
		return nil, err
	}
	e := new(domain.PhoneNumber)
	return e, json.Unmarshal(r.Doc, e)
}
