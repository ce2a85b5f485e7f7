package sip

import (
	"strconv"
	"strings"

	"github.com/emiago/sipgo/sip"

	"ringdown/internal/voice/sip/wire"
)

// The methods that this endpoint serves, and the extensions that it knows.
const (
	allow     = "INVITE, ACK, CANCEL, BYE, OPTIONS, INFO, UPDATE, NOTIFY"
	supported = "timer"
)

// The methods of the library, in short.
const (
	mINVITE   = sip.INVITE
	mACK      = sip.ACK
	mCANCEL   = sip.CANCEL
	mBYE      = sip.BYE
	mOPTIONS  = sip.OPTIONS
	mINFO     = sip.INFO
	mUPDATE   = sip.UPDATE
	mNOTIFY   = sip.NOTIFY
	mREFER    = sip.REFER
	mREGISTER = sip.REGISTER
	mPRACK    = sip.PRACK
)

// reasons are the phrases of status codes.
var reasons = map[int]string{
	100: "Trying", 180: "Ringing", 183: "Session Progress", 200: "OK", 202: "Accepted",
	400: "Bad Request", 401: "Unauthorized", 403: "Forbidden", 404: "Not Found", 405: "Method Not Allowed",
	407: "Proxy Authentication Required", 408: "Request Timeout", 415: "Unsupported Media Type",
	416: "Unsupported URI Scheme", 420: "Bad Extension", 422: "Session Interval Too Small",
	423: "Interval Too Brief", 469: "Bad Info Package", 480: "Temporarily Unavailable",
	481: "Call/Transaction Does Not Exist", 482: "Loop Detected", 483: "Too Many Hops", 486: "Busy Here",
	487: "Request Terminated", 488: "Not Acceptable Here", 489: "Bad Event", 491: "Request Pending",
	500: "Server Internal Error", 501: "Not Implemented", 503: "Service Unavailable",
	505: "Version Not Supported", 600: "Busy Everywhere", 603: "Decline",
}

func reason(status int) string {
	if r := reasons[status]; r != "" {
		return r
	}
	return "Status " + strconv.Itoa(status)
}

// reply begins the answer to a request (RFC 3261 §8.2.6). Tag is that of this side
// where the request has none, and is not written to 100.
func (e *Endpoint) reply(req *sip.Request, status int, tag string) *sip.Response {
	res := sip.NewResponse(status, reason(status))
	for _, h := range req.Headers() {
		switch {
		case wire.Named(h, "Via"), wire.Named(h, "From"), wire.Named(h, "Call-ID"), wire.Named(h, "CSeq"):
			res.AppendHeader(sip.HeaderClone(h))
		case wire.Named(h, "To"):
			value := h.Value()
			if status != 100 && tag != "" && wire.ToTag(req) == "" {
				value += ";tag=" + tag
			}
			res.AppendHeader(sip.NewHeader("To", value))
		case wire.Named(h, "Record-Route") && dialogs(req, status):
			res.AppendHeader(sip.HeaderClone(h))
		case wire.Named(h, "Timestamp") && status == 100:
			res.AppendHeader(sip.HeaderClone(h))
		}
	}
	if e.userAgent != "" {
		res.AppendHeader(sip.NewHeader("Server", e.userAgent))
	}
	return res
}

// dialogs tells whether the answer to a request makes a dialog, so that it repeats
// the route (RFC 3261 §12.1.1).
func dialogs(req *sip.Request, status int) bool {
	return req.Method == mINVITE && status > 100 && status < 300
}

// responder answers one request.
type responder interface {
	Respond(res *sip.Response) error
}

// refuse answers a request for good, without a body.
func (e *Endpoint) refuse(req *sip.Request, tx responder, status int, extra ...sip.Header) {
	res := e.reply(req, status, wire.NewID())
	for _, h := range extra {
		res.AppendHeader(h)
	}
	if status == 405 {
		res.AppendHeader(sip.NewHeader("Allow", allow))
	}
	res.SetBody(nil)
	e.respond(tx, res)
}

// respond sends an answer. An answer that cannot be sent is not missed: the request
// comes again.
func (e *Endpoint) respond(tx responder, res *sip.Response) {
	if res.ContentLength() == nil {
		res.SetBody(res.Body())
	}
	if err := tx.Respond(res); err != nil {
		e.log.Debug("an answer could not be sent", "status", res.StatusCode, "err", err)
	}
}

// setBody puts a body into a message, or none.
func setBody(m sip.Message, contentType string, body []byte) {
	if len(body) > 0 {
		m.AppendHeader(sip.NewHeader("Content-Type", contentType))
	}
	m.SetBody(body)
}

// unknown are the extensions that a request requires and this endpoint has not.
// 100rel is among them (docs/divergences.md).
func unknown(req *sip.Request) []string {
	var all []string
	for _, option := range wire.List(req, "Require") {
		if !strings.EqualFold(option, supported) {
			all = append(all, option)
		}
	}
	return all
}

// ownFields are the header fields that the protocol itself uses; Call.Headers leaves
// them out, and Invitation.Headers cannot set them.
var ownFields = func() map[string]bool {
	all := map[string]bool{}
	for _, n := range []string{
		"Via", "From", "To", "Call-ID", "CSeq", "Contact", "Max-Forwards", "Route", "Record-Route",
		"Content-Type", "Content-Length", "Content-Encoding", "Content-Disposition", "Content-Language",
		"Authorization", "Proxy-Authorization", "WWW-Authenticate", "Proxy-Authenticate", "Authentication-Info",
		"Allow", "Allow-Events", "Supported", "Require", "Proxy-Require", "Unsupported", "Accept",
		"Accept-Encoding", "Accept-Language", "Session-Expires", "Min-SE", "Expires", "Event", "MIME-Version",
		"RSeq", "RAck", "Refer-To", "Timestamp",
		"v", "f", "t", "i", "m", "c", "l", "e", "k", "u", "x", "o", "r",
	} {
		all[strings.ToLower(n)] = true
	}
	return all
}()
