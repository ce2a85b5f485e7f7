package login

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"net/http"
	"net/url"
	"time"

	"ringdown/internal/signin"
)

// The other cookies. All are gone when their purpose is.
const (
	// changeCookie has signin.Opened.MustChange, between the right password and
	// another one.
	changeCookie = "__Host-ringdown-change"
	// resetCookie has the code of a link, which thereby leaves the address bar
	// and the history.
	resetCookie = "__Host-ringdown-reset"
	// attemptCookie begins the name of what tells, when a browser comes back
	// from an OpenID Connect provider, that it has been sent there, and from
	// which instance. Without it a link could sign somebody in as somebody else
	// (RFC 6749 §10.12). The rest of the name is attempt's.
	attemptCookie = "__Host-ringdown-attempt-"
)

// How long what is under way is waited for, at most: internal/signin has the
// last word.
const (
	changeLife  = 10 * time.Minute
	resetLife   = 30 * time.Minute
	attemptLife = 10 * time.Minute
)

// keep sets a cookie.
func (v *visit) keep(name, value string, expires time.Time) {
	http.SetCookie(v.w, &http.Cookie{
		Name: name, Value: value, Path: "/", Secure: true, HttpOnly: true, SameSite: http.SameSiteLaxMode, Expires: expires.UTC(),
	})
}

// drop removes a cookie.
func (v *visit) drop(name string) {
	http.SetCookie(v.w, &http.Cookie{Name: name, Path: "/", Secure: true, HttpOnly: true, SameSite: http.SameSiteLaxMode, MaxAge: -1})
}

// cookie is the value of a cookie, "" when there is none.
func (v *visit) cookie(name string) string {
	if c, err := v.r.Cookie(name); err == nil {
		return c.Value
	}
	return ""
}

// attempt names the cookie of an attempt by the state that the provider returns.
func attempt(state string) string {
	sum := sha256.Sum256([]byte(state))
	return attemptCookie + hex.EncodeToString(sum[:16])
}

// formToken is what a form carries to show that it was made for whoever holds a
// cookie with this value. It does not tell the value.
func formToken(cookie, form string) string {
	m := hmac.New(sha256.New, []byte(cookie))
	m.Write([]byte("ringdown form " + form))
	return base64.RawURLEncoding.EncodeToString(m.Sum(nil))
}

// formOf checks the token of a posted form.
func (v *visit) formOf(cookie, form string) error {
	if hmac.Equal([]byte(v.r.PostForm.Get("form")), []byte(formToken(cookie, form))) {
		return nil
	}
	return &notice{
		status: http.StatusForbidden, title: "This page was out of date",
		text:  []string{"Nothing was done, because somebody has signed in or out since the page was opened. Open it again and repeat what you did."},
		links: []link{{signin.Root(v.in) + "/home", "Go on"}},
	}
}

// enter lets the browser in, or on to what is missing.
func (v *visit) enter(o *signin.Opened, destination string) error {
	if own := local(o.Destination); own != "" {
		destination = own
	}
	root := signin.Root(v.in)
	if o.MustChange != "" {
		v.keep(changeCookie, o.MustChange, v.p.Now().Add(changeLife))
		return v.redirect(root + "/change" + query("destination", destination))
	}
	if old := v.cookie(Cookie); old != "" {
		// Nobody could sign out of it any more.
		if err := v.p.Service.SignOut(v.r.Context(), v.visitor, old); err != nil {
			return err
		}
	}
	v.keep(Cookie, o.Token, o.Expires)
	v.drop(changeCookie)
	if destination == "" {
		destination = root + "/home"
	}
	return v.redirect(destination)
}

// session is who is signed in to the instance of the visit: ErrNoSession when
// nobody is, or somebody to another instance.
func (v *visit) session() (*signin.Session, error) {
	token := v.cookie(Cookie)
	if token == "" {
		return nil, signin.ErrNoSession
	}
	s, err := v.p.Service.Session(v.r.Context(), v.visitor, token)
	if err != nil {
		return nil, err
	}
	if s.Instance.ID != v.in.ID {
		return nil, signin.ErrNoSession
	}
	return s, nil
}

// query is a query of one parameter, "" when it has no value.
func query(name, value string) string {
	if value == "" {
		return ""
	}
	return "?" + url.Values{name: {value}}.Encode()
}
