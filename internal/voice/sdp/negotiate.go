package sdp

import (
	"fmt"
	"net/netip"
	"slices"
	"strconv"
	"strings"
	"time"

	pion "github.com/pion/sdp/v3"

	"ringdown/internal/audio"
)

const (
	// defaultEvents is the payload type of telephone events in offers; nothing but
	// habit has made it that number.
	defaultEvents = 101
	// defaultPtime is how much sound a packet has (RFC 3551 §4.5.14).
	defaultPtime = 20 * time.Millisecond
	leastPtime   = 10 * time.Millisecond
	mostPtime    = 60 * time.Millisecond
)

// preference is what is offered when Local does not say.
var preference = []audio.Encoding{audio.MuLaw, audio.ALaw}

func (l Local) codecs() []audio.Encoding {
	var known []audio.Encoding
	for _, c := range l.Codecs {
		if _, ok := names[c]; ok {
			known = append(known, c)
		}
	}
	if len(known) == 0 {
		return preference
	}
	return known
}

// names are the codecs as rtpmap has them, and their static payload types (RFC 3551
// §6).
var names = map[audio.Encoding]struct {
	name    string
	payload uint8
}{
	audio.MuLaw: {"PCMU/8000", 0},
	audio.ALaw:  {"PCMA/8000", 8},
}

// Offer describes what this side wants: all its codecs.
func Offer(l Local) []byte {
	formats := make([]format, 0, 3)
	for _, c := range l.codecs() {
		if !slices.ContainsFunc(formats, func(f format) bool { return f.codec == c }) {
			formats = append(formats, format{codec: c, payload: names[c].payload})
		}
	}
	var others []stream
	at, events := 0, uint8(defaultEvents)
	if last, err := parse(l.Last); err == nil {
		others = last.streams
		at = slices.IndexFunc(others, func(s stream) bool { return s.media == "audio" && s.port != 0 })
		if at >= 0 {
			for _, f := range others[at].known() {
				if f.events {
					events = f.payload
				}
			}
		} else { // every stream has been refused so far
			at = len(others)
		}
	}
	formats = append(formats, format{events: true, payload: events})
	return write(l, others, at, stream{media: "audio", proto: "RTP/AVP"}, formats, l.Direction)
}

// Answer agrees to an offer with one codec of those in common, the first by this
// side's preference, so that nothing changes during the call; other streams are
// refused (RFC 3264 §6). The error is ErrNoCommon, or ErrMalformed.
func Answer(offer []byte, l Local) (answer []byte, a Agreed, err error) {
	d, err := parse(offer)
	if err != nil {
		return nil, Agreed{}, err
	}
	at, a, err := d.choose(l, l.codecs())
	if err != nil {
		return nil, Agreed{}, err
	}
	formats := []format{{codec: a.Codec, payload: a.PayloadType}}
	if a.Events != 0 {
		formats = append(formats, format{events: true, payload: a.Events})
	}
	return write(l, d.streams, at, d.streams[at], formats, a.Direction), a, nil
}

// Accept takes the answer to an offer. The codec is the first that the far side
// names, for that is what it means to send.
func Accept(answer []byte, offered Local) (Agreed, error) {
	d, err := parse(answer)
	if err != nil {
		return Agreed{}, err
	}
	_, a, err := d.choose(offered, nil)
	return a, err
}

// choose finds the first stream that can be used, and what is agreed by it. The
// codec is the first of the order, or of the far side's without one.
func (d *description) choose(l Local, order []audio.Encoding) (at int, a Agreed, err error) {
	for i := range d.streams {
		s := &d.streams[i]
		if s.media != "audio" || s.port == 0 || !strings.EqualFold(s.proto, "RTP/AVP") {
			continue
		}
		a, problem := s.agree(l, order)
		if problem == nil {
			return i, a, nil
		}
		if err == nil {
			err = problem
		}
	}
	if err == nil {
		err = fmt.Errorf("%w: there is no audio over RTP/AVP", ErrNoCommon)
	}
	return 0, Agreed{}, err
}

// agree is what is agreed by a stream.
func (s *stream) agree(l Local, order []audio.Encoding) (Agreed, error) {
	formats := s.known()
	var a Agreed
	found := -1
	ours := l.codecs()
	for _, f := range formats {
		rank := -1
		if !f.events {
			rank = slices.Index(ours, f.codec)
		}
		if rank >= 0 && order == nil {
			rank = 0 // the far side's order: the first stays
		}
		if rank >= 0 && (found < 0 || rank < found) {
			found = rank
			a.Codec, a.PayloadType = f.codec, f.payload
		}
		if f.events && a.Events == 0 {
			a.Events = f.payload
		}
	}
	if found < 0 {
		return a, ErrNoCommon
	}
	switch {
	case s.problem != nil:
		return a, s.problem
	case !s.connection.IsValid():
		return a, malformed(s.line, "there is no c= for it")
	case !s.connection.IsUnspecified() && l.Address.IsValid() && s.connection.Is4() != l.Address.Unmap().Is4():
		return a, fmt.Errorf("%w: one side has IPv4, the other IPv6", ErrNoCommon)
	}
	a.Ptime = s.packets()
	theirs := s.direction
	if s.connection.IsUnspecified() {
		theirs = direction(theirs.Sends(), false) // hold as in RFC 2543
	} else {
		a.Remote = netip.AddrPortFrom(s.connection, uint16(s.port))
		a.RemoteRTCP = s.rtcp()
	}
	a.Direction = direction(l.Direction.Sends() && theirs.Receives(), l.Direction.Receives() && theirs.Sends())
	return a, nil
}

// direction is the one of what a side does.
func direction(sends, receives bool) Direction {
	switch {
	case sends && receives:
		return SendRecv
	case sends:
		return SendOnly
	case receives:
		return RecvOnly
	default:
		return Inactive
	}
}

// packets is how much sound the far side wants in a packet.
func (s *stream) packets() time.Duration {
	d := s.ptime
	if d == 0 {
		d = defaultPtime
	}
	if s.maxPtime > 0 {
		d = min(d, s.maxPtime)
	}
	return min(max(d.Truncate(leastPtime), leastPtime), mostPtime)
}

// rtcp is where the far side listens for RTCP: the next port, or where it says (RFC
// 3605). When it would have it on the port of RTP (RFC 5761), which is not accepted
// here, that is the next too (§5.1.3).
func (s *stream) rtcp() netip.AddrPort {
	port, addr := s.rtcpPort, s.rtcpAddr
	if port == 0 || s.rtcpMux && port == s.port {
		port = s.port + 1
	}
	if port > 65535 {
		return netip.AddrPort{}
	}
	if !addr.IsValid() || addr.IsUnspecified() || addr.Is4() != s.connection.Is4() {
		addr = s.connection
	}
	return netip.AddrPortFrom(addr, uint16(port))
}

// format is a payload type that is known: a codec, or telephone events.
type format struct {
	codec   audio.Encoding
	events  bool
	payload uint8
}

// known are the formats of a stream that are known, in its order: by rtpmap, or by
// their static payload types.
func (s *stream) known() []format {
	var all []format
	for _, f := range s.formats {
		n, err := strconv.ParseUint(f, 10, 8)
		if err != nil || n > 127 {
			continue
		}
		name, ok := s.maps[f]
		if !ok {
			switch n {
			case 0:
				name = "pcmu/8000"
			case 8:
				name = "pcma/8000"
			}
		}
		switch strings.TrimSuffix(name, "/1") {
		case "pcmu/8000":
			all = append(all, format{codec: audio.MuLaw, payload: uint8(n)})
		case "pcma/8000":
			all = append(all, format{codec: audio.ALaw, payload: uint8(n)})
		case "telephone-event/8000":
			if n != 0 { // 0 stands for none in Agreed, and is PCMU's
				all = append(all, format{events: true, payload: uint8(n)})
			}
		}
	}
	return all
}

// write makes a description with one stream of sound among others, which are
// refused: port 0, and the formats as they were (RFC 3264 §6).
func write(l Local, others []stream, at int, own stream, formats []format, d Direction) []byte {
	kind := "IP4"
	address := l.Address.Unmap()
	if address.Is6() {
		kind = "IP6"
	}
	session := pion.SessionDescription{
		Origin: pion.Origin{
			Username: "-", SessionID: l.ID, SessionVersion: l.Version,
			NetworkType: "IN", AddressType: kind, UnicastAddress: address.String(),
		},
		SessionName: "-",
		ConnectionInformation: &pion.ConnectionInformation{
			NetworkType: "IN", AddressType: kind, Address: &pion.Address{Address: address.String()},
		},
		TimeDescriptions: []pion.TimeDescription{{}},
	}
	for i := range max(len(others), at+1) {
		if i != at {
			session.MediaDescriptions = append(session.MediaDescriptions, &pion.MediaDescription{MediaName: pion.MediaName{
				Media: others[i].media, Protos: []string{others[i].proto}, Formats: others[i].formats,
			}})
			continue
		}
		m := &pion.MediaDescription{MediaName: pion.MediaName{
			Media: own.media, Port: pion.RangedPort{Value: l.Port}, Protos: []string{own.proto},
		}}
		for _, f := range formats {
			payload := strconv.Itoa(int(f.payload))
			m.MediaName.Formats = append(m.MediaName.Formats, payload)
			if f.events {
				m.Attributes = append(m.Attributes,
					pion.NewAttribute("rtpmap", payload+" telephone-event/8000"), pion.NewAttribute("fmtp", payload+" 0-15"))
			} else {
				m.Attributes = append(m.Attributes, pion.NewAttribute("rtpmap", payload+" "+names[f.codec].name))
			}
		}
		m.Attributes = append(m.Attributes,
			pion.NewAttribute("ptime", strconv.Itoa(int(defaultPtime/time.Millisecond))), pion.NewPropertyAttribute(d.String()))
		session.MediaDescriptions = append(session.MediaDescriptions, m)
	}
	text, _ := session.Marshal() // never fails
	return text
}

// String is the name of the attribute.
func (d Direction) String() string {
	return [...]string{"sendrecv", "sendonly", "recvonly", "inactive"}[d&3]
}
