package main

import (
	"bytes"
	"fmt"
	"net"
	"net/netip"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"
)

// telephones are the far side of calls: as many telephones as are wanted, behind
// one socket. They speak as little SIP as a call needs, in text of their own, so
// that they cost little and share no mistake with the server.
type telephones struct {
	conn   *net.UDPConn
	server netip.AddrPort
	local  string // host:port of conn
	// pick says what becomes of a call that comes to a number. Nil: none is taken.
	pick func(number string) manner

	again   atomic.Int64 // messages that had to be sent again
	strayed atomic.Int64 // requests about calls that there are not
	// came is told of calls that came and were answered, unless it is nil or full.
	came chan *talk
	// met is told of each call that comes, unless it is nil. It must not block.
	met func(number string, k *talk)

	mu    sync.Mutex
	last  int
	talks map[string]*talk // by Call-ID

	done chan struct{}
	wg   sync.WaitGroup
}

// manner is what a telephone does with a call.
type manner struct {
	status int           // 200 answers, anything else refuses
	rings  time.Duration // before that
	stay   time.Duration // until it hangs up; less than zero: it waits to be hung up on
	sound  string        // host:port that sound is to be sent to
}

// talk is one call.
type talk struct {
	t       *telephones
	id      string
	out     bool   // made by these telephones
	from    string // values of From and To in the requests of this side
	to      string
	target  string // Contact of the far side
	branch  string // of the INVITE
	vias    string // Via fields and number of the INVITE that came
	seq     string
	manner  manner
	began   time.Time
	heard   netip.AddrPort // where the far side listens for sound
	status  int            // of the final answer
	setup   time.Duration  // from INVITE to the final answer
	settled chan struct{}  // closed with the final answer, or with the ACK of ours
	over    chan struct{}  // closed when the call has ended

	// Guarded by telephones.mu.
	waiting  []byte    // what is sent until it is answered
	since    time.Time // when it was sent
	isOver   bool
	isSettle bool
	leaving  bool // BYE was sent
}

// patienceOfSIP is how long an answer is waited for before a message is sent again
// (T1 of RFC 3261 §17).
const patienceOfSIP = 500 * time.Millisecond

// listenTelephones opens the socket. The server may be told later, by call.
func listenTelephones(pick func(number string) manner) (*telephones, error) {
	conn, err := net.ListenUDP("udp4", &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1)})
	if err != nil {
		return nil, err
	}
	_ = conn.SetReadBuffer(4 << 20) // as much of it as the system allows
	t := &telephones{conn: conn, local: conn.LocalAddr().String(), pick: pick, talks: map[string]*talk{}, done: make(chan struct{})}
	t.wg.Go(t.read)
	t.wg.Go(t.remind)
	return t, nil
}

func (t *telephones) close() {
	close(t.done)
	_ = t.conn.Close()
	t.wg.Wait()
}

// live is how many calls there are.
func (t *telephones) live() int {
	t.mu.Lock()
	defer t.mu.Unlock()
	return len(t.talks)
}

func (t *telephones) send(b []byte) { _, _ = t.conn.WriteToUDPAddrPort(b, t.server) }

// remind sends again what was not answered.
func (t *telephones) remind() {
	tick := time.NewTicker(patienceOfSIP / 5)
	defer tick.Stop()
	for {
		select {
		case <-t.done:
			return
		case now := <-tick.C:
			t.mu.Lock()
			for _, k := range t.talks {
				if k.waiting != nil && now.Sub(k.since) > patienceOfSIP {
					k.since = now
					t.again.Add(1)
					t.send(k.waiting)
				}
			}
			t.mu.Unlock()
		}
	}
}

// offer is the description of a telephone's sound.
func offer(sound string) string {
	host, port, _ := net.SplitHostPort(sound)
	return "v=0\r\no=- 1 1 IN IP4 " + host + "\r\ns=-\r\nc=IN IP4 " + host + "\r\nt=0 0\r\nm=audio " + port +
		" RTP/AVP 0 101\r\na=rtpmap:0 PCMU/8000\r\na=rtpmap:101 telephone-event/8000\r\na=ptime:20\r\na=sendrecv\r\n"
}

func withBody(head, body string) []byte {
	if body != "" {
		head += "Content-Type: application/sdp\r\n"
	}
	return []byte(head + "Content-Length: " + strconv.Itoa(len(body)) + "\r\n\r\n" + body)
}

// call calls a number of the server.
func (t *telephones) call(number, from, sound string) *talk {
	t.mu.Lock()
	t.last++
	n := strconv.Itoa(t.last)
	k := &talk{
		t: t, out: true, id: "bench-" + n + "@" + t.local, branch: "z9hG4bKi" + n,
		from: "<sip:" + from + "@" + t.local + ">;tag=f" + n, to: "<sip:" + number + "@" + t.server.String() + ">",
		target: "sip:" + number + "@" + t.server.String(), settled: make(chan struct{}), over: make(chan struct{}),
	}
	k.waiting = withBody(k.request("INVITE", 1, k.branch)+"Contact: <sip:"+t.local+">\r\n", offer(sound))
	k.began = time.Now()
	k.since = k.began
	t.talks[k.id] = k
	invite := k.waiting
	t.mu.Unlock()
	t.send(invite)
	return k
}

// request is the head of a request of this side, without its end.
func (k *talk) request(method string, seq int, branch string) string {
	return method + " " + k.target + " SIP/2.0\r\nVia: SIP/2.0/UDP " + k.t.local + ";branch=" + branch +
		"\r\nMax-Forwards: 70\r\nFrom: " + k.from + "\r\nTo: " + k.to + "\r\nCall-ID: " + k.id +
		"\r\nCSeq: " + strconv.Itoa(seq) + " " + method + "\r\n"
}

// hangUp ends a call that was answered.
func (k *talk) hangUp() {
	k.t.mu.Lock()
	defer k.t.mu.Unlock()
	if k.isOver || k.leaving {
		return
	}
	k.leaving = true
	k.waiting, k.since = withBody(k.request("BYE", 2, k.branch+"b"), ""), time.Now()
	k.t.send(k.waiting)
}

// cancel ends a call that was not answered yet. An answer that was faster is hung
// up on.
func (k *talk) cancel() {
	k.t.mu.Lock()
	defer k.t.mu.Unlock()
	if !k.isSettle {
		k.leaving = true // for the answer
		k.t.send(withBody(k.request("CANCEL", 1, k.branch), ""))
	}
}

// settle and end are called with telephones.mu held.
func (k *talk) settle() {
	if !k.isSettle {
		k.isSettle = true
		close(k.settled)
	}
}

func (k *talk) end() {
	k.settle()
	k.waiting = nil
	if !k.isOver {
		k.isOver = true
		close(k.over)
	}
	delete(k.t.talks, k.id)
}

// message is what is needed of one.
type message struct {
	request          bool
	method           string // of CSeq in answers
	number           string // that a request is for
	status           int
	vias, via1       string // the Via fields as they came; the first of them
	from, to         string
	id, seq, contact string
	media            netip.AddrPort
}

func parseMessage(b []byte) (m message, ok bool) {
	head, body, _ := strings.Cut(string(b), "\r\n\r\n")
	first, rest, _ := strings.Cut(head, "\r\n")
	if answer, is := strings.CutPrefix(first, "SIP/2.0 "); is {
		m.status, _ = strconv.Atoi(answer[:min(3, len(answer))])
	} else {
		m.request = true
		var uri string
		m.method, uri, _ = strings.Cut(first, " ")
		uri = strings.TrimPrefix(uri, "sip:")
		m.number, _, _ = strings.Cut(uri, "@")
	}
	for line := range strings.SplitSeq(rest, "\r\n") {
		name, value, _ := strings.Cut(line, ":")
		value = strings.TrimSpace(value)
		switch strings.ToLower(name) {
		case "via", "v":
			if m.vias == "" {
				m.via1 = value
			}
			m.vias += line + "\r\n"
		case "from", "f":
			m.from = value
		case "to", "t":
			m.to = value
		case "call-id", "i":
			m.id = value
		case "cseq":
			var method string
			m.seq, method, _ = strings.Cut(value, " ")
			if !m.request {
				m.method = method
			}
		case "contact", "m":
			if _, in, is := strings.Cut(value, "<"); is {
				m.contact, _, _ = strings.Cut(in, ">")
			} else {
				m.contact = value
			}
		}
	}
	if body != "" {
		m.media = soundOf(body)
	}
	return m, m.id != ""
}

// soundOf is where a description says that sound is to be sent.
func soundOf(sdp string) netip.AddrPort {
	var at netip.Addr
	port := 0
	for line := range strings.SplitSeq(sdp, "\r\n") {
		if v, is := strings.CutPrefix(line, "c=IN IP4 "); is {
			at, _ = netip.ParseAddr(strings.TrimSpace(v))
		}
		if v, is := strings.CutPrefix(line, "m=audio "); is {
			v, _, _ = strings.Cut(v, " ")
			port, _ = strconv.Atoi(v)
		}
	}
	return netip.AddrPortFrom(at, uint16(port))
}

func (t *telephones) read() {
	b := make([]byte, 65536)
	for {
		n, from, err := t.conn.ReadFromUDPAddrPort(b)
		if err != nil {
			return
		}
		m, ok := parseMessage(bytes.TrimSpace(b[:n:n]))
		if !ok {
			continue
		}
		t.mu.Lock()
		if m.request {
			t.requested(&m, from)
		} else {
			t.answered(&m)
		}
		t.mu.Unlock()
	}
}

// answer is an answer to a request.
func (t *telephones) answer(m *message, to string, status int, more, body string) []byte {
	return withBody("SIP/2.0 "+strconv.Itoa(status)+" Bench\r\n"+m.vias+"From: "+m.from+"\r\nTo: "+to+"\r\nCall-ID: "+m.id+
		"\r\nCSeq: "+m.seq+" "+m.method+"\r\n"+more, body)
}

// requested takes a request. t.mu is held.
func (t *telephones) requested(m *message, from netip.AddrPort) {
	k := t.talks[m.id]
	switch m.method {
	case "INVITE":
		if k != nil { // again
			return
		}
		t.server = from
		if t.pick == nil {
			t.send(t.answer(m, m.to+";tag=none", 480, "", ""))
			return
		}
		t.invited(m)
	case "ACK":
		if k == nil || k.out {
			return
		}
		k.waiting = nil
		if k.status != 200 {
			k.end()
			return
		}
		k.settle()
		select {
		case t.came <- k:
		default:
		}
		if k.manner.stay >= 0 {
			time.AfterFunc(k.manner.stay, k.hangUp)
		}
	case "BYE":
		t.send(t.answer(m, m.to, 200, "", ""))
		if k == nil {
			t.strayed.Add(1)
			return
		}
		k.end()
	case "CANCEL":
		t.send(t.answer(m, m.to, 200, "", ""))
		if k != nil && !k.isSettle && k.status == 0 {
			k.refuse(487)
		}
	default: // OPTIONS and what else there may be
		t.send(t.answer(m, m.to+";tag=none", 200, "", ""))
	}
}

// invited takes a call that comes. t.mu is held.
func (t *telephones) invited(m *message) {
	t.last++
	tag := ";tag=t" + strconv.Itoa(t.last)
	k := &talk{
		t: t, id: m.id, from: m.to + tag, to: m.from, target: m.contact, branch: "z9hG4bKo" + strconv.Itoa(t.last), vias: m.vias, seq: m.seq,
		began: time.Now(), heard: m.media, manner: t.pick(m.number), settled: make(chan struct{}), over: make(chan struct{}),
	}
	t.talks[k.id] = k
	if t.met != nil {
		t.met(m.number, k)
	}
	seen := *m
	if k.manner.status != 200 || k.manner.rings > 0 {
		t.send(t.answer(m, k.from, 180, "Contact: <sip:"+t.local+">\r\n", ""))
	}
	decide := func() {
		switch {
		case k.isOver || k.status != 0:
		case k.manner.status == 200:
			k.status = 200
			k.waiting = t.answer(&seen, k.from, 200, "Contact: <sip:"+t.local+">\r\n", offer(k.manner.sound))
			k.since = time.Now()
			t.send(k.waiting)
		default:
			k.refuse(k.manner.status)
		}
	}
	if k.manner.rings == 0 {
		decide()
		return
	}
	time.AfterFunc(k.manner.rings, func() {
		t.mu.Lock()
		defer t.mu.Unlock()
		decide()
	})
}

// refuse is a final answer but 200. telephones.mu is held.
func (k *talk) refuse(status int) {
	k.status = status
	m := message{vias: k.vias, from: k.to, id: k.id, seq: k.seq, method: "INVITE"}
	k.waiting, k.since = k.t.answer(&m, k.from, status, "", ""), time.Now()
	k.t.send(k.waiting)
}

// answered takes an answer. t.mu is held.
func (t *telephones) answered(m *message) {
	k := t.talks[m.id]
	if k == nil {
		return
	}
	switch m.method {
	case "INVITE":
		if m.status < 200 {
			k.waiting = nil // it has arrived (RFC 3261 §17.1.1.2)
			return
		}
		k.to = m.to
		if m.status >= 300 {
			t.send(withBody(k.request("ACK", 1, k.branch), ""))
			k.done(m.status)
			k.end()
			return
		}
		if m.contact != "" {
			k.target = m.contact
		}
		t.send(withBody(k.request("ACK", 1, k.branch+"a"), ""))
		if k.isSettle {
			return // again
		}
		k.waiting, k.heard = nil, m.media
		k.done(m.status)
		k.settle()
		if k.leaving { // it was cancelled too late
			k.waiting, k.since = withBody(k.request("BYE", 2, k.branch+"b"), ""), time.Now()
			t.send(k.waiting)
		}
	case "BYE":
		k.end()
	}
}

func (k *talk) done(status int) { k.status, k.setup = status, time.Since(k.began) }

// wait waits for something of a call.
func (k *talk) wait(what <-chan struct{}, patience time.Duration) error {
	select {
	case <-what:
		return nil
	default:
	}
	timer := time.NewTimer(patience)
	defer timer.Stop()
	select {
	case <-what:
		return nil
	case <-timer.C:
		return fmt.Errorf("call %s: nothing for %v", k.id, patience)
	}
}
