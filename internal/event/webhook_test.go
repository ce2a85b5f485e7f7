package event

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"ringdown/internal/store"
)

var hookNow = time.Unix(1674087231, 0)

func newHook(t *testing.T, url, secret string) *Webhook {
	t.Helper()
	w, err := NewWebhook(WebhookOptions{URL: url, Secret: secret, Now: func() time.Time { return hookNow }})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(w.Close)
	return w
}

// TestWebhook: an entry is a request with its Doc, its id, and a signature that
// a receiver can check.
func TestWebhook(t *testing.T) {
	for _, c := range []struct {
		secret string
		key    string // "" for no signature
	}{
		{"", ""},
		{"a plain secret", "a plain secret"},
		{"whsec_" + base64.StdEncoding.EncodeToString([]byte("\x00\xffkey")), "\x00\xffkey"},
	} {
		var seen []string
		s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			body, err := io.ReadAll(r.Body)
			if err != nil {
				t.Error(err)
			}
			h := r.Header
			if c.key != "" {
				mac := hmac.New(sha256.New, []byte(c.key))
				_, _ = io.WriteString(mac, h.Get("webhook-id")+"."+h.Get("webhook-timestamp")+"."+string(body))
				same(t, "signature", h.Get("webhook-signature"), "v1,"+base64.StdEncoding.EncodeToString(mac.Sum(nil)))
			} else {
				same(t, "signatures without a secret", len(h.Values("webhook-signature")), 0)
			}
			seen = append(seen, strings.Join([]string{
				r.Method, r.URL.String(), h.Get("content-type"), h.Get("webhook-id"), h.Get("webhook-timestamp"), h.Get("ringdown-stream"), string(body),
			}, " "))
			w.WriteHeader(http.StatusAccepted)
		}))
		deliverAll(t, newHook(t, s.URL+"/hook?token=x", c.secret), []*store.Entry{
			{Stream: store.StreamEvents, ID: "one", Doc: []byte(`{"a": 1}`)},
			{Stream: store.StreamRecords, ID: "two", Doc: []byte(`{"b":2}`)},
		})
		s.Close()
		same(t, "requests", strings.Join(seen, "\n"),
			`POST /hook?token=x application/json one 1674087231 contact-events {"a": 1}`+"\n"+
				`POST /hook?token=x application/json two 1674087231 contact-records {"b":2}`)
	}
}

// TestWebhookVector: the example of a signature of Standard Webhooks.
func TestWebhookVector(t *testing.T) {
	w := newHook(t, "https://example.com", "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw")
	e := &store.Entry{ID: "msg_p5jXN8AQM9LWM0D4loKWxJek", Doc: []byte(`{"test": 2432232314}`)}
	same(t, "signature", w.sign(e, time.Unix(1614265330, 0)), "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=")
}

// TestWebhookAnswers: what an answer means.
func TestWebhookAnswers(t *testing.T) {
	for _, c := range []struct {
		status     int
		retryAfter string
		want       string
	}{
		{200, "", "delivered"},
		{204, "", "delivered"},
		{302, "", "refused"},
		{400, "", "refused"},
		{404, "9", "refused"},
		{410, "", "refused"},
		{429, "", "failed"},
		{429, "9", "later 9s"},
		{500, "-3", "failed"},
		{503, hookNow.Add(8 * time.Second).UTC().Format(http.TimeFormat), "later 8s"},
		{503, "99999999999999", "later 277h46m40s"},
		{503, "soon", "failed"},
	} {
		followed := false
		s := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			followed = followed || r.URL.Path != "/secret"
			w.Header().Set("Location", "/elsewhere")
			w.Header().Set("Retry-After", c.retryAfter)
			w.WriteHeader(c.status)
			_, _ = io.WriteString(w, "secret")
		}))
		entries := []*store.Entry{{ID: "1", Doc: []byte("{}")}}
		left, err := newHook(t, s.URL+"/secret", "secret").Deliver(t.Context(), entries)
		s.Close()
		got := "failed"
		if _, ok := errors.AsType[refusal](err); ok {
			got = "refused"
		} else if l, ok := errors.AsType[later](err); ok {
			got = "later " + l.after.String()
		} else if err == nil {
			got = "delivered"
		}
		same(t, fmt.Sprint(c.status, " ", c.retryAfter), got, c.want)
		same(t, "left", len(left) == 0, err == nil)
		if err != nil && (strings.Contains(err.Error(), "secret") || !strings.Contains(err.Error(), fmt.Sprint(c.status))) {
			t.Errorf("%d: %v", c.status, err)
		}
		same(t, "followed", followed, false)
	}
}

// TestWebhookAway: the error of a receiver that cannot be reached says which one
// it is, and no more.
func TestWebhookAway(t *testing.T) {
	s := httptest.NewServer(http.NotFoundHandler())
	host := strings.TrimPrefix(s.URL, "http://")
	s.Close()
	_, err := newHook(t, "http://user:password@"+host+"/secret?token=secret", "").Deliver(t.Context(), []*store.Entry{{ID: "1"}})
	if err == nil || strings.Contains(err.Error(), "secret") || strings.Contains(err.Error(), "password") || !strings.HasPrefix(err.Error(), host+": ") {
		t.Errorf("%v", err)
	}
}

func TestWebhookOptions(t *testing.T) {
	for _, c := range []struct{ url, secret, want string }{
		{"", "", "url must be"},
		{"example.com", "", "url must be"},
		{"ftp://example.com", "", "url must be"},
		{"https://", "", "url must be"},
		{"https://a b", "", "url must be"},
		{"https://example.com", "whsec_", "secret begins with whsec_"},
		{"https://example.com", "whsec_!", "secret begins with whsec_"},
	} {
		if _, err := NewWebhook(WebhookOptions{URL: c.url, Secret: c.secret}); err == nil || !strings.HasPrefix(err.Error(), c.want) {
			t.Errorf("%+v: %v", c, err)
		}
	}
}
