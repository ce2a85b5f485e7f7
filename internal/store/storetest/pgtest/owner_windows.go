package pgtest

import "os/exec"

// owner is for Unix; on Windows no server is started.
type owner struct{}

func unprivileged() (*owner, error) { return nil, errNotInstalled }
func (*owner) own(string) error     { return nil }
func (*owner) run(*exec.Cmd)        {}
