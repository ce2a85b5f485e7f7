//go:build linux || darwin || freebsd || netbsd || openbsd || dragonfly

package dscp

import "syscall"

// set writes the six bits into the octet that IPv4 calls TOS and IPv6 traffic class;
// the two below them are the network's (RFC 3168).
func (c Class) set(fd uintptr) error {
	return either(
		syscall.SetsockoptInt(int(fd), syscall.IPPROTO_IP, syscall.IP_TOS, int(c)<<2),
		syscall.SetsockoptInt(int(fd), syscall.IPPROTO_IPV6, syscall.IPV6_TCLASS, int(c)<<2),
	)
}

// get is the opposite of set.
func get(fd uintptr) (four, six Class) {
	read := func(level, option int) Class {
		v, err := syscall.GetsockoptInt(int(fd), level, option)
		if err != nil {
			return -1
		}
		return Class(v >> 2)
	}
	return read(syscall.IPPROTO_IP, syscall.IP_TOS), read(syscall.IPPROTO_IPV6, syscall.IPV6_TCLASS)
}
