package sigv4

import (
	"crypto/hmac"
	"crypto/sha256"
	"strings"
	"sync"
)

// keyScope is all that a signing key depends on, and the access key, so that
// nothing derived for one key is ever found for another.
type keyScope struct {
	accessKeyID, secret, date, region, service string
}

// deriveKey computes the signing key of a scope ("Create a signed AWS API
// request", step 4).
func deriveKey(s keyScope) *signingKey {
	key := []byte("AWS4" + s.secret)
	for _, part := range []string{s.date, s.region, s.service, terminator} {
		mac := hmac.New(sha256.New, key)
		mac.Write([]byte(part))
		key = mac.Sum(nil)
	}
	return newSigningKey(key)
}

// keyCacheSize bounds each of the two generations of a keyCache. An active
// access key needs one entry for each day, region and service that it uses.
const keyCacheSize = 4096

// keyCache remembers signing keys. When the young generation is full it
// becomes the old one, and the old one is dropped: whatever is in use moves
// back to the young generation and survives. The zero value is an empty cache.
//
// An entry is found by the secret too, so one whose access key got a new secret
// is never found again and ages out.
type keyCache struct {
	mu         sync.RWMutex
	young, old map[keyScope]*signingKey
}

func (k *keyCache) get(s keyScope) (*signingKey, bool) {
	k.mu.RLock()
	key, ok := k.young[s]
	if ok {
		k.mu.RUnlock()
		return key, true
	}
	key, ok = k.old[s]
	k.mu.RUnlock()
	if ok {
		k.put(s, key)
	}
	return key, ok
}

func (k *keyCache) put(s keyScope, key *signingKey) {
	// The strings are parts of a request's headers; do not keep those alive.
	s.accessKeyID = strings.Clone(s.accessKeyID)
	s.date = strings.Clone(s.date)
	s.region = strings.Clone(s.region)
	s.service = strings.Clone(s.service)

	k.mu.Lock()
	defer k.mu.Unlock()
	if k.young == nil || len(k.young) >= keyCacheSize {
		k.young, k.old = make(map[keyScope]*signingKey), k.young
	}
	k.young[s] = key
}

// signingKey is a key prepared for HMAC-SHA256: the two padded blocks of RFC
// 2104 §2. Keeping them saves crypto/hmac's allocations and one hash of each
// block for every request.
type signingKey struct {
	inner, outer [sha256.BlockSize]byte
}

func newSigningKey(key []byte) *signingKey {
	var k signingKey
	copy(k.inner[:], key) // 32 bytes: never longer than a block
	copy(k.outer[:], key)
	for i := range k.inner {
		k.inner[i] ^= 0x36
		k.outer[i] ^= 0x5c
	}
	return &k
}

// sign returns the HMAC-SHA256 of message, using buf for its work.
func (k *signingKey) sign(message, buf []byte) (mac [sha256.Size]byte, grown []byte) {
	buf = append(append(buf[:0], k.inner[:]...), message...)
	inner := sha256.Sum256(buf)
	buf = append(append(buf[:0], k.outer[:]...), inner[:]...)
	return sha256.Sum256(buf), buf
}
