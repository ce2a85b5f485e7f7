package contact_test

import (
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/connect/types"

	"ringdown/internal/contact"
	"ringdown/internal/domain"
	"ringdown/internal/fault"
)

const nothingMatches = `"Errors":[{"ErrorType":"NoMatchingError","NextAction":"x"}]`

// defaults adds default flows that say which they are.
func defaults(t testing.TB, w *world, types ...string) {
	for _, typ := range types {
		w.config.flow(t, "default "+typ, flowType(typ), `a|MessageParticipant|{"Text":"`+typ+`"}|b|`, `b|EndFlowExecution|||`)
	}
}

// answered begins a call that is answered.
func answered(t testing.TB, w *world, flow string) (domain.ContactID, *leg) {
	t.Helper()
	id := w.call(t, flow)
	w.dialer.mu.Lock()
	n := len(w.dialer.legs)
	w.dialer.mu.Unlock()
	var l *leg
	wait(t, "somebody is called", func() bool {
		w.dialer.mu.Lock()
		defer w.dialer.mu.Unlock()
		for _, one := range w.dialer.legs[max(0, n-1):] {
			if one.call.ContactID == id {
				l = one
			}
		}
		return l != nil
	})
	l.hear(contact.LegEvent{Kind: contact.LegAnswered})
	return id, l
}

func connected(c *domain.Contact) bool { return c.Agent != nil && !c.Agent.ConnectedAt.IsZero() }

var jo = domain.ContactAgent{ID: "jo", UserName: "jo", FirstName: "Jo"}

// successor is the contact that follows.
func (w *world) successor(t testing.TB, id domain.ContactID) domain.ContactID {
	t.Helper()
	c := w.until(t, id, "followed by another", func(c *domain.Contact) bool { return len(c.Next) > 0 })
	return c.Next[0].ID
}

// TestWhispers: defaults are heard on calls and not by tasks; those that a flow
// has set are.
func TestWhispers(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.config.queue("q", nil)
	toQueue(w, t, "f", "q")
	defaults(t, w, "AGENT_WHISPER", "CUSTOMER_WHISPER")
	w.config.flow(t, "own", "AGENT_WHISPER", `a|MessageParticipant|{"Text":"own"}|b|`, `b|EndFlowExecution|||`)
	w.config.flow(t, "g", "CONTACT_FLOW",
		`h|UpdateContactEventHooks|{"EventHooks":{"AgentWhisper":"own"}}|a|`+nothingMatches,
		`a|UpdateContactTargetQueue|{"QueueId":"q"}|b|`+nothingMatches,
		`b|TransferContactToQueue||x|"Errors":[{"ErrorType":"QueueAtCapacity","NextAction":"x"},{"ErrorType":"NoMatchingError","NextAction":"x"}]`,
		`x|DisconnectParticipant|||`)
	id, l := answered(t, w, "f")
	plain, set := w.task(t, "f"), w.task(t, "g")
	for _, one := range []domain.ContactID{id, plain, set} {
		w.until(t, one, "queued", queued)
		if err := w.m.Join(t.Context(), w.in, one, jo); err != nil {
			t.Fatal(err)
		}
		w.until(t, one, "with its agent", connected)
	}
	same(t, l.heard(), []string{"CUSTOMER_WHISPER"})
	for one, want := range map[domain.ContactID]string{id: "default AGENT_WHISPER", plain: "", set: "own"} {
		path := strings.Join(w.path(t, one), "\n")
		if has := strings.Contains(path, "WHISPER a") || strings.Contains(path, "own a"); has != (want != "") || !strings.Contains(path, want) {
			t.Errorf("whispers of %s: %s", want, path)
		}
	}
	if err := w.m.Join(t.Context(), w.in, id, jo); !fault.Is(err, fault.InvalidRequest) {
		t.Errorf("joined twice: %v", err)
	}
}

// TestHold: who is put on hold hears a hold flow, the other does not; the record
// counts the customer's holds.
func TestHold(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.config.queue("q", nil)
	toQueue(w, t, "f", "q")
	for _, typ := range []string{"CUSTOMER_HOLD", "AGENT_HOLD"} {
		w.config.flow(t, "default "+typ, flowType(typ), `a|MessageParticipantIteratively|{"Messages":[{"Text":"`+typ+`"}]}||`)
	}
	id, l := answered(t, w, "f")
	w.until(t, id, "queued", queued)
	if err := w.m.Hold(t.Context(), w.in, id, true, false); !fault.Is(err, fault.InvalidRequest) {
		t.Errorf("held without an agent: %v", err)
	}
	if err := w.m.Join(t.Context(), w.in, id, jo); err != nil {
		t.Fatal(err)
	}
	hold := func(customer, agent bool) {
		t.Helper()
		if err := w.m.Hold(t.Context(), w.in, id, customer, agent); err != nil {
			t.Fatal(err)
		}
	}
	hold(true, false)
	w.advance(10 * time.Second)
	hold(true, true)
	hold(false, true)
	hold(false, false)
	hold(true, false)
	w.advance(5 * time.Second)
	l.hear(contact.LegEvent{Kind: contact.LegEnded, Reason: "CUSTOMER_DISCONNECT"})
	w.until(t, id, "ended", ended)
	same(t, l.heard(), []string{"CUSTOMER_HOLD", "CUSTOMER_HOLD"})
	agent := w.record(t, id)["Agent"].(map[string]any)
	if agent["NumberOfHolds"] != 2.0 || agent["CustomerHoldDuration"].(float64) < 15 || agent["LongestHoldDuration"].(float64) < 10 || agent["AgentInteractionDuration"].(float64) > 5 {
		t.Errorf("holds: %v", agent)
	}
}

// TestDisconnectFlow: the agent leaves and the customer stays, with the leg, on a
// contact of its own, which hears what the leg tells.
func TestDisconnectFlow(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.config.queue("q", nil)
	hooked := func(id string) {
		w.config.flow(t, id, "CONTACT_FLOW",
			`h|UpdateContactEventHooks|{"EventHooks":{"CustomerRemaining":"survey"}}|a|`+nothingMatches,
			`a|UpdateContactTargetQueue|{"QueueId":"q"}|b|`+nothingMatches,
			`b|TransferContactToQueue||x|"Errors":[{"ErrorType":"QueueAtCapacity","NextAction":"x"},{"ErrorType":"NoMatchingError","NextAction":"x"}]`,
			`x|DisconnectParticipant|||`)
	}
	hooked("f")
	w.config.flow(t, "survey", "CONTACT_FLOW",
		`a|GetParticipantInput|{"Text":"Happy?","StoreInput":"False","InputTimeLimitSeconds":"30"}|x|"Conditions":[{"NextAction":"b","Condition":{"Operator":"Equals","Operands":["1"]}}],"Errors":[{"ErrorType":"NoMatchingError","NextAction":"x"},{"ErrorType":"NoMatchingCondition","NextAction":"x"},{"ErrorType":"InputTimeLimitExceeded","NextAction":"x"}]`,
		`b|UpdateContactAttributes|{"TargetContact":"Current","Attributes":{"happy":"yes"}}|x|`,
		`x|DisconnectParticipant|||`)
	id, l := answered(t, w, "f")
	w.until(t, id, "queued", queued)
	if err := w.m.Join(t.Context(), w.in, id, jo); err != nil {
		t.Fatal(err)
	}
	if err := w.m.Leave(t.Context(), w.in, id, "AGENT_DISCONNECT"); err != nil {
		t.Fatal(err)
	}
	next := w.successor(t, id)
	wait(t, "the survey is heard", func() bool { return slices.Contains(l.heard(), "Happy?") })
	l.hear(contact.LegEvent{Kind: contact.LegDigit, Text: "1"})
	after := w.until(t, next, "ended", ended)
	before := w.read(t, id)
	if before.DisconnectReason != "AGENT_DISCONNECT" || after.Method != types.ContactInitiationMethodDisconnect || after.PreviousID != id || after.InitialID != id {
		t.Errorf("%s; %+v", before.DisconnectReason, after)
	}
	if a, _ := w.m.Attributes(t.Context(), w.in, id); a["happy"] != "yes" {
		t.Errorf("attributes %v", a)
	}
	wait(t, "the call is over", l.over)
	if len(after.Next) > 0 {
		t.Error("the disconnect flow has a disconnect flow")
	}

	// A task that a flow ends, or that expires, runs it too; one that is stopped does
	// not.
	w.config.flow(t, "g", "CONTACT_FLOW",
		`h|UpdateContactEventHooks|{"EventHooks":{"CustomerRemaining":"survey"}}|x|`+nothingMatches, `x|DisconnectParticipant|||`)
	next = w.successor(t, w.task(t, "g"))
	w.until(t, next, "ended", ended)
	late := w.task(t, "f")
	w.until(t, late, "queued", queued)
	w.advance(8 * 24 * time.Hour)
	if c := w.until(t, late, "ended", ended); c.DisconnectReason != "EXPIRED" || len(c.Next) != 1 {
		t.Errorf("%s, %v", c.DisconnectReason, c.Next)
	}
	stopped := w.task(t, "f")
	w.until(t, stopped, "queued", queued)
	if err := w.m.Stop(t.Context(), w.in, string(stopped), ""); err != nil {
		t.Fatal(err)
	}
	if c := w.until(t, stopped, "ended", ended); len(c.Next) != 0 {
		t.Errorf("a task that was stopped goes on: %v", c.Next)
	}
}

// TestQueueToQueue: the customer queue flow moves its contact to another queue
// and goes on there, with the leg; a full queue lets a fifth more in, and there is
// a last hop.
func TestQueueToQueue(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	o := &offerer{}
	w.options.Offerer = o
	w.restart(t)
	five := int32(5)
	w.config.queue("q", nil)
	w.config.queue("r", &five)
	toQueue(w, t, "f", "q")
	move := `"Errors":[{"ErrorType":"QueueAtCapacity","NextAction":"full"},{"ErrorType":"NoMatchingError","NextAction":"no"}]`
	w.config.flow(t, "default CUSTOMER_QUEUE", "CUSTOMER_QUEUE",
		`a|MessageParticipant|{"Text":"first"}|b|`,
		`b|DequeueContactAndTransferToQueue|{"QueueId":"r"}|c|`+move,
		`c|MessageParticipant|{"Text":"still $.Queue.Name"}|d|`,
		`d|MessageParticipantIteratively|{"Messages":[{"Text":"music"}]}||`,
		`full|MessageParticipant|{"Text":"full"}|d|`,
		`no|MessageParticipant|{"Text":"no"}|d|`)
	id, l := answered(t, w, "f")
	next := w.successor(t, id)
	c := w.until(t, next, "queued", queued)
	wait(t, "the flow goes on", func() bool { return slices.Contains(l.heard(), "music") })
	same(t, l.heard(), []string{"first", "still r", "music"})
	if c.Method != types.ContactInitiationMethodQueueTransfer || c.Queue.Name != "r" || c.PreviousID != id || c.Hops != 1 {
		t.Errorf("%+v", c)
	}
	same(t, w.events(t, id), []string{"INITIATED", "CONNECTED_TO_SYSTEM", "QUEUED", "DISCONNECTED", "COMPLETED"})
	same(t, w.events(t, next), []string{"INITIATED", "CONNECTED_TO_SYSTEM", "QUEUED"})
	for range 5 { // five may wait, and one more that is transferred
		one, _ := answered(t, w, "f")
		w.until(t, w.successor(t, one), "queued", queued)
	}
	_, seventh := answered(t, w, "f")
	wait(t, "the seventh is told", func() bool { return slices.Contains(seventh.heard(), "full") })
	if err := w.m.Join(t.Context(), w.in, next, jo); err != nil {
		t.Fatal(err)
	}
	l.hear(contact.LegEvent{Kind: contact.LegEnded, Reason: "CUSTOMER_DISCONNECT"})
	if c := w.until(t, next, "ended", ended); c.DisconnectReason != "CUSTOMER_DISCONNECT" {
		t.Errorf("ended with %s", c.DisconnectReason)
	}
	if told := o.heard(); !slices.Equal(told[:3], []string{"in q", "out", "in r"}) {
		t.Errorf("the offerer was told %v", told)
	}

	// Round and round, until the last hop.
	w.config.flow(t, "round", "CUSTOMER_QUEUE",
		`b|DequeueContactAndTransferToQueue|{"QueueId":"q"}|b|"Errors":[{"ErrorType":"QueueAtCapacity","NextAction":"d"},{"ErrorType":"NoMatchingError","NextAction":"d"}]`,
		`d|MessageParticipantIteratively|{"Messages":[{"Text":"music"}]}||`)
	w.config.flow(t, "g", "CONTACT_FLOW",
		`h|UpdateContactEventHooks|{"EventHooks":{"CustomerQueue":"round"}}|a|`+nothingMatches,
		`a|UpdateContactTargetQueue|{"QueueId":"q"}|b|`+nothingMatches,
		`b|TransferContactToQueue||x|"Errors":[{"ErrorType":"QueueAtCapacity","NextAction":"x"},{"ErrorType":"NoMatchingError","NextAction":"x"}]`,
		`x|DisconnectParticipant|||`)
	_, l = answered(t, w, "g")
	wait(t, "it comes to rest", func() bool { return slices.Contains(l.heard(), "music") })
	found, err := w.store.LiveContacts(t.Context(), "", 0)
	if err != nil {
		t.Fatal(err)
	}
	if c := w.read(t, domain.ContactID(found[len(found)-1].ID)); c.Hops != 11 {
		t.Errorf("%d hops", c.Hops)
	}
}

// TestThirdParty: both ways to transfer to a telephone number, each end.
func TestThirdParty(t *testing.T) {
	t.Parallel()
	transfer := func(goesOn string) string {
		return `a|TransferParticipantToThirdParty|{"ThirdPartyPhoneNumber":"+12065550100","ThirdPartyConnectionTimeLimitSeconds":"30","ContinueFlowExecution":"` + goesOn + `"}|next|"Errors":[{"ErrorType":"CallFailed","NextAction":"failed"},{"ErrorType":"ConnectionTimeLimitExceeded","NextAction":"late"},{"ErrorType":"NoMatchingError","NextAction":"x"}]`
	}
	ends := func(reason string) contact.LegEvent {
		return contact.LegEvent{Kind: contact.LegEnded, Reason: reason}
	}
	answer := contact.LegEvent{Kind: contact.LegAnswered}
	for name, c := range map[string]struct {
		goesOn       string
		third        []contact.LegEvent
		customerEnds bool
		heard        []string
		reason       string
	}{
		"resumed":        {"True", []contact.LegEvent{answer, ends("THIRD_PARTY_DISCONNECT")}, false, []string{"back"}, "CONTACT_FLOW_DISCONNECT"},
		"given away":     {"False", []contact.LegEvent{answer, ends("THIRD_PARTY_DISCONNECT")}, false, nil, "THIRD_PARTY_DISCONNECT"},
		"busy":           {"False", []contact.LegEvent{ends("TELECOM_BUSY")}, false, []string{"failed"}, "CONTACT_FLOW_DISCONNECT"},
		"no answer":      {"True", []contact.LegEvent{ends("TELECOM_UNANSWERED")}, false, []string{"late"}, "CONTACT_FLOW_DISCONNECT"},
		"customer first": {"True", []contact.LegEvent{answer}, true, nil, "CUSTOMER_DISCONNECT"},
		"gone, customer": {"False", []contact.LegEvent{answer}, true, nil, "CUSTOMER_DISCONNECT"},
		"ringing":        {"True", nil, true, nil, "CUSTOMER_DISCONNECT"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			w.config.flow(t, "f", "CONTACT_FLOW", transfer(c.goesOn),
				`next|MessageParticipant|{"Text":"back"}|x|`, `failed|MessageParticipant|{"Text":"failed"}|x|`,
				`late|MessageParticipant|{"Text":"late"}|x|`, `x|DisconnectParticipant|||`)
			id, l := answered(t, w, "f")
			third := w.dialer.leg(t, 1)
			if third.call.To != "+12065550100" || third.call.From != "+14155550100" || third.call.RingTimeout != 30*time.Second {
				t.Errorf("called %+v", third.call)
			}
			for _, ev := range c.third {
				third.hear(ev)
				if ev.Kind == contact.LegAnswered {
					wait(t, "they talk", func() bool { return l.joined() == contact.Leg(third) })
				}
			}
			if c.customerEnds {
				l.hear(ends("CUSTOMER_DISCONNECT"))
			}
			got := w.until(t, id, "ended", ended)
			if got.DisconnectReason != c.reason {
				t.Errorf("ended with %s", got.DisconnectReason)
			}
			same(t, l.heard(), c.heard)
			if c.customerEnds {
				wait(t, "the third party is hung up", third.over)
			} else {
				wait(t, "the customer is hung up", l.over)
			}
		})
	}
	w := newWorld(t)
	w.config.flow(t, "f", "CONTACT_FLOW", strings.Replace(transfer("True"), "+12065550100", "+4235550100", 1),
		`failed|MessageParticipant|{"Text":"failed"}|x|`, `late|DisconnectParticipant|||`, `next|DisconnectParticipant|||`, `x|DisconnectParticipant|||`)
	id, l := answered(t, w, "f")
	w.until(t, id, "ended", ended)
	same(t, l.heard(), []string{"failed"})
}

// TestCallback is the life of queued callbacks: the delay, the queue, the agent,
// calls that fail, the one that is answered.
func TestCallback(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	one := int32(2)
	w.config.queue("q", &one)
	defaults(t, w, "AGENT_WHISPER", "CUSTOMER_WHISPER", "OUTBOUND_WHISPER")
	w.config.flow(t, "own", "CONTACT_FLOW",
		`b|TransferContactToQueue||x|"Errors":[{"ErrorType":"QueueAtCapacity","NextAction":"x"},{"ErrorType":"NoMatchingError","NextAction":"x"}]`,
		`x|DisconnectParticipant|||`)
	create := func(more string) []string {
		return []string{
			`n|UpdateContactCallbackNumber|{"CallbackNumber":"$.CustomerEndpoint.Address"}|a|"Errors":[{"ErrorType":"InvalidCallbackNumber","NextAction":"x"},{"ErrorType":"CallbackNumberNotDialable","NextAction":"x"}]`,
			`a|CreateCallbackContact|{"QueueId":"q","InitialCallDelaySeconds":"99","MaximumConnectionAttempts":"3","RetryDelaySeconds":"600"` + more + `}|ok|"Errors":[{"ErrorType":"NoMatchingError","NextAction":"no"}]`,
			`ok|MessageParticipant|{"Text":"We call back."}|x|`, `no|MessageParticipant|{"Text":"no"}|x|`, `x|DisconnectParticipant|||`,
		}
	}
	w.config.flow(t, "f", "CONTACT_FLOW", create("")...)
	w.config.flow(t, "g", "CONTACT_FLOW", create(`,"ContactFlowId":"own"`)...)
	id, l := answered(t, w, "f")
	w.until(t, id, "ended", ended)
	same(t, l.heard(), []string{"We call back."})
	back := w.successor(t, id)
	c := w.read(t, back)
	if c.Method != types.ContactInitiationMethodCallback || c.PreviousID != id || c.ScheduledAt.Sub(c.InitiatedAt) != 99*time.Second || !c.ConnectedAt.IsZero() {
		t.Errorf("%+v", c)
	}
	join := func() {
		t.Helper()
		w.until(t, back, "queued", queued)
		if err := w.m.Join(t.Context(), w.in, back, jo); err != nil {
			t.Fatal(err)
		}
	}
	w.advance(100 * time.Second)
	join()
	first := w.dialer.leg(t, 1)
	if first.call.To != "+14155550100" {
		t.Errorf("called %+v", first.call)
	}
	first.hear(contact.LegEvent{Kind: contact.LegEnded, Reason: "TELECOM_BUSY"})
	w.until(t, back, "without agent", func(c *domain.Contact) bool { return c.Agent == nil })
	w.advance(599 * time.Second)
	if queued(w.read(t, back)) {
		t.Error("it is called again too early")
	}
	w.advance(2 * time.Second)
	join()
	second := w.dialer.leg(t, 2)
	first.hear(contact.LegEvent{Kind: contact.LegAnswered}) // of a call that is over
	second.hear(contact.LegEvent{Kind: contact.LegAnswered})
	c = w.until(t, back, "with its agent", connected)
	if !c.ExpiresAt.IsZero() || c.ConnectedAt.IsZero() {
		t.Errorf("%+v", c)
	}
	same(t, second.heard(), []string{"OUTBOUND_WHISPER"})
	second.hear(contact.LegEvent{Kind: contact.LegEnded, Reason: "CUSTOMER_DISCONNECT"})
	w.until(t, back, "ended", ended)
	same(t, w.events(t, back), []string{"INITIATED", "QUEUED", "QUEUED", "CONNECTED_TO_SYSTEM", "CONNECTED_TO_AGENT", "DISCONNECTED", "COMPLETED"})
	if q := w.record(t, back)["Queue"].(map[string]any); q["Duration"].(float64) < 700 {
		t.Errorf("the time in the queue does not count the delay: %v", q)
	}

	// No attempt left; a callback that is stopped; one that waits for a week; one
	// whose flow queues it; a queue that is full.
	created := func(flow string) domain.ContactID {
		id, _ := answered(t, w, flow)
		back := w.successor(t, id)
		w.until(t, id, "ended", ended)
		return back
	}
	back = created("f")
	for range 3 {
		w.advance(601 * time.Second)
		join()
		var l *leg
		wait(t, "the customer is called", func() bool {
			w.dialer.mu.Lock()
			defer w.dialer.mu.Unlock()
			l = w.dialer.legs[len(w.dialer.legs)-1]
			return l.call.ContactID == back && !l.over()
		})
		l.Hangup()
		l.hear(contact.LegEvent{Kind: contact.LegEnded, Reason: "TELECOM_UNANSWERED"})
		w.until(t, back, "not reached", func(c *domain.Contact) bool { return c.Agent == nil || ended(c) })
	}
	if c := w.read(t, back); c.DisconnectReason != "TELECOM_UNANSWERED" {
		t.Errorf("after the last attempt: %s", c.DisconnectReason)
	}
	back = created("f")
	if err := w.m.Stop(t.Context(), w.in, string(back), ""); err != nil {
		t.Error(err)
	}
	back = created("g")
	if c := w.until(t, back, "queued", queued); !c.ScheduledAt.IsZero() || !c.ConnectedAt.IsZero() {
		t.Errorf("%+v", c)
	}
	another := created("g")
	w.until(t, another, "queued", queued)
	_, l = answered(t, w, "f")
	wait(t, "the caller is told", func() bool { return slices.Contains(l.heard(), "no") })
	w.advance(8 * 24 * time.Hour)
	if c := w.until(t, back, "ended", ended); c.DisconnectReason != "OTHER" {
		t.Errorf("after a week: %s", c.DisconnectReason)
	}
}

// TestPause: a paused task stands still, leaves its queue, and goes on where it
// was; its timers have as long to go as before.
func TestPause(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.config.queue("q", nil)
	toQueue(w, t, "f", "q")
	waits := func(n string) string {
		return `a|Wait|{"TimeLimitSeconds":"` + n + `"}|x|"Conditions":[{"NextAction":"b","Condition":{"Operator":"Equals","Operands":["WaitCompleted"]}}],"Errors":[{"ErrorType":"NoMatchingError","NextAction":"x"}]`
	}
	w.config.flow(t, "g", "CONTACT_FLOW", waits("600"), `b|DisconnectParticipant|||`, `x|DisconnectParticipant|||`)
	w.config.flow(t, "later", "CONTACT_FLOW", waits("60"),
		`b|ResumeContact||c|`+nothingMatches,
		`c|UpdateContactTargetQueue|{"QueueId":"q"}|d|`+nothingMatches,
		`d|TransferContactToQueue||x|"Errors":[{"ErrorType":"QueueAtCapacity","NextAction":"x"},{"ErrorType":"NoMatchingError","NextAction":"x"}]`,
		`x|EndFlowExecution|||`)
	pause := func(id domain.ContactID) {
		t.Helper()
		if err := w.m.Pause(t.Context(), w.in, string(id), nil); err != nil {
			t.Fatal(err)
		}
	}
	resume := func(id domain.ContactID) {
		t.Helper()
		if err := w.m.Resume(t.Context(), w.in, string(id), nil); err != nil {
			t.Fatal(err)
		}
	}
	id := w.task(t, "g")
	w.until(t, id, "waiting", func(c *domain.Contact) bool { return !c.ConnectedAt.IsZero() })
	w.advance(500 * time.Second)
	pause(id)
	if err := w.m.Pause(t.Context(), w.in, string(id), nil); !fault.Is(err, fault.Conflict) {
		t.Errorf("paused twice: %v", err)
	}
	w.advance(1000 * time.Second)
	resume(id)
	w.advance(90 * time.Second)
	if c := w.read(t, id); ended(c) || c.PausedTime < 1000*time.Second || c.Pauses != 1 {
		t.Errorf("%+v", c)
	}
	w.advance(11 * time.Second)
	w.until(t, id, "ended", ended)

	id = w.task(t, "f")
	w.until(t, id, "queued", queued)
	pause(id)
	if _, waits := w.m.Position(w.in, w.read(t, id)); waits || queued(w.read(t, id)) {
		t.Error("a paused task waits in its queue")
	}
	w.restart(t)
	resume(id)
	w.until(t, id, "queued again", queued)

	f, err := w.config.Flow(t.Context(), w.in, "later")
	if err != nil {
		t.Fatal(err)
	}
	if err := w.m.Pause(t.Context(), w.in, string(id), &f); err != nil {
		t.Fatal(err)
	}
	w.advance(61 * time.Second)
	w.until(t, id, "queued by the flow of the pause", queued)
	same(t, w.events(t, id), []string{"INITIATED", "CONNECTED_TO_SYSTEM", "QUEUED", "PAUSED", "RESUMED", "QUEUED", "PAUSED", "RESUMED", "QUEUED"})
}

// TestTransferToAgent: the contact waits for the agent of its transfer; without one
// it ends.
func TestTransferToAgent(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.config.flow(t, "f", "AGENT_TRANSFER", `a|UpdateContactTargetQueue|{"AgentId":"my agent"}|b|`+nothingMatches, `b|TransferContactToAgent|||`, `x|DisconnectParticipant|||`)
	w.config.flow(t, "g", "AGENT_TRANSFER", `b|TransferContactToAgent|||`)
	id, _ := answered(t, w, "f")
	if c := w.until(t, id, "queued", queued); c.Queue.AgentID != "my agent" {
		t.Errorf("%+v", c.Queue)
	}
	id, l := answered(t, w, "g")
	if c := w.until(t, id, "ended", ended); c.DisconnectReason != "CONTACT_FLOW_DISCONNECT" {
		t.Errorf("ended with %s", c.DisconnectReason)
	}
	wait(t, "the call is over", l.over)
}
