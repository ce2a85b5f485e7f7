package sigv4

import (
	"math/rand/v2"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"testing"

	"ringdown/internal/fault"
)

// randomRequest makes a request of the kinds that the SDKs send, and some that
// they do not. The body comes back too.
func randomRequest(t testing.TB, rnd *rand.Rand) (*http.Request, string) {
	t.Helper()
	pick := func(of ...string) string { return of[rnd.IntN(len(of))] }
	text := func() string {
		var b strings.Builder
		for range rnd.IntN(6) {
			b.WriteString(pick("a", "Z", "0", "-", "_", ".", "~", " ", "+", "%", "&", "=", ";", "/", ":", "@", "!", "*", "'", "(", "$", "?", "#", ",", "\"", "<", "|", "é", "ሴ", "📞", "\x00", "\xff"))
		}
		return b.String()
	}

	var path strings.Builder
	for range 1 + rnd.IntN(4) {
		path.WriteByte('/')
		switch rnd.IntN(8) {
		case 0:
			path.WriteString("arn%3Aaws%3Aconnect%3Aus-east-1%3A123456789012%3Ainstance%2Fi%2Fqueue%2Fq")
		case 1:
			path.WriteString("arn:aws:connect:us-east-1:123456789012:instance/i/queue/q")
		case 2:
			path.WriteString(pick("", ".", "..", "%2e%2E", "%2F", "%2f", "%25", "+", "a%20b", "%C3%A9", "~", "$", "@", "a=b&c"))
		case 3:
			path.WriteString(url.QueryEscape(text()))
		default:
			path.WriteString(pick("users", "queues", "aaaaaaaa-bbbb-4ccc-8ddd-eeeeeeeeeeee"))
		}
	}
	if rnd.IntN(4) == 0 {
		path.WriteByte('/')
	}

	query := url.Values{}
	for range rnd.IntN(5) {
		query.Add(pick("tagKeys", "nextToken", "maxResults", "a", "a-b", "a/b", "A", "é", text()), text())
	}

	body := ""
	if rnd.IntN(2) == 0 {
		body = pick("{}", `{"Username":"é"}`, "Action=GetCallerIdentity&Version=2011-06-15", strings.Repeat("x", 5000))
	}
	r := newRequest(t, pick("GET", "PUT", "POST", "DELETE", "PATCH"), "http://"+pick("localhost:8765", "localhost", "[::1]:8765", "connect.us-east-1.amazonaws.com")+path.String(), body)
	r.URL.RawQuery = query.Encode()

	header := func(name string, values ...string) {
		if rnd.IntN(2) == 0 {
			r.Header[name] = values
		}
	}
	header("Content-Type", pick("application/json", "application/x-www-form-urlencoded; charset=utf-8"))
	header("Amz-Sdk-Invocation-Id", "0e8d1f4c-7f6b-4d8e-9a55-1f2d3c4b5a69")
	header("Amz-Sdk-Request", pick("attempt=1; max=3", " attempt=1;   max=3  "))
	header("X-Amz-Content-Sha256", hashOf(body))
	header("X-Custom", "b", " a  a ", "", "c   ")
	header("X-Empty", "")
	header("X-"+strings.Repeat("Long-", 20)+"Name", "v") // longer than a key's buffer
	return r, body
}

func seed(t testing.TB) *rand.Rand {
	t.Helper()
	n := rand.Uint64()
	t.Logf("seed %d", n)
	return rand.New(rand.NewPCG(n, 0))
}

// TestAgainstSDK verifies what the AWS SDK's own signer signs, in both forms.
func TestAgainstSDK(t *testing.T) {
	rnd := seed(t)
	v := newTestVerifier()
	for range 2000 {
		id := []string{testKey, tempKey}[rnd.IntN(2)]
		service := []string{"connect", "sts"}[rnd.IntN(2)]
		region := []string{"us-east-1", "eu-central-1", "us-gov-west-1", "ap-southeast-12"}[rnd.IntN(4)]

		client, body := randomRequest(t, rnd)
		if rnd.IntN(2) == 0 {
			sign(t, client, id, hashOf(body), service, region)
		} else {
			payload := hashOf(body)
			if body == "" && client.Header.Get("X-Amz-Content-Sha256") == "" && rnd.IntN(2) == 0 {
				payload = unsignedPayload
			}
			if rnd.IntN(2) == 0 {
				client.URL.RawQuery += "&X-Amz-Expires=" + strconv.Itoa(1+rnd.IntN(maxExpires))
			}
			client = presign(t, client, id, payload, service, region)
		}
		raw := send(t, client)
		r, got, err := parse(raw)
		if err != nil {
			t.Fatalf("%v\n%q", err, raw)
		}
		identity, err := v.Verify(r, got, "connect", "sts")
		if err != nil {
			t.Fatalf("%v\n%q", err, raw)
		}
		if identity.AccessKeyID != id || identity.Service != service || identity.Region != region {
			t.Fatalf("got %+v, want %s, %s, %s", identity, id, service, region)
		}
	}
}

// TestBotocore verifies requests that botocore 1.43.11 (AWS CLI, boto3) signed.
func TestBotocore(t *testing.T) {
	for _, tc := range []struct{ method, target, body, signature string }{
		{"GET", "/users//i/./x/..", "", "fdd7c7f8660d71a2a62334103c409cf261971a9a0adaf99d5d2223d1d5b361ec"},
		{"GET", "/tags/arn%3Aaws%3Aconnect%3Aus-east-1%3A123456789012%3Ainstance%2Fi?tagKeys=b%20c&tagKeys=a%2Bb&tagKeys=", "", "4ef42551d4f0ea3c5e1f43c6ff0fdc13200a90f8018bb40c852ddac84ecc8f70"},
		{"PUT", "/users/%C3%A9", "{}", "ba264946aad861374d97314d9c3fed03c8168aa47f1032481f88a79c575bced5"},
		{"GET", "/users//i?a=%C3%A9&X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Credential=AKIDEXAMPLE%2F20150830%2Fus-east-1%2Fconnect%2Faws4_request&X-Amz-Date=20150830T123600Z&X-Amz-Expires=60&X-Amz-SignedHeaders=host&X-Amz-Signature=b3faee0f8d556779bddbe2970655c293c4a851d7a396799de6479ccb89f96f69", "", ""},
	} {
		t.Run(tc.method+" "+tc.target, func(t *testing.T) {
			client := newRequest(t, tc.method, "http://localhost:8765"+tc.target, tc.body)
			if tc.signature != "" {
				client.Header.Set("X-Amz-Date", "20150830T123600Z")
				client.Header.Set("X-Spaces", "a b   c")
				client.Header.Set("Authorization", "AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20150830/us-east-1/connect/aws4_request, SignedHeaders=host;x-amz-date;x-spaces, Signature="+tc.signature)
			}
			r, body := receive(t, client)
			if _, err := newTestVerifier().Verify(r, body, "connect"); err != nil {
				t.Error(err)
			}
			r.Host = "localhost"
			if _, err := newTestVerifier().Verify(r, body, "connect"); !fault.Is(err, fault.InvalidSignature) {
				t.Errorf("another host: got %v, want InvalidSignature", err)
			}
		})
	}
}

// TestRedundantSegments verifies paths as other signers sign them: botocore and
// @smithy/signature-v4 (JavaScript) remove redundant segments from the path that
// they sign, and send it as it is.
func TestRedundantSegments(t *testing.T) {
	for _, tc := range []struct{ sent, signed string }{
		{"/users//i", "/users/i"},
		{"//users/i//", "/users/i/"},
		{"/users/./i", "/users/i"},
		{"/users/i/.", "/users/i"},
		{"/users/x/../i", "/users/i"},
		{"/users/i/..", "/users"},
		{"/../..", "/"},
		{"/users//i", "/users//i"},
		{"/users/x/../i", "/users/x/../i"},
	} {
		t.Run(tc.sent+" as "+tc.signed, func(t *testing.T) {
			client := newRequest(t, "GET", "http://localhost"+tc.signed, "")
			sign(t, client, testKey, hashOf(""), "connect", "us-east-1")
			client.URL.Path = tc.sent
			r, body := receive(t, client)
			if _, err := newTestVerifier().Verify(r, body, "connect"); err != nil {
				t.Error(err)
			}
		})
	}
	for _, tc := range []struct{ sent, signed string }{
		{"/users/i", "/users//i"},
		{"/users/x/../i", "/users/x/i"},
		{"/users/i/", "/users/i"},
		{"/users/...", "/users"},
		{"/users/%2E%2E/i", "/i"},
	} {
		t.Run(tc.sent+" not as "+tc.signed, func(t *testing.T) {
			client := newRequest(t, "GET", "http://localhost"+tc.signed, "")
			sign(t, client, testKey, hashOf(""), "connect", "us-east-1")
			sent, err := url.Parse(tc.sent)
			if err != nil {
				t.Fatal(err)
			}
			client.URL.Path, client.URL.RawPath = sent.Path, sent.RawPath
			r, body := receive(t, client)
			if _, err := newTestVerifier().Verify(r, body, "connect"); !fault.Is(err, fault.InvalidSignature) {
				t.Errorf("got %v, want InvalidSignature", err)
			}
		})
	}
}

func TestRequestPath(t *testing.T) {
	for target, want := range map[string]string{
		"http://localhost":                   "/",
		"/":                                  "/",
		"/a%2Fb/c%3ad":                       "/a%2Fb/c%3ad",
		"/arn:aws:connect:us-east-1:1:i/x":   "/arn:aws:connect:us-east-1:1:i/x",
		"/é":                                 "/é",
		"/%C3%A9":                            "/%C3%A9",
		"//a/./b":                            "//a/./b",
		"http://localhost/a%20b?c=d":         "/a%20b",
		"/%7Eunreserved%2D":                  "/%7Eunreserved%2D",
		"/sub-delims!$&'()*+,;=:@/%21%24%26": "/sub-delims!$&'()*+,;=:@/%21%24%26",
	} {
		u, err := url.ParseRequestURI(target)
		if err != nil {
			t.Fatal(err)
		}
		if got := requestPath(u); got != want {
			t.Errorf("requestPath(%q) = %q, want %q", target, got, want)
		}
	}
}
