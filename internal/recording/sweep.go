package recording

import (
	"context"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"math"
	"os"
	"path/filepath"
	"strings"

	"ringdown/internal/audio"
	"ringdown/internal/objects"
)

// sweep finds what earlier servers have left, and has it stored. What it cannot
// make sense of it sets aside.
func (s *Spool) sweep(ctx context.Context) error {
	entries, err := os.ReadDir(s.o.Dir)
	if err != nil {
		return err
	}
	for _, e := range entries {
		if err := ctx.Err(); err != nil {
			return err
		}
		name := e.Name()
		id, isNote := strings.CutSuffix(name, noteEnd)
		switch {
		case e.IsDir():
		case isNote:
			s.adopt(id)
		default:
			id, isSound := strings.CutSuffix(name, soundEnd)
			if _, err := os.Lstat(s.path(id, noteEnd)); !isSound || err != nil {
				s.setAside(name, errors.New("there is no note that tells where it belongs"))
			}
		}
	}
	return nil
}

// adopt has a recording stored that another server has begun.
func (s *Spool) adopt(id string) {
	to, err := s.destination(id)
	if err != nil {
		s.setAside(id+noteEnd, err)
		s.setAside(id+soundEnd, err)
		return
	}
	j := &job{id: id, to: to}
	info, err := os.Stat(s.path(id, soundEnd))
	switch {
	case errors.Is(err, os.ErrNotExist), err == nil && info.Size() == 0: // nothing was recorded, or it is stored
		if err := s.remove(j); err != nil {
			s.o.Logger.Warn("the note of a recording cannot be removed", slog.String("file", id+noteEnd), slog.Any("err", err))
		}
		return
	case err == nil:
		err = mend(s.path(id, soundEnd))
	}
	if err != nil {
		// It may be of use to somebody who knows more of WAV files.
		s.o.Logger.Warn("a recording of an earlier run is stored as it is", slog.String("to", to.String()), slog.Any("err", err))
	}
	s.waiting = append(s.waiting, j)
}

// destination reads a note.
func (s *Spool) destination(id string) (objects.URI, error) {
	content, err := os.ReadFile(s.path(id, noteEnd)) // a name that the folder has listed
	if err != nil {
		return objects.URI{}, err
	}
	var n note
	if err := json.Unmarshal(content, &n); err != nil {
		return objects.URI{}, fmt.Errorf("its note cannot be read: %w", err)
	}
	to, err := objects.ParseURI(n.To)
	if err != nil {
		return objects.URI{}, fmt.Errorf("its note says that it belongs at %q: %w", n.To, err)
	}
	return to, nil
}

// setAside moves a file out of the way. A missing one is none.
func (s *Spool) setAside(name string, why error) {
	from, dir := filepath.Join(s.o.Dir, name), filepath.Join(s.o.Dir, aside)
	if _, err := os.Lstat(from); err != nil {
		return
	}
	s.o.Logger.Error("a file among the recordings is set aside", slog.String("file", filepath.Join(aside, name)), slog.Any("err", why))
	if err := errors.Join(os.MkdirAll(dir, 0o700), os.Rename(from, filepath.Join(dir, name))); err != nil {
		s.o.Logger.Error("a file cannot be set aside", slog.String("file", name), slog.Any("err", err))
	}
}

// mend makes the header of a recording say as much as there is: what was written
// last before a server died is not yet counted in it.
func mend(name string) (err error) {
	file, err := os.OpenFile(name, os.O_RDWR, 0) //nolint:gosec // a name that the folder has listed
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, file.Close()) }()
	info, err := file.Stat()
	if err != nil {
		return err
	}
	// The header may also say more than there is, after the machine has failed and
	// not only the server; so it is read as of a file without end.
	wav, err := audio.ParseWAV(file, math.MaxInt64)
	if err != nil {
		return err
	}
	frame := int64(max(1, wav.Channels*wav.Bits/8))
	length := max(0, info.Size()-wav.Offset) / frame * frame
	length = min(length, math.MaxUint32-wav.Offset)
	if length == wav.Length && info.Size() == wav.Offset+length {
		return nil
	}
	var riff, data [4]byte
	binary.LittleEndian.PutUint32(riff[:], uint32(wav.Offset+length-8)) // all but "RIFF" and this
	binary.LittleEndian.PutUint32(data[:], uint32(length))
	_, err = file.WriteAt(riff[:], 4)
	if err == nil {
		_, err = file.WriteAt(data[:], wav.Offset-4) // the last of what is before the samples
	}
	if err == nil {
		err = file.Truncate(wav.Offset + length)
	}
	if err == nil {
		err = file.Sync()
	}
	return err
}
