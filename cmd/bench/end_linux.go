package main

import "syscall"

// endsWithParent makes a child end when this program does, even by a signal.
func endsWithParent() *syscall.SysProcAttr { return &syscall.SysProcAttr{Pdeathsig: syscall.SIGTERM} }
