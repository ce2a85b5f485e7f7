package wire

import (
	"errors"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/emiago/sipgo/sip"
)

// Timers are those of RFC 3261 §17, from which all others follow.
type Timers struct{ T1, T2, T4 time.Duration }

// DefaultTimers are those of RFC 3261, table 4.
var DefaultTimers = Timers{T1: 500 * time.Millisecond, T2: 4 * time.Second, T4: 5 * time.Second}

// Long is how long the answer to a request is waited for: timers B, F, H, J, L and M.
func (t Timers) Long() time.Duration { return 64 * t.T1 }

// ErrTimeout is the end of a transaction that nobody answered (timers B and F).
var ErrTimeout = errors.New("no answer in time")

// ErrClosed is that of sending after Close, of the network or of transactions.
var ErrClosed = errors.New("the endpoint is closed")

// Transactions are those of RFC 3261 §17 with the INVITE transactions of RFC 6026.
// They are this room's own, as those of the library hand each message to a
// goroutine of its own, which loses the order in which messages came. They have no
// goroutines: what a transaction has to tell it tells on the goroutine that reads
// the message, or on that of a timer, and who is told does not block.
type Transactions struct {
	net    *Network
	timers Timers

	mu      sync.Mutex
	closed  bool
	servers map[string]*ServerTx
	clients map[string]*ClientTx
}

// NewTransactions makes the transactions of a network, whose Upper.Receive is to bring
// them what has come: see Server, Invited and Response.
func NewTransactions(n *Network, t Timers) *Transactions {
	return &Transactions{net: n, timers: t, servers: map[string]*ServerTx{}, clients: map[string]*ClientTx{}}
}

// Close ends all transactions without a word. It may be called twice.
func (l *Transactions) Close() {
	l.mu.Lock()
	l.closed = true
	servers, clients := l.servers, l.clients
	l.servers, l.clients = map[string]*ServerTx{}, map[string]*ClientTx{}
	l.mu.Unlock()
	for _, t := range servers {
		t.mu.Lock()
		t.stop()
		t.mu.Unlock()
	}
	for _, t := range clients {
		t.mu.Lock()
		t.stop()
		t.mu.Unlock()
	}
}

// Size is how many transactions there are.
func (l *Transactions) Size() int {
	l.mu.Lock()
	defer l.mu.Unlock()
	return len(l.servers) + len(l.clients)
}

// serverKey tells which transaction a request is of (RFC 3261 §17.2.3). ACK and
// CANCEL are looked up as INVITE.
func serverKey(req *sip.Request, method sip.RequestMethod) string {
	via := req.Via()
	branch, _ := via.Params.Get("branch")
	if strings.HasPrefix(branch, sip.RFC3261BranchMagicCookie) {
		return branch + " " + strings.ToLower(via.Host) + ":" + strconv.Itoa(via.Port) + " " + string(method)
	}
	// As RFC 2543 had it, with what is left of the request that stays the same.
	id := ""
	if h := req.CallID(); h != nil {
		id = string(*h)
	}
	seq := uint32(0)
	if h := req.CSeq(); h != nil {
		seq = h.SeqNo
	}
	return strings.Join([]string{id, FromTag(req), strconv.FormatUint(uint64(seq), 10), via.Host, strconv.Itoa(via.Port), branch, string(method)}, " ")
}

// The states of transactions.
const (
	txTrying    = iota // nothing was answered
	txProceding        // a provisional answer
	txAccepted         // INVITE: 2xx (RFC 6026)
	txCompleted        // another final answer
	txConfirmed        // INVITE server: its ACK has come
	txOver
)

// ServerTx answers a request, again whenever the request comes again.
type ServerTx struct {
	l        *Transactions
	key      string
	invite   bool
	reliable bool
	from     Flow

	mu    sync.Mutex
	state int
	last  []byte // the last answer
	// onCancel is told that CANCEL has come, for an INVITE.
	onCancel func()
	retry    *time.Timer // timer G
	wait     time.Duration
	end      *time.Timer // timers H, I, J and L
}

// Server finds the transaction of a request, or begins it; fresh tells which. A
// request that came again has been dealt with. Nil after Close.
func (l *Transactions) Server(req *sip.Request, from Flow) (t *ServerTx, fresh bool) {
	key := serverKey(req, req.Method)
	l.mu.Lock()
	if l.closed {
		l.mu.Unlock()
		return nil, false
	}
	if t := l.servers[key]; t != nil {
		l.mu.Unlock()
		t.again()
		return t, false
	}
	t = &ServerTx{l: l, key: key, invite: req.Method == sip.INVITE, reliable: from.Proto != UDP, from: from}
	l.servers[key] = t
	l.mu.Unlock()
	if !t.invite {
		// Should nobody answer, it goes nevertheless.
		t.mu.Lock()
		t.endIn(2 * l.timers.Long())
		t.mu.Unlock()
	}
	return t, true
}

// Known tells whether a request belongs to a transaction that there is, and has it
// dealt with.
func (l *Transactions) Known(req *sip.Request) bool {
	l.mu.Lock()
	t := l.servers[serverKey(req, req.Method)]
	l.mu.Unlock()
	if t == nil {
		return false
	}
	t.again()
	return true
}

// Invited is the INVITE transaction that an ACK or a CANCEL is about.
func (l *Transactions) Invited(req *sip.Request) *ServerTx {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.servers[serverKey(req, sip.INVITE)]
}

// again repeats the answer to a request that came again. That of an INVITE that
// was accepted is the call's to repeat (RFC 6026 §7.1).
func (t *ServerTx) again() {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.last == nil || t.state == txAccepted || t.state == txConfirmed || t.state == txOver {
		return
	}
	_ = t.l.net.answer(t.from, t.last) // it will come again
}

// Respond answers the request. What follows a final answer is passed over, but for
// further 2xx of an INVITE (RFC 6026 §7.1). An error is that of sending.
func (t *ServerTx) Respond(res *sip.Response) error {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.state > txProceding {
		if t.state == txAccepted && res.StatusCode/100 == 2 {
			return t.l.net.answer(t.from, []byte(res.String()))
		}
		return nil // answered for good
	}
	t.last = []byte(res.String())
	long := t.l.timers.Long()
	switch {
	case res.StatusCode < 200:
		t.state = txProceding
	case t.invite && res.StatusCode < 300:
		t.state = txAccepted
		t.onCancel, t.last = nil, nil
		t.endIn(long) // timer L
		return t.l.net.answer(t.from, []byte(res.String()))
	case t.invite:
		t.state = txCompleted
		t.onCancel = nil
		t.endIn(long) // timer H
		if !t.reliable {
			t.wait = t.l.timers.T1
			t.retry = time.AfterFunc(t.wait, t.repeat) // timer G
		}
	default:
		t.state = txCompleted
		if t.reliable {
			long = 0
		}
		t.endIn(long) // timer J
	}
	return t.l.net.answer(t.from, t.last)
}

// repeat sends the refusal of an INVITE until its ACK comes.
func (t *ServerTx) repeat() {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.state != txCompleted {
		return
	}
	_ = t.l.net.answer(t.from, t.last) // it goes again
	t.wait = min(2*t.wait, t.l.timers.T2)
	t.retry.Reset(t.wait)
}

// Ack is told of the ACK of a refusal. False for that of an INVITE that was
// accepted, which is the call's.
func (t *ServerTx) Ack() bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	switch t.state {
	case txAccepted:
		return false
	case txCompleted:
		t.state = txConfirmed
		t.last = nil
		if t.retry != nil {
			t.retry.Stop()
		}
		wait := t.l.timers.T4
		if t.reliable {
			wait = 0
		}
		t.endIn(wait) // timer I
	}
	return true
}

// Cancel is told of CANCEL, and tells whom Cancels has named.
func (t *ServerTx) Cancel() {
	t.mu.Lock()
	f := t.onCancel
	t.mu.Unlock()
	if f != nil {
		f()
	}
}

// Cancels has f told of CANCEL until the request is answered for good. It must not
// block.
func (t *ServerTx) Cancels(f func()) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.state <= txProceding {
		t.onCancel = f
	}
}

// endIn ends the transaction after a while. t.mu is held.
func (t *ServerTx) endIn(d time.Duration) {
	if t.end == nil {
		t.end = time.AfterFunc(d, t.over)
		return
	}
	t.end.Reset(d)
}

// stop stops the timers. t.mu is held.
func (t *ServerTx) stop() {
	t.state = txOver
	t.onCancel = nil
	if t.retry != nil {
		t.retry.Stop()
	}
	if t.end != nil {
		t.end.Stop()
	}
}

// over forgets the transaction.
func (t *ServerTx) over() {
	t.mu.Lock()
	t.stop()
	t.mu.Unlock()
	t.l.mu.Lock()
	if t.l.servers[t.key] == t {
		delete(t.l.servers, t.key)
	}
	t.l.mu.Unlock()
}

// ClientTx sends a request until it is answered.
type ClientTx struct {
	l        *Transactions
	key      string
	invite   bool
	reliable bool
	to       Hop
	data     []byte

	mu    sync.Mutex
	state int
	req   *sip.Request // of an INVITE, until its final answer
	// on is told of all answers, or of the end without a final one.
	on    func(*sip.Response, error)
	acks  map[string]sent // by the tag of who has answered 2xx
	ack   []byte          // of a refusal
	retry *time.Timer     // timers A and E
	wait  time.Duration
	end   *time.Timer // timers B, D, F, K and M
}

// sent is a message and where it went.
type sent struct {
	to   Hop
	data []byte
}

// clientKey tells which transaction an answer is of (RFC 3261 §17.1.3).
func clientKey(branch string, method sip.RequestMethod) string { return branch + " " + string(method) }

// Client sends a request, whose Via has its branch, and has on told what comes of
// it: each answer, or ErrTimeout, or that it could not be delivered, the last with no
// answer. On is told on the goroutine that reads, on that of a connection, or on that
// of a timer, and not before Client returns an error. ACK is no transaction: see
// Acknowledge.
func (l *Transactions) Client(req *sip.Request, to Hop, on func(*sip.Response, error)) (*ClientTx, error) {
	branch, _ := req.Via().Params.Get("branch")
	t := &ClientTx{
		l: l, key: clientKey(branch, req.Method), invite: req.Method == sip.INVITE,
		reliable: to.Proto != UDP, to: to, data: []byte(req.String()), on: on, wait: l.timers.T1,
	}
	if t.invite {
		t.req = req
	}
	l.mu.Lock()
	if l.closed {
		l.mu.Unlock()
		return nil, ErrClosed
	}
	l.clients[t.key] = t
	l.mu.Unlock()

	t.mu.Lock()
	defer t.mu.Unlock()
	if !t.reliable {
		t.retry = time.AfterFunc(t.wait, t.repeat)
	}
	t.end = time.AfterFunc(l.timers.Long(), func() { t.fail(ErrTimeout) })
	if err := l.net.send(to, t.data, func(err error) { t.fail(err) }); err != nil {
		t.stop()
		l.forget(t)
		return nil, err
	}
	return t, nil
}

// Response is told of an answer, which has a Via. False when it belongs to no
// transaction (RFC 3261 §18.1.2).
func (l *Transactions) Response(res *sip.Response) bool {
	branch, _ := res.Via().Params.Get("branch")
	method := MethodOf(res)
	l.mu.Lock()
	t := l.clients[clientKey(branch, method)]
	l.mu.Unlock()
	if t == nil {
		return false
	}
	t.response(res)
	return true
}

func (l *Transactions) forget(t *ClientTx) {
	l.mu.Lock()
	if l.clients[t.key] == t {
		delete(l.clients, t.key)
	}
	l.mu.Unlock()
}

// repeat sends the request again (timers A and E).
func (t *ClientTx) repeat() {
	t.mu.Lock()
	defer t.mu.Unlock()
	switch {
	case t.state == txTrying && t.invite:
		t.wait *= 2
	case t.state == txTrying:
		t.wait = min(2*t.wait, t.l.timers.T2)
	case t.state == txProceding && !t.invite:
		t.wait = t.l.timers.T2
	default:
		return
	}
	_ = t.l.net.send(t.to, t.data, nil) // it goes again
	t.retry.Reset(t.wait)
}

func (t *ClientTx) response(res *sip.Response) {
	t.mu.Lock()
	on := t.on
	switch {
	case t.state == txOver:
		on = nil
	case res.StatusCode < 200:
		if t.state > txProceding {
			on = nil
			break
		}
		if t.invite && t.state == txTrying {
			// Timer B is for the first answer (RFC 3261 §17.1.1.2); how long it may
			// ring is the caller's to say.
			t.end.Stop()
		}
		t.state = txProceding
	case t.invite && res.StatusCode < 300:
		if t.state == txCompleted {
			on = nil
			break
		}
		if t.state != txAccepted {
			t.state = txAccepted
			t.halt()
			t.end.Reset(t.l.timers.Long()) // timer M
			t.data, t.req = nil, nil
		}
		if a, ok := t.acks[ToTag(res)]; ok {
			_ = t.l.net.send(a.to, a.data, nil) // the answer comes again
			on = nil
		}
	case t.invite:
		if t.state == txAccepted {
			on = nil
			break
		}
		if t.state == txCompleted {
			on = nil
		} else {
			t.state = txCompleted
			t.halt()
			wait := 32 * time.Second
			if t.reliable {
				wait = 0
			}
			t.end.Reset(wait) // timer D
			t.ack = refusalACK(t.req, res)
			t.data, t.req = nil, nil
		}
		_ = t.l.net.send(t.to, t.ack, nil) // the refusal comes again
	case t.state == txCompleted:
		on = nil
	default:
		t.state = txCompleted
		t.halt()
		wait := t.l.timers.T4
		if t.reliable {
			wait = 0
		}
		t.end.Reset(wait) // timer K
		t.data = nil
	}
	if t.state == txCompleted {
		t.on = nil
	}
	t.mu.Unlock()
	if on != nil {
		on(res, nil)
	}
}

// Acknowledge has the ACK of a 2xx sent, now and whenever the 2xx comes again (RFC 3261
// §13.2.2.4). Tag is that of who has answered: several may. An error is that of sending
// it now.
func (t *ClientTx) Acknowledge(tag string, to Hop, ack []byte) error {
	t.mu.Lock()
	if t.state == txAccepted {
		if t.acks == nil {
			t.acks = map[string]sent{}
		}
		t.acks[tag] = sent{to, ack}
	}
	t.mu.Unlock()
	return t.l.net.send(to, ack, nil)
}

// Cancel sends CANCEL. Before a provisional answer, and after the final one, it does
// nothing (RFC 3261 §9.1). An error is that of sending.
func (t *ClientTx) Cancel() error {
	t.mu.Lock()
	req := t.req
	if req == nil || t.state != txProceding {
		t.mu.Unlock()
		return nil // a final answer has come
	}
	t.end.Reset(t.l.timers.Long()) // no longer than that for 487 (RFC 3261 §9.1)
	t.mu.Unlock()
	_, err := t.l.Client(cancelOf(req), t.to, func(*sip.Response, error) {})
	return err
}

// Detach has nobody told any more.
func (t *ClientTx) Detach() {
	t.mu.Lock()
	t.on = nil
	t.mu.Unlock()
}

// fail ends the transaction, which tells so when it had no final answer.
func (t *ClientTx) fail(err error) {
	t.mu.Lock()
	on := t.on
	if t.state > txProceding {
		on = nil
	}
	t.stop()
	t.mu.Unlock()
	t.l.forget(t)
	if on != nil {
		on(nil, err)
	}
}

// halt stops sending again. t.mu is held.
func (t *ClientTx) halt() {
	if t.retry != nil {
		t.retry.Stop()
	}
}

// stop stops the timers. t.mu is held.
func (t *ClientTx) stop() {
	t.state = txOver
	t.on, t.req, t.data, t.acks = nil, nil, nil, nil
	t.halt()
	if t.end != nil {
		t.end.Stop()
	}
}

// within makes the request that goes the same way as an INVITE and has its top Via:
// CANCEL, or the ACK of a refusal.
func within(invite *sip.Request, method sip.RequestMethod) *sip.Request {
	req := sip.NewRequest(method, *invite.Recipient.Clone())
	req.AppendHeader(sip.HeaderClone(invite.Via()))
	for _, h := range invite.Headers() {
		if Named(h, "Route") {
			req.AppendHeader(sip.HeaderClone(h))
		}
	}
	hops := sip.MaxForwardsHeader(70)
	req.AppendHeader(&hops)
	req.AppendHeader(sip.HeaderClone(invite.From()))
	return req
}

// refusalACK acknowledges a refusal (RFC 3261 §17.1.1.3).
func refusalACK(invite *sip.Request, res *sip.Response) []byte {
	req := within(invite, sip.ACK)
	if to := res.To(); to != nil {
		req.AppendHeader(sip.HeaderClone(to))
	}
	req.AppendHeader(sip.HeaderClone(invite.CallID()))
	req.AppendHeader(&sip.CSeqHeader{SeqNo: invite.CSeq().SeqNo, MethodName: sip.ACK})
	req.SetBody(nil)
	return []byte(req.String())
}

// cancelOf cancels an INVITE (RFC 3261 §9.1).
func cancelOf(invite *sip.Request) *sip.Request {
	req := within(invite, sip.CANCEL)
	req.AppendHeader(sip.HeaderClone(invite.To()))
	req.AppendHeader(sip.HeaderClone(invite.CallID()))
	req.AppendHeader(&sip.CSeqHeader{SeqNo: invite.CSeq().SeqNo, MethodName: sip.CANCEL})
	req.SetBody(nil)
	return req
}
