package federation

import (
	"context"
	"crypto/sha1" //nolint:gosec // AWS's NameQualifier is made with it; it protects nothing
	"encoding/base64"
	"errors"
	"fmt"
	"net/url"
	"slices"
	"strings"
	"time"

	"ringdown/internal/audit"
	"ringdown/internal/domain"
	"ringdown/internal/fault"
	"ringdown/internal/iam"
	"ringdown/internal/identity/once"
	"ringdown/internal/identity/saml"
)

// What AWS answers (IAM User Guide, "Troubleshoot SAML federation with IAM";
// AWS STS API reference, AssumeRoleWithSAML). More may follow: which rule is
// broken.
const (
	notAuthorized = "Not authorized to perform sts:AssumeRoleWithSAML"
	invalidBase64 = "Invalid base64 SAMLResponse"
	noProvider    = "Specified provider doesn't exist"
	badResponse   = "Your request included an invalid SAML response"
	noName        = "RoleSessionName is required in AuthnResponse"
	badName       = "RoleSessionName in AuthnResponse must match [a-zA-Z_0-9+=,.@-]{2,64}"
	badSource     = `Source Identity must match [a-zA-Z_0-9+=,.@-]{2,64} and not begin with "aws:"`
	tooOld        = "Token must be redeemed within 5 minutes of issuance"
)

const (
	// maxResponse is the longest response in characters of base64 (AWS STS API
	// reference, AssumeRoleWithSAML).
	maxResponse = 100_000
	// maxSubject is the longest NameID that a session token has room for. Those of
	// persistent and transient identifiers have at most 256 (saml-core-2.0
	// §8.3.7).
	maxSubject = 1024
	// otherClocks is how much longer than its life an assertion is remembered, for
	// the sake of servers whose clocks are behind.
	otherClocks = 5 * time.Minute
)

func untrusted(format string, args ...any) error {
	return fault.New(fault.InvalidIdentityToken, format, args...)
}

// AssumeWithSAML assumes a role by a response, base64 as it was posted; see
// AssumeRoleWithSAML of the STS API reference. providerARN names the provider.
// The assertion is used up, except where STS allows it more than once: within
// its life, for its roles (docs/divergences.md).
func (f *Federation) AssumeWithSAML(ctx context.Context, providerARN, response string, w Wish) (*Assumed, error) {
	p, a, err := f.assumeWithSAML(ctx, providerARN, response, &w)
	c := domain.CallerOf(ctx)
	e := audit.Event{Event: audit.AssumeRole, Door: "saml", Role: f.knownRole(ctx, w.RoleARN), From: c.Address, RequestID: c.RequestID}
	if p != nil {
		e.Provider = p.Name
	}
	f.record(ctx, e, a, err)
	return a, err
}

func (f *Federation) assumeWithSAML(ctx context.Context, providerARN, response string, w *Wish) (*Provider, *Assumed, error) {
	h, err := f.current(ctx)
	if err != nil {
		return nil, nil, err
	}
	name, ok := strings.CutPrefix(providerARN, f.prefix()+"saml-provider/")
	p := h.providers[name]
	if !ok || p == nil {
		return nil, nil, untrusted(noProvider)
	}
	raw, err := decode(response)
	if err != nil {
		return p, nil, err
	}
	a, err := p.validate(raw, saml.Expect{Audiences: f.audiences(), Recipient: f.opts.Recipient, Any: true, Now: f.opts.Now()})
	if err != nil {
		return p, nil, err
	}
	if err := checkAssertion(a); err != nil {
		return p, nil, err
	}
	if err := checkPolicy(w.Policy); err != nil {
		return p, nil, err
	}
	r, err := f.roleByARN(ctx, w.RoleARN)
	if err != nil {
		return p, nil, err
	}
	if !slices.Contains(a.Roles, saml.RoleChoice{Role: w.RoleARN, Provider: p.ARN}) {
		return p, nil, fault.New(fault.AccessDenied, notAuthorized+": the assertion does not name the role with the provider")
	}
	if r == nil || !r.trusts(p.Name) {
		return p, nil, fault.New(fault.AccessDenied, notAuthorized+": there is no such role, or it does not trust the provider")
	}
	lasts, err := length(w.Duration, r.iam.MaxSession, false)
	if err != nil {
		return p, nil, err
	}
	now := f.opts.Now()
	if lasts = capped(lasts, a, now); lasts < time.Second {
		return p, nil, fault.New(fault.ExpiredToken, tooOld+": the session at the identity provider is over")
	}
	s := f.session(r, p, a, w.Policy)
	if _, err := packed(&s); err != nil { // before the assertion is used up
		return p, nil, err
	}
	if err := f.use(ctx, a, r.iam.ARN); err != nil {
		return p, nil, err
	}
	made, err := f.issue(r, s, lasts)
	if err != nil {
		return p, nil, err
	}
	made.Assertion = a
	return p, made, nil
}

// decode reads a response as it was posted: base64, perhaps in lines.
func decode(response string) ([]byte, error) {
	if len(response) > maxResponse {
		return nil, untrusted(badResponse+": it has more than %d characters", maxResponse)
	}
	raw, err := base64.StdEncoding.DecodeString(strings.Map(func(r rune) rune {
		if strings.ContainsRune(" \t\r\n", r) {
			return -1
		}
		return r
	}, response))
	if err != nil || len(raw) == 0 {
		return nil, untrusted(invalidBase64)
	}
	return raw, nil
}

// validate answers with the faults of STS.
func (p *Provider) validate(raw []byte, e saml.Expect) (*saml.Assertion, error) {
	a, err := p.SAML.Validate(raw, e)
	var refused *saml.Error
	switch {
	case err == nil:
		return a, nil
	case !errors.As(err, &refused):
		return nil, fmt.Errorf("SAML response: %w", err)
	}
	switch refused.Kind {
	case saml.Expired:
		if strings.HasPrefix(refused.Text, tooOld) {
			return nil, fault.New(fault.ExpiredToken, "%s", refused.Text)
		}
		return nil, fault.New(fault.ExpiredToken, tooOld+": %s", refused.Text)
	case saml.Rejected:
		return nil, fault.New(fault.IDPRejectedClaim, "%s", refused.Text)
	default:
		return nil, untrusted("%s", refused.Text)
	}
}

// checkAssertion checks what AWS needs of an assertion beyond SAML (IAM User
// Guide, "Configure SAML assertions for the authentication response").
func checkAssertion(a *saml.Assertion) error {
	switch {
	case len(a.Roles) == 0:
		return untrusted(badResponse + ": it has no attribute https://aws.amazon.com/SAML/Attributes/Role with a role and a provider")
	case a.SessionName == "":
		return untrusted(noName)
	case !sessionName.MatchString(a.SessionName):
		return untrusted(badName)
	case a.SourceIdentity != "" && !sessionName.MatchString(a.SourceIdentity):
		return untrusted(badSource)
	case a.Subject == "":
		return fault.New(fault.AccessDenied, notAuthorized+": the assertion has no Subject with a NameID")
	case len(a.Subject) > maxSubject:
		return untrusted(badResponse+": its NameID has more than %d bytes", maxSubject)
	case a.SessionDuration != 0 && (a.SessionDuration < leastSession || a.SessionDuration > mostMaxSession):
		return untrusted("SessionDuration in AuthnResponse must be from %d to %d seconds", leastSession/time.Second, mostMaxSession/time.Second)
	}
	if err := checkTags(a.Tags, a.TransitiveTagKeys); err != nil {
		return untrusted(badResponse+": %v", err)
	}
	return nil
}

// capped shortens a session to what the identity provider allows: its
// SessionDuration, and its own session's end.
func capped(lasts time.Duration, a *saml.Assertion, now time.Time) time.Duration {
	if a.SessionDuration != 0 {
		lasts = min(lasts, a.SessionDuration)
	}
	if !a.SessionNotOnOrAfter.IsZero() {
		lasts = min(lasts, a.SessionNotOnOrAfter.Sub(now))
	}
	return lasts
}

// session is that of a role assumed through a provider. Its SAML keys are those
// that IAM offers policies (IAM User Guide, "Available keys for SAML-based AWS
// STS federation").
func (f *Federation) session(r *role, p *Provider, a *saml.Assertion, policy []byte) iam.Session {
	return iam.Session{
		Role: r.Name, Name: a.SessionName, Policy: policy,
		Tags: a.Tags, TransitiveTagKeys: a.TransitiveTagKeys, SourceIdentity: a.SourceIdentity,
		Provider: p.ARN,
		SAML: map[string][]string{
			"saml:aud":           {a.Recipient},
			"saml:doc":           {f.opts.Account + "/" + p.Name},
			"saml:iss":           {a.Issuer},
			"saml:namequalifier": {NameQualifier(a.Issuer, f.opts.Account, p.Name)},
			"saml:sub":           {a.Subject},
			"saml:sub_type":      {a.SubjectType},
		},
	}
}

// NameQualifier tells the users of a provider from those of others (AWS STS API
// reference, AssumeRoleWithSAML).
func NameQualifier(issuer, account, provider string) string {
	sum := sha1.Sum([]byte(issuer + account + "/" + provider)) //nolint:gosec // as AWS has it
	return base64.StdEncoding.EncodeToString(sum[:])
}

// use uses an assertion up: for a role, or for a page when role is empty. It
// fails when that was done before, by whichever server of the database, and
// forgets only when the assertion is refused for its age.
//
// AWS lets the same assertion be exchanged again within its five minutes, and
// tools rely on that to get credentials of several of its roles. So each role can
// be had once; after a page has accepted the assertion, nothing can.
func (f *Federation) use(ctx context.Context, a *saml.Assertion, role string) error {
	until := f.opts.Now()
	if a.Expires.After(until) {
		until = a.Expires
	}
	first, err := f.used.Use(ctx, once.Thing{
		Kind: once.Assertion, ID: once.Name(a.Issuer, a.ID), Expires: until.Add(otherClocks),
	}, role)
	if err != nil {
		return fmt.Errorf("an assertion: %w", err)
	}
	if !first {
		return untrusted("The assertion has been used before; ask the identity provider for another one")
	}
	return nil
}

// Admit finds the provider of a response by its Issuer, validates it, uses its
// assertion up (a second visit with it is refused), and assumes the first of its
// roles that may have a federation token. No credentials are made: the answer's
// Key has a principal alone.
func (f *Federation) Admit(ctx context.Context, v Visit) (*Assumed, error) {
	p, a, err := f.admit(ctx, v)
	e := audit.Event{Event: audit.AssumeRole, Door: "saml", From: v.From, RequestID: domain.CallerOf(ctx).RequestID}
	if p != nil {
		e.Provider = p.Name
	}
	f.record(ctx, e, a, err)
	return a, err
}

func (f *Federation) admit(ctx context.Context, v Visit) (*Provider, *Assumed, error) {
	raw, err := decode(v.Response)
	if err != nil {
		return nil, nil, err
	}
	p, a, err := f.validated(ctx, raw, v)
	if err != nil {
		return p, nil, err
	}
	if v.Opens != nil && !v.Opens(p.Instances) {
		return p, nil, fault.New(fault.AccessDenied, notAuthorized+": the provider is not one of this instance's")
	}
	if err := checkAssertion(a); err != nil {
		return p, nil, err
	}
	h, err := f.current(ctx)
	if err != nil {
		return p, nil, err
	}
	denied := fault.New(fault.AccessDenied, notAuthorized+": the assertion names no role that trusts the provider")
	for _, choice := range a.Roles {
		if choice.Provider != p.ARN {
			continue
		}
		name, _ := strings.CutPrefix(choice.Role, f.prefix()+"role/")
		r := h.roles[name]
		if r == nil || r.iam.ARN != choice.Role || !r.trusts(p.Name) {
			continue
		}
		made, err := f.visitor(r, p, a, v)
		if fault.Is(err, fault.AccessDenied) {
			denied = fault.From(err)
			continue
		}
		if err != nil {
			return p, nil, err
		}
		if err := f.use(ctx, a, ""); err != nil {
			return p, nil, err
		}
		return p, made, nil
	}
	return p, nil, denied
}

// validated finds the provider whose response it is. Providers may share an
// Issuer, such as one with different instances for its pages; then the response
// is of the one whose roles it names.
func (f *Federation) validated(ctx context.Context, raw []byte, v Visit) (*Provider, *saml.Assertion, error) {
	h, err := f.current(ctx)
	if err != nil {
		return nil, nil, err
	}
	issuer := saml.Issuer(raw)
	var found *Provider
	var assertion *saml.Assertion
	refusal := untrusted("Issuer not present in specified provider: no identity provider of that name is known here")
	for _, p := range h.sorted() {
		if issuer == "" || p.SAML.EntityID() != issuer {
			continue
		}
		a, err := p.validate(raw, saml.Expect{
			Audiences: f.audiences(), RequestID: v.RequestID, Now: f.opts.Now(),
			Recipient: func(to string) bool { return to == v.Recipient },
		})
		if err != nil {
			if found == nil {
				found, refusal = p, err
			}
			continue
		}
		named := slices.ContainsFunc(a.Roles, func(c saml.RoleChoice) bool { return c.Provider == p.ARN })
		if assertion == nil || named {
			found, assertion = p, a
		}
		if named {
			break
		}
	}
	if assertion == nil {
		return found, nil, refusal
	}
	return found, assertion, nil
}

// visitor assumes a role without credentials, if it may have a federation token.
func (f *Federation) visitor(r *role, p *Provider, a *saml.Assertion, v Visit) (*Assumed, error) {
	now := f.opts.Now()
	lasts := capped(r.iam.MaxSession, a, now)
	if lasts < time.Second {
		return nil, fault.New(fault.ExpiredToken, tooOld+": the session at the identity provider is over")
	}
	s := f.session(r, p, a, nil)
	s.Issued = now.Unix()
	s.Expires = s.Issued + int64(lasts/time.Second)
	percent, err := packed(&s)
	if err != nil {
		return nil, err
	}
	principal, err := f.opts.Keys.AssumedRole(r.iam, s)
	if err != nil {
		return nil, err
	}
	resource := v.Permission(principal.UserID)
	request := iam.Request{Action: "connect:GetFederationToken", Resource: resource, Context: &wished{
		visit(resource, v, now), principal, iam.Values{},
	}}
	if err := principal.Authorize(request); err != nil {
		return nil, err
	}
	return &Assumed{
		Key: &iam.Key{Created: now, Principal: principal}, ARN: principal.ARN, ID: principal.UserID, Session: s, Assertion: a, Packed: percent,
	}, nil
}

// visit is what is known of a browser's request, for the conditions of policies.
func visit(resource string, v Visit, now time.Time) iam.Values {
	values := iam.Values{
		"aws:currenttime": {now.UTC().Format(time.RFC3339)},
		"aws:epochtime":   {fmt.Sprint(now.Unix())},
	}
	set := func(key, value string) {
		if value != "" {
			values[key] = []string{value}
		}
	}
	set("aws:sourceip", v.From)
	if u, err := url.Parse(v.Recipient); err == nil {
		set("aws:securetransport", fmt.Sprint(u.Scheme == "https"))
	}
	if parts := strings.SplitN(resource, ":", 6); len(parts) == 6 {
		set("aws:requestedregion", parts[3])
		set("aws:resourceaccount", parts[4])
		instance, _, _ := strings.Cut(strings.TrimPrefix(parts[5], "instance/"), "/")
		set("connect:instanceid", instance)
	}
	return values
}
