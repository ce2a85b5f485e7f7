package main

import (
	"context"
	"encoding/json"
	"regexp"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/connect"
	"github.com/aws/aws-sdk-go-v2/service/connect/types"

	"ringdown/internal/server"
)

// callable is an instance with a flow and a number, on a running server.
type callable struct {
	*running
	client *connect.Client
	*demonstration
}

// newCallable serves an instance whose callees are simulated as the section says.
func newCallable(t *testing.T, flow, simulation string) *callable {
	t.Helper()
	r := serving(t, nil, "--config", file(t, "ringdown.yaml", simulation))
	client := r.rootClient(t, nil)
	d := &demonstration{p: &program{stdout: newTranscript(), getenv: func(string) string { return "" }}, ctx: t.Context(), client: client}
	for _, step := range []func() error{d.makeInstance, d.makeFlow, d.claimNumber} {
		if err := step(); err != nil {
			t.Fatal(err)
		}
	}
	if flow != "" {
		made, err := client.CreateContactFlow(t.Context(), &connect.CreateContactFlowInput{
			InstanceId: &d.instance, Name: aws.String("Short"), Type: types.ContactFlowTypeContactFlow, Content: &flow,
		})
		if err != nil {
			t.Fatal(err)
		}
		d.flow = *made.ContactFlowId
	}
	return &callable{r, client, d}
}

// TestContactTrace: what happened to a contact, told by the server that runs it.
func TestContactTrace(t *testing.T) {
	c := newCallable(t, "", "simulation:\n  speed: 0\n  callees: [{number: \"+1415555*\", press: [\"\", \"2\"]}]\n")
	id, err := c.call()
	if err != nil {
		t.Fatal(err)
	}
	got := succeed(t, nil, "", "contact", "trace", id, "--follow", "--data", c.data).stdout
	times := regexp.MustCompile(`(?m)^ *[0-9]+\.[0-9]{3}  | [0-9]+\.[0-9]{2}s\b| +(→|"True"|"2")`)
	for _, want := range []string{
		"Contact " + id, "voice started by the API to +14155550100 from " + c.source + " in instance demo-1",
		"INITIATED", "CONNECTED_TO_SYSTEM", "flow Welcome",
		`  greet: MessageParticipant "Hello Ann, this is ringdown."→ open`,
		`"True"→ menu`,
		`  menu: GetParticipantInput "For sales press 1, for support press 2.""2"→ support`,
		`→ thanks`, `  bye: DisconnectParticipant`, "DISCONNECTED", "COMPLETED",
		`attribute choice = "support"`, `attribute customer = "Ann"`, "CONTACT_FLOW_DISCONNECT",
	} {
		flat := times.ReplaceAllString(got, "$1")
		at := strings.Index(flat, want)
		if at < 0 {
			t.Fatalf("%q is not where it should be:\n%s", want, got)
		}
		got = flat[at+len(want):]
	}

	arn := c.instanceARN + "/contact/" + id
	var whole struct{ Contacts []server.Trace }
	if err := json.Unmarshal([]byte(succeed(t, nil, "", "contact", "trace", "--json", "--data", c.data, arn).stdout), &whole); err != nil {
		t.Fatal(err)
	}
	if len(whole.Contacts) != 1 || whole.Contacts[0].Contact.Reason != "CONTACT_FLOW_DISCONNECT" || len(whole.Contacts[0].Steps) < 10 || whole.Contacts[0].Waiting != nil {
		t.Errorf("as JSON it is %+v", whole)
	}
	list := succeed(t, nil, "", "contact", "list", "--data", c.data).stdout
	if !strings.Contains(list, id) || !strings.Contains(list, "CONTACT_FLOW_DISCONNECT") {
		t.Errorf("the list is %s", list)
	}
	var all []server.TracedContact
	if err := json.Unmarshal([]byte(succeed(t, nil, "", "contact", "list", "--json", "--limit", "1", "--data", c.data).stdout), &all); err != nil || len(all) != 1 || all[0].ID != id {
		t.Errorf("the list as JSON is %+v, %v", all, err)
	}
}

// pin is a flow that asks for a number to be stored, and says it again.
const pin = `{"Version":"2019-10-30","StartAction":"ask","Actions":[
{"Identifier":"ask","Type":"GetParticipantInput","Parameters":{"Text":"Your number?","InputTimeLimitSeconds":"5","StoreInput":"True","InputValidation":{"CustomValidation":{"MaximumLength":"10"}}},
 "Transitions":{"NextAction":"repeat","Errors":[{"ErrorType":"NoMatchingError","NextAction":"bye"}]}},
{"Identifier":"repeat","Type":"MessageParticipant","Parameters":{"Text":"It is $.StoredCustomerInput"},"Transitions":{"NextAction":"bye","Errors":[{"ErrorType":"NoMatchingError","NextAction":"bye"}]}},
{"Identifier":"bye","Type":"DisconnectParticipant","Parameters":{},"Transitions":{}}]}`

// TestContactTraceSecrets: what a customer has typed in to be stored is not
// shown.
func TestContactTraceSecrets(t *testing.T) {
	c := newCallable(t, pin, "simulation:\n  speed: 0\n  callees: [{number: \"+*\", press: [\"7391026458\"]}]\n")
	id, err := c.call()
	if err != nil {
		t.Fatal(err)
	}
	shown := succeed(t, nil, "", "contact", "trace", id, "--follow", "--data", c.data).stdout
	shown += succeed(t, nil, "", "contact", "trace", id, "--json", "--data", c.data).stdout
	if strings.Contains(shown, "7391026458") || !strings.Contains(shown, "repeat: MessageParticipant") {
		t.Errorf("the PIN is shown, or nothing is: %s", shown)
	}
}

// TestContactTraceLive: a contact that waits says for what, and --follow ends
// with it.
func TestContactTraceLive(t *testing.T) {
	c := newCallable(t, "", "simulation:\n  callees: [{number: \"+*\", answer: no-answer}]\n")
	id, err := c.call()
	if err != nil {
		t.Fatal(err)
	}
	if got := succeed(t, nil, "", "contact", "trace", id, "--data", c.data).stdout; !strings.Contains(got, "now waits for an answer of +14155550100, since 0.000\n") {
		t.Errorf("before the answer: %s", got)
	}
	followed := newTranscript()
	ended := make(chan struct{})
	code := -1
	go func() {
		defer close(ended)
		p := &program{strings.NewReader(""), followed, followed, func(string) string { return "" }}
		code = p.main(context.WithoutCancel(t.Context()), []string{"contact", "trace", id, "--follow", "--data", c.data})
	}()
	if !followed.waitFor("INITIATED", ended) {
		t.Fatalf("nothing is told: %s", followed)
	}
	if _, err := c.client.StopContact(t.Context(), &connect.StopContactInput{InstanceId: &c.instance, ContactId: &id}); err != nil {
		t.Fatal(err)
	}
	<-ended
	if got := followed.String(); code != 0 || !strings.Contains(got, "DISCONNECTED") || !strings.Contains(got, ": OTHER\n") {
		t.Errorf("code %d: %s", code, got)
	}
}

// TestContactMistakes: what went wrong is said, and by the exit code.
func TestContactMistakes(t *testing.T) {
	r := serving(t, nil)
	id := "11111111-2222-4333-8444-555555555555"
	stopped := t.TempDir()
	s := serving(t, nil, "--data", stopped)
	s.stop(t)
	for _, c := range []struct {
		args []string
		code int
		want string
	}{
		{[]string{}, 2, "say trace or list"},
		{[]string{"show"}, 2, `there is no "show"`},
		{[]string{"trace"}, 2, "give the id of one contact"},
		{[]string{"trace", id, id}, 2, "give the id of one contact"},
		{[]string{"trace", "nonsense", "--data", r.data}, 2, `"nonsense" is neither the id nor the ARN of a contact`},
		{[]string{"trace", "--fast", id}, 2, "-fast"},
		{[]string{"trace", id, "--data", r.data}, 1, "there is no such contact: " + id},
		{[]string{"trace", id, "--json", "--data", r.data}, 1, "there is no such contact: " + id},
		{[]string{"trace", id, "--data", t.TempDir()}, 1, `start "ringdown serve" first`},
		{[]string{"trace", id, "--data", stopped, "--listen", "127.0.0.1:1"}, 1, "no server answers at http://127.0.0.1:1"},
		{[]string{"list", "--limit", "0"}, 2, "--limit must be at least 1"},
		{[]string{"list", "--data", stopped, "--listen", "127.0.0.1:1"}, 1, "no server answers at http://127.0.0.1:1"},
	} {
		if got := run(t, nil, "", append([]string{"contact"}, c.args...)...); got.code != c.code || !strings.Contains(got.stderr, c.want) || got.stdout != "" {
			t.Errorf("contact %v: %s", c.args, got)
		}
	}
	if got := succeed(t, nil, "", "contact", "list", "--data", r.data); !strings.Contains(got.stderr, "There are no contacts yet.") {
		t.Errorf("an empty list: %s", got)
	}
	if got := succeed(t, nil, "", "contact", "--help"); !strings.Contains(got.stdout, "--follow") {
		t.Errorf("help: %s", got)
	}
}
