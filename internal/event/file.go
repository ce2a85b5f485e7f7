package event

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"time"

	"ringdown/internal/store"
)

// DefaultFileSize is how large a file grows before another is begun, in bytes.
const DefaultFileSize = 100 << 20

// File appends entries to a file of JSON lines, one entry's Doc a line. They are
// on the disk before the feed's cursor moves.
//
// A file that has reached its size is renamed, its name completed by the time
// (contact-events-20260131T235959.000000Z.jsonl), and never removed: that is the
// operator's. So is the file at any time; whoever takes it away finds a new one
// in its place.
type File struct {
	path string
	size int64
	now  func() time.Time
	// sound says that the file ends where the last delivery ended. Until then,
	// after a start or an error, it may end in half a line, or hold entries that
	// the cursor knows nothing of.
	sound bool
}

// NewFile returns the sink of a file, which is made when it is first needed,
// with mode 0600. Size 0 means DefaultFileSize.
func NewFile(path string, size int64, now func() time.Time) *File {
	if size <= 0 {
		size = DefaultFileSize
	}
	return &File{path: path, size: size, now: now}
}

// Close does nothing, for no file is open between deliveries.
func (s *File) Close() {}

// Deliver writes all entries, or leaves all; from one that is not JSON on, they
// are left for the next call.
func (s *File) Deliver(_ context.Context, entries []*store.Entry) ([]*store.Entry, error) {
	var lines [][]byte
	for _, e := range entries {
		line, err := line(e)
		if err != nil && len(lines) == 0 {
			return entries, err
		}
		if err != nil {
			break
		}
		lines = append(lines, line)
	}
	err := s.append(lines)
	s.sound = err == nil
	if err != nil {
		return entries, err
	}
	return entries[len(lines):], nil
}

// line is an entry without what would end the line early.
func line(e *store.Entry) ([]byte, error) {
	var b bytes.Buffer
	if err := json.Compact(&b, e.Doc); err != nil {
		return nil, fmt.Errorf("%w: %w", ErrUndeliverable, err)
	}
	return append(b.Bytes(), '\n'), nil
}

// append writes lines and waits for the disk.
func (s *File) append(lines [][]byte) error {
	if !s.sound {
		written, err := mend(s.path, len(lines))
		if err != nil {
			return err
		}
		if lines = lines[overlap(written, lines):]; len(lines) == 0 {
			return nil
		}
	}
	fresh, err := s.rotate()
	if err != nil {
		return err
	}
	file, err := os.OpenFile(s.path, os.O_WRONLY|os.O_APPEND|os.O_CREATE, 0o600)
	if err != nil {
		return err
	}
	_, err = file.Write(bytes.Join(lines, nil))
	if err == nil {
		err = file.Sync()
	}
	err = errors.Join(err, file.Close())
	if err == nil && fresh {
		err = syncFolder(filepath.Dir(s.path))
	}
	return err
}

// rotate renames a file that is full, and reports whether there is none now.
func (s *File) rotate() (fresh bool, err error) {
	info, err := os.Stat(s.path)
	if errors.Is(err, fs.ErrNotExist) {
		return true, nil
	}
	if err != nil || info.Size() < s.size {
		return false, err
	}
	ext := filepath.Ext(s.path)
	base := strings.TrimSuffix(s.path, ext) + "-" + s.now().UTC().Format("20060102T150405.000000Z")
	to := base + ext
	for i := 2; ; i++ { // a clock that was put back has been here before
		if _, err := os.Lstat(to); errors.Is(err, fs.ErrNotExist) {
			break
		}
		to = fmt.Sprintf("%s-%d%s", base, i, ext)
	}
	return true, os.Rename(s.path, to)
}

// mend cuts off what comes after the last whole line of a file, and returns the
// last of the lines, at most so many.
func mend(path string, most int) (lines [][]byte, err error) {
	file, err := os.OpenFile(path, os.O_RDWR, 0) //nolint:gosec // the operator names the folder
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, file.Close()) }()
	info, err := file.Stat()
	if err != nil {
		return nil, err
	}
	size := info.Size()
	var end []byte
	for want := int64(64 << 10); ; want *= 4 {
		end = make([]byte, min(want, size))
		if _, err := file.ReadAt(end, size-int64(len(end))); err != nil {
			return nil, err
		}
		// The first piece may be half a line, unless all was read.
		if int64(len(end)) == size || bytes.Count(end, []byte{'\n'}) > most {
			break
		}
	}
	whole := bytes.LastIndexByte(end, '\n') + 1
	if torn := int64(len(end) - whole); torn > 0 {
		if err := file.Truncate(size - torn); err != nil {
			return nil, err
		}
	}
	// What is here now will count as delivered, and nobody knows whether it has
	// reached the disk.
	if err := file.Sync(); err != nil {
		return nil, err
	}
	lines = bytes.SplitAfter(end[:whole], []byte{'\n'})
	lines = lines[:len(lines)-1] // what is behind the last end of a line: nothing
	return lines[max(0, len(lines)-most):], nil
}

// overlap is how many of lines are the last of written already.
func overlap(written, lines [][]byte) int {
	for n := min(len(written), len(lines)); n > 0; n-- {
		if slices.EqualFunc(written[len(written)-n:], lines[:n], bytes.Equal) {
			return n
		}
	}
	return 0
}

// syncFolder makes what a folder lists safe on the disk.
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
