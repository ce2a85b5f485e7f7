package server

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/connect/types"

	"ringdown/internal/contact"
	"ringdown/internal/domain"
	"ringdown/internal/fault"
	"ringdown/internal/flow/machine"
	"ringdown/internal/store"
)

// What has become of contacts is asked by `ringdown contact` at /-/contacts (a
// list) and /-/contacts/ID (a trace).
const contactsPath = "/-/contacts"

// Trace is what is known of a contact, and a run of what has happened to it.
type Trace struct {
	Contact TracedContact
	// Attributes are the user-defined ones of its chain.
	Attributes map[string]string `json:",omitempty"`
	// Steps are in their order, from the one asked for.
	Steps []TraceStep
	// Waiting is what a live contact waits for.
	Waiting []TraceWaiting `json:",omitempty"`
	// Next is where the next run begins. With More it is there already.
	Next int64
	More bool `json:",omitempty"`
}

// TracedContact is a contact in plain words. Times are UTC, zero for what has
// not happened.
type TracedContact struct {
	ID            string
	InstanceID    string
	InstanceAlias string `json:",omitempty"`
	Channel       string
	Method        string // InitiationMethod
	Name          string `json:",omitempty"`
	Customer      string `json:",omitempty"` // number or other address
	System        string `json:",omitempty"`
	Queue         string `json:",omitempty"`
	Agent         string `json:",omitempty"` // user name
	TransferredTo string `json:",omitempty"`
	InitialID     string
	PreviousID    string   `json:",omitempty"`
	RelatedID     string   `json:",omitempty"`
	NextIDs       []string `json:",omitempty"`
	Initiated     time.Time
	Connected     time.Time `json:",omitzero"`
	Enqueued      time.Time `json:",omitzero"`
	Disconnected  time.Time `json:",omitzero"`
	Completed     time.Time `json:",omitzero"` // nothing more happens by itself
	Reason        string    `json:",omitempty"`
}

// TraceStep is an event of the contact (Event is its type), or else what a flow
// did: an action, or a note without one.
type TraceStep struct {
	At time.Time // when it was over

	Event   string   `json:",omitempty"`
	Updated []string `json:",omitempty"` // of CONTACT_DATA_UPDATED

	Began      time.Time      `json:",omitzero"`
	FlowID     string         `json:",omitempty"`
	FlowName   string         `json:",omitempty"`
	FlowType   string         `json:",omitempty"` // MODULE for modules
	Depth      int            `json:",omitempty"` // how many modules are around it
	Action     string         `json:",omitempty"` // identifier
	Type       string         `json:",omitempty"`
	Parameters map[string]any `json:",omitempty"` // absent while the flow has its log turned off
	Result     string         `json:",omitempty"`
	Error      string         `json:",omitempty"`
	Next       string         `json:",omitempty"` // the action that followed
	Note       string         `json:",omitempty"`
}

// TraceWaiting is something that a contact waits for.
type TraceWaiting struct {
	FlowName string `json:",omitempty"`
	Action   string `json:",omitempty"`
	For      string
	Since    time.Time `json:",omitzero"`
	Until    time.Time `json:",omitzero"`
}

const (
	// traceRun is tracer.run of a server.
	traceRun = 1000
	// longestWait is how long a request may wait for something to happen.
	longestWait = 20 * time.Second
	// lookAgain is how soon a request that waits looks whether another server
	// has written something.
	lookAgain = time.Second
	// most contacts of one list.
	mostListed = 1000
)

// tracer answers requests at contactsPath.
type tracer struct {
	store store.Store
	bell  *bell
	run   int // entries of each kind that one answer is made of, at most
}

func (t tracer) serve(r *http.Request, _ []byte) (any, error) {
	id := strings.TrimPrefix(strings.TrimPrefix(r.URL.Path, contactsPath), "/")
	q := r.URL.Query()
	number := func(name string) int64 {
		n, _ := strconv.ParseInt(q.Get(name), 10, 64)
		return max(n, 0)
	}
	switch {
	case r.Method != http.MethodGet:
		return nil, fault.New(fault.UnknownOperation, "%s %s is not served", r.Method, r.URL.Path)
	case id == "":
		return t.list(r.Context(), int(min(number("limit"), mostListed)))
	default:
		wait := min(time.Duration(number("wait"))*time.Second, longestWait)
		return t.trace(r.Context(), id, number("after"), wait)
	}
}

// trace reads a run of steps. With a wait it returns when there is a step, the
// contact is complete, or the time is over.
func (t tracer) trace(ctx context.Context, id string, after int64, wait time.Duration) (*Trace, error) {
	ctx, cancel := context.WithTimeout(ctx, wait+longestWait)
	defer cancel()
	over := time.NewTimer(wait)
	defer over.Stop()
	again := time.NewTicker(lookAgain)
	defer again.Stop()
	for {
		rung, stopping := t.bell.next() // before it is read, so that nothing is missed
		out, err := t.read(ctx, id, after)
		if err != nil || wait == 0 || len(out.Steps) > 0 || !out.Contact.Completed.IsZero() {
			return out, err
		}
		select {
		case <-rung:
		case <-again.C:
		case <-over.C:
			return out, nil
		case <-stopping:
			return out, nil
		case <-ctx.Done():
			return out, nil
		}
	}
}

// read reads one state of a contact.
func (t tracer) read(ctx context.Context, id string, after int64) (out *Trace, err error) {
	err = t.store.View(ctx, func(rd store.Reader) error {
		in, row, err := findContact(ctx, rd, id)
		if err != nil {
			return err
		}
		var c domain.Contact
		if err := json.Unmarshal(row.Doc, &c); err != nil {
			return fmt.Errorf("contact %s: %w", id, err)
		}
		out = &Trace{Contact: traced(in, &c), Next: after}
		if out.Waiting, err = traceWaiting(row); err != nil {
			return err
		}
		if err := traceAttributes(ctx, rd, row, out); err != nil {
			return err
		}
		entries, err := t.entries(ctx, rd, row, out)
		if err != nil {
			return err
		}
		out.Steps, err = traceSteps(entries)
		return err
	})
	return out, err
}

// findContact finds a contact in whichever instance it is, for its id is unique.
func findContact(ctx context.Context, rd store.Reader, id string) (*store.Record, *store.Contact, error) {
	instances, err := rd.List(ctx, store.ListQuery{Instance: store.Root, Kind: domain.KindInstance})
	if err != nil {
		return nil, nil, err
	}
	for _, in := range instances {
		row, err := rd.Contact(ctx, in.PK, id)
		if !fault.Is(err, fault.ResourceNotFound) {
			return in, row, err
		}
	}
	return nil, nil, fault.New(fault.ResourceNotFound, "Contact %s not found.", id)
}

// traced is a contact in plain words.
func traced(in *store.Record, c *domain.Contact) TracedContact {
	out := TracedContact{
		ID: string(c.ID), InstanceID: in.ID, InstanceAlias: in.Name, Channel: string(c.Channel), Method: string(c.Method), Name: c.Name,
		Customer: address(c.Customer), System: address(c.System), TransferredTo: address(c.TransferredTo),
		InitialID: string(c.InitialID), PreviousID: string(c.PreviousID), RelatedID: string(c.RelatedID),
		Initiated: c.InitiatedAt, Connected: c.ConnectedAt, Enqueued: c.EnqueuedAt, Disconnected: c.DisconnectedAt, Completed: c.CompletedAt,
		Reason: c.DisconnectReason,
	}
	if c.Queue != nil {
		out.Queue = c.Queue.Name
	}
	if c.Agent != nil {
		out.Agent = c.Agent.UserName
	}
	for _, next := range c.Next {
		out.NextIDs = append(out.NextIDs, string(next.ID))
	}
	return out
}

func address(e *types.EndpointInfo) string {
	if e == nil || e.Address == nil {
		return ""
	}
	return *e.Address
}

func traceWaiting(row *store.Contact) (all []TraceWaiting, err error) {
	waiting, err := contact.WaitingFor(row)
	for _, w := range waiting {
		all = append(all, TraceWaiting{FlowName: w.Flow.Name, Action: w.Action, For: w.For, Since: w.Since, Until: w.Until})
	}
	return all, err
}

func traceAttributes(ctx context.Context, rd store.Reader, row *store.Contact, out *Trace) error {
	raw, err := rd.Attributes(ctx, row.Instance, row.InitialID)
	if err != nil || raw == nil {
		return err
	}
	if err := json.Unmarshal(raw, &out.Attributes); err != nil {
		return fmt.Errorf("attributes of contact %s: %w", row.InitialID, err)
	}
	return nil
}

// entries reads a run of events and log entries, in their order, and notes
// in out where the next begins.
func (t tracer) entries(ctx context.Context, rd store.Reader, row *store.Contact, out *Trace) (all []*store.Entry, err error) {
	after, end := out.Next, int64(0)
	for _, stream := range []store.Stream{store.StreamEvents, store.StreamFlowLog} {
		run, err := rd.Entries(ctx, store.EntryQuery{Stream: stream, Instance: row.Instance, Owner: row.ID, After: after, Limit: t.run})
		if err != nil {
			return nil, err
		}
		if len(run) == t.run { // what lies beyond is for the next run
			if last := run[t.run-1].Seq; end == 0 || last < end {
				end = last
			}
			out.More = true
		}
		all = append(all, run...)
	}
	if end > 0 {
		all = slices.DeleteFunc(all, func(e *store.Entry) bool { return e.Seq > end })
	}
	slices.SortFunc(all, func(a, b *store.Entry) int { return cmp.Compare(a.Seq, b.Seq) })
	if len(all) > 0 {
		out.Next = all[len(all)-1].Seq
	}
	return all, nil
}

// traceSteps makes steps of entries. Those of one transition of the contact have
// one time, and the log comes last in the store whatever it led to; here the cause
// comes before the effect.
func traceSteps(entries []*store.Entry) ([]TraceStep, error) {
	all := []TraceStep{} // [] in JSON
	for len(entries) > 0 {
		n := 1
		for n < len(entries) && entries[n].At.Equal(entries[0].At) {
			n++
		}
		steps, err := transitionSteps(entries[:n])
		if err != nil {
			return nil, err
		}
		all, entries = append(all, steps...), entries[n:]
	}
	return all, nil
}

// causes are the events that let flows go on; others are what flows led to.
var causes = []string{contact.Initiated, contact.ConnectedToSystem, contact.ConnectedToAgent, contact.Resumed}

func transitionSteps(entries []*store.Entry) ([]TraceStep, error) {
	var before, did, queued, after []TraceStep
	for _, e := range entries {
		if e.Stream == store.StreamFlowLog {
			var lines []machine.Line
			if err := json.Unmarshal(e.Doc, &lines); err != nil {
				return nil, fmt.Errorf("flow log of contact %s: %w", e.Owner, err)
			}
			for _, l := range lines {
				did = append(did, lineStep(l))
			}
			continue
		}
		step, err := eventStep(e)
		switch {
		case err != nil:
			return nil, err
		case slices.Contains(causes, step.Event):
			before = append(before, step)
		case step.Event == contact.Queued:
			queued = append(queued, step)
		default:
			after = append(after, step)
		}
	}
	// In the queue the flow of the queue begins.
	at := slices.IndexFunc(did, func(s TraceStep) bool { return s.FlowType == string(types.ContactFlowTypeCustomerQueue) })
	if at < 0 {
		at = len(did)
	}
	return slices.Concat(before, did[:at], queued, did[at:], after), nil
}

func eventStep(e *store.Entry) (TraceStep, error) {
	var event struct {
		Detail struct {
			EventType         string
			UpdatedProperties []string
		}
	}
	if err := json.Unmarshal(e.Doc, &event); err != nil {
		return TraceStep{}, fmt.Errorf("event %s of contact %s: %w", e.ID, e.Owner, err)
	}
	return TraceStep{At: e.At, Event: event.Detail.EventType, Updated: event.Detail.UpdatedProperties}, nil
}

func lineStep(l machine.Line) TraceStep {
	return TraceStep{
		At: l.Ended, Began: l.At, FlowID: l.Flow.ID, FlowName: l.Flow.Name, FlowType: string(l.Flow.Type), Depth: l.Depth,
		Action: l.Action, Type: l.Type, Parameters: l.Parameters, Result: l.Result, Error: l.Error, Next: l.Next, Note: l.Note,
	}
}

// list returns the newest contacts of all instances, the newest first.
func (t tracer) list(ctx context.Context, limit int) ([]TracedContact, error) {
	all := []TracedContact{}
	err := t.store.View(ctx, func(rd store.Reader) error {
		all = all[:0]
		instances, err := rd.List(ctx, store.ListQuery{Instance: store.Root, Kind: domain.KindInstance})
		if err != nil {
			return err
		}
		for _, in := range instances {
			rows, err := rd.Contacts(ctx, store.ContactQuery{Instance: in.PK, Time: store.Initiated, Descending: true, Limit: limit})
			if err != nil {
				return err
			}
			for _, row := range rows {
				var c domain.Contact
				if err := json.Unmarshal(row.Doc, &c); err != nil {
					return fmt.Errorf("contact %s: %w", row.ID, err)
				}
				all = append(all, traced(in, &c))
			}
		}
		return nil
	})
	slices.SortStableFunc(all, func(a, b TracedContact) int { return b.Initiated.Compare(a.Initiated) })
	return all[:min(limit, len(all))], err
}

// bell tells whoever waits that contacts have written something.
type bell struct {
	mu      sync.Mutex
	rung    chan struct{} // closed and replaced with each ring
	stopped chan struct{}
	silent  bool
}

func newBell() *bell { return &bell{rung: make(chan struct{}), stopped: make(chan struct{})} }

// ring wakes all who wait.
func (b *bell) ring() {
	b.mu.Lock()
	defer b.mu.Unlock()
	close(b.rung)
	b.rung = make(chan struct{})
}

// next is closed with the next ring, stopped when there are to be no more.
func (b *bell) next() (rung, stopped <-chan struct{}) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.rung, b.stopped
}

// silence ends the waits, and may be called twice.
func (b *bell) silence() {
	b.mu.Lock()
	defer b.mu.Unlock()
	if !b.silent {
		b.silent = true
		close(b.stopped)
	}
}

// Contacts asks a running server what has become of contacts.
type Contacts struct {
	remote *remote
	data   string
}

// OpenContacts finds the server of a configuration. Nothing is asked of it yet.
func OpenContacts(cfg Config) (*Contacts, error) {
	if err := cfg.complete(); err != nil {
		return nil, err
	}
	root, err := FindRoot(&cfg)
	if errors.Is(err, ErrNoRoot) {
		return nil, fmt.Errorf("%w in %s: start \"ringdown serve\" first, or name its data folder with --data", err, cfg.Data)
	}
	if err != nil {
		return nil, err
	}
	found, err := newRemote(cfg, root, 3*longestWait)
	return &Contacts{found, cfg.Data}, err
}

// ErrNoContact says that a server knows no contact of an id.
var ErrNoContact = errors.New("there is no such contact")

// Trace returns what has happened to a contact from a place on, 0 for the
// beginning. If that is nothing yet it waits, for some seconds at most, with wait.
func (c *Contacts) Trace(ctx context.Context, id string, from int64, wait bool) (*Trace, error) {
	q := url.Values{"after": {strconv.FormatInt(from, 10)}}
	if wait {
		q.Set("wait", strconv.Itoa(int(longestWait/time.Second)))
	}
	var t Trace
	err := c.ask(ctx, "/"+url.PathEscape(id)+"?"+q.Encode(), &t)
	var r *refusal
	if errors.As(err, &r) && r.status == http.StatusNotFound {
		return nil, ErrNoContact
	}
	return &t, err
}

// List returns the newest contacts, the newest first.
func (c *Contacts) List(ctx context.Context, limit int) (all []TracedContact, err error) {
	return all, c.ask(ctx, "?limit="+strconv.Itoa(limit), &all)
}

func (c *Contacts) ask(ctx context.Context, path string, out any) error {
	err := c.remote.do(ctx, http.MethodGet, contactsPath+path, nil, out)
	var unreachable *url.Error
	if errors.As(err, &unreachable) && ctx.Err() == nil {
		return fmt.Errorf("no server answers at %s: start \"ringdown serve\", or name the data folder of one that runs with --data (%w)", c.remote.url, unreachable.Err)
	}
	return err
}
