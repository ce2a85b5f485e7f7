package signin

import (
	"context"
	"errors"
	"fmt"
	"log/slog"

	"ringdown/internal/audit"
	"ringdown/internal/domain"
	"ringdown/internal/identity/oidc"
)

// OIDCCallback is the path that providers send browsers back to: one for all
// instances, since it has to be registered with each provider.
const OIDCCallback = "/-/login/oidc/callback"

// journey is what the state of an OpenID Connect attempt says, sealed: nobody
// but this server learns the verifier (RFC 7636), though it travels with the
// browser.
type journey struct {
	Instance    domain.InstanceID `json:"i"`
	Provider    string            `json:"p"`
	Nonce       string            `json:"n"`
	Verifier    string            `json:"v"`
	Destination string            `json:"d,omitempty"`
}

func (s *Service) provider(in *Instance, name string) identityProvider {
	for _, p := range s.oidc {
		if p.Name() == name && p.Opens(string(in.ID), in.Alias) {
			return p
		}
	}
	return nil
}

func (s *Service) callback() string { return s.opts.URL() + OIDCCallback }

// beginOIDC makes an attempt whose state is the attempt itself.
func (s *Service) beginOIDC(ctx context.Context, in *Instance, name, destination string) (string, error) {
	p := s.provider(in, name)
	if p == nil {
		return "", refuse(OtherDoor)
	}
	a := oidc.NewAttempt()
	var err error
	a.State, err = s.seals.seal(forOIDC, journey{in.ID, name, a.Nonce, a.Verifier, destination}, s.opts.Now().Add(attemptLife))
	if err != nil {
		return "", err
	}
	to, err := p.Redirect(ctx, a, s.callback())
	if errors.Is(err, oidc.ErrDown) {
		s.down(ctx, in, name, err)
		return "", refuse(ProviderDown)
	}
	return to, err
}

func (s *Service) down(ctx context.Context, in *Instance, provider string, err error) {
	s.opts.Logger.LogAttrs(ctx, slog.LevelError, "an OpenID Connect provider", slog.String("provider", provider), slog.String("instance", string(in.ID)), slog.Any("err", err))
}

// Return is what a browser brings back from an OpenID Connect provider.
type Return = oidc.Return

// OIDC lets in by what a provider has sent the browser back with. An attempt
// comes back once. Whether it is this browser's, the page has to know. The error
// is a *Refusal, or internal.
func (s *Service) OIDC(ctx context.Context, in *Instance, v Visitor, back Return) (*Opened, error) {
	tried := audit.Event{Event: audit.SignIn, Door: string(ByOIDC)}
	if in.Identity != domain.SAML {
		tried.Outcome, tried.Reason = audit.Refused, "users of the instance do not sign in by OpenID Connect"
		s.record(ctx, in, nil, v, tried)
		return nil, refuse(OtherDoor)
	}
	profile, err := s.profile(ctx, in, v, tried)
	if err != nil {
		return nil, err
	}
	var j journey
	expires, err := s.seals.open(forOIDC, back.State, &j)
	if err != nil || j.Instance != in.ID {
		return nil, s.notAccepted(ctx, in, v, tried, "the state is not one of ours, or too old")
	}
	tried.Provider = j.Provider
	p := s.provider(in, j.Provider)
	if p == nil {
		return nil, s.notAccepted(ctx, in, v, tried, "the provider is no longer configured for the instance")
	}
	first, err := s.useUp(ctx, j.Nonce, in.PK, expires)
	if err != nil {
		return nil, err
	}
	if !first {
		return nil, s.notAccepted(ctx, in, v, tried, "the browser has been sent back before")
	}
	who, err := p.Finish(ctx, oidc.Attempt{State: back.State, Nonce: j.Nonce, Verifier: j.Verifier}, back, s.callback(), s.opts.Now())
	switch {
	case errors.Is(err, oidc.ErrDown):
		s.down(ctx, in, j.Provider, err)
		tried.Outcome, tried.Reason = audit.Failed, "the provider cannot be reached"
		s.record(ctx, in, nil, v, tried)
		return nil, refuse(ProviderDown)
	case errors.Is(err, oidc.ErrRefused):
		s.opts.Logger.LogAttrs(ctx, slog.LevelWarn, "an OpenID Connect provider's answer was refused", slog.String("provider", j.Provider), slog.Any("err", err))
		return nil, s.notAccepted(ctx, in, v, tried, oidc.ErrRefused.Error())
	case err != nil:
		return nil, fmt.Errorf("finish an attempt: %w", err)
	}
	return s.vouched(ctx, in, v, profile, tried, who.Username, "oidc/"+j.Provider+"/"+who.Subject, j.Destination)
}
