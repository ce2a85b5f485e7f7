// Package logfile keeps a file of lines that is only ever appended to, such as a
// log or a feed of events, beside whoever else reads, renames or removes it.
//
// Invariants:
//   - a write appears in one piece in one file: no line is divided by the end of
//     a file;
//   - a file that has reached its size is set aside under a name with the time,
//     and nothing is ever deleted or overwritten, not even by two processes that
//     set the same file aside at once;
//   - whoever renames or removes the file, as logrotate does, gets no more lines
//     in it: the next one goes into a new file;
//   - half a line, which a crash or a full disk has left, is dealt with before
//     anything else is written, so that it spoils no line but itself.
//
// What is written is handed to the operating system at once, so that it survives
// the end of the process. On the disk it is after Sync, and when a file is set
// aside or closed. The package starts no goroutine.
package logfile

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"time"
)

// Options say how a file is kept.
type Options struct {
	// Limit is the size in bytes that a file does not grow beyond, unless a single
	// write is larger.
	Limit int64
	Now   func() time.Time // for the names of files that are set aside
	// CutTorn removes half a line at the end of a file; otherwise it is ended, and
	// stays. Only where one process alone writes may it be removed.
	CutTorn bool
}

// File is the file of a name. It is safe for concurrent use.
type File struct {
	path string
	o    Options

	mu     sync.Mutex
	file   *os.File // nil: to be opened by what comes next
	size   int64
	listed bool // the folder's entry of the file is on the disk
	closed bool
}

// New returns a file that is opened, and made with mode 0600 if need be, by what
// is done first.
func New(path string, o Options) *File { return &File{path: path, o: o} }

// Open is New for whoever wants to know at once whether the file can be opened.
func Open(path string, o Options) (*File, error) {
	f := New(path, o)
	if err := f.open(); err != nil {
		return nil, err
	}
	return f, nil
}

// Write appends whole lines, all to one file. When not all of it could be
// written the file is closed; what follows opens it again, which deals with what
// there is of this. A file that is full but cannot be set aside goes on growing,
// which is better than to lose what happens from then on: then all was written
// although there is an error.
func (f *File) Write(lines []byte) (int, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if err := f.ready(); err != nil {
		return 0, err
	}
	var full error
	if f.size > 0 && f.size+int64(len(lines)) > f.o.Limit {
		full = f.setAside()
		if err := f.open(); err != nil {
			return 0, errors.Join(full, err)
		}
	}
	n, err := f.append(lines)
	return n, errors.Join(full, err)
}

// Sync waits until what was written is on the disk.
func (f *File) Sync() error {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.closed {
		return fs.ErrClosed
	}
	if f.file == nil {
		return nil // synced when it was closed, or never written to
	}
	return f.sync()
}

// Tail returns the last lines of the file, at most so many, with their ends.
func (f *File) Tail(most int) ([][]byte, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if err := f.ready(); err != nil {
		return nil, err
	}
	end, err := lastLines(f.file, f.size, most)
	if err != nil {
		return nil, err
	}
	lines := bytes.SplitAfter(end[:bytes.LastIndexByte(end, '\n')+1], []byte{'\n'})
	lines = lines[:len(lines)-1] // what is behind the last end of a line: nothing
	return lines[max(0, len(lines)-most):], nil
}

// Close may be called twice.
func (f *File) Close() error {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.closed {
		return nil
	}
	f.closed = true
	if f.file == nil {
		return nil
	}
	return errors.Join(f.sync(), f.release())
}

// ready opens the file when it is not open, or no longer the one of its name.
func (f *File) ready() error {
	if f.closed {
		return fs.ErrClosed
	}
	if f.file != nil {
		moved, err := f.moved()
		if err == nil && moved {
			err = errors.Join(f.file.Sync(), f.release())
		}
		if err != nil {
			return err
		}
	}
	if f.file == nil {
		return f.open()
	}
	return nil
}

// moved reports whether somebody has renamed or removed the file.
func (f *File) moved() (bool, error) {
	open, err := f.file.Stat()
	if err != nil {
		return false, err
	}
	named, err := os.Stat(f.path)
	if errors.Is(err, fs.ErrNotExist) {
		return true, nil
	}
	if err != nil {
		return false, err
	}
	f.size = named.Size() // somebody may have emptied it, or written to it as well
	return !os.SameFile(open, named), nil
}

// open opens the file and deals with half a line at its end.
func (f *File) open() error {
	file, err := os.OpenFile(f.path, os.O_RDWR|os.O_APPEND|os.O_CREATE, 0o600)
	if err != nil {
		return err
	}
	info, err := file.Stat()
	if err == nil && !info.Mode().IsRegular() {
		err = fmt.Errorf("%s is no regular file", f.path)
	}
	if err != nil {
		return errors.Join(err, file.Close())
	}
	f.file, f.size, f.listed = file, info.Size(), false
	if err := f.mend(info); err != nil {
		if f.file != nil {
			err = errors.Join(err, f.release())
		}
		return err
	}
	return nil
}

// mend ends or cuts off half a line at the end of the file.
func (f *File) mend(info fs.FileInfo) error {
	end, err := lastLines(f.file, f.size, 0)
	torn := int64(len(end) - bytes.LastIndexByte(end, '\n') - 1)
	if err != nil || torn == 0 {
		return err
	}
	if !f.o.CutTorn {
		_, err := f.append([]byte{'\n'})
		return err
	}
	// What may only append cannot cut everywhere.
	file, err := os.OpenFile(f.path, os.O_RDWR, 0)
	if err != nil {
		return err
	}
	now, err := file.Stat()
	if err == nil && os.SameFile(info, now) {
		f.size -= torn
		err = file.Truncate(f.size)
	}
	return errors.Join(err, file.Close())
}

// lastLines reads so much of a file's end that there are more than so many ends
// of lines in it, or all of it.
func lastLines(file io.ReaderAt, size int64, more int) ([]byte, error) {
	for want := int64(64 << 10); ; want *= 4 {
		end := make([]byte, min(want, size))
		if _, err := file.ReadAt(end, size-int64(len(end))); err != nil && !errors.Is(err, io.EOF) {
			return nil, err
		}
		if int64(len(end)) == size || bytes.Count(end, []byte{'\n'}) > more {
			return end, nil
		}
	}
}

// append writes to the file as it is, and closes it if that fails.
func (f *File) append(b []byte) (int, error) {
	n, err := f.file.Write(b)
	f.size += int64(n)
	if err != nil {
		err = errors.Join(err, f.release())
	}
	return n, err
}

// sync makes the file and its place in the folder safe on the disk.
func (f *File) sync() error {
	if err := f.file.Sync(); err != nil || f.listed {
		return err
	}
	if err := syncFolder(filepath.Dir(f.path)); err != nil {
		return err
	}
	f.listed = true
	return nil
}

func syncFolder(dir string) error {
	if runtime.GOOS == "windows" { // where a folder cannot be synced, and need not be
		return nil
	}
	d, err := os.Open(dir) //nolint:gosec // the operator names the folder
	if err != nil {
		return err
	}
	return errors.Join(d.Sync(), d.Close())
}

// release closes the file.
func (f *File) release() error {
	file := f.file
	f.file = nil
	return file.Close()
}

// setAside closes the file and gives it a name of its own. The name is taken
// first, by an empty file: two processes that do this at once cannot take the
// same, and the one that comes second finds nothing more to rename, or a file
// that has just been begun.
func (f *File) setAside() error {
	if err := errors.Join(f.file.Sync(), f.release()); err != nil {
		return err
	}
	to, err := f.takeName()
	if err != nil {
		return err
	}
	if err = os.Rename(f.path, to); err == nil {
		return nil
	}
	if errors.Is(err, fs.ErrNotExist) { // somebody else came first, and may have begun another by now
		err = nil
	}
	return errors.Join(err, os.Remove(to))
}

// takeName makes an empty file under a name with the time.
func (f *File) takeName() (string, error) {
	ext := filepath.Ext(f.path)
	base := strings.TrimSuffix(f.path, ext) + "-" + f.o.Now().UTC().Format("20060102T150405.000000Z")
	for i := 1; ; i++ {
		to := base + ext
		if i > 1 { // a clock that was put back, or somebody else, has been here before
			to = fmt.Sprintf("%s-%d%s", base, i, ext)
		}
		file, err := os.OpenFile(to, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600) //nolint:gosec // beside the file that the operator names
		if errors.Is(err, fs.ErrExist) {
			continue
		}
		if err != nil {
			return "", err
		}
		return to, file.Close()
	}
}

var _ io.WriteCloser = (*File)(nil)
