// Package call makes calls of signalling and sound: a contact.Dialer and
// contact.Leg over SIP trunks. It speaks prompts, collects digits, bridges and
// records. It decides nothing: which number leads where is told to it, and what
// happens in a call is the flow's.
package call

import (
	"context"
	"log/slog"
	"time"

	"ringdown/internal/audio"
	"ringdown/internal/contact"
	"ringdown/internal/voice/media"
	"ringdown/internal/voice/sip"
	"ringdown/internal/voice/speech"
)

// Options make Calls.
type Options struct {
	SIP    sip.Options   // Incoming is filled in
	Media  media.Options // Address is filled in from SIP.Listen when it is not set
	Speech *speech.Speaker
	// Sound reads a recorded prompt, s3://BUCKET/KEY.
	Sound func(ctx context.Context, uri string) (*audio.Clip, error)
	// Record begins the recording of a call that belongs at a URI.
	Record func(uri string) (RecordingFile, error)
	// Arrive is told of each call to a number, on a goroutine of its own: it has the
	// call answered (contact.Spec.Arrival) or rejects it.
	Arrive func(*Arrival)
	// TrunkOf names the trunk that the calls of one of the operator's numbers go by,
	// "" for none in particular. Nil for never.
	TrunkOf func(number string) string
	// Elsewhere places calls for which no trunk is there; nil has them fail.
	Elsewhere contact.Dialer
	// Explicit reports whether a number's calls are Elsewhere's even though a trunk
	// is there. Nil for never.
	Explicit func(number string) bool
	Logger   *slog.Logger
	Now      func() time.Time
}

// RecordingFile is the file of a recording.
type RecordingFile interface {
	media.File
	// Store is called once, when it is complete.
	Store() error
}

// Calls are all calls of a server.
type Calls struct{}

// New makes Calls; nothing listens before Open.
func New(o Options) (*Calls, error) { panic("not yet") }

// Open begins to listen for calls and to register with trunks.
func (c *Calls) Open(ctx context.Context) error { panic("not yet") }

// Endpoint is the signalling, nil before Open.
func (c *Calls) Endpoint() *sip.Endpoint { panic("not yet") }

// Dial implements contact.Dialer.
func (c *Calls) Dial(call contact.Call, hear func(contact.LegEvent)) contact.Leg { panic("not yet") }

// Drain refuses new calls and waits for those under way until ctx is done.
func (c *Calls) Drain(ctx context.Context) { panic("not yet") }

// Close ends all calls. It may be called twice.
func (c *Calls) Close() error { panic("not yet") }

// Arrival is a call that has come in. It is a contact.Arrival.
type Arrival struct {
	contact.Arrival
	To, From, FromName string // as sip.Call has them
	Trunk              string
	At                 time.Time
	// Headers are $.Media.Sip.Headers: the last value of each name.
	Headers map[string]string
}

// Reject refuses the call with a SIP status.
func (a *Arrival) Reject(status int) { panic("not yet") }
