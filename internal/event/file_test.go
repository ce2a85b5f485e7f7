package event

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"ringdown/internal/store"
)

// entry is one with a Doc and nothing else that a file looks at.
func entry(doc string) *store.Entry { return &store.Entry{Doc: []byte(doc)} }

func numbered(from, to int) (all []*store.Entry) {
	for i := from; i <= to; i++ {
		all = append(all, entry(fmt.Sprintf(`{"id":"%d"}`, i)))
	}
	return all
}

// lines is what a file holds after numbered(from, to).
func lines(from, to int) string {
	var b strings.Builder
	for _, e := range numbered(from, to) {
		b.Write(e.Doc)
		b.WriteByte('\n')
	}
	return b.String()
}

func read(t *testing.T, path string) string {
	t.Helper()
	raw, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	return string(raw)
}

func write(t *testing.T, path, text string) {
	t.Helper()
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}

func deliverAll(t *testing.T, s Sink, entries []*store.Entry) {
	t.Helper()
	for len(entries) > 0 {
		left, err := s.Deliver(t.Context(), entries)
		if err != nil {
			t.Fatal(err)
		}
		entries = left
	}
}

// TestFile: a line an entry, in a file that its owner alone may read.
func TestFile(t *testing.T) {
	path := filepath.Join(t.TempDir(), "events.jsonl")
	s := NewFile(path, 0, time.Now)
	deliverAll(t, s, numbered(1, 2))
	deliverAll(t, s, []*store.Entry{entry("{\n  \"a\": \"x\\ny\"\n}")})
	same(t, "file", read(t, path), lines(1, 2)+`{"a":"x\ny"}`+"\n")
	info, err := os.Stat(path)
	if err != nil {
		t.Fatal(err)
	}
	same(t, "mode", info.Mode().Perm(), os.FileMode(0o600))
	left, err := s.Deliver(t.Context(), append(numbered(3, 4), entry("{"), entry("{}")))
	same(t, "before what is no JSON", fmt.Sprint(len(left), err), "2 <nil>")
	left, err = s.Deliver(t.Context(), left)
	same(t, "what is no JSON", fmt.Sprint(len(left), err), "2 it can never be delivered: unexpected end of JSON input")
	same(t, "file", read(t, path), lines(1, 2)+`{"a":"x\ny"}`+"\n"+lines(3, 4))
}

// TestFileAfterCrash: whatever a crash has left of a batch, the file then holds
// every entry once.
func TestFileAfterCrash(t *testing.T) {
	long := `{"id":"long","text":"` + strings.Repeat("x", 300<<10) + `"}`
	for _, c := range []struct {
		name    string
		file    string // as the crash has left it
		entries []*store.Entry
		want    string
	}{
		{"nothing", "", numbered(1, 3), lines(1, 3)},
		{"the batch before", lines(1, 3), numbered(4, 5), lines(1, 5)},
		{"the batch", lines(1, 5), numbered(4, 5), lines(1, 5)},
		{"the batch, and it has grown", lines(1, 5), numbered(4, 9), lines(1, 9)},
		{"a part of it", lines(1, 4), numbered(4, 9), lines(1, 9)},
		{"half a line", lines(1, 3) + `{"id":`, numbered(4, 5), lines(1, 5)},
		{"a part and half a line", lines(1, 4) + `{"id":"5"`, numbered(4, 5), lines(1, 5)},
		{"half a line alone", `{"id":`, numbered(1, 1), lines(1, 1)},
		{"long lines", lines(1, 3) + long + "\n" + long, append(numbered(2, 3), entry(long), entry(long)), lines(1, 3) + long + "\n" + long + "\n"},
		{"many lines", lines(1, 50_000), numbered(49_950, 50_049), lines(1, 50_049)},
		{"a store of a backup", lines(1, 9), numbered(4, 5), lines(1, 9) + lines(4, 5)},
	} {
		t.Run(c.name, func(t *testing.T) {
			path := filepath.Join(t.TempDir(), "events.jsonl")
			if c.file != "" {
				write(t, path, c.file)
			}
			s := NewFile(path, 0, time.Now)
			deliverAll(t, s, c.entries)
			if got := read(t, path); got != c.want {
				t.Errorf("%d bytes that end with %q, want %d that end with %q", len(got), got[max(0, len(got)-80):], len(c.want), c.want[max(0, len(c.want)-80):])
			}
			// What has been said twice later is written twice.
			deliverAll(t, s, c.entries[len(c.entries)-1:])
			if got, want := read(t, path), c.want+string(c.entries[len(c.entries)-1].Doc)+"\n"; got != want {
				t.Error("an entry that came again after the first delivery was left out")
			}
		})
	}
}

// TestFileInTheWay: an error leaves everything, and when its cause is gone
// nothing is missing or twice.
func TestFileInTheWay(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "events.jsonl")
	s := NewFile(path, 0, time.Now)
	deliverAll(t, s, numbered(1, 2))
	moved := filepath.Join(dir, "moved")
	if err := os.Rename(path, moved); err != nil {
		t.Fatal(err)
	}
	if err := os.Mkdir(path, 0o700); err != nil {
		t.Fatal(err)
	}
	left, err := s.Deliver(t.Context(), numbered(3, 4))
	if err == nil || len(left) != 2 {
		t.Fatalf("%d left, %v", len(left), err)
	}
	if err := os.Remove(path); err != nil {
		t.Fatal(err)
	}
	write(t, path, lines(1, 3)+`{"id`) // as if the write had failed on its way
	deliverAll(t, s, left)
	same(t, "file", read(t, path), lines(1, 4))
	if err := os.Remove(path); err != nil {
		t.Fatal(err)
	}
	deliverAll(t, s, numbered(5, 5))
	same(t, "file that was taken away", read(t, path), lines(5, 5))
}

// TestFileRotation: a file that is full gets a name of its own; no line is torn
// apart or lost, and none overwritten, even if the clock stands still.
func TestFileRotation(t *testing.T) {
	dir := t.TempDir()
	path := filepath.Join(dir, "events.jsonl")
	at := time.Date(2026, 1, 31, 23, 59, 59, 0, time.UTC)
	size, now := int64(len(lines(1, 3))), func() time.Time { return at }
	s := NewFile(path, size, now)
	for i := 1; i <= 8; i++ {
		deliverAll(t, s, numbered(i, i))
	}
	for name, want := range map[string]string{
		"events-20260131T235959.000000Z.jsonl":   lines(1, 3),
		"events-20260131T235959.000000Z-2.jsonl": lines(4, 6),
		"events.jsonl":                           lines(7, 8),
	} {
		same(t, name, read(t, filepath.Join(dir, name)), want)
	}
	// After a restart what was written last is looked for before the file is
	// rotated, not after.
	deliverAll(t, s, numbered(9, 9))
	deliverAll(t, NewFile(path, size, now), numbered(9, 10))
	same(t, "rotated after a restart", read(t, filepath.Join(dir, "events-20260131T235959.000000Z-3.jsonl")), lines(7, 9))
	same(t, "file", read(t, path), lines(10, 10))
	all, err := filepath.Glob(filepath.Join(dir, "*"))
	if err != nil || len(all) != 4 {
		t.Errorf("%v, %v", all, err)
	}
}

func TestOverlap(t *testing.T) {
	split := func(s string) (all [][]byte) {
		for l := range strings.SplitSeq(s, "") {
			all = append(all, []byte(l))
		}
		return all
	}
	for _, c := range []struct {
		written, lines string
		want           int
	}{{"", "ab", 0}, {"ab", "", 0}, {"xab", "abc", 2}, {"aab", "ab", 2}, {"ab", "b", 1}, {"aba", "abab", 3}, {"abx", "ab", 0}, {"a", "aa", 1}} {
		if got := overlap(split(c.written), split(c.lines)); got != c.want {
			t.Errorf("%+v: %d", c, got)
		}
	}
}
