package main

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"path/filepath"
	"slices"
	"strconv"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/connect"
	"github.com/aws/aws-sdk-go-v2/service/connect/types"

	"ringdown/internal/domain"
	"ringdown/internal/flow"
	"ringdown/internal/flow/machine"
	"ringdown/internal/store"
)

// Contacts are measured in four ways: how many can be begun, run and ended a
// second, how many can live at once, how fast a chat is, and, for comparison, the
// bare interpreter of their flows.

// benchContacts prints them.
func benchContacts(ctx context.Context, o options, bin, dir string) error {
	if err := benchTasks(ctx, o, bin, filepath.Join(dir, "tasks")); err != nil {
		return err
	}
	if err := benchWaiting(ctx, o, bin, filepath.Join(dir, "waiting")); err != nil {
		return err
	}
	return benchChats(ctx, o, bin, filepath.Join(dir, "chats"))
}

// action is one of a flow, as the flow language has it.
type action struct {
	Identifier  string
	Type        string
	Parameters  map[string]any
	Transitions map[string]any
}

// failing are transitions of an action that can only fail in one way.
func failing(next, failure string) map[string]any {
	return map[string]any{"NextAction": next, "Errors": []any{map[string]any{"NextAction": next, "ErrorType": failure}}}
}

// document is a flow that begins with the first of its actions.
func document(actions ...action) (string, error) {
	raw, err := json.Marshal(map[string]any{"Version": "2019-10-30", "StartAction": actions[0].Identifier, "Actions": actions})
	return string(raw), err
}

// taskActions is how many actions the flow of a measured task has.
const taskActions = 20

// workFlow sets and compares attributes, and ends the contact.
func workFlow(string) (string, error) {
	actions := make([]action, 0, taskActions)
	for i := range taskActions - 1 {
		id, next := "a"+strconv.Itoa(i), "a"+strconv.Itoa(i+1)
		if i%2 == 0 {
			actions = append(actions, action{id, "UpdateContactAttributes", map[string]any{
				"TargetContact": "Current", "Attributes": map[string]any{"name": "$.Channel of $.ContactId", "step": id},
			}, failing(next, machine.NoMatchingError)})
			continue
		}
		to := failing(next, machine.NoMatchingCondition)
		to["Conditions"] = []any{map[string]any{"NextAction": "a" + strconv.Itoa(taskActions-1), "Condition": map[string]any{"Operator": "Equals", "Operands": []string{"x"}}}}
		actions = append(actions, action{id, "Compare", map[string]any{"ComparisonValue": "$.Attributes.name"}, to})
	}
	return document(append(actions, action{"a" + strconv.Itoa(taskActions-1), "DisconnectParticipant", map[string]any{}, map[string]any{}})...)
}

// queueFlow has a contact wait for an agent.
func queueFlow(queue string) (string, error) {
	return document(
		action{"choose", "UpdateContactTargetQueue", map[string]any{"QueueId": queue}, failing("move", machine.NoMatchingError)},
		action{"move", "TransferContactToQueue", map[string]any{}, map[string]any{"NextAction": "end", "Errors": []any{
			map[string]any{"NextAction": "end", "ErrorType": "QueueAtCapacity"}, map[string]any{"NextAction": "end", "ErrorType": machine.NoMatchingError},
		}}},
		action{"end", "DisconnectParticipant", map[string]any{}, map[string]any{}},
	)
}

// newPlaceWith makes an instance with a flow, whose id it returns.
func newPlaceWith(ctx context.Context, c *connect.Client, name string, content func(queue string) (string, error)) (place, string, error) {
	at, err := newPlace(ctx, c, name)
	if err != nil {
		return at, "", err
	}
	queues, err := c.ListQueues(ctx, &connect.ListQueuesInput{InstanceId: &at.id, QueueTypes: []types.QueueType{types.QueueTypeStandard}})
	if err != nil {
		return at, "", err
	}
	text, err := content(*queues.QueueSummaryList[0].Id)
	if err != nil {
		return at, "", err
	}
	out, err := c.CreateContactFlow(ctx, &connect.CreateContactFlowInput{
		InstanceId: &at.id, Name: &name, Type: types.ContactFlowTypeContactFlow, Content: &text,
	})
	if err != nil {
		return at, "", fmt.Errorf("flow %s: %w", name, err)
	}
	return at, *out.ContactFlowId, nil
}

// task is a StartTaskContact call, with a client token as the clients of Amazon's
// send.
func (p place) task(flowID, name string) call {
	return call{"PUT", "/contact/task", fmt.Sprintf(
		`{"InstanceId":%q,"ContactFlowId":%q,"Name":%q,"Attributes":{"orderNumber":"4711","language":"en"},"ClientToken":%q}`, p.id, flowID, name, name)}
}

// tasks are n of them.
func (p place) tasks(flowID, name string, n int) []call {
	calls := make([]call, n)
	for i := range calls {
		calls[i] = p.task(flowID, fmt.Sprintf("%s-%07d", name, i))
	}
	return calls
}

// StartTaskContact implements the floor.
func (f *floor) StartTaskContact(context.Context, *connect.StartTaskContactInput) (*connect.StartTaskContactOutput, error) {
	return &connect.StartTaskContactOutput{ContactId: f.user.User.Id}, nil
}

// benchTasks prints how many tasks a second are begun, run through a flow and
// ended, everything durable.
func benchTasks(ctx context.Context, o options, bin, data string) error {
	p, err := startServer(bin, data)
	if err != nil {
		return err
	}
	at, flowID, err := newPlaceWith(ctx, p.client(), "tasks", workFlow)
	p.stop()
	if err != nil {
		return err
	}
	before := data + "-before"
	if err := copyFolder(data, before); err != nil {
		return err
	}
	f, err := startFloor()
	if err != nil {
		return err
	}
	defer f.stop()
	if p, err = startServer(bin, data); err != nil {
		return err
	}
	defer func() { p.stop() }()

	var perSecond, told, floors, bare []float64
	var cpu, floorCPU []time.Duration
	var last result
	for round := range o.rounds {
		calls := at.tasks(flowID, "task"+strconv.Itoa(round), o.creates)
		floorResult, spent, err := f.once(calls, o)
		if err != nil {
			return fmt.Errorf("floor: %w", err)
		}
		floors, floorCPU = append(floors, floorResult.perSecond), append(floorCPU, spent/time.Duration(len(calls)))

		began, used := time.Now(), p.cpu()
		if last, _, err = p.once(calls, o); err != nil {
			return fmt.Errorf("StartTaskContact: %w", err)
		}
		if err := waitUntilOver(ctx, data); err != nil {
			return err
		}
		perSecond = append(perSecond, float64(len(calls))/time.Since(began).Seconds())
		if err := waitUntilTold(ctx, data); err != nil {
			return err
		}
		told = append(told, float64(len(calls))/time.Since(began).Seconds())
		cpu = append(cpu, (p.cpu()-used)/time.Duration(len(calls)))
	}
	p.stop() // to read what it wrote
	rows, err := readContacts(ctx, data, o.creates)
	if err != nil {
		return err
	}
	for round := range o.rounds {
		fresh := fmt.Sprintf("%s-bare%d", data, round)
		if err := copyFolder(before, fresh); err != nil {
			return err
		}
		n, err := bareContacts(ctx, fresh, rows)
		if err != nil {
			return err
		}
		bare = append(bare, n)
	}
	if p, err = startServer(bin, data); err != nil { // for the deferred stop
		return err
	}
	interpreter, err := benchInterpreter(o.length)
	if err != nil {
		return err
	}
	fmt.Printf("tasks, begun by %d clients, run through %d actions and ended, %d rounds of %d, medians\n", o.connections, taskActions, o.rounds, o.creates)
	fmt.Printf("%-34s %8.0f a second (aim: 500), with events and records delivered %.0f\n", "durable", median(perSecond), median(told))
	fmt.Printf("%-34s p50 %v, p99 %v\n", "answers of the last round", last.p50.Round(10*time.Microsecond), last.p99.Round(10*time.Microsecond))
	fmt.Printf("%-34s %8v, of the floor %v\n", "CPU of a contact", middle(cpu).Round(time.Microsecond), middle(floorCPU).Round(time.Microsecond))
	fmt.Printf("%-34s %8.0f a second, ratio %.2f\n", "HTTP floor of StartTaskContact", median(floors), median(perSecond)/median(floors))
	fmt.Printf("%-34s %8.0f a second, ratio %.2f\n", "bare inserts of the same rows", median(bare), median(perSecond)/median(bare))
	fmt.Printf("%-34s %8.0f actions a second, %.0f flows\n\n", "bare interpreter", interpreter, interpreter/taskActions)
	return nil
}

// once sends each call a single time and returns what it cost the server.
func (p *process) once(calls []call, o options) (result, time.Duration, error) {
	requests, err := p.target().signAll(calls)
	if err != nil {
		return result{}, 0, err
	}
	used := p.cpu()
	got, err := p.target().run(requests, o.connections, 0, true)
	return got, p.cpu() - used, err
}

func middle(list []time.Duration) time.Duration {
	sorted := slices.Sorted(slices.Values(list))
	return sorted[len(sorted)/2]
}

// patience is how long is waited for contacts.
const patience = 5 * time.Minute

var errSlow = errors.New("the contacts take too long")

// waitUntilOver waits until no contact lives, by the server's database.
func waitUntilOver(ctx context.Context, data string) error {
	db, err := openBare(data)
	if err != nil {
		return err
	}
	defer db.Close()
	for began := time.Now(); time.Since(began) < patience; time.Sleep(2 * time.Millisecond) {
		var live bool
		if err := db.QueryRowContext(ctx, `SELECT EXISTS (SELECT 1 FROM contact WHERE live = 1)`).Scan(&live); err != nil {
			return err
		}
		if !live {
			return nil
		}
	}
	return errSlow
}

// waitUntilTold waits until all events and records are in their files, by the
// cursors of those: the files themselves are exchanged when they are full.
func waitUntilTold(ctx context.Context, data string) error {
	db, err := openBare(data)
	if err != nil {
		return err
	}
	defer db.Close()
	for began := time.Now(); time.Since(began) < patience; time.Sleep(2 * time.Millisecond) {
		told := 0
		for name, stream := range map[string]store.Stream{"file/contact-events": store.StreamEvents, "file/contact-records": store.StreamRecords} {
			var done bool
			if err := db.QueryRowContext(ctx, `SELECT COALESCE((SELECT seq FROM cursor WHERE name = ?), 0) >= (SELECT MAX(seq) FROM entry WHERE stream = ?)`, name, stream).Scan(&done); err != nil {
				return err
			}
			if done {
				told++
			}
		}
		if told == 2 {
			return nil
		}
	}
	return errSlow
}

// contactRows are the rows that a contact has left behind.
type contactRows struct {
	contact    []any
	attributes []any
	memo       []any
	entries    [][]any
}

// readContacts reads what n contacts have left in a data folder.
func readContacts(ctx context.Context, data string, n int) ([]*contactRows, error) {
	db, err := openBare(data)
	if err != nil {
		return nil, err
	}
	defer db.Close()
	var list []*contactRows
	byID := map[string]*contactRows{}
	for _, q := range []struct {
		text string
		take func(row []any)
	}{
		{`SELECT id, instance, initiated, disconnected, doc FROM contact ORDER BY pk LIMIT ?`, func(row []any) {
			c := &contactRows{contact: row}
			list, byID[textOf(row[0])] = append(list, c), c
		}},
		{`SELECT initial_id, instance, doc FROM contact_attributes ORDER BY initial_id LIMIT ?`, func(row []any) {
			if c := byID[textOf(row[0])]; c != nil {
				c.attributes = row
			}
		}},
		{`SELECT owner, stream, instance, id, at, doc FROM entry ORDER BY seq LIMIT 20 * ?`, func(row []any) {
			if c := byID[textOf(row[0])]; c != nil {
				c.entries = append(c.entries, row)
			}
		}},
	} {
		if err := readRows(ctx, db, q.text, n, q.take); err != nil {
			return nil, err
		}
	}
	i := 0
	err = readRows(ctx, db, `SELECT key, fingerprint, answer, expires, owner FROM memo ORDER BY rowid DESC LIMIT ?`, n, func(row []any) {
		if i < len(list) {
			list[i].memo = row
			i++
		}
	})
	return list, err
}

func textOf(v any) string {
	if b, ok := v.([]byte); ok {
		return string(b)
	}
	return fmt.Sprint(v)
}

func readRows(ctx context.Context, db *sql.DB, text string, n int, take func(row []any)) error {
	rows, err := db.QueryContext(ctx, text, n)
	if err != nil {
		return err
	}
	defer rows.Close()
	columns, err := rows.Columns()
	if err != nil {
		return err
	}
	for rows.Next() {
		row, into := make([]any, len(columns)), make([]any, len(columns))
		for i := range row {
			into[i] = &row[i]
		}
		if err := rows.Scan(into...); err != nil {
			return err
		}
		take(row)
	}
	return rows.Err()
}

// bareContacts writes contacts into a copy of the folder as it was before they
// were made, each as it begins and as it has ended, and returns how many a second.
func bareContacts(ctx context.Context, dir string, contacts []*contactRows) (float64, error) {
	return grouped(ctx, dir, len(contacts), map[string]string{
		"begin":      `INSERT INTO contact (id, instance, live, initiated, version, doc, state) VALUES (?, ?, 1, ?, 1, ?, '{}')`,
		"end":        `UPDATE contact SET live = 0, disconnected = ?, version = 2, doc = ?, state = NULL WHERE instance = ? AND id = ? AND version = 1`,
		"attributes": `INSERT INTO contact_attributes (initial_id, instance, doc) VALUES (?, ?, ?)`,
		"attributed": `UPDATE contact_attributes SET doc = ? WHERE instance = ? AND initial_id = ?`,
		"memo":       `INSERT INTO memo (key, fingerprint, answer, expires, owner) VALUES (?, ?, ?, ?, ?)`,
		"entry":      `INSERT INTO entry (owner, stream, instance, id, at, doc) VALUES (?, ?, ?, ?, ?, ?)`,
	}, func(exec func(string, ...any) error, i int) error {
		c := contacts[i]
		row, a := c.contact, c.attributes
		steps := []func() error{
			func() error { return exec("begin", row[0], row[1], row[2], row[4]) },
			func() error { return exec("attributes", a...) },
			func() error { return exec("memo", c.memo...) },
			func() error { return exec("end", row[3], row[4], row[1], row[0]) },
			func() error { return exec("attributed", a[2], a[1], a[0]) },
		}
		for _, e := range c.entries {
			steps = append(steps, func() error { return exec("entry", e...) })
		}
		for _, step := range steps {
			if err := step(); err != nil {
				return err
			}
		}
		return nil
	})
}

// benchInterpreter runs the flow of the tasks with nothing around it, and returns
// the actions a second.
func benchInterpreter(length time.Duration) (float64, error) {
	content, err := workFlow("")
	if err != nil {
		return 0, err
	}
	doc, problems := flow.Parse(content)
	if doc == nil {
		return 0, fmt.Errorf("the flow is none: %v", problems)
	}
	m := &machine.Machine{Library: oneDocument{doc}}
	began, actions := time.Now(), 0
	for time.Since(began) < length {
		r := machine.New(machine.Ref{ID: "f", Content: "f", Type: "CONTACT_FLOW"}, 1)
		c := &domain.Contact{ID: "c1", Channel: types.ChannelTask}
		out := m.Step(r, &machine.Subject{Contact: c}, machine.Event{At: began, Kind: machine.Begin})
		if r.End == nil || r.End.Reason != machine.Disconnected {
			return 0, fmt.Errorf("the flow ended with %+v", r.End)
		}
		actions += len(out.Lines)
	}
	return float64(actions) / time.Since(began).Seconds(), nil
}

// oneDocument is a library of one flow.
type oneDocument struct{ doc *flow.Document }

// Document implements machine.Library.
func (l oneDocument) Document(string) *flow.Document { return l.doc }

// benchWaiting prints what contacts cost that wait in a queue, and how long a
// server takes to start with them.
func benchWaiting(ctx context.Context, o options, bin, data string) error {
	p, err := startServer(bin, data)
	if err != nil {
		return err
	}
	defer func() { p.stop() }()
	at, flowID, err := newPlaceWith(ctx, p.client(), "waiting", queueFlow)
	if err != nil {
		return err
	}
	before, began := p.resident(), time.Now()
	if _, _, err = p.once(at.tasks(flowID, "waiting", o.creates), o); err != nil {
		return err
	}
	if err := waitUntilQueued(ctx, data, o.creates); err != nil {
		return err
	}
	took, held := time.Since(began), p.resident()
	p.stop()
	if p, err = startServer(bin, data); err != nil {
		return err
	}
	ready := p.ready
	settled := ready + p.untilIdle()
	fmt.Printf("%d tasks wait in a queue with its flow: %.0f a second, %d MB resident after %d MB (aim: under 1024 MB), %.1f KB each\n",
		o.creates, float64(o.creates)/took.Seconds(), held>>20, before>>20, float64(held-before)/1024/float64(o.creates))
	fmt.Printf("a restart with them: ready in %v, all taken up in %v, %d MB resident\n\n", ready.Round(time.Millisecond), settled.Round(100*time.Millisecond), p.resident()>>20)
	return nil
}

// waitUntilQueued waits until n contacts are in a queue, by the server's database,
// and until the queue's own flow has begun for all of them.
func waitUntilQueued(ctx context.Context, data string, n int) error {
	db, err := openBare(data)
	if err != nil {
		return err
	}
	defer db.Close()
	for began := time.Now(); time.Since(began) < patience; time.Sleep(20 * time.Millisecond) {
		var queued int
		// The contact is stored as it begins, as it is queued, and as the queue's flow
		// begins.
		if err := db.QueryRowContext(ctx, `SELECT COUNT(*) FROM contact WHERE enqueued IS NOT NULL AND version >= 3`).Scan(&queued); err != nil {
			return err
		}
		if queued >= n {
			return nil
		}
	}
	return errSlow
}

// untilIdle waits until the process hardly works any more, and returns for how
// long it still did.
func (p *process) untilIdle() time.Duration {
	const look = 200 * time.Millisecond
	began := time.Now()
	for used := p.cpu(); ; {
		at := time.Now()
		time.Sleep(look)
		now := p.cpu()
		if now-used < look/10 {
			return at.Sub(began)
		}
		used = now
	}
}
