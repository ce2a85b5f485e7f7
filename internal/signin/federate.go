package signin

import (
	"bytes"
	"context"
	"fmt"
	"net/url"
	"strings"
	"time"

	"ringdown/internal/audit"
	"ringdown/internal/domain"
	"ringdown/internal/fault"
)

// How long tokens hold. How long those of the real service do is not known
// (docs/divergences.md).
const (
	accessLife  = time.Hour
	refreshLife = 12 * time.Hour
	codeLife    = 5 * time.Minute
)

// Tokens are what GetFederationToken answers with.
type Tokens struct {
	Access, Refresh               string
	AccessExpires, RefreshExpires time.Time
	SignInURL                     string // opens a session, once
	User                          *User
}

// grant is what an access token, a refresh token or the code of a SignInURL
// says, sealed.
type grant struct {
	Instance  domain.InstanceID `json:"i"`
	User      string            `json:"u"`
	Principal string            `json:"p"`           // that the user is bound to
	ID        string            `json:"t,omitempty"` // of what works once
	Mark      []byte            `json:"m,omitempty"` // of the user
}

// Federate gives the tokens of the user whose Username is name, and binds it to
// principal, the unique id of a role or user. The errors are those of
// GetFederationToken: UserNotFoundException, DuplicateResourceException,
// InvalidRequestException for an instance that is not of type SAML.
func (s *Service) Federate(ctx context.Context, in *Instance, name, principal string) (*Tokens, error) {
	c := domain.CallerOf(ctx)
	tried := audit.Event{Event: audit.FederationToken, Principal: c.ARN}
	v := Visitor{RequestID: c.RequestID}
	u, err := s.claim(ctx, in, name, principal)
	if err != nil {
		if f := fault.From(err); f.Code != fault.InternalService {
			tried.Outcome, tried.Reason = audit.Refused, string(f.Code)
			s.record(ctx, in, u, v, tried)
		}
		return nil, err
	}
	t, err := s.tokens(in, u, principal, s.opts.Now().Add(refreshLife))
	if err != nil {
		return nil, err
	}
	tried.Outcome = audit.OK
	s.record(ctx, in, u, v, tried)
	return t, nil
}

// claim finds the user of a name for a principal, and binds the one to the
// other. With an error of DuplicateResourceException comes the user.
func (s *Service) claim(ctx context.Context, in *Instance, name, principal string) (*User, error) {
	if in.Identity != domain.SAML {
		return nil, fault.New(fault.InvalidRequest, "The instance %s does not take its users from SAML: it has no federation tokens.", in.ID)
	}
	u, err := s.user(ctx, in, name)
	if err != nil {
		return nil, err
	}
	if u == nil || u.Inactive {
		return nil, fault.New(fault.UserNotFound, "No user of the instance has the name of the session.")
	}
	if err := s.opts.People.Bind(ctx, in, u.ID, principal); err != nil {
		switch {
		case missing(err):
			return nil, fault.New(fault.UserNotFound, "No user of the instance has the name of the session.").Wrap(err)
		case fault.Is(err, fault.DuplicateResource):
			return u, err
		default:
			return nil, fmt.Errorf("bind a user: %w", err)
		}
	}
	bound := *u
	bound.FederatedBy = principal
	return &bound, nil
}

// tokens makes tokens of which none holds beyond last.
func (s *Service) tokens(in *Instance, u *User, principal string, last time.Time) (*Tokens, error) {
	g := grant{Instance: in.ID, User: u.ID, Principal: principal, Mark: mark(u)}
	now := s.opts.Now()
	t := &Tokens{User: u, AccessExpires: earlier(now.Add(accessLife), last), RefreshExpires: last}
	t.AccessExpires, t.RefreshExpires = t.AccessExpires.UTC().Truncate(time.Second), t.RefreshExpires.UTC().Truncate(time.Second)
	var err error
	if t.Access, err = s.seals.seal(forAccess, g, t.AccessExpires); err != nil {
		return nil, err
	}
	g.ID = newToken()
	if t.Refresh, err = s.seals.seal(forRefresh, g, t.RefreshExpires); err != nil {
		return nil, err
	}
	g.ID = newToken()
	code, err := s.seals.seal(forCode, g, earlier(now.Add(codeLife), last))
	if err != nil {
		return nil, err
	}
	t.SignInURL = s.opts.URL() + Root(in) + "/federate?code=" + url.QueryEscape(code)
	return t, nil
}

func earlier(a, b time.Time) time.Time {
	if a.Before(b) {
		return a
	}
	return b
}

// granted is the user of a token, nil when there is none any more that the token
// is for: it has been deleted, deactivated or bound to somebody else.
func (s *Service) granted(ctx context.Context, in *Instance, g *grant) (*User, error) {
	if g.Instance != in.ID || in.Identity != domain.SAML {
		return nil, nil
	}
	u, err := s.userByID(ctx, in, g.User)
	if err != nil || u == nil || u.Inactive || u.FederatedBy != g.Principal || !bytes.Equal(g.Mark, mark(u)) {
		return nil, err
	}
	return u, nil
}

// Refresh gives new tokens for a refresh token, which then no longer works. They
// end when the first ones would have: nothing extends a session.
// The error is a *Refusal, or internal.
func (s *Service) Refresh(ctx context.Context, in *Instance, v Visitor, refresh string) (*Tokens, error) {
	tried := audit.Event{Event: audit.TokenRefresh, Door: string(ByFederation)}
	if _, err := s.profile(ctx, in, v, tried); err != nil {
		return nil, err
	}
	var g grant
	last, err := s.seals.open(forRefresh, refresh, &g)
	if err != nil {
		return nil, s.void(ctx, in, nil, v, tried)
	}
	u, err := s.granted(ctx, in, &g)
	if err != nil {
		return nil, err
	}
	if u == nil {
		return nil, s.void(ctx, in, nil, v, tried)
	}
	first, err := s.useUp(ctx, g.ID, u.PK, last)
	if err != nil {
		return nil, err
	}
	if !first {
		return nil, s.void(ctx, in, u, v, tried)
	}
	t, err := s.tokens(in, u, g.Principal, last)
	if err != nil {
		return nil, err
	}
	tried.Outcome = audit.OK
	s.record(ctx, in, u, v, tried)
	return t, nil
}

// void refuses a token.
func (s *Service) void(ctx context.Context, in *Instance, u *User, v Visitor, tried audit.Event) error {
	tried.Outcome, tried.Reason = audit.Refused, "the token has been used, or is not valid"
	s.record(ctx, in, u, v, tried)
	return refuse(LinkUsed)
}

// RedeemCode opens a session by the code of a SignInURL, which works once. The
// error is a *Refusal, or internal.
func (s *Service) RedeemCode(ctx context.Context, in *Instance, v Visitor, code, destination string) (*Opened, error) {
	return s.redeem(ctx, in, v, forCode, code, destination)
}

// RedeemToken opens a session by an access token, which works for as long as it
// holds, and so must not come in an address: those are kept in histories and logs.
// The error is a *Refusal, or internal.
func (s *Service) RedeemToken(ctx context.Context, in *Instance, v Visitor, access, destination string) (*Opened, error) {
	return s.redeem(ctx, in, v, forAccess, access, destination)
}

func (s *Service) redeem(ctx context.Context, in *Instance, v Visitor, kind purpose, sealed, destination string) (*Opened, error) {
	tried := audit.Event{Event: audit.SignIn, Door: string(ByFederation)}
	p, err := s.profile(ctx, in, v, tried)
	if err != nil {
		return nil, err
	}
	var g grant
	expires, err := s.seals.open(kind, sealed, &g)
	if err != nil {
		return nil, s.void(ctx, in, nil, v, tried)
	}
	u, err := s.granted(ctx, in, &g)
	if err != nil {
		return nil, err
	}
	if u == nil {
		return nil, s.void(ctx, in, nil, v, tried)
	}
	if kind == forCode {
		first, err := s.useUp(ctx, g.ID, u.PK, expires)
		if err != nil {
			return nil, err
		}
		if !first {
			return nil, s.void(ctx, in, u, v, tried)
		}
	}
	return s.letIn(ctx, in, u, v, p, tried, localPath(destination))
}

// letIn opens the session of somebody whom others have vouched for.
func (s *Service) letIn(ctx context.Context, in *Instance, u *User, v Visitor, p *domain.AuthenticationProfile, tried audit.Event, destination string) (*Opened, error) {
	o, err := s.openSession(ctx, in, u, Door(tried.Door), p)
	if err != nil {
		return nil, err
	}
	o.Destination = destination
	tried.Outcome = audit.OK
	s.record(ctx, in, u, v, tried)
	return o, nil
}

// maxDestination is the longest path that a browser is sent on to.
const maxDestination = 2000

// localPath returns a destination that is a path of this server, else "". What
// browsers take for another host is none: "//host", "/\host", and what is either
// once they have removed tabs and line ends (WHATWG URL, "URL parsing").
func localPath(d string) string {
	if d == "" || len(d) > maxDestination || d[0] != '/' || len(d) > 1 && (d[1] == '/' || d[1] == '\\') {
		return ""
	}
	if strings.ContainsFunc(d, func(r rune) bool { return r <= ' ' || r == 0x7f }) {
		return ""
	}
	if u, err := url.Parse(d); err != nil || u.Host != "" || u.Scheme != "" || u.User != nil {
		return ""
	}
	return d
}
