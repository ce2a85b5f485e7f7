package login

import (
	"encoding/json"
	"errors"
	"net/http"
	"net/url"

	"ringdown/internal/domain"
	"ringdown/internal/signin"
)

// showWays shows the providers of an instance. They are links, for our Content
// Security Policy lets forms lead to this server alone.
func (p *pages) showWays(v *visit, destination string, choose bool) error {
	ways, err := p.Service.Ways(v.r.Context(), v.in)
	if err != nil {
		return err
	}
	if len(ways) == 1 && !choose {
		return v.begin(ways[0], destination)
	}
	d := view{Title: "Sign in", Hint: "Choose how you sign in."}
	for _, w := range ways {
		q := url.Values{"provider": {w.Name}}
		if destination != "" {
			q.Set("destination", destination)
		}
		d.Ways = append(d.Ways, link{signin.Root(v.in) + "/" + string(w.Door) + "/start?" + q.Encode(), w.Label})
	}
	switch len(ways) {
	case 0:
		d.Title, d.Hint = "This page cannot sign you in", ""
		d.Text = []string{
			"No identity provider that it could send you to has been set up for this contact centre.",
			"If your organisation has a page with all your applications, begin there. Otherwise ask whoever looks after your contact centre.",
		}
	case 1:
		d.Hint = "You sign in by way of your organisation."
	}
	v.show(http.StatusOK, "ways", d)
	return nil
}

// start sends the browser to a provider.
func (p *pages) start(door signin.Door) answer {
	return func(v *visit) error {
		q := v.r.URL.Query()
		ways, err := p.Service.Ways(v.r.Context(), v.in)
		if err != nil {
			return err
		}
		for _, w := range ways {
			if w.Door == door && w.Name == q.Get("provider") {
				return v.begin(w, local(q.Get("destination")))
			}
		}
		return &notice{
			status: http.StatusNotFound, title: "There is no such identity provider",
			text:  []string{"The link that you have followed is out of date. Choose another way to sign in."},
			links: []link{{signin.Root(v.in) + "?choose", "Go to the sign-in page"}},
		}
	}
}

func (v *visit) begin(w signin.Way, destination string) error {
	to, err := v.p.Service.Begin(v.r.Context(), v.in, w, destination)
	if err != nil {
		return err
	}
	if w.Door == signin.ByOIDC {
		u, err := url.Parse(to)
		if err != nil {
			return err
		}
		v.keep(attempt(u.Query().Get("state")), string(v.in.ID), v.p.Now().Add(attemptLife))
	}
	return v.redirect(to)
}

// saml takes what a provider has the browser post (saml-bindings-2.0 §3.5).
func (p *pages) saml(v *visit) error {
	if err := v.form(); err != nil {
		return err
	}
	response := v.r.PostForm.Get("SAMLResponse")
	switch {
	case v.in.Identity != domain.SAML:
		return &signin.Refusal{Reason: signin.OtherDoor}
	case response == "":
		return &notice{
			status: http.StatusBadRequest, title: "The identity provider has sent nothing",
			text:  []string{"Its answer should be here and is not. Sign in again; if that does not help, tell whoever looks after your contact centre."},
			links: []link{{signin.Root(v.in) + "?choose", "Go to the sign-in page"}},
		}
	}
	o, err := p.Service.SAML(v.r.Context(), v.in, v.visitor, response, v.r.PostForm.Get("RelayState"))
	if err != nil {
		return err
	}
	return v.enter(o, "")
}

// oidcCallback is where OpenID Connect providers send browsers back to, of
// whatever instance (OpenID Connect Core 1.0 §3.1.2.5, §3.1.2.6).
func (p *pages) oidcCallback(v *visit) error {
	if p.insecure(v.r) {
		return errInsecure
	}
	q := v.r.URL.Query()
	cookie := attempt(q.Get("state"))
	id := v.cookie(cookie)
	if q.Get("state") == "" || id == "" {
		return &notice{
			status: http.StatusBadRequest, title: "This sign-in was not begun here",
			text:  []string{"It was begun more than ten minutes ago, or in another browser. Begin again at the sign-in page of your contact centre."},
			links: []link{{Path, "Enter the alias"}},
		}
	}
	v.drop(cookie)
	var err error
	if v.in, err = p.People.Instance(v.r.Context(), id); err != nil {
		return err
	}
	switch code := q.Get("error"); {
	case code == "access_denied":
		return &notice{
			status: http.StatusForbidden, title: "You have not been signed in",
			text:  []string{"The identity provider says that you may not come in, or that you have stopped there. Sign in again, or ask whoever looks after your contact centre."},
			links: []link{{signin.Root(v.in) + "?choose", "Go to the sign-in page"}},
		}
	case code != "":
		return &notice{
			status: http.StatusBadGateway, title: "The identity provider could not sign you in",
			text:  []string{"It has answered with an error of its own. Try again; if that does not help, tell whoever looks after your contact centre."},
			links: []link{{signin.Root(v.in) + "?choose", "Go to the sign-in page"}},
		}
	}
	o, err := p.Service.OIDC(v.r.Context(), v.in, v.visitor, signin.Return{State: q.Get("state"), Code: q.Get("code"), Issuer: q.Get("iss")})
	if err != nil {
		return err
	}
	return v.enter(o, "")
}

// maxInstances bounds the instances that one metadata document names.
const maxInstances = 50

// metadata is what identity providers are told of us. Our entity id is the same
// for all instances; which of them the provider is to know, the query tells.
func (p *pages) metadata(v *visit) error {
	names := v.r.URL.Query()["instance"]
	switch {
	case p.Metadata == nil:
		return nothingHere(v)
	case len(names) == 0 || len(names) > maxInstances:
		return &notice{status: http.StatusBadRequest, title: "Which contact centre?", text: []string{
			"SAML metadata says where an identity provider posts its answers to, and each contact centre has an address of its own. Name one, or several: " + Path + "saml?instance=ALIAS",
		}}
	}
	var acs []string
	for _, name := range names {
		in, err := p.People.Instance(v.r.Context(), name)
		switch {
		case err != nil:
			return err
		case in.Identity != domain.SAML:
			return &notice{status: http.StatusBadRequest, title: "This contact centre has no SAML", text: []string{
				"Its identity type is " + string(in.Identity) + ": no identity provider can sign anybody in to " + name + ". Name one of type SAML.",
			}}
		}
		acs = append(acs, p.URL()+signin.Root(in)+"/saml")
	}
	doc, err := p.Metadata(p.URL()+Path+"saml", acs)
	if err != nil {
		return err
	}
	v.w.Header().Set("Content-Type", "application/samlmetadata+xml")
	v.write(http.StatusOK, doc)
	return nil
}

// federate opens a session by the code of a SignInUrl, or by an access token that
// is posted. Either is in no page and no further address.
func (p *pages) federate(v *visit) error {
	given, secret, redeem := v.r.URL.Query(), "code", p.Service.RedeemCode
	if v.r.Method == http.MethodPost {
		if err := v.form(); err != nil {
			return err
		}
		given, secret, redeem = v.r.PostForm, "AccessToken", p.Service.RedeemToken
	}
	if given.Get(secret) == "" {
		return &signin.Refusal{Reason: signin.LinkUsed}
	}
	destination := local(given.Get("destination"))
	o, err := redeem(v.r.Context(), v.in, v.visitor, given.Get(secret), destination)
	if err != nil {
		return err
	}
	return v.enter(o, destination)
}

// refreshed is named as GetFederationToken's Credentials are.
type refreshed struct {
	AccessToken            string
	AccessTokenExpiration  int64 // seconds since 1970
	RefreshToken           string
	RefreshTokenExpiration int64
}

// refresh gives an application new tokens.
func (p *pages) refresh(v *visit) error {
	if err := v.form(); err != nil {
		return err
	}
	token := v.r.PostForm.Get("RefreshToken")
	if token == "" {
		return &notice{status: http.StatusBadRequest, title: "The form has no RefreshToken"}
	}
	t, err := p.Service.Refresh(v.r.Context(), v.in, v.visitor, token)
	var r *signin.Refusal
	switch {
	case errors.As(err, &r) && r.Reason == signin.LinkUsed:
		return &notice{status: http.StatusBadRequest, title: "The RefreshToken is not valid, has expired, or has been used"}
	case err != nil:
		return err
	}
	return v.json(http.StatusOK, refreshed{t.Access, t.AccessExpires.Unix(), t.Refresh, t.RefreshExpires.Unix()})
}

func (v *visit) json(status int, value any) error {
	raw, err := json.Marshal(value)
	if err != nil {
		return err
	}
	v.w.Header().Set("Content-Type", "application/json")
	v.write(status, raw)
	return nil
}

// jsonFailure is a notice for a program.
func (v *visit) jsonFailure(n *notice) {
	message := n.title
	if n.status == http.StatusInternalServerError {
		message += ": " + v.visitor.RequestID
	}
	if err := v.json(n.status, struct{ Message string }{message}); err != nil {
		v.write(http.StatusInternalServerError, nil)
	}
}
