package media

import (
	"crypto/rand"
	"encoding/base64"
	"net/netip"
	"time"

	"github.com/pion/rtcp"
)

// reportEvery is the middle of the time between two reports; each time is between
// half of it and one and a half, so that those of many calls do not come together
// (RFC 3550 §6.2 and §6.3.1).
const reportEvery = 5 * time.Second

func reportWait() time.Duration {
	return reportEvery/2 + time.Duration(random()>>16)*reportEvery>>16
}

// reports is what is known by RTCP.
type reports struct {
	source    netip.AddrPort // where reports go: as agreed, or whence they come
	sender    uint32         // the middle of the NTP time of the last sender report
	heard     time.Time      // when that came
	roundTrip time.Duration
	lost      float64
}

// readRTCP receives until the socket is closed.
func (s *Session) readRTCP() { s.read(s.rtcp, s.receiveRTCP) }

// receiveRTCP treats a compound packet. One that is malformed in any part is
// ignored, and so is what comes from another host than the far side's.
func (s *Session) receiveRTCP(b []byte, from netip.AddrPort, now time.Time) {
	r := &s.in
	if !s.in.knows(from.Addr()) {
		return
	}
	told, ok := readReports(b)
	if !ok {
		return
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.far.source = from
	if r.p.Receive {
		// Who says nothing for long, because there is nothing to say, is there still.
		r.alive, r.timeout = now, false
	}
	if told.sent && r.stream.begun && told.from == r.stream.ssrc {
		r.far.sender, r.far.heard = uint32(told.at>>16), now
	}
	r.far.take(told.received, s.out.ssrc, now)
}

// told is what a compound packet says that is of use.
type told struct {
	sent     bool // it tells of a stream
	from     uint32
	at       uint64 // when it was made
	received []rtcp.ReceptionReport
}

// readReports reads a compound packet, whose first packet is always a report (RFC
// 3550 §6.1 and appendix A.2). Of the other kinds, some of which are laborious to
// read, the length is checked alone.
func readReports(b []byte) (told, bool) {
	var t told
	for first := true; first || len(b) > 0; first = false {
		var h rtcp.Header
		if err := h.Unmarshal(b); err != nil {
			return told{}, false
		}
		size := 4 * (int(h.Length) + 1)
		if size > len(b) {
			return told{}, false
		}
		part := b[:size]
		b = b[size:]
		var err error
		switch {
		case h.Type == rtcp.TypeSenderReport:
			var p rtcp.SenderReport
			err = p.Unmarshal(part)
			t.sent, t.from, t.at = true, p.SSRC, p.NTPTime
			t.received = append(t.received, p.Reports...)
		case h.Type == rtcp.TypeReceiverReport:
			var p rtcp.ReceiverReport
			err = p.Unmarshal(part)
			t.received = append(t.received, p.Reports...)
		case first:
			return told{}, false
		}
		if err != nil {
			return told{}, false
		}
	}
	return t, true
}

// knows says whether the far side may be at an address.
func (r *receiver) knows(a netip.Addr) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.agreed && (a == r.source.Addr() || a == r.p.Remote.Addr() || a == r.p.RemoteRTCP.Addr())
}

// take notes what the far side reports of our stream.
func (r *reports) take(all []rtcp.ReceptionReport, ssrc uint32, now time.Time) {
	for _, p := range all {
		if p.SSRC != ssrc {
			continue
		}
		r.lost = float64(p.FractionLost) / 256
		if p.LastSenderReport == 0 {
			continue // it has none of ours yet
		}
		// RFC 3550 §6.4.1, in 65,536ths of a second.
		trip := uint32(ntp(now)>>16) - p.LastSenderReport - p.Delay
		if d := time.Duration(trip) * time.Second >> 16; d < maxRoundTrip {
			r.roundTrip = d
		}
	}
}

// maxRoundTrip is the most that is believed.
const maxRoundTrip = 10 * time.Second

// ntp is a time as NTP writes it: seconds since 1900 and 2³²ths of one.
func ntp(t time.Time) uint64 {
	const since1900 = 2208988800
	return uint64(t.Unix()+since1900)<<32 | uint64(t.Nanosecond())<<32/1e9
}

// report sends a report: of what has been sent, if anything, and of what has come
// in.
func (s *Session) report(now time.Time) {
	p, to := s.makeReport(now)
	s.writeRTCP(p, to)
}

// goodbye says that the stream ends (RFC 3550 §6.6).
func (s *Session) goodbye() {
	p, to := s.makeReport(s.engine.o.Now())
	s.writeRTCP(append(p, &rtcp.Goodbye{Sources: []uint32{s.out.ssrc}}), to)
}

func (s *Session) makeReport(now time.Time) ([]rtcp.Packet, netip.AddrPort) {
	received, to := s.in.report(now)
	var first rtcp.Packet
	o := &s.out
	o.mu.Lock()
	o.nextReport = now.Add(reportWait())
	if o.packets > o.reported {
		first = &rtcp.SenderReport{
			SSRC: o.ssrc, NTPTime: ntp(now), RTPTime: o.end + uint32(samples(now.Sub(o.due))),
			PacketCount: uint32(o.packets), OctetCount: uint32(o.octets), Reports: received,
		}
	} else {
		first = &rtcp.ReceiverReport{SSRC: o.ssrc, Reports: received}
	}
	o.reported = o.packets
	o.mu.Unlock()
	return []rtcp.Packet{first, rtcp.NewCNAMESourceDescription(o.ssrc, s.name())}, to
}

// name is the canonical name of the session: random, so that it tells nothing of
// the host (RFC 7022 §4.2).
func (s *Session) name() string {
	s.naming.Do(func() {
		var b [12]byte
		_, _ = rand.Read(b[:]) // never fails
		s.cname = base64.StdEncoding.EncodeToString(b[:])
	})
	return s.cname
}

func (s *Session) writeRTCP(p []rtcp.Packet, to netip.AddrPort) {
	if to.Port() == 0 || to.Addr().IsUnspecified() || s.wireRTCP == nil {
		return
	}
	b, err := rtcp.Marshal(p)
	if err != nil {
		s.engine.o.Logger.Error("a report of a call cannot be written", "error", err)
		return
	}
	_, _ = s.wireRTCP.WriteToUDPAddrPort(b, to) // what cannot be sent is lost like any other packet
}

// report is what is told of what has come in, and to whom.
func (r *receiver) report(now time.Time) ([]rtcp.ReceptionReport, netip.AddrPort) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if !r.agreed {
		return nil, netip.AddrPort{}
	}
	if !r.stream.begun {
		return nil, r.far.source
	}
	p := rtcp.ReceptionReport{
		SSRC:               r.stream.ssrc,
		FractionLost:       r.stream.fraction(),
		TotalLost:          uint32(min(r.stream.missing(), 1<<23-1)),
		LastSequenceNumber: r.stream.highest(),
		Jitter:             uint32(r.stream.jitter),
	}
	if !r.far.heard.IsZero() {
		p.LastSenderReport = r.far.sender
		p.Delay = uint32(max(0, now.Sub(r.far.heard)) << 16 / time.Second)
	}
	return []rtcp.ReceptionReport{p}, r.far.source
}

// stats fills in what is known of what comes in.
func (r *receiver) stats(st *Stats) {
	r.mu.Lock()
	defer r.mu.Unlock()
	st.PacketsReceived = r.total
	st.Lost = r.stream.before + r.stream.missing()
	st.Jitter = r.stream.jitterTime()
	st.RoundTrip, st.FarLost = r.far.roundTrip, r.far.lost
}
