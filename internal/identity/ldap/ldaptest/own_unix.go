//go:build unix

package ldaptest

import (
	"os/exec"
	"syscall"
)

// own puts a program into a group of its own: an interrupt from the terminal is
// for the tests; the server follows when they are gone.
func own(c *exec.Cmd) { c.SysProcAttr = &syscall.SysProcAttr{Setpgid: true} }
