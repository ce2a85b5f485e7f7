package audit

import (
	"fmt"
	"log/slog"
	"net/netip"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"
)

// stranger is what anybody can cause.
func stranger(from string) Event {
	return Event{Event: AssumeRole, Outcome: Refused, Reason: "no such provider", From: from}
}

// newLimited returns a log whose clock is that of the bubble.
func newLimited(t *testing.T) (*Log, *file) {
	t.Helper()
	f := &file{}
	return New(f, time.Now, slog.New(slog.DiscardHandler)), f
}

// tally counts the lines of an event, and what NotRecorded stands for.
func tally(t *testing.T, f *file) (written, counted, told int) {
	t.Helper()
	for _, e := range f.events(t) {
		if e.Event == NotRecorded {
			counted += e.Count
			told++
			if e.Outcome != Refused || e.Count == 0 || e.Time.IsZero() {
				t.Errorf("%+v", e)
			}
			continue
		}
		written++
	}
	return written, counted, told
}

func want(t *testing.T, f *file, written, counted, told int) {
	t.Helper()
	if w, c, n := tally(t, f); w != written || c != counted || n != told {
		t.Fatalf("%d lines are written and %d counted in %d more, want %d, %d, %d", w, c, n, written, counted, told)
	}
}

// TestStranger: an address that is refused again and again has some lines, then
// one at a time, and the rest are counted, once a period.
func TestStranger(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		l, f := newLimited(t)
		flood := func(n int) {
			for range n {
				l.Record(t.Context(), stranger("192.0.2.1"))
			}
		}
		flood(10_000)
		want(t, f, burst, 0, 0)
		pass(period + time.Second)
		want(t, f, burst, 10_000-burst, 1)
		pass(10 * period)
		want(t, f, burst, 10_000-burst, 1) // nothing to tell
		flood(burst)                       // of which some have come back
		back := int((11*period + time.Second) / every)
		want(t, f, burst+back, 10_000-burst, 1)
		// Others are none the worse for it.
		l.Record(t.Context(), stranger("192.0.2.2"))
		want(t, f, burst+back+1, 10_000-burst, 1)
		for range 2 { // the end tells what is left
			if err := l.Close(); err != nil {
				t.Fatal(err)
			}
		}
		want(t, f, burst+back+1, 10_000-back, 2)
		flood(1)
		pass(2 * period)
		want(t, f, burst+back+1, 10_000-back, 2)
	})
}

// pass has time go by, and what is due be done.
func pass(d time.Duration) {
	<-time.After(d)
	synctest.Wait()
}

// TestManyStrangers: however many addresses somebody has, the file grows no
// faster than all strangers together may have it grow, and little is remembered.
func TestManyStrangers(t *testing.T) {
	for _, c := range []struct {
		name       string
		many       int
		apart      time.Duration
		written    int
		remembered int // at most
	}{
		{"at once", 5000, 0, allBurst, allBurst},
		{"for a while", 6000, allEvery / 4, allBurst + 6000/4, manyAddresses},
		{"no faster than they may", 5000, allEvery, 5000, manyAddresses},
	} {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				l, f := newLimited(t)
				a := netip.MustParseAddr("10.0.0.1")
				for range c.many {
					l.Record(t.Context(), stranger(a.String()))
					a = a.Next()
					<-time.After(c.apart)
				}
				if n := len(l.limit.from); n > c.remembered {
					t.Errorf("%d addresses are remembered", n)
				}
				if err := l.Close(); err != nil {
					t.Fatal(err)
				}
				written, counted, _ := tally(t, f)
				if diff := written - c.written; diff < -1 || diff > 1 || written+counted != c.many {
					t.Errorf("%d lines are written and %d counted, of %d; want %d", written, counted, c.many, c.written)
				}
			})
		})
	}
}

// TestNeverLeftOut: what is known to be somebody's is written down, however much
// of it there is, and whatever strangers do meanwhile.
func TestNeverLeftOut(t *testing.T) {
	for _, c := range []struct {
		name  string
		event Event
		all   bool
	}{
		{"a success", Event{Event: SignIn, Outcome: OK, UserID: "u"}, true},
		{"a success of nobody that is named", Event{Event: ProviderAdd, Outcome: OK}, true},
		{"a wrong password", Event{Event: SignIn, Outcome: Refused, User: "ana", UserID: "u"}, true},
		{"a lock-out", Event{Event: Lockout, Outcome: Refused, User: "ana", UserID: "u"}, true},
		{"a principal's refusal", Event{Event: AssumeRole, Outcome: Refused, Principal: "arn:aws:iam::1:user/a"}, true},
		{"a principal's failure", Event{Event: AssumeRole, Outcome: Failed, Principal: "arn:aws:iam::1:user/a"}, true},
		{"a SCIM token's refusal", Event{Event: Provisioning, Outcome: Refused, Key: "k"}, true},
		{"no such user", Event{Event: SignIn, Outcome: Refused}, false},
		{"no such SCIM token", Event{Event: Provisioning, Outcome: Refused}, false},
		{"a bad assertion, for a role that there is", Event{Event: AssumeRole, Outcome: Refused, Role: "arn:aws:iam::1:role/a", Provider: "corp"}, false},
		{"a directory that is down", Event{Event: SignIn, Outcome: Failed, User: "ana", UserID: "u"}, false},
		{"another link for a user", Event{Event: PasswordReset, Outcome: Refused, User: "ana", UserID: "u"}, false},
	} {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				l, f := newLimited(t)
				for range 2 * burst {
					c.event.From = "192.0.2.1"
					l.Record(t.Context(), c.event)
				}
				written := 2 * burst
				if !c.all {
					written = burst
				}
				want(t, f, written, 0, 0)
				if err := l.Close(); err != nil {
					t.Fatal(err)
				}
			})
		})
	}
}

// TestLongReason: what is repeated of what strangers send is short.
func TestLongReason(t *testing.T) {
	f := &file{}
	l, _ := newLog(t, f)
	e := stranger("192.0.2.1")
	e.Reason = strings.Repeat("é", 10_000)
	l.Record(t.Context(), e)
	e.Principal = "arn:aws:iam::1:user/a"
	l.Record(t.Context(), e)
	all := f.events(t)
	if n := len(all[0].Reason); n > maxReason+len("…") || !strings.HasSuffix(all[0].Reason, "é…") {
		t.Errorf("a stranger's reason has %d bytes", n)
	}
	if all[1].Reason != e.Reason {
		t.Error("a principal's reason is cut")
	}
}

// TestNetwork: lines of a list count together, and not with those of another.
func TestNetwork(t *testing.T) {
	same := [][]string{
		{"192.0.2.1", "::ffff:192.0.2.1"},
		{"192.0.2.2"},
		{"2001:db8::1", "2001:db8::ffff", "2001:db8::1%eth0"},
		{"2001:db8:0:1::1"},
		{"", "nobody"},
	}
	l := &limit{}
	for i, list := range same {
		for _, a := range list {
			if !l.allows(a, time.Unix(0, 0)) || len(l.from) != i+1 {
				t.Fatalf("with %q there are %d networks, want %d", a, len(l.from), i+1)
			}
		}
	}
}

// TestStrangersAtOnce: every line is written or counted, whoever writes and
// closes at the same time.
func TestStrangersAtOnce(t *testing.T) {
	const writers, each = 8, 500
	f := &file{}
	l, _ := newLog(t, f)
	var wg sync.WaitGroup
	for w := range writers {
		wg.Go(func() {
			for range each {
				l.Record(t.Context(), stranger(fmt.Sprintf("192.0.2.%d", w)))
			}
		})
	}
	wg.Wait()
	var closers sync.WaitGroup
	for range 2 {
		closers.Go(func() {
			if err := l.Close(); err != nil {
				t.Error(err)
			}
		})
	}
	closers.Wait()
	written, counted, _ := tally(t, f)
	if written != writers*burst || written+counted != writers*each {
		t.Errorf("%d lines are written and %d counted", written, counted)
	}
	if !slices.ContainsFunc(f.events(t), func(e Event) bool { return e.Event == NotRecorded }) {
		t.Error("the end does not tell")
	}
}
