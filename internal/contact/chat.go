package contact

import (
	"encoding/json"
	"log/slog"
	"time"

	"ringdown/internal/domain"
	"ringdown/internal/flow/machine"
	"ringdown/internal/store"
)

// ChatSpec is what a chat begins with.
type ChatSpec struct {
	// Customer is the participant that starts it.
	Customer domain.ChatParticipant
	// Initial is its first message, nil for none.
	Initial *domain.ChatItem
	// Duration of the chat, 0 for the default of 25 hours.
	Duration time.Duration
}

// chatState is what a live chat needs beside the contact.
type chatState struct {
	Participants []domain.ChatParticipant
}

// prepareChat fills in what a chat begins with.
func (b *Birth) prepareChat() {
	if b.spec.Chat != nil {
		b.st.Chat = &chatState{Participants: []domain.ChatParticipant{b.spec.Chat.Customer}}
	}
}

// chatEntries are the first lines of the transcript.
func (b *Birth) chatEntries() []*store.Entry { return nil }

// chatDeadline is when something happens in the chat by itself.
func (l *live) chatDeadline() time.Time { return time.Time{} }

// chatDue does what is due in the chat.
func (t *Transition) chatDue() {}

// leaveAll ends the chat for all of its participants.
func (t *Transition) leaveAll(string) {}

func systemMessage(text string) *domain.ChatItem {
	return &domain.ChatItem{Type: "MESSAGE", ContentType: "text/plain", Content: text, Role: "SYSTEM", DisplayName: "SYSTEM_MESSAGE"}
}

// post adds a line to the transcript and has it delivered.
func (t *Transition) post(item *domain.ChatItem) {
	item.ID, item.ContactID, item.At = domain.NewID(), t.id, t.at.Truncate(time.Millisecond)
	doc, err := json.Marshal(item)
	if err != nil {
		t.m.opts.Logger.Error("a chat message could not be written", slog.String("contact", string(t.id)), slog.Any("err", err))
		return
	}
	t.append(store.StreamChat, item.ID, doc)
	if a := t.m.opts.Audience; a != nil {
		in, id := t.in, t.id
		t.After(func() { a.Deliver(in, id, item) })
	}
}

// flowView shows a view in the chat and waits for the customer's answer.
func (t *Transition) flowView(side, *machine.Request) (machine.Reply, bool) { return failed, true }

// flowChat starts an outbound chat.
func (t *Transition) flowChat(*machine.ChatRequest) machine.Reply { return failed }

// flowPersist ties the chat to a past one.
func (t *Transition) flowPersist(*machine.PersistRequest) machine.Reply { return failed }
