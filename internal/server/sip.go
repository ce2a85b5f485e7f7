package server

import (
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"regexp"
	"strconv"
	"strings"
	"time"

	"ringdown/internal/audio"
	"ringdown/internal/voice/media"
	"ringdown/internal/voice/sip"
)

// SIP says who calls come from and where they go to. The zero value lets
// telephones on the same machine call, and register to be called.
type SIP struct {
	// Advertise is the address that others reach this machine at, for a server
	// behind NAT. Empty: that of --sip-listen.
	Advertise string `yaml:"advertise"`
	TLS       SIPTLS `yaml:"tls"`
	// Drain is how long a stopping server lets calls end by themselves, such as
	// "30s". Empty: 15 s.
	Drain  string    `yaml:"drain"`
	Limits SIPLimits `yaml:"limits"`
	Trunks []Trunk   `yaml:"trunks"`
}

// SIPTLS has SIP served over TLS as well.
type SIPTLS struct {
	Listen string `yaml:"listen"` // host:port, such as 0.0.0.0:5061
	Cert   string `yaml:"cert"`   // PEM files
	Key    string `yaml:"key"`
}

// SIPLimits keep floods away. Zero values take the defaults.
type SIPLimits struct {
	Invites  int `yaml:"invites"`  // new calls a second from one address: 500
	Messages int `yaml:"messages"` // messages a second from one address: 20,000
	Calls    int `yaml:"calls"`    // calls at once: 10,000
}

// Trunk is a line to other telephones (sip.Trunk has the meaning of each member).
type Trunk struct {
	Name            string        `yaml:"name"`
	Address         string        `yaml:"address"` // sip:HOST[:PORT][;transport=udp|tcp|tls]
	Username        string        `yaml:"username"`
	Password        string        `yaml:"password"`
	Realm           string        `yaml:"realm"`
	Register        bool          `yaml:"register"`
	RegisterEvery   string        `yaml:"register-every"`
	Sources         []string      `yaml:"sources"` // addresses, or networks such as 203.0.113.0/24
	InboundUsername string        `yaml:"inbound-username"`
	InboundPassword string        `yaml:"inbound-password"`
	InboundSHA256   bool          `yaml:"inbound-sha256"`
	Registrar       bool          `yaml:"registrar"`
	Codecs          []string      `yaml:"codecs"` // PCMU, PCMA
	Advertise       string        `yaml:"advertise"`
	MaxCalls        int           `yaml:"max-calls"`
	Numbers         TrunkNumbers  `yaml:"numbers"`
	CallerID        TrunkCallerID `yaml:"caller-id"`
	Prefixes        []string      `yaml:"prefixes"` // of numbers that go out by it
	Refer           bool          `yaml:"refer"`
	Probe           string        `yaml:"probe"`
	SessionExpires  string        `yaml:"session-expires"`
}

// TrunkNumbers is how a trunk writes numbers.
type TrunkNumbers struct {
	Country  string `yaml:"country"`  // "1": the country code that national numbers lack
	National string `yaml:"national"` // "0": what national numbers begin with
	Bare     bool   `yaml:"bare"`     // numbers are written without the plus sign
}

// TrunkCallerID is whose number calls show.
type TrunkCallerID struct {
	Allowed  []string `yaml:"allowed"` // numbers, or beginnings such as "+1415555*"
	Default  string   `yaml:"default"`
	Asserted bool     `yaml:"asserted"` // also in P-Asserted-Identity
}

// The defaults of voice.
const (
	DefaultSIPListen = "127.0.0.1:5060"
	DefaultRTPPorts  = "20000-29999"
	defaultCallDrain = 15 * time.Second
)

var (
	trunkName    = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9._-]{0,63}$`)
	trunkAddress = regexp.MustCompile(`^sips?:[^@\s;]+(;transport=(udp|tcp|tls))?$`)
	prefixNumber = regexp.MustCompile(`^\+[0-9]{0,15}$`)
	callerNumber = regexp.MustCompile(`^\+[0-9]{0,15}\*?$`)
)

// sipOptions are those of the endpoint. The error names the setting that is
// wrong.
func (c *Config) sipOptions() (o sip.Options, err error) {
	if _, _, err := net.SplitHostPort(c.SIPListen); err != nil {
		return o, fmt.Errorf("--sip-listen must be host:port, such as %s: %w", DefaultSIPListen, err)
	}
	limits := c.SIP.Limits
	if limits.Invites < 0 || limits.Messages < 0 || limits.Calls < 0 {
		return o, errors.New("sip: limits must not be negative")
	}
	o = sip.Options{
		Listen: c.SIPListen, Advertise: c.SIP.Advertise, Limits: sip.Limits(limits),
		UserAgent: "ringdown", Logger: c.Logger, Now: c.Now,
	}
	if t := c.SIP.TLS; t != (SIPTLS{}) {
		if t.Listen == "" || t.Cert == "" || t.Key == "" {
			return o, errors.New("sip: tls: listen, cert and key must be given together")
		}
		pair, err := tls.LoadX509KeyPair(t.Cert, t.Key)
		if err != nil {
			return o, fmt.Errorf("sip: tls: %w", err)
		}
		o.ListenTLS, o.TLS = t.Listen, &tls.Config{Certificates: []tls.Certificate{pair}, MinVersion: tls.VersionTLS12}
	}
	o.Trunks, err = c.trunks()
	return o, err
}

// localTrunk is the trunk of telephones on the same machine.
const localTrunk = "local"

// trunks are those of the configuration. Without any there is one for this
// machine's telephones; --sip-trunk adds the one that other calls go out by.
func (c *Config) trunks() (all []sip.Trunk, err error) {
	known := map[string]bool{}
	for i := range c.SIP.Trunks {
		from := &c.SIP.Trunks[i]
		t, err := from.trunk()
		if err == nil && known[t.Name] {
			err = fmt.Errorf("name %s is there twice", t.Name)
		}
		if err != nil {
			return nil, fmt.Errorf("sip: trunks[%d]: %w", i, err)
		}
		known[t.Name] = true
		all = append(all, t)
	}
	if c.SIPTrunk != "" {
		if !trunkAddress.MatchString(c.SIPTrunk) {
			return nil, fmt.Errorf("--sip-trunk must be a SIP address such as sip:192.0.2.1:5060, not %q", c.SIPTrunk)
		}
		if known["default"] {
			return nil, errors.New("--sip-trunk is the trunk default, which the configuration file has too")
		}
		all = append(all, sip.Trunk{Name: "default", Address: c.SIPTrunk})
	}
	if len(c.SIP.Trunks) == 0 {
		all = append(all, sip.Trunk{
			Name: localTrunk, Registrar: true,
			Sources: []netip.Prefix{netip.MustParsePrefix("127.0.0.0/8"), netip.MustParsePrefix("::1/128")},
		})
	}
	for _, n := range c.Numbers {
		if n.Trunk != "" && !known[n.Trunk] && n.Trunk != "default" && n.Trunk != localTrunk {
			return nil, fmt.Errorf("numbers: the number %s names the trunk %q, which is not configured", n.Number, n.Trunk)
		}
	}
	return all, nil
}

// trunk checks and converts.
func (t *Trunk) trunk() (out sip.Trunk, err error) {
	out = sip.Trunk{
		Name: t.Name, Address: t.Address, Username: t.Username, Password: t.Password, Realm: t.Realm, Register: t.Register,
		InboundUsername: t.InboundUsername, InboundPassword: t.InboundPassword, InboundSHA256: t.InboundSHA256, Registrar: t.Registrar,
		Advertise: t.Advertise, MaxCalls: t.MaxCalls, Numbers: sip.Numbers(t.Numbers), CallerID: sip.CallerID(t.CallerID),
		Prefixes: t.Prefixes, Refer: t.Refer,
	}
	switch {
	case !trunkName.MatchString(t.Name):
		return out, fmt.Errorf("name must be a word of letters, digits, dots and hyphens, not %q", t.Name)
	case t.Address != "" && !trunkAddress.MatchString(t.Address):
		return out, fmt.Errorf("address must be a SIP address such as sip:sip.example.com:5060;transport=tcp, not %q", t.Address)
	case t.Register && (t.Address == "" || t.Username == ""):
		return out, errors.New("register needs address and username")
	case (t.InboundUsername == "") != (t.InboundPassword == ""):
		return out, errors.New("inbound-username and inbound-password must be given together")
	case t.Registrar && len(t.Sources) == 0 && t.InboundUsername == "":
		return out, errors.New("registrar needs sources or inbound-username: anybody could call")
	case t.Address == "" && len(t.Sources) == 0 && t.InboundUsername == "":
		return out, errors.New("needs an address, sources, or inbound-username: nobody could use it")
	case t.MaxCalls < 0:
		return out, errors.New("max-calls must not be negative")
	}
	for _, s := range t.Sources {
		p, err := parseSource(s)
		if err != nil {
			return out, err
		}
		out.Sources = append(out.Sources, p)
	}
	for _, name := range t.Codecs {
		switch strings.ToUpper(name) {
		case "PCMU":
			out.Codecs = append(out.Codecs, audio.MuLaw)
		case "PCMA":
			out.Codecs = append(out.Codecs, audio.ALaw)
		default:
			return out, fmt.Errorf("codecs may be PCMU and PCMA, not %q", name)
		}
	}
	for _, p := range t.Prefixes {
		if !prefixNumber.MatchString(p) {
			return out, fmt.Errorf("prefixes must be the beginnings of numbers, such as +44, not %q", p)
		}
	}
	for _, n := range append([]string{t.CallerID.Default}, t.CallerID.Allowed...) {
		if n != "" && !callerNumber.MatchString(n) {
			return out, fmt.Errorf("caller-id must have numbers such as +14155550100, not %q", n)
		}
	}
	for _, d := range []struct {
		name, value string
		target      *time.Duration
	}{{"register-every", t.RegisterEvery, &out.RegisterEvery}, {"probe", t.Probe, &out.Probe}, {"session-expires", t.SessionExpires, &out.SessionExpires}} {
		if *d.target, err = duration(d.name, d.value); err != nil {
			return out, err
		}
	}
	if s := out.SessionExpires; s > 0 && s < 90*time.Second { // RFC 4028 §5
		return out, errors.New("session-expires must be at least 90s")
	}
	return out, nil
}

// parseSource reads an address or a network.
func parseSource(s string) (netip.Prefix, error) {
	if p, err := netip.ParsePrefix(s); err == nil {
		return p.Masked(), nil
	}
	a, err := netip.ParseAddr(s)
	if err != nil {
		return netip.Prefix{}, fmt.Errorf("sources must be addresses or networks such as 203.0.113.0/24, not %q", s)
	}
	return netip.PrefixFrom(a, a.BitLen()), nil
}

// duration reads a time such as 30s, empty for 0.
func duration(name, value string) (time.Duration, error) {
	if value == "" {
		return 0, nil
	}
	d, err := time.ParseDuration(value)
	if err != nil || d < 0 {
		return 0, fmt.Errorf("%s must be a time such as 30s, not %q", name, value)
	}
	return d, nil
}

// mediaOptions are those of RTP.
func (c *Config) mediaOptions() (o media.Options, err error) {
	ports := c.RTPPorts
	if ports == "" {
		ports = DefaultRTPPorts
	}
	first, last, ok := strings.Cut(ports, "-")
	low, err1 := strconv.Atoi(first)
	high, err2 := strconv.Atoi(last)
	if !ok || err1 != nil || err2 != nil || low < 1024 || high > 65535 || high < low+3 {
		return o, fmt.Errorf("--rtp-ports must be a range of ports from 1024 to 65535, such as %s, not %q", DefaultRTPPorts, ports)
	}
	return media.Options{FirstPort: low, LastPort: high, Logger: c.Logger}, nil
}

// callDrain is how long calls may go on when the server stops.
func (c *Config) callDrain() (time.Duration, error) {
	if c.SIP.Drain == "" {
		return defaultCallDrain, nil
	}
	d, err := duration("drain", c.SIP.Drain)
	if err != nil {
		return 0, fmt.Errorf("sip: %w", err)
	}
	return d, nil
}
