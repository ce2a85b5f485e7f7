package main

import (
	"bufio"
	"fmt"
	"net"
	"net/netip"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"
)

// The floors of calls: telephones that answer and hang up, and a relay that knows
// no RTP. Each is this program again, in a process of its own.

// serveCallFloor answers calls, without sound, and hangs up when a prompt would be
// over.
func serveCallFloor() error {
	t, err := listenTelephones(func(string) manner { return manner{status: 200, stay: promptLength, sound: "127.0.0.1:9"} })
	if err != nil {
		return err
	}
	defer t.close()
	fmt.Println(t.local)
	_, _ = os.Stdin.Read(make([]byte, 1))
	return nil
}

// serveRelay relays between pairs of sockets: what comes to one of them leaves by
// the other, to where that has heard from last. It prints their ports.
func serveRelay(pairs int) error {
	type side struct {
		conn *net.UDPConn
		far  atomic.Pointer[netip.AddrPort]
	}
	sides := make([]*side, 2*pairs)
	ports := make([]string, len(sides))
	for i := range sides {
		conn, err := net.ListenUDP("udp4", &net.UDPAddr{IP: net.IPv4(127, 0, 0, 1)})
		if err != nil {
			return err
		}
		sides[i] = &side{conn: conn}
		_, ports[i], _ = net.SplitHostPort(conn.LocalAddr().String())
	}
	var wg sync.WaitGroup
	for i, in := range sides {
		out := sides[i^1]
		wg.Go(func() {
			b := make([]byte, 2048)
			var last netip.AddrPort
			for {
				n, from, err := in.conn.ReadFromUDPAddrPort(b)
				if err != nil {
					return
				}
				if from != last {
					seen := from
					last = from
					in.far.Store(&seen)
				}
				if to := out.far.Load(); to != nil {
					_, _ = out.conn.WriteToUDPAddrPort(b[:n], *to)
				}
			}
		})
	}
	fmt.Println(strings.Join(ports, " "))
	_, _ = os.Stdin.Read(make([]byte, 1))
	for _, s := range sides {
		_ = s.conn.Close()
	}
	wg.Wait()
	return nil
}

// startSelf starts this program again and returns the line that it prints.
func startSelf(flags ...string) (*process, string, error) {
	self, err := os.Executable()
	if err != nil {
		return nil, "", err
	}
	p := &process{cmd: exec.Command(self, flags...)}
	p.cmd.Stderr = os.Stderr
	p.cmd.SysProcAttr = endsWithParent()
	if p.stdin, err = p.cmd.StdinPipe(); err != nil {
		return nil, "", err
	}
	out, err := p.cmd.StdoutPipe()
	if err != nil {
		return nil, "", err
	}
	if err := p.cmd.Start(); err != nil {
		return nil, "", err
	}
	line, err := bufio.NewReader(out).ReadString('\n')
	if err != nil {
		p.stop()
		return nil, "", fmt.Errorf("%s: %w", strings.Join(flags, " "), err)
	}
	return p, strings.TrimSpace(line), nil
}

// startRelay starts a bare relay and returns the addresses of its sockets.
func startRelay(pairs int) (*process, []netip.AddrPort, error) {
	p, line, err := startSelf("-bare-relay", strconv.Itoa(pairs))
	if err != nil {
		return nil, nil, err
	}
	var at []netip.AddrPort
	for port := range strings.FieldsSeq(line) {
		n, _ := strconv.Atoi(port)
		at = append(at, netip.AddrPortFrom(netip.AddrFrom4([4]byte{127, 0, 0, 1}), uint16(n)))
	}
	return p, at, nil
}

// promptLength is that of the prompt that is played in calls that are counted.
const promptLength = 300 * time.Millisecond
