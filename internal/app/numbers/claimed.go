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
	e, err := n.Called(ctx, number)
	if fault.Is(err, fault.ResourceNotFound) {
		return false, nil
	}
	return err == nil && e.InstanceID == sc.ID, err
}

// Called finds a claimed number, E.164, whichever instance its calls go to. One
// that is not claimed, or not yet, is a ResourceNotFoundException.
func (n *Numbers) Called(ctx context.Context, number string) (*domain.PhoneNumber, error) {
	r, err := n.catalog.Store().GetByName(ctx, store.Root, domain.KindPhoneNumber, number)
	if err != nil {
		return nil, err
	}
	e := new(domain.PhoneNumber)
	if err := json.Unmarshal(r.Doc, e); err != nil {
		return nil, fmt.Errorf("phone number %s: %w", r.ID, err)
	}
	if e.Status != types.PhoneNumberWorkflowStatusClaimed {
		return nil, fault.New(fault.ResourceNotFound, "Phone number %s is not claimed.", number)
	}
	return e, nil
}
