package simulated

import (
	"context"
	"fmt"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"ringdown/internal/contact"
	"ringdown/internal/flow/machine"
)

// caller hears a call and notes what it hears and when, as "1s answered".
type caller struct {
	heard chan string
	began time.Time
}

func newCaller() *caller { return &caller{heard: make(chan string, 100), began: time.Now()} }

func (c *caller) hear(ev contact.LegEvent) {
	what := map[contact.LegKind]string{
		contact.LegRinging: "ringing", contact.LegAnswered: "answered", contact.LegDigit: "digit " + ev.Text,
		contact.LegSaid: fmt.Sprintf("said %d", ev.Seq), contact.LegEnded: strings.TrimSpace("ended " + ev.Reason),
	}[ev.Kind]
	c.heard <- time.Since(c.began).String() + " " + what
}

// all is what was heard until now.
func (c *caller) all() string {
	var all []string
	for {
		select {
		case h := <-c.heard:
			all = append(all, h)
		default:
			return strings.Join(all, ", ")
		}
	}
}

// turn turns the bubble's clock, and lets everything happen that is due.
func turn(d time.Duration) {
	<-time.After(d)
	synctest.Wait()
}

func text(s string) []contact.Sound {
	return []contact.Sound{{Message: machine.Message{Text: s}}}
}

// thirty characters take two seconds to say.
const thirty = "123456789 123456789 123456789."

// TestCallees: what becomes of a call, at which time.
func TestCallees(t *testing.T) {
	for name, c := range map[string]struct {
		speed  float64
		callee Callee
		ring   time.Duration
		flow   func(l contact.Leg)
		want   string
	}{
		"by default":                      {1, Callee{Rings: DefaultRings}, 0, nil, "0s ringing, 1s answered"},
		"twice as fast":                   {2, Callee{Rings: DefaultRings}, 0, nil, "0s ringing, 500ms answered"},
		"at once":                         {0, Callee{Rings: time.Hour}, 2 * time.Hour, nil, "0s ringing, 0s answered"},
		"busy":                            {1, Callee{Answer: Busy}, 0, nil, "0s ended TELECOM_BUSY"},
		"invalid":                         {1, Callee{Answer: Invalid}, 0, nil, "0s ended TELECOM_NUMBER_INVALID"},
		"rejected":                        {1, Callee{Answer: Rejected, Rings: 3 * time.Second}, 0, nil, "0s ringing, 3s ended TELECOM_POTENTIAL_BLOCKING"},
		"nobody answers":                  {1, Callee{Answer: Silent}, 20 * time.Second, nil, "0s ringing, 20s ended TELECOM_UNANSWERED"},
		"nobody answers, without a limit": {1, Callee{Answer: Silent}, 0, nil, "0s ringing, 1m0s ended TELECOM_UNANSWERED"},
		"answers too late":                {1, Callee{Rings: 21 * time.Second}, 20 * time.Second, nil, "0s ringing, 20s ended TELECOM_UNANSWERED"},
		"hangs up":                        {1, Callee{Hangup: 5 * time.Second}, 0, nil, "0s ringing, 0s answered, 5s ended CUSTOMER_DISCONNECT"},
		"hangs up during a message": {
			1,
			Callee{Hangup: time.Second},
			0, func(l contact.Leg) { l.Say(1, text(thirty), false) },
			"0s ringing, 0s answered, 1s ended CUSTOMER_DISCONNECT",
		},
		"hangs up in a loop, at once": {
			0,
			Callee{Hangup: time.Hour},
			0, func(l contact.Leg) { l.Say(1, text(thirty), true) },
			"0s ringing, 0s answered, 0s ended CUSTOMER_DISCONNECT",
		},
		"hangs up in silence, which nothing speeds up": {
			0,
			Callee{Hangup: 5 * time.Second},
			0, func(l contact.Leg) { l.Say(1, text(thirty), false) },
			"0s ringing, 0s answered, 0s said 1, 3s ended CUSTOMER_DISCONNECT",
		},
		"listens":            {1, Callee{}, 0, func(l contact.Leg) { l.Say(7, text(thirty), false) }, "0s ringing, 0s answered, 2s said 7"},
		"listens to nothing": {1, Callee{}, 0, func(l contact.Leg) { l.Say(7, nil, false) }, "0s ringing, 0s answered, 0s said 7"},
		"a loop has no end":  {1, Callee{}, 0, func(l contact.Leg) { l.Say(7, text(thirty), true) }, "0s ringing, 0s answered"},
		"the last message counts": {
			1,
			Callee{},
			0, func(l contact.Leg) { l.Say(1, text(thirty), false); l.Say(2, text("123456789012345"), false) },
			"0s ringing, 0s answered, 1s said 2",
		},
		"hush": {1, Callee{}, 0, func(l contact.Leg) { l.Say(1, text(thirty), false); l.Hush() }, "0s ringing, 0s answered"},
		"presses": {
			1,
			Callee{Press: []string{"12"}},
			0, func(l contact.Leg) { l.Say(1, text(thirty), false) },
			"0s ringing, 0s answered, 2s said 1, 2.5s digit 1, 2.75s digit 2",
		},
		"presses at once": {
			0,
			Callee{Press: []string{"#"}},
			0, func(l contact.Leg) { l.Say(1, text(thirty), false) },
			"0s ringing, 0s answered, 0s said 1, 0s digit #",
		},
		"the flow hangs up": {
			1,
			Callee{Press: []string{"1"}},
			0, func(l contact.Leg) {
				l.Say(1, text(thirty), false)
				l.Hangup()
				l.Hangup()
				l.Say(2, text(thirty), false)
			},
			"0s ringing, 0s answered, 0s ended",
		},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				callee := c.callee
				callee.Number = "+14155550100"
				d := New(Options{Speed: c.speed, Callees: []Callee{callee}})
				defer d.Close()
				who := newCaller()
				answered := make(chan struct{})
				leg := d.Dial(contact.Call{To: "+14155550100", RingTimeout: c.ring}, func(ev contact.LegEvent) {
					who.hear(ev)
					if ev.Kind == contact.LegAnswered {
						close(answered)
					}
				})
				if c.callee.Rings > 0 && c.speed > 0 {
					leg.Say(99, text("nobody hears this"), false)
				}
				if c.flow != nil {
					<-answered
					c.flow(leg)
				}
				turn(2 * time.Hour)
				if got := who.all(); got != c.want {
					t.Errorf("heard %s\nwant %s", got, c.want)
				}
			})
		})
	}
}

// TestConversation: the n-th keys follow the n-th message that was heard to its
// end, and may interrupt the next.
func TestConversation(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := New(Options{Speed: 1, Callees: []Callee{{Number: "+1*", Press: []string{"", "1", "23"}}}})
		defer d.Close()
		who := newCaller()
		leg := d.Dial(contact.Call{To: "+14155550100"}, who.hear)
		for _, say := range []struct {
			seq  int
			wait time.Duration
		}{
			{1, 10 * time.Second},
			{2, time.Second}, // is hushed, and does not count
			{3, 2100 * time.Millisecond},
			{4, 10 * time.Second},
		} {
			synctest.Wait()
			leg.Say(say.seq, text(thirty), false)
			turn(say.wait)
			if say.wait == time.Second {
				leg.Hush()
			}
		}
		want := "0s ringing, 0s answered, 2s said 1, 13s said 3, 13.5s digit 1, 15.1s said 4, 15.6s digit 2, 15.85s digit 3"
		if got := who.all(); got != want {
			t.Errorf("heard %s\nwant %s", got, want)
		}
	})
}

// TestFind: a whole number goes before a beginning, a longer before a shorter.
func TestFind(t *testing.T) {
	d := New(Options{Callees: []Callee{
		{Number: "*", Rings: 1}, {Number: "+1415555*", Rings: 3}, {Number: "+1415*", Rings: 2}, {Number: "+14155550100", Rings: 4}, {Number: "+14155550*", Rings: 5},
	}})
	for number, want := range map[string]time.Duration{"+442071838750": 1, "+14151234567": 2, "+14155551234": 3, "+14155550100": 4, "+14155550199": 5} {
		if got := d.find(number).Rings; got != want {
			t.Errorf("%s has the callee %d, want %d", number, got, want)
		}
	}
	if got := New(Options{}).find("+14155550100"); got.Rings != DefaultRings {
		t.Errorf("without a script: %+v", got)
	}
}

// TestJoin: what plays ends, and either side may hang up.
func TestJoin(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := New(Options{Speed: 1, Callees: []Callee{{Number: "+1*"}, {Number: "+2*", Hangup: 10 * time.Second}}})
		defer d.Close()
		one, two := newCaller(), newCaller()
		first, second := d.Dial(contact.Call{To: "+1"}, one.hear), d.Dial(contact.Call{To: "+2"}, two.hear)
		synctest.Wait()
		first.Say(1, text(thirty), false)
		second.Say(1, text(thirty), true)
		first.Join(second)
		first.Type("1")
		turn(time.Minute)
		if got := one.all(); got != "0s ringing, 0s answered" {
			t.Errorf("the first heard %s", got)
		}
		if got := two.all(); got != "0s ringing, 0s answered, 10s ended CUSTOMER_DISCONNECT" {
			t.Errorf("the second heard %s", got)
		}
	})
}

// TestClose: calls end with their dialer, and nobody is called afterwards. That
// no goroutine is left is what the bubble checks.
func TestClose(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		d := New(Options{Speed: 1})
		who := newCaller()
		leg := d.Dial(contact.Call{To: "+1"}, who.hear)
		turn(500 * time.Millisecond)
		for range 2 {
			if err := d.Close(); err != nil {
				t.Fatal(err)
			}
		}
		leg.Hangup()
		d.Dial(contact.Call{To: "+1"}, who.hear).Say(1, nil, false)
		turn(time.Minute)
		if got := who.all(); got != "0s ringing" {
			t.Errorf("heard %s", got)
		}
		if err := (*Dialer)(nil).Close(); err != nil {
			t.Error(err)
		}
	})
}

// TestLength: text by its characters, SSML without tags, recordings by their
// length where that is known.
func TestLength(t *testing.T) {
	d := New(Options{Length: func(_ context.Context, uri string) (time.Duration, bool) {
		return 7 * time.Second, uri == "s3://b/known.wav"
	}})
	for name, c := range map[string]struct {
		sound contact.Sound
		want  time.Duration
	}{
		"text":               {contact.Sound{Message: machine.Message{Text: thirty}}, 2 * time.Second},
		"letters, not bytes": {contact.Sound{Message: machine.Message{Text: strings.Repeat("ü", 15)}}, time.Second},
		"nothing":            {contact.Sound{}, 0},
		"SSML":               {contact.Sound{Message: machine.Message{SSML: "<speak>12345<emphasis level='strong'>12345</emphasis>\n  12345</speak>"}}, 17 * time.Second / charactersPerSecond},
		"a break":            {contact.Sound{Message: machine.Message{SSML: `<speak><break time="1.5s"/></speak>`}}, 1500 * time.Millisecond},
		"milliseconds":       {contact.Sound{Message: machine.Message{SSML: `<speak><break strength='weak' time = '250ms' /></speak>`}}, 250 * time.Millisecond},
		"a break's default":  {contact.Sound{Message: machine.Message{SSML: `<speak><break/><break strength="strong"/></speak>`}}, 2 * breakTime},
		"no break":           {contact.Sound{Message: machine.Message{SSML: `<speak><breakfast time="9s"/></speak>`}}, 0},
		"a prompt":           {contact.Sound{Message: machine.Message{Prompt: "p"}, Prompt: &contact.Prompt{URI: "s3://b/known.wav"}}, 7 * time.Second},
		"media":              {contact.Sound{Message: machine.Message{Media: "s3://b/known.wav"}}, 7 * time.Second},
		"unknown media":      {contact.Sound{Message: machine.Message{Media: "s3://b/other.wav"}}, recordingTime},
	} {
		if got := d.length([]contact.Sound{c.sound}).Round(time.Millisecond); got != c.want.Round(time.Millisecond) {
			t.Errorf("%s takes %s, want %s", name, got, c.want)
		}
	}
}
