package oidc

import (
	"bytes"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"time"
)

// maxAnswer bounds what is read of an answer: a large company's keys and a token
// with hundreds of groups are a few ten thousand bytes.
const maxAnswer = 1 << 20

// newClient is what asks a provider. It keeps no connections: sign-ins are few,
// and so nothing is left of it when none is under way.
func newClient(roots *x509.CertPool, timeout time.Duration) *http.Client {
	return &http.Client{
		Timeout: timeout,
		Transport: whole{&http.Transport{
			Proxy:                  http.ProxyFromEnvironment,
			TLSClientConfig:        &tls.Config{RootCAs: roots, MinVersion: tls.VersionTLS12},
			ForceAttemptHTTP2:      true,
			DisableKeepAlives:      true,
			MaxResponseHeaderBytes: 64 << 10,
		}},
		// A redirect would carry the code and the client's secret elsewhere.
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
	}
}

// An unavailable is a provider that did not answer, or not as one that works.
type unavailable struct{ cause error }

func (u *unavailable) Error() string { return u.cause.Error() }
func (u *unavailable) Unwrap() error { return u.cause }

// transportError returns why a provider could not be asked, nil when it was. The
// cause is without the address, which the configuration has.
func transportError(err error) error {
	var u *unavailable
	if errors.As(err, &u) {
		return u
	}
	var e *url.Error
	if errors.As(err, &e) {
		return e.Err
	}
	return nil
}

// whole reads answers to their end before anybody looks at them, so that one that
// is cut short, too large or slow is told from one that is wrong.
type whole struct{ next http.RoundTripper }

// RoundTrip implements http.RoundTripper.
func (w whole) RoundTrip(r *http.Request) (*http.Response, error) {
	resp, err := w.next.RoundTrip(r)
	if err != nil {
		return nil, &unavailable{err}
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(io.LimitReader(resp.Body, maxAnswer+1))
	switch {
	case err != nil:
		return nil, &unavailable{err}
	case len(body) > maxAnswer:
		return nil, &unavailable{errors.New("the answer is too large")}
	case resp.StatusCode >= 500 || resp.StatusCode == http.StatusTooManyRequests,
		// Documents and keys are there or not; only the token endpoint has errors to
		// tell (RFC 6749 §5.2).
		r.Method == http.MethodGet && resp.StatusCode != http.StatusOK:
		return nil, &unavailable{fmt.Errorf("it answered with status %d", resp.StatusCode)}
	}
	resp.Body = io.NopCloser(bytes.NewReader(body))
	return resp, nil
}
