package media

import (
	"math"
	"net/netip"
	"testing"
	"time"

	"github.com/pion/rtcp"

	"ringdown/internal/audio"
)

// compound reads what a far side has received.
func compound(t *testing.T, b []byte) []rtcp.Packet {
	t.Helper()
	p, err := rtcp.Unmarshal(b)
	if err != nil {
		t.Fatal(err)
	}
	if err := rtcp.CompoundPacket(p).Validate(); err != nil {
		t.Errorf("a compound packet: %v", err)
	}
	return p
}

func TestReports(t *testing.T) {
	t.Parallel()
	e := newEngine(t, nil)
	f := newFar(t, e, audio.MuLaw).set()
	f.lose = func(n int) bool { return n%10 == 5 }
	for n := range 50 {
		f.say(tone(440, n*frame, frame))
	}
	f.wait("what was said", func() bool { return f.s.Stats().PacketsReceived == 45 })
	f.waitPackets(10)
	ask := func() { // as the clock does when it is due
		f.s.out.mu.Lock()
		f.s.out.nextReport = time.Time{}
		f.s.out.mu.Unlock()
		n := len(f.reports())
		f.wait("a report", func() bool { return len(f.reports()) > n })
	}
	ask()
	all := compound(t, f.reports()[0])
	sr, ok := all[0].(*rtcp.SenderReport)
	if !ok || sr.SSRC != f.packets()[0].ssrc || sr.PacketCount < 10 || sr.OctetCount != sr.PacketCount*uint32(frame) || len(sr.Reports) != 1 {
		t.Fatalf("the report is %v", all[0])
	}
	if r := sr.Reports[0]; r.SSRC != f.ssrc || r.TotalLost != 5 || r.FractionLost != 5*256/50 || r.LastSequenceNumber != 1<<16|uint32(f.sequence-1) || r.LastSenderReport != 0 {
		t.Errorf("what it has received is %+v", r)
	}
	if now := time.Now(); math.Abs(float64(ntp(now)-sr.NTPTime)) > 5<<32 {
		t.Errorf("its time is %x, not %x", sr.NTPTime, ntp(now))
	}
	if p := f.packets(); int32(sr.RTPTime-p[len(p)-1].timestamp) > rate || int32(sr.RTPTime-p[0].timestamp) < 0 {
		t.Errorf("its timestamp is %d", sr.RTPTime)
	}
	// The far side reports, too: it has lost a quarter, and took 50 ms to answer.
	answer, err := rtcp.Marshal([]rtcp.Packet{
		&rtcp.SenderReport{SSRC: f.ssrc, NTPTime: 0x0123456789ABCDEF, Reports: []rtcp.ReceptionReport{
			{SSRC: 1, FractionLost: 255},
			{SSRC: sr.SSRC, FractionLost: 64, LastSenderReport: uint32(sr.NTPTime >> 16), Delay: 65536 / 20},
		}},
		rtcp.NewCNAMESourceDescription(f.ssrc, "far"),
	})
	if err != nil {
		t.Fatal(err)
	}
	received, err := rtcp.Unmarshal(f.reports()[0])
	if err != nil {
		t.Fatal(err)
	}
	came := received[0].(*rtcp.SenderReport).NTPTime
	now := time.Now()
	f.s.receiveRTCP(answer, f.params().RemoteRTCP, now.Add(50*time.Millisecond))
	want := time.Duration((ntp(now) - came) * uint64(time.Second) >> 32)
	if st := f.s.Stats(); st.FarLost != 0.25 || st.RoundTrip < want-2*time.Millisecond || st.RoundTrip > want+2*time.Millisecond || st.Lost != 5 {
		t.Errorf("the statistics are %+v, want a round trip of %v", st, want)
	}
	ask()
	all = compound(t, f.reports()[1])
	if r := all[0].(*rtcp.SenderReport).Reports[0]; r.LastSenderReport != 0x456789AB || r.FractionLost != 0 || r.Delay > 65536*5 {
		t.Errorf("what it has received is %+v", r)
	}
	f.s.Close()
	f.wait("goodbye", func() bool { return len(f.reports()) >= 3 })
	all = compound(t, f.reports()[2])
	if bye, ok := all[len(all)-1].(*rtcp.Goodbye); !ok || bye.Sources[0] != sr.SSRC {
		t.Errorf("the last is %v", all[len(all)-1])
	}
}

// TestReportsIgnored: what is malformed or comes from elsewhere changes nothing;
// and who sends reports is alive.
func TestReportsIgnored(t *testing.T) {
	e := newEngine(t, nil)
	s := e.session(nil)
	s.out.wire = &discard{}
	far := netip.MustParseAddrPort("192.0.2.1:4000")
	report := func(ssrc uint32) []byte {
		b, err := rtcp.Marshal([]rtcp.Packet{&rtcp.ReceiverReport{SSRC: 9, Reports: []rtcp.ReceptionReport{{SSRC: ssrc, FractionLost: 128}}}})
		if err != nil {
			t.Fatal(err)
		}
		return b
	}
	good := report(s.out.ssrc)
	now := time.Now()
	s.receiveRTCP(good, far, now)
	s.Set(Params{Remote: far, Send: true, Receive: true})
	bye, err := rtcp.Marshal([]rtcp.Packet{&rtcp.Goodbye{Sources: []uint32{9}}})
	if err != nil {
		t.Fatal(err)
	}
	for _, b := range [][]byte{nil, {0x80}, good[:len(good)-1], append(good[:len(good):len(good)], 1, 2, 3), bye, report(s.out.ssrc + 1)} {
		s.receiveRTCP(b, far, now)
	}
	s.receiveRTCP(good, netip.MustParseAddrPort("192.0.2.2:4001"), now)
	if st := s.Stats(); st != (Stats{}) {
		t.Errorf("the statistics are %+v", st)
	}
	later := now.Add(e.o.Silence)
	s.receiveRTCP(good, netip.MustParseAddrPort("192.0.2.1:4009"), later)
	if st := s.Stats(); st.FarLost != 0.5 || s.in.far.source.Port() != 4009 {
		t.Errorf("the statistics are %+v, reports go to %v", st, s.in.far.source)
	}
	if s.in.gone(later, e.o.Silence) || !s.in.gone(later.Add(e.o.Silence), e.o.Silence) {
		t.Error("a report is no sign of life")
	}
}

func TestReportWait(t *testing.T) {
	for range 1000 {
		if d := reportWait(); d < reportEvery/2 || d > reportEvery*3/2 {
			t.Fatalf("%v", d)
		}
	}
}
