// Package audit keeps the log of who signed in, who was refused, and which
// tokens and keys were given: JSON, one event a line, only ever appended to.
//
// No secret is in it. What somebody typed as a user name is written down only
// once it is known to be the name of a user: people type passwords there.
package audit

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"sync"
	"time"
)

// Event is a line of the log. Members that do not apply are absent.
type Event struct {
	Time time.Time `json:"time"`
	// Event says what was tried: one of the constants below.
	Event Name `json:"event"`
	// Outcome says what became of it.
	Outcome Outcome `json:"outcome"`
	// Reason says why it was refused, in words for the operator; of Provisioning
	// what was done: create, replace, patch, deactivate, activate or delete.
	Reason string `json:"reason,omitempty"`
	// Door is how somebody came in: password, directory, saml, oidc, federation.
	Door     string `json:"door,omitempty"`
	Instance string `json:"instance,omitempty"`
	User     string `json:"user,omitempty"`    // Username of a user that there is
	UserID   string `json:"user_id,omitempty"` // its id
	// Principal is the ARN of who signed the request, or of the role that was
	// assumed.
	Principal string `json:"principal,omitempty"`
	// Role is the ARN of the session of a role that was assumed or, when that was
	// refused, of the role.
	Role     string `json:"role,omitempty"`
	Provider string `json:"provider,omitempty"` // the identity provider's name
	// Key is the id of the access key or SCIM token that was made, used or
	// deleted.
	Key       string `json:"key,omitempty"`
	From      string `json:"from,omitempty"` // IP address of the client
	RequestID string `json:"request,omitempty"`
	// Count is how many lines NotRecorded stands for.
	Count int `json:"count,omitempty"`
}

// Name says what was tried.
type Name string

// The events.
const (
	SignIn          Name = "sign-in"
	SignOut         Name = "sign-out"
	SessionEnd      Name = "session-end" // by the server, because the user may no longer come in
	Lockout         Name = "lock-out"
	PasswordReset   Name = "password-reset"  // a link was asked for
	PasswordChange  Name = "password-change" // by its owner, through a link or when signed in
	AssumeRole      Name = "assume-role"
	FederationToken Name = "federation-token"
	TokenRefresh    Name = "token-refresh"
	Provisioning    Name = "provisioning" // SCIM
	KeyCreate       Name = "key-create"
	KeyDelete       Name = "key-delete"
	ProviderAdd     Name = "provider-add"
	ProviderDelete  Name = "provider-delete"
	NotRecorded     Name = "not-recorded" // lines about strangers, which were too many
)

// Outcome says what became of a try.
type Outcome string

// The outcomes.
const (
	OK      Outcome = "ok"
	Refused Outcome = "refused"
	Failed  Outcome = "failed" // for a reason that is not the client's
)

// Log appends events to a file. The zero value and a nil *Log discard them. It
// is safe for concurrent use. While lines are counted rather than written it has
// a timer, which Close ends.
type Log struct {
	now    func() time.Time
	logger *slog.Logger
	limit  limit

	closing sync.Mutex // has others that close wait for the last line

	mu  sync.Mutex
	out io.WriteCloser
}

// New returns a log that writes to out and owns it.
func New(out io.WriteCloser, now func() time.Time, logger *slog.Logger) *Log {
	return &Log{now: now, logger: logger, out: out}
}

// Record appends an event, with the time when it has none. An event that cannot
// be written is an error in the server's log and stops nobody: whoever fills the
// disk must not lock everybody out.
//
// What strangers are refused is written down up to a limit, from one address and
// from all of them, and then counted: else anybody could fill the disk. Nothing
// else is ever left out.
func (l *Log) Record(ctx context.Context, e Event) {
	if l == nil || l.now == nil {
		return
	}
	if e.byStranger() {
		if !l.limit.allows(e.From, l.now()) {
			ctx = context.WithoutCancel(ctx)
			l.limit.drop(func() { l.report(ctx, l.tell(l.limit.take())) })
			return
		}
		e = e.shortened()
	}
	l.report(ctx, l.write(e))
}

// write appends an event.
func (l *Log) write(e Event) error {
	if e.Time.IsZero() {
		e.Time = l.now().UTC()
	}
	line, err := json.Marshal(e)
	if err != nil {
		return err
	}
	return l.append(append(line, '\n'))
}

func (l *Log) report(ctx context.Context, err error) {
	if err != nil {
		l.logger.LogAttrs(ctx, slog.LevelError, "audit log", slog.Any("err", err))
	}
}

var errClosed = errors.New("the audit log is closed")

// append writes a line at once, so that lines of several writers do not mix.
func (l *Log) append(line []byte) error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.out == nil {
		return errClosed
	}
	if _, err := l.out.Write(line); err != nil {
		return fmt.Errorf("append: %w", err)
	}
	return nil
}

// Close writes down what has been counted and closes the file; it may be called
// twice.
func (l *Log) Close() error {
	if l == nil {
		return nil
	}
	l.closing.Lock()
	defer l.closing.Unlock()
	told := l.tell(l.limit.close())
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.out == nil {
		return nil
	}
	out := l.out
	l.out = nil
	return errors.Join(told, out.Close())
}
