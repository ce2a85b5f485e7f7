package domain

import "context"

// Caller is who makes a request, and where it is served: the region is the one
// that the request's signature names. Whoever has not signed, because the
// operation is one that needs no signature, is only an account, a request and an
// address.
type Caller struct {
	Region      string
	Account     string
	PrincipalID string // aws:userid
	ARN         string // of the principal
	UserName    string // aws:username; empty for roles and root
	SessionName string // of an assumed role; empty otherwise
	Root        bool
	RequestID   string
	Address     string // IP address that the request came from, empty when there is none
}

type callerKey struct{}

// WithCaller returns a context that carries c.
func WithCaller(ctx context.Context, c *Caller) context.Context {
	return context.WithValue(ctx, callerKey{}, c)
}

// CallerOf returns the caller that the context carries; a zero Caller when it
// carries none.
func CallerOf(ctx context.Context) *Caller {
	if c, ok := ctx.Value(callerKey{}).(*Caller); ok {
		return c
	}
	return &Caller{}
}
