package speech

import (
	"cmp"
	"context"
	"fmt"
	"log/slog"
	"net/http"
	"os/exec"
	"sync"
	"time"

	"ringdown/internal/audio"
)

// Options make a Speaker.
type Options struct {
	// Engine is auto (the first that is installed), espeak-ng, flite, or none; ""
	// for auto.
	Engine string
	// URL is a service that takes a POST of {"text", "ssml", "voice", "engine",
	// "style", "language"} and answers with a WAV file; it is asked first.
	URL string
	// Authorization is the value of that header for URL. It is a secret.
	Authorization string
	Client        *http.Client
	// Voices maps names of voices (Joanna) to those of the engine of this machine.
	// The service is given the names themselves.
	Voices map[string]string
	// CacheBytes is how much memory what was spoken may take; 0 for 64 MB.
	CacheBytes int64
	Logger     *slog.Logger
	Now        func() time.Time
}

// defaultCacheBytes hold some half an hour of speech.
const defaultCacheBytes = 64 << 20

// Speaker speaks.
type Speaker struct {
	logger *slog.Logger
	remote *service // nil without one
	local  engine   // nil without one
	cache  *cache
	tone   *audio.Clip
	// missing is how the lack of an engine is told, once.
	missing sync.Once
	hint    bool
}

// engine makes sound of scripts.
type engine interface {
	name() string
	// speak makes the sound of what t says, which is s.
	speak(ctx context.Context, t Text, s script) ([]int16, error)
}

// New makes a speaker. An engine that was named but is not installed is an error.
func New(o Options) (*Speaker, error) {
	if o.Logger == nil {
		o.Logger = slog.New(slog.DiscardHandler)
	}
	if o.Now == nil {
		o.Now = time.Now
	}
	if o.CacheBytes == 0 {
		o.CacheBytes = defaultCacheBytes
	}
	local, err := findEngine(o)
	if err != nil {
		return nil, err
	}
	s := &Speaker{logger: o.Logger, local: local, hint: o.Engine != "none", tone: mark()}
	if o.URL != "" {
		if s.remote, err = newService(o); err != nil {
			return nil, err
		}
	}
	s.cache = newCache(o.CacheBytes)
	return s, nil
}

// findEngine is the engine that was asked for, nil for none.
func findEngine(o Options) (engine, error) {
	switch o.Engine {
	case "", "auto":
		for _, name := range []string{espeakProgram, fliteProgram} {
			if path, err := exec.LookPath(name); err == nil {
				return newEngine(name, path, o.Voices), nil
			}
		}
		return nil, nil
	case "none":
		return nil, nil
	case espeakProgram, fliteProgram:
		path, err := exec.LookPath(o.Engine)
		if err != nil {
			return nil, fmt.Errorf("the speech engine %s is not installed: %w", o.Engine, err)
		}
		return newEngine(o.Engine, path, o.Voices), nil
	default:
		return nil, fmt.Errorf("there is no speech engine %q; there are auto, %s, %s and none", o.Engine, espeakProgram, fliteProgram)
	}
}

func newEngine(name, path string, names map[string]string) engine {
	p := newProgram(path)
	if name == espeakProgram {
		return &espeak{p, names}
	}
	return &flite{p, names}
}

// Speak makes the sound of a text. What no engine can speak is a tone; the only
// error is that ctx is done.
func (s *Speaker) Speak(ctx context.Context, t Text) (*audio.Clip, error) {
	if err := ctx.Err(); err != nil {
		return nil, err
	}
	long := t.long()
	t = t.normal()
	words := t.script()
	if !words.speaks() {
		return audio.NewClip(silence(words.pauses)), nil
	}
	if s.remote != nil && s.remote.ready() {
		clip, err := s.speak(ctx, s.remote, t, words, long)
		if err == nil || ctx.Err() != nil {
			return clip, ctx.Err()
		}
	}
	if s.local == nil {
		s.missing.Do(func() {
			if s.hint {
				s.logger.Warn("no speech engine is installed, so a tone stands for each text; to have them spoken, run \"apt-get install espeak-ng\" and restart")
			}
		})
		return s.tone, nil
	}
	clip, err := s.speak(ctx, s.local, t, words, long)
	switch {
	case ctx.Err() != nil:
		return nil, ctx.Err()
	case err == nil:
		return clip, nil
	}
	if s.cache.ctx.Err() == nil { // not because it is closed
		s.logger.Warn("a text could not be spoken; a tone stands for it", slog.String("engine", s.local.name()), slog.String("voice", t.Voice), slog.String("language", t.Language), slog.Any("err", err))
	}
	return s.tone, nil
}

// speak is what an engine makes of a text, now or before. Long is what is told when the
// end of the text is left out, nil when it is not.
func (s *Speaker) speak(ctx context.Context, e engine, t Text, words script, long error) (*audio.Clip, error) {
	return s.cache.get(ctx, cacheKey{e.name(), t}, func(ctx context.Context) (*audio.Clip, error) {
		samples, err := e.speak(ctx, t, words)
		if err != nil {
			return nil, err
		}
		if err := words.saidBy(samples); err != nil {
			return nil, err
		}
		if most := len(silence(longest)); len(samples) > most {
			samples = samples[:most]
			long = cmp.Or(long, fmt.Errorf("its sound is longer than %v", longest))
		}
		if long != nil {
			s.logger.Warn("the end of a text is not spoken: it is too long", slog.String("voice", t.Voice), slog.Any("err", long))
		}
		return audio.NewClip(level(samples, words.volume())), nil
	})
}

// Close ends what is being spoken. It may be called twice.
func (s *Speaker) Close() error {
	s.cache.close()
	if s.remote != nil {
		s.remote.close()
	}
	return nil
}
