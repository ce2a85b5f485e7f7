package sip

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"strconv"
	"strings"
	"time"

	"github.com/emiago/sipgo/sip"

	"ringdown/internal/voice/sip/wire"
)

const (
	// registerEvery is the expiry that is asked for when the trunk says nothing.
	registerEvery = 10 * time.Minute
	// A registration that fails is tried again after firstRetry, then twice as long
	// each time, up to lastRetry (RFC 5626 §4.5), less chance, so that not all come
	// back at once.
	firstRetry = 30 * time.Second
	lastRetry  = 30 * time.Minute
	// registerTimeout is how long an answer may take, Timer F and one more
	// (RFC 3261 §17.1.2.2); unregisterTimeout how long stopping may.
	registerTimeout   = 40 * time.Second
	unregisterTimeout = 2 * time.Second
)

// requester sends requests outside dialogs: an Endpoint. It fills in what is missing
// of Via, From, Contact, Call-ID, CSeq and Max-Forwards, so that the request tells
// afterwards what was sent, and answers a challenge once.
type requester interface {
	request(ctx context.Context, t *Trunk, req *sip.Request) (*sip.Response, error)
}

// registration keeps a trunk registered at its address (RFC 3261 §10.2). It has one
// goroutine, from start to stop.
type registration struct {
	requester requester
	trunk     *Trunk
	logger    *slog.Logger

	callID string
	tag    string
	cseq   uint32
	target sip.Uri // the registrar, which may have sent us elsewhere
	expiry time.Duration

	// settled is closed when the first attempt is over, and outcome is what came of
	// it.
	settled chan struct{}
	outcome error
	// state is what has been logged last.
	state  registered
	cancel context.CancelFunc
	done   chan struct{}
}

type registered uint8

const (
	untold registered = iota
	isRegistered
	isNot
)

func newRegistration(r requester, t *Trunk, logger *slog.Logger) *registration {
	return &registration{
		requester: r, trunk: t, logger: logger,
		callID: sip.GenerateTagN(24), tag: sip.GenerateTagN(12), settled: make(chan struct{}),
	}
}

// Registered waits until the first attempt to register with a trunk is over, and
// returns what came of it.
func (e *Endpoint) Registered(ctx context.Context, trunk string) error {
	for _, u := range e.upkeep {
		r, ok := u.(*registration)
		if !ok || r.trunk.Name != trunk {
			continue
		}
		select {
		case <-r.settled:
			return r.outcome
		case <-ctx.Done():
			return ctx.Err()
		}
	}
	return fmt.Errorf("trunk %q does not register", trunk)
}

// start registers and keeps registered until stop.
func (r *registration) start(ctx context.Context) {
	ctx, r.cancel = context.WithCancel(ctx)
	r.done = make(chan struct{})
	go func() {
		defer close(r.done)
		r.run(ctx)
	}()
}

// stop unregisters and waits for that, not for long. It may be called twice.
func (r *registration) stop() {
	if r.cancel != nil {
		r.cancel()
		<-r.done
	}
}

func (r *registration) run(ctx context.Context) {
	r.expiry = r.trunk.RegisterEvery
	if r.expiry <= 0 {
		r.expiry = registerEvery
	}
	failures := 0
	timer := time.NewTimer(0)
	defer timer.Stop()
	for {
		select {
		case <-ctx.Done():
			r.settle(ctx.Err())
			r.unregister(ctx)
			return
		case <-timer.C:
		}
		granted, err := r.register(ctx, r.expiry)
		if ctx.Err() != nil {
			continue
		}
		r.settle(err)
		if err != nil {
			r.tell(isNot, "SIP registration failed", err)
			timer.Reset(backoff(failures, err))
			failures++
			continue
		}
		r.tell(isRegistered, "SIP registration is made", nil)
		failures = 0
		timer.Reset(refresh(granted))
	}
}

// settle says what came of the first attempt.
func (r *registration) settle(err error) {
	select {
	case <-r.settled:
	default:
		r.outcome = err
		close(r.settled)
	}
}

// refresh is when to register again: between half and nine tenths of what was
// granted.
func refresh(granted time.Duration) time.Duration {
	return granted/2 + rand.N(granted*4/10+1) //nolint:gosec // chance, not a secret
}

// backoff is when to try again after so many failures before.
func backoff(failures int, err error) time.Duration {
	d := min(firstRetry<<min(failures, 10), lastRetry)
	var refusal *refusal
	if errors.As(err, &refusal) && refusal.after > d {
		d = min(refusal.after, lastRetry)
	}
	return d*3/4 + rand.N(d/4+1) //nolint:gosec // chance, not a secret
}

// refusal is a final answer that is no success.
type refusal struct {
	status int
	after  time.Duration // Retry-After
}

func (r *refusal) Error() string { return fmt.Sprintf("the answer is %d", r.status) }

// tell logs a change of state, once.
func (r *registration) tell(s registered, message string, err error) {
	if r.state == s {
		return
	}
	r.state = s
	if err != nil {
		r.logger.Warn(message, "trunk", r.trunk.Name, "error", err)
		return
	}
	r.logger.Info(message, "trunk", r.trunk.Name)
}

// register asks for an expiry, 0 to end, and tells what was granted.
func (r *registration) register(ctx context.Context, expiry time.Duration) (time.Duration, error) {
	var registrar sip.Uri
	if err := sip.ParseUri(r.trunk.Address, &registrar); err != nil {
		return 0, fmt.Errorf("address of the trunk: %w", err)
	}
	registrar.User = ""
	target := registrar
	if r.target.Host != "" {
		target = r.target
	}
	for range 3 {
		res, contact, err := r.send(ctx, registrar, target, expiry)
		if err != nil {
			r.target = sip.Uri{} // back to where the trunk says
			return 0, err
		}
		switch {
		case res.IsSuccess():
			r.target = target
			if registrar.Host == target.Host && registrar.Port == target.Port {
				r.target = sip.Uri{}
			}
			return granted(res, contact, expiry), nil
		case res.StatusCode == sip.StatusIntervalToBrief && expiry > 0:
			least, ok := time.Duration(0), false
			if h := res.GetHeader("Min-Expires"); h != nil {
				least, ok = seconds(h.Value())
			}
			if !ok || least <= expiry || least > 24*time.Hour {
				return 0, &refusal{status: res.StatusCode}
			}
			expiry, r.expiry = least, least
		case res.StatusCode == sip.StatusMovedPermanently || res.StatusCode == sip.StatusMovedTemporarily:
			c := res.Contact()
			if c == nil || c.Address.Host == "" || c.Address.Wildcard || !wire.Writable(&c.Address) {
				return 0, &refusal{status: res.StatusCode}
			}
			target = *c.Address.Clone()
			target.User = ""
		default:
			r.target = sip.Uri{}
			ref := &refusal{status: res.StatusCode}
			if h := res.GetHeader("Retry-After"); h != nil {
				value, _, _ := strings.Cut(h.Value(), ";")
				value, _, _ = strings.Cut(value, "(")
				ref.after, _ = seconds(value)
			}
			return 0, ref
		}
	}
	return 0, errors.New("the registrar sends from one place to another")
}

// identity is the user name that a trunk registers as.
func (t *Trunk) identity() string { return cmp.Or(t.Identity, t.Username) }

// send sends a REGISTER and tells which contact it had.
func (r *registration) send(ctx context.Context, aor, target sip.Uri, expiry time.Duration) (*sip.Response, *sip.ContactHeader, error) {
	ctx, cancel := context.WithTimeout(ctx, registerTimeout)
	defer cancel()
	req := sip.NewRequest(sip.REGISTER, *target.Clone())
	user := sip.Uri{Scheme: aor.Scheme, User: escapeUser(r.trunk.identity()), Host: aor.Host}
	from := &sip.FromHeader{Address: user}
	from.Params.Add("tag", r.tag)
	callID := sip.CallIDHeader(r.callID)
	r.cseq++
	req.AppendHeader(from)
	req.AppendHeader(&sip.ToHeader{Address: *user.Clone()})
	req.AppendHeader(&callID)
	req.AppendHeader(&sip.CSeqHeader{SeqNo: r.cseq, MethodName: sip.REGISTER})
	req.AppendHeader(sip.NewHeader("Expires", strconv.Itoa(int(expiry/time.Second))))
	res, err := r.requester.request(ctx, r.trunk, req)
	if c := req.CSeq(); c != nil {
		r.cseq = max(r.cseq, c.SeqNo) // a challenge has been answered
	}
	return res, req.Contact(), err
}

// granted is the expiry of our contact in an answer: that of the contact itself,
// else of the whole answer, else what was asked for (RFC 3261 §10.2.4).
func granted(res *sip.Response, ours *sip.ContactHeader, asked time.Duration) time.Duration {
	d := asked
	if h := res.GetHeader("Expires"); h != nil {
		if e, ok := seconds(h.Value()); ok {
			d = e
		}
	}
	headers := res.GetHeaders("Contact")
	for _, h := range headers {
		c, ok := h.(*sip.ContactHeader)
		if !ok || len(headers) > 1 && (ours == nil || keyOf(&c.Address) != keyOf(&ours.Address)) {
			continue
		}
		for _, p := range c.Params {
			if strings.EqualFold(p.K, "expires") {
				if e, ok := seconds(p.V); ok {
					d = e
				}
			}
		}
	}
	if asked == 0 {
		return 0
	}
	return min(max(d, 10*time.Second), 24*time.Hour)
}

// unregister ends the registration, if there is one. Its context is over already.
func (r *registration) unregister(ctx context.Context) {
	if r.state != isRegistered {
		return
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), unregisterTimeout)
	defer cancel()
	if _, err := r.register(ctx, 0); err != nil {
		r.logger.Warn("SIP registration was not ended", "trunk", r.trunk.Name, "error", err)
	}
}
