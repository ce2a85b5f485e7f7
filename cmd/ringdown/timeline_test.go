package main

import (
	"context"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"ringdown/internal/server"
)

// tales is a tracer that tells what it was given, a run at a time.
type tales map[string][]*server.Trace

func (t tales) Trace(_ context.Context, id string, from int64, _ bool) (*server.Trace, error) {
	runs := t[id]
	if runs == nil {
		return nil, server.ErrNoContact
	}
	return runs[from], nil
}

// noon is when contacts begin, at is some milliseconds later.
var noon = time.Date(2026, 1, 31, 12, 0, 0, 0, time.UTC)

func at(milliseconds int) time.Time { return noon.Add(time.Duration(milliseconds) * time.Millisecond) }

const (
	firstID  = "11111111-2222-4333-8444-00000000000a"
	secondID = "11111111-2222-4333-8444-00000000000b"
)

// transferred is a contact that goes through a module and is transferred to a
// queue, in two runs, and the contact that follows it and is still live.
func transferred() tales {
	main := server.TraceStep{FlowID: "f1", FlowName: "Main", FlowType: "CONTACT_FLOW"}
	module := server.TraceStep{FlowID: "m1", FlowName: "Greeting", FlowType: "MODULE", Depth: 1}
	queue := server.TraceStep{FlowID: "f2", FlowName: "Default customer queue", FlowType: "CUSTOMER_QUEUE"}
	step := func(in server.TraceStep, began, ended int, action, typ, next string, change func(*server.TraceStep)) server.TraceStep {
		in.Began, in.At, in.Action, in.Type, in.Next = at(began), at(ended), action, typ, next
		if change != nil {
			change(&in)
		}
		return in
	}
	first := server.TracedContact{
		ID: firstID, InstanceAlias: "acme", Channel: "VOICE", Method: "API", Customer: "+14155550100", System: "+12015550100", Initiated: noon,
	}
	over := first
	over.Disconnected, over.Completed, over.Reason, over.NextIDs = at(65_500), at(65_500), "TELECOM_PROBLEM", []string{secondID, secondID}
	second := server.TracedContact{ID: secondID, Channel: "VOICE", Method: "QUEUE_TRANSFER", PreviousID: firstID, Initiated: noon, Queue: "Sales", Enqueued: noon}
	return tales{
		firstID: {
			{Contact: first, Next: 1, More: true, Steps: []server.TraceStep{
				{At: noon, Event: "INITIATED"},
				step(main, 1000, 1000, "call", "InvokeFlowModule", "Greeting", func(s *server.TraceStep) {
					s.Parameters = map[string]any{"FlowModuleId": "arn:aws:connect:us-east-1:123456789012:instance/11111111-2222-4333-8444-555555555555/flow-module/11111111-2222-4333-8444-00000000000c"}
					s.Note = "The module begins."
				}),
				step(module, 1000, 3500, "hello", "MessageParticipant", "end", func(s *server.TraceStep) {
					s.Parameters = map[string]any{"Text": "Good\nday \x1b[2J" + strings.Repeat("and welcome ", 20)}
				}),
				step(module, 3500, 3500, "end", "EndFlowModuleExecution", "", func(s *server.TraceStep) { s.Note = "The module ends." }),
			}},
			{Contact: over, Next: 2, Attributes: map[string]string{"tier": "gold\x07"}, Steps: []server.TraceStep{
				step(main, 1000, 3500, "call", "InvokeFlowModule", "menu", nil),
				step(main, 3500, 65_000, "menu", "GetParticipantInput", "11111111-2222-4333-8444-00000000000d", func(s *server.TraceStep) {
					s.Parameters = map[string]any{"StoreInput": "False", "InputValidation": map[string]any{"n": 1}}
					s.Result, s.Error = "Timeout", "InputTimeLimitExceeded"
				}),
				{At: at(65_100), Event: "CONTACT_DATA_UPDATED", Updated: []string{"UserDefinedAttributes", "Tags"}},
				step(queue, 65_100, 65_200, "loop", "MessageParticipantIteratively", "", nil),
				{At: at(65_300), Began: at(65_300), Note: "The server was restarted, which ended the call."},
				{At: at(65_500), Event: "DISCONNECTED"},
			}},
		},
		secondID: {{
			Contact: second,
			Waiting: []server.TraceWaiting{
				{FlowName: "Default customer queue", Action: "loop", For: "the end of what is said", Since: at(1000), Until: at(9000)},
				{For: "an agent, in the queue Sales"},
			},
		}},
	}
}

const timelineWant = `
Contact 11111111-2222-4333-8444-00000000000a
voice started by the API to +14155550100 from +12015550100 in instance acme
began 2026-01-31 12:00:00.000Z
    0.000  INITIATED
    1.000  flow Main
    1.000    call: InvokeFlowModule FlowModuleId=flow-module/…0000000c
               → Greeting (The module begins.)
    1.000    module Greeting
    1.000      hello: MessageParticipant "Good day [2Jand welcome and welcome and welco… 2.50s → end
    3.500      end: EndFlowModuleExecution                             (The module ends.)
    1.000    call: InvokeFlowModule                                    2.50s → menu
    3.500    menu: GetParticipantInput InputValidation={"n":1} StoreInput=False
               1m2s "Timeout" error InputTimeLimitExceeded → …0000000d
   65.100  CONTACT_DATA_UPDATED: UserDefinedAttributes, Tags
   65.100  flow Default customer queue (CUSTOMER_QUEUE)
   65.100    loop: MessageParticipantIteratively                       0.10s
   65.300    The server was restarted, which ended the call.
   65.500  DISCONNECTED
           attribute tier = "gold"
ended after 1m6s: TELECOM_PROBLEM

    Contact 11111111-2222-4333-8444-00000000000b
    voice transfer to a queue
    began 2026-01-31 12:00:00.000Z, follows 11111111-2222-4333-8444-00000000000a
               queue Sales
    now waits for the end of what is said, since 1.000, until 9.000 (flow Default customer queue, a…
    now waits for an agent, in the queue Sales
`

// TestTimeline: a trace as people see it, in no more than its width, whatever
// texts and ids are in it.
func TestTimeline(t *testing.T) {
	var b strings.Builder
	if err := newTimeline(&b, false).trace(t.Context(), transferred(), firstID, false); err != nil {
		t.Fatal(err)
	}
	if got := "\n" + b.String(); got != timelineWant {
		t.Errorf("it is%s\nwant%s", got, timelineWant)
	}
	for line := range strings.Lines(b.String()) {
		if n := utf8.RuneCountInString(strings.TrimSuffix(line, "\n")); n > lineWidth {
			t.Errorf("%d characters: %s", n, line)
		}
	}
}

// TestTimelineColours: colours change nothing else.
func TestTimelineColours(t *testing.T) {
	var b strings.Builder
	if err := newTimeline(&b, true).trace(t.Context(), transferred(), firstID, false); err != nil {
		t.Fatal(err)
	}
	coloured := b.String()
	if !strings.Contains(coloured, red+"    3.500    menu:") || !strings.Contains(coloured, bold+"    1.000  flow Main"+plain) {
		t.Errorf("errors are not red, or flows not bold: %s", coloured)
	}
	if got := "\n" + strings.NewReplacer(bold, "", faint, "", red, "", plain, "").Replace(coloured); got != timelineWant {
		t.Errorf("without its colours it is%s\nwant%s", got, timelineWant)
	}
}
