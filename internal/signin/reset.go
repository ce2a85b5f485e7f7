package signin

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"net/netip"
	"strings"
	"sync"
	"time"
	"unicode"
	"unicode/utf8"

	"ringdown/internal/audit"
	"ringdown/internal/domain"
	"ringdown/internal/identity/once"
	"ringdown/internal/mail"
)

// How links to reset a password are given.
const (
	linkLife = 30 * time.Minute
	// A user is sent at most one link in linkEvery, and linksAnHour an hour.
	linkEvery   = time.Minute
	linksAnHour = 5
	// From one address asksBurst links may be asked for at once, and one more
	// each askEvery.
	asksBurst = 20
	askEvery  = 6 * time.Second
	// mailers send side by side, each for at most mailLimit a message; maxAsked
	// messages wait for them. closeLimit is how long Close waits.
	mailers    = 2
	mailLimit  = 30 * time.Second
	maxAsked   = 256
	closeLimit = 10 * time.Second
)

// asked is that somebody has asked for a link.
type asked struct {
	in       Instance
	v        Visitor
	username string
}

// resets sends links in the background: how long an answer takes does not tell
// whether there is somebody to write to.
type resets struct {
	send   func(context.Context, asked)
	queue  chan asked
	ctx    context.Context
	cancel context.CancelFunc
	done   chan struct{} // closed when the last mailer has ended

	mu     sync.Mutex
	closed bool
	users  *recent[string, []time.Time]        // when links were sent, by the user's id
	from   *recent[netip.Prefix, addressCount] // tokens of addresses
}

func newResets(send func(context.Context, asked)) *resets {
	r := &resets{
		send: send, queue: make(chan asked, maxAsked), done: make(chan struct{}),
		users: newRecent[string, []time.Time](guarded), from: newRecent[netip.Prefix, addressCount](guarded),
	}
	r.ctx, r.cancel = context.WithCancel(context.Background())
	var running sync.WaitGroup
	for range mailers {
		running.Go(r.mail)
	}
	go func() {
		running.Wait()
		close(r.done)
	}()
	return r
}

// mail sends what is in the queue until that is closed.
func (r *resets) mail() {
	for a := range r.queue {
		ctx, cancel := context.WithTimeout(r.ctx, mailLimit)
		r.send(ctx, a)
		cancel()
	}
}

// ask puts a request into the queue. One that comes when the queue is full, or
// the service closed, is lost: whoever asked asks again.
func (r *resets) ask(a asked) (queued bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if r.closed {
		return false
	}
	select {
	case r.queue <- a:
		return true
	default:
		return false
	}
}

// close waits for what is in the queue, for a while.
func (r *resets) close() {
	r.mu.Lock()
	if !r.closed {
		r.closed = true
		close(r.queue)
	}
	r.mu.Unlock()
	late := time.AfterFunc(closeLimit, r.cancel)
	<-r.done
	late.Stop()
	r.cancel()
}

// mayAsk counts what is asked for from an address.
func (r *resets) mayAsk(from netip.Addr, now time.Time) (wait time.Duration, may bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	key := audit.Network(from)
	c := r.from.get(key)
	if c == nil {
		c = &addressCount{tokens: asksBurst, at: now}
		r.from.put(key, c)
	}
	if passed := now.Sub(c.at); passed > 0 {
		c.tokens, c.at = min(asksBurst, c.tokens+passed.Seconds()/askEvery.Seconds()), now
	}
	if c.tokens < 1 {
		return time.Duration((1 - c.tokens) * float64(askEvery)), false
	}
	c.tokens--
	return 0, true
}

// maySend counts what a user is sent.
func (r *resets) maySend(user string, now time.Time) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	sent := r.users.get(user)
	if sent == nil {
		sent = new([]time.Time)
		r.users.put(user, sent)
	}
	for len(*sent) > 0 && now.Sub((*sent)[0]) >= time.Hour {
		*sent = (*sent)[1:]
	}
	if n := len(*sent); n >= linksAnHour || n > 0 && now.Sub((*sent)[n-1]) < linkEvery {
		return false
	}
	*sent = append(*sent, now)
	return true
}

// AskReset sends a link to whoever has forgotten a password, if there is such a
// user with an e-mail address; without a mail server it is written to the log.
// Nothing tells whether there is. The error is internal, or a *Refusal.
func (s *Service) AskReset(ctx context.Context, in *Instance, v Visitor, username string) error {
	tried := audit.Event{Event: audit.PasswordReset, Door: string(ByPassword)}
	if in.Identity != domain.ConnectManaged {
		tried.Outcome, tried.Reason = audit.Refused, "the instance keeps no passwords"
		s.record(ctx, in, nil, v, tried)
		return refuse(OtherDoor)
	}
	if _, err := s.profile(ctx, in, v, tried); err != nil {
		return err
	}
	if wait, may := s.resets.mayAsk(v.Address, s.opts.Now()); !may {
		return &Refusal{Reason: TooMany, Wait: wait}
	}
	if utf8.RuneCountInString(username) > maxName {
		username = ""
	}
	if !s.resets.ask(asked{in: *in, v: v, username: username}) {
		tried.Outcome, tried.Reason = audit.Failed, "too many links are waiting to be sent"
		s.record(ctx, in, nil, v, tried)
	}
	return nil
}

// link is what is remembered of a link, under the hash of its code.
type link struct {
	Instance domain.InstanceID `json:"i"`
	User     string            `json:"u"`
	Hash     []byte            `json:"p,omitempty"` // mark of the hash: once another is chosen, older links are void
}

// sendReset makes a link and sends it.
func (s *Service) sendReset(ctx context.Context, a asked) {
	u, why, err := s.reset(ctx, &a)
	e := audit.Event{Event: audit.PasswordReset, Door: string(ByPassword), Outcome: audit.OK, Reason: why}
	switch {
	case err != nil:
		e.Outcome, e.Reason = audit.Failed, "the link could not be sent"
		s.opts.Logger.LogAttrs(ctx, slog.LevelError, "send a link to reset a password", slog.String("request", a.v.RequestID), slog.Any("err", err))
	case why != "":
		e.Outcome = audit.Refused
	}
	s.record(ctx, &a.in, u, a.v, e)
}

// reset sends a link, or says why not.
func (s *Service) reset(ctx context.Context, a *asked) (u *User, why string, err error) {
	in := &a.in
	if u, err = s.user(ctx, in, a.username); err != nil {
		return nil, "", err
	}
	switch {
	case u == nil:
		return nil, "no user has the name", nil
	case u.Inactive:
		return u, "the user has been deactivated", nil
	case s.opts.Mail != nil && u.Email == "":
		return u, "the user has no e-mail address", nil
	case !s.resets.maySend(u.ID, s.opts.Now()):
		return u, "the user has been sent a link just now, or several within an hour", nil
	}
	code := newToken()
	given := once.Thing{Kind: once.Link, ID: code, Expires: s.opts.Now().Add(linkLife), Owner: u.PK}
	if err := s.used.Give(ctx, given, link{in.ID, u.ID, mark(u)}); err != nil {
		return u, "", err
	}
	url := s.opts.URL() + Root(in) + "/reset?code=" + code
	if s.opts.Mail == nil {
		// The one place where a secret is logged: there is no other way to hand it
		// over.
		s.opts.Logger.LogAttrs(ctx, slog.LevelWarn, "no mail server is configured: hand this link to the user who asked for a new password. It works once, for half an hour",
			slog.String("user", u.Username), slog.String("instance", string(in.ID)), slog.String("link", url))
		return u, "", nil
	}
	return u, "", s.opts.Mail.Send(ctx, message(in, u, url))
}

// message tells the user how to reset a password.
func message(in *Instance, u *User, url string) mail.Message {
	centre := in.Alias
	if centre == "" {
		centre = string(in.ID)
	}
	greeting := "Hello,"
	if name := plain(u.FirstName); name != "" {
		greeting = "Hello " + name + ","
	}
	return mail.Message{
		To:      u.Email,
		Subject: "Choose a new password",
		Text: greeting + "\n\n" +
			"somebody, most likely you, has asked for a new password for the user " + u.Username + " of the contact centre " + centre + ". You can choose it here:\n\n" +
			url + "\n\n" +
			"The link works once, for half an hour. If it was not you, do nothing: your password stays as it is.\n",
	}
}

// plain is a name on one line.
func plain(s string) string {
	return strings.TrimSpace(strings.Map(func(r rune) rune {
		if unicode.IsControl(r) {
			return ' '
		}
		return r
	}, s))
}

// ResetTarget tells whose password a link's code resets, without using it up.
// The error is a *Refusal, or internal.
func (s *Service) ResetTarget(ctx context.Context, in *Instance, code string) (*User, error) {
	if !isToken(code) {
		return nil, refuse(LinkUsed)
	}
	var l link
	there, err := s.used.Look(ctx, once.Link, code, &l)
	if err != nil {
		return nil, err
	}
	if !there || l.Instance != in.ID {
		return nil, refuse(LinkUsed)
	}
	u, err := s.userByID(ctx, in, l.User)
	if err != nil {
		return nil, err
	}
	if u == nil || u.Inactive || !bytes.Equal(l.Hash, mark(u)) {
		return nil, refuse(LinkUsed)
	}
	return u, nil
}

// Reset sets a new password by a link's code, uses the code up, ends all
// sessions of the user, and opens none. A password that is refused does not use
// the code up. Whoever has the code may sign in at once, however often others
// have guessed.
func (s *Service) Reset(ctx context.Context, in *Instance, v Visitor, code, password string) error {
	tried := audit.Event{Event: audit.PasswordChange, Door: string(ByPassword), Reason: "through a link"}
	if _, err := s.profile(ctx, in, v, tried); err != nil {
		return err
	}
	u, err := s.ResetTarget(ctx, in, code)
	if err != nil {
		if _, ok := errors.AsType[*Refusal](err); ok {
			tried.Outcome, tried.Reason = audit.Refused, "the link has been used, or is not valid"
			s.record(ctx, in, nil, v, tried)
		}
		return err
	}
	if !strong(password) {
		return refuse(WeakPassword)
	}
	hash, err := s.newHash(ctx, v, u, password)
	if err != nil {
		return err
	}
	mine, err := s.used.Take(ctx, once.Link, code)
	if err != nil {
		return err
	}
	if !mine {
		return refuse(LinkUsed)
	}
	if _, err = s.putHash(ctx, in, u, hash); errors.Is(err, ErrChanged) {
		return refuse(LinkUsed)
	}
	if err != nil {
		return err
	}
	s.guard.clear(keyOf(in, u.Username))
	tried.Outcome = audit.OK
	s.record(ctx, in, u, v, tried)
	return nil
}
