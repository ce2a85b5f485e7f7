// Package identity proves who somebody is. It knows nothing of operations:
// what it makes is stored and shown by others.
package identity

import (
	"context"
	"crypto/rand"
	"crypto/subtle"
	"encoding/base64"
	"errors"
	"fmt"
	"runtime"
	"strings"

	"golang.org/x/crypto/argon2"
	"golang.org/x/sync/semaphore"
)

// The parameters of new hashes: argon2id as the OWASP Password Storage Cheat
// Sheet recommends it, and the lengths of RFC 9106 §3.1 and §4.
const (
	memoryKiB   = 19 * 1024
	passes      = 2
	lanes       = 1
	saltLength  = 16
	tagLength   = 32
	description = "$argon2id$v=%d$m=%d,t=%d,p=%d$" // what stands before salt and tag
)

// What a stored hash may ask for. A hash comes from our own store, but one
// that somebody has put there must not take the server's memory.
const (
	maxMemoryKiB = 256 * 1024
	maxPasses    = 64
	maxLanes     = 64
	maxField     = 64 // bytes of salt or tag
	minSalt      = 8
	minTag       = 16
)

// Passwords hashes and verifies passwords with argon2id (RFC 9106). It is safe
// for concurrent use and bounds the memory of what runs at once: whoever comes
// beyond that waits.
type Passwords struct {
	memory *semaphore.Weighted // KiB
	budget int64
}

// NewPasswords returns Passwords that runs as many hashes at once as there are
// processors: more would take memory and finish none sooner.
func NewPasswords() *Passwords {
	budget := int64(runtime.GOMAXPROCS(0)) * memoryKiB
	return &Passwords{memory: semaphore.NewWeighted(budget), budget: budget}
}

// Hash returns a hash of the password with a fresh salt, in the PHC string
// format: $argon2id$v=19$m=19456,t=2,p=1$salt$tag, both in unpadded base64. It
// fails only when ctx ends while it waits its turn.
func (p *Passwords) Hash(ctx context.Context, password string) (string, error) {
	h := hash{memory: memoryKiB, passes: passes, lanes: lanes, salt: make([]byte, saltLength), tag: make([]byte, tagLength)}
	_, _ = rand.Read(h.salt) // never fails (crypto/rand)
	var err error
	if h.tag, err = p.derive(ctx, &h, password); err != nil {
		return "", err
	}
	return h.String(), nil
}

// Verify reports whether the password is the one that was hashed, by the
// parameters that the hash itself names. The error is about a hash that cannot
// be read, or about ctx having ended while Verify waited its turn.
func (p *Passwords) Verify(ctx context.Context, stored, password string) (bool, error) {
	h, err := parseHash(stored)
	if err != nil {
		return false, err
	}
	tag, err := p.derive(ctx, h, password)
	if err != nil {
		return false, err
	}
	return subtle.ConstantTimeCompare(tag, h.tag) == 1, nil
}

// Outdated reports whether a stored hash was made by other parameters than Hash
// has, or by none that can be read: whoever knows the password hashes it anew.
func (p *Passwords) Outdated(stored string) bool {
	h, err := parseHash(stored)
	return err != nil || h.memory != memoryKiB || h.passes != passes || h.lanes != lanes ||
		len(h.salt) != saltLength || len(h.tag) != tagLength
}

// Unmatched returns a hash that no password fits, by the parameters of Hash: to
// verify one against it takes as long as against another.
func Unmatched() string {
	h := hash{memory: memoryKiB, passes: passes, lanes: lanes, salt: make([]byte, saltLength), tag: make([]byte, tagLength)}
	_, _ = rand.Read(h.salt) // never fails (crypto/rand)
	_, _ = rand.Read(h.tag)
	return h.String()
}

// derive computes a tag of the length of h's. A hash that needs more than the
// whole budget runs alone.
func (p *Passwords) derive(ctx context.Context, h *hash, password string) ([]byte, error) {
	weight := min(int64(h.memory), p.budget)
	if err := p.memory.Acquire(ctx, weight); err != nil {
		return nil, fmt.Errorf("wait to hash a password: %w", err)
	}
	defer p.memory.Release(weight)
	return argon2.IDKey([]byte(password), h.salt, h.passes, h.memory, h.lanes, uint32(len(h.tag))), nil
}

// hash is a PHC string taken apart.
type hash struct {
	memory, passes uint32
	lanes          uint8
	salt, tag      []byte
}

func (h *hash) String() string {
	return fmt.Sprintf(description, argon2.Version, h.memory, h.passes, h.lanes) +
		base64.RawStdEncoding.EncodeToString(h.salt) + "$" + base64.RawStdEncoding.EncodeToString(h.tag)
}

// errHash says nothing of the hash itself, for errors are logged.
var errHash = errors.New("password hash is not one of argon2id, version 19, in PHC form")

// parseHash reads what String writes, with its own parameters, and nothing
// else: each hash has one form.
func parseHash(s string) (*hash, error) {
	head, tag, ok := cutLast(s, "$")
	head, salt, ok2 := cutLast(head, "$")
	if !ok || !ok2 {
		return nil, errHash
	}
	var h hash
	var version int
	if _, err := fmt.Sscanf(head+"$", description, &version, &h.memory, &h.passes, &h.lanes); err != nil || version != argon2.Version {
		return nil, errHash
	}
	var err, err2 error
	h.salt, err = base64.RawStdEncoding.Strict().DecodeString(salt)
	h.tag, err2 = base64.RawStdEncoding.Strict().DecodeString(tag)
	switch {
	case err != nil, err2 != nil,
		len(h.salt) < minSalt, len(h.salt) > maxField, len(h.tag) < minTag, len(h.tag) > maxField,
		h.lanes < 1, h.lanes > maxLanes, h.passes < 1, h.passes > maxPasses,
		h.memory < 8*uint32(h.lanes), h.memory > maxMemoryKiB,
		h.String() != s:
		return nil, errHash
	}
	return &h, nil
}

func cutLast(s, sep string) (before, after string, found bool) {
	if i := strings.LastIndex(s, sep); i >= 0 {
		return s[:i], s[i+len(sep):], true
	}
	return s, "", false
}
