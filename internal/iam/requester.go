package iam

import (
	"context"
	"strings"
	"time"
)

// Lookup returns the condition keys that are about the principal, as
// Context.Lookup does (IAM User Guide, "AWS global condition context keys",
// "Properties of the principal" and "Properties of a role session"; "IAM and AWS
// STS condition context keys", "Available keys for SAML-based AWS STS
// federation"). So a principal is a Context: that of a request of which no more
// is known than who makes it.
func (p *Principal) Lookup(key string) ([]string, bool) {
	name, tag, _ := strings.Cut(key, "/")
	switch name {
	case "aws:principalarn":
		if p.Role != nil {
			return one(p.Role.ARN)
		}
		return one(p.ARN)
	case "aws:principalaccount":
		return one(p.Account)
	case "aws:principaltype":
		return one(p.kind())
	case "aws:principalisawsservice":
		return one("false")
	case "aws:username":
		return one(p.UserName)
	case "aws:userid":
		return one(p.UserID)
	}
	s := p.Session
	if s == nil {
		return nil, false
	}
	switch name {
	case "aws:principaltag":
		v, ok := TagValue(s.Tags, tag)
		return []string{v}, ok
	case "aws:tokenissuetime":
		return one(time.Unix(s.Issued, 0).UTC().Format(time.RFC3339))
	case "aws:multifactorauthpresent":
		return one("false") // temporary credentials tell; there are no devices here
	case "aws:sourceidentity":
		return one(s.SourceIdentity)
	case "aws:federatedprovider":
		return one(s.Provider)
	}
	if strings.HasPrefix(name, "saml:") {
		values := s.SAML[name]
		return values, len(values) > 0
	}
	return nil, false
}

// kind is the value of aws:PrincipalType (IAM User Guide, "Principal key
// values").
func (p *Principal) kind() string {
	switch {
	case p.Root:
		return "Account"
	case p.Session != nil:
		return "AssumedRole"
	default:
		return "User"
	}
}

func one(s string) ([]string, bool) { return []string{s}, s != "" }

// requester is who makes a request, and what is known of the request.
type requester struct {
	principal *Principal
	context   Context
}

type requesterKey struct{}

// WithRequester returns a context that carries who makes a request and what its
// conditions are. It is for what cannot be decided at the front door: whether a
// role may be assumed depends on the role's trust as well.
func WithRequester(ctx context.Context, p *Principal, c Context) context.Context {
	return context.WithValue(ctx, requesterKey{}, requester{p, c})
}

// PrincipalOf returns the principal that the context carries, nil when it
// carries none: then nobody has signed.
func PrincipalOf(ctx context.Context) *Principal {
	r, _ := ctx.Value(requesterKey{}).(requester)
	return r.principal
}

// ContextOf returns what is known of the request that the context belongs to;
// it is never nil.
func ContextOf(ctx context.Context) Context {
	if r, ok := ctx.Value(requesterKey{}).(requester); ok && r.context != nil {
		return r.context
	}
	return noContext{}
}
