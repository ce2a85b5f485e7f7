package server

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"regexp"
	"time"

	"ringdown/internal/audio"
	"ringdown/internal/objects"
	"ringdown/internal/voice/simulated"
)

// Simulation says who is there to be called. The zero value has everybody answer
// after a second, listen, and stay until the flow hangs up.
type Simulation struct {
	// Speed is how fast time passes for callees: nil and 1 as in life, 10 for ten
	// times that, 0 for everything at once.
	Speed *float64 `yaml:"speed"`
	// Callees are those with a script.
	Callees []Callee `yaml:"callees"`
}

// Callee is somebody who can be called.
type Callee struct {
	// Number is E.164, with its plus sign, or the beginning of numbers with an
	// asterisk at the end: "+1415555*". The longest that fits counts.
	Number string `yaml:"number"`
	// Answer is how long the telephone rings until it is answered, "2s", or why it
	// is not: busy, no-answer, invalid, rejected. Empty: after a second.
	Answer string `yaml:"answer"`
	// Press are the keys pressed after each message that was heard to its end, in
	// order: ["", "1"] listens to the first message and presses 1 after the second.
	Press []string `yaml:"press"`
	// Hangup is how long after the answer the callee hangs up, "30s". Empty: never.
	Hangup string `yaml:"hangup"`
}

var (
	calleePattern = regexp.MustCompile(`^\+([0-9]{1,15}\*?|\*)$`)
	pressPattern  = regexp.MustCompile(`^[0-9*#]{0,50}$`)
)

// answers are the words of Callee.Answer.
var answers = map[string]simulated.Answer{
	"busy": simulated.Busy, "no-answer": simulated.Silent, "invalid": simulated.Invalid, "rejected": simulated.Rejected,
}

// newSimulation makes the callees of all calls. The error names the member that
// is wrong.
func newSimulation(c *Config, files objects.Store) (*simulated.Dialer, error) {
	o := simulated.Options{Speed: 1, Length: recordingLength(files)}
	if s := c.Simulation.Speed; s != nil {
		o.Speed = *s
	}
	if o.Speed < 0 || o.Speed > 1000 {
		return nil, errors.New("simulation: speed must be from 0, which is at once, to 1000")
	}
	if c.SIPListen != "" && (len(c.SIP.Trunks) > 0 || c.SIPTrunk != "") {
		// Nobody is simulated who could be called.
		o.Else = &simulated.Callee{Answer: simulated.Invalid}
	}
	known := map[string]bool{}
	for i, from := range c.Simulation.Callees {
		callee, err := from.callee()
		if err == nil && known[from.Number] {
			err = fmt.Errorf("number %s is there twice", from.Number)
		}
		if err != nil {
			return nil, fmt.Errorf("simulation: callees[%d]: %w", i, err)
		}
		known[from.Number] = true
		o.Callees = append(o.Callees, callee)
	}
	return simulated.New(o), nil
}

// callee is the script of a callee.
func (c Callee) callee() (simulated.Callee, error) {
	out := simulated.Callee{Number: c.Number, Press: c.Press, Rings: simulated.DefaultRings}
	if !calleePattern.MatchString(c.Number) {
		return out, fmt.Errorf("number must be a whole number such as +14155550100, or a beginning such as +1415555*, not %q", c.Number)
	}
	if word, ok := answers[c.Answer]; ok {
		out.Answer = word
	} else if c.Answer != "" {
		rings, err := time.ParseDuration(c.Answer)
		if err != nil || rings < 0 {
			return out, fmt.Errorf("answer must be busy, no-answer, invalid, rejected, or a time such as 2s, not %q", c.Answer)
		}
		out.Rings = rings
	}
	for _, keys := range c.Press {
		if !pressPattern.MatchString(keys) {
			return out, fmt.Errorf("press may hold the keys 0 to 9, * and #, at most 50 at once, not %q", keys)
		}
	}
	if c.Hangup != "" {
		after, err := time.ParseDuration(c.Hangup)
		if err != nil || after <= 0 {
			return out, fmt.Errorf("hangup must be a time such as 30s, not %q", c.Hangup)
		}
		out.Hangup = after
	}
	return out, nil
}

// headerSize is as much of a recording as is read to find its length. Programs
// write what describes the samples before them, in some hundred bytes.
const headerSize = 64 << 10

// recordingLength tells how long a WAV file plays.
func recordingLength(files objects.Store) func(ctx context.Context, uri string) (time.Duration, bool) {
	return func(ctx context.Context, uri string) (time.Duration, bool) {
		at, err := objects.ParseURI(uri)
		if err != nil {
			return 0, false
		}
		file, info, err := files.Get(ctx, at)
		if err != nil {
			return 0, false
		}
		defer func() { _ = file.Close() }()
		head, err := io.ReadAll(io.LimitReader(file, headerSize))
		if err != nil {
			return 0, false
		}
		wav, err := audio.ParseWAV(bytes.NewReader(head), info.Size)
		if err != nil {
			return 0, false
		}
		return wav.Duration(), true
	}
}
