package prompts

import (
	"context"

	"ringdown/internal/catalog"
)

// Sound finds a prompt for those who play it: its name, and the s3:// address
// of its audio.
func (p *Prompts) Sound(ctx context.Context, sc catalog.Scope, idOrARN string) (name, uri string, err error) {
	i, err := p.prompts.Get(ctx, sc, idOrARN)
	if err != nil {
		return "", "", err
	}
	at, err := p.audio(ctx, sc, i)
	if err != nil {
		return "", "", err
	}
	return i.Name, at.String(), nil
}
