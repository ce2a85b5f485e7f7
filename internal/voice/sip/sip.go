// Package sip is the signalling of calls (RFC 3261): trunks, dialogs, and who is
// let in. Messages, and the transactions that they make up, are those of package wire;
// sound is another room's: descriptions of it pass through as bytes (Media).
//
// Invariants:
//   - a call has one goroutine, which alone changes it; messages of its dialog
//     reach it in the order of their arrival, so that a BYE that overtook an ACK
//     is no surprise to it;
//   - who is on no trunk is not answered, whatever is sent. It learns neither that
//     there is a server nor which numbers it has;
//   - each call tells Ended exactly once, and nothing afterwards.
package sip

import (
	"crypto/tls"
	"log/slog"
	"time"
)

// Options make an Endpoint.
type Options struct {
	// Listen is host:port for UDP and TCP; port 0 takes a free one, the same for
	// both.
	Listen string
	// ListenTLS is host:port for TLS, "" for none; TLS is then needed.
	ListenTLS string
	TLS       *tls.Config
	// Advertise is the host or address that others reach this endpoint at, for Via
	// and Contact; "" for that of the socket. A trunk may have its own.
	Advertise string
	Trunks    []Trunk
	// Incoming is told of each call to a number, on a goroutine of the call's. It
	// rings, answers or rejects it, now or later. Nil refuses all.
	Incoming func(*Call)
	// Memory keeps what telephones have registered; nil: they register again.
	Memory Memory
	// Limits against floods; zero values take the defaults.
	Limits Limits
	// UserAgent is the product in User-Agent and Server.
	UserAgent string
	Logger    *slog.Logger
	Now       func() time.Time
}

// Limits keep floods away.
type Limits struct {
	// Invites is how many new calls a second a source may begin, 0 for 500.
	Invites int
	// Messages is how many messages a second a source may send, 0 for 20,000.
	Messages int
	// Calls is how many calls there may be at once, 0 for 10,000.
	Calls int
}

// Media describes the sound of one call (RFC 3264). Its methods are called on the
// call's goroutine and do not block.
type Media interface {
	// Offer describes what this side wants.
	Offer() ([]byte, error)
	// Answer agrees to an offer and describes that; sdp.ErrNoCommon is 488.
	Answer(offer []byte) ([]byte, error)
	// Accept takes the answer to the last Offer. It may come more than once: from a
	// provisional answer, then from the final one.
	Accept(answer []byte) error
}

// Header is a header field of a message.
type Header struct{ Name, Value string }

// Invitation is a call to be made.
type Invitation struct {
	// Trunk is the name of the trunk that it goes out by.
	Trunk string
	// To and From are E.164 with a plus sign, or user names; From "" is anonymous
	// (RFC 3323). FromName is shown, if there is any.
	To, From, FromName string
	// Ring is how long the call may ring, 0 for a minute.
	Ring time.Duration
	// Headers are added to the INVITE.
	Headers []Header
	Media   Media
	// Hear is told what becomes of the call, on its goroutine, in order, the last
	// being Ended. It must not block.
	Hear func(Event)
}

// EventKind is what has happened to a call.
type EventKind uint8

// The events of a call.
const (
	Ringing   EventKind = iota + 1 // 180, or 183
	Early                          // there is sound before the answer (183 with a description)
	Answered                       // the call is answered: 200 was received, or was sent
	Confirmed                      // ACK was received for a call that came in
	Info                           // Digit was pressed, as told by INFO
	Held                           // the far side no longer listens
	Resumed                        // it does again
	Referred                       // the far side has called who it was referred to; Status is what it got
	Ended                          // the call is over, see Cause and Status
)

// Cause is why a call ended.
type Cause uint8

// The causes.
const (
	HungUpHere  Cause = iota + 1 // Hangup or Reject
	HungUpThere                  // BYE
	Cancelled                    // CANCEL by the far side, before the answer
	Refused                      // a final answer from 300 on: see Status
	RangOut                      // nobody answered in time
	NoAnswer                     // no answer at all to a request: Timer B, Timer F
	NoACK                        // 200 was never acknowledged
	Expired                      // the session timer ran out (RFC 4028)
	Failed                       // transport, or an answer that makes no sense
)

// Event is something that has happened to a call.
type Event struct {
	Kind EventKind
	At   time.Time
	// Status is a SIP status code, of Ringing, Referred and Ended.
	Status int
	// Q850 is the cause of a Reason header (RFC 3326), 0 for none.
	Q850  int
	Cause Cause
	Digit string
	// Err is why a request of a call out could not be delivered, of Ended.
	Err error
}
