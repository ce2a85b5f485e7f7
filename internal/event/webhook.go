package event

import (
	"bytes"
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"ringdown/internal/store"
)

// WebhookOptions say where entries are posted.
type WebhookOptions struct {
	URL string // http or https
	// Secret signs requests. One that begins with whsec_ goes on in base64, as
	// Standard Webhooks has it; of another the bytes are the key. "" leaves
	// requests unsigned.
	Secret string
	Now    func() time.Time
}

// Webhook posts entries to a URL, one a request and one after the other, each
// Doc as it is: a receiver gets what a target of Amazon EventBridge would.
//
// The headers are those of Standard Webhooks 1.0, for which there are libraries
// to check them with: webhook-id, the entry's, the same when it is posted again;
// webhook-timestamp, seconds since 1970; and with a secret webhook-signature,
// "v1," and the base64 of the HMAC-SHA256 of id, timestamp and body, joined by
// full stops. ringdown-stream says which stream the entry is of.
//
// An answer of 2xx within 15 seconds takes the entry. A redirect is not
// followed: what is signed for one receiver is not carried to another.
type Webhook struct {
	url    string
	host   string // all of the URL that may be logged
	key    []byte
	now    func() time.Time
	client *http.Client
}

const webhookTime = 15 * time.Second

// NewWebhook returns the sink of a URL. The error names the option that is
// wrong, as the configuration calls it.
func NewWebhook(o WebhookOptions) (*Webhook, error) {
	u, err := url.Parse(o.URL)
	if err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https" {
		return nil, errors.New("url must be a URL such as https://example.com/contact-events")
	}
	key := []byte(o.Secret)
	if encoded, ok := strings.CutPrefix(o.Secret, "whsec_"); ok {
		if key, err = base64.StdEncoding.DecodeString(encoded); err != nil || len(key) == 0 {
			return nil, errors.New("secret begins with whsec_, so the rest must be base64")
		}
	}
	return &Webhook{url: o.URL, host: u.Host, key: key, now: o.Now, client: newClient()}, nil
}

// newClient returns a client of its own for a sink, which follows no redirects.
func newClient() *http.Client {
	return &http.Client{
		Transport: &http.Transport{
			Proxy:               http.ProxyFromEnvironment,
			ForceAttemptHTTP2:   true,
			TLSHandshakeTimeout: 10 * time.Second,
			IdleConnTimeout:     90 * time.Second,
		},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
}

// Close frees the connections.
func (w *Webhook) Close() { w.client.CloseIdleConnections() }

// Deliver posts the first entry.
func (w *Webhook) Deliver(ctx context.Context, entries []*store.Entry) ([]*store.Entry, error) {
	if err := w.post(ctx, entries[0]); err != nil {
		return entries, err
	}
	return entries[1:], nil
}

func (w *Webhook) post(ctx context.Context, e *store.Entry) error {
	ctx, cancel := context.WithTimeout(ctx, webhookTime)
	defer cancel()
	r, err := http.NewRequestWithContext(ctx, http.MethodPost, w.url, bytes.NewReader(e.Doc))
	if err != nil {
		return err
	}
	now := w.now()
	r.Header.Set("Content-Type", "application/json")
	r.Header.Set("User-Agent", "ringdown")
	r.Header.Set("Webhook-Id", e.ID)
	r.Header.Set("Webhook-Timestamp", strconv.FormatInt(now.Unix(), 10))
	r.Header.Set("Ringdown-Stream", StreamName(e.Stream))
	if len(w.key) > 0 {
		r.Header.Set("Webhook-Signature", w.sign(e, now))
	}
	answer, err := w.client.Do(r)
	if err != nil {
		// The URL, which is in the error, may be a secret itself.
		if u, ok := errors.AsType[*url.Error](err); ok {
			err = u.Err
		}
		return fmt.Errorf("%s: %w", w.host, err)
	}
	defer answer.Body.Close()
	_, _ = io.CopyN(io.Discard, answer.Body, 64<<10) // so that the connection can be used again
	return w.verdict(answer, now)
}

// sign returns the value of webhook-signature.
func (w *Webhook) sign(e *store.Entry, now time.Time) string {
	mac := hmac.New(sha256.New, w.key)
	_, _ = fmt.Fprintf(mac, "%s.%d.", e.ID, now.Unix())
	mac.Write(e.Doc)
	return "v1," + base64.StdEncoding.EncodeToString(mac.Sum(nil))
}

// verdict is what an answer means.
func (w *Webhook) verdict(answer *http.Response, now time.Time) error {
	code := answer.StatusCode
	if code >= 200 && code < 300 {
		return nil
	}
	err := fmt.Errorf("%s answers %s", w.host, answer.Status)
	switch {
	case code >= 300 && code < 400:
		return refusal{fmt.Errorf("%w, which is not followed", err)}
	case code == http.StatusRequestTimeout, code == http.StatusTooEarly, code == http.StatusTooManyRequests, code >= 500:
		if after := retryAfter(answer, now); after > 0 {
			return later{err, after}
		}
		return err
	default:
		return refusal{err}
	}
}

// retryAfter is how long an answer asks to wait (RFC 9110 section 10.2.3).
func retryAfter(answer *http.Response, now time.Time) time.Duration {
	value := answer.Header.Get("Retry-After")
	if seconds, err := strconv.Atoi(value); err == nil {
		return time.Duration(min(seconds, 1e6)) * time.Second
	}
	if at, err := http.ParseTime(value); err == nil {
		return at.Sub(now)
	}
	return 0
}
