package sigv4

import (
	"bufio"
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	v4 "github.com/aws/aws-sdk-go-v2/aws/signer/v4"

	"ringdown/internal/fault"
)

const (
	testKey    = "AKIDEXAMPLE"
	testSecret = "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY"
	// tempKey signs with testSecret too, and must send tempToken.
	tempKey   = "ASIDEXAMPLE"
	tempToken = "IQoJb3JpZ2luX2VjEXAMPLE//////////wEaCXVzLWVhc3QtMSJHMEUCIQ=="
)

// testTime is the date of AWS's published signing examples.
var testTime = time.Date(2015, time.August, 30, 12, 36, 0, 0, time.UTC)

func testLookup(_ context.Context, id, _ string) (Credential, error) {
	switch id {
	case testKey:
		return Credential{AccessKeyID: id, SecretAccessKey: testSecret}, nil
	case tempKey:
		return Credential{AccessKeyID: id, SecretAccessKey: testSecret, SessionToken: tempToken, Expires: testTime.Add(time.Hour)}, nil
	}
	return Credential{}, UnknownKey()
}

func at(t time.Time) func() time.Time { return func() time.Time { return t } }

func newTestVerifier() *Verifier { return New(testLookup, at(testTime)) }

// parse reads a request as net/http's server does.
func parse(raw []byte) (*http.Request, []byte, error) {
	r, err := http.ReadRequest(bufio.NewReader(bytes.NewReader(raw)))
	if err != nil {
		return nil, nil, err
	}
	body, err := io.ReadAll(r.Body)
	return r, body, err
}

// send writes a client's request and returns its bytes.
func send(t testing.TB, r *http.Request) []byte {
	t.Helper()
	if r.GetBody != nil { // it may have been sent before
		body, err := r.GetBody()
		if err != nil {
			t.Fatal(err)
		}
		r.Body = body
	}
	var b bytes.Buffer
	if err := r.Write(&b); err != nil {
		t.Fatal(err)
	}
	return b.Bytes()
}

// receive is what the server sees of a client's request.
func receive(t testing.TB, r *http.Request) (*http.Request, []byte) {
	t.Helper()
	got, body, err := parse(send(t, r))
	if err != nil {
		t.Fatal(err)
	}
	return got, body
}

func newRequest(t testing.TB, method, url, body string) *http.Request {
	t.Helper()
	r, err := http.NewRequestWithContext(context.Background(), method, url, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func hashOf(body string) string {
	sum := sha256.Sum256([]byte(body))
	return hex.EncodeToString(sum[:])
}

func credentials(id string) aws.Credentials {
	c := aws.Credentials{AccessKeyID: id, SecretAccessKey: testSecret}
	if id == tempKey {
		c.SessionToken = tempToken
	}
	return c
}

// sign signs r in its header with the AWS SDK's signer.
func sign(t testing.TB, r *http.Request, id, payloadHash, service, region string) {
	t.Helper()
	if err := v4.NewSigner().SignHTTP(context.Background(), credentials(id), r, payloadHash, service, region, testTime); err != nil {
		t.Fatal(err)
	}
}

// presign returns what a client sends that was given a presigned form of r.
func presign(t testing.TB, r *http.Request, id, payloadHash, service, region string) *http.Request {
	t.Helper()
	uri, header, err := v4.NewSigner().PresignHTTP(context.Background(), credentials(id), r, payloadHash, service, region, testTime)
	if err != nil {
		t.Fatal(err)
	}
	var body io.Reader
	if r.Body != nil {
		body = r.Body
	}
	p, err := http.NewRequestWithContext(context.Background(), r.Method, uri, body)
	if err != nil {
		t.Fatal(err)
	}
	p.ContentLength = r.ContentLength
	p.Host = r.Host
	for name, values := range header {
		if name != "Host" && name != "Content-Length" {
			p.Header[name] = values
		}
	}
	return p
}

func TestIdentity(t *testing.T) {
	v := newTestVerifier()
	for _, id := range []string{testKey, tempKey} {
		want := Identity{AccessKeyID: id, SessionToken: credentials(id).SessionToken, Region: "eu-central-1", Service: "connect", SignedAt: testTime}
		client := newRequest(t, "PUT", "http://localhost:8765/users/i", `{"Username":"a"}`)
		sign(t, client, id, hashOf(`{"Username":"a"}`), "connect", "eu-central-1")
		r, body := receive(t, client)
		for range 2 { // the second time with a cached key
			if got, err := v.Verify(r, body, "sts", "connect"); err != nil || got != want {
				t.Errorf("%s: got %+v, %v; want %+v", id, got, err, want)
			}
		}

		want.Presigned = true
		client = presign(t, newRequest(t, "GET", "http://localhost:8765/users/i", ""), id, hashOf(""), "connect", "eu-central-1")
		r, body = receive(t, client)
		if got, err := v.Verify(r, body, "connect"); err != nil || got != want {
			t.Errorf("%s presigned: got %+v, %v; want %+v", id, got, err, want)
		}
	}
}

// TestLookupErrors shows that what a Lookup returns reaches the caller as it is,
// and that a credential without a secret opens nothing.
func TestLookupErrors(t *testing.T) {
	client := newRequest(t, "GET", "http://localhost/users/i", "")
	noSecret := aws.Credentials{AccessKeyID: "AKIDNOSECRET", SecretAccessKey: ""}
	err := v4.NewSigner().SignHTTP(context.Background(), noSecret, client, hashOf(""), "connect", "us-east-1", testTime)
	if err != nil {
		t.Fatal(err)
	}
	r, body := receive(t, client)

	broken := errors.New("database is gone")
	v := New(func(context.Context, string, string) (Credential, error) { return Credential{}, broken }, at(testTime))
	if _, err := v.Verify(r, body, "connect"); !errors.Is(err, broken) {
		t.Errorf("got %v, want the lookup's error", err)
	}
	v = New(func(_ context.Context, id, _ string) (Credential, error) { return Credential{AccessKeyID: id}, nil }, at(testTime))
	if _, err := v.Verify(r, body, "connect"); err == nil || fault.From(err).Code != fault.InternalService {
		t.Errorf("got %v for a credential without a secret, want an internal error", err)
	}
}

// TestRotatedSecret shows that a cached key dies with its secret.
func TestRotatedSecret(t *testing.T) {
	secret := testSecret
	v := New(func(_ context.Context, id, _ string) (Credential, error) {
		return Credential{AccessKeyID: id, SecretAccessKey: secret}, nil
	}, at(testTime))
	client := newRequest(t, "GET", "http://localhost/users/i", "")
	sign(t, client, testKey, hashOf(""), "connect", "us-east-1")
	r, body := receive(t, client)
	if _, err := v.Verify(r, body, "connect"); err != nil {
		t.Fatal(err)
	}
	secret = "another"
	if _, err := v.Verify(r, body, "connect"); !fault.Is(err, fault.InvalidSignature) {
		t.Errorf("got %v after the secret changed, want InvalidSignature", err)
	}
}

func TestDates(t *testing.T) {
	header := newRequest(t, "GET", "http://localhost/users/i", "")
	sign(t, header, testKey, hashOf(""), "connect", "us-east-1")
	presigned := presign(t, newRequest(t, "GET", "http://localhost/users/i", ""), testKey, hashOf(""), "connect", "us-east-1")
	hour := presign(t, newRequest(t, "GET", "http://localhost/users/i?X-Amz-Expires=3600", ""), testKey, hashOf(""), "connect", "us-east-1")
	week := presign(t, newRequest(t, "GET", "http://localhost/users/i?X-Amz-Expires=604800", ""), testKey, hashOf(""), "connect", "us-east-1")

	for _, tc := range []struct {
		name   string
		client *http.Request
		after  time.Duration // the server's clock, relative to the signature's date
		want   string        // message; "" for accepted
	}{
		{"header, 5 min. old", header, 5 * time.Minute, ""},
		{"header, older", header, 5*time.Minute + time.Second, "Signature expired: 20150830T123600Z is now earlier than 20150830T123601Z (20150830T124101Z - 5 min.)"},
		{"header, 5 min. early", header, -5 * time.Minute, ""},
		{"header, earlier", header, -5*time.Minute - time.Second, "Signature not yet current: 20150830T123600Z is still later than 20150830T123559Z (20150830T123059Z + 5 min.)"},
		{"presigned without expiry, 5 min. old", presigned, 5 * time.Minute, ""},
		{"presigned without expiry, older", presigned, 5*time.Minute + time.Second, "Signature expired: 20150830T123600Z is now earlier than 20150830T123601Z (20150830T124101Z - 5 min.)"},
		{"hour, at its end", hour, time.Hour, ""},
		{"hour, after", hour, time.Hour + time.Second, "Signature expired: 20150830T123600Z is now earlier than 20150830T123601Z (20150830T133601Z - 3600 sec.)"},
		{"hour, 5 min. early", hour, -5 * time.Minute, ""},
		{"hour, earlier", hour, -5*time.Minute - time.Second, "Signature not yet current: 20150830T123600Z is still later than 20150830T123559Z (20150830T123059Z + 5 min.)"},
		{"week, at its end", week, 7 * 24 * time.Hour, ""},
		{"week, after", week, 7*24*time.Hour + time.Second, "Signature expired: 20150830T123600Z is now earlier than 20150830T123601Z (20150906T123601Z - 604800 sec.)"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			r, body := receive(t, tc.client)
			// A zone that is not UTC must not show.
			now := testTime.Add(tc.after).In(time.FixedZone("", 9000))
			_, err := New(testLookup, at(now)).Verify(r, body, "connect")
			if tc.want == "" {
				if err != nil {
					t.Error(err)
				}
				return
			}
			if !fault.Is(err, fault.InvalidSignature) || fault.From(err).Message != tc.want {
				t.Errorf("got  %v\nwant %s", err, tc.want)
			}
		})
	}
}

func TestSessions(t *testing.T) {
	const invalid, expired = "The security token included in the request is invalid.", "The security token included in the request is expired"
	for _, tc := range []struct {
		name  string
		id    string
		token string
		after time.Duration
		code  fault.Code
		want  string
	}{
		{"temporary", tempKey, tempToken, 0, "", ""},
		{"temporary without token", tempKey, "", 0, fault.UnrecognizedClient, invalid},
		{"temporary with another token", tempKey, strings.ToLower(tempToken), 0, fault.UnrecognizedClient, invalid},
		{"temporary with part of the token", tempKey, tempToken[:10], 0, fault.UnrecognizedClient, invalid},
		{"long-lived with a token", testKey, tempToken, 0, fault.UnrecognizedClient, invalid},
		{"temporary, just valid", tempKey, tempToken, time.Hour - time.Second, "", ""},
		{"temporary, just expired", tempKey, tempToken, time.Hour, fault.ExpiredToken, expired},
		{"expired and another token", tempKey, "x", time.Hour, fault.UnrecognizedClient, invalid},
		{"unknown", "AKIDUNKNOWN", "", 0, fault.UnrecognizedClient, invalid},
	} {
		t.Run(tc.name, func(t *testing.T) {
			now := testTime.Add(tc.after)
			creds := aws.Credentials{AccessKeyID: tc.id, SecretAccessKey: testSecret, SessionToken: tc.token}
			header := newRequest(t, "GET", "http://localhost/users/i", "")
			if err := v4.NewSigner().SignHTTP(context.Background(), creds, header, hashOf(""), "connect", "us-east-1", now); err != nil {
				t.Fatal(err)
			}
			uri, _, err := v4.NewSigner().PresignHTTP(context.Background(), creds, newRequest(t, "GET", "http://localhost/users/i", ""), hashOf(""), "connect", "us-east-1", now)
			if err != nil {
				t.Fatal(err)
			}
			for form, client := range map[string]*http.Request{"header": header, "presigned": newRequest(t, "GET", uri, "")} {
				r, body := receive(t, client)
				_, err := New(testLookup, at(now)).Verify(r, body, "connect")
				switch {
				case tc.code == "" && err != nil:
					t.Errorf("%s: %v", form, err)
				case tc.code != "" && (!fault.Is(err, tc.code) || fault.From(err).Message != tc.want):
					t.Errorf("%s: got %v, want %s: %s", form, err, tc.code, tc.want)
				}
			}
		})
	}
}

// TestLookupByToken: a lookup is given the token of either form, and may find a
// credential by it alone; but for the signature nothing else decides.
func TestLookupByToken(t *testing.T) {
	var got []string
	lookup := func(_ context.Context, id, token string) (Credential, error) {
		got = append(got, id+" "+token)
		return Credential{AccessKeyID: id, SecretAccessKey: testSecret, SessionToken: token}, nil
	}
	for _, id := range []string{testKey, tempKey} {
		got = nil
		header := newRequest(t, "GET", "http://localhost/users/i", "")
		sign(t, header, id, hashOf(""), "connect", "us-east-1")
		presigned := presign(t, newRequest(t, "GET", "http://localhost/users/i", ""), id, hashOf(""), "connect", "us-east-1")
		for _, client := range []*http.Request{header, presigned} {
			r, body := receive(t, client)
			identity, err := New(lookup, at(testTime)).Verify(r, body, "connect")
			if err != nil || identity.SessionToken != credentials(id).SessionToken {
				t.Errorf("%s: %+v, %v", id, identity, err)
			}
		}
		want := id + " " + credentials(id).SessionToken
		if len(got) != 2 || got[0] != want || got[1] != want {
			t.Errorf("looked for %q, want %q twice", got, want)
		}
	}
}

// TestExpiryIsNotTold shows that without the secret nobody learns that a
// session has expired or that a token was right.
func TestExpiryIsNotTold(t *testing.T) {
	now := testTime.Add(2 * time.Hour)
	creds := aws.Credentials{AccessKeyID: tempKey, SecretAccessKey: "guess", SessionToken: tempToken}
	client := newRequest(t, "GET", "http://localhost/users/i", "")
	if err := v4.NewSigner().SignHTTP(context.Background(), creds, client, hashOf(""), "connect", "us-east-1", now); err != nil {
		t.Fatal(err)
	}
	r, body := receive(t, client)
	if _, err := New(testLookup, at(now)).Verify(r, body, "connect"); !fault.Is(err, fault.InvalidSignature) {
		t.Errorf("got %v, want InvalidSignature", err)
	}
}
