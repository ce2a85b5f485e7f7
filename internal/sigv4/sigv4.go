// Package sigv4 verifies AWS Signature Version 4 on requests whose body has
// been read already, in both forms that AWS's clients send: the Authorization
// header and the presigned query string.
//
// The algorithm is the one of the AWS IAM User Guide, "AWS Signature Version 4
// for API requests" and "Create a signed AWS API request", for services other
// than Amazon S3: the path is encoded twice and the payload is always signed.
// Wording and order of the errors follow what AWS's services are known to
// answer ("Troubleshoot Signature Version 4 signing for AWS API requests");
// where AWS says nothing, docs/divergences.md lists the choice.
//
// Invariants:
//   - Nothing that a caller can change without the secret passes, except
//     headers left out of SignedHeaders. Those that carry authentication
//     (Host, X-Amz-Date, X-Amz-Security-Token) must be in it.
//   - A client learns nothing of a credential or its expiry before its
//     signature has matched, other than that the access key exists; of a
//     temporary one, that it exists together with that session token.
//   - No fault holds a secret or a session token of the server's, nor an
//     Authorization header that did not parse.
//   - Callers without the secret cannot put anything into the key cache.
//
// The package starts no goroutine. A Verifier is safe for concurrent use.
package sigv4

import (
	"context"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/hex"
	"fmt"
	"net/http"
	"slices"
	"time"

	"ringdown/internal/fault"
)

const (
	// algorithm is the only one verified: Connect's clients never choose
	// SigV4A (AWS4-ECDSA-P256-SHA256), which is for multi-region endpoints.
	algorithm = "AWS4-HMAC-SHA256"
	// terminator closes every credential scope.
	terminator = "aws4_request"
	// basicFormat is the ISO 8601 basic format that X-Amz-Date must have.
	basicFormat = "20060102T150405Z"
	// clockSkew is how far a request's date may lie from the server's clock, in
	// either direction.
	clockSkew = 5 * time.Minute
	// maxExpires is the longest life of a presigned request: seven days.
	maxExpires = 604800
	// unsignedPayload stands for the body's hash in a signature that leaves the
	// body open.
	unsignedPayload = "UNSIGNED-PAYLOAD"
)

// Credential is what the server knows of an access key.
type Credential struct {
	AccessKeyID     string
	SecretAccessKey string
	// SessionToken is what temporary credentials must send as
	// X-Amz-Security-Token. Empty for long-lived keys, which must send none.
	SessionToken string
	// Expires is when the credential stops working; zero means never.
	Expires time.Time
}

// Lookup finds the credential of an access key. The session token is what came
// with the request, empty when nothing did: temporary credentials may be found by
// it alone. For a key that is unknown, deleted or inactive, and for a token that
// is none, it returns a fault.UnrecognizedClient (see UnknownKey); Verify passes
// on any error unchanged. A credential that has expired is returned all the same.
//
// It runs on every request that is well formed, before the signature is
// checked, so it must be cheap and have no effect that strangers could abuse.
// Verify compares the Credential's session token with the request's in any case.
type Lookup func(ctx context.Context, accessKeyID, sessionToken string) (Credential, error)

// UnknownKey is the fault for an access key that the server does not know, in
// AWS's words. It names neither the key nor why it is refused.
func UnknownKey() *fault.Error {
	return fault.New(fault.UnrecognizedClient, "The security token included in the request is invalid.")
}

// Identity is what a verified signature proves.
type Identity struct {
	AccessKeyID string
	// SessionToken is that of temporary credentials, else empty. It is a secret.
	SessionToken string
	// Region is the well-formed region name of the credential scope, such as
	// "eu-central-1". Whether the region is served is not sigv4's to say.
	Region string
	// Service is the signing name, one of those that Verify was given.
	Service string
	// SignedAt is the date that the client put into the signature, in UTC, to
	// the second.
	SignedAt time.Time
	// Presigned reports that the signature came in the query string.
	Presigned bool
}

// Verifier checks signatures.
type Verifier struct {
	lookup Lookup
	now    func() time.Time
	keys   keyCache
}

// New returns a Verifier that finds credentials by lookup and reads the time
// from now.
func New(lookup Lookup, now func() time.Time) *Verifier {
	return &Verifier{lookup: lookup, now: now}
}

// Verify checks the signature of r, whose body has been read into body, and
// returns who signed it. services are the signing names accepted for the route,
// such as "connect".
//
// Verify reads r.Method, r.URL, r.Host, r.Header and r.ContentLength as
// net/http's server delivers them and changes nothing. The path is verified as
// it arrived, or else with empty and dot segments removed, because the signers
// for Python and JavaScript remove them and Go's does not. Whoever routes r must
// therefore not let a segment "", "." or ".." mean anything.
//
// Every failure but those of the Lookup is a *fault.Error:
//
//   - MissingAuthenticationToken: no Authorization header of an AWS scheme and
//     no X-Amz-Algorithm in the query.
//   - IncompleteSignature: a parameter is missing, repeated or malformed.
//   - InvalidSignature: wrong signature, scope, or payload hash; outside the
//     five minutes that clocks may differ or the life of a presigned request;
//     a header that must be signed is not.
//   - UnrecognizedClient: the session token is not the credential's.
//   - ExpiredToken: the credential has expired.
//   - MalformedHTTPRequest: the query string cannot be decoded.
//
// A signature that does not match is answered with the canonical request and
// the string to sign, as AWS does, with session tokens and the like redacted.
func (v *Verifier) Verify(r *http.Request, body []byte, services ...string) (Identity, error) {
	c, err := readClaim(r)
	if err != nil {
		return Identity{}, err
	}
	now := v.now()
	if err := c.checkDate(now); err != nil {
		return Identity{}, err
	}
	if err := c.checkSignedHeaders(r); err != nil {
		return Identity{}, err
	}
	if err := c.checkScope(services); err != nil {
		return Identity{}, err
	}
	sum := hashBody(body)
	if err := c.checkPayload(r.Header["X-Amz-Content-Sha256"], &sum); err != nil {
		return Identity{}, err
	}
	w := workspaces.Get().(*workspace)
	defer w.release()
	if err := w.setQuery(r.URL.RawQuery, c.presigned, false); err != nil {
		return Identity{}, err
	}

	cred, err := v.lookup(r.Context(), c.accessKeyID, c.token)
	if err != nil {
		return Identity{}, err
	}
	if cred.SecretAccessKey == "" {
		// Anybody can sign with an empty secret.
		return Identity{}, fmt.Errorf("sigv4: access key %s has no secret", c.accessKeyID)
	}
	scope := keyScope{c.accessKeyID, cred.SecretAccessKey, c.scopeDate, c.region, c.service}
	key, cached := v.keys.get(scope)
	if !cached {
		key = deriveKey(scope)
	}
	if !w.matches(r, &c, key, &sum) {
		return Identity{}, w.mismatch(r, &c, &sum)
	}
	if !cached {
		v.keys.put(scope, key)
	}
	if !w.equal(c.token, cred.SessionToken) {
		return Identity{}, UnknownKey()
	}
	if !cred.Expires.IsZero() && !now.Before(cred.Expires) {
		return Identity{}, fault.New(fault.ExpiredToken, "The security token included in the request is expired")
	}
	return Identity{
		AccessKeyID:  c.accessKeyID,
		SessionToken: c.token,
		Region:       c.region,
		Service:      services[slices.Index(services, c.service)],
		SignedAt:     c.signedAt,
		Presigned:    c.presigned,
	}, nil
}

// matches reports whether the claim's signature is that of r under key.
func (w *workspace) matches(r *http.Request, c *claim, key *signingKey, sum *bodyHash) bool {
	path := requestPath(r.URL)
	if w.matchesPath(r, c, key, path, sum) {
		return true
	}
	return hasRedundantSegment(path) && w.matchesPath(r, c, key, removeRedundantSegments(path), sum)
}

func (w *workspace) matchesPath(r *http.Request, c *claim, key *signingKey, path string, sum *bodyHash) bool {
	if c.payload != payloadOpen {
		w.setRequest(r, c, path, sum.hex[:], false)
		if w.signedBy(key, c) {
			return true
		}
	}
	// A presigned request need not say that it leaves the payload open. Only
	// for an empty body can that do no harm.
	if c.payload == payloadOpen || c.payload == payloadUndeclared && c.presigned && sum.empty {
		w.setRequest(r, c, path, []byte(unsignedPayload), false)
		return w.signedBy(key, c)
	}
	return false
}

// signedBy reports whether the claim's signature is that of the canonical
// request in w.
func (w *workspace) signedBy(key *signingKey, c *claim) bool {
	w.setStringToSign(c)
	var mac [sha256.Size]byte
	mac, w.scratch = key.sign(w.toSign, w.scratch)
	var want [2 * sha256.Size]byte
	hex.Encode(want[:], mac[:])
	// The text is compared, not the bytes it encodes: only lower-case digits
	// are a signature.
	w.scratch = append(w.scratch[:0], c.signature...)
	return subtle.ConstantTimeCompare(want[:], w.scratch) == 1
}

// equal compares two secrets in a time that depends on their lengths alone.
func (w *workspace) equal(a, b string) bool {
	w.scratch = append(append(w.scratch[:0], a...), b...)
	return subtle.ConstantTimeCompare(w.scratch[:len(a)], w.scratch[len(a):]) == 1
}
