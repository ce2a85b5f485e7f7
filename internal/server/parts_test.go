package server

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"regexp"
	"runtime"
	"runtime/debug"
	"slices"
	"strings"
	"testing"
	"time"
)

// held is what the process holds, its goroutines and open files, by what names
// each of them for as long as it is there.
type held struct{ goroutines, files map[string]string }

var goroutine = regexp.MustCompile(`^goroutine \d+ `)

// holds looks at what the process holds.
func holds(t *testing.T) held {
	t.Helper()
	now := held{map[string]string{}, map[string]string{}}
	stacks := make([]byte, 8<<20)
	for _, stack := range strings.Split(string(stacks[:runtime.Stack(stacks, true)]), "\n\n") {
		now.goroutines[goroutine.FindString(stack)] = stack
	}
	files, err := os.ReadDir("/proc/self/fd")
	if err != nil && runtime.GOOS == "linux" {
		t.Fatal(err)
	}
	for _, f := range files { // none where they cannot be seen
		if to, err := os.Readlink(filepath.Join("/proc/self/fd", f.Name())); err == nil { // else it is that of the list itself
			now.files[f.Name()+" "+to] = to
		}
	}
	return now
}

// collectNothing lets nobody close a file that was forgotten, as the garbage
// collector does.
func collectNothing(t *testing.T) {
	t.Helper()
	percent := debug.SetGCPercent(-1)
	t.Cleanup(func() { debug.SetGCPercent(percent) })
}

// returns checks that the process holds no more than before. Files are closed by
// now; a goroutine may end a little after whoever waits for it has been told.
func (before held) returns(t *testing.T) {
	t.Helper()
	now := holds(t)
	for name, file := range now.files {
		if _, ok := before.files[name]; !ok {
			t.Errorf("left open: %s", file)
		}
	}
	debug.SetGCPercent(100) // collectNothing has done its work, and what follows may take long
	for deadline := time.After(30 * time.Second); ; now = holds(t) {
		var more []string
		for name, stack := range now.goroutines {
			if _, ok := before.goroutines[name]; !ok && !strings.Contains(stack, "server.holds(") {
				more = append(more, stack)
			}
		}
		if len(more) == 0 {
			return
		}
		select {
		case <-deadline:
			t.Fatalf("left behind:\n%s", strings.Join(more, "\n\n"))
		default:
			runtime.Gosched()
		}
	}
}

// everyPart is a configuration with which every part has something to do.
func everyPart(t *testing.T) Config {
	t.Helper()
	cfg := Config{Listen: "127.0.0.1:0", SIPListen: "127.0.0.1:0", Data: t.TempDir()}
	if err := cfg.complete(); err != nil {
		t.Fatal(err)
	}
	return cfg
}

// TestNothingIsLeft: whichever part cannot be opened, before it has begun or half
// way, nothing is left of it nor of those before it, and the next start finds
// everything free.
func TestNothingIsLeft(t *testing.T) {
	cfg := everyPart(t)
	first, err := Start(t.Context(), cfg)
	if err != nil {
		t.Fatal(err)
	}
	if err := first.Close(); err != nil {
		t.Fatal(err)
	}
	before := holds(t) // what the first server has brought along for good is there
	failed := errors.New("it does not open")
	for i, p := range first.parts.all {
		for _, begins := range []bool{false, true} {
			t.Run(fmt.Sprintf("%s, half way %v", p.name, begins), func(t *testing.T) {
				collectNothing(t)
				s, err := prepare(cfg)
				if err != nil {
					t.Fatal(err)
				}
				begin := s.parts.all[i].open
				s.parts.all[i].open = func(ctx context.Context) error {
					if begins && begin != nil {
						if err := begin(ctx); err != nil {
							t.Error(err)
						}
					}
					return failed
				}
				var closed []string
				for j := range s.parts.all {
					name, end := s.parts.all[j].name, s.parts.all[j].close
					s.parts.all[j].close = func() error {
						closed = append(closed, name)
						if end == nil {
							return nil
						}
						return end()
					}
				}
				if err := s.parts.open(t.Context()); !errors.Is(err, failed) || err.Error() != failed.Error() {
					t.Errorf("error is %v", err)
				}
				before.returns(t)
				var want []string
				for _, p := range slices.Backward(s.parts.all[:i+1]) {
					want = append(want, p.name)
				}
				if !slices.Equal(closed, want) {
					t.Errorf("closed are %q, want %q", closed, want)
				}
				if err := s.Close(); err != nil {
					t.Errorf("after a start that failed: %v", err)
				}
			})
		}
	}
	collectNothing(t)
	last, err := Start(t.Context(), cfg)
	if err != nil {
		t.Fatal(err)
	}
	if err := last.Close(); err != nil {
		t.Error(err)
	}
	before.returns(t)
}

// TestFailedStarts: what really goes wrong at a start, from the configuration to
// the last part, leaves nothing behind either.
func TestFailedStarts(t *testing.T) {
	taken, err := (&net.ListenConfig{}).Listen(t.Context(), "tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer taken.Close()
	warm, err := Start(t.Context(), everyPart(t))
	if err != nil {
		t.Fatal(err)
	}
	if err := warm.Close(); err != nil {
		t.Fatal(err)
	}
	before := holds(t)
	// folder puts a folder where a file is looked for.
	folder := func(name string) func(*testing.T, *Config) {
		return func(t *testing.T, c *Config) {
			t.Helper()
			if err := os.MkdirAll(filepath.Join(c.Data, name, "x"), 0o700); err != nil {
				t.Fatal(err)
			}
		}
	}
	// file puts a file where a folder, or another file, is looked for.
	file := func(name string) func(*testing.T, *Config) {
		return func(t *testing.T, c *Config) {
			t.Helper()
			if err := os.WriteFile(filepath.Join(c.Data, name), []byte("nonsense"), 0o600); err != nil {
				t.Fatal(err)
			}
		}
	}
	for _, c := range []struct {
		name, want string
		spoil      func(*testing.T, *Config)
	}{
		{"no service of objects", "objects: ", func(_ *testing.T, c *Config) { c.Objects.Endpoint = "nonsense" }},
		{"no voice", "--rtp-ports", func(_ *testing.T, c *Config) { c.RTPPorts = "nonsense" }},
		{"no topics", "streaming: ", func(_ *testing.T, c *Config) { c.Streaming.Endpoint = "nonsense" }},
		{"no directory", "sign-in: directories[0]", func(_ *testing.T, c *Config) { c.SignIn.Directories = []LDAPDirectory{{}} }},
		{"no webhook", "events: webhook", func(_ *testing.T, c *Config) { c.Events.Webhook = &EventsWebhook{} }},
		{"no numbers", "number", func(_ *testing.T, c *Config) { c.Numbers = []Number{{Number: "1"}} }},
		{"no certificate", "--tls-cert", func(_ *testing.T, c *Config) {
			c.TLSCert, c.TLSKey = filepath.Join(c.Data, "none.pem"), filepath.Join(c.Data, "none.key")
		}},
		{"no database", "ringdown.db", folder("ringdown.db")},
		{"no root", "root credentials", file(rootFile)},
		{"no objects", "objects: ", file(objectsFolder)},
		{"no audit log", "sign-in: audit: ", folder(auditFileName)},
		{"no metadata", "sign-in: saml[0]: metadata", func(_ *testing.T, c *Config) {
			c.SignIn.SAML = []SAMLProvider{{Name: "x", Metadata: filepath.Join(c.Data, "none")}}
		}},
		{"no spool of recordings", "recordings", file("recordings")},
		{"the port of SIP is taken", "--sip-listen: ", func(_ *testing.T, c *Config) { c.SIPListen = taken.Addr().String() }},
		{"the port is taken", "--listen: ", func(_ *testing.T, c *Config) { c.Listen = taken.Addr().String() }},
		{"no file for the address", endpointFile, folder(endpointFile)},
	} {
		t.Run(c.name, func(t *testing.T) {
			collectNothing(t)
			cfg := everyPart(t)
			c.spoil(t, &cfg)
			s, err := Start(t.Context(), cfg)
			if err == nil {
				_ = s.Close()
			}
			if err == nil || !strings.Contains(err.Error(), c.want) {
				t.Errorf("error is %v, want one about %q", err, c.want)
			}
			before.returns(t)
		})
	}
}

// TestStopInOrder: calls are given time to end while everything works, then all
// is closed in the reverse order of its opening, whatever fails in between.
func TestStopInOrder(t *testing.T) {
	s, err := prepare(everyPart(t))
	if err != nil {
		t.Fatal(err)
	}
	var opened, ended []string
	failed := errors.New("it does not close")
	for i := range s.parts.all {
		p := &s.parts.all[i]
		begin, drain, end := p.open, p.drain, p.close
		p.open = func(ctx context.Context) error {
			opened = append(opened, p.name)
			if begin == nil {
				return nil
			}
			return begin(ctx)
		}
		if drain != nil {
			p.drain = func() {
				ended = append(ended, "drain "+p.name)
				drain()
			}
		}
		p.close = func() error {
			ended = append(ended, p.name)
			if end != nil {
				if err := end(); err != nil {
					t.Error(err)
				}
			}
			if p.name == "contacts" {
				return failed
			}
			return nil
		}
	}
	if err := s.parts.open(t.Context()); err != nil {
		t.Fatal(err)
	}
	for range 2 {
		if err := s.Close(); !errors.Is(err, failed) {
			t.Errorf("error is %v, want that of the part", err)
		}
	}
	slices.Reverse(opened)
	if want := append([]string{"drain calls"}, opened...); !slices.Equal(ended, want) {
		t.Errorf("ended in the order %q, want %q", ended, want)
	}
	// What must end before what, whatever comes between.
	order := []string{"drain calls", "web", "WebSockets", "test cases", "calls", "contacts", "events", "identities", "files", "store"}
	at := -1
	for _, name := range order {
		i := slices.Index(ended, name)
		if i <= at {
			t.Errorf("%s ends too early: %q", name, ended)
		}
		at = i
	}
}
