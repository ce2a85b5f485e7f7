package sip

import (
	"net/netip"
	"time"

	"ringdown/internal/audio"
)

// Trunk is a line to somebody else's telephones.
type Trunk struct {
	Name string
	// Address is where calls go out to: sip:HOST[:PORT][;transport=udp|tcp|tls] or
	// sips:HOST. "" for a trunk that only receives, or whose address is that of its
	// registration here.
	Address string
	// Username and Password answer challenges; Realm restricts them to one.
	Username, Password, Realm string
	// Register has this endpoint register at Address, as often as RegisterEvery, or
	// as the registrar wants it. It registers as Identity, a user name or a number,
	// "" for Username.
	Register      bool
	Identity      string
	RegisterEvery time.Duration
	// Sources are who may call from this trunk, by address. With InboundUsername,
	// they must also answer a challenge; with InboundUsername alone, anybody who can.
	Sources                          []netip.Prefix
	InboundUsername, InboundPassword string
	// InboundSHA256 has challenges offer SHA-256 (RFC 8760) before MD5. Telephones
	// that do not know it should pass over it; sipp 3.6, baresip 1.0 and their like
	// give up.
	InboundSHA256 bool
	// Registrar lets the far side register here (RFC 3261 §10): its calls go to
	// where it has registered from, each user name by itself.
	Registrar bool
	Codecs    []audio.Encoding // in order of preference; nil for PCMU, PCMA
	// Advertise is as in Options, for this trunk.
	Advertise string
	// MaxCalls at once, both ways; 0 for no limit. Beyond: 486 for calls in, a
	// failed call out.
	MaxCalls int
	Numbers  Numbers
	CallerID CallerID
	// Prefixes are the beginnings of numbers, E.164, that go out by this trunk. The
	// longest that fits among all trunks counts; a trunk without takes the rest.
	Prefixes []string
	// Refer has transfers that the flow does not come back from made by REFER (RFC
	// 3515) instead of a second call.
	Refer bool
	// Probe is how often OPTIONS asks whether the trunk is there, 0 for never.
	Probe time.Duration
	// SessionExpires is the interval of session timers that calls out ask for (RFC
	// 4028), 0 for 30 minutes.
	SessionExpires time.Duration
}

// Numbers is how a trunk writes telephone numbers.
type Numbers struct {
	// Country is the country code, "1", that numbers without a plus sign lack.
	Country string
	// Trunk prefixes national numbers, "0" in much of Europe, "" in North America.
	National string
	// Bare has numbers written without the plus sign.
	Bare bool
}

// CallerID is whose number calls out of a trunk may show.
type CallerID struct {
	// Allowed are numbers, or beginnings with an asterisk at the end; nil for all.
	Allowed []string
	// Default is shown in place of one that is not allowed.
	Default string
	// Asserted also puts the number into P-Asserted-Identity (RFC 3325).
	Asserted bool
}
