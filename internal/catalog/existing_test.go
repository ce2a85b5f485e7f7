package catalog_test

import (
	"testing"

	"ringdown/internal/catalog"
	"ringdown/internal/domain"
	"ringdown/internal/fault"
)

func TestExisting(t *testing.T) {
	w := newWorld(t, 0)
	made, err := w.things.Create(w.ctx, w.one, &thing{Name: "first"}, nil)
	ok(t, err)
	for give, code := range map[string]fault.Code{
		made.ID:                               "",
		w.one.ARN(domain.KindPrompt, made.ID): "",
		domain.NewID():                        fault.ResourceNotFound,
		w.two.ARN(domain.KindPrompt, made.ID): fault.ResourceNotFound,
		w.one.ARN(domain.KindQueue, made.ID):  fault.ResourceNotFound,
		"arn:aws:connect:":                    fault.InvalidParameter,
	} {
		id, err := catalog.Existing(w.ctx, w.catalog.Store(), w.one, domain.KindPrompt, give)
		if fails(t, err, code); err == nil && id != made.ID {
			t.Errorf("%s is %s, want %s", give, id, made.ID)
		}
	}
	_, err = catalog.Existing(w.ctx, w.catalog.Store(), w.two, domain.KindPrompt, made.ID)
	fails(t, err, fault.ResourceNotFound)
}
