package audit

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"reflect"
	"strings"
	"sync"
	"testing"
	"time"
)

var noon = time.Date(2026, 3, 1, 12, 0, 0, 0, time.FixedZone("CET", 3600))

func clock() time.Time { return noon }

// file is one in memory.
type file struct {
	mu     sync.Mutex
	bytes  bytes.Buffer
	writes int
	closes int
	full   int // so many bytes fit; 0: any
}

var errFull = errors.New("no space left on device")

func (f *file) Write(b []byte) (int, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.writes++
	if f.full > 0 && f.bytes.Len()+len(b) > f.full {
		n, _ := f.bytes.Write(b[:max(0, f.full-f.bytes.Len())])
		return n, errFull
	}
	return f.bytes.Write(b)
}

func (f *file) Close() error {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.closes++
	return nil
}

// events reads lines back; each must be an event with members that there are.
func (f *file) events(t *testing.T) (all []Event) {
	t.Helper()
	f.mu.Lock()
	text := f.bytes.String()
	f.mu.Unlock()
	if text != "" && !strings.HasSuffix(text, "\n") {
		t.Fatalf("the last line has no end: %q", text)
	}
	for line := range strings.Lines(text) {
		d := json.NewDecoder(strings.NewReader(line))
		d.DisallowUnknownFields()
		var e Event
		if err := d.Decode(&e); err != nil {
			t.Fatalf("%q: %v", line, err)
		}
		all = append(all, e)
	}
	return all
}

func newLog(t *testing.T, f io.WriteCloser) (*Log, *bytes.Buffer) {
	t.Helper()
	var said bytes.Buffer
	return New(f, clock, slog.New(slog.NewTextHandler(&said, nil))), &said
}

func TestRecord(t *testing.T) {
	whole := Event{
		Time: noon.Add(time.Hour), Event: SignIn, Outcome: Refused, Reason: "wrong password", Door: "password", Instance: "i", User: "jane", UserID: "u",
		Principal: "arn:aws:iam::123456789012:root", Role: "arn:aws:sts::123456789012:assumed-role/a/b", Provider: "p", Key: "k",
		From: "192.0.2.1", RequestID: "r", Count: 2,
	}
	// A member that is added has to be looked at: is it a secret?
	if v := reflect.ValueOf(whole); v.NumField() != 15 {
		t.Errorf("an event has %d members", v.NumField())
	} else {
		for i := range v.NumField() {
			if v.Field(i).IsZero() {
				t.Errorf("%s is not tried", v.Type().Field(i).Name)
			}
		}
	}
	for _, c := range []struct {
		event Event
		want  string
	}{
		{
			Event{Event: SignOut, Outcome: OK},
			`{"time":"2026-03-01T11:00:00Z","event":"sign-out","outcome":"ok"}`,
		},
		{
			whole,
			`{"time":"2026-03-01T13:00:00+01:00","event":"sign-in","outcome":"refused","reason":"wrong password","door":"password","instance":"i",` +
				`"user":"jane","user_id":"u","principal":"arn:aws:iam::123456789012:root","role":"arn:aws:sts::123456789012:assumed-role/a/b",` +
				`"provider":"p","key":"k","from":"192.0.2.1","request":"r","count":2}`,
		},
		{
			// Nobody makes a line of their own, nor breaks one.
			Event{Event: SignIn, Outcome: OK, User: "jane\"}\n{\"event\":\"x\"}\r\u2028", Reason: "\xff\x00\x1b[31m"},
			`{"time":"2026-03-01T11:00:00Z","event":"sign-in","outcome":"ok","reason":"\ufffd\u0000\u001b[31m","user":"jane\"}\n{\"event\":\"x\"}\r\u2028"}`,
		},
	} {
		f := &file{}
		l, said := newLog(t, f)
		l.Record(t.Context(), c.event)
		if got := f.bytes.String(); got != c.want+"\n" {
			t.Errorf("the line is\n%s\nwant\n%s", got, c.want)
		}
		if f.writes != 1 || said.Len() != 0 {
			t.Errorf("there were %d writes; the log says %q", f.writes, said)
		}
	}
}

// Lines of several writers do not mix, and none is lost, at the end neither.
func TestConcurrentWriters(t *testing.T) {
	const writers, each = 16, 200
	f := &file{}
	l, said := newLog(t, f)
	var wg sync.WaitGroup
	for w := range writers {
		wg.Go(func() {
			for n := range each {
				l.Record(t.Context(), Event{Event: SignIn, Outcome: OK, User: fmt.Sprint(w), RequestID: fmt.Sprint(n)})
			}
		})
	}
	wg.Wait()
	if err := l.Close(); err != nil {
		t.Fatal(err)
	}
	next := map[string]int{}
	for _, e := range f.events(t) {
		if e.RequestID != fmt.Sprint(next[e.User]) {
			t.Fatalf("writer %s wrote %s, want %d", e.User, e.RequestID, next[e.User])
		}
		next[e.User]++
	}
	for w := range writers {
		if n := next[fmt.Sprint(w)]; n != each {
			t.Errorf("of writer %d there are %d events, of %d", w, n, each)
		}
	}
	if said.Len() != 0 || f.writes != writers*each {
		t.Errorf("there were %d writes; the log says %q", f.writes, said)
	}
}

// What cannot be written is an error in the server's log that does not repeat
// the event, and stops nobody.
func TestFullDisk(t *testing.T) {
	f := &file{full: 100}
	l, said := newLog(t, f)
	for range 3 {
		l.Record(t.Context(), Event{Event: SignIn, Outcome: OK, User: "jane"})
	}
	if n := strings.Count(said.String(), "level=ERROR"); n != 2 || !strings.Contains(said.String(), "no space left") {
		t.Errorf("the log has %d errors: %s", n, said)
	}
	if strings.Contains(said.String(), "jane") {
		t.Errorf("the log repeats the event: %s", said)
	}
}

func TestClose(t *testing.T) {
	f := &file{}
	l, said := newLog(t, f)
	for range 2 {
		if err := l.Close(); err != nil {
			t.Error(err)
		}
	}
	if f.closes != 1 {
		t.Errorf("the file was closed %d times", f.closes)
	}
	l.Record(t.Context(), Event{Event: SignIn, Outcome: OK})
	if f.writes != 0 || !strings.Contains(said.String(), "closed") {
		t.Errorf("after the end there were %d writes; the log says %q", f.writes, said)
	}
}

func TestDiscards(t *testing.T) {
	for _, l := range []*Log{nil, {}} {
		l.Record(t.Context(), Event{Event: SignIn, Outcome: OK})
		if err := l.Close(); err != nil {
			t.Error(err)
		}
	}
}
