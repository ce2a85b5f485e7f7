package call

import (
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"testing"
	"time"

	"ringdown/internal/audio"
	"ringdown/internal/contact"
	"ringdown/internal/voice/sip"
)

// studio is a call whose far side sounds at 500 Hz and hears 1,500 Hz.
type studio struct {
	files chan *tapeFile // those that were opened
	leg   contact.Leg
	hears *listener
	far   *far
	log   *written
}

func newStudio(t *testing.T, early func(leg contact.Leg)) *studio {
	t.Helper()
	s := &studio{files: make(chan *tapeFile, 10), hears: newListener(t), log: &written{}}
	p := newPeer(t, sip.Trunk{}, nil)
	calls := server(t, p, func(o *Options) {
		o.Sound = clips(map[string]*audio.Clip{"s3://b/1500": tone(1500, time.Second, -12)})
		o.Logger = slog.New(slog.NewTextHandler(s.log, nil))
		o.Record = func(uri string) (RecordingFile, error) {
			switch {
			case strings.Contains(uri, "closed"):
				return nil, errors.New("no bucket")
			case strings.Contains(uri, "full"):
				f := &tapeFile{fail: errors.New("disk full")}
				s.files <- f
				return f, nil
			}
			f := &tapeFile{}
			s.files <- f
			return f, nil
		}
	})
	s.leg = calls.Dial(contact.Call{To: customer, From: office}, s.hears.hear)
	if early != nil {
		early(s.leg)
	}
	s.hears.wants(contact.LegRinging, contact.LegAnswered)
	s.far = <-p.calls
	s.far.wait(sip.Confirmed)
	s.far.session.Play(1, []*audio.Clip{tone(500, time.Second, -12)}, true)
	s.leg.Say(1, prompts("s3://b/1500"), true)
	return s
}

func (s *studio) record(state contact.RecordingState, uri string) {
	s.leg.Record(contact.Recording{Kind: contact.IVRRecording, State: state, URI: uri})
}

// opened waits for the file of a recording.
func (s *studio) opened(t *testing.T) *tapeFile {
	t.Helper()
	select {
	case f := <-s.files:
		return f
	case <-time.After(long):
		t.Fatal("no recording was opened")
		return nil
	}
}

// TestRecording: each side has its channel, suspended is silence, stopped is over.
func TestRecording(t *testing.T) {
	leakFree(t)
	s := newStudio(t, nil)
	s.record(contact.RecordingOn, "s3://b/1")
	s.record(contact.RecordingOn, "s3://b/1")
	f := s.opened(t)
	both := func() int { return min(loud(f.channel(0), 500), loud(f.channel(1), 1500)) }
	eventually(t, "both are recorded", func() bool { return both() > 30 })
	s.record(contact.RecordingSuspended, "s3://b/1")
	silent := func() (n int) {
		all := f.channel(0)
		for i := len(all) - 160; i >= 0 && audio.ToneLevel(all[i:i+160], 500) < -40; i -= 160 {
			n++
		}
		return n
	}
	eventually(t, "silence is recorded", func() bool { return silent() > 20 })
	before := both()
	s.record(contact.RecordingOn, "s3://b/1")
	eventually(t, "both are recorded again", func() bool { return both() > before+20 })
	s.record(contact.RecordingStopped, "s3://b/1")
	eventually(t, "stored", func() bool { return f.times() == 1 })
	s.record(contact.RecordingOn, "s3://b/1") // it does not go on
	s.record(contact.RecordingOn, "s3://b/2")
	g := s.opened(t)
	eventually(t, "another is recorded", func() bool { return loud(g.channel(0), 500) > 10 })
	s.leg.Hangup()
	s.hears.ends("")
	eventually(t, "the end of the call stores", func() bool { return g.times() == 1 })
	if len(s.files) > 0 || f.times() != 1 {
		t.Errorf("%d more were opened, the first was stored %d times", len(s.files), f.times())
	}
	hasTone(t, "what the far side says", f.channel(0), 500, 400*time.Millisecond, -12)
	hasTone(t, "what it hears", f.channel(1), 1500, 400*time.Millisecond, -12)
	hasNoTone(t, "what the far side says", f.channel(0), 1500)
	hasNoTone(t, "what it hears", f.channel(1), 500)
	if d := len(f.channel(0)) - len(f.channel(1)); d != 0 {
		t.Errorf("the channels differ by %d samples", d)
	}
}

// TestTracks: of a track there is one side; two kinds are recorded at once.
func TestTracks(t *testing.T) {
	leakFree(t)
	s := newStudio(t, func(leg contact.Leg) { // from the answer on
		leg.Record(contact.Recording{Kind: contact.AgentRecording, State: contact.RecordingOn, URI: "s3://b/1", Track: contact.ToAgentRecording})
	})
	to := s.opened(t)
	s.leg.Record(contact.Recording{Kind: contact.IVRRecording, State: contact.RecordingOn, URI: "s3://b/2", Track: contact.FromAgentRecording})
	from := s.opened(t)
	eventually(t, "both are recorded", func() bool {
		return loud(to.channel(0), 500) > 10 && loud(from.channel(1), 1500) > 10
	})
	s.far.call.Hangup()
	s.hears.ends("CUSTOMER_DISCONNECT")
	eventually(t, "both are stored", func() bool { return to.times() == 1 && from.times() == 1 })
	hasNoTone(t, "in place of what the far side hears", to.channel(1), 1500)
	hasNoTone(t, "in place of what it says", from.channel(0), 500)
}

// TestTrackChanges: whose voice is recorded may change while it is, in the same file.
func TestTrackChanges(t *testing.T) {
	leakFree(t)
	s := newStudio(t, nil)
	track := func(state contact.RecordingState, which contact.RecordingTrack) {
		s.leg.Record(contact.Recording{Kind: contact.AgentRecording, State: state, URI: "s3://b/1", Track: which})
	}
	track(contact.RecordingOn, contact.WholeRecording)
	f := s.opened(t)
	// ends says whether a channel ends with a tone, or without one, as it should.
	ends := func(channel int, hz float64, with bool) bool {
		const last = 10 * 160
		all := f.channel(channel)
		if len(all) < last {
			return false
		}
		n := loud(all[len(all)-last:], hz)
		return with && n >= 8 || !with && n == 0
	}
	for _, c := range []struct {
		state       contact.RecordingState
		track       contact.RecordingTrack
		said, heard bool
	}{
		{contact.RecordingOn, contact.WholeRecording, true, true},
		{contact.RecordingOn, contact.ToAgentRecording, true, false},
		{contact.RecordingOn, contact.FromAgentRecording, false, true},
		{contact.RecordingSuspended, contact.ToAgentRecording, false, false},
		{contact.RecordingOn, contact.ToAgentRecording, true, false},
		{contact.RecordingOn, contact.WholeRecording, true, true},
	} {
		track(c.state, c.track)
		eventually(t, fmt.Sprintf("what is on the tape: %+v", c), func() bool {
			return ends(0, 500, c.said) && ends(1, 1500, c.heard)
		})
	}
	s.leg.Hangup()
	s.hears.ends("")
	eventually(t, "it is stored", func() bool { return f.times() == 1 })
	if len(s.files) > 0 {
		t.Errorf("%d more were opened", len(s.files))
	}
	hasNoTone(t, "what the far side says", f.channel(0), 1500)
	hasNoTone(t, "what it hears", f.channel(1), 500)
}

// TestRecordingThatFails: the call goes on, and the log says why it is not recorded.
func TestRecordingThatFails(t *testing.T) {
	leakFree(t)
	s := newStudio(t, nil)
	if r, ok := s.leg.(contact.Recorder); !ok || !r.Records() {
		t.Error("the leg does not say that it records")
	}
	failed := make(chan string, 10)
	fails := func(uri string) {
		s.leg.Record(contact.Recording{Kind: contact.IVRRecording, State: contact.RecordingOn, URI: uri, Failed: func() { failed <- uri }})
		select {
		case got := <-failed:
			if got != uri {
				t.Errorf("%s has failed, not %s", got, uri)
			}
		case <-time.After(long):
			t.Fatalf("that %s has failed is not told", uri)
		}
	}
	fails("s3://b/closed")
	eventually(t, "it is logged", func() bool { return strings.Contains(s.log.String(), "no bucket") })
	fails("s3://b/full")
	eventually(t, "it is logged", func() bool { return strings.Contains(s.log.String(), "disk full") })
	if f := s.opened(t); f.times() != 1 {
		t.Errorf("it was put away %d times", f.times())
	}
	s.record(contact.RecordingOn, "s3://b/1")
	f := s.opened(t)
	eventually(t, "it is recorded", func() bool { return loud(f.channel(0), 500) > 5 })
	s.leg.Hangup()
	s.hears.ends("")
	eventually(t, "it is stored", func() bool { return f.times() == 1 })
}
