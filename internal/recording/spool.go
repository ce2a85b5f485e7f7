// Package recording keeps recordings of calls until they are stored: while a call
// lasts its recording is a file in a folder, next to a note that says where it
// belongs. What a server that died has left is stored at the next start.
//
// Invariants:
//   - a note is on the disk before its recording begins, and goes after it, so that
//     a file without one is none of the spool's;
//   - a recording is removed only when the store has acknowledged it; what cannot be
//     understood is set aside, never removed;
//   - one goroutine hands out uploads, each of which has one of its own; Close waits
//     for all of them.
package recording

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"sync"
	"time"

	"ringdown/internal/objects"
)

// Options make a Spool.
type Options struct {
	Dir    string // the folder, made at need
	Store  objects.Store
	Logger *slog.Logger
	// Patience is how long Close waits for what is being stored; 0 for 10 s.
	Patience time.Duration
	Now      func() time.Time // nil for the system's clock
}

const (
	soundEnd = ".wav"
	noteEnd  = ".json"
	// aside is the folder in the folder for what cannot be understood.
	aside = "aside"
)

// note says where a recording belongs. It is the content of a file.
type note struct {
	To      string    `json:"to"` // s3://BUCKET/KEY
	Created time.Time `json:"created"`
}

// ErrClosed is the answer of a Spool after Close.
var ErrClosed = errors.New("recordings are kept no more")

// Spool is the folder.
type Spool struct {
	o      Options
	cancel context.CancelFunc // ends uploads when Close waits no longer
	over   chan struct{}      // closed when the last goroutine has ended

	mu      sync.Mutex
	closed  bool
	open    map[*File]struct{} // under way
	waiting []*job             // to be stored
	running int                // uploads under way
	wake    chan struct{}      // something of the above has changed
	work    sync.WaitGroup     // of the uploads
}

// Open opens the folder and begins to store what is left in it. Ctx is that of the
// opening alone.
func Open(ctx context.Context, o Options) (*Spool, error) {
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.Patience == 0 {
		o.Patience = 10 * time.Second
	}
	if err := os.MkdirAll(o.Dir, 0o700); err != nil {
		return nil, fmt.Errorf("recordings: %w", err)
	}
	// It may have been there, with other permissions.
	if err := os.Chmod(o.Dir, 0o700); err != nil { //nolint:gosec // a folder needs its execute bit
		return nil, fmt.Errorf("recordings: %w", err)
	}
	s := &Spool{o: o, open: map[*File]struct{}{}, over: make(chan struct{}), wake: make(chan struct{}, 1)}
	if err := s.sweep(ctx); err != nil {
		return nil, fmt.Errorf("recordings: %w", err)
	}
	uploads, cancel := context.WithCancel(context.WithoutCancel(ctx))
	s.cancel = cancel
	go s.run(uploads)
	return s, nil
}

// Create begins a recording that belongs at a place. Its note is on the disk when
// Create returns.
func (s *Spool) Create(to objects.URI) (*File, error) {
	s.mu.Lock()
	closed := s.closed
	s.mu.Unlock()
	if closed {
		return nil, ErrClosed
	}
	f := &File{s: s, job: &job{id: rand.Text(), to: to}}
	if err := s.begin(f); err != nil {
		return nil, fmt.Errorf("recording for %s: %w", to, err)
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed { // meanwhile; it is empty, and the next start removes it
		return nil, errors.Join(ErrClosed, f.file.Close())
	}
	s.open[f] = struct{}{}
	return f, nil
}

// begin makes the note and the file.
func (s *Spool) begin(f *File) (err error) {
	content, err := json.Marshal(note{To: f.job.to.String(), Created: s.o.Now().UTC()})
	if err != nil {
		return err
	}
	name := s.path(f.job.id, noteEnd)
	defer func() {
		if err != nil {
			_ = os.Remove(name) // of what there is no more
		}
	}()
	if err := write(name, content); err != nil {
		return err
	}
	if f.file, err = os.OpenFile(s.path(f.job.id, soundEnd), os.O_RDWR|os.O_CREATE|os.O_EXCL, 0o600); err != nil {
		return err
	}
	if err := syncDir(s.o.Dir); err != nil {
		return errors.Join(err, f.file.Close(), os.Remove(f.file.Name()))
	}
	return nil
}

// Pending counts the recordings that are complete and not stored yet.
func (s *Spool) Pending() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.waiting) + s.running
}

// Close waits for what is being stored, but no longer than Options.Patience. What
// could not be stays for the next start, as do recordings that are still under
// way. It may be called twice.
func (s *Spool) Close() error {
	s.mu.Lock()
	s.closed = true
	open := s.open
	s.open = map[*File]struct{}{}
	s.mu.Unlock()
	var err error
	for f := range open {
		err = errors.Join(err, f.end())
	}
	s.stir()
	patience := time.NewTimer(s.o.Patience)
	defer patience.Stop()
	select {
	case <-s.over:
	case <-patience.C:
		s.cancel()
		<-s.over
	}
	s.cancel()
	return err
}

// path is the file of a recording, or its note.
func (s *Spool) path(id, end string) string { return filepath.Join(s.o.Dir, id+end) }

// write makes a file and waits for the disk.
func write(name string, content []byte) error {
	f, err := os.OpenFile(name, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600) //nolint:gosec // a name of the spool's own
	if err != nil {
		return err
	}
	_, err = f.Write(content)
	if err == nil {
		err = f.Sync()
	}
	return errors.Join(err, f.Close())
}

// syncDir makes what a folder lists safe on the disk.
func syncDir(dir string) error {
	d, err := os.Open(dir) //nolint:gosec // the spool's own folder
	if err != nil {
		return err
	}
	return errors.Join(d.Sync(), d.Close())
}
