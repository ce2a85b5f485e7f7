package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"math"
	"net"
	"net/netip"
	"time"

	"ringdown/internal/audio"
)

// hear takes sound from a port until it has heard a tone from enough sources. It is
// the place that a caller has its sound moved to.
func hear(ctx context.Context, args []string) error {
	f := flag.NewFlagSet("hear", flag.ExitOnError)
	port := f.Int("port", 0, "UDP `port`")
	hz := f.Float64("hz", 0, "the `frequency` of the tone")
	streams := f.Int("streams", 1, "how `many` sources")
	wait := f.Duration("wait", 30*time.Second, "`time` to wait")
	_ = f.Parse(args) // ExitOnError
	conn, err := net.ListenUDP("udp4", &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1), Port: *port})
	if err != nil {
		return err
	}
	defer func() { _ = conn.Close() }()
	ctx, cancel := context.WithTimeout(ctx, *wait)
	defer cancel()
	context.AfterFunc(ctx, func() { _ = conn.SetReadDeadline(time.Unix(1, 0)) })

	const header, enough = 12, 4000 // bytes of RTP (RFC 3550 §5.1), and half a second
	heard := map[netip.AddrPort][]byte{}
	done := map[netip.AddrPort]bool{}
	packet := make([]byte, 2048)
	for len(done) < *streams {
		n, from, err := conn.ReadFromUDPAddrPort(packet)
		if err != nil {
			return fmt.Errorf("%d of %d sources of %.0f Hz heard: %w", len(done), *streams, *hz, err)
		}
		if n <= header || packet[1]&0x7f != 0 { // PCMU
			continue
		}
		heard[from] = append(heard[from], packet[header:n]...)
		if b := heard[from]; !done[from] && len(b) >= enough {
			if got, err := tone(audio.DecodeSamples(audio.MuLaw, nil, b[len(b)-enough:])); err == nil && math.Abs(got-*hz) < 3 {
				done[from] = true
			}
		}
	}
	fmt.Printf("  ok  %.0f Hz heard from %d sources where they were told to send\n", *hz, len(done))
	return nil
}

// tone is the frequency of samples that are one.
func tone(samples []int16) (hz float64, err error) {
	const quiet = -40.0
	hz = audio.Dominant(samples)
	level, all := audio.ToneLevel(samples, hz), audio.Level(samples)
	if all < quiet || level < all-1 {
		return hz, errors.New("no tone")
	}
	return hz, nil
}
