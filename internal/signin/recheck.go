package signin

import (
	"context"
	"errors"
	"log/slog"
	"sync"
	"time"

	"ringdown/internal/audit"
	"ringdown/internal/identity/ldap"
)

const (
	// DefaultRecheck is how old the last look at a directory may be when a session
	// of one of its users is used.
	DefaultRecheck = 15 * time.Minute
	// downFor is how long a directory that could not be asked is not asked again:
	// whoever is signed in should not have to wait for it at every step.
	downFor = time.Minute
)

// rechecks is what is known of the looks at directories.
type rechecks struct {
	mu      sync.Mutex
	looking map[string]bool      // by session: one request looks, the others go on
	failed  map[string]time.Time // by directory, until it answers again
}

// begin reports whether a session's directory is to be asked now; then end must
// follow.
func (r *rechecks) begin(session, directory string, now time.Time) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	failed, down := r.failed[directory]
	if r.looking[session] || down && now.Sub(failed) < downFor {
		return false
	}
	if r.looking == nil {
		r.looking = map[string]bool{}
	}
	r.looking[session] = true
	return true
}

func (r *rechecks) end(session string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	delete(r.looking, session)
}

// down remembers that a directory could not be asked, and reports whether it
// could be before.
func (r *rechecks) down(directory string, now time.Time) (first bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.failed == nil {
		r.failed = map[string]time.Time{}
	}
	_, before := r.failed[directory]
	r.failed[directory] = now
	return !before
}

func (r *rechecks) up(directory string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	delete(r.failed, directory)
}

// recheck asks the directory about the user of a session again when it has not
// been asked for a while, and reports whether the user may stay. A user whom the
// directory no longer has, or has disabled, may not: the session is ended. While
// the directory cannot be asked everybody stays; nobody new comes in then.
func (s *Service) recheck(ctx context.Context, in *Instance, u *User, v Visitor, token string, st *state, now time.Time) (stays bool, err error) {
	d, every := s.directories[in.DirectoryID], s.opts.Recheck[in.DirectoryID]
	if every == 0 {
		every = DefaultRecheck
	}
	age := now.Sub(time.UnixMilli(max(st.Began, st.Checked)))
	if st.Door != ByDirectory || d == nil || every < 0 || 0 <= age && age < every { // a clock may have been put back
		return true, nil
	}
	key := sessionKey(token)
	if !s.rechecks.begin(key, in.DirectoryID, now) {
		return true, nil
	}
	defer s.rechecks.end(key)
	e, err := d.Check(ctx, u.Username)
	var why string
	switch {
	case errors.Is(err, ldap.ErrRefused):
		why = "the directory no longer has the user"
	case errors.Is(err, ldap.ErrDisabled):
		why = "the directory has disabled the user"
	case errors.Is(err, ldap.ErrAmbiguous): // which one it is nobody knows
		if s.quiet.pass(now) {
			s.opts.Logger.LogAttrs(ctx, slog.LevelWarn, "a directory has several entries of the name of a user who is signed in, and stays so",
				slog.String("instance", string(in.ID)), slog.String("user", u.Username), slog.Any("err", err))
		}
	case err != nil && ctx.Err() != nil:
		return false, ctx.Err() // it is the client who has gone
	case err != nil:
		if s.rechecks.down(in.DirectoryID, now) {
			s.opts.Logger.LogAttrs(ctx, slog.LevelError, "a directory cannot be asked whether users may stay signed in: until it can, they may",
				slog.String("instance", string(in.ID)), slog.String("directory", in.DirectoryID), slog.Any("err", err))
		}
		return true, nil
	case !isEntry(u, e):
		why = "the directory's entry of that name is no longer the one of the user's DirectoryUserId"
	}
	s.rechecks.up(in.DirectoryID)
	if why == "" {
		return true, s.alter(ctx, u, token, func(st *state) { st.Checked = now.UnixMilli() })
	}
	if err := s.forget(ctx, token); err != nil {
		return false, err
	}
	s.record(ctx, in, u, v, audit.Event{Event: audit.SessionEnd, Outcome: audit.Refused, Door: string(st.Door), Reason: why})
	return false, nil
}
