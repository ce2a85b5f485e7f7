package event

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"time"

	"ringdown/internal/logfile"
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
	file *logfile.File
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
	return &File{file: logfile.New(path, logfile.Options{Limit: size, Now: now, CutTorn: true})}
}

// Close ends the sink. What was delivered is on the disk already, so there is
// nothing that could fail.
func (s *File) Close() { _ = s.file.Close() }

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
		written, err := s.file.Tail(len(lines))
		if err != nil {
			return err
		}
		lines = lines[overlap(written, lines):]
	}
	if len(lines) > 0 {
		if _, err := s.file.Write(bytes.Join(lines, nil)); err != nil {
			return err
		}
	}
	// Of lines that were there already, too, nobody knows whether they have reached
	// the disk.
	return s.file.Sync()
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
