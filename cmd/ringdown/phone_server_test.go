package main

import (
	"context"
	"encoding/json"
	"path/filepath"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/connect"

	"ringdown/internal/audio"
	"ringdown/internal/server"
)

// keypad is a flow that asks for a key and remembers whether it was 5.
const keypad = `{"Version":"2019-10-30","StartAction":"ask","Actions":[
{"Identifier":"ask","Type":"GetParticipantInput","Parameters":{"Text":"Press five to go on, or anything else to end the call.","InputTimeLimitSeconds":"10","StoreInput":"False"},
 "Transitions":{"NextAction":"bye","Conditions":[{"NextAction":"five","Condition":{"Operator":"Equals","Operands":["5"]}}],
 "Errors":[{"ErrorType":"InputTimeLimitExceeded","NextAction":"bye"},{"ErrorType":"NoMatchingCondition","NextAction":"bye"},{"ErrorType":"NoMatchingError","NextAction":"bye"}]}},
{"Identifier":"five","Type":"UpdateContactAttributes","Parameters":{"Attributes":{"choice":"five"},"TargetContact":"Current"},
 "Transitions":{"NextAction":"bye","Errors":[{"ErrorType":"NoMatchingError","NextAction":"bye"}]}},
{"Identifier":"bye","Type":"DisconnectParticipant","Parameters":{},"Transitions":{}}]}`

// ending waits for the end of a contact, and returns its reason and its attributes.
func (c *callable) ending(t *testing.T, id string) (reason, trace string) {
	t.Helper()
	trace = succeed(t, nil, "", "contact", "trace", id, "--follow", "--data", c.data).stdout
	described, err := c.client.DescribeContact(t.Context(), &connect.DescribeContactInput{InstanceId: &c.instance, ContactId: &id})
	if err != nil {
		t.Fatal(err)
	}
	return aws.ToString(described.Contact.DisconnectReason), trace
}

// TestPhoneAndServer: the phone calls a number of a server and is called by it, and
// the contacts are what the phone has done.
func TestPhoneAndServer(t *testing.T) {
	c := newCallable(t, keypad, "")
	if err := c.claimNumber(); err != nil { // one that leads to the keypad
		t.Fatal(err)
	}
	t.Run("dial", func(t *testing.T) {
		saved := filepath.Join(t.TempDir(), "heard.wav")
		got := succeed(t, nil, "", "phone", "dial", c.source, "--data", c.data, "--type", "5", "--after", "3s", "--save", saved)
		inOrder(t, got.stdout, "calling "+c.source, "answered\n", "pressed 5\n", "ended: hung up there\n")
		clip, err := audio.ReadClip([]byte(mustRead(t, saved)))
		if err != nil {
			t.Fatal(err)
		}
		if audio.Level(clip.Samples()) < -50 {
			t.Errorf("in %v nothing was heard", clip.Duration())
		}
		var all []server.TracedContact
		if err := json.Unmarshal([]byte(succeed(t, nil, "", "contact", "list", "--json", "--data", c.data).stdout), &all); err != nil || len(all) != 1 {
			t.Fatalf("the contacts are %+v, %v", all, err)
		}
		if reason, trace := c.ending(t, all[0].ID); reason != "CONTACT_FLOW_DISCONNECT" || !strings.Contains(trace, `attribute choice = "five"`) {
			t.Errorf("the contact ended with %s:\n%s", reason, trace)
		}
	})
	t.Run("a number that leads nowhere", func(t *testing.T) {
		got := run(t, nil, "", "phone", "dial", "+12015550999", "--data", c.data)
		if got.code != 1 || !strings.Contains(got.stderr, "there is no such number (404)") {
			t.Error(got)
		}
	})
	for name, w := range map[string]struct {
		args   []string
		reason string
		choice bool
		told   string
	}{
		"wait":      {[]string{"--answer-after", "0s", "--type", "5", "--after", "300ms"}, "CONTACT_FLOW_DISCONNECT", true, "ended: hung up there\n"},
		"other key": {[]string{"--answer-after", "0s", "--type", "7", "--after", "300ms"}, "CONTACT_FLOW_DISCONNECT", false, "ended: hung up there\n"},
		"hang up":   {[]string{"--answer-after", "0s", "--for", "300ms"}, "CUSTOMER_DISCONNECT", false, "ended: hung up here\n"},
		"busy":      {[]string{"--busy"}, "TELECOM_BUSY", false, "refused here: busy (486)\n"},
	} {
		t.Run(name, func(t *testing.T) {
			const number = "+14155550177"
			out, ended, code := newTranscript(), make(chan struct{}), -1
			ctx, cancel := context.WithTimeout(context.Background(), phonePatience)
			defer cancel()
			go func() {
				defer close(ended)
				p := &program{strings.NewReader(""), out, out, func(string) string { return "" }}
				code = p.main(ctx, append([]string{"phone", "wait", "--data", c.data, "--number", number}, w.args...))
			}()
			if !out.waitFor("registered at ", ended) {
				t.Fatalf("it does not register: %s", out)
			}
			started, err := c.client.StartOutboundVoiceContact(t.Context(), &connect.StartOutboundVoiceContactInput{
				InstanceId: &c.instance, ContactFlowId: &c.flow, SourcePhoneNumber: &c.source, DestinationPhoneNumber: aws.String(number),
			})
			if err != nil {
				t.Fatal(err)
			}
			<-ended
			if code != 0 || !strings.Contains(out.String(), "called by "+c.source) || !strings.Contains(out.String(), w.told) {
				t.Errorf("code %d: %s", code, out)
			}
			if reason, trace := c.ending(t, *started.ContactId); reason != w.reason || strings.Contains(trace, `attribute choice = "five"`) != w.choice {
				t.Errorf("the contact ended with %s, want %s:\n%s\nthe phone: %s", reason, w.reason, trace, out)
			}
		})
	}
}
