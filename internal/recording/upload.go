package recording

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"slices"
	"time"

	"ringdown/internal/objects"
)

const (
	// maxUploads is how many recordings are stored at a time.
	maxUploads = 4
	// The pauses between attempts to store one, which double.
	firstPause = time.Second
	lastPause  = 5 * time.Minute
	// attemptTime is how long an attempt may take: a store that neither takes a
	// recording nor refuses it does not hold up the others for ever.
	attemptTime = 15 * time.Minute
)

// job is a recording that is to be stored.
type job struct {
	id    string
	to    objects.URI
	due   time.Time     // of the next attempt, zero for at once
	pause time.Duration // after the last attempt, 0 before the first
}

// add has a recording stored.
func (s *Spool) add(j *job) {
	s.mu.Lock()
	s.waiting = append(s.waiting, j)
	s.mu.Unlock()
	s.stir()
}

// stir has run look again.
func (s *Spool) stir() {
	select {
	case s.wake <- struct{}{}:
	default: // it will anyway
	}
}

// run hands out uploads until the spool is closed and none is under way.
func (s *Spool) run(ctx context.Context) {
	defer func() {
		s.work.Wait()
		close(s.over)
	}()
	timer := time.NewTimer(0)
	defer timer.Stop()
	for {
		next, over := s.hand(ctx)
		if over {
			return
		}
		timer.Stop()
		if next > 0 {
			timer.Reset(next)
		}
		select {
		case <-s.wake:
		case <-timer.C:
		}
	}
}

// hand begins the uploads that are due and have a place. Next is when there is
// something to do by itself, 0 for never; over that there is nothing any more: a
// spool that is closed makes no second attempts.
func (s *Spool) hand(ctx context.Context) (next time.Duration, over bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	now := s.o.Now()
	cancelled := ctx.Err() != nil
	s.waiting = slices.DeleteFunc(s.waiting, func(j *job) bool {
		wait := j.due.Sub(now)
		switch {
		case cancelled || s.closed && j.pause > 0:
			return true // its files stay for the next start
		case wait > 0:
			if next == 0 || wait < next {
				next = wait
			}
			return false
		case s.running >= maxUploads: // whichever ends wakes
			return false
		}
		s.running++
		s.work.Go(func() { s.upload(ctx, j) })
		return true
	})
	return next, s.closed && s.running == 0 && len(s.waiting) == 0
}

// upload makes one attempt to store a recording.
func (s *Spool) upload(ctx context.Context, j *job) {
	err := s.put(ctx, j)
	s.mu.Lock()
	s.running--
	if err != nil {
		j.pause = min(max(2*j.pause, firstPause), lastPause)
		j.due = s.o.Now().Add(j.pause)
		s.waiting = append(s.waiting, j)
	}
	s.mu.Unlock()
	if err != nil {
		s.o.Logger.Warn("a recording could not be stored; will try again", slog.String("to", j.to.String()), slog.Duration("in", j.pause), slog.Any("err", err))
	}
	s.stir()
}

// put stores a recording and removes its files.
func (s *Spool) put(ctx context.Context, j *job) (err error) {
	defer func() {
		if p := recover(); p != nil { // a store's, which is no reason to lose the recording
			err = fmt.Errorf("the store panicked: %v", p)
		}
	}()
	name := s.path(j.id, soundEnd)
	body, err := os.Open(name) //nolint:gosec // a name of the spool's own
	if err != nil {
		if errors.Is(err, fs.ErrNotExist) { // somebody has taken it away
			s.o.Logger.Error("a recording is no longer there", slog.String("to", j.to.String()))
			return s.remove(j)
		}
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, attemptTime)
	defer cancel()
	if err := errors.Join(s.o.Store.Put(ctx, j.to, body), body.Close()); err != nil {
		return err
	}
	return s.remove(j)
}

// remove removes a recording that is stored, and then its note.
func (s *Spool) remove(j *job) error {
	for _, end := range []string{soundEnd, noteEnd} {
		if err := os.Remove(s.path(j.id, end)); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return err
		}
	}
	return nil
}
