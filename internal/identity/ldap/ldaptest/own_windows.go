package ldaptest

import "os/exec"

// own has nothing to do: there is no slapd on Windows.
func own(*exec.Cmd) {}
