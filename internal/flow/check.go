package flow

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/go-json-experiment/json/jsontext"

	"ringdown/internal/domain"
)

// Check validates a document of a type: everything that is wrong with it, and
// what it refers to. For content that is no document at all there is one
// problem and nothing else.
func Check(content string, typ Type) Result {
	c := &checker{report: report{content: content}, typ: typ}
	if d := c.parse(); d != nil {
		if d.Settings != nil && typ != Module {
			settings := at{path: (*path)(nil).member("Settings")}
			c.unknown(d.Settings.Offset, settings, RuleUnknown, "only a module has settings")
		}
		for _, act := range d.Actions {
			c.action(act)
		}
	}
	return Result{Problems: c.result(), References: c.located(), Needs: c.needed()}
}

type checker struct {
	report

	typ   Type
	refs  []*foundReference
	needs []*foundNeed
}

type foundReference struct {
	Reference

	offset int
}

type foundNeed struct {
	Need

	offset int
}

// action applies the rules of the action's type.
func (c *checker) action(act *Action) {
	a := at{(*path)(nil).member("Actions").item(act.Index), act.Identifier}
	spec := act.Spec
	if spec == nil {
		if act.Type != "" {
			c.add(act.node.Get("Type").Offset, a.member("Type"), RuleActionType, renamed[act.Type],
				"Invalid Action type. Type: %s", shorten(act.Type))
		}
		return
	}
	if !spec.Supports(c.typ) {
		c.add(act.node.Get("Type").Offset, a.member("Type"), RuleFlowType, fmt.Sprintf("not supported in %s flows", c.typ),
			"Invalid Action type. Type: %s", spec.Name)
	}
	if spec.Service != "" {
		c.needs = append(c.needs, &foundNeed{Need{spec.Name, Problem{
			Message: fmt.Sprintf("Nothing serves %s (%s)", spec.Name, spec.Service), Hint: "the action takes its error branch",
			Rule: RuleService, Path: a.member("Type").String(), Action: act.Identifier,
		}}, act.node.Get("Type").Offset})
	}
	// A console export leaves out Parameters when there are none.
	p, owner := act.Parameters, act.Parameters
	if p == nil {
		if act.node.Get("Parameters") != nil {
			return // reported as no object
		}
		p = &Node{Kind: jsontext.KindBeginObject, Offset: act.node.Offset}
		owner = act.node
	}
	c.object(&spec.Parameters, p, owner, a.member("Parameters"))
	c.transitions(act, p, a)
}

func (c *checker) transitions(act *Action, p *Node, a at) {
	t, ta := act.Transitions, a.member("Transitions")
	if act.Spec.Terminal {
		if t.node != nil && (t.node.Get("NextAction") != nil || len(t.Errors) > 0 || len(t.Conditions) > 0) {
			c.add(t.node.Offset, ta, RuleTransitions, "", "Action does not support transitions. Path: %s", ta)
		}
		return
	}
	owner := t.node
	if owner == nil {
		if act.node.Get("Transitions") != nil {
			return // reported as no object
		}
		owner = act.node
	}
	if owner.Get("NextAction") == nil && !act.Spec.NextOptional {
		c.missing(owner, ta.member("NextAction"), RuleMissing, "")
	}
	c.errors(act, p, owner, a)
	c.conditions(act, p, owner, ta)
}

func (c *checker) errors(act *Action, p, owner *Node, a at) {
	var e Errors
	if act.Spec.Errors != nil {
		e = act.Spec.Errors(p)
	}
	var have []string
	for i, b := range act.Transitions.Errors {
		known := e.Any || slices.Contains(e.Required, b.ErrorType) || slices.Contains(e.Optional, b.ErrorType)
		twice := slices.Contains(have, b.ErrorType)
		switch {
		case b.ErrorType == "":
		case !known || twice:
			hint := "allowed are " + list(slices.Concat(e.Required, e.Optional))
			if twice {
				hint = "is there twice"
			} else if len(e.Required)+len(e.Optional) == 0 {
				hint = "the action has no error branches"
			}
			branch := a.member("Transitions").member("Errors").item(i).member("ErrorType")
			c.add(b.node.Get("ErrorType").Offset, branch, RuleError, hint,
				"Invalid Action error. Error: %s, Path: %s", shorten(b.ErrorType), a)
		default:
			have = append(have, b.ErrorType)
		}
	}
	for _, name := range e.Required {
		if !slices.Contains(have, name) {
			c.add(owner.Offset, a.member("Transitions").member("Errors"), RuleMissingError, "",
				"Action is missing required error. Error: %s, Path: %s", name, a)
		}
	}
}

func (c *checker) conditions(act *Action, p, owner *Node, ta at) {
	branches, all := act.Transitions.Conditions, ta.member("Conditions")
	rule := Conditions{None: "the action has no result to compare"}
	if act.Spec.Conditions != nil {
		rule = act.Spec.Conditions(p)
	}
	if rule.None != "" {
		if len(branches) > 0 {
			c.add(owner.Get("Conditions").Offset, all, RuleConditions, rule.None, "Action does not support conditions. Path: %s", all)
		}
		return
	}
	// Whatever is wrong with its conditions, the service names all of them.
	refuse := func(n *Node, place at, rule, hint string) {
		c.add(n.Offset, place, rule, hint, "Invalid Action property value. Path: %s", all)
	}
	whole := owner.Get("Conditions")
	if whole == nil {
		whole = owner
	}
	if len(branches) < rule.Min {
		refuse(whole, all, RuleConditions, fmt.Sprintf("must have at least %d", rule.Min))
	}
	var have []string
	wrong, last := false, int64(0)
	for i, b := range branches {
		if b.Operator == "" || b.Operand == "" {
			wrong = true // and reported
			continue
		}
		condition := b.node.Get("Condition")
		place := all.item(i).member("Condition")
		if !slices.Contains(rule.Operators, b.Operator) {
			refuse(condition.Get("Operator"), place.member("Operator"), RuleOperator, "must be one of "+quoted(rule.Operators))
		}
		hint := ""
		n, err := strconv.ParseInt(b.Operand, 10, 64)
		switch {
		case rule.Values != nil && !slices.Contains(rule.Values, b.Operand):
			hint = "must be one of " + quoted(rule.Values)
		case rule.Values != nil && slices.Contains(have, b.Operand):
			hint = "has a condition already"
		case rule.Numbers && err != nil:
			hint = "must be a whole number"
		case rule.Ascending && (n <= last || n > rule.Max):
			hint = fmt.Sprintf("must be greater than the one before and at most %d", rule.Max)
		case rule.Ascending:
			last = n
		}
		if hint != "" {
			wrong = true
			refuse(condition.Get("Operands").Items[0], place.member("Operands").item(0), RuleOperand, hint)
		}
		have = append(have, b.Operand)
	}
	// What is wrong is most likely what is missing.
	if !rule.Complete || wrong {
		return
	}
	var missing []string
	for _, v := range rule.Values {
		if !slices.Contains(have, v) {
			missing = append(missing, rule.Operators[0]+" "+v)
		}
	}
	if len(missing) > 0 {
		refuse(whole, all, RuleConditions, "there must be a condition "+strings.Join(missing, " and "))
	}
}

// object checks n, which is an object. What it lacks is reported at owner,
// which is n unless n is not in the document.
func (c *checker) object(o *Object, n, owner *Node, a at) {
	for _, p := range o.Properties {
		if p.Required && n.Get(p.Name) == nil {
			c.missing(owner, a.member(p.Name), RuleMissing, "")
		}
	}
	for _, g := range o.Groups {
		c.group(g, n, owner, a)
	}
	var seen []string
	for _, m := range n.Members {
		i := slices.IndexFunc(o.Properties, func(p Property) bool { return p.Name == m.Name })
		switch {
		case i < 0 && o.Open:
			c.value(&Value{Form: Anything}, m.Value, a.member(m.Name))
		case i < 0:
			c.unknown(m.Offset, a.member(m.Name), RuleUnknown, allowed(o))
		case slices.Contains(seen, m.Name):
			c.unknown(m.Offset, a.member(m.Name), RuleDuplicate, "is there twice")
		default:
			seen = append(seen, m.Name)
			c.value(&o.Properties[i].Value, m.Value, a.member(m.Name))
		}
	}
	if o.Check != nil {
		o.Check(c, n, a)
	}
}

// allowed is the hint of an unknown property.
func allowed(o *Object) string {
	if len(o.Properties) == 0 {
		return "no properties are expected"
	}
	names := make([]string, len(o.Properties))
	for i, p := range o.Properties {
		names[i] = p.Name
	}
	return "allowed are " + list(names)
}

func (c *checker) group(g Group, n, owner *Node, a at) {
	var have []string
	for _, name := range g.Names {
		if n.Get(name) != nil {
			have = append(have, name)
		}
	}
	switch {
	case g.Plain && len(have) != 1:
		c.invalid(owner.Offset, a, RuleOnlyOne, "exactly one of "+list(g.Names)+" must be set")
	case len(have) > 1:
		c.add(n.Get(have[1]).Offset, a, RuleOnlyOne, "", "Only one of these properties may be defined. Properties: %s", list(have))
	case len(have) == 1 || !g.Required:
	case g.Missing != "":
		c.missing(owner, a.member(g.Missing), RuleOneOf, "one of "+list(g.Names)+" must be set")
	default:
		c.add(owner.Offset, a, RuleOneOf, "", "At least one of %s must be set", list(g.Names))
	}
}

// value checks one value.
func (c *checker) value(v *Value, n *Node, a at) {
	switch v.Form {
	case Struct:
		if c.typed(n, a, jsontext.KindBeginObject) {
			c.object(v.Object, n, n, a)
		}
	case Map:
		if !c.typed(n, a, jsontext.KindBeginObject) {
			return
		}
		c.count(v, len(n.Members), "entries", n, a)
		for _, m := range n.Members {
			if v.Values != nil && !slices.Contains(v.Values, m.Name) {
				c.unknown(m.Offset, a.member(m.Name), RuleUnknown, "allowed are "+list(v.Values))
				continue
			}
			c.value(v.Of, m.Value, a.member(m.Name))
		}
	case List:
		if !c.typed(n, a, jsontext.KindBeginArray) {
			return
		}
		c.count(v, len(n.Items), "items", n, a)
		for i, item := range n.Items {
			c.value(v.Of, item, a.item(i))
		}
	case Anything:
		c.anything(n, a)
	case Shaped:
		c.typed(n, a, jsontext.KindBeginObject)
	default:
		c.scalar(v, n, a)
	}
}

func (c *checker) count(v *Value, n int, what string, node *Node, a at) {
	switch {
	case int64(n) < v.Min: // which is 1 wherever it is not 0
		c.invalid(node.Offset, a, RuleEmpty, "must not be empty")
	case v.Max > 0 && int64(n) > v.Max:
		c.invalid(node.Offset, a, RuleValue, fmt.Sprintf("must have at most %d %s, it has %d", v.Max, what, n))
	}
}

// anything checks what holds for every value: no text is empty, and JSONPaths
// name what there is.
func (c *checker) anything(n *Node, a at) {
	for _, m := range n.Members {
		c.anything(m.Value, a.member(m.Name))
	}
	for i, item := range n.Items {
		c.anything(item, a.item(i))
	}
	if n.Kind == jsontext.KindString {
		c.scalar(&Value{Form: Text}, n, a)
	}
}

// latestAlias is the alias of a module's latest content, which looks like a
// JSONPath and is none.
const latestAlias = ":$.LATEST"

func (c *checker) scalar(v *Value, n *Node, a at) {
	numeric := v.Form == Number || v.Form == Decimal
	if n.Kind != jsontext.KindString && (!numeric || n.Kind != jsontext.KindNumber) {
		c.invalid(n.Offset, a, RuleValue, v.wanted())
		return
	}
	if n.Text == "" {
		if !v.Empty {
			c.invalid(n.Offset, a, RuleEmpty, "must not be empty")
		}
		return
	}
	text := n.Text
	if v.Kind == domain.KindContactFlowModule {
		text = strings.TrimSuffix(text, latestAlias)
	}
	found := references(text)
	if !c.dynamic(v, n, found, a) {
		return
	}
	if len(found) > 0 {
		if why := badPath(found[0], c.typ); why != "" {
			c.invalid(n.Offset, a, RulePath, why)
			return
		}
		for _, ref := range found[1:] {
			if why := badPath(ref, c.typ); why != "" {
				c.invalid(n.Offset, a, RulePath, why)
				return
			}
		}
		return
	}
	if !v.fits(n.Text) {
		c.invalid(n.Offset, a, RuleValue, v.wanted())
		return
	}
	if v.Kind != domain.KindRoot {
		c.refer(Reference{Kind: v.Kind, ID: n.Text, Required: !v.Elsewhere}, n.Offset, a)
	}
}

// dynamic reports whether a value refers to the contact's data as it may.
func (c *checker) dynamic(v *Value, n *Node, found []reference, a at) bool {
	whole := len(found) == 1 && found[0].start == 0 && found[0].end == len(n.Text)
	hint := ""
	switch {
	case v.Dynamic == PathOnly && !whole:
		hint = "must be one JSONPath"
	case v.Dynamic == Static && len(found) > 0:
		hint = "must be static, not a JSONPath"
	case v.Dynamic == Single && len(found) > 0 && !whole:
		hint = "must be static or one JSONPath, not both"
	default:
		return true
	}
	rule := RuleStatic
	if v.Dynamic == PathOnly {
		rule = RulePath
	}
	c.invalid(n.Offset, a, rule, hint)
	return false
}

// fits reports whether a static text is a value of the form.
func (v *Value) fits(s string) bool {
	switch v.Form {
	case Number:
		n, err := strconv.ParseInt(s, 10, 64)
		return err == nil && n >= v.Min && n <= v.Max && s[0] != '+'
	case Decimal:
		f, err := strconv.ParseFloat(s, 64)
		return err == nil && f >= float64(v.Min) && f <= float64(v.Max) && strings.Trim(s, "0123456789.") == ""
	case Enum:
		return slices.Contains(v.Values, s)
	default:
		n := int64(utf8.RuneCountInString(s))
		return n >= v.Min && (v.Max == 0 || n <= v.Max)
	}
}

// wanted says what a value should be.
func (v *Value) wanted() string {
	const unbounded = 1 << 53
	switch v.Form {
	case Number:
		if v.Max > unbounded {
			if v.Min < -unbounded {
				return "must be a whole number"
			}
			return fmt.Sprintf("must be a whole number from %d", v.Min)
		}
		return fmt.Sprintf("must be a whole number from %d to %d", v.Min, v.Max)
	case Decimal:
		return fmt.Sprintf("must be a number from %d to %d", v.Min, v.Max)
	case Enum:
		return "must be one of " + quoted(v.Values)
	default:
		if v.Max > 0 {
			return fmt.Sprintf("must be a string of at most %d characters", v.Max)
		}
		return "must be a string"
	}
}

// quoted lists words in a hint.
func quoted(words []string) string {
	all := make([]string, len(words))
	for i, w := range words {
		all[i] = strconv.Quote(w)
	}
	return strings.Join(all, ", ")
}

// refer notes a resource that the document names.
func (c *checker) refer(ref Reference, offset int, a at) {
	ref.Problem = Problem{
		Message: fmt.Sprintf("Invalid %s property value. Path: %s", noun(a), a),
		Hint:    fmt.Sprintf("there is no %s %q", ref.Kind, shorten(ref.ID)),
		Rule:    RuleReference,
		Path:    a.String(),
		Action:  a.action,
	}
	c.refs = append(c.refs, &foundReference{ref, offset})
}

// located are the references in the order of the document.
func (c *checker) located() []Reference {
	slices.SortStableFunc(c.refs, func(a, b *foundReference) int { return a.offset - b.offset })
	spots := make([]spot, len(c.refs))
	for i, r := range c.refs {
		spots[i] = spot{r.offset, &r.Problem}
	}
	locate(c.content, spots)
	var all []Reference
	for _, r := range c.refs {
		all = append(all, r.Reference)
	}
	return all
}

// needed are the needs in the order of the document.
func (c *checker) needed() []Need {
	spots := make([]spot, len(c.needs))
	for i, n := range c.needs {
		spots[i] = spot{n.offset, &n.Problem}
	}
	locate(c.content, spots)
	var all []Need
	for _, n := range c.needs {
		all = append(all, n.Need)
	}
	return all
}
