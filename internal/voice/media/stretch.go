package media

// What is relayed is heard at once, what is mixed a moment later: a mix waits for
// packets that come late. Whoever talks while the one becomes the other must lose
// nothing and leave no pause. So what they say is played a little slower until the
// mix is as far behind as it wants to be, and a little faster before it ends: whole
// periods of the sound are played twice, or left out (time-domain harmonic scaling;
// RFC 3550 §6.4.1 leaves the playout to the receiver).

// The periods that are looked for: 5 to 20 ms, which hold the pitch of any voice.
const (
	shortest = frame / 4
	longest  = frame
	// alike is how much of two periods is compared.
	alike = frame / 2
	// near is how close to the place where it should be a mix reads: what is off by
	// more is put right by a period.
	near = frame / 2
	// soon is how far behind its arrival sound may be played when it is to be relayed.
	soon = frame + near/2
	// impatience is in how many ticks that must be so.
	impatience = 100
)

// past is what has been relayed last of a session's sound, as it came: enough to find
// a period in.
type past struct {
	b  [longest + alike]byte
	n  int
	to *Session // who has heard it
	// end is where on the time line it ends.
	end int64
}

func (h *past) add(b []byte, to *Session, end int64) {
	if len(b) >= len(h.b) {
		b, h.n = b[len(b)-len(h.b):], 0
	}
	if drop := h.n + len(b) - len(h.b); drop > 0 {
		h.n = copy(h.b[:], h.b[drop:h.n])
	}
	h.n += copy(h.b[h.n:], b)
	h.to, h.end = to, end
}

// slow reads what comes next for a mix, slower while the window is ahead of where it
// should be read, which is p.
func (r *receiver) slow(dst []int16, p int64) {
	w := r.mix
	ahead := int(w.from - int64(len(r.extra)) - p)
	if ahead <= -frame {
		r.extra, ahead = r.extra[:0], 0
		w.seek(p)
	}
	// One period at a time is heard the least, more are needed when nothing is there
	// yet.
	for first := true; ahead >= near; first = false {
		if have := len(r.extra) + w.run(w.from, true, len(dst)); have >= len(dst) && (!first || len(r.extra) >= len(dst)) {
			break
		}
		length := w.period(w.from-int64(alike), -1, longest)
		r.extra = w.again(r.extra, length)
		ahead -= length
	}
	n := copy(dst, r.extra)
	r.extra = r.extra[:copy(r.extra, r.extra[n:])]
	w.take(dst[n:])
}

// fast reads what comes next for a mix that is to end, faster where it can, at a
// moment of the time line. Done: it has read all that is there.
func (r *receiver) fast(dst []int16, now int64) (pcm []int16, done bool) {
	w := r.mix
	r.hurried++
	if n := len(r.extra); n > 0 {
		dst = append(dst[:0], r.extra...)
		r.extra = r.extra[:0]
		return dst, false
	}
	left := w.end - w.from
	come := w.run(w.from, true, 2*frame)
	switch behind := now - w.from; {
	case left <= 0:
		return dst[:0], true
	case int64(come) == left && behind <= int64(soon), r.hurried > impatience:
		dst = dst[:come]
		w.take(dst)
		return dst, true
	case behind > int64(soon) && come >= frame+shortest:
		dst = dst[:frame]
		w.skip(dst, w.period(w.from, 1, min(longest, come-frame)))
		return dst, false
	default:
		dst = dst[:frame]
		w.take(dst)
		return dst, false
	}
}

// at is the sample at a position.
func (w *window) at(p int64) int { return int(w.pcm[w.index(p)]) }

// period is how far from a place, in a direction, sound is most like what is there: the
// farthest place, most away at most, if none is.
func (w *window) period(p, direction int64, most int) int {
	best, length := 0.0, most
	for l := most; l >= shortest; l-- {
		var product, energy int
		for i := range int64(alike) {
			v := w.at(p + direction*int64(l) + i)
			product += v * w.at(p+i)
			energy += v * v
		}
		if product <= 0 {
			continue
		}
		// What of the one is in the other, whatever their loudness.
		if score := float64(product) * float64(product) / float64(energy); score > best {
			best, length = score, l
		}
	}
	return length
}

// again appends the period that was read last, so that what is read next goes on
// where it ends. Where that has come it begins as that does, for one to become the
// other.
func (w *window) again(dst []int16, length int) []int16 {
	fade := w.run(w.from, true, min(length, alike))
	for i := range length {
		v := w.at(w.from + int64(i-length))
		if i < fade {
			v = blend(w.at(w.from+int64(i)), v, i, fade)
		}
		dst = append(dst, int16(v))
	}
	return dst
}

// skip reads what comes next without a period, which has come, as has what dst takes:
// one becomes the next.
func (w *window) skip(dst []int16, length int) {
	for i := range length {
		p := w.from + int64(i)
		w.pcm[w.index(p+int64(length))] = int16(blend(w.at(p), w.at(p+int64(length)), i, length))
	}
	w.seek(w.from + int64(length))
	w.take(dst)
}

// blend goes from one sample to another in so many steps.
func blend(from, to, step, steps int) int { return (from*(steps-step) + to*step) / steps }
