package call

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"

	"ringdown/internal/audio"
	"ringdown/internal/contact"
	"ringdown/internal/domain"
	"ringdown/internal/flow/machine"
	"ringdown/internal/voice/speech"
)

// written is a log that may be written to and read at the same time.
type written struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (w *written) Write(p []byte) (int, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.b.Write(p)
}

func (w *written) String() string {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.b.String()
}

func prompts(uris ...string) []contact.Sound {
	var all []contact.Sound
	for _, u := range uris {
		all = append(all, contact.Sound{Prompt: &contact.Prompt{URI: u}})
	}
	return all
}

// bare are Calls without signalling.
func bare(t *testing.T, read func(ctx context.Context, uri string) (*audio.Clip, error)) (*Calls, *written) {
	t.Helper()
	log := &written{}
	c, err := New(Options{Sound: read, Now: time.Now, Logger: slog.New(slog.NewTextHandler(log, nil))})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = c.Close() })
	return c, log
}

// TestPromptIsReadOnce: calls that want the same prompt share one reading; it is
// read again when it may have changed.
func TestPromptIsReadOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var reads atomic.Int32
		c, _ := bare(t, func(ctx context.Context, _ string) (*audio.Clip, error) {
			reads.Add(1)
			select {
			case <-time.After(time.Second):
			case <-ctx.Done():
				return nil, ctx.Err()
			}
			return audio.NewClip(make([]int16, 80)), nil
		})
		defer c.Close()
		if _, all := c.sounds.kept(prompts("s3://b/1")); all {
			t.Error("it is known before it was read")
		}
		gone, cancel := context.WithCancel(t.Context())
		var callers sync.WaitGroup
		for i := range 10 {
			callers.Go(func() {
				ctx := t.Context()
				if i == 0 {
					ctx = gone // who asks first hangs up
				}
				if got := c.sounds.load(ctx, prompts("s3://b/1", "s3://b/1")); i > 0 && len(got) != 2 {
					t.Errorf("%d clips", len(got))
				}
			})
		}
		synctest.Wait()
		cancel()
		callers.Wait()
		if n := reads.Load(); n != 1 {
			t.Errorf("read %d times, want once", n)
		}
		if got, all := c.sounds.kept(prompts("s3://b/1")); !all || len(got) != 1 {
			t.Error("it is not kept")
		}
		<-time.After(soundFresh)
		if _, all := c.sounds.kept(prompts("s3://b/1")); all {
			t.Error("it is kept for ever")
		}
		c.sounds.load(t.Context(), prompts("s3://b/1"))
		if n := reads.Load(); n != 2 {
			t.Errorf("read %d times, want twice", n)
		}
	})
}

// TestMissingPrompt: what cannot be read is heard as a mark, or as it was before,
// and the log says so once a minute.
func TestMissingPrompt(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var broken atomic.Bool
		var reads atomic.Int32
		good := audio.NewClip(make([]int16, 80))
		c, log := bare(t, func(_ context.Context, uri string) (*audio.Clip, error) {
			reads.Add(1)
			if broken.Load() || uri == "s3://b/missing" {
				return nil, errors.New("no such key")
			}
			return good, nil
		})
		defer c.Close()
		for range 100 {
			if got := c.sounds.load(t.Context(), prompts("s3://b/missing")); len(got) != 1 || got[0] != mark() {
				t.Fatalf("heard %v, want a mark", got)
			}
			<-time.After(time.Second)
		}
		if n := reads.Load(); n != 20 { // every soundRetry
			t.Errorf("read %d times in 100 s, want 20", n)
		}
		if n := strings.Count(log.String(), "a prompt cannot be read"); n != 2 {
			t.Errorf("logged %d times in 100 s, want 2", n)
		}
		c.sounds.load(t.Context(), prompts("s3://b/there"))
		broken.Store(true)
		<-time.After(2 * soundFresh)
		if got := c.sounds.load(t.Context(), prompts("s3://b/there")); len(got) != 1 || got[0] != good {
			t.Error("a prompt that was there is not heard any more")
		}
		broken.Store(false)
		<-time.After(soundRetry)
		before := reads.Load()
		c.sounds.load(t.Context(), prompts("s3://b/there"))
		if reads.Load() != before+1 {
			t.Error("it was not tried again")
		}
	})
}

// TestSlowPrompt: reading has an end.
func TestSlowPrompt(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		c, _ := bare(t, func(ctx context.Context, _ string) (*audio.Clip, error) {
			<-ctx.Done()
			return nil, ctx.Err()
		})
		defer c.Close()
		began := time.Now()
		if got := c.sounds.load(t.Context(), prompts("s3://b/slow")); len(got) != 1 || got[0] != mark() {
			t.Errorf("heard %v, want a mark", got)
		}
		if took := time.Since(began); took != soundPatience {
			t.Errorf("it took %v", took)
		}
	})
}

// TestWhatIsKept: memory is bounded; what was heard last stays.
func TestWhatIsKept(t *testing.T) {
	c, _ := bare(t, func(context.Context, string) (*audio.Clip, error) { return audio.NewClip(make([]int16, 1000)), nil })
	c.sounds.limit = 20_000
	for i := range 100 {
		c.start(func() { c.sounds.load(t.Context(), prompts("s3://b/first", fmt.Sprintf("s3://b/%d", i))) })
		c.sounds.load(t.Context(), prompts("s3://b/first", fmt.Sprintf("s3://b/%d", i)))
	}
	if err := c.Close(); err != nil {
		t.Fatal(err)
	}
	s := c.sounds
	if s.bytes > s.limit || s.recent.Len() > 5 || s.recent.Len() != len(s.byURI) || len(s.reading) != 0 {
		t.Errorf("%d bytes, %d kept, %d known, %d being read", s.bytes, s.recent.Len(), len(s.byURI), len(s.reading))
	}
	if _, all := s.kept(prompts("s3://b/first")); !all {
		t.Error("what is heard most was forgotten")
	}
	if _, all := s.kept(prompts("s3://b/1")); all {
		t.Error("everything is kept")
	}
}

// TestSoundsWithoutSound: an empty text is nothing, one that nobody speaks a mark.
func TestSoundsWithoutSound(t *testing.T) {
	c, _ := bare(t, nil)
	if got, all := c.sounds.kept([]contact.Sound{{}}); !all || len(got) != 0 {
		t.Errorf("an empty text is %d clips", len(got))
	}
	text := []contact.Sound{{Message: machine.Message{Text: "Hello"}}, {}, {Message: machine.Message{Media: "s3://b/1"}}}
	if got := c.sounds.load(t.Context(), text); len(got) != 2 || got[0] != mark() || got[1] != mark() {
		t.Errorf("heard %v, want two marks", got)
	}
	if d := mark().Duration(); d < 100*time.Millisecond || d > time.Second {
		t.Errorf("a mark takes %v", d)
	}
}

// TestSpeech: texts are spoken by the voice and in the language of the contact, and
// heard in their order among recorded prompts.
func TestSpeech(t *testing.T) {
	leakFree(t)
	var mu sync.Mutex
	var asked []string
	voices := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		mu.Lock()
		asked = append(asked, string(body))
		mu.Unlock()
		_, _ = w.Write(audio.Play([]audio.Note{{Tones: []float64{1200}, Length: 400 * time.Millisecond}}))
	}))
	t.Cleanup(func() {
		voices.CloseClientConnections()
		voices.Close()
	})
	client := &http.Client{Transport: &http.Transport{DisableKeepAlives: true}}
	speaker, err := speech.New(speech.Options{Engine: "none", URL: voices.URL, Client: client, Logger: slog.New(slog.DiscardHandler)})
	if err != nil {
		t.Fatal(err)
	}
	c, _ := bare(t, clips(map[string]*audio.Clip{"s3://b/1": tone(500, 100*time.Millisecond, -12)}))
	c.o.Speech = speaker
	joanna := domain.Voice{ID: "Joanna", Engine: "neural"}
	all := append(prompts("s3://b/1"),
		contact.Sound{Message: machine.Message{Text: "Hello there"}, Voice: joanna, Language: "en-US"},
		contact.Sound{Message: machine.Message{SSML: "<speak>Bye <break time='1s'/></speak>"}, Voice: joanna})
	got := c.sounds.load(t.Context(), all)
	if len(got) != 3 || got[0].Duration() != 100*time.Millisecond || audio.Dominant(got[1].Samples()) < 1190 || audio.Dominant(got[2].Samples()) < 1190 {
		t.Errorf("%d clips", len(got))
	}
	mu.Lock()
	defer mu.Unlock()
	said := strings.Join(asked, "\n")
	for _, want := range []string{"Hello there", "Joanna", "neural", "en-US", "break"} {
		if !strings.Contains(said, want) {
			t.Errorf("the service was not told %s: %s", want, said)
		}
	}
	gone, cancel := context.WithCancel(t.Context())
	cancel()
	if got := c.sounds.load(gone, []contact.Sound{{Message: machine.Message{Text: "Nobody hears this"}}}); len(got) != 0 {
		t.Errorf("who has hung up hears %d clips", len(got))
	}
}
