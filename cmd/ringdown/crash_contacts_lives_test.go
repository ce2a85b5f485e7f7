package main

import (
	"bytes"
	"context"
	"encoding/json"
	"os"
	"path/filepath"
	"slices"
	"testing"
	"time"

	"ringdown/internal/flow/machine"
	"ringdown/internal/store"
	"ringdown/internal/store/sqlstore"
)

// toldEvent is a line of contact-events.jsonl.
type toldEvent struct {
	ID     string
	Time   time.Time
	Detail struct {
		EventType           string
		ContactID           string `json:"contactId"`
		InitiationTimestamp string
		ConnectedToSystem   string `json:"connectedToSystemTimestamp"`
		DisconnectTimestamp string
		DisconnectReason    string
	}
}

// toldRecord is a line of contact-records.jsonl.
type toldRecord struct {
	ContactID        string `json:"ContactId"`
	Attributes       map[string]string
	Tags             map[string]string
	DisconnectReason *string
}

// told is what the server has told outside, each line that was repeated once.
type told struct {
	lines   [][]byte // of the events, in their order
	events  map[string][]*toldEvent
	records map[string][]*toldRecord
}

// told reads the files of events and records.
func (k *mortal) told(t *testing.T) *told {
	t.Helper()
	out := &told{events: map[string][]*toldEvent{}, records: map[string][]*toldRecord{}}
	known := map[string][]byte{}
	for _, line := range wholeLines(t, filepath.Join(k.data, "contact-events.jsonl")) {
		e := &toldEvent{}
		if err := json.Unmarshal(line, e); err != nil {
			t.Fatalf("event %s: %v", line, err)
		}
		if before, again := known[e.ID]; again {
			if !bytes.Equal(before, line) {
				t.Errorf("event %s was told as %s and as %s", e.ID, before, line)
			}
			continue
		}
		known[e.ID] = line
		out.lines = append(out.lines, line)
		id := e.Detail.ContactID
		out.events[id] = append(out.events[id], e)
	}
	for _, line := range wholeLines(t, filepath.Join(k.data, "contact-records.jsonl")) {
		r := &toldRecord{}
		if err := json.Unmarshal(line, r); err != nil {
			t.Fatalf("record %s: %v", line, err)
		}
		out.records[r.ContactID] = append(out.records[r.ContactID], r)
	}
	return out
}

// wholeLines are the lines of a file; the last may be under way.
func wholeLines(t *testing.T, path string) [][]byte {
	t.Helper()
	raw, err := os.ReadFile(path) //nolint:gosec // of the test's own folder
	if err != nil {
		if os.IsNotExist(err) {
			return nil
		}
		t.Fatal(err)
	}
	lines := bytes.Split(raw, []byte("\n"))
	return lines[:len(lines)-1]
}

// checkLives checks that the events of each contact are those of a life, as far as
// it has been told. Those of whole have ended and been told to their end.
func checkLives(t *testing.T, told *told, whole map[string]*victim) {
	t.Helper()
	for id, events := range told.events {
		count := map[string]int{}
		var last time.Time
		for i, e := range events {
			kind, d := e.Detail.EventType, &e.Detail
			count[kind]++
			switch {
			case (i == 0) != (kind == "INITIATED"):
				t.Errorf("%s: event %d is %s", id, i, kind)
			case kind != "CONTACT_DATA_UPDATED" && count[kind] > 1:
				t.Errorf("%s: %s twice", id, kind)
			case kind == "COMPLETED" && count["DISCONNECTED"] == 0, kind == "QUEUED" && count["CONNECTED_TO_SYSTEM"] == 0:
				t.Errorf("%s: %s too early", id, kind)
			case kind != "CONTACT_DATA_UPDATED" && count["COMPLETED"]-count[kind] > 0, kind == "QUEUED" && count["DISCONNECTED"] > 0:
				t.Errorf("%s: %s after the end", id, kind)
			case (d.DisconnectTimestamp != "") != (count["DISCONNECTED"] > 0):
				t.Errorf("%s: %s with the time of disconnection %q", id, kind, d.DisconnectTimestamp)
			case (d.ConnectedToSystem != "") != (count["CONNECTED_TO_SYSTEM"] > 0):
				t.Errorf("%s: %s with the time of connection %q", id, kind, d.ConnectedToSystem)
			case e.Time.Before(last):
				t.Errorf("%s: %s at %v, after an event of %v", id, kind, e.Time, last)
			case d.ConnectedToSystem != "" && d.ConnectedToSystem < d.InitiationTimestamp,
				d.DisconnectTimestamp != "" && d.DisconnectTimestamp < max(d.ConnectedToSystem, d.InitiationTimestamp):
				t.Errorf("%s: %s has times out of order: %+v", id, kind, *d)
			case count["DISCONNECTED"] > 0 && d.DisconnectReason == "":
				t.Errorf("%s: %s without a reason", id, kind)
			}
			last = e.Time
		}
		v := whole[id]
		if v == nil {
			continue
		}
		if count["DISCONNECTED"] != 1 || count["COMPLETED"] != 1 || v.kind == "quick" && count["CONNECTED_TO_SYSTEM"] != 1 {
			t.Errorf("%s %s has ended, and its events are %v", v.kind, id, count)
		}
		if count["CONTACT_DATA_UPDATED"] < v.updates {
			t.Errorf("%s %s: %d updates were acknowledged and %d told", v.kind, id, v.updates, count["CONTACT_DATA_UPDATED"])
		}
		if reason := events[len(events)-1].Detail.DisconnectReason; !v.stopping && reason != "CONTACT_FLOW_DISCONNECT" && (v.kind != "call" || reason != "TELECOM_PROBLEM") {
			t.Errorf("%s %s ended with %s", v.kind, id, reason)
		}
	}
}

// checkStored compares what is stored with what was told and acknowledged, once
// all contacts have ended and the server is gone.
func (k *mortal) checkStored(t *testing.T) {
	t.Helper()
	ctx := context.Background()
	st, err := sqlstore.Open(ctx, sqlstore.Options{Dir: k.data, Now: time.Now})
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = st.Close() }()
	told := k.told(t)
	checkLives(t, told, k.byID)
	for id, v := range k.byID {
		if len(told.events[id]) == 0 {
			t.Errorf("nothing was told of %s %s", v.kind, id)
		}
		records := told.records[id]
		if len(records) == 0 {
			t.Errorf("%s %s has no record", v.kind, id)
			continue
		}
		last := records[len(records)-1]
		for key, want := range v.attributes {
			if last.Attributes[key] != want {
				t.Errorf("%s %s: attribute %s of the record is %q, not %q", v.kind, id, key, last.Attributes[key], want)
			}
		}
		if v.tag != "" && last.Tags["Round"] != v.tag || last.DisconnectReason == nil {
			t.Errorf("%s %s: its record is %+v", v.kind, id, *last)
		}
	}
	k.checkContacts(t, st)

	// The file is the stream, entry by entry.
	stored, err := st.Entries(ctx, store.EntryQuery{Stream: store.StreamEvents})
	if err != nil {
		t.Fatal(err)
	}
	if !slices.EqualFunc(stored, told.lines, func(e *store.Entry, line []byte) bool { return bytes.Equal(e.Doc, line) }) {
		t.Errorf("%d events are stored, %d were told, or they differ", len(stored), len(told.lines))
	}
	logs, err := st.Entries(ctx, store.EntryQuery{Stream: store.StreamFlowLog})
	if err != nil {
		t.Fatal(err)
	}
	paths := map[string][]machine.Line{}
	for _, e := range logs {
		var lines []machine.Line
		if err := json.Unmarshal(e.Doc, &lines); err != nil {
			t.Fatal(err)
		}
		paths[e.Owner] = append(paths[e.Owner], lines...)
	}
	for id, v := range k.byID {
		k.checkPath(t, v, paths[id])
	}
}

// checkContacts checks that no contact lives, and that there is none that nobody
// has asked for.
func (k *mortal) checkContacts(t *testing.T, st store.Store) {
	t.Helper()
	ctx := context.Background()
	live, err := st.LiveContacts(ctx, "", 0)
	if err != nil {
		t.Fatal(err)
	}
	for _, row := range live {
		t.Errorf("%s lives on", row.ID)
	}
	for id, v := range k.byID {
		if v.id != id {
			t.Errorf("%s is that of %s", id, v.id)
		}
	}
}

// checkPath checks that the log of a contact is a way through its flow.
func (k *mortal) checkPath(t *testing.T, v *victim, lines []machine.Line) {
	t.Helper()
	s := k.flows[v.kind]
	next, taken, over := s.start, map[string]int{}, false
	for _, line := range lines {
		if line.Flow.ID != s.id { // of the queue's flow, or of the server
			continue
		}
		switch {
		case over:
			t.Errorf("%s %s: %s after the end of its flow", v.kind, v.id, line.Action)
		case line.Action != next:
			t.Errorf("%s %s: %s where %s was next", v.kind, v.id, line.Action, next)
		case line.Type == "": // it was interrupted there
			over = true
			continue
		case line.Next != "" && !s.leads(line.Action, line.Next):
			t.Errorf("%s %s: %s does not lead to %s", v.kind, v.id, line.Action, line.Next)
		}
		taken[line.Action]++
		next, over = line.Next, line.Next == ""
	}
	switch {
	case !over && v.kind != "call":
		t.Errorf("%s %s: its flow has not ended, but stands before %s: %+v", v.kind, v.id, next, lines)
	case v.kind == "waits" && !v.stopping && (taken["wait"] != waitsOf || taken["mark"] != waitsOf || taken["loop"] != waitsOf+1):
		t.Errorf("%s %s: it has gone %v", v.kind, v.id, taken)
	}
}
