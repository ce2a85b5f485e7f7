package speech

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/url"
	"sync"
	"time"

	"ringdown/internal/audio"
)

const (
	// serviceLimit is how long the service may take: callers hear nothing
	// meanwhile.
	serviceLimit = 10 * time.Second
	// answerLimit is how large its answer may be, in bytes: ten minutes of 24,000
	// samples a second of 16 bits are less.
	answerLimit = 32 << 20
	// serviceRest is for how long a service that failed is not asked again, so that
	// not each caller waits for it.
	serviceRest = 10 * time.Second
)

// service speaks over HTTP.
type service struct {
	url           string
	authorization string
	client        *http.Client
	logger        *slog.Logger
	now           func() time.Time
	limit         time.Duration

	mu     sync.Mutex
	failed time.Time // when it last failed; zero when it works
}

func newService(o Options) (*service, error) {
	u, err := url.Parse(o.URL)
	// What is wrong with it is not told in its own words, which may hold a secret.
	if err != nil || u.Scheme != "http" && u.Scheme != "https" || u.Host == "" {
		return nil, errors.New("the address of the speech service is not like http://HOST/PATH")
	}
	client := o.Client
	if client == nil {
		// A text goes to the service that was named, and nowhere else.
		client = &http.Client{CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	}
	return &service{url: o.URL, authorization: o.Authorization, client: client, logger: o.Logger, now: o.Now, limit: serviceLimit}, nil
}

func (s *service) name() string { return "service" }

// ready reports whether it is worth asking.
func (s *service) ready() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.failed.IsZero() || s.now().Sub(s.failed) >= serviceRest
}

func (s *service) speak(ctx context.Context, t Text, words script) ([]int16, error) {
	samples, err := s.ask(ctx, t, words)
	if err != nil && ctx.Err() != nil {
		return nil, ctx.Err() // nobody waits for it: that is no fault of its own
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	switch {
	case err != nil && s.failed.IsZero():
		s.logger.Warn("the speech service fails; the engine of this machine speaks until it works again", slog.Any("err", err))
	case err == nil && !s.failed.IsZero():
		s.logger.Info("the speech service works again")
	}
	s.failed = time.Time{}
	if err != nil {
		s.failed = s.now()
	}
	return samples, err
}

func (s *service) ask(ctx context.Context, t Text, words script) ([]int16, error) {
	ctx, cancel := context.WithTimeout(ctx, s.limit)
	defer cancel()
	body, err := json.Marshal(struct {
		Text     string `json:"text"`
		SSML     string `json:"ssml,omitempty"`
		Voice    string `json:"voice"`
		Engine   string `json:"engine"`
		Style    string `json:"style,omitempty"`
		Language string `json:"language"`
	}{words.plain(), t.SSML, t.Voice, t.Engine, t.Style, t.Language})
	if err != nil {
		return nil, err
	}
	request, err := http.NewRequestWithContext(ctx, http.MethodPost, s.url, bytes.NewReader(body))
	if err != nil {
		return nil, errors.New("its address is wrong")
	}
	request.Header.Set("Content-Type", "application/json")
	request.Header.Set("Accept", "audio/wav")
	if s.authorization != "" {
		request.Header.Set("Authorization", s.authorization)
	}
	answer, err := s.client.Do(request)
	if err != nil {
		// The error of the client holds the whole address, which may hold a secret.
		var outer *url.Error
		if errors.As(err, &outer) {
			err = outer.Err
		}
		return nil, err
	}
	defer func() { _ = answer.Body.Close() }()
	if answer.StatusCode != http.StatusOK {
		return nil, fmt.Errorf("it answers %s", answer.Status)
	}
	file, err := io.ReadAll(io.LimitReader(answer.Body, answerLimit+1))
	if err != nil {
		return nil, err
	}
	if len(file) > answerLimit {
		return nil, fmt.Errorf("its answer has more than %d bytes", answerLimit)
	}
	clip, err := audio.ReadClip(file)
	if err != nil {
		return nil, fmt.Errorf("its answer cannot be read: %w", err)
	}
	return clip.Samples(), words.saidBy(clip.Samples())
}

// close gives its connections back.
func (s *service) close() { s.client.CloseIdleConnections() }
