package sigv4

import (
	"crypto/sha256"
	"encoding/hex"
	"strings"
)

// bodyHash is the SHA-256 of a request's body.
type bodyHash struct {
	hex   [2 * sha256.Size]byte
	empty bool
}

func hashBody(body []byte) bodyHash {
	h := bodyHash{empty: len(body) == 0}
	sum := sha256.Sum256(body)
	hex.Encode(h.hex[:], sum[:])
	return h
}

// payload is what a request says that its signature has in the body's place.
type payload int

const (
	payloadUndeclared payload = iota // the hash, or either for a presigned request without body
	payloadHashed
	payloadOpen // UNSIGNED-PAYLOAD
)

// checkPayload holds what the request declares in X-Amz-Content-Sha256, in its
// header or in a presigned query, against the body.
//
// UNSIGNED-PAYLOAD and the STREAMING-… values belong to Amazon S3 and to
// operations whose model carries the trait aws.auth#unsignedPayload; Connect's
// and STS's models carry it nowhere. Accepting the former would let anyone on
// the way replace a body. It passes for a presigned request without a body,
// which some presigners write for every service.
func (c *claim) checkPayload(header []string, sum *bodyHash) error {
	if len(header) > 1 {
		return incomplete("The 'X-Amz-Content-Sha256' header must not be repeated.")
	}
	for _, declared := range header {
		if err := c.declarePayload(declared, sum); err != nil {
			return err
		}
	}
	if c.declaredHash != "" {
		return c.declarePayload(c.declaredHash, sum)
	}
	return nil
}

func (c *claim) declarePayload(declared string, sum *bodyHash) error {
	switch {
	case declared == string(sum.hex[:]):
		c.payload = payloadHashed
	case declared == unsignedPayload && c.presigned && sum.empty:
		c.payload = payloadOpen
	case declared == unsignedPayload:
		return invalid("The payload of this request must be signed; 'UNSIGNED-PAYLOAD' is not supported.")
	case strings.HasPrefix(declared, "STREAMING-"):
		return invalid("The payload of this request must be signed as a whole; chunked ('STREAMING-…') signatures are not supported.")
	default:
		return invalid("The provided 'x-amz-content-sha256' does not match what was computed.")
	}
	return nil
}
