package sip

import (
	"context"
	"net/netip"
	"time"
)

// Endpoint speaks SIP with the trunks.
type Endpoint struct{}

// Listen opens the sockets and begins to serve and to register.
func Listen(ctx context.Context, o Options) (*Endpoint, error) { panic("not yet") }

// Addr is where UDP and TCP listen.
func (e *Endpoint) Addr() netip.AddrPort { panic("not yet") }

// AddrTLS is where TLS listens, the zero value when it does not.
func (e *Endpoint) AddrTLS() netip.AddrPort { panic("not yet") }

// Route names the trunk that a call from one number to another goes out by:
// a telephone that has registered as the number, a trunk with a prefix that fits,
// or the first trunk without prefixes. False when there is none.
func (e *Endpoint) Route(to string) (trunk string, ok bool) { panic("not yet") }

// Dial makes a call. It returns at once; what becomes of the call is told to
// Invitation.Hear. An error is that of an invitation that cannot be sent at all: no
// such trunk, or its calls are all taken (ErrBusy).
func (e *Endpoint) Dial(i Invitation) (*Call, error) { panic("not yet") }

// Drain refuses new calls with 503 and waits for those under way until ctx is
// done.
func (e *Endpoint) Drain(ctx context.Context) { panic("not yet") }

// Close ends all calls, unregisters, and frees the sockets. It may be called
// twice.
func (e *Endpoint) Close() error { panic("not yet") }

// Calls is how many calls there are.
func (e *Endpoint) Calls() int { panic("not yet") }

// Call is a call of an endpoint.
type Call struct{}

// ID is the Call-ID.
func (c *Call) ID() string { panic("not yet") }

// Trunk is the name of the trunk of the call; To and From are E.164 with a plus
// sign where the trunk's Numbers tell how to make them so, else user names as they
// came; FromName is the display name. From is "" for a caller who hides.
func (c *Call) Trunk() string    { panic("not yet") }
func (c *Call) To() string       { panic("not yet") }
func (c *Call) From() string     { panic("not yet") }
func (c *Call) FromName() string { panic("not yet") }

// At is when the INVITE arrived or was sent.
func (c *Call) At() time.Time { panic("not yet") }

// Headers are the header fields of the INVITE that came in: all but those that
// carry the protocol itself, several of a name in their order.
func (c *Call) Headers() []Header { panic("not yet") }

// Ring tells the caller that it rings (180), for a call that came in.
func (c *Call) Ring() { panic("not yet") }

// Answer answers a call that came in. Hear is told what becomes of it from the
// beginning, Answered first; a call that ended before tells Ended at once. When
// media cannot agree the call is refused with 488 and tells Ended.
func (c *Call) Answer(m Media, hear func(Event)) { panic("not yet") }

// Reject refuses a call that came in.
func (c *Call) Reject(status int) { panic("not yet") }

// Hangup ends the call: BYE, or CANCEL before the answer.
func (c *Call) Hangup() { panic("not yet") }

// Reinvite offers the media again, which may have changed (hold). What comes of it
// is told to Media.Accept; 491 is tried again (RFC 3261 §14.1).
func (c *Call) Reinvite() { panic("not yet") }

// Info sends a digit by INFO (application/dtmf-relay).
func (c *Call) Info(digit string) { panic("not yet") }

// Refer has the far side call somebody else by the same trunk, and tells Referred
// with the final status that it got, or with its refusal (RFC 3515).
func (c *Call) Refer(to string) { panic("not yet") }
