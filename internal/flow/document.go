package flow

import (
	"fmt"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/go-json-experiment/json/jsontext"
)

// Limits of the flow language: "Actions in the Amazon Connect Flow language"
// in the API reference, and the length of Content in the service model.
const (
	Version          = "2019-10-30"
	maxContent       = 256000 // characters
	maxActions       = 250
	maxIdentifier    = 50 // characters
	maxConditions    = 50 // sub-conditions of a condition
	maxNestedOperand = 5  // conditions within each other
)

// Document is a flow or a module as it is written. What is missing or of a
// wrong type is the zero value.
type Document struct {
	Version     string
	StartAction string
	// Metadata is the console's: positions, names. Nothing depends on it.
	Metadata *Node
	// Settings is what the console writes into the content of modules. Their
	// contract is not there but in the module's own Settings.
	Settings *Node
	Actions  []*Action

	byID map[string]*Action
}

// Action returns the action with an identifier, nil when there is none; the
// first when there are several.
func (d *Document) Action(id string) *Action { return d.byID[id] }

// Action is one step of a flow.
type Action struct {
	// Index is the action's place in Actions.
	Index      int
	Identifier string
	Type       string
	// Spec is what the language says of the type, nil for an unknown type.
	Spec *ActionType
	// Parameters is an object, nil when there is none.
	Parameters  *Node
	Transitions Transitions

	node *Node
}

// Transitions tell what follows an action. Conditions are tried in order
// first; the first that is true wins.
type Transitions struct {
	NextAction string
	Errors     []ErrorBranch
	Conditions []ConditionBranch

	node *Node // nil when there are none
}

// ErrorBranch is where an action goes on after an error.
type ErrorBranch struct {
	ErrorType, NextAction string

	node *Node
}

// ConditionBranch is where an action goes on when its result fulfils a
// condition.
type ConditionBranch struct {
	NextAction string
	Operator   string
	// Operand is what the result is compared with.
	Operand string

	node *Node
}

// Parse reads a document and reports what keeps it from being one: bad JSON,
// missing or mistyped parts of flow, actions and transitions, identifiers and
// targets. Check applies the rules of the action types as well.
func Parse(content string) (*Document, []Problem) {
	r := &report{content: content}
	d := r.parse()
	return d, r.result()
}

// parse is nil when content cannot be read as a document at all.
func (r *report) parse() *Document {
	if n := utf8.RuneCountInString(r.content); n > maxContent {
		r.add(0, at{}, RuleLength, "", "Content has %d characters, at most %d are allowed", n, maxContent)
		return nil
	}
	root, offset, err := parseJSON(r.content)
	if err != nil {
		r.add(offset, at{}, RuleSyntax, "", "Content is not valid JSON: %v", err)
		return nil
	}
	if root.Kind != jsontext.KindBeginObject {
		r.add(root.Offset, at{}, RuleSyntax, "", "Content is not a JSON object")
		return nil
	}
	if root.Get("Actions") == nil && root.Get("modules").is(jsontext.KindBeginArray) {
		r.add(root.Offset, at{}, RuleOldExport, "",
			"Content is in the console's old export format (modules and branches), which is not the flow language. "+
				"Import it in the console's flow designer and export it from there, or read its content with DescribeContactFlow")
		return nil
	}
	return r.document(root)
}

func (r *report) document(root *Node) *Document {
	d := &Document{byID: map[string]*Action{}}
	r.members(root, at{}, "Version", "StartAction", "Metadata", "Settings", "Actions")
	top := func(name string) at { return at{path: (*path)(nil).member(name)} }

	d.Version = r.text(root, top("Version"))
	if d.Version != "" && d.Version != Version {
		r.invalid(root.Get("Version").Offset, top("Version"), RuleVersion, fmt.Sprintf("must be %q", Version))
	}
	if n := root.Get("Metadata"); n != nil && r.typed(n, top("Metadata"), jsontext.KindBeginObject) {
		d.Metadata = n
	}
	if n := root.Get("Settings"); n != nil && r.typed(n, top("Settings"), jsontext.KindBeginObject) {
		d.Settings = n
	}
	actions := root.Get("Actions")
	switch {
	case actions == nil:
		r.missing(root, top("Actions"), RuleMissing, "")
	case r.typed(actions, top("Actions"), jsontext.KindBeginArray):
		if n := len(actions.Items); n < 1 || n > maxActions {
			r.add(actions.Offset, top("Actions"), RuleActions, "", "A flow must have 1 to %d actions, this has %d. Path: Actions", maxActions, n)
		}
		for i, n := range actions.Items {
			a := top("Actions").item(i)
			if r.typed(n, a, jsontext.KindBeginObject) {
				d.Actions = append(d.Actions, r.action(d, n, i, a))
			}
		}
	}
	r.targets(root, d)
	return d
}

func (r *report) action(d *Document, n *Node, index int, a at) *Action {
	a.action = n.Get("Identifier").String()
	r.members(n, a, "Identifier", "Type", "Parameters", "Transitions")
	act := &Action{
		Index:      index,
		Identifier: r.text(n, a.member("Identifier")),
		Type:       r.text(n, a.member("Type")),
		node:       n,
	}
	act.Spec = actionTypes[act.Type]
	if act.Identifier != "" {
		if why := badIdentifier(act.Identifier); why != "" {
			r.invalid(n.Get("Identifier").Offset, a.member("Identifier"), RuleIdentifier, why)
		}
		if first, twice := d.byID[act.Identifier]; twice {
			r.invalid(n.Get("Identifier").Offset, a.member("Identifier"), RuleIdentifier,
				fmt.Sprintf("must be unique, Actions[%d] has the same", first.Index))
		} else {
			d.byID[act.Identifier] = act
		}
	}
	if p := n.Get("Parameters"); p != nil && r.typed(p, a.member("Parameters"), jsontext.KindBeginObject) {
		act.Parameters = p
	}
	if t := n.Get("Transitions"); t != nil && r.typed(t, a.member("Transitions"), jsontext.KindBeginObject) {
		act.Transitions = r.transitions(t, a.member("Transitions"))
	}
	return act
}

func (r *report) transitions(n *Node, a at) Transitions {
	r.members(n, a, "NextAction", "Errors", "Conditions")
	t := Transitions{node: n}
	if n.Get("NextAction") != nil {
		t.NextAction = r.text(n, a.member("NextAction"))
	}
	for i, e := range r.items(n, a.member("Errors")) {
		b := a.member("Errors").item(i)
		if r.typed(e, b, jsontext.KindBeginObject) {
			r.members(e, b, "NextAction", "ErrorType")
			t.Errors = append(t.Errors, ErrorBranch{r.text(e, b.member("ErrorType")), r.text(e, b.member("NextAction")), e})
		}
	}
	for i, c := range r.items(n, a.member("Conditions")) {
		b := a.member("Conditions").item(i)
		if r.typed(c, b, jsontext.KindBeginObject) {
			r.members(c, b, "NextAction", "Condition")
			branch := ConditionBranch{NextAction: r.text(c, b.member("NextAction")), node: c}
			switch condition := c.Get("Condition"); {
			case condition == nil:
				r.missing(c, b.member("Condition"), RuleMissing, "")
			case r.typed(condition, b.member("Condition"), jsontext.KindBeginObject):
				branch.Operator, branch.Operand = r.condition(condition, b.member("Condition"))
			}
			t.Conditions = append(t.Conditions, branch)
		}
	}
	return t
}

// operators are those of the flow language. KeyExists is in no table of the
// documentation, but the service takes it; And and Or, which the console
// shows, it refuses (docs/divergences.md).
var operators = []string{
	"Equals", "TextStartsWith", "TextEndsWith", "TextContains",
	"NumberGreaterThan", "NumberGreaterOrEqualTo", "NumberLessThan", "NumberLessOrEqualTo", "KeyExists",
}

// condition reads an operator and its one operand, "" for whatever is wrong.
func (r *report) condition(n *Node, a at) (operator, operand string) {
	r.members(n, a, "Operator", "Operands")
	operator = r.text(n, a.member("Operator"))
	if operator != "" && !slices.Contains(operators, operator) {
		r.invalid(n.Get("Operator").Offset, a.member("Operator"), RuleOperator, "must be one of "+list(operators))
		operator = ""
	}
	r.nesting(n, a)
	operands := n.Get("Operands")
	if operands == nil {
		r.missing(n, a.member("Operands"), RuleMissing, "")
		return operator, ""
	}
	if !r.typed(operands, a.member("Operands"), jsontext.KindBeginArray) {
		return operator, ""
	}
	if len(operands.Items) != 1 {
		r.invalid(operands.Offset, a.member("Operands"), RuleOperand, fmt.Sprintf("must have one operand, not %d", len(operands.Items)))
		return operator, ""
	}
	only := operands.Items[0]
	switch {
	// The console writes "4" and the service takes 4 as well.
	case only.is(jsontext.KindNumber), only.String() != "":
		return operator, only.Text
	case only.is(jsontext.KindString):
		r.invalid(only.Offset, a.member("Operands").item(0), RuleEmpty, "must not be empty: nothing can be compared with it")
	default:
		r.invalid(only.Offset, a.member("Operands").item(0), RuleOperand, "must be a string")
	}
	return operator, ""
}

// nesting holds conditions within a condition to the documented limits. They
// are refused for their operators as well, once each.
func (r *report) nesting(n *Node, a at) {
	count, deepest := 0, 0
	var visit func(n *Node, depth int)
	visit = func(n *Node, depth int) {
		deepest = max(deepest, depth)
		operands := n.Get("Operands")
		if operands == nil {
			return
		}
		for _, o := range operands.Items {
			if o.is(jsontext.KindBeginObject) {
				count++
				visit(o, depth+1)
			}
		}
	}
	visit(n, 1)
	if deepest > maxNestedOperand {
		r.invalid(n.Offset, a, RuleNesting, fmt.Sprintf("conditions may be nested %d deep, these are %d", maxNestedOperand, deepest))
	}
	if count > maxConditions {
		r.invalid(n.Offset, a, RuleNesting, fmt.Sprintf("a condition may have %d sub-conditions, this has %d", maxConditions, count))
	}
}

// targets checks that every transition leads to an action. The service says so
// in these words; an action that nothing leads to is allowed.
func (r *report) targets(root *Node, d *Document) {
	start := at{path: (*path)(nil).member("StartAction")}
	if d.StartAction = r.text(root, start); d.StartAction != "" && d.byID[d.StartAction] == nil {
		r.invalid(root.Get("StartAction").Offset, start, RuleStart, "there is no such action")
	}
	actions := (*path)(nil).member("Actions")
	for _, act := range d.Actions {
		a := at{actions.item(act.Index).member("Transitions"), act.Identifier}
		check := func(n *Node, a at, id string) {
			if id != "" && d.byID[id] == nil {
				r.invalid(n.Get("NextAction").Offset, a.member("NextAction"), RuleTarget, fmt.Sprintf("there is no action %q", shorten(id)))
			}
		}
		t := act.Transitions
		check(t.node, a, t.NextAction)
		for i, e := range t.Errors {
			check(e.node, a.member("Errors").item(i), e.NextAction)
		}
		for i, c := range t.Conditions {
			check(c.node, a.member("Conditions").item(i), c.NextAction)
		}
	}
}

// badIdentifier says why an identifier is not allowed, "" when it is.
func badIdentifier(id string) string {
	const forbidden = `%:(\/)=$,;[]{}`
	reserved := []string{
		"__proto__", "constructor", "__defineGetter__", "__defineSetter__", "toString", "hasOwnProperty",
		"isPrototypeOf", "propertyIsEnumerable", "toLocaleString", "valueOf",
	}
	switch n := utf8.RuneCountInString(id); {
	case n > maxIdentifier:
		return fmt.Sprintf("must have at most %d characters, it has %d", maxIdentifier, n)
	case strings.ContainsAny(id, forbidden):
		return "must not contain any of " + strings.Join(strings.Split(forbidden, ""), " ")
	case slices.Contains(reserved, id):
		return "is reserved"
	}
	return ""
}

// members reports what an object should not have, or has twice.
func (r *report) members(n *Node, a at, known ...string) {
	var seen []string
	for _, m := range n.Members {
		switch {
		case !slices.Contains(known, m.Name):
			r.unknown(m.Offset, a.member(m.Name), RuleUnknown, "")
		case slices.Contains(seen, m.Name):
			r.unknown(m.Offset, a.member(m.Name), RuleDuplicate, "is there twice")
		default:
			seen = append(seen, m.Name)
		}
	}
}

// text is the non-empty string that the member at the end of a's path must be;
// "" after reporting that it is not.
func (r *report) text(owner *Node, a at) string {
	n := owner.Get(a.name)
	switch {
	case n == nil:
		r.missing(owner, a, RuleMissing, "")
	case !r.typed(n, a, jsontext.KindString):
	case n.Text == "":
		r.invalid(n.Offset, a, RuleEmpty, "must not be empty")
	default:
		return n.Text
	}
	return ""
}

// items are those of the array at the end of a's path, none when it is absent.
func (r *report) items(owner *Node, a at) []*Node {
	n := owner.Get(a.name)
	if n == nil || !r.typed(n, a, jsontext.KindBeginArray) {
		return nil
	}
	return n.Items
}

// typed reports whether n is of a kind, and the problem if not.
func (r *report) typed(n *Node, a at, k jsontext.Kind) bool {
	if n.Kind == k {
		return true
	}
	r.invalid(n.Offset, a, RuleValue, "must be "+kindWords[k])
	return false
}

var kindWords = map[jsontext.Kind]string{
	jsontext.KindString:      "a string",
	jsontext.KindBeginObject: "an object",
	jsontext.KindBeginArray:  "an array",
}
