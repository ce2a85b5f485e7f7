package iam

import (
	"strings"

	"ringdown/internal/fault"
)

// Principal is who signs a request. It is read-only once in use, and may then
// be asked concurrently.
type Principal struct {
	// ARN is what refusals name and aws:PrincipalArn holds, such as
	// arn:aws:iam::123456789012:user/ops.
	ARN string
	// Account is the 12-digit account id, aws:PrincipalAccount.
	Account string
	// UserID is the unique id, aws:userid.
	UserID string
	// UserName is the friendly name, aws:username; empty for root, which has
	// none.
	UserName string
	// Root says that this is the root user of the account, who may do
	// everything.
	Root bool
	// Policies are all that apply to the principal.
	Policies []*Policy
}

// Request is one question: may an action be performed on a resource. An
// operation that touches several resources asks once for each.
type Request struct {
	// Action is "service:Operation", such as connect:DescribeUser.
	Action string
	// Resource is the ARN of the resource, or "*" for an action that has none;
	// of policies' resources only `*` covers that.
	Resource string
	// Context has the condition keys of the request, those about the principal
	// included; nil when there are none.
	Context Context
}

// Authorize returns nil when the principal may do what req asks, else a
// *fault.Error of the code AccessDenied with the message that AWS gives (IAM
// User Guide, "Troubleshoot access denied error messages").
func (p *Principal) Authorize(req Request) error {
	switch p.decide(req) {
	case allowed:
		return nil
	case deniedExplicitly:
		return fault.New(fault.AccessDenied,
			"User: %s is not authorized to perform: %s on resource: %s with an explicit deny in an identity-based policy",
			p.ARN, req.Action, req.Resource)
	default:
		return fault.New(fault.AccessDenied,
			"User: %s is not authorized to perform: %s on resource: %s because no identity-based policy allows the %s action",
			p.ARN, req.Action, req.Resource, req.Action)
	}
}

type decision int

const (
	deniedImplicitly decision = iota
	deniedExplicitly
	allowed
)

// decide follows "Policy evaluation logic" of the IAM User Guide: root may do
// everything, a matching Deny anywhere settles the matter, and without a
// matching Allow the answer is no.
func (p *Principal) decide(req Request) decision {
	if p.Root {
		return allowed
	}
	if req.Context == nil {
		req.Context = noContext{}
	}
	action := strings.ToLower(req.Action)
	result := deniedImplicitly
	for _, policy := range p.Policies {
		for i := range policy.statements {
			s := &policy.statements[i]
			if !s.deny && result == allowed || !s.applies(action, req) {
				continue
			}
			if s.deny {
				return deniedExplicitly
			}
			result = allowed
		}
	}
	return result
}

// applies reports whether the statement speaks of the request, whose action is
// given in lower case.
func (s *statement) applies(action string, req Request) bool {
	if !s.actions.has(action) || !s.resources.has(req.Resource, req.Context) {
		return false
	}
	for _, c := range s.conditions {
		if !c.holds(req.Context) {
			return false
		}
	}
	return true
}
