package federation_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"log/slog"
	"strings"
	"sync"
	"testing"
	"time"

	"ringdown/internal/audit"
	"ringdown/internal/fault"
	"ringdown/internal/federation"
	"ringdown/internal/iam"
	"ringdown/internal/store"
	"ringdown/internal/store/sqlstore"
)

// clock is what all in a test go by.
type clock struct {
	mu  sync.Mutex
	now time.Time
}

func (c *clock) Now() time.Time {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.now
}

func (c *clock) advance(d time.Duration) {
	c.mu.Lock()
	c.now = c.now.Add(d)
	c.mu.Unlock()
}

// lines is an audit log to be read.
type lines struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (l *lines) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(p)
}

func (l *lines) Close() error { return nil }

func (l *lines) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.String()
}

// last is the last event.
func (l *lines) last(t testing.TB) audit.Event {
	t.Helper()
	all := strings.Split(strings.TrimSpace(l.String()), "\n")
	var e audit.Event
	if err := json.Unmarshal([]byte(all[len(all)-1]), &e); err != nil {
		t.Fatalf("the audit log ends in %q: %v", all[len(all)-1], err)
	}
	return e
}

// world is a federation with what it stands on.
type world struct {
	*federation.Federation
	clock *clock
	dir   string
	store store.Store
	keys  *iam.Keys
	audit *lines
	log   *bytes.Buffer
}

// newWorld has a federation with a configuration, over a fresh store.
func newWorld(t testing.TB, more ...func(*federation.Options)) *world {
	t.Helper()
	w := &world{clock: &clock{now: start}, dir: t.TempDir()}
	w.open(t, more...)
	return w
}

// open opens the store, as a start of the server does.
func (w *world) open(t testing.TB, more ...func(*federation.Options)) {
	t.Helper()
	var err error
	if w.store, err = sqlstore.Open(t.Context(), sqlstore.Options{Dir: w.dir, Now: w.clock.Now}); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = w.store.Close() })
	w.join(t, more...)
}

// join makes another federation of the store, as another server has.
func (w *world) join(t testing.TB, more ...func(*federation.Options)) *federation.Federation {
	t.Helper()
	w.audit, w.log = &lines{}, &bytes.Buffer{}
	logger := slog.New(slog.NewTextHandler(w.log, nil))
	o := federation.Options{
		Store: w.store, Account: account, OwnAudience: func() string { return own },
		Recipient: func(to string) bool { return to == acs || to == "https://signin.aws.amazon.com/saml" },
		Audit:     audit.New(w.audit, w.clock.Now, logger), Logger: logger, Now: w.clock.Now,
	}
	for _, m := range more {
		m(&o)
	}
	f, err := federation.New(o)
	if err != nil {
		t.Fatal(err)
	}
	w.keys, err = iam.NewKeys(iam.KeysOptions{
		Store: w.store, Account: account, RootID: "AKIAROOT", RootSecret: "the root's secret", Now: w.clock.Now, Logger: logger, Roles: f,
	})
	if err != nil {
		t.Fatal(err)
	}
	f.Use(w.keys)
	w.Federation = f
	return f
}

// configured is a configuration with a provider and a role of it.
func configured(o *federation.Options) {
	o.Providers = append(o.Providers, federation.ProviderConfig{Name: "corp", Metadata: genuine().metadata(entityID)})
	o.Roles = append(o.Roles,
		federation.RoleConfig{Name: "agents", Providers: []string{"corp"}, MaxSession: 4 * time.Hour},
		federation.RoleConfig{Name: "leads", Providers: []string{"corp"}},
		federation.RoleConfig{Name: "others", AssumedBy: []string{"account"}},
	)
}

// refusal checks the fault that an error is.
func refusal(t testing.TB, err error, code fault.Code, message string) {
	t.Helper()
	f, ok := errors.AsType[*fault.Error](err)
	if !ok || f.Code != code || !strings.Contains(f.Message, message) {
		t.Errorf("got %v\nwant %s with %q", err, code, message)
	}
}

func policy(t testing.TB, doc string) *iam.Policy {
	t.Helper()
	p, err := iam.ParsePolicy([]byte(doc))
	if err != nil {
		t.Fatal(err)
	}
	return p
}
