package sip

import (
	"context"
	"encoding/json"
	"hash/fnv"
	"log/slog"
	"net/netip"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/emiago/sipgo/sip"

	"ringdown/internal/voice/sip/wire"
)

// Memory keeps what telephones have registered for the endpoint that comes after this
// one, so that they can be called before they register again. Nothing in it is secret.
// It is called on a goroutine of the endpoint's own, and by Listen.
type Memory interface {
	// Recall returns what was remembered by a name, nil for nothing.
	Recall(ctx context.Context, name string) ([]byte, error)
	// Remember keeps all of the notes, or none.
	Remember(ctx context.Context, notes []Note) error
}

// Note is what is remembered by a name until a time, in place of what was. Without a
// value there is nothing to remember any more.
type Note struct {
	Name  string
	Value []byte
	Until time.Time
}

const (
	// shards is how many notes there are: users are told apart by their hash, so that a
	// telephone that registers has a few others written with it, not all.
	shards = 16
	// keepEvery is how often a registration is written that only lasts longer than
	// before, writeEvery how often anything is.
	keepEvery  = time.Minute
	writeEvery = time.Second
	// keepTime is how long the last write may take.
	keepTime = 2 * time.Second
)

// keeper writes what has changed in a registrar. It has one goroutine, from start to
// stop: REGISTER waits for no memory.
type keeper struct {
	memory Memory
	log    *slog.Logger
	// changed holds a token when something is to be written.
	changed chan struct{}
	cancel  context.CancelFunc
	done    chan struct{}
}

// kept is how a binding is remembered.
type kept struct {
	User      string         `json:"user"`
	Trunk     string         `json:"trunk"`
	URI       string         `json:"uri"`
	Source    netip.AddrPort `json:"source"`
	Transport string         `json:"transport"`
	CallID    string         `json:"callId"`
	CSeq      uint32         `json:"cseq"`
	Expires   time.Time      `json:"expires"`
	Updated   time.Time      `json:"updated"`
}

func shardOf(user string) int {
	h := fnv.New32a()
	_, _ = h.Write([]byte(user))
	return int(h.Sum32() % shards)
}

func noteName(shard int) string { return "telephones-" + strconv.Itoa(shard) }

// keep has a registrar remember by m what it knows, and know what m remembers.
func (r *registrar) keep(ctx context.Context, m Memory, trunks []*Trunk, log *slog.Logger) {
	r.recall(ctx, m, trunks, log)
	k := &keeper{memory: m, log: log, changed: make(chan struct{}, 1), done: make(chan struct{})}
	ctx, k.cancel = context.WithCancel(context.WithoutCancel(ctx))
	r.keeper = k
	go func() {
		defer close(k.done)
		k.run(ctx, r)
	}()
}

// stop writes what is not written yet, and ends what keep began. It may be called
// twice, and without keep.
func (r *registrar) stop() {
	if r.keeper != nil {
		r.keeper.cancel()
		<-r.keeper.done
	}
}

func (k *keeper) run(ctx context.Context, r *registrar) {
	rest := time.NewTimer(0)
	defer rest.Stop()
	for {
		select {
		case <-ctx.Done():
		case <-rest.C:
			select {
			case <-ctx.Done():
			case <-k.changed:
			}
		}
		if ctx.Err() != nil {
			last, cancel := context.WithTimeout(context.WithoutCancel(ctx), keepTime)
			k.write(last, r, r.unwritten(true))
			cancel()
			return
		}
		k.write(ctx, r, r.unwritten(false))
		rest.Reset(writeEvery)
	}
}

// write remembers shards as they are. Those that could not be are written with the next
// change.
func (k *keeper) write(ctx context.Context, r *registrar, which []int) {
	if len(which) == 0 {
		return
	}
	notes, err := r.notes(which)
	if err == nil {
		err = k.memory.Remember(ctx, notes)
	}
	if err != nil {
		if ctx.Err() == nil {
			k.log.Warn("registrations of telephones could not be kept", "err", err)
		}
		r.mu.Lock()
		for _, shard := range which {
			r.due[shard] = true
		}
		r.mu.Unlock()
	}
}

// unwritten takes the shards in which something has changed; with all, also those where
// something only lasts longer.
func (r *registrar) unwritten(all bool) (which []int) {
	r.mu.Lock()
	defer r.mu.Unlock()
	for shard := range shards {
		if r.due[shard] || all && r.longer[shard] {
			which = append(which, shard)
			r.due[shard], r.longer[shard] = false, false
		}
	}
	return which
}

// notes are shards as they are to be remembered.
func (r *registrar) notes(which []int) ([]Note, error) {
	members := make([][]kept, shards)
	r.mu.Lock()
	now := r.now()
	for user, bindings := range r.users {
		shard := shardOf(user)
		if !slices.Contains(which, shard) {
			continue
		}
		for _, b := range live(bindings, now) {
			u := *b.uri.Clone()
			u.Password = "" // nobody needs it, and it is not to be kept
			members[shard] = append(members[shard], kept{
				user, b.trunk.Name, u.String(), b.source, b.transport, b.callID, b.cseq, b.expires, b.updated,
			})
		}
	}
	r.mu.Unlock()
	var notes []Note
	for _, shard := range which {
		n := Note{Name: noteName(shard)}
		if len(members[shard]) > 0 {
			value, err := json.Marshal(members[shard])
			if err != nil {
				return nil, err
			}
			n.Value = value
		}
		for _, m := range members[shard] {
			if m.Expires.After(n.Until) {
				n.Until = m.Expires
			}
		}
		notes = append(notes, n)
	}
	return notes, nil
}

// recall takes up what is remembered. What cannot be read is told, and forgotten:
// telephones register again.
func (r *registrar) recall(ctx context.Context, m Memory, trunks []*Trunk, log *slog.Logger) {
	for shard := range shards {
		value, err := m.Recall(ctx, noteName(shard))
		var members []kept
		if err == nil && value != nil {
			err = json.Unmarshal(value, &members)
		}
		if err != nil {
			log.Warn("registrations of telephones could not be recalled", "err", err)
			continue
		}
		for _, k := range members {
			r.restore(k, trunks)
		}
	}
}

// restore takes a binding up again, unless it has expired, its telephone may not
// register any more, or its telephone can be reached by nothing but a connection that
// has gone: one behind NAT (RFC 5626 §5.3). Others that came over a connection are
// called where their Contact leads.
func (r *registrar) restore(k kept, trunks []*Trunk) {
	now := r.now()
	i := slices.IndexFunc(trunks, func(t *Trunk) bool { return t.Name == k.Trunk && t.Registrar })
	b := &binding{callID: k.CallID, cseq: k.CSeq, expires: k.Expires, updated: k.Updated, written: now}
	if i < 0 || !now.Before(k.Expires) || k.Expires.After(now.Add(longestExpiry)) || !k.Source.IsValid() ||
		sip.ParseUri(k.URI, &b.uri) != nil || b.uri.Host == "" || !wire.Writable(&b.uri) {
		return
	}
	t := trunks[i]
	source := k.Source.Addr().Unmap()
	if len(t.Sources) > 0 && !slices.Contains(r.guard.table.Load().of(source.WithZone("")), t) {
		return
	}
	host := strings.Trim(b.uri.Host, "[]")
	to, _ := netip.ParseAddr(host)
	if protoNamed(k.Transport) != wire.UDP && (hidden(to.Unmap(), source) || strings.HasSuffix(strings.ToLower(host), ".invalid")) {
		return // RFC 2606 §2 has names that lead nowhere
	}
	b.trunk, b.source, b.transport = t, netip.AddrPortFrom(source, k.Source.Port()), k.Transport
	b.key = keyOf(&b.uri)
	r.mu.Lock()
	have := r.users[k.User]
	full := len(have) >= contactsOfUser || r.count >= contactLimit || indexOf(have, b.key) >= 0
	if !full {
		r.store(k.User, append(slices.Clip(have), b))
	}
	r.mu.Unlock()
	if !full {
		r.guard.expect(source, t, k.Expires.Sub(now)+time.Minute)
	}
}

// note tells the keeper what a REGISTER has changed for a user. The registrar is locked.
func (r *registrar) note(user string, before, after []*binding, now time.Time) {
	if r.keeper == nil {
		return
	}
	changed, longer := len(before) != len(after), false
	for _, b := range after {
		i := indexOf(before, b.key)
		switch {
		case i < 0:
			changed = true
		case before[i] == b:
		case before[i].source != b.source || before[i].transport != b.transport || before[i].trunk != b.trunk ||
			b.expires.Before(before[i].expires) || now.Sub(before[i].written) >= keepEvery:
			changed = true
		default:
			b.written = before[i].written
			longer = true
		}
	}
	shard := shardOf(user)
	r.longer[shard] = r.longer[shard] || longer
	if changed {
		r.due[shard] = true
		select {
		case r.keeper.changed <- struct{}{}:
		default:
		}
	}
}
