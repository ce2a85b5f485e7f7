package signin

import (
	"bytes"
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"time"

	"ringdown/internal/audit"
	"ringdown/internal/domain"
	"ringdown/internal/store"
)

// maxSession is how long a session lasts at most. It is not extended, "even
// during a call" (administrator guide, "Session timeouts").
const maxSession = 12 * time.Hour

// touchEvery is how exactly the last use of a session is known.
const touchEvery = time.Minute

// tokenBytes are the random bytes of a session's token, and of a link's code.
const tokenBytes = 32

// state is what is remembered of a session, under the hash of its token. The
// user owns the memo, so a session ends with its user, and with its instance.
type state struct {
	Instance domain.InstanceID `json:"i"`
	User     string            `json:"u"`
	Door     Door              `json:"d"`
	Began    int64             `json:"b"` // Unix milliseconds, as are the others
	Expires  int64             `json:"e"`
	Used     int64             `json:"l"` // last, to touchEvery
	// Checked is when the user's directory last had it, after Began; 0 for never.
	Checked int64 `json:"c,omitempty"`
	// Mark is the user's when the session began; with another it is over.
	Mark []byte `json:"p,omitempty"`
}

// mark is the same for as long as what was opened for a user stays open: until
// the password is changed, or the user deactivated. It is no secret: a hash has a
// salt of its own.
func mark(u *User) []byte {
	if u.PasswordHash == "" && u.Deactivations == 0 {
		return nil
	}
	sum := sha256.Sum256(fmt.Appendf(nil, "%s\n%d", u.PasswordHash, u.Deactivations))
	return sum[:16]
}

func newToken() string {
	b := make([]byte, tokenBytes)
	_, _ = rand.Read(b) // never fails (crypto/rand)
	return base64.RawURLEncoding.EncodeToString(b)
}

// sessionKey is where a session is remembered: the store has no more than the
// hash of its token.
func sessionKey(token string) string {
	sum := sha256.Sum256([]byte(token))
	return "signin/session/" + base64.RawURLEncoding.EncodeToString(sum[:])
}

// isToken spares the store texts that cannot be tokens.
func isToken(s string) bool {
	b, err := base64.RawURLEncoding.Strict().DecodeString(s)
	return err == nil && len(b) == tokenBytes && len(s) == base64.RawURLEncoding.EncodedLen(tokenBytes)
}

// longest is how long a session may last by a profile.
func longest(p *domain.AuthenticationProfile) time.Duration {
	d := time.Duration(p.MaxSessionDuration) * time.Minute
	if d <= 0 || d > maxSession {
		return maxSession
	}
	return d
}

// idle is how long a session may lie unused by a profile; 0 for any time.
func idle(p *domain.AuthenticationProfile) time.Duration {
	if !p.SessionInactivityHandlingEnabled || p.SessionInactivityDuration == nil {
		return 0
	}
	return time.Duration(*p.SessionInactivityDuration) * time.Minute
}

// openSession begins a session.
func (s *Service) openSession(ctx context.Context, in *Instance, u *User, door Door, p *domain.AuthenticationProfile) (*Opened, error) {
	now := s.opts.Now().UTC().Truncate(time.Millisecond)
	token, expires := newToken(), now.Add(longest(p))
	raw, err := json.Marshal(state{
		Instance: in.ID, User: u.ID, Door: door, Began: now.UnixMilli(), Expires: expires.UnixMilli(), Used: now.UnixMilli(), Mark: mark(u),
	})
	if err != nil {
		return nil, fmt.Errorf("open a session: %w", err)
	}
	err = s.opts.Store.Update(ctx, func(tx store.Tx) error {
		return tx.Remember(ctx, sessionKey(token), store.Memo{Answer: raw, Expires: expires, Owner: u.PK})
	})
	if err != nil {
		return nil, fmt.Errorf("open a session: %w", err)
	}
	return &Opened{Token: token, Expires: expires, User: u}, nil
}

// Session finds the session of a cookie's token. The error is ErrNoSession, or
// internal. It ends with the user, when the user is deactivated or its directory
// no longer lets it in (Options.Recheck), with a change of the password, after the MaxSessionDuration of the authentication profile (12
// hours), and when it has not been used for its SessionInactivityDuration. From
// an address that the profile does not allow there is none.
func (s *Service) Session(ctx context.Context, v Visitor, token string) (*Session, error) {
	found, st, err := s.session(ctx, v, token)
	if err != nil {
		return nil, err
	}
	if st == nil {
		return nil, ErrNoSession
	}
	return found, nil
}

// session is Session with the state; a nil one where there is no session. What
// is over for good is forgotten.
func (s *Service) session(ctx context.Context, v Visitor, token string) (*Session, *state, error) {
	st, err := s.state(ctx, token)
	if err != nil || st == nil {
		return nil, nil, err
	}
	in, err := s.opts.People.Instance(ctx, string(st.Instance))
	if missing(err) {
		return nil, nil, nil
	}
	if err != nil {
		return nil, nil, err
	}
	u, err := s.userByID(ctx, in, st.User)
	if err != nil {
		return nil, nil, err
	}
	p, err := s.opts.People.Profile(ctx, in)
	if err != nil {
		return nil, nil, err
	}
	now := s.opts.Now()
	began, used := time.UnixMilli(st.Began).UTC(), time.UnixMilli(st.Used)
	expires := time.UnixMilli(st.Expires).UTC()
	if limit := began.Add(longest(p)); limit.Before(expires) {
		expires = limit
	}
	unused := idle(p)
	switch {
	case u == nil, u.Inactive, !bytes.Equal(st.Mark, mark(u)), !now.Before(expires), unused > 0 && now.Sub(used) >= unused:
		return nil, nil, s.forget(ctx, token)
	case !allowed(p, v.Address):
		return nil, nil, nil
	}
	if stays, err := s.recheck(ctx, in, u, v, token, st, now); err != nil || !stays {
		return nil, nil, err
	}
	if unused > 0 && now.Sub(used) >= touchEvery {
		if err := s.alter(ctx, u, token, func(st *state) { st.Used = max(st.Used, now.UnixMilli()) }); err != nil {
			return nil, nil, err
		}
	}
	return &Session{Instance: in, User: u, Door: st.Door, Began: began, Expires: expires}, st, nil
}

// state reads what is remembered of a session, nil when nothing is.
func (s *Service) state(ctx context.Context, token string) (*state, error) {
	if !isToken(token) {
		return nil, nil
	}
	memo, err := s.opts.Store.Recall(ctx, sessionKey(token))
	if err != nil || memo == nil {
		return nil, err
	}
	return readState(memo)
}

func readState(memo *store.Memo) (*state, error) {
	var st state
	if err := json.Unmarshal(memo.Answer, &st); err != nil {
		return nil, fmt.Errorf("stored session: %w", err)
	}
	return &st, nil
}

// alter changes what is remembered of a session, unless it has ended meanwhile.
func (s *Service) alter(ctx context.Context, u *User, token string, change func(*state)) error {
	key := sessionKey(token)
	err := s.opts.Store.Update(ctx, func(tx store.Tx) error {
		memo, err := tx.Recall(ctx, key)
		if err != nil || memo == nil {
			return err
		}
		st, err := readState(memo)
		if err != nil {
			return err
		}
		change(st)
		if memo.Answer, err = json.Marshal(st); err != nil {
			return err
		}
		memo.Owner = u.PK
		return tx.Remember(ctx, key, *memo)
	})
	if err != nil {
		return fmt.Errorf("alter a session: %w", err)
	}
	return nil
}

func (s *Service) forget(ctx context.Context, token string) error {
	err := s.opts.Store.Update(ctx, func(tx store.Tx) error {
		_, err := tx.Forget(ctx, sessionKey(token))
		return err
	})
	if err != nil {
		return fmt.Errorf("end a session: %w", err)
	}
	return nil
}

// SignOut ends a session, if there is one, from whatever address.
func (s *Service) SignOut(ctx context.Context, v Visitor, token string) error {
	st, err := s.state(ctx, token)
	if err != nil || st == nil {
		return err
	}
	if err := s.forget(ctx, token); err != nil {
		return err
	}
	in, err := s.opts.People.Instance(ctx, string(st.Instance))
	if missing(err) {
		return nil
	}
	if err != nil {
		return err
	}
	u, err := s.userByID(ctx, in, st.User)
	if err != nil {
		return err
	}
	s.record(ctx, in, u, v, audit.Event{Event: audit.SignOut, Outcome: audit.OK, Door: string(st.Door)})
	return nil
}
