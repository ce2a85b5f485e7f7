package sigv4

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"ringdown/internal/fault"
)

// TestPublishedSuite verifies the requests of AWS's "Signature Version 4 test
// suite" (aws-sig-v4-test-suite) that net/http can read. Its requests are for a
// made-up service that encodes a path once; a path sent bare is encoded once
// here too.
func TestPublishedSuite(t *testing.T) {
	const (
		head = "host:example.amazonaws.com\r\nx-amz-date:20150830T123600Z\r\n"
		form = "Content-Type: application/x-www-form-urlencoded\r\n"
	)
	for _, tc := range []struct {
		name, request, headers, body, signed, signature string
	}{
		{"get-vanilla", "GET /", head, "", "host;x-amz-date", "5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31"},
		{"get-vanilla-empty-query-key", "GET /?Param1=value1", head, "", "host;x-amz-date", "a67d582fa61cc504c4bae71f336f98b97f1ea3c7a6bfe1b6e45aec72011b9aeb"},
		{"get-vanilla-query-order-key-case", "GET /?Param2=value2&Param1=value1", head, "", "host;x-amz-date", "b97d918cfa904a5beff61c982a1b6f458b799221646efd99d3219ec94cdf2500"},
		{"get-vanilla-query-unreserved", "GET /?-._~0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz=-._~0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz", head, "", "host;x-amz-date", "9c3e54bfcdf0b19771a7f523ee5669cdf59bc7cc0884027167c21bb143a40197"},
		{"get-vanilla-utf8-query", "GET /?ሴ=bar", head, "", "host;x-amz-date", "2cdec8eed098649ff3a119c94853b13c643bcf08f8b0a1d91e12c9027818dd04"},
		{"get-unreserved", "GET /-._~0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz", head, "", "host;x-amz-date", "07ef7494c76fa4850883e2b006601f940f8a34d404d0cfa977f52a65bbf5f24f"},
		{"get-utf8", "GET /ሴ", head, "", "host;x-amz-date", "8318018e0b0f223aa2bbf98705b62bb787dc9c0e678f255a891fd03141be5d85"},
		{"get-header-key-duplicate", "GET /", head + "My-Header1:value2\r\nMy-Header1:value2\r\nMy-Header1:value1\r\n", "", "host;my-header1;x-amz-date", "c9d5ea9f3f72853aea855b47ea873832890dbdd183b4468f858259531a5138ea"},
		{"get-header-value-order", "GET /", head + "My-Header1:value4\r\nMy-Header1:value1\r\nMy-Header1:value3\r\nMy-Header1:value2\r\n", "", "host;my-header1;x-amz-date", "08c7e5a9acfcfeb3ab6b2185e75ce8b1deb5e634ec47601a50643f830c755c01"},
		{"get-header-value-trim", "GET /", head + "My-Header1: value1\r\nMy-Header2: \"a   b   c\"\r\n", "", "host;my-header1;my-header2;x-amz-date", "acc3ed3afb60bb290fc8d2dd0098b9911fcaa05412b367055dee359757a9c736"},
		{"normalize-path/get-relative", "GET /example/..", head, "", "host;x-amz-date", "5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31"},
		{"normalize-path/get-relative-relative", "GET /example1/example2/../..", head, "", "host;x-amz-date", "5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31"},
		{"normalize-path/get-slash", "GET //", head, "", "host;x-amz-date", "5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31"},
		{"normalize-path/get-slash-dot-slash", "GET /./", head, "", "host;x-amz-date", "5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31"},
		{"normalize-path/get-slash-pointless-dot", "GET /./example", head, "", "host;x-amz-date", "ef75d96142cf21edca26f06005da7988e4f8dc83a165a80865db7089db637ec5"},
		{"normalize-path/get-slashes", "GET //example//", head, "", "host;x-amz-date", "9a624bd73a37c9a373b5312afbebe7a714a789de108f0bdfe846570885f57e84"},
		{"post-vanilla", "POST /", head, "", "host;x-amz-date", "5da7c1a2acd57cee7505fc6676e4e544621c30862966e37dddb68e92efbe5d6b"},
		{"post-vanilla-query", "POST /?Param1=value1", head, "", "host;x-amz-date", "28038455d6de14eafc1f9222cf5aa6f1a96197d7deb8263271d420d138af7f11"},
		{"post-header-key-sort", "POST /", head + "My-Header1:value1\r\n", "", "host;my-header1;x-amz-date", "c5410059b04c1ee005303aed430f6e6645f61f4dc9e1461ec8f8916fdf18852c"},
		{"post-header-value-case", "POST /", head + "My-Header1:VALUE1\r\n", "", "host;my-header1;x-amz-date", "cdbc9802e29d2942e5e10b5bccfdd67c5f22c7c4e8ae67b53629efa58b974b7d"},
		{"post-x-www-form-urlencoded", "POST /", head + form, "Param1=value1", "content-type;host;x-amz-date", "ff11897932ad3f4e8b18135d722051e5ac45fc38421b1da7b9d196a0fe09473a"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			raw := fmt.Sprintf("%s HTTP/1.1\r\n%sContent-Length: %d\r\nAuthorization: AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20150830/us-east-1/service/aws4_request, SignedHeaders=%s, Signature=%s\r\n\r\n%s",
				tc.request, tc.headers, len(tc.body), tc.signed, tc.signature, tc.body)
			r, body, err := parse([]byte(raw))
			if err != nil {
				t.Fatal(err)
			}
			if _, err := newTestVerifier().Verify(r, body, "service"); err != nil {
				t.Error(err)
			}
			r.Header.Set("Authorization", strings.Replace(r.Header.Get("Authorization"), "Signature="+tc.signature[:1], "Signature=g", 1))
			if _, err := newTestVerifier().Verify(r, body, "service"); !fault.Is(err, fault.InvalidSignature) {
				t.Errorf("another signature: got %v, want InvalidSignature", err)
			}
		})
	}
}

// TestUserGuideExample verifies the signature of the IAM User Guide's worked
// example, a GET of IAM's ListUsers with a signed Content-Type.
func TestUserGuideExample(t *testing.T) {
	r, body, err := parse([]byte("GET /?Action=ListUsers&Version=2010-05-08 HTTP/1.1\r\n" +
		"Host: iam.amazonaws.com\r\nContent-Type: application/x-www-form-urlencoded; charset=utf-8\r\nX-Amz-Date: 20150830T123600Z\r\n" +
		"Authorization: AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20150830/us-east-1/iam/aws4_request,SignedHeaders=content-type;host;x-amz-date," +
		"Signature=5d672d79c15b13162d9279b0855cfba6789a8edb4c82c400e06b5924a6f2b5d7\r\n\r\n"))
	if err != nil {
		t.Fatal(err)
	}
	if _, err := newTestVerifier().Verify(r, body, "iam"); err != nil {
		t.Error(err)
	}
}

// TestDateHeader verifies signatures whose date is in a Date header, as in
// AWS's first test suite (2011), whose get-vanilla is the first case.
func TestDateHeader(t *testing.T) {
	date := time.Date(2011, time.September, 9, 23, 36, 0, 0, time.UTC)
	for _, value := range []string{
		"Mon, 09 Sep 2011 23:36:00 GMT",
		"Fri, 09 Sep 2011 23:36:00 GMT",
		"Friday, 09-Sep-11 23:36:00 GMT",
		"Fri Sep  9 23:36:00 2011",
		"Sat, 10 Sep 2011 01:36:00 +0200",
		"20110909T233600Z",
	} {
		t.Run(value, func(t *testing.T) {
			r, body, err := parse([]byte("GET / HTTP/1.1\r\nHost: host.foo.com\r\nDate: " + value + "\r\n\r\n"))
			if err != nil {
				t.Fatal(err)
			}
			c := claim{
				timestamp: "20110909T233600Z", signedHeaders: "date;host",
				scopeDate: "20110909", region: "us-east-1", service: "host", scope: "20110909/us-east-1/host/aws4_request",
			}
			signature := signatureOf(r, body, &c)
			if value == "Mon, 09 Sep 2011 23:36:00 GMT" && signature != "b27ccfbfa7df52a200ff74193ca6e32d4b48b8856fab7ebf1c595d0670a7e470" {
				t.Errorf("signature of the suite's get-vanilla is %s", signature)
			}
			r.Header.Set("Authorization", "AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/"+c.scope+",SignedHeaders=date;host,Signature="+signature)
			v := New(testLookup, at(date))
			if _, err := v.Verify(r, body, "host"); err != nil {
				t.Error(err)
			}
			r.Header.Set("Date", strings.Replace(value, "36", "37", 1))
			if _, err := v.Verify(r, body, "host"); !fault.Is(err, fault.InvalidSignature) {
				t.Errorf("another date: got %v, want InvalidSignature", err)
			}
		})
	}
}
