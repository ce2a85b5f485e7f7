package media

import (
	"ringdown/internal/audio"
	"time"
)

// Engine has the ports and the clocks.
type Engine struct{}

// New makes an engine. Its ports are opened as they are needed.
func New(o Options) (*Engine, error) { panic("not yet") }

// Open takes a port for one side of a call. Hear is told what happens to it. The
// error is ErrNoPorts when all are taken or rest.
func (e *Engine) Open(hear func(Event)) (*Session, error) { panic("not yet") }

// Close ends all sessions and waits for their goroutines.
func (e *Engine) Close() error { panic("not yet") }

// Sessions is how many sessions are open; Ports how many ports are not free, those
// at rest included.
func (e *Engine) Sessions() int { panic("not yet") }
func (e *Engine) Ports() int    { panic("not yet") }

// Session is one side of a call. Its methods do not block; after Close they do
// nothing.
type Session struct{}

// Port is that of RTP; RTCP is the next.
func (s *Session) Port() int { panic("not yet") }

// Set has the session send and receive as agreed, from now on. It may be called
// again. The far side's true address is learned from what it sends (symmetric RTP,
// RFC 4961), once for each Set.
func (s *Session) Set(p Params) { panic("not yet") }

// Play plays clips one after the other, in place of what plays. Played with seq
// tells that the last is over; with loop there is no end.
func (s *Session) Play(seq int, clips []*audio.Clip, loop bool) { panic("not yet") }

// Hush ends what plays; no Played is told for it.
func (s *Session) Hush() { panic("not yet") }

// Press sends digits (RFC 4733), or tones in the sound where the far side takes no
// events. A comma is a pause of a second.
func (s *Session) Press(digits string) { panic("not yet") }

// Bridge connects sessions: each hears all others of its bridge. Two sessions that
// only hear each other are relayed packet by packet, without a mix. A session
// leaves its bridge with Leave or Close; what a session plays is heard in place of
// the bridge.
func (s *Session) Bridge(other *Session) { panic("not yet") }

// Leave takes the session out of its bridge.
func (s *Session) Leave() { panic("not yet") }

// Record has what the session receives and what it sends recorded, each in a
// channel of its own: 0 what it receives, 1 what it sends. One recorder may be
// given to a session at a time for each name; nil ends that.
func (s *Session) Record(name string, r *Recorder) { panic("not yet") }

// Close frees the port.
func (s *Session) Close() { panic("not yet") }

// Stats are what has been carried so far.
func (s *Session) Stats() Stats { panic("not yet") }

// Stats of a session (RFC 3550 §6.4).
type Stats struct {
	PacketsReceived, PacketsSent uint64
	Lost                         uint64 // of those that the far side sent
	Jitter                       time.Duration
	RoundTrip                    time.Duration // 0 when unknown
	// FarLost is the fraction of our packets that the far side has lost, as it last
	// reported.
	FarLost float64
}

// Recorder writes what sessions carry to a file of two channels, in step with the
// clock: what is not heard is silence.
type Recorder struct{}

// File is where a Recorder writes.
type File interface {
	WriteAt(b []byte, off int64) (int, error)
}

// NewRecorder begins a recording now.
func NewRecorder(f File) (*Recorder, error) { panic("not yet") }

// Suspend has silence recorded until Resume.
func (r *Recorder) Suspend() { panic("not yet") }
func (r *Recorder) Resume()  { panic("not yet") }

// Close completes the file's header. The sessions no longer write to it.
func (r *Recorder) Close() error { panic("not yet") }
