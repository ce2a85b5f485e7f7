// Package media carries the sound of calls: RTP and RTCP (RFC 3550, 3551) over a
// pool of ports, digits (RFC 4733), prompts, bridges and recordings. It knows no
// signalling and no contact: a Session is one side of a call, told by others where
// the far side is.
//
// Two goroutines a session read RTP and RTCP; what must be sent at a steady pace
// (prompts, mixes) is sent by the engine's clocks. Events are told on goroutines
// of the engine, in order for each session, never while one of its methods runs in
// the same goroutine.
//
// How sound goes: a packet that arrives (receive.go) is checked, counted, placed on
// the engine's time line (timeline.go) for recordings and mixes, and relayed at once
// where two sessions are bridged. What leaves (send.go) is one stream for the whole
// call, whatever it is made of: its SSRC stays, its sequence has no holes of our
// making and its timestamps follow the clock (RFC 3550 §5.1).
//
// Locks are taken in this order: Engine.topology, bridge.mu, receiver.mu, sender.mu,
// and then those of tellers and recorders. None is held while an event is told.
package media

import (
	"log/slog"
	"net/netip"
	"time"

	"ringdown/internal/audio"
)

// Options make an Engine.
type Options struct {
	// Address is the local address of the sockets.
	Address netip.Addr
	// FirstPort and LastPort are the pool. RTP takes even ports, RTCP the next.
	FirstPort, LastPort int
	// Rest is how long a port rests before it is used again, so that late packets of
	// one call are not heard in another; 0 for 5 s.
	Rest time.Duration
	// Silence is how long a session may receive nothing until it tells TimedOut; 0
	// for 30 s. It is suspended while the session does not receive (hold).
	Silence time.Duration
	// Jitter is how long sound waits to be mixed, so that packets which come late or
	// out of order are in time; 0 for 60 ms. What is relayed does not wait.
	Jitter time.Duration
	// Now is the clock; nil for time.Now.
	Now    func() time.Time
	Logger *slog.Logger
}

// Params are what the two sides have agreed.
type Params struct {
	// Remote and RemoteRTCP are where the far side says that it listens. Without
	// RemoteRTCP it is the port after that of RTP (RFC 3550 §11).
	Remote, RemoteRTCP netip.AddrPort
	Codec              audio.Encoding // audio.MuLaw or audio.ALaw
	PayloadType        uint8          // of Codec
	Events             uint8          // payload type of telephone events, 0 for none
	Send, Receive      bool
	Ptime              time.Duration // 0 for 20 ms
}

// EventKind is what has happened to a session.
type EventKind uint8

// The events of a session.
const (
	Digit    EventKind = iota + 1 // Key was pressed: 0-9 * # A-D
	Played                        // Seq of Play has been heard to its end
	TimedOut                      // nothing has been received for too long
)

// Event is something that has happened to a session.
type Event struct {
	Kind EventKind
	Seq  int
	Key  string
}
