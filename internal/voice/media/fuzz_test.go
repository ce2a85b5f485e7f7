package media

import (
	"bytes"
	"encoding/binary"
	"log/slog"
	"net/netip"
	"testing"
	"time"

	"github.com/pion/rtcp"
	"github.com/pion/rtp"

	"ringdown/internal/audio"
)

// still is an engine whose clocks do not run: tests drive it.
func still() *Engine {
	e := &Engine{
		o:     Options{Now: time.Now, Silence: time.Minute, Jitter: 60 * time.Millisecond, Logger: slog.New(slog.DiscardHandler)},
		epoch: time.Unix(1e9, 0), sessions: map[*Session]struct{}{},
	}
	for range 2 {
		e.clocks = append(e.clocks, &clock{wake: make(chan struct{}, 1)})
	}
	return e
}

// checked is a wire that looks at everything that is sent.
type checked struct {
	t     *testing.T
	o     *sender
	count int
}

func (w *checked) WriteToUDPAddrPort(b []byte, to netip.AddrPort) (int, error) {
	var p rtp.Packet
	if err := p.Unmarshal(b); err != nil {
		w.t.Fatalf("a packet was sent that is none: %v", err)
	}
	switch {
	case p.SSRC != w.o.ssrc || p.Padding || p.Extension || len(p.CSRC) > 0:
		w.t.Errorf("the header is %+v", p.Header)
	case p.PayloadType != w.o.p.PayloadType && (w.o.p.Events == 0 || p.PayloadType != w.o.p.Events):
		w.t.Errorf("payload type %d was sent, which was not agreed to", p.PayloadType)
	case len(p.Payload) == 0 || len(b) > maxDatagram:
		w.t.Errorf("a packet of %d bytes", len(b))
	case to != w.o.remote || !to.IsValid():
		w.t.Errorf("it was sent to %v", to)
	}
	w.count++
	return len(b), nil
}

// FuzzRTP throws packets at a call, which is relayed, mixed and recorded in turn:
// whatever comes, what is sent is right.
func FuzzRTP(f *testing.F) {
	seed := func(packets ...[]byte) {
		var b []byte
		for _, p := range packets {
			b = append(binary.BigEndian.AppendUint16(b, uint16(len(p))), p...)
		}
		f.Add(b)
	}
	a := &far{codec: audio.MuLaw, ssrc: 7, sequence: 65534}
	voice := func() []byte {
		a.timestamp += 160
		return a.next(0, false, a.timestamp, bytes.Repeat([]byte{0x10}, 160))
	}
	seed(voice(), voice(), voice())
	seed(voice(), a.next(101, true, 5, []byte{1, 10, 0, 160}), a.next(101, false, 5, []byte{1, 0x8A, 1, 64}), voice(), a.next(13, false, 9, []byte{1}), voice())
	seed([]byte{0x90, 0, 0, 1, 0, 0, 0, 1, 0, 0, 0, 1, 0xBE, 0xDE, 0, 1, 1, 2, 3, 4, 5}, []byte{0xA0, 0, 0, 2, 0, 0, 0, 1, 0, 0, 0, 1, 9, 9, 2}, []byte{0x82, 0, 0, 1, 0, 0, 0, 1, 0, 0, 0, 1, 1, 1, 1, 1, 2, 2, 2, 2, 5})
	f.Fuzz(func(t *testing.T, in []byte) {
		e := still()
		now := e.epoch
		var s [3]*Session
		var wires [3]*checked
		for i := range s {
			s[i] = e.session(nil)
			wires[i] = &checked{t: t, o: &s[i].out}
			s[i].out.wire = wires[i]
			codec := audio.MuLaw
			if i == 1 {
				codec = audio.ALaw
			}
			s[i].Set(Params{Remote: netip.AddrPortFrom(loopback, uint16(1000+i)), Codec: codec, PayloadType: uint8(i % 2 * 8), Events: uint8(101 * (2 - i) / 2), Send: true, Receive: true})
		}
		r := &Recorder{start: now}
		r.channels[0], r.channels[1] = newWindow(recordWindow, 0), newWindow(recordWindow, 0)
		s[0].Record("", r)
		s[1].Record("", r)
		s[0].Bridge(s[1])
		for n := 0; len(in) >= 2; n++ {
			size := min(int(binary.BigEndian.Uint16(in)), len(in)-2, maxDatagram-1)
			b := bytes.Clone(in[2 : 2+size])
			in = in[2+size:]
			checkParse(t, b)
			now = now.Add(time.Duration(size%7) * 10 * time.Millisecond)
			s[n%3%2].receive(b, netip.AddrPortFrom(loopback, uint16(1000+size%2)), now)
			switch n % 8 {
			case 5:
				s[2].Bridge(s[0])
			case 7:
				s[2].Leave()
			}
			for _, m := range s {
				m.tick(now, size%3)
			}
			if b := s[0].bridge; b != nil {
				b.tick(now, 0)
			}
			for _, c := range r.channels {
				c.take(make([]int16, frame))
			}
		}
		for i, m := range s {
			if q := len(m.out.press.queue); q > maxPressed {
				t.Errorf("%d: %d digits wait", i, q)
			}
			if c := cap(m.out.pending) + cap(m.in.pcm) + cap(m.in.last); c > 4*maxDatagram {
				t.Errorf("%d: %d bytes are kept", i, c)
			}
			if st := m.Stats(); st.Jitter < 0 || st.PacketsSent != uint64(wires[i].count) {
				t.Errorf("%d: the statistics are %+v", i, st)
			}
		}
	})
}

// checkParse compares our reading of a header with another's.
func checkParse(t *testing.T, b []byte) {
	t.Helper()
	h, ok := parse(b)
	if ok && (h.from < headerSize || h.from >= h.to || h.to > len(b)) {
		t.Fatalf("the payload is at %d to %d of %d", h.from, h.to, len(b))
	}
	var p rtp.Packet
	if err := p.Unmarshal(b); err != nil || p.Version != 2 || len(p.Payload) == 0 {
		return
	}
	if !ok {
		t.Fatalf("%x is a packet", b)
	}
	if h.marker != p.Marker || h.payloadType != p.PayloadType || h.sequence != p.SequenceNumber || h.timestamp != p.Timestamp || h.ssrc != p.SSRC || !bytes.Equal(b[h.from:h.to], p.Payload) {
		t.Errorf("%x is read as %+v, and by another as %+v", b, h, p.Header)
	}
}

// FuzzRTCP throws compound packets at a call: whatever comes, the statistics stay
// sensible, and what is reported is right.
func FuzzRTCP(f *testing.F) {
	add := func(p ...rtcp.Packet) {
		b, err := rtcp.Marshal(p)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(b)
	}
	reports := []rtcp.ReceptionReport{{SSRC: 1, FractionLost: 3, LastSenderReport: 5, Delay: 7}}
	add(&rtcp.SenderReport{SSRC: 7, NTPTime: 1 << 40, Reports: reports}, rtcp.NewCNAMESourceDescription(7, "x"), &rtcp.Goodbye{Sources: []uint32{7}})
	add(&rtcp.ReceiverReport{SSRC: 7, Reports: reports})
	add(&rtcp.ReceiverReport{SSRC: 7}, &rtcp.ExtendedReport{SenderSSRC: 7, Reports: []rtcp.ReportBlock{&rtcp.ReceiverReferenceTimeReportBlock{NTPTimestamp: 5}}})
	f.Fuzz(func(t *testing.T, b []byte) {
		e := still()
		now := e.epoch.Add(time.Hour)
		s := e.session(nil)
		s.out.ssrc = 1
		s.out.wire = &discard{}
		s.wireRTCP = &reported{t}
		far := netip.AddrPortFrom(loopback, 1000)
		s.Set(Params{Remote: far, Send: true, Receive: true})
		a := &far2{}
		s.receive(a.packet(), far, now)
		s.receiveRTCP(b, far, now)
		s.receive(a.packet(), far, now)
		s.receiveRTCP(bytes.Repeat(b, 2), far, now)
		if st := s.Stats(); st.FarLost < 0 || st.FarLost > 1 || st.RoundTrip < 0 || st.RoundTrip > maxRoundTrip || st.Jitter < 0 {
			t.Errorf("the statistics are %+v", st)
		}
		s.report(now)
		s.Close()
	})
}

// far2 is a far side with the SSRC of the seeds.
type far2 struct{ far }

func (f *far2) packet() []byte {
	f.ssrc = 7
	return f.next(0, false, 0, []byte{1, 2, 3})
}

// reported is a wire that looks at reports.
type reported struct{ t *testing.T }

func (w *reported) WriteToUDPAddrPort(b []byte, _ netip.AddrPort) (int, error) {
	p, err := rtcp.Unmarshal(b)
	if err == nil {
		err = rtcp.CompoundPacket(p).Validate()
	}
	if err != nil {
		w.t.Errorf("a report was sent that is none: %v", err)
	}
	return len(b), nil
}
