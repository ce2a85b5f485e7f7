package sip

import (
	"strings"
	"time"

	"github.com/emiago/sipgo/sip"

	"ringdown/internal/voice/sip/wire"
)

// remindTime is how often a caller is told that it still rings, so that no proxy
// gives up (RFC 3261 §13.3.1.1, timer C).
const remindTime = time.Minute

// serving are INVITEs that came in: that of the call before its answer, and the
// answers that wait for their ACK.
type serving struct {
	req         *sip.Request // of the call, until it is answered
	tx          *wire.ServerTx
	remindTimer *time.Timer

	// An answer with 200 goes again until its ACK has come (RFC 3261 §13.3.1.4).
	answered     *sip.Response
	answeredBy   *wire.ServerTx
	ackSeq       uint32
	waitACK      bool
	unconfirmed  bool // and it is that of the call
	asked        bool // it has offered; the answer is in the ACK
	confirmTimer *time.Timer
	confirmWait  time.Duration
	confirmSpent time.Duration
}

// newCallIn makes the call of an INVITE that came in.
func (e *Endpoint) newCallIn(req *sip.Request, tx *wire.ServerTx, from wire.Flow, t *Trunk) *Call {
	c := &Call{e: e, trunk: t, id: string(*req.CallID()), at: e.now(), last: from}
	c.to = t.called(req)
	c.from, c.callerName = t.caller(req)
	for _, h := range req.Headers() {
		if !ownFields[strings.ToLower(h.Name())] {
			c.headers = append(c.headers, Header{h.Name(), h.Value()})
		}
	}
	c.req, c.tx = req, tx
	c.d = dialog{localTag: wire.NewID(), remoteTag: wire.FromTag(req), remoteSeq: req.CSeq().SeqNo, heard: true, routes: hopsOf(req)}
	c.d.target, _ = wire.ContactOf(req)
	c.d.local = sip.FromHeader(*withTag(*req.To(), c.d.localTag))
	c.d.remote = sip.ToHeader(*req.From())
	if t.Registrar && len(c.d.routes) == 0 {
		// A telephone: its own idea of its address may be one behind NAT.
		c.forced = &wire.Hop{Proto: from.Proto, Addr: from.Source}
	}
	c.sessionNote(req)
	return c
}

// answerTo begins an answer that carries what dialogs need (RFC 3261 §12.1.1).
func (c *Call) answerTo(req *sip.Request, status int) *sip.Response {
	res := c.e.reply(req, status, c.d.localTag)
	res.AppendHeader(c.e.contact(c.trunk, wire.Hop{Proto: c.last.Proto, Addr: c.last.Source}))
	res.AppendHeader(sip.NewHeader("Allow", allow))
	res.AppendHeader(sip.NewHeader("Supported", supported))
	return res
}

// Ring tells the caller that it rings (180), for a call that came in.
func (c *Call) Ring() {
	c.post(func() {
		if c.out || c.phase != ringing || c.remindTimer != nil {
			return
		}
		c.remind()
	})
}

// remind sends 180, and again before a proxy gives up.
func (c *Call) remind() {
	c.e.respond(c.tx, c.answerTo(c.req, 180))
	c.remindTimer = c.after(remindTime, func() {
		if c.phase == ringing {
			c.remind()
		}
	})
}

// Answer answers a call that came in. Hear is told what becomes of it from the
// beginning, Answered first; a call that ended before tells Ended at once. When
// media cannot agree the call is refused with 488 and tells Ended.
func (c *Call) Answer(m Media, hear func(Event)) {
	done := c.post(func() {
		switch {
		case c.out || c.media != nil:
		case c.phase == over:
			hear(*c.done)
		default:
			c.media, c.hear = m, hear
			c.answer()
		}
	})
	if !done { // after Close, which has ended the call
		hear(Event{Kind: Ended, At: c.e.now(), Cause: HungUpHere})
	}
}

func (c *Call) answer() {
	req := c.req
	body, _ := wire.Description(req)
	var err error
	if body != nil {
		body, err = c.media.Answer(body)
	} else {
		body, err = c.media.Offer()
		c.asked = true
	}
	if err != nil {
		c.refuseCall(488, Failed)
		return
	}
	stopTimers(c.remindTimer)
	res := c.answerTo(req, 200)
	c.sessionAnswer(req, res)
	setBody(res, wire.SDPType, body)
	c.unconfirmed = true
	c.phase = talking
	tx := c.tx
	c.req, c.tx = nil, nil
	c.confirm(tx, res)
	c.tell(Event{Kind: Answered, Status: 200})
	if !c.asked {
		c.checkHold()
	}
}

// Reject refuses a call that came in.
func (c *Call) Reject(status int) {
	if status < 300 || status > 699 {
		status = 480
	}
	c.post(func() {
		switch {
		case c.phase == over:
		case c.phase == ringing && !c.out:
			c.refuseCall(status, HungUpHere)
		case c.phase == talking:
			c.quit(HungUpHere, 0)
		default:
			c.giveUp(HungUpHere)
		}
	})
}

// refuseCall answers the INVITE of the call for good, and ends it.
func (c *Call) refuseCall(status int, cause Cause) {
	res := c.e.reply(c.req, status, c.d.localTag)
	res.SetBody(nil)
	c.e.respond(c.tx, res)
	c.conclude(cause, status, 0)
	c.forget()
}

// canceled is told of CANCEL. One that comes too late changes nothing (RFC 3261
// §9.2).
func (c *Call) canceled() {
	if c.phase == ringing {
		c.refuseCall(487, Cancelled)
	}
}

// confirm sends a 200 until its ACK comes.
func (c *Call) confirm(tx *wire.ServerTx, res *sip.Response) {
	stopTimers(c.confirmTimer)
	c.answered, c.answeredBy = res, tx
	c.ackSeq, c.waitACK = res.CSeq().SeqNo, true
	c.confirmWait, c.confirmSpent = c.e.timers.T1, 0
	c.e.respond(tx, res)
	c.confirmTimer = c.after(c.confirmWait, c.confirmAgain)
}

func (c *Call) confirmAgain() {
	if !c.waitACK {
		return
	}
	if c.confirmSpent += c.confirmWait; c.confirmSpent >= c.e.timers.Long() {
		c.waitACK, c.asked, c.answered, c.answeredBy = false, false, nil, nil
		c.unconfirmed = false
		if c.phase == over {
			c.bye()
		} else {
			c.quit(NoACK, 0)
		}
		return
	}
	c.e.respond(c.answeredBy, c.answered)
	c.confirmWait = min(2*c.confirmWait, c.e.timers.T2, c.e.timers.Long()-c.confirmSpent)
	c.confirmTimer = c.after(c.confirmWait, c.confirmAgain)
}

// confirmed is told of the ACK of a 200.
func (c *Call) confirmed(req *sip.Request, from wire.Flow) {
	if !c.waitACK || req.CSeq().SeqNo != c.ackSeq || wire.FromTag(req) != c.d.remoteTag {
		return
	}
	stopTimers(c.confirmTimer)
	first, asked := c.unconfirmed, c.asked
	c.waitACK, c.unconfirmed, c.asked = false, false, false
	c.answered, c.answeredBy = nil, nil
	c.last = from
	if c.phase == over { // it was hung up meanwhile
		c.bye()
		return
	}
	if asked {
		body, ok := wire.Description(req)
		if !ok || body == nil || c.media.Accept(body) != nil {
			c.quit(Failed, 0)
			return
		}
	}
	if first {
		c.tell(Event{Kind: Confirmed})
	}
	c.checkHold()
	c.reinviteDue()
}
