package main

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

const (
	rightFlow = `{"Version": "2019-10-30", "StartAction": "end", "Metadata": {"type": "queueTransfer"},
 "Actions": [{"Identifier": "end", "Type": "TransferContactToAgent"}]}`
	wrongFlow = `{"Version": "2019-10-30", "StartAction": "say",
 "Actions": [
  {"Identifier": "say", "Type": "MessageParticipant", "Parameters": {"Txt": "Hello"}, "Transitions": {"NextAction": "end"}},
  {"Identifier": "end", "Type": "DisconnectParticipant"}]}`
	unservedFlow = `{"Version": "2019-10-30", "StartAction": "voice", "Actions": [
  {"Identifier": "voice", "Type": "StartVoiceIdStream", "Transitions": {"NextAction": "read", "Errors": [{"NextAction": "end", "ErrorType": "NoMatchingError"}]}},
  {"Identifier": "read", "Type": "ListDataTableValues", "Parameters": {"DataTableId": "table"}, "Transitions": {"NextAction": "end", "Errors": [{"NextAction": "end", "ErrorType": "NoMatchingError"}]}},
  {"Identifier": "end", "Type": "DisconnectParticipant"}]}`
)

func TestFlowCheck(t *testing.T) {
	dir := t.TempDir()
	t.Chdir(dir)
	for name, content := range map[string]string{"right.json": rightFlow, "wrong.json": wrongFlow} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	wrong := "wrong.json:3:69: At least one of [Text, SSML, PromptId, Media] must be set (action \"say\")\n" +
		"wrong.json:3:70: Invalid Action property name. Path: Actions[0].Parameters.Txt: " +
		"allowed are [PromptId, Text, SSML, Media, SkipWhenDTMFBufferEnabled] (action \"say\")\n"
	cases := []struct {
		name           string
		args           string
		stdin          string
		code           int
		stdout, stderr string // stderr: a part
	}{
		{"right", "right.json", "", 0, "right.json: no problems, as a QUEUE_TRANSFER\n", ""},
		{"wrong", "wrong.json", "", 1, wrong, "2 problems in a CONTACT_FLOW\n"},
		{"both", "right.json wrong.json", "", 1, "right.json: no problems, as a QUEUE_TRANSFER\n" + wrong, "2 problems in 1 of 2 files\n"},
		{
			"standard input as another type", "--type contact_flow -", rightFlow, 1,
			"stdin:2:44: Invalid Action type. Type: TransferContactToAgent: not supported in CONTACT_FLOW flows (action \"end\")\n",
			"1 problem in a CONTACT_FLOW\n",
		},
		{"a module may have any action", "--type MODULE -", rightFlow, 0, "stdin: no problems, as a MODULE\n", ""},
		{
			"what nothing serves is no error", "-", unservedFlow, 0,
			"stdin: no problems, as a CONTACT_FLOW\n" +
				"stdin:2:35: note: Nothing serves StartVoiceIdStream (Voice ID): the action takes its error branch (action \"voice\")\n", "",
		},
		{"no such file", "missing.json", "", 1, "", "missing.json"},
		{"no file", "", "", 2, "", "name the files"},
		{"unknown type", "--type WHISPER right.json", "", 2, "", "no type WHISPER"},
		{"unknown format", "--format xml right.json", "", 2, "", `not "xml"`},
		{"unknown flag", "--strict right.json", "", 2, "", "-strict"},
		{"flag after the files", "right.json --type MODULE", "", 2, "", "put --type before the files"},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			r := run(t, nil, c.stdin, append([]string{"flow", "check"}, strings.Fields(c.args)...)...)
			if r.code != c.code || r.stdout != c.stdout || !strings.Contains(r.stderr, c.stderr) || (c.stderr == "") != (r.stderr == "") {
				t.Errorf("%s", r)
			}
		})
	}
}

func TestFlowCheckJSON(t *testing.T) {
	r := run(t, nil, wrongFlow, "flow", "check", "--format", "json", "-")
	var got struct {
		Files []struct {
			File, Type string
			Problems   []struct {
				Message, Rule, Path, Action string
				Line, Column                int
			}
		}
	}
	if err := json.Unmarshal([]byte(r.stdout), &got); err != nil || r.code != 1 || len(got.Files) != 1 || len(got.Files[0].Problems) != 2 {
		t.Fatalf("%v %s", err, r)
	}
	p := got.Files[0].Problems[1]
	if p.Rule != "unknown-property" || p.Path != "Actions[0].Parameters.Txt" || p.Action != "say" || p.Line != 3 || p.Column != 70 {
		t.Errorf("%+v", p)
	}
	if r := succeed(t, nil, rightFlow, "flow", "check", "--format=json", "-"); !strings.Contains(r.stdout, `"problems": []`) || !strings.Contains(r.stdout, `"notes": []`) {
		t.Errorf("%s", r)
	}
}

func TestFlowHelp(t *testing.T) {
	for _, args := range []string{"flow help", "flow --help", "flow check --help"} {
		r := succeed(t, nil, "", strings.Fields(args)...)
		for _, want := range []string{"CUSTOMER_WHISPER", "MODULE", "exit code", "not checked whether"} {
			if !strings.Contains(r.stdout, want) {
				t.Errorf("%s does not say %q: %s", args, want, r)
			}
		}
	}
	for _, args := range []string{"flow", "flow lint"} {
		if r := run(t, nil, "", strings.Fields(args)...); r.code != 2 || !strings.Contains(r.stderr, "say check") {
			t.Errorf("%s: %s", args, r)
		}
	}
}
