package login

import (
	"errors"
	"log/slog"
	"net/http"
	"strings"

	"github.com/google/uuid"

	"ringdown/internal/fault"
	"ringdown/internal/signin"
)

// visit is a request and what is known of it.
type visit struct {
	p       *pages
	w       http.ResponseWriter
	r       *http.Request
	in      *signin.Instance // nil outside of an instance
	visitor signin.Visitor
	status  int
}

// The longest bodies. A SAML response has at most 100,000 characters (STS API
// reference, AssumeRoleWithSAML), of which + and / take three bytes in a form; a
// RelayState comes with it.
const (
	maxForm = 16 << 10
	maxSAML = 150_000
)

func (p *pages) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	p.protect(w.Header())
	p.routes.ServeHTTP(w, r)
}

// serve is the chain that every request goes through.
func (p *pages) serve(w http.ResponseWriter, r *http.Request, a answer) {
	v := &visit{p: p, w: w, r: r, visitor: signin.Visitor{Address: Address(r, p.TrustedProxies), RequestID: uuid.NewString()}}
	began := p.Now()
	limit := int64(maxForm)
	if v.page() == "saml" {
		limit = maxSAML
	}
	r.Body = http.MaxBytesReader(w, r.Body, limit)
	err := p.sameOrigin(v)
	if err == nil {
		err = a(v)
	}
	if err != nil {
		v.fail(err)
	}
	attrs := []slog.Attr{
		slog.String("request", v.visitor.RequestID), slog.String("method", r.Method), slog.String("page", r.Pattern),
		slog.Int("status", v.status), slog.Duration("took", p.Now().Sub(began)), slog.String("from", v.visitor.Address.String()),
	}
	if v.in != nil {
		attrs = append(attrs, slog.String("instance", string(v.in.ID)))
	}
	p.Logger.LogAttrs(r.Context(), slog.LevelInfo, "sign-in page", attrs...)
}

// page is the name of an instance's page, "" for its sign-in page.
func (v *visit) page() string {
	_, page, _ := strings.Cut(v.r.Pattern, "{instance}/")
	return page
}

// protect sets what every answer says to browsers. Nothing but our own style is
// loaded, nothing is framed, kept or told to other sites. Addresses are told to our
// own pages: with no-referrer, browsers hide where forms come from as well ("Origin:
// null", Fetch standard, "append a request Origin header"), and those that send no
// Sec-Fetch-Site, such as Safari before 16.4, could not sign in.
func (p *pages) protect(h http.Header) {
	h.Set("Content-Security-Policy", "default-src 'none'; style-src 'self'; img-src 'self' data:; form-action 'self'; frame-ancestors 'none'; base-uri 'none'")
	h.Set("Referrer-Policy", "same-origin")
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("X-Frame-Options", "DENY")
	h.Set("Cross-Origin-Resource-Policy", "same-origin")
	h.Set("Cache-Control", "no-store")
	if p.https() {
		h.Set("Strict-Transport-Security", "max-age=31536000")
	}
}

// sameOrigin refuses forms that other sites have sent (CSRF). It excepts what is
// meant to come from elsewhere and is proved by what it carries rather than by a
// cookie: a provider's assertion, an access token, a refresh token.
func (p *pages) sameOrigin(v *visit) error {
	switch v.page() {
	case "saml", "federate", "refresh":
		return nil
	}
	// A proxy may have replaced the Host that Origin is compared with.
	c := http.NewCrossOriginProtection()
	if err := c.AddTrustedOrigin(p.URL()); err != nil {
		return err
	}
	if c.Check(v.r) != nil {
		return &notice{status: http.StatusForbidden, title: "This was sent from another site", text: []string{
			"Nothing was done. Forms of this page must be sent from the page itself: open it and try again.",
		}}
	}
	return nil
}

// form reads a posted form. What is in the URL is no part of it.
func (v *visit) form() error {
	err := v.r.ParseForm()
	var long *http.MaxBytesError
	switch {
	case errors.As(err, &long):
		v.w.Header().Set("Connection", "close")
		return &notice{status: http.StatusRequestEntityTooLarge, title: "That is too long", text: []string{
			"More was sent than this page reads. Go back and send less.",
		}}
	case err != nil:
		return &notice{status: http.StatusBadRequest, title: "That could not be read", text: []string{
			"What was sent is not a form. Open the page again and send it from there.",
		}}
	default:
		return nil
	}
}

// redirect sends the browser on, by GET. Unlike http.Redirect's, the answer has
// no body that repeats the address.
func (v *visit) redirect(to string) error {
	v.w.Header().Set("Location", to)
	v.write(http.StatusSeeOther, nil)
	return nil
}

// write ends the answer.
func (v *visit) write(status int, body []byte) {
	v.status = status
	v.w.WriteHeader(status)
	_, _ = v.w.Write(body) // whoever has gone need not be told
}

// notice is a page that says one thing. It is an error, so that whatever cannot
// go on can return it.
type notice struct {
	status int
	title  string
	text   []string
	links  []link
}

type link struct{ URL, Text string }

func (n *notice) Error() string { return n.title }

// fail shows why a request was not done. What it does not know is internal:
// logged, and told to nobody.
func (v *visit) fail(err error) {
	var n *notice
	var refusal *signin.Refusal
	var unknown *fault.Error
	switch {
	case errors.As(err, &n):
	case errors.As(err, &refusal):
		n = v.refused(refusal)
	case errors.Is(err, errInsecure):
		n = v.insecureNotice()
	case errors.As(err, &unknown) && unknown.Code == fault.ResourceNotFound:
		n = &notice{
			status: http.StatusNotFound, title: "There is no such contact centre",
			text:  []string{"Check the address: it ends with the alias of your contact centre. Whoever looks after it knows the right one."},
			links: []link{{Path, "Enter the alias"}},
		}
	default:
		if v.r.Context().Err() == nil {
			v.p.Logger.Error("sign-in page failed", slog.String("request", v.visitor.RequestID), slog.Any("err", err))
		}
		n = &notice{status: http.StatusInternalServerError, title: "Something went wrong", text: []string{
			"It is not your fault, and it has been written down. Try again in a moment. If it happens again, tell whoever looks after this server this reference:",
			v.visitor.RequestID,
		}}
	}
	if v.page() == "refresh" {
		v.jsonFailure(n)
		return
	}
	v.show(n.status, "notice", view{Title: n.title, Text: n.text, Links: n.links})
}
