package main

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
	"net"
	"os"
	"path/filepath"
	"regexp"
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
	past   []string // all of them, and what it was asked, for who must find out what went wrong
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
	if err := json.Unmarshal(b[:n], &m); err != nil {
		return m, err
	}
	if m.Event {
		r.note(strings.TrimSpace(m.Type + " " + m.Param))
	}
	return m, nil
}

func (r *remote) note(what string) {
	r.past = append(r.past, time.Now().Format("15:04:05.000 ")+what)
}

// state is what went on, and what it says of its call.
func (r *remote) state() string {
	lines := slices.Clone(r.past)
	for _, command := range []string{"listcalls", "audio_debug"} {
		text, err := r.ask(command, "")
		if err != nil {
			text = err.Error()
		}
		lines = append(lines, command+": "+text)
	}
	return strings.Join(lines, "\n    ")
}

// ask has a command carried out and returns what it prints.
func (r *remote) ask(command, params string) (string, error) {
	asked := map[string]string{"command": command}
	if params != "" {
		asked["params"] = params
	}
	if command != "audio_debug" {
		r.note("> " + strings.TrimSpace(command+" "+params))
	}
	b, err := json.Marshal(asked)
	if err != nil {
		return "", err
	}
	if _, err := fmt.Fprintf(r.conn, "%d:%s,", len(b), b); err != nil {
		return "", err
	}
	for {
		m, err := r.read(patience)
		switch {
		case err != nil:
			return "", fmt.Errorf("%s: %w", command, err)
		case m.Event:
			r.events = append(r.events, m.Type)
		case !m.OK:
			return "", fmt.Errorf("%s: %s", command, m.Data)
		default:
			return m.Data, nil
		}
	}
}

// do is ask, of a command that prints nothing of interest.
func (r *remote) do(command, params string) error {
	_, err := r.ask(command, params)
	return err
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

// renegotiate has it hold or resume, which is done when the other side has agreed. What
// it told before is of earlier agreements: that of the call itself may be told after the
// call is established.
func (r *remote) renegotiate(command string) error {
	if err := r.do(command, ""); err != nil {
		return err
	}
	r.events = nil
	return r.await("CALL_REMOTE_SDP")
}

// rxTime finds how far the sound that was received has come.
var rxTime = regexp.MustCompile(`(?s) rx: .*?time = ([0-9.]+) sec`)

// received is how far the sound has come that baresip receives, by its timestamps.
func (r *remote) received() (time.Duration, error) {
	text, err := r.ask("audio_debug", "")
	if err != nil {
		return 0, err
	}
	found := rxTime.FindStringSubmatch(text)
	if found == nil {
		return 0, fmt.Errorf("no sound was ever received: %q", text)
	}
	seconds, err := strconv.ParseFloat(found[1], 64)
	return time.Duration(seconds * float64(time.Second)), err
}

// still wants nothing to be received for a second.
func (r *remote) still(ctx context.Context) error {
	var before time.Duration
	for i := range 7 { // what was on its way may still come at first
		now, err := r.received()
		if err != nil {
			return err
		}
		if i > 1 && now != before {
			return fmt.Errorf("sound goes on: %v, %v before", now, before)
		}
		before = now
		if err := rest(ctx); err != nil {
			return err
		}
	}
	return nil
}

// moves wants sound to be received again, for half a second at least.
func (r *remote) moves(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, patience)
	defer cancel()
	before, err := r.received()
	if err != nil {
		return err
	}
	for steps := 0; steps < 4; {
		if err := rest(ctx); err != nil {
			return fmt.Errorf("no sound after %v: %w", before, err)
		}
		now, err := r.received()
		if err != nil {
			return err
		}
		if now > before {
			steps++
		}
		before = now
	}
	return nil
}

// baresip has a baresip hold a call as a person would: it hears the prompts, presses
// keys, holds, resumes, and hangs up. What it has heard is what it recorded.
//
// Its recorder (module sndfile, of baresip 1.0) records no more after a hold, unless
// it was loaded during the call. So one call is recorded up to the hold, another
// from there.
func baresip(ctx context.Context, args []string) error {
	var a api
	f := a.flags("baresip")
	control := f.String("control", "", "`host:port` of its ctrl_tcp")
	folder := f.String("folder", "", "`folder` that it records to")
	uri := f.String("uri", "", "whom it calls, a SIP `address`")
	number := f.String("number", "", "or its own `number`, to be called")
	flowID := f.String("flow", "", "`id` of the flow that calls it")
	from := f.String("from", "", "the instance's `number` that calls it")
	holdFirst := f.Bool("hold-first", false, "hold at once, and load the recorder before")
	a.parse(f, args)
	ctx, cancel := context.WithTimeout(ctx, 2*time.Minute)
	defer cancel()
	conn, err := net.DialTimeout("tcp4", *control, patience)
	if err != nil {
		return err
	}
	defer func() { _ = conn.Close() }()
	r := &remote{conn: conn, in: bufio.NewReader(conn)}
	if *uri != "" {
		err = r.do("dial", *uri)
	} else {
		err = a.call(ctx, *flowID, *from, *number, 15)
	}
	if err != nil {
		return err
	}
	if err := r.await("CALL_ESTABLISHED"); err != nil {
		return fmt.Errorf("%w\n    %s", err, r.state())
	}
	recording := ears{*folder}
	type step struct {
		what string
		do   func() error
	}
	press := func(key string, hz float64) func() error {
		return func() error { return errors.Join(r.do("sndcode", key), recording.await(ctx, hz)) }
	}
	greeting := []step{
		{"the prompt is heard: 700 Hz", func() error { return recording.await(ctx, 700) }},
		{"the menu is heard: 1000 Hz", func() error { return recording.await(ctx, 1000) }},
		{"key 1 leads on: 1300 Hz", press("1", 1300)},
	}
	hold := step{"the call is held", func() error { return r.renegotiate("hold") }}
	resume := step{"the call is resumed", func() error { return r.renegotiate("resume") }}
	bye := step{"baresip hangs up", func() error { return r.do("hangup", "") }}
	steps := append(greeting, hold,
		step{"no sound comes while it is held", func() error { return r.still(ctx) }}, resume,
		step{"key 2 leads on, and sound comes again", func() error { return errors.Join(r.do("sndcode", "2"), r.moves(ctx)) }}, bye)
	if *holdFirst {
		steps = append([]step{{"the recorder is loaded", func() error { return r.do("insmod", "sndfile.so") }}, hold, resume},
			append(greeting, step{"key 2 leads on: 1600 Hz", press("2", 1600)}, bye)...)
	}
	for _, s := range steps {
		if err := s.do(); err != nil {
			return fmt.Errorf("%s: %w\n    %s", s.what, err, r.state())
		}
		fmt.Println("  ok ", s.what)
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

// await waits until a tone has sounded for a tenth of a second. More at a time may
// have a seam where a busy machine was late.
func (e *ears) await(ctx context.Context, hz float64) error {
	const window = 800 // samples
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
