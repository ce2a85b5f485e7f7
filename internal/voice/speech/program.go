package speech

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"runtime"
	"strings"
	"time"
)

const (
	// engineLimit is how long an engine may take for a text. espeak-ng takes a third
	// of a second for the longest, flite some four.
	engineLimit = 20 * time.Second
	// soundLimit is how much sound an engine may make, in bytes: more than the
	// longest text said as slowly as can be.
	soundLimit = 128 << 20
	// errorLimit is how much of what an engine complains about is kept.
	errorLimit = 200
)

// program is a speech engine of this machine.
type program struct {
	path  string
	limit time.Duration
	slots chan struct{} // one for each that may run
}

func newProgram(path string) program {
	return program{path: path, limit: engineLimit, slots: make(chan struct{}, 2*runtime.GOMAXPROCS(0))}
}

// run runs the program with input and returns its output. It waits until few
// enough others run.
func (p program) run(ctx context.Context, input string, arguments ...string) ([]byte, error) {
	select {
	case p.slots <- struct{}{}:
		defer func() { <-p.slots }()
	case <-ctx.Done():
		return nil, ctx.Err()
	}
	ctx, cancel := context.WithTimeout(ctx, p.limit)
	defer cancel()
	var out, complaint limited
	out.left, complaint.left = soundLimit, errorLimit
	cmd := exec.CommandContext(ctx, p.path, arguments...) //nolint:gosec // it is found by New, and its arguments are ours or the operator's
	cmd.Stdin = strings.NewReader(input)
	cmd.Stdout = &out
	cmd.Stderr = &complaint
	cmd.Env = environment()
	cmd.WaitDelay = time.Second
	err := cmd.Run()
	switch {
	case ctx.Err() != nil:
		return nil, fmt.Errorf("it took longer than %v: %w", p.limit, ctx.Err())
	case out.over:
		return nil, fmt.Errorf("it made more than %d bytes of sound", soundLimit)
	case err != nil:
		line, _, _ := strings.Cut(strings.TrimSpace(complaint.String()), "\n")
		return nil, fmt.Errorf("%w: %s", err, line)
	}
	return out.Bytes(), nil
}

// environment is what engines are told of ours: nothing that is a secret.
func environment() []string {
	env := []string{"LC_ALL=C.UTF-8"}
	for _, name := range []string{"PATH", "HOME", "TMPDIR", "ESPEAK_DATA_PATH", "SYSTEMROOT"} {
		if value, ok := os.LookupEnv(name); ok {
			env = append(env, name+"="+value)
		}
	}
	return env
}

// limited keeps what is written up to a limit. Beyond, it takes no more.
type limited struct {
	bytes.Buffer
	left int
	over bool
}

var errLimit = errors.New("too much output")

func (l *limited) Write(b []byte) (int, error) {
	if len(b) > l.left {
		l.over = true
		n, _ := l.Buffer.Write(b[:l.left])
		l.left = 0
		return n, errLimit
	}
	l.left -= len(b)
	return l.Buffer.Write(b)
}
