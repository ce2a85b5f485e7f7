package main

import (
	"encoding/xml"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"testing"
)

const testedFlow = `{"Version": "2019-10-30", "StartAction": "ask", "Metadata": {}, "Actions": [
 {"Identifier": "ask", "Type": "InvokeLambdaFunction", "Parameters": {"LambdaFunctionARN": "greeter", "InvocationTimeLimitSeconds": "3"},
  "Transitions": {"NextAction": "say", "Errors": [{"ErrorType": "NoMatchingError", "NextAction": "say"}]}},
 {"Identifier": "say", "Type": "MessageParticipant", "Parameters": {"Text": "Hello $.External.name."},
  "Transitions": {"NextAction": "end", "Errors": [{"ErrorType": "NoMatchingError", "NextAction": "end"}]}},
 {"Identifier": "end", "Type": "DisconnectParticipant", "Parameters": {}, "Transitions": {}}]}`

const flowTestFile = `name: Greets by name
flow: greet.json
functions: {greeter: URL}
test:
  Version: 2025-06-21
  Metadata: {}
  Observations:
    - Identifier: begin
      Event: {Identifier: a, Type: TestInitiated, Actor: System, Properties: {}}
      Transitions: {NextObservations: [hello]}
    - Identifier: hello
      Event: {Identifier: b, Type: MessageReceived, Actor: System, Properties: {Text: Hello WHO.}}
`

const contentAlone = `{"Version": "2025-06-21", "Observations": [
 {"Identifier": "hello",
  "Event": {"Type": "MessageReceived", "Actor": "System", "Properties": {"Text": "Good morning."}}}]}`

func TestFlowTest(t *testing.T) {
	function := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { _, _ = w.Write([]byte(`{"name":"Ann"}`)) }))
	defer function.Close()
	t.Chdir(t.TempDir())
	file := strings.ReplaceAll(flowTestFile, "URL", function.URL)
	for name, content := range map[string]string{
		"greet.json": testedFlow, "right.yaml": strings.ReplaceAll(file, "WHO", "Ann"), "wrong.yaml": strings.ReplaceAll(file, "WHO", "Bob"),
		"alone.json": contentAlone, "broken.yaml": "flow: nowhere.json\nhours: {office: ajar}\ntest: {Version: x}\n", "typo.yaml": "flows: greet.json\nflaw: x\n",
	} {
		if err := os.WriteFile(name, []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	cases := []struct {
		name, args string
		code       int
		want       []string // parts of what is printed
	}{
		{"right", "right.yaml", 0, []string{"ok   right.yaml: Greets by name (0.7 s)\n"}},
		{"verbose", "--verbose right.yaml", 0, []string{"0.7  system    \"Hello Ann.\"\n", "0.0  flow      InvokeLambdaFunction (ask)\n", "test      observed hello\n"}},
		{"wrong", "right.yaml wrong.yaml", 1, []string{
			"FAIL wrong.yaml: Greets by name", "wrong.yaml:11: hello: Expected the message \"Hello Bob.\". There came instead: \"Hello Ann.\" at 0:00.7.", "1 of 2 tests failed",
		}},
		{"the content of a test case", "--flow greet.json alone.json", 1, []string{"alone.json:2: hello: Expected the message \"Good morning.\"", "\"Hello .\""}},
		{"without its flow", "alone.json", 1, []string{"say with --flow which flow"}},
		{"broken", "broken.yaml", 1, []string{"say open or closed of office", "nowhere.json", "Observations"}},
		{"a typing error", "typo.yaml", 1, []string{"flaw"}},
		{"no such file", "missing.yaml", 1, []string{"missing.yaml"}},
		{"no file", "", 2, []string{"name the files"}},
		{"flag after the files", "right.yaml --verbose", 2, []string{"put --verbose before the files"}},
		{"unknown flag", "--strict right.yaml", 2, []string{"-strict"}},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			r := run(t, nil, "", append([]string{"flow", "test"}, strings.Fields(c.args)...)...)
			for _, want := range c.want {
				if !strings.Contains(r.stdout+r.stderr, want) {
					t.Errorf("it does not say %q", want)
				}
			}
			if r.code != c.code || t.Failed() {
				t.Errorf("%s", r)
			}
		})
	}
}

func TestFlowTestJUnit(t *testing.T) {
	t.Chdir(t.TempDir())
	for name, content := range map[string]string{"greet.json": testedFlow, "alone.json": contentAlone} {
		if err := os.WriteFile(name, []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if r := run(t, nil, "", "flow", "test", "--flow", "greet.json", "--junit", "report.xml", "alone.json"); r.code != 1 {
		t.Fatalf("%s", r)
	}
	raw, err := os.ReadFile("report.xml")
	if err != nil {
		t.Fatal(err)
	}
	var got junitSuite
	if err := xml.Unmarshal(raw, &got); err != nil {
		t.Fatal(err)
	}
	if got.Tests != 1 || got.Failures != 1 || len(got.Cases) != 1 || got.Cases[0].Class != "alone.json" || got.Cases[0].Failure == nil ||
		!strings.Contains(got.Cases[0].Failure.Message, "alone.json:2: hello") {
		t.Errorf("%s", raw)
	}
}
