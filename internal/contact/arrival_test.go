package contact_test

import (
	"errors"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/connect/types"

	"ringdown/internal/contact"
	"ringdown/internal/domain"
	"ringdown/internal/store"
)

// arrival is a call that has come in. What happens to it before it is answered
// is kept.
type arrival struct {
	leg
	once     sync.Once
	answered chan struct{}
	gone     bool // the caller has hung up before the answer
}

func newArrival() *arrival { return &arrival{answered: make(chan struct{})} }

func (a *arrival) Answer(hear func(contact.LegEvent)) {
	a.once.Do(func() {
		a.hear = hear
		ev := contact.LegEvent{Kind: contact.LegAnswered}
		if a.gone {
			ev = contact.LegEvent{Kind: contact.LegEnded, Reason: "CUSTOMER_NEVER_ARRIVED"}
		}
		go hear(ev)
		close(a.answered)
	})
}

// arrive begins a contact for a call that came in at a time.
func (w *world) arrive(t *testing.T, a contact.Arrival, flow string, at time.Time) domain.ContactID {
	t.Helper()
	f, err := w.config.Flow(t.Context(), w.in, flow)
	if err != nil {
		t.Fatal(err)
	}
	b := w.m.New(contact.Spec{
		Instance: w.in, Contact: domain.Contact{Channel: types.ChannelVoice, Method: types.ContactInitiationMethodInbound},
		Flow: &f, Arrival: a, At: at, Media: map[string]any{"Sip": map[string]any{"Headers": map[string]any{"X-Plan": "gold"}}},
	})
	if err := w.store.Update(t.Context(), func(tx store.Tx) error { return b.Insert(t.Context(), tx) }); err != nil {
		t.Fatal(err)
	}
	b.Begin()
	return b.ID()
}

// menu is an action b that waits a minute for a key and goes on to x.
const menu = `b|GetParticipantInput|{"Text":"Menu","InputTimeLimitSeconds":"60","StoreInput":"False"}|x|"Conditions":[],"Errors":[{"ErrorType":"NoMatchingCondition","NextAction":"x"},{"ErrorType":"InputTimeLimitExceeded","NextAction":"x"},{"ErrorType":"NoMatchingError","NextAction":"x"}]`

// TestArrival: a call is answered once its contact is stored, and its history
// has the times of the signalling.
func TestArrival(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.config.flow(t, "f", "CONTACT_FLOW",
		`a|UpdateContactAttributes|{"TargetContact":"Current","Attributes":{"plan":"$.Media.Sip.Headers.X-Plan"}}|b|`,
		menu,
		`x|DisconnectParticipant|||`)
	a, came := newArrival(), w.now().Add(-30*time.Millisecond).UTC().Truncate(time.Microsecond)
	id := w.arrive(t, a, "f", came)
	<-a.answered
	wait(t, "the menu is heard", func() bool { return len(a.heard()) == 1 })
	ended1 := w.now()
	a.hear(contact.LegEvent{Kind: contact.LegEnded, Reason: "CUSTOMER_DISCONNECT", At: ended1})
	c := w.until(t, id, "ended", ended)
	if !c.InitiatedAt.Equal(came) || !c.ConnectedAt.Equal(came) {
		t.Errorf("it came at %v and was initiated at %v, connected at %v", came, c.InitiatedAt, c.ConnectedAt)
	}
	if c.DisconnectReason != "CUSTOMER_DISCONNECT" || c.DisconnectedAt.Sub(ended1).Abs() > time.Microsecond {
		t.Errorf("%s at %v, hung up at %v", c.DisconnectReason, c.DisconnectedAt, ended1)
	}
	same(t, w.events(t, id), []string{"INITIATED", "CONNECTED_TO_SYSTEM", "CONTACT_DATA_UPDATED", "DISCONNECTED", "COMPLETED"})
	if attributes, err := w.m.Attributes(t.Context(), w.in, id); err != nil || attributes["plan"] != "gold" {
		t.Errorf("attributes %v, %v", attributes, err)
	}
}

// TestArrivalLost: a caller who has hung up before the answer, and one who hangs
// up at a time before what was last stored.
func TestArrivalLost(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.config.flow(t, "f", "CONTACT_FLOW", `b|DisconnectParticipant|||`)
	a := newArrival()
	a.gone = true
	id := w.arrive(t, a, "f", time.Time{})
	c := w.until(t, id, "ended", ended)
	if c.DisconnectReason != "CUSTOMER_NEVER_ARRIVED" || !c.ConnectedAt.IsZero() {
		t.Errorf("%+v", c)
	}
	same(t, w.events(t, id), []string{"INITIATED", "DISCONNECTED", "COMPLETED"})

	w.config.flow(t, "long", "CONTACT_FLOW", menu, `x|DisconnectParticipant|||`)
	b := newArrival()
	id = w.arrive(t, b, "long", time.Time{})
	<-b.answered
	wait(t, "the menu is heard", func() bool { return len(b.heard()) == 1 })
	b.hear(contact.LegEvent{Kind: contact.LegEnded, Reason: "CUSTOMER_DISCONNECT", At: w.now().Add(-time.Hour)})
	if c = w.until(t, id, "ended", ended); c.DisconnectedAt.Before(c.ConnectedAt) || c.DisconnectedAt.Before(c.InitiatedAt) {
		t.Errorf("it ended at %v before it was connected at %v", c.DisconnectedAt, c.ConnectedAt)
	}
}

// TestArrivalRefused: when nothing can be stored the call is not answered, and a
// server that stops hangs up.
func TestArrivalRefused(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.config.flow(t, "f", "CONTACT_FLOW", menu, `x|DisconnectParticipant|||`)
	f, err := w.config.Flow(t.Context(), w.in, "f")
	if err != nil {
		t.Fatal(err)
	}
	a := newArrival()
	b := w.m.New(contact.Spec{Instance: w.in, Contact: domain.Contact{Channel: types.ChannelVoice}, Flow: &f, Arrival: a})
	failure := errors.New("the disk is full")
	if err := w.store.Update(t.Context(), func(store.Tx) error { return failure }); !errors.Is(err, failure) {
		t.Fatal(err)
	}
	b.Begin() // was not stored
	select {
	case <-a.answered:
		t.Error("a call was answered whose contact was not stored")
	default:
	}
	heard := newArrival()
	w.arrive(t, heard, "f", time.Time{})
	<-heard.answered
	w.restart(t)
	wait(t, "the call is over", heard.over)
}
