package logfile

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"
)

var noon = time.Date(2026, 3, 1, 12, 0, 0, 0, time.UTC)

const aside = "log-20260301T120000.000000Z" // how the name of a file that was set aside at noon begins

func options(limit int64) Options {
	return Options{Limit: limit, Now: func() time.Time { return noon }}
}

// folder is where a test's file is.
type folder struct {
	*testing.T
	dir string
}

func newFolder(t *testing.T) *folder { return &folder{t, t.TempDir()} }

func (d *folder) path() string { return filepath.Join(d.dir, "log.jsonl") }

func (d *folder) open(o Options) *File {
	d.Helper()
	f, err := Open(d.path(), o)
	d.ok(err)
	d.Cleanup(func() { d.ok(f.Close()) })
	return f
}

func (d *folder) ok(err error) {
	d.Helper()
	if err != nil {
		d.Fatal(err)
	}
}

func (d *folder) write(f *File, text string) {
	d.Helper()
	n, err := f.Write([]byte(text))
	d.ok(err)
	if n != len(text) {
		d.Fatalf("%d bytes were written of %d", n, len(text))
	}
}

// is checks what all files of the folder hold.
func (d *folder) is(what string, want map[string]string) {
	d.Helper()
	entries, err := os.ReadDir(d.dir)
	d.ok(err)
	got := map[string]string{}
	for _, e := range entries {
		if e.IsDir() {
			continue
		}
		raw, err := os.ReadFile(filepath.Join(d.dir, e.Name()))
		d.ok(err)
		got[e.Name()] = string(raw)
	}
	if fmt.Sprintf("%q", got) != fmt.Sprintf("%q", want) {
		d.Errorf("%s: %q, want %q", what, got, want)
	}
}

// TestSetAside: a file does not grow beyond its size, whole writes go into one
// file, and the names of files are never used twice.
func TestSetAside(t *testing.T) {
	d := newFolder(t)
	f := d.open(options(8))
	for _, text := range []string{"one\n", "two\n", "three\n", "much more than 8\n", "a\nb\nc\n", "d\n", "e\n"} {
		d.write(f, text)
	}
	d.is("files", map[string]string{
		aside + ".jsonl": "one\ntwo\n", aside + "-2.jsonl": "three\n", aside + "-3.jsonl": "much more than 8\n", aside + "-4.jsonl": "a\nb\nc\nd\n", "log.jsonl": "e\n",
	})
	entries, err := os.ReadDir(d.dir)
	d.ok(err)
	for _, e := range entries {
		info, err := e.Info()
		d.ok(err)
		if info.Mode().Perm() != 0o600 {
			t.Errorf("%s: %v", e.Name(), info.Mode())
		}
	}
}

// TestConcurrentWriters: of what many goroutines write through files of several
// processes, which set the file aside again and again, every line is there once
// and whole, and lines of one writer are in their order within a file.
func TestConcurrentWriters(t *testing.T) {
	const files, writers, each = 3, 4, 200
	d := newFolder(t)
	var wg sync.WaitGroup
	for n := range files {
		f := d.open(options(2000))
		for w := range writers {
			wg.Go(func() {
				for i := range each {
					line := fmt.Sprintf("%d-%d-%03d %s\n", n, w, i, strings.Repeat("x", i%50))
					if _, err := f.Write([]byte(line)); err != nil {
						t.Errorf("%v", err)
					}
				}
			})
		}
	}
	wg.Wait()
	names, err := filepath.Glob(filepath.Join(d.dir, "*"))
	d.ok(err)
	seen := map[string]int{}
	for _, name := range names {
		raw, err := os.ReadFile(name)
		d.ok(err)
		last := map[string]string{}
		for line := range strings.Lines(string(raw)) {
			var n, w, i int
			if _, err := fmt.Sscanf(line, "%d-%d-%d", &n, &w, &i); err != nil || line != fmt.Sprintf("%d-%d-%03d %s\n", n, w, i, strings.Repeat("x", i%50)) {
				t.Fatalf("%s has the line %q", name, line)
			}
			seen[line]++
			if who := line[:3]; line[:7] <= last[who] {
				t.Errorf("%s: %s comes after %s", name, line[:7], last[who])
			} else {
				last[who] = line[:7]
			}
		}
	}
	if len(seen) != files*writers*each {
		t.Errorf("%d lines, want %d", len(seen), files*writers*each)
	}
	for line, n := range seen {
		if n != 1 {
			t.Errorf("%q is there %d times", line, n)
		}
	}
	if len(names) < 10 {
		t.Errorf("only %d files", len(names))
	}
}

// TestTwoSetAside: of two that set a file aside at once, the one that comes
// second takes no name that is taken, and loses nothing.
func TestTwoSetAside(t *testing.T) {
	d := newFolder(t)
	one, two := d.open(options(8)), d.open(options(8))
	d.write(one, "1234567\n")
	d.write(two, "abc\n") // sets it aside
	d.ok(two.setAside())  // as if it had begun to before
	d.ok(one.setAside())  // there is none by now
	d.write(one, "end\n")
	d.is("files", map[string]string{aside + ".jsonl": "1234567\n", aside + "-2.jsonl": "abc\n", "log.jsonl": "end\n"})
}

// TestCannotBeSetAside: a file that cannot be set aside grows, and each write
// tells.
func TestCannotBeSetAside(t *testing.T) {
	d := newFolder(t)
	name := strings.Repeat("n", 240) // with a time, longer than a name may be
	f := New(filepath.Join(d.dir, name), options(4))
	d.write(f, "one\n")
	for _, text := range []string{"two\n", "six\n"} {
		if n, err := f.Write([]byte(text)); n != len(text) || err == nil {
			t.Errorf("%q: %d, %v", text, n, err)
		}
	}
	d.ok(f.Close())
	d.is("files", map[string]string{name: "one\ntwo\nsix\n"})
}

// TestTakenAway: whoever renames, removes or empties the file gets no more lines
// in it.
func TestTakenAway(t *testing.T) {
	d := newFolder(t)
	f := d.open(options(1 << 10))
	d.write(f, "a\n")
	d.ok(os.Rename(d.path(), d.path()+".1"))
	d.write(f, "b\n")
	d.is("renamed", map[string]string{"log.jsonl.1": "a\n", "log.jsonl": "b\n"})
	d.ok(os.Remove(d.path()))
	d.ok(f.Sync()) // of what is gone
	d.write(f, "c\n")
	d.write(f, "d\n")
	d.is("removed", map[string]string{"log.jsonl.1": "a\n", "log.jsonl": "c\nd\n"})
	d.ok(os.Truncate(d.path(), 0))
	d.write(f, "e\n")
	d.is("emptied", map[string]string{"log.jsonl.1": "a\n", "log.jsonl": "e\n"})
	d.ok(os.WriteFile(d.path()+".new", []byte("f\nhal"), 0o600))
	d.ok(os.Rename(d.path()+".new", d.path()))
	d.write(f, "g\n")
	d.is("replaced", map[string]string{"log.jsonl.1": "a\n", "log.jsonl": "f\nhal\ng\n"})
	d.ok(os.Remove(d.path()))
	d.ok(os.Mkdir(d.path(), 0o700))
	if n, err := f.Write([]byte("lost\n")); n != 0 || err == nil {
		t.Errorf("into a folder: %d, %v", n, err)
	}
	d.ok(os.Remove(d.path()))
	d.write(f, "h\n")
	d.is("after a folder", map[string]string{"log.jsonl.1": "a\n", "log.jsonl": "h\n"})
}

// TestTorn: half a line, as a crash leaves it, is ended or cut off before
// anything else is written or read.
func TestTorn(t *testing.T) {
	long := strings.Repeat("x", 200<<10)
	for _, c := range []struct{ name, held, ended, cut string }{
		{"nothing", "", "", ""},
		{"whole lines", "a\nb\n", "a\nb\n", "a\nb\n"},
		{"half a line", "a\nb", "a\nb\n", "a\n"},
		{"half a line alone", "b", "b\n", ""},
		{"an empty line", "a\n\n", "a\n\n", "a\n\n"},
		{"half a long line", "a\n" + long, "a\n" + long + "\n", "a\n"},
		{"half a long line alone", long, long + "\n", ""},
	} {
		for _, cut := range []bool{false, true} {
			t.Run(fmt.Sprint(c.name, cut), func(t *testing.T) {
				d := newFolder(t)
				if c.held != "" {
					d.ok(os.WriteFile(d.path(), []byte(c.held), 0o600))
				}
				o := options(1 << 20)
				o.CutTorn = cut
				want := c.ended
				if cut {
					want = c.cut
				}
				f := d.open(o)
				d.is("opened", map[string]string{"log.jsonl": want})
				d.write(f, "next\n")
				d.is("written", map[string]string{"log.jsonl": want + "next\n"})
				if f.size != int64(len(want)+5) {
					t.Errorf("the size is taken for %d", f.size)
				}
			})
		}
	}
}

func TestTail(t *testing.T) {
	many := strings.Repeat("0123456789\n", 20_000)
	for _, c := range []struct {
		held string
		most int
		want string
	}{
		{"", 3, ""},
		{"a\nb\nc\n", 2, "b\nc\n"},
		{"a\nb\nc\n", 3, "a\nb\nc\n"},
		{"a\nb\nc\n", 9, "a\nb\nc\n"},
		{"a\nb\nc\n", 0, ""},
		{many, 15_000, many[:15_000*11]},
		{"first\n" + many, 20_001, "first\n" + many},
	} {
		d := newFolder(t)
		d.ok(os.WriteFile(d.path(), []byte(c.held), 0o600))
		lines, err := d.open(options(1 << 20)).Tail(c.most)
		if got := string(bytes.Join(lines, nil)); err != nil || got != c.want || len(lines) != strings.Count(c.want, "\n") {
			t.Errorf("%.20q, %d: %d lines, %d bytes, %v", c.held, c.most, len(lines), len(got), err)
		}
	}
}

// TestOpen: what is no file of lines is refused; New leaves it for later.
func TestOpen(t *testing.T) {
	d := newFolder(t)
	for _, bad := range []string{d.dir, os.DevNull, filepath.Join(d.dir, "none", "log")} {
		if _, err := Open(bad, options(1)); err == nil {
			t.Errorf("%s was opened", bad)
		}
		f := New(bad, options(1))
		if n, err := f.Write([]byte("x\n")); n != 0 || err == nil {
			t.Errorf("%s: %d, %v", bad, n, err)
		}
		d.ok(f.Close())
	}
	New(d.path(), options(1))
	d.is("before anything is written", map[string]string{})
}

// TestMode: a file that was there keeps its mode.
func TestMode(t *testing.T) {
	d := newFolder(t)
	d.ok(os.WriteFile(d.path(), nil, 0o600))
	d.ok(os.Chmod(d.path(), 0o640)) //nolint:gosec // that is what is tested
	d.write(d.open(options(100)), "a\n")
	info, err := os.Stat(d.path())
	d.ok(err)
	if info.Mode().Perm() != 0o640 {
		t.Errorf("%v", info.Mode())
	}
}

func TestClose(t *testing.T) {
	d := newFolder(t)
	f := New(d.path(), options(100))
	d.write(f, "a\n")
	for range 2 {
		d.ok(f.Close())
	}
	if n, err := f.Write([]byte("b\n")); n != 0 || !errors.Is(err, fs.ErrClosed) {
		t.Errorf("Write: %d, %v", n, err)
	}
	if err := f.Sync(); !errors.Is(err, fs.ErrClosed) {
		t.Errorf("Sync: %v", err)
	}
	if _, err := f.Tail(1); !errors.Is(err, fs.ErrClosed) {
		t.Errorf("Tail: %v", err)
	}
	d.is("file", map[string]string{"log.jsonl": "a\n"})
}
