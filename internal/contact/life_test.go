package contact_test

import (
	"context"
	"errors"
	"fmt"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"ringdown/internal/contact"
	"ringdown/internal/contact/queue"
	"ringdown/internal/domain"
	"ringdown/internal/fault"
	"ringdown/internal/flow/machine"
	"ringdown/internal/store"
)

// wait waits for a condition.
func wait(t testing.TB, what string, ok func() bool) {
	t.Helper()
	for deadline := time.Now().Add(10 * time.Second); !ok(); <-time.After(time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("never: %s", what)
		}
	}
}

// TestStoreFails: what a leg has told is not lost to a store that fails, once,
// several times, or only in its answer, and is done once.
func TestStoreFails(t *testing.T) {
	t.Parallel()
	down := errors.New("the disk is full")
	for name, set := range map[string]func(*faulty){
		"once":      func(f *faulty) { f.set(func(n int) error { return when(n == 1, down) }, nil) },
		"thrice":    func(f *faulty) { f.set(func(n int) error { return when(n <= 3, down) }, nil) },
		"in answer": func(f *faulty) { f.set(nil, func(n int) bool { return n == 1 }) },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			w.config.flow(t, "f", "CONTACT_FLOW",
				`a|UpdateContactAttributes|{"TargetContact":"Current","Attributes":{"n":"x$.Attributes.n"}}|b|`,
				`b|MessageParticipant|{"Text":"Hello"}|c|`, `c|DisconnectParticipant|||`)
			id := w.call(t, "f")
			l := w.dialer.leg(t, 0)
			set(&w.fault)
			l.hear(contact.LegEvent{Kind: contact.LegAnswered})
			c := w.until(t, id, "ended", ended)
			if c.DisconnectReason != "CONTACT_FLOW_DISCONNECT" {
				t.Errorf("ended with %s", c.DisconnectReason)
			}
			wait(t, "the call is over", l.over)
			same(t, l.heard(), []string{"Hello"})
			same(t, w.events(t, id), []string{"INITIATED", "CONNECTED_TO_SYSTEM", "CONTACT_DATA_UPDATED", "DISCONNECTED", "COMPLETED"})
			if a, _ := w.m.Attributes(t.Context(), w.in, id); a["n"] != "x" {
				t.Errorf("attributes %v: it was done more than once", a)
			}
		})
	}
}

func when(yes bool, err error) error {
	if yes {
		return err
	}
	return nil
}

// TestStoreFailsForGood: a request is answered with the failure, what was done in
// memory is undone, the place in the queue is free again, and Close does not
// wait.
func TestStoreFailsForGood(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.config.queue("q", nil)
	toQueue(w, t, "f", "q")
	id := w.task(t, "f")
	w.until(t, id, "queued", queued)
	// What the owner does by itself once it is queued must be over: it would be
	// tried until the store works, before any request.
	if err := w.m.Do(t.Context(), w.in, string(id), func(*contact.Transition) error { return nil }); err != nil {
		t.Fatal(err)
	}
	down := errors.New("the disk is full")
	w.fault.set(func(int) error { return down }, nil)
	if err := w.m.Stop(t.Context(), w.in, string(id), ""); !errors.Is(err, down) {
		t.Errorf("stopping: %v", err)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Millisecond)
	defer cancel()
	if err := w.m.Stop(ctx, w.in, string(id), ""); err == nil {
		t.Error("it was stopped")
	}
	second := w.m.Live()
	w.fault.set(nil, nil)
	if c := w.read(t, id); ended(c) || second != 1 {
		t.Errorf("%d live: %+v", second, c)
	}
	if err := w.m.Stop(t.Context(), w.in, string(id), ""); err != nil {
		t.Fatal(err)
	}
	wait(t, "its owner is gone", func() bool { return w.m.Live() == 0 && w.m.Chains() == 0 })
	same(t, w.events(t, id), []string{"INITIATED", "CONNECTED_TO_SYSTEM", "QUEUED", "DISCONNECTED", "COMPLETED"})
}

// TestDatabaseRefuses: what the store refuses whenever it is asked is not tried
// for ever.
func TestDatabaseRefuses(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.config.flow(t, "f", "CONTACT_FLOW", `a|MessageParticipant|{"Text":"Hello"}|b|`, `b|DisconnectParticipant|||`)
	id := w.call(t, "f")
	l := w.dialer.leg(t, 0)
	w.fault.set(func(n int) error { return when(n <= 2, fault.New(fault.InvalidParameter, "not valid text")) }, nil)
	l.hear(contact.LegEvent{Kind: contact.LegAnswered})
	if c := w.until(t, id, "ended", ended); c.DisconnectReason != "OTHER" {
		t.Errorf("ended with %s", c.DisconnectReason)
	}
	wait(t, "the call is over", l.over)
}

// bomb is a service that panics.
type bomb struct{}

func (bomb) Serve(context.Context, contact.Instance, *domain.Contact, machine.ServiceRequest) machine.Reply {
	panic("boom")
}

// TestPanics: a panic is the end of one contact, with a reason, or the error of a
// service; at a restart as well.
func TestPanics(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.options.Services = bomb{}
	w.restart(t)
	w.config.queue("q", nil)
	toQueue(w, t, "f", "q")
	w.config.flow(t, "g", "CONTACT_FLOW",
		`a|CreateWisdomSession|{"WisdomAssistantArn":"arn"}|x|"Errors":[{"ErrorType":"NoMatchingError","NextAction":"b"}]`,
		`b|UpdateContactAttributes|{"TargetContact":"Current","Attributes":{"branch":"error"}}|x|`, `x|DisconnectParticipant|||`)
	id, other := w.task(t, "f"), w.call(t, "g")
	w.dialer.leg(t, 0).hear(contact.LegEvent{Kind: contact.LegAnswered})
	w.until(t, other, "ended", ended)
	if a, _ := w.m.Attributes(t.Context(), w.in, other); a["branch"] != "error" {
		t.Errorf("attributes %v", a)
	}
	w.until(t, id, "queued", queued)
	err := w.m.Do(t.Context(), w.in, string(id), func(t *contact.Transition) error {
		t.Contact().Name = "half"
		panic("boom")
	})
	if err == nil {
		t.Error("a panic is no error")
	}
	c := w.until(t, id, "ended", ended)
	if c.DisconnectReason != "OTHER" || c.Name == "half" {
		t.Errorf("%s, %q", c.DisconnectReason, c.Name)
	}
	if path := strings.Join(w.path(t, id), "\n"); !strings.Contains(path, "error in the server") {
		t.Errorf("the flow log does not say why: %s", path)
	}
	// One that panics after it was stored, and one whose state makes it panic.
	id = w.task(t, "f")
	w.until(t, id, "queued", queued)
	if err := w.m.Do(t.Context(), w.in, string(id), func(t *contact.Transition) error {
		t.After(func() { panic("boom") })
		return nil
	}); err != nil {
		t.Error(err)
	}
	w.until(t, id, "ended", ended)
	err = w.m.Do(t.Context(), w.in, string(id), func(*contact.Transition) error { panic("boom") })
	if err == nil {
		t.Error("a panic of an ended contact is no error")
	}
	id = w.task(t, "f")
	w.until(t, id, "queued", queued)
	w.close(t)
	w.open(t)
	row, err := w.store.Contact(t.Context(), w.in.PK, string(id))
	if err != nil {
		t.Fatal(err)
	}
	row.State = []byte(`{"Threads":{"customer":{"Run":null,"For":"queue"}}}`)
	if err := w.store.UpdateContacts(t.Context(), func(tx store.ContactTx) error { return tx.PutContact(t.Context(), row) }); err != nil {
		t.Fatal(err)
	}
	w.begin(t)
	w.until(t, id, "ended", ended)
}

// TestClockSetBack: times of a contact never go back, and its timers still come.
func TestClockSetBack(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.config.flow(t, "f", "CONTACT_FLOW",
		`a|Wait|{"TimeLimitSeconds":"600"}|x|"Conditions":[{"NextAction":"x","Condition":{"Operator":"Equals","Operands":["WaitCompleted"]}}],"Errors":[{"ErrorType":"NoMatchingError","NextAction":"x"}]`,
		`x|DisconnectParticipant|||`)
	id := w.task(t, "f")
	w.until(t, id, "waiting", func(c *domain.Contact) bool { return !c.ConnectedAt.IsZero() })
	w.advance(-time.Hour)
	if err := w.m.Do(t.Context(), w.in, string(id), func(t *contact.Transition) error {
		return t.SetAttributes(map[string]string{"a": "b"}, false)
	}); err != nil {
		t.Fatal(err)
	}
	if c := w.read(t, id); c.UpdatedAt.Before(c.ConnectedAt) {
		t.Errorf("updated %v before %v", c.UpdatedAt, c.ConnectedAt)
	}
	w.advance(time.Hour + 601*time.Second)
	if c := w.until(t, id, "ended", ended); c.DisconnectReason != "CONTACT_FLOW_DISCONNECT" {
		t.Errorf("ended with %s", c.DisconnectReason)
	}
}

// TestChainShared: contacts of a chain that change attributes at the same time
// lose none of them, and stay within their size together.
func TestChainShared(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.config.queue("q", nil)
	toQueue(w, t, "f", "q")
	first := w.task(t, "f")
	w.until(t, first, "queued", queued)
	set := func(id domain.ContactID, k, v string) error {
		return w.m.Do(t.Context(), w.in, string(id), func(t *contact.Transition) error {
			return t.SetAttributes(map[string]string{k: v}, false)
		})
	}
	f, err := w.config.Flow(t.Context(), w.in, "f")
	if err != nil {
		t.Fatal(err)
	}
	var all sync.WaitGroup
	for i := range 4 {
		all.Go(func() {
			id := first
			if i > 0 { // born into the chain with an attribute of its own
				id = w.start(t, contact.Spec{
					Contact: domain.Contact{Channel: "TASK", Method: "API", PreviousID: first},
					Flow:    &f, Attributes: map[string]string{fmt.Sprint("born", i): "yes"},
				})
				if a, err := w.m.Attributes(t.Context(), w.in, first); err != nil || a[fmt.Sprint("born", i)] != "yes" {
					t.Errorf("attribute of birth %d is not there when it has begun: %v", i, err)
				}
			}
			for j := range 10 {
				if err := set(id, fmt.Sprintf("k%d-%d", i, j), "v"); err != nil {
					t.Error(err)
				}
			}
		})
	}
	all.Wait()
	a, err := w.m.Attributes(t.Context(), w.in, first)
	if err != nil || len(a) != 43 {
		t.Errorf("%d attributes, %v", len(a), err)
	}
	if err := set(first, "big", strings.Repeat("x", 32000)); err != nil {
		t.Fatal(err)
	}
	if err := set(first, "more", strings.Repeat("x", 1000)); !fault.Is(err, fault.InvalidRequest) {
		t.Errorf("more than 32,768 bytes: %v", err)
	}
	if w.m.Chains() != 1 {
		t.Errorf("%d chains", w.m.Chains())
	}
}

// TestNothingLeft: no goroutine of a contact is left after its end or after
// Close, whoever was asking or being born.
func TestNothingLeft(t *testing.T) {
	w := newWorld(t)
	w.config.queue("q", nil)
	toQueue(w, t, "f", "q")
	before := runtime.NumGoroutine()
	var all sync.WaitGroup
	for range 8 {
		all.Go(func() {
			for range 5 {
				id := w.task(t, "f")
				var race sync.WaitGroup
				for range 3 {
					race.Go(func() {
						err := w.m.Stop(t.Context(), w.in, string(id), "")
						if err != nil && !fault.Is(err, fault.ContactNotFound) {
							t.Errorf("stopping: %v", err)
						}
					})
				}
				race.Wait()
				same(t, last(w.events(t, id), 2), []string{"DISCONNECTED", "COMPLETED"})
			}
		})
	}
	all.Wait()
	wait(t, "no owners and no chains", func() bool { return w.m.Live() == 0 && w.m.Chains() == 0 })
	wait(t, "no goroutines", func() bool { return runtime.NumGoroutine() <= before })
	if _, waits := w.m.Position(w.in, &domain.Contact{Queue: &domain.ContactQueue{ID: "q"}}); waits {
		t.Error("somebody still waits")
	}
	// Contacts that are born while it closes are there when it opens again.
	var ids []domain.ContactID
	born := make(chan domain.ContactID, 50)
	go func() {
		defer close(born)
		for range 50 {
			born <- w.task(t, "f")
		}
	}()
	ids = append(ids, <-born)
	if err := w.m.Close(); err != nil {
		t.Fatal(err)
	}
	for id := range born {
		ids = append(ids, id)
	}
	w.restart(t)
	for _, id := range ids {
		w.until(t, id, "queued", queued)
	}
}

func last(list []string, n int) []string { return list[max(0, len(list)-n):] }

// offerer notes what it is told, and keeps the contacts.
type offerer struct {
	mu   sync.Mutex
	told []string
	kept []*domain.Contact
}

func (o *offerer) Enqueued(_ contact.Instance, c *domain.Contact) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.told, o.kept = append(o.told, "in "+c.Queue.Name), append(o.kept, c)
}

func (o *offerer) Dequeued(contact.Instance, domain.ContactID) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.told = append(o.told, "out")
}

func (o *offerer) Staffing(contact.Instance, domain.ContactQueue) queue.Staffing {
	return queue.Staffing{Online: 1}
}

func (o *offerer) heard() []string {
	o.mu.Lock()
	defer o.mu.Unlock()
	return slices.Clone(o.told)
}
