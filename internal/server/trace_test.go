package server

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"ringdown/internal/domain"
	"ringdown/internal/fault"
	"ringdown/internal/store"
	"ringdown/internal/store/sqlstore"
)

// storedContact is a store with one contact of one instance.
func storedContact(t *testing.T, state string) (store.Store, *store.Contact) {
	t.Helper()
	st, err := sqlstore.Open(context.Background(), sqlstore.Options{Dir: t.TempDir(), Now: time.Now})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := st.Close(); err != nil {
			t.Error(err)
		}
	})
	began := time.Date(2026, 1, 31, 12, 0, 0, 0, time.UTC)
	id := domain.NewID()
	in := &store.Record{Instance: store.Root, Kind: domain.KindInstance, ID: domain.NewID(), Name: "acme", Doc: []byte(`{"Region":"us-east-1"}`)}
	c := &store.Contact{
		ID: id, InitialID: id, AssociationID: id, Live: true, Initiated: began, State: []byte(state),
		Doc: []byte(`{"ID":"` + id + `","Channel":"VOICE","Method":"API","InitiatedAt":"2026-01-31T12:00:00Z"}`),
	}
	if err := st.Update(t.Context(), func(tx store.Tx) error {
		if err := tx.Insert(t.Context(), in, nil); err != nil {
			return err
		}
		c.Instance, c.Version = in.PK, 0
		return tx.PutContact(t.Context(), c)
	}); err != nil {
		t.Fatal(err)
	}
	return st, c
}

func appendEntries(t *testing.T, st store.Store, entries ...*store.Entry) {
	t.Helper()
	if err := st.Update(t.Context(), func(tx store.Tx) error { return tx.Append(t.Context(), entries...) }); err != nil {
		t.Fatal(err)
	}
}

// happened and did are entries of a contact, some milliseconds after noon.
func happened(c *store.Contact, at int, kind string) *store.Entry {
	return entry(c, at, store.StreamEvents, `{"detail":{"eventType":"`+kind+`","updatedProperties":["Attributes"]}}`)
}

func did(c *store.Contact, at int, lines string) *store.Entry {
	return entry(c, at, store.StreamFlowLog, lines)
}

func entry(c *store.Contact, at int, s store.Stream, doc string) *store.Entry {
	return &store.Entry{
		Stream: s, Instance: c.Instance, Owner: c.ID, ID: domain.NewID(), At: c.Initiated.Add(time.Duration(at) * time.Millisecond), Doc: []byte(doc),
	}
}

// shown are steps as "action" or "EVENT".
func shown(steps []TraceStep) string {
	var all []string
	for _, s := range steps {
		all = append(all, s.Event+s.Action)
	}
	return strings.Join(all, " ")
}

// TestTraceOrder: within a transition the cause comes before the effect, however
// the store has them.
func TestTraceOrder(t *testing.T) {
	st, c := storedContact(t, `{}`)
	appendEntries(
		t, st, happened(c, 0, "INITIATED"),
		happened(c, 1, "CONNECTED_TO_SYSTEM"), happened(c, 1, "QUEUED"),
		did(c, 1, `[{"Action":"greet"},{"Action":"transfer"},{"Action":"music","Flow":{"Type":"CUSTOMER_QUEUE"}}]`), happened(c, 1, "CONTACT_DATA_UPDATED"),
		happened(c, 2, "QUEUED"), did(c, 2, `[{"Action":"transfer"}]`),
		happened(c, 3, "DISCONNECTED"), happened(c, 3, "COMPLETED"), did(c, 3, `[{"Action":"bye"}]`),
	)
	out, err := tracer{st, newBell(), traceRun}.trace(t.Context(), c.ID, 0, 0)
	if err != nil {
		t.Fatal(err)
	}
	want := "INITIATED CONNECTED_TO_SYSTEM greet transfer QUEUED music CONTACT_DATA_UPDATED transfer QUEUED bye DISCONNECTED COMPLETED"
	if got := shown(out.Steps); got != want {
		t.Errorf("the steps are %s\nwant %s", got, want)
	}
	if out.Contact.InstanceAlias != "acme" || out.Contact.Method != "API" || out.More {
		t.Errorf("the contact is %+v, more %t", out.Contact, out.More)
	}
}

// TestTraceRuns: a long trace comes in runs, none of which leaves out or repeats
// anything.
func TestTraceRuns(t *testing.T) {
	st, c := storedContact(t, `{}`)
	var want []string
	for i := range 20 {
		want = append(want, fmt.Sprint("a", i))
		entries := []*store.Entry{did(c, i, fmt.Sprintf(`[{"Action":"a%d"}]`, i))}
		if i%4 == 3 {
			entries = append(entries, happened(c, i, "CONTACT_DATA_UPDATED"))
			want = append(want, "CONTACT_DATA_UPDATED")
		}
		appendEntries(t, st, entries...)
	}
	var got []string
	runs, next := 0, int64(0)
	for more := true; more; runs++ {
		out, err := tracer{st, newBell(), 3}.trace(t.Context(), c.ID, next, 0)
		if err != nil {
			t.Fatal(err)
		}
		got = append(got, strings.Fields(shown(out.Steps))...)
		next, more = out.Next, out.More
	}
	if !slices.Equal(got, want) || runs < 6 {
		t.Errorf("%d runs: %v\nwant %v", runs, got, want)
	}
}

// TestTraceWaits: a trace that waits ends with the next step, or when the server
// stops.
func TestTraceWaits(t *testing.T) {
	st, c := storedContact(t, `{}`)
	appendEntries(t, st, happened(c, 0, "INITIATED"))
	b := newBell()
	traced := tracer{st, b, traceRun}
	first, err := traced.trace(t.Context(), c.ID, 0, time.Hour)
	if err != nil || shown(first.Steps) != "INITIATED" {
		t.Fatalf("%+v, %v", first, err)
	}
	waited := make(chan string)
	wait := func() {
		out, err := traced.trace(context.WithoutCancel(t.Context()), c.ID, first.Next, time.Hour)
		if err != nil {
			waited <- err.Error()
			return
		}
		waited <- shown(out.Steps)
	}
	go wait()
	appendEntries(t, st, did(c, 1, `[{"Action":"greet"}]`))
	b.ring()
	if got := <-waited; got != "greet" {
		t.Errorf("after the next step: %s", got)
	}
	first.Next = 1 << 40
	go wait()
	b.silence()
	b.silence()
	if got := <-waited; got != "" {
		t.Errorf("when the server stops: %s", got)
	}
	if _, err := traced.trace(t.Context(), domain.NewID(), 0, 0); !fault.Is(err, fault.ResourceNotFound) {
		t.Errorf("of an unknown contact: %v", err)
	}
}

// TestTraceWaiting: what a contact waits for, by what its owner has stored.
func TestTraceWaiting(t *testing.T) {
	for name, c := range map[string]struct{ state, want string }{
		"nothing":        {`{}`, ``},
		"the callee":     {`{"Dial":{"To":"+14155550100"}}`, `an answer of +14155550100`},
		"a message":      {`{"Threads":{"customer":{"For":"entry","Run":{"Frames":[{"Flow":{"Name":"Main"},"Action":"hello"}],"Wait":{"Talking":true}}}}}`, `Main hello the end of what is said`},
		"input":          {`{"Threads":{"customer":{"For":"entry","Run":{"Frames":[{"Flow":{"Name":"Main"},"Action":"menu"}],"Wait":{"Due":"2026-01-31T12:00:09Z"}}}}}`, `Main menu the customer, or the time`},
		"a function":     {`{"Threads":{"customer":{"For":"entry","Run":{"Frames":[{"Flow":{"Name":"Main"},"Action":"ask"}],"Wait":{"Request":{"Lambda":{"Function":"lookup"}}}}}}}`, `Main ask the answer of the function lookup`},
		"what has ended": {`{"Threads":{"customer":{"For":"entry","Run":{"Frames":[{"Action":"x"}],"End":{"Reason":"Finished"}}}}}`, ``},
		"a pause":        {`{"Paused":true}`, `somebody to resume it`},
	} {
		st, row := storedContact(t, c.state)
		out, err := tracer{st, newBell(), traceRun}.trace(t.Context(), row.ID, 0, 0)
		if err != nil {
			t.Fatal(err)
		}
		var got []string
		for _, w := range out.Waiting {
			got = append(got, strings.TrimSpace(w.FlowName+" "+w.Action+" "+w.For))
		}
		if strings.Join(got, "; ") != c.want {
			t.Errorf("%s: it waits for %q, want %q", name, got, c.want)
		}
	}
}
