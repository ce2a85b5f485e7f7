package recording

import (
	"errors"
	"fmt"
	"log/slog"
	"os"
	"sync"
)

// File is a recording under way.
type File struct {
	s    *Spool
	job  *job
	file *os.File

	mu     sync.Mutex
	ended  bool
	failed bool // a write was, and has been logged
}

// WriteAt writes to the file. What fails is logged the first time. After Store it
// is os.ErrClosed.
func (f *File) WriteAt(b []byte, off int64) (int, error) {
	n, err := f.file.WriteAt(b, off)
	if err == nil {
		return n, nil
	}
	f.mu.Lock()
	first := !f.failed && !f.ended
	f.failed = f.failed || first
	f.mu.Unlock()
	if first {
		f.s.o.Logger.Error("a recording cannot be written", slog.String("to", f.job.to.String()), slog.Any("err", err))
	}
	return n, fmt.Errorf("recording for %s: %w", f.job.to, err)
}

// Store has the file stored in the background, repeatedly if need be. When the
// disk has not taken it all, which is the error, that which it has taken is stored
// all the same. Only the first call does anything. After Close of the spool it is
// stored at the next start.
func (f *File) Store() error {
	f.s.mu.Lock()
	_, under := f.s.open[f]
	delete(f.s.open, f)
	f.s.mu.Unlock()
	if !under {
		return nil
	}
	err := f.end()
	f.s.add(f.job)
	return err
}

// end completes the file.
func (f *File) end() error {
	f.mu.Lock()
	f.ended = true
	f.mu.Unlock()
	if err := errors.Join(f.file.Sync(), f.file.Close()); err != nil {
		return fmt.Errorf("recording for %s: %w", f.job.to, err)
	}
	return nil
}
