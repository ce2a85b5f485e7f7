package sip

import (
	"errors"
	"strings"

	"github.com/emiago/sipgo/sip"

	"ringdown/internal/voice/sip/wire"
)

// receive takes a message that has come. It does not block: what is for a call is
// posted to it.
func (e *Endpoint) receive(m sip.Message, from wire.Flow) {
	switch m := m.(type) {
	case *sip.Response:
		if m.StatusCode >= 100 && m.StatusCode < 700 && m.CSeq() != nil && m.From() != nil && m.To() != nil {
			e.tx.Response(m) // who is not waited for is not heard (RFC 3261 §18.1.2)
		}
	case *sip.Request:
		if m.Method == mACK {
			e.acked(m, from)
			return
		}
		e.requested(m, from)
	}
}

// acked takes an ACK: of a refusal it is the transaction's, otherwise the call's.
func (e *Endpoint) acked(req *sip.Request, from wire.Flow) {
	if t := e.tx.Invited(req); t != nil && t.Ack() {
		return
	}
	if c := e.find(req); c != nil && req.CSeq() != nil {
		c.mail(func() { c.confirmed(req, from) })
	}
}

// requested takes a request that is to be answered, or not: who is on no trunk does
// not learn that there is somebody.
func (e *Endpoint) requested(req *sip.Request, from wire.Flow) {
	if !answerable(req) || e.tx.Known(req) {
		return
	}
	trunk, v := e.guard.trunk(req)
	call := e.find(req)
	if v == dropped || trunk == nil && v == admitted && call == nil && e.stray(req) {
		return
	}
	tx, fresh := e.tx.Server(req, from)
	if !fresh {
		return
	}
	switch status := flaw(req, from); {
	case status != 0:
		e.refuse(req, tx, status)
	case v == refused:
		e.refuse(req, tx, 503, sip.NewHeader("Retry-After", "5"))
	case req.Method == mCANCEL:
		e.canceled(req, tx)
	case wire.ToTag(req) != "" && call == nil:
		e.refuse(req, tx, 481)
	case call != nil:
		if !call.mail(func() { call.serve(req, tx, from) }) {
			e.refuse(req, tx, 503, sip.NewHeader("Retry-After", "5"))
		}
	case v == challenged:
		e.respond(tx, e.guard.challenge(req, trunk))
	case trunk == nil:
		e.refuse(req, tx, 403)
	default:
		e.outside(req, tx, from, trunk)
	}
}

// stray tells whether a request of nobody's is about nothing here.
func (e *Endpoint) stray(req *sip.Request) bool {
	return req.Method != mCANCEL || e.tx.Invited(req) == nil
}

// answerable tells whether a request has what its answer is to repeat (RFC 3261
// §8.2.6.2). What has not is not answered.
func answerable(req *sip.Request) bool {
	via := req.Via()
	return via != nil && strings.EqualFold(via.ProtocolName, "SIP") && via.ProtocolVersion == "2.0" && via.Host != "" &&
		wire.Has(req, "From") && wire.Has(req, "To") && wire.Has(req, "Call-ID") && wire.Has(req, "CSeq")
}

// flaw is the status of a request that is none (RFC 3261 §8.1.1), 0 for a good one.
func flaw(req *sip.Request, from wire.Flow) int {
	cseq, id := req.CSeq(), req.CallID()
	switch {
	case !strings.EqualFold(req.SipVersion, "SIP/2.0"):
		return 505
	case from.Cut:
		return 400
	case req.To() != nil && req.To().Params.Has("tag") && wire.ToTag(req) == "":
		return 400 // neither within a dialog nor outside
	case cseq == nil || id == nil || *id == "" || req.From() == nil || req.To() == nil || wire.FromTag(req) == "":
		return 400
	case wire.MethodOf(req) != req.Method:
		return 400
	}
	return 0
}

// canceled takes a CANCEL (RFC 3261 §9.2): what becomes of the INVITE is the call's.
func (e *Endpoint) canceled(req *sip.Request, tx *wire.ServerTx) {
	t := e.tx.Invited(req)
	if t == nil {
		e.refuse(req, tx, 481)
		return
	}
	e.refuse(req, tx, 200)
	t.Cancel()
}

// outside takes a request outside dialogs of a trunk that may send it.
func (e *Endpoint) outside(req *sip.Request, tx *wire.ServerTx, from wire.Flow, trunk *Trunk) {
	if req.Method != mREGISTER {
		if options := unknown(req); len(options) > 0 {
			e.refuse(req, tx, 420, sip.NewHeader("Unsupported", strings.Join(options, ", ")))
			return
		}
	}
	switch req.Method {
	case mINVITE:
		e.called(req, tx, from, trunk)
	case mOPTIONS:
		e.options(req, tx)
	case mREGISTER:
		e.respond(tx, e.registrar.handle(trunk, req))
	case mBYE, mINFO, mUPDATE, mPRACK, mNOTIFY:
		e.refuse(req, tx, 481)
	case mREFER:
		e.refuse(req, tx, 603)
	case sip.SUBSCRIBE, sip.MESSAGE, sip.PUBLISH:
		e.refuse(req, tx, 405)
	default:
		e.refuse(req, tx, 501, sip.NewHeader("Allow", allow))
	}
}

// options tells what this side can do (RFC 3261 §11.2): 200, or what an INVITE would
// be told now.
func (e *Endpoint) options(req *sip.Request, tx responder) {
	if e.full() {
		e.refuse(req, tx, 503, sip.NewHeader("Retry-After", "60"))
		return
	}
	e.refuse(req, tx, 200,
		sip.NewHeader("Allow", allow), sip.NewHeader("Accept", wire.SDPType), sip.NewHeader("Supported", supported))
}

// full tells whether there can be no call now.
func (e *Endpoint) full() bool {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.draining || e.calls >= e.limits.Calls
}

// called takes the INVITE of a new call.
func (e *Endpoint) called(req *sip.Request, tx *wire.ServerTx, from wire.Flow, trunk *Trunk) {
	_, callable := wire.ContactOf(req)
	_, known := wire.Description(req)
	hops := req.MaxForwards()
	switch {
	case hops != nil && *hops == 0:
		e.refuse(req, tx, 483)
		return
	case req.Recipient.Scheme != "sip" && req.Recipient.Scheme != "sips" && req.Recipient.Scheme != "tel":
		e.refuse(req, tx, 416)
		return
	case !callable:
		e.refuse(req, tx, 400)
		return
	case !known || !encoded(req):
		e.refuse(req, tx, 415, sip.NewHeader("Accept", wire.SDPType), sip.NewHeader("Accept-Encoding", "identity"))
		return
	case e.tooShort(req):
		e.refuse(req, tx, 422, sip.NewHeader("Min-SE", number10(e.minSE)))
		return
	case e.incoming == nil:
		e.refuse(req, tx, 480)
		return
	}
	c := e.newCallIn(req, tx, from, trunk)
	if err := e.begin(c, req.CSeq().SeqNo); err != nil {
		switch {
		case errors.Is(err, errMerged):
			e.refuse(req, tx, 482)
		case errors.Is(err, errFull), errors.Is(err, wire.ErrClosed):
			e.refuse(req, tx, 503, sip.NewHeader("Retry-After", "60"))
		default:
			e.refuse(req, tx, 486)
		}
		return
	}
	e.respond(tx, e.reply(req, 100, ""))
	tx.Cancels(func() { c.post(c.canceled) })
	if !e.spawn(func() { e.incoming(c) }) {
		c.Hangup()
	}
}

// encoded tells whether the body of a message can be read.
func encoded(m sip.Message) bool {
	for _, v := range wire.List(m, "Content-Encoding") {
		if !strings.EqualFold(v, "identity") {
			return false
		}
	}
	return true
}
