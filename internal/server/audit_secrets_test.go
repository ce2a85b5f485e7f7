package server_test

import (
	"bytes"
	"encoding/json"
	"io"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"testing"
)

// A wiretap hears every secret that goes over the wire.
type wiretap struct {
	mu      sync.Mutex
	secrets map[string]string // to what each is
}

func newWiretap() *wiretap { return &wiretap{secrets: map[string]string{}} }

type tapped struct {
	tap  *wiretap
	next http.RoundTripper
}

// on taps a transport; a nil wiretap leaves it alone.
func (w *wiretap) on(next http.RoundTripper) http.RoundTripper {
	if w == nil {
		return next
	}
	return tapped{w, next}
}

// add notes a secret. What is shorter than 8 letters would be found anywhere.
func (w *wiretap) add(what, secret string) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if len(secret) >= 8 {
		w.secrets[secret] = what
	}
}

// secretFields are the parameters and members whose values are secrets.
var secretFields = map[string]bool{
	"password": true, "current": true, "new": true, "again": true, "form": true, "code": true, "state": true, "SAMLResponse": true, "SAMLAssertion": true,
	"AccessToken": true, "RefreshToken": true, "SecretAccessKey": true, "SessionToken": true, "Token": true, "Password": true, "SAMLRequest": true,
	"access_token": true, "id_token": true, "client_secret": true, "code_verifier": true, "nonce": true,
}

func (w *wiretap) values(of string, v url.Values) {
	for name, values := range v {
		for _, value := range values {
			if secretFields[name] {
				w.add(of+" "+name, value)
			}
		}
	}
}

// members notes those of JSON.
func (w *wiretap) members(of string, v any) {
	switch v := v.(type) {
	case map[string]any:
		for name, value := range v {
			if text, ok := value.(string); ok && secretFields[name] {
				w.add(of+" "+name, text)
			} else if ok && name == "SignInUrl" {
				w.url(of, text)
			}
			w.members(of, value)
		}
	case []any:
		for _, value := range v {
			w.members(of, value)
		}
	}
}

func (w *wiretap) url(of string, text string) {
	if u, err := url.Parse(text); err == nil {
		w.values(of, u.Query())
	}
}

// RoundTrip implements http.RoundTripper.
func (t tapped) RoundTrip(r *http.Request) (*http.Response, error) {
	t.tap.values("parameter", r.URL.Query())
	for _, c := range r.Cookies() {
		t.tap.add("cookie "+c.Name, c.Value)
	}
	for _, scheme := range []string{"Bearer ", "Basic "} {
		if secret, ok := strings.CutPrefix(r.Header.Get("Authorization"), scheme); ok {
			t.tap.add("Authorization", secret)
		}
	}
	t.tap.add("X-Amz-Security-Token", r.Header.Get("X-Amz-Security-Token"))
	if _, signature, ok := strings.Cut(r.Header.Get("Authorization"), "Signature="); ok {
		t.tap.add("signature", signature)
	}
	if r.Body != nil {
		body, err := io.ReadAll(r.Body)
		if err != nil {
			return nil, err
		}
		r.Body.Close()
		r.Body = io.NopCloser(bytes.NewReader(body))
		t.tap.body("request", body)
	}
	resp, err := t.next.RoundTrip(r)
	if err != nil {
		return nil, err
	}
	for _, c := range resp.Cookies() {
		t.tap.add("cookie "+c.Name, c.Value)
	}
	t.tap.url("Location", resp.Header.Get("Location"))
	body, err := io.ReadAll(resp.Body)
	resp.Body.Close()
	if err != nil {
		return nil, err
	}
	resp.Body = io.NopCloser(bytes.NewReader(body))
	t.tap.body("answer", body)
	return resp, nil
}

// body notes what a form, JSON or XML holds.
func (w *wiretap) body(of string, body []byte) {
	var v any
	if json.Unmarshal(body, &v) == nil {
		w.members(of, v)
		return
	}
	if form, err := url.ParseQuery(string(body)); err == nil {
		w.values(of, form)
	}
	for name := range secretFields {
		_, rest, ok := strings.Cut(string(body), "<"+name+">")
		if value, _, end := strings.Cut(rest, "</"); ok && end {
			w.add(of+" "+name, value)
		}
	}
}

// kinds are what was heard.
func (w *wiretap) kinds() map[string]int {
	w.mu.Lock()
	defer w.mu.Unlock()
	kinds := map[string]int{}
	for _, what := range w.secrets {
		kinds[what]++
	}
	return kinds
}

// notIn checks that no secret is in a text, as it is or escaped, whole or the
// first half of a long one.
func (w *wiretap) notIn(t *testing.T, where, text string) {
	t.Helper()
	w.mu.Lock()
	defer w.mu.Unlock()
	for secret, what := range w.secrets {
		forms := []string{secret, url.QueryEscape(secret)}
		if len(secret) >= 40 {
			forms = append(forms, secret[:20], secret[len(secret)-20:])
		}
		for _, f := range forms {
			if i := strings.Index(text, f); i >= 0 {
				t.Errorf("%s holds a secret, %s: …%s…", where, what, text[max(0, i-100):min(len(text), i+len(f)+20)])
				break
			}
		}
	}
}
