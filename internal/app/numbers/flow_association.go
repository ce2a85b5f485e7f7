package numbers

import (
	"context"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/connect/types"

	"ringdown/internal/catalog"
	"ringdown/internal/domain"
)

// FlowAssociations returns one for each number of the instance whose calls a
// flow answers, in the order in which the numbers were claimed, for the
// operations that list which resources run which flows.
func (n *Numbers) FlowAssociations(ctx context.Context, sc catalog.Scope) ([]types.FlowAssociationSummary, error) {
	root := n.catalog.RootScope(ctx)
	var all []types.FlowAssociationSummary
	var page catalog.Page
	for {
		found, next, err := n.phoneNumbers.ReferringWhere(ctx, n.catalog.Store(), sc, sc.PK, roleTarget, page, func(i *phoneNumber) bool {
			return i.Value.ContactFlowID != ""
		})
		if err != nil {
			return nil, err
		}
		for _, i := range found {
			all = append(all, types.FlowAssociationSummary{
				FlowId:       aws.String(sc.ARN(domain.KindContactFlow, string(i.Value.ContactFlowID))),
				ResourceId:   aws.String(root.ARN(domain.KindPhoneNumber, i.ID)),
				ResourceType: types.ListFlowAssociationResourceTypeVoicePhoneNumber,
			})
		}
		if next == nil {
			return all, nil
		}
		page.NextToken = next
	}
}
