package numbers

import (
	"context"
	"encoding/json"
	"fmt"

	"github.com/aws/aws-sdk-go-v2/service/connect/types"

	"ringdown/internal/catalog"
	"ringdown/internal/domain"
	"ringdown/internal/fault"
	"ringdown/internal/store"
)

// Claimed reports whether a number, E.164, is claimed by an instance, itself or
// through a traffic distribution group.
func (n *Numbers) Claimed(ctx context.Context, sc catalog.Scope, number string) (bool, error) {
	r, err := n.catalog.Store().GetByName(ctx, store.Root, domain.KindPhoneNumber, number)
	if fault.Is(err, fault.ResourceNotFound) {
		return false, nil
	}
	if err != nil {
		return false, err
	}
	var e domain.PhoneNumber
	if err := json.Unmarshal(r.Doc, &e); err != nil {
		return false, fmt.Errorf("phone number %s: %w", r.ID, err)
	}
	return e.InstanceID == sc.ID && e.Status == types.PhoneNumberWorkflowStatusClaimed, nil
}
