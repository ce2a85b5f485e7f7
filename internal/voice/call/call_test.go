package call

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"testing"
	"time"

	"ringdown/internal/audio"
	"ringdown/internal/contact"
	"ringdown/internal/flow/machine"
	"ringdown/internal/voice/simulated"
	"ringdown/internal/voice/sip"
)

const (
	customer = "+14155550100"
	office   = "+14155550123"
)

// clips are sounds by URI.
func clips(all map[string]*audio.Clip) func(context.Context, string) (*audio.Clip, error) {
	return func(_ context.Context, uri string) (*audio.Clip, error) {
		if c := all[uri]; c != nil {
			return c, nil
		}
		return nil, errors.New("no such key")
	}
}

// TestCallsOut: what becomes of a call is told with its reason.
func TestCallsOut(t *testing.T) {
	silent := func(_ *peer, c *sip.Call) { c.Ring() }
	for name, c := range map[string]struct {
		answer  func(*peer, *sip.Call)
		rings   bool
		patient time.Duration
		want    string
	}{
		"busy":           {refuse(486), true, 0, "TELECOM_BUSY"},
		"unknown number": {refuse(404), true, 0, "TELECOM_NUMBER_INVALID"},
		"declined":       {refuse(603), true, 0, "TELECOM_POTENTIAL_BLOCKING"},
		"not now":        {refuse(480), true, 0, "TELECOM_UNANSWERED"},
		"network":        {refuse(503), true, 0, "TELECOM_PROBLEM"},
		"busy at once":   {func(_ *peer, c *sip.Call) { c.Reject(486) }, false, 0, "TELECOM_BUSY"},
		"no answer":      {silent, true, 300 * time.Millisecond, "TELECOM_UNANSWERED"},
	} {
		t.Run(name, func(t *testing.T) {
			leakFree(t)
			p := newPeer(t, sip.Trunk{}, c.answer)
			calls := server(t, p, nil)
			h := newListener(t)
			began := time.Now()
			leg := calls.Dial(contact.Call{To: customer, From: office, RingTimeout: c.patient}, h.hear)
			leg.Say(1, prompts("s3://b/1"), false)
			if c.rings {
				if ev := h.wants(contact.LegRinging); ev.At.Before(began) {
					t.Errorf("it rang at %v, before the call began", ev.At)
				}
			}
			h.ends(c.want)
			leg.Hangup()
			leg.Say(2, prompts("s3://b/1"), false)
			leg.Join(leg)
			leg.Type("1")
			h.quiet()
		})
	}
}

// TestHangups: whoever hangs up, when.
func TestHangups(t *testing.T) {
	t.Run("the far side", func(t *testing.T) {
		leakFree(t)
		p := newPeer(t, sip.Trunk{}, nil)
		h := newListener(t)
		server(t, p, nil).Dial(contact.Call{To: customer, From: office}, h.hear)
		h.wants(contact.LegRinging, contact.LegAnswered)
		f := <-p.calls
		if f.call.From() != office || f.call.To() != customer {
			t.Errorf("from %s to %s", f.call.From(), f.call.To())
		}
		f.wait(sip.Confirmed)
		f.call.Hangup()
		h.ends("CUSTOMER_DISCONNECT")
		f.wait(sip.Ended)
	})
	t.Run("this side", func(t *testing.T) {
		leakFree(t)
		p := newPeer(t, sip.Trunk{}, nil)
		h := newListener(t)
		leg := server(t, p, nil).Dial(contact.Call{To: customer, From: office}, h.hear)
		h.wants(contact.LegRinging, contact.LegAnswered)
		leg.Hangup()
		leg.Hangup()
		h.ends("")
		if ev := (<-p.calls).wait(sip.Ended); ev.Cause != sip.HungUpThere {
			t.Errorf("the far side's call ended with cause %d", ev.Cause)
		}
		h.quiet()
	})
	t.Run("this side, before the answer", func(t *testing.T) {
		leakFree(t)
		rings := make(chan *sip.Call, 1)
		p := newPeer(t, sip.Trunk{}, func(_ *peer, c *sip.Call) { c.Ring(); rings <- c })
		h := newListener(t)
		leg := server(t, p, nil).Dial(contact.Call{To: customer, From: office}, h.hear)
		h.wants(contact.LegRinging)
		leg.Hangup()
		h.ends("")
		ended := make(chan sip.Event, 10)
		(<-rings).Answer(p.newFar().stream, func(ev sip.Event) { ended <- ev })
		if ev := <-ended; ev.Kind != sip.Ended && ev.Kind != sip.Answered {
			t.Errorf("the far side was told %d", ev.Kind)
		}
	})
}

// TestRoutes: which trunk a call goes by, or who else places it.
func TestRoutes(t *testing.T) {
	leakFree(t)
	one, two := newPeer(t, sip.Trunk{}, refuse(486)), newPeer(t, sip.Trunk{}, refuse(404))
	elsewhere := simulated.New(simulated.Options{Else: &simulated.Callee{Answer: simulated.Rejected}})
	t.Cleanup(func() { _ = elsewhere.Close() })
	set := func(o *Options) {
		o.SIP.Trunks = append(o.SIP.Trunks, sip.Trunk{Name: "two", Address: two.address(), Prefixes: []string{"+44"}},
			sip.Trunk{Name: "phones", Registrar: true, Sources: o.SIP.Trunks[0].Sources})
		o.TrunkOf = func(number string) string {
			return map[string]string{"+14155550199": "two", "+14155550198": "phones", "+14155550197": "gone"}[number]
		}
		o.Explicit = func(number string) bool { return number == "+14155550111" }
	}
	calls := server(t, one, func(o *Options) {
		set(o)
		o.Elsewhere = elsewhere
	})
	ends := func(c *Calls, from, to string) string {
		h := newListener(t)
		c.Dial(contact.Call{To: to, From: from}, h.hear)
		for {
			if ev := h.next(); ev.Kind == contact.LegEnded {
				return ev.Reason
			}
		}
	}
	for _, c := range []struct{ from, to, want string }{
		{office, customer, "TELECOM_BUSY"},
		{office, "+442071838750", "TELECOM_NUMBER_INVALID"},
		{"+14155550199", customer, "TELECOM_NUMBER_INVALID"}, // the number's own trunk
		{"+14155550198", customer, "TELECOM_BUSY"},           // which leads nowhere
		{"+14155550197", customer, "TELECOM_BUSY"},           // which there is not
		{"", customer, "TELECOM_BUSY"},
		{office, "+14155550111", "TELECOM_POTENTIAL_BLOCKING"},
	} {
		if got := ends(calls, c.from, c.to); got != c.want {
			t.Errorf("from %q to %s: %s, want %s", c.from, c.to, got, c.want)
		}
	}
	nowhere := server(t, nil, func(o *Options) { o.Elsewhere = elsewhere })
	if got := ends(nowhere, office, customer); got != "TELECOM_POTENTIAL_BLOCKING" {
		t.Errorf("without trunks: %s", got)
	}
	alone := server(t, nil, nil)
	if got := ends(alone, office, customer); got != "TELECOM_PROBLEM" {
		t.Errorf("without trunks and anybody else: %s", got)
	}
	shut, err := New(Options{})
	if err != nil {
		t.Fatal(err)
	}
	if got := ends(shut, office, customer); got != "TELECOM_PROBLEM" {
		t.Errorf("before Open: %s", got)
	}
	if err := errors.Join(shut.Close(), shut.Close(), (*Calls)(nil).Close()); err != nil {
		t.Error(err)
	}
	if err := shut.Open(t.Context()); err == nil {
		t.Error("opened after Close")
	}
}

// TestRegistered: a telephone that has registered as a number is called, whatever
// trunk the number of who calls has.
func TestRegistered(t *testing.T) {
	leakFree(t)
	trunk := newPeer(t, sip.Trunk{}, refuse(404))
	calls := server(t, trunk, func(o *Options) {
		o.SIP.Trunks[0].Registrar = true
		o.TrunkOf = func(string) string { return "out" }
	})
	newPeer(t, sip.Trunk{Address: "sip:" + calls.Endpoint().Addr().String(), Register: true, Username: customer}, refuse(486))
	eventually(t, "registered", func() bool {
		name, _ := calls.Endpoint().Route(customer)
		return name == "in"
	})
	h := newListener(t)
	calls.Dial(contact.Call{To: customer, From: office}, h.hear)
	h.wants(contact.LegRinging)
	h.ends("TELECOM_BUSY")
}

// TestNoPorts: without a port for the sound there is no call, out or in.
func TestNoPorts(t *testing.T) {
	leakFree(t)
	p := newPeer(t, sip.Trunk{}, nil)
	arrivals := make(chan *Arrival, 10)
	calls := server(t, p, func(o *Options) {
		o.Media.FirstPort, o.Media.LastPort = 42000, 42001
		o.Arrive = func(a *Arrival) { arrivals <- a }
	})
	first, second := newListener(t), newListener(t)
	leg := calls.Dial(contact.Call{To: customer, From: office}, first.hear)
	first.wants(contact.LegRinging, contact.LegAnswered)
	calls.Dial(contact.Call{To: customer, From: office}, second.hear)
	second.ends("TELECOM_PROBLEM")
	f := caller(t, calls).dial(office)
	third := newListener(t)
	(<-arrivals).Answer(third.hear)
	third.ends("TELECOM_PROBLEM")
	if ev := f.wait(sip.Ended); ev.Status != 503 {
		t.Errorf("the caller was answered %d, want 503", ev.Status)
	}
	leg.Hangup()
	first.ends("")
}

// TestPrompts: what is said is heard, in order, and told when it is over.
func TestPrompts(t *testing.T) {
	leakFree(t)
	p := newPeer(t, sip.Trunk{}, nil)
	calls := server(t, p, func(o *Options) {
		o.Sound = clips(map[string]*audio.Clip{
			"s3://b/600": tone(600, 400*time.Millisecond, -12), "s3://b/1000": tone(1000, 400*time.Millisecond, -9),
			"s3://b/1500": tone(1500, 300*time.Millisecond, -12), "s3://b/music": tone(2000, 200*time.Millisecond, -15),
		})
	})
	h := newListener(t)
	leg := calls.Dial(contact.Call{To: customer, From: office}, h.hear)
	leg.Say(1, append(prompts("s3://b/600"), contact.Sound{Message: machine.Message{Media: "s3://b/1000"}}), false) // from the answer on
	h.wants(contact.LegRinging)
	answered := h.wants(contact.LegAnswered)
	said := h.wants(contact.LegSaid)
	if took := said.At.Sub(answered.At); said.Seq != 1 || took < 780*time.Millisecond || took > 2*time.Second {
		t.Errorf("%d was said in %v", said.Seq, took)
	}
	leg.Say(2, prompts("s3://b/music"), true) // does not end
	leg.Say(3, nil, false)
	leg.Say(4, prompts("s3://b/600"), false) // never heard to its end
	leg.Say(5, prompts("s3://b/1500"), false)
	for {
		ev := h.wants(contact.LegSaid)
		if ev.Seq == 5 {
			break
		}
		if ev.Seq != 3 { // it may have been over before it was replaced
			t.Fatalf("%d was said", ev.Seq)
		}
	}
	leg.Say(6, prompts("s3://b/1500", "s3://b/1500"), false)
	leg.Hush()
	leg.Say(7, []contact.Sound{{}}, false)
	if ev := h.wants(contact.LegSaid); ev.Seq != 7 {
		t.Errorf("%d was said", ev.Seq)
	}
	leg.Say(8, nil, true) // nothing, for ever
	leg.Say(9, prompts("s3://b/music"), true)
	f := <-p.calls
	eventually(t, "the music was heard for some time", func() bool { return loud(f.heard.channel(0), 2000) > 40 })
	leg.Hangup()
	h.ends("")
	f.wait(sip.Ended)
	sound := f.sound()
	hasTone(t, "first", sound, 600, 360*time.Millisecond, -12)
	hasTone(t, "second", sound, 1000, 360*time.Millisecond, -9)
	hasTone(t, "third", sound, 1500, 260*time.Millisecond, -12)
	hasTone(t, "music", sound, 2000, 600*time.Millisecond, -15)
}

// loud counts the blocks of 20 ms in which a tone is heard.
func loud(samples []int16, hz float64) (n int) {
	for len(samples) >= 160 {
		if audio.ToneLevel(samples[:160], hz) > -30 {
			n++
		}
		samples = samples[160:]
	}
	return n
}

// TestDigits: keys are told once each, however they come, and typed.
func TestDigits(t *testing.T) {
	leakFree(t)
	p := newPeer(t, sip.Trunk{}, nil)
	h := newListener(t)
	leg := server(t, p, nil).Dial(contact.Call{To: customer, From: office}, h.hear)
	h.wants(contact.LegRinging, contact.LegAnswered)
	f := <-p.calls
	f.wait(sip.Confirmed)
	f.session.Press("12#")
	h.types("12#")
	f.call.Info("7")
	h.types("7")
	f.call.Info("8") // both ways
	f.session.Press("8")
	h.types("8")
	f.session.Press("9")
	h.types("9")
	leg.Type("40*")
	f.hears("40*")
	leg.Hangup()
	h.ends("")
}

// TestArrivals: a call that comes in, with what is known of it.
func TestArrivals(t *testing.T) {
	leakFree(t)
	arrivals := make(chan *Arrival, 1)
	calls := server(t, nil, func(o *Options) {
		o.Arrive = func(a *Arrival) { arrivals <- a }
		o.Sound = clips(map[string]*audio.Clip{"s3://b/800": tone(800, 400*time.Millisecond, -12)})
	})
	p := caller(t, calls)
	before := time.Now()
	f := p.dial(office, sip.Header{Name: "X-Account", Value: "42"}, sip.Header{Name: "X-Account", Value: "43"})
	a := <-arrivals
	if a.To != office || a.From != office || a.FromName != "Jane" || a.Trunk != "in" || a.At.Before(before) || a.Headers["X-Account"] != "43" {
		t.Errorf("%s %s %s %s %v %v", a.To, a.From, a.FromName, a.Trunk, a.At, a.Headers)
	}
	h := newListener(t)
	var leg contact.Arrival = a
	leg.Say(1, prompts("s3://b/800"), false)
	h.quiet()
	leg.Answer(h.hear)
	leg.Answer(func(contact.LegEvent) { t.Error("answered twice") })
	if ev := h.wants(contact.LegAnswered); ev.At.Before(a.At) {
		t.Errorf("answered at %v", ev.At)
	}
	h.wants(contact.LegSaid)
	f.wait(sip.Answered)
	f.session.Press("5")
	h.types("5")
	f.call.Hangup()
	h.ends("CUSTOMER_DISCONNECT")
	hasTone(t, "the prompt", f.sound(), 800, 360*time.Millisecond, -12)
}

// TestArrivalsThatAreNotAnswered: cancelled, rejected, hung up.
func TestArrivalsThatAreNotAnswered(t *testing.T) {
	leakFree(t)
	arrivals := make(chan *Arrival, 1)
	calls := server(t, nil, func(o *Options) { o.Arrive = func(a *Arrival) { arrivals <- a } })
	p := caller(t, calls)

	f := p.dial(office)
	a := <-arrivals
	f.call.Hangup()
	f.wait(sip.Ended)
	eventually(t, "cancelled", func() bool { return calls.Endpoint().Calls() == 0 })
	h := newListener(t)
	a.Answer(h.hear)
	h.ends("TELECOM_ORIGINATOR_CANCEL")
	a.Hangup()
	h.quiet()

	f = p.dial(office)
	(<-arrivals).Reject(404)
	if ev := f.wait(sip.Ended); ev.Cause != sip.Refused || ev.Status != 404 {
		t.Errorf("rejected: cause %d, status %d", ev.Cause, ev.Status)
	}

	f = p.dial(office)
	a = <-arrivals
	a.Hangup()
	if ev := f.wait(sip.Ended); ev.Cause != sip.Refused || ev.Status != 480 {
		t.Errorf("hung up: cause %d, status %d", ev.Cause, ev.Status)
	}
	a.Answer(h.hear)
	h.ends("")
}

// TestHold: the far side may hold for longer than silence may last; who is silent
// without saying so is gone.
func TestHold(t *testing.T) {
	leakFree(t)
	p := newPeer(t, sip.Trunk{}, nil)
	calls := server(t, p, func(o *Options) {
		o.Media.Silence = 500 * time.Millisecond
		o.Sound = clips(map[string]*audio.Clip{"s3://b/700": tone(700, 200*time.Millisecond, -12)})
	})
	h := newListener(t)
	leg := calls.Dial(contact.Call{To: customer, From: office}, h.hear)
	h.wants(contact.LegRinging, contact.LegAnswered)
	f := <-p.calls
	f.wait(sip.Confirmed)
	f.stream.Hold(true)
	f.call.Reinvite()
	eventually(t, "held", func() bool { a, _ := f.stream.Agreed(); return !a.Direction.Receives() })
	f.call.Info("1") // keys are heard all the same
	h.types("1")
	select {
	case ev := <-h.events:
		t.Fatalf("while held: %+v", ev)
	case <-time.After(1200 * time.Millisecond):
	}
	f.stream.Hold(false)
	f.call.Reinvite()
	eventually(t, "resumed", func() bool { a, _ := f.stream.Agreed(); return a.Direction.Receives() })
	leg.Say(1, prompts("s3://b/700"), false)
	h.wants(contact.LegSaid)
	f.session.Close() // it is gone, without a word
	h.ends("TELECOM_PROBLEM")
	f.wait(sip.Ended)
	hasTone(t, "after the hold", f.sound(), 700, 160*time.Millisecond, -12)
}

// TestJoin: two legs hear each other; what is said to one is heard in place of the
// other; what played before is over.
func TestJoin(t *testing.T) {
	leakFree(t)
	p := newPeer(t, sip.Trunk{}, nil)
	arrivals := make(chan *Arrival, 1)
	calls := server(t, p, func(o *Options) {
		o.Arrive = func(a *Arrival) { arrivals <- a }
		o.Sound = clips(map[string]*audio.Clip{"s3://b/700": tone(700, 400*time.Millisecond, -12), "s3://b/music": tone(2000, time.Second, -12)})
	})
	from := caller(t, calls).dial(office)
	one, two := newListener(t), newListener(t)
	a := <-arrivals
	a.Answer(one.hear)
	one.wants(contact.LegAnswered)
	from.wait(sip.Answered)
	a.Say(1, prompts("s3://b/music"), true)
	eventually(t, "music", func() bool { return loud(from.heard.channel(0), 2000) > 5 })
	b := calls.Dial(contact.Call{To: customer, From: office, For: a}, two.hear)
	a.Join(b) // which takes effect when both are there
	two.wants(contact.LegRinging, contact.LegAnswered)
	to := <-p.calls
	to.wait(sip.Confirmed)
	from.session.Play(1, []*audio.Clip{tone(500, time.Second, -12)}, true)
	to.session.Play(1, []*audio.Clip{tone(900, time.Second, -12)}, true)
	eventually(t, "both hear each other", func() bool {
		return loud(from.heard.channel(0), 900) > 50 && loud(to.heard.channel(0), 500) > 50
	})
	a.Say(2, prompts("s3://b/700"), false)
	if ev := one.wants(contact.LegSaid); ev.Seq != 2 {
		t.Errorf("%d was said", ev.Seq)
	}
	again := loud(from.heard.channel(0), 900) + 20
	eventually(t, "the bridge is heard again", func() bool { return loud(from.heard.channel(0), 900) > again })
	to.call.Hangup()
	two.ends("CUSTOMER_DISCONNECT")
	a.Say(3, prompts("s3://b/700"), false) // the other goes on
	one.wants(contact.LegSaid)
	a.Hangup()
	one.ends("")
	from.wait(sip.Ended)
	heard, other := from.sound(), to.sound()
	hasTone(t, "the caller", heard, 900, 500*time.Millisecond, -12)
	hasTone(t, "the caller, between", heard, 700, 360*time.Millisecond, -12)
	hasTone(t, "the callee", other, 500, 500*time.Millisecond, -12)
	hasNoTone(t, "the callee", other, 700)
	hasNoTone(t, "the callee", other, 2000)
}

// TestJoinStranger: a leg that is not ours has no sound, and does no harm.
func TestJoinStranger(t *testing.T) {
	leakFree(t)
	p := newPeer(t, sip.Trunk{}, nil)
	calls := server(t, p, nil)
	elsewhere := simulated.New(simulated.Options{})
	defer elsewhere.Close()
	h, other := newListener(t), newListener(t)
	leg := calls.Dial(contact.Call{To: customer, From: office}, h.hear)
	h.wants(contact.LegRinging, contact.LegAnswered)
	stranger := elsewhere.Dial(contact.Call{To: customer}, other.hear)
	other.wants(contact.LegRinging, contact.LegAnswered)
	leg.Join(stranger)
	stranger.Join(leg)
	leg.Join(nil)
	leg.Hangup()
	h.ends("")
}

// TestCloseUnderLoad: every call ends, once, with a word; nothing is left.
func TestCloseUnderLoad(t *testing.T) {
	leakFree(t)
	p := newPeer(t, sip.Trunk{}, nil)
	var files []*tapeFile
	for range 40 {
		files = append(files, &tapeFile{})
	}
	next := make(chan *tapeFile, len(files))
	for _, f := range files {
		next <- f
	}
	log := &written{}
	calls := server(t, p, func(o *Options) {
		o.Sound = clips(map[string]*audio.Clip{"s3://b/music": tone(2000, 200*time.Millisecond, -12)})
		o.Record = func(string) (RecordingFile, error) { return <-next, nil }
		o.Logger = slog.New(slog.NewTextHandler(log, nil))
	})
	var all []*listener
	for i := range 40 {
		h := newListener(t)
		leg := calls.Dial(contact.Call{To: fmt.Sprintf("+1415555%04d", i), From: office}, h.hear)
		leg.Record(contact.Recording{Kind: contact.IVRRecording, State: contact.RecordingOn, URI: fmt.Sprintf("s3://b/%d", i)})
		leg.Say(1, prompts("s3://b/music"), true)
		if i%4 == 0 {
			leg.Say(2, prompts("s3://b/missing"), false)
		}
		all = append(all, h)
	}
	for i, h := range all {
		if i%2 == 0 { // the others may still ring
			h.wants(contact.LegRinging, contact.LegAnswered)
		}
	}
	if err := errors.Join(calls.Close(), calls.Close()); err != nil {
		t.Error(err)
	}
	for i, h := range all {
		var ended []contact.LegEvent
		for {
			select {
			case ev := <-h.events:
				if ended = append(ended, ev); ev.Kind != contact.LegEnded && len(ended) > 1 && ended[len(ended)-2].Kind == contact.LegEnded {
					t.Errorf("call %d: %+v after its end", i, ev)
				}
				continue
			default:
			}
			break
		}
		if n := len(ended); n == 0 || ended[n-1].Kind != contact.LegEnded || ended[n-1].Reason != "TELECOM_PROBLEM" {
			t.Errorf("call %d: %+v", i, ended)
		}
	}
	for i := range len(files) - len(next) {
		if n := files[i].times(); n != 1 {
			t.Errorf("recording %d was stored %d times", i, n)
		}
	}
	if n := strings.Count(log.String(), "call ended"); n != 40 {
		t.Errorf("%d ends of calls in the log, want 40", n)
	}
	if strings.Contains(log.String(), "4155550") {
		t.Error("the log has telephone numbers")
	}
	late := newListener(t)
	calls.Dial(contact.Call{To: customer, From: office}, late.hear).Hangup()
	late.quiet()
}

// TestDrain: new calls are refused, those under way go on.
func TestDrain(t *testing.T) {
	leakFree(t)
	arrivals := make(chan *Arrival, 1)
	calls := server(t, nil, func(o *Options) { o.Arrive = func(a *Arrival) { arrivals <- a } })
	p := caller(t, calls)
	f := p.dial(office)
	h := newListener(t)
	(<-arrivals).Answer(h.hear)
	h.wants(contact.LegAnswered)
	f.wait(sip.Answered)
	ctx, cancel := context.WithCancel(t.Context())
	drained := make(chan struct{})
	go func() {
		calls.Drain(ctx)
		close(drained)
	}()
	eventually(t, "new calls are refused", func() bool {
		n := p.dial(office)
		select {
		case a := <-arrivals: // it was faster
			a.Reject(486)
			n.wait(sip.Ended)
			return false
		case ev := <-n.events:
			for ev.Kind != sip.Ended {
				ev = <-n.events
			}
			return ev.Status == 503
		}
	})
	f.session.Press("1")
	h.types("1")
	select {
	case <-drained:
		t.Error("drained with a call under way")
	default:
	}
	f.call.Hangup()
	h.ends("CUSTOMER_DISCONNECT")
	<-drained
	cancel()
}

// TestAdvertised: where the far side is told to send sound to, by calls out and in.
func TestAdvertised(t *testing.T) {
	for name, c := range map[string]struct{ listen, trunk, all, want string }{
		"the socket's":               {"127.0.0.1:0", "", "", "127.0.0.1"},
		"the system's":               {"0.0.0.0:0", "", "", "127.0.0.1"},
		"the system's, any family":   {":0", "", "", "127.0.0.1"},
		"by name":                    {"localhost:0", "", "", "127.0.0.1"},
		"everybody's":                {"0.0.0.0:0", "", "127.0.0.9", "127.0.0.9"},
		"everybody's, by name":       {"0.0.0.0:0", "", "localhost", "127.0.0.1"},
		"the trunk's":                {"0.0.0.0:0", "127.0.0.8", "127.0.0.9", "127.0.0.8"},
		"the trunk's, with brackets": {"0.0.0.0:0", "[127.0.0.8]", "", "127.0.0.8"},
	} {
		t.Run(name, func(t *testing.T) {
			leakFree(t)
			p := newPeer(t, sip.Trunk{}, nil)
			arrivals := make(chan *Arrival, 1)
			calls := server(t, p, func(o *Options) {
				o.SIP.Listen, o.SIP.Advertise = c.listen, c.all
				for i := range o.SIP.Trunks {
					o.SIP.Trunks[i].Advertise = c.trunk
				}
				o.Arrive = func(a *Arrival) { arrivals <- a }
			})
			out, in := newListener(t), newListener(t)
			leg := calls.Dial(contact.Call{To: customer, From: office}, out.hear)
			out.wants(contact.LegRinging, contact.LegAnswered)
			callee := <-p.calls
			from := newPeer(t, sip.Trunk{Address: fmt.Sprintf("sip:127.0.0.1:%d", calls.Endpoint().Addr().Port())}, nil).dial(office)
			a := <-arrivals
			a.Answer(in.hear)
			in.wants(contact.LegAnswered)
			from.wait(sip.Answered)
			for _, f := range []*far{callee, from} {
				if agreed, _ := f.stream.Agreed(); agreed.Remote.Addr().String() != c.want {
					t.Errorf("sound is sent to %s, want %s", agreed.Remote.Addr(), c.want)
				}
			}
			callee.session.Press("1")
			out.types("1")
			from.session.Press("2")
			in.types("2")
			leg.Hangup()
			out.ends("")
			a.Hangup()
			in.ends("")
		})
	}
}

// TestFamilies: who is told an address that sound is not received at is not called.
func TestFamilies(t *testing.T) {
	leakFree(t)
	p := newPeer(t, sip.Trunk{}, nil)
	log := &written{}
	calls := server(t, p, func(o *Options) {
		o.SIP.Advertise = "2001:db8::1"
		o.Logger = slog.New(slog.NewTextHandler(log, nil))
	})
	h := newListener(t)
	calls.Dial(contact.Call{To: customer, From: office}, h.hear)
	h.ends("TELECOM_PROBLEM")
	if !strings.Contains(log.String(), "the far side is to send it to 2001:db8::1") {
		t.Errorf("the log has %s", log)
	}
}

// TestNames: each trunk has a name of its own.
func TestNames(t *testing.T) {
	for _, trunks := range [][]sip.Trunk{{{Name: "a"}, {Name: "a"}}, {{}}} {
		if c, err := New(Options{SIP: sip.Options{Trunks: trunks}}); err == nil {
			t.Errorf("%d trunks of one name", len(trunks))
			_ = c.Close()
		}
	}
}
