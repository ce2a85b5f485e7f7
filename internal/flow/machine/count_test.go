package machine_test

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"ringdown/internal/flow"
	"ringdown/internal/flow/machine"
)

// TestCount counts the cases of each type of action. It demands one for
// success, for each condition and each error branch that internal/flow's tables
// name for any parameters that occur in its testdata or in the cases.
func TestCount(t *testing.T) {
	all, inDocuments := goldens(t), documentedParameters(t)
	for _, typ := range flow.ActionTypes() {
		t.Run(typ.Name, func(t *testing.T) {
			cases := all[fileOf(typ.Name)]
			if len(cases) == 0 {
				t.Fatalf("the type has no cases: make testdata/golden/%s.yaml, as cases_test.go tells", typ.Name)
			}
			wanted := demands(typ, inDocuments[typ.Name])
			shown := map[string]bool{}
			for i := range cases {
				c := &cases[i]
				p, err := play(c)
				if err != nil {
					t.Fatalf("case %q: %v", c.Name, err)
				}
				docs, _, err := c.documents()
				if err != nil {
					t.Fatal(err)
				}
				for _, l := range p.lines {
					a := docs[l.Flow.Content].Action(l.Action)
					if a == nil || a.Type != typ.Name {
						continue
					}
					for demand := range demands(typ, []*flow.Node{a.Parameters}) {
						wanted[demand] = true
					}
					for _, what := range shows(a, l) {
						shown[what] = true
					}
				}
			}
			for what := range wanted {
				if !shown[what] {
					t.Errorf("no case shows %s. Add one to testdata/golden/%s.yaml, as cases_test.go tells, "+
						"and write its transcript with: go test ./internal/flow/machine -run TestGolden -update", what, typ.Name)
				}
			}
		})
	}
}

// fileOf is the file with the cases of a type. A type that another name tells by
// its case alone has none of its own: not all file systems could keep both.
func fileOf(typ string) string {
	if typ == "UnTagContact" {
		return "UntagContact"
	}
	return typ
}

// demands are what must be shown of actions with these parameters.
func demands(typ *flow.ActionType, parameters []*flow.Node) map[string]bool {
	all := map[string]bool{"success": true}
	for _, p := range parameters {
		if typ.Errors != nil {
			e := typ.Errors(p)
			for _, name := range slices.Concat(e.Required, e.Optional) {
				all["the error "+name] = true
			}
		}
		if typ.Conditions == nil {
			continue
		}
		c := typ.Conditions(p)
		switch {
		case len(c.Operators) == 0:
		case len(c.Operators) == 1 && len(c.Values) > 0:
			for _, v := range c.Values {
				all["the condition "+c.Operators[0]+" "+v] = true
			}
		default:
			for _, o := range c.Operators {
				all["a result that fulfils "+o] = true
			}
			all["a result that fulfils no condition"] = true
		}
	}
	return all
}

// shows is what a line of an action shows.
func shows(a *flow.Action, l machine.Line) []string {
	if l.Error != "" {
		all := []string{"the error " + l.Error}
		if l.Error == machine.NoMatchingCondition {
			all = append(all, "a result that fulfils no condition")
		}
		return all
	}
	t := a.Transitions
	all := []string{"success"}
	if len(t.Conditions) == 0 {
		return all
	}
	leads := func(c flow.ConditionBranch) bool { return c.NextAction == l.Next }
	for i, c := range t.Conditions {
		// Where several lead to the same action, the result tells which it was.
		only := t.NextAction != l.Next && slices.IndexFunc(t.Conditions, leads) == i && !slices.ContainsFunc(t.Conditions[i+1:], leads)
		if leads(c) && (only || machine.Compare(c.Operator, l.Result, c.Operand)) {
			return append(all, "the condition "+c.Operator+" "+c.Operand, "a result that fulfils "+c.Operator)
		}
	}
	return append(all, "a result that fulfils no condition")
}

// documentedParameters are those of all actions in the good documents of
// internal/flow, by type.
func documentedParameters(t *testing.T) map[string][]*flow.Node {
	t.Helper()
	files, err := filepath.Glob(filepath.Join("..", "testdata", "good", "*.json"))
	if err != nil || len(files) == 0 {
		t.Fatalf("no documents: %v", err)
	}
	all := map[string][]*flow.Node{}
	for _, file := range files {
		content, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		d, _ := flow.Parse(string(content))
		for _, a := range d.Actions {
			all[a.Type] = append(all[a.Type], a.Parameters)
		}
	}
	return all
}

// TestUnsupported calls a module from flows of every type: an action that the
// flow does not support takes its error branch, whatever its parameters
// (administrator guide, "Flow modules").
func TestUnsupported(t *testing.T) {
	for _, typ := range flow.ActionTypes() {
		for _, in := range flow.Types() {
			if typ.Supports(in) || typ.Name == "EndFlowModuleExecution" {
				continue
			}
			t.Run(typ.Name+"/"+string(in), func(t *testing.T) {
				var branches string
				if !typ.Terminal {
					branches = `"NextAction": "next", "Errors": [{"ErrorType": "NoMatchingError", "NextAction": "refused"}]`
				}
				called, _ := flow.Parse(`{"Version": "2019-10-30", "StartAction": "it", "Actions": [
					{"Identifier": "it", "Type": "` + typ.Name + `", "Parameters": {}, "Transitions": {` + branches + `}},
					{"Identifier": "next", "Type": "EndFlowModuleExecution", "Parameters": {"Result": "served"}},
					{"Identifier": "refused", "Type": "EndFlowModuleExecution", "Parameters": {"Result": "refused"}}]}`)
				caller, _ := flow.Parse(`{"Version": "2019-10-30", "StartAction": "call", "Actions": [
					{"Identifier": "call", "Type": "InvokeFlowModule", "Parameters": {"FlowModuleId": "m"},
						"Transitions": {"NextAction": "next", "Errors": [{"ErrorType": "NoMatchingError", "NextAction": "next"}]}},
					{"Identifier": "next", "Type": "Wait", "Parameters": {}}]}`)
				m := &machine.Machine{Library: library{"f": caller, "m": called}}
				// A run of a module in a flow that may not call one itself: the flow
				// has been transferred to, so to speak, while the module was looked up.
				r := machine.New(machine.Ref{Content: "f", Name: "f", Type: in}, 0)
				r.Frames[0].Action, r.Seq = "call", 1
				r.Wait = &machine.Wait{Seq: 1, Request: &machine.Request{Seq: 1, Flows: &machine.FlowsRequest{IDs: []string{"m"}, Module: true}}}
				c := &golden{Channel: "VOICE"}
				w, err := c.world(r.Frames[0].Flow)
				if err != nil {
					t.Fatal(err)
				}
				out := m.Step(r, &machine.Subject{Contact: w.Contact}, machine.Event{
					At: epoch, Kind: machine.Replied, Seq: 1,
					Reply: machine.Reply{Flows: []machine.Ref{{Content: "m", Name: "m", Type: flow.Module}}},
				})
				at := slices.IndexFunc(out.Lines, func(l machine.Line) bool { return l.Action == "it" })
				if at < 0 || out.Lines[at].Error != machine.NoMatchingError || len(out.Commands) > 0 {
					t.Fatalf("it did not take its error branch: %s", compact(out))
				}
				if !typ.Terminal && out.Lines[at].Next != "refused" || typ.Terminal && !strings.HasPrefix(out.Lines[at].Note, "No branch") {
					t.Errorf("it goes on with %q (%s)", out.Lines[at].Next, out.Lines[at].Note)
				}
			})
		}
	}
}
