package main

import (
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/connect"
	"github.com/aws/aws-sdk-go-v2/service/connect/types"

	"ringdown/internal/audio"
)

// bucket is where the prompts are.
const bucket = "sounds"

// prompts are tones, so that whoever hears one knows which it is.
var prompts = []struct {
	name string
	hz   float64
	long time.Duration
}{
	{"hello", 700, 400 * time.Millisecond},
	{"menu", 1000, 200 * time.Millisecond},
	{"bye", 1300, 200 * time.Millisecond},
	{"welcome", 700, 3 * time.Second},
	{"first", 1000, 500 * time.Millisecond},
	{"second", 1300, 500 * time.Millisecond},
	{"long", 1600, 30 * time.Second},
	{"holding", 1200, 5 * time.Second},
}

// sounds writes what callers say, without header, as sipp wants it: voice.ul and
// voice.al, and a second of each key of the menu. The prompts go to where the server
// finds them.
func sounds(_ context.Context, args []string) error {
	f := flag.NewFlagSet("sounds", flag.ExitOnError)
	data := f.String("data", "", "data `folder` of the server")
	_ = f.Parse(args) // ExitOnError
	voice, err := audio.ReadClip(audio.Play([]audio.Note{{Tones: []float64{400}, Length: 2 * time.Second}}))
	if err != nil {
		return err
	}
	files := map[string][]byte{"voice.ul": voice.Encoded(audio.MuLaw), "voice.al": voice.Encoded(audio.ALaw)}
	for i := range choices {
		key := fmt.Sprint(i + 1)
		files["key"+key+".ul"] = audio.DTMFClip(key).Encoded(audio.MuLaw)
	}
	folder := filepath.Join(*data, "objects", bucket)
	if err := os.MkdirAll(folder, 0o700); err != nil {
		return err
	}
	for _, p := range prompts {
		files[filepath.Join(folder, p.name+".wav")] = audio.Play([]audio.Note{{Tones: []float64{p.hz}, Length: p.long}})
	}
	for name, content := range files {
		if err := os.WriteFile(name, content, 0o600); err != nil {
			return err
		}
	}
	return nil
}

// lines are the numbers of the instance, and the flows of each. The configuration
// file has the numbers.
var lines = []struct{ flow, number string }{
	{"menu", "+14155550101"},
	{"talk", "+14155550102"},
	{"holding", "+14155550103"},
	{"campaign", "+14155550104"},
}

// setup makes an instance with prompts, flows and numbers.
func setup(ctx context.Context, args []string) error {
	var a api
	a.parse(a.flags("setup"), args)
	made, err := a.client.CreateInstance(ctx, &connect.CreateInstanceInput{
		IdentityManagementType: types.DirectoryTypeConnectManaged, InstanceAlias: aws.String("calls"),
		InboundCallsEnabled: aws.Bool(true), OutboundCallsEnabled: aws.Bool(true),
	})
	if err != nil {
		return err
	}
	fmt.Printf("instance=%s\n", *made.Id)
	ids := map[string]string{}
	for _, p := range prompts {
		prompt, err := a.client.CreatePrompt(ctx, &connect.CreatePromptInput{
			InstanceId: made.Id, Name: aws.String(p.name), S3Uri: aws.String("s3://" + bucket + "/" + p.name + ".wav"),
		})
		if err != nil {
			return fmt.Errorf("prompt %s: %w", p.name, err)
		}
		ids[p.name] = *prompt.PromptARN
	}
	for _, l := range lines {
		content, err := json.Marshal(flows(ids)[l.flow])
		if err != nil {
			return err
		}
		flow, err := a.client.CreateContactFlow(ctx, &connect.CreateContactFlowInput{
			InstanceId: made.Id, Name: aws.String(l.flow), Type: types.ContactFlowTypeContactFlow, Content: aws.String(string(content)),
		})
		if err != nil {
			return fmt.Errorf("flow %s: %w", l.flow, err)
		}
		number, err := a.client.ClaimPhoneNumber(ctx, &connect.ClaimPhoneNumberInput{TargetArn: made.Arn, PhoneNumber: aws.String(l.number)})
		if err != nil {
			return fmt.Errorf("number %s: %w", l.number, err)
		}
		if _, err := a.client.AssociatePhoneNumberContactFlow(ctx, &connect.AssociatePhoneNumberContactFlowInput{
			InstanceId: made.Id, PhoneNumberId: number.PhoneNumberId, ContactFlowId: flow.ContactFlowId,
		}); err != nil {
			return fmt.Errorf("number %s: %w", l.number, err)
		}
		fmt.Printf("%s_flow=%s\n%s_number=%s\n", l.flow, *flow.ContactFlowId, l.flow, l.number)
	}
	return nil
}

// The flow language, as far as these flows need it.
type (
	flow struct {
		Version     string
		StartAction string
		Actions     []action
	}
	action struct {
		Identifier  string
		Type        string
		Parameters  map[string]any
		Transitions transitions
	}
	transitions struct {
		NextAction string      `json:",omitempty"`
		Conditions []condition `json:",omitempty"`
		Errors     []failure   `json:",omitempty"`
	}
	condition struct {
		NextAction string
		Condition  comparison
	}
	comparison struct {
		Operator string
		Operands []string
	}
	failure struct{ NextAction, ErrorType string }
)

func say(id, prompt, next string) action {
	return action{id, "MessageParticipant", map[string]any{"PromptId": prompt}, transitions{
		NextAction: next, Errors: []failure{{"end", "NoMatchingError"}},
	}}
}

// ask waits for one key of some, each with where it leads.
func ask(id, prompt, seconds, otherwise string, keys map[string]string) action {
	t := transitions{NextAction: otherwise, Errors: []failure{
		{otherwise, "InputTimeLimitExceeded"}, {otherwise, "NoMatchingCondition"}, {otherwise, "NoMatchingError"},
	}}
	for _, key := range []string{"1", "2", "3"} {
		if next := keys[key]; next != "" {
			t.Conditions = append(t.Conditions, condition{next, comparison{"Equals", []string{key}}})
		}
	}
	return action{id, "GetParticipantInput", map[string]any{"PromptId": prompt, "InputTimeLimitSeconds": seconds, "StoreInput": "False"}, t}
}

func note(id, key, value, next string) action {
	return action{id, "UpdateContactAttributes", map[string]any{"Attributes": map[string]string{key: value}, "TargetContact": "Current"}, transitions{
		NextAction: next, Errors: []failure{{"end", "NoMatchingError"}},
	}}
}

func document(actions ...action) flow {
	end := action{"end", "DisconnectParticipant", map[string]any{}, transitions{}}
	return flow{"2019-10-30", actions[0].Identifier, append(actions, end)}
}

// flows are those of lines, by name.
func flows(prompt map[string]string) map[string]flow {
	menu := func(first ...action) flow {
		keys := map[string]string{}
		for i, c := range choices {
			keys[fmt.Sprint(i+1)] = c
		}
		actions := append(first, ask("menu", prompt["menu"], "5", "none", keys), note("none", "choice", "none", "bye"))
		for _, c := range choices {
			actions = append(actions, note(c, "choice", c, "bye"))
		}
		return document(append(actions, say("bye", prompt["bye"], "end"))...)
	}
	return map[string]flow{
		"menu":     menu(say("hello", prompt["hello"], "menu")),
		"campaign": menu(note("campaign", "campaign", "$.Media.Sip.Headers.X-Campaign", "hello"), say("hello", prompt["hello"], "menu")),
		"holding":  menu(say("hello", prompt["hello"], "holding"), say("holding", prompt["holding"], "menu")),
		"talk": document(
			say("welcome", prompt["welcome"], "first"),
			ask("first", prompt["first"], "60", "end", map[string]string{"1": "pressed"}),
			note("pressed", "first", "1", "second"),
			ask("second", prompt["second"], "60", "end", map[string]string{"2": "again"}),
			note("again", "second", "2", "long"),
			say("long", prompt["long"], "end"),
		),
	}
}
