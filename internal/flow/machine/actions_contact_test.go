package machine

import (
	"encoding/json"
	"strings"
	"testing"

	"ringdown/internal/domain"
)

// TestCriteria reads routing criteria that a function has made: more forms than
// the flow language has (administrator guide, "Set routing criteria").
func TestCriteria(t *testing.T) {
	condition := `{"AttributeCondition": {"Name": "Language", "Value": "English", "ProficiencyLevel": 4, "ComparisonOperator": "NumberGreaterOrEqualTo"}}`
	other := strings.Replace(condition, "English", "Spanish", 1)
	step := func(expression string) string { return `{"Steps": [{"Expression": ` + expression + `}]}` }
	list := func(name string, items ...string) string {
		return step(`{"` + name + `": [` + strings.Join(items, ",") + `]}`)
	}
	one := step(condition)
	text, err := json.Marshal(one)
	if err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct {
		criteria string
		good     bool
	}{
		"one condition":              {one, true},
		"as text":                    {string(text), true},
		"text that is no JSON":       {`"Steps"`, false},
		"a range":                    {step(`{"AttributeCondition": {"Name": "L", "Value": "V", "ComparisonOperator": "Range", "Range": {"MinProficiencyLevel": 2, "MaxProficiencyLevel": "4"}}}`), true},
		"a range the wrong way":      {step(`{"AttributeCondition": {"Name": "L", "Value": "V", "ComparisonOperator": "Range", "Range": {"MinProficiencyLevel": 4, "MaxProficiencyLevel": 2}}}`), false},
		"half a range":               {step(`{"AttributeCondition": {"Name": "L", "Value": "V", "ComparisonOperator": "Range", "Range": {"MinProficiencyLevel": 4}}}`), false},
		"agents":                     {step(`{"AttributeCondition": {"ComparisonOperator": "Match", "MatchCriteria": {"AgentsCriteria": {"AgentIds": ["a1", "a2"]}}}}`), true},
		"agents as text":             {step(`{"AttributeCondition": {"ComparisonOperator": "Match", "MatchCriteria": {"AgentsCriteria": {"AgentIds": "[\"a1\"]"}}}}`), true},
		"no agents":                  {step(`{"AttributeCondition": {"ComparisonOperator": "Match", "MatchCriteria": {"AgentsCriteria": {"AgentIds": []}}}}`), false},
		"an agent without an id":     {step(`{"AttributeCondition": {"ComparisonOperator": "Match", "MatchCriteria": {"AgentsCriteria": {"AgentIds": [""]}}}}`), false},
		"not":                        {step(strings.Replace(condition, "AttributeCondition", "NotAttributeCondition", 1)), true},
		"and":                        {list("AndExpression", condition, other), true},
		"and, twice the same":        {list("AndExpression", condition, condition), false},
		"or":                         {list("OrExpression", condition, other, `{"AndExpression": [`+condition+`]}`), true},
		"or of four":                 {list("OrExpression", condition, condition, condition, condition), false},
		"or within or":               {list("OrExpression", `{"OrExpression": [`+condition+`]}`), false},
		"and within and":             {list("AndExpression", `{"AndExpression": [`+condition+`]}`), false},
		"or within and":              {list("AndExpression", `{"OrExpression": [`+condition+`]}`), false},
		"and of nothing":             {list("AndExpression"), false},
		"two forms at once":          {step(`{"AndExpression": [` + condition + `], "OrExpression": [` + condition + `]}`), false},
		"nothing":                    {step(`{}`), false},
		"no steps":                   {`{"Steps": []}`, false},
		"six steps":                  {`{"Steps": [` + strings.Repeat(`{"Expression": `+condition+`},`, 5) + `{"Expression": ` + condition + `}]}`, false},
		"an expiry":                  {`{"Steps": [{"Expression": ` + condition + `, "Expiry": {"DurationInSeconds": 1}}]}`, true},
		"an expiry of no time":       {`{"Steps": [{"Expression": ` + condition + `, "Expiry": {"DurationInSeconds": 0}}]}`, false},
		"too long a name":            {strings.Replace(one, "Language", strings.Repeat("x", 65), 1), false},
		"the longest name":           {strings.Replace(one, "Language", strings.Repeat("ä", 64), 1), true},
		"a level beyond the highest": {strings.Replace(one, `"ProficiencyLevel": 4`, `"ProficiencyLevel": 5.1`, 1), false},
		"a level that is none":       {strings.Replace(one, `"ProficiencyLevel": 4`, `"ProficiencyLevel": "NaN"`, 1), false},
		"an operator that is none":   {strings.Replace(one, "NumberGreaterOrEqualTo", "NumberLess", 1), false},
	} {
		x := stepOn(&Subject{Contact: &domain.Contact{}}, "UpdateRoutingCriteria", map[string]any{"RoutingCriteria": decoded([]byte(c.criteria))})
		routingCriteria(x)
		if good := x.frame.Action == "next"; good != c.good || good != (x.subject.Contact.Routing != nil) {
			t.Errorf("%s: it goes on with %q", name, x.frame.Action)
		}
	}
}

// TestContactDataBounds: the lengths of the API hold in flows as well.
func TestContactDataBounds(t *testing.T) {
	for _, c := range []struct {
		member string
		most   int
	}{{"Name", 1024}, {"Description", 4096}} {
		for n, want := range map[int]string{c.most: "next", c.most + 1: "error"} {
			x := stepOn(&Subject{Contact: &domain.Contact{}}, "UpdateContactData", map[string]any{c.member: strings.Repeat("ä", n)})
			updateData(x)
			if x.frame.Action != want {
				t.Errorf("%s of %d characters: it goes on with %s", c.member, n, x.frame.Action)
			}
		}
	}
}

// TestCopies: what a driver remembers of a contact does not change under it.
func TestCopies(t *testing.T) {
	c := &domain.Contact{
		Channel: "VOICE", Tags: map[string]string{"a": "1"}, Hooks: map[string]string{"CustomerQueue": "arn"},
		Behavior: map[string]any{recordingAction: map[string]any{}, analyticsAction: map[string]any{"VoiceBehavior": map[string]any{}}},
	}
	s := &Subject{Contact: c, Attributes: map[string]string{"a": "1"}}
	before := *c
	attributes := s.Attributes
	remembered, err := json.Marshal(before)
	if err != nil {
		t.Fatal(err)
	}
	tag(stepOn(s, "TagContact", map[string]any{"Tags": map[string]any{"a": "2"}}))
	untag(stepOn(s, "UntagContact", map[string]any{"TagKeys": []any{"a"}}))
	updateAttributes(stepOn(s, "UpdateContactAttributes", map[string]any{"Attributes": map[string]any{"a": "2"}}))
	updateData(stepOn(s, "UpdateContactData", map[string]any{"References": map[string]any{"a": "2"}}))
	recordingBehavior(stepOn(s, recordingAction, map[string]any{"RecordingBehavior": map[string]any{}}))
	recordingAndAnalytics(stepOn(s, analyticsAction, map[string]any{"VoiceBehavior": map[string]any{"x": "y"}}))
	hooks := stepOn(s, "UpdateContactEventHooks", map[string]any{"EventHooks": map[string]any{"CustomerQueue": "f"}})
	hooked(hooks, &Reply{Flows: []Ref{{ARN: "other", Type: "CUSTOMER_QUEUE"}}})
	if after, _ := json.Marshal(before); string(after) != string(remembered) || attributes["a"] != "1" {
		t.Errorf("what was\n%s\nhas become\n%s", remembered, after)
	}
	if c.Hooks["CustomerQueue"] != "other" || len(c.Tags) != 0 || s.Attributes["a"] != "2" || len(c.References) != 1 || len(c.Behavior) != 1 {
		t.Errorf("the contact has not changed: %+v", c)
	}
	if want := "Tags UserDefinedAttributes ContactLens.ConversationalAnalytics.Configuration"; strings.Join(s.Changed, " ") != want {
		t.Errorf("changed are %v, want %s", s.Changed, want)
	}
}
