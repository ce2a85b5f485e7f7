package phone

import (
	"context"
	"errors"
	"math"
	"net/netip"
	"slices"
	"strings"
	"testing"
	"time"

	"ringdown/internal/audio"
	"ringdown/internal/voice/sip"
)

// patience is how long anything may take.
const patience = 20 * time.Second

// within is a context of patience.
func within(t *testing.T) context.Context {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	t.Cleanup(cancel)
	return ctx
}

// newPhone makes a phone that is closed when the test ends.
func newPhone(t *testing.T, o Options) *Phone {
	t.Helper()
	p, err := New(within(t), o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := p.Close(); err != nil {
			t.Error(err)
		}
		if n := p.engine.Sessions(); n != 0 {
			t.Errorf("%d sessions are left", n)
		}
	})
	return p
}

// newPair makes two phones, the first of which calls the second.
func newPair(t *testing.T, o Options) (caller, callee *Phone) {
	t.Helper()
	callee = newPhone(t, Options{Number: "+14155550199"})
	o.Server = callee.Addr() + o.Server // a transport, if there is one
	return newPhone(t, o), callee
}

// watched is a call whose events are kept.
type watched struct {
	*Call
	t    *testing.T
	past []Event
}

// next waits for the next event of a kind, whatever comes before.
func (w *watched) next(what string) Event {
	w.t.Helper()
	for ctx := within(w.t); ; {
		select {
		case e, ok := <-w.Events():
			if !ok {
				w.t.Fatalf("the call ended without %q: %+v", what, w.past)
			}
			w.past = append(w.past, e)
			if e.What == what {
				return e
			}
		case <-ctx.Done():
			w.t.Fatalf("there is no %q: %+v", what, w.past)
		}
	}
}

// all waits for the end and returns what was told, in short.
func (w *watched) all() []string {
	w.t.Helper()
	w.next(Ended)
	var all []string
	for _, e := range w.past {
		s := e.What
		if e.Text != "" && e.What != Silence {
			s += " " + e.Text
		}
		all = append(all, s)
	}
	return all
}

// ring has one phone call the other, which rings.
func ring(t *testing.T, caller, callee *Phone) (out, in *watched) {
	t.Helper()
	o, err := caller.Dial(within(t), "+14155550199")
	if err != nil {
		t.Fatal(err)
	}
	i, err := callee.Wait(within(t))
	if err != nil {
		t.Fatal(err)
	}
	return &watched{Call: o, t: t}, &watched{Call: i, t: t}
}

// talk is ring with an answer.
func talk(t *testing.T, caller, callee *Phone) (out, in *watched) {
	t.Helper()
	out, in = ring(t, caller, callee)
	in.Answer()
	for _, c := range []*watched{out, in} {
		if err := c.Answered(within(t)); err != nil {
			t.Fatal(err)
		}
	}
	return out, in
}

// ended checks why a call ended.
func ended(t *testing.T, c *watched, want string) {
	t.Helper()
	if got, err := c.Ended(within(t)); err != nil || got != want {
		t.Errorf("the call ended as %q (%v), want %q", got, err, want)
	}
}

// tone is a sine of -6 dBFS.
func tone(hz float64, d time.Duration) *audio.Clip {
	samples := make([]int16, int(d.Seconds()*rate))
	for i := range samples {
		samples[i] = int16(math.MaxInt16 / 2 * math.Sin(2*math.Pi*hz*float64(i)/rate))
	}
	return audio.NewClip(samples)
}

// loudest is the part of a clip of so many samples that has the most sound.
func loudest(samples []int16, n int) []int16 {
	best, level := samples[:min(n, len(samples))], math.Inf(-1)
	for at := 0; at+n <= len(samples); at += 400 {
		if l := audio.Level(samples[at : at+n]); l > level {
			best, level = samples[at:at+n], l
		}
	}
	return best
}

// heardTone checks that a tone was heard: its frequency, its level within 1 dB,
// and that it was not interrupted. Frequency and level are those of the median of
// tenths of a second, for a machine that is busy with other things may delay a
// packet beyond what is waited for.
func heardTone(t *testing.T, who string, clip *audio.Clip, hz float64) {
	t.Helper()
	part := loudest(clip.Samples(), rate/2)
	if len(part) < rate/2 {
		t.Errorf("%s heard %v", who, clip.Duration())
		return
	}
	sent := audio.ToneLevel(tone(hz, time.Second).Samples(), hz)
	var levels, tones []float64
	for tenth := range slices.Chunk(part, rate/10) {
		levels, tones = append(levels, audio.ToneLevel(tenth, hz)), append(tones, audio.Dominant(tenth))
	}
	slices.Sort(levels)
	slices.Sort(tones)
	if got := tones[len(tones)/2]; math.Abs(got-hz) > 3 {
		t.Errorf("%s heard %.1f Hz, want %.0f", who, got, hz)
	}
	if got := levels[len(levels)/2]; math.Abs(got-sent) > 1 {
		t.Errorf("%s heard %.0f Hz with %.2f dBFS, want %.2f", who, hz, got, sent)
	}
	for at := 0; at+frame <= len(part); at += frame {
		if audio.Level(part[at:at+frame]) < loud {
			t.Errorf("%s heard a gap", who)
			break
		}
	}
}

// TestTalk: both hear what the other says, by every transport and codec, in step
// with the clock.
func TestTalk(t *testing.T) {
	for name, o := range map[string]Options{
		"UDP":   {},
		"TCP":   {Server: ";transport=tcp"},
		"A-law": {Codecs: []audio.Encoding{audio.ALaw}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			caller, callee := newPair(t, o)
			out, in := talk(t, caller, callee)
			if in.From() != DefaultNumber || in.To() != "+14155550199" || out.To() != in.To() || out.From() != in.From() {
				t.Errorf("%s calls %s, as that one sees it %s calls %s", out.From(), out.To(), in.From(), in.To())
			}
			out.Speak(tone(1000, time.Second))
			in.Speak(tone(440, 500*time.Millisecond))
			in.Speak(tone(440, 500*time.Millisecond)) // after the first, not in its place
			out.next(Spoken)
			in.next(Spoken)
			in.next(Spoken)
			out.Hangup()
			ended(t, out, "hung up here")
			ended(t, in, "hung up there")
			heardTone(t, "the callee", in.Heard(), 1000)
			heardTone(t, "the caller", out.Heard(), 440)
			for _, c := range []*watched{out, in} {
				c.next(Ended)
				var answer, end time.Time
				for _, e := range c.past {
					switch e.What {
					case Answered:
						answer = e.At
					case Ended:
						end = e.At
					}
				}
				if d := c.Heard().Duration() - end.Sub(answer); d.Abs() > 100*time.Millisecond {
					t.Errorf("of a call of %v, %v were recorded", end.Sub(answer), c.Heard().Duration())
				}
				if !slices.ContainsFunc(c.past, func(e Event) bool { return e.What == Sound }) {
					t.Errorf("the sound is not told: %+v", c.past)
				}
				if c.Broken() {
					t.Error("the call is said to have broken off")
				}
			}
			if s := in.Stats(); s.PacketsReceived < 50 || s.Lost > 0 {
				t.Errorf("the statistics are %+v", s)
			}
		})
	}
}

// TestKeys: they arrive once each and in order, both ways; those pressed before the
// answer after it.
func TestKeys(t *testing.T) {
	t.Parallel()
	caller, callee := newPair(t, Options{})
	out, in := ring(t, caller, callee)
	out.Press("1")
	in.Answer()
	if err := out.Answered(within(t)); err != nil {
		t.Fatal(err)
	}
	out.Press("22*,#")
	if err := in.Answered(within(t)); err != nil {
		t.Fatal(err)
	}
	in.Press("90")
	keys := func(c *watched, want string) {
		t.Helper()
		got := ""
		for range len(want) {
			got += c.next(Key).Text
		}
		if got != want {
			t.Errorf("the keys are %q, want %q", got, want)
		}
	}
	keys(in, "122*#")
	keys(out, "90")
	in.Hangup()
	ended(t, out, "hung up there")
	out.next(Ended)
	if i := slices.IndexFunc(out.past, func(e Event) bool { return e.What == Pressed }); i < 0 || out.past[i].Text != "1" {
		t.Errorf("what was pressed is not told: %+v", out.past)
	}
}

// TestHold: either side may hold, and whoever is held is told so and is not heard.
func TestHold(t *testing.T) {
	t.Parallel()
	caller, callee := newPair(t, Options{})
	out, in := talk(t, caller, callee)
	for _, side := range [][2]*watched{{out, in}, {in, out}} {
		holds, held := side[0], side[1]
		holds.Hold()
		held.next(Held)
		held.Speak(tone(700, 300*time.Millisecond))
		held.next(Spoken)
		holds.Resume()
		held.next(Resumed)
		held.Speak(tone(1200, 700*time.Millisecond))
		held.next(Spoken)
	}
	out.Hangup()
	for _, c := range []*watched{out, in} {
		if _, err := c.Ended(within(t)); err != nil {
			t.Fatal(err)
		}
		heardTone(t, "who was held off", c.Heard(), 1200)
		all := c.Heard().Samples()
		for at := 0; at+rate/10 <= len(all); at += rate / 10 {
			if audio.ToneLevel(all[at:at+rate/10], 700) > -40 {
				t.Error("who was on hold was heard")
				break
			}
		}
	}
}

// TestUnanswered: each way of not being answered has its reason on both sides.
func TestUnanswered(t *testing.T) {
	for name, c := range map[string]struct {
		do        func(out, in *watched)
		there     string // what the caller is told
		here      string // what the callee is told
		status    int
		impatient bool
	}{
		"busy":          {func(_, in *watched) { in.Reject(486) }, "busy (486)", "refused here: busy (486)", 486, false},
		"declined":      {func(_, in *watched) { in.Hangup() }, "declined (603)", "refused here: declined (603)", 603, false},
		"no such":       {func(_, in *watched) { in.Reject(404) }, "there is no such number (404)", "refused here: there is no such number (404)", 404, false},
		"another":       {func(_, in *watched) { in.Reject(499) }, "refused (499)", "refused here: refused (499)", 499, false},
		"no answer":     {func(_, _ *watched) {}, "nobody answered in time", "the caller gave up", 0, true},
		"caller leaves": {func(out, _ *watched) { out.next(Ringing); out.Hangup() }, "hung up here", "the caller gave up", 0, false},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			o := Options{}
			if c.impatient {
				o.Ring = time.Second
			}
			caller, callee := newPair(t, o)
			out, in := ring(t, caller, callee)
			c.do(out, in)
			ended(t, out, c.there)
			ended(t, in, c.here)
			for who, call := range map[string]*watched{"the caller": out, "the callee": in} {
				var why *Unanswered
				if err := call.Answered(within(t)); !errors.As(err, &why) {
					t.Errorf("%s learns %v", who, err)
				} else if call == out && why.Status != c.status {
					t.Errorf("the status is %d, want %d", why.Status, c.status)
				}
				if n := call.Heard().Duration(); n != 0 {
					t.Errorf("%s heard %v", who, n)
				}
				if got := call.all(); got[len(got)-1] != "ended "+why.Reason || slices.Contains(got, Answered) {
					t.Errorf("%s was told %q", who, got)
				}
			}
			// It is over whatever is done now.
			for _, call := range []*watched{out, in} {
				call.Answer()
				call.Reject(500)
				call.Press("1")
				call.Speak(tone(440, time.Second))
				call.Hold()
				call.Hangup()
			}
			ended(t, out, c.there)
			ended(t, in, c.here)
		})
	}
}

// TestNobodyThere: a server that is not there is told from one that refuses.
func TestNobodyThere(t *testing.T) {
	t.Parallel()
	gone := newPhone(t, Options{})
	addr := gone.Addr()
	if err := gone.Close(); err != nil {
		t.Fatal(err)
	}
	p := newPhone(t, Options{Server: "sip:" + addr + ";transport=tcp"})
	c, err := p.Dial(within(t), "+14155550199")
	if err != nil {
		t.Fatal(err)
	}
	var why *Unanswered
	if err := c.Answered(within(t)); !errors.As(err, &why) || why.Status != 0 {
		t.Errorf("it is told %v", err)
	}
	if !c.Broken() {
		t.Error("nothing is said to have gone wrong")
	}
}

// TestCommon: two phones without a common codec do not talk.
func TestCommon(t *testing.T) {
	t.Parallel()
	callee := newPhone(t, Options{Codecs: []audio.Encoding{audio.MuLaw}})
	caller := newPhone(t, Options{Server: callee.Addr(), Codecs: []audio.Encoding{audio.ALaw}})
	out, in := ring(t, caller, callee)
	in.Answer()
	ended(t, out, "no codec in common (488)")
	if reason, err := in.Ended(within(t)); err != nil || !strings.Contains(reason, "no codec in common") {
		t.Errorf("the callee is told %q, %v", reason, err)
	}
}

// TestClose: calls end with the phone, those that talk and those that ring.
func TestClose(t *testing.T) {
	t.Parallel()
	caller, callee := newPair(t, Options{})
	out, in := talk(t, caller, callee)
	out2, in2 := ring(t, caller, callee)
	out3, in3 := ring(t, caller, callee)
	in2.Answer()
	if err := out2.Answered(within(t)); err != nil {
		t.Fatal(err)
	}
	if err := caller.Close(); err != nil {
		t.Fatal(err)
	}
	if err := caller.Close(); err != nil {
		t.Fatal(err)
	}
	ended(t, out, "hung up here")
	ended(t, in, "hung up there")
	ended(t, in2, "hung up there")
	ended(t, out3, "hung up here")
	ended(t, in3, "the caller gave up")
	if _, err := caller.Dial(within(t), "1"); !errors.Is(err, ErrClosed) {
		t.Errorf("a closed phone dials: %v", err)
	}
	if _, err := caller.Wait(within(t)); !errors.Is(err, ErrClosed) {
		t.Errorf("a closed phone waits: %v", err)
	}
	if _, ok := <-out3.Events(); ok {
		// What was told before is still there for who asks late, or nothing is.
		for range out3.Events() {
		}
	}
}

// TestLate: whoever asks for events late gets them all.
func TestLate(t *testing.T) {
	t.Parallel()
	caller, callee := newPair(t, Options{})
	out, in := talk(t, caller, callee)
	for range 100 {
		out.Press("5")
	}
	out.Hangup()
	ended(t, in, "hung up there")
	ended(t, out, "hung up here")
	got := out.all()
	if len(got) < 103 || !slices.Contains(got, Ringing) || got[len(got)-1] != "ended hung up here" {
		t.Errorf("told were %d events, the last %q", len(got), got[len(got)-1])
	}
	if _, ok := <-out.Events(); ok {
		t.Error("there is something after the end")
	}
}

// registrar is a server where phones register.
func registrar(t *testing.T, password string) *sip.Endpoint {
	t.Helper()
	line := sip.Trunk{Name: "phones", Registrar: true, Sources: []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8")}}
	if password != "" {
		line.InboundUsername, line.InboundPassword = "ann", password
	}
	e, err := sip.Listen(within(t), sip.Options{Listen: "127.0.0.1:0", Trunks: []sip.Trunk{line}})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := e.Close(); err != nil {
			t.Error(err)
		}
	})
	return e
}

// TestRegister: a phone can be called as its number once it is made, not as another
// nor any longer than it is there, and only with the password.
func TestRegister(t *testing.T) {
	t.Parallel()
	for name, password := range map[string]string{"open": "", "password": "correct horse"} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			server := registrar(t, password)
			p := newPhone(t, Options{Server: server.Addr().String(), Number: "+14155550142", Username: "ann", Password: password, Register: true})
			if at, ok := server.Route("+14155550142"); !ok || at != "phones" {
				t.Errorf("the number is at %q, %v", at, ok)
			}
			if at, ok := server.Route("+14155550143"); ok {
				t.Errorf("another number is at %q", at)
			}
			far := newPhone(t, Options{}) // lends its sound to the call
			c := far.newCall("+14155550100", p.o.Number)
			if err := c.open(); err != nil {
				t.Fatal(err)
			}
			defer c.session.Close()
			heard := make(chan sip.Event, 100)
			if _, err := server.Dial(sip.Invitation{
				Trunk: "phones", To: "+14155550142", From: "+14155550100", FromName: "Bob", Media: c.stream, Hear: func(e sip.Event) { heard <- e },
				Headers: []sip.Header{{Name: "X-Order", Value: "42"}},
			}); err != nil {
				t.Fatal(err)
			}
			in, err := p.Wait(within(t))
			if err != nil {
				t.Fatal(err)
			}
			if in.From() != "+14155550100" || in.FromName() != "Bob" || in.Header("x-order") != "42" || in.Header("X-Other") != "" {
				t.Errorf("called by %s, %q, with order %q", in.From(), in.FromName(), in.Header("X-Order"))
			}
			in.Answer()
			if err := in.Answered(within(t)); err != nil {
				t.Fatal(err)
			}
			in.Hangup()
			for e := range heard {
				if e.Kind == sip.Ended {
					if e.Cause != sip.HungUpThere {
						t.Errorf("the call ended by %d", e.Cause)
					}
					break
				}
			}
			if err := p.Close(); err != nil {
				t.Fatal(err)
			}
			if at, ok := server.Route("+14155550142"); ok {
				t.Errorf("the number of a phone that is gone is at %q", at)
			}
		})
	}
	t.Run("wrong password", func(t *testing.T) {
		t.Parallel()
		server := registrar(t, "correct horse")
		p, err := New(within(t), Options{Server: server.Addr().String(), Username: "ann", Password: "battery", Register: true})
		if err == nil {
			t.Error("it was registered", p.Close())
		} else if !strings.Contains(err.Error(), "could not be registered") {
			t.Error(err)
		}
	})
}

// TestOptions: what cannot work is told before anything is tried.
func TestOptions(t *testing.T) {
	t.Parallel()
	for name, o := range map[string]Options{
		"everywhere":       {Listen: "0.0.0.0:0"},
		"no port":          {Listen: "127.0.0.1"},
		"a name":           {Listen: "localhost:0"},
		"nowhere":          {Register: true},
		"no server at all": {Server: "::"},
	} {
		if p, err := New(within(t), o); err == nil {
			t.Errorf("%s: it was made, %v", name, p.Close())
		}
	}
	p := newPhone(t, Options{})
	if _, err := p.Dial(within(t), "1"); err == nil {
		t.Error("a phone without a server dials")
	}
	ctx, cancel := context.WithCancel(context.Background())
	cancel()
	if _, err := p.Wait(ctx); !errors.Is(err, context.Canceled) {
		t.Errorf("waiting was not ended: %v", err)
	}
	if _, err := newPhone(t, Options{Server: p.Addr()}).Dial(ctx, "1"); !errors.Is(err, context.Canceled) {
		t.Errorf("dialling was not ended: %v", err)
	}
}
