package main

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"math"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	"ringdown/internal/audio"
)

// remote controls a baresip by its module ctrl_tcp.
type remote struct {
	conn   net.Conn
	in     *bufio.Reader
	events []string // that have not been waited for yet
}

// message is an event, or the answer to a command.
type message struct {
	Event, Response, OK bool
	Type, Param, Data   string
}

// patience is how long anything of a call may take.
const patience = 20 * time.Second

// read takes a message, which is a netstring: length, colon, bytes, comma.
func (r *remote) read(wait time.Duration) (m message, err error) {
	_ = r.conn.SetReadDeadline(time.Now().Add(wait))
	length, err := r.in.ReadString(':')
	if err != nil {
		return m, err
	}
	n, err := strconv.Atoi(strings.TrimSuffix(length, ":"))
	if err != nil {
		return m, err
	}
	b := make([]byte, n+1)
	if _, err := io.ReadFull(r.in, b); err != nil {
		return m, err
	}
	return m, json.Unmarshal(b[:n], &m)
}

// do has a command carried out.
func (r *remote) do(command, params string) error {
	b, err := json.Marshal(map[string]string{"command": command, "params": params})
	if err != nil {
		return err
	}
	if params == "" {
		b, err = json.Marshal(map[string]string{"command": command})
		if err != nil {
			return err
		}
	}
	if _, err := fmt.Fprintf(r.conn, "%d:%s,", len(b), b); err != nil {
		return err
	}
	for {
		m, err := r.read(patience)
		switch {
		case err != nil:
			return fmt.Errorf("%s: %w", command, err)
		case m.Event:
			r.events = append(r.events, m.Type)
		case !m.OK:
			return fmt.Errorf("%s: %s", command, m.Data)
		default:
			return nil
		}
	}
}

// await waits for an event.
func (r *remote) await(event string) error {
	if i := slices.Index(r.events, event); i >= 0 {
		r.events = r.events[i+1:]
		return nil
	}
	r.events = nil
	for deadline := time.Now().Add(patience); ; {
		m, err := r.read(time.Until(deadline))
		if err != nil {
			return fmt.Errorf("%s has not come: %w", event, err)
		}
		if m.Event && m.Type == event {
			return nil
		}
	}
}

// baresip has a baresip hold a call as a person would: it hears the prompt, presses
// a key, holds, resumes, presses another key, hears what comes of that, and hangs
// up. What it has heard is what it recorded.
func baresip(ctx context.Context, args []string) error {
	f := flag.NewFlagSet("baresip", flag.ExitOnError)
	control := f.String("control", "", "`host:port` of its ctrl_tcp")
	folder := f.String("folder", "", "`folder` that it records to")
	uri := f.String("uri", "", "whom it calls, a SIP `address`; empty: it waits to be called")
	_ = f.Parse(args) // ExitOnError
	ctx, cancel := context.WithTimeout(ctx, 2*time.Minute)
	defer cancel()
	conn, err := net.DialTimeout("tcp4", *control, patience)
	if err != nil {
		return err
	}
	defer func() { _ = conn.Close() }()
	r := &remote{conn: conn, in: bufio.NewReader(conn)}
	if *uri != "" {
		if err := r.do("dial", *uri); err != nil {
			return err
		}
	}
	if err := r.await("CALL_ESTABLISHED"); err != nil {
		return err
	}
	var recording ears
	recording.folder = *folder
	step := func(what string, err error) error {
		if err != nil {
			return fmt.Errorf("%s: %w", what, err)
		}
		fmt.Println("  ok ", what)
		return nil
	}
	for _, s := range []struct {
		what string
		do   func() error
	}{
		{"the prompt is heard: 700 Hz", func() error { return recording.await(ctx, 700) }},
		{"the menu is heard: 1000 Hz", func() error { return recording.await(ctx, 1000) }},
		{"key 1 leads on: 1300 Hz", func() error { return errors.Join(r.do("sndcode", "1"), recording.await(ctx, 1300)) }},
		{"the call is held", func() error { return r.do("hold", "") }},
		{"it is silent while it is held", func() error { return recording.silent(ctx, time.Second) }},
		{"the call is resumed", func() error { return r.do("resume", "") }},
		{"key 2 leads on after that: 1600 Hz", func() error { return errors.Join(r.do("sndcode", "2"), recording.await(ctx, 1600)) }},
		{"baresip hangs up", func() error { return r.do("hangup", "") }},
	} {
		if err := step(s.what, s.do()); err != nil {
			return err
		}
	}
	return nil
}

// ears hear what is recorded while it is recorded.
type ears struct{ folder string }

// samples are all that has been recorded. Baresip begins a new file when it
// negotiates anew.
func (e *ears) samples() ([]int16, error) {
	files, err := filepath.Glob(filepath.Join(e.folder, "dump-*-dec.wav"))
	if err != nil {
		return nil, err
	}
	slices.Sort(files)
	var all []int16
	for _, name := range files {
		raw, err := os.ReadFile(name)
		if err != nil {
			return nil, err
		}
		// The header is complete at the end of the recording only: its first 44 bytes
		// are all that it ever has.
		const header = 44
		if len(raw) > header {
			raw = raw[header:]
			all = audio.DecodeSamples(audio.PCM, all, raw[:len(raw)&^1])
		}
	}
	return all, nil
}

// await waits until a tone has sounded for a fifth of a second.
func (e *ears) await(ctx context.Context, hz float64) error {
	const window = 1600 // samples
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	for {
		all, err := e.samples()
		if err != nil {
			return err
		}
		for from := 0; from+window <= len(all); from += window / 4 {
			if got, err := tone(all[from : from+window]); err == nil && math.Abs(got-hz) < 5 {
				return nil
			}
		}
		if rest(ctx) != nil {
			return fmt.Errorf("%.0f Hz is not heard in %.1f s of sound", hz, float64(len(all))/8000)
		}
	}
}

// silent wants no sound for a while.
func (e *ears) silent(ctx context.Context, long time.Duration) error {
	before, err := e.samples()
	if err != nil {
		return err
	}
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-time.After(long):
	}
	after, err := e.samples()
	if err != nil || len(after) < len(before) {
		return errors.Join(err, errors.New("the recording was begun anew"))
	}
	if level := audio.Level(after[len(before):]); level > -50 {
		return fmt.Errorf("there is sound of %.0f dBFS", level)
	}
	return nil
}
