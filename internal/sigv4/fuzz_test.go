package sigv4

import (
	"errors"
	"strings"
	"testing"

	"ringdown/internal/fault"
)

// FuzzAuthorization shows that an Authorization header is refused with a fault
// of the right kind, or else taken apart without loss.
func FuzzAuthorization(f *testing.F) {
	for _, s := range []string{
		"",
		"AWS4-HMAC-SHA256",
		"AWS4-HMAC-SHA256 Credential=a/20150830/us-east-1/connect/aws4_request, SignedHeaders=host;x-amz-date, Signature=5f",
		"AWS4-HMAC-SHA256 Signature=5f,Credential=a/b/c/d/e,SignedHeaders=host",
		" AWS4-HMAC-SHA256\tCredential=a,,Signature = b",
		"AWS4-HMAC-SHA256 Credential==,Signature=,Signature=,SignedHeaders=\"a\"",
		"AWS AKID:c2ln",
		"Bearer eyJ",
	} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, header string) {
		a, err := parseAuthorization(header)
		if err != nil {
			if !fault.Is(err, fault.IncompleteSignature) && !fault.Is(err, fault.MissingAuthenticationToken) {
				t.Errorf("%q: %v", header, err)
			}
			return
		}
		again, err := parseAuthorization(algorithm + " Signature=" + a.signature + ",\tCredential=" + a.credential + ",SignedHeaders=" + a.signedHeaders)
		if err != nil || again != a {
			t.Errorf("%q is %+v, and that is %+v, %v", header, a, again, err)
		}
		if strings.ContainsAny(a.credential+a.signedHeaders+a.signature, ", \t") {
			t.Errorf("%q: a value of %+v reaches too far", header, a)
		}
	})
}

// FuzzVerify shows that no request that strangers make up is accepted, not even
// one that names a known key, or crashes the server; and that every refusal is a
// fault that a client may see, without a secret in it.
func FuzzVerify(f *testing.F) {
	const good = "AWS4-HMAC-SHA256 Credential=" + testKey + "/20150830/us-east-1/connect/aws4_request, SignedHeaders=host;x-amz-date, Signature=5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31"
	for _, seed := range []struct{ target, headers, body string }{
		{"/", "Authorization: " + good + "\r\nX-Amz-Date: 20150830T123600Z\r\n", ""},
		{"/a//b/../%2e?a=b&a=%C3%A9+c&=&d", "Authorization: " + good + "\r\nDate: Sun, 30 Aug 2015 12:36:00 GMT\r\nX-Amz-Content-Sha256: UNSIGNED-PAYLOAD\r\n", "{}"},
		{"/?X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Credential=" + tempKey + "%2F20150830%2Fus-east-1%2Fconnect%2Faws4_request&X-Amz-Date=20150830T123600Z&X-Amz-SignedHeaders=host&X-Amz-Signature=00&X-Amz-Expires=9", "", ""},
		{"/é ?;", "X-Amz-Security-Token: x\r\n", ""},
	} {
		f.Add("GET", seed.target, "Host: localhost\r\n"+seed.headers, seed.body)
	}
	f.Fuzz(func(t *testing.T, method, target, headers, body string) {
		r, _, err := parse([]byte(method + " " + target + " HTTP/1.1\r\n" + headers + "\r\n"))
		if err != nil {
			return
		}
		identity, err := newTestVerifier().Verify(r, []byte(body), "connect", "service")
		if err == nil {
			t.Fatalf("accepted as %+v", identity)
		}
		visible, ok := errors.AsType[*fault.Error](err)
		if !ok {
			t.Fatalf("%v is no fault", err)
		}
		if strings.Contains(visible.Message, testSecret) || strings.Contains(visible.Message, tempToken) {
			t.Errorf("a secret is in %s", visible.Message)
		}
	})
}

// FuzzQuery shows that the canonical query is a fixed point and keeps the
// meaning of the query.
func FuzzQuery(f *testing.F) {
	for _, s := range []string{"", "a=b", "b=2&a=1&a=0&a", "a-b=1&a=2&A=3", "%61=%2B+%20&&=&==", "é=%C3%A9", "a=%zz", "a;b", "X-Amz-Signature=1"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, raw string) {
		checkQuery(t, raw)
	})
}
