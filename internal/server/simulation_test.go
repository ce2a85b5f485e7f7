package server

import (
	"context"
	"path/filepath"
	"reflect"
	"strings"
	"testing"
	"time"

	"ringdown/internal/audio"
	"ringdown/internal/objects"
	"ringdown/internal/voice/simulated"
)

// TestCallee: a script by what the configuration says, and what is wrong with it.
func TestCallee(t *testing.T) {
	for name, c := range map[string]struct {
		from Callee
		want simulated.Callee
		err  string
	}{
		"by default":   {Callee{Number: "+14155550100"}, simulated.Callee{Number: "+14155550100", Rings: time.Second}, ""},
		"everybody":    {Callee{Number: "+*", Answer: "0s"}, simulated.Callee{Number: "+*"}, ""},
		"all of it":    {Callee{"+1*", "2500ms", []string{"", "1#"}, "30s"}, simulated.Callee{Number: "+1*", Rings: 2500 * time.Millisecond, Press: []string{"", "1#"}, Hangup: 30 * time.Second}, ""},
		"busy":         {Callee{Number: "+1*", Answer: "busy"}, simulated.Callee{Number: "+1*", Answer: simulated.Busy, Rings: time.Second}, ""},
		"no answer":    {Callee{Number: "+1*", Answer: "no-answer"}, simulated.Callee{Number: "+1*", Answer: simulated.Silent, Rings: time.Second}, ""},
		"invalid":      {Callee{Number: "+1*", Answer: "invalid"}, simulated.Callee{Number: "+1*", Answer: simulated.Invalid, Rings: time.Second}, ""},
		"rejected":     {Callee{Number: "+1*", Answer: "rejected"}, simulated.Callee{Number: "+1*", Answer: simulated.Rejected, Rings: time.Second}, ""},
		"no number":    {Callee{}, simulated.Callee{}, "number "},
		"not E.164":    {Callee{Number: "14155550100"}, simulated.Callee{}, `"14155550100"`},
		"in between":   {Callee{Number: "+1*5"}, simulated.Callee{}, "number "},
		"another word": {Callee{Number: "+1*", Answer: "maybe"}, simulated.Callee{}, `answer must be busy, no-answer, invalid, rejected, or a time such as 2s, not "maybe"`},
		"in the past":  {Callee{Number: "+1*", Answer: "-1s"}, simulated.Callee{}, "answer "},
		"no key":       {Callee{Number: "+1*", Press: []string{"1", "one"}}, simulated.Callee{}, `"one"`},
		"no time":      {Callee{Number: "+1*", Hangup: "30"}, simulated.Callee{}, "hangup "},
		"never there":  {Callee{Number: "+1*", Hangup: "0s"}, simulated.Callee{}, "hangup "},
	} {
		got, err := c.from.callee()
		switch {
		case c.err != "" && (err == nil || !strings.Contains(err.Error(), c.err)):
			t.Errorf("%s: %v, want %q", name, err, c.err)
		case c.err == "" && (err != nil || !reflect.DeepEqual(got, c.want)):
			t.Errorf("%s: %+v, %v\nwant %+v", name, got, err, c.want)
		}
	}
}

// TestSimulationConfig: mistakes are told at the start, with their place.
func TestSimulationConfig(t *testing.T) {
	for want, s := range map[string]Simulation{
		"simulation: speed ":                    {Speed: new(-1.0)},
		"simulation: callees[1]: answer ":       {Callees: []Callee{{Number: "+1*"}, {Number: "+2*", Answer: "?"}}},
		"simulation: callees[1]: number +1* is": {Callees: []Callee{{Number: "+1*"}, {Number: "+1*"}}},
	} {
		d, err := newSimulation(&Config{Simulation: s}, nil)
		if err == nil || !strings.HasPrefix(err.Error(), want) {
			t.Errorf("%v, %v, want %q", d, err, want)
		}
	}
}

// TestRecordingLength: WAV files tell how long they play, others do not.
func TestRecordingLength(t *testing.T) {
	files := objects.NewFolder(filepath.Join(t.TempDir(), "objects"), time.Now)
	if err := files.Open("secret"); err != nil {
		t.Fatal(err)
	}
	defer files.Close()
	for key, body := range map[string]string{
		// Longer than what is read of it.
		"long.wav": string(audio.EncodeWAV(audio.Format{Encoding: audio.MuLaw, Channels: 1, Rate: 8000, Bits: 8}, make([]byte, 20*8000))),
		"text.wav": "no recording",
	} {
		at, err := objects.ParseURI("s3://recordings/" + key)
		if err != nil {
			t.Fatal(err)
		}
		if err := files.Put(context.Background(), at, strings.NewReader(body)); err != nil {
			t.Fatal(err)
		}
	}
	length := recordingLength(files)
	for uri, want := range map[string]time.Duration{
		"s3://recordings/long.wav": 20 * time.Second, "s3://recordings/text.wav": 0, "s3://recordings/none.wav": 0, "nonsense": 0,
	} {
		if got, known := length(t.Context(), uri); got != want || known != (want > 0) {
			t.Errorf("%s plays %s, %t, want %s", uri, got, known, want)
		}
	}
}
