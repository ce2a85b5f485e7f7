package call

import (
	"errors"
	"fmt"

	"ringdown/internal/contact"
	"ringdown/internal/voice/media"
)

// recording is one under way.
type recording struct {
	uri   string
	state contact.RecordingState
	track contact.RecordingTrack
	tape  *tape // nil until it is open
}

// tape is what is recorded on.
type tape struct {
	file     RecordingFile
	recorder *media.Recorder
}

// Records implements contact.Recorder.
func (l *leg) Records() bool { return l.calls.o.Record != nil }

// Record implements contact.Leg. What is to be recorded before the answer is from
// then on.
func (l *leg) Record(r contact.Recording) {
	l.note(func() { l.upon(func() { l.record(r) }) })
}

func (l *leg) record(r contact.Recording) {
	current := l.recordings[r.Kind]
	if current != nil && (r.State == contact.RecordingStopped || r.URI != current.uri) {
		l.stopRecording(r.Kind)
		current = nil
	}
	switch {
	case r.State == contact.RecordingStopped:
		l.recorded[r.URI] = true
	case l.recorded[r.URI]: // it does not go on
	case current != nil:
		current.state, current.track = r.State, r.Track
		current.follow()
	case l.calls.o.Record != nil && l.session.Load() != nil:
		l.openRecording(r)
	}
}

// follow has the recorder do what it is to do. A contact has one recording of its
// agent (administrator guide, "When, what, and where for contact recordings"), so
// another track goes on in the same file.
func (r *recording) follow() {
	if r.tape == nil {
		return
	}
	r.tape.recorder.Keep(r.track != contact.FromAgentRecording, r.track != contact.ToAgentRecording)
	if r.state == contact.RecordingSuspended {
		r.tape.recorder.Suspend()
	} else {
		r.tape.recorder.Resume()
	}
}

// openRecording begins a recording. The call goes on without one if that fails.
func (l *leg) openRecording(r contact.Recording) {
	current := &recording{uri: r.URI, state: r.State, track: r.Track}
	l.recordings[r.Kind] = current
	call, contactID := l.id(), string(l.call.ContactID)
	l.calls.work.Go(func() { // called from one of work
		t, err := l.calls.newTape(r.URI)
		if err != nil {
			l.calls.o.Logger.Error("a call is not recorded", "call", call, "contact", contactID, "uri", r.URI, "error", err)
			l.note(func() {
				if l.recordings[r.Kind] == current {
					delete(l.recordings, r.Kind)
				}
				l.recorded[r.URI] = true // nobody would know of it
			})
			if r.Failed != nil {
				r.Failed()
			}
			return
		}
		asked := l.ask(func() {
			if l.over || l.recordings[r.Kind] != current {
				l.calls.keep(t, r.URI)
				return
			}
			current.tape = t
			current.follow()
			l.session.Load().Record(string(r.Kind), t.recorder)
		})
		if !asked {
			l.calls.keep(t, r.URI)
		}
	})
}

// stopRecording ends a recording and has it stored.
func (l *leg) stopRecording(kind contact.RecordingKind) {
	r := l.recordings[kind]
	delete(l.recordings, kind)
	l.recorded[r.uri] = true
	if r.tape != nil {
		l.session.Load().Record(string(kind), nil)
		l.calls.keep(r.tape, r.uri)
	}
}

// newTape opens a file and begins to record on it.
func (c *Calls) newTape(uri string) (*tape, error) {
	file, err := c.o.Record(uri)
	if err != nil {
		return nil, fmt.Errorf("opening a recording: %w", err)
	}
	recorder, err := media.NewRecorder(file)
	if err != nil { // what there is of it is put away
		return nil, errors.Join(fmt.Errorf("beginning a recording: %w", err), file.Store())
	}
	return &tape{file, recorder}, nil
}

// keep completes a recording and has it stored, on a goroutine of its own; it is
// called from one of work.
func (c *Calls) keep(t *tape, uri string) {
	c.work.Go(func() {
		if err := t.recorder.Close(); err != nil {
			c.o.Logger.Error("the end of a recording is missing", "uri", uri, "error", err)
		}
		if err := t.file.Store(); err != nil {
			c.o.Logger.Error("a recording is not stored", "uri", uri, "error", err)
		}
	})
}
