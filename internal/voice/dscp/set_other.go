//go:build !(linux || darwin || freebsd || netbsd || openbsd || dragonfly)

package dscp

import "errors"

func (c Class) set(uintptr) error { return either(errors.ErrUnsupported, errors.ErrUnsupported) }

func get(uintptr) (four, six Class) { return -1, -1 }
