// Package login shows the sign-in pages at /-/login/: plain HTML that works
// without scripts, by keyboard alone, and on a telephone. It decides nothing:
// that is internal/signin's.
package login

import (
	"log/slog"
	"net/http"
	"net/netip"

	"ringdown/internal/federation"
	"ringdown/internal/signin"
)

// Cookie is the name of the session's cookie. The prefix makes browsers insist on
// Secure, Path=/ and no Domain (RFC 6265bis §4.1.3).
const Cookie = "__Host-ringdown-session"

// Path is below which all pages are.
const Path = "/-/login/"

// Options configure the pages.
type Options struct {
	Service    *signin.Service
	People     signin.People
	Federation *federation.Federation
	// URL is the address of this server as browsers know it.
	URL func() string
	// TrustedProxies may say in X-Forwarded-For whom they speak for.
	TrustedProxies []netip.Prefix
	Logger         *slog.Logger
}

// New returns the handler of everything below Path.
func New(o Options) http.Handler { panic("not yet") }

// SessionOf finds the session of a request, for other pages of this server. The
// error is signin.ErrNoSession, or internal.
func SessionOf(s *signin.Service, r *http.Request, proxies []netip.Prefix) (*signin.Session, error) {
	panic("not yet")
}
