package sdp

import (
	"fmt"
	"net/netip"
	"strconv"
	"strings"
	"time"
)

// streamLimit is how many m= lines a description may have. Each costs a line of the
// answer.
const streamLimit = 64

// description is what matters of a text: its streams, with what holds for the whole
// session already filled in.
type description struct {
	streams []stream
}

// stream is an m= line and what follows it.
type stream struct {
	line    int // of m=
	media   string
	port    int
	proto   string
	formats []string

	// connection is the address of c=, invalid without one. Where it cannot be used,
	// problem says why.
	connection netip.Addr
	problem    error
	direction  Direction
	ptime      time.Duration
	maxPtime   time.Duration
	rtcpPort   int
	rtcpAddr   netip.Addr // invalid for that of connection
	rtcpMux    bool
	maps       map[string]string // rtpmap by payload type
}

// malformed is the error of a line.
func malformed(line int, what string) error {
	return fmt.Errorf("%w: line %d: %s", ErrMalformed, line, what)
}

// parse reads a description. It takes what telephones get wrong without harm: the
// order of lines, lines that are missing, and line ends of \n alone. The package
// that writes descriptions would not read fax offers (m=image, udptl), which are to
// be refused and not to end a call.
func parse(text []byte) (*description, error) {
	var d description
	session := stream{ptime: 0}
	section := &session
	number, versions := 0, 0
	for raw := range strings.SplitSeq(string(text), "\n") {
		number++
		line := strings.TrimSuffix(raw, "\r")
		if strings.TrimSpace(line) == "" {
			continue
		}
		if len(line) < 2 || line[1] != '=' || line[0] < 'a' || line[0] > 'z' {
			return nil, malformed(number, "it is not a letter, an equals sign and a value")
		}
		if strings.ContainsAny(line, "\r\x00") {
			return nil, malformed(number, "there is a control character in it")
		}
		kind, value := line[0], line[2:]
		if versions == 0 && kind != 'v' {
			return nil, malformed(number, "v= comes first")
		}
		switch kind {
		case 'v':
			if versions++; versions > 1 || strings.TrimSpace(value) != "0" {
				return nil, malformed(number, "v=0 comes once")
			}
		case 'c':
			section.connection, section.problem = connection(number, value)
		case 'a':
			attribute(section, value)
		case 'm':
			if len(d.streams) == streamLimit {
				return nil, malformed(number, "there are too many m= lines")
			}
			s, err := media(number, value)
			if err != nil {
				return nil, err
			}
			s.connection, s.problem = session.connection, session.problem
			s.direction, s.ptime, s.maxPtime = session.direction, session.ptime, session.maxPtime
			d.streams = append(d.streams, s)
			section = &d.streams[len(d.streams)-1]
		}
	}
	if versions == 0 {
		return nil, malformed(1, "v= comes first")
	}
	return &d, nil
}

// connection reads c= (RFC 4566 §5.7). A name cannot be used, nor a group.
func connection(line int, value string) (netip.Addr, error) {
	f := strings.Fields(value)
	if len(f) != 3 {
		return netip.Addr{}, malformed(line, "c= has three parts")
	}
	if f[0] != "IN" || f[1] != "IP4" && f[1] != "IP6" {
		return netip.Addr{}, malformed(line, "c= is not of IN IP4 or IN IP6")
	}
	a, err := address(f[2])
	if err != nil {
		return a, fmt.Errorf("line %d: %w", line, err)
	}
	return a, nil
}

// address reads an address that packets can be sent to.
func address(s string) (netip.Addr, error) {
	s, _, _ = strings.Cut(s, "/")
	a, err := netip.ParseAddr(s)
	if err != nil || a.Zone() != "" {
		return netip.Addr{}, fmt.Errorf("%w: the address is a name", ErrNoCommon)
	}
	if a = a.Unmap(); a.IsMulticast() {
		return netip.Addr{}, fmt.Errorf("%w: the address is a group's", ErrNoCommon)
	}
	return a, nil
}

// media reads m= (RFC 4566 §5.14).
func media(line int, value string) (stream, error) {
	f := strings.Fields(value)
	if len(f) < 4 {
		return stream{}, malformed(line, "m= has four parts at least")
	}
	port, count, ranged := strings.Cut(f[1], "/")
	n, err := strconv.ParseUint(port, 10, 16)
	if err != nil {
		return stream{}, malformed(line, "the port is no number up to 65535")
	}
	if ranged {
		if _, err := strconv.ParseUint(count, 10, 16); err != nil {
			return stream{}, malformed(line, "the count of ports is no number")
		}
	}
	return stream{line: line, media: f[0], port: int(n), proto: f[2], formats: f[3:]}, nil
}

// attribute reads a=. What is not known, or makes no sense, is passed over (RFC 4566
// §5.13).
func attribute(s *stream, value string) {
	name, value, _ := strings.Cut(value, ":")
	value = strings.TrimSpace(value)
	switch strings.TrimSpace(name) {
	case "sendrecv":
		s.direction = SendRecv
	case "sendonly":
		s.direction = SendOnly
	case "recvonly":
		s.direction = RecvOnly
	case "inactive":
		s.direction = Inactive
	case "ptime":
		s.ptime = milliseconds(value)
	case "maxptime":
		s.maxPtime = milliseconds(value)
	case "rtcp-mux":
		s.rtcpMux = true
	case "rtcp": // RFC 3605 §2.1: port, and perhaps IN IP4 address
		f := strings.Fields(value)
		if len(f) == 0 {
			return
		}
		if n, err := strconv.ParseUint(f[0], 10, 16); err == nil {
			s.rtcpPort = int(n)
		}
		if len(f) == 4 && f[1] == "IN" {
			if a, err := address(f[3]); err == nil {
				s.rtcpAddr = a
			}
		}
	case "rtpmap": // RFC 4566 §6: payload type, name/rate[/channels]
		f := strings.Fields(value)
		if len(f) < 2 {
			return
		}
		if s.maps == nil {
			s.maps = map[string]string{}
		}
		if _, twice := s.maps[f[0]]; !twice {
			s.maps[f[0]] = strings.ToLower(f[1])
		}
	}
}

// milliseconds reads a ptime, which some write with a fraction; 0 if it is none.
func milliseconds(s string) time.Duration {
	f, err := strconv.ParseFloat(s, 64)
	if err != nil || !(f > 0 && f <= 1000) {
		return 0
	}
	return time.Duration(f * float64(time.Millisecond))
}
