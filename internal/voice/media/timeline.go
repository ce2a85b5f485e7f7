package media

import (
	"math"
	"math/bits"
)

// Sound lies on a time line: each sample has a position, 8,000 a second from the
// start of the engine, or of a recording. Packets come late, twice or not at all,
// but their timestamps say where they belong; so recordings and mixes need no queue
// of packets, only a window of the line that packets are laid into.

// track finds the positions of a stream of packets. A stream is anchored at the
// moment its first packet comes, and anchored anew when its timestamps no longer
// fit the time: when it starts again, or when its clock is not ours.
type track struct {
	anchored  bool
	timestamp uint32
	position  int64 // of timestamp
	least     int64 // lateness of the fastest packet of late
	seen      int
}

const (
	tooLate  = rate / 2 // a packet that is later belongs elsewhere
	tooEarly = rate / 5
	settle   = 16 // packets until the anchor is looked at again
)

// place is where a packet belongs that comes at now. Mark says that it begins a
// talk spurt (RFC 3551 §4.1), when a stream may be moved without being heard.
func (t *track) place(timestamp uint32, now int64, mark bool) int64 {
	p := t.position + int64(int32(timestamp-t.timestamp))
	late := now - p
	switch {
	case !t.anchored, late > tooLate, late < -tooEarly, mark && (late > int64(frame) || late < -int64(frame)):
		*t = track{anchored: true, least: math.MaxInt64}
		p = now
	default:
		t.least = min(t.least, late)
		if t.seen++; t.seen == settle {
			if t.least > int64(frame) || t.least < -int64(frame) {
				p += t.least
			}
			t.seen, t.least = 0, math.MaxInt64
		}
	}
	t.timestamp, t.position = timestamp, p
	return p
}

// conceal is how long a loss may be that is covered by a repetition of what was
// heard before it; a longer one is silence, as is the end of a stream.
const conceal = 3 * frame

// window is a part of a time line, from where it has been read to as far ahead as
// it is long.
type window struct {
	pcm  []int16
	have []uint64 // a bit for each sample that has come
	from int64    // what is read next
	end  int64    // after the last that has come

	// The loss that was covered last: where it begins, how long it is, how far it
	// has been covered.
	hole, wide, covered int64
}

// newWindow makes a window of a size that is a power of two, and at least 1,024.
func newWindow(size int, from int64) *window {
	return &window{pcm: make([]int16, size), have: make([]uint64, size/64), from: from}
}

func (w *window) index(p int64) int { return int(p & int64(len(w.pcm)-1)) }

// kept is how much of what was read last stays: 20 ms to cover losses with, and what
// a period is found in.
const kept = longest + alike

// put lays samples into the window; what lies outside of it is left out.
func (w *window) put(p int64, pcm []int16) {
	if early := w.from - p; early > 0 {
		if early >= int64(len(pcm)) {
			return
		}
		p, pcm = w.from, pcm[early:]
	}
	room := w.from + int64(len(w.pcm)-kept) - p
	if room <= 0 {
		return
	}
	if int64(len(pcm)) > room {
		pcm = pcm[:room]
	}
	w.end = max(w.end, p+int64(len(pcm)))
	for len(pcm) > 0 {
		i := w.index(p)
		n := copy(w.pcm[i:], pcm)
		w.mark(i, n)
		p, pcm = p+int64(n), pcm[n:]
	}
}

// mark notes that n samples from index i on have come.
func (w *window) mark(i, n int) {
	for n > 0 {
		bit := i & 63
		k := min(64-bit, n)
		w.have[i>>6] |= ^uint64(0) >> (64 - k) << bit
		i, n = i+k, n-k
	}
}

// clear forgets n samples from position p on.
func (w *window) clear(p int64, n int) {
	for n > 0 {
		i := w.index(p)
		bit := i & 63
		k := min(64-bit, n)
		w.have[i>>6] &^= ^uint64(0) >> (64 - k) << bit
		p, n = p+int64(k), n-k
	}
}

// run is how many samples from p on, limit at most, have come, or have not.
func (w *window) run(p int64, come bool, limit int) int {
	n := 0
	for n < limit {
		i := w.index(p + int64(n))
		bit := i & 63
		word := w.have[i>>6] >> bit
		if come {
			word = ^word
		}
		k := min(bits.TrailingZeros64(word), 64-bit)
		if n += k; k < 64-bit {
			break
		}
	}
	return min(n, limit)
}

// take reads the next samples. A loss between samples that have come is covered by
// the last 20 ms before it, softer each time; anything else that has not come is
// silence.
func (w *window) take(dst []int16) {
	for len(dst) > 0 {
		n := w.run(w.from, true, len(dst))
		if n > 0 {
			w.read(dst[:n])
		} else {
			n = w.run(w.from, false, len(dst))
			w.cover(dst[:n])
		}
		w.clear(w.from, n)
		w.from += int64(n)
		dst = dst[n:]
	}
}

func (w *window) read(dst []int16) {
	n := copy(dst, w.pcm[w.index(w.from):])
	copy(dst[n:], w.pcm)
}

// cover makes up for samples that have not come. It writes what it makes into the
// window, so that the 20 ms before any place are there.
func (w *window) cover(dst []int16) {
	if w.from != w.covered || w.hole == w.covered { // not the one of a moment ago
		w.hole, w.wide = w.from, int64(w.run(w.from, false, conceal+1))
	}
	begin := w.hole
	w.covered = w.from + int64(len(dst))
	for i := range dst {
		at := w.from + int64(i) - begin
		var v int16
		if w.wide <= int64(conceal) && at < w.wide {
			v = w.pcm[w.index(begin-int64(frame)+at%int64(frame))] >> (at / int64(frame))
		}
		dst[i] = v
		w.pcm[w.index(w.from+int64(i))] = v
	}
}

// seek goes on to a position; what is before it is forgotten.
func (w *window) seek(p int64) {
	n := p - w.from
	switch {
	case n <= 0:
		return
	case n >= int64(len(w.pcm)):
		clear(w.have)
		clear(w.pcm)
	default:
		w.clear(w.from, int(n))
	}
	w.from = p
}
