package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"unicode/utf8"

	"ringdown/internal/audio"
)

// TestDemo: all of it works, fits the screen, and nothing is left behind.
func TestDemo(t *testing.T) {
	temporary := t.TempDir()
	t.Setenv("TMPDIR", temporary) // of os.MkdirTemp
	got := succeed(t, nil, "", "demo")
	for _, want := range []string{
		"$ aws connect create-instance", "$ aws connect create-user", "$ aws connect create-contact-flow", "$ aws connect claim-phone-number",
		"$ aws connect associate-phone-number-contact-flow", "$ aws connect start-outbound-voice-contact", "$ ringdown contact trace",
		"$ ringdown phone wait", "flow Welcome", `"1" → sales`, "flow Default customer queue", "CUSTOMER_DISCONNECT",
		`{"Attributes": {"choice": "sales", "customer": "Ann"}}`, "ringdown-demo-", "Nothing is left behind but the recording.",
	} {
		if !strings.Contains(got.stdout, want) {
			t.Errorf("%q is not told", want)
		}
	}
	if t.Failed() || got.stderr != "" {
		t.Log(got)
	}
	for line := range strings.Lines(got.stdout) {
		if n := utf8.RuneCountInString(line); n > lineWidth+1 && !strings.Contains(line, temporary) && !strings.Contains(line, "arn:aws:") {
			t.Errorf("%d characters: %s", n, line)
		}
	}
	left, err := filepath.Glob(filepath.Join(temporary, "*"))
	if err != nil || len(left) != 1 {
		t.Fatalf("left behind: %v, %v", left, err)
	}
	raw, err := os.ReadFile(left[0])
	if err != nil {
		t.Fatal(err)
	}
	sound, err := audio.ReadClip(raw)
	if err != nil || sound.Duration() < demoPresses || audio.Level(sound.Samples()) < -50 {
		t.Errorf("the recording plays %v at %.0f dB, %v", sound.Duration(), audio.Level(sound.Samples()), err)
	}
}

// TestDemoData: with a folder of its own the demo can be shown again, and gone on
// with.
func TestDemoData(t *testing.T) {
	folder := filepath.Join(t.TempDir(), "demo data")
	for _, want := range []string{"--instance-alias demo-1", "--instance-alias demo-2"} {
		if got := succeed(t, nil, "", "demo", "--data", folder); !strings.Contains(got.stdout, want) || !strings.Contains(got.stdout, "ringdown serve --data '"+folder+"'") {
			t.Errorf("without %q: %s", want, got)
		}
	}
	serving(t, nil, "--data", folder)
	if got := succeed(t, nil, "", "contact", "list", "--data", folder); strings.Count(got.stdout, "CUSTOMER_DISCONNECT") != 2 {
		t.Errorf("the contacts of two demos: %s", got)
	}
	for _, args := range [][]string{{"demo", "now"}, {"demo", "--fast"}} {
		if got := run(t, nil, "", args...); got.code != 2 {
			t.Errorf("%v: %s", args, got)
		}
	}
	if got := succeed(t, nil, "", "demo", "--help"); !strings.Contains(got.stdout, "--data") {
		t.Errorf("help: %s", got)
	}
}
