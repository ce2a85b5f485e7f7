package tasks

import (
	"context"

	"ringdown/internal/catalog"
	"ringdown/internal/domain"
)

// Template finds a template for those who make tasks from it.
func (t *Tasks) Template(ctx context.Context, sc catalog.Scope, idOrARN string) (*catalog.Item[domain.TaskTemplate], error) {
	return t.templates.Get(ctx, sc, idOrARN)
}
