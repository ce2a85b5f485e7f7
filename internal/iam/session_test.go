package iam

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"ringdown/internal/fault"
)

// rolesByName are roles that can be changed. Its error, when set, is what a
// failing store gives.
type rolesByName struct {
	mu    sync.Mutex
	roles map[string]*Role
	err   error
}

func (r *rolesByName) Role(_ context.Context, name string) (*Role, error) {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.roles[name], r.err
}

func (r *rolesByName) set(name string, role *Role) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.roles[name] = role
}

const (
	testAccount = "123456789012"
	testSecret  = "a root secret of a test 00000000000000000"
	allowAll    = `{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":"*","Resource":"*"}}`
	readOnly    = `{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":"connect:Describe*","Resource":"*"}}`
)

var testTime = time.Date(2026, time.March, 1, 12, 0, 0, 0, time.UTC)

func testKeys(t testing.TB, secret string, roles Roles) *Keys {
	t.Helper()
	k, err := NewKeys(KeysOptions{
		Account: testAccount, RootID: "AKIAROOT", RootSecret: secret, Roles: roles, Now: func() time.Time { return testTime },
	})
	if err != nil {
		t.Fatal(err)
	}
	return k
}

func desk(t testing.TB, docs ...string) *Role {
	return NewRole(testAccount, "desk", time.Hour, mustParse(t, docs...)...)
}

func deskSession() Session {
	return Session{
		Name: "mary", Issued: testTime.Unix(), Expires: testTime.Add(time.Hour).Unix(), Policy: json.RawMessage(readOnly),
		Tags: map[string]string{"Department": "Support"}, TransitiveTagKeys: []string{"Department"}, SourceIdentity: "mary.major",
		Provider: "arn:aws:iam::123456789012:saml-provider/idp", SAML: map[string][]string{"saml:sub": {"m-1"}}, Chained: true,
	}
}

func issue(t testing.TB, k *Keys, role *Role, s Session) *Key {
	t.Helper()
	key, err := k.Issue(role, s)
	if err != nil {
		t.Fatal(err)
	}
	return key
}

func find(t testing.TB, k *Keys, id, token string) *Key {
	t.Helper()
	key, err := k.Find(context.Background(), id, token)
	if err != nil {
		t.Fatal(err)
	}
	return key
}

// TestSessionIsCarried: what Issue gives, any server with the same root secret
// finds again, with all that there is to a session.
func TestSessionIsCarried(t *testing.T) {
	roles := &rolesByName{roles: map[string]*Role{"desk": desk(t, allowAll)}}
	k := testKeys(t, testSecret, roles)
	made := issue(t, k, roles.roles["desk"], deskSession())
	if !strings.HasPrefix(made.ID, "ASIA") || len(made.ID) != 20 || len(made.Secret) != 40 || made.Token == "" {
		t.Errorf("the key is %s with a secret of %d and a token of %d characters", made.ID, len(made.Secret), len(made.Token))
	}
	if want := testTime.Add(time.Hour); !made.Expires.Equal(want) || !made.Created.Equal(testTime) {
		t.Errorf("it lives from %s to %s", made.Created, made.Expires)
	}
	wantSession := deskSession()
	wantSession.Role = "desk"
	wantJSON, err := json.Marshal(wantSession)
	if err != nil {
		t.Fatal(err)
	}
	for name, keys := range map[string]*Keys{"the same": k, "another": testKeys(t, testSecret, roles)} {
		for range 2 { // the second time from memory
			key := find(t, keys, made.ID, made.Token)
			if key == nil {
				t.Fatalf("%s server does not know it", name)
			}
			if key.Secret != made.Secret || key.Token != made.Token || !key.Expires.Equal(made.Expires) || !key.Created.Equal(made.Created) {
				t.Errorf("%s server finds another key", name)
			}
			p := key.Principal
			if p.ARN != "arn:aws:sts::123456789012:assumed-role/desk/mary" || p.UserID != roles.roles["desk"].ID+":mary" || p.UserName != "" || p.Root || p.Account != testAccount {
				t.Errorf("%s server finds the principal %+v", name, p)
			}
			got, err := json.Marshal(p.Session)
			if err != nil || string(got) != string(wantJSON) {
				t.Errorf("%s server finds the session %s, want %s; %v", name, got, wantJSON, err)
			}
		}
	}
	if other := issue(t, k, roles.roles["desk"], deskSession()); other.ID == made.ID || other.Secret == made.Secret || other.Token == made.Token {
		t.Error("two sessions share something that should be random")
	}
	for _, secret := range []string{made.Secret, "mary", "desk", "Support"} {
		if strings.Contains(made.Token, secret) {
			t.Errorf("the token shows %q", secret)
		}
	}
}

// TestUnknownSessions: a token counts only as it was issued, with its own id,
// under the same root secret, and while its role is there.
func TestUnknownSessions(t *testing.T) {
	roles := &rolesByName{roles: map[string]*Role{"desk": desk(t, allowAll)}}
	k := testKeys(t, testSecret, roles)
	made := issue(t, k, roles.roles["desk"], deskSession())
	other := issue(t, k, roles.roles["desk"], deskSession())
	fresh := func() *Keys { return testKeys(t, testSecret, roles) }
	for _, c := range []struct {
		name      string
		keys      *Keys
		id, token string
	}{
		{"no token", k, made.ID, ""},
		{"another's token", k, made.ID, other.Token},
		{"another's id", k, other.ID, made.Token},
		{"an id that was never issued", k, "ASIAAAAAAAAAAAAAAAAA", made.Token},
		{"part of the token", k, made.ID, made.Token[:len(made.Token)-1]},
		{"more than the token", k, made.ID, made.Token + "A"},
		{"padded", k, made.ID, made.Token + "="},
		{"with a line end", k, made.ID, made.Token + "\n"},
		{"no base64", k, made.ID, "a token!"},
		{"too short", k, made.ID, "AAAA"},
		{"far too long", k, made.ID, strings.Repeat("A", maxToken+4)},
		{"another root secret", testKeys(t, testSecret+"x", roles), made.ID, made.Token},
		{"no roles", testKeys(t, testSecret, nil), made.ID, made.Token},
	} {
		t.Run(c.name, func(t *testing.T) {
			if key := find(t, c.keys, c.id, c.token); key != nil {
				t.Errorf("found %s", key.ID)
			}
		})
	}
	for i := range made.Token {
		replaced := byte('A')
		if made.Token[i] == 'A' {
			replaced = 'B'
		}
		if key := find(t, fresh(), made.ID, made.Token[:i]+string(replaced)+made.Token[i+1:]); key != nil {
			t.Fatalf("found with character %d changed", i)
		}
	}

	if find(t, k, made.ID, made.Token) == nil {
		t.Fatal("it is not found any more")
	}
	roles.set("desk", nil)
	if find(t, k, made.ID, made.Token) != nil {
		t.Error("it is found although its role is gone")
	}
	// A role that is made again is the same role, with what it may now.
	roles.set("desk", desk(t, `{"Statement":{"Effect":"Deny","Action":"connect:DescribeUser","Resource":"*"}}`))
	key := find(t, k, made.ID, made.Token)
	if key == nil {
		t.Fatal("it is not found although its role is back")
	}
	if err := key.Principal.Authorize(Request{Action: "connect:DescribeUser", Resource: agent}); !fault.Is(err, fault.AccessDenied) {
		t.Errorf("the role's new policy does not count: %v", err)
	}
	broken := errors.New("the database is gone")
	roles.err = broken
	if _, err := k.Find(context.Background(), made.ID, made.Token); !errors.Is(err, broken) {
		t.Errorf("got %v when roles cannot be read", err)
	}
}

// TestUseRoles: roles may come after the keys.
func TestUseRoles(t *testing.T) {
	roles := &rolesByName{roles: map[string]*Role{"desk": desk(t, allowAll)}}
	k := testKeys(t, testSecret, nil)
	made := issue(t, k, roles.roles["desk"], deskSession())
	if find(t, k, made.ID, made.Token) != nil {
		t.Error("found without roles")
	}
	k.UseRoles(roles)
	if find(t, k, made.ID, made.Token) == nil {
		t.Error("not found with roles")
	}
}

// TestExpiredSessionsAreFound: that a session is over is told to whoever has
// signed with it, which takes its secret.
func TestExpiredSessionsAreFound(t *testing.T) {
	roles := &rolesByName{roles: map[string]*Role{"desk": desk(t, allowAll)}}
	k := testKeys(t, testSecret, roles)
	s := deskSession()
	s.Issued -= 7200
	s.Expires -= 7200
	made := issue(t, k, roles.roles["desk"], s)
	if key := find(t, k, made.ID, made.Token); key == nil || !key.Expires.Equal(testTime.Add(-time.Hour)) {
		t.Errorf("found %+v", key)
	}
}

func TestIssueRefuses(t *testing.T) {
	k := testKeys(t, testSecret, nil)
	role := desk(t, allowAll)
	for _, c := range []struct {
		name   string
		change func(*Session)
		code   fault.Code
	}{
		{"no name", func(s *Session) { s.Name = "" }, fault.InternalService},
		{"no end", func(s *Session) { s.Expires = 0 }, fault.InternalService},
		{"ends as it begins", func(s *Session) { s.Expires = s.Issued }, fault.InternalService},
		{"policy", func(s *Session) { s.Policy = json.RawMessage(`{"Statement":{}}`) }, fault.MalformedPolicyDocument},
		{"policy that is no JSON", func(s *Session) { s.Policy = json.RawMessage(`{`) }, fault.MalformedPolicyDocument},
		{"too much", func(s *Session) { s.SAML = map[string][]string{"saml:sub": {strings.Repeat("x", maxToken)}} }, fault.PackedPolicyTooLarge},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := deskSession()
			c.change(&s)
			if _, err := k.Issue(role, s); err == nil || fault.From(err).Code != c.code {
				t.Errorf("got %v, want %s", err, c.code)
			}
		})
	}
	// The longest that passes is one that a request can carry.
	s := deskSession()
	s.SAML = map[string][]string{"saml:sub": {strings.Repeat("x", maxToken*3/4-1000)}}
	made := issue(t, k, role, s)
	k.UseRoles(&rolesByName{roles: map[string]*Role{"desk": role}})
	if len(made.Token) > maxToken || find(t, k, made.ID, made.Token) == nil {
		t.Errorf("a token of %d characters is not found", len(made.Token))
	}
}

// TestRememberedSessionsAreBounded: whoever can have tokens made cannot fill the
// memory with them.
func TestRememberedSessionsAreBounded(t *testing.T) {
	roles := &rolesByName{roles: map[string]*Role{"desk": desk(t, allowAll)}}
	k := testKeys(t, testSecret, roles)
	s := Session{Name: "mary", Issued: 1, Expires: 2}
	for range maxOpened + 10 {
		made := issue(t, k, roles.roles["desk"], s)
		if find(t, k, made.ID, made.Token) == nil {
			t.Fatal("not found")
		}
		if find(t, k, made.ID, made.Token[1:]) != nil {
			t.Fatal("found with another token")
		}
	}
	if n := len(k.opened); n == 0 || n > maxOpened {
		t.Errorf("%d are remembered", n)
	}
}

// TestConcurrentSessions gives the race detector something to look at.
func TestConcurrentSessions(t *testing.T) {
	roles := &rolesByName{roles: map[string]*Role{"desk": desk(t, allowAll)}}
	k := testKeys(t, testSecret, roles)
	made := issue(t, k, roles.roles["desk"], deskSession())
	var wg sync.WaitGroup
	for range 4 {
		wg.Go(func() {
			for i := range 200 {
				if i%20 == 0 {
					roles.set("desk", desk(t, allowAll))
				}
				key, err := k.Find(context.Background(), made.ID, made.Token)
				if err != nil || key == nil || key.Principal.Authorize(Request{Action: "connect:DescribeUser", Resource: agent}) != nil {
					t.Errorf("%v, %v", key, err)
				}
			}
		})
	}
	wg.Wait()
}

// TestSessionPolicy: a session may do what its role and its own policy both
// allow, and an explicit deny in either settles the matter (IAM User Guide,
// "Session policies"; messages: "Troubleshoot access denied error messages").
func TestSessionPolicy(t *testing.T) {
	const (
		denyUser     = `{"Version":"2012-10-17","Statement":{"Effect":"Deny","Action":"connect:DescribeUser","Resource":"*"}}`
		allowButUser = `{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"*","Resource":"*"},{"Effect":"Deny","Action":"connect:DescribeUser","Resource":"*"}]}`
		tagged       = `{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":"*","Resource":"*","Condition":{"StringEquals":{"aws:PrincipalTag/Department":"Support"}}}}`
		elsewhere    = `{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":"*","Resource":"*","Condition":{"StringEquals":{"aws:PrincipalTag/Department":"Sales"}}}}`
	)
	const (
		noIdentity    = "because no identity-based policy allows the connect:DescribeUser action"
		noSession     = "because no session policy allows the connect:DescribeUser action"
		identityDenie = "with an explicit deny in an identity-based policy"
		sessionDenies = "with an explicit deny in a session policy"
	)
	for _, c := range []struct {
		name, role, session string
		why                 string // empty: allowed
	}{
		{"no session policy", allowAll, "", ""},
		{"no session policy, nothing allowed", readOnlyOther, "", noIdentity},
		{"both allow", allowAll, readOnly, ""},
		{"only the role allows", allowAll, readOnlyOther, noSession},
		{"only the session allows", readOnlyOther, allowAll, noIdentity},
		{"neither allows", readOnlyOther, readOnlyOther, noIdentity},
		{"the session denies", allowAll, allowButUser, sessionDenies},
		{"the session denies what nothing allows", readOnlyOther, denyUser, sessionDenies},
		{"the role denies", allowButUser, allowAll, identityDenie},
		{"both deny", denyUser, denyUser, identityDenie},
		{"the role denies what the session does not allow", denyUser, readOnlyOther, identityDenie},
		{"conditions about the session", tagged, tagged, ""},
		{"conditions of the session policy", tagged, elsewhere, noSession},
		{"conditions of the role", elsewhere, tagged, noIdentity},
	} {
		t.Run(c.name, func(t *testing.T) {
			s := deskSession()
			s.Policy = json.RawMessage(c.session)
			p, err := testKeys(t, testSecret, nil).AssumedRole(desk(t, c.role), s)
			if err != nil {
				t.Fatal(err)
			}
			err = p.Authorize(Request{Action: "connect:DescribeUser", Resource: agent, Context: p})
			if c.why == "" {
				if err != nil {
					t.Error(err)
				}
				return
			}
			want := "User: arn:aws:sts::123456789012:assumed-role/desk/mary is not authorized to perform: connect:DescribeUser on resource: " + agent + " " + c.why
			if !fault.Is(err, fault.AccessDenied) || fault.From(err).Message != want {
				t.Errorf("got  %v\nwant %s", err, want)
			}
		})
	}
}

// readOnlyOther allows what the tests do not ask for.
const readOnlyOther = `{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":"connect:List*","Resource":"*"}}`

// TestPrincipalKeys holds what conditions learn of principals to the IAM User
// Guide's tables ("Principal key values", "AWS global condition context keys").
func TestPrincipalKeys(t *testing.T) {
	role := desk(t, allowAll)
	k := testKeys(t, testSecret, nil)
	bare, err := k.AssumedRole(role, Session{Name: "mary", Issued: testTime.Unix(), Expires: testTime.Unix() + 1})
	if err != nil {
		t.Fatal(err)
	}
	federated, err := k.AssumedRole(role, deskSession())
	if err != nil {
		t.Fatal(err)
	}
	user := k.principal("ops", mustParse(t, allowAll)[0])
	const absent = "-"
	for _, c := range []struct {
		key                         string
		root, user, bare, federated string
	}{
		{"aws:principalarn", "arn:aws:iam::123456789012:root", "arn:aws:iam::123456789012:user/ops", role.ARN, "arn:aws:iam::123456789012:role/desk"},
		{"aws:principaltype", "Account", "User", "AssumedRole", "AssumedRole"},
		{"aws:principalaccount", testAccount, testAccount, testAccount, testAccount},
		{"aws:principalisawsservice", "false", "false", "false", "false"},
		{"aws:username", absent, "ops", absent, absent},
		{"aws:userid", testAccount, user.UserID, role.ID + ":mary", role.ID + ":mary"},
		{"aws:tokenissuetime", absent, absent, "2026-03-01T12:00:00Z", "2026-03-01T12:00:00Z"},
		{"aws:multifactorauthpresent", absent, absent, "false", "false"},
		{"aws:principaltag/Department", absent, absent, absent, "Support"},
		{"aws:principaltag/department", absent, absent, absent, "Support"},
		{"aws:principaltag/Team", absent, absent, absent, absent},
		{"aws:sourceidentity", absent, absent, absent, "mary.major"},
		{"aws:federatedprovider", absent, absent, absent, "arn:aws:iam::123456789012:saml-provider/idp"},
		{"saml:sub", absent, absent, absent, "m-1"},
		{"saml:iss", absent, absent, absent, absent},
		{"aws:sourceip", absent, absent, absent, absent},
	} {
		for who, want := range map[*Principal]string{k.root.Principal: c.root, user: c.user, bare: c.bare, federated: c.federated} {
			got := absent
			if values, ok := who.Lookup(c.key); ok {
				got = strings.Join(values, ",")
			}
			if got != want {
				t.Errorf("%s of %s is %s, want %s", c.key, who.ARN, got, want)
			}
		}
	}
	for _, id := range []string{user.UserID, role.ID} {
		if len(id) != 21 {
			t.Errorf("the id %s has %d characters, want 21", id, len(id))
		}
	}
}

// TestRequester: a context tells who asks, and one of nobody's is safe to ask.
func TestRequester(t *testing.T) {
	ctx := context.Background()
	if p := PrincipalOf(ctx); p != nil {
		t.Errorf("somebody asks: %+v", p)
	}
	if _, ok := ContextOf(ctx).Lookup("aws:sourceip"); ok {
		t.Error("something is known of no request")
	}
	p := &Principal{ARN: "arn:aws:iam::123456789012:user/ops"}
	if ctx := WithRequester(ctx, p, nil); PrincipalOf(ctx) != p {
		t.Error("another asks")
	} else if _, ok := ContextOf(ctx).Lookup("aws:sourceip"); ok {
		t.Error("something is known of a request without conditions")
	}
	ctx = WithRequester(ctx, p, Values{"aws:SourceIp": {"192.0.2.1"}})
	if got, _ := ContextOf(ctx).Lookup("aws:sourceip"); !slices.Equal(got, []string{"192.0.2.1"}) {
		t.Errorf("aws:SourceIp is %q", got)
	}
}

// FuzzSessionToken shows that nothing but a token that was issued opens, and
// only with its id, whatever strangers send.
func FuzzSessionToken(f *testing.F) {
	role := desk(f, allowAll)
	roles := &rolesByName{roles: map[string]*Role{"desk": role}}
	k := testKeys(f, testSecret, roles)
	// Fuzzing runs in several processes, for which it must be the same token.
	const id = "ASIAEXAMPLEEXAMPLE00"
	doc, err := json.Marshal(Session{Role: "desk", Name: "mary", Issued: 1, Expires: 2, Policy: json.RawMessage(readOnly)})
	if err != nil {
		f.Fatal(err)
	}
	nonce := make([]byte, k.tokens.NonceSize())
	genuine := tokenText.EncodeToString(k.tokens.Seal(nonce, nonce, append(make([]byte, secretBytes), doc...), []byte(id)))
	if find(f, k, id, genuine) == nil {
		f.Fatal("it is no token")
	}
	f.Add(id, genuine)
	f.Add(id, genuine[:40])
	f.Add(id, genuine+"A")
	f.Add("ASIAAAAAAAAAAAAAAAAA", genuine)
	f.Add("ASIA", "")
	f.Add("ASIA", strings.Repeat("AAAA", 30))
	f.Fuzz(func(t *testing.T, askedID, token string) {
		if !temporary(askedID) {
			return
		}
		key, err := k.Find(context.Background(), askedID, token)
		if err != nil {
			t.Fatal(err)
		}
		if want := askedID == id && token == genuine; (key != nil) != want {
			t.Fatalf("%q with %q: found is %t", askedID, token, key != nil)
		}
	})
}

// BenchmarkFindSession measures what temporary credentials add to each request:
// opened before, and for the first time, with a session policy.
func BenchmarkFindSession(b *testing.B) {
	role := desk(b, allowAll)
	roles := &rolesByName{roles: map[string]*Role{"desk": role}}
	for _, remember := range []bool{true, false} {
		b.Run(fmt.Sprintf("remembered=%t", remember), func(b *testing.B) {
			k := testKeys(b, testSecret, roles)
			made := issue(b, k, role, deskSession())
			b.ReportAllocs()
			for b.Loop() {
				if !remember {
					clear(k.opened)
				}
				if find(b, k, made.ID, made.Token) == nil {
					b.Fatal("not found")
				}
			}
		})
	}
}
