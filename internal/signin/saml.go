package signin

import (
	"context"
	"crypto/hmac"
	"encoding/base64"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"
	"log/slog"
	"net/url"
	"slices"
	"strings"
	"time"

	"ringdown/internal/audit"
	"ringdown/internal/domain"
	"ringdown/internal/fault"
	"ringdown/internal/federation"
	"ringdown/internal/identity/saml"
)

// attemptLife is how long somebody may take at an identity provider.
const attemptLife = 10 * time.Minute

// EntityID is the path of our SAML entity id, which is that of its metadata too.
const EntityID = "/-/login/saml"

// Ways lists the providers that an instance's sign-in page offers: those of
// SAML first, each by name.
func (s *Service) Ways(ctx context.Context, in *Instance) ([]Way, error) {
	if in.Identity != domain.SAML {
		return nil, nil
	}
	var ways []Way
	providers, err := s.samlProviders(ctx, in)
	if err != nil {
		return nil, err
	}
	for _, p := range providers {
		ways = append(ways, Way{Door: BySAML, Name: p.Name, Label: labelled(p.Label, p.Name)})
	}
	for _, p := range s.oidc {
		if p.Opens(string(in.ID), in.Alias) {
			ways = append(ways, Way{Door: ByOIDC, Name: p.Name(), Label: labelled(p.Label(), p.Name())})
		}
	}
	return ways, nil
}

func labelled(label, name string) string {
	if label != "" {
		return label
	}
	return name
}

// samlProviders are those that browsers can be sent to from an instance.
func (s *Service) samlProviders(ctx context.Context, in *Instance) ([]*federation.Provider, error) {
	if s.federation == nil {
		return nil, nil
	}
	all, err := s.federation.Providers(ctx)
	if err != nil {
		return nil, err
	}
	return slices.DeleteFunc(slices.Clone(all), func(p *federation.Provider) bool {
		return !p.SAML.CanRedirect() || !opens(p.Instances, in)
	}), nil
}

// opens reports whether a list of ids and aliases, empty for all, has an
// instance.
func opens(list []string, in *Instance) bool {
	return len(list) == 0 || slices.ContainsFunc(list, func(name string) bool {
		return strings.EqualFold(name, string(in.ID)) || in.Alias != "" && strings.EqualFold(name, in.Alias)
	})
}

// Begin is where a browser is sent to sign in through a provider. destination is
// a path of this server, or empty. A provider that the instance does not have is
// a *Refusal, OtherDoor; one that cannot be reached, ProviderDown.
func (s *Service) Begin(ctx context.Context, in *Instance, w Way, destination string) (string, error) {
	switch {
	case in.Identity != domain.SAML:
		return "", refuse(OtherDoor)
	case w.Door == ByOIDC:
		return s.beginOIDC(ctx, in, w.Name, localPath(destination))
	case w.Door != BySAML:
		return "", refuse(OtherDoor)
	}
	providers, err := s.samlProviders(ctx, in)
	if err != nil {
		return "", err
	}
	n := slices.IndexFunc(providers, func(p *federation.Provider) bool { return p.Name == w.Name })
	if n < 0 {
		return "", refuse(OtherDoor)
	}
	now := s.opts.Now()
	if providers[n].SAML.WantsSigned() && s.opts.Signer == nil && s.quiet.pass(now) {
		s.opts.Logger.LogAttrs(ctx, slog.LevelWarn, "a SAML provider wants requests signed: give sign-in: signing: in the configuration file a certificate and a key", slog.String("provider", w.Name))
	}
	relay := s.relay(in, newToken()[:16], now.Add(attemptLife), localPath(destination))
	to, err := providers[n].SAML.Redirect(saml.Request{
		ID: s.requestID(in, relay), Issuer: s.opts.URL() + EntityID, ACS: s.samlURL(in), RelayState: relay, Now: now, Signer: s.opts.Signer,
	})
	if err != nil {
		return "", fmt.Errorf("ask the provider %s: %w", w.Name, err)
	}
	return to, nil
}

// samlURL is where a provider posts its answers for an instance to.
func (s *Service) samlURL(in *Instance) string { return s.opts.URL() + Root(in) + "/saml" }

// asks begins the RelayState of what Begin has asked. It goes on with a nonce,
// the end of the attempt and a mark of ours, then the destination. All but the
// last is 46 of the 80 bytes that RelayState may have (saml-bindings-2.0
// §3.4.3), which is why the request's id follows from it rather than being in
// it, and why it is not sealed as other things are.
const asks = "r."

// relay makes a RelayState.
func (s *Service) relay(in *Instance, nonce string, expires time.Time, destination string) string {
	var end [4]byte
	binary.BigEndian.PutUint32(end[:], uint32(expires.Unix())) // until 2106
	head := nonce + base64.RawURLEncoding.EncodeToString(end[:])
	return asks + head + s.relayMark(in, head, destination) + destination
}

const (
	relayHead = 16 + 6 // nonce and end
	relayMark = 22     // 16 bytes
)

func (s *Service) relayMark(in *Instance, head, destination string) string {
	return base64.RawURLEncoding.EncodeToString(s.seals.sign("relay", string(in.ID), head, destination)[:16])
}

// requestID is the id of the request that was sent with a RelayState: an NCName
// that nobody else can guess.
func (s *Service) requestID(in *Instance, relay string) string {
	return "_" + hex.EncodeToString(s.seals.sign("request", string(in.ID), relay)[:20])
}

// readRelay takes a RelayState of ours apart; ok is false for one that is not
// valid, or no longer.
func (s *Service) readRelay(in *Instance, relay string) (destination string, ok bool) {
	body, _ := strings.CutPrefix(relay, asks)
	if len(body) < relayHead+relayMark {
		return "", false
	}
	head, given, destination := body[:relayHead], body[relayHead:relayHead+relayMark], body[relayHead+relayMark:]
	if !hmac.Equal([]byte(given), []byte(s.relayMark(in, head, destination))) {
		return "", false
	}
	end, err := base64.RawURLEncoding.DecodeString(head[16:])
	if err != nil || s.opts.Now().Unix() >= int64(binary.BigEndian.Uint32(end)) {
		return "", false
	}
	return destination, true
}

// destinationOf is where an unsolicited answer leads: RelayState is a path, or a
// URL with a parameter destination, such as
// https://{region}.console.aws.amazon.com/connect/federate/{instance}?destination=%2Fccp-v2%2F
// (administrator guide, "Configure SAML with IAM for Amazon Connect").
func destinationOf(relay string) string {
	if strings.HasPrefix(relay, "/") {
		return localPath(relay)
	}
	u, err := url.Parse(relay)
	if err != nil {
		return ""
	}
	return localPath(u.Query().Get("destination"))
}

// SAML lets in by a posted response: one that Begin asked for, which relayState
// tells, or an unsolicited one, whose relayState may name a destination: a path,
// or a URL with a parameter of that name, as those of the AWS console have.
// The error is a *Refusal, or internal.
func (s *Service) SAML(ctx context.Context, in *Instance, v Visitor, response, relayState string) (*Opened, error) {
	tried := audit.Event{Event: audit.SignIn, Door: string(BySAML)}
	if in.Identity != domain.SAML || s.federation == nil {
		tried.Outcome, tried.Reason = audit.Refused, "users of the instance do not sign in by SAML"
		s.record(ctx, in, nil, v, tried)
		return nil, refuse(OtherDoor)
	}
	p, err := s.profile(ctx, in, v, tried)
	if err != nil {
		return nil, err
	}
	visit := federation.Visit{
		Response: response, Recipient: s.samlURL(in), From: v.from(),
		Permission: func(userID string) string { return in.ARN + "/user/" + userID },
		Opens:      func(instances []string) bool { return opens(instances, in) },
	}
	var destination string
	if strings.HasPrefix(relayState, asks) {
		var ok bool
		if destination, ok = s.readRelay(in, relayState); !ok {
			return nil, s.notAccepted(ctx, in, v, tried, "the RelayState is not one of ours, or too old")
		}
		visit.RequestID = s.requestID(in, relayState)
	} else {
		destination = destinationOf(relayState)
	}
	a, err := s.federation.Admit(domain.WithCaller(ctx, &domain.Caller{RequestID: v.RequestID}), visit)
	if err != nil {
		if why, ok := refused(err); ok {
			return nil, s.notAccepted(ctx, in, v, tried, why)
		}
		return nil, err
	}
	_, provider, _ := strings.Cut(a.Session.Provider, ":saml-provider/")
	tried.Principal, tried.Provider = a.ARN, provider
	principal, _, _ := strings.Cut(a.ID, ":")
	return s.vouched(ctx, in, v, p, tried, a.Session.Name, principal, destination)
}

// refused is why a response was refused; ok is false for what is internal.
func refused(err error) (why string, ok bool) {
	if e, ok := errors.AsType[*saml.Error](err); ok {
		return e.Error(), true
	}
	f := fault.From(err)
	return f.Message, f.Code != fault.InternalService && f.Code.Status() < 500
}

func (s *Service) notAccepted(ctx context.Context, in *Instance, v Visitor, tried audit.Event, why string) error {
	tried.Outcome, tried.Reason = audit.Refused, why
	s.record(ctx, in, nil, v, tried)
	return refuse(NotAccepted)
}

// vouched lets in whom a provider has vouched for.
func (s *Service) vouched(ctx context.Context, in *Instance, v Visitor, p *domain.AuthenticationProfile, tried audit.Event, name, principal, destination string) (*Opened, error) {
	u, err := s.claim(ctx, in, name, principal)
	switch {
	case fault.Is(err, fault.UserNotFound):
		tried.Outcome, tried.Reason = audit.Refused, "the instance has no such user, or it has been deactivated"
		s.record(ctx, in, nil, v, tried)
		return nil, refuse(NoSuchUser)
	case fault.Is(err, fault.DuplicateResource):
		tried.Outcome, tried.Reason = audit.Refused, "the user is bound to another identity"
		s.record(ctx, in, u, v, tried)
		return nil, refuse(BoundToOther)
	case err != nil:
		return nil, err
	}
	return s.letIn(ctx, in, u, v, p, tried, destination)
}

// from is the address as the audit log has it.
func (v Visitor) from() string {
	if !v.Address.IsValid() {
		return ""
	}
	return v.Address.Unmap().String()
}
