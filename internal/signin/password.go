package signin

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"time"
	"unicode/utf8"

	"ringdown/internal/audit"
	"ringdown/internal/domain"
	"ringdown/internal/identity/ldap"
)

// What somebody may type. Beyond it nobody is let in, after the same work.
const (
	maxName     = 100 // characters, as in CreateUser
	maxPassword = 256 // bytes: 64 characters of four
)

// mustChangeLife is how long somebody may take to choose another password.
const mustChangeLife = 10 * time.Minute

// looked is what came of looking at a name and a password.
type looked struct {
	user    *User // nil when nobody has the name
	verdict verdict
	refusal Reason // of what is not right
	why     string // for the operator
}

// SignIn checks a name and a password, by the identity type of the instance: its
// own users', or its directory's. The error is a *Refusal, or internal.
func (s *Service) SignIn(ctx context.Context, in *Instance, v Visitor, username, password string) (*Opened, error) {
	door, look := ByPassword, s.lookPassword
	switch in.Identity {
	case domain.ConnectManaged:
	case domain.ExistingDirectory:
		d := s.directories[in.DirectoryID]
		if d == nil {
			s.noDirectory(ctx, in, v)
			return nil, refuse(OtherDoor)
		}
		door, look = ByDirectory, func(ctx context.Context, in *Instance, username, password string) (looked, error) {
			return s.lookDirectory(ctx, d, in, username, password)
		}
	default:
		s.record(ctx, in, nil, v, audit.Event{Event: audit.SignIn, Outcome: audit.Refused, Door: string(ByPassword), Reason: "users of the instance sign in through an identity provider"})
		return nil, refuse(OtherDoor)
	}
	tried := audit.Event{Event: audit.SignIn, Door: string(door)}
	p, err := s.profile(ctx, in, v, tried)
	if err != nil {
		return nil, err
	}
	found, err := s.guarded(ctx, in, v, username, tried, func() (looked, error) { return look(ctx, in, username, password) })
	if err != nil {
		return nil, err
	}
	u := found.user
	if door == ByPassword {
		if u, err = s.renewHash(ctx, in, u, password); err != nil {
			return nil, err
		}
	}
	tried.Outcome = audit.OK
	if door == ByPassword && s.opts.ChangeFirst && !u.PasswordChosen {
		must, err := s.seals.seal(forChange, change{in.ID, u.ID, mark(u)}, s.opts.Now().Add(mustChangeLife))
		if err != nil {
			return nil, err
		}
		tried.Reason = "another password has to be chosen first"
		s.record(ctx, in, u, v, tried)
		return &Opened{User: u, MustChange: must}, nil
	}
	o, err := s.openSession(ctx, in, u, door, p)
	if err != nil {
		return nil, err
	}
	s.record(ctx, in, u, v, tried)
	return o, nil
}

// guarded looks at a password when its turn has come. Whatever is not right is
// an error, and in the audit log.
func (s *Service) guarded(ctx context.Context, in *Instance, v Visitor, username string, tried audit.Event, look func() (looked, error)) (looked, error) {
	a, h, err := s.guard.enter(ctx, keyOf(in, username), v.Address)
	if err != nil {
		return looked{}, err
	}
	if h != nil {
		if h.first {
			tried.Outcome, tried.Reason = audit.Refused, h.why
			s.record(ctx, in, nil, v, tried)
		}
		return looked{}, &Refusal{Reason: TooMany, Wait: h.wait}
	}
	l, err := look()
	wait := a.end(l.verdict) // undecided when err is not nil
	switch {
	case err != nil:
		return looked{}, err
	case l.verdict == right:
		return l, nil
	}
	tried.Outcome, tried.Reason = audit.Refused, l.why
	if l.verdict == undecided {
		tried.Outcome = audit.Failed
	}
	s.record(ctx, in, l.user, v, tried)
	if wait > 0 {
		s.record(ctx, in, l.user, v, audit.Event{
			Event: audit.Lockout, Outcome: audit.Refused, Door: tried.Door, Reason: "no password is looked at for " + wait.String(),
		})
	}
	return looked{}, refuse(l.refusal)
}

// lookPassword verifies a password by its hash. Without a user, or with one that
// must not come in, it verifies one all the same.
func (s *Service) lookPassword(ctx context.Context, in *Instance, username, password string) (looked, error) {
	l := looked{verdict: wrong, refusal: WrongCredentials}
	stored := s.dummy
	switch {
	case utf8.RuneCountInString(username) > maxName:
		l.why = "the user name is too long"
	default:
		var err error
		if l.user, err = s.user(ctx, in, username); err != nil {
			return looked{}, err
		}
		switch u := l.user; {
		case u == nil:
			l.why = "no user has the name"
		case u.Inactive:
			l.why = "the user has been deactivated"
		case u.PasswordHash == "":
			l.why = "the user has no password"
		default:
			stored = u.PasswordHash
		}
	}
	if len(password) > maxPassword {
		l.why, password = "the password is too long", ""
	}
	ok, err := s.verify(ctx, stored, password)
	switch {
	case err != nil:
		return looked{}, err
	case l.why != "":
	case !ok:
		l.why = "the password is wrong"
	default:
		return looked{user: l.user, verdict: right}, nil
	}
	return l, nil
}

// verify is Passwords.Verify, but that a hash which cannot be read is one that no
// password fits, which takes as long to find out.
func (s *Service) verify(ctx context.Context, stored, password string) (bool, error) {
	ok, err := s.opts.Passwords.Verify(ctx, stored, password)
	if err == nil || ctx.Err() != nil {
		return ok, err
	}
	s.opts.Logger.LogAttrs(ctx, slog.LevelError, "a stored password hash", slog.Any("err", err))
	_, err = s.opts.Passwords.Verify(ctx, s.dummy, password)
	return false, err
}

// renewHash hashes a password anew that was hashed by other parameters than
// today's, which ends the sessions that the user has.
func (s *Service) renewHash(ctx context.Context, in *Instance, u *User, password string) (*User, error) {
	if !s.opts.Passwords.Outdated(u.PasswordHash) {
		return u, nil
	}
	hash, err := s.opts.Passwords.Hash(ctx, password)
	if err != nil {
		return nil, err
	}
	renewed := *u
	renewed.PasswordHash = hash
	switch err := s.opts.People.SetPassword(ctx, in, u.ID, u.PasswordHash, hash, u.PasswordChosen); {
	case errors.Is(err, ErrChanged), missing(err): // the password was right a moment ago
		return nil, refuse(WrongCredentials)
	case err != nil:
		return nil, fmt.Errorf("renew a password hash: %w", err)
	}
	return &renewed, nil
}

// lookDirectory asks the directory, for names that no user has as well. The
// answer is waited for even when the client has gone: it may not try passwords
// without being counted.
func (s *Service) lookDirectory(ctx context.Context, d directory, in *Instance, username, password string) (looked, error) {
	l := looked{verdict: wrong, refusal: WrongCredentials}
	if utf8.RuneCountInString(username) > maxName || len(password) > maxPassword {
		l.why, username, password = "the user name or the password is too long", "too long", "too long"
	} else {
		var err error
		if l.user, err = s.user(ctx, in, username); err != nil {
			return looked{}, err
		}
	}
	e, err := d.SignIn(context.WithoutCancel(ctx), username, password)
	switch u := l.user; {
	case errors.Is(err, ldap.ErrRefused):
		l.why = "the directory knows no such name and password"
	case errors.Is(err, ldap.ErrDisabled):
		l.why = "the directory has disabled the user"
	case err != nil:
		s.opts.Logger.LogAttrs(ctx, slog.LevelError, "sign-in by a directory", slog.String("instance", string(in.ID)), slog.String("directory", in.DirectoryID), slog.Any("err", err))
		return looked{user: u, verdict: undecided, refusal: DirectoryDown, why: "the directory cannot be reached"}, nil
	case l.why != "":
	case u == nil:
		l.why = "no user of the instance has the name, though the directory has"
	case u.Inactive:
		l.why = "the user has been deactivated"
	case !isEntry(u, e):
		l.why = "the directory's entry of that name is not the one of the user's DirectoryUserId"
	default:
		return looked{user: u, verdict: right}, nil
	}
	return l, nil
}

// isEntry reports whether a directory's entry is that of a user. A user may be
// known by its name alone: then it has no DirectoryUserId of its own (AWS API
// reference, CreateUser).
func isEntry(u *User, e *ldap.Entry) bool {
	id := u.DirectoryUserID
	if id == "" || id == u.ID {
		return true
	}
	return id == e.ID || domain.IsUUID(id) && strings.EqualFold(id, e.ID)
}

// noDirectory tells the operator, whom alone it helps, why nobody can sign in.
func (s *Service) noDirectory(ctx context.Context, in *Instance, v Visitor) {
	s.record(ctx, in, nil, v, audit.Event{Event: audit.SignIn, Outcome: audit.Failed, Door: string(ByDirectory), Reason: "the directory of the instance is not configured"})
	if s.quiet.pass(s.opts.Now()) {
		s.opts.Logger.LogAttrs(ctx, slog.LevelWarn,
			"nobody can sign in: add the directory of the instance to sign-in: directories: of the configuration file, with the DirectoryId as its id",
			slog.String("instance", string(in.ID)), slog.String("directory", in.DirectoryID))
	}
}

// change is what Opened.MustChange says, sealed.
type change struct {
	Instance domain.InstanceID `json:"i"`
	User     string            `json:"u"`
	Hash     []byte            `json:"p"` // mark of the hash that is to be changed
}

// ChangePassword sets a new password for whoever must (Opened.MustChange) or
// wishes to: then must is the token of their session, and current the password
// that they have. All other sessions of the user end; it answers with a new one.
// The error is a *Refusal, ErrNoSession, or internal.
func (s *Service) ChangePassword(ctx context.Context, in *Instance, v Visitor, must, current, password string) (*Opened, error) {
	if in.Identity != domain.ConnectManaged {
		return nil, refuse(OtherDoor)
	}
	tried := audit.Event{Event: audit.PasswordChange, Door: string(ByPassword)}
	p, err := s.profile(ctx, in, v, tried)
	if err != nil {
		return nil, err
	}
	if !strong(password) {
		return nil, refuse(WeakPassword)
	}
	session := isToken(must)
	var u *User
	if session {
		u, err = s.changer(ctx, in, v, must, current, tried)
	} else {
		u, err = s.mustChange(ctx, in, must)
	}
	if err != nil {
		return nil, err
	}
	changed, err := s.setPassword(ctx, in, v, u, password)
	if errors.Is(err, ErrChanged) {
		err = refuse(LinkUsed)
		if session {
			err = refuse(WrongCredentials)
		}
	}
	if err != nil {
		return nil, err
	}
	o, err := s.openSession(ctx, in, changed, ByPassword, p)
	if err != nil {
		return nil, err
	}
	tried.Outcome = audit.OK
	s.record(ctx, in, u, v, tried)
	return o, nil
}

// changer is who wishes to change a password and knows the one that holds.
func (s *Service) changer(ctx context.Context, in *Instance, v Visitor, token, current string, tried audit.Event) (*User, error) {
	found, st, err := s.session(ctx, v, token)
	if err != nil {
		return nil, err
	}
	if st == nil || st.Instance != in.ID {
		return nil, ErrNoSession
	}
	l, err := s.guarded(ctx, in, v, found.User.Username, tried, func() (looked, error) {
		return s.lookPassword(ctx, in, found.User.Username, current)
	})
	return l.user, err
}

// mustChange is who has to choose a password, by what SignIn has given.
func (s *Service) mustChange(ctx context.Context, in *Instance, must string) (*User, error) {
	var c change
	if _, err := s.seals.open(forChange, must, &c); err != nil || c.Instance != in.ID {
		return nil, refuse(LinkUsed)
	}
	u, err := s.userByID(ctx, in, c.User)
	if err != nil {
		return nil, err
	}
	if u == nil || u.Inactive || !bytes.Equal(c.Hash, mark(u)) {
		return nil, refuse(LinkUsed)
	}
	return u, nil
}

// setPassword gives a user a password of its own choice. The error is a
// *Refusal, ErrChanged, or internal.
func (s *Service) setPassword(ctx context.Context, in *Instance, v Visitor, u *User, password string) (*User, error) {
	hash, err := s.newHash(ctx, v, u, password)
	if err != nil {
		return nil, err
	}
	return s.putHash(ctx, in, u, hash)
}

// newHash hashes a password that is not the one that the user has.
func (s *Service) newHash(ctx context.Context, v Visitor, u *User, password string) (string, error) {
	done, err := s.guard.work(ctx, v.Address)
	if err != nil {
		return "", err
	}
	defer done()
	if u.PasswordHash != "" {
		same, err := s.verify(ctx, u.PasswordHash, password)
		if err != nil {
			return "", err
		}
		if same {
			return "", refuse(SamePassword)
		}
	}
	return s.opts.Passwords.Hash(ctx, password)
}

func (s *Service) putHash(ctx context.Context, in *Instance, u *User, hash string) (*User, error) {
	err := s.opts.People.SetPassword(ctx, in, u.ID, u.PasswordHash, hash, true)
	switch {
	case missing(err):
		return nil, ErrChanged
	case errors.Is(err, ErrChanged):
		return nil, err
	case err != nil:
		return nil, fmt.Errorf("change a password: %w", err)
	}
	changed := *u
	changed.PasswordHash, changed.PasswordChosen = hash, true
	return &changed, nil
}

// strong reports whether a password follows the rules of CreateUser (AWS API
// reference): 8 to 64 characters without white space, among them a lower-case
// letter, an upper-case one and a digit.
func strong(password string) bool {
	n := utf8.RuneCountInString(password)
	return utf8.ValidString(password) && n >= 8 && n <= 64 && !strings.ContainsAny(password, " \t\n\v\f\r") &&
		strings.ContainsAny(password, "abcdefghijklmnopqrstuvwxyz") && strings.ContainsAny(password, "ABCDEFGHIJKLMNOPQRSTUVWXYZ") &&
		strings.ContainsAny(password, "0123456789")
}
