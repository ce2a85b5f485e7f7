package sigv4

import (
	"net/http"
	"net/url"
	"strings"
	"testing"

	"ringdown/internal/fault"
)

// TestFaults breaks a good request in one way at a time.
func TestFaults(t *testing.T) {
	const (
		target     = "http://localhost:8765/users/i?tagKeys=a"
		content    = `{"Username":"a"}`
		mismatched = "The request signature we calculated does not match the signature you provided. Check your AWS Secret Access Key and signing method. Consult the service documentation for details."
	)
	header := func(edit func(r *http.Request)) *http.Request {
		client := newRequest(t, "PUT", target, content)
		client.Header.Set("Content-Type", "application/json")
		sign(t, client, tempKey, hashOf(content), "connect", "us-east-1")
		edit(client)
		return client
	}
	authorization := func(old, changed string) *http.Request {
		return header(func(r *http.Request) {
			value := r.Header.Get("Authorization")
			if !strings.Contains(value, old) {
				t.Fatalf("%q is not in %q", old, value)
			}
			r.Header.Set("Authorization", strings.Replace(value, old, changed, 1))
		})
	}
	presigned := func(edit func(q url.Values)) *http.Request {
		client := presign(t, newRequest(t, "GET", target, ""), tempKey, hashOf(""), "connect", "us-east-1")
		query := client.URL.Query()
		edit(query)
		client.URL.RawQuery = query.Encode()
		return client
	}
	set := func(name, value string) *http.Request {
		return presigned(func(q url.Values) { q.Set(name, value) })
	}
	signedPayload := func(declared string) *http.Request {
		client := newRequest(t, "PUT", target, content)
		client.Header.Set("X-Amz-Content-Sha256", declared)
		sign(t, client, testKey, declared, "connect", "us-east-1")
		return client
	}
	const scope = "/20150830/us-east-1/connect/aws4_request"

	for _, tc := range []struct {
		name    string
		request *http.Request
		code    fault.Code
		message string // up to the first line break
	}{
		{"no header", header(func(r *http.Request) { r.Header.Del("Authorization") }), fault.MissingAuthenticationToken, "Missing Authentication Token"},
		{"empty header", header(func(r *http.Request) { r.Header.Set("Authorization", "") }), fault.MissingAuthenticationToken, "Missing Authentication Token"},
		{"bearer", header(func(r *http.Request) { r.Header.Set("Authorization", "Bearer "+testSecret) }), fault.MissingAuthenticationToken, "Missing Authentication Token"},
		{"signature version 2", header(func(r *http.Request) { r.Header.Set("Authorization", "AWS AKIDEXAMPLE:frJIUN8DYpKDtOLCwo//yllqDzg=") }), fault.IncompleteSignature, "Unsupported AWS 'algorithm': 'AWS' (only AWS4-HMAC-SHA256 for now)."},
		{"signature version 4A", authorization("AWS4-HMAC-SHA256", "AWS4-ECDSA-P256-SHA256"), fault.IncompleteSignature, "Unsupported AWS 'algorithm': 'AWS4-ECDSA-P256-SHA256' (only AWS4-HMAC-SHA256 for now)."},
		{"secret for an algorithm", header(func(r *http.Request) { r.Header.Set("Authorization", "AWS4-"+testSecret) }), fault.IncompleteSignature, "Unsupported AWS 'algorithm' (only AWS4-HMAC-SHA256 for now)."},
		{"both forms", header(func(r *http.Request) { r.URL.RawQuery = set("a", "b").URL.RawQuery }), fault.InvalidSignature, "Found both 'X-Amz-Algorithm' as a query-string param and 'Authorization' as HTTP header."},
		{"two headers", header(func(r *http.Request) { r.Header.Add("Authorization", "x") }), fault.IncompleteSignature, "Authorization header must not be repeated."},
		{"nothing but the algorithm", header(func(r *http.Request) {
			r.Header.Set("Authorization", algorithm)
			r.Header.Del("X-Amz-Date")
		}), fault.IncompleteSignature, "Authorization header requires 'Credential' parameter. Authorization header requires 'Signature' parameter. Authorization header requires 'SignedHeaders' parameter. Authorization header requires existence of either a 'X-Amz-Date' or a 'Date' header."},
		{"wrong signature", authorization(", Signature=", ", Signature=#"), fault.InvalidSignature, mismatched},
		{"no equal-sign", authorization("Signature=", "Signature"), fault.IncompleteSignature, "Authorization header has a parameter that is not a valid key=value pair (missing equal-sign)."},
		{"comma at the end", header(func(r *http.Request) { r.Header.Set("Authorization", r.Header.Get("Authorization")+" , ") }), fault.IncompleteSignature, "Authorization header has a parameter that is not a valid key=value pair (missing equal-sign)."},
		{"unknown parameter", authorization("Signature=", "Sig="), fault.IncompleteSignature, "Authorization header has a parameter other than 'Credential', 'SignedHeaders' and 'Signature'."},
		{"parameter twice", authorization("Signature=", "Signature=x,Signature="), fault.IncompleteSignature, "Authorization header must not repeat the 'Signature' parameter."},
		{"no comma", authorization(", Signature", " Signature"), fault.IncompleteSignature, "Authorization header must separate its parameters by commas."},
		{"date twice", header(func(r *http.Request) { r.Header.Add("X-Amz-Date", "20150830T123600Z") }), fault.IncompleteSignature, "The date header must not be repeated."},
		{"token twice", header(func(r *http.Request) { r.Header.Add("X-Amz-Security-Token", tempToken) }), fault.IncompleteSignature, "The 'X-Amz-Security-Token' header must not be repeated."},
		{"payload hash twice", header(func(r *http.Request) { r.Header["X-Amz-Content-Sha256"] = []string{hashOf(content), "x"} }), fault.IncompleteSignature, "The 'X-Amz-Content-Sha256' header must not be repeated."},
		{"bad date", header(func(r *http.Request) { r.Header.Set("X-Amz-Date", "201") }), fault.IncompleteSignature, "Date must be in ISO-8601 'basic format'. Got '201'. See http://en.wikipedia.org/wiki/ISO_8601"},
		{"fraction in date", header(func(r *http.Request) { r.Header.Set("X-Amz-Date", "20150830T123600.5Z") }), fault.IncompleteSignature, "Date must be in ISO-8601 'basic format'. Got '20150830T123600.5Z'. See http://en.wikipedia.org/wiki/ISO_8601"},
		{"four elements", authorization(tempKey+"/", ""), fault.IncompleteSignature, "Credential must have exactly 5 slash-delimited elements, e.g. keyid/date/region/service/term, got 4."},
		{"six elements", authorization("ASIDEXAMPLE", testSecret), fault.IncompleteSignature, "Credential must have exactly 5 slash-delimited elements, e.g. keyid/date/region/service/term, got 6."},
		{"region", authorization("us-east-1", "aws-global"), fault.InvalidSignature, "Credential should be scoped to a valid region, not 'aws-global'."},
		{"long region", authorization("us-east-1", strings.Repeat("é", 40)), fault.InvalidSignature, "Credential should be scoped to a valid region, not '" + strings.Repeat("é", 32) + "…'."},
		{"service", authorization("/connect/", "/execute-api/"), fault.InvalidSignature, "Credential should be scoped to correct service: 'connect'."},
		{"whole scope", authorization(scope, "/b/c/d/e"), fault.InvalidSignature, "Credential should be scoped to a valid region, not 'c'. Credential should be scoped to correct service: 'connect'. Credential should be scoped with a valid terminator: 'aws4_request', not 'e'. Date in Credential scope does not match YYYYMMDD from ISO-8601 version of date from HTTP: 'b' != '20150830', from '20150830T123600Z'."},
		{"unknown key", authorization(tempKey+"/", "AKIDUNKNOWN/"), fault.UnrecognizedClient, "The security token included in the request is invalid."},
		{"host not signed", authorization("host;", ""), fault.InvalidSignature, "'Host' or ':authority' must be a 'SignedHeader' in the AWS Authorization."},
		{"date not signed", authorization("x-amz-date;", ""), fault.InvalidSignature, "'X-Amz-Date' must be a 'SignedHeader' in the AWS Authorization."},
		{"token not signed", authorization(";x-amz-security-token", ""), fault.InvalidSignature, "'X-Amz-Security-Token' must be a 'SignedHeader' in the AWS Authorization."},
		{"capitals", authorization("host", "Host"), fault.IncompleteSignature, "'SignedHeaders' must be lower-case header names in ascending order, separated by semicolons."},
		{"out of order", authorization("host;x-amz-date", "x-amz-date;host"), fault.IncompleteSignature, "'SignedHeaders' must be lower-case header names in ascending order, separated by semicolons."},
		{"header twice", authorization("host;", "host;host;"), fault.IncompleteSignature, "'SignedHeaders' must be lower-case header names in ascending order, separated by semicolons."},
		{"signed header lost", header(func(r *http.Request) { r.Header.Del("Content-Type") }), fault.InvalidSignature, "The header 'content-type' is a 'SignedHeader' in the AWS Authorization but not part of the request."},
		{"header changed", header(func(r *http.Request) { r.Header.Set("Content-Type", "text/plain") }), fault.InvalidSignature, mismatched},
		{"host changed", header(func(r *http.Request) { r.Host = "elsewhere" }), fault.InvalidSignature, mismatched},
		{"method changed", header(func(r *http.Request) { r.Method = "POST" }), fault.InvalidSignature, mismatched},
		{"path changed", header(func(r *http.Request) { r.URL.Path = "/users/j" }), fault.InvalidSignature, mismatched},
		{"query changed", header(func(r *http.Request) { r.URL.RawQuery = "tagKeys=b" }), fault.InvalidSignature, mismatched},
		{"percent sign in query", header(func(r *http.Request) { r.URL.RawQuery = "tagKeys=%zz" }), fault.MalformedHTTPRequest, "The query string has an invalid % sequence or an unescaped semicolon."},
		{"percent sign at the end", header(func(r *http.Request) { r.URL.RawQuery = "tagKeys%2" }), fault.MalformedHTTPRequest, "The query string has an invalid % sequence or an unescaped semicolon."},
		{"semicolon in query", header(func(r *http.Request) { r.URL.RawQuery = "tagKeys=a;b" }), fault.MalformedHTTPRequest, "The query string has an invalid % sequence or an unescaped semicolon."},
		{"open payload", signedPayload("UNSIGNED-PAYLOAD"), fault.InvalidSignature, "The payload of this request must be signed; 'UNSIGNED-PAYLOAD' is not supported."},
		{"chunked payload", signedPayload("STREAMING-AWS4-HMAC-SHA256-PAYLOAD"), fault.InvalidSignature, "The payload of this request must be signed as a whole; chunked ('STREAMING-…') signatures are not supported."},
		{"chunked open payload", signedPayload("STREAMING-UNSIGNED-PAYLOAD-TRAILER"), fault.InvalidSignature, "The payload of this request must be signed as a whole; chunked ('STREAMING-…') signatures are not supported."},
		{"other payload", signedPayload(hashOf("")), fault.InvalidSignature, "The provided 'x-amz-content-sha256' does not match what was computed."},
		{"payload hash in capitals", signedPayload(strings.ToUpper(hashOf(content))), fault.InvalidSignature, "The provided 'x-amz-content-sha256' does not match what was computed."},

		{"presigned: nothing but the algorithm", header(func(r *http.Request) {
			r.Header.Del("Authorization")
			r.URL.RawQuery = "X-Amz-Algorithm=AWS4-HMAC-SHA256"
		}), fault.IncompleteSignature, "AWS query-string parameters must include 'X-Amz-Credential'. AWS query-string parameters must include 'X-Amz-Signature'. AWS query-string parameters must include 'X-Amz-SignedHeaders'. AWS query-string parameters must include 'X-Amz-Date'. Re-examine the query-string parameters."},
		{"presigned: algorithm in a value", header(func(r *http.Request) {
			r.Header.Del("Authorization")
			r.URL.RawQuery = "a=X-Amz-Algorithm"
		}), fault.MissingAuthenticationToken, "Missing Authentication Token"},
		{"presigned: algorithm", set("X-Amz-Algorithm", "AWS4-HMAC-SHA512"), fault.IncompleteSignature, "Unsupported AWS 'algorithm': 'AWS4-HMAC-SHA512' (only AWS4-HMAC-SHA256 for now)."},
		{"presigned: parameter twice", presigned(func(q url.Values) { q.Add("X-Amz-Date", "20150830T123600Z") }), fault.IncompleteSignature, "AWS query-string parameters must not repeat 'X-Amz-Date'."},
		{"presigned: no life", set("X-Amz-Expires", "0"), fault.IncompleteSignature, "X-Amz-Expires must be a number of seconds from 1 to 604800."},
		{"presigned: negative life", set("X-Amz-Expires", "-1"), fault.IncompleteSignature, "X-Amz-Expires must be a number of seconds from 1 to 604800."},
		{"presigned: too long a life", set("X-Amz-Expires", "604801"), fault.IncompleteSignature, "X-Amz-Expires must be a number of seconds from 1 to 604800."},
		{"presigned: empty life", set("X-Amz-Expires", ""), fault.IncompleteSignature, "X-Amz-Expires must be a number of seconds from 1 to 604800."},
		{"presigned: another life", set("X-Amz-Expires", "60"), fault.InvalidSignature, mismatched},
		{"presigned: date", set("X-Amz-Date", "Sun, 30 Aug 2015 12:36:00 GMT"), fault.IncompleteSignature, "Date must be in ISO-8601 'basic format'. Got 'Sun, 30 Aug 2015 12:36:00 GMT'. See http://en.wikipedia.org/wiki/ISO_8601"},
		{"presigned: credential", set("X-Amz-Credential", "a/b/c/d"), fault.IncompleteSignature, "Credential must have exactly 5 slash-delimited elements, e.g. keyid/date/region/service/term, got 4."},
		{"presigned: service", set("X-Amz-Credential", tempKey+"/20150830/us-east-1/s3/aws4_request"), fault.InvalidSignature, "Credential should be scoped to correct service: 'connect'."},
		{"presigned: host not signed", set("X-Amz-SignedHeaders", "date"), fault.InvalidSignature, "The header 'date' is a 'SignedHeader' in the AWS Authorization but not part of the request."},
		{"presigned: token changed", set("X-Amz-Security-Token", tempToken+"="), fault.InvalidSignature, mismatched},
		{"presigned: token gone", presigned(func(q url.Values) { q.Del("X-Amz-Security-Token") }), fault.InvalidSignature, mismatched},
		{"presigned: query changed", set("tagKeys", "b"), fault.InvalidSignature, mismatched},
		{"presigned: payload hash", set("X-Amz-Content-Sha256", hashOf("x")), fault.InvalidSignature, "The provided 'x-amz-content-sha256' does not match what was computed."},
		{"presigned: payload open now", set("X-Amz-Content-Sha256", unsignedPayload), fault.InvalidSignature, mismatched},
		{"presigned: malformed", header(func(r *http.Request) { r.URL.RawQuery = "X-Amz-Algorithm=%" }), fault.MalformedHTTPRequest, "The query string has an invalid % sequence or an unescaped semicolon."},
	} {
		t.Run(tc.name, func(t *testing.T) {
			r, body := receive(t, tc.request)
			_, err := newTestVerifier().Verify(r, body, "connect")
			if !fault.Is(err, tc.code) {
				t.Fatalf("got %v, want %s", err, tc.code)
			}
			message := fault.From(err).Message
			first, _, _ := strings.Cut(message, "\n")
			if first != tc.message {
				t.Errorf("got  %s\nwant %s", first, tc.message)
			}
			for _, secret := range []string{testSecret, tempToken, url.QueryEscape(tempToken)} {
				if strings.Contains(message, secret) {
					t.Errorf("the message holds %q:\n%s", secret, message)
				}
			}
		})
	}
}

// TestMismatchShowsCanonicalRequest holds the explanation of a signature that
// does not match against AWS's form of it.
func TestMismatchShowsCanonicalRequest(t *testing.T) {
	client := newRequest(t, "PUT", "http://localhost:8765/users/a%3Ab?b=2&a=1", "{}")
	client.Header.Set("X-Amz-Bearer", "eyJhbGciOi")
	sign(t, client, tempKey, hashOf("{}"), "connect", "us-east-1")
	client.Method = "POST"
	r, body := receive(t, client)
	_, err := newTestVerifier().Verify(r, body, "connect")
	const want = `The request signature we calculated does not match the signature you provided. Check your AWS Secret Access Key and signing method. Consult the service documentation for details.

The Canonical String for this request should have been
'POST
/users/a%253Ab
a=1&b=2
content-length:2
host:localhost:8765
x-amz-bearer:REDACTED
x-amz-date:20150830T123600Z
x-amz-security-token:REDACTED

content-length;host;x-amz-bearer;x-amz-date;x-amz-security-token
44136fa355b3678a1146ad16f7e8649e94fb4fc21fe77e8310c060f61caaff8a'

The String-to-Sign should have been
'AWS4-HMAC-SHA256
20150830T123600Z
20150830/us-east-1/connect/aws4_request
`
	message := fault.From(err).Message
	if !strings.HasPrefix(message, want) {
		t.Errorf("got\n%s\nwant\n%s…", message, want)
	}

	client.URL.RawQuery = strings.Repeat("a", 20000)
	r, body = receive(t, client)
	if _, err := newTestVerifier().Verify(r, body, "connect"); !fault.Is(err, fault.InvalidSignature) || len(fault.From(err).Message) > 1000 {
		t.Errorf("a long request comes back in full, or as %v", fault.From(err).Code)
	}
}

func TestRegions(t *testing.T) {
	for region, want := range map[string]bool{
		"us-east-1": true, "ap-southeast-12": true, "us-gov-west-1": true, "us-isob-east-1": true, "mx-central-1": true,
		"": false, "us": false, "us-east": false, "us-1": false, "us-east-": false, "us-east-0": false, "us-east-01": false,
		"us-east-100": false, "US-EAST-1": false, "us--east-1": false, "us-east-1a": false, "-us-east-1": false,
		"us-east-+1": false, "us_east-1": false, "aws-global": false, "u-east-1": false, "us-éast-1": false,
		"us-" + strings.Repeat("a", 40) + "-1": false,
	} {
		if got := isRegion(region); got != want {
			t.Errorf("isRegion(%q) = %t, want %t", region, got, want)
		}
	}
}
