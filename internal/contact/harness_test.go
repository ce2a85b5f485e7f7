package contact_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/connect/types"

	"ringdown/internal/contact"
	"ringdown/internal/domain"
	"ringdown/internal/fault"
	"ringdown/internal/flow"
	"ringdown/internal/flow/machine"
	"ringdown/internal/store"
	"ringdown/internal/store/sqlstore"
)

// world is a store with one instance, and what is configured in it.
type world struct {
	storage func() sqlstore.Options
	store   store.Store
	in      contact.Instance
	config  *config
	dialer  *dialer
	shared  bool
	// options are those of the engine beside the configuration and the dialer.
	options contact.Options
	ahead   atomic.Int64 // how far the clock was moved, nanoseconds
	fault   faulty       // what the engine's store does
	m       *contact.Manager
}

func (w *world) now() time.Time { return time.Now().Add(time.Duration(w.ahead.Load())) }

// mustRead is the contact as it is stored, for steps of a script.
func (w *world) mustRead(ctx context.Context, id string) *domain.Contact {
	c, err := w.m.Read(ctx, w.in, id)
	if err != nil {
		panic(err)
	}
	return c
}

// advance moves the clock, and has every owner look at it.
func (w *world) advance(d time.Duration) {
	w.ahead.Add(int64(d))
	w.m.Look()
}

// faulty is a store that can be made to fail.
type faulty struct {
	store.Store
	mu      sync.Mutex
	commits int
	// fails, when set, decides about the commit of a number, from 1.
	fails func(n int) error
	// lies, when set, has a commit that was made answered with an error.
	lies func(n int) bool
}

func (f *faulty) commit(update func() error) error {
	f.mu.Lock()
	f.commits++
	n, fails, lies := f.commits, f.fails, f.lies
	f.mu.Unlock()
	if fails != nil {
		if err := fails(n); err != nil {
			return err
		}
	}
	if err := update(); err != nil {
		return err
	}
	if lies != nil && lies(n) {
		return errors.New("the answer was lost")
	}
	return nil
}

func (f *faulty) Update(ctx context.Context, fn func(store.Tx) error) error {
	return f.commit(func() error { return f.Store.Update(ctx, fn) })
}

func (f *faulty) UpdateContacts(ctx context.Context, fn func(store.ContactTx) error) error {
	return f.commit(func() error { return f.Store.UpdateContacts(ctx, fn) })
}

// set changes what the store does from now on, and counts anew.
func (f *faulty) set(fails func(n int) error, lies func(n int) bool) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.commits, f.fails, f.lies = 0, fails, lies
}

// newWorld opens a store in a fresh folder and an engine on it.
func newWorld(t testing.TB) *world {
	t.Helper()
	dir := t.TempDir()
	return newWorldOn(t, func() sqlstore.Options { return sqlstore.Options{Dir: dir} })
}

// newWorldOn opens another store, which is shared if it is a server's.
func newWorldOn(t testing.TB, storage func() sqlstore.Options) *world {
	t.Helper()
	w := &world{storage: storage, config: newConfig(), dialer: &dialer{}, shared: storage().URL != ""}
	w.open(t)
	r := &store.Record{Instance: store.Root, Kind: domain.KindInstance, ID: domain.NewID(), Name: "test", Doc: []byte(`{"Region":"us-east-1"}`)}
	if err := w.store.Update(t.Context(), func(tx store.Tx) error { return tx.Insert(t.Context(), r, nil) }); err != nil {
		t.Fatal(err)
	}
	w.in = contact.Instance{PK: r.PK, ID: domain.InstanceID(r.ID), Region: "us-east-1", Account: "123456789012"}
	w.config.in = w.in
	w.begin(t)
	t.Cleanup(func() { w.close(t) })
	return w
}

func (w *world) open(t testing.TB) {
	t.Helper()
	var err error
	o := w.storage()
	o.Now = w.now
	if w.store, err = sqlstore.Open(context.Background(), o); err != nil {
		t.Fatal(err)
	}
}

func (w *world) begin(t testing.TB) {
	t.Helper()
	o := w.options
	o.Configuration, o.Dialer = w.config, w.dialer
	o.Now = w.now
	w.m = contact.New(o)
	w.fault.Store = w.store
	w.fault.set(nil, nil)
	if err := w.m.Open(context.Background(), &w.fault, w.shared); err != nil {
		t.Fatal(err)
	}
}

func (w *world) close(t testing.TB) {
	t.Helper()
	if err := w.m.Close(); err != nil {
		t.Error(err)
	}
	if err := w.store.Close(); err != nil {
		t.Error(err)
	}
}

// restart closes the engine and opens another on the same store.
func (w *world) restart(t testing.TB) {
	t.Helper()
	w.close(t)
	w.open(t)
	w.begin(t)
}

// start begins a contact.
func (w *world) start(t testing.TB, s contact.Spec) domain.ContactID {
	t.Helper()
	s.Instance = w.in
	b := w.m.New(s)
	if err := w.store.Update(t.Context(), func(tx store.Tx) error { return b.Insert(t.Context(), tx) }); err != nil {
		t.Fatal(err)
	}
	b.Begin()
	return b.ID()
}

// task begins a task with a flow.
func (w *world) task(t testing.TB, flowID string) domain.ContactID {
	t.Helper()
	f, err := w.config.Flow(t.Context(), w.in, flowID)
	if err != nil {
		t.Fatal(err)
	}
	return w.start(t, contact.Spec{
		Contact: domain.Contact{Channel: types.ChannelTask, Method: types.ContactInitiationMethodApi, Name: "a task"}, Flow: &f,
	})
}

// call begins an outbound call with a flow.
func (w *world) call(t testing.TB, flowID string) domain.ContactID {
	t.Helper()
	f, err := w.config.Flow(t.Context(), w.in, flowID)
	if err != nil {
		t.Fatal(err)
	}
	to := "+14155550100"
	return w.start(t, contact.Spec{
		Contact: domain.Contact{
			Channel: types.ChannelVoice, Method: types.ContactInitiationMethodApi,
			Customer: &types.EndpointInfo{Type: types.EndpointTypeTelephoneNumber, Address: &to},
		},
		Flow: &f, Dial: &contact.Dial{To: to, From: "+14155550199"},
	})
}

// read is the contact as it is stored.
func (w *world) read(t testing.TB, id domain.ContactID) *domain.Contact {
	t.Helper()
	c, err := w.m.Read(t.Context(), w.in, string(id))
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// row is the contact as it is kept.
func (w *world) row(t testing.TB, id domain.ContactID) *store.Contact {
	t.Helper()
	row, err := w.store.Contact(t.Context(), w.in.PK, string(id))
	if err != nil {
		t.Fatal(err)
	}
	return row
}

// until waits for a contact to be as it shall be.
func (w *world) until(t testing.TB, id domain.ContactID, what string, ok func(*domain.Contact) bool) *domain.Contact {
	t.Helper()
	deadline := time.Now().Add(10 * time.Second)
	for {
		c := w.read(t, id)
		if ok(c) {
			return c
		}
		if time.Now().After(deadline) {
			raw, _ := json.MarshalIndent(c, "", " ")
			t.Fatalf("the contact is not %s:\n%s\nflow log:\n%s", what, raw, strings.Join(w.path(t, id), "\n"))
		}
		<-time.After(time.Millisecond)
	}
}

func ended(c *domain.Contact) bool  { return !c.CompletedAt.IsZero() }
func queued(c *domain.Contact) bool { return !c.EnqueuedAt.IsZero() && c.DequeuedAt.IsZero() }

// lines are the flow log of a contact.
func (w *world) lines(t testing.TB, id domain.ContactID) []machine.Line {
	t.Helper()
	entries, err := w.store.Entries(t.Context(), store.EntryQuery{Stream: store.StreamFlowLog, Instance: w.in.PK, Owner: string(id)})
	if err != nil {
		t.Fatal(err)
	}
	var all []machine.Line
	for _, e := range entries {
		var lines []machine.Line
		if err := json.Unmarshal(e.Doc, &lines); err != nil {
			t.Fatal(err)
		}
		all = append(all, lines...)
	}
	return all
}

// path is the flow log as a list of actions with what they came to.
func (w *world) path(t testing.TB, id domain.ContactID) []string {
	t.Helper()
	var path []string
	for _, l := range w.lines(t, id) {
		s := l.Flow.Name + " " + l.Action
		for _, more := range []string{l.Result, l.Error, l.Note} {
			if more != "" {
				s += " " + more
			}
		}
		path = append(path, s)
	}
	return path
}

// events are the types of a contact's events, in order.
func (w *world) events(t testing.TB, id domain.ContactID) []string {
	t.Helper()
	entries, err := w.store.Entries(t.Context(), store.EntryQuery{Stream: store.StreamEvents, Instance: w.in.PK, Owner: string(id)})
	if err != nil {
		t.Fatal(err)
	}
	var all []string
	for _, e := range entries {
		var doc struct {
			Detail struct {
				EventType string `json:"eventType"`
			} `json:"detail"`
		}
		if err := json.Unmarshal(e.Doc, &doc); err != nil {
			t.Fatal(err)
		}
		all = append(all, doc.Detail.EventType)
	}
	return all
}

// config is a contact.Configuration in memory.
type config struct {
	in     contact.Instance
	mu     sync.Mutex
	flows  map[string]machine.Ref
	docs   map[string]*flow.Document
	queues map[string]contact.Queue
	prefix string // of recordings, "" for none
	broken error  // what becomes of looking for it
}

func newConfig() *config {
	return &config{flows: map[string]machine.Ref{}, docs: map[string]*flow.Document{}, queues: map[string]contact.Queue{}}
}

// flow adds a flow; its actions are given as "Id Type {parameters} next" and
// further lines "  error TYPE next" or "  OPERATOR operand next".
func (c *config) flow(t testing.TB, id string, typ flow.Type, actions ...string) {
	t.Helper()
	var list []string
	start := ""
	for _, a := range actions {
		f := strings.SplitN(a, "|", 5)
		for len(f) < 5 {
			f = append(f, "")
		}
		if start == "" {
			start = f[0]
		}
		params := f[2]
		if params == "" {
			params = "{}"
		}
		transitions := ""
		if f[3] != "" {
			transitions = fmt.Sprintf(`"NextAction":%q`, f[3])
		}
		if f[4] != "" {
			transitions += "," + f[4]
		}
		list = append(list, fmt.Sprintf(`{"Identifier":%q,"Type":%q,"Parameters":%s,"Transitions":{%s}}`, f[0], f[1], params, transitions))
	}
	doc, problems := flow.Parse(fmt.Sprintf(`{"Version":"2019-10-30","StartAction":%q,"Metadata":{},"Actions":[%s]}`, start, strings.Join(list, ",")))
	if len(problems) > 0 {
		t.Fatal(problems)
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.flows[id] = machine.Ref{ID: id, ARN: id, Name: id, Type: typ, Content: id}
	c.docs[id] = doc
}

func missing(what string) error { return fault.New(fault.ResourceNotFound, "%s not found.", what) }

func (c *config) Instance(context.Context, store.PK) (contact.Instance, error) { return c.in, nil }

func (c *config) Flow(_ context.Context, _ contact.Instance, id string) (machine.Ref, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	f, ok := c.flows[id]
	if !ok {
		return f, missing(id)
	}
	return f, nil
}

func (c *config) Module(ctx context.Context, in contact.Instance, id string) (machine.Ref, error) {
	return c.Flow(ctx, in, id)
}

func (c *config) DefaultFlow(ctx context.Context, in contact.Instance, t flow.Type) (machine.Ref, error) {
	return c.Flow(ctx, in, "default "+string(t))
}

func (c *config) Document(_ context.Context, _ contact.Instance, content string) (*flow.Document, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if d := c.docs[content]; d != nil {
		return d, nil
	}
	return nil, missing(content)
}

func (c *config) Queue(_ context.Context, _ contact.Instance, id string) (contact.Queue, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	q, ok := c.queues[id]
	if !ok {
		return q, missing(id)
	}
	return q, nil
}

func (c *config) queue(id string, most *int32) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.queues[id] = contact.Queue{ContactQueue: domain.ContactQueue{ID: domain.QueueID(id), Name: id}, Enabled: true, MaxContacts: most}
}

// AgentQueue has one for each agent whose id ends in "agent".
func (c *config) AgentQueue(_ context.Context, _ contact.Instance, id string) (contact.Queue, error) {
	if !strings.HasSuffix(id, "agent") {
		return contact.Queue{}, missing(id)
	}
	return contact.Queue{ContactQueue: domain.ContactQueue{ID: domain.QueueID(id), Name: id, AgentID: domain.UserID(id)}, Enabled: true}, nil
}

func (c *config) Open(context.Context, contact.Instance, string, time.Time) (bool, error) {
	return true, nil
}

// Dialable refuses the numbers of one country.
func (c *config) Dialable(_ context.Context, _ contact.Instance, number string) bool {
	return !strings.HasPrefix(number, "+423")
}

func (c *config) Prompt(_ context.Context, _ contact.Instance, id string) (contact.Prompt, error) {
	return contact.Prompt{Name: id, URI: "s3://bucket/" + id}, nil
}

func (c *config) Recordings(context.Context, contact.Instance) (bucket, prefix string, kept bool, err error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	return "tapes", c.prefix, c.prefix != "", c.broken
}

func (c *config) Template(_ context.Context, _ contact.Instance, id string) (*domain.TaskTemplate, error) {
	return nil, missing(id)
}

// dialer places calls whose far ends the test plays.
type dialer struct {
	mu   sync.Mutex
	legs []*leg
	// answer, when set, has each call answered at once.
	answer bool
	deaf   bool // legs cannot record
	// wrap, when set, makes the leg that the engine gets.
	wrap func(*leg) contact.Leg
}

type leg struct {
	call contact.Call
	hear func(contact.LegEvent)
	mu   sync.Mutex
	said []string
	gone bool
	with contact.Leg // whom it is joined with
	// recorded is what Record was told; deaf legs cannot record.
	recorded []contact.Recording
	deaf     bool
}

func (d *dialer) Dial(c contact.Call, hear func(contact.LegEvent)) contact.Leg {
	l := &leg{call: c, hear: hear, deaf: d.deaf}
	d.mu.Lock()
	d.legs = append(d.legs, l)
	answer := d.answer
	d.mu.Unlock()
	if answer {
		go hear(contact.LegEvent{Kind: contact.LegAnswered})
	}
	if d.wrap != nil {
		return d.wrap(l)
	}
	return l
}

// last waits for the n-th call, from 0.
func (d *dialer) leg(t testing.TB, n int) *leg {
	t.Helper()
	deadline := time.Now().Add(10 * time.Second)
	for {
		d.mu.Lock()
		if len(d.legs) > n {
			l := d.legs[n]
			d.mu.Unlock()
			return l
		}
		d.mu.Unlock()
		if time.Now().After(deadline) {
			t.Fatal("nobody was called")
		}
		<-time.After(time.Millisecond)
	}
}

func (l *leg) Say(seq int, sounds []contact.Sound, loop bool) {
	l.mu.Lock()
	for _, s := range sounds {
		l.said = append(l.said, s.Text)
	}
	l.mu.Unlock()
	if !loop {
		go l.hear(contact.LegEvent{Kind: contact.LegSaid, Seq: seq})
	}
}

func (l *leg) Hush()       {}
func (l *leg) Type(string) {}

func (l *leg) Join(other contact.Leg) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.with = other
}

func (l *leg) joined() contact.Leg {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.with
}

func (l *leg) Record(r contact.Recording) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.recorded = append(l.recorded, r)
}

func (l *leg) Records() bool { return !l.deaf }

// tapes is what Record was told.
func (l *leg) tapes() []contact.Recording {
	l.mu.Lock()
	defer l.mu.Unlock()
	return append([]contact.Recording(nil), l.recorded...)
}

func (l *leg) Hangup() {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.gone = true
}

func (l *leg) heard() []string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return append([]string(nil), l.said...)
}

func (l *leg) over() bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.gone
}

// record is the record of a contact, of which there is one.
func (w *world) record(t testing.TB, id domain.ContactID) map[string]any {
	t.Helper()
	all := w.records(t, id)
	if len(all) != 1 {
		t.Fatalf("%d records", len(all))
	}
	return all[0]
}

// records are all records of a contact, the last as it is now.
func (w *world) records(t testing.TB, id domain.ContactID) []map[string]any {
	t.Helper()
	entries, err := w.store.Entries(t.Context(), store.EntryQuery{Stream: store.StreamRecords, Instance: w.in.PK, Owner: string(id)})
	if err != nil {
		t.Fatal(err)
	}
	var all []map[string]any
	for _, e := range entries {
		var doc map[string]any
		if err := json.Unmarshal(e.Doc, &doc); err != nil {
			t.Fatal(err)
		}
		all = append(all, doc)
	}
	return all
}

func flowType(s string) flow.Type { return flow.Type(s) }
