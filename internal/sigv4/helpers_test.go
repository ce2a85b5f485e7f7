package sigv4

import (
	"encoding/hex"
	"net/http"
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
