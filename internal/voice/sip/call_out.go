package sip

import (
	"fmt"
	"math/rand/v2"
	"time"

	"github.com/emiago/sipgo/sip"

	"ringdown/internal/voice/sip/wire"
)

const (
	// ringTime is how long a call out rings when nobody says.
	ringTime = time.Minute
	// inviteTries is how often an INVITE is sent once more with what its answer
	// wants: a password, another one for what is stale, a session interval.
	inviteTries = 3
)

// ours is an INVITE of this side: that of the call, or one within it.
type ours struct {
	req   *sip.Request
	to    wire.Hop
	tx    *wire.ClientTx
	tries int
	heard bool // there was a provisional answer: it may be cancelled
	won   bool // there was a 2xx
}

// inviting is a call out on its way to its answer.
type inviting struct {
	first      *ours
	ring       time.Duration
	extra      []Header
	ringTimer  *time.Timer
	rang       int    // the last status that Ringing was told with
	early      string // the tag of who has sent a description before the answer
	cancelling bool   // CANCEL is to be sent as soon as it may
	failure    error  // why the INVITE could not be delivered
}

// newCallOut makes the call of an invitation.
func (e *Endpoint) newCallOut(t *Trunk, i Invitation) (*Call, error) {
	c := &Call{e: e, trunk: t, out: true, id: wire.NewID(), to: i.To, from: i.From, callerName: i.FromName, at: e.now(), media: i.Media, hear: i.Hear}
	user := t.user(i.To)
	var target sip.Uri
	if phone, ok := e.registrar.lookup(i.To); ok && phone.trunk == t {
		target = phone.uri
		target.Headers = nil
		c.forced = &wire.Hop{Proto: protoNamed(phone.transport), Addr: phone.source}
	} else if t.Address != "" {
		u, err := t.address()
		if err != nil {
			return nil, fmt.Errorf("address of trunk %q: %w", t.Name, err)
		}
		target = u
		target.User = user
	} else {
		return nil, ErrUnreachable
	}
	c.d = dialog{localTag: wire.NewID(), target: target}
	c.d.remote = sip.ToHeader{Address: sip.Uri{Scheme: target.Scheme, User: user, Host: target.Host, Port: target.Port}}
	c.ring = i.Ring
	if c.ring <= 0 {
		c.ring = ringTime
	}
	c.extra = i.Headers
	return c, nil
}

func protoNamed(name string) wire.Proto {
	switch name {
	case "TCP":
		return wire.TCP
	case "TLS":
		return wire.TLS
	}
	return wire.UDP
}

// invite sends the INVITE of the call.
func (c *Call) invite() {
	if c.phase == over {
		c.forget()
		return
	}
	o, err := c.invitation()
	if err == nil {
		c.first = o
		c.ringTimer = c.after(c.ring, func() {
			if c.phase == ringing {
				c.giveUp(RangOut)
			}
		})
		err = c.send(o, c.invited)
	}
	if err != nil {
		c.undelivered(Failed, err)
	}
}

// undelivered ends a call whose INVITE did not reach anybody.
func (c *Call) undelivered(cause Cause, err error) {
	if cause == Failed && c.phase != over {
		c.e.log.Warn("a call cannot be sent", "trunk", c.trunk.Name, "call", c.id, "err", err)
		c.failure = err
	}
	c.conclude(cause, 0, 0)
	c.forget()
}

// invitation makes the INVITE of the call.
func (c *Call) invitation() (*ours, error) {
	to, err := c.lead(&c.d.target, false)
	if err != nil {
		return nil, err
	}
	body, err := c.media.Offer()
	if err != nil {
		return nil, fmt.Errorf("offer: %w", err)
	}
	host, _ := c.e.here(c.trunk, to)
	if c.trunk.Username != "" && c.trunk.Address != "" {
		host = c.d.target.Host // a registrar knows its users by its own name
	}
	from, identity := c.trunk.identify(c.from, c.callerName, host)
	from.Params.Add("tag", c.d.localTag)
	c.d.local = *from
	c.d.localSeq = rand.Uint32N(1 << 16) //nolint:gosec // RFC 3261 §8.1.1.5: any number
	req := c.compose(mINVITE, c.d.target, nil, to)
	for _, h := range identity {
		req.AppendHeader(h)
	}
	c.sessionAsk(req)
	for _, h := range c.extra {
		req.AppendHeader(sip.NewHeader(h.Name, h.Value))
	}
	c.extra = nil
	setBody(req, wire.SDPType, body)
	return &ours{req: req, to: to}, nil
}

// send sends an INVITE, for the first time or again with what was wanted. Told hears
// what comes of it.
func (c *Call) send(o *ours, told func(*ours, *sip.Response, error)) error {
	tx, err := c.e.tx.Client(o.req, o.to, func(res *sip.Response, err error) {
		c.post(func() { told(o, res, err) })
	})
	if err != nil {
		return err
	}
	o.tx = tx
	return nil
}

// retry sends an INVITE once more if its refusal wants something that can be done
// about: a password (RFC 3261 §22.2), a longer session interval (RFC 4028 §7.4).
func (c *Call) retry(o *ours, res *sip.Response, told func(*ours, *sip.Response, error)) bool {
	if c.phase == over || o.tries == inviteTries {
		return false
	}
	switch res.StatusCode {
	case 401, 407:
		if !c.authorize(o.req, res) {
			return false
		}
	case 422:
		if !c.sessionLonger(o.req, res) {
			return false
		}
	default:
		return false
	}
	o.tries++
	o.heard = false
	c.d.localSeq++
	c.e.reissue(o.req, c.d.localSeq)
	return c.send(o, told) == nil
}

// giveUp ends a call out before its answer: by CANCEL, as soon as there has been a
// provisional answer (RFC 3261 §9.1).
func (c *Call) giveUp(cause Cause) {
	c.conclude(cause, 0, 0)
	switch {
	case c.first == nil:
		// Nothing was sent: invite finds that it is over.
	case c.first.heard:
		c.cancelInvite()
	default:
		c.cancelling = true
	}
}

func (c *Call) cancelInvite() {
	if err := c.first.tx.Cancel(); err != nil {
		c.e.log.Debug("CANCEL could not be sent", "call", c.id, "err", err)
	}
}

// invited is told what comes of the INVITE of a call out.
func (c *Call) invited(o *ours, res *sip.Response, err error) {
	switch {
	case o.won:
		// Others may have taken the call up as well; the same 2xx is acknowledged
		// again by its transaction.
		if res != nil && res.StatusCode/100 == 2 && wire.ToTag(res) != c.d.remoteTag {
			c.e.shed(c.trunk, o, res)
		}
	case err != nil:
		c.undelivered(causeOf(err), err)
	case res.StatusCode < 200:
		c.progress(o, res)
	case res.StatusCode < 300:
		c.accepted(o, res)
	case c.retry(o, res, c.invited):
	default:
		c.conclude(Refused, res.StatusCode, wire.Q850(res))
		c.forget()
	}
}

// progress is told of a provisional answer.
func (c *Call) progress(o *ours, res *sip.Response) {
	o.heard = true
	if c.phase == over {
		if c.cancelling {
			c.cancelling = false
			c.cancelInvite()
		}
		return
	}
	if res.StatusCode == 100 {
		return
	}
	if c.rang != res.StatusCode {
		c.rang = res.StatusCode
		c.tell(Event{Kind: Ringing, Status: res.StatusCode})
	}
	// Sound before the answer comes from who has first described it: a 180 after that
	// does not end it, and of several phones only one can be heard.
	body, _ := wire.Description(res)
	tag := wire.ToTag(res)
	if body == nil || tag == "" || c.early != "" && c.early != tag {
		return
	}
	if err := c.media.Accept(body); err != nil {
		return // the final answer tells
	}
	if c.early == "" {
		c.early = tag
		c.tell(Event{Kind: Early})
	}
}

// accepted is told of the first 2xx.
func (c *Call) accepted(o *ours, res *sip.Response) {
	o.won = true
	c.went = o.to
	stopTimers(c.ringTimer)
	c.d.remoteTag = wire.ToTag(res)
	c.d.remote = *withTag(c.d.remote, c.d.remoteTag)
	if c.d.routes = hopsOf(res); len(c.d.routes) > 0 {
		c.forced = nil
	}
	c.follow(res)
	if err := c.acknowledge(o); err != nil {
		c.e.log.Debug("ACK could not be sent", "call", c.id, "err", err)
	}
	if c.phase == over { // CANCEL came too late
		c.bye()
		return
	}
	c.phase = talking
	body, ok := wire.Description(res)
	if ok && body != nil {
		ok = c.media.Accept(body) == nil
	} else {
		ok = ok && c.early == c.d.remoteTag
	}
	if !ok || c.d.remoteTag == "" {
		c.quit(Failed, 0)
		return
	}
	c.tell(Event{Kind: Answered, Status: res.StatusCode})
	c.checkHold()
	c.sessionAgreed(res)
	c.reinviteDue()
}

func withTag(h sip.ToHeader, tag string) *sip.ToHeader {
	h.Params = h.Params.Clone()
	if tag != "" {
		h.Params.Add("tag", tag)
	}
	return &h
}

// acknowledge sends the ACK of a 2xx, and again whenever that comes again (RFC 3261
// §13.2.2.4).
func (c *Call) acknowledge(o *ours) error {
	req, to, err := c.within(mACK)
	if err != nil {
		return err
	}
	return o.acknowledge(req, to)
}

func (o *ours) acknowledge(ack *sip.Request, to wire.Hop) error {
	ack.CSeq().SeqNo = o.req.CSeq().SeqNo
	for _, name := range []string{"Authorization", "Proxy-Authorization"} { // RFC 3261 §22.1
		for _, h := range o.req.GetHeaders(name) {
			ack.AppendHeader(sip.HeaderClone(h))
		}
	}
	ack.SetBody(nil)
	return o.tx.Acknowledge(wire.ToTag(ack), to, []byte(ack.String()))
}

// shed ends a call that a second phone has taken up: ACK, then BYE (RFC 3261
// §13.2.2.4). It has a dialog of its own, and no call.
func (e *Endpoint) shed(t *Trunk, o *ours, res *sip.Response) {
	target, ok := wire.ContactOf(res)
	from, dest := o.req.From(), res.To()
	if !ok || from == nil || dest == nil || o.tx == nil {
		return
	}
	other := &Call{e: e, trunk: t, out: true, id: string(*o.req.CallID()), phase: over, went: o.to}
	other.d = dialog{
		localTag: wire.TagOf(from.Params), local: *from, remoteTag: wire.ToTag(res), remote: *dest,
		localSeq: o.req.CSeq().SeqNo, target: target, routes: hopsOf(res),
	}
	if err := other.acknowledge(o); err != nil {
		e.log.Debug("ACK could not be sent", "call", other.id, "err", err)
	}
	if req, to, err := other.within(mBYE); err == nil {
		req.SetBody(nil)
		other.ask(req, to, nil)
	}
}
