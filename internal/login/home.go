package login

import (
	"errors"
	"net/http"
	"strings"

	"ringdown/internal/domain"
	"ringdown/internal/fault"
	"ringdown/internal/signin"
)

// showEntry asks which contact centre somebody wishes to sign in to.
func (p *pages) showEntry(v *visit) error {
	v.entryForm(http.StatusOK, view{})
	return nil
}

func (v *visit) entryForm(status int, d view) {
	d.Title, d.Hint = "Sign in", "Enter the alias of your contact centre, which is the last part of its address."
	v.show(status, "entry", d)
}

// enter leads to the sign-in page of an instance. It does not go on to a
// provider by itself: our policy forbids forms to lead elsewhere, even by
// redirects.
func (p *pages) enter(v *visit) error {
	if err := v.form(); err != nil {
		return err
	}
	alias := strings.TrimSpace(v.r.PostForm.Get("alias"))
	if alias == "" {
		v.entryForm(http.StatusBadRequest, view{Problem: &problem{Title: "Enter the alias of your contact centre", Field: "alias"}})
		return nil
	}
	in, err := p.People.Instance(v.r.Context(), alias)
	var unknown *fault.Error
	switch {
	case errors.As(err, &unknown) && unknown.Code == fault.ResourceNotFound:
		v.entryForm(http.StatusNotFound, view{Username: alias, Problem: &problem{
			Title: "There is no contact centre of that alias", Text: "Check how it is written.", Field: "alias",
		}})
		return nil
	case err != nil:
		return err
	}
	return v.redirect(signin.Root(in) + "?choose")
}

// doors says how somebody came in.
var doors = map[signin.Door]string{
	signin.ByPassword:   "with your password",
	signin.ByDirectory:  "with the password of your organisation",
	signin.BySAML:       "by way of your organisation",
	signin.ByOIDC:       "by way of your organisation",
	signin.ByFederation: "by way of another application",
}

// home shows who is signed in.
func (p *pages) home(v *visit) error {
	s, err := v.session()
	if err != nil {
		return v.orSignIn(err)
	}
	who := strings.TrimSpace(s.User.FirstName + " " + s.User.LastName)
	if who == "" {
		who = s.User.Username
	}
	d := view{
		Title: "You are signed in", Form: formToken(v.cookie(Cookie), "sign-out"),
		Session: &sessionView{
			Who: who, Username: s.User.Username, Door: doors[s.Door], Began: at(s.Began), Expires: at(s.Expires),
			Left: words(s.Expires.Sub(p.Now())), CanChange: s.Door == signin.ByPassword && v.in.Identity == domain.ConnectManaged,
		},
	}
	if v.r.URL.Query().Get("done") == passwordChanged {
		d.Hint, d.Done = "Your password has been changed. You have been signed out everywhere else.", true
	}
	v.show(http.StatusOK, "home", d)
	return nil
}

// signOut ends the session. Who has none is signed out already.
func (p *pages) signOut(v *visit) error {
	if err := v.form(); err != nil {
		return err
	}
	if token := v.cookie(Cookie); token != "" {
		if err := v.formOf(token, "sign-out"); err != nil {
			return err
		}
		if err := p.Service.SignOut(v.r.Context(), v.visitor, token); err != nil {
			return err
		}
	}
	v.drop(Cookie)
	v.drop(changeCookie)
	return v.redirect(signin.Root(v.in) + "/signed-out")
}

func (p *pages) signedOut(v *visit) error {
	v.show(http.StatusOK, "notice", view{
		Title: "You are signed out", Text: []string{"You can close this window."},
		Links: []link{{signin.Root(v.in) + "?choose", "Sign in again"}},
	})
	return nil
}
