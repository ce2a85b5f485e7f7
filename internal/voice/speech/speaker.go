package speech

import (
	"context"
	"log/slog"
	"net/http"

	"ringdown/internal/audio"
)

// Options make a Speaker.
type Options struct {
	// Engine is auto (the first that is installed), espeak-ng, flite, or none.
	Engine string
	// URL is a service that takes a POST of {"text", "ssml", "voice", "engine",
	// "language"} and answers with a WAV file; it is asked first.
	URL string
	// Authorization is the value of that header for URL. It is a secret.
	Authorization string
	Client        *http.Client
	// Voices maps names of voices (Joanna) to those of the engine.
	Voices map[string]string
	Logger *slog.Logger
}

// Speaker speaks.
type Speaker struct{}

// New makes a speaker. An engine that was named but is not installed is an error.
func New(o Options) (*Speaker, error) { panic("not yet") }

// Speak makes the sound of a text. What no engine can speak is a tone; the only
// error is that ctx is done.
func (s *Speaker) Speak(ctx context.Context, t Text) (*audio.Clip, error) { panic("not yet") }
