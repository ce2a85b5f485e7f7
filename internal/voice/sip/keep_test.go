package sip

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"maps"
	"net/netip"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"ringdown/internal/voice/sip/auth"
	"ringdown/internal/voice/sip/wire"
)

// memory is a Memory.
type memory struct {
	mu     sync.Mutex
	notes  map[string]Note
	writes int
	fail   error
}

func newMemory() *memory { return &memory{notes: map[string]Note{}} }

func (m *memory) Recall(_ context.Context, name string) ([]byte, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.notes[name].Value, m.fail
}

func (m *memory) Remember(ctx context.Context, notes []Note) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if err := errors.Join(m.fail, ctx.Err()); err != nil {
		return err
	}
	m.writes++
	for _, n := range notes {
		m.notes[n.Name] = n
	}
	return nil
}

// copied is what is remembered now.
func (m *memory) copied() *memory {
	m.mu.Lock()
	defer m.mu.Unlock()
	return &memory{notes: maps.Clone(m.notes)}
}

// text is all that is remembered.
func (m *memory) text() string {
	m.mu.Lock()
	defer m.mu.Unlock()
	var b strings.Builder
	for _, n := range m.notes {
		b.Write(n.Value)
	}
	return b.String()
}

func (m *memory) count() int {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.writes
}

// TestKept: a telephone is called by the endpoint that comes after the one that it has
// registered with, be that closed or killed, until its registration expires.
func TestKept(t *testing.T) {
	for _, killed := range []bool{true, false} {
		synctest.Test(t, func(t *testing.T) {
			m := newMemory()
			set := func(o *Options) {
				o.Trunks = []Trunk{{Name: "phones", Registrar: true, InboundUsername: "u", InboundPassword: "p"}}
				o.Memory = m
			}
			r := newRig(t, set)
			phone := r.peer("203.0.113.1:40000")
			l := phone.leg("1001")
			contact := "Contact: <sip:1001:word@10.0.0.7:5062>"
			l.send("REGISTER", contact, "Expires: 600")
			req := request(t, mREGISTER, "203.0.113.1:40000", "UDP")
			if retry, err := auth.Authorize(req, phone.response(401), "u", "p", ""); err != nil || !retry {
				t.Fatal(retry, err)
			}
			l.send("REGISTER", contact, "Expires: 600", "Authorization: "+wire.Field(req, "Authorization"))
			phone.response(200)
			synctest.Wait()
			if killed {
				m = m.copied()
			}
			_ = r.e.Close()
			_ = r.e.Close()
			if got := m.text(); strings.Contains(got, "word") || !strings.Contains(got, "10.0.0.7:5062") {
				t.Errorf("remembered: %s", got)
			}
			<-time.After(5 * time.Minute)

			next := newRig(t, set)
			again := next.peer("203.0.113.1:40000")
			ears := newEars()
			if trunk, ok := next.e.Route("1001"); !ok || trunk != "phones" {
				t.Fatalf("calls go out by %q", trunk)
			}
			call, err := next.e.Dial(Invitation{Trunk: "phones", To: "1001", From: "1000", Media: ears.media, Hear: ears.hear})
			if err != nil {
				t.Fatal(err)
			}
			again.answer(again.request(mINVITE), 200, "x", "Contact: <sip:1001@10.0.0.7:5062>", contentType, "", "v=0 answer")
			again.request(mACK)
			ears.want(t, Answered)
			call.Hangup()
			again.answer(again.request(mBYE), 200, "")
			ears.over(t, HungUpHere, 0)
			<-time.After(5 * time.Minute)
			if _, ok := next.e.Route("1001"); ok {
				t.Error("it is called after its registration has expired")
			}
			_ = next.e.Close()
		})
	}
}

// TestRestored: what is remembered counts as far as it still makes sense.
func TestRestored(t *testing.T) {
	trunks := []Trunk{
		{Name: "open", Registrar: true, InboundUsername: "u", InboundPassword: "p"},
		{Name: "listed", Registrar: true, Sources: prefixes("203.0.113.0/24")},
		{Name: "plain", Sources: prefixes("203.0.113.0/24")},
	}
	c := newClock()
	good := kept{
		User: "1001", Trunk: "open", URI: "sip:1001@10.0.0.7:5062", Source: netip.MustParseAddrPort("203.0.113.1:40000"),
		Transport: "UDP", CallID: "a", CSeq: 7, Expires: c.at.Add(time.Minute), Updated: c.at.Add(-time.Minute),
	}
	for _, test := range []struct {
		name   string
		change func(k *kept)
		want   bool
	}{
		{"as it is", func(*kept) {}, true},
		{"of a trunk with sources", func(k *kept) { k.Trunk = "listed" }, true},
		{"from elsewhere", func(k *kept) { k.Trunk = "listed"; k.Source = netip.MustParseAddrPort("198.51.100.1:5060") }, false},
		{"of a trunk that takes none", func(k *kept) { k.Trunk = "plain" }, false},
		{"of a trunk that is gone", func(k *kept) { k.Trunk = "gone" }, false},
		{"expired", func(k *kept) { k.Expires = c.at }, false},
		{"for ever", func(k *kept) { k.Expires = c.at.Add(48 * time.Hour) }, false},
		{"no address", func(k *kept) { k.URI = "1001" }, false},
		{"no source", func(k *kept) { k.Source = netip.AddrPort{} }, false},
		{"over a connection", func(k *kept) { k.Transport, k.URI = "TCP", "sip:1001@203.0.113.1:5060;transport=tcp" }, true},
		{"over a connection, with a name", func(k *kept) { k.Transport, k.URI = "TLS", "sip:1001@phone.example" }, true},
		{"over a connection, behind NAT", func(k *kept) { k.Transport = "TCP" }, false},
		{"over a connection, with a name of none", func(k *kept) { k.Transport, k.URI = "TCP", "sip:1001@f00.invalid" }, false},
	} {
		t.Run(test.name, func(t *testing.T) {
			g := newGuard(trunks, Limits{}, c.now)
			r := newRegistrar(g, c.now)
			k := good
			test.change(&k)
			r.restore(k, g.trunks)
			r.restore(k, g.trunks) // twice is once
			got, ok := r.lookup("1001")
			if ok != test.want {
				t.Fatalf("known %v, want %v", ok, test.want)
			}
			if !ok {
				return
			}
			if got.uri.String() != k.URI || got.source != k.Source || got.transport != k.Transport || got.trunk.Name != k.Trunk || r.count != 1 {
				t.Errorf("got %+v, %d in all", got, r.count)
			}
			if !g.known(k.Source) {
				t.Error("its address is not heard")
			}
		})
	}
}

// TestWrites: what is new, elsewhere or gone is written soon, what only lasts longer
// once a minute, and many at a time together.
func TestWrites(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		r := newRegistering(t)
		r.r.now = time.Now
		r.g.now = time.Now
		m := newMemory()
		r.r.keep(t.Context(), m, r.g.trunks, slog.New(slog.DiscardHandler))
		const here, there = "203.0.113.1:40000", "203.0.113.1:40001"
		contact := func(n int) string { return fmt.Sprintf("Contact: <sip:%d@10.0.0.5>", n) }
		seq := 0
		register := func(source string, more ...string) {
			seq++
			if status, _ := r.send(source, "a", seq, more...); status != 200 {
				t.Fatal(status)
			}
		}
		for _, step := range []struct {
			what   string
			do     func()
			writes int
		}{
			{"new", func() { register(here, contact(100)) }, 1},
			{"again", func() { register(here, contact(100)) }, 0},
			{"from elsewhere", func() { register(there, contact(100)) }, 1},
			{"for shorter", func() { register(there, contact(100)+";expires=600") }, 1},
			{"every ten seconds for ten minutes", func() {
				for range 60 {
					register(there, contact(100))
					<-time.After(10 * time.Second)
				}
			}, 10},
			{"a query", func() { register(there) }, 0},
			{"gone", func() { register(there, contact(100)+";expires=0") }, 1},
			{"a storm", func() {
				for n := range 1000 {
					register(here, contact(n), fmt.Sprintf("To: <sip:%d@ringdown.example>", n))
				}
			}, 2},
		} {
			before := m.count()
			step.do()
			<-time.After(2 * writeEvery)
			if got := m.count() - before; got > step.writes || got == 0 && step.writes > 0 {
				t.Errorf("%s: %d writes, want %d", step.what, got, step.writes)
			}
		}
		// A memory that fails for a while misses nothing, and the last write has what
		// only lasts longer.
		m.mu.Lock()
		m.fail = errors.New("no room")
		m.mu.Unlock()
		register(here, "Contact: <sip:late@10.0.0.5>", "To: <sip:late@ringdown.example>")
		<-time.After(2 * writeEvery)
		m.mu.Lock()
		m.fail = nil
		m.mu.Unlock()
		register(here, "Contact: <sip:5@10.0.0.5>", "To: <sip:5@ringdown.example>")
		r.r.stop()
		r.r.stop()
		until := time.Time{}
		next := newRegistrar(r.g, time.Now)
		next.recall(t.Context(), m, r.g.trunks, slog.New(slog.DiscardHandler))
		for _, b := range next.users["5"] {
			until = b.expires
		}
		if next.count != 1001 || len(next.users["late"]) != 1 || !until.Equal(r.r.users["5"][0].expires) {
			t.Errorf("%d are remembered, late %v, until %v", next.count, next.users["late"], until)
		}
	})
}

// TestUnreadable: a memory that makes no sense, or cannot be read, is none.
func TestUnreadable(t *testing.T) {
	for _, m := range []*memory{
		{notes: map[string]Note{noteName(0): {Value: []byte("{")}}},
		{fail: errors.New("gone")},
	} {
		r := newRegistering(t)
		var told lines
		r.r.recall(t.Context(), m, r.g.trunks, told.logger())
		if r.r.count != 0 || told.messages()[0] == "" {
			t.Errorf("%d are known, told %q", r.r.count, told.messages())
		}
	}
}

// BenchmarkRegister is a REGISTER that changes nothing but its time, with a thousand
// telephones known.
func BenchmarkRegister(b *testing.B) {
	for _, keeps := range []bool{false, true} {
		b.Run(fmt.Sprintf("kept=%v", keeps), func(b *testing.B) {
			g := newGuard([]Trunk{{Name: "phones", Registrar: true}}, Limits{}, time.Now)
			r := newRegistrar(g, time.Now)
			if keeps {
				r.keep(b.Context(), newMemory(), g.trunks, slog.New(slog.DiscardHandler))
				defer r.stop()
			}
			for i := range b.N {
				n := i % 1000
				req := message(b, "REGISTER sip:ringdown.example SIP/2.0", "Via: SIP/2.0/UDP 10.0.0.5;branch=z9hG4bK1",
					"From: <sip:100@ringdown.example>;tag=1", fmt.Sprintf("To: <sip:%d@ringdown.example>", n),
					"Call-ID: a", fmt.Sprintf("CSeq: %d REGISTER", i+1), fmt.Sprintf("Contact: <sip:%d@10.0.0.5>", n))
				req.SetSource("203.0.113.1:40000")
				req.SetTransport("UDP")
				if res := r.handle(g.trunks[0], req); res.StatusCode != 200 {
					b.Fatal(res.StatusCode)
				}
			}
		})
	}
}
