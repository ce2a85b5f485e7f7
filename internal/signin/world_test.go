package signin

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"log/slog"
	"net/netip"
	"strings"
	"sync"
	"testing"
	"time"

	"ringdown/internal/audit"
	"ringdown/internal/domain"
	"ringdown/internal/fault"
	"ringdown/internal/identity"
	"ringdown/internal/mail"
	"ringdown/internal/store"
	"ringdown/internal/store/sqlstore"
)

// clock is a time that tests move.
type clock struct {
	mu sync.Mutex
	t  time.Time
}

func (c *clock) now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.t
}

func (c *clock) add(d time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.t = c.t.Add(d)
}

// book is the audit log, and the server's, as text.
type book struct {
	mu sync.Mutex
	bytes.Buffer
}

func (b *book) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.Buffer.Write(p)
}

func (b *book) Close() error { return nil }

func (b *book) text() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.String()
}

// events are the lines of the audit log.
func (b *book) events(t *testing.T) (all []audit.Event) {
	t.Helper()
	d := json.NewDecoder(strings.NewReader(b.text()))
	for {
		var e audit.Event
		err := d.Decode(&e)
		if errors.Is(err, io.EOF) {
			return all
		}
		if err != nil {
			t.Fatal(err)
		}
		all = append(all, e)
	}
}

// people is a People in memory. A user that is deleted goes from the store too,
// as it does for real.
type people struct {
	mu       sync.Mutex
	places   map[string]*Instance
	users    map[string]*User // by instance id and id
	profiles map[domain.InstanceID]*domain.AuthenticationProfile
	finds    int // by name
}

func (p *people) Instance(_ context.Context, idOrAlias string) (*Instance, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, in := range p.places {
		if string(in.ID) == idOrAlias || strings.EqualFold(in.Alias, idOrAlias) {
			c := *in
			return &c, nil
		}
	}
	return nil, fault.New(fault.ResourceNotFound, "Instance not found.")
}

func (p *people) User(_ context.Context, in *Instance, username string) (*User, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.finds++
	for key, u := range p.users {
		if strings.HasPrefix(key, string(in.ID)) && u.Username == username {
			c := *u
			return &c, nil
		}
	}
	return nil, fault.New(fault.UserNotFound, "User not found.")
}

func (p *people) UserByID(_ context.Context, in *Instance, id string) (*User, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if u := p.users[string(in.ID)+id]; u != nil {
		c := *u
		return &c, nil
	}
	return nil, fault.New(fault.UserNotFound, "User not found.")
}

func (p *people) SetPassword(_ context.Context, in *Instance, id, old, hash string, chosen bool) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	u := p.users[string(in.ID)+id]
	switch {
	case u == nil:
		return fault.New(fault.UserNotFound, "User not found.")
	case u.PasswordHash != old:
		return ErrChanged
	}
	u.PasswordHash, u.PasswordChosen = hash, chosen
	return nil
}

func (p *people) Bind(_ context.Context, in *Instance, id, principal string) error {
	p.mu.Lock()
	defer p.mu.Unlock()
	u := p.users[string(in.ID)+id]
	switch {
	case u == nil:
		return fault.New(fault.UserNotFound, "User not found.")
	case u.FederatedBy != "" && u.FederatedBy != principal:
		return fault.New(fault.DuplicateResource, "The user %s is already associated with the Amazon Connect instance %s", u.Username, in.ID)
	}
	u.FederatedBy = principal
	return nil
}

func (p *people) Profile(_ context.Context, in *Instance) (*domain.AuthenticationProfile, error) {
	p.mu.Lock()
	defer p.mu.Unlock()
	c := *p.profiles[in.ID]
	return &c, nil
}

// change changes a user as the API or SCIM would.
func (p *people) change(in *Instance, id string, f func(*User)) {
	p.mu.Lock()
	defer p.mu.Unlock()
	f(p.users[string(in.ID)+id])
}

// letters takes messages.
type letters struct {
	mu   sync.Mutex
	sent []mail.Message
	err  error
}

func (l *letters) Send(_ context.Context, m mail.Message) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.err == nil {
		l.sent = append(l.sent, m)
	}
	return l.err
}

func (l *letters) all() []mail.Message {
	l.mu.Lock()
	defer l.mu.Unlock()
	return append([]mail.Message(nil), l.sent...)
}

// world is a Service with three instances, one of each identity type.
type world struct {
	*Service
	clock                    *clock
	people                   *people
	audit, log               *book
	letters                  *letters
	store                    store.Store
	managed, saml, directory *Instance
	decided                  chan struct{} // has one for each link that was decided on
}

const base = "https://connect.example.org"

func newWorld(t *testing.T, change ...func(*Options)) *world {
	t.Helper()
	w := &world{
		clock:   &clock{t: time.Date(2026, 3, 2, 8, 0, 0, 0, time.UTC)},
		people:  &people{places: map[string]*Instance{}, users: map[string]*User{}, profiles: map[domain.InstanceID]*domain.AuthenticationProfile{}},
		audit:   &book{},
		log:     &book{},
		letters: &letters{},
	}
	var err error
	if w.store, err = sqlstore.Open(t.Context(), sqlstore.Options{Dir: t.TempDir(), Now: w.clock.now}); err != nil {
		t.Fatal(err)
	}
	logger := slog.New(slog.NewTextHandler(w.log, nil))
	o := Options{
		Store: w.store, People: w.people, Passwords: identity.NewPasswords(), Mail: w.letters, RootSecret: "the root's secret",
		URL: func() string { return base }, Audit: audit.New(w.audit, w.clock.now, logger), Logger: logger, Now: w.clock.now,
	}
	for _, f := range change {
		f(&o)
	}
	if w.Service, err = New(o); err != nil {
		t.Fatal(err)
	}
	send := w.resets.send
	w.decided = make(chan struct{}, 1000)
	w.resets.send = func(ctx context.Context, a asked) {
		send(ctx, a)
		w.decided <- struct{}{}
	}
	t.Cleanup(func() {
		for range 2 {
			if err := w.Close(); err != nil {
				t.Error(err)
			}
		}
		if err := w.store.Close(); err != nil {
			t.Error(err)
		}
	})
	w.managed = w.instance(t, "acme", domain.ConnectManaged)
	w.saml = w.instance(t, "corp", domain.SAML)
	w.directory = w.instance(t, "office", domain.ExistingDirectory)
	return w
}

func (w *world) instance(t *testing.T, alias string, identity domain.IdentityManagementType) *Instance {
	t.Helper()
	in := &Instance{ID: domain.InstanceID(domain.NewID()), Alias: alias, Region: "us-east-1", Identity: identity}
	in.ARN = "arn:aws:connect:us-east-1:123456789012:instance/" + string(in.ID)
	if identity == domain.ExistingDirectory {
		in.DirectoryID = "d-0123456789"
	}
	in.PK = w.insert(t, store.Root, domain.KindInstance, string(in.ID))
	w.people.mu.Lock()
	defer w.people.mu.Unlock()
	w.people.places[alias] = in
	w.people.profiles[in.ID] = &domain.AuthenticationProfile{MaxSessionDuration: 720}
	return in
}

// insert makes the record that memos are forgotten with.
func (w *world) insert(t *testing.T, in store.PK, kind domain.Kind, id string) (pk store.PK) {
	t.Helper()
	err := w.store.Update(t.Context(), func(tx store.Tx) error {
		r := &store.Record{Instance: in, Kind: kind, ID: id, Doc: []byte("{}")}
		err := tx.Insert(t.Context(), r, nil)
		pk = r.PK
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return pk
}

// user makes a user; f may change it before.
func (w *world) user(t *testing.T, in *Instance, name string, f ...func(*User)) *User {
	t.Helper()
	id := domain.NewID()
	u := &User{ID: id, ARN: in.ARN + "/agent/" + id, Username: name, FirstName: "Ana", Email: name + "@example.org", PK: w.insert(t, in.PK, domain.KindUser, id)}
	for _, change := range f {
		change(u)
	}
	w.people.mu.Lock()
	defer w.people.mu.Unlock()
	c := *u
	w.people.users[string(in.ID)+id] = &c
	return u
}

// quick is a hash that takes no time, of the password "Passw0rd": argon2id with
// 8 KiB, once.
const (
	password = "Passw0rd"
	quick    = "$argon2id$v=19$m=8,t=1,p=1$c2FsdHNhbHQ$jTV8rwieqGcm62rYHNL2rQ"
)

// delete removes a user, and what goes with it.
func (w *world) delete(t *testing.T, in *Instance, u *User) {
	t.Helper()
	w.people.mu.Lock()
	delete(w.people.users, string(in.ID)+u.ID)
	w.people.mu.Unlock()
	err := w.store.Update(t.Context(), func(tx store.Tx) error {
		r, err := tx.Get(t.Context(), in.PK, domain.KindUser, u.ID)
		if err != nil {
			return err
		}
		return tx.Delete(t.Context(), r)
	})
	if err != nil {
		t.Fatal(err)
	}
}

func (w *world) profile(in *Instance, f func(*domain.AuthenticationProfile)) {
	w.people.mu.Lock()
	defer w.people.mu.Unlock()
	f(w.people.profiles[in.ID])
}

func from(address string) Visitor {
	return Visitor{Address: netip.MustParseAddr(address), RequestID: "request-1"}
}

var here = from("192.0.2.1")

// open signs somebody in who must be let in.
func (w *world) open(t *testing.T, in *Instance, name, password string) *Opened {
	t.Helper()
	o, err := w.SignIn(t.Context(), in, here, name, password)
	if err != nil {
		t.Fatal(err)
	}
	return o
}

// wantRefusal checks that an error is a refusal for a reason.
func wantRefusal(t *testing.T, err error, want Reason) *Refusal {
	t.Helper()
	r, ok := errors.AsType[*Refusal](err)
	if !ok || r.Reason != want {
		t.Fatalf("got %v, want %q", err, want)
	}
	return r
}

// wantSession checks whether a token opens a session.
func (w *world) wantSession(t *testing.T, token string, want bool) *Session {
	t.Helper()
	s, err := w.Session(t.Context(), here, token)
	if want && err != nil || !want && !errors.Is(err, ErrNoSession) {
		t.Fatalf("session: %+v, %v; want one: %t", s, err, want)
	}
	return s
}

// last is the newest event of a name, written or not.
func (w *world) last(t *testing.T, name audit.Name) audit.Event {
	t.Helper()
	all := w.audit.events(t)
	for i := len(all) - 1; i >= 0; i-- {
		if all[i].Event == name {
			return all[i]
		}
	}
	t.Fatalf("no event %s in the audit log", name)
	return audit.Event{}
}

// wantLast checks the newest event of a name: outcome, door, user, and a part of
// the reason.
func (w *world) wantLast(t *testing.T, name audit.Name, outcome audit.Outcome, door Door, user, reason string) audit.Event {
	t.Helper()
	e := w.last(t, name)
	if e.Outcome != outcome || e.Door != string(door) || e.User != user || (user == "") != (e.UserID == "") || !strings.Contains(e.Reason, reason) || reason == "" && e.Reason != "" {
		t.Errorf("the audit log has %+v, want %s by %s of %q: %q", e, outcome, door, user, reason)
	}
	return e
}

// wantSecret checks that something is in neither log.
func (w *world) wantSecret(t *testing.T, secrets ...string) {
	t.Helper()
	for _, s := range secrets {
		if s == "" || strings.Contains(w.audit.text(), s) || strings.Contains(w.log.text(), s) {
			t.Errorf("%q is in a log", s)
		}
	}
}

// hashed gives a user a password with the parameters of today.
func (w *world) hashed(t *testing.T, password string) func(*User) {
	t.Helper()
	if hash, ok := hashes.Load(password); ok {
		return withHash(hash.(string))
	}
	hash, err := w.opts.Passwords.Hash(t.Context(), password)
	if err != nil {
		t.Fatal(err)
	}
	hashes.Store(password, hash)
	return withHash(hash)
}

// hashes are those that have been made, by their passwords: each takes a while.
var hashes sync.Map

func withHash(hash string) func(*User) { return func(u *User) { u.PasswordHash = hash } }
