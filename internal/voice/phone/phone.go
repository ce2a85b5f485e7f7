// Package phone is a telephone: for people who have none, for demonstrations and
// for tests. It dials a server's numbers or waits for its calls, presses keys,
// speaks a recording and keeps what it hears.
package phone

import (
	"context"
	"log/slog"
	"time"

	"ringdown/internal/audio"
)

// Options make a Phone.
type Options struct {
	// Listen is host:port of SIP, "127.0.0.1:0" by default.
	Listen string
	// Server is where calls go to and where the phone registers: host:port, or a SIP
	// URI with transport.
	Server string
	// Number is the phone's own: E.164 or a name.
	Number             string
	Username, Password string
	// Register has the server's calls to Number reach the phone.
	Register bool
	// Headers are added to the INVITE.
	Headers map[string]string
	Logger  *slog.Logger
}

// Phone is a telephone.
type Phone struct{}

// New makes a phone and, if it is to, registers it.
func New(ctx context.Context, o Options) (*Phone, error) { panic("not yet") }

// Addr is where it listens, host:port.
func (p *Phone) Addr() string { panic("not yet") }

// Dial calls a number and returns at once.
func (p *Phone) Dial(ctx context.Context, number string) (*Call, error) { panic("not yet") }

// Wait returns the next call that comes in, which rings until it is answered.
func (p *Phone) Wait(ctx context.Context) (*Call, error) { panic("not yet") }

// Close hangs up and unregisters. It may be called twice.
func (p *Phone) Close() error { panic("not yet") }

// Call is a call of the phone.
type Call struct{}

// Event is a step of a call's life.
type Event struct {
	At   time.Time
	What string // ringing, answered, held, resumed, key, ended …
	Text string // the key, the reason
}

// Events are told in order; the channel is closed when the call has ended.
func (c *Call) Events() <-chan Event { panic("not yet") }

// From is who calls, To who is called.
func (c *Call) From() string { panic("not yet") }
func (c *Call) To() string   { panic("not yet") }

// Answer picks up, Reject refuses with a SIP status.
func (c *Call) Answer()           { panic("not yet") }
func (c *Call) Reject(status int) { panic("not yet") }

// Answered waits until the call is answered; the error is why it was not.
func (c *Call) Answered(ctx context.Context) error { panic("not yet") }

// Ended waits for the end of the call and returns its reason: "hung up there",
// "hung up here", "busy (486)" …
func (c *Call) Ended(ctx context.Context) (string, error) { panic("not yet") }

// Press presses keys, Speak says something, once.
func (c *Call) Press(keys string)      { panic("not yet") }
func (c *Call) Speak(clip *audio.Clip) { panic("not yet") }

// Hold and Resume are the phone's own hold, by re-INVITE.
func (c *Call) Hold()   { panic("not yet") }
func (c *Call) Resume() { panic("not yet") }

// Heard is what the phone has heard so far, in step with the clock from the answer
// on.
func (c *Call) Heard() *audio.Clip { panic("not yet") }

// Hangup ends the call.
func (c *Call) Hangup() { panic("not yet") }
