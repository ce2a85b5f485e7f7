package server

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"time"

	"ringdown/internal/audit"
)

const (
	auditFileName = "audit.jsonl" // in the data folder
	auditSize     = 64 << 20      // at which the file is set aside
)

// openAudit opens the audit log of a configuration: the file that it names, else
// one in the data folder, which must be there.
func openAudit(cfg *Config) (*audit.Log, error) {
	path := cfg.SignIn.Audit
	if path == "" {
		path = filepath.Join(cfg.Data, auditFileName)
	}
	f := &auditFile{path: path, limit: auditSize, now: cfg.Now}
	if err := f.open(); err != nil {
		return nil, fmt.Errorf("sign-in: audit: %w", err)
	}
	return audit.New(f, cfg.Now, cfg.Logger), nil
}

// auditFile is a file that is only ever appended to. When it is full it is set
// aside under a name with the time, and nothing is ever deleted. Whoever renames
// or removes it, as logrotate does, gets no more lines in it: the next one goes
// into a new file.
//
// Lines are handed to the operating system one by one, so that they survive the
// end of the process, and synced when a file is set aside or closed: to sync each
// would let whoever tries passwords use up the disk's time.
type auditFile struct {
	path  string
	limit int64
	now   func() time.Time

	mu     sync.Mutex
	file   *os.File // nil: to be opened by the next line
	size   int64
	closed bool
}

// open opens the file, and ends a line that a crash has left without its end.
func (a *auditFile) open() error {
	file, err := os.OpenFile(a.path, os.O_RDWR|os.O_APPEND|os.O_CREATE, 0o600)
	if err != nil {
		return err
	}
	info, err := file.Stat()
	if err == nil && !info.Mode().IsRegular() {
		err = fmt.Errorf("%s is no regular file", a.path)
	}
	if err != nil {
		return errors.Join(err, file.Close())
	}
	a.file, a.size = file, info.Size()
	if a.size == 0 {
		return nil
	}
	last := make([]byte, 1)
	if _, err = file.ReadAt(last, a.size-1); err == nil && last[0] != '\n' {
		err = a.append([]byte{'\n'})
	}
	if err != nil {
		return errors.Join(err, a.release())
	}
	return nil
}

// append writes to the file as it is.
func (a *auditFile) append(b []byte) error {
	n, err := a.file.Write(b)
	a.size += int64(n)
	return err
}

// release closes the file.
func (a *auditFile) release() error {
	file := a.file
	a.file = nil
	return file.Close()
}

// Write appends a line. When it cannot be written, or not all of it, the file is
// closed: the next line opens it again, which ends what there is of this one.
func (a *auditFile) Write(line []byte) (int, error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.closed {
		return 0, fs.ErrClosed
	}
	if err := a.ready(); err != nil {
		return 0, err
	}
	var full error
	if a.size > 0 && a.size+int64(len(line)) > a.limit {
		// A file that cannot be set aside goes on growing: better that than to lose
		// what happens from then on.
		full = a.setAside()
		if err := a.open(); err != nil {
			return 0, errors.Join(full, err)
		}
	}
	before := a.size
	if err := a.append(line); err != nil {
		return int(a.size - before), errors.Join(full, err, a.release())
	}
	return len(line), full
}

// ready opens the file when it is not open, or no longer the one of that name.
func (a *auditFile) ready() error {
	if a.file != nil {
		moved, err := a.moved()
		if err == nil && moved {
			err = errors.Join(a.file.Sync(), a.release())
		}
		if err != nil {
			return err
		}
	}
	if a.file == nil {
		return a.open()
	}
	return nil
}

// moved reports whether somebody has renamed or removed the file.
func (a *auditFile) moved() (bool, error) {
	open, err := a.file.Stat()
	if err != nil {
		return false, err
	}
	named, err := os.Stat(a.path)
	if errors.Is(err, fs.ErrNotExist) {
		return true, nil
	}
	if err != nil {
		return false, err
	}
	a.size = named.Size() // somebody may have emptied it
	return !os.SameFile(open, named), nil
}

// setAside closes the file and renames it.
func (a *auditFile) setAside() error {
	if err := errors.Join(a.file.Sync(), a.release()); err != nil {
		return err
	}
	ext := filepath.Ext(a.path)
	base := strings.TrimSuffix(a.path, ext) + "-" + a.now().UTC().Format("20060102T150405.000000Z")
	for i := 1; ; i++ {
		to := base + ext
		if i > 1 { // a clock that was put back has been here before
			to = fmt.Sprintf("%s-%d%s", base, i, ext)
		}
		if _, err := os.Lstat(to); errors.Is(err, fs.ErrNotExist) {
			return os.Rename(a.path, to)
		} else if err != nil {
			return err
		}
	}
}

// Close may be called twice.
func (a *auditFile) Close() error {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.closed {
		return nil
	}
	a.closed = true
	if a.file == nil {
		return nil
	}
	return errors.Join(a.file.Sync(), a.release())
}

var _ io.WriteCloser = (*auditFile)(nil)
