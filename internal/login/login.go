// Package login shows the sign-in pages at /-/login/: plain HTML that works
// without scripts, by keyboard alone, and on a telephone. It decides nothing:
// that is internal/signin's.
//
// Secrets travel as little as possible. A code that arrives in a URL moves into a
// cookie, or is redeemed, and the browser is sent on at once; no page repeats a
// password, a code or a token.
package login

import (
	"context"
	"fmt"
	"log/slog"
	"net/http"
	"net/netip"
	"time"

	"ringdown/internal/signin"
)

// Cookie is the name of the session's cookie. The prefix makes browsers insist on
// Secure, Path=/ and no Domain (RFC 6265bis §4.1.3).
const Cookie = "__Host-ringdown-session"

// Path is below which all pages are.
const Path = "/-/login/"

// Service is what the pages ask; *signin.Service answers.
type Service interface {
	Sessions
	SignIn(ctx context.Context, in *signin.Instance, v signin.Visitor, username, password string) (*signin.Opened, error)
	SignOut(ctx context.Context, v signin.Visitor, token string) error
	AskReset(ctx context.Context, in *signin.Instance, v signin.Visitor, username string) error
	ResetTarget(ctx context.Context, in *signin.Instance, code string) (*signin.User, error)
	Reset(ctx context.Context, in *signin.Instance, v signin.Visitor, code, password string) error
	ChangePassword(ctx context.Context, in *signin.Instance, v signin.Visitor, must, current, password string) (*signin.Opened, error)
	Ways(ctx context.Context, in *signin.Instance) ([]signin.Way, error)
	Begin(ctx context.Context, in *signin.Instance, w signin.Way, destination string) (url string, err error)
	SAML(ctx context.Context, in *signin.Instance, v signin.Visitor, response, relayState string) (*signin.Opened, error)
	OIDC(ctx context.Context, in *signin.Instance, v signin.Visitor, back signin.Return) (*signin.Opened, error)
	Refresh(ctx context.Context, in *signin.Instance, v signin.Visitor, refresh string) (*signin.Tokens, error)
	RedeemCode(ctx context.Context, in *signin.Instance, v signin.Visitor, code, destination string) (*signin.Opened, error)
	RedeemToken(ctx context.Context, in *signin.Instance, v signin.Visitor, access, destination string) (*signin.Opened, error)
}

// Sessions finds the session of a cookie's token.
type Sessions interface {
	Session(ctx context.Context, v signin.Visitor, token string) (*signin.Session, error)
}

// Instances finds an instance by its id or alias; every signin.People does.
type Instances interface {
	Instance(ctx context.Context, idOrAlias string) (*signin.Instance, error)
}

// Options configure the pages.
type Options struct {
	Service Service
	People  Instances
	// Metadata writes our SAML metadata, as saml.ServiceMetadata does. Nil: there
	// is none.
	Metadata func(entityID string, acs []string) ([]byte, error)
	// URL is the address of this server as browsers know it.
	URL func() string
	// TrustedProxies may say in X-Forwarded-For whom they speak for.
	TrustedProxies []netip.Prefix
	Logger         *slog.Logger
	Now            func() time.Time
}

// pages answers all requests below Path. It is read-only.
type pages struct {
	Options
	look   *look
	routes *http.ServeMux
}

// New returns the handler of everything below Path.
func New(o Options) http.Handler {
	if o.Now == nil {
		o.Now = time.Now
	}
	p := &pages{Options: o, look: newLook(), routes: http.NewServeMux()}
	p.route("{$}", methods{http.MethodGet: p.showEntry, http.MethodPost: p.enter})
	for name, content := range p.look.assets {
		p.route("assets/"+name, methods{http.MethodGet: asset(name, content)})
	}
	p.route("saml", methods{http.MethodGet: p.metadata})
	p.route("oidc/callback", methods{http.MethodGet: p.oidcCallback, http.MethodHead: untouched})

	p.instanceRoute("", methods{http.MethodGet: p.showSignIn, http.MethodPost: p.signIn})
	p.instanceRoute("/{$}", methods{http.MethodGet: func(v *visit) error { return v.redirect(signin.Root(v.in)) }})
	p.instanceRoute("/saml", methods{http.MethodPost: p.saml})
	p.instanceRoute("/saml/start", methods{http.MethodGet: p.start(signin.BySAML)})
	p.instanceRoute("/oidc/start", methods{http.MethodGet: p.start(signin.ByOIDC)})
	p.instanceRoute("/federate", methods{http.MethodGet: p.federate, http.MethodHead: untouched, http.MethodPost: p.federate})
	p.instanceRoute("/refresh", methods{http.MethodPost: p.refresh})
	p.instanceRoute("/forgot", methods{http.MethodGet: p.showForgot, http.MethodPost: p.forgot})
	p.instanceRoute("/reset", methods{http.MethodGet: p.showReset, http.MethodPost: p.reset})
	p.instanceRoute("/change", methods{http.MethodGet: p.showChange, http.MethodPost: p.change})
	p.instanceRoute("/home", methods{http.MethodGet: p.home})
	p.instanceRoute("/sign-out", methods{http.MethodPost: p.signOut})
	p.instanceRoute("/signed-out", methods{http.MethodGet: p.signedOut})
	p.routes.HandleFunc("/", func(w http.ResponseWriter, r *http.Request) { p.serve(w, r, nothingHere) })
	return p
}

// answer answers a request. An error is shown as fail has it.
type answer func(v *visit) error

// methods are the answers of a path, by method. GET answers HEAD.
type methods map[string]answer

func (p *pages) route(pattern string, m methods) {
	p.routes.HandleFunc(Path+pattern, func(w http.ResponseWriter, r *http.Request) { p.serve(w, r, m.answer) })
}

// instanceRoute is a route below the id or alias of an instance, which the visit
// then has. Where HTTPS is missing the page says so and does nothing else: what
// is typed could be read on its way, and browsers would not keep the cookie.
func (p *pages) instanceRoute(pattern string, m methods) {
	within := make(methods, len(m))
	for method, next := range m {
		within[method] = func(v *visit) (err error) {
			if v.in, err = p.People.Instance(v.r.Context(), v.r.PathValue("instance")); err != nil {
				return err
			}
			if p.insecure(v.r) {
				return errInsecure
			}
			return next(v)
		}
	}
	p.route("{instance}"+pattern, within)
}

// answer picks the answer of the request's method.
func (m methods) answer(v *visit) error {
	method := v.r.Method
	if method == http.MethodHead && m[method] == nil {
		method = http.MethodGet
	}
	if a := m[method]; a != nil {
		return a(v)
	}
	allow := ""
	for _, name := range []string{http.MethodGet, http.MethodPost} {
		if m[name] == nil {
			continue
		}
		if allow != "" {
			allow += ", "
		}
		allow += name
		if name == http.MethodGet {
			allow += ", " + http.MethodHead
		}
	}
	v.w.Header().Set("Allow", allow)
	return &notice{status: http.StatusMethodNotAllowed, title: "This page works differently", text: []string{
		fmt.Sprintf("It answers %s, and cannot be used in another way.", allow),
	}}
}

// untouched answers HEAD where GET uses something up: programs that look at links
// must not spend them.
func untouched(v *visit) error {
	v.write(http.StatusOK, nil)
	return nil
}

func nothingHere(*visit) error {
	return &notice{status: http.StatusNotFound, title: "There is no such page", text: []string{
		"Check the address. If a link led you here, tell whoever gave it to you.",
	}}
}
