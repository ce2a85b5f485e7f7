package sip

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/emiago/sipgo/sip"
)

// answering answers requests as it is told and notes them with their time.
type answering struct {
	t      *testing.T
	begin  time.Time
	answer func(n int, req *sip.Request) (int, []string) // 0: none, until the context is over

	mu   sync.Mutex
	sent []string
	reqs []*sip.Request
}

func newAnswering(t *testing.T, answer func(n int, req *sip.Request) (int, []string)) *answering {
	return &answering{t: t, begin: time.Now(), answer: answer}
}

func (a *answering) request(ctx context.Context, _ *Trunk, req *sip.Request) (*sip.Response, error) {
	if req.Contact() == nil {
		req.AppendHeader(&sip.ContactHeader{Address: sip.Uri{Scheme: "sip", User: "ringdown", Host: "192.0.2.1", Port: 5060}})
	}
	a.mu.Lock()
	expires := ""
	if h := req.GetHeader("Expires"); h != nil {
		expires = " " + h.Value()
	}
	a.sent = append(a.sent, fmt.Sprintf("%v %s %s%s", time.Since(a.begin).Truncate(time.Second), req.Method, req.Recipient.String(), expires))
	a.reqs = append(a.reqs, req)
	n := len(a.sent)
	a.mu.Unlock()
	if _, ok := ctx.Deadline(); !ok {
		a.t.Error("a request may take for ever")
	}
	status, fields := a.answer(n, req)
	if status == 0 {
		<-ctx.Done()
		return nil, ctx.Err()
	}
	if status < 0 {
		return nil, errors.New("no way there")
	}
	res := sip.NewResponseFromRequest(req, status, "X", nil)
	for _, f := range fields {
		name, value, _ := strings.Cut(f, ": ")
		if name == "Contact" {
			c := &sip.ContactHeader{}
			if _, err := sip.ParseAddressValue(value, &c.Address, &c.Params); err != nil {
				a.t.Error(err)
			}
			res.AppendHeader(c)
			continue
		}
		res.AppendHeader(sip.NewHeader(name, value))
	}
	return res, nil
}

// later lets time pass in a bubble of synctest.
func later(d time.Duration) { <-time.After(d) }

// count is how many requests there have been, and last the last of them.
func (a *answering) count() int {
	a.mu.Lock()
	defer a.mu.Unlock()
	return len(a.sent)
}

func (a *answering) last() string {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.sent[len(a.sent)-1]
}

// lines is a log of messages.
type lines struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (l *lines) Write(b []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.b.Write(b)
}

// messages are what has been logged, without times.
func (l *lines) messages() []string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return strings.Split(strings.TrimSpace(l.b.String()), "\n")
}

func (l *lines) logger() *slog.Logger {
	return slog.New(slog.NewTextHandler(l, &slog.HandlerOptions{ReplaceAttr: func(_ []string, a slog.Attr) slog.Attr {
		if a.Key == slog.TimeKey {
			return slog.Attr{}
		}
		return a
	}}))
}

func registeringTrunk() *Trunk {
	return &Trunk{
		Name: "out", Address: "sip:user@provider.example;transport=tcp", Register: true, Username: "u ser", Password: "secret", RegisterEvery: 10 * time.Minute,
	}
}

func TestRegistration(t *testing.T) {
	ok := func(fields ...string) func(int, *sip.Request) (int, []string) {
		return func(int, *sip.Request) (int, []string) { return 200, fields }
	}
	// The second REGISTER comes after a part of what was granted.
	for name, c := range map[string]struct {
		every      time.Duration
		answer     func(n int, req *sip.Request) (int, []string)
		asked      string // Expires of the first
		nth        int    // the request that is waited for
		least      time.Duration
		most       time.Duration
		registered bool
	}{
		"as asked":            {10 * time.Minute, ok(), "600", 2, 5 * time.Minute, 9 * time.Minute, true},
		"by default":          {0, ok(), "600", 2, 5 * time.Minute, 9 * time.Minute, true},
		"as granted":          {10 * time.Minute, ok("Expires: 100"), "600", 2, 50 * time.Second, 90 * time.Second, true},
		"as granted to us":    {10 * time.Minute, ok("Expires: 1000", "Contact: <sip:other@192.0.2.9>;expires=3000", "Contact: <sip:ringdown@192.0.2.1:5060>;expires=100"), "600", 2, 50 * time.Second, 90 * time.Second, true},
		"to the only contact": {10 * time.Minute, ok("Contact: <sip:ringdown@198.51.100.1:7777>;Expires=100"), "600", 2, 50 * time.Second, 90 * time.Second, true},
		"nearly nothing":      {10 * time.Minute, ok("Expires: 0"), "600", 2, 5 * time.Second, 9 * time.Second, true},
		"longer": {
			10 * time.Minute, func(n int, _ *sip.Request) (int, []string) {
				if n == 1 {
					return 423, []string{"Min-Expires: 3600"}
				}
				return 200, nil
			}, "600", 3, 30 * time.Minute, 54 * time.Minute, true,
		},
		"longer without a number": {10 * time.Minute, func(int, *sip.Request) (int, []string) { return 423, nil }, "600", 2, 22 * time.Second, 31 * time.Second, false},
		"longer, again and again": {10 * time.Minute, func(n int, _ *sip.Request) (int, []string) {
			return 423, []string{fmt.Sprintf("Min-Expires: %d", 600+n)}
		}, "600", 4, 22 * time.Second, 31 * time.Second, false},
		"refused":                  {10 * time.Minute, func(int, *sip.Request) (int, []string) { return 403, nil }, "600", 2, 22 * time.Second, 31 * time.Second, false},
		"refused for a time":       {10 * time.Minute, func(int, *sip.Request) (int, []string) { return 503, []string{"Retry-After: 120 (busy)"} }, "600", 2, 90 * time.Second, 121 * time.Second, false},
		"refused for a long time":  {10 * time.Minute, func(int, *sip.Request) (int, []string) { return 503, []string{"Retry-After: 999999;duration=1"} }, "600", 2, 22 * time.Minute, 31 * time.Minute, false},
		"no way":                   {10 * time.Minute, func(int, *sip.Request) (int, []string) { return -1, nil }, "600", 2, 22 * time.Second, 31 * time.Second, false},
		"no answer":                {10 * time.Minute, func(int, *sip.Request) (int, []string) { return 0, nil }, "600", 2, 62 * time.Second, 71 * time.Second, false},
		"many failures":            {10 * time.Minute, func(int, *sip.Request) (int, []string) { return 500, nil }, "600", 8, 45 * time.Minute, 98 * time.Minute, false},
		"sent in circles":          {10 * time.Minute, func(int, *sip.Request) (int, []string) { return 302, []string{"Contact: <sip:x@else.example>"} }, "600", 4, 22 * time.Second, 31 * time.Second, false},
		"sent to what is no place": {10 * time.Minute, func(int, *sip.Request) (int, []string) { return 302, []string{"Contact: <sip:x@else example>"} }, "600", 2, 22 * time.Second, 31 * time.Second, false},
		"sent nowhere":             {10 * time.Minute, func(int, *sip.Request) (int, []string) { return 301, nil }, "600", 2, 22 * time.Second, 31 * time.Second, false},
		"a password that is wrong": {10 * time.Minute, func(int, *sip.Request) (int, []string) { return 401, nil }, "600", 2, 22 * time.Second, 31 * time.Second, false},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				a := newAnswering(t, c.answer)
				tr := registeringTrunk()
				tr.RegisterEvery = c.every
				r := newRegistration(a, tr, new(lines).logger())
				r.start(t.Context())
				synctest.Wait()
				if want := "0s REGISTER sip:provider.example;transport=tcp " + c.asked; a.sent[0] != want {
					t.Errorf("sent %q, want %q", a.sent[0], want)
				}
				for a.count() < c.nth {
					later(time.Second)
					synctest.Wait()
				}
				if d := time.Since(a.begin); d < c.least || d > c.most+time.Second {
					t.Errorf("request %d came after %v, want %v to %v", c.nth, d, c.least, c.most)
				}
				if got := r.state == isRegistered; got != c.registered {
					t.Errorf("registered is %v", got)
				}
				before := a.count()
				r.stop()
				if c.registered && (a.count() != before+1 || !strings.HasSuffix(a.last(), " 0")) || !c.registered && a.count() != before {
					t.Errorf("stopping sent %q", a.sent[before:])
				}
				r.stop()
			})
		})
	}
}

// TestRegistrationMessages: one Call-ID and tag, a growing CSeq, the
// address of record of the trunk.
func TestRegistrationMessages(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a := newAnswering(t, func(n int, req *sip.Request) (int, []string) {
			if n == 1 {
				req.CSeq().SeqNo++ // a challenge was answered
			}
			return 200, nil
		})
		r := newRegistration(a, registeringTrunk(), new(lines).logger())
		r.start(t.Context())
		for a.count() < 3 {
			later(time.Minute)
			synctest.Wait()
		}
		r.stop()
		for i, req := range a.reqs {
			if want := []uint32{2, 3, 4, 5}[i]; req.CSeq().SeqNo != want {
				t.Errorf("request %d has CSeq %d, want %d", i, req.CSeq().SeqNo, want)
			}
			if got := req.To().String(); got != "To: <sip:u%20ser@provider.example>" {
				t.Errorf("request %d is %s", i, got)
			}
			if string(*req.CallID()) != string(*a.reqs[0].CallID()) || req.From().String() != a.reqs[0].From().String() || len(*req.CallID()) < 20 {
				t.Errorf("request %d is of %s, %s", i, req.CallID(), req.From())
			}
		}
	})
}

// TestRegistrationMoves: the registrar sends elsewhere, which holds until that fails.
func TestRegistrationMoves(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a := newAnswering(t, func(n int, _ *sip.Request) (int, []string) {
			switch n {
			case 1:
				return 302, []string{"Contact: <sip:x@else.example:5070>"}
			case 4:
				return 404, nil
			}
			return 200, nil
		})
		r := newRegistration(a, registeringTrunk(), new(lines).logger())
		r.start(t.Context())
		for a.count() < 5 {
			later(time.Minute)
			synctest.Wait()
		}
		r.stop()
		for i, want := range []string{
			"provider.example;transport=tcp", "else.example:5070", "else.example:5070", "else.example:5070", "provider.example;transport=tcp", "provider.example;transport=tcp",
		} {
			if !strings.Contains(a.sent[i], "REGISTER sip:"+want+" ") {
				t.Errorf("request %d is %q, want to %s", i, a.sent[i], want)
			}
		}
	})
}

// TestRegistrationTells: one line for each change, none of them with a secret, and
// stopping takes no longer than it may.
func TestRegistrationTells(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a := newAnswering(t, func(n int, _ *sip.Request) (int, []string) {
			switch {
			case n <= 2, n == 6, n == 7:
				return 200, nil
			case n >= 9:
				return 0, nil
			}
			return 403, nil
		})
		var log lines
		r := newRegistration(a, registeringTrunk(), log.logger())
		r.start(t.Context())
		for a.count() < 7 {
			later(time.Minute)
			synctest.Wait()
		}
		a.mu.Lock()
		a.sent = append(a.sent, "", "") // whatever is asked now is not answered
		a.mu.Unlock()
		begin := time.Now()
		r.stop()
		if d := time.Since(begin); d > unregisterTimeout {
			t.Errorf("stopping took %v", d)
		}
		want := []string{
			`level=INFO msg="SIP registration is made" trunk=out`,
			`level=WARN msg="SIP registration failed" trunk=out error="the answer is 403"`,
			`level=INFO msg="SIP registration is made" trunk=out`,
			`level=WARN msg="SIP registration was not ended" trunk=out error="context deadline exceeded"`,
		}
		if got := log.messages(); strings.Join(got, "\n") != strings.Join(want, "\n") {
			t.Errorf("logged\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
		}
	})
}

// TestRegistrationStops while it waits for an answer.
func TestRegistrationStops(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		a := newAnswering(t, func(int, *sip.Request) (int, []string) { return 0, nil })
		r := newRegistration(a, registeringTrunk(), new(lines).logger())
		r.start(t.Context())
		synctest.Wait()
		begin := time.Now()
		r.stop()
		if d := time.Since(begin); d > 0 || a.count() != 1 {
			t.Errorf("it took %v and %q", d, a.sent)
		}
	})
	r := newRegistration(nil, registeringTrunk(), nil)
	r.stop() // never started
}

func TestRegistrationOfNothing(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		tr := registeringTrunk()
		tr.Address = ""
		var log lines
		r := newRegistration(newAnswering(t, nil), tr, log.logger())
		r.start(t.Context())
		synctest.Wait()
		r.stop()
		if got := strings.Join(log.messages(), "\n"); !strings.Contains(got, "address of the trunk") {
			t.Errorf("logged %s", got)
		}
	})
}

func TestProbe(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		// What the trunk answers, one after the other.
		answers := []int{200, 404, 0, -1, 503, 408, 405, 486, 200}
		up := []bool{true, true, false, false, false, false, true, true, true}
		a := newAnswering(t, func(n int, _ *sip.Request) (int, []string) { return answers[n-1], nil })
		var log lines
		p := newProbe(a, &Trunk{Name: "out", Address: "sip:provider.example", Probe: time.Minute}, log.logger())
		if !p.up() {
			t.Error("a trunk that has not been asked is down")
		}
		p.start(t.Context())
		for i := range answers {
			synctest.Wait()
			if answers[i] == 0 {
				later(probeTimeout)
				synctest.Wait()
			}
			if a.count() != i+1 {
				t.Fatalf("%d requests, want %d", a.count(), i+1)
			}
			if p.up() != up[i] {
				t.Errorf("after answer %d it is up: %v", i, p.up())
			}
			if i < len(answers)-1 {
				later(time.Minute)
			}
		}
		p.stop()
		p.stop()
		if !strings.HasPrefix(a.sent[0], "0s OPTIONS sip:provider.example") {
			t.Errorf("asked by %q", a.sent[0])
		}
		want := []string{`level=WARN msg="SIP trunk is down" trunk=out error="no answer"`, `level=INFO msg="SIP trunk is up again" trunk=out`}
		if got := log.messages(); strings.Join(got, "\n") != strings.Join(want, "\n") {
			t.Errorf("logged\n%s\nwant\n%s", strings.Join(got, "\n"), strings.Join(want, "\n"))
		}
	})
	newProbe(nil, nil, nil).stop() // never started
	// While it waits for an answer.
	synctest.Test(t, func(t *testing.T) {
		a := newAnswering(t, func(int, *sip.Request) (int, []string) { return 0, nil })
		p := newProbe(a, &Trunk{Address: "sip:provider.example", Probe: time.Minute}, new(lines).logger())
		p.start(t.Context())
		synctest.Wait()
		p.stop()
		if !p.up() || a.count() != 1 {
			t.Errorf("up is %v after %q", p.up(), a.sent)
		}
	})
}
