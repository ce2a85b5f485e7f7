package machine_test

import (
	"maps"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"ringdown/internal/flow"
	"ringdown/internal/flow/machine"
)

// FuzzStep runs any document with any events: no run panics or goes on for ever,
// after each event it waits or has ended, and one that is stored after each
// event does the same as one that is not, every time.
func FuzzStep(f *testing.F) {
	files, err := filepath.Glob(filepath.Join("..", "testdata", "*", "*.json"))
	if err != nil || len(files) == 0 {
		f.Fatalf("no documents: %v", err)
	}
	for i, file := range files {
		content, err := os.ReadFile(file)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(string(content), uint8(i), uint8(i/2), []byte("\x00\x01\x02\x03\x04\x10\x21\x32\x43\x54\x65\x76\x87\x98\xa9\xba\xcb\xdc\xed\xfe\x01\x02\x03"))
	}
	for _, cases := range goldens(f) {
		for i := range cases {
			if content, err := document(cases[i].Flow, "it", withIt(&cases[i])); err == nil {
				f.Add(content, uint8(0), uint8(i%4), []byte("\x04\x00\x01\x02\x03\x14\x24\x34"))
			}
		}
	}
	f.Fuzz(func(t *testing.T, content string, typ, channel uint8, events []byte) {
		doc, _ := flow.Parse(content)
		if doc == nil || len(events) > 200 {
			return
		}
		if first, again := wander(t, doc, typ, channel, events), wander(t, doc, typ, channel, events); first != again {
			t.Errorf("the same events came to\n%s\nand then to\n%s", first, again)
		}
	})
}

func withIt(c *golden) map[string]action {
	all := maps.Clone(c.Actions)
	if all == nil {
		all = map[string]action{}
	}
	all["it"] = c.action
	return all
}

// wander runs a document with events made of bytes, and tells what came of it.
func wander(t *testing.T, doc *flow.Document, typ, channel uint8, events []byte) string {
	t.Helper()
	types := flow.Types()
	ref := machine.Ref{ID: "f", ARN: "arn:f", Name: "f", Content: "f", Type: types[int(typ)%len(types)]}
	c := &golden{
		Channel:    []string{"VOICE", "CHAT", "TASK", "EMAIL"}[channel%4],
		Attributes: map[string]string{"a": strings.Repeat("x", 100), "n": "3", "queue": "q"},
		Contact:    map[string]any{"TargetQueue": map[string]any{"ID": "q1", "Name": "Sales"}, "Detection": "HUMAN_ANSWERED"},
		Media:      map[string]any{"InitialMessage": "Hello"},
	}
	p := &player{c: c, now: epoch, m: &machine.Machine{Library: library{"f": doc}}}
	for _, w := range []**world{&p.live, &p.kept} {
		var err error
		if *w, err = c.world(ref); err != nil {
			t.Fatal(err)
		}
	}
	step := func(ev machine.Event) {
		if err := p.step("event", ev); err != nil {
			t.Fatal(err)
		}
	}
	step(machine.Event{Kind: machine.Begin})
	for _, b := range events {
		if p.live.Run.End != nil {
			break
		}
		how := int(b >> 4)
		switch p.now = p.now.Add(time.Duration(how) * time.Second); b & 7 {
		case 0:
			step(machine.Event{Kind: machine.Said, Seq: p.say, Err: []string{"", "NoMatchingError"}[how%2]})
		case 1:
			step(machine.Event{Kind: machine.Expired, Seq: p.timer})
		case 2:
			step(machine.Event{Kind: machine.Digit, Text: "0123456789*#x"[how%13 : how%13+1]})
		case 3:
			step(machine.Event{Kind: machine.Occurred, Text: []string{"CustomerReturned", "BotParticipantDisconnected"}[how%2], Err: []string{"", "ParticipantNotFound"}[how/2%2]})
		case 4:
			step(machine.Event{Kind: machine.EventKind(how), Seq: how})
		default:
			if p.request == nil {
				continue
			}
			r := machine.Reply{
				Err:    []string{"", "", "", "NoMatchingError", "TimeLimitExceeded"}[how%5],
				Result: []string{"", "True", "False", "Next", "1"}[how%5],
				Data:   map[string]any{"Metrics": map[string]any{"Queue": map[string]any{"Size": float64(how)}}, "Customer": map[string]any{"n": int64(how)}, "Lex": how},
				Number: float64(how), Payload: []byte(`{"a": {"b": [1, 2.50, "x"]}}`),
			}
			if how%3 > 0 {
				r.Flows, r.Queue = []machine.Ref{ref}, p.live.Contact.TargetQueue
			}
			if p.request.Flows != nil && p.request.Flows.Module {
				for i := range r.Flows {
					r.Flows[i].Type = flow.Module
				}
			}
			step(machine.Event{Kind: machine.Replied, Seq: p.request.Seq, Reply: r})
		}
	}
	return p.transcript.String()
}
