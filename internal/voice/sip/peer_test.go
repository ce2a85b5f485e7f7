package sip

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/netip"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/emiago/sipgo/sip"

	"ringdown/internal/voice/sip/wire"
)

// lan is a network of UDP sockets in memory, so that tests run in virtual time.
type lan struct {
	mu    sync.Mutex
	socks map[netip.AddrPort]*sock
}

type datagramIn struct {
	data []byte
	from netip.AddrPort
}

// sock is a socket of a lan.
type sock struct {
	w      *lan
	addr   netip.AddrPort
	in     chan datagramIn
	closed chan struct{}
	once   sync.Once
	// lose tells which datagrams are lost on their way out.
	lose func(data []byte) bool
}

func (w *lan) sock(addr string) *sock {
	s := &sock{w: w, addr: netip.MustParseAddrPort(addr), in: make(chan datagramIn, 1000), closed: make(chan struct{})}
	w.mu.Lock()
	defer w.mu.Unlock()
	w.socks[s.addr] = s
	return s
}

func (s *sock) ReadFromUDPAddrPort(b []byte) (int, netip.AddrPort, error) {
	select {
	case d := <-s.in:
		return copy(b, d.data), d.from, nil
	case <-s.closed:
		return 0, netip.AddrPort{}, net.ErrClosed
	}
}

func (s *sock) WriteToUDPAddrPort(b []byte, to netip.AddrPort) (int, error) {
	select {
	case <-s.closed:
		return 0, net.ErrClosed
	default:
	}
	if to.Port() == 1 {
		return 0, errors.New("no route to host")
	}
	if s.lose != nil && s.lose(b) {
		return len(b), nil
	}
	s.w.mu.Lock()
	there := s.w.socks[to]
	s.w.mu.Unlock()
	if there != nil {
		select {
		case there.in <- datagramIn{slices.Clone(b), s.addr}:
		default:
		}
	}
	return len(b), nil
}

func (s *sock) LocalAddr() net.Addr { return net.UDPAddrFromAddrPort(s.addr) }

func (s *sock) Close() error {
	s.once.Do(func() { close(s.closed) })
	return nil
}

const (
	hereAddr  = "192.0.2.1:5060"
	farAddr   = "192.0.2.2:5060"
	otherAddr = "192.0.2.3:5060"
)

// rig is an endpoint and a far side that says what the test has it say.
type rig struct {
	*testing.T
	lan  *lan
	e    *Endpoint
	sock *sock  // of e
	tcp  *pipes // of e
	dns  names  // of e
	far  *peer
	// incoming are the calls that came in.
	incoming chan *Call
}

// virtual runs a test on a rig in virtual time.
func virtual(t *testing.T, set func(o *Options), f func(r *rig)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) {
		r := newRig(t, set)
		f(r)
		if r.e.Calls() == 0 {
			// Nothing is left of calls when all timers have run out.
			<-time.After(3 * time.Minute)
			r.e.mu.Lock()
			if n := len(r.e.dialogs) + len(r.e.merged) + len(r.e.busy); n != 0 {
				t.Errorf("%d things of calls are left", n)
			}
			r.e.mu.Unlock()
			if n := r.e.tx.Size(); n != 0 {
				t.Errorf("%d transactions are left", n)
			}
		}
		if err := r.e.Close(); err != nil {
			t.Error(err)
		}
		if n := r.e.Calls(); n != 0 {
			t.Errorf("%d calls are left", n)
		}
		synctest.Wait()
	})
}

func newRig(t *testing.T, set func(o *Options)) *rig {
	t.Helper()
	r := &rig{T: t, lan: &lan{socks: map[netip.AddrPort]*sock{}}, dns: names{}, incoming: make(chan *Call, 100)}
	o := Options{
		Trunks:    []Trunk{{Name: "far", Address: "sip:" + farAddr}},
		Incoming:  func(c *Call) { r.incoming <- c },
		UserAgent: "ringdown/test",
	}
	if set != nil {
		set(&o)
	}
	r.sock = r.lan.sock(hereAddr)
	r.tcp = &pipes{in: make(chan net.Conn), closed: make(chan struct{})}
	e, err := open(t.Context(), o, wire.Sockets{UDP: r.sock, TCP: r.tcp}, wire.DefaultTimers, r.dns)
	if err != nil {
		t.Fatal(err)
	}
	r.e = e
	r.far = r.peer(farAddr)
	t.Cleanup(func() { _ = e.Close() })
	return r
}

// names are those of a DNS.
type names map[string]string

func (n names) LookupNetIP(ctx context.Context, _, host string) ([]netip.Addr, error) {
	if ctx.Err() != nil {
		return nil, ctx.Err()
	}
	if a, ok := n[host]; ok {
		return []netip.Addr{netip.MustParseAddr(a)}, nil
	}
	return nil, errors.New("no such name")
}

func (names) LookupSRV(context.Context, string, string, string) (string, []*net.SRV, error) {
	return "", nil, errors.New("no such name")
}

// peer makes another far side.
func (r *rig) peer(addr string) *peer {
	return &peer{rig: r, s: r.lan.sock(addr)}
}

// pipes listens for connections in memory.
type pipes struct {
	in     chan net.Conn
	closed chan struct{}
	once   sync.Once
}

func (l *pipes) Accept() (net.Conn, error) {
	select {
	case c := <-l.in:
		return c, nil
	case <-l.closed:
		return nil, net.ErrClosed
	}
}

func (l *pipes) Addr() net.Addr { return net.TCPAddrFromAddrPort(netip.MustParseAddrPort(hereAddr)) }

func (l *pipes) Close() error {
	l.once.Do(func() { close(l.closed) })
	return nil
}

// pipe is an end of a connection that knows where the other one is.
type pipe struct {
	net.Conn
	there netip.AddrPort
}

func (p *pipe) RemoteAddr() net.Addr { return net.TCPAddrFromAddrPort(p.there) }

// connected makes a far side that speaks over a connection of its making.
func (r *rig) connected(addr string) *peer {
	r.Helper()
	there, here := net.Pipe()
	p := &peer{rig: r, conn: there, s: &sock{addr: netip.MustParseAddrPort(addr), in: make(chan datagramIn, 1000)}}
	r.tcp.in <- &pipe{here, p.s.addr}
	r.Cleanup(func() { _ = there.Close() })
	go func() {
		in := wire.NewParser().NewSIPStream()
		defer in.Close()
		buf := make([]byte, 8192)
		for {
			n, err := there.Read(buf)
			if err != nil {
				return
			}
			if _, err := in.Write(buf[:n]); err != nil {
				return
			}
			for {
				m, _, err := in.ParseNext()
				if err != nil {
					break
				}
				p.s.in <- datagramIn{[]byte(m.String()), netip.MustParseAddrPort(hereAddr)}
			}
		}
	}()
	return p
}

// leaves ends the connection of a far side.
func (p *peer) leaves() {
	_ = p.conn.Close()
	synctest.Wait()
}

// peer is a far side.
type peer struct {
	*rig
	s    *sock
	conn net.Conn // nil for one that speaks by datagrams
}

func (p *peer) send(text string) {
	p.Helper()
	if p.conn != nil {
		if _, err := p.conn.Write([]byte(text)); err != nil {
			p.Fatal(err)
		}
		return
	}
	if _, err := p.s.WriteToUDPAddrPort([]byte(text), netip.MustParseAddrPort(hereAddr)); err != nil {
		p.Fatal(err)
	}
}

// next is the next message, nil when none comes for a while.
func (p *peer) next(wait time.Duration) sip.Message {
	p.Helper()
	timer := time.NewTimer(wait)
	defer timer.Stop()
	select {
	case d := <-p.s.in:
		m, err := wire.NewParser().ParseSIP(d.data)
		if err != nil {
			p.Fatalf("%v in\n%s", err, d.data)
		}
		m.SetSource(d.from.String())
		return m
	case <-timer.C:
		return nil
	}
}

// silent fails when anything comes within a while.
func (p *peer) silent(wait time.Duration) {
	p.Helper()
	if m := p.next(wait); m != nil {
		p.Fatalf("unexpected message\n%s", m)
	}
}

// request waits for a request of a method; what came again is passed over.
func (p *peer) request(method sip.RequestMethod) *sip.Request {
	p.Helper()
	m := p.next(5 * time.Minute)
	req, ok := m.(*sip.Request)
	if !ok || req.Method != method {
		p.Fatalf("want %s, got\n%v", method, m)
	}
	return req
}

// response waits for an answer with a status.
func (p *peer) response(status int) *sip.Response {
	p.Helper()
	m := p.next(5 * time.Minute)
	res, ok := m.(*sip.Response)
	if !ok || res.StatusCode != status {
		p.Fatalf("want %d, got\n%v", status, m)
	}
	return res
}

// msg writes a message: a first line, header fields, and a body after an empty one.
func msg(first string, lines ...string) string {
	var b strings.Builder
	b.WriteString(first + "\r\n")
	body := ""
	for i, l := range lines {
		if l == "" {
			body = strings.Join(lines[i+1:], "\r\n")
			break
		}
		b.WriteString(l + "\r\n")
	}
	b.WriteString("Content-Length: " + strconv.Itoa(len(body)) + "\r\n\r\n" + body)
	return b.String()
}

// answer answers a request of the endpoint. To gets a tag unless it is "".
func (p *peer) answer(req *sip.Request, status int, tag string, lines ...string) {
	p.Helper()
	p.send(answerText(req, status, tag, lines...))
}

func answerText(req *sip.Request, status int, tag string, lines ...string) string {
	var head []string
	for _, name := range []string{"Via", "From", "To", "Call-ID", "CSeq"} {
		for _, v := range wire.Fields(req, name) {
			if name == "To" && tag != "" && !strings.Contains(v, "tag=") {
				v += ";tag=" + tag
			}
			head = append(head, name+": "+v)
		}
	}
	return msg(fmt.Sprintf("SIP/2.0 %d Text", status), append(head, lines...)...)
}

// Descriptions that fakeMedia takes.
const (
	offerText   = "v=0 offer"
	farContact  = "Contact: <sip:far@" + farAddr + ">"
	contentType = "Content-Type: application/sdp"
)

// withSDP are the lines of a message with a Contact and a description.
func withSDP(text string, lines ...string) []string {
	return append(append([]string{farContact}, lines...), contentType, "", text)
}

// leg is the far side's half of a dialog.
type leg struct {
	p                    *peer
	callID, tag, to      string
	local, remote        string // From and To of its requests, without tags
	remoteTag, target    string
	seq                  int
	branches             int
	headers              []string // of each request
	invite               string
	lastBranch, viaExtra string
}

// leg begins a call to the endpoint.
func (p *peer) leg(to string) *leg {
	return &leg{
		p: p, callID: wire.NewID(), tag: wire.NewID()[:8], to: to, target: "sip:" + to + "@" + hereAddr,
		local: "<sip:+15550100@192.0.2.2>", remote: "<sip:" + to + "@192.0.2.1>", viaExtra: ";rport",
	}
}

// text is a request of the leg. A new branch for each but with the same one for ACK
// of a refusal and CANCEL (branch given).
func (l *leg) text(method string, seq int, branch string, lines ...string) string {
	if branch == "" {
		l.branches++
		branch = fmt.Sprintf("z9hG4bK%s.%d", l.tag, l.branches)
	}
	l.lastBranch = branch
	to := l.remote
	if l.remoteTag != "" {
		to += ";tag=" + l.remoteTag
	}
	head := []string{
		fmt.Sprintf("Via: SIP/2.0/UDP %s;branch=%s%s", l.p.s.addr, branch, l.viaExtra),
		"From: " + l.local + ";tag=" + l.tag, "To: " + to, "Call-ID: " + l.callID,
		fmt.Sprintf("CSeq: %d %s", seq, method), "Max-Forwards: 70",
	}
	return msg(method+" "+l.target+" SIP/2.0", append(append(head, l.headers...), lines...)...)
}

func (l *leg) send(method string, lines ...string) {
	l.p.Helper()
	l.seq++
	l.p.send(l.text(method, l.seq, "", lines...))
}

// call sends INVITE and takes the 100.
func (l *leg) call(lines ...string) *Call {
	l.p.Helper()
	l.seq++
	l.invite = l.text("INVITE", l.seq, "", lines...)
	l.p.send(l.invite)
	l.p.response(100)
	return <-l.p.incoming
}

// joined takes a 2xx or 18x: the far side learns the tag and the target.
func (l *leg) joined(res *sip.Response) *sip.Response {
	l.remoteTag = wire.ToTag(res)
	if u, ok := wire.ContactOf(res); ok {
		l.target = u.String()
	}
	return res
}

// ack acknowledges a 2xx.
func (l *leg) ack(lines ...string) {
	l.p.Helper()
	l.p.send(l.text("ACK", l.seq, "", lines...))
}

// answered is a call that came in, was answered and acknowledged.
func (p *peer) answered(lines ...string) (*leg, *Call, *ears) {
	p.Helper()
	l := p.leg("+15550199")
	if lines == nil {
		lines = withSDP(offerText)
	}
	c := l.call(lines...)
	ears := newEars()
	c.Answer(&fakeMedia{}, ears.hear)
	l.joined(p.response(200))
	l.ack()
	ears.want(p, Answered, Confirmed)
	return l, c, ears
}

// dialled is a call out that was answered, and the far side's half of it.
func (p *peer) dialled(lines ...string) (*leg, *Call, *ears) {
	p.Helper()
	ears := newEars()
	c, err := p.e.Dial(Invitation{Trunk: "far", To: "+15550199", From: "+15550100", Media: ears.media, Hear: ears.hear})
	if err != nil {
		p.Fatal(err)
	}
	req := p.request(mINVITE)
	l := p.taken(req)
	p.answer(req, 200, l.tag, withSDP("v=0 answer", lines...)...)
	p.request(mACK)
	ears.want(p, Answered)
	return l, c, ears
}

// taken is the far side's half of a call to it.
func (p *peer) taken(req *sip.Request) *leg {
	u, _ := wire.ContactOf(req)
	return &leg{
		p: p, callID: string(*req.CallID()), tag: wire.NewID()[:8], target: u.String(), viaExtra: ";rport",
		local: "<" + req.To().Address.String() + ">", remote: "<" + req.From().Address.String() + ">",
		remoteTag: wire.FromTag(req), seq: 100,
	}
}

// ears are who hears of a call.
type ears struct {
	media  *fakeMedia
	events chan Event
}

func newEars() *ears { return &ears{media: &fakeMedia{}, events: make(chan Event, 100)} }

func (s *ears) hear(ev Event) { s.events <- ev }

// next is the next event.
func (s *ears) next(t testing.TB, wait time.Duration) Event {
	t.Helper()
	timer := time.NewTimer(wait)
	defer timer.Stop()
	select {
	case ev := <-s.events:
		return ev
	case <-timer.C:
		t.Fatal("nothing was told")
		return Event{}
	}
}

// want takes events of these kinds.
func (s *ears) want(t testing.TB, kinds ...EventKind) (last Event) {
	t.Helper()
	for _, k := range kinds {
		if last = s.next(t, time.Hour); last.Kind != k {
			t.Fatalf("want event %d, got %+v", k, last)
		}
	}
	return last
}

// over takes the end, and that nothing follows.
func (s *ears) over(t testing.TB, cause Cause, status int) Event {
	t.Helper()
	ev := s.want(t, Ended)
	if ev.Cause != cause || ev.Status != status {
		t.Fatalf("want end by cause %d with %d, got %+v", cause, status, ev)
	}
	select {
	case more := <-s.events:
		t.Fatalf("told after the end: %+v", more)
	default:
	}
	return ev
}

// fakeMedia agrees to what looks like a description.
type fakeMedia struct {
	mu                        sync.Mutex
	offers, answers, accepted []string
	held                      bool
	fail                      error
}

func (m *fakeMedia) Offer() ([]byte, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	text := "v=0 ours " + strconv.Itoa(len(m.offers)+1)
	m.offers = append(m.offers, text)
	return []byte(text), m.fail
}

func (m *fakeMedia) Answer(offer []byte) ([]byte, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if !strings.HasPrefix(string(offer), "v=0") {
		return nil, errors.New("no description")
	}
	m.answers = append(m.answers, string(offer))
	m.held = strings.Contains(string(offer), "sendonly")
	return []byte("v=0 agreed"), m.fail
}

func (m *fakeMedia) Accept(answer []byte) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if !strings.HasPrefix(string(answer), "v=0") {
		return errors.New("no description")
	}
	m.accepted = append(m.accepted, string(answer))
	m.held = strings.Contains(string(answer), "recvonly")
	return nil
}

func (m *fakeMedia) Held() bool {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.held
}

func (m *fakeMedia) has(what *[]string) []string {
	m.mu.Lock()
	defer m.mu.Unlock()
	return slices.Clone(*what)
}
