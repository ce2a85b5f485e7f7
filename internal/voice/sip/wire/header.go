package wire

import (
	"bytes"
	"crypto/rand"
	"fmt"
	"log/slog"
	"maps"
	"mime"
	"mime/multipart"
	"slices"
	"strconv"
	"strings"

	"github.com/emiago/sipgo/sip"
)

// SDPType is the media type of descriptions (RFC 4566).
const SDPType = "application/sdp"

// The parser reports what strangers send to a logger of its own.
func init() { sip.SetDefaultLogger(slog.New(slog.DiscardHandler)) }

// NewParser makes a parser that keeps header fields as they came: those whose
// parameters its own types would lose (Record-Route is to be copied with all of them,
// RFC 3261 §12.1.1), and those that answers repeat. They are taken apart when asked
// for.
func NewParser() *sip.Parser {
	fields := maps.Clone(sip.DefaultHeadersParser())
	for _, name := range []string{"route", "record-route", "refer-to", "referred-by", "from", "f", "to", "t"} {
		delete(fields, name)
	}
	return sip.NewParser(sip.WithHeadersParsers(fields))
}

// NewID makes a tag or a Call-ID that nobody guesses (RFC 3261 §19.3).
func NewID() string { return rand.Text() }

// NewBranch makes a branch (RFC 3261 §8.1.1.7).
func NewBranch() string { return sip.RFC3261BranchMagicCookie + rand.Text() }

// compact are the short forms of names (RFC 3261 §20, RFC 4028, RFC 6665, RFC 3515).
var compact = map[string]string{
	"supported": "k", "session-expires": "x", "event": "o", "refer-to": "r",
	"via": "v", "from": "f", "to": "t", "call-id": "i", "content-length": "l", "content-type": "c", "content-encoding": "e", "contact": "m", "allow-events": "u",
}

// Fields are the values of a header field that a message has, as they came, in
// their order.
func Fields(m sip.Message, name string) []string {
	var all []string
	for _, h := range HeadersOf(m) {
		if Named(h, name) {
			all = append(all, h.Value())
		}
	}
	return all
}

// Field is the first value of a header field, "" for none.
func Field(m sip.Message, name string) string {
	for _, h := range HeadersOf(m) {
		if Named(h, name) {
			return strings.TrimSpace(h.Value())
		}
	}
	return ""
}

// Has tells whether a message has a header field.
func Has(m sip.Message, name string) bool {
	for _, h := range HeadersOf(m) {
		if Named(h, name) {
			return true
		}
	}
	return false
}

// Named tells whether a header field has a name, in full or in its short form.
func Named(h sip.Header, name string) bool {
	n := h.Name()
	if strings.EqualFold(n, name) {
		return true
	}
	short, ok := compact[strings.ToLower(name)]
	return ok && strings.EqualFold(n, short)
}

// HeadersOf are the header fields of a message.
func HeadersOf(m sip.Message) []sip.Header {
	switch m := m.(type) {
	case *sip.Request:
		return m.Headers()
	case *sip.Response:
		return m.Headers()
	}
	return nil
}

// List splits the values of a header field that is a list at its commas, but for
// those in quotes and angle brackets.
func List(m sip.Message, name string) []string {
	var all []string
	for _, v := range Fields(m, name) {
		all = slices.AppendSeq(all, Addresses(v))
	}
	return all
}

// Lists tells whether a list has an item, parameters of which do not count.
func Lists(m sip.Message, name, item string) bool {
	for _, v := range List(m, name) {
		v, _, _ = strings.Cut(v, ";")
		if strings.EqualFold(strings.TrimSpace(v), item) {
			return true
		}
	}
	return false
}

// Param is a parameter of a header value such as 1800;refresher=uac.
func Param(value, name string) string {
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

// Number is the number that a header value begins with.
func Number(value string) (int, bool) {
	value, _, _ = strings.Cut(value, ";")
	value, _, _ = strings.Cut(value, "(") // Retry-After: 5 (busy)
	n, err := strconv.ParseUint(strings.TrimSpace(value), 10, 31)
	return int(n), err == nil
}

// TagOf is the tag among the parameters of From or To; names of parameters have no
// case, and space may surround them (RFC 3261 §7.3.1).
func TagOf(ps sip.HeaderParams) string {
	for _, p := range ps {
		if strings.EqualFold(strings.TrimSpace(p.K), "tag") {
			return strings.TrimSpace(p.V)
		}
	}
	return ""
}

// FromTag is the tag of who has sent a request, "" for none.
func FromTag(m sip.Message) string {
	if h := m.From(); h != nil {
		return TagOf(h.Params)
	}
	return ""
}

// ToTag is the tag of who has answered a request, "" for none.
func ToTag(m sip.Message) string {
	if h := m.To(); h != nil {
		return TagOf(h.Params)
	}
	return ""
}

// MethodOf is the method that CSeq names.
func MethodOf(m sip.Message) sip.RequestMethod {
	h := m.CSeq()
	if h == nil {
		return ""
	}
	return sip.RequestMethod(strings.ToUpper(strings.TrimSpace(string(h.MethodName))))
}

// Addresses are the parts of a header field of several, which commas separate
// outside quotes and angle brackets.
func Addresses(value string) func(yield func(string) bool) {
	return func(yield func(string) bool) {
		begin, quoted, bracket := 0, false, false
		for i := range len(value) {
			switch c := value[i]; {
			case c == '"' && (i == 0 || value[i-1] != '\\'):
				quoted = !quoted
			case quoted:
			case c == '<':
				bracket = true
			case c == '>':
				bracket = false
			case c == ',' && !bracket:
				if part := strings.TrimSpace(value[begin:i]); part != "" && !yield(part) {
					return
				}
				begin = i + 1
			}
		}
		if part := strings.TrimSpace(value[begin:]); part != "" {
			yield(part)
		}
	}
}

// URIOf reads the address of a header value such as <sip:a@b;lr>;x=y.
func URIOf(value string) (sip.Uri, error) {
	var u sip.Uri
	_, err := sip.ParseAddressValue(value, &u, nil)
	if err != nil {
		return u, fmt.Errorf("address: %w", err)
	}
	return u, nil
}

// ContactOf is the Contact of a message, false when there is none that can be
// called.
func ContactOf(m sip.Message) (sip.Uri, bool) {
	var h *sip.ContactHeader
	for _, f := range HeadersOf(m) {
		if c, ok := f.(*sip.ContactHeader); ok {
			h = c
			break
		}
	}
	if h == nil || h.Address.Wildcard || h.Address.Host == "" || h.Address.Scheme != "sip" && h.Address.Scheme != "sips" {
		return sip.Uri{}, false
	}
	u := *h.Address.Clone()
	u.Headers = nil
	return u, Writable(&u)
}

// Writable tells whether a URI can stand in a request line.
func Writable(u *sip.Uri) bool {
	return !strings.ContainsFunc(u.String(), func(r rune) bool { return r <= ' ' || r >= 0x7f || strings.ContainsRune(`<>"`, r) })
}

// Description is the SDP that a message carries, nil for none. False is that of a
// body that is something else (415). ISUP carried beside SDP (RFC 3204) is passed
// over.
func Description(m sip.Message) ([]byte, bool) {
	body := m.Body()
	if len(bytes.TrimSpace(body)) == 0 {
		return nil, true
	}
	kind, params, err := mime.ParseMediaType(Field(m, "Content-Type"))
	if err != nil && !strings.EqualFold(kind, SDPType) {
		return nil, false
	}
	switch kind {
	case SDPType:
		return body, true
	case "multipart/mixed", "multipart/alternative":
		r := multipart.NewReader(bytes.NewReader(body), params["boundary"])
		for range 8 {
			part, err := r.NextRawPart()
			if err != nil {
				return nil, false
			}
			if k, _, _ := mime.ParseMediaType(part.Header.Get("Content-Type")); k == SDPType {
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

// Q850 is the cause of a Reason header (RFC 3326), 0 for none.
func Q850(m sip.Message) int {
	for _, v := range List(m, "Reason") {
		protocol, _, _ := strings.Cut(v, ";")
		if !strings.EqualFold(strings.TrimSpace(protocol), "Q.850") {
			continue
		}
		if n, err := strconv.Atoi(Param(v, "cause")); err == nil && n > 0 && n < 128 {
			return n
		}
	}
	return 0
}

// Plain tells whether a value can stand in a header line as it is.
func Plain(s string) bool {
	return !strings.ContainsFunc(s, func(r rune) bool { return r < ' ' || r == 0x7f })
}

// Token tells whether a name can be that of a header field (RFC 3261 §25.1).
func Token(s string) bool {
	return s != "" && !strings.ContainsFunc(s, func(r rune) bool {
		return !(r >= '0' && r <= '9' || r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || strings.ContainsRune("-.!%*_+`'~", r))
	})
}
