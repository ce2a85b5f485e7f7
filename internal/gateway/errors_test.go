package gateway_test

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"ringdown/internal/contract"
	"ringdown/internal/server/servertest"
)

var uuid = regexp.MustCompile(`^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$`)

// send sends a request and checks what every answer of the API has.
func send(t testing.TB, r *http.Request) (*http.Response, string) {
	t.Helper()
	resp, err := http.DefaultClient.Do(r)
	if err != nil {
		t.Fatal(err)
	}
	body := text(t, resp)
	if id := resp.Header.Get("x-amzn-RequestId"); !uuid.MatchString(id) {
		t.Errorf("x-amzn-RequestId is %q, want a UUID", id)
	}
	if got := resp.Header.Get("Access-Control-Allow-Origin"); got != "*" {
		t.Errorf("Access-Control-Allow-Origin is %q", got)
	}
	if got := resp.Header.Get("Access-Control-Expose-Headers"); got != "x-amzn-RequestId,x-amzn-ErrorType" {
		t.Errorf("Access-Control-Expose-Headers is %q", got)
	}
	return resp, body
}

// request makes an unsigned request to a server.
func request(t testing.TB, method, url, body string) *http.Request {
	t.Helper()
	r, err := http.NewRequestWithContext(context.Background(), method, url, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// TestGatewayErrors goes through what is refused before an operation is
// reached (AWS "Common Errors"; Signature Version 4 troubleshooting).
func TestGatewayErrors(t *testing.T) {
	s := servertest.Boot(t)
	list := s.URL + "/users-summary/" + instance
	root := func(r *http.Request, body, service, region string, at time.Time) *http.Request {
		sign(t, r, body, s.Root.AccessKeyID, s.Root.SecretAccessKey, service, region, at)
		return r
	}
	now := time.Now()
	for _, c := range []struct {
		name    string
		request func() *http.Request
		status  int
		code    string
		message string
	}{
		{"no Authorization", func() *http.Request {
			return request(t, "GET", list, "")
		}, 403, "MissingAuthenticationTokenException", "Missing Authentication Token"},
		{"another scheme", func() *http.Request {
			r := request(t, "GET", list, "")
			r.SetBasicAuth("mary", "major")
			return r
		}, 403, "MissingAuthenticationTokenException", "Missing Authentication Token"},
		{"unknown key", func() *http.Request {
			r := request(t, "GET", list, "")
			sign(t, r, "", "AKIANOSUCHKEY0000000", "secret", "connect", "us-east-1", now)
			return r
		}, 403, "UnrecognizedClientException", "The security token included in the request is invalid."},
		{"session token of a key that has none", func() *http.Request {
			r := request(t, "GET", list, "")
			r.Header.Set("X-Amz-Security-Token", "a-token")
			return root(r, "", "connect", "us-east-1", now)
		}, 403, "UnrecognizedClientException", "The security token included in the request is invalid."},
		{"wrong secret", func() *http.Request {
			r := request(t, "GET", list, "")
			sign(t, r, "", s.Root.AccessKeyID, "another secret", "connect", "us-east-1", now)
			return r
		}, 403, "InvalidSignatureException", "The request signature we calculated does not match the signature you provided. Check your AWS Secret Access Key and signing method."},
		{"path changed after signing", func() *http.Request {
			r := root(request(t, "GET", list, ""), "", "connect", "us-east-1", now)
			r.URL.Path += "0"
			return r
		}, 403, "InvalidSignatureException", "The request signature we calculated does not match"},
		{"query changed after signing", func() *http.Request {
			r := root(request(t, "GET", list+"?maxResults=1", ""), "", "connect", "us-east-1", now)
			r.URL.RawQuery = "maxResults=2"
			return r
		}, 403, "InvalidSignatureException", "The request signature we calculated does not match"},
		{"body changed after signing", func() *http.Request {
			r := request(t, "PUT", s.URL+"/users/"+instance, `{"Username":"mary"}`)
			return root(r, `{"Username":"john"}`, "connect", "us-east-1", now)
		}, 403, "InvalidSignatureException", ""},
		{"signed an hour ago", func() *http.Request {
			return root(request(t, "GET", list, ""), "", "connect", "us-east-1", now.Add(-time.Hour))
		}, 403, "InvalidSignatureException", "Signature expired: "},
		{"signed in the future", func() *http.Request {
			return root(request(t, "GET", list, ""), "", "connect", "us-east-1", now.Add(time.Hour))
		}, 403, "InvalidSignatureException", "Signature not yet current: "},
		{"malformed Authorization", func() *http.Request {
			r := root(request(t, "GET", list, ""), "", "connect", "us-east-1", now)
			r.Header.Set("Authorization", "AWS4-HMAC-SHA256 Credential=nothing")
			return r
		}, 403, "IncompleteSignatureException", "Signature"},
		{"another service", func() *http.Request {
			return root(request(t, "GET", list, ""), "", "ec2", "us-east-1", now)
		}, 403, "InvalidSignatureException", "Credential should be scoped to correct service: 'connect'."},
		{"no region", func() *http.Request {
			return root(request(t, "GET", list, ""), "", "connect", "nowhere", now)
		}, 403, "InvalidSignatureException", "Credential should be scoped to a valid region"},
		{"no such route", func() *http.Request {
			return root(request(t, "GET", s.URL+"/no/such/route", ""), "", "connect", "us-east-1", now)
		}, 404, "UnknownOperationException", "No operation of Amazon Connect is at GET /no/such/route."},
		{"no such route, unsigned", func() *http.Request {
			return request(t, "GET", s.URL+"/no/such/route", "")
		}, 404, "UnknownOperationException", "No operation of Amazon Connect"},
		{"no such method", func() *http.Request {
			return root(request(t, "PATCH", list, ""), "", "connect", "us-east-1", now)
		}, 404, "UnknownOperationException", "No operation of Amazon Connect is at PATCH "},
		{"malformed query", func() *http.Request {
			r := request(t, "GET", list, "")
			r.URL.RawQuery = "maxResults=%zz"
			return r
		}, 400, "MalformedHttpRequestException", "The query string is malformed."},
		{"announced body too large", func() *http.Request {
			r := request(t, "PUT", s.URL+"/users/"+instance, strings.Repeat("x", 4<<20+1))
			r.Header.Set("Expect", "100-continue")
			return r
		}, 413, "RequestEntityTooLargeException", "The request body is larger than 4194304 bytes."},
	} {
		t.Run(c.name, func(t *testing.T) {
			resp, body := send(t, c.request())
			var told struct{ Message string }
			if err := json.Unmarshal([]byte(body), &told); err != nil {
				t.Fatalf("%v: %s", err, body)
			}
			if resp.StatusCode != c.status || resp.Header.Get("x-amzn-ErrorType") != c.code || !strings.Contains(told.Message, c.message) || told.Message == "" {
				t.Errorf("%d %s %s, want %d %s %s", resp.StatusCode, resp.Header.Get("x-amzn-ErrorType"), body, c.status, c.code, c.message)
			}
			if got := resp.Header.Get("Content-Type"); got != "application/json" {
				t.Errorf("Content-Type is %q", got)
			}
			if strings.Contains(body, s.Root.SecretAccessKey) {
				t.Errorf("the secret is in the answer: %s", body)
			}
		})
	}
}

// TestBodyOnTheWire: bodies that no HTTP client library sends.
func TestBodyOnTheWire(t *testing.T) {
	s := servertest.Boot(t)
	for _, c := range []struct {
		name, headers, body string
		want                string
	}{
		{"shorter than announced", "Content-Length: 100\r\n", "{}", "MalformedHttpRequestException"},
		{"too large and not announced", "Transfer-Encoding: chunked\r\n", fmt.Sprintf("%x\r\n%s\r\n0\r\n\r\n", 4<<20+1, strings.Repeat("x", 4<<20+1)), "RequestEntityTooLargeException"},
	} {
		t.Run(c.name, func(t *testing.T) {
			conn, err := net.Dial("tcp", strings.TrimPrefix(s.URL, "http://"))
			if err != nil {
				t.Fatal(err)
			}
			defer conn.Close()
			if _, err := io.WriteString(conn, "PUT /users/"+instance+" HTTP/1.1\r\nHost: localhost\r\n"+c.headers+"\r\n"+c.body); err != nil {
				t.Fatal(err)
			}
			if err := conn.(*net.TCPConn).CloseWrite(); err != nil {
				t.Fatal(err)
			}
			resp, err := http.ReadResponse(bufio.NewReader(conn), nil)
			if err != nil {
				t.Fatal(err)
			}
			body := text(t, resp)
			if got := resp.Header.Get("x-amzn-ErrorType"); got != c.want {
				t.Errorf("%s %s, want %s", resp.Status, body, c.want)
			}
		})
	}
}

// TestPreflight: browsers ask before they send, and without credentials.
func TestPreflight(t *testing.T) {
	s := servertest.Boot(t)
	for _, path := range []string{"/users/" + instance, "/", "/participant/message", "/no/such/route"} {
		r := request(t, http.MethodOptions, s.URL+path, "")
		r.Header.Set("Origin", "https://agent.example.com")
		r.Header.Set("Access-Control-Request-Method", "PUT")
		resp, body := send(t, r)
		if resp.StatusCode != http.StatusOK || body != "" {
			t.Errorf("OPTIONS %s: %d %q", path, resp.StatusCode, body)
		}
		for header, words := range map[string][]string{
			"Access-Control-Allow-Methods": {"GET", "PUT", "POST", "DELETE"},
			"Access-Control-Allow-Headers": {"Authorization", "Content-Type", "X-Amz-Date", "X-Amz-Security-Token", "X-Amz-Bearer", "X-Amz-User-Agent", "Amz-Sdk-Invocation-Id", "Amz-Sdk-Request"},
		} {
			allowed := strings.Split(resp.Header.Get(header), ",")
			for _, word := range words {
				if !slices.Contains(allowed, word) {
					t.Errorf("OPTIONS %s: %s lacks %s: %s", path, header, word, allowed)
				}
			}
		}
	}
}

// TestUnserved: operations that this release lacks say so, and are counted.
func TestUnserved(t *testing.T) {
	s := servertest.Boot(t)
	api, err := contract.Load()
	if err != nil {
		t.Fatal(err)
	}
	var missing *contract.Operation
	for _, op := range api.Service("Connect").Operations() {
		if !slices.Contains(s.Served, op.Name) {
			missing = op
			break
		}
	}
	if missing == nil {
		t.Skip("the server serves all of Amazon Connect")
	}
	path := regexp.MustCompile(`\{[^}]+\}`).ReplaceAllString(missing.URI, instance)
	r := request(t, missing.Method, s.URL+path, "")
	sign(t, r, "", s.Root.AccessKeyID, s.Root.SecretAccessKey, "connect", "us-east-1", time.Now())
	resp, body := send(t, r)
	want := `{"Message":"` + missing.Name + ` is not served by this release of ringdown."}`
	if resp.StatusCode != http.StatusNotImplemented || resp.Header.Get("x-amzn-ErrorType") != "NotImplementedException" || body != want {
		t.Errorf("%s: %d %s, want 501 %s", missing.Name, resp.StatusCode, body, want)
	}
	// Without a signature nobody learns even that.
	if resp, body := send(t, request(t, missing.Method, s.URL+path, "")); resp.StatusCode != http.StatusForbidden {
		t.Errorf("%s unsigned: %d %s", missing.Name, resp.StatusCode, body)
	}

	metrics, err := http.Get(s.URL + "/-/metrics")
	if err != nil {
		t.Fatal(err)
	}
	page := text(t, metrics)
	for _, line := range []string{
		`ringdown_api_unserved_total{operation="` + missing.Name + `"} 1`,
		`ringdown_api_requests_total{operation="` + missing.Name + `",status="501"} 1`,
		`ringdown_api_requests_total{operation="` + missing.Name + `",status="403"} 1`,
		fmt.Sprintf(`ringdown_api_operations_served %d`, len(s.Served)),
	} {
		if !strings.Contains(page, line+"\n") {
			t.Errorf("the metrics lack %s", line)
		}
	}
}
