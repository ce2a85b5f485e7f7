package login

import (
	"errors"
	"net/http"
	"strings"

	"ringdown/internal/domain"
	"ringdown/internal/signin"
)

// What has been done is told by the page that the browser is sent to.
const passwordChanged = "password"

// showSignIn shows how to sign in: a form, or the providers. With a single
// provider there is nothing to choose, unless somebody wishes to see it.
func (p *pages) showSignIn(v *visit) error {
	q := v.r.URL.Query()
	destination := local(q.Get("destination"))
	switch _, err := v.session(); {
	case err == nil && destination != "":
		return v.redirect(destination)
	case err == nil:
		return v.redirect(signin.Root(v.in) + "/home")
	case !errors.Is(err, signin.ErrNoSession):
		return err
	}
	if v.in.Identity == domain.SAML {
		return p.showWays(v, destination, q.Has("choose"))
	}
	d := view{Destination: destination}
	if q.Get("done") == passwordChanged {
		d.Hint, d.Done = "Your password has been changed. Sign in with the new one.", true
	}
	v.signInForm(http.StatusOK, d)
	return nil
}

func (v *visit) signInForm(status int, d view) {
	d.Title = "Sign in"
	d.Forgettable = v.in.Identity == domain.ConnectManaged
	if d.Hint == "" && v.in.Identity == domain.ExistingDirectory {
		d.Hint = "Use the user name and the password that you have in your organisation. Capital and small letters differ."
	} else if d.Hint == "" {
		d.Hint = "Enter your user name and your password. Capital and small letters differ."
	}
	v.show(status, "signin", d)
}

// signIn takes a user name and a password.
func (p *pages) signIn(v *visit) error {
	if err := v.form(); err != nil {
		return err
	}
	f := v.r.PostForm
	// Keyboards of telephones put a space after what they complete; no user name
	// has one at its ends.
	d := view{Username: strings.TrimSpace(f.Get("username")), Destination: local(f.Get("destination"))}
	password := f.Get("password")
	switch {
	case v.in.Identity == domain.SAML:
		return &signin.Refusal{Reason: signin.OtherDoor}
	case d.Username == "":
		d.Problem = &problem{Title: "Enter your user name", Field: "username"}
	case password == "":
		d.Problem = &problem{Title: "Enter your password", Field: "password"}
	}
	if d.Problem != nil {
		v.signInForm(http.StatusBadRequest, d)
		return nil
	}
	o, err := p.Service.SignIn(v.r.Context(), v.in, v.visitor, d.Username, password)
	var r *signin.Refusal
	if errors.As(err, &r) {
		field := ""
		if r.Reason == signin.WrongCredentials {
			field = "username"
			// RFC 9110 §15.5.2 asks for a challenge; browsers show the page for one
			// that they do not know.
			v.w.Header().Set("WWW-Authenticate", `Form realm="ringdown"`)
		}
		var status int
		status, d.Problem = v.problem(r, field)
		v.signInForm(status, d)
		return nil
	}
	if err != nil {
		return err
	}
	return v.enter(o, d.Destination)
}

// managed refuses what only passwords that are kept here have.
func (v *visit) managed() error {
	const title = "This password cannot be changed here"
	switch v.in.Identity {
	case domain.ConnectManaged:
		return nil
	case domain.ExistingDirectory:
		return &notice{status: http.StatusForbidden, title: title, text: []string{
			"It is the password that you have in your organisation. Whoever looks after that helps you to change it.",
		}, links: []link{{signin.Root(v.in), "Go to the sign-in page"}}}
	default:
		return &notice{status: http.StatusForbidden, title: title, text: []string{
			"You sign in to this contact centre by way of your organisation, which keeps your password.",
		}, links: []link{{signin.Root(v.in) + "?choose", "Go to the sign-in page"}}}
	}
}

func (p *pages) showForgot(v *visit) error {
	if err := v.managed(); err != nil {
		return err
	}
	if v.r.URL.Query().Has("sent") {
		v.show(http.StatusOK, "notice", view{Title: "Look at your e-mail", Text: []string{
			"If there is a user of that name with an e-mail address, a link has been sent to it. The link works once, for 30 minutes.",
			"Nothing there after a few minutes? Look among the unwanted mail, and check how your user name is written. Otherwise ask whoever looks after your contact centre.",
		}, Links: []link{{signin.Root(v.in), "Go to the sign-in page"}}})
		return nil
	}
	v.forgotForm(http.StatusOK, view{})
	return nil
}

func (v *visit) forgotForm(status int, d view) {
	d.Title = "Forgotten your password?"
	d.Hint = "Enter your user name. You will be sent a link by e-mail, with which you can choose another password."
	v.show(status, "forgot", d)
}

func (p *pages) forgot(v *visit) error {
	if err := v.managed(); err != nil {
		return err
	}
	if err := v.form(); err != nil {
		return err
	}
	d := view{Username: strings.TrimSpace(v.r.PostForm.Get("username"))}
	if d.Username == "" {
		d.Problem = &problem{Title: "Enter your user name", Field: "username"}
		v.forgotForm(http.StatusBadRequest, d)
		return nil
	}
	var r *signin.Refusal
	switch err := p.Service.AskReset(v.r.Context(), v.in, v.visitor, d.Username); {
	case errors.As(err, &r):
		var status int
		status, d.Problem = v.problem(r, "")
		v.forgotForm(status, d)
		return nil
	case err != nil:
		return err
	}
	return v.redirect(signin.Root(v.in) + "/forgot?sent")
}

// showReset takes the code of a link out of the address, or shows the form.
func (p *pages) showReset(v *visit) error {
	if err := v.managed(); err != nil {
		return err
	}
	if code := v.r.URL.Query().Get("code"); code != "" {
		v.keep(resetCookie, code, p.Now().Add(resetLife))
		return v.redirect(signin.Root(v.in) + "/reset")
	}
	u, err := p.Service.ResetTarget(v.r.Context(), v.in, v.cookie(resetCookie))
	if err != nil {
		return v.linkGone(err)
	}
	v.resetForm(http.StatusOK, u, nil)
	return nil
}

// linkGone shows what to do about a link that no longer works.
func (v *visit) linkGone(err error) error {
	var r *signin.Refusal
	if !errors.As(err, &r) || r.Reason != signin.LinkUsed {
		return err
	}
	v.drop(resetCookie)
	n := v.refused(r)
	n.links = []link{{signin.Root(v.in) + "/forgot", "Ask for a new link"}}
	return n
}

func (v *visit) resetForm(status int, u *signin.User, wrong *problem) {
	v.show(status, "reset", view{
		Title: "Choose a new password", Hint: "Choose one that you use nowhere else, and sign in with it.", Problem: wrong, Username: u.Username,
		Form: formToken(v.cookie(resetCookie), "reset"),
	})
}

func (p *pages) reset(v *visit) error {
	if err := v.managed(); err != nil {
		return err
	}
	if err := v.form(); err != nil {
		return err
	}
	code := v.cookie(resetCookie)
	u, err := p.Service.ResetTarget(v.r.Context(), v.in, code)
	if err != nil {
		return v.linkGone(err)
	}
	if err := v.formOf(code, "reset"); err != nil {
		return err
	}
	password, wrong := v.newPassword()
	if wrong != nil {
		v.resetForm(http.StatusBadRequest, u, wrong)
		return nil
	}
	if err := p.Service.Reset(v.r.Context(), v.in, v.visitor, code, password); err != nil {
		var r *signin.Refusal
		if !errors.As(err, &r) || r.Reason == signin.LinkUsed {
			return v.linkGone(err)
		}
		status, wrong := v.problem(r, "new")
		v.resetForm(status, u, wrong)
		return nil
	}
	v.drop(resetCookie)
	return v.redirect(signin.Root(v.in) + query("done", passwordChanged))
}

// newPassword is what was typed twice.
func (v *visit) newPassword() (string, *problem) {
	switch password := v.r.PostForm.Get("new"); {
	case password == "":
		return "", &problem{Title: "Enter a new password", Field: "new"}
	case v.r.PostForm.Get("again") != password:
		return "", &problem{Title: "The two new passwords are not the same", Text: "Enter the new one twice.", Field: "new"}
	default:
		return password, nil
	}
}

// changing is who changes a password, and why.
type changing struct {
	token    string // of the session, or what stands for it
	forced   bool
	username string
}

// changing finds out who changes a password: whoever has just signed in with one
// that must be changed, or is signed in with a password.
func (v *visit) changing() (*changing, error) {
	if err := v.managed(); err != nil {
		return nil, err
	}
	if must := v.cookie(changeCookie); must != "" {
		return &changing{token: must, forced: true}, nil
	}
	s, err := v.session()
	if err != nil {
		return nil, err
	}
	if s.Door != signin.ByPassword {
		return nil, &signin.Refusal{Reason: signin.OtherDoor}
	}
	return &changing{token: v.cookie(Cookie), username: s.User.Username}, nil
}

func (v *visit) changeForm(status int, c *changing, destination string, wrong *problem) {
	d := view{
		Title: "Change your password", Hint: "Choose one that you use nowhere else. You will be signed out on all other devices.", Problem: wrong, Username: c.username,
		Destination: destination, Forced: c.forced, Form: formToken(c.token, "change"),
	}
	if c.forced {
		d.Title, d.Hint = "Choose your own password", "The one that you have just used was chosen for you. Choose another, which you use nowhere else, to go on."
	}
	v.show(status, "change", d)
}

func (p *pages) showChange(v *visit) error {
	c, err := v.changing()
	if err != nil {
		return v.orSignIn(err)
	}
	v.changeForm(http.StatusOK, c, local(v.r.URL.Query().Get("destination")), nil)
	return nil
}

// orSignIn sends whoever is not signed in to where they can.
func (v *visit) orSignIn(err error) error {
	if errors.Is(err, signin.ErrNoSession) {
		return v.redirect(signin.Root(v.in))
	}
	return err
}

func (p *pages) change(v *visit) error {
	if err := v.form(); err != nil {
		return err
	}
	c, err := v.changing()
	if err != nil {
		return v.orSignIn(err)
	}
	if err := v.formOf(c.token, "change"); err != nil {
		return err
	}
	destination := local(v.r.PostForm.Get("destination"))
	current := v.r.PostForm.Get("current")
	password, wrong := v.newPassword()
	if !c.forced && current == "" {
		wrong = &problem{Title: "Enter the password that you have now", Field: "current"}
	}
	if wrong != nil {
		v.changeForm(http.StatusBadRequest, c, destination, wrong)
		return nil
	}
	o, err := p.Service.ChangePassword(v.r.Context(), v.in, v.visitor, c.token, current, password)
	var r *signin.Refusal
	switch {
	case errors.As(err, &r) && r.Reason == signin.LinkUsed, c.forced && errors.Is(err, signin.ErrNoSession):
		v.drop(changeCookie)
		return &notice{
			status: http.StatusBadRequest, title: "That took too long",
			text:  []string{"Your password has not been changed. Sign in again, then choose another."},
			links: []link{{signin.Root(v.in), "Go to the sign-in page"}},
		}
	case errors.As(err, &r) && r.Reason == signin.WrongCredentials:
		v.changeForm(http.StatusBadRequest, c, destination, &problem{Title: "The password that you have now is another", Text: "Check it and try again.", Field: "current"})
		return nil
	case errors.As(err, &r):
		status, wrong := v.problem(r, "new")
		v.changeForm(status, c, destination, wrong)
		return nil
	case err != nil:
		return v.orSignIn(err)
	}
	if destination == "" {
		destination = signin.Root(v.in) + "/home" + query("done", passwordChanged)
	}
	return v.enter(o, destination)
}
