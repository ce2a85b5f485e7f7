package login

import (
	"net/http"
	"net/url"
	"strings"
	"testing"
	"time"

	"ringdown/internal/signin"
)

func TestForgot(t *testing.T) {
	s := newSite(t)
	s.post(acme+"/forgot", url.Values{"username": {" jane"}}).leads(t, acme+"/forgot?sent")
	s.post(acme+"/forgot", url.Values{"username": {"nobody"}}).leads(t, acme+"/forgot?sent")
	if got := strings.Join(s.asked, " "); got != "jane nobody" {
		t.Errorf("asked for %s", got)
	}
}

func TestReset(t *testing.T) {
	s := newSite(t)
	// The code leaves the address at once.
	s.get(acme+"/reset?code="+resetCode).leads(t, acme+"/reset")
	if c := s.cookies[resetCookie]; c == nil || !c.HttpOnly || !c.Secure || c.Expires.After(noon.Add(30*time.Minute)) {
		t.Fatalf("the code is kept as %+v", c)
	}
	page := s.get(acme + "/reset")
	page.want(t, 200, `value="jane"`, `autocomplete="new-password"`, "8 to 64 characters", `aria-describedby="rules"`)
	form := func(first, second string) url.Values {
		return url.Values{"form": {page.formToken(t)}, "new": {first}, "again": {second}}
	}
	s.post(acme+"/reset", url.Values{"new": {newPassword}, "again": {newPassword}}).want(t, 403, "out of date")
	s.post(acme+"/reset", form("", "")).want(t, 400, "Enter a new password")
	s.post(acme+"/reset", form(newPassword, wrongPassword)).want(t, 400, "not the same")
	if len(s.typed) != 0 {
		t.Fatal("a password was set too early")
	}
	s.refuse = &signin.Refusal{Reason: signin.WeakPassword}
	s.post(acme+"/reset", form(newPassword, newPassword)).want(t, 400, "does not follow the rules", `href="#new"`, `aria-describedby="say rules"`)
	s.refuse = nil
	s.post(acme+"/reset", form(newPassword, newPassword)).leads(t, acme+"?done=password")
	if !s.used || s.cookies[resetCookie] != nil {
		t.Errorf("used is %v, the cookie %v", s.used, s.cookies[resetCookie])
	}
	s.get(acme+"?done=password").want(t, 200, "has been changed", `role="status"`)

	s.get(acme+"/reset?code="+resetCode).leads(t, acme+"/reset")
	s.get(acme+"/reset").want(t, 400, "no longer works", acme+"/forgot")
	if s.cookies[resetCookie] != nil {
		t.Error("a code that does not work is kept")
	}
}

func TestForcedChange(t *testing.T) {
	s := newSite(t)
	s.must = true
	form := credentials(rightPassword)
	form.Set("destination", "/-/console/")
	s.post(acme, form).leads(t, acme+"/change?destination=%2F-%2Fconsole%2F")
	if s.cookies[Cookie] != nil || s.cookies[changeCookie] == nil {
		t.Fatalf("the cookies are %v", s.cookies)
	}
	page := s.get(acme + "/change?destination=%2F-%2Fconsole%2F")
	page.want(t, 200, "Choose your own password", "was chosen for you")
	if strings.Contains(page.body, "current-password") {
		t.Error("the password is asked for again")
	}
	s.post(acme+"/change", url.Values{"new": {newPassword}, "again": {newPassword}}).want(t, 403, "out of date")
	s.post(acme+"/change", url.Values{
		"form": {page.formToken(t)}, "new": {newPassword}, "again": {newPassword}, "destination": {"/-/console/"},
	}).leads(t, "/-/console/")
	if s.cookies[Cookie] == nil || s.cookies[Cookie].Value != newerToken || s.cookies[changeCookie] != nil {
		t.Errorf("the cookies are %v", s.cookies)
	}

	late := newSite(t)
	late.cookies[changeCookie] = &http.Cookie{Name: changeCookie, Value: mustToken}
	late.refuse = &signin.Refusal{Reason: signin.LinkUsed}
	late.post(acme+"/change", url.Values{"form": {formToken(mustToken, "change")}, "new": {newPassword}, "again": {newPassword}}).want(t, 400, "took too long")
	if late.cookies[changeCookie] != nil {
		t.Error("what came too late is kept")
	}
}

func TestChange(t *testing.T) {
	s := newSite(t)
	s.get(acme+"/change").leads(t, acme)
	s.post(acme+"/change", url.Values{"new": {newPassword}}).leads(t, acme)
	s.signedIn(managed, signin.ByPassword)
	page := s.get(acme + "/change")
	page.want(t, 200, `autocomplete="current-password"`, `value="jane"`)
	form := func(current, first, second string) url.Values {
		return url.Values{"form": {page.formToken(t)}, "current": {current}, "new": {first}, "again": {second}}
	}
	for _, c := range []struct {
		form   url.Values
		refuse signin.Reason
		status int
		text   string
	}{
		{form("", newPassword, newPassword), "", 400, `href="#current"`},
		{form(rightPassword, newPassword, ""), "", 400, "not the same"},
		{form(wrongPassword, newPassword, newPassword), "", 400, "is another"},
		{form(rightPassword, newPassword, newPassword), signin.SamePassword, 400, "the old one"},
		{form(rightPassword, newPassword, newPassword), signin.TooMany, 429, "Too many attempts"},
		{url.Values{"current": {rightPassword}, "new": {newPassword}, "again": {newPassword}}, "", 403, "out of date"},
	} {
		s.refuse = nil
		if c.refuse != "" {
			s.refuse = &signin.Refusal{Reason: c.refuse}
		}
		s.post(acme+"/change", c.form).want(t, c.status, c.text)
	}
	s.refuse = nil
	s.post(acme+"/change", form(rightPassword, newPassword, newPassword)).leads(t, acme+"/home?done=password")
	if s.cookies[Cookie].Value != newerToken {
		t.Error("there is no new session")
	}
	s.get(acme+"/home?done=password").want(t, 200, "has been changed")

	// Only who has a password here can change it.
	other := newSite(t)
	other.signedIn(managed, signin.ByFederation)
	other.get(acme+"/change").want(t, 403, "in another way")
	if strings.Contains(other.get(acme+"/home").body, "/change") {
		t.Error("a change is offered")
	}
}
