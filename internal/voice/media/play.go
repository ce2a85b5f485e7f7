package media

import "ringdown/internal/audio"

// Play plays clips one after the other, in place of what plays. Played with seq
// tells that the last is over; with loop there is no end. While the session does
// not send (hold) they go on unheard; before it is first Set they wait.
func (s *Session) Play(seq int, clips []*audio.Clip, loop bool) {
	if s.closed.Load() {
		return
	}
	var r reel
	r.load(clips, loop)
	o := &s.out
	o.mu.Lock()
	codec, agreed := o.p.Codec, o.agreed
	o.mu.Unlock()
	if agreed {
		for _, c := range r.clips {
			c.Encoded(codec) // here, so that the clock need not do it
		}
	}
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.closed {
		return
	}
	s.events.forget()
	o.play, o.playSeq = r, seq
	if !r.on && !loop {
		s.events.tell(Event{Kind: Played, Seq: seq})
	}
}

// Hush ends what plays; no Played is told for it, unless it is being told at this
// moment.
func (s *Session) Hush() {
	s.out.mu.Lock()
	defer s.out.mu.Unlock()
	s.events.forget()
	s.out.play = reel{}
}

// reel is clips that are played one after the other.
type reel struct {
	on    bool
	clips []*audio.Clip // none is empty
	loop  bool
	clip  int // the one that is played, and the next of its samples
	at    int
}

func (r *reel) load(clips []*audio.Clip, loop bool) {
	*r = reel{loop: loop}
	for _, c := range clips {
		if c != nil && len(c.Samples()) > 0 {
			r.clips = append(r.clips, c)
		}
	}
	r.on = len(r.clips) > 0
}

// over says that nothing is left.
func (r *reel) over() bool { return r.clip >= len(r.clips) }

// read fills dst with what comes next; after the end it is silence.
func (r *reel) read(dst []byte, codec audio.Encoding) []byte {
	n := 0
	for n < len(dst) && !r.over() {
		k := copy(dst[n:], r.clips[r.clip].Encoded(codec)[r.at:])
		r.advance(k)
		n += k
	}
	if n < len(dst) {
		copy(dst[n:], silence[codec])
	}
	return dst
}

// skip leaves out what would have played in some ticks.
func (r *reel) skip(ticks int) {
	for left := ticks * frame; left > 0 && !r.over(); {
		k := min(left, len(r.clips[r.clip].Samples())-r.at)
		r.advance(k)
		left -= k
	}
}

// advance goes on within a clip, and to the next at its end.
func (r *reel) advance(n int) {
	if r.at += n; r.at < len(r.clips[r.clip].Samples()) {
		return
	}
	r.at = 0
	if r.clip++; r.loop && r.over() {
		r.clip = 0
	}
}
