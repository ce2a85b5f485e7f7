package flow

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"unicode/utf8"
)

// What the good documents name, by action type: kind and id, "?" before what
// need not exist.
func TestReferences(t *testing.T) {
	want := map[string][]string{
		"MessageParticipant":               {"Prompt 2222"},
		"MessageParticipantIteratively":    {"Prompt 2222"},
		"GetParticipantInput":              {"Prompt 2222"},
		"ConnectParticipantWithLexBot":     {"Bot ABCDEFGHIJ/TSTALIASID", "Bot Flights:us-east-1"},
		"ShowView":                         {"View form:1", "View 8888"},
		"UpdateContactTargetQueue":         {"Queue 3333", "User 4444"},
		"DequeueContactAndTransferToQueue": {"Queue 3333"},
		"UpdateContactEventHooks":          {"ContactFlow 5555"},
		"UpdateContactMediaProcessing":     {"?LambdaFunction lookup"},
		"CreateTask":                       {"ContactFlow 5555", "TaskTemplate 9999"},
		"InvokeFlowModule":                 {"ContactFlowModule 7777", "ContactFlowModule 7777:$.LATEST"},
		"EndFlowModuleExecution":           {"ContactFlowModule 7777"},
		"StartOutboundChatContact":         {"ContactFlow 5555"},
		"CheckHoursOfOperation":            {"HoursOfOperation 6666"},
		"CheckMetricData":                  {"Queue 3333", "User 4444"},
		"GetMetricData":                    {"User 4444"},
		"TransferToFlow":                   {"ContactFlow 5555"},
		"InvokeLambdaFunction":             {"?LambdaFunction lookup"},
		"CreateCallbackContact":            {"Queue 3333", "ContactFlow 5555"},
	}
	for name, content := range documents(t, "good") {
		var got []string
		for _, r := range Check(content, Detect(content)).References {
			// The ids of testdata are told apart by their first digits.
			id := r.ID[strings.LastIndexAny(r.ID, "/")+1:]
			if i := strings.Index(r.ID, "bot-alias/"); i >= 0 {
				id = r.ID[i+len("bot-alias/"):]
			}
			id = strings.TrimPrefix(strings.ReplaceAll(id, "-2222-3333-4444-555555555555", ""), "arn:aws:lambda:us-east-1:123456789012:function:")
			if len(id) >= 8 && id[:4] == id[4:8] {
				id = id[4:]
			}
			ref := fmt.Sprintf("%s %s", r.Kind, id)
			if !r.Required {
				ref = "?" + ref
			}
			if !slices.Contains(got, ref) {
				got = append(got, ref)
			}
			p := r.Problem
			if !strings.HasPrefix(p.Message, "Invalid Action property value. Path: Actions[") || !strings.HasSuffix(p.Message, p.Path) || p.Rule != RuleReference || p.Action == "" {
				t.Errorf("%s: problem %+v", name, p)
			}
			// The problem is where the id is.
			lines := strings.Split(content, "\n")
			if at := string([]rune(lines[p.Line-1])[p.Column-1:]); !strings.HasPrefix(at, `"`+r.ID) && !strings.HasPrefix(at, `"Flights"`) {
				t.Errorf("%s: %s is not at %d:%d but %s", name, r.ID, p.Line, p.Column, at)
			}
		}
		if !slices.Equal(got, want[name]) {
			t.Errorf("%s: references %q, want %q", name, got, want[name])
		}
	}
}

func TestLimits(t *testing.T) {
	long := `{"Version": "2019-10-30", "StartAction": "end", "Metadata": {"name": "%s"}, "Actions": [{"Identifier": "end", "Type": "DisconnectParticipant"}]}`
	fits := fmt.Sprintf(long, strings.Repeat("ü", maxContent-utf8.RuneCountInString(long)+2))
	if n := utf8.RuneCountInString(fits); n != maxContent {
		t.Fatalf("%d characters", n)
	}
	if got := Check(fits, "CONTACT_FLOW").Problems; len(got) != 0 {
		t.Errorf("of %d characters: %v", maxContent, got)
	}
	got := Check(fits+" ", "CONTACT_FLOW").Problems
	if len(got) != 1 || got[0].Rule != RuleLength || !strings.Contains(got[0].Message, "256001 characters") {
		t.Errorf("of one more: %v", got)
	}
}

func TestModuleActionInAFlow(t *testing.T) {
	content := documents(t, "good")["EndFlowModuleExecution"]
	var rules []string
	for _, p := range Check(content, "CONTACT_FLOW").Problems {
		rules = append(rules, p.Rule)
	}
	if want := []string{RuleUnknown, RulePath, RuleFlowType}; !slices.Equal(rules, want) {
		t.Errorf("rules %q", rules)
	}
}

func TestDetect(t *testing.T) {
	cases := []struct {
		content string
		want    Type
	}{
		{``, "CONTACT_FLOW"},
		{`{"Metadata": {"type": "agentTransfer"}}`, "AGENT_TRANSFER"},
		{`{"Metadata": {"type": "OUTBOUND_WHISPER"}}`, "OUTBOUND_WHISPER"},
		{`{"Metadata": {"type": "contactFlowModule"}}`, Module},
		{`{"Metadata": {"type": "contactFlow"}, "Actions": [{"Type": "EndFlowModuleExecution"}]}`, Module},
		{`{"Metadata": {"type": "unheard of"}, "Actions": [7]}`, "CONTACT_FLOW"},
		{`{"Metadata": [], "Actions": {}}`, "CONTACT_FLOW"},
	}
	for _, c := range cases {
		if got := Detect(c.content); got != c.want {
			t.Errorf("%s: %s, want %s", c.content, got, c.want)
		}
	}
}

// Every type of the service model is in a group, except journeys, which take
// every action.
func TestFlowTypesHaveGroups(t *testing.T) {
	for _, typ := range Types() {
		if _, ok := flowGroups[typ]; !ok && typ != Module && typ != "CAMPAIGN" {
			t.Errorf("%s is in no group", typ)
		}
	}
}

func TestJSONPaths(t *testing.T) {
	cases := []struct {
		text string
		want []string
	}{
		{"plain, $5, $.50 and $.", nil},
		{"$.Attributes.name", []string{"$.Attributes.name"}},
		{"Dear $.Customer.FirstName, $.Channel.", []string{"$.Customer.FirstName", "$.Channel"}},
		{"$.Attributes.['with a space'] too", []string{"$.Attributes.['with a space']"}},
		{`$.SegmentAttributes["connect:Subtype"]`, []string{`$.SegmentAttributes["connect:Subtype"]`}},
		{"$.External.list[0].name[*]", []string{"$.External.list[0].name[*]"}},
		{"$.Views.ViewResultData.Table.0.pat_id", []string{"$.Views.ViewResultData.Table.0.pat_id"}},
		{"$.Attributes['open", []string{"$.Attributes"}},
		{"$.Attributes[", []string{"$.Attributes"}},
		{"$.Attributes.$.Channel", []string{"$.Attributes", "$.Channel"}},
	}
	for _, c := range cases {
		var got []string
		for _, r := range references(c.text) {
			got = append(got, c.text[r.start:r.end])
		}
		if !slices.Equal(got, c.want) {
			t.Errorf("%q: %q, want %q", c.text, got, c.want)
		}
	}
}

// What a stranger sends may be wrong in as many ways as it is long, and still
// takes no longer than its length.
func TestHostileDocuments(t *testing.T) {
	const most = maxContent - 1000
	around := func(actions string) string {
		return `{"Version": "2019-10-30", "StartAction": "x", "Actions": [` + actions + `]}`
	}
	repeat := func(s string) string { return strings.TrimSuffix(strings.Repeat(s, most/len(s)), ",") }
	name := strings.Repeat("n", most/2)
	cases := map[string]string{
		"brackets":         strings.Repeat("[", most),
		"objects":          strings.Repeat(`{"a":`, most/5),
		"no actions":       around(repeat("0,")),
		"unknown members":  around(`{` + repeat(`"a":0,`) + `}`),
		"the same member":  around(`{` + repeat(`"Type":"Loop",`) + `}`),
		"empty attributes": around(`{"Identifier": "x", "Type": "ShowView", "Parameters": {"ViewData": {"` + name + `": [` + repeat(`"",`)[:most/3] + `""]}}}`),
		"conditions":       around(`{"Identifier": "x", "Type": "Compare", "Transitions": {"Conditions": [` + repeat(`{},`) + `]}}`),
		"paths":            around(`{"Identifier": "x", "Type": "MessageParticipant", "Parameters": {"Text": "` + repeat(`$.A`) + `"}}`),
		"errors":           around(`{"Identifier": "x", "Type": "Loop", "Transitions": {"Errors": [` + repeat(`{"ErrorType":"a"},`) + `]}}`),
	}
	for what, content := range cases {
		t.Run(what, func(t *testing.T) {
			got := Check(content, "CONTACT_FLOW").Problems
			if len(got) == 0 {
				t.Fatal("no problem")
			}
			size := 0
			for _, p := range got {
				size += len(p.Message) + len(p.Path) + len(p.Hint)
			}
			if size > 400*len(content) {
				t.Errorf("%d characters of problems for %d of content", size, len(content))
			}
		})
	}
}

func FuzzCheck(f *testing.F) {
	for _, folder := range []string{"good", "broken"} {
		for name, content := range documents(f, folder) {
			if len(content) < 5000 {
				f.Add(content)
			} else if name == "document-251-actions" {
				f.Add(content[:2000])
			}
		}
	}
	f.Fuzz(func(t *testing.T, content string) {
		lines := strings.Split(content, "\n")
		inside := func(p Problem) {
			if p.Line < 1 || p.Line > len(lines) || p.Column < 1 || p.Column > utf8.RuneCountInString(lines[p.Line-1])+1 {
				t.Errorf("%+v is outside", p)
			}
		}
		for _, typ := range []Type{Detect(content), Module} {
			result := Check(content, typ)
			for i, p := range result.Problems {
				inside(p)
				if p.Message == "" || p.Rule == "" {
					t.Errorf("incomplete: %+v", p)
				}
				if i > 0 {
					if before := result.Problems[i-1]; p.Line < before.Line || p.Line == before.Line && p.Column < before.Column {
						t.Errorf("out of order: %+v before %+v", before, p)
					}
				}
			}
			for _, r := range result.References {
				inside(r.Problem)
			}
		}
	})
}

func BenchmarkCheck250Actions(b *testing.B) {
	var actions []string
	for i := range maxActions - 1 {
		actions = append(actions, fmt.Sprintf(`{"Identifier": "%[1]d", "Type": "GetParticipantInput",
			"Parameters": {"Text": "Dear $.Attributes.name, press 1 or 2.", "StoreInput": "False", "InputTimeLimitSeconds": "5"},
			"Transitions": {"NextAction": "end",
				"Errors": [{"NextAction": "end", "ErrorType": "NoMatchingError"}, {"NextAction": "end", "ErrorType": "NoMatchingCondition"},
					{"NextAction": "end", "ErrorType": "InputTimeLimitExceeded"}],
				"Conditions": [{"NextAction": "%[1]d", "Condition": {"Operator": "Equals", "Operands": ["1"]}},
					{"NextAction": "end", "Condition": {"Operator": "Equals", "Operands": ["2"]}}]}}`, i))
	}
	actions = append(actions, `{"Identifier": "end", "Type": "DisconnectParticipant", "Parameters": {}, "Transitions": {}}`)
	content := `{"Version": "2019-10-30", "StartAction": "0", "Actions": [` + strings.Join(actions, ",\n") + `]}`
	if p := Check(content, "CONTACT_FLOW").Problems; len(p) > 0 {
		b.Fatal(render(p))
	}
	b.SetBytes(int64(len(content)))
	b.ReportAllocs()
	for b.Loop() {
		Check(content, "CONTACT_FLOW")
	}
}
