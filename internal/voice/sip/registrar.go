package sip

import (
	"net/netip"
	"sort"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/emiago/sipgo/sip"

	"ringdown/internal/voice/sip/wire"
)

const (
	// Registrations last as long as telephones want, within these bounds. A shorter
	// one than leastExpiry is refused with 423 (RFC 3261 §10.3, step 7), which gives
	// an hour to who asks for nothing.
	leastExpiry   = 30 * time.Second
	shortExpiry   = time.Minute
	longestExpiry = time.Hour
	// contactLimit bounds all contacts, contactsOfUser those of a user name.
	contactLimit   = 10_000
	contactsOfUser = 10
)

// contact is where a registered telephone is.
type contact struct {
	uri sip.Uri
	// source is where the REGISTER came from, by which transport: calls go there, for
	// the URI may be an address behind NAT.
	source    netip.AddrPort
	transport string
	trunk     *Trunk
}

// registrar is where telephones register (RFC 3261 §10.3). It has what they say in
// memory, and its keeper writes it down for the next one.
type registrar struct {
	guard  *guard
	now    func() time.Time
	keeper *keeper // nil: nothing is kept

	mu sync.Mutex
	// users are the bindings by user name as the trunk tells it (E.164 for numbers).
	users map[string][]*binding
	count int
	swept time.Time
	// due are the shards that the keeper is to write, longer those in which something
	// only lasts longer than what is written says.
	due, longer [shards]bool
}

// binding is a contact of a user.
type binding struct {
	contact
	key     string // of the URI, to tell contacts apart
	callID  string
	cseq    uint32
	expires time.Time
	updated time.Time
	written time.Time // when the keeper was last told to write it
}

func newRegistrar(g *guard, now func() time.Time) *registrar {
	return &registrar{guard: g, now: now, users: map[string][]*binding{}}
}

// change is what a Contact asks for.
type change struct {
	uri    sip.Uri
	expiry time.Duration // 0 removes
}

// handle answers a REGISTER of a trunk, whose password has been shown if there is
// one.
func (r *registrar) handle(t *Trunk, req *sip.Request) *sip.Response {
	answer := func(status int, reason string) *sip.Response {
		return sip.NewResponseFromRequest(req, status, reason, nil)
	}
	if !t.Registrar {
		res := answer(sip.StatusMethodNotAllowed, "Method Not Allowed")
		return res
	}
	from, err := netip.ParseAddrPort(req.Source())
	to, callID, cseq := req.To(), req.CallID(), req.CSeq()
	if err != nil || to == nil || callID == nil || cseq == nil || userOf(&to.Address) == "" {
		return answer(sip.StatusBadRequest, "Bad Request")
	}
	changes, all, status := changesOf(req)
	switch status {
	case sip.StatusBadRequest:
		return answer(status, "Bad Request")
	case sip.StatusIntervalToBrief:
		res := answer(status, "Interval Too Brief")
		res.AppendHeader(sip.NewHeader("Min-Expires", strconv.Itoa(int(leastExpiry/time.Second))))
		return res
	}
	where := contact{
		source:    netip.AddrPortFrom(from.Addr().Unmap(), from.Port()),
		transport: strings.ToUpper(req.Transport()),
		trunk:     t,
	}
	user := t.number(userOf(&to.Address))
	r.mu.Lock()
	defer r.mu.Unlock()
	now := r.now()
	bindings := live(r.users[user], now)
	r.store(user, bindings)
	if all {
		for _, b := range bindings {
			if !newer(b, string(*callID), cseq.SeqNo) {
				return answer(sip.StatusInternalServerError, "Server Internal Error")
			}
		}
		bindings = nil
	}
	// All changes happen or none (RFC 3261 §10.3, step 7).
	next := append([]*binding(nil), bindings...)
	for _, c := range changes {
		key := keyOf(&c.uri)
		i := indexOf(next, key)
		if i >= 0 && !newer(next[i], string(*callID), cseq.SeqNo) {
			return answer(sip.StatusInternalServerError, "Server Internal Error")
		}
		if i >= 0 {
			next = append(next[:i:i], next[i+1:]...)
		}
		if c.expiry == 0 {
			continue
		}
		b := &binding{contact: where, key: key, callID: string(*callID), cseq: cseq.SeqNo, expires: now.Add(c.expiry), updated: now, written: now}
		b.uri = c.uri
		next = append(next, b)
	}
	if grown := len(next) - len(bindings); grown > 0 {
		if r.count+grown > contactLimit {
			r.sweep(now)
		}
		if len(next) > contactsOfUser || r.count+grown > contactLimit {
			res := answer(sip.StatusServiceUnavailable, "Service Unavailable")
			res.AppendHeader(sip.NewHeader("Retry-After", "60"))
			return res
		}
	}
	r.note(user, r.users[user], next, now)
	r.store(user, next)
	res := answer(sip.StatusOK, "OK")
	longest := time.Duration(0)
	for _, b := range next {
		left := b.expires.Sub(now)
		longest = max(longest, left)
		h := &sip.ContactHeader{Address: *b.uri.Clone()}
		h.Params.Add("expires", strconv.Itoa(int((left+time.Second-1)/time.Second)))
		res.AppendHeader(h)
	}
	res.AppendHeader(sip.NewHeader("Date", now.UTC().Format("Mon, 02 Jan 2006 15:04:05 GMT")))
	if longest > 0 {
		r.guard.expect(where.source.Addr(), t, longest+time.Minute)
	}
	return res
}

// changesOf reads the contacts of a REGISTER; all tells that it is an asterisk, which
// removes all. The status is 0 when they make sense.
func changesOf(req *sip.Request) (changes []change, all bool, status int) {
	common, given := time.Duration(0), false
	if h := req.GetHeader("Expires"); h != nil {
		common, given = seconds(h.Value())
	}
	headers := req.GetHeaders("Contact")
	for _, h := range headers {
		c, ok := h.(*sip.ContactHeader)
		if !ok {
			return nil, false, sip.StatusBadRequest
		}
		if c.Address.Wildcard {
			if len(headers) != 1 || !given || common != 0 {
				return nil, false, sip.StatusBadRequest // RFC 3261 §10.3, step 6
			}
			return nil, true, 0
		}
		if c.Address.Host == "" || c.Address.Scheme != "sip" && c.Address.Scheme != "sips" || !wire.Writable(&c.Address) {
			return nil, false, sip.StatusBadRequest
		}
		expiry := longestExpiry
		if given {
			expiry = common
		}
		for _, p := range c.Params {
			if strings.EqualFold(p.K, "expires") {
				if d, ok := seconds(p.V); ok {
					expiry = d
				}
			}
		}
		switch {
		case expiry == 0:
		case expiry < leastExpiry:
			return nil, false, sip.StatusIntervalToBrief
		default:
			expiry = min(max(expiry, shortExpiry), longestExpiry)
		}
		changes = append(changes, change{*c.Address.Clone(), expiry})
	}
	return changes, false, 0
}

// seconds reads an Expires; what makes no sense is no expiry (RFC 3261 §20.19).
func seconds(s string) (time.Duration, bool) {
	n, err := strconv.ParseUint(strings.TrimSpace(s), 10, 32)
	return time.Duration(n) * time.Second, err == nil
}

// keyOf tells contacts apart: by user, host, port and transport, not by parameters
// that telephones change at will.
func keyOf(u *sip.Uri) string {
	transport := "udp"
	for _, p := range u.UriParams {
		if strings.EqualFold(p.K, "transport") {
			transport = strings.ToLower(p.V)
		}
	}
	return u.Scheme + ":" + u.User + "@" + strings.ToLower(u.Host) + ":" + strconv.Itoa(u.Port) + ";" + transport
}

func indexOf(bindings []*binding, key string) int {
	for i, b := range bindings {
		if b.key == key {
			return i
		}
	}
	return -1
}

// newer tells whether a REGISTER comes after the one that made a binding (RFC 3261
// §10.3, steps 6 and 7).
func newer(b *binding, callID string, cseq uint32) bool {
	return b.callID != callID || cseq > b.cseq
}

// live are the bindings that have not expired.
func live(bindings []*binding, now time.Time) []*binding {
	var kept []*binding
	for _, b := range bindings {
		if now.Before(b.expires) {
			kept = append(kept, b)
		}
	}
	return kept
}

// store puts the bindings of a user in place of earlier ones. The registrar is
// locked.
func (r *registrar) store(user string, bindings []*binding) {
	r.count += len(bindings) - len(r.users[user])
	if len(bindings) == 0 {
		delete(r.users, user)
		return
	}
	r.users[user] = bindings
}

// sweep forgets what has expired, once a second at most. The registrar is locked.
func (r *registrar) sweep(now time.Time) {
	if now.Sub(r.swept) < time.Second {
		return
	}
	r.swept = now
	for user, bindings := range r.users {
		r.store(user, live(bindings, now))
	}
}

// lookup finds the telephone that has registered as a user last; a number may be
// written with its plus sign or without.
func (r *registrar) lookup(user string) (contact, bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	now := r.now()
	names := []string{user}
	if rest, ok := strings.CutPrefix(user, "+"); ok {
		names = append(names, rest)
	} else if _, ok := digitsOf(user); ok {
		names = append(names, "+"+user)
	}
	for _, name := range names {
		bindings := live(r.users[name], now)
		if len(bindings) == 0 {
			continue
		}
		sort.SliceStable(bindings, func(i, j int) bool { return bindings[i].updated.After(bindings[j].updated) })
		c := bindings[0].contact
		c.uri = *c.uri.Clone()
		return c, true
	}
	return contact{}, false
}
