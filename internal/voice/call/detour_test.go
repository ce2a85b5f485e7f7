package call

import (
	"net"
	"testing"
	"time"

	"ringdown/internal/contact"
	"ringdown/internal/voice/sip"
)

// closedPort is the address of a port that nobody listens at.
func closedPort(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp4", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = l.Close() }()
	return "sip:" + l.Addr().String() + ";transport=tcp"
}

// TestDetours: a call that its trunk does not take goes out by the next; one that
// whoever is called refuses does not.
func TestDetours(t *testing.T) {
	reject := func(status int) func(*peer, *sip.Call) {
		return func(_ *peer, c *sip.Call) { c.Reject(status) }
	}
	second := "+14155550199" // a number with a trunk of its own
	for name, c := range map[string]struct {
		first   func(*peer, *sip.Call) // nil: nobody listens
		from    string
		patient time.Duration
		taken   bool
		why     string // when it is not
	}{
		"unavailable":         {reject(503), office, 0, true, ""},
		"out of reach":        {nil, office, 0, true, ""},
		"in trouble":          {reject(500), office, 0, true, ""},
		"wants a password":    {reject(407), office, 0, true, ""},
		"busy":                {reject(486), office, 0, false, "TELECOM_BUSY"},
		"no such number":      {reject(404), office, 0, false, "TELECOM_NUMBER_INVALID"},
		"declined everywhere": {reject(603), office, 0, false, "TELECOM_POTENTIAL_BLOCKING"},
		"rang before":         {refuse(503), office, 0, false, "TELECOM_PROBLEM"},
		"no time left":        {reject(503), office, leastRing / 2, false, "TELECOM_PROBLEM"},
		"its own trunk":       {reject(503), second, 0, false, "TELECOM_PROBLEM"},
	} {
		t.Run(name, func(t *testing.T) {
			leakFree(t)
			address := ""
			if c.first == nil {
				address = closedPort(t)
			} else {
				address = newPeer(t, sip.Trunk{}, c.first).address()
			}
			next := newPeer(t, sip.Trunk{}, nil)
			calls := server(t, nil, func(o *Options) {
				o.SIP.Trunks = append(o.SIP.Trunks, sip.Trunk{Name: "first", Address: address, Prefixes: []string{"+1"}},
					sip.Trunk{Name: "next", Address: next.address()})
				o.TrunkOf = func(number string) string { return map[string]string{second: "first"}[number] }
			})
			h := newListener(t)
			leg := calls.Dial(contact.Call{To: customer, From: c.from, RingTimeout: c.patient}, h.hear)
			if !c.taken {
				if name == "rang before" {
					h.wants(contact.LegRinging)
				}
				h.ends(c.why)
				return
			}
			h.wants(contact.LegRinging, contact.LegAnswered)
			f := <-next.calls
			f.wait(sip.Confirmed)
			leg.Type("7")
			f.hears("7")
			leg.Hangup()
			h.ends("")
			f.wait(sip.Ended)
		})
	}
}

// TestDetourWhenFull: a trunk without room leaves a call to the next; without a next
// the call ends.
func TestDetourWhenFull(t *testing.T) {
	leakFree(t)
	first, next := newPeer(t, sip.Trunk{}, nil), newPeer(t, sip.Trunk{}, nil)
	calls := server(t, nil, func(o *Options) {
		o.SIP.Trunks = append(o.SIP.Trunks, sip.Trunk{Name: "first", Address: first.address(), MaxCalls: 1, Prefixes: []string{"+1"}},
			sip.Trunk{Name: "next", Address: next.address(), MaxCalls: 1})
	})
	for _, p := range []*peer{first, next} {
		h := newListener(t)
		calls.Dial(contact.Call{To: customer, From: office}, h.hear)
		h.wants(contact.LegRinging, contact.LegAnswered)
		select {
		case <-p.calls:
		case <-time.After(long):
			t.Fatal("the call went out by the other trunk")
		}
	}
	h := newListener(t)
	calls.Dial(contact.Call{To: customer, From: office}, h.hear)
	h.ends("TELECOM_PROBLEM")
}
