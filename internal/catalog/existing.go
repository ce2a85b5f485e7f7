package catalog

import (
	"context"

	"ringdown/internal/domain"
	"ringdown/internal/store"
)

// Existing is the bare id of a resource that a request names by id or ARN; one
// that is not there is a ResourceNotFoundException. It is for references that
// are checked when they are written and may dangle later, because the operation
// that deletes their target has no ResourceInUseException; all others belong
// into Kind.Refs.
func Existing(ctx context.Context, rd store.Reader, sc Scope, kind domain.Kind, idOrARN string) (string, error) {
	id, err := ID(sc, kind, idOrARN)
	if err != nil {
		return "", err
	}
	in := sc.PK
	if kind.Outside() {
		in = store.Root
	}
	_, err = rd.Resolve(ctx, in, kind, id)
	return id, err
}
