package server

import (
	"bytes"
	"encoding/json"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"ringdown/internal/audit"
	"ringdown/internal/logfile"
)

// auditFolder is a data folder with an audit log.
type auditFolder struct {
	t    *testing.T
	dir  string
	said *bytes.Buffer // by the server's log
}

func newAuditFolder(t *testing.T) *auditFolder {
	return &auditFolder{t, t.TempDir(), &bytes.Buffer{}}
}

func (a *auditFolder) path() string { return filepath.Join(a.dir, "audit.jsonl") }

// open opens the log as a server does, but for when its file is full.
func (a *auditFolder) open(limit int64) *audit.Log {
	a.t.Helper()
	logger := slog.New(slog.NewTextHandler(a.said, nil))
	at := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
	now := func() time.Time { return at }
	l, err := openAudit(&Config{Data: a.dir, Now: now, Logger: logger})
	if err != nil {
		a.t.Fatal(err)
	}
	if limit > 0 {
		if err := l.Close(); err != nil {
			a.t.Fatal(err)
		}
		l = audit.New(logfile.New(a.path(), logfile.Options{Limit: limit, Now: now}), now, logger)
	}
	a.t.Cleanup(func() { l.Close() })
	return l
}

func (a *auditFolder) record(l *audit.Log, users ...string) {
	for _, u := range users {
		l.Record(a.t.Context(), audit.Event{Event: audit.SignIn, Outcome: audit.OK, User: u})
	}
}

// users are those of a file's events, and what else is on its lines.
func (a *auditFolder) users(name string) string {
	a.t.Helper()
	raw, err := os.ReadFile(filepath.Join(a.dir, name))
	if err != nil {
		a.t.Fatal(err)
	}
	var users []string
	for line := range strings.Lines(string(raw)) {
		var e audit.Event
		if json.Unmarshal([]byte(line), &e) != nil || !strings.HasSuffix(line, "\n") {
			users = append(users, fmt.Sprintf("%q", line))
			continue
		}
		users = append(users, e.User)
	}
	return strings.Join(users, " ")
}

func (a *auditFolder) files() string {
	a.t.Helper()
	entries, err := os.ReadDir(a.dir)
	if err != nil {
		a.t.Fatal(err)
	}
	var names []string
	for _, e := range entries {
		names = append(names, e.Name())
	}
	return strings.Join(names, " ")
}

func (a *auditFolder) check(what, got, want string) {
	a.t.Helper()
	if got != want {
		a.t.Errorf("%s: it is %s, want %s", what, got, want)
	}
}

func TestOpenAudit(t *testing.T) {
	a := newAuditFolder(t)
	a.record(a.open(0), "a", "b")
	a.record(a.open(0), "c") // as after another start
	a.check("events", a.users("audit.jsonl"), "a b c")
	info, err := os.Stat(a.path())
	if err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("the mode is %v, %v", info.Mode(), err)
	}
	elsewhere := filepath.Join(t.TempDir(), "sign-ins.log")
	cfg := &Config{Data: a.dir, SignIn: SignIn{Audit: elsewhere}, Now: time.Now, Logger: slog.New(slog.DiscardHandler)}
	l, err := openAudit(cfg)
	if err != nil {
		t.Fatal(err)
	}
	a.record(l, "d")
	if err := l.Close(); err != nil {
		t.Error(err)
	}
	if raw, err := os.ReadFile(elsewhere); err != nil || !bytes.Contains(raw, []byte(`"user":"d"`)) {
		t.Errorf("where it was told to write is %q, %v", raw, err)
	}
	for _, bad := range []string{a.dir, "/dev/null", filepath.Join(a.dir, "none", "audit.jsonl")} {
		cfg.SignIn.Audit = bad
		if _, err := openAudit(cfg); err == nil || !strings.Contains(err.Error(), "sign-in: audit: ") {
			t.Errorf("%s: %v", bad, err)
		}
	}
}

// A line that was cut by the end of the machine is ended before the next.
func TestAuditAfterCrash(t *testing.T) {
	a := newAuditFolder(t)
	if err := os.WriteFile(a.path(), []byte(`{"user":"a"}`+"\n"+`{"user":"b`), 0o600); err != nil {
		t.Fatal(err)
	}
	a.record(a.open(0), "c")
	a.check("events", a.users("audit.jsonl"), `a "{\"user\":\"b\n" c`)
	a.record(a.open(0), "d")
	a.check("events", a.users("audit.jsonl"), `a "{\"user\":\"b\n" c d`)
}

func TestAuditIsSetAside(t *testing.T) {
	a := newAuditFolder(t)
	l := a.open(100) // a line has some 80 bytes
	a.record(l, "a", "b", "c", "d")
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
	// The clock stands still, so names have numbers.
	const base = "audit-20260301T120000.000000Z"
	a.check("files", a.files(), base+"-2.jsonl "+base+"-3.jsonl "+base+".jsonl audit.jsonl")
	for name, want := range map[string]string{base + ".jsonl": "a", base + "-2.jsonl": "b", base + "-3.jsonl": "c", "audit.jsonl": "d"} {
		a.check(name, a.users(name), want)
	}
	if a.said.Len() != 0 {
		t.Errorf("the log says %s", a.said)
	}
}

// An event that is larger than a file is written all the same.
func TestAuditLargeEvent(t *testing.T) {
	a := newAuditFolder(t)
	l := a.open(100)
	long := strings.Repeat("x", 200)
	a.record(l, long, long)
	a.check("events", a.users("audit.jsonl"), long)
	a.check("files", a.files(), "audit-20260301T120000.000000Z.jsonl audit.jsonl")
}

// A file that cannot be set aside grows, and the log tells.
func TestAuditCannotBeSetAside(t *testing.T) {
	a := newAuditFolder(t)
	name := strings.Repeat("n", 240) // with a time, longer than a name may be
	l := audit.New(logfile.New(filepath.Join(a.dir, name), logfile.Options{Limit: 100, Now: time.Now}), time.Now, slog.New(slog.NewTextHandler(a.said, nil)))
	a.record(l, "a", "b", "c")
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
	a.check("events", a.users(name), "a b c")
	if n := strings.Count(a.said.String(), "level=ERROR"); n != 2 {
		t.Errorf("the log has %d errors: %s", n, a.said)
	}
}

// Whoever renames, removes or empties the file gets a new one.
func TestAuditIsMoved(t *testing.T) {
	a := newAuditFolder(t)
	l := a.open(0)
	a.record(l, "a")
	if err := os.Rename(a.path(), a.path()+".1"); err != nil {
		t.Fatal(err)
	}
	a.record(l, "b")
	a.check("what was renamed", a.users("audit.jsonl.1"), "a")
	a.check("what is new", a.users("audit.jsonl"), "b")
	if err := os.Remove(a.path()); err != nil {
		t.Fatal(err)
	}
	a.record(l, "c", "d")
	a.check("after it was removed", a.users("audit.jsonl"), "c d")
	if err := os.Truncate(a.path(), 0); err != nil {
		t.Fatal(err)
	}
	a.record(l, "e")
	a.check("after it was emptied", a.users("audit.jsonl"), "e")
	// A folder in its place: events are lost, and told of, until it is gone.
	if err := os.Rename(a.path(), a.path()+".2"); err != nil {
		t.Fatal(err)
	}
	if err := os.Mkdir(a.path(), 0o700); err != nil {
		t.Fatal(err)
	}
	a.record(l, "f")
	if n := strings.Count(a.said.String(), "level=ERROR"); n != 1 {
		t.Errorf("the log has %d errors: %s", n, a.said)
	}
	if err := os.Remove(a.path()); err != nil {
		t.Fatal(err)
	}
	a.record(l, "g")
	a.check("after the folder", a.users("audit.jsonl"), "g")
}

// Two processes, or a server and a command, write to one file.
func TestAuditOfTwo(t *testing.T) {
	a := newAuditFolder(t)
	one, two := a.open(0), a.open(0)
	var wg sync.WaitGroup
	for _, l := range []*audit.Log{one, two} {
		wg.Go(func() {
			for range 500 {
				a.record(l, "a")
			}
		})
	}
	wg.Wait()
	a.check("events", a.users("audit.jsonl"), strings.TrimSpace(strings.Repeat("a ", 1000)))
}
