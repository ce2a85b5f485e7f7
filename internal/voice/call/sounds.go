package call

import (
	"container/list"
	"context"
	"errors"
	"slices"
	"sync"
	"time"

	"ringdown/internal/audio"
	"ringdown/internal/contact"
	"ringdown/internal/voice/speech"
)

// Limits of what is kept. No source: choices.
const (
	// soundBytes bounds the memory of recorded prompts: some half an hour of sound.
	soundBytes = 64 << 20
	// soundFresh is how long a prompt is played as it was read, for it may change.
	soundFresh = time.Minute
	// soundRetry is how soon one that could not be read is tried again; soundWarn,
	// how soon the log says so again.
	soundRetry = 5 * time.Second
	soundWarn  = time.Minute
	// soundPatience is how long reading one may take.
	soundPatience = 20 * time.Second
)

// sounds reads what calls hear.
type sounds struct {
	calls *Calls
	limit int

	mu     sync.Mutex
	byURI  map[string]*list.Element // of recent, by URI
	recent *list.List               // of *prompt, the last heard first
	bytes  int
	// reading are those that are being read, each once.
	reading map[string]*reading
}

// prompt is one that was read.
type prompt struct {
	uri    string
	clip   *audio.Clip // nil when it never could be
	until  time.Time   // it is played as it is
	warned time.Time
}

// size is what a prompt takes, encodings included.
func (p *prompt) size() int {
	n := 512 + len(p.uri)
	if p.clip != nil {
		n += 4 * len(p.clip.Samples())
	}
	return n
}

// reading is a prompt that is being read.
type reading struct {
	done chan struct{}
	clip *audio.Clip // once done
}

func newSounds(c *Calls) *sounds {
	return &sounds{calls: c, limit: soundBytes, byURI: map[string]*list.Element{}, recent: list.New(), reading: map[string]*reading{}}
}

// mark is what is heard in place of a sound that cannot be had, so that callers and
// testers notice that something is missing.
var mark = sync.OnceValue(func() *audio.Clip {
	clip, err := audio.ReadClip(audio.Play([]audio.Note{{Tones: []float64{425}, Length: 300 * time.Millisecond}}))
	if err != nil { // it was made here
		return audio.NewClip(nil)
	}
	return clip
})

// recorded is the URI of a sound that was recorded, "" for one that is spoken.
func recorded(s contact.Sound) string {
	if s.Prompt != nil {
		return s.Prompt.URI
	}
	return s.Media
}

// kept is what sounds are heard as, if that can be told at once.
func (s *sounds) kept(all []contact.Sound) ([]*audio.Clip, bool) {
	now := s.calls.o.Now()
	s.mu.Lock()
	defer s.mu.Unlock()
	clips := make([]*audio.Clip, 0, len(all))
	for _, sound := range all {
		uri := recorded(sound)
		if uri == "" {
			if sound.Text == "" && sound.SSML == "" {
				continue
			}
			return nil, false
		}
		p := s.find(uri)
		if p == nil || !now.Before(p.until) {
			return nil, false
		}
		clips = append(clips, p.heard())
	}
	return clips, true
}

// heard is what the prompt is heard as.
func (p *prompt) heard() *audio.Clip {
	if p.clip == nil {
		return mark()
	}
	return p.clip
}

// load makes clips of sounds, all at once. What cannot be had is a mark. It may take
// until ctx is done.
func (s *sounds) load(ctx context.Context, all []contact.Sound) []*audio.Clip {
	clips := make([]*audio.Clip, len(all))
	var each sync.WaitGroup
	for i, sound := range all {
		each.Go(func() { clips[i] = s.one(ctx, sound) })
	}
	each.Wait()
	return slices.DeleteFunc(clips, func(c *audio.Clip) bool { return c == nil })
}

func (s *sounds) one(ctx context.Context, sound contact.Sound) *audio.Clip {
	if uri := recorded(sound); uri != "" {
		return s.prompt(ctx, uri)
	}
	if sound.Text == "" && sound.SSML == "" {
		return nil
	}
	if s.calls.o.Speech == nil {
		return mark()
	}
	text := speech.Text{
		SSML: sound.SSML, Voice: sound.Voice.ID, Engine: sound.Voice.Engine, Style: sound.Voice.Style, Language: sound.Language,
	}
	if text.SSML == "" {
		text.Plain = sound.Text
	}
	clip, err := s.calls.o.Speech.Speak(ctx, text)
	if err != nil { // nobody listens any more
		return nil
	}
	return clip
}

// prompt reads a recorded prompt, or finds it among those that were read lately.
func (s *sounds) prompt(ctx context.Context, uri string) *audio.Clip {
	s.mu.Lock()
	if p := s.find(uri); p != nil && s.calls.o.Now().Before(p.until) {
		s.mu.Unlock()
		return p.heard()
	}
	r := s.reading[uri]
	if r == nil {
		r = &reading{done: make(chan struct{})}
		s.reading[uri] = r
		// It is read for whoever wants it, even if who asked first hangs up.
		s.calls.work.Go(func() { s.read(s.calls.ctx, uri, r) }) // called from one of work
	}
	s.mu.Unlock()
	select {
	case <-r.done:
		return r.clip
	case <-ctx.Done():
		return nil
	}
}

// read reads a prompt for all who wait for it. One that could be read before is
// played as it was.
func (s *sounds) read(server context.Context, uri string, r *reading) {
	ctx, cancel := context.WithTimeout(server, soundPatience)
	defer cancel()
	var clip *audio.Clip
	err := errors.New("nothing reads prompts here")
	if s.calls.o.Sound != nil {
		clip, err = s.calls.o.Sound(ctx, uri)
	}
	now := s.calls.o.Now()

	s.mu.Lock()
	defer s.mu.Unlock()
	p := &prompt{uri: uri, clip: clip, until: now.Add(soundFresh)}
	if err != nil {
		p.until = now.Add(soundRetry)
		if old := s.find(uri); old != nil {
			p.clip, p.warned = old.clip, old.warned
		}
		if server.Err() == nil && now.Sub(p.warned) >= soundWarn {
			p.warned = now
			s.calls.o.Logger.Error("a prompt cannot be read", "uri", uri, "error", err)
		}
	}
	s.put(p)
	delete(s.reading, uri)
	r.clip = p.heard()
	close(r.done)
}

// find is a prompt that was read, nil if it was not or has been forgotten.
func (s *sounds) find(uri string) *prompt {
	e := s.byURI[uri]
	if e == nil {
		return nil
	}
	s.recent.MoveToFront(e)
	p, _ := e.Value.(*prompt)
	return p
}

// put keeps a prompt and forgets those that nobody has heard for longest.
func (s *sounds) put(p *prompt) {
	s.drop(s.byURI[p.uri])
	s.byURI[p.uri] = s.recent.PushFront(p)
	s.bytes += p.size()
	for s.bytes > s.limit && s.recent.Len() > 1 {
		s.drop(s.recent.Back())
	}
}

func (s *sounds) drop(e *list.Element) {
	if e == nil {
		return
	}
	if p, ok := s.recent.Remove(e).(*prompt); ok {
		delete(s.byURI, p.uri)
		s.bytes -= p.size()
	}
}
