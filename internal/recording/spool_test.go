package recording

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"testing/synctest"
	"time"

	"ringdown/internal/audio"
	"ringdown/internal/objects"
)

// bucket is an objects.Store that keeps what is put in memory, once it may.
type bucket struct {
	objects.Store
	// put, when set, decides about an attempt, from 1. It may block.
	put func(ctx context.Context, n int, at objects.URI) error

	mu       sync.Mutex
	attempts int
	kept     map[string][]byte
	times    []time.Time // of the attempts
	now, top int         // puts under way, and the most at a time
}

func (b *bucket) Put(ctx context.Context, at objects.URI, body io.ReadSeeker) error {
	b.mu.Lock()
	b.attempts++
	n := b.attempts
	b.times = append(b.times, time.Now())
	b.now++
	b.top = max(b.top, b.now)
	b.mu.Unlock()
	defer func() {
		b.mu.Lock()
		b.now--
		b.mu.Unlock()
	}()
	if b.put != nil {
		if err := b.put(ctx, n, at); err != nil {
			return err
		}
	}
	content, err := io.ReadAll(body)
	if err != nil {
		return err
	}
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.kept == nil {
		b.kept = map[string][]byte{}
	}
	b.kept[at.String()] = content
	return nil
}

func (b *bucket) get(to objects.URI) []byte {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.kept[to.String()]
}

func (b *bucket) count() int {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.attempts
}

func uri(t testing.TB, s string) objects.URI {
	t.Helper()
	u, err := objects.ParseURI(s)
	if err != nil {
		t.Fatal(err)
	}
	return u
}

func open(t testing.TB, dir string, b objects.Store) *Spool {
	t.Helper()
	s, err := Open(t.Context(), Options{Dir: dir, Store: b})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = s.Close() })
	return s
}

// record makes a recording of samples; header says how many bytes of them its
// header tells of.
func record(t testing.TB, s *Spool, to objects.URI, samples []byte, header uint32) *File {
	t.Helper()
	f, err := s.Create(to)
	if err != nil {
		t.Fatal(err)
	}
	whole := wav(samples, header)
	// As a recorder does: in pieces, the header last.
	if _, err := f.WriteAt(whole[44:], 44); err != nil {
		t.Fatal(err)
	}
	if _, err := f.WriteAt(whole[:44], 0); err != nil {
		t.Fatal(err)
	}
	return f
}

var format = audio.Format{Encoding: audio.PCM, Channels: 2, Rate: 8000, Bits: 16}

// wav is a recording whose header tells of some bytes of samples.
func wav(samples []byte, header uint32) []byte {
	whole := audio.EncodeWAV(format, samples)
	if header != uint32(len(samples)) {
		short := audio.EncodeWAV(format, make([]byte, header%(1<<20)))
		copy(whole, short[:44])
		for i := range 4 {
			whole[40+i] = byte(header >> (8 * i))
		}
	}
	return whole
}

func samples(n int) []byte {
	b := make([]byte, n)
	for i := range b {
		b[i] = byte(i * 7)
	}
	return b
}

// files are what a folder holds, folders in it with their files.
func files(t testing.TB, dir string) (names []string) {
	t.Helper()
	err := filepath.WalkDir(dir, func(p string, d os.DirEntry, err error) error {
		if err == nil && !d.IsDir() {
			rel, _ := filepath.Rel(dir, p)
			names = append(names, rel)
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return names
}

// TestStored: a recording is stored whole, and its files go then and not before;
// nobody else may read them.
func TestStored(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		dir := filepath.Join(t.TempDir(), "a", "recordings")
		gate := make(chan struct{})
		b := &bucket{put: func(context.Context, int, objects.URI) error { <-gate; return nil }}
		s := open(t, dir, b)
		to := uri(t, "s3://bucket/CallRecordings/2026/01/02/x_20260102T03:04_UTC.wav")
		f := record(t, s, to, samples(3200), 3200)
		for _, name := range append(files(t, dir), ".") {
			info, err := os.Stat(filepath.Join(dir, name))
			if err != nil {
				t.Fatal(err)
			}
			if info.Mode().Perm()&0o077 != 0 {
				t.Errorf("%s has the mode %v", name, info.Mode())
			}
		}
		if err := f.Store(); err != nil {
			t.Fatal(err)
		}
		if err := f.Store(); err != nil {
			t.Errorf("the second time: %v", err)
		}
		synctest.Wait()
		if n := s.Pending(); n != 1 || len(files(t, dir)) != 2 {
			t.Errorf("while it is stored %d are pending and there is %q", n, files(t, dir))
		}
		if _, err := f.WriteAt([]byte{1}, 0); !errors.Is(err, os.ErrClosed) {
			t.Errorf("a write after Store: %v", err)
		}
		close(gate)
		synctest.Wait()
		if !bytes.Equal(b.get(to), wav(samples(3200), 3200)) {
			t.Error("something else was stored")
		}
		if n := s.Pending(); n != 0 || len(files(t, dir)) != 0 || b.count() != 1 {
			t.Errorf("in the end %d are pending after %d attempts and there is %q", n, b.count(), files(t, dir))
		}
	})
}

// TestRetries: a store that fails is tried again, each pause twice the last up to
// five minutes, until it takes the recording.
func TestRetries(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		dir := t.TempDir()
		b := &bucket{put: func(_ context.Context, n int, _ objects.URI) error {
			switch {
			case n == 2:
				panic("a fault of the store")
			case n < 13:
				return errors.New("out of order")
			}
			return nil
		}}
		s := open(t, dir, b)
		to := uri(t, "s3://bucket/x.wav")
		if err := record(t, s, to, samples(320), 320).Store(); err != nil {
			t.Fatal(err)
		}
		for b.get(to) == nil {
			if len(files(t, dir)) != 2 {
				t.Fatal("the recording is gone before it is stored")
			}
			<-time.After(time.Second)
			synctest.Wait()
		}
		var pauses []time.Duration
		for i, at := range b.times[1:] {
			pauses = append(pauses, at.Sub(b.times[i]))
		}
		want := []time.Duration{1, 2, 4, 8, 16, 32, 64, 128, 256, 300, 300, 300}
		for i := range want {
			want[i] *= time.Second
		}
		if !slices.Equal(pauses, want) {
			t.Errorf("the pauses were %v", pauses)
		}
		if len(files(t, dir)) != 0 {
			t.Errorf("there is still %q", files(t, dir))
		}
	})
}

// TestHangingStore: a store that never answers is given up, and does not hold up
// more than its share.
func TestHangingStore(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		b := &bucket{put: func(ctx context.Context, n int, _ objects.URI) error {
			if n == 1 {
				<-ctx.Done()
				return ctx.Err()
			}
			return nil
		}}
		s := open(t, t.TempDir(), b)
		for i := range 10 {
			if err := record(t, s, uri(t, fmt.Sprintf("s3://bucket/%d.wav", i)), samples(4), 4).Store(); err != nil {
				t.Fatal(err)
			}
		}
		synctest.Wait()
		if n := s.Pending(); n != 1 {
			t.Errorf("%d are pending beside the one that hangs", n-1)
		}
		<-time.After(attemptTime + firstPause)
		synctest.Wait()
		if n := s.Pending(); n != 0 {
			t.Errorf("%d are pending", n)
		}
	})
}

// TestConcurrent: many recordings at once are all stored, four at a time.
func TestConcurrent(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		dir := t.TempDir()
		b := &bucket{put: func(_ context.Context, n int, _ objects.URI) error {
			<-time.After(time.Second)
			if n%5 == 0 {
				return errors.New("out of order")
			}
			return nil
		}}
		s := open(t, dir, b)
		const many = 60
		var all sync.WaitGroup
		for i := range many {
			all.Go(func() {
				to, err := objects.ParseURI(fmt.Sprintf("s3://bucket/%d.wav", i))
				if err != nil {
					t.Error(err)
					return
				}
				f, err := s.Create(to)
				if err != nil {
					t.Error(err)
					return
				}
				for at := range 10 {
					if _, err := f.WriteAt(fmt.Appendf(nil, "%04d", i), int64(4*at)); err != nil {
						t.Error(err)
					}
				}
				if err := f.Store(); err != nil {
					t.Error(err)
				}
			})
		}
		all.Wait()
		for s.Pending() > 0 {
			<-time.After(time.Second)
			synctest.Wait()
		}
		for i := range many {
			if got := string(b.get(uri(t, fmt.Sprintf("s3://bucket/%d.wav", i)))); got != strings.Repeat(fmt.Sprintf("%04d", i), 10) {
				t.Errorf("recording %d is %q", i, got)
			}
		}
		if b.top != maxUploads {
			t.Errorf("%d were stored at a time", b.top)
		}
		if len(files(t, dir)) != 0 {
			t.Errorf("there is still %q", files(t, dir))
		}
	})
}

// TestKilled: what a server has left that was killed is stored by the next, and
// plays as long as there is something, whatever its header says.
func TestKilled(t *testing.T) {
	t.Parallel()
	const length = 32000
	for name, c := range map[string]struct {
		content []byte
		want    int // samples in bytes
	}{
		"complete":                {wav(samples(length), length), length},
		"header a second behind":  {wav(samples(length), length-31968), length},
		"header of nothing yet":   {wav(samples(length), 0), length},
		"header ahead":            {wav(samples(length), length+64000), length},
		"header without end":      {wav(samples(length), math.MaxUint32), length},
		"a frame that is cut off": {wav(samples(length), length)[:44+length-3], length - 4},
		"header alone":            {wav(nil, 0), 0},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				dir := t.TempDir()
				b := &bucket{}
				s := open(t, dir, b)
				to := uri(t, "s3://bucket/x.wav")
				f, err := s.Create(to)
				if err != nil {
					t.Fatal(err)
				}
				if _, err := f.WriteAt(c.content, 0); err != nil {
					t.Fatal(err)
				}
				// As after a kill: a second one finds what the first has not finished.
				second := open(t, dir, b)
				synctest.Wait()
				got := b.get(to)
				w, err := audio.ParseWAV(bytes.NewReader(got), int64(len(got)))
				if err != nil {
					t.Fatal(err)
				}
				if w.Length != int64(c.want) || w.Format != format || !bytes.Equal(got[w.Offset:], samples(length)[:c.want]) {
					t.Errorf("it has %d bytes of samples in %+v and %d in all", w.Length, w.Format, len(got))
				}
				if riff := int(got[4]) | int(got[5])<<8 | int(got[6])<<16 | int(got[7])<<24; riff != len(got)-8 {
					t.Errorf("its header says that it has %d bytes, and it has %d", riff+8, len(got))
				}
				if second.Pending() != 0 || len(files(t, dir)) != 0 {
					t.Errorf("there is still %q", files(t, dir))
				}
			})
		})
	}
}

// TestLeftovers: what is in the folder besides is kept and told of, and what holds
// nothing goes.
func TestLeftovers(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		dir := t.TempDir()
		put := func(name, content string) {
			if err := os.WriteFile(filepath.Join(dir, name), []byte(content), 0o600); err != nil {
				t.Fatal(err)
			}
		}
		put("good.json", `{"to":"s3://bucket/good.bin"}`)
		put("good.wav", "no WAV file, but somebody's")
		put("empty.json", `{"to":"s3://bucket/empty.wav"}`)
		put("empty.wav", "")
		put("stored.json", `{"to":"s3://bucket/stored.wav"}`)
		put("torn.json", `{"to":"s3://buc`)
		put("torn.wav", "a recording")
		put("astray.json", `{"to":"http://example.com/x"}`)
		put("astray.wav", "another")
		put("orphan.wav", "a third")
		put("README", "what people write")
		var log bytes.Buffer
		b := &bucket{}
		o := Options{Dir: dir, Store: b, Logger: slog.New(slog.NewTextHandler(&log, nil))}
		s, err := Open(t.Context(), o)
		if err != nil {
			t.Fatal(err)
		}
		synctest.Wait()
		if err := s.Close(); err != nil {
			t.Fatal(err)
		}
		want := []string{"aside/README", "aside/astray.json", "aside/astray.wav", "aside/orphan.wav", "aside/torn.json", "aside/torn.wav"}
		if got := files(t, dir); !slices.Equal(got, want) {
			t.Errorf("there is %q", got)
		}
		for _, name := range want {
			if !strings.Contains(log.String(), name) {
				t.Errorf("the log does not tell of %s", name)
			}
		}
		if got := string(b.get(uri(t, "s3://bucket/good.bin"))); got != "no WAV file, but somebody's" {
			t.Errorf("what is no WAV file was stored as %q", got)
		}
		if b.count() != 1 {
			t.Errorf("%d were stored", b.count())
		}
		// The next start finds nothing new to say.
		log.Reset()
		if s, err = Open(t.Context(), o); err != nil {
			t.Fatal(err)
		}
		if err := s.Close(); err != nil || log.Len() > 0 {
			t.Errorf("%v, %s", err, log.String())
		}
	})
}

// TestClose: what has not been tried yet is, what hangs is given up after a while,
// and nothing is lost: the next start stores it.
func TestClose(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		dir := t.TempDir()
		refused, hung := uri(t, "s3://bucket/refused.wav"), uri(t, "s3://bucket/hung.wav")
		b := &bucket{put: func(ctx context.Context, _ int, at objects.URI) error {
			switch at {
			case refused:
				return errors.New("out of order")
			case hung:
				<-ctx.Done()
				return ctx.Err()
			}
			return nil
		}}
		s := open(t, dir, b)
		var last objects.URI
		for _, at := range []string{"refused", "hung", "a", "b", "c", "d", "e", "f"} {
			last = uri(t, "s3://bucket/"+at+".wav")
			if err := record(t, s, last, samples(400), 400).Store(); err != nil {
				t.Fatal(err)
			}
		}
		under := uri(t, "s3://bucket/under-way.wav")
		f := record(t, s, under, samples(400), 4)
		began := time.Now()
		if err := s.Close(); err != nil {
			t.Fatal(err)
		}
		if took := time.Since(began); took != 10*time.Second {
			t.Errorf("Close took %v", took)
		}
		if err := s.Close(); err != nil {
			t.Errorf("the second Close: %v", err)
		}
		if b.get(last) == nil {
			t.Error("the last was not stored though there was time")
		}
		if n := b.count(); n != 8 {
			t.Errorf("%d attempts, second ones among them", n)
		}
		if _, err := s.Create(last); !errors.Is(err, ErrClosed) {
			t.Errorf("Create after Close: %v", err)
		}
		if err := f.Store(); err != nil {
			t.Errorf("Store after Close: %v", err)
		}
		if n := len(files(t, dir)); n != 6 {
			t.Errorf("%d files are left of three recordings", n)
		}
		b.put = nil
		open(t, dir, b)
		synctest.Wait()
		for _, at := range []objects.URI{refused, hung, under} {
			if !bytes.Equal(b.get(at), wav(samples(400), 400)) {
				t.Errorf("%s is not stored after the next start", at)
			}
		}
		if len(files(t, dir)) != 0 {
			t.Errorf("there is still %q", files(t, dir))
		}
	})
}

// TestDiskFull: that a disk is full is an error, told once in the log; what it has
// taken is stored.
func TestDiskFull(t *testing.T) {
	t.Parallel()
	full, err := os.OpenFile("/dev/full", os.O_RDWR, 0)
	if err != nil {
		t.Skip("there is no /dev/full")
	}
	var log bytes.Buffer
	b := &bucket{}
	s, err := Open(t.Context(), Options{Dir: t.TempDir(), Store: b, Logger: slog.New(slog.NewTextHandler(&log, nil))})
	if err != nil {
		t.Fatal(err)
	}
	to := uri(t, "s3://bucket/x.wav")
	f := record(t, s, to, samples(400), 400)
	disk := f.file
	f.file = full
	for range 3 {
		if _, err := f.WriteAt([]byte("more"), 444); !errors.Is(err, syscall.ENOSPC) || !strings.Contains(err.Error(), to.String()) {
			t.Errorf("the error is %v", err)
		}
	}
	if n := strings.Count(log.String(), "cannot be written"); n != 1 {
		t.Errorf("the log tells it %d times", n)
	}
	_ = f.Store() // a device may be synced or not
	if err := errors.Join(disk.Close(), s.Close()); err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(b.get(to), wav(samples(400), 400)) {
		t.Error("what was written before is not stored")
	}
}

// TestFolderThatCannotBe: no folder, no spool; a folder that vanishes, no
// recordings.
func TestFolderThatCannotBe(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	file := filepath.Join(dir, "file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := Open(t.Context(), Options{Dir: filepath.Join(file, "recordings"), Store: &bucket{}}); err == nil {
		t.Error("a folder in a file")
	}
	gone := filepath.Join(dir, "gone")
	s := open(t, gone, &bucket{})
	if err := os.RemoveAll(gone); err != nil {
		t.Fatal(err)
	}
	if _, err := s.Create(uri(t, "s3://bucket/x.wav")); err == nil {
		t.Error("a recording in a folder that is gone")
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := os.MkdirAll(gone, 0o700); err != nil {
		t.Fatal(err)
	}
	n, _ := json.Marshal(note{To: "s3://bucket/x.wav"})
	if err := os.WriteFile(filepath.Join(gone, "x.json"), n, 0o600); err != nil {
		t.Fatal(err)
	}
	if _, err := Open(ctx, Options{Dir: gone, Store: &bucket{}}); !errors.Is(err, context.Canceled) {
		t.Errorf("opened when nobody wants it any more: %v", err)
	}
}

// FuzzMend: whatever a killed server has left, mending it fails or gives a WAV file
// that holds what was recorded.
func FuzzMend(f *testing.F) {
	f.Add(wav(samples(64), 64))
	f.Add(wav(samples(64), 32))
	f.Add(wav(samples(63), math.MaxUint32))
	f.Add([]byte("RIFF"))
	f.Fuzz(func(t *testing.T, content []byte) {
		name := filepath.Join(t.TempDir(), "x.wav")
		if err := os.WriteFile(name, content, 0o600); err != nil {
			t.Fatal(err)
		}
		if err := mend(name); err != nil {
			return
		}
		got, err := os.ReadFile(name) //nolint:gosec // the test's own
		if err != nil {
			t.Fatal(err)
		}
		w, err := audio.ParseWAV(bytes.NewReader(got), int64(len(got)))
		if err != nil {
			t.Fatalf("the mended file: %v", err)
		}
		if w.Offset+w.Length != int64(len(got)) || !bytes.HasPrefix(content[w.Offset:], got[w.Offset:]) {
			t.Errorf("%d bytes from %d on of %d", w.Length, w.Offset, len(got))
		}
	})
}
