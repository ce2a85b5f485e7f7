package main

import (
	"encoding/binary"
	"net"
	"net/netip"
	"slices"
	"sync"
	"sync/atomic"
	"time"
)

// Sound of telephones: packets of 20 ms of PCMU (RFC 3551 §4.5.14).
const (
	rtpPeriod  = 20 * time.Millisecond
	rtpHeader  = 12
	rtpPayload = 160
	// rtpSlots is in how many moments of the 20 ms packets are sent, so that they do
	// not come in one burst.
	rtpSlots = 20
	// stampMark begins a payload that says when it was sent. What a server makes
	// itself does not have it.
	stampMark = 0x5eed0bec
)

// legsOfEar is how many streams are received by one socket.
const legsOfEar = 25

// ear is a socket for sound.
type ear struct {
	conn *net.UDPConn

	mu      sync.Mutex
	from    time.Time // begin and end of what is measured
	until   time.Time
	took    []int64           // how long stamped packets took, in nanoseconds
	streams map[uint16]*heard // by the port they came from
}

// heard is what was received of a stream in the time that is measured, without
// looking at what is in it.
type heard struct {
	base, top uint16
	packets   int
}

// ears are sockets for sound. They live as long as the benchmark.
type ears struct {
	list []*ear
	used int
	wg   sync.WaitGroup
	born time.Time
}

func (e *ears) close() {
	for _, one := range e.list {
		_ = one.conn.Close()
	}
	e.wg.Wait()
}

// lend gives a socket for one more leg.
func (e *ears) lend() (*ear, error) {
	if e.born.IsZero() {
		e.born = time.Now()
	}
	if e.used == len(e.list)*legsOfEar {
		conn, err := net.ListenUDP("udp4", &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1)})
		if err != nil {
			return nil, err
		}
		_ = conn.SetReadBuffer(1 << 20)
		one := &ear{conn: conn, streams: map[uint16]*heard{}}
		e.list = append(e.list, one)
		e.wg.Go(func() { one.listen(e.born) })
	}
	one := e.list[e.used/legsOfEar]
	e.used++
	return one, nil
}

// free lends all sockets anew: the legs that had them are over.
func (e *ears) free() { e.used = 0 }

func (e *ear) address() string { return e.conn.LocalAddr().String() }

func (e *ear) port() netip.AddrPort {
	a, _ := netip.ParseAddrPort(e.address())
	return a
}

func (e *ear) listen(born time.Time) {
	b := make([]byte, 2048)
	for {
		n, from, err := e.conn.ReadFromUDPAddrPort(b)
		if err != nil {
			return
		}
		if n < rtpHeader+16 {
			continue
		}
		now := time.Now()
		e.mu.Lock()
		if !e.from.IsZero() {
			e.hear(b[:n], from.Port(), now, born)
		}
		e.mu.Unlock()
	}
}

// hear counts a packet. e.mu is held.
func (e *ear) hear(b []byte, from uint16, now, born time.Time) {
	if p := b[rtpHeader:]; binary.BigEndian.Uint32(p) == stampMark {
		sent := born.Add(time.Duration(binary.BigEndian.Uint64(p[4:])))
		if !sent.Before(e.from) && sent.Before(e.until) {
			e.took = append(e.took, int64(now.Sub(sent)))
		}
	}
	if now.Before(e.from) || !now.Before(e.until) {
		return
	}
	seq := binary.BigEndian.Uint16(b[2:])
	h := e.streams[from]
	if h == nil {
		h = &heard{base: seq, top: seq}
		e.streams[from] = h
	}
	h.packets++
	if int16(seq-h.top) > 0 {
		h.top = seq
	}
}

// sending is a stream that is sent.
type sending struct {
	conn *net.UDPConn
	to   netip.AddrPort
	b    [rtpHeader + rtpPayload]byte
	seq  uint16
	ts   uint32
}

func (e *ear) speak(to netip.AddrPort, ssrc uint32) *sending {
	s := &sending{conn: e.conn, to: to}
	s.b[0] = 2 << 6
	binary.BigEndian.PutUint32(s.b[8:], ssrc)
	for i := range s.b[rtpHeader:] {
		s.b[rtpHeader+i] = 0xff // silence
	}
	binary.BigEndian.PutUint32(s.b[rtpHeader:], stampMark)
	return s
}

// carried is what became of sound in the time that was measured.
type carried struct {
	sent     int // stamped packets
	arrived  int
	p50, p99 time.Duration
	packets  int // that were received of any kind
	missing  int // of the sequences of those
	late     time.Duration
}

func (c carried) lost() int { return c.sent - c.arrived }

// carry sends streams for some time and says what arrived of them. Measured is what
// the time between is used for, such as reading clocks: begun and ended frame it.
func (e *ears) carry(streams []*sending, length time.Duration, begun, ended func()) carried {
	const warm, rest = 600 * time.Millisecond, 300 * time.Millisecond
	start := time.Now()
	from, until := start.Add(warm), start.Add(warm+length)
	for _, one := range e.list {
		one.mu.Lock()
		one.from, one.until, one.took = from, until, one.took[:0]
		clear(one.streams)
		one.mu.Unlock()
	}
	var sent atomic.Int64
	var late atomic.Int64 // the most that the generator was behind
	stop := until.Add(rest / 2)
	const speakers = 2
	var wg sync.WaitGroup
	for n := range speakers {
		var slots [rtpSlots][]*sending
		for i := n; i < len(streams); i += speakers {
			slots[i/speakers%rtpSlots] = append(slots[i/speakers%rtpSlots], streams[i])
		}
		wg.Go(func() {
			count := 0
			for tick := 0; ; tick++ {
				due := start.Add(time.Duration(tick) * rtpPeriod / rtpSlots)
				if due.After(stop) {
					break
				}
				if d := time.Until(due); d > 0 {
					time.Sleep(d)
				} else if due.After(from) && int64(-d) > late.Load() {
					late.Store(int64(-d))
				}
				for _, s := range slots[tick%rtpSlots] {
					if at := s.send(e.born); !at.Before(from) && at.Before(until) {
						count++
					}
				}
			}
			sent.Add(int64(count))
		})
	}
	time.Sleep(time.Until(from))
	begun()
	time.Sleep(time.Until(until))
	ended()
	wg.Wait()
	time.Sleep(time.Until(until.Add(rest)))
	c := carried{sent: int(sent.Load()), late: time.Duration(late.Load())}
	var took []int64
	for _, one := range e.list {
		one.mu.Lock()
		took = append(took, one.took...)
		for _, h := range one.streams {
			c.packets += h.packets
			c.missing += int(h.top-h.base) + 1 - h.packets
		}
		one.from = time.Time{}
		one.mu.Unlock()
	}
	slices.Sort(took)
	c.arrived = len(took)
	if len(took) > 0 {
		c.p50, c.p99 = time.Duration(took[len(took)/2]), time.Duration(took[len(took)*99/100])
	}
	return c
}

// send sends a packet and says when.
func (s *sending) send(born time.Time) time.Time {
	s.b[1] = 0
	binary.BigEndian.PutUint16(s.b[2:], s.seq)
	binary.BigEndian.PutUint32(s.b[4:], s.ts)
	s.seq++
	s.ts += rtpPayload
	now := time.Now()
	binary.BigEndian.PutUint64(s.b[rtpHeader+4:], uint64(now.Sub(born)))
	_, _ = s.conn.WriteToUDPAddrPort(s.b[:], s.to)
	return now
}
