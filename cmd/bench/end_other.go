//go:build !linux

package main

import "syscall"

// endsWithParent can do nothing here: what a signal leaves behind must be
// ended by hand.
func endsWithParent() *syscall.SysProcAttr { return nil }
