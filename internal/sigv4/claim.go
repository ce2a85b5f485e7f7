package sigv4

import (
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"ringdown/internal/fault"
)

// A claim is what a request says of its own signature. Its strings are parts of
// the request.
type claim struct {
	presigned bool

	accessKeyID string
	// scope is the credential without its access key:
	// "date/region/service/aws4_request".
	scope      string
	scopeDate  string
	region     string
	service    string
	terminator string

	signedHeaders string
	signature     string
	token         string

	// timestamp is signedAt in basicFormat, as it stands in the string to sign.
	timestamp string
	signedAt  time.Time
	// expires is the life of a presigned request; zero when it names none.
	expires time.Duration

	// declaredHash is the X-Amz-Content-Sha256 in the query of a presigned
	// request; payload is what checkPayload made of it and of the header.
	declaredHash string
	payload      payload
}

func incomplete(format string, args ...any) *fault.Error {
	return fault.New(fault.IncompleteSignature, format, args...)
}

func invalid(format string, args ...any) *fault.Error {
	return fault.New(fault.InvalidSignature, format, args...)
}

// quote prepares what a client has sent for a message: short, and in single
// quotes as AWS writes it.
func quote(s string) string {
	const limit = 64
	if len(s) > limit {
		s = s[:limit] + "…"
	}
	return "'" + strings.ToValidUTF8(s, "?") + "'"
}

// readClaim reads either form of a signature.
func readClaim(r *http.Request) (claim, error) {
	query, err := presignedQuery(r.URL.RawQuery)
	if err != nil {
		return claim{}, err
	}
	header := r.Header["Authorization"]
	switch {
	case query != nil && len(header) > 0:
		return claim{}, invalid("Found both 'X-Amz-Algorithm' as a query-string param and 'Authorization' as HTTP header.")
	case query != nil:
		return claimFromQuery(query)
	case len(header) == 0:
		return claim{}, missingToken()
	case len(header) > 1:
		return claim{}, incomplete("Authorization header must not be repeated.")
	}
	return claimFromHeader(header[0], r.Header)
}

func missingToken() *fault.Error {
	return fault.New(fault.MissingAuthenticationToken, "Missing Authentication Token")
}

// presignedQuery returns the decoded query when it carries a signature, else
// nil.
func presignedQuery(raw string) (url.Values, error) {
	if !strings.Contains(raw, "X-Amz-Algorithm") {
		return nil, nil
	}
	query, err := url.ParseQuery(raw)
	if err != nil {
		return nil, malformedQuery()
	}
	if !query.Has("X-Amz-Algorithm") {
		return nil, nil
	}
	return query, nil
}

// authorization is a taken-apart Authorization header. A parameter that the
// header lacks is empty.
type authorization struct {
	credential, signedHeaders, signature string
}

// parseAuthorization takes apart an Authorization header of the form
//
//	AWS4-HMAC-SHA256 Credential=…, SignedHeaders=…, Signature=…
//
// with the parameters in any order, and blanks after commas optional. A scheme
// that is not AWS's is a MissingAuthenticationToken, anything else that does
// not parse an IncompleteSignature. AWS echoes the header; this does not, for
// people do put tokens and secrets there.
func parseAuthorization(header string) (authorization, error) {
	var a authorization
	scheme, parameters, _ := strings.Cut(trimBlanks(header), " ")
	if scheme != algorithm {
		if strings.HasPrefix(scheme, "AWS4-") || scheme == "AWS" {
			return a, unsupportedAlgorithm(scheme)
		}
		return a, missingToken()
	}
	for parameters = trimBlanks(parameters); parameters != ""; {
		var parameter string
		var more bool
		parameter, parameters, more = strings.Cut(parameters, ",")
		name, value, ok := strings.Cut(trimBlanks(parameter), "=")
		if !ok || more && trimBlanks(parameters) == "" {
			return a, incomplete("Authorization header has a parameter that is not a valid key=value pair (missing equal-sign).")
		}
		var field *string
		switch name {
		case "Credential":
			field = &a.credential
		case "SignedHeaders":
			field = &a.signedHeaders
		case "Signature":
			field = &a.signature
		default:
			return a, incomplete("Authorization header has a parameter other than 'Credential', 'SignedHeaders' and 'Signature'.")
		}
		if *field != "" {
			return a, incomplete("Authorization header must not repeat the '%s' parameter.", name)
		}
		if strings.ContainsAny(value, " \t") {
			return a, incomplete("Authorization header must separate its parameters by commas.")
		}
		*field = value
	}
	return a, nil
}

func trimBlanks(s string) string { return strings.Trim(s, " \t") }

// unsupportedAlgorithm repeats only what could be the name of an algorithm.
func unsupportedAlgorithm(name string) *fault.Error {
	if strings.Trim(name, "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-") != "" {
		return incomplete("Unsupported AWS 'algorithm' (only %s for now).", algorithm)
	}
	return incomplete("Unsupported AWS 'algorithm': %s (only %s for now).", quote(name), algorithm)
}

func claimFromHeader(value string, h http.Header) (claim, error) {
	a, err := parseAuthorization(value)
	if err != nil {
		return claim{}, err
	}
	amzDate, date, token := h["X-Amz-Date"], h["Date"], h["X-Amz-Security-Token"]
	if a.credential == "" || a.signature == "" || a.signedHeaders == "" || len(amzDate)+len(date) == 0 {
		return claim{}, missingFromHeader(a, len(amzDate)+len(date) > 0)
	}
	if len(amzDate) > 1 || len(amzDate) == 0 && len(date) > 1 {
		return claim{}, incomplete("The date header must not be repeated.")
	}
	if len(token) > 1 {
		return claim{}, incomplete("The 'X-Amz-Security-Token' header must not be repeated.")
	}
	c := claim{signedHeaders: a.signedHeaders, signature: a.signature}
	if len(token) == 1 {
		c.token = token[0]
	}
	if len(amzDate) == 1 {
		err = c.setAmzDate(amzDate[0])
	} else {
		err = c.setDate(date[0])
	}
	if err != nil {
		return claim{}, err
	}
	return c, c.setCredential(a.credential)
}

// missingFromHeader names everything that is missing at once, as AWS does.
func missingFromHeader(a authorization, dated bool) *fault.Error {
	var missing []string
	for _, p := range []struct{ name, value string }{
		{"Credential", a.credential},
		{"Signature", a.signature},
		{"SignedHeaders", a.signedHeaders},
	} {
		if p.value == "" {
			missing = append(missing, "Authorization header requires '"+p.name+"' parameter.")
		}
	}
	if !dated {
		missing = append(missing, "Authorization header requires existence of either a 'X-Amz-Date' or a 'Date' header.")
	}
	return incomplete("%s", strings.Join(missing, " "))
}

// queryParameters are those of a presigned request that must not be repeated.
// The first five must be there.
var queryParameters = []string{
	"X-Amz-Algorithm", "X-Amz-Credential", "X-Amz-Signature", "X-Amz-SignedHeaders", "X-Amz-Date",
	"X-Amz-Expires", "X-Amz-Security-Token", "X-Amz-Content-Sha256",
}

func claimFromQuery(query url.Values) (claim, error) {
	var missing []string
	for i, name := range queryParameters {
		if len(query[name]) > 1 {
			return claim{}, incomplete("AWS query-string parameters must not repeat '%s'.", name)
		}
		if i < 5 && query.Get(name) == "" {
			missing = append(missing, "AWS query-string parameters must include '"+name+"'.")
		}
	}
	if len(missing) > 0 {
		return claim{}, incomplete("%s Re-examine the query-string parameters.", strings.Join(missing, " "))
	}
	if name := query.Get("X-Amz-Algorithm"); name != algorithm {
		return claim{}, unsupportedAlgorithm(name)
	}
	c := claim{
		presigned:     true,
		signedHeaders: query.Get("X-Amz-SignedHeaders"),
		signature:     query.Get("X-Amz-Signature"),
		token:         query.Get("X-Amz-Security-Token"),
		declaredHash:  query.Get("X-Amz-Content-Sha256"),
	}
	if query.Has("X-Amz-Expires") {
		seconds, err := strconv.ParseUint(query.Get("X-Amz-Expires"), 10, 32)
		if err != nil || seconds < 1 || seconds > maxExpires {
			return claim{}, incomplete("X-Amz-Expires must be a number of seconds from 1 to %d.", maxExpires)
		}
		c.expires = time.Duration(seconds) * time.Second
	}
	if err := c.setAmzDate(query.Get("X-Amz-Date")); err != nil {
		return claim{}, err
	}
	return c, c.setCredential(query.Get("X-Amz-Credential"))
}

// setCredential takes apart "key/date/region/service/aws4_request". A wrong
// count is reported without the text: secrets hold slashes, and one pasted into
// the wrong place would come back.
func (c *claim) setCredential(credential string) error {
	if n := strings.Count(credential, "/") + 1; n != 5 {
		return incomplete("Credential must have exactly 5 slash-delimited elements, e.g. keyid/date/region/service/term, got %d.", n)
	}
	c.accessKeyID, c.scope, _ = strings.Cut(credential, "/")
	var rest string
	c.scopeDate, rest, _ = strings.Cut(c.scope, "/")
	c.region, rest, _ = strings.Cut(rest, "/")
	c.service, c.terminator, _ = strings.Cut(rest, "/")
	return nil
}

// setAmzDate takes X-Amz-Date, which has one format.
func (c *claim) setAmzDate(value string) error {
	// time.Parse would let fractions of a second pass.
	if len(value) == len(basicFormat) {
		if t, err := time.Parse(basicFormat, value); err == nil {
			c.signedAt, c.timestamp = t, value
			return nil
		}
	}
	return incomplete("Date must be in ISO-8601 'basic format'. Got %s. See http://en.wikipedia.org/wiki/ISO_8601", quote(value))
}

// setDate takes a Date header: any of the three formats of RFC 9110 §5.6.7, the
// numeric zone of RFC 5322 that some clients write, or X-Amz-Date's format.
func (c *claim) setDate(value string) error {
	t, err := http.ParseTime(value)
	if err != nil {
		t, err = time.Parse(time.RFC1123Z, value)
	}
	if err != nil {
		return c.setAmzDate(value)
	}
	c.signedAt = t.UTC()
	c.timestamp = c.signedAt.Format(basicFormat)
	return nil
}

// checkDate holds the request's date against the server's clock. A presigned
// request lives as long as its X-Amz-Expires says, without allowance for clocks
// that differ, as for Amazon S3. One that says nothing, which is what the
// SDKs presign for AWS STS, lives as long as any other.
func (c *claim) checkDate(now time.Time) error {
	now = now.UTC()
	if latest := now.Add(clockSkew); c.signedAt.After(latest) {
		return invalid("Signature not yet current: %s is still later than %s (%s + 5 min.)",
			c.timestamp, latest.Format(basicFormat), now.Format(basicFormat))
	}
	if c.expires > 0 {
		if earliest := now.Add(-c.expires); c.signedAt.Before(earliest) {
			return invalid("Signature expired: %s is now earlier than %s (%s - %d sec.)",
				c.timestamp, earliest.Format(basicFormat), now.Format(basicFormat), int(c.expires/time.Second))
		}
		return nil
	}
	if earliest := now.Add(-clockSkew); c.signedAt.Before(earliest) {
		return invalid("Signature expired: %s is now earlier than %s (%s - 5 min.)",
			c.timestamp, earliest.Format(basicFormat), now.Format(basicFormat))
	}
	return nil
}

// checkSignedHeaders demands that SignedHeaders is what a canonical request
// needs it to be, names only headers that the request has, and leaves out none
// of those that carry authentication. AWS documents that every x-amz-* header
// has to be signed; other unsigned ones are let pass here, because proxies add
// some (X-Amz-Cf-Id) and none of them has a meaning for this server.
func (c *claim) checkSignedHeaders(r *http.Request) error {
	var host, date, token bool
	last := ""
	for name := range strings.SplitSeq(c.signedHeaders, ";") {
		if !isLowerToken(name) || name <= last {
			return incomplete("'SignedHeaders' must be lower-case header names in ascending order, separated by semicolons.")
		}
		last = name
		switch name {
		case "host":
			host = true
			continue
		case "x-amz-date":
			date = true
		case "x-amz-security-token":
			token = true
		case "content-length":
			// Also known when the header is not there: see setRequest.
			if r.ContentLength >= 0 {
				continue
			}
		}
		if len(headerValues(r.Header, name)) == 0 {
			return invalid("The header %s is a 'SignedHeader' in the AWS Authorization but not part of the request.", quote(name))
		}
	}
	switch {
	case !host:
		return invalid("'Host' or ':authority' must be a 'SignedHeader' in the AWS Authorization.")
	case c.presigned:
		// Date and token are in the query, all of which is signed.
	case !date && len(r.Header["X-Amz-Date"]) > 0:
		return invalid("'X-Amz-Date' must be a 'SignedHeader' in the AWS Authorization.")
	case !token && len(r.Header["X-Amz-Security-Token"]) > 0:
		return invalid("'X-Amz-Security-Token' must be a 'SignedHeader' in the AWS Authorization.")
	}
	return nil
}

// isLowerToken reports whether s is a header name (RFC 9110 §5.6.2) without
// capital letters.
func isLowerToken(s string) bool {
	for i := range len(s) {
		c := s[i]
		if !('a' <= c && c <= 'z' || '0' <= c && c <= '9' || strings.IndexByte("!#$%&'*+-.^_`|~", c) >= 0) {
			return false
		}
	}
	return s != ""
}

// checkScope holds the credential scope against the route and the date, and
// names everything that is wrong at once, as AWS does.
func (c *claim) checkScope(services []string) error {
	served := false
	for _, s := range services {
		served = served || s == c.service
	}
	dateMatches := c.scopeDate == c.timestamp[:len("20060102")]
	if served && dateMatches && c.terminator == terminator && isRegion(c.region) {
		return nil
	}
	var wrong []string
	if !isRegion(c.region) {
		wrong = append(wrong, "Credential should be scoped to a valid region, not "+quote(c.region)+".")
	}
	if !served {
		wrong = append(wrong, "Credential should be scoped to correct service: '"+strings.Join(services, "' or '")+"'.")
	}
	if c.terminator != terminator {
		wrong = append(wrong, "Credential should be scoped with a valid terminator: '"+terminator+"', not "+quote(c.terminator)+".")
	}
	if !dateMatches {
		wrong = append(wrong, "Date in Credential scope does not match YYYYMMDD from ISO-8601 version of date from HTTP: "+
			quote(c.scopeDate)+" != '"+c.timestamp[:len("20060102")]+"', from '"+c.timestamp+"'.")
	}
	return invalid("%s", strings.Join(wrong, " "))
}

// isRegion reports whether s has the form of a region name: two or more words
// and a number, joined by hyphens, such as us-gov-west-1.
func isRegion(s string) bool {
	const limit = 32
	if len(s) > limit {
		return false
	}
	words := 0
	for {
		word, rest, more := strings.Cut(s, "-")
		if !more {
			return words >= 2 && isNumber(s)
		}
		if !isWord(word) {
			return false
		}
		words++
		s = rest
	}
}

func isWord(s string) bool {
	for i := range len(s) {
		if s[i] < 'a' || s[i] > 'z' {
			return false
		}
	}
	return len(s) >= 2
}

// isNumber reports whether s is a number from 1 to 99.
func isNumber(s string) bool {
	n, err := strconv.ParseUint(s, 10, 8)
	return err == nil && 1 <= n && n <= 99 && s[0] != '0'
}
