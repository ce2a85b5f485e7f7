package iam

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"ringdown/internal/fault"
)

// MalformedPolicyDocument is the code with which IAM and STS refuse a policy
// document, HTTP status 400.
const MalformedPolicyDocument = fault.MalformedPolicyDocument

// Versions of the policy language. A document without a Version is of the
// older one, which knows no policy variables.
const (
	version2008 = "2008-10-17"
	version2012 = "2012-10-17"
)

// Policy is an identity-based policy, compiled by ParsePolicy.
type Policy struct {
	statements []statement
}

type statement struct {
	deny       bool
	actions    actionSet
	resources  resourceSet
	conditions []condition
}

// actionSet is an Action element, or with not a NotAction element.
type actionSet struct {
	not      bool
	patterns []string // in lower case
}

// has reports whether the element covers action, which is in lower case.
func (s *actionSet) has(action string) bool {
	for _, p := range s.patterns {
		if match(p, action) {
			return !s.not
		}
	}
	return s.not
}

// resourceSet is a Resource element, or with not a NotResource element.
type resourceSet struct {
	not      bool
	patterns []template
}

// has reports whether the element covers resource. A pattern with a variable
// that has no value covers nothing, in a NotResource element too.
func (s *resourceSet) has(resource string, ctx Context) bool {
	for _, t := range s.patterns {
		if p, ok := t.expand(ctx); ok && matchResource(p, resource) {
			return !s.not
		}
	}
	return s.not
}

// ParsePolicy reads a policy document: JSON in UTF-8, of at most 6,144
// characters besides white space, in version 2012-10-17 or 2008-10-17 of the
// language. What it refuses it refuses with a *fault.Error of the code
// MalformedPolicyDocument, whose message names the statement by index and Sid,
// the element, the value and the rule, and can be shown to whoever wrote the
// document.
func ParsePolicy(doc []byte) (*Policy, error) {
	root, err := parseDocument(doc)
	if err != nil {
		return nil, malformed(err)
	}
	p, err := compilePolicy(root)
	if err != nil {
		return nil, malformed(err)
	}
	return p, nil
}

func malformed(err error) error {
	return fault.New(MalformedPolicyDocument, "%v", err)
}

var (
	policyElements    = []string{"Version", "Id", "Statement"}
	statementElements = []string{
		"Sid", "Effect", "Action", "NotAction", "Resource", "NotResource", "Condition",
	}
)

func compilePolicy(root node) (*Policy, error) {
	if root.kind != objectNode {
		return nil, fmt.Errorf("a policy document is an object, not %s", root.kind)
	}
	if err := onlyKnown(root, policyElements); err != nil {
		return nil, err
	}
	version := version2008
	if n, ok := root.get("Version"); ok {
		if n.kind != stringNode || n.text != version2012 && n.text != version2008 {
			return nil, fmt.Errorf("the Version must be %q or %q", version2012, version2008)
		}
		version = n.text
	}
	if n, ok := root.get("Id"); ok && n.kind != stringNode {
		return nil, fmt.Errorf("the Id must be a string, not %s", n.kind)
	}
	element, ok := root.get("Statement")
	if !ok {
		return nil, errors.New("the document has no Statement element")
	}
	statements := []node{element}
	if element.kind == listNode {
		statements = element.items
	}
	if len(statements) == 0 {
		return nil, errors.New("the Statement element is an empty list")
	}
	p := &Policy{statements: make([]statement, 0, len(statements))}
	sids := map[string]int{}
	for i, n := range statements {
		place := fmt.Sprintf("Statement[%d]", i)
		if sid, _ := n.get("Sid"); sid.text != "" {
			place += fmt.Sprintf(" (Sid %.60q)", sid.text)
			if first, taken := sids[sid.text]; taken {
				return nil, fmt.Errorf("%s: Statement[%d] has the same Sid; a Sid occurs once in a policy", place, first)
			}
			sids[sid.text] = i
		}
		s, err := compileStatement(n, version == version2012)
		if err != nil {
			return nil, fmt.Errorf("%s: %w", place, err)
		}
		p.statements = append(p.statements, s)
	}
	return p, nil
}

// onlyKnown refuses members of n that are not among the known elements.
func onlyKnown(n node, known []string) error {
	for _, m := range n.members {
		if slices.Contains(known, m.name) {
			continue
		}
		if m.name == "Principal" || m.name == "NotPrincipal" {
			return fmt.Errorf("%s is not allowed in an identity-based policy: its principal is whom it is attached to", m.name)
		}
		return fmt.Errorf("unknown element %.60q%s", m.name, hint(m.name, known))
	}
	return nil
}

// hint proposes the known name that differs from name by case only.
func hint(name string, known []string) string {
	for _, k := range known {
		if strings.EqualFold(k, name) {
			return fmt.Sprintf("; did you mean %q?", k)
		}
	}
	return ""
}

func compileStatement(n node, variables bool) (statement, error) {
	var s statement
	if n.kind != objectNode {
		return s, fmt.Errorf("a statement is an object, not %s", n.kind)
	}
	if err := onlyKnown(n, statementElements); err != nil {
		return s, err
	}
	if sid, ok := n.get("Sid"); ok && (sid.kind != stringNode || !consistsOf(sid.text, "")) {
		return s, errors.New("the Sid must be a string of the letters A-Z and a-z and digits")
	}
	effect, ok := n.get("Effect")
	if !ok {
		return s, errors.New("the Effect element is missing")
	}
	if effect.kind != stringNode || effect.text != "Allow" && effect.text != "Deny" {
		return s, errors.New(`the Effect must be "Allow" or "Deny"`)
	}
	s.deny = effect.text == "Deny"

	name, actions, err := oneOf(n, "Action", "NotAction")
	if err != nil {
		return s, err
	}
	s.actions.not = name == "NotAction"
	for _, text := range actions {
		p, err := compileAction(text)
		if err != nil {
			return s, fmt.Errorf("%s %.120q: %w", name, text, err)
		}
		s.actions.patterns = append(s.actions.patterns, p)
	}

	name, resources, err := oneOf(n, "Resource", "NotResource")
	if err != nil {
		return s, err
	}
	s.resources.not = name == "NotResource"
	for _, text := range resources {
		t, err := compileResource(text, variables)
		if err != nil {
			return s, fmt.Errorf("%s %.120q: %w", name, text, err)
		}
		s.resources.patterns = append(s.resources.patterns, t)
	}

	if block, ok := n.get("Condition"); ok {
		s.conditions, err = compileConditions(block, variables)
		if err != nil {
			return s, err
		}
	}
	return s, nil
}

// oneOf returns the strings of whichever of two elements n has; it must have
// exactly one of them.
func oneOf(n node, element, negation string) (name string, values []string, err error) {
	positive, isPositive := n.get(element)
	negative, isNegative := n.get(negation)
	switch {
	case isPositive && isNegative:
		return "", nil, fmt.Errorf("%s and %s exclude each other", element, negation)
	case isPositive:
		name, n = element, positive
	case isNegative:
		name, n = negation, negative
	default:
		return "", nil, fmt.Errorf("there is neither %s nor %s", element, negation)
	}
	items := []node{n}
	if n.kind == listNode {
		items = n.items
	}
	if len(items) == 0 {
		return "", nil, fmt.Errorf("%s is an empty list", name)
	}
	for _, item := range items {
		if item.kind != stringNode {
			return "", nil, fmt.Errorf("%s must be a string or a list of strings, not %s", name, item.kind)
		}
		values = append(values, item.text)
	}
	return name, values, nil
}

// compileAction returns the pattern of an action such as "connect:Describe*",
// in lower case, because IAM compares actions without regard to case. IAM User
// Guide, "IAM JSON policy elements: Action".
func compileAction(text string) (string, error) {
	if text == "*" {
		return anything, nil
	}
	service, name, _ := strings.Cut(text, ":")
	if service == "" || name == "" || service != "*" && !consistsOf(service, "-") || !consistsOf(name, "-_*?") {
		return "", errors.New(`an action is "*" or "service:name", where only the name may contain wildcards`)
	}
	return compilePattern(strings.ToLower(text)), nil
}

// consistsOf reports whether text has only ASCII letters, digits and the
// characters of others.
func consistsOf(text, others string) bool {
	for _, r := range text {
		switch {
		case 'a' <= r && r <= 'z', 'A' <= r && r <= 'Z', '0' <= r && r <= '9':
		case !strings.ContainsRune(others, r):
			return false
		}
	}
	return true
}

// compileResource checks a resource: `*`, or an ARN that names its service
// literally and has policy variables in its last field only. An ARN with fewer
// fields than six is completed by `*` when it already ends in one.
func compileResource(text string, variables bool) (template, error) {
	t, err := parseTemplate(text, syntax{variables: variables, wildcards: true})
	if err != nil {
		return template{}, err
	}
	if len(t.variables) == 0 && t.head == anything {
		return t, nil
	}
	fields := strings.Split(t.head, ":")
	switch {
	case fields[0] != "arn":
		return template{}, errors.New(`a resource is "*" or an ARN, arn:partition:service:region:account:resource`)
	case len(fields) < 3 || fields[2] == "" || hasWildcard(fields[2]):
		return template{}, errors.New("the third field of an ARN is a service, named without wildcards")
	case len(fields) >= arnFields:
		return t, nil
	case len(t.variables) > 0:
		return template{}, errors.New("policy variables stand after the fifth colon of an ARN only")
	case !strings.HasSuffix(t.head, anything):
		return template{}, fmt.Errorf("the ARN has %d of its 6 fields, arn:partition:service:region:account:resource", len(fields))
	}
	t.head += strings.Repeat(":"+anything, arnFields-len(fields))
	return t, nil
}
