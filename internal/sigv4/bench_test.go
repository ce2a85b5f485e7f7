package sigv4

import (
	"net/http"
	"strings"
	"testing"
)

// BenchmarkVerify measures requests as the SDKs send them, with a cached key.
func BenchmarkVerify(b *testing.B) {
	headers := func(r *http.Request) {
		r.Header.Set("Content-Type", "application/json")
		r.Header.Set("Amz-Sdk-Invocation-Id", "0e8d1f4c-7f6b-4d8e-9a55-1f2d3c4b5a69")
		r.Header.Set("Amz-Sdk-Request", "attempt=1; max=3")
	}
	header := func(method, target, body, id string) func() *http.Request {
		return func() *http.Request {
			r := newRequest(b, method, target, body)
			headers(r)
			sign(b, r, id, hashOf(body), "connect", "us-east-1")
			return r
		}
	}
	const instance = "http://localhost:8765/users/aaaaaaaa-bbbb-4ccc-8ddd-eeeeeeeeeeee"
	for _, bc := range []struct {
		name    string
		request func() *http.Request
	}{
		{"get", header("GET", instance+"/11111111-2222-4333-8444-555555555555", "", testKey)},
		{"get-session", header("GET", instance+"/11111111-2222-4333-8444-555555555555", "", tempKey)},
		{"put-1k", header("PUT", instance, strings.Repeat("x", 1024), testKey)},
		{"put-64k", header("PUT", instance, strings.Repeat("x", 64<<10), testKey)},
		{"untag-arn", header("DELETE", "http://localhost:8765/tags/arn%3Aaws%3Aconnect%3Aus-east-1%3A123456789012%3Ainstance%2Fi?tagKeys=c&tagKeys=b&tagKeys=a%20b", "", testKey)},
		{"presigned", func() *http.Request {
			return presign(b, newRequest(b, "GET", instance, ""), testKey, hashOf(""), "connect", "us-east-1")
		}},
	} {
		b.Run(bc.name, func(b *testing.B) {
			r, body := receive(b, bc.request())
			v := newTestVerifier()
			b.ReportAllocs()
			for b.Loop() {
				if _, err := v.Verify(r, body, "connect"); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

// BenchmarkRefuse measures what a wrong signature costs, which anybody who
// knows an access key can make the server spend.
func BenchmarkRefuse(b *testing.B) {
	client := newRequest(b, "GET", "http://localhost:8765/users/i", "")
	sign(b, client, testKey, hashOf(""), "connect", "us-east-1")
	client.Method = "DELETE"
	r, body := receive(b, client)
	v := newTestVerifier()
	b.ReportAllocs()
	for b.Loop() {
		if _, err := v.Verify(r, body, "connect"); err == nil {
			b.Fatal("accepted")
		}
	}
}
