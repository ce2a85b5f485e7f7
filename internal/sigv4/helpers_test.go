package sigv4

import (
	"encoding/hex"
	"net/http"
	"net/url"
	"reflect"
	"slices"
	"testing"
)

// signatureOf signs r with testSecret the way the package verifies it. It
// serves requests that the AWS SDK's signer would not make; the suites of
// published vectors and the SDK's signer say that it is right.
func signatureOf(r *http.Request, body []byte, c *claim) string {
	var w workspace
	sum := hashBody(body)
	if err := w.setQuery(r.URL.RawQuery, c.presigned, false); err != nil {
		return ""
	}
	w.setRequest(r, c, requestPath(r.URL), sum.hex[:], false)
	w.setStringToSign(c)
	key := deriveKey(keyScope{"", testSecret, c.scopeDate, c.region, c.service})
	mac, _ := key.sign(w.toSign, nil)
	return hex.EncodeToString(mac[:])
}

// checkQuery holds setQuery against net/url.
func checkQuery(t *testing.T, raw string) {
	t.Helper()
	var w workspace
	want, parseErr := url.ParseQuery(raw)
	if err := w.setQuery(raw, false, false); (err == nil) != (parseErr == nil) {
		t.Fatalf("%q: got %v, net/url %v", raw, err, parseErr)
	} else if err != nil {
		return
	}
	canonical := string(w.query)
	got, err := url.ParseQuery(canonical)
	for _, values := range want {
		slices.Sort(values)
	}
	for _, values := range got {
		slices.Sort(values)
	}
	if err != nil || !reflect.DeepEqual(got, want) {
		t.Errorf("%q became %q: %v", raw, canonical, err)
	}
	if err := w.setQuery(canonical, false, false); err != nil || string(w.query) != canonical {
		t.Errorf("%q became %q and then %q", raw, canonical, w.query)
	}
}
