package machine_test

import (
	"encoding/json"
	"flag"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"gopkg.in/yaml.v3"

	"github.com/aws/aws-sdk-go-v2/service/connect/types"

	"ringdown/internal/domain"
	"ringdown/internal/flow"
	"ringdown/internal/flow/machine"
)

var update = flag.Bool("update", false, "rewrite the golden files")

// epoch is when all cases begin.
var epoch = time.Date(2026, 3, 2, 10, 0, 0, 0, time.UTC)

// TestGolden plays the cases of testdata/golden and compares what the machine
// did with their transcripts. Each case runs twice at once: a run that lives on,
// and one that is encoded and decoded after each event. They must do the same.
func TestGolden(t *testing.T) {
	for file, cases := range goldens(t) {
		t.Run(file, func(t *testing.T) {
			var b strings.Builder
			names := map[string]bool{}
			for i := range cases {
				c := &cases[i]
				if names[c.Name] {
					t.Errorf("two cases are called %q", c.Name)
				}
				names[c.Name] = true
				p, err := play(c)
				if err != nil {
					t.Errorf("case %q: %v", c.Name, err)
					continue
				}
				fmt.Fprintf(&b, "== %s\n%s\n", c.Name, p.transcript.String())
			}
			compareGolden(t, filepath.Join("testdata", "golden", file+".txt"), b.String())
		})
	}
}

func compareGolden(t *testing.T, file, got string) {
	t.Helper()
	if *update {
		if err := os.WriteFile(file, []byte(got), 0o600); err != nil {
			t.Fatal(err)
		}
		return
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatalf("%v; go test ./internal/flow/machine -run TestGolden -update writes it", err)
	}
	if got == string(want) {
		return
	}
	g, w := strings.Split(got, "\n"), strings.Split(string(want), "\n")
	at := 0
	for at < len(g) && at < len(w) && g[at] == w[at] {
		at++
	}
	t.Errorf("%s differs from line %d on (-update rewrites it):\ngot\n%s\nwant\n%s", file, at+1,
		strings.Join(g[max(0, at-3):min(len(g), at+10)], "\n"), strings.Join(w[max(0, at-3):min(len(w), at+10)], "\n"))
}

// world is a run with the contact that it runs on.
type world struct {
	Run     *machine.Run
	Contact *domain.Contact
	// Attributes and Changed are those of the Subject.
	Attributes map[string]string
	Changed    []string
}

// player plays a case.
type player struct {
	c          *golden
	m          *machine.Machine
	refs       map[string]machine.Ref
	live, kept *world // kept is encoded and decoded after each event
	now        time.Time
	say, timer int // the last that were asked for
	due        time.Time
	request    *machine.Request
	stale      int // a number that is no longer waited for
	lines      []machine.Line
	transcript strings.Builder
}

func play(c *golden) (*player, error) {
	docs, refs, err := c.documents()
	if err != nil {
		return nil, err
	}
	p := &player{c: c, refs: refs, now: epoch, m: &machine.Machine{Library: docs, Intercept: c.intercept()}}
	for _, w := range []**world{&p.live, &p.kept} {
		if *w, err = c.world(refs[""]); err != nil {
			return nil, err
		}
	}
	if err := p.step("begin", machine.Event{Kind: machine.Begin}); err != nil {
		return nil, err
	}
	for i := range c.Script {
		if err := p.lookUp(&c.Script[i]); err != nil {
			return nil, err
		}
		if err := p.act(&c.Script[i]); err != nil {
			return nil, fmt.Errorf("script, line %d: %w", c.Script[i].Line, err)
		}
	}
	if err := p.lookUp(nil); err != nil {
		return nil, err
	}
	if p.live.Run.End == nil {
		fmt.Fprintf(&p.transcript, "%8s still waits in %s\n", "", p.live.Run.Top().Action)
	}
	return p, nil
}

// intercept gives the substitutes of the case by the action's identifier.
func (c *golden) intercept() machine.Intercept {
	if len(c.Substitutes) == 0 {
		return nil
	}
	return func(s machine.Started) *machine.Substitute {
		sub, ok := c.Substitutes[s.Action]
		if !ok {
			return nil
		}
		return &machine.Substitute{Err: sub.Err, Result: sub.Result, Data: sub.Data}
	}
}

func (c *golden) world(f machine.Ref) (*world, error) {
	contact := &domain.Contact{
		ID: "c0000000-0000-0000-0000-000000000001", InitialID: "c0000000-0000-0000-0000-000000000001",
		Channel: types.Channel(c.Channel), Method: types.ContactInitiationMethodInbound, InitiatedAt: epoch,
	}
	raw, err := json.Marshal(c.Contact)
	if err != nil {
		return nil, err
	}
	if err := json.Unmarshal(raw, contact); err != nil {
		return nil, fmt.Errorf("contact: %w", err)
	}
	return &world{Run: machine.New(f, c.Seed), Contact: contact, Attributes: maps.Clone(c.Attributes)}, nil
}

// reloaded is the world as another process reads it.
func (w *world) reloaded() (*world, error) {
	raw, err := json.Marshal(w)
	if err != nil {
		return nil, err
	}
	var again world
	return &again, json.Unmarshal(raw, &again)
}

// act does what a line of the script says.
func (p *player) act(n *yaml.Node) error {
	if n.Kind == yaml.MappingNode {
		var answer struct{ Replied reply }
		if err := n.Decode(&answer); err != nil {
			return err
		}
		if p.request == nil {
			return fmt.Errorf("there is no request to reply to")
		}
		r, err := answer.Replied.machine(p.refs)
		if err != nil {
			return err
		}
		return p.step("replied "+compact(answer.Replied), machine.Event{Kind: machine.Replied, Seq: p.request.Seq, Reply: r})
	}
	verb, rest, _ := strings.Cut(n.Value, " ")
	switch verb {
	case "said":
		return p.step(n.Value, machine.Event{Kind: machine.Said, Seq: p.say, Err: rest})
	case "expired":
		if p.due.After(p.now) {
			p.now = p.due
		}
		return p.step(n.Value, machine.Event{Kind: machine.Expired, Seq: p.timer})
	case "replied":
		if p.request == nil {
			return fmt.Errorf("there is no request to reply to")
		}
		return p.step(n.Value, machine.Event{Kind: machine.Replied, Seq: p.request.Seq, Reply: machine.Reply{Err: rest}})
	case "digits":
		for _, d := range rest {
			if err := p.step("digit "+string(d), machine.Event{Kind: machine.Digit, Text: string(d)}); err != nil {
				return err
			}
		}
		return nil
	case "occurred":
		event, errorType, _ := strings.Cut(rest, " ")
		return p.step(n.Value, machine.Event{Kind: machine.Occurred, Text: event, Err: errorType})
	case "stale":
		for _, k := range []machine.EventKind{machine.Said, machine.Expired, machine.Replied} {
			if err := p.step("stale", machine.Event{Kind: k, Seq: p.stale}); err != nil {
				return err
			}
		}
		return nil
	case "after":
		d, err := time.ParseDuration(rest)
		p.now = p.now.Add(d)
		return err
	default:
		return fmt.Errorf("no such event: %s", n.Value)
	}
}

// lookUp answers requests for flows with those of the case, unless the script
// has an answer next.
func (p *player) lookUp(next *yaml.Node) error {
	for p.request != nil && p.request.Flows != nil && p.live.Run.End == nil {
		if next != nil && answersFlows(next) {
			return nil
		}
		r := machine.Reply{}
		for _, id := range p.request.Flows.IDs {
			f, ok := p.refs[id]
			if !ok || (f.Type == flow.Module) != p.request.Flows.Module {
				r = machine.Reply{Err: machine.NoMatchingError}
				break
			}
			r.Flows = append(r.Flows, f)
		}
		if err := p.step("replied "+r.Err, machine.Event{Kind: machine.Replied, Seq: p.request.Seq, Reply: r}); err != nil {
			return err
		}
	}
	return nil
}

// answersFlows reports whether a line of the script answers a request for flows.
func answersFlows(n *yaml.Node) bool {
	var answer struct{ Replied reply }
	if n.Kind != yaml.MappingNode {
		return strings.HasPrefix(n.Value, "replied")
	}
	return n.Decode(&answer) == nil && (answer.Replied.Err != "" || answer.Replied.Flows != nil)
}

// step plays one event in both worlds and writes down what came of it.
func (p *player) step(what string, ev machine.Event) error {
	ev.At = p.now
	before := tell(p.live)
	out, again := p.live.step(p, ev), p.kept.step(p, ev)
	if a, b := compact(out), compact(again); a != b {
		return fmt.Errorf("after %s a run that was stored goes on otherwise:\n%s\nthan one that was not:\n%s", what, b, a)
	}
	var err error
	if p.kept, err = p.kept.reloaded(); err != nil {
		return err
	}
	if a, b := compact(p.live), compact(p.kept); a != b {
		return fmt.Errorf("after %s what was stored is\n%s\ninstead of\n%s", what, b, a)
	}
	if (p.live.Run.Wait == nil) == (p.live.Run.End == nil) {
		return fmt.Errorf("after %s the run neither waits nor has ended, or both", what)
	}
	fmt.Fprintf(&p.transcript, "%8s %s\n", p.now.Sub(epoch), what)
	p.describe(out)
	for _, change := range changes(before, tell(p.live)) {
		fmt.Fprintf(&p.transcript, "%8s   %s\n", "", change)
	}
	if e := p.live.Run.End; e != nil {
		fmt.Fprintf(&p.transcript, "%8s   end %s\n", "", strings.TrimSpace(string(e.Reason)+" "+e.Note))
	}
	p.live.Changed, p.kept.Changed = nil, nil
	return nil
}

func (w *world) step(p *player, ev machine.Event) machine.Output {
	s := &machine.Subject{
		Contact: w.Contact, Attributes: w.Attributes, Changed: w.Changed, Media: p.c.Media,
		InstanceARN: "arn:aws:connect:us-east-1:123456789012:instance/i", Region: "us-east-1",
	}
	out := p.m.Step(w.Run, s, ev)
	w.Attributes, w.Changed = s.Attributes, s.Changed
	return out
}

// describe writes commands and lines.
func (p *player) describe(out machine.Output) {
	add := func(format string, args ...any) {
		fmt.Fprintf(&p.transcript, "%8s   "+format+"\n", append([]any{""}, args...)...)
	}
	for i, l := range out.Lines {
		if skipped := len(out.Lines) - 8; skipped > 20 && i >= 4 && i < len(out.Lines)-4 {
			if i == 4 {
				add("… %d more actions …", skipped)
			}
			continue
		}
		text := strings.Repeat("  ", l.Depth) + strings.TrimSpace(l.Action+" "+l.Type)
		if len(l.Parameters) > 0 {
			text += " " + compact(l.Parameters)
		}
		if l.Result != "" {
			text += " result " + l.Result
		}
		if l.Error != "" {
			text += " error " + l.Error
		}
		if l.Next != "" {
			text += " -> " + l.Next
		}
		if l.Note != "" {
			text += " (" + l.Note + ")"
		}
		if d := l.Ended.Sub(l.At); d > 0 {
			text += " after " + d.String()
		}
		add("%s", text)
	}
	p.lines = append(p.lines, out.Lines...)
	for _, c := range out.Commands {
		switch {
		case c.Say != nil:
			p.stale, p.say = p.say, c.Say.Seq
			text := "say"
			if c.Say.Loop {
				text = "say again and again"
			}
			if c.Say.Interruptible {
				text += " until a digit"
			}
			add("%s %s", text, compact(c.Say.Messages))
		case c.Hush:
			add("hush")
		case c.Timer != nil:
			p.timer, p.due = c.Timer.Seq, p.now.Add(c.Timer.After)
			add("timer %s", c.Timer.After)
		case c.Request != nil:
			p.request = c.Request
			plain := *c.Request
			plain.Seq = 0
			add("ask %s", strings.Replace(compact(plain), `"Seq":0,`, "", 1))
		}
	}
	if w := p.live.Run.Wait; w == nil || w.Request == nil {
		p.request = nil
	}
}

// compact is a value as one line of JSON.
func compact(v any) string {
	var b strings.Builder
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	if err := e.Encode(v); err != nil {
		return err.Error()
	}
	return strings.TrimSuffix(b.String(), "\n")
}

// tell is what a transcript shows of a world, by name.
func tell(w *world) map[string]string {
	all := map[string]string{}
	var contact map[string]json.RawMessage
	if err := json.Unmarshal([]byte(compact(w.Contact)), &contact); err != nil {
		panic(err)
	}
	for name, v := range contact {
		all["contact "+name] = string(v)
	}
	for name, v := range w.Attributes {
		all["attribute "+name] = v
	}
	if len(w.Changed) > 0 {
		all["updated properties"] = strings.Join(w.Changed, ", ")
	}
	top := w.Run.Top()
	for name, v := range top.Data {
		all["$."+name] = compact(v)
	}
	for name, v := range top.Attributes {
		all["$.FlowAttributes."+name] = v
	}
	if w.Run.Buffering || w.Run.Buffer != "" {
		all["digits typed ahead"] = fmt.Sprintf("%q", w.Run.Buffer)
	}
	return all
}

// changes are the differences between two tellings.
func changes(before, after map[string]string) []string {
	var all []string
	for name, v := range after {
		if old, had := before[name]; !had || old != v {
			all = append(all, name+": "+v)
		}
	}
	for name := range before {
		if _, has := after[name]; !has && name != "updated properties" {
			all = append(all, name+" is gone")
		}
	}
	slices.Sort(all)
	return all
}
