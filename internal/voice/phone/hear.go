package phone

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"sync"
	"time"

	"ringdown/internal/audio"
)

const (
	rate = 8000 // samples a second
	// reelSamples bounds what is kept of a call: an hour.
	reelSamples = 60 * 60 * rate
	reelBytes   = 4*reelSamples + 4096 // two channels of 16 bits, and a header

	// What is as loud as loud, on the average of a frame, is sound; a pause of
	// quietAfter ends it.
	frame      = rate / 50
	loud       = -50 // dBFS
	quietAfter = 2 * time.Second
	listenTick = 100 * time.Millisecond
)

// reel is a recording in memory, a media.File. What goes beyond reelBytes is lost.
type reel struct {
	mu   sync.Mutex
	kept []byte
	size int64 // of the file, if all were kept
}

// WriteAt implements media.File.
func (r *reel) WriteAt(b []byte, off int64) (int, error) {
	if off < 0 {
		return 0, errors.New("phone: a negative offset")
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.size = max(r.size, off+int64(len(b)))
	if end := min(r.size, reelBytes); int(end) > len(r.kept) {
		r.kept = append(r.kept, make([]byte, int(end)-len(r.kept))...)
	}
	if off < int64(len(r.kept)) {
		copy(r.kept[off:], b)
	}
	return len(b), nil
}

// ReadAt implements io.ReaderAt. The caller holds the lock.
func (r *reel) ReadAt(b []byte, off int64) (int, error) {
	if off < 0 || off >= int64(len(r.kept)) {
		return 0, io.EOF
	}
	n := copy(b, r.kept[off:])
	if n < len(b) {
		return n, io.EOF
	}
	return n, nil
}

// samples are those of the first channel, what was received, from one on.
func (r *reel) samples(from int) []int16 {
	r.mu.Lock()
	defer r.mu.Unlock()
	w, err := audio.ParseWAV(r, r.size)
	if err != nil {
		return nil // nothing has been written yet
	}
	width := w.Channels * 2
	end := min(w.Offset+w.Length, int64(len(r.kept)))
	at := w.Offset + int64(from*width)
	if end-at < int64(width) {
		return nil
	}
	out := make([]int16, 0, int(end-at)/width)
	for b := r.kept[at:end]; len(b) >= width; b = b[width:] {
		out = append(out, int16(binary.LittleEndian.Uint16(b)))
	}
	return out
}

// ears tell sound from silence in what is recorded.
type ears struct {
	mu    sync.Mutex
	read  int  // samples that have been listened to
	sound bool // the last that was told
	began int  // sample at which the sound began
	last  int  // sample at which the last loud frame ended
}

// listening follows the recording until the call ends.
func (c *Call) listening() {
	ticker := time.NewTicker(listenTick)
	defer ticker.Stop()
	for {
		select {
		case <-ticker.C:
			c.listen(false)
		case <-c.ended:
			return
		}
	}
}

// listen tells what there is to be heard since the last time; with all, the rest of
// a frame as well.
func (c *Call) listen(all bool) {
	c.mu.Lock()
	since := c.since
	c.mu.Unlock()
	e := &c.ears
	e.mu.Lock()
	defer e.mu.Unlock()
	at := func(sample int) time.Time { return since.Add(time.Duration(sample) * time.Second / rate) }
	quiet := int(quietAfter * rate / time.Second)
	for s := c.heard.samples(e.read); len(s) >= frame || all && len(s) > 0; {
		part := s[:min(frame, len(s))]
		s = s[len(part):]
		begin := e.read
		e.read += len(part)
		switch {
		case audio.Level(part) >= loud:
			if !e.sound {
				e.sound, e.began = true, begin
				c.tell(Event{At: at(begin), What: Sound})
			}
			e.last = e.read
		case e.sound && e.read-e.last >= quiet:
			e.sound = false
			c.tell(Event{At: at(e.read), What: Silence, Text: fmt.Sprintf("after %.1f s of sound", seconds(e.last-e.began))})
		}
	}
}

func seconds(samples int) float64 { return float64(samples) / rate }
