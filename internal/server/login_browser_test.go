package server_test

import (
	"context"
	"fmt"
	"log/slog"
	"net"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/connect"
	"github.com/aws/aws-sdk-go-v2/service/connect/types"
	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"

	"ringdown/internal/login/logintest"
	"ringdown/internal/server"
	"ringdown/internal/server/servertest"
)

// person uses a browser by its keyboard alone.
type person struct {
	t        *testing.T
	ctx      context.Context
	pictures string // folder; empty: none are kept
	taken    int
}

// newPerson starts a browser as wide as a telephone. It ends with the test.
func newPerson(t *testing.T) *person {
	t.Helper()
	ctx := logintest.Chromium(t)
	servertest.OK(t, chromedp.Do(ctx, chromedp.EmulateViewport(360, 740)))
	_, err := chromedp.Call(ctx, emulation.SetEmulatedMedia, emulation.SetEmulatedMediaParams{
		Features: []*emulation.MediaFeature{{Name: "prefers-color-scheme", Value: "dark"}},
	})
	servertest.OK(t, err)
	return &person{t: t, ctx: ctx, pictures: os.Getenv("RINGDOWN_PICTURES")}
}

// goes does what leads to another page, and checks that page, after redirects:
// its status, its heading, and what else it says.
func (p *person) goes(step chromedp.Action[chromedp.Void], status int64, state string, says ...string) {
	p.t.Helper()
	answer, err := chromedp.RunResponse(p.ctx, step)
	if err != nil {
		p.t.Fatalf("on the way to %q: %v", state, err)
	}
	got, err := chromedp.Run(p.ctx, chromedp.Evaluate[struct {
		Title, Text, Ground string
		Width               int
	}](`(async () => {
		await new Promise((drawn) => requestAnimationFrame(() => requestAnimationFrame(drawn)));
		return {
			Title: document.title, Text: document.body.innerText,
			Ground: getComputedStyle(document.body).backgroundColor, Width: document.documentElement.scrollWidth,
		};
	})()`, chromedp.EvalAwaitPromise))
	servertest.OK(p.t, err)
	p.taken++
	if p.pictures != "" {
		shot, err := chromedp.Run(p.ctx, chromedp.FullScreenshot(100))
		servertest.OK(p.t, err)
		servertest.OK(p.t, os.WriteFile(filepath.Join(p.pictures, fmt.Sprintf("%s-%02d.png", p.t.Name(), p.taken)), shot, 0o600))
	}
	if answer.Status != status || !strings.Contains(p.state(), state) {
		p.t.Fatalf("status %d, page %q, want %d and %q:\n%s", answer.Status, p.state(), status, state, got.Text)
	}
	if !strings.Contains(got.Title, state) {
		p.t.Errorf("%s: the title is %q", state, got.Title)
	}
	for _, text := range says {
		if !strings.Contains(got.Text, text) {
			p.t.Errorf("%s: the page does not say %q:\n%s", state, text, got.Text)
		}
	}
	if got.Width > 360 {
		p.t.Errorf("%s: the page is %d wide on a telephone", state, got.Width)
	}
	if got.Ground != "rgb(25, 33, 31)" {
		p.t.Errorf("%s: the ground is %s, not dark", state, got.Ground)
	}
}

// state is what the page says that it is for.
func (p *person) state() string {
	p.t.Helper()
	state, err := chromedp.Run(p.ctx, chromedp.Evaluate[string](`[...document.querySelectorAll("h1, h2")].at(-1).textContent`))
	servertest.OK(p.t, err)
	return state
}

// at is where the focus is: an id, or a text.
func (p *person) at(want string) {
	p.t.Helper()
	got, err := chromedp.Run(p.ctx, chromedp.Evaluate[string](`document.activeElement.id || document.activeElement.textContent.trim()`))
	servertest.OK(p.t, err)
	if got != want {
		p.t.Fatalf("the focus is at %q, want %q", got, want)
	}
}

// tab goes on with the focus, as often as there are places named.
func (p *person) tab(places ...string) {
	p.t.Helper()
	for _, place := range places {
		servertest.OK(p.t, chromedp.Do(p.ctx, chromedp.KeyEvent(kb.Tab)))
		p.at(place)
	}
}

// types into what has the focus.
func (p *person) types(text string) {
	p.t.Helper()
	servertest.OK(p.t, chromedp.Do(p.ctx, chromedp.KeyEvent(text)))
}

// enter is the key that sends a form, or follows a link.
func enter() chromedp.Action[chromedp.Void] { return chromedp.KeyEvent(kb.Enter) }

// readable are the cookies that the pages could read if they had scripts: none may
// be.
func (p *person) readable() string {
	p.t.Helper()
	got, err := chromedp.Run(p.ctx, chromedp.Evaluate[string](`document.cookie`))
	servertest.OK(p.t, err)
	return got
}

// closedPort is an address where nobody listens.
func closedPort(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	servertest.OK(t, err)
	servertest.OK(t, l.Close())
	return l.Addr().String()
}

// TestSignInByBrowser is a user's life with a password, by keyboard alone: the
// first sign-in, wrong passwords, a forgotten one, a change.
func TestSignInByBrowser(t *testing.T) {
	p := newPerson(t)
	log := &servertest.Log{}
	now := time.Now() // stands still, so that a lock-out lasts as long as it is looked at
	s := servertest.Boot(t, func(c *server.Config) {
		c.Logger = slog.New(slog.NewTextHandler(log, nil))
		c.Now = func() time.Time { return now }
		c.SignIn.ChangeFirstPassword = true
	})
	id := s.NewInstanceOf(t, types.DirectoryTypeConnectManaged)
	described, err := s.Connect.DescribeInstance(t.Context(), &connect.DescribeInstanceInput{InstanceId: &id})
	servertest.OK(t, err)
	alias := *described.Instance.InstanceAlias
	routing, err := s.Connect.ListRoutingProfiles(t.Context(), &connect.ListRoutingProfilesInput{InstanceId: &id})
	servertest.OK(t, err)
	security, err := s.Connect.ListSecurityProfiles(t.Context(), &connect.ListSecurityProfilesInput{InstanceId: &id})
	servertest.OK(t, err)
	_, err = s.Connect.CreateUser(t.Context(), &connect.CreateUserInput{
		InstanceId: &id, Username: aws.String("jane"), Password: aws.String("Given-Passw0rd"),
		RoutingProfileId: routing.RoutingProfileSummaryList[0].Id, SecurityProfileIds: []string{*security.SecurityProfileSummaryList[0].Id},
		IdentityInfo: &types.UserIdentityInfo{FirstName: aws.String("Jane"), LastName: aws.String("Doe"), Email: aws.String("jane@example.org")},
		PhoneConfig:  &types.UserPhoneConfig{PhoneType: types.PhoneTypeSoftPhone},
	})
	servertest.OK(t, err)

	// From the alias to the form.
	p.goes(chromedp.Navigate(s.URL+"/-/login/"), 200, "Sign in", "Alias of your contact centre")
	p.at("alias")
	p.types("nowhere")
	p.goes(enter(), 404, "Sign in", "no contact centre of that alias")
	p.at("say")
	p.tab("There is no contact centre of that alias", "alias")
	p.types(kb.End + strings.Repeat(kb.Backspace, len("nowhere")) + alias)
	p.goes(enter(), 200, "Sign in", alias)

	// The first password was chosen for the user.
	p.at("username")
	p.types("jane")
	p.tab("password")
	p.types("Given-Passw0rd")
	p.goes(enter(), 200, "Choose your own password", "8 to 64 characters")
	p.tab("new")
	p.types("weak")
	p.tab("again")
	p.types("weak")
	p.goes(enter(), 400, "Choose your own password", "does not follow the rules")
	p.tab("The new password does not follow the rules", "new")
	p.types("Chosen-Passw0rd")
	p.tab("again")
	p.types("Chosen-Passw0rd")
	p.tab("Change the password")
	p.goes(enter(), 200, "You are signed in", "Jane Doe", "with your password", "Your password has been changed")
	if got := p.readable(); got != "" {
		t.Errorf("scripts could read %q", got)
	}
	p.tab("Sign out")
	p.goes(enter(), 200, "You are signed out")

	// Wrong passwords, until nothing is looked at.
	p.tab("Sign in again")
	p.goes(enter(), 200, "Sign in")
	p.types("jane")
	for range 5 {
		p.tab("password")
		p.types("Wrong-Passw0rd")
		p.goes(enter(), 401, "Sign in", "The user name or the password is wrong")
		p.at("say")
		p.tab("The user name or the password is wrong", "username")
	}
	p.tab("password")
	p.types("Chosen-Passw0rd")
	p.goes(enter(), 429, "Sign in", "Too many attempts", "Wait 1 second")

	// A forgotten password. The link is in the log, since there is no mail server.
	p.tab("username", "password", "Sign in", "Forgotten your password?")
	p.goes(enter(), 200, "Forgotten your password?")
	p.at("username")
	p.types("jane")
	p.tab("Send a link")
	p.goes(enter(), 200, "Look at your e-mail", "30 minutes")
	link := regexp.MustCompile(`http://127\.0\.0\.1:[0-9]+/-/login/[0-9a-f-]+/reset\?code=[A-Za-z0-9_-]+`)
	waitFor(t, func() bool { return link.FindString(log.String()) != "" })
	p.goes(chromedp.Navigate(link.FindString(log.String())), 200, "Choose a new password", "8 to 64 characters")
	address, err := chromedp.Run(p.ctx, chromedp.Location())
	servertest.OK(t, err)
	if strings.Contains(address, "code") {
		t.Errorf("the code is still in the address %s", address)
	}
	p.tab("username", "new")
	p.types("Reset-Passw0rd")
	p.tab("again")
	p.types("Reset-Passw0rd")
	p.goes(enter(), 200, "Sign in", "Your password has been changed")
	p.types("jane")
	p.tab("password")
	p.types("Reset-Passw0rd")
	p.goes(enter(), 200, "You are signed in")
	p.goes(chromedp.Navigate(link.FindString(log.String())), 400, "This link no longer works")

	// A change, and out.
	p.goes(chromedp.Navigate(s.URL+"/-/login/"+alias), 200, "You are signed in")
	p.tab("Sign out", "Change your password")
	p.goes(enter(), 200, "Change your password")
	p.at("current")
	p.types("Wrong-Passw0rd")
	p.tab("new")
	p.types("Last-Passw0rd")
	p.tab("again")
	p.types("Last-Passw0rd")
	p.goes(enter(), 400, "Change your password", "is another")
	p.tab("The password that you have now is another", "username", "current")
	p.types("Reset-Passw0rd")
	p.tab("new")
	p.types("Last-Passw0rd")
	p.tab("again")
	p.types("Last-Passw0rd")
	p.goes(enter(), 200, "You are signed in", "Your password has been changed")
	p.tab("Sign out")
	p.goes(enter(), 200, "You are signed out")
	p.goes(chromedp.Navigate(s.URL+"/-/login/"+id+"/home"), 200, "Sign in")
}

// TestDoorsByBrowser is what users see of instances whose directory or provider
// is down, or missing.
func TestDoorsByBrowser(t *testing.T) {
	p := newPerson(t)
	const directory = "d-0123456789"
	s := servertest.Boot(t, func(c *server.Config) {
		c.SignIn.OIDC = []server.OIDCProvider{
			{Name: "here", Label: "Example Corp", Issuer: "http://" + closedPort(t), ClientID: "ringdown", Instances: []string{"with-providers"}},
			{Name: "there", Label: "Example Ltd", Issuer: "http://" + closedPort(t), ClientID: "ringdown", Instances: []string{"with-providers"}},
		}
		c.SignIn.Directories = []server.LDAPDirectory{{
			ID: directory, URL: "ldap://" + closedPort(t), BindDN: "cn=reader,dc=example,dc=org", BindPassword: "x", SearchBase: "dc=example,dc=org", Timeout: "5s",
		}}
	})
	create := func(kind types.DirectoryType, alias string) string {
		in := &connect.CreateInstanceInput{IdentityManagementType: kind, InboundCallsEnabled: aws.Bool(true), OutboundCallsEnabled: aws.Bool(true)}
		if in.DirectoryId = aws.String(directory); kind != types.DirectoryTypeExistingDirectory {
			in.DirectoryId, in.InstanceAlias = nil, &alias
		}
		out, err := s.Connect.CreateInstance(t.Context(), in)
		servertest.OK(t, err)
		return s.URL + "/-/login/" + *out.Id
	}
	p.goes(chromedp.Navigate(create(types.DirectoryTypeSaml, "without")), 200, "This page cannot sign you in", "ask whoever looks after")
	p.goes(chromedp.Navigate(create(types.DirectoryTypeSaml, "with-providers")), 200, "Sign in", "Example Corp", "Example Ltd")
	p.tab("Example Corp", "Example Ltd")
	p.goes(enter(), 502, "The identity provider cannot be reached", "few minutes")
	p.tab("Go to the sign-in page")
	p.goes(enter(), 200, "Sign in", "Example Corp")

	p.goes(chromedp.Navigate(create(types.DirectoryTypeExistingDirectory, "")), 200, "Sign in", "in your organisation")
	p.types("jane")
	p.tab("password")
	p.types("Passw0rd")
	p.goes(enter(), 502, "Sign in", "The directory cannot be reached")
	p.goes(chromedp.Navigate(s.URL+"/-/login/nowhere"), 404, "There is no such contact centre")
}
