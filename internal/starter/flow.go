package starter

import (
	"bytes"
	"embed"
	"encoding/json"
	"fmt"
	"regexp"
	"strings"
	"sync"
)

// documents holds what each flow does: Version, StartAction and Actions of
// the flow language (administrator guide, "Flow language"), one file a flow.
// Metadata is made from the actions, so that no position is kept by hand.
//
// Where an action needs a resource of the instance, the file has a
// placeholder: {{prompt NAME}}, {{flow NAME}}, {{basicQueue}} or
// {{sampleFunction}}. It stands inside a JSON string, so that the files are
// valid JSON as they are.
//
//go:embed flows/*.json
var documents embed.FS

// Refs gives the ARNs of the resources that flow documents name. Flows name
// each other in circles, so all of them need their ids before the first
// document is made.
type Refs struct {
	Prompt     func(name string) string // called with names of Prompts only
	Flow       func(name string) string // called with names of Flows only
	BasicQueue string
	// SampleFunction is the Lambda function that "Sample Lambda integration"
	// invokes. It need not exist: the flow then says that nothing was found.
	SampleFunction string
}

// Flow is a flow of a new instance; it is published and active.
type Flow struct {
	Name        string
	Type        string // a ContactFlowType
	Description string // may be empty
	// Default marks the eight flows that Amazon Connect runs when nothing else
	// is chosen. They may be edited, never deleted.
	Default bool
}

// flows lists the flows with the names and types that exports of real
// instances show. Descriptions of default flows are the service's, where
// known; those of samples are ours.
var flows = []Flow{
	{Name: "Default agent hold", Type: "AGENT_HOLD", Default: true},
	{Name: "Default agent transfer", Type: "AGENT_TRANSFER", Default: true},
	{Name: "Default agent whisper", Type: "AGENT_WHISPER", Default: true},
	{Name: "Default customer hold", Type: "CUSTOMER_HOLD", Default: true, Description: "Default audio the customer hears while on hold."},
	{Name: "Default customer queue", Type: "CUSTOMER_QUEUE", Default: true, Description: "Default audio played when a customer is waiting in queue."},
	{Name: "Default customer whisper", Type: "CUSTOMER_WHISPER", Default: true, Description: "Default whisper played to the customer"},
	{Name: "Default outbound", Type: "OUTBOUND_WHISPER", Default: true, Description: "Default flow for outbound calls."},
	{Name: "Default queue transfer", Type: "QUEUE_TRANSFER", Default: true, Description: "Default flow used to transfer to a queue."},

	{Name: "Sample AB test", Type: "CONTACT_FLOW", Description: "Splits contacts by percentage, as a throw of two dice would."},
	{Name: "Sample disconnect flow", Type: "CONTACT_FLOW", Description: "What follows when the agent has left: a survey for callers, a way back to the queue for chats and tasks."},
	{Name: "Sample inbound flow (first contact experience)", Type: "CONTACT_FLOW", Description: "A first menu that leads to the other samples."},
	{Name: "Sample interruptible queue flow with callback", Type: "CUSTOMER_QUEUE", Description: "Interrupts the queue music every thirty seconds to offer a call back."},
	{Name: "Sample Lambda integration", Type: "CONTACT_FLOW", Description: "Looks the customer up with a Lambda function."},
	{Name: "Sample note for screenpop", Type: "CONTACT_FLOW", Description: "Sets an attribute that the agent's application shows as a note."},
	{Name: "Sample queue configurations flow", Type: "CONTACT_FLOW", Description: "Changes a caller's place in the queue, tells the wait and offers a call back."},
	{Name: "Sample queue customer", Type: "CONTACT_FLOW", Description: "Queues the customer during the hours of operation."},
	{Name: "Sample recording behavior", Type: "CONTACT_FLOW", Description: "Lets a caller choose who is recorded."},
	{Name: "Sample secure input with agent", Type: "QUEUE_TRANSFER", Description: "Takes a caller's digits while the agent is on hold. Encrypt the input before using it for real cards."},
	{Name: "Sample secure input with no agent", Type: "CONTACT_FLOW", Description: "Takes a caller's digits before any agent is there. Encrypt the input before using it for real cards."},
}

// Flows are the flows of a new instance: eight defaults, then eleven samples.
func Flows() []Flow {
	return append([]Flow(nil), flows...)
}

// Content is the flow's document as DescribeContactFlow returns it: compact
// JSON, Version "2019-10-30", valid for the flow's type, with the ARNs of refs
// in place of the placeholders. It panics for a Flow that did not come from
// Flows.
func (f Flow) Content(refs Refs) string {
	template, ok := templates()[f.Name]
	if !ok {
		panic(fmt.Sprintf("starter: no document for a flow called %q", f.Name))
	}
	return placeholder.ReplaceAllStringFunc(template, func(match string) string {
		parts := placeholder.FindStringSubmatch(match)
		var arn string
		switch kind, name := parts[1], parts[2]; kind {
		case "prompt":
			arn = refs.Prompt(name)
		case "flow":
			arn = refs.Flow(name)
		case "basicQueue":
			arn = refs.BasicQueue
		case "sampleFunction":
			arn = refs.SampleFunction
		}
		return quoted(arn)
	})
}

var placeholder = regexp.MustCompile(`\{\{(prompt|flow|basicQueue|sampleFunction)(?: ([^{}]+))?\}\}`)

// quoted is s as it stands inside a JSON string.
func quoted(s string) string {
	encoded := encode(s)
	return encoded[1 : len(encoded)-1]
}

// encode leaves <, > and & as they are: they are common in SSML, and a
// document is not HTML. It is given only strings and the types of this file,
// none of which can fail.
func encode(value any) string {
	var buffer bytes.Buffer
	encoder := json.NewEncoder(&buffer)
	encoder.SetEscapeHTML(false)
	if err := encoder.Encode(value); err != nil {
		panic(fmt.Sprintf("starter: encode %T: %v", value, err))
	}
	return strings.TrimSuffix(buffer.String(), "\n")
}

// templates maps a flow's name to its complete document with placeholders
// left in. The documents are part of the program, so a broken one is a bug,
// and the tests read every one.
var templates = sync.OnceValue(func() map[string]string {
	byName := make(map[string]string, len(flows))
	for _, flow := range flows {
		raw, err := documents.ReadFile("flows/" + fileName(flow.Name))
		if err != nil {
			panic(fmt.Sprintf("starter: %v", err))
		}
		var d document
		if err := json.Unmarshal(raw, &d); err != nil {
			panic(fmt.Sprintf("starter: document of %q: %v", flow.Name, err))
		}
		d.Metadata = layOut(flow, d)
		byName[flow.Name] = encode(d)
	}
	return byName
})

var notInFileName = regexp.MustCompile(`[^a-z0-9]+`)

// fileName is where the document of the flow with this name is kept.
func fileName(flow string) string {
	return strings.Trim(notInFileName.ReplaceAllString(strings.ToLower(flow), "-"), "-") + ".json"
}

// document is a flow document as far as it must be understood to lay it out.
type document struct {
	Version     string
	StartAction string
	Metadata    metadata
	Actions     []action
}

type action struct {
	Identifier  string
	Type        string
	Parameters  json.RawMessage
	Transitions transitions
}

type transitions struct {
	NextAction string        `json:",omitempty"`
	Errors     []errorBranch `json:",omitempty"`
	Conditions []condition   `json:",omitempty"`
}

type errorBranch struct {
	NextAction string
	ErrorType  string
}

type condition struct {
	NextAction string
	Condition  json.RawMessage
}

// targets are the actions that may follow, main branch first.
func (t transitions) targets() []string {
	var next []string
	for _, c := range t.Conditions {
		next = append(next, c.NextAction)
	}
	if t.NextAction != "" {
		next = append(next, t.NextAction)
	}
	for _, e := range t.Errors {
		next = append(next, e.NextAction)
	}
	return next
}

// metadata is what the console keeps with a document to draw it. The service
// neither needs nor reads it.
type metadata struct {
	EntryPointPosition position                  `json:"entryPointPosition"`
	ActionMetadata     map[string]actionMetadata `json:"ActionMetadata"`
	Name               string                    `json:"name"`
	Description        string                    `json:"description"`
	Type               string                    `json:"type"`
	Status             string                    `json:"status"`
}

type actionMetadata struct {
	Position position `json:"position"`
}

type position struct {
	X int `json:"x"`
	Y int `json:"y"`
}

// consoleTypes are the console's words for the types of flows.
var consoleTypes = map[string]string{
	"CONTACT_FLOW":     "contactFlow",
	"CUSTOMER_QUEUE":   "customerQueue",
	"CUSTOMER_HOLD":    "customerHold",
	"CUSTOMER_WHISPER": "customerWhisper",
	"AGENT_HOLD":       "agentHold",
	"AGENT_WHISPER":    "agentWhisper",
	"OUTBOUND_WHISPER": "outboundWhisper",
	"AGENT_TRANSFER":   "agentTransfer",
	"QUEUE_TRANSFER":   "queueTransfer",
}

// layOut puts each action into the column of its distance from the start, and
// the actions of a column one below the other, in the order they are reached.
// A block of the console is about 200 points wide and 150 high.
func layOut(flow Flow, d document) metadata {
	const left, top, columnWidth, rowHeight = 40, 40, 280, 220

	next := make(map[string][]string, len(d.Actions))
	for _, a := range d.Actions {
		next[a.Identifier] = a.Transitions.targets()
	}
	placed := make(map[string]actionMetadata, len(d.Actions))
	column := []string{d.StartAction}
	for depth := 1; len(column) > 0; depth++ {
		var following []string
		row := 0
		for _, id := range column {
			if _, seen := placed[id]; seen {
				continue
			}
			placed[id] = actionMetadata{position{left + depth*columnWidth, top + row*rowHeight}}
			row++
			following = append(following, next[id]...)
		}
		column = following
	}
	return metadata{
		EntryPointPosition: position{left, top},
		ActionMetadata:     placed,
		Name:               flow.Name,
		Description:        flow.Description,
		Type:               consoleTypes[flow.Type],
		Status:             "published",
	}
}
