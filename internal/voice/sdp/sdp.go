// Package sdp negotiates the sound of a call (RFC 4566, offer and answer as in
// RFC 3264): G.711 and telephone events over RTP/AVP, one audio stream. It is
// pure: text and addresses in, text and an agreement out.
package sdp

import (
	"errors"
	"net/netip"
	"time"

	"ringdown/internal/audio"
)

// Direction is who sends, as seen from this side (RFC 3264 §5.1).
type Direction uint8

// The directions.
const (
	SendRecv Direction = iota
	SendOnly
	RecvOnly
	Inactive
)

// Sends tells whether this side may send.
func (d Direction) Sends() bool { return d == SendRecv || d == SendOnly }

// Receives tells whether this side is to listen.
func (d Direction) Receives() bool { return d == SendRecv || d == RecvOnly }

// Local is what this side can do and where it listens.
type Local struct {
	Address netip.Addr // where the far side sends to
	Port    int        // of RTP; RTCP is the next
	Codecs  []audio.Encoding
	// ID and Version are those of the o= line: the id stays, the version grows
	// with each description that differs (RFC 3264 §8).
	ID, Version uint64
	// Direction is what this side wants.
	Direction Direction
	// Last is what this side has described last in the same call, offer or answer,
	// nil at its beginning: an offer keeps its streams, refused ones included, and
	// its payload types (RFC 3264 §8, §8.3.2).
	Last []byte
}

// Agreed is what both sides do from now on.
type Agreed struct {
	// Remote is where the far side listens, the zero value when nothing may be sent
	// there (a connection address of 0.0.0.0; RFC 3264 §8.4).
	Remote, RemoteRTCP netip.AddrPort
	Codec              audio.Encoding
	// PayloadType is the one that both use for Codec; Events that of telephone
	// events (RFC 4733), 0 when the far side takes none.
	PayloadType, Events uint8
	Direction           Direction // of this side
	// Ptime is how much sound the far side wants in a packet, 20 ms unless it says
	// otherwise.
	Ptime time.Duration
}

// ErrNoCommon is the error of descriptions that share nothing: 488 Not
// Acceptable Here.
var ErrNoCommon = errors.New("no codec in common")

// ErrMalformed is the error of text that is no description: 400 Bad Request. It
// names the line, and never quotes it.
var ErrMalformed = errors.New("malformed description")
