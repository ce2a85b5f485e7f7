// Package auth is passwords in SIP: asking for one, judging what comes, and answering
// who asks (digest authentication, RFC 3261 §22, RFC 7616, RFC 8760).
package auth

import (
	"cmp"
	"crypto/hmac"
	"crypto/md5" //nolint:gosec // telephones know nothing else, and RFC 3261 §22.4 has it
	"crypto/rand"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base64"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/emiago/sipgo/sip"
	"github.com/icholy/digest"

	"ringdown/internal/voice/sip/wire"
)

const (
	// Realm is what challenges of this side ask a password for.
	Realm = "ringdown"
	// NonceLife is how long a challenge may be answered; afterwards there is another
	// (stale).
	NonceLife = 5 * time.Minute
	// nonceLimit bounds the challenges whose answers are counted.
	nonceLimit = 1 << 16
)

// Account is a name that a password lets in.
type Account[T comparable] struct {
	// Whose it is: what Check tells.
	Whose              T
	Username, Password string
}

// Checker challenges and verifies what comes in (RFC 7616, RFC 8760; MD5 as in RFC
// 2617 for telephones that know nothing else). A challenge leaves nothing behind:
// its nonce carries when it was made, signed with a key of this process. Only
// nonces that a right password has answered are remembered, so that no answer can
// be used twice.
type Checker[T comparable] struct {
	now func() time.Time
	key [32]byte
	// users are the hashes of user, realm and password (A1) by user name.
	users map[string][]secret[T]
	// nobody stands for user names that there are not: a guess takes as long and
	// says as much as one of a wrong password.
	nobody secret[T]

	mu   sync.Mutex
	used map[nonceID]*answers
	// floor is until when nonces are no longer believed, for which answers have been
	// given has been forgotten.
	floor time.Time
}

// secret is a password in both hashes, in hexadecimal digits.
type secret[T comparable] struct {
	whose       T
	md5, sha256 string
}

type nonceID [16]byte

// answers are the counts (nc) that have been used of a nonce: the highest, and
// which of the 63 below it, for requests overtake each other.
type answers struct {
	made time.Time
	top  uint32
	seen uint64
}

// State is what credentials are worth.
type State uint8

// States of credentials.
const (
	Wrong State = iota
	Stale       // the password is right, the nonce old or used
	Right
)

// New returns a Checker of accounts, of which several may have the same name.
func New[T comparable](accounts []Account[T], now func() time.Time) *Checker[T] {
	d := &Checker[T]{now: now, users: map[string][]secret[T]{}, used: map[nonceID]*answers{}}
	_, _ = rand.Read(d.key[:]) // never fails
	for _, a := range accounts {
		d.users[a.Username] = append(d.users[a.Username], newSecret(a.Whose, a.Username, a.Password))
	}
	var none T
	d.nobody = newSecret(none, "", rand.Text())
	return d
}

func newSecret[T comparable](whose T, username, password string) secret[T] {
	a1 := username + ":" + Realm + ":" + password
	return secret[T]{whose, hashMD5(a1), hashSHA256(a1)}
}

func hashMD5(parts ...string) string {
	sum := md5.Sum([]byte(strings.Join(parts, ":"))) //nolint:gosec // the algorithm of telephones
	return hex.EncodeToString(sum[:])
}

func hashSHA256(parts ...string) string {
	sum := sha256.Sum256([]byte(strings.Join(parts, ":")))
	return hex.EncodeToString(sum[:])
}

// nonce is 8 bytes of time, 8 of chance, and their signature.
func (d *Checker[T]) nonce() string {
	var b [32]byte
	binary.BigEndian.PutUint64(b[:], uint64(d.now().UnixNano()))
	_, _ = rand.Read(b[8:16])
	copy(b[16:], d.sign(b[:16]))
	return base64.RawURLEncoding.EncodeToString(b[:])
}

func (d *Checker[T]) sign(b []byte) []byte {
	h := hmac.New(sha256.New, d.key[:])
	h.Write(b)
	return h.Sum(nil)[:16]
}

// issued is when a nonce was made, if it was made here.
func (d *Checker[T]) issued(nonce string) (id nonceID, at time.Time, ok bool) {
	var b [32]byte
	if base64.RawURLEncoding.DecodedLen(len(nonce)) != len(b) {
		return id, at, false
	}
	if _, err := base64.RawURLEncoding.Decode(b[:], []byte(nonce)); err != nil {
		return id, at, false
	}
	if !hmac.Equal(b[16:], d.sign(b[:16])) {
		return id, at, false
	}
	copy(id[:], b[:16])
	return id, time.Unix(0, int64(binary.BigEndian.Uint64(b[:8]))), true
}

// Challenge is the 401 to a request that must show somebody's password. Strong offers
// SHA-256, before MD5 (RFC 8760 §2.3).
func (d *Checker[T]) Challenge(req *sip.Request, whose T, strong bool) *sip.Response {
	shown, state := d.Check(req, false)
	res := sip.NewResponseFromRequest(req, sip.StatusUnauthorized, "Unauthorized", nil)
	nonce := d.nonce()
	algorithms := []string{"MD5"}
	if strong {
		algorithms = []string{"SHA-256", "MD5"}
	}
	for _, algorithm := range algorithms {
		c := digest.Challenge{Realm: Realm, Nonce: nonce, Algorithm: algorithm, QOP: []string{"auth"}, Stale: state == Stale && shown == whose}
		res.AppendHeader(sip.NewHeader("WWW-Authenticate", c.String()))
	}
	return res
}

// Check judges the credentials of a request, and tells whose they are unless they are
// Wrong. With use they are used up.
func (d *Checker[T]) Check(req *sip.Request, use bool) (whose T, state State) {
	for _, h := range req.GetHeaders("Authorization") {
		c, err := parseCredentials(h.Value())
		if err != nil || c.Realm != Realm {
			continue
		}
		return d.judge(req, c, use)
	}
	return whose, Wrong
}

func (d *Checker[T]) judge(req *sip.Request, c *credentials, use bool) (whose T, state State) {
	id, at, ok := d.issued(c.Nonce)
	if !ok {
		return whose, Wrong
	}
	found := false
	secrets, exists := d.users[c.Username]
	if !exists {
		secrets = []secret[T]{d.nobody}
	}
	for _, s := range secrets {
		expected, ok := c.response(s.md5, s.sha256, string(req.Method))
		if !ok {
			return whose, Wrong
		}
		if subtle.ConstantTimeCompare([]byte(expected), []byte(strings.ToLower(c.Response))) == 1 && exists && !found {
			whose, found = s.whose, true
		}
	}
	if !found {
		return whose, Wrong
	}
	now := d.now()
	if now.Sub(at) > NonceLife || at.After(now.Add(NonceLife)) || !d.count(id, at, c.count, now, use) {
		return whose, Stale
	}
	return whose, Right
}

// count tells whether a count of a nonce is new, and uses it.
func (d *Checker[T]) count(id nonceID, at time.Time, nc uint32, now time.Time, use bool) bool {
	d.mu.Lock()
	defer d.mu.Unlock()
	if !at.After(d.floor) {
		return false
	}
	a := d.used[id]
	if a == nil {
		if use {
			d.forget(now)
			d.used[id] = &answers{made: at, top: nc, seen: 1}
		}
		return true
	}
	switch ahead := int64(nc) - int64(a.top); {
	case ahead > 0:
		if use {
			a.seen = a.seen<<min(ahead, 64) | 1
			a.top = nc
		}
		return true
	case -ahead < 64 && a.seen&(1<<-ahead) == 0:
		if use {
			a.seen |= 1 << -ahead
		}
		return true
	default:
		return false
	}
}

// forget makes room in what is remembered of nonces: of those that are over, else of
// the older half, none of which is believed any longer.
func (d *Checker[T]) forget(now time.Time) {
	if len(d.used) < nonceLimit {
		return
	}
	horizon := now.Add(-NonceLife)
	for id, a := range d.used {
		if a.made.Before(horizon) {
			delete(d.used, id)
		}
	}
	if len(d.used) < nonceLimit/2 {
		return
	}
	made := make([]time.Time, 0, len(d.used))
	for _, a := range d.used {
		made = append(made, a.made)
	}
	slices.SortFunc(made, time.Time.Compare)
	d.floor = made[len(made)/2]
	for id, a := range d.used {
		if !a.made.After(d.floor) {
			delete(d.used, id)
		}
	}
}

// credentials are those of RFC 7616 §3.4.
type credentials struct {
	*digest.Credentials
	count uint32
}

func parseCredentials(value string) (*credentials, error) {
	c, err := digest.ParseCredentials(value)
	if err != nil {
		return nil, fmt.Errorf("credentials: %w", err)
	}
	switch c.QOP {
	case "":
		return &credentials{c, 1}, nil // RFC 2069: without a count, good for one request
	case "auth":
		if c.Nc <= 0 || c.Cnonce == "" {
			return nil, errors.New("credentials: no count or no client nonce")
		}
		return &credentials{c, uint32(c.Nc)}, nil
	default:
		return nil, fmt.Errorf("credentials: quality %q was not offered", c.QOP)
	}
}

// response is what the far side must have written, knowing the password, of which
// these are the hashes. The URI is
// taken as the far side wrote it, since proxies change that of requests (RFC 3261
// §22.4, item 5).
func (c *credentials) response(a1MD5, a1SHA256, method string) (string, bool) {
	hash, a1 := hashMD5, a1MD5
	switch strings.ToUpper(c.Algorithm) {
	case "", "MD5":
	case "SHA-256":
		hash, a1 = hashSHA256, a1SHA256
	default:
		return "", false
	}
	a2 := hash(method, c.URI)
	if c.QOP == "" {
		return hash(a1, c.Nonce, a2), true
	}
	return hash(a1, c.Nonce, fmt.Sprintf("%08x", c.count), c.Cnonce, c.QOP, a2), true
}

// Authorize answers the challenges of a 401 or 407 on the request that met it, which
// then needs a new CSeq and branch. With several, each realm gets an answer, with the
// strongest algorithm that both know (RFC 8760 §2.4); with want, only that realm. No
// retry is due when a challenge has been answered already and is not stale: the
// password is wrong. An error is that of challenges that cannot be answered.
func Authorize(req *sip.Request, res *sip.Response, username, password, want string) (retry bool, err error) {
	if username == "" {
		return false, errors.New("the far side asks for a password, and the trunk has none")
	}
	answered := false
	for _, kind := range [2][2]string{{"WWW-Authenticate", "Authorization"}, {"Proxy-Authenticate", "Proxy-Authorization"}} {
		best, seen, ours := challenges(res, kind[0], want)
		if seen && len(best) == 0 {
			if !ours {
				return false, errors.New("the far side asks for the password of another realm")
			}
			return false, errors.New("the far side asks for a password in a way that is not known")
		}
		for _, c := range best {
			again, err := answer(req, c, kind[1], username, password)
			if err != nil {
				return false, err
			}
			if !again {
				return false, nil
			}
			answered = true
		}
	}
	if !answered {
		return false, errors.New("the far side asks for a password without a challenge")
	}
	return true, nil
}

// challenges are the best ones for each realm among those of a response. Seen tells
// whether there are any at all, ours whether any is of the realm that is wanted.
func challenges(res *sip.Response, header, want string) (best []*digest.Challenge, seen, ours bool) {
	for _, h := range res.GetHeaders(header) {
		for _, value := range splitChallenges(h.Value()) {
			seen = true
			c, err := digest.ParseChallenge(value)
			if err != nil || want != "" && c.Realm != want {
				continue
			}
			ours = true
			for i := range c.QOP {
				c.QOP[i] = strings.TrimSpace(strings.ToLower(c.QOP[i]))
			}
			if strength(c) == 0 {
				continue
			}
			i := slices.IndexFunc(best, func(b *digest.Challenge) bool { return b.Realm == c.Realm })
			switch {
			case i < 0:
				best = append(best, c)
			case cmp.Compare(strength(c), strength(best[i])) > 0:
				best[i] = c
			}
		}
	}
	return best, seen, ours
}

// strength orders algorithms; 0 is for what is not known. Auth-int, which covers the
// body, is not among what is known: proxies change bodies.
func strength(c *digest.Challenge) int {
	if len(c.QOP) > 0 && !c.SupportsQOP("auth") {
		return 0
	}
	switch strings.ToUpper(c.Algorithm) {
	case "", "MD5":
		return 1
	case "SHA-256":
		return 2
	case "SHA-512-256", "SHA-512":
		return 3
	default:
		return 0
	}
}

// splitChallenges takes a header field apart that has several challenges (RFC 7616
// §3.3 allows it, RFC 3261 does not; some servers do).
func splitChallenges(value string) []string {
	var all []string
	for part := range wire.Addresses(value) {
		if digest.IsDigest(part) || len(all) == 0 {
			all = append(all, part)
		} else if scheme, _, ok := strings.Cut(part, " "); ok && !strings.Contains(scheme, "=") {
			all = append(all, part) // another scheme
		} else {
			all[len(all)-1] += ", " + part
		}
	}
	return all
}

// answer puts the answer to a challenge on a request, in place of an earlier one for
// the same realm. False when that was an answer to a challenge that is still good.
func answer(req *sip.Request, c *digest.Challenge, header, username, password string) (bool, error) {
	earlier := req.GetHeaders(header)
	kept := make([]sip.Header, 0, len(earlier))
	for _, h := range earlier {
		old, err := digest.ParseCredentials(h.Value())
		if err != nil || old.Realm != c.Realm {
			kept = append(kept, h)
			continue
		}
		if !c.Stale {
			return false, nil
		}
	}
	made, err := digest.Digest(c, digest.Options{
		Method: req.Method.String(), URI: req.Recipient.String(), Username: username, Password: password,
	})
	if err != nil {
		return false, fmt.Errorf("answer to a challenge: %w", err)
	}
	for req.RemoveHeader(header) {
	}
	for _, h := range kept {
		req.AppendHeader(h)
	}
	req.AppendHeader(sip.NewHeader(header, made.String()))
	return true, nil
}
