package main

import (
	"bufio"
	"context"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"path/filepath"
	"strings"
	"sync"
	"time"

	"ringdown/internal/audio"
	"ringdown/internal/voice/phone"
)

// Times of a phone at the command line.
const (
	// partingTime is how long the far side may take to confirm that a call is over.
	partingTime = 5 * time.Second
	// hintTime is how long nothing may be heard of a call before it is said what may
	// be wrong.
	hintTime = 3 * time.Second
)

// errAtOnce is that of a second Ctrl-C.
var errAtOnce = errors.New("ended before the far side has confirmed it")

// vigil is a phone at work, and what is printed of it.
type vigil struct {
	*handset
	p     *program
	phone *phone.Phone
	began time.Time
	hurry chan struct{} // closed when Ctrl-C was pressed twice: nobody is waited for

	mu   sync.Mutex // of what is printed, and of live
	live *phone.Call
	err  error // of the first line that could not be printed
}

// happening is a line of --json.
type happening struct {
	Time    time.Time `json:"time"`
	Seconds float64   `json:"seconds"` // since the command began
	Call    int       `json:"call,omitempty"`
	Event   string    `json:"event"`
	Text    string    `json:"text,omitempty"`
	From    string    `json:"from,omitempty"`
	To      string    `json:"to,omitempty"`
	// Of "saved".
	File   string  `json:"file,omitempty"`
	Length float64 `json:"length,omitempty"` // seconds
}

// say prints a step, in words for people.
func (v *vigil) say(h happening, words string) {
	v.mu.Lock()
	defer v.mu.Unlock()
	if h.Time.IsZero() {
		h.Time = time.Now()
	}
	h.Seconds = float64(h.Time.Sub(v.began).Milliseconds()) / 1000
	var err error
	switch {
	case v.asJSON:
		e := json.NewEncoder(v.p.stdout)
		e.SetEscapeHTML(false)
		err = e.Encode(h)
	case v.calls > 1 && h.Call > 0:
		_, err = fmt.Fprintf(v.p.stdout, "%9.3f  call %d: %s\n", h.Seconds, h.Call, shortened(words, 2*lineWidth))
	default:
		_, err = fmt.Fprintf(v.p.stdout, "%9.3f  %s\n", h.Seconds, shortened(words, 2*lineWidth))
	}
	if v.err == nil {
		v.err = err
	}
}

// dial makes the call.
func (v *vigil) dial(ctx context.Context) error {
	call, err := v.phone.Dial(ctx, v.number)
	if err != nil {
		return err
	}
	v.say(happening{Event: "calling", From: v.own, To: v.number}, fmt.Sprintf("calling %s at %s, as %s", v.number, v.server, v.own))
	defer v.typing()()
	return v.follow(ctx, call, 0)
}

// wait takes calls, each on a goroutine of its own.
func (v *vigil) wait(ctx context.Context) error {
	words := fmt.Sprintf("waiting as %s on %s", v.own, v.phone.Addr())
	if !v.direct {
		words = fmt.Sprintf("registered at %s; %s", v.server, words)
	}
	v.say(happening{Event: "waiting", To: v.own, Text: v.phone.Addr()}, words)
	defer v.typing()()
	var all sync.WaitGroup
	errs := make([]error, v.calls)
	for i := range v.calls {
		call, err := v.phone.Wait(ctx)
		if err != nil {
			if ctx.Err() != nil {
				err = fmt.Errorf("stopped after %d of %d calls", i, v.calls)
			}
			errs[i] = err
			break
		}
		number := i + 1
		from := call.From()
		if from == "" {
			from = "an unknown number"
		}
		if name := call.FromName(); name != "" {
			from += fmt.Sprintf(" (%s)", name)
		}
		v.say(happening{Event: "called", Call: number, From: call.From(), To: call.To(), Text: call.FromName()}, "called by "+from)
		all.Go(func() { errs[i] = v.follow(ctx, call, number) })
	}
	all.Wait()
	return errors.Join(errs...)
}

// follow does in a call what the command line says, and prints what happens until
// it is over.
func (v *vigil) follow(ctx context.Context, call *phone.Call, number int) error {
	v.attend(call)
	events := call.Events()
	hint, pick, keys, enough := newAlarm(), newAlarm(), newAlarm(), newAlarm()
	defer func() {
		for _, a := range []*alarm{hint, pick, keys, enough} {
			a.stop()
		}
	}()
	switch {
	case v.outgoing:
		hint.set(hintTime)
	case v.busy:
		call.Reject(486)
	case v.reject:
		call.Reject(603)
	case !v.noAnswer:
		pick.set(v.answerAfter)
	}
	stopped := ctx.Done()
	parting := newAlarm()
	defer parting.stop()
	for {
		select {
		case e, ok := <-events:
			if !ok {
				return v.over(context.WithoutCancel(ctx), call, number)
			}
			hint.stop()
			if e.What == phone.Answered {
				v.answered(call, keys, enough)
			}
			v.tell(e, number)
		case <-hint.rang():
			fmt.Fprintf(v.p.stderr, "Nothing is heard of %s yet. Is it a server that runs, and does it take calls from here?\n", v.server)
		case <-pick.rang():
			call.Answer()
		case <-keys.rang():
			call.Press(v.keys)
		case <-enough.rang():
			call.Hangup()
		case <-stopped:
			stopped = nil
			parting.set(partingTime)
			call.Hangup()
		case <-v.hurry:
			return errAtOnce
		case <-parting.rang():
			return errors.New("the far side did not confirm that the call is over")
		}
	}
}

// hasten closes hurry at the second Ctrl-C, which is not in ctx any more. What it
// returns ends that.
func (v *vigil) hasten(ctx context.Context) (stop func()) {
	done := make(chan struct{})
	var all sync.WaitGroup
	all.Go(func() {
		select {
		case <-ctx.Done():
		case <-done:
			return
		}
		again := make(chan os.Signal, 1)
		signal.Notify(again, os.Interrupt)
		defer signal.Stop(again)
		select {
		case <-again:
			close(v.hurry)
		case <-done:
		}
	})
	return func() {
		close(done)
		all.Wait()
	}
}

// hangUp puts the phone away: calls end, and it is no longer registered.
func (v *vigil) hangUp() error {
	closed := make(chan error, 1)
	go func() { closed <- v.phone.Close() }()
	select {
	case err := <-closed:
		return err
	case <-v.hurry:
		return errAtOnce // and with it the process
	}
}

// answered begins what is done after the answer.
func (v *vigil) answered(call *phone.Call, keys, enough *alarm) {
	if v.keys != "" {
		keys.set(v.after)
	}
	if v.last > 0 {
		enough.set(v.last)
	}
	if v.speak != nil {
		call.Speak(v.speak)
	}
}

// tell prints an event of a call.
func (v *vigil) tell(e phone.Event, number int) {
	words := map[string]string{
		phone.Early: "there is sound before the answer", phone.Silence: "silence, " + e.Text, phone.Pressed: "pressed " + e.Text,
		phone.Key: "the other side pressed " + e.Text, phone.Spoken: "everything is said", phone.Held: "put on hold by the other side",
		phone.Resumed: "the other side is back", phone.NoSound: "nothing arrives, not even silence", phone.Ended: "ended: " + e.Text,
	}[e.What]
	if words == "" {
		words = e.What
	}
	v.say(happening{Time: e.At, Call: number, Event: e.What, Text: e.Text}, words)
}

// over saves what was heard, and finds whether the call has gone well.
func (v *vigil) over(ctx context.Context, call *phone.Call, number int) error {
	v.leave(call)
	reason, err := call.Ended(ctx)
	if err != nil {
		return err
	}
	unanswered := call.Answered(ctx)
	if unanswered == nil {
		if err := v.keep(call, number); err != nil {
			return err
		}
	}
	v.mu.Lock()
	defer v.mu.Unlock()
	switch {
	case v.err != nil:
		return v.err
	case unanswered != nil && (v.busy || v.reject || v.noAnswer):
		return nil
	case unanswered != nil:
		return unanswered
	case call.Broken():
		return fmt.Errorf("the call broke off: %s", reason)
	}
	return nil
}

// keep writes what was heard to the file of --save. Those of further calls have
// their number before the extension.
func (v *vigil) keep(call *phone.Call, number int) error {
	if v.save == "" {
		return nil
	}
	file := v.save
	if number > 1 {
		extension := filepath.Ext(file)
		file = fmt.Sprintf("%s-%d%s", strings.TrimSuffix(file, extension), number, extension)
	}
	clip := call.Heard()
	raw := make([]byte, 0, 2*len(clip.Samples()))
	for _, s := range clip.Samples() {
		raw = binary.LittleEndian.AppendUint16(raw, uint16(s))
	}
	format := audio.Format{Encoding: audio.PCM, Channels: 1, Rate: audio.Telephone.Rate, Bits: 16}
	if err := os.WriteFile(file, audio.EncodeWAV(format, raw), 0o600); err != nil {
		return fmt.Errorf("--save: %w", err)
	}
	length := clip.Duration().Seconds()
	v.say(happening{Call: number, Event: "saved", File: file, Length: length}, fmt.Sprintf("what was heard is in %s, %.1f seconds", file, length))
	return nil
}

// attend has what is typed go to a call, leave no longer.
func (v *vigil) attend(call *phone.Call) {
	v.mu.Lock()
	defer v.mu.Unlock()
	v.live = call
}

func (v *vigil) leave(call *phone.Call) {
	v.mu.Lock()
	defer v.mu.Unlock()
	if v.live == call {
		v.live = nil
	}
}

// typing has what is typed at a terminal done in the last call. What it returns
// ends that; the goroutine itself stays with the terminal, which cannot be left
// while it is read from.
func (v *vigil) typing() (stop func()) {
	file, ok := v.p.stdin.(*os.File)
	if !ok {
		return func() {}
	}
	if info, err := file.Stat(); err != nil || info.Mode()&os.ModeCharDevice == 0 {
		return func() {}
	}
	done := make(chan struct{})
	go v.obey(file, done)
	return func() { close(done) }
}

// obey does what lines say, until done is closed.
func (v *vigil) obey(r io.Reader, done <-chan struct{}) {
	for lines := bufio.NewScanner(r); lines.Scan(); {
		select {
		case <-done:
			return
		default:
		}
		v.mu.Lock()
		call := v.live
		v.mu.Unlock()
		line := strings.TrimSpace(lines.Text())
		switch {
		case call == nil || line == "":
		case line == "hold":
			call.Hold()
		case line == "resume":
			call.Resume()
		case line == "bye":
			call.Hangup()
		case strings.Trim(line, "0123456789*#ABCD,") == "":
			call.Press(line)
		default:
			fmt.Fprintln(v.p.stderr, "Type keys (0-9 * #), or hold, resume or bye.")
		}
	}
}

// alarm is a timer that may not be set.
type alarm struct{ timer *time.Timer }

func newAlarm() *alarm { return &alarm{} }

func (a *alarm) set(d time.Duration) { a.timer = time.NewTimer(d) }

func (a *alarm) stop() {
	if a.timer != nil {
		a.timer.Stop()
		a.timer = nil
	}
}

func (a *alarm) rang() <-chan time.Time {
	if a.timer == nil {
		return nil
	}
	return a.timer.C
}
