package media

import (
	"encoding/binary"
	"fmt"
	"math"
	"sync"
	"time"

	"ringdown/internal/audio"
)

// Of a recording.
const (
	// settled is how long packets have to find their place; what is older is
	// written.
	settled = 500 * time.Millisecond
	// flushEvery is how often it is written. A file of a process that is killed
	// lacks no more than this and settled.
	flushEvery = 500 * time.Millisecond
	// recordWindow is the room of a channel, in samples: about two seconds.
	recordWindow = 16384
	// flushMost is the most that is written at once, in samples.
	flushMost = 4000
	// channelSize is the size of a sample of both channels.
	channelSize = 4
	// maxSamples is what a WAV file has room for, about 37 hours.
	maxSamples = (math.MaxUint32 - 1<<10) / channelSize
)

// Recorder writes what sessions carry to a file of two channels, in step with the
// clock: what is not heard is silence. The file is a valid WAV file at any moment;
// it is written by a goroutine of the recorder's, which Close waits for, so that a
// slow disk holds nobody up. When it is slower than two seconds, what would be
// heard meanwhile is silence in the recording.
type Recorder struct {
	file  File
	clock watch
	start time.Time
	head  []byte // of the file; its sizes are filled in
	quit  chan struct{}
	done  chan struct{}

	ending sync.Once

	mu        sync.Mutex
	channels  [2]*window
	left      [2]bool // channels that are left out
	suspended bool
	closed    bool

	// Of the goroutine, and of Close after it.
	written int64 // samples of each channel
	pcm     [2][]int16
	block   []byte
	err     error
}

// File is where a Recorder writes.
type File interface {
	WriteAt(b []byte, off int64) (int, error)
}

// watch tells the time.
type watch struct{ Now func() time.Time }

// NewRecorder begins a recording now.
func NewRecorder(f File) (*Recorder, error) {
	var w watch
	w.Now = time.Now
	return newRecorder(f, w)
}

func newRecorder(f File, w watch) (*Recorder, error) {
	r := &Recorder{
		file: f, clock: w, start: w.Now(),
		head: audio.EncodeWAV(audio.Format{Encoding: audio.PCM, Channels: 2, Rate: rate, Bits: 16}, nil),
		quit: make(chan struct{}), done: make(chan struct{}),
		block: make([]byte, 0, flushMost*channelSize),
	}
	for i := range r.channels {
		r.channels[i] = newWindow(recordWindow, 0)
		r.pcm[i] = make([]int16, flushMost)
	}
	if err := r.writeHead(); err != nil {
		return nil, err
	}
	go r.run()
	return r, nil
}

// Suspend has silence recorded until Resume.
func (r *Recorder) Suspend() { r.suspend(true) }

// Resume ends Suspend.
func (r *Recorder) Resume() { r.suspend(false) }

func (r *Recorder) suspend(yes bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.suspended = yes
}

// Keep says what is recorded from now on: what the session receives, and what it
// sends. What is not is silence. At first both are.
func (r *Recorder) Keep(receives, sends bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.left = [2]bool{received: !receives, sent: !sends}
}

// put lays samples of a channel to where they belong.
func (r *Recorder) put(channel int, at time.Time, pcm []int16) {
	p := int64(at.Sub(r.start) / sample)
	r.mu.Lock()
	defer r.mu.Unlock()
	if !r.suspended && !r.closed && !r.left[channel] {
		r.channels[channel].put(p, pcm)
	}
}

// run writes until Close.
func (r *Recorder) run() {
	defer close(r.done)
	t := time.NewTicker(flushEvery)
	defer t.Stop()
	for {
		select {
		case <-t.C:
			r.flush(r.clock.Now().Add(-settled))
		case <-r.quit:
			return
		}
	}
}

// flush writes all up to a moment. After an error nothing more is written: what is
// in the file stays valid.
func (r *Recorder) flush(until time.Time) {
	end := min(int64(until.Sub(r.start)/sample), maxSamples)
	for r.err == nil && r.written < end {
		n := int(min(end-r.written, flushMost))
		r.mu.Lock()
		for i, c := range r.channels {
			c.take(r.pcm[i][:n])
		}
		r.mu.Unlock()
		r.block = r.block[:0]
		for i := range n {
			r.block = binary.LittleEndian.AppendUint16(r.block, uint16(r.pcm[received][i]))
			r.block = binary.LittleEndian.AppendUint16(r.block, uint16(r.pcm[sent][i]))
		}
		if _, err := r.file.WriteAt(r.block, int64(len(r.head))+r.written*channelSize); err != nil {
			r.err = fmt.Errorf("media: write a recording: %w", err)
			return
		}
		r.written += int64(n)
	}
	if r.err == nil {
		r.err = r.writeHead()
	}
}

// writeHead writes the header for the samples that are in the file: RIFF, the size
// of all that follows, and at its end that of the samples.
func (r *Recorder) writeHead() error {
	data := uint32(r.written * channelSize)
	binary.LittleEndian.PutUint32(r.head[4:], uint32(len(r.head)-8)+data)
	binary.LittleEndian.PutUint32(r.head[len(r.head)-4:], data)
	if _, err := r.file.WriteAt(r.head, 0); err != nil {
		return fmt.Errorf("media: write the header of a recording: %w", err)
	}
	return nil
}

// Close completes the file's header. The sessions no longer write to it. The error
// is the first there was; what was written before it is in the file.
func (r *Recorder) Close() error {
	r.ending.Do(func() {
		r.mu.Lock()
		r.closed = true
		r.mu.Unlock()
		close(r.quit)
		<-r.done
		r.flush(r.clock.Now())
	})
	return r.err
}
