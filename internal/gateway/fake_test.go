package gateway_test

import (
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	v4 "github.com/aws/aws-sdk-go-v2/aws/signer/v4"
	"github.com/prometheus/client_golang/prometheus"

	"ringdown/internal/contract"
	"ringdown/internal/domain"
	"ringdown/internal/gateway"
	"ringdown/internal/iam"
)

// The only key that a gateway of these tests knows.
const (
	keyID     = "AKIAEXAMPLEEXAMPLE00"
	keySecret = "an example of a secret access key 000000"
	instance  = "0190f0c4-0000-7000-8000-000000000000"
)

type oneKey struct{ key iam.Key }

func (k oneKey) Find(_ context.Context, id, _ string) (*iam.Key, error) {
	if id != k.key.ID {
		return nil, nil
	}
	return &k.key, nil
}

type noTags struct{}

func (noTags) TagsOf(context.Context, domain.ARN) (map[string]string, error) { return nil, nil }

// options are those of a gateway whose one key is the root's.
func options(t testing.TB, log io.Writer) gateway.Options {
	t.Helper()
	api, err := contract.Load()
	if err != nil {
		t.Fatal(err)
	}
	return gateway.Options{
		API: api, Tags: noTags{}, Metrics: prometheus.NewRegistry(), Now: time.Now, Account: "123456789012",
		Logger: slog.New(slog.NewJSONHandler(log, nil)),
		Keys: oneKey{iam.Key{ID: keyID, Secret: keySecret, Principal: &iam.Principal{
			ARN: "arn:aws:iam::123456789012:root", Account: "123456789012", UserID: "123456789012", Root: true,
		}}},
	}
}

// signed makes a request that is signed for a service and region; change, when
// given, alters it before it is signed.
func signed(t testing.TB, method, url, body, service, region string, change ...func(*http.Request)) *http.Request {
	t.Helper()
	r, err := http.NewRequestWithContext(context.Background(), method, url, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range change {
		f(r)
	}
	sign(t, r, body, keyID, keySecret, service, region, time.Now())
	return r
}

func sign(t testing.TB, r *http.Request, body, id, secret, service, region string, at time.Time) {
	t.Helper()
	sum := sha256.Sum256([]byte(body))
	creds := aws.Credentials{AccessKeyID: id, SecretAccessKey: secret}
	if err := v4.NewSigner().SignHTTP(context.Background(), creds, r, hex.EncodeToString(sum[:]), service, region, at); err != nil {
		t.Fatal(err)
	}
}

// ask has a gateway answer a request that has not been sent.
func ask(g http.Handler, r *http.Request) *http.Response {
	w := httptest.NewRecorder()
	served := r.Clone(r.Context())
	served.RequestURI = r.URL.RequestURI()
	served.Host = r.URL.Host
	served.RemoteAddr = "192.0.2.1:1234"
	g.ServeHTTP(w, served)
	return w.Result()
}

func text(t testing.TB, r *http.Response) string {
	t.Helper()
	defer r.Body.Close()
	var b bytes.Buffer
	if _, err := b.ReadFrom(r.Body); err != nil {
		t.Fatal(err)
	}
	return b.String()
}
