package machine_test

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"gopkg.in/yaml.v3"

	"ringdown/internal/domain"
	"ringdown/internal/flow"
	"ringdown/internal/flow/machine"
)

// A file of testdata/golden holds a list of cases. Those of a type of action
// are in the file of its name, and begin with one action of that type, which is
// called it; what is true of no single type is in files with names in lower
// case. A case:
//
//	name: who is called is told so
//	flow: CONTACT_FLOW              # the type of the flow, CONTACT_FLOW if absent
//	channel: VOICE                  # VOICE if absent
//	contact: {Name: Ann}            # members of domain.Contact, as its JSON has them
//	attributes: {color: red}        # user-defined ones
//	media: {InitialMessage: Hello}  # $.Media
//	parameters: {Text: Hello}       # of it
//	conditions: [Equals 1 -> one]   # of it; without an arrow the operand is the target
//	errors: [NoMatchingError -> no] # of it; without an arrow the error is the target
//	next: more                      # of it, "next" if absent; "" for none
//	actions:                        # others by identifier
//	  more: {type: MessageParticipant, parameters: {Text: Bye}}
//	modules: {m1: {say: {type: …}}} # modules by id: their actions; "start" or the only one begins
//	flows: {f1: {type: …, actions: …}}
//	seed: 7
//	substitutes: {it: {err: …, result: …, data: …}} # as Intercept gives them
//	broken: true                    # flow.Check would refuse the document
//	script: [said, expired, digits 12#, occurred CustomerReturned, after 5s, {replied: {result: …}}]
//
// Conditions and errors that are absent are those that flow demands for the
// parameters. A target that is no action ends the flow, as far as its type can.
//
// The script says what happens after Begin. said and expired answer the last
// message and the last timer (the time moves on until it is due), "said ERROR"
// says that it failed. replied answers the last request; one for flows is
// answered from those of the case, unless the script names flows or an error.
// stale is an answer that nobody waits for any more.
type golden struct {
	Name   string
	Flow   flow.Type
	action `yaml:",inline"`

	Channel    string
	Contact    map[string]any
	Attributes map[string]string
	Media      map[string]any
	Actions    map[string]action
	Modules    map[string]map[string]action
	Flows      map[string]struct {
		Type    flow.Type
		Actions map[string]action
	}
	Seed        uint64
	Substitutes map[string]struct {
		Err, Result string
		Data        map[string]any
	}
	Broken bool
	Script []yaml.Node
}

// action is written more compactly than in the flow language.
type action struct {
	Type       string
	Parameters map[string]any
	Conditions *[]string
	Errors     *[]string
	Next       *string
}

// reply is a machine.Reply in a script.
type reply struct {
	Err        string         `json:",omitempty"`
	Result     string         `json:",omitempty"`
	Number     float64        `json:",omitempty"`
	Queue      *replyQueue    `json:",omitempty"`
	Data       map[string]any `json:",omitempty"`
	Payload    string         `json:",omitempty"`
	Invocation string         `json:",omitempty"`
	Contact    string         `json:",omitempty"`
	Flows      []string       `json:",omitempty"`
}

type replyQueue struct {
	ID, Name      string
	Agent, Caller string `json:",omitempty"`
}

func (r *reply) machine(known map[string]machine.Ref) (machine.Reply, error) {
	m := machine.Reply{
		Err: r.Err, Result: r.Result, Number: r.Number, Data: r.Data,
		InvocationID: r.Invocation, ContactID: domain.ContactID(r.Contact),
	}
	if r.Payload != "" {
		m.Payload = []byte(r.Payload)
	}
	if q := r.Queue; q != nil {
		m.Queue = &domain.ContactQueue{ID: domain.QueueID(q.ID), Name: q.Name, AgentID: domain.UserID(q.Agent), CallerID: q.Caller}
	}
	for _, id := range r.Flows {
		f, ok := known[id]
		if !ok {
			return m, fmt.Errorf("the case has no flow or module %s", id)
		}
		m.Flows = append(m.Flows, f)
	}
	return m, nil
}

// goldens are the cases of all files, by the name of the file.
func goldens(t testing.TB) map[string][]golden {
	t.Helper()
	files, err := filepath.Glob(filepath.Join("testdata", "golden", "*.yaml"))
	if err != nil || len(files) == 0 {
		t.Fatalf("no cases: %v", err)
	}
	all := map[string][]golden{}
	for _, file := range files {
		content, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		d := yaml.NewDecoder(strings.NewReader(string(content)))
		d.KnownFields(true)
		var cases []golden
		if err := d.Decode(&cases); err != nil {
			t.Fatalf("%s: %v", file, err)
		}
		name := strings.TrimSuffix(filepath.Base(file), ".yaml")
		for i := range cases {
			c := &cases[i]
			if c.Type == "" {
				c.Type = name
			}
			if c.Flow == "" {
				c.Flow = "CONTACT_FLOW"
			}
			if c.Channel == "" {
				c.Channel = "VOICE"
			}
		}
		all[name] = cases
	}
	return all
}

// written is a document of the flow language as encoding/json writes it.
type written struct {
	Version     string
	StartAction string
	Metadata    struct{}
	Actions     []writtenAction
}

type writtenAction struct {
	Identifier  string
	Type        string
	Parameters  map[string]any
	Transitions struct {
		NextAction string             `json:",omitempty"`
		Errors     []writtenError     `json:",omitempty"`
		Conditions []writtenCondition `json:",omitempty"`
	}
}

type writtenError struct{ ErrorType, NextAction string }

type writtenCondition struct {
	NextAction string
	Condition  struct {
		Operator string
		Operands []string
	}
}

// document writes actions as a document.
func document(typ flow.Type, start string, actions map[string]action) (string, error) {
	d := written{Version: flow.Version, StartAction: start}
	targets := map[string]bool{}
	for id, a := range actions {
		w, err := a.written(id)
		if err != nil {
			return "", fmt.Errorf("action %s: %w", id, err)
		}
		d.Actions = append(d.Actions, w)
		targets[w.Transitions.NextAction] = true
		for _, e := range w.Transitions.Errors {
			targets[e.NextAction] = true
		}
		for _, c := range w.Transitions.Conditions {
			targets[c.NextAction] = true
		}
	}
	delete(targets, "")
	for id := range targets {
		if _, there := actions[id]; !there {
			d.Actions = append(d.Actions, last(typ, id))
		}
	}
	slices.SortFunc(d.Actions, func(a, b writtenAction) int { return strings.Compare(a.Identifier, b.Identifier) })
	raw, err := json.Marshal(d)
	return string(raw), err
}

// last is an action that ends a flow. Hold flows have none, so they wait.
func last(typ flow.Type, id string) writtenAction {
	w := writtenAction{Identifier: id, Type: "MessageParticipantIteratively", Parameters: map[string]any{}}
	for _, terminal := range []string{"EndFlowModuleExecution", "DisconnectParticipant", "EndFlowExecution"} {
		if spec(terminal).Supports(typ) {
			w.Type = terminal
			return w
		}
	}
	w.Parameters["Messages"] = []any{map[string]any{"Text": id}}
	w.Transitions.NextAction = id
	return w
}

func spec(name string) *flow.ActionType {
	for _, t := range flow.ActionTypes() {
		if t.Name == name {
			return t
		}
	}
	return nil
}

func (a action) written(id string) (writtenAction, error) {
	w := writtenAction{Identifier: id, Type: a.Type, Parameters: a.Parameters}
	if w.Parameters == nil {
		w.Parameters = map[string]any{}
	}
	s := spec(a.Type)
	if s == nil || s.Terminal {
		return w, nil
	}
	w.Transitions.NextAction = "next"
	if a.Next != nil {
		w.Transitions.NextAction = *a.Next
	}
	parameters, err := node(w.Parameters)
	if err != nil {
		return w, err
	}
	var errorTypes []string
	if a.Errors != nil {
		errorTypes = *a.Errors
	} else if s.Errors != nil {
		errorTypes = s.Errors(parameters).Required
	}
	for _, e := range errorTypes {
		errorType, target := arrow(e)
		if target == "" {
			target = errorType
		}
		w.Transitions.Errors = append(w.Transitions.Errors, writtenError{errorType, target})
	}
	var conditions []string
	if a.Conditions != nil {
		conditions = *a.Conditions
	} else if s.Conditions != nil {
		if c := s.Conditions(parameters); len(c.Operators) > 0 {
			for _, v := range c.Values {
				conditions = append(conditions, c.Operators[0]+" "+v)
			}
		}
	}
	for _, c := range conditions {
		condition, target := arrow(c)
		operator, operand, _ := strings.Cut(condition, " ")
		if target == "" {
			target = operand
		}
		b := writtenCondition{NextAction: target}
		b.Condition.Operator, b.Condition.Operands = operator, []string{operand}
		w.Transitions.Conditions = append(w.Transitions.Conditions, b)
	}
	return w, nil
}

func arrow(s string) (what, target string) {
	what, target, _ = strings.Cut(s, "->")
	return strings.TrimSpace(what), strings.TrimSpace(target)
}

// node is parameters as a document has them.
func node(parameters map[string]any) (*flow.Node, error) {
	raw, err := json.Marshal(map[string]any{
		"Version": flow.Version, "StartAction": "x",
		"Actions": []any{map[string]any{"Identifier": "x", "Type": "x", "Parameters": parameters}},
	})
	if err != nil {
		return nil, err
	}
	d, _ := flow.Parse(string(raw))
	return d.Action("x").Parameters, nil
}

// library is a machine.Library of the documents of a case, by their ids.
type library map[string]*flow.Document

func (l library) Document(content string) *flow.Document { return l[content] }

// documents are those of the case, "" is the flow that the contact begins with.
func (c *golden) documents() (library, map[string]machine.Ref, error) {
	docs, refs := library{}, map[string]machine.Ref{}
	add := func(id string, typ flow.Type, start string, actions map[string]action) error {
		content, err := document(typ, start, actions)
		if err != nil {
			return err
		}
		if problems := flow.Check(content, typ).Problems; len(problems) > 0 && !c.Broken {
			return fmt.Errorf("flow %q: %s at %s (%s)", id, problems[0].Message, problems[0].Path, problems[0].Hint)
		}
		docs[id], _ = flow.Parse(content)
		name := id
		if id == "" {
			name = "main"
		}
		refs[id] = machine.Ref{ID: id, ARN: "arn:" + name, Name: name, Type: typ, Content: id}
		return nil
	}
	own := map[string]action{"it": c.action}
	for id, a := range c.Actions {
		own[id] = a
	}
	if err := add("", c.Flow, "it", own); err != nil {
		return nil, nil, err
	}
	for id, f := range c.Flows {
		if f.Type == "" {
			f.Type = "CONTACT_FLOW"
		}
		if err := add(id, f.Type, start(f.Actions), f.Actions); err != nil {
			return nil, nil, err
		}
	}
	for id, actions := range c.Modules {
		if err := add(id, flow.Module, start(actions), actions); err != nil {
			return nil, nil, err
		}
	}
	return docs, refs, nil
}

// start is where a flow of these actions begins.
func start(actions map[string]action) string {
	for id := range actions {
		if len(actions) == 1 {
			return id
		}
	}
	return "start"
}
