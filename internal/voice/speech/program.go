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
	// soundLimit is how much sound an engine may make, in bytes: that of the longest
	// text, said as slowly as can be, with the longest pauses, is two thirds of it.
	soundLimit = 64 << 20
	// errorLimit is how much of what an engine complains about is kept.
	errorLimit = 200
)

// program is a speech engine of this machine.
type program struct {
	path  string
	limit time.Duration
	most  int           // bytes of output
	slots chan struct{} // one for each that may run
}

func newProgram(path string) program {
	return program{path: path, limit: engineLimit, most: soundLimit, slots: make(chan struct{}, 2*runtime.GOMAXPROCS(0))}
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
	out.left, complaint.left = p.most, errorLimit
	out.full = cancel
	cmd := exec.CommandContext(ctx, p.path, arguments...) //nolint:gosec // it is found by New, and its arguments are ours or the operator's
	cmd.Stdin = strings.NewReader(input)
	cmd.Stdout = &out
	cmd.Stderr = &complaint
	cmd.Env = environment()
	cmd.WaitDelay = time.Second
	err := cmd.Run()
	switch {
	case out.over:
		return nil, fmt.Errorf("it made more than %d bytes of sound", p.most)
	case errors.Is(ctx.Err(), context.DeadlineExceeded):
		return nil, fmt.Errorf("it took longer than %v: %w", p.limit, ctx.Err())
	case ctx.Err() != nil:
		return nil, ctx.Err()
	case err != nil:
		line, _, _ := strings.Cut(strings.TrimSpace(complaint.kept.String()), "\n")
		return nil, fmt.Errorf("%w: %s", err, line)
	}
	return out.kept.Bytes(), nil
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

// limited keeps what is written up to a limit and loses the rest.
type limited struct {
	kept bytes.Buffer // not embedded: its ReadFrom knows no limit
	left int
	over bool
	full func() // is called when there is more; nil for nothing
}

// Write implements io.Writer. It fails at nothing: a program whose output is no
// longer read would wait until its time is up.
func (l *limited) Write(b []byte) (int, error) {
	keep := min(len(b), l.left)
	l.left -= keep
	_, _ = l.kept.Write(b[:keep]) // a buffer takes all
	if keep < len(b) {
		l.over = true
		if l.full != nil {
			l.full()
		}
	}
	return len(b), nil
}
