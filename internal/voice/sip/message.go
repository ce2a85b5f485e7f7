package sip

import (
	"bytes"
	"crypto/rand"
	"fmt"
	"log/slog"
	"maps"
	"mime"
	"mime/multipart"
	"net/netip"
	"slices"
	"strconv"
	"strings"

	"github.com/emiago/sipgo/sip"
)

// The methods that this endpoint serves, and the extensions that it knows.
const (
	allow     = "INVITE, ACK, CANCEL, BYE, OPTIONS, INFO, UPDATE, NOTIFY"
	supported = "timer"
	sdpType   = "application/sdp"
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

// The parser reports what strangers send to a logger of its own.
func init() { sip.SetDefaultLogger(slog.New(slog.DiscardHandler)) }

// newParser makes a parser that keeps header fields as they came: those whose
// parameters its own types would lose (Record-Route is to be copied with all of them,
// RFC 3261 §12.1.1), and those that answers repeat. They are taken apart when asked
// for.
func newParser() *sip.Parser {
	fields := maps.Clone(sip.DefaultHeadersParser())
	for _, name := range []string{"route", "record-route", "refer-to", "referred-by", "from", "f", "to", "t"} {
		delete(fields, name)
	}
	return sip.NewParser(sip.WithHeadersParsers(fields))
}

// newID makes a tag, a Call-ID or a branch that nobody guesses.
func newID() string { return rand.Text() }

// newBranch makes a branch (RFC 3261 §8.1.1.7).
func newBranch() string { return sip.RFC3261BranchMagicCookie + rand.Text() }

// compact are the short forms of names (RFC 3261 §20, RFC 4028, RFC 6665, RFC 3515).
var compact = map[string]string{
	"supported": "k", "session-expires": "x", "event": "o", "refer-to": "r",
	"via": "v", "from": "f", "to": "t", "call-id": "i", "content-length": "l", "content-type": "c", "content-encoding": "e", "contact": "m", "allow-events": "u",
}

// fields are the values of a header field that a message has, as they came, in
// their order.
func fields(m sip.Message, name string) []string {
	var all []string
	for _, h := range headersOf(m) {
		if named(h, name) {
			all = append(all, h.Value())
		}
	}
	return all
}

// field is the first value of a header field, "" for none.
func field(m sip.Message, name string) string {
	for _, h := range headersOf(m) {
		if named(h, name) {
			return strings.TrimSpace(h.Value())
		}
	}
	return ""
}

// has tells whether a message has a header field.
func has(m sip.Message, name string) bool {
	for _, h := range headersOf(m) {
		if named(h, name) {
			return true
		}
	}
	return false
}

func named(h sip.Header, name string) bool {
	n := h.Name()
	if strings.EqualFold(n, name) {
		return true
	}
	short, ok := compact[strings.ToLower(name)]
	return ok && strings.EqualFold(n, short)
}

// headersOf are the header fields of a message.
func headersOf(m sip.Message) []sip.Header {
	switch m := m.(type) {
	case *sip.Request:
		return m.Headers()
	case *sip.Response:
		return m.Headers()
	}
	return nil
}

// list splits the values of a header field that is a list at its commas, but for
// those in quotes and angle brackets.
func list(m sip.Message, name string) []string {
	var all []string
	for _, v := range fields(m, name) {
		all = slices.AppendSeq(all, addresses(v))
	}
	return all
}

// lists tells whether a list has an item, parameters of which do not count.
func lists(m sip.Message, name, item string) bool {
	for _, v := range list(m, name) {
		v, _, _ = strings.Cut(v, ";")
		if strings.EqualFold(strings.TrimSpace(v), item) {
			return true
		}
	}
	return false
}

// param is a parameter of a header value such as 1800;refresher=uac.
func param(value, name string) string {
	for i, p := range strings.Split(value, ";") {
		if i == 0 {
			continue
		}
		k, v, _ := strings.Cut(p, "=")
		if strings.EqualFold(strings.TrimSpace(k), name) {
			return strings.Trim(strings.TrimSpace(v), `"`)
		}
	}
	return ""
}

// number is the number that a header value begins with.
func number(value string) (int, bool) {
	value, _, _ = strings.Cut(value, ";")
	value, _, _ = strings.Cut(value, "(") // Retry-After: 5 (busy)
	n, err := strconv.ParseUint(strings.TrimSpace(value), 10, 31)
	return int(n), err == nil
}

// tagOf is the tag among the parameters of From or To; names of parameters have no
// case, and space may surround them (RFC 3261 §7.3.1).
func tagOf(ps sip.HeaderParams) string {
	for _, p := range ps {
		if strings.EqualFold(strings.TrimSpace(p.K), "tag") {
			return strings.TrimSpace(p.V)
		}
	}
	return ""
}

func fromTag(m sip.Message) string {
	if h := m.From(); h != nil {
		return tagOf(h.Params)
	}
	return ""
}

func toTag(m sip.Message) string {
	if h := m.To(); h != nil {
		return tagOf(h.Params)
	}
	return ""
}

// methodOf is the method that CSeq names.
func methodOf(m sip.Message) sip.RequestMethod {
	h := m.CSeq()
	if h == nil {
		return ""
	}
	return sip.RequestMethod(strings.ToUpper(strings.TrimSpace(string(h.MethodName))))
}

// uriOf reads the address of a header value such as <sip:a@b;lr>;x=y.
func uriOf(value string) (sip.Uri, error) {
	var u sip.Uri
	_, err := sip.ParseAddressValue(value, &u, nil)
	if err != nil {
		return u, fmt.Errorf("address: %w", err)
	}
	return u, nil
}

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
		case named(h, "Via"), named(h, "From"), named(h, "Call-ID"), named(h, "CSeq"):
			res.AppendHeader(sip.HeaderClone(h))
		case named(h, "To"):
			value := h.Value()
			if status != 100 && tag != "" && toTag(req) == "" {
				value += ";tag=" + tag
			}
			res.AppendHeader(sip.NewHeader("To", value))
		case named(h, "Record-Route") && dialogs(req, status):
			res.AppendHeader(sip.HeaderClone(h))
		case named(h, "Timestamp") && status == 100:
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

// refuse answers a request for good, without a body.
func (e *Endpoint) refuse(req *sip.Request, tx responder, status int, extra ...sip.Header) {
	res := e.reply(req, status, newID())
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

// description is the SDP that a message carries, nil for none. False is that of a
// body that is something else (415). ISUP carried beside SDP (RFC 3204) is passed
// over.
func description(m sip.Message) ([]byte, bool) {
	body := m.Body()
	if len(bytes.TrimSpace(body)) == 0 {
		return nil, true
	}
	kind, params, err := mime.ParseMediaType(field(m, "Content-Type"))
	if err != nil && !strings.EqualFold(kind, sdpType) {
		return nil, false
	}
	switch kind {
	case sdpType:
		return body, true
	case "multipart/mixed", "multipart/alternative":
		r := multipart.NewReader(bytes.NewReader(body), params["boundary"])
		for range 8 {
			part, err := r.NextRawPart()
			if err != nil {
				return nil, false
			}
			if k, _, _ := mime.ParseMediaType(part.Header.Get("Content-Type")); k == sdpType {
				var b bytes.Buffer
				if _, err := b.ReadFrom(part); err != nil {
					return nil, false
				}
				return b.Bytes(), true
			}
		}
	}
	return nil, false
}

// q850 is the cause of a Reason header (RFC 3326), 0 for none.
func q850(m sip.Message) int {
	for _, v := range list(m, "Reason") {
		protocol, _, _ := strings.Cut(v, ";")
		if !strings.EqualFold(strings.TrimSpace(protocol), "Q.850") {
			continue
		}
		if n, err := strconv.Atoi(param(v, "cause")); err == nil && n > 0 && n < 128 {
			return n
		}
	}
	return 0
}

// unknown are the extensions that a request requires and this endpoint has not.
// 100rel is among them (docs/divergences.md).
func unknown(req *sip.Request) []string {
	var all []string
	for _, option := range list(req, "Require") {
		if !strings.EqualFold(option, supported) {
			all = append(all, option)
		}
	}
	return all
}

// received notes in the top Via where a request came from (RFC 3261 §18.2.1, RFC
// 3581 §4), so that all answers carry it.
func received(req *sip.Request, from netip.AddrPort) {
	via := req.Via()
	if via == nil {
		return
	}
	if rport, ok := via.Params.Get("rport"); ok && rport == "" {
		via.Params.Add("rport", strconv.Itoa(int(from.Port())))
		via.Params.Add("received", from.Addr().String())
	} else if host, err := netip.ParseAddr(strings.Trim(via.Host, "[]")); err != nil || host.Unmap() != from.Addr() {
		via.Params.Add("received", from.Addr().String())
	}
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

// plain tells whether a value can stand in a header line as it is.
func plain(s string) bool {
	return !strings.ContainsFunc(s, func(r rune) bool { return r < ' ' || r == 0x7f })
}

// token tells whether a name can be that of a header field (RFC 3261 §25.1).
func token(s string) bool {
	return s != "" && !strings.ContainsFunc(s, func(r rune) bool {
		return !(r >= '0' && r <= '9' || r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || strings.ContainsRune("-.!%*_+`'~", r))
	})
}
