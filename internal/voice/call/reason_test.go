package call

import (
	"fmt"
	"testing"
	"time"

	"ringdown/internal/voice/sip"
)

// TestReasons: why a call ends, for every way in which one can.
func TestReasons(t *testing.T) {
	for _, c := range []struct {
		ev       sip.Event
		answered bool
		want     string
	}{
		{sip.Event{Cause: sip.HungUpHere}, true, ""},
		{sip.Event{Cause: sip.HungUpHere}, false, ""},
		{sip.Event{Cause: sip.HungUpThere}, true, "CUSTOMER_DISCONNECT"},
		{sip.Event{Cause: sip.HungUpThere, Q850: 16}, true, "CUSTOMER_DISCONNECT"},
		{sip.Event{Cause: sip.HungUpThere, Q850: 17}, true, "CUSTOMER_DISCONNECT"},
		{sip.Event{Cause: sip.HungUpThere, Q850: 38}, true, "TELECOM_PROBLEM"},
		{sip.Event{Cause: sip.HungUpThere, Q850: 41}, true, "TELECOM_PROBLEM"},
		{sip.Event{Cause: sip.Cancelled}, false, "TELECOM_ORIGINATOR_CANCEL"},
		{sip.Event{Cause: sip.RangOut}, false, "TELECOM_UNANSWERED"},
		{sip.Event{Cause: sip.NoAnswer}, false, "TELECOM_TIMEOUT"},
		{sip.Event{Cause: sip.NoAnswer}, true, "TELECOM_PROBLEM"},
		{sip.Event{Cause: sip.NoACK}, true, "TELECOM_PROBLEM"},
		{sip.Event{Cause: sip.Expired}, true, "TELECOM_PROBLEM"},
		{sip.Event{Cause: sip.Failed}, false, "TELECOM_PROBLEM"},
		{sip.Event{}, false, "TELECOM_PROBLEM"},
	} {
		if got := reason(c.ev, c.answered); got != c.want {
			t.Errorf("cause %d with Q.850 %d, answered %v: %q, want %q", c.ev.Cause, c.ev.Q850, c.answered, got, c.want)
		}
	}
	refused := map[string][]int{
		"TELECOM_BUSY":               {486, 600},
		"TELECOM_UNANSWERED":         {408, 480, 487},
		"TELECOM_NUMBER_INVALID":     {404, 410, 484, 485, 604},
		"TELECOM_POTENTIAL_BLOCKING": {403, 428, 433, 436, 437, 438, 603, 607, 608},
		"TELECOM_PROBLEM":            {300, 302, 400, 401, 405, 407, 415, 420, 423, 481, 482, 483, 488, 491, 500, 502, 503, 504, 513, 580, 606, 699},
	}
	for want, all := range refused {
		for _, status := range all {
			if got := reason(sip.Event{Cause: sip.Refused, Status: status}, false); got != want {
				t.Errorf("%d is %s, want %s", status, got, want)
			}
		}
	}
	// The network's own cause says more than what a gateway made of it, if it says
	// anything.
	for _, c := range []struct {
		status, q850 int
		want         string
	}{
		{480, 1, "TELECOM_NUMBER_INVALID"},
		{404, 3, "TELECOM_PROBLEM"},
		{480, 17, "TELECOM_BUSY"},
		{503, 18, "TELECOM_UNANSWERED"},
		{503, 19, "TELECOM_UNANSWERED"},
		{480, 20, "TELECOM_UNANSWERED"},
		{480, 21, "TELECOM_POTENTIAL_BLOCKING"},
		{480, 22, "TELECOM_NUMBER_INVALID"},
		{500, 28, "TELECOM_NUMBER_INVALID"},
		{486, 34, "TELECOM_PROBLEM"},
		{404, 16, "TELECOM_NUMBER_INVALID"},
		{486, 31, "TELECOM_BUSY"},
		{486, 999, "TELECOM_BUSY"},
	} {
		if got := reason(sip.Event{Cause: sip.Refused, Status: c.status, Q850: c.q850}, false); got != c.want {
			t.Errorf("%d with Q.850 %d is %s, want %s", c.status, c.q850, got, c.want)
		}
	}
}

// TestKeys: a press that is told both ways is one press; two presses are two.
func TestKeys(t *testing.T) {
	type told struct {
		at  time.Duration
		way way
		key string
	}
	ms := func(n int) time.Duration { return time.Duration(n) * time.Millisecond }
	for name, c := range map[string]struct {
		told []told
		want string
	}{
		"by sound":                {[]told{{0, bySound, "1"}, {ms(100), bySound, "1"}, {ms(200), bySound, "2"}}, "112"},
		"by message":              {[]told{{0, byMessage, "1"}, {ms(100), byMessage, "1"}}, "11"},
		"both":                    {[]told{{0, bySound, "1"}, {ms(50), byMessage, "1"}}, "1"},
		"both, the other way":     {[]told{{0, byMessage, "1"}, {ms(50), bySound, "1"}}, "1"},
		"both, twice":             {[]told{{0, bySound, "1"}, {ms(50), byMessage, "1"}, {ms(300), bySound, "1"}, {ms(350), byMessage, "1"}}, "11"},
		"both, in bursts":         {[]told{{0, bySound, "1"}, {ms(200), bySound, "1"}, {ms(300), byMessage, "1"}, {ms(600), byMessage, "1"}}, "11"},
		"both, one after another": {[]told{{0, bySound, "1"}, {ms(100), bySound, "2"}, {ms(200), byMessage, "1"}, {ms(400), byMessage, "2"}}, "12"},
		"one way, then the other": {[]told{{0, bySound, "1"}, {ms(1500), byMessage, "1"}}, "11"},
		"other keys":              {[]told{{0, bySound, "1"}, {ms(100), byMessage, "2"}}, "12"},
	} {
		var k keys
		began := time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)
		got := ""
		for _, p := range c.told {
			if !k.again(p.way, p.key, began.Add(p.at)) {
				got += p.key
			}
		}
		if got != c.want {
			t.Errorf("%s: %s, want %s", name, got, c.want)
		}
	}
}

// TestHeaders: the last value of a name counts, in whatever case it is written.
func TestHeaders(t *testing.T) {
	all := map[string]string{}
	for _, h := range []sip.Header{{Name: "X-Account", Value: "1"}, {Name: "User-to-User", Value: "a"}, {Name: "x-account", Value: "2"}} {
		setHeader(all, h)
	}
	if got := fmt.Sprint(all); got != "map[User-to-User:a x-account:2]" {
		t.Error(got)
	}
}

// TestTail: of a number the log shows the end.
func TestTail(t *testing.T) {
	for number, want := range map[string]string{"+14155550100": "…0100", "": "", "100": "100", "1000": "1000", "alice": "…lice"} {
		if got := tail(number); got != want {
			t.Errorf("%q is shown as %q, want %q", number, got, want)
		}
	}
}
