package directory

import (
	"context"

	"ringdown/internal/catalog"
	"ringdown/internal/domain"
)

// User finds a user for those who route contacts to it.
func (d *Directory) User(ctx context.Context, sc catalog.Scope, idOrARN string) (*catalog.Item[domain.User], error) {
	return d.users.Get(ctx, sc, idOrARN)
}
