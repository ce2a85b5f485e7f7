package federation

import (
	"context"
	"encoding/json"
	"maps"
	"slices"
	"strings"
	"time"

	"ringdown/internal/audit"
	"ringdown/internal/domain"
	"ringdown/internal/fault"
	"ringdown/internal/iam"
)

// Assume assumes a role for the caller that ctx carries (domain.CallerOf) and
// whose principal is given; see AssumeRole of the STS API reference.
func (f *Federation) Assume(ctx context.Context, caller *iam.Principal, w Wish) (*Assumed, error) {
	a, err := f.assume(ctx, caller, &w)
	c := domain.CallerOf(ctx)
	e := audit.Event{Event: audit.AssumeRole, Principal: caller.ARN, Role: f.knownRole(ctx, w.RoleARN), From: c.Address, RequestID: c.RequestID}
	f.record(ctx, e, a, err)
	return a, err
}

// record writes down what became of an attempt to assume a role.
func (f *Federation) record(ctx context.Context, e audit.Event, a *Assumed, err error) {
	switch {
	case err == nil:
		e.Outcome, e.Role = audit.OK, a.ARN
		e.Key = a.Key.ID
		if e.Principal == "" {
			e.Principal = a.ARN
		}
	case fault.From(err).Code.Status() >= 500: // not the client's fault
		e.Outcome, e.Reason = audit.Failed, fault.From(err).Message
	default:
		e.Outcome, e.Reason = audit.Refused, fault.From(err).Message
	}
	f.opts.Audit.Record(ctx, e)
}

// knownRole is the ARN if it is that of a role that there is: nothing else that a
// client sends is written down.
func (f *Federation) knownRole(ctx context.Context, arn string) string {
	if r, err := f.roleByARN(ctx, arn); err == nil && r != nil {
		return r.iam.ARN
	}
	return ""
}

// roleByARN returns nil when there is no such role in the account. An ARN that
// is none of a role is a ValidationError.
func (f *Federation) roleByARN(ctx context.Context, arn string) (*role, error) {
	parts := strings.SplitN(arn, ":", 6)
	if len(parts) != 6 || parts[0] != "arn" || parts[2] != "iam" || parts[3] != "" || !strings.HasPrefix(parts[5], "role/") {
		return nil, invalid("Request ARN is invalid")
	}
	h, err := f.current(ctx)
	if err != nil {
		return nil, err
	}
	r := h.roles[strings.TrimPrefix(parts[5], "role/")]
	if r == nil || r.iam.ARN != arn {
		return nil, nil
	}
	return r, nil
}

func (f *Federation) assume(ctx context.Context, caller *iam.Principal, w *Wish) (*Assumed, error) {
	if caller.Root {
		return nil, fault.New(fault.AccessDenied, "Roles may not be assumed by root accounts.")
	}
	if !sessionName.MatchString(w.SessionName) {
		return nil, invalid("1 validation error detected: Value at 'roleSessionName' failed to satisfy constraint: Member must satisfy regular expression pattern: [\\w+=,.@-]{2,64}")
	}
	if w.SourceIdentity != "" && !sessionName.MatchString(w.SourceIdentity) {
		return nil, invalid("1 validation error detected: Value at 'sourceIdentity' failed to satisfy constraint: Member must satisfy regular expression pattern: [\\w+=,.@-]{2,64}")
	}
	if err := checkTags(w.Tags, w.TransitiveKeys); err != nil {
		return nil, invalid("%v", err)
	}
	if err := checkPolicy(w.Policy); err != nil {
		return nil, err
	}
	r, err := f.roleByARN(ctx, w.RoleARN)
	if err != nil {
		return nil, err
	}
	if err := mayAssume(ctx, caller, r, w); err != nil {
		return nil, err
	}
	lasts, err := length(w.Duration, r.iam.MaxSession, caller.Session != nil)
	if err != nil {
		return nil, err
	}
	s := iam.Session{
		Role: r.Name, Name: w.SessionName, Policy: w.Policy, Tags: w.Tags, TransitiveTagKeys: w.TransitiveKeys, SourceIdentity: w.SourceIdentity,
	}
	if caller.Session != nil {
		if err := inherit(&s, caller.Session); err != nil {
			return nil, err
		}
	}
	return f.issue(r, s, lasts)
}

// issue makes the credentials of a session that begins now.
func (f *Federation) issue(r *role, s iam.Session, lasts time.Duration) (*Assumed, error) {
	percent, err := packed(&s)
	if err != nil {
		return nil, err
	}
	s.Issued = f.opts.Now().Unix()
	s.Expires = s.Issued + int64(lasts/time.Second)
	key, err := f.opts.Keys.Issue(r.iam, s)
	if err != nil {
		return nil, err
	}
	return &Assumed{Key: key, ARN: key.Principal.ARN, ID: key.Principal.UserID, Session: s, Packed: percent}, nil
}

// inherit gives a session what stays of the one that has made it: its transitive
// tags, which cannot be passed anew, and its source identity, which cannot be
// changed (IAM User Guide, "Chaining roles with session tags" and "Monitor and
// control actions taken with assumed roles").
func inherit(s *iam.Session, from *iam.Session) error {
	s.Chained = true
	tags := maps.Clone(s.Tags)
	transitive := slices.Clone(s.TransitiveTagKeys)
	for key, value := range from.Tags {
		if !hasKey(from.TransitiveTagKeys, key) {
			continue
		}
		if hasTag(s.Tags, key) {
			return invalid("The session tag %s is inherited from the session that makes the request and cannot be passed again.", key)
		}
		if tags == nil {
			tags = map[string]string{}
		}
		tags[key] = value
		transitive = append(transitive, key)
	}
	slices.Sort(transitive)
	s.Tags, s.TransitiveTagKeys = tags, transitive
	if from.SourceIdentity != "" {
		if s.SourceIdentity != "" && s.SourceIdentity != from.SourceIdentity {
			return fault.New(fault.AccessDenied, "The source identity of a session cannot be changed.")
		}
		s.SourceIdentity = from.SourceIdentity
	}
	return nil
}

// mayAssume decides whether a caller may assume a role, nil when there is none.
//
// A role that names the caller lets it in without a policy of its own, as a trust
// policy does within an account (IAM User Guide, "Policy evaluation logic"); one
// that names the account leaves it to the caller's policies. An explicit deny in
// those counts in both cases, and so does what a session may do at most.
func mayAssume(ctx context.Context, caller *iam.Principal, r *role, w *Wish) error {
	named := r != nil && (caller.UserName != "" && slices.Contains(r.AssumedBy, "user/"+caller.UserName) ||
		caller.Role != nil && slices.Contains(r.AssumedBy, "role/"+caller.Role.Name))
	actions := []string{"sts:AssumeRole"}
	if len(w.Tags) > 0 {
		actions = append(actions, "sts:TagSession")
	}
	if w.SourceIdentity != "" {
		actions = append(actions, "sts:SetSourceIdentity")
	}
	conditions := &wished{iam.ContextOf(ctx), caller, w.conditions()}
	for _, action := range actions {
		if r == nil || !named && !slices.Contains(r.AssumedBy, byAccount) {
			return fault.New(fault.AccessDenied, "User: %s is not authorized to perform: %s on resource: %s", caller.ARN, action, w.RoleARN)
		}
		asking := caller
		if named {
			asking = withTrust(caller, action, r.iam.ARN)
		}
		if err := asking.Authorize(iam.Request{Action: action, Resource: r.iam.ARN, Context: conditions}); err != nil {
			return err
		}
	}
	return nil
}

// withTrust is a principal that a role's trust also allows an action on it.
func withTrust(p *iam.Principal, action, roleARN string) *iam.Principal {
	doc, err := json.Marshal(map[string]any{
		"Version":   "2012-10-17",
		"Statement": map[string]string{"Effect": "Allow", "Action": action, "Resource": roleARN},
	})
	if err != nil {
		return p // strings can always be encoded
	}
	policy, err := iam.ParsePolicy(doc)
	if err != nil {
		return p // names of roles need no escape in a policy; and less is allowed so
	}
	trusted := *p
	trusted.Policies = append(slices.Clone(p.Policies), policy)
	return &trusted
}

// conditions are the condition keys of what a caller asks for (service
// authorization reference, "Condition keys for AWS Security Token Service").
func (w *Wish) conditions() iam.Values {
	v := iam.Values{"sts:rolesessionname": {w.SessionName}}
	if w.SourceIdentity != "" {
		v["sts:sourceidentity"] = []string{w.SourceIdentity}
	}
	if len(w.TransitiveKeys) > 0 {
		v["sts:transitivetagkeys"] = w.TransitiveKeys
	}
	if len(w.Tags) > 0 {
		v["aws:tagkeys"] = slices.Sorted(maps.Keys(w.Tags))
	}
	for key, value := range w.Tags {
		v["aws:requesttag/"+key] = []string{value}
	}
	return v
}

// wished is what is known of a request to assume a role.
type wished struct {
	request iam.Context
	caller  *iam.Principal
	wish    iam.Values
}

// Lookup implements iam.Context.
func (w *wished) Lookup(key string) ([]string, bool) {
	for _, c := range []iam.Context{w.wish, w.request, w.caller} {
		if values, ok := c.Lookup(key); ok {
			return values, true
		}
	}
	return nil, false
}
