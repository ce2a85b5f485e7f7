package sip

import (
	"math/rand/v2"
	"strconv"
	"strings"
	"time"

	"github.com/emiago/sipgo/sip"

	"ringdown/internal/voice/sip/wire"
)

func number10(n int) string { return strconv.Itoa(n) }

// serve answers a request within the call's dialog (RFC 3261 §12.2.2).
func (c *Call) serve(req *sip.Request, tx *wire.ServerTx, from wire.Flow) {
	if c.d.localTag == "" || wire.FromTag(req) != c.d.remoteTag {
		// Of a call out before its answer there is a tag for each phone that rings;
		// what they may send then is UPDATE.
		if c.out && c.phase == ringing && c.d.remoteTag == "" && req.Method == mUPDATE {
			c.last = from
			c.updated(req, tx)
			return
		}
		c.e.refuse(req, tx, 481)
		return
	}
	if seq := req.CSeq().SeqNo; c.d.heard && seq < c.d.remoteSeq {
		c.e.refuse(req, tx, 500)
		return
	}
	c.d.remoteSeq, c.d.heard = req.CSeq().SeqNo, true
	c.last = from
	if c.forced != nil && c.forced.Proto == from.Proto {
		c.forced.Addr = from.Source // what is between has changed its mind
	}
	if options := unknown(req); len(options) > 0 {
		c.e.refuse(req, tx, 420, sip.NewHeader("Unsupported", strings.Join(options, ", ")))
		return
	}
	if req.Method == mBYE {
		c.hungUp(req, tx)
		return
	}
	if c.phase == over {
		c.e.refuse(req, tx, 481)
		return
	}
	switch req.Method {
	case mINVITE:
		c.reinvited(req, tx)
	case mUPDATE:
		c.updated(req, tx)
	case mINFO:
		c.informed(req, tx)
	case mNOTIFY:
		c.notified(req, tx)
	case mOPTIONS:
		c.e.refuse(req, tx, 200,
			sip.NewHeader("Allow", allow), sip.NewHeader("Accept", wire.SDPType), sip.NewHeader("Supported", supported))
	case mPRACK:
		c.e.refuse(req, tx, 481) // RFC 3262 §3: there is no such answer
	case mREFER:
		c.e.refuse(req, tx, 603)
	case sip.SUBSCRIBE, sip.MESSAGE, sip.PUBLISH, mREGISTER:
		c.e.refuse(req, tx, 405)
	default:
		c.e.refuse(req, tx, 501, sip.NewHeader("Allow", allow))
	}
}

// hungUp is told of BYE (RFC 3261 §15.1.2).
func (c *Call) hungUp(req *sip.Request, tx *wire.ServerTx) {
	c.e.refuse(req, tx, 200)
	switch {
	case c.phase == over && c.unconfirmed:
		c.forget() // our own BYE waited for the ACK: none is needed
	case c.phase == over:
		// Our own BYE is on its way; its answer ends it.
	case c.phase == ringing:
		res := c.e.reply(c.req, 487, c.d.localTag)
		res.SetBody(nil)
		c.e.respond(c.tx, res)
		c.conclude(HungUpThere, 0, wire.Q850(req))
		c.forget()
	default:
		c.conclude(HungUpThere, 0, wire.Q850(req))
		c.forget()
	}
}

// glareAfter is when a far side may try again (RFC 3261 §14.2).
func glareAfter() sip.Header {
	return sip.NewHeader("Retry-After", number10(rand.IntN(11))) //nolint:gosec // chance, not a secret
}

// reinvited is told of an INVITE within the call (RFC 3261 §14.2).
func (c *Call) reinvited(req *sip.Request, tx *wire.ServerTx) {
	body, ok := wire.Description(req)
	switch {
	case c.phase == ringing && !c.out:
		c.e.refuse(req, tx, 500, glareAfter())
		return
	case c.revision != nil || c.asked || c.updating:
		c.e.refuse(req, tx, 491)
		return
	case !ok || !encoded(req):
		c.e.refuse(req, tx, 415, sip.NewHeader("Accept", wire.SDPType), sip.NewHeader("Accept-Encoding", "identity"))
		return
	case c.e.tooShort(req):
		c.e.refuse(req, tx, 422, sip.NewHeader("Min-SE", number10(c.e.minSE)))
		return
	}
	asked := body == nil
	var err error
	if asked {
		body, err = c.media.Offer()
	} else {
		body, err = c.media.Answer(body)
	}
	if err != nil {
		c.e.refuse(req, tx, 488) // the call goes on as before
		return
	}
	c.follow(req)
	c.sessionNote(req)
	res := c.answerTo(req, 200)
	c.sessionAnswer(req, res)
	setBody(res, wire.SDPType, body)
	c.asked = asked
	c.confirm(tx, res)
	if !asked {
		c.checkHold()
	}
}

// updated is told of UPDATE (RFC 3311 §5.2): a refresh of the session, or an offer.
func (c *Call) updated(req *sip.Request, tx *wire.ServerTx) {
	body, ok := wire.Description(req)
	switch {
	case !ok || !encoded(req):
		c.e.refuse(req, tx, 415, sip.NewHeader("Accept", wire.SDPType), sip.NewHeader("Accept-Encoding", "identity"))
		return
	case body != nil && c.phase == ringing && !c.out:
		c.e.refuse(req, tx, 500, glareAfter()) // its first offer is not answered yet
		return
	case body != nil && (c.phase == ringing || c.revision != nil || c.asked || c.updating):
		c.e.refuse(req, tx, 491)
		return
	case c.e.tooShort(req):
		c.e.refuse(req, tx, 422, sip.NewHeader("Min-SE", number10(c.e.minSE)))
		return
	}
	if body != nil {
		answer, err := c.media.Answer(body)
		if err != nil {
			c.e.refuse(req, tx, 488)
			return
		}
		body = answer
	}
	res := c.answerTo(req, 200)
	if c.phase == talking {
		c.follow(req)
		c.sessionNote(req)
		c.sessionAnswer(req, res)
	}
	setBody(res, wire.SDPType, body)
	c.e.respond(tx, res)
	if body != nil {
		c.checkHold()
	}
}

// revising are INVITEs of this side within the call.
type revising struct {
	revision   *ours // that waits for its answer
	again      bool  // another is to follow
	updating   bool  // an UPDATE waits for its answer
	glareTimer *time.Timer
}

// Reinvite offers the media again, which may have changed (hold). What comes of it
// is told to Media.Accept; 491 is tried again (RFC 3261 §14.1).
func (c *Call) Reinvite() {
	c.post(func() {
		if c.phase != over {
			c.again = true
			c.reinviteDue()
		}
	})
}

// reinviteDue offers again, if that is wanted and nothing else is under way.
func (c *Call) reinviteDue() {
	if c.again && c.phase == talking && c.revision == nil && !c.waitACK && !c.updating {
		c.again = false
		c.reinvite()
	}
}

// reinvite sends an INVITE within the call.
func (c *Call) reinvite() {
	stopTimers(c.glareTimer)
	req, to, err := c.within(mINVITE)
	if err != nil {
		c.quit(Failed, 0)
		return
	}
	body, err := c.media.Offer()
	if err != nil {
		c.e.log.Warn("a call cannot be offered again", "call", c.id, "err", err)
		return
	}
	c.sessionRefresh(req)
	setBody(req, wire.SDPType, body)
	o := &ours{req: req, to: to}
	c.revision = o
	if err := c.send(o, c.revised); err != nil {
		c.quit(causeOf(err), 0)
		return
	}
	// A far side that only says that it tries is asked no longer than a silent one.
	c.glareTimer = c.after(c.e.timers.Long(), func() {
		if c.revision == o && o.tx.Cancel() != nil {
			c.revision = nil
		}
	})
}

// revised is told what comes of an INVITE within the call.
func (c *Call) revised(o *ours, res *sip.Response, err error) {
	if err == nil && (res.StatusCode < 200 || o.won) {
		return
	}
	if err == nil && res.StatusCode < 300 {
		o.won = true
		if c.d.localTag == "" {
			return // the call is forgotten
		}
		c.follow(res)
		if err := c.acknowledge(o); err != nil {
			c.e.log.Debug("ACK could not be sent", "call", c.id, "err", err)
		}
	} else if err == nil && c.retry(o, res, c.revised) {
		return
	}
	if c.revision == o {
		c.revision = nil
	}
	if c.phase == over {
		return
	}
	stopTimers(c.glareTimer)
	switch {
	case err != nil:
		c.quit(causeOf(err), 0)
		return
	case res.StatusCode < 300:
		body, ok := wire.Description(res)
		if !ok || body == nil || c.media.Accept(body) != nil {
			c.quit(Failed, 0)
			return
		}
		c.checkHold()
		c.sessionAgreed(res)
	case res.StatusCode == 491:
		c.glareTimer = c.after(c.glareWait(), func() {
			if c.phase == talking && c.revision == nil {
				c.again = true
				c.reinviteDue()
			}
		})
	default:
		c.judge(res, nil)
	}
	if c.phase != over {
		c.reinviteDue()
	}
}

// glareWait is how long to wait after 491 (RFC 3261 §14.1): who made the Call-ID
// waits longer, so that not both try again at the same time.
func (c *Call) glareWait() time.Duration {
	const unit = 10 * time.Millisecond
	if c.out {
		return 2100*time.Millisecond + time.Duration(rand.IntN(191))*unit //nolint:gosec // chance, not a secret
	}
	return time.Duration(rand.IntN(201)) * unit //nolint:gosec // chance, not a secret
}
