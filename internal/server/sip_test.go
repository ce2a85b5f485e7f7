package server

import (
	"net/netip"
	"strings"
	"testing"
	"time"

	"ringdown/internal/audio"
	"ringdown/internal/voice/sip"
)

// TestTrunks: what is configured is what the endpoint gets, and what is wrong is
// told by the name of its setting.
func TestTrunks(t *testing.T) {
	full := Trunk{
		Name: "carrier", Address: "sip:sip.example.com;transport=tcp", Username: "u", Password: "p", Register: true, RegisterEvery: "5m",
		Sources: []string{"203.0.113.7", "2001:db8::/32"}, Codecs: []string{"pcma"}, MaxCalls: 30, Numbers: TrunkNumbers{Country: "1", Bare: true},
		CallerID: TrunkCallerID{Allowed: []string{"+1415555*"}, Default: "+14155550100", Asserted: true}, Prefixes: []string{"+1"},
		Probe: "1m", SessionExpires: "30m",
	}
	got, err := full.trunk()
	if err != nil {
		t.Fatal(err)
	}
	if got.RegisterEvery != 5*time.Minute || got.Sources[0] != netip.MustParsePrefix("203.0.113.7/32") || got.Codecs[0] != audio.ALaw ||
		got.Numbers != (sip.Numbers{Country: "1", Bare: true}) || got.CallerID.Default != "+14155550100" || got.SessionExpires != 30*time.Minute {
		t.Errorf("the trunk is %+v", got)
	}
	for name, c := range map[string]struct {
		change func(t *Trunk)
		want   string
	}{
		"name":             {func(t *Trunk) { t.Name = "a b" }, "name must be"},
		"address":          {func(t *Trunk) { t.Address = "sip.example.com" }, "address must be"},
		"address with ;":   {func(t *Trunk) { t.Address = "sip:x;transport=sctp" }, "address must be"},
		"registration":     {func(t *Trunk) { t.Username = "" }, "register needs"},
		"half credentials": {func(t *Trunk) { t.InboundUsername = "x" }, "must be given together"},
		"of no use":        {func(t *Trunk) { t.Address, t.Sources, t.Register = "", nil, false }, "nobody could use it"},
		"open registrar":   {func(t *Trunk) { t.Registrar, t.Sources = true, nil }, "registrar needs"},
		"source":           {func(t *Trunk) { t.Sources = []string{"example.com"} }, "sources must be"},
		"codec":            {func(t *Trunk) { t.Codecs = []string{"opus"} }, "codecs may be"},
		"calls":            {func(t *Trunk) { t.MaxCalls = -1 }, "max-calls must not"},
		"prefix":           {func(t *Trunk) { t.Prefixes = []string{"44"} }, "prefixes must be"},
		"caller id":        {func(t *Trunk) { t.CallerID.Default = "415" }, "caller-id must have"},
		"time":             {func(t *Trunk) { t.Probe = "often" }, "probe must be a time"},
		"session timer":    {func(t *Trunk) { t.SessionExpires = "10s" }, "session-expires must be at least 90s"},
	} {
		one := full
		c.change(&one)
		if _, err := one.trunk(); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: the error is %v, want one with %q", name, err, c.want)
		}
	}
	for name, c := range map[string]struct {
		config Config
		want   string
	}{
		"twice":         {Config{SIP: SIP{Trunks: []Trunk{full, full}}}, "sip: trunks[1]: name carrier is there twice"},
		"unknown trunk": {Config{Numbers: []Number{{Number: "+14155550100", Trunk: "other"}}}, `trunk "other", which is not configured`},
		"trunk of flag": {Config{SIPTrunk: "192.0.2.1"}, "--sip-trunk must be"},
	} {
		if _, err := c.config.trunks(); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: the error is %v, want one with %q", name, err, c.want)
		}
	}
	local, err := (&Config{SIPTrunk: "sip:192.0.2.1"}).trunks()
	if err != nil || len(local) != 2 || local[0].Name != "default" || local[1].Name != localTrunk || !local[1].Registrar {
		t.Errorf("with the flag alone the trunks are %+v, %v", local, err)
	}
}

// TestRTPPorts: a range in order, in which there is room for a call.
func TestRTPPorts(t *testing.T) {
	for ports, ok := range map[string]bool{
		"": true, "20000-29999": true, "20000-20003": true,
		"20000-20001": false, "30000-20000": false, "20000": false, "1-100": false, "60000-70000": false, "a-b": false,
	} {
		if _, err := (&Config{RTPPorts: ports}).mediaOptions(); (err == nil) != ok {
			t.Errorf("%q: %v", ports, err)
		}
	}
}
