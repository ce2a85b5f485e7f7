package iam

import (
	"strings"

	"ringdown/internal/fault"
)

// Principal is who signs a request. It is read-only once in use, and may then
// be asked concurrently.
type Principal struct {
	// ARN is what refusals name, such as arn:aws:iam::123456789012:user/ops or, of
	// an assumed role, arn:aws:sts::123456789012:assumed-role/desk/mary.
	ARN string
	// Account is the 12-digit account id, aws:PrincipalAccount.
	Account string
	// UserID is the unique id, aws:userid.
	UserID string
	// UserName is the friendly name, aws:username; empty for root and assumed
	// roles, which have none.
	UserName string
	// Root says that this is the root user of the account, who may do
	// everything.
	Root bool
	// Policies are all that apply to the principal.
	Policies []*Policy
	// Role and Session are of an assumed role, nil for others.
	Role    *Role
	Session *Session
	// SessionPolicy is what a session may do at most; nil: no less than its role.
	SessionPolicy *Policy
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
	var why string
	switch p.decide(req) {
	case allowed:
		return nil
	case deniedExplicitly:
		why = "with an explicit deny in an identity-based policy"
	case deniedBySession:
		why = "with an explicit deny in a session policy"
	case beyondSession:
		why = "because no session policy allows the " + req.Action + " action"
	default:
		why = "because no identity-based policy allows the " + req.Action + " action"
	}
	return fault.New(fault.AccessDenied, "User: %s is not authorized to perform: %s on resource: %s %s", p.ARN, req.Action, req.Resource, why)
}

type decision int

const (
	deniedImplicitly decision = iota
	deniedExplicitly
	deniedBySession // explicitly
	beyondSession   // implicitly
	allowed
)

// decide follows "Policy evaluation logic" of the IAM User Guide: root may do
// everything, a matching Deny anywhere settles the matter, and without a
// matching Allow the answer is no. A session needs that of its own policy as
// well; when neither allows, the refusal is laid to the role's.
func (p *Principal) decide(req Request) decision {
	if p.Root {
		return allowed
	}
	if req.Context == nil {
		req.Context = noContext{}
	}
	action := strings.ToLower(req.Action)
	result := evaluate(p.Policies, action, req)
	if p.SessionPolicy == nil || result == deniedExplicitly {
		return result
	}
	switch session := evaluate([]*Policy{p.SessionPolicy}, action, req); {
	case session == deniedExplicitly:
		return deniedBySession
	case session == deniedImplicitly && result == allowed:
		return beyondSession
	}
	return result
}

// evaluate is what policies of one kind say together.
func evaluate(policies []*Policy, action string, req Request) decision {
	result := deniedImplicitly
	for _, policy := range policies {
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
