package contact

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"runtime/debug"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/connect/types"

	"ringdown/internal/contact/queue"
	"ringdown/internal/domain"
	"ringdown/internal/fault"
	"ringdown/internal/flow/machine"
	"ringdown/internal/store"
)

// damage says why what is in memory of a contact is not what is stored.
type damage struct {
	// t could not be stored, as far as is known; nil when it has panicked.
	t *Transition
	// panicked: the same would happen again.
	panicked bool
}

// errPanicked is the answer of a transition that has panicked. What it was is in
// the log.
var errPanicked = errors.New("a contact could not be changed because of an error in the server")

// The pauses between attempts to read a contact, or to make a transition that
// cannot be refused.
const (
	firstPause = 50 * time.Millisecond
	maxPause   = 10 * time.Second
)

// must makes a transition that nobody waits for and that must not be lost: what
// a leg has told, what is due, the answer of a function. If it cannot be stored
// it is made again, from what is stored.
func (l *live) must(fn func(t *Transition)) {
	for wait := firstPause; !l.over(); wait = min(2*wait, maxPause) {
		err := l.transition(l.m.ctx, func(t *Transition) error { fn(t); return nil })
		if err == nil {
			return
		}
		if l.damaged == nil { // it has not begun: the chain could not be read
			l.damaged = &damage{}
		}
		again := l.mend()
		switch {
		case !again:
			return
		case refused(err): // it will not be stored tomorrow either
			l.giveUp()
			return
		case !l.pause(wait):
			return
		}
	}
}

// refused reports whether an error of the store is its verdict on what was to be
// stored, and not its own trouble.
func refused(err error) bool {
	switch fault.From(err).Code {
	case fault.InvalidParameter, fault.InvalidRequest, fault.DuplicateResource:
		return true
	default:
		return false
	}
}

// pause waits; false when the contact is no longer this server's.
func (l *live) pause(wait time.Duration) bool {
	timer := time.NewTimer(wait)
	defer timer.Stop()
	select {
	case <-l.m.ctx.Done():
		return false
	case <-l.takenOver:
		return false
	case <-timer.C:
		return true
	}
}

// mend takes the contact back to what is stored, after a transition that could
// not be or that has panicked. It tries until it can. Again is true when the
// transition was not made.
func (l *live) mend() (again bool) {
	d, held, waited := l.damaged, l.version, l.c
	l.damaged = nil
	row := l.reread()
	if row == nil {
		return false
	}
	if waited.Queue != nil && !(l.queued() && l.c.Queue.ID == waited.Queue.ID) {
		l.m.queues.Leave(queue.Key{Instance: l.in.PK, Queue: waited.Queue.ID}, l.id)
	}
	switch {
	case d.panicked:
		l.giveUp()
		return false
	case row.Version == held:
		return true
	case d.t != nil && row.Version == held+1 && bytes.Equal(row.Doc, d.t.row.Doc) && bytes.Equal(row.State, d.t.row.State):
		// It was stored; only the answer was lost.
		l.line, l.third = d.t.line, d.t.third
		d.t.act()
		return false
	case !l.m.lease.Confirm(l.m.ctx):
		// Another server runs the contacts and has gone on with this one.
		l.m.opts.Logger.Error("another server has changed a contact", slog.String("contact", string(l.id)))
		l.lose()
		return false
	default: // it goes on from what the other has left
		return true
	}
}

// reread reads the contact and its state; nil when there is nothing to go on
// with: the server stops, another has it, or it is gone with its instance.
func (l *live) reread() *store.Contact {
	for wait := firstPause; ; wait = min(2*wait, maxPause) {
		row, err := l.m.store.Contact(l.m.ctx, l.in.PK, string(l.id))
		if err == nil {
			if err = l.restore(row); err == nil {
				return row
			}
		}
		if fault.Is(err, fault.ResourceNotFound) {
			l.vanish()
			return nil
		}
		if l.m.ctx.Err() == nil {
			l.m.opts.Logger.Error("a contact cannot be read; will try again", slog.String("contact", string(l.id)), slog.Any("err", err))
		}
		if !l.pause(wait) {
			return nil
		}
	}
}

// restore makes what is stored what is in memory.
func (l *live) restore(row *store.Contact) error {
	c, err := decode(row)
	if err != nil {
		return err
	}
	st, err := decodeState(row)
	if err != nil {
		return err
	}
	l.chain.mu.Lock()
	defer l.chain.mu.Unlock()
	l.chain.attributes = nil
	if err := l.chain.read(l.m.ctx, l.m.store, l.in); err != nil {
		return err
	}
	l.c, l.st, l.version = c, st, row.Version
	return nil
}

func decodeState(row *store.Contact) (*state, error) {
	st := &state{}
	if row.State == nil {
		return st, nil
	}
	if err := json.Unmarshal(row.State, st); err != nil {
		return nil, fmt.Errorf("state of contact %s: %w", row.ID, err)
	}
	return st, nil
}

// giveUp ends a contact that cannot go on: what has panicked would do so again.
// If even that panics, it is tried once more without what the contact was doing.
func (l *live) giveUp() {
	for wait, bare := firstPause, false; ; wait = min(2*wait, maxPause) {
		err := l.transition(l.m.ctx, func(t *Transition) error {
			if bare {
				t.st.Threads, t.st.Chat = nil, nil
			}
			t.note("The contact was ended because of an error in the server.")
			t.disconnect(t.systemError())
			return nil
		})
		d := l.damaged
		l.damaged = nil
		switch {
		case err == nil:
			return
		case d != nil && d.panicked && bare:
			l.m.opts.Logger.Error("a contact cannot be ended; the next start will try", slog.String("contact", string(l.id)))
			l.vanish()
			return
		case d != nil && d.panicked:
			bare = true
		case !l.pause(wait):
			return
		}
		if l.reread() == nil {
			return
		}
	}
}

// systemError is the DisconnectReason of a contact that the system could not go
// on with (administrator guide, "Contact records data model").
func (l *live) systemError() string {
	if l.channel == types.ChannelChat {
		return "SYSTEM_ERROR"
	}
	return other
}

// note adds a line that belongs to no action to the flow log.
func (t *Transition) note(text string) {
	t.lines = append(t.lines, machine.Line{At: t.at, Ended: t.at, Note: text})
}

// guard runs what follows a transition; a panic in it is the end of the contact
// and not of the server.
func (l *live) guard(f func()) {
	defer l.rescue()
	f()
}

// rescue is deferred around what may panic on the owner's goroutine.
func (l *live) rescue() {
	if p := recover(); p != nil {
		l.m.panicked(l.id, p)
		l.damaged = &damage{panicked: true}
	}
}

// rescue is deferred around what may panic on behalf of a contact elsewhere.
func (m *Manager) rescue(id domain.ContactID) {
	if p := recover(); p != nil {
		m.panicked(id, p)
	}
}

func (m *Manager) panicked(id domain.ContactID, what any) {
	m.opts.Logger.Error("a contact panicked", slog.String("contact", string(id)), slog.Any("panic", what), slog.String("stack", string(debug.Stack())))
}
