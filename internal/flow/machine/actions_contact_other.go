package machine

import (
	"time"

	"ringdown/internal/domain"
)

// maxTaskDelay is six days (API reference, CreateTask).
const maxTaskDelay = 518400

// createTask creates a task, now or later.
func createTask(x *step) {
	t := &TaskRequest{
		FlowID: x.text("ContactFlowId"), TemplateID: x.text("TaskTemplateId"),
		Name: x.text("Name"), Description: x.text("Description"),
	}
	references, ok := x.references()
	scheduled, inTime := x.scheduled()
	if x.has("Attributes") {
		t.Attributes = x.texts("Attributes")
	}
	if !ok || !inTime || t.Name == "" || t.FlowID == "" && t.TemplateID == "" || domain.CheckAttributes(t.Attributes, true) != nil {
		x.fail(NoMatchingError)
		return
	}
	t.References, t.Scheduled = references, scheduled
	x.ask(Request{Task: t})
}

// scheduled is when a task is to begin, zero for now; false when that is a time
// in the past or none at all. A point in time is in epoch seconds
// (administrator guide, "Create task"), or as RFC 3339 has it.
func (x *step) scheduled() (time.Time, bool) {
	switch {
	case x.has("DelaySeconds"):
		n, ok := x.number("DelaySeconds")
		return x.at.Add(time.Duration(n) * time.Second), ok && n >= 1 && n <= maxTaskDelay
	case x.has("ScheduledTime"):
		if n, ok := x.number("ScheduledTime"); ok {
			at := time.Unix(n, 0).UTC()
			return at, at.After(x.at)
		}
		at, err := time.Parse(time.RFC3339, x.text("ScheduledTime"))
		return at.UTC(), err == nil && at.After(x.at)
	default:
		return time.Time{}, true
	}
}

func taskCreated(x *step, r *Reply) {
	x.store("Task", map[string]any{"ContactId": string(r.ContactID)})
	x.next()
}

// startChat starts an outbound chat, such as a text message.
func startChat(x *step) {
	from, to := x.object("SourceEndpoint"), x.object("DestinationEndpoint")
	c := &ChatRequest{
		SourceAddress: textOf(from["Address"]), SourceType: textOf(from["Type"]),
		DestinationAddress: textOf(to["Address"]), DestinationType: textOf(to["Type"]),
		FlowID: x.text("ContactFlowArn"), Subtype: x.text("ContactSubtype"),
		InitialMessage: textOf(x.object("InitialSystemMessage")["Content"]),
		Related:        x.text("RelatedContact") == "CURRENT",
	}
	if c.SourceAddress == "" || c.DestinationAddress == "" || c.FlowID == "" {
		x.fail(NoMatchingError)
		return
	}
	x.ask(Request{Chat: c})
}

// persist ties a chat to a past one, once (administrator guide, "Create
// persistent contact association").
func persist(x *step) {
	source := x.text("SourceContactId")
	if !x.chat() || source == "" {
		x.fail(NoMatchingError)
		return
	}
	x.ask(Request{Persist: &PersistRequest{Rehydration: x.text("RehydrationType"), SourceID: source}})
}

// resume resumes a task.
func resume(x *step) {
	if x.subject.Contact.Channel != "TASK" {
		x.fail(NoMatchingError)
		return
	}
	x.ask(Request{Resume: &ResumeRequest{}})
}

// loadContent makes the text of an e-mail $.Email.EmailMessage.Plaintext
// (administrator guide, "Get stored content").
func loadContent(x *step) {
	if x.subject.Contact.Channel != "EMAIL" {
		x.fail(NoMatchingError)
		return
	}
	service(x)
}
