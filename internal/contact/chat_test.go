package contact_test

import (
	"context"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/connect/types"

	"ringdown/internal/contact"
	"ringdown/internal/domain"
	"ringdown/internal/fault"
)

// ears hear what chats tell.
type ears struct {
	mu    sync.Mutex
	heard []string
}

func (e *ears) note(s string) {
	e.mu.Lock()
	defer e.mu.Unlock()
	e.heard = append(e.heard, s)
}

// take returns what was heard since it was last called.
func (e *ears) take() []string {
	e.mu.Lock()
	defer e.mu.Unlock()
	all := e.heard
	e.heard = nil
	return all
}

func (e *ears) Deliver(_ contact.Instance, _ domain.ContactID, i *domain.ChatItem) { e.note(told(i)) }

func (e *ears) Closed(_ contact.Instance, _ domain.ContactID, participant string) {
	if participant == "" {
		e.note("closed")
	}
}

func (e *ears) Streaming(contact.Instance, domain.ContactID, domain.ContactID, []domain.ChatStream) {}

// told is an item in short.
func told(i *domain.ChatItem) string {
	if i.Content != "" {
		return i.Role + ": " + i.Content
	}
	if i.Receipt != nil {
		return "receipt"
	}
	event := strings.TrimPrefix(i.ContentType, "application/vnd.amazonaws.connect.event.")
	return strings.TrimSpace(event + " " + i.Role)
}

// chatWorld is a world with ears, in which a flow "rests" keeps chats.
func chatWorld(t *testing.T) (*world, *ears) {
	t.Helper()
	w, e := newWorld(t), &ears{}
	if err := w.m.Close(); err != nil {
		t.Fatal(err)
	}
	w.m = contact.New(contact.Options{Configuration: w.config, Audience: e})
	if err := w.m.Open(context.Background(), w.store, false); err != nil {
		t.Fatal(err)
	}
	w.config.flow(t, "rests", "CONTACT_FLOW", `a|Wait|{"TimeLimitSeconds":"604800"}|b|"Conditions":[{"NextAction":"b","Condition":{"Operator":"Equals","Operands":["WaitCompleted"]}}],"Errors":[{"NextAction":"b","ErrorType":"NoMatchingError"}]`, "b|DisconnectParticipant")
	w.config.flow(t, "remains", "CONTACT_FLOW", `a|MessageParticipant|{"Text":"How was it?"}|b|"Errors":[{"NextAction":"b","ErrorType":"NoMatchingError"}]`,
		`b|Wait|{"TimeLimitSeconds":"604800"}|c|"Conditions":[{"NextAction":"c","Condition":{"Operator":"Equals","Operands":["WaitCompleted"]}}],"Errors":[{"NextAction":"c","ErrorType":"NoMatchingError"}]`, "c|DisconnectParticipant")
	return w, e
}

// chat begins a chat and returns its customer.
func (w *world) chat(t *testing.T, change ...func(*contact.Spec)) contact.Participant {
	t.Helper()
	f, err := w.config.Flow(t.Context(), w.in, "rests")
	if err != nil {
		t.Fatal(err)
	}
	spec := contact.Spec{
		Contact: domain.Contact{Channel: types.ChannelChat, Method: types.ContactInitiationMethodApi},
		Flow:    &f, Chat: &contact.ChatSpec{Customer: domain.ChatParticipant{ID: domain.NewID(), DisplayName: "Mary"}},
	}
	for _, c := range change {
		c(&spec)
	}
	return contact.Participant{Instance: w.in, Contact: w.start(t, spec), ID: spec.Chat.Customer.ID}
}

func ok(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func (w *world) say(t *testing.T, who contact.Participant, text string) {
	t.Helper()
	_, err := w.m.Say(t.Context(), who, contact.ChatMessage{ContentType: "text/plain", Content: text})
	ok(t, err)
}

// bot invites a bot and has it connect.
func (w *world) bot(t *testing.T, to contact.Participant) contact.Participant {
	t.Helper()
	p, err := w.m.Invite(t.Context(), w.in, string(to.Contact), "Bot", "")
	ok(t, err)
	who := contact.Participant{Instance: w.in, Contact: to.Contact, ID: p.ID}
	ok(t, w.m.Connected(t.Context(), who))
	return who
}

// TestChatTimes: what happens in a chat by itself, at its time and not before.
func TestChatTimes(t *testing.T) {
	minutes := func(n int) time.Duration { return time.Duration(n) * time.Minute }
	timers := []contact.ChatTimer{{Role: "CUSTOMER", After: minutes(2)}, {Role: "CUSTOMER", Drop: true, After: minutes(3)}}
	cases := []struct {
		name   string
		change func(*contact.Spec)
		// before prepares the chat; then time goes by, and heard is what comes of it
		// in the last minute alone.
		before func(t *testing.T, w *world, who contact.Participant)
		after  time.Duration
		heard  []string
		reason string // of the end, "" for a chat that goes on
	}{
		{name: "a customer who does not connect", after: minutes(5), heard: []string{"participant.left CUSTOMER", "chat.ended", "closed"}, reason: "CUSTOMER_CONNECTION_NOT_ESTABLISHED"},
		{name: "an hour", change: func(s *contact.Spec) { s.Chat.Duration = time.Hour }, before: connect, after: time.Hour, heard: []string{"participant.left CUSTOMER", "chat.ended", "closed"}, reason: "EXPIRED"},
		{name: "25 hours by default", before: connect, after: 25 * time.Hour, heard: []string{"participant.left CUSTOMER", "chat.ended", "closed"}, reason: "EXPIRED"},
		{name: "a bot that does not connect", before: func(t *testing.T, w *world, who contact.Participant) {
			connect(t, w, who)
			_, err := w.m.Invite(t.Context(), w.in, string(who.Contact), "Bot", "")
			ok(t, err)
		}, after: minutes(5)}, // nobody has seen it, so nobody is told
		{name: "an idle customer", before: func(t *testing.T, w *world, who contact.Participant) {
			connect(t, w, who)
			ok(t, w.m.SetTimers(t.Context(), w.in, string(who.Contact), timers))
			w.bot(t, who)
		}, after: minutes(2), heard: []string{"participant.idle CUSTOMER"}},
		{name: "a customer idle for longer", before: func(t *testing.T, w *world, who contact.Participant) {
			connect(t, w, who)
			ok(t, w.m.SetTimers(t.Context(), w.in, string(who.Contact), timers))
			w.bot(t, who)
		}, after: minutes(5), heard: []string{"participant.autodisconnection CUSTOMER", "participant.left CUSTOM_BOT"}},
		{name: "a message puts it off", before: func(t *testing.T, w *world, who contact.Participant) {
			connect(t, w, who)
			ok(t, w.m.SetTimers(t.Context(), w.in, string(who.Contact), timers))
			w.bot(t, who)
			<-time.After(minutes(4)) // idle
			w.say(t, who, "I am back")
		}, after: minutes(2), heard: []string{"participant.idle CUSTOMER"}},
		{name: "timers that are set once the bot is there", before: func(t *testing.T, w *world, who contact.Participant) {
			connect(t, w, who)
			w.bot(t, who)
			ok(t, w.m.SetTimers(t.Context(), w.in, string(who.Contact), timers))
		}, after: minutes(2)},
		{name: "timers without anybody to talk to", before: func(t *testing.T, w *world, who contact.Participant) {
			connect(t, w, who)
			ok(t, w.m.SetTimers(t.Context(), w.in, string(who.Contact), timers))
		}, after: minutes(2)},
		{name: "a disconnect timer alone, of the bot", before: func(t *testing.T, w *world, who contact.Participant) {
			connect(t, w, who)
			ok(t, w.m.SetTimers(t.Context(), w.in, string(who.Contact), []contact.ChatTimer{{Role: "AGENT", Drop: true, After: minutes(4)}}))
			w.bot(t, who)
		}, after: minutes(4), heard: []string{"participant.autodisconnection CUSTOM_BOT", "participant.left CUSTOM_BOT"}},
		{name: "a timer that was removed", before: func(t *testing.T, w *world, who contact.Participant) {
			connect(t, w, who)
			ok(t, w.m.SetTimers(t.Context(), w.in, string(who.Contact), timers))
			ok(t, w.m.SetTimers(t.Context(), w.in, string(who.Contact), []contact.ChatTimer{{Role: "CUSTOMER"}}))
			w.bot(t, who)
		}, after: minutes(3), heard: []string{"participant.autodisconnection CUSTOMER", "participant.left CUSTOM_BOT"}},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				w, e := chatWorld(t)
				who := w.chat(t, func(s *contact.Spec) {
					if c.change != nil {
						c.change(s)
					}
				})
				if c.before != nil {
					c.before(t, w, who)
				}
				<-time.After(c.after - time.Second)
				settle(w, who)
				e.take()
				if ended(w.read(t, who.Contact)) {
					t.Fatal("the chat ended too early")
				}
				<-time.After(2 * time.Second)
				settle(w, who)
				if got := e.take(); !slices.Equal(got, c.heard) {
					t.Errorf("heard %q, want %q", got, c.heard)
				}
				if got := w.read(t, who.Contact); got.DisconnectReason != c.reason || ended(got) != (c.reason != "") {
					t.Errorf("the reason is %q, want %q", got.DisconnectReason, c.reason)
				}
			})
		})
	}
}

func connect(t *testing.T, w *world, who contact.Participant) {
	t.Helper()
	ok(t, w.m.Connected(t.Context(), who))
}

// settle waits until the owner of a chat has done what is due.
func settle(w *world, who contact.Participant) {
	_ = w.m.Do(context.Background(), w.in, string(who.Contact), func(*contact.Transition) error { return nil })
	synctest.Wait()
}

// TestChatGoesOn: a chat goes over to later contacts of its chain, and the
// customer notices nothing of it.
func TestChatGoesOn(t *testing.T) {
	w, e := chatWorld(t)
	w.config.queue("sales", nil)
	w.config.flow(t, "rests", "CONTACT_FLOW",
		`a|UpdateContactEventHooks|{"EventHooks":{"CustomerRemaining":"remains"}}|b|"Errors":[{"NextAction":"z","ErrorType":"NoMatchingError"}]`,
		`b|UpdateContactTargetQueue|{"QueueId":"sales"}|c|"Errors":[{"NextAction":"z","ErrorType":"NoMatchingError"}]`,
		`c|TransferContactToQueue||z|"Errors":[{"NextAction":"z","ErrorType":"QueueAtCapacity"},{"NextAction":"z","ErrorType":"NoMatchingError"}]`,
		`z|DisconnectParticipant`)
	who := w.chat(t)
	connect(t, w, who)
	w.until(t, who.Contact, "queued", queued)
	w.say(t, who, "Hello?")
	ok(t, w.m.Join(t.Context(), w.in, who.Contact, domain.ContactAgent{ID: "agent", FirstName: "John"}))
	if got, want := e.take(), []string{"CUSTOMER: Hello?", "participant.joined AGENT"}; !slices.Equal(got, want) {
		t.Errorf("heard %q, want %q", got, want)
	}
	ok(t, w.m.Leave(t.Context(), w.in, who.Contact, "AGENT_DISCONNECT"))
	next := w.until(t, who.Contact, "over", ended).Next[0].ID
	w.until(t, next, "begun", func(c *domain.Contact) bool { return !c.ConnectedAt.IsZero() })

	w.say(t, who, "Very good.") // by the token of the first contact
	v, err := w.m.Chat(t.Context(), who)
	ok(t, err)
	if v.Contact.ID != next || v.Ended() {
		t.Errorf("the chat is on contact %s, want %s", v.Contact.ID, next)
	}
	segments, err := v.Segments(t.Context())
	ok(t, err)
	var all []string
	for _, s := range slices.Backward(segments) {
		lines, err := v.Lines(t.Context(), s)
		ok(t, err)
		for _, l := range lines {
			all = append(all, told(l.ChatItem))
		}
	}
	want := []string{
		"participant.joined CUSTOMER", "CUSTOMER: Hello?", "participant.joined AGENT", "participant.left AGENT", "transfer.succeeded AGENT",
		"SYSTEM: How was it?", "CUSTOMER: Very good.",
	}
	if !slices.Equal(all, want) {
		t.Errorf("transcript %q, want %q", all, want)
	}
	ok(t, w.m.Depart(t.Context(), who))
	if c := w.read(t, next); c.DisconnectReason != "CUSTOMER_DISCONNECT" {
		t.Errorf("the reason is %q", c.DisconnectReason)
	}
	if _, err := w.m.Say(t.Context(), who, contact.ChatMessage{ContentType: "text/plain", Content: "!"}); !fault.Is(err, fault.AccessDenied) {
		t.Errorf("after the end: %v", err)
	}
}

// TestChatSurvives: after a restart a chat is where it was, with its files,
// timers and the tokens of its requests.
func TestChatSurvives(t *testing.T) {
	w, _ := chatWorld(t)
	who := w.chat(t)
	connect(t, w, who)
	first, err := w.m.Say(t.Context(), who, contact.ChatMessage{ContentType: "text/plain", Content: "one", Token: "t"})
	ok(t, err)
	f, err := w.m.Upload(t.Context(), who, contact.ChatFile{ChatAttachment: domain.ChatAttachment{Name: "terms.txt", Size: 5}, Ends: time.Now().Add(time.Hour)}, "f")
	ok(t, err)
	w.restart(t)
	again, err := w.m.Say(t.Context(), who, contact.ChatMessage{ContentType: "text/plain", Content: "one", Token: "t"})
	ok(t, err)
	if again.ID != first.ID || !again.At.Equal(first.At) {
		t.Errorf("a message sent again after a restart is %v, was %v", again, first)
	}
	ok(t, w.m.Uploaded(t.Context(), who, f.ID))
	if err := w.m.Uploaded(t.Context(), who, f.ID); !fault.Is(err, fault.Conflict) {
		t.Errorf("a file that is sent twice: %v", err)
	}
	v, err := w.m.Chat(t.Context(), who)
	ok(t, err)
	lines, err := v.Lines(t.Context(), contact.Segment{Contact: who.Contact})
	ok(t, err)
	if len(lines) != 3 { // joined, the message once, the file
		t.Errorf("%d lines", len(lines))
	}
}

// TestChatFiles: a chat has so many files, and those that were never uploaded do
// not count.
func TestChatFiles(t *testing.T) {
	w, _ := chatWorld(t)
	who := w.chat(t)
	upload := func(ends time.Duration) (contact.ChatFile, error) {
		return w.m.Upload(t.Context(), who, contact.ChatFile{ChatAttachment: domain.ChatAttachment{Name: "a.txt", Size: 1}, Ends: time.Now().Add(ends)}, "")
	}
	_, err := upload(-time.Second)
	ok(t, err)
	for range 35 {
		_, err := upload(time.Hour)
		ok(t, err)
	}
	if _, err := upload(time.Hour); !fault.Is(err, fault.ServiceQuotaExceeded) {
		t.Errorf("the 36th file: %v", err)
	}
}
