package sigv4

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"sync"

	"ringdown/internal/fault"
)

// workspace holds the texts that a verification builds, so that a request costs
// no allocation for them.
type workspace struct {
	query   []byte // canonical query string
	request []byte // canonical request
	toSign  []byte // string to sign

	scratch []byte
	encoded []byte // names and values of parameters
	params  []param
}

// param is one parameter of a query: two parts of workspace.encoded.
type param struct{ name, equal, end int }

var workspaces = sync.Pool{New: func() any { return &workspace{request: make([]byte, 0, 1024)} }}

// release gives w back, unless one large request has made it worth forgetting.
func (w *workspace) release() {
	const limit, paramSize = 64 << 10, 24
	if cap(w.query)+cap(w.request)+cap(w.toSign)+cap(w.scratch)+cap(w.encoded)+paramSize*cap(w.params) <= limit {
		workspaces.Put(w)
	}
}

const (
	redacted   = "REDACTED"
	upperDigit = "0123456789ABCDEF"
)

// unreserved marks the characters that are never encoded (RFC 3986 §2.3).
var unreserved = func() (set [256]bool) {
	for _, c := range []byte("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~") {
		set[c] = true
	}
	return set
}()

func appendEncoded(dst []byte, c byte) []byte {
	if unreserved[c] {
		return append(dst, c)
	}
	return append(dst, '%', upperDigit[c>>4], upperDigit[c&15])
}

// requestPath is the path as it stood in the request line. url.EscapedPath
// would encode what a client has left bare, such as an é, but such a client has
// signed what it sent.
func requestPath(u *url.URL) string {
	path := u.RawPath
	if path == "" {
		path = u.EscapedPath()
	}
	if path == "" {
		return "/"
	}
	return path
}

// hasRedundantSegment reports whether path holds an empty segment other than at
// its ends, or one of "." and "..".
func hasRedundantSegment(path string) bool {
	return strings.Contains(path, "//") || strings.Contains(path, "/./") || strings.Contains(path, "/../") ||
		strings.HasSuffix(path, "/.") || strings.HasSuffix(path, "/..")
}

// removeRedundantSegments does what AWS's signers for Python and JavaScript do
// to a path: RFC 3986 §5.2.4, except that a final dot segment leaves no slash,
// and repeated slashes become one.
func removeRedundantSegments(path string) string {
	var kept []string
	for segment := range strings.SplitSeq(path, "/") {
		switch segment {
		case "", ".":
		case "..":
			kept = kept[:max(len(kept)-1, 0)]
		default:
			kept = append(kept, segment)
		}
	}
	normal := "/" + strings.Join(kept, "/")
	if len(kept) > 0 && strings.HasSuffix(path, "/") {
		normal += "/"
	}
	return normal
}

func malformedQuery() *fault.Error {
	return fault.New(fault.MalformedHTTPRequest, "The query string has an invalid %% sequence or an unescaped semicolon.")
}

// setQuery makes w.query the canonical form of a query string: every parameter
// decoded, encoded anew, and sorted by name and then by value, both as encoded.
// The signature itself is left out of a presigned one.
//
// A plus sign is a space, as net/url decodes it. What net/url refuses is refused
// here too: a parameter that counts for the signature and is then dropped by
// whoever reads the query could be hidden by anyone on the way.
func (w *workspace) setQuery(raw string, presigned, redact bool) error {
	w.query, w.encoded, w.params = w.query[:0], w.encoded[:0], w.params[:0]
	for raw != "" {
		var pair string
		pair, raw, _ = strings.Cut(raw, "&")
		if pair == "" {
			continue
		}
		name, value, _ := strings.Cut(pair, "=")
		var p param
		var ok bool
		p.name = len(w.encoded)
		if w.encoded, ok = appendRecoded(w.encoded, name); !ok {
			return malformedQuery()
		}
		p.equal = len(w.encoded)
		encodedName := w.encoded[p.name:]
		if presigned && string(encodedName) == "X-Amz-Signature" {
			w.encoded = w.encoded[:p.name]
			continue
		}
		if redact && string(encodedName) == "X-Amz-Security-Token" {
			value = redacted
		}
		if w.encoded, ok = appendRecoded(w.encoded, value); !ok {
			return malformedQuery()
		}
		p.end = len(w.encoded)
		w.params = append(w.params, p)
	}
	slices.SortFunc(w.params, func(a, b param) int {
		if n := bytes.Compare(w.encoded[a.name:a.equal], w.encoded[b.name:b.equal]); n != 0 {
			return n
		}
		return bytes.Compare(w.encoded[a.equal:a.end], w.encoded[b.equal:b.end])
	})
	for i, p := range w.params {
		if i > 0 {
			w.query = append(w.query, '&')
		}
		w.query = append(w.query, w.encoded[p.name:p.equal]...)
		w.query = append(w.query, '=')
		w.query = append(w.query, w.encoded[p.equal:p.end]...)
	}
	return nil
}

// appendRecoded appends the canonical encoding of a query component. It reports
// false when the component cannot be decoded.
func appendRecoded(dst []byte, s string) ([]byte, bool) {
	for i := 0; i < len(s); i++ {
		c := s[i]
		switch c {
		case ';':
			return dst, false
		case '+':
			c = ' '
		case '%':
			if i+2 >= len(s) {
				return dst, false
			}
			high, ok1 := hexDigit(s[i+1])
			low, ok2 := hexDigit(s[i+2])
			if !ok1 || !ok2 {
				return dst, false
			}
			c = high<<4 | low
			i += 2
		}
		dst = appendEncoded(dst, c)
	}
	return dst, true
}

func hexDigit(c byte) (value byte, ok bool) {
	switch {
	case '0' <= c && c <= '9':
		return c - '0', true
	case 'A' <= c && c <= 'F':
		return c - 'A' + 10, true
	case 'a' <= c && c <= 'f':
		return c - 'a' + 10, true
	}
	return 0, false
}

// setRequest makes w.request the canonical request ("Create a signed AWS API
// request", step 1), whose query setQuery has prepared. path is encoded once
// already and is encoded here a second time.
func (w *workspace) setRequest(r *http.Request, c *claim, path string, payload []byte, redact bool) {
	b := append(w.request[:0], r.Method...)
	b = append(b, '\n')
	for i := range len(path) {
		if path[i] == '/' {
			b = append(b, '/')
		} else {
			b = appendEncoded(b, path[i])
		}
	}
	b = append(b, '\n')
	b = append(b, w.query...)
	b = append(b, '\n')
	for name := range strings.SplitSeq(c.signedHeaders, ";") {
		b = append(b, name...)
		b = append(b, ':')
		b = appendHeader(b, r, name, redact)
		b = append(b, '\n')
	}
	b = append(b, '\n')
	b = append(b, c.signedHeaders...)
	b = append(b, '\n')
	w.request = append(b, payload...)
}

func appendHeader(b []byte, r *http.Request, name string, redact bool) []byte {
	if name == "host" {
		// net/http moves it out of the headers.
		return appendFolded(b, r.Host)
	}
	if redact {
		switch name {
		case "x-amz-security-token", "x-amz-bearer", "authorization", "proxy-authorization", "cookie":
			return append(b, redacted...)
		}
	}
	values := headerValues(r.Header, name)
	if len(values) == 0 && name == "content-length" && r.ContentLength >= 0 {
		// Requests that did not come over a connection have no such header.
		return strconv.AppendInt(b, r.ContentLength, 10)
	}
	for i, value := range values {
		if i > 0 {
			b = append(b, ',')
		}
		b = appendFolded(b, value)
	}
	return b
}

// headerValues is http.Header.Values for a lower-case name, without
// allocating.
func headerValues(h http.Header, name string) []string {
	var buf [64]byte
	if len(name) > len(buf) {
		return h.Values(name)
	}
	key := append(buf[:0], name...)
	first := true
	for i, c := range key {
		if first && 'a' <= c && c <= 'z' {
			key[i] = c - ('a' - 'A')
		}
		first = c == '-'
	}
	return h[string(key)]
}

// appendFolded appends a header's value without blanks around it and with every
// run of spaces inside it made one.
func appendFolded(b []byte, value string) []byte {
	value = trimBlanks(value)
	for {
		i := strings.Index(value, "  ")
		if i < 0 {
			return append(b, value...)
		}
		b = append(b, value[:i+1]...)
		value = strings.TrimLeft(value[i:], " ")
	}
}

// setStringToSign makes w.toSign the string to sign ("Create a signed AWS API
// request", step 3) of w.request.
func (w *workspace) setStringToSign(c *claim) {
	b := append(w.toSign[:0], algorithm+"\n"...)
	b = append(b, c.timestamp...)
	b = append(b, '\n')
	b = append(b, c.scope...)
	b = append(b, '\n')
	sum := sha256.Sum256(w.request)
	w.toSign = hex.AppendEncode(b, sum[:])
}

// mismatch is the fault for a signature that is not that of r. Like AWS it shows
// what should have been signed, which tells a developer in which header, or
// through which proxy, the two differ. It redacts w.request but not its hash.
func (w *workspace) mismatch(r *http.Request, c *claim, sum *bodyHash) *fault.Error {
	const message = "The request signature we calculated does not match the signature you provided. " +
		"Check your AWS Secret Access Key and signing method. Consult the service documentation for details."
	const limit = 8 << 10

	path := requestPath(r.URL)
	payload := sum.hex[:]
	if c.payload == payloadOpen {
		payload = []byte(unsignedPayload)
	}
	w.setRequest(r, c, path, payload, false)
	w.setStringToSign(c)
	if len(w.request) > limit {
		return invalid(message)
	}
	if err := w.setQuery(r.URL.RawQuery, c.presigned, true); err != nil {
		return invalid(message)
	}
	w.setRequest(r, c, path, payload, true)
	return invalid("%s\n\nThe Canonical String for this request should have been\n'%s'\n\nThe String-to-Sign should have been\n'%s'\n",
		message, bytes.ToValidUTF8(w.request, []byte("?")), w.toSign)
}
