package server_test

import (
	"encoding/json"
	"io"
	"log/slog"
	"net"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/connect"
	"github.com/aws/aws-sdk-go-v2/service/connect/types"

	"ringdown/internal/audit"
	"ringdown/internal/fault"
	"ringdown/internal/identity/ldap/ldaptest"
	"ringdown/internal/login"
	"ringdown/internal/server"
	"ringdown/internal/server/servertest"
)

// The directories of directorySite, by what is the matter with them.
const (
	goodDirectory      = "d-00000000a0"
	silentDirectory    = "d-00000000a1" // takes connections and never answers
	untrustedDirectory = "d-00000000a2" // the good one, by an authority that is not known
	tlsDirectory       = "d-00000000a3" // the good one, by LDAPS
	unknownDirectory   = "d-00000000a4" // is not configured
	oftenDirectory     = "d-00000000a5" // the good one, asked again at each use of a session
)

// directorySite is a server and the directory of its users.
type directorySite struct {
	*servertest.Server
	t         *testing.T
	directory *ldaptest.Server
	instances map[string]string // ids, by directory
	audit     string
	log       *servertest.Log
}

func newDirectorySite(t *testing.T, people ...ldaptest.Person) *directorySite {
	t.Helper()
	s := &directorySite{t: t, instances: map[string]string{}, audit: filepath.Join(t.TempDir(), "audit.jsonl"), log: &servertest.Log{}}
	s.directory = ldaptest.Start(t, ldaptest.Options{People: people})
	ca := filepath.Join(t.TempDir(), "ca.pem")
	servertest.OK(t, os.WriteFile(ca, s.directory.CA, 0o600))
	silent, err := net.Listen("tcp", "127.0.0.1:0")
	servertest.OK(t, err)
	t.Cleanup(func() { silent.Close() })
	good := server.LDAPDirectory{
		ID: goodDirectory, URL: s.directory.URL, StartTLS: true, CAFile: ca, BindDN: ldaptest.ReaderDN, BindPassword: s.directory.ReaderPassword,
		SearchBase: ldaptest.Base, Disabled: "(pwdAccountLockedTime=*)", Timeout: "30s",
	}
	hung, untrusted, byTLS, often := good, good, good, good
	hung.ID, hung.URL, hung.Timeout = silentDirectory, "ldap://"+silent.Addr().String(), "200ms"
	untrusted.ID, untrusted.CAFile = untrustedDirectory, ""
	byTLS.ID, byTLS.URL, byTLS.StartTLS = tlsDirectory, s.directory.TLSURL, false
	often.ID, often.Recheck = oftenDirectory, "1ms"
	s.Server = servertest.Boot(t, func(c *server.Config) {
		c.SignIn = server.SignIn{Directories: []server.LDAPDirectory{good, hung, untrusted, byTLS, often}, Audit: s.audit}
		c.Logger = slog.New(slog.NewTextHandler(s.log, nil))
	})
	for _, id := range []string{goodDirectory, silentDirectory, untrustedDirectory, tlsDirectory, unknownDirectory, oftenDirectory} {
		out, err := s.Connect.CreateInstance(t.Context(), &connect.CreateInstanceInput{
			IdentityManagementType: types.DirectoryTypeExistingDirectory, DirectoryId: &id, InboundCallsEnabled: aws.Bool(true), OutboundCallsEnabled: aws.Bool(true),
		})
		servertest.OK(t, err)
		s.instances[id] = *out.Id
	}
	return s
}

// user creates a user, which change may alter, of the instance of a directory.
func (s *directorySite) user(directory, name string, change ...func(*connect.CreateUserInput)) (*types.User, error) {
	s.t.Helper()
	ctx, id := s.t.Context(), s.instances[directory]
	routing, err := s.Connect.ListRoutingProfiles(ctx, &connect.ListRoutingProfilesInput{InstanceId: &id})
	servertest.OK(s.t, err)
	security, err := s.Connect.ListSecurityProfiles(ctx, &connect.ListSecurityProfilesInput{InstanceId: &id})
	servertest.OK(s.t, err)
	in := &connect.CreateUserInput{
		InstanceId: &id, Username: &name, RoutingProfileId: routing.RoutingProfileSummaryList[0].Id,
		SecurityProfileIds: []string{*security.SecurityProfileSummaryList[0].Id},
	}
	for _, f := range change {
		f(in)
	}
	made, err := s.Connect.CreateUser(ctx, in)
	if err != nil {
		return nil, err
	}
	out, err := s.Connect.DescribeUser(ctx, &connect.DescribeUserInput{InstanceId: &id, UserId: made.UserId})
	servertest.OK(s.t, err)
	return out.User, nil
}

func withID(id string) func(*connect.CreateUserInput) {
	return func(in *connect.CreateUserInput) { in.DirectoryUserId = &id }
}

// signIn posts the form of the sign-in page. It returns what the page answers
// and the session that it opens, nil for none.
func (s *directorySite) signIn(directory, name, password string) (status int, page string, session *http.Cookie) {
	s.t.Helper()
	client := http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	res, err := client.PostForm(s.URL+login.Path+s.instances[directory], url.Values{"username": {name}, "password": {password}})
	servertest.OK(s.t, err)
	defer res.Body.Close()
	raw, err := io.ReadAll(res.Body)
	servertest.OK(s.t, err)
	for _, c := range res.Cookies() {
		if c.Name == login.Cookie && c.Value != "" {
			session = c
		}
	}
	return res.StatusCode, string(raw), session
}

// home is the page of a session.
func (s *directorySite) home(directory string, session *http.Cookie) (status int, page string) {
	s.t.Helper()
	req, err := http.NewRequestWithContext(s.t.Context(), http.MethodGet, s.URL+login.Path+s.instances[directory]+"/home", nil)
	servertest.OK(s.t, err)
	req.AddCookie(session)
	res, err := http.DefaultTransport.RoundTrip(req)
	servertest.OK(s.t, err)
	defer res.Body.Close()
	raw, err := io.ReadAll(res.Body)
	servertest.OK(s.t, err)
	return res.StatusCode, string(raw)
}

// lastAudited is the last line of the audit log.
func (s *directorySite) lastAudited() audit.Event {
	s.t.Helper()
	raw, err := os.ReadFile(s.audit)
	servertest.OK(s.t, err)
	lines := strings.Split(strings.TrimSpace(string(raw)), "\n")
	var e audit.Event
	servertest.OK(s.t, json.Unmarshal([]byte(lines[len(lines)-1]), &e))
	return e
}

// audited checks the last line of the audit log.
func (s *directorySite) audited(directory, user string, outcome audit.Outcome, why string) {
	s.t.Helper()
	e := s.lastAudited()
	if e.Event != audit.SignIn || e.Door != "directory" || !strings.HasSuffix(e.Instance, s.instances[directory]) || e.User != user || e.Outcome != outcome ||
		!strings.Contains(e.Reason, why) || (e.UserID == "") != (user == "") || e.From == "" || e.Time.IsZero() {
		s.t.Errorf("the audit log has %+v, want that %q was %s because of %q", e, user, outcome, why)
	}
}

// kept fails when one of some secrets is in the log or the audit log.
func (s *directorySite) kept(secrets ...string) {
	s.t.Helper()
	raw, err := os.ReadFile(s.audit)
	servertest.OK(s.t, err)
	for _, secret := range secrets {
		if strings.Contains(string(raw), secret) || strings.Contains(s.log.String(), secret) {
			s.t.Errorf("a log tells the secret %q", secret)
		}
	}
}

func TestSigningInByADirectory(t *testing.T) {
	s := newDirectorySite(t,
		ldaptest.Person{UID: "mary", FirstName: "Mary", LastName: "Major", Email: "mary@example.org"},
		ldaptest.Person{UID: "john", FirstName: "John"},
		ldaptest.Person{UID: "locked", Locked: true},
		ldaptest.Person{UID: "reset", MustChange: true},
		ldaptest.Person{UID: "stranger"},
		ldaptest.Person{UID: "replaced"},
	)
	mary, err := s.user(goodDirectory, "mary")
	servertest.OK(t, err)
	for _, name := range []string{"john", "locked", "reset"} {
		_, err = s.user(goodDirectory, name)
		servertest.OK(t, err)
	}
	// Of another entry, which had the name before.
	_, err = s.user(goodDirectory, "replaced", withID("00000000-0000-4000-8000-000000000000"))
	servertest.OK(t, err)
	_, err = s.user(goodDirectory, "nowhere", withID("elsewhere"))
	servertest.OK(t, err)
	password := s.directory.Password

	const wrong = "The user name or the password is wrong"
	secrets := []string{s.directory.ReaderPassword}
	for what, c := range map[string]struct {
		name, password string
		audited, why   string // empty: not as a user that there is
	}{
		"wrong password":         {"mary", "wrong-" + password("mary"), "mary", "no such name and password"},
		"another's password":     {"mary", password("john"), "mary", "no such name and password"},
		"unknown to both":        {"nobody", password("mary"), "", "no such name and password"},
		"unknown to us":          {"stranger", password("stranger"), "", "no user of the instance"},
		"unknown to it":          {"nowhere", password("mary"), "nowhere", "no such name and password"},
		"of another case":        {"MARY", password("mary"), "", "no user of the instance"},
		"disabled":               {"locked", password("locked"), "locked", "disabled"},
		"must change it":         {"reset", password("reset"), "reset", "disabled"},
		"of another entry":       {"replaced", password("replaced"), "replaced", "DirectoryUserId"},
		"the search account":     {"reader", s.directory.ReaderPassword, "", "no such name and password"},
		"anybody":                {"*", password("mary"), "", "no such name and password"},
		"beginning":              {"mar*", password("mary"), "", "no such name and password"},
		"end of the condition":   {")(uid=*", password("mary"), "", "no such name and password"},
		"an alternative":         {"mary)(|(objectClass=*", password("mary"), "", "no such name and password"},
		"two conditions":         {"mary)(uid=mary", password("mary"), "", "no such name and password"},
		"NUL":                    {"mary\x00", password("mary"), "", "no such name and password"},
		"distinguished name":     {"cn=mary," + ldaptest.People, password("mary"), "", "no such name and password"},
		"distinguished name's":   {"mary," + ldaptest.People, password("mary"), "", "no such name and password"},
		"wide letters":           {"\uff4dary", password("mary"), "", "no such name and password"},
		"too long":               {strings.Repeat("m", 300), password("mary"), "", ""},
		"right with more behind": {"mary", password("mary") + "x", "mary", "no such name and password"},
	} {
		t.Run(what, func(t *testing.T) {
			s := *s
			s.t = t
			status, page, session := s.signIn(goodDirectory, c.name, c.password)
			if status != http.StatusUnauthorized || session != nil || !strings.Contains(page, wrong) {
				t.Errorf("got %d, session %v, and %s", status, session != nil, page)
			}
			if strings.Contains(page, c.password) {
				t.Error("the page has the password")
			}
			s.audited(goodDirectory, c.audited, audit.Refused, c.why)
		})
		secrets = append(secrets, c.password)
	}
	t.Run("no password", func(t *testing.T) {
		if status, page, session := s.signIn(goodDirectory, "mary", ""); status != http.StatusBadRequest || session != nil {
			t.Errorf("got %d, session %v, and %s", status, session != nil, page)
		}
	})

	for _, name := range []string{"mary", "john"} {
		status, page, session := s.signIn(goodDirectory, name, password(name))
		if status != http.StatusSeeOther || session == nil {
			t.Fatalf("%s: got %d, and %s", name, status, page)
		}
		if !session.Secure || !session.HttpOnly || session.SameSite == http.SameSiteNoneMode || session.SameSite == http.SameSiteDefaultMode {
			t.Errorf("the cookie is %+v", session)
		}
		s.audited(goodDirectory, name, audit.OK, "")
		if status, page := s.home(goodDirectory, session); status != http.StatusOK || !strings.Contains(page, name) {
			t.Errorf("%s is signed in, but got %d, and %s", name, status, page)
		}
		// A session is of one instance.
		if status, _ := s.home(tlsDirectory, session); status == http.StatusOK {
			t.Error("the session opens another instance")
		}
		secrets = append(secrets, session.Value)
	}
	_, page, session := s.signIn(goodDirectory, "mary", password("mary"))
	if session == nil {
		t.Fatalf("mary cannot sign in again: %s", page)
	}
	_, err = s.Connect.DeleteUser(t.Context(), &connect.DeleteUserInput{InstanceId: aws.String(s.instances[goodDirectory]), UserId: mary.Id})
	servertest.OK(t, err)
	if status, _ := s.home(goodDirectory, session); status == http.StatusOK {
		t.Error("the session has outlived its user")
	}
	if status, _, session := s.signIn(goodDirectory, "mary", password("mary")); status != http.StatusUnauthorized || session != nil {
		t.Errorf("a user that was deleted gets %d", status)
	}
	s.audited(goodDirectory, "", audit.Refused, "no user of the instance")
	s.kept(append(secrets, session.Value)...)
}

func TestDirectoriesThatAreDown(t *testing.T) {
	s := newDirectorySite(t, ldaptest.Person{UID: "mary"})
	for _, id := range []string{goodDirectory, tlsDirectory} {
		_, err := s.user(id, "mary")
		servertest.OK(t, err)
	}
	for _, id := range []string{silentDirectory, untrustedDirectory, unknownDirectory} {
		_, err := s.user(id, "mary", withID("mary"))
		servertest.OK(t, err)
	}
	password := s.directory.Password("mary")
	const down = "The directory cannot be reached"
	isDown := func(what, directory, password string) {
		t.Helper()
		status, page, session := s.signIn(directory, "mary", password)
		if status < 500 || session != nil || !strings.Contains(page, down) {
			t.Errorf("%s: got %d, session %v, and %s", what, status, session != nil, page)
		}
		s.audited(directory, "mary", audit.Failed, "cannot be reached")
	}
	isUp := func(what, directory string) {
		t.Helper()
		if status, page, session := s.signIn(directory, "mary", password); session == nil {
			t.Errorf("%s: got %d, and %s", what, status, page)
		}
		s.audited(directory, "mary", audit.OK, "")
	}
	isUp("StartTLS", goodDirectory)
	isUp("LDAPS", tlsDirectory)
	isDown("silent", silentDirectory, password)
	isDown("not to be trusted", untrustedDirectory, password)
	if status, _, session := s.signIn(unknownDirectory, "mary", password); status != http.StatusForbidden || session != nil {
		t.Errorf("without a configuration: got %d", status)
	}
	s.audited(unknownDirectory, "", audit.Failed, "not configured")

	s.directory.Stop()
	for range 8 { // of which none counts as a wrong password
		isDown("stopped", goodDirectory, password)
		isDown("stopped, and a wrong password", goodDirectory, "wrong-password")
	}
	isDown("stopped", tlsDirectory, password)
	s.directory.Again()
	isUp("StartTLS, up again", goodDirectory)
	isUp("LDAPS, up again", tlsDirectory)
	for _, cause := range []string{"certificate signed by unknown authority", "takes too long to answer", "connection refused"} {
		if !strings.Contains(s.log.String(), cause) {
			t.Errorf("the log tells nothing of %q", cause)
		}
	}
	s.kept(password, "wrong-password", s.directory.ReaderPassword)
}

func TestUsersOfAnExistingDirectory(t *testing.T) {
	s := newDirectorySite(t,
		ldaptest.Person{UID: "mary", FirstName: "Mary", LastName: "Major", Email: "mary@example.org", Mobile: "+1 555 0100"},
		ldaptest.Person{UID: "zoe", FirstName: "Zoe\u0308", LastName: "Major", Email: "room 5"},
		ldaptest.Person{UID: "twice"},
		ldaptest.Person{UID: "twice", OU: "others"},
	)
	who := func(u *types.User) string {
		i := u.IdentityInfo
		if i == nil {
			return ""
		}
		return strings.Join([]string{aws.ToString(i.FirstName), aws.ToString(i.LastName), aws.ToString(i.Email), aws.ToString(i.SecondaryEmail), aws.ToString(i.Mobile)}, "|")
	}
	named := func(i types.UserIdentityInfo) func(*connect.CreateUserInput) {
		return func(in *connect.CreateUserInput) { in.IdentityInfo = &i }
	}
	t.Run("all from the directory", func(t *testing.T) {
		u, err := s.user(goodDirectory, "mary")
		servertest.OK(t, err)
		servertest.Same(t, "identity", who(u), "Mary|Major|mary@example.org||")
		if id := *u.DirectoryUserId; len(id) != 36 || id == *u.Id {
			t.Errorf("DirectoryUserId is %s, the user's own %s", id, *u.Id)
		}
		other, err := s.user(tlsDirectory, "mary")
		servertest.OK(t, err)
		servertest.Same(t, "DirectoryUserId in another instance", *other.DirectoryUserId, *u.DirectoryUserId)
	})
	t.Run("some from the directory", func(t *testing.T) {
		u, err := s.user(goodDirectory, "zoe", named(types.UserIdentityInfo{LastName: aws.String("Minor"), SecondaryEmail: aws.String("z@example.org")}))
		servertest.OK(t, err)
		servertest.Same(t, "identity", who(u), "Zo\u00eb|Minor||z@example.org|")
	})
	t.Run("not in the directory", func(t *testing.T) {
		for _, name := range []string{"nobody", "reader", "mary@example.org"} {
			_, err := s.user(goodDirectory, name)
			servertest.Fails(t, err, fault.InvalidRequest, "Username")
		}
		u, err := s.user(goodDirectory, "nobody", withID("n-1"), named(types.UserIdentityInfo{FirstName: aws.String("No")}))
		servertest.OK(t, err)
		servertest.Same(t, "identity", who(u), "No||||")
		servertest.Same(t, "DirectoryUserId", *u.DirectoryUserId, "n-1")
	})
	t.Run("twice in the directory", func(t *testing.T) {
		_, err := s.user(goodDirectory, "twice")
		servertest.Fails(t, err, fault.InvalidRequest, "DirectoryUserId", goodDirectory)
		if !strings.Contains(s.log.String(), "several entries") {
			t.Error("the log does not tell why")
		}
	})
	t.Run("taken", func(t *testing.T) {
		_, err := s.user(goodDirectory, "mary")
		servertest.Fails(t, err, fault.DuplicateResource, "mary")
	})
	t.Run("silent directory", func(t *testing.T) {
		_, err := s.user(silentDirectory, "mary")
		servertest.Fails(t, err, fault.InvalidRequest, "DirectoryUserId", silentDirectory)
		u, err := s.user(silentDirectory, "mary", withID("m-1"))
		servertest.OK(t, err)
		servertest.Same(t, "DirectoryUserId", *u.DirectoryUserId, "m-1")
	})
	t.Run("no directory", func(t *testing.T) {
		u, err := s.user(unknownDirectory, "mary")
		servertest.OK(t, err)
		servertest.Same(t, "identity", who(u), "")
		servertest.Same(t, "DirectoryUserId", *u.DirectoryUserId, *u.Id)
	})
	t.Run("stopped directory", func(t *testing.T) {
		s.directory.Stop()
		_, err := s.user(tlsDirectory, "zoe")
		servertest.Fails(t, err, fault.InvalidRequest, "DirectoryUserId", tlsDirectory)
		_, err = s.user(tlsDirectory, "zoe", withID("z-1"))
		servertest.OK(t, err)
	})
}
