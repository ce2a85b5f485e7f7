package flow

import (
	"fmt"
	"slices"

	"github.com/go-json-experiment/json/jsontext"
)

// testVersions are those that the pages of the testing language name: the
// first in the API reference, the second in the developer guide.
var testVersions = []string{"2025-06-21", "2019-10-30"}

// CheckTest validates the content of a test case: a document of the testing
// language (API reference, "Testing language"). What the pages show is
// required; the service's own words for its problems are not known, so they
// are those for flows.
func CheckTest(content string) []Problem {
	c := &checker{report: report{content: content}, typ: Module} // whose data a flow under test may read
	c.testCase()
	return c.result()
}

func (c *checker) testCase() {
	root, offset, err := parseJSON(c.content)
	switch {
	case err != nil:
		c.add(offset, at{}, RuleSyntax, "", "Content is not valid JSON: %v", err)
		return
	case root.Kind != jsontext.KindBeginObject:
		c.add(root.Offset, at{}, RuleSyntax, "", "Content is not a JSON object")
		return
	}
	top := func(name string) at { return at{path: (*path)(nil).member(name)} }
	c.members(root, at{}, "Version", "Metadata", "Observations")
	if v := c.text(root, top("Version")); v != "" && !slices.Contains(testVersions, v) {
		c.invalid(root.Get("Version").Offset, top("Version"), RuleVersion, "must be "+fmt.Sprintf("%q", testVersions[0]))
	}
	if m := root.Get("Metadata"); m != nil {
		c.typed(m, top("Metadata"), jsontext.KindBeginObject)
	}
	observations := root.Get("Observations")
	if observations == nil {
		c.missing(root, top("Observations"), RuleMissing, "")
		return
	}
	if !c.typed(observations, top("Observations"), jsontext.KindBeginArray) {
		return
	}
	if len(observations.Items) == 0 {
		c.invalid(observations.Offset, top("Observations"), RuleEmpty, "must not be empty")
	}
	ids := c.identifiers(observations, top("Observations"))
	for i, n := range observations.Items {
		a := top("Observations").item(i)
		if !c.typed(n, a, jsontext.KindBeginObject) {
			continue
		}
		a.action = n.Get("Identifier").String()
		c.object(&observation, n, n, a)
		c.testActions(n.Get("Actions"), a.member("Actions"))
		if next := n.Get("Transitions").Get("NextObservations"); next.is(jsontext.KindBeginArray) {
			for i, id := range next.Items {
				if id.String() != "" && !slices.Contains(ids, id.Text) {
					c.invalid(id.Offset, a.member("Transitions").member("NextObservations").item(i), RuleTarget,
						fmt.Sprintf("there is no observation %q", shorten(id.Text)))
				}
			}
		}
	}
}

// testActions checks where the actions of an observation lead.
func (c *checker) testActions(actions *Node, a at) {
	if !actions.is(jsontext.KindBeginArray) {
		return
	}
	ids := c.identifiers(actions, a)
	for i, n := range actions.Items {
		// The last action has an empty NextAction in the example.
		if next := n.Get("Transitions").Get("NextAction"); next.String() != "" && !slices.Contains(ids, next.Text) {
			c.invalid(next.Offset, a.item(i).member("Transitions").member("NextAction"), RuleTarget,
				fmt.Sprintf("there is no action %q in the observation", shorten(next.Text)))
		}
	}
}

// identifiers are those of the objects of a list, which must differ.
func (c *checker) identifiers(list *Node, a at) []string {
	seen := map[string]bool{}
	var ids []string
	for i, n := range list.Items {
		id := n.Get("Identifier")
		if id.String() == "" {
			continue // and reported
		}
		if seen[id.Text] {
			c.invalid(id.Offset, a.item(i).member("Identifier"), RuleIdentifier, "must be unique")
		}
		seen[id.Text] = true
		ids = append(ids, id.Text)
	}
	return ids
}

// The tables of the testing language.
var (
	observation = properties(
		required("Identifier", static(text())),
		required("Event", object(properties(
			optional("Identifier", static(text())),
			required("Type", oneOf("TestInitiated", "TestCompleted", "MessageReceived", "FlowActionStarted")),
			required("Actor", oneOf("System", "Agent")),
			optional("Properties", Value{Form: Shaped}),
			optional("MatchingCriteria", anything()), // in the example here, on its page in Properties
		).check(testEvent))),
		optional("Usage", object(properties(
			required("Type", oneOf("EXACTLY", "ANY")),
			optional("Times", static(positive())),
		))),
		optional("Actions", listOf(object(testAction), 0, 0)),
		optional("Transitions", object(properties(optional("NextObservations", listOf(static(text()), 0, 0))))),
	)

	testAction = properties(
		required("Identifier", static(text())),
		required("Type", oneOf("SendInstruction", "OverrideSystemBehavior", "Assert", "Assertion", "TestControl", "EndTest")),
		optional("Parameters", Value{Form: Shaped}),
		optional("Transitions", object(properties(optional("NextAction", Value{Form: Text, Empty: true})))),
	).check(testParameters)

	// testEvents are what the properties of an event hold.
	testEvents = map[string]*Object{
		"MessageReceived": ptr(properties(append(messages, optional("MatchingCriteria", anything()))...).with(exactlyOne(messageNames...))),
		"FlowActionStarted": ptr(properties(
			required("ActionType", static(text())),
			optional("ActionParameters", object(properties().open())),
		)),
	}

	// testActionTypes are what the parameters of an action hold.
	testActionTypes = map[string]*Object{
		"SendInstruction": ptr(properties(
			optional("ActionType", oneOf("SendInstruction")),
			required("Actor", oneOf("Customer", "Agent", "System")),
			required("Instruction", object(properties(
				required("Type", oneOf("DtmfInput", "TextUtterance", "Disconnect")),
				optional("Properties", object(properties().open())),
			).check(testInstruction))),
		)),
		"OverrideSystemBehavior": ptr(properties(
			optional("ActionType", oneOf("OverrideSystemBehavior")),
			required("Behavior", object(properties(
				required("Type", oneOf("FlowAction")),
				required("Properties", object(properties(
					required("ActionType", static(text())),
					optional("ActionParameters", object(properties().open())),
					required("Strategy", object(properties(
						required("Type", oneOf("SubstituteResource", "MockResponse")),
						optional("SubstituteArn", static(text())),
						optional("Response", object(properties(
							required("Type", oneOf("ExecutionResult", "Error")),
							optional("ExecutionResult", object(properties().open())),
							optional("Error", object(properties().open())),
						))),
					).check(testStrategy))),
				))),
			))),
		)),
		"Assert": ptr(properties(
			required("Namespace", Value{Form: Text, Dynamic: PathOnly}),
			required("Operator", oneOf(append(slices.Clone(operators), exists)...)),
			optional("Operand", text()),
		).open().check(testAssertion)),
		"TestControl": ptr(properties(
			optional("ActionType", oneOf("TestControl")),
			required("Command", object(properties(
				required("Type", oneOf("EndTest", "LogData")),
				optional("Properties", object(properties(optional("Expressions", mapOf(text()))))),
			))),
		)),
	}
)

func ptr(o Object) *Object { return &o }

// testEvent checks the properties of an event by its type.
func testEvent(c *checker, n *Node, a at) {
	o := testEvents[n.Get("Type").String()]
	if o == nil {
		return
	}
	p := n.Get("Properties")
	switch {
	case p == nil:
		c.missing(n, a.member("Properties"), RuleMissing, "")
	case p.is(jsontext.KindBeginObject):
		c.object(o, p, p, a.member("Properties"))
	}
}

// testParameters checks the parameters of an action by its type.
func testParameters(c *checker, n *Node, a at) {
	o := testActionTypes[n.Get("Type").String()]
	if o == nil {
		return
	}
	p := n.Get("Parameters")
	switch {
	case p == nil:
		c.missing(n, a.member("Parameters"), RuleMissing, "")
	case p.is(jsontext.KindBeginObject):
		c.object(o, p, p, a.member("Parameters"))
	}
}

// testInstruction checks what a customer does.
func testInstruction(c *checker, n *Node, a at) {
	p, a := n.Get("Properties"), a.member("Properties")
	switch {
	case has(n, "Type", "DtmfInput") && p.Get("Value") == nil:
		c.missing(n, a.member("Value"), RuleDepends, "what the customer dials")
	case has(n, "Type", "TextUtterance") && p.Get("Text") == nil && p.Get("SSML") == nil:
		c.missing(n, a.member("Text"), RuleDepends, "what the customer says, or SSML")
	}
}

// exists is an operator of assertions alone: there is a value.
const exists = "Exists"

// testAssertion checks that there is something to compare with, which Exists
// does not need.
func testAssertion(c *checker, n *Node, a at) {
	if n.Get("Operand") == nil && !has(n, "Operator", exists) {
		c.missing(n, a.member("Operand"), RuleMissing, "")
	}
}

// testStrategy checks what takes the place of an action of the flow.
func testStrategy(c *checker, n *Node, a at) {
	response := n.Get("Response")
	switch {
	case has(n, "Type", "SubstituteResource") && n.Get("SubstituteArn") == nil:
		c.missing(n, a.member("SubstituteArn"), RuleDepends, "")
	case has(n, "Type", "MockResponse") && response == nil:
		c.missing(n, a.member("Response"), RuleDepends, "")
	case response != nil:
		if kind := response.Get("Type").String(); kind != "" && response.Get(kind) == nil && slices.Contains([]string{"ExecutionResult", "Error"}, kind) {
			c.missing(response, a.member("Response").member(kind), RuleDepends, "")
		}
	}
}
