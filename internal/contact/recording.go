package contact

import (
	"context"
	"log/slog"
	"slices"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/connect/types"

	"ringdown/internal/contact/recorder"
	"ringdown/internal/domain"
	"ringdown/internal/fault"
)

// recordings has the call recorded as its flow and the API want it by now. It may
// be called more than once in a transition, for only differences are told to the
// leg.
func (t *Transition) recordings() {
	if t.c.Channel != types.ChannelVoice || len(t.c.Behavior) == 0 && len(t.st.Tapes) == 0 {
		return
	}
	n := t.line
	call := recorder.Call{
		Behavior:  recorder.BehaviorOf(t.c.Behavior),
		Connected: n != nil && !t.c.ConnectedAt.IsZero(),
		WithAgent: t.withAgent(),
		Over:      t.c.Ended(),
	}
	if n == nil {
		n = t.live.line // which the next contact is to have, or nobody
	}
	for _, kind := range recorder.Kinds {
		tape := t.st.Tapes[kind]
		state, track := tape.Next(kind, call)
		if state == tape.State && track == tape.Track {
			continue
		}
		if tape.State == "" && state != recorder.Stopped {
			tape.URI = t.newRecording(kind, n)
		}
		tape.State, tape.Track = state, track
		t.setTape(kind, tape)
		if tape.URI == "" {
			continue
		}
		if state == recorder.Stopped {
			t.recorded(tape.URI)
		}
		if n != nil {
			r := Recording{Kind: kind, State: state, Track: track, URI: tape.URI, Failed: t.m.unrecorded(t.in, t.id, tape.URI)}
			t.After(func() {
				if n.leg != nil {
					n.leg.Record(r)
				}
			})
		}
	}
}

// withAgent reports whether an agent has joined the contact.
func (l *live) withAgent() bool { return l.c.Agent != nil && !l.c.Agent.ConnectedAt.IsZero() }

func (t *Transition) setTape(kind RecordingKind, tape recorder.Tape) {
	if t.st.Tapes == nil {
		t.st.Tapes = map[RecordingKind]recorder.Tape{}
	}
	t.st.Tapes[kind] = tape
}

// newRecording finds the place of a recording that begins and notes it on the
// contact; "" when none is kept, which the flow log tells once.
func (t *Transition) newRecording(kind RecordingKind, n *line) string {
	tell := func(text string) string {
		for _, other := range t.st.Tapes {
			if other.State != "" && other.URI == "" { // it was told of that one
				return ""
			}
		}
		t.note(text)
		return ""
	}
	if r, says := n.leg.(Recorder); says && !r.Records() {
		return tell("The call is not recorded: it is simulated and has no sound.")
	}
	bucket, prefix, kept, err := t.m.opts.Configuration.Recordings(t.ctx, t.in)
	if err != nil {
		t.m.opts.Logger.Error("the place of a recording cannot be found", slog.String("contact", string(t.id)), slog.Any("err", err))
		return tell("The call is not recorded: the place for recordings could not be found because of an error in the server.")
	}
	if !kept {
		return tell("The call is not recorded: " + noPlace)
	}
	place := bucket + "/" + recorder.Key(kind, prefix, string(t.id), t.at)
	t.c.Recordings = append(t.c.Recordings, types.RecordingInfo{
		Location: &place, StartTimestamp: aws.Time(t.at), MediaStreamType: types.MediaStreamTypeAudio, StorageType: types.StorageTypeS3,
		ParticipantType: participantOf(kind),
	})
	t.Changed("Recordings")
	return "s3://" + place
}

// noPlace says what an instance lacks whose calls are to be recorded.
const noPlace = "the instance has no storage for them. AssociateInstanceStorageConfig with ResourceType CALL_RECORDINGS gives it some."

// participantOf tells recordings apart: that of the part without an agent has a
// type of its own, which the service is seen to use although its model does not
// list it (docs/divergences.md).
func participantOf(kind RecordingKind) types.ParticipantType {
	if kind == IVRRecording {
		return "IVR"
	}
	return ""
}

// recorded notes that a recording is complete. It is in its place shortly after
// (internal/recording), which is what AVAILABLE says of it.
func (t *Transition) recorded(uri string) {
	for i := range t.c.Recordings {
		r := t.c.Recordings[i]
		if "s3://"+aws.ToString(r.Location) == uri && r.StopTimestamp == nil {
			r.StopTimestamp, r.Status = aws.Time(t.at), types.RecordingStatusAvailable
			t.c.Recordings[i] = r
			t.Changed("Recordings")
		}
	}
}

// unrecorded is Recording.Failed. By then the contact may have ended, or gone on
// without the call, and it is tried until it is stored: nobody else knows.
func (m *Manager) unrecorded(in Instance, id domain.ContactID, uri string) func() {
	try := func() bool {
		err := m.Do(m.ctx, in, string(id), func(t *Transition) error {
			t.unrecorded(uri)
			return nil
		})
		switch {
		case err == nil, m.ctx.Err() != nil:
			return false
		case refused(err), fault.Is(err, fault.ResourceNotFound):
			m.opts.Logger.Error("a contact tells of a recording that there is not", slog.String("contact", string(id)), slog.String("uri", uri), slog.Any("err", err))
			return false
		default:
			return true
		}
	}
	return func() {
		m.spawn(func() {
			for wait := firstPause; try(); wait = min(2*wait, maxPause) {
				timer := time.NewTimer(wait)
				select {
				case <-timer.C:
				case <-m.ctx.Done():
					timer.Stop()
					return
				}
			}
		})
	}
}

// unrecorded takes back what the contact tells of a recording that could not be begun.
func (t *Transition) unrecorded(uri string) {
	rest := slices.DeleteFunc(slices.Clone(t.c.Recordings), func(r types.RecordingInfo) bool {
		return "s3://"+aws.ToString(r.Location) == uri
	})
	if len(rest) == len(t.c.Recordings) {
		return
	}
	t.c.Recordings = rest
	t.Changed("Recordings")
	t.note("The call is not recorded: the recording could not be begun because of an error in the server.")
	for kind, tape := range t.st.Tapes {
		if tape.URI == uri {
			tape.URI = ""
			t.setTape(kind, tape)
		}
	}
}

// StartRecording has a call recorded, whatever its flow says: of whom, if it is the
// recording of an agent, which begins when one has joined. It can be done once
// (API reference, StartContactRecording).
func (m *Manager) StartRecording(ctx context.Context, in Instance, id string, kind RecordingKind, track RecordingTrack) error {
	return m.Do(ctx, in, id, func(t *Transition) error {
		if err := t.recordable(); err != nil {
			return err
		}
		tape := t.st.Tapes[kind]
		switch {
		case tape.State == recorder.Stopped, tape.Cancelled:
			return fault.New(fault.InvalidRequest, "The %s recording of contact %s has been stopped; it cannot be started again.", kind, t.id)
		case tape.Asked:
			return fault.New(fault.InvalidRequest, "The %s recording of contact %s has been started already; it can be once. To go on after a suspension there is ResumeContactRecording.", kind, t.id)
		case kind == IVRRecording && t.withAgent():
			return fault.New(fault.InvalidRequest, "VoiceRecordingConfiguration.IvrRecordingTrack: an agent has joined contact %s, which ends its part without one.", t.id)
		}
		_, _, kept, err := t.m.opts.Configuration.Recordings(t.ctx, t.in)
		switch {
		case err != nil:
			return err
		case !kept:
			return fault.New(fault.InvalidRequest, "The call cannot be recorded: %s", noPlace)
		}
		tape.Asked, tape.AskedFor = true, track
		t.setTape(kind, tape)
		return nil
	})
}

// StopRecording ends a recording of a call for good: that of the kind, or all that
// there are for "". One that was started and still waits for its agent will not begin.
func (m *Manager) StopRecording(ctx context.Context, in Instance, id string, kind RecordingKind) error {
	return m.changeTapes(ctx, in, id, kind, func(tape *recorder.Tape) bool {
		change := tape.Running() || tape.State == "" && tape.Asked && !tape.Cancelled
		tape.Cancelled = tape.Cancelled || change
		return change
	})
}

// SuspendRecording has silence recorded in the place of a call, until
// ResumeRecording.
func (m *Manager) SuspendRecording(ctx context.Context, in Instance, id string, kind RecordingKind) error {
	return m.pauseTapes(ctx, in, id, kind, true)
}

// ResumeRecording undoes SuspendRecording.
func (m *Manager) ResumeRecording(ctx context.Context, in Instance, id string, kind RecordingKind) error {
	return m.pauseTapes(ctx, in, id, kind, false)
}

func (m *Manager) pauseTapes(ctx context.Context, in Instance, id string, kind RecordingKind, paused bool) error {
	return m.changeTapes(ctx, in, id, kind, func(tape *recorder.Tape) bool {
		if tape.Running() {
			tape.Paused = paused
		}
		return tape.Running()
	})
}

// changeTapes changes the recording of a kind, or all for "". Fn reports whether it
// applies to one; it must to one at least.
func (m *Manager) changeTapes(ctx context.Context, in Instance, id string, only RecordingKind, fn func(*recorder.Tape) bool) error {
	return m.Do(ctx, in, id, func(t *Transition) error {
		if err := t.recordable(); err != nil {
			return err
		}
		applies := false
		for _, kind := range recorder.Kinds {
			if tape := t.st.Tapes[kind]; (only == "" || only == kind) && fn(&tape) {
				t.setTape(kind, tape)
				applies = true
			}
		}
		switch {
		case applies:
			return nil
		case only != "":
			return fault.New(fault.InvalidRequest, "ContactRecordingType: there is no %s recording of contact %s under way.", only, t.id)
		default:
			return fault.New(fault.InvalidRequest, "Contact %s is not being recorded.", t.id)
		}
	})
}

// recordable refuses contacts that are not recorded in any case.
func (t *Transition) recordable() error {
	switch {
	case t.c.Channel != types.ChannelVoice:
		return fault.New(fault.InvalidRequest, "Contact %s is a %s contact; only VOICE contacts can be recorded.", t.id, t.c.Channel)
	case t.c.Ended():
		return fault.New(fault.InvalidRequest, "Contact %s has ended.", t.id)
	default:
		return nil
	}
}
