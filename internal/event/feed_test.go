package event

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"ringdown/internal/store"
)

var errAway = errors.New("nobody answers")

func events(s Sink) Feed {
	return Feed{Name: "test", Stream: store.StreamEvents, Sink: s, FromStart: true}
}

// TestOrder: all entries of the stream arrive, once and in their order, those
// that are there at the start and those that come later, however many.
func TestOrder(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m, r := newMemory(), &recorder{}
		want := []string{}
		for i := range 250 {
			m.add(store.StreamEvents, fmt.Sprint("c", i%7))
			want = append(want, fmt.Sprint(i+1))
		}
		b, _ := open(t, Options{Store: m, Feeds: []Feed{events(r)}})
		synctest.Wait()
		same(t, "at the start", r.delivered(), want)
		m.add(store.StreamRecords, "c")
		m.add(store.StreamEvents, "c", "d")
		b.Wake()
		pass(gather)
		want = append(want, "252", "253")
		same(t, "woken", r.delivered(), want)
		m.add(store.StreamEvents, "c")
		pass(b.poll)
		same(t, "not woken", r.delivered(), append(want, "254"))
		same(t, "cursor", m.cursors["test/contact-events"], 2540)
	})
}

// TestGather: what is appended in a hurry is delivered together.
func TestGather(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m, r := newMemory(), &recorder{}
		b, _ := open(t, Options{Store: m, Feeds: []Feed{events(r)}})
		synctest.Wait()
		for range 5 {
			m.add(store.StreamEvents, "c")
			b.Wake()
			pass(gather / 10)
		}
		pass(gather)
		same(t, "calls", r.calls, []string{"[1 2 3 4 5]"})
	})
}

// TestBeginning: a feed that is new begins with what happens then, and with
// nothing later, even if it never delivered anything before a restart.
func TestBeginning(t *testing.T) {
	for _, c := range []struct {
		before    []string
		fromStart bool
		want      string
	}{
		{nil, false, "[1 2]"},
		{[]string{"a", "b"}, false, "[3 4]"},
		{[]string{"a", "b"}, true, "[1 2 3 4]"},
	} {
		synctest.Test(t, func(t *testing.T) {
			m := newMemory()
			m.add(store.StreamEvents, c.before...)
			away := &recorder{answer: func(_ context.Context, _ int, e []*store.Entry) ([]*store.Entry, error) { return e, errAway }}
			feed := events(away)
			feed.FromStart = c.fromStart
			b, _ := open(t, Options{Store: m, Feeds: []Feed{feed}})
			m.add(store.StreamEvents, "c", "d")
			b.Wake()
			pass(time.Second)
			same(t, "Close", b.Close(), nil)
			r := &recorder{}
			feed.Sink = r
			open(t, Options{Store: m, Feeds: []Feed{feed}})
			synctest.Wait()
			same(t, fmt.Sprint(c), r.delivered(), c.want)
		})
	}
}

// TestRetry: a sink that fails is asked again, less and less often, and for
// ever; it is logged twice, at the beginning and at the end. Another sink does
// not notice.
func TestRetry(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m, other := newMemory(), &recorder{}
		r := &recorder{answer: func(_ context.Context, call int, e []*store.Entry) ([]*store.Entry, error) {
			if call < 14 {
				return e, errAway
			}
			return nil, nil
		}}
		m.add(store.StreamEvents, "a", "b")
		b, l := open(t, Options{Store: m, Feeds: []Feed{events(r), {Name: "other", Stream: store.StreamEvents, Sink: other, FromStart: true}}})
		synctest.Wait()
		same(t, "other", other.delivered(), "[1 2]")
		b.Wake() // does not cut the pause short
		pass(time.Hour)
		same(t, "delivered", r.delivered(), "[1 2]")
		pause := firstPause
		for i := 1; i < len(r.times); i++ {
			if got := r.times[i].Sub(r.times[i-1]); got < pause/2 || got > pause {
				t.Errorf("the pause after failure %d was %s, want %s to %s", i, got, pause/2, pause)
			}
			pause = min(2*pause, longestPause)
		}
		same(t, "lines of log", strings.Count(l.String(), "\n"), 2)
		for _, want := range []string{"level=WARN", "not delivered", "sink=test/contact-events", errAway.Error(), "delivered again", "failures=13"} {
			if !strings.Contains(l.String(), want) {
				t.Errorf("the log lacks %q: %s", want, l)
			}
		}
	})
}

// TestPauses: what will not pass soon is not asked soon, and who asks for time
// gets it, up to the longest pause.
func TestPauses(t *testing.T) {
	for _, c := range []struct {
		err      error
		from, to time.Duration
	}{
		{errAway, firstPause / 2, firstPause},
		{fmt.Errorf("wrapped: %w", refusal{errAway}), longestPause / 2, longestPause},
		{later{errAway, 7 * time.Second}, 7 * time.Second, 7 * time.Second},
		{later{errAway, time.Hour}, longestPause, longestPause},
	} {
		synctest.Test(t, func(t *testing.T) {
			m := newMemory()
			m.add(store.StreamEvents, "a")
			r := &recorder{answer: func(_ context.Context, call int, e []*store.Entry) ([]*store.Entry, error) {
				if call == 1 {
					return e, c.err
				}
				return nil, nil
			}}
			open(t, Options{Store: m, Feeds: []Feed{events(r)}})
			pass(2 * longestPause)
			if len(r.times) != 2 {
				t.Fatalf("%v: %d calls", c.err, len(r.times))
			}
			if got := r.times[1].Sub(r.times[0]); got < c.from || got > c.to {
				t.Errorf("%v: a pause of %s, want %s to %s", c.err, got, c.from, c.to)
			}
		})
	}
}

// TestPartly: what was not taken is tried alone and at once, and after a crash
// everything from the first of it on.
func TestPartly(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := newMemory()
		m.add(store.StreamEvents, "a", "b", "c", "d")
		r := &recorder{answer: func(_ context.Context, call int, e []*store.Entry) ([]*store.Entry, error) {
			if call == 1 {
				return []*store.Entry{e[1], e[3]}, errAway
			}
			return e, errAway
		}}
		b, l := open(t, Options{Store: m, Feeds: []Feed{events(r)}})
		synctest.Wait()
		same(t, "calls", r.calls, []string{"[1 2 3 4]", "[2 4]"})
		same(t, "at once", r.times[1].Sub(r.times[0]), time.Duration(0))
		same(t, "lines of log", strings.Count(l.String(), "\n"), 1)
		same(t, "Close", b.Close(), nil)
		again := &recorder{}
		open(t, Options{Store: m, Feeds: []Feed{events(again)}})
		synctest.Wait()
		same(t, "after a crash", again.calls, []string{"[2 3 4]"})
	})
}

// TestCursorBehind: while the store cannot be told how far a feed has come,
// nothing is delivered twice, nor anything new; a crash then repeats with the
// same ids.
func TestCursorBehind(t *testing.T) {
	for _, crash := range []bool{false, true} {
		synctest.Test(t, func(t *testing.T) {
			m, r := newMemory(), &recorder{}
			b, l := open(t, Options{Store: m, Feeds: []Feed{events(r)}})
			synctest.Wait()
			m.add(store.StreamEvents, "a", "b")
			m.setBroken(errors.New("no disk"))
			b.Wake()
			pass(time.Minute)
			m.add(store.StreamEvents, "c")
			b.Wake()
			pass(10 * time.Minute)
			same(t, "calls", r.calls, []string{"[1 2]"})
			if crash {
				same(t, "Close", b.Close(), nil)
				if !strings.Contains(l.String(), "may be delivered again") {
					t.Errorf("the log does not tell: %s", l)
				}
			}
			m.setBroken(nil)
			if crash {
				open(t, Options{Store: m, Feeds: []Feed{events(r)}})
			}
			pass(2 * longestPause)
			want := []string{"[1 2]", "[3]"}
			if crash {
				want[1] = "[1 2 3]"
			}
			same(t, "then", r.calls, want)
		})
	}
}

// TestUndeliverable: what a sink can never take is left out and told.
func TestUndeliverable(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := newMemory()
		m.add(store.StreamEvents, "a", "b", "c")
		r := &recorder{answer: func(_ context.Context, _ int, e []*store.Entry) ([]*store.Entry, error) {
			if e[0].ID == "2" {
				return e, fmt.Errorf("%w: too long", ErrUndeliverable)
			}
			return e[1:], nil
		}}
		b, l := open(t, Options{Store: m, Feeds: []Feed{events(r)}})
		synctest.Wait()
		same(t, "delivered", r.delivered(), "[1 3]")
		same(t, "cursor", m.cursors["test/contact-events"], 30)
		if !strings.Contains(l.String(), "level=ERROR") || !strings.Contains(l.String(), "id=2") || !strings.Contains(l.String(), "too long") {
			t.Errorf("the log does not tell: %s", l)
		}
		same(t, "metrics", gathered(t, b), "delivered 2 failures 0 undeliverable 1 lag 0")
	})
}

// TestMetrics: they tell of what was delivered, of failures, and for how long
// something has been waiting.
func TestMetrics(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := newMemory()
		m.add(store.StreamEvents, "a", "b")
		r := &recorder{answer: func(_ context.Context, call int, e []*store.Entry) ([]*store.Entry, error) {
			if call == 1 {
				return e[1:], nil
			}
			return e, refusal{errAway}
		}}
		b, _ := open(t, Options{Store: m, Feeds: []Feed{events(r)}})
		pass(20 * time.Second)
		same(t, "metrics", gathered(t, b), "delivered 1 failures 1 undeliverable 0 lag 20")
	})
}

// gathered shows the metrics of the feed "test".
func gathered(t *testing.T, b *Outbox) string {
	t.Helper()
	registry := prometheus.NewPedanticRegistry()
	registry.MustRegister(b)
	families, err := registry.Gather()
	if err != nil {
		t.Fatal(err)
	}
	values := map[string]float64{}
	for _, f := range families {
		for _, m := range f.GetMetric() {
			if f.GetName() == "ringdown_events_lag_seconds" {
				values[f.GetName()] = m.GetGauge().GetValue()
			} else {
				values[f.GetName()] = m.GetCounter().GetValue()
			}
			same(t, "labels", m.GetLabel()[0].GetValue()+" "+m.GetLabel()[1].GetValue(), "test contact-events")
		}
	}
	return fmt.Sprintf("delivered %v failures %v undeliverable %v lag %v",
		values["ringdown_events_delivered_total"], values["ringdown_events_failures_total"],
		values["ringdown_events_undeliverable_total"], values["ringdown_events_lag_seconds"])
}

// TestClose: it waits for the delivery under way and delivers what was appended
// just before, but not for ever; it may be called twice.
func TestClose(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m, gate := newMemory(), make(chan struct{})
		r := &recorder{answer: func(_ context.Context, call int, _ []*store.Entry) ([]*store.Entry, error) {
			if call == 1 {
				<-gate
			}
			return nil, nil
		}}
		m.add(store.StreamEvents, "a")
		b, _ := open(t, Options{Store: m, Feeds: []Feed{events(r)}})
		synctest.Wait()
		ended := make(chan error, 1)
		go func() { ended <- b.Close() }()
		synctest.Wait()
		if len(ended) > 0 {
			t.Fatal("Close does not wait for the delivery under way")
		}
		m.add(store.StreamEvents, "b")
		close(gate)
		same(t, "Close", <-ended, nil)
		same(t, "Close again", b.Close(), nil)
		same(t, "delivered", r.delivered(), "[1 2]")
		same(t, "cursor", m.cursors["test/contact-events"], 20)
		same(t, "sink closed", r.closed, 1)
		b.Wake() // harmless
	})
	synctest.Test(t, func(t *testing.T) {
		m := newMemory()
		r := &recorder{answer: func(ctx context.Context, _ int, e []*store.Entry) ([]*store.Entry, error) {
			<-ctx.Done()
			return e, ctx.Err()
		}}
		m.add(store.StreamEvents, "a")
		b, _ := open(t, Options{Store: m, Feeds: []Feed{events(r)}, Grace: 3 * time.Second})
		synctest.Wait()
		before := time.Now()
		same(t, "Close", b.Close(), nil)
		same(t, "it took", time.Since(before), 3*time.Second)
		same(t, "cursor", m.cursors["test/contact-events"], beginning)
	})
	var none *Outbox
	none.Wake()
	same(t, "Close of nil", none.Close(), nil)
}

// TestSlowSink: a delivery is given up after a time, and the next one succeeds.
func TestSlowSink(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m := newMemory()
		r := &recorder{answer: func(ctx context.Context, call int, e []*store.Entry) ([]*store.Entry, error) {
			if call == 1 {
				<-ctx.Done()
				return e, ctx.Err()
			}
			return nil, nil
		}}
		m.add(store.StreamEvents, "a")
		open(t, Options{Store: m, Feeds: []Feed{events(r)}})
		pass(attemptTime + firstPause)
		same(t, "delivered", r.delivered(), "[1]")
	})
}

// TestShared: of servers that share a store one at a time delivers; another one
// takes over when it has nothing to do, and, after the lease, when it is gone.
func TestShared(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		m, gate := newMemory(), make(chan struct{})
		first := &recorder{answer: func(ctx context.Context, call int, e []*store.Entry) ([]*store.Entry, error) {
			switch call {
			case 1:
				<-gate
				return nil, nil
			case 2: // as a server that hangs
				gate <- struct{}{}
				return e, errAway
			default:
				return nil, nil
			}
		}}
		second := &recorder{}
		m.add(store.StreamEvents, "a")
		b1, _ := open(t, Options{Store: m, Feeds: []Feed{events(first)}, Shared: true})
		synctest.Wait()
		b2, _ := open(t, Options{Store: m, Feeds: []Feed{events(second)}, Shared: true})
		pass(10 * time.Second)
		same(t, "while the first one delivers", second.delivered(), "[]")
		close(gate)
		synctest.Wait()
		m.add(store.StreamEvents, "b")
		b2.Wake()
		pass(gather)
		same(t, "first", first.delivered(), "[1]")
		same(t, "second", second.delivered(), "[2]")

		gate = make(chan struct{})
		m.add(store.StreamEvents, "c")
		b1.Wake()
		pass(leaseTime - time.Second)
		same(t, "within the lease", second.delivered(), "[2]")
		pass(2 * time.Second)
		same(t, "after the lease", second.delivered(), "[2 3]")
		<-gate // the first one comes to, and must not go on
		pass(2 * leaseTime)
		same(t, "first calls", first.calls, []string{"[1]", "[3]"})
		same(t, "cursor", m.cursors["test/contact-events"], 30)
	})
}
