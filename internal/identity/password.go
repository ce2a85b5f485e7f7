// Package identity proves who somebody is: passwords now, federation and
// directories later.
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
)

// Passwords hashes passwords with argon2id (RFC 9106), in the parameters that
// the OWASP Password Storage Cheat Sheet recommends. Each hash needs 19 MiB
// while it is made, so only as many run at a time as there are processors:
// a flood of requests waits instead of exhausting memory.
type Passwords struct{ slots chan struct{} }

// NewPasswords returns a Passwords.
func NewPasswords() *Passwords {
	return &Passwords{slots: make(chan struct{}, runtime.GOMAXPROCS(0))}
}

const (
	memoryKiB  = 19 * 1024
	passes     = 2
	threads    = 1
	saltBytes  = 16
	hashBytes  = 32
	maxMemory  = 256 * 1024 // of a stored hash, in KiB
	maxPasses  = 16
	maxThreads = 16
)

// Hash returns the hash of a password in PHC string form, salt and parameters
// included. It fails only when ctx ends while it waits.
func (p *Passwords) Hash(ctx context.Context, password string) (string, error) {
	salt := make([]byte, saltBytes)
	rand.Read(salt) // never fails
	sum, err := p.derive(ctx, password, salt, passes, memoryKiB, threads, hashBytes)
	if err != nil {
		return "", err
	}
	enc := base64.RawStdEncoding
	return fmt.Sprintf("$argon2id$v=%d$m=%d,t=%d,p=%d$%s$%s", argon2.Version, memoryKiB, passes, threads, enc.EncodeToString(salt), enc.EncodeToString(sum)), nil
}

var errHash = errors.New("identity: a stored password hash is malformed")

// Verify reports whether a password is the one of a hash. The time it takes
// does not tell how much of it is right.
func (p *Passwords) Verify(ctx context.Context, hash, password string) (bool, error) {
	parts := strings.Split(hash, "$")
	var version int
	var memory, time uint32
	var lanes uint8
	if len(parts) != 6 || parts[1] != "argon2id" {
		return false, errHash
	}
	if _, err := fmt.Sscanf(parts[2], "v=%d", &version); err != nil || version != argon2.Version {
		return false, errHash
	}
	if _, err := fmt.Sscanf(parts[3], "m=%d,t=%d,p=%d", &memory, &time, &lanes); err != nil ||
		memory > maxMemory || time < 1 || time > maxPasses || lanes < 1 || lanes > maxThreads {
		return false, errHash
	}
	salt, err := base64.RawStdEncoding.DecodeString(parts[4])
	if err != nil {
		return false, errHash
	}
	want, err := base64.RawStdEncoding.DecodeString(parts[5])
	if err != nil || len(want) == 0 {
		return false, errHash
	}
	got, err := p.derive(ctx, password, salt, time, memory, lanes, uint32(len(want)))
	if err != nil {
		return false, err
	}
	return subtle.ConstantTimeCompare(got, want) == 1, nil
}

func (p *Passwords) derive(ctx context.Context, password string, salt []byte, time, memory uint32, lanes uint8, length uint32) ([]byte, error) {
	select {
	case p.slots <- struct{}{}:
	case <-ctx.Done():
		return nil, ctx.Err()
	}
	defer func() { <-p.slots }()
	return argon2.IDKey([]byte(password), salt, time, memory, lanes, length), nil
}
