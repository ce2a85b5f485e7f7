// Package dscp marks what sockets send, so that networks which tell kinds of traffic
// apart let calls go first (RFC 2474). A mark is a request: networks, and systems,
// may ignore it, and calls go on without.
package dscp

import (
	"errors"
	"fmt"
	"syscall"
)

// Class is a code point of six bits.
type Class int

// The classes of calls.
const (
	// Voice is Expedited Forwarding (RFC 3246), which RFC 4594 §4.1 has for sound.
	Voice Class = 46
	// Signaling is CS3, as most PBXs mark SIP and networks for telephony expect it.
	// RFC 4594 §4.2 has CS5, which few use.
	Signaling Class = 24
)

// Mark marks what a socket sends from now on. The error is errors.ErrUnsupported
// where the system cannot.
func (c Class) Mark(conn syscall.Conn) error {
	raw, err := conn.SyscallConn()
	if err != nil {
		return fmt.Errorf("dscp: %w", err)
	}
	return c.control(raw)
}

// Control marks a socket before it is connected: the Control of a net.Dialer. A mark
// that cannot be set is no reason to connect to nobody, so there is never an error.
func (c Class) Control(_, _ string, raw syscall.RawConn) error {
	_ = c.control(raw)
	return nil
}

func (c Class) control(raw syscall.RawConn) error {
	var set error
	if err := raw.Control(func(fd uintptr) { set = c.set(fd) }); err != nil {
		return fmt.Errorf("dscp: %w", err)
	}
	return set
}

// Of are the marks of a socket for IPv4 and IPv6, -1 where it has none to read.
func Of(conn syscall.Conn) (four, six Class) {
	four, six = -1, -1
	if raw, err := conn.SyscallConn(); err == nil {
		_ = raw.Control(func(fd uintptr) { four, six = get(fd) }) // of a closed one there is nothing to tell
	}
	return four, six
}

// either is the outcome of setting the options of IPv4 and IPv6: a socket has one of
// them or, when it takes both kinds of packets, both.
func either(four, six error) error {
	if four == nil || six == nil {
		return nil
	}
	return fmt.Errorf("dscp: %w", errors.Join(four, six))
}
