package main

import (
	"context"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"io"
	"math"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"testing"
	"time"

	"ringdown/internal/audio"
	"ringdown/internal/voice/phone"
)

// phonePatience is how long anything of a call may take.
const phonePatience = 20 * time.Second

// farPhone is the other side of a call.
func farPhone(t *testing.T, server string) *phone.Phone {
	t.Helper()
	p, err := phone.New(t.Context(), phone.Options{Server: server, Number: "+14155550150"})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := p.Close(); err != nil {
			t.Error(err)
		}
	})
	return p
}

// answering has a phone take a call and do something in it. What it returns waits
// for the end of the call.
func answering(t *testing.T, p *phone.Phone, do func(c *phone.Call)) (ended func() string) {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), phonePatience)
	t.Cleanup(cancel)
	reason := make(chan string, 1)
	go func() {
		c, err := p.Wait(ctx)
		if err != nil {
			reason <- err.Error()
			return
		}
		do(c)
		r, err := c.Ended(ctx)
		if err != nil {
			r = err.Error()
		}
		reason <- r
	}()
	return func() string { return <-reason }
}

// sineFile is a WAV file of a second of a tone.
func sineFile(t *testing.T, hz float64) string {
	t.Helper()
	var raw []byte
	for i := range 8000 {
		raw = binary.LittleEndian.AppendUint16(raw, uint16(int16(16000*math.Sin(2*math.Pi*hz*float64(i)/8000))))
	}
	return file(t, "tone.wav", string(audio.EncodeWAV(audio.Format{Encoding: audio.PCM, Channels: 1, Rate: 8000, Bits: 16}, raw)))
}

// hears checks that half a second of a tone is in a clip.
func hears(t *testing.T, clip *audio.Clip, hz float64) {
	t.Helper()
	const half = 4000
	all := clip.Samples()
	for at := 0; at+half <= len(all); at += 400 {
		if part := all[at : at+half]; audio.ToneLevel(part, hz) > -10 && math.Abs(audio.Dominant(part)-hz) < 2 {
			return
		}
	}
	t.Errorf("in %v there is no tone of %v Hz", clip.Duration(), hz)
}

// inOrder checks that texts follow each other.
func inOrder(t *testing.T, all string, texts ...string) {
	t.Helper()
	rest := all
	for _, want := range texts {
		at := strings.Index(rest, want)
		if at < 0 {
			t.Fatalf("%q is not where it should be:\n%s", want, all)
		}
		rest = rest[at+len(want):]
	}
}

// TestPhoneDial: the life of a call is printed, what is to be said and pressed
// arrives, and what is heard is kept.
func TestPhoneDial(t *testing.T) {
	far := farPhone(t, "")
	var keys, order string
	var heard *audio.Clip
	said, err := audio.ReadClip([]byte(mustRead(t, sineFile(t, 440))))
	if err != nil {
		t.Fatal(err)
	}
	ended := answering(t, far, func(c *phone.Call) {
		order = c.Header("X-Order")
		c.Answer()
		c.Speak(said)
		spoken := false
		for e := range c.Events() {
			switch e.What {
			case phone.Key:
				keys += e.Text
			case phone.Spoken:
				spoken = true
				c.Press("7")
			}
			if spoken && strings.HasSuffix(keys, "#") {
				c.Hold()
				c.Resume()
				break
			}
		}
		for e := range c.Events() {
			if e.What == phone.Silence {
				c.Hangup()
			}
		}
		heard = c.Heard()
	})
	saved := filepath.Join(t.TempDir(), "heard.wav")
	got := succeed(t, nil, "", "phone", "dial", "+14155550199", "--server", far.Addr(), "--type", "12,#", "--after", "10ms",
		"--speak", sineFile(t, 1000), "--save", saved, "--header", "X-Order: 42")
	if reason := ended(); reason != "hung up here" {
		t.Errorf("the other side: %s", reason)
	}
	hears(t, heard, 1000)
	if keys != "12#" || order != "42" {
		t.Errorf("the other side was told the keys %q, the order %q", keys, order)
	}
	inOrder(t, got.stdout, "calling +14155550199 at "+far.Addr()+", as "+phone.DefaultNumber, "ringing\n", "answered\n", "pressed 12,#\n", "ended: hung up there\n", "what was heard is in "+saved)
	for _, want := range []string{"  sound\n", "  everything is said\n", "  the other side pressed 7\n"} {
		if !strings.Contains(got.stdout, want) {
			t.Errorf("%q is not told: %s", want, got)
		}
	}
	for line := range strings.Lines(got.stdout) {
		if !regexp.MustCompile(`^ +[0-9]+\.[0-9]{3}  \S`).MatchString(line) {
			t.Errorf("the line %q", line)
		}
	}
	clip, err := audio.ReadClip([]byte(mustRead(t, saved)))
	if err != nil {
		t.Fatal(err)
	}
	hears(t, clip, 440)
}

func mustRead(t *testing.T, name string) string {
	t.Helper()
	raw, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	return string(raw)
}

// TestPhoneJSON: each line is an object that says what, when and which call.
func TestPhoneJSON(t *testing.T) {
	far := farPhone(t, "")
	ended := answering(t, far, (*phone.Call).Answer)
	saved := filepath.Join(t.TempDir(), "heard.wav")
	got := succeed(t, nil, "", "phone", "dial", "--server", "sip:"+far.Addr()+";transport=tcp", "--json", "--for", "300ms", "--save", saved, "ann")
	if reason := ended(); reason != "hung up there" {
		t.Errorf("the other side: %s", reason)
	}
	var events []string
	var last happening
	before := 0.0
	for line := range strings.Lines(got.stdout) {
		var h happening
		if err := json.Unmarshal([]byte(line), &h); err != nil {
			t.Fatalf("%q: %v", line, err)
		}
		if h.Time.IsZero() || h.Seconds < before {
			t.Errorf("the time of %+v", h)
		}
		events, last, before = append(events, h.Event), h, h.Seconds
	}
	if s := strings.Join(events, " "); s != "calling ringing answered ended saved" {
		t.Errorf("the events are %s", s)
	}
	if last.File != saved || last.Length < 0.25 || last.Length > 5 {
		t.Errorf("saved is %+v", last)
	}
}

// TestPhoneUnanswered: the exit code is 1 and the reason is told.
func TestPhoneUnanswered(t *testing.T) {
	for status, want := range map[int]string{486: "busy (486)", 603: "declined (603)", 404: "there is no such number (404)"} {
		far := farPhone(t, "")
		ended := answering(t, far, func(c *phone.Call) { c.Reject(status) })
		saved := filepath.Join(t.TempDir(), "heard.wav")
		got := run(t, nil, "", "phone", "dial", "--server", far.Addr(), "--save", saved, "+14155550199")
		if got.code != 1 || !strings.Contains(got.stderr, "not answered: "+want) || !strings.Contains(got.stdout, "ended: "+want) {
			t.Errorf("%d: %s", status, got)
		}
		ended()
	}
}

// waitingPhone is "ringdown phone wait" at work.
type waitingPhone struct {
	*transcript
	errors *transcript
	addr   string
	stop   context.CancelFunc
	code   func() int // waits for the end
}

// waiting starts a phone that can be called directly.
func waiting(t *testing.T, args ...string) *waitingPhone {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	w := &waitingPhone{transcript: newTranscript(), errors: newTranscript(), stop: cancel}
	ended, code := make(chan struct{}), -1
	go func() {
		defer close(ended)
		p := &program{strings.NewReader(""), w, w.errors, func(string) string { return "" }}
		code = p.main(ctx, append([]string{"phone", "wait", "--direct"}, args...))
	}()
	w.code = func() int { <-ended; return code }
	t.Cleanup(func() { cancel(); <-ended })
	if !w.waitFor("waiting as ", ended) || !w.waitFor("\n", ended) {
		t.Fatalf("it does not wait: %s%s", w, w.errors)
	}
	addr := regexp.MustCompile(`waiting as \S+ on (\S+)`).FindStringSubmatch(w.String())
	if addr == nil {
		t.Fatalf("it does not say where: %s", w)
	}
	w.addr = addr[1]
	return w
}

// TestPhoneWait: calls are taken, each for itself, or refused as the command line
// says.
func TestPhoneWait(t *testing.T) {
	ctx, cancel := context.WithTimeout(context.Background(), phonePatience)
	defer cancel()
	t.Run("two calls", func(t *testing.T) {
		folder := t.TempDir()
		w := waiting(t, "--calls", "2", "--answer-after", "10ms", "--save", filepath.Join(folder, "in.wav"), "--number", "bob")
		p := farPhone(t, w.addr)
		var calls []*phone.Call
		for range 2 {
			c, err := p.Dial(ctx, "bob")
			if err != nil {
				t.Fatal(err)
			}
			if err := c.Answered(ctx); err != nil {
				t.Fatal(err)
			}
			c.Press("4")
			calls = append(calls, c)
		}
		for range 2 {
			if !w.waitFor("call 1: the other side pressed 4", ctx.Done()) || !w.waitFor("call 2: the other side pressed 4", ctx.Done()) {
				t.Fatalf("the keys are not told: %s", w)
			}
		}
		for _, c := range calls {
			c.Hangup()
		}
		if code := w.code(); code != 0 {
			t.Errorf("code %d: %s%s", code, w, w.errors)
		}
		inOrder(t, w.String(), "call 1: called by +14155550150\n", "call 1: answered\n", "call 1: ended: hung up there\n")
		for _, name := range []string{"in.wav", "in-2.wav"} {
			if _, err := audio.ReadClip([]byte(mustRead(t, filepath.Join(folder, name)))); err != nil {
				t.Errorf("%s: %v", name, err)
			}
		}
	})
	for name, c := range map[string]struct {
		args []string
		far  string // what the caller is told
		here string
		code int
	}{
		"busy":     {[]string{"--busy"}, "busy (486)", "refused here: busy (486)", 0},
		"refused":  {[]string{"--reject"}, "declined (603)", "refused here: declined (603)", 0},
		"ringing":  {[]string{"--no-answer"}, "hung up here", "the caller gave up", 0},
		"too slow": {[]string{"--answer-after", "1m"}, "hung up here", "the caller gave up", 1},
	} {
		t.Run(name, func(t *testing.T) {
			w := waiting(t, c.args...)
			call, err := farPhone(t, w.addr).Dial(ctx, "bob")
			if err != nil {
				t.Fatal(err)
			}
			if c.far == "hung up here" {
				if !w.waitFor("ringing\n", ctx.Done()) {
					t.Fatalf("it does not ring: %s", w)
				}
				call.Hangup()
			}
			if reason, err := call.Ended(ctx); err != nil || reason != c.far {
				t.Errorf("the caller is told %q, %v", reason, err)
			}
			if code := w.code(); code != c.code || !strings.Contains(w.String(), "ended: "+c.here) {
				t.Errorf("code %d: %s%s", code, w, w.errors)
			}
		})
	}
}

// TestPhoneStop: Ctrl-C hangs up politely, in a call and while there is none.
func TestPhoneStop(t *testing.T) {
	ctx, cancel := context.WithTimeout(context.Background(), phonePatience)
	defer cancel()
	w := waiting(t, "--answer-after", "0s")
	c, err := farPhone(t, w.addr).Dial(ctx, "bob")
	if err != nil {
		t.Fatal(err)
	}
	if err := c.Answered(ctx); err != nil {
		t.Fatal(err)
	}
	if !w.waitFor("answered\n", ctx.Done()) {
		t.Fatalf("it is not told: %s", w)
	}
	w.stop()
	if reason, err := c.Ended(ctx); err != nil || reason != "hung up there" {
		t.Errorf("the other side is told %q, %v", reason, err)
	}
	if code := w.code(); code != 0 || !strings.Contains(w.String(), "ended: hung up here\n") {
		t.Errorf("code %d: %s%s", code, w, w.errors)
	}

	idle := waiting(t, "--calls", "3")
	idle.stop()
	if code := idle.code(); code != 1 || !strings.Contains(idle.errors.String(), "stopped after 0 of 3 calls") {
		t.Errorf("code %d: %s%s", code, idle, idle.errors)
	}
}

// commandVariable has a command line of ringdown in the environment of a test that
// is run for it, as a process of its own that can be sent signals.
const commandVariable = "RINGDOWN_TEST_COMMAND"

func TestMain(m *testing.M) {
	if line := os.Getenv(commandVariable); line != "" {
		os.Args = append([]string{"ringdown"}, strings.Fields(line)...)
		main() // exits
	}
	os.Exit(m.Run())
}

// TestPhoneStopAtOnce: the second Ctrl-C waits for nobody. Who is called here does
// not even answer, so that the call cannot be ended politely.
func TestPhoneStopAtOnce(t *testing.T) {
	silent, err := net.ListenPacket("udp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer silent.Close()
	out := newTranscript()
	command := exec.CommandContext(t.Context(), os.Args[0]) //nolint:gosec // the test itself, see TestMain
	command.Env = append(os.Environ(), commandVariable+"=phone dial --server "+silent.LocalAddr().String()+" +14155550199")
	command.Stdout, command.Stderr = out, out
	if err := command.Start(); err != nil {
		t.Fatal(err)
	}
	exited := make(chan struct{})
	go func() {
		_ = command.Wait()
		close(exited)
	}()
	if !out.waitFor("calling", exited) || !out.waitFor("Is it a server that runs", exited) {
		t.Fatalf("nothing is told: %s", out)
	}
	began := time.Now()
	again := time.NewTicker(20 * time.Millisecond)
	defer again.Stop()
	for alive := true; alive; {
		select {
		case <-exited:
			alive = false
		case <-again.C:
			_ = command.Process.Signal(syscall.SIGINT)
		}
	}
	if d := time.Since(began); d > partingTime/2 || command.ProcessState.ExitCode() != 1 || !strings.Contains(out.String(), errAtOnce.Error()) {
		t.Errorf("after %v with code %d: %s", d, command.ProcessState.ExitCode(), out)
	}
}

// TestPhoneObey: what is typed at a terminal is done in the call.
func TestPhoneObey(t *testing.T) {
	ctx, cancel := context.WithTimeout(context.Background(), phonePatience)
	defer cancel()
	far := farPhone(t, "")
	told := make(chan string, 100)
	ended := answering(t, far, func(c *phone.Call) {
		c.Answer()
		for e := range c.Events() {
			if e.What == phone.Key || e.What == phone.Held || e.What == phone.Resumed {
				told <- strings.TrimSpace(e.What + " " + e.Text)
			}
		}
	})
	near, err := phone.New(ctx, phone.Options{Server: far.Addr()})
	if err != nil {
		t.Fatal(err)
	}
	defer near.Close()
	c, err := near.Dial(ctx, "bob")
	if err != nil {
		t.Fatal(err)
	}
	if err := c.Answered(ctx); err != nil {
		t.Fatal(err)
	}
	mistakes := newTranscript()
	v := &vigil{handset: &handset{}, p: &program{stderr: mistakes}, live: c}
	keyboard, typed := io.Pipe()
	obeyed := make(chan struct{})
	go func() {
		defer close(obeyed)
		v.obey(keyboard, make(chan struct{}))
	}()
	for _, step := range []struct {
		line string
		want []string
	}{{"hold", []string{"held"}}, {"resume", []string{"resumed"}}, {"", nil}, {"what?", nil}, {" 1*#", []string{"key 1", "key *", "key #"}}, {"bye", nil}} {
		if _, err := io.WriteString(typed, step.line+"\n"); err != nil {
			t.Fatal(err)
		}
		for _, want := range step.want {
			select {
			case got := <-told:
				if got != want {
					t.Errorf("after %q the other side is told %q, want %q", step.line, got, want)
				}
			case <-ctx.Done():
				t.Fatalf("after %q nothing is told", step.line)
			}
		}
	}
	if reason := ended(); reason != "hung up there" {
		t.Errorf("the other side: %s", reason)
	}
	if err := typed.Close(); err != nil {
		t.Error(err)
	}
	<-obeyed
	if s := mistakes.String(); !strings.Contains(s, "Type keys") {
		t.Errorf("a mistake is answered %q", s)
	}
}

// TestPhoneMistakes: what makes no sense is told before anybody is called.
func TestPhoneMistakes(t *testing.T) {
	empty := t.TempDir()
	text := file(t, "text.wav", "no sound")
	for _, c := range []struct {
		code int
		want string
		args []string
	}{
		{2, "say dial or wait", nil},
		{2, `there is no "ring"`, []string{"ring"}},
		{2, "give one number", []string{"dial"}},
		{2, "give one number", []string{"dial", "1", "2"}},
		{2, "give one number", []string{"dial", "1", "--type", "1", "2"}},
		{2, "is no number", []string{"dial", "1 2"}},
		{2, "unexpected argument", []string{"wait", "1"}},
		{2, "keys are", []string{"dial", "1", "--type", "1x"}},
		{2, "must not be negative", []string{"dial", "1", "--after", "-1s"}},
		{2, "invalid value", []string{"dial", "1", "--for", "soon"}},
		{2, "not defined: -busy", []string{"dial", "1", "--busy"}},
		{2, "not defined: -header", []string{"wait", "--header", "A: b"}},
		{2, "say 'Name: value'", []string{"dial", "1", "--header", "A"}},
		{2, "given twice", []string{"dial", "1", "--header", "A: b", "--header", "a: c"}},
		{2, "one of --busy", []string{"wait", "--busy", "--reject"}},
		{2, "at least 1", []string{"wait", "--calls", "0"}},
		{2, "leave --server out", []string{"wait", "--direct", "--server", "127.0.0.1:5060"}},
		{2, "--number must be", []string{"wait", "--number", ""}},
		{2, "at which address it reaches this one", []string{"dial", "1", "--server", "192.0.2.1:5060"}},
		{2, "at which address it reaches this one", []string{"dial", "1", "--server", "sip:sip.example.com;transport=tcp"}},
		{1, "must listen on an address", []string{"dial", "1", "--server", "127.0.0.1:5060", "--listen", "here"}},
		{1, "--speak " + text, []string{"dial", "1", "--speak", text}},
		{1, "--speak", []string{"dial", "1", "--speak", filepath.Join(empty, "none.wav")}},
		{1, "--password-file", []string{"dial", "1", "--password-file", filepath.Join(empty, "none")}},
		{1, "--save", []string{"dial", "1", "--save", filepath.Join(empty, "none", "heard.wav")}},
		{1, `start one with "ringdown serve --data ` + empty + `"`, []string{"dial", "1", "--data", empty}},
		{1, "no server that takes calls runs", []string{"wait", "--data", empty}},
	} {
		if got := run(t, nil, "", append([]string{"phone"}, c.args...)...); got.code != c.code || !strings.Contains(got.stderr, c.want) {
			t.Errorf("%q: %s", c.args, got)
		}
	}
	for _, args := range [][]string{{"phone", "--help"}, {"phone", "dial", "--help"}, {"phone", "wait", "-h"}} {
		if got := succeed(t, nil, "", args...); !strings.Contains(got.stdout, "ringdown phone dial [flags] NUMBER") || strings.Contains(got.stdout, "%!") {
			t.Errorf("%q: %s", args, got)
		}
	}
	for line := range strings.Lines(fmt.Sprintf(phoneHelp, "", "")) {
		if len(line) > 105 {
			t.Errorf("%d characters: %s", len(line), line)
		}
	}
}

// TestPhoneLoopback: which servers are on this machine.
func TestPhoneLoopback(t *testing.T) {
	for address, want := range map[string]string{
		"127.0.0.1:5060": "127.0.0.1", "sip:127.0.0.1": "127.0.0.1", "sip:ann@127.1.2.3:5060;transport=tcp": "127.0.0.1",
		"localhost:5060": "127.0.0.1", "SIP:LOCALHOST": "127.0.0.1", "[::1]:5060": "::1", "sips:[::1]": "::1",
		"192.0.2.1:5060": "", "sip:example.com": "", "example.com:5060": "", "": "",
	} {
		got := ""
		if a, ok := loopbackOf(address); ok {
			got = a.String()
		}
		if got != want {
			t.Errorf("for %q it is %q, want %q", address, got, want)
		}
	}
}
