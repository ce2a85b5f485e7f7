package sigv4

import (
	"bytes"
	"net/http"
	"net/url"
	"reflect"
	"testing"
)

// sameRequest reports whether two requests mean the same to a server.
func sameRequest(a, b *http.Request, bodyA, bodyB []byte) bool {
	queryA, errA := url.ParseQuery(a.URL.RawQuery)
	queryB, errB := url.ParseQuery(b.URL.RawQuery)
	return a.Method == b.Method && a.URL.EscapedPath() == b.URL.EscapedPath() && a.Host == b.Host &&
		errA == nil && errB == nil && reflect.DeepEqual(queryA, queryB) &&
		reflect.DeepEqual(a.Header, b.Header) && bytes.Equal(bodyA, bodyB)
}

// TestTampering flips every bit of signed requests, one at a time. A flip may
// pass only when the request still means what was signed, as it does when the
// case of a header's name or of the digits in a %XX changes.
func TestTampering(t *testing.T) {
	const target = "http://localhost:8765/users/i/arn%3Aaws%3Ax%2Fy?tagKeys=b&tagKeys=a+b%2Bc&empty="
	const content = `{"Username":"a"}`
	requests := map[string]func() *http.Request{
		"header": func() *http.Request {
			r := newRequest(t, "PUT", target, content)
			r.Header.Set("Content-Type", "application/json")
			r.Header.Set("X-Amz-Content-Sha256", hashOf(content))
			sign(t, r, testKey, hashOf(content), "connect", "us-east-1")
			return r
		},
		"temporary": func() *http.Request {
			r := newRequest(t, "PUT", target, content)
			sign(t, r, tempKey, hashOf(content), "connect", "us-east-1")
			return r
		},
		"presigned": func() *http.Request {
			return presign(t, newRequest(t, "GET", target+"&X-Amz-Expires=60", ""), tempKey, hashOf(""), "connect", "us-east-1")
		},
		"presigned, open payload": func() *http.Request {
			return presign(t, newRequest(t, "DELETE", target, ""), testKey, unsignedPayload, "connect", "us-east-1")
		},
	}
	for name, request := range requests {
		t.Run(name, func(t *testing.T) {
			client := request()
			client.Header["User-Agent"] = []string{""} // not sent: nobody signs it
			raw := send(t, client)
			v := newTestVerifier()
			r, body, err := parse(raw)
			if err != nil {
				t.Fatal(err)
			}
			if _, err := v.Verify(r, body, "connect"); err != nil {
				t.Fatal(err)
			}
			refused, passed := 0, 0
			for i := range raw {
				for bit := range 8 {
					raw[i] ^= 1 << bit
					if tampered, got, err := parse(raw); err == nil {
						if _, err := v.Verify(tampered, got, "connect"); err != nil {
							refused++
						} else if passed++; !sameRequest(r, tampered, body, got) {
							t.Errorf("passed: %q", raw)
						}
					}
					raw[i] ^= 1 << bit
				}
			}
			if refused < 10*passed {
				t.Errorf("%d changed requests refused, %d passed", refused, passed)
			}
		})
	}
}

// TestAddedBody shows that nothing can be put into the body of a request that
// was signed without one, or with its payload open.
func TestAddedBody(t *testing.T) {
	for _, payload := range []string{hashOf(""), unsignedPayload} {
		client := presign(t, newRequest(t, "POST", "http://localhost/?X-Amz-Expires=60", ""), testKey, payload, "sts", "us-east-1")
		r, body := receive(t, client)
		if _, err := newTestVerifier().Verify(r, body, "sts"); err != nil {
			t.Errorf("%s: %v", payload, err)
		}
		if _, err := newTestVerifier().Verify(r, []byte("Action=AssumeRole"), "sts"); err == nil {
			t.Errorf("%s: a body that was added passed", payload)
		}
	}
}
