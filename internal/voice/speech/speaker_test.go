package speech

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"math"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"ringdown/internal/audio"
)

// journal is a log that tests read.
type journal struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (j *journal) Write(b []byte) (int, error) {
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.b.Write(b)
}

func (j *journal) String() string {
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.b.String()
}

func (j *journal) lines() int { return strings.Count(j.String(), "\n") }

func newSpeaker(t *testing.T, o Options) (*Speaker, *journal) {
	t.Helper()
	j := &journal{}
	o.Logger = slog.New(slog.NewTextHandler(j, nil))
	s, err := New(o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		for range 2 {
			if err := s.Close(); err != nil {
				t.Error(err)
			}
		}
	})
	return s, j
}

func say(t *testing.T, s *Speaker, text Text) *audio.Clip {
	t.Helper()
	c, err := s.Speak(t.Context(), text)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// toneOf is a WAV file with a tone of a second.
func toneOf(hz float64) []byte {
	return audio.Play([]audio.Note{{Tones: []float64{hz}, Length: time.Second}})
}

func TestNew(t *testing.T) {
	t.Setenv("PATH", t.TempDir())
	for name, c := range map[string]struct {
		o   Options
		err string
	}{
		"auto without any": {Options{Engine: "auto"}, ""},
		"nothing said":     {Options{}, ""},
		"none":             {Options{Engine: "none"}, ""},
		"espeak-ng":        {Options{Engine: "espeak-ng"}, "espeak-ng is not installed"},
		"flite":            {Options{Engine: "flite"}, "flite is not installed"},
		"another":          {Options{Engine: "festival"}, `no speech engine "festival"`},
		"a service":        {Options{URL: "https://example.test/speak"}, ""},
		"no address":       {Options{URL: "example.test"}, "not like http://HOST/PATH"},
		"a wrong address":  {Options{URL: "http://user:secret@exa mple.test"}, "not like http://HOST/PATH"},
	} {
		t.Run(name, func(t *testing.T) {
			s, err := New(c.o)
			if c.err == "" {
				if err != nil {
					t.Fatal(err)
				}
				_ = s.Close()
				return
			}
			if err == nil || !strings.Contains(err.Error(), c.err) || strings.Contains(err.Error(), "secret") {
				t.Errorf("the error is %v, want one with %q", err, c.err)
			}
		})
	}
}

// TestWithoutEngine: a tone stands for texts, which the log says once.
func TestWithoutEngine(t *testing.T) {
	t.Setenv("PATH", t.TempDir())
	s, log := newSpeaker(t, Options{Engine: "auto"})
	if log.String() != "" {
		t.Errorf("before anything is spoken it logs %s", log)
	}
	for _, text := range []Text{{Plain: "Hello, 47110815"}, {SSML: "<speak>Hello</speak>"}} {
		c := say(t, s, text)
		if d := c.Duration(); d < 500*time.Millisecond || d > 2*time.Second {
			t.Errorf("the tone lasts %v", d)
		}
		if hz := audio.Dominant(c.Samples()[:2400]); math.Abs(hz-587) > 2 {
			t.Errorf("its first note has %v Hz", hz)
		}
		if l := audio.Level(c.Samples()); l > -10 || l < -20 {
			t.Errorf("it has %v dB", l)
		}
	}
	if log.lines() != 1 || !strings.Contains(log.String(), "apt-get install espeak-ng") || strings.Contains(log.String(), "47110815") {
		t.Errorf("the log is %s", log)
	}

	s, log = newSpeaker(t, Options{Engine: "none"})
	say(t, s, Text{Plain: "Hello"})
	if log.String() != "" {
		t.Errorf("where none is wanted it logs %s", log)
	}
}

// TestNothingToSay: no engine is asked for silence.
func TestNothingToSay(t *testing.T) {
	s, log := newSpeaker(t, Options{Engine: "none"})
	for _, c := range []struct {
		text Text
		want time.Duration
	}{
		{Text{}, 0},
		{Text{Plain: " \n"}, 0},
		{Text{Plain: "..."}, 0},
		{Text{SSML: "<speak></speak>"}, 0},
		{Text{SSML: `<speak><break time="1s"/><break strength="strong"/></speak>`}, 1500 * time.Millisecond},
	} {
		clip := say(t, s, c.text)
		if clip.Duration() != c.want || audio.Level(clip.Samples()) != audio.NoSound {
			t.Errorf("%+v plays %v", c.text, clip.Duration())
		}
	}
	if log.String() != "" {
		t.Errorf("it logs %s", log)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := s.Speak(ctx, Text{Plain: "Hello"}); !errors.Is(err, context.Canceled) {
		t.Errorf("with a context that is done: %v", err)
	}
}

// TestService: what the service is asked, and that the same is asked once.
func TestService(t *testing.T) {
	var asked atomic.Int32
	var got map[string]string
	var header http.Header
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		asked.Add(1)
		got, header = map[string]string{}, r.Header
		if err := json.NewDecoder(r.Body).Decode(&got); err != nil || r.Method != http.MethodPost {
			t.Errorf("%s: %v", r.Method, err)
		}
		_, _ = w.Write(toneOf(1000))
	}))
	defer server.Close()
	s, log := newSpeaker(t, Options{Engine: "none", URL: server.URL + "/speak?key=x", Authorization: "Bearer y"})
	for _, c := range []struct {
		text  Text
		want  map[string]string
		again bool // it was asked before
	}{
		{Text{Plain: "Hello <you>"}, map[string]string{"text": "Hello <you>", "voice": "Joanna", "engine": "standard", "language": "en-US"}, false},
		{Text{Plain: " Hello <you> ", Voice: "joanna", Engine: "Standard", Style: "None"}, nil, true},
		{Text{Plain: "Hallo", Voice: "Vicki", Engine: "neural"}, map[string]string{"text": "Hallo", "voice": "Vicki", "engine": "neural", "language": "de-DE"}, false},
		{Text{Plain: "Hallo", Voice: "Vicki", Engine: "generative"}, map[string]string{"text": "Hallo", "voice": "Vicki", "engine": "generative", "language": "de-DE"}, false},
		{Text{Plain: "Hallo", Voice: "Hans", Engine: "neural"}, map[string]string{"text": "Hallo", "voice": "Hans", "engine": "neural", "language": "de-DE"}, false},
		{Text{Plain: "Hallo", Voice: "Hans", Engine: "neural", Language: "de-AT"}, map[string]string{"text": "Hallo", "voice": "Hans", "engine": "neural", "language": "de-AT"}, false},
		{Text{Plain: "News", Style: "Newscaster"}, map[string]string{"text": "News", "voice": "Joanna", "engine": "standard", "style": "Newscaster", "language": "en-US"}, false},
		{Text{SSML: `<speak>Hi <sub alias="you">u</sub></speak>`, Voice: "Nobody"}, map[string]string{
			"text": "Hi you", "ssml": `<speak>Hi <sub alias="you">u</sub></speak>`, "voice": "Nobody", "engine": "standard", "language": "en-US",
		}, false},
	} {
		before := asked.Load()
		clip := say(t, s, c.text)
		if hz := audio.Dominant(clip.Samples()); math.Abs(hz-1000) > 1 {
			t.Errorf("%+v sounds of %v Hz", c.text, hz)
		}
		if again := asked.Load() == before; again != c.again {
			t.Errorf("%+v was asked before: %v", c.text, again)
		} else if !again && fmt.Sprint(got) != fmt.Sprint(c.want) {
			t.Errorf("asked was %v, want %v", got, c.want)
		}
	}
	if header.Get("Authorization") != "Bearer y" || header.Get("Content-Type") != "application/json" {
		t.Errorf("the headers were %v", header)
	}
	if log.String() != "" {
		t.Errorf("it logs %s", log)
	}
}

// fake is an engine that makes a tone.
type fake struct {
	hz   float64
	runs atomic.Int32
	fail atomic.Bool
}

func (f *fake) name() string { return "fake" }

func (f *fake) speak(context.Context, Text, script) ([]int16, error) {
	f.runs.Add(1)
	if f.fail.Load() {
		return nil, errors.New("out of breath")
	}
	c, err := audio.ReadClip(toneOf(f.hz))
	return c.Samples(), err
}

// TestTooLongToSpeak: whole sentences of a text that is too long are spoken, and the
// log says that there was more, without the text.
func TestTooLongToSpeak(t *testing.T) {
	spoken := make(chan string, 1)
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		var got struct{ Text string }
		if err := json.NewDecoder(r.Body).Decode(&got); err != nil {
			t.Error(err)
		}
		spoken <- got.Text
		_, _ = w.Write(toneOf(1000))
	}))
	defer server.Close()
	sentence := strings.Repeat("word ", 200) + "secret. "
	all := strings.TrimSpace(strings.Repeat(sentence, 3))
	two := strings.TrimSpace(strings.Repeat(sentence, 2))
	for name, c := range map[string]struct {
		text Text
		want string
		log  string
	}{
		"short":     {Text{Plain: two}, two, ""},
		"long":      {Text{Plain: all}, two, "3023 characters"},
		"long SSML": {Text{SSML: "<speak>" + all + "</speak>"}, two, "3023 characters"},
	} {
		t.Run(name, func(t *testing.T) {
			s, log := newSpeaker(t, Options{Engine: "none", URL: server.URL})
			say(t, s, c.text)
			if got := <-spoken; got != c.want {
				t.Errorf("%d characters are spoken, want %d: …%s", len(got), len(c.want), got[max(0, len(got)-20):])
			}
			say(t, s, c.text) // which it has been before
			if text := log.String(); log.lines() != min(1, len(c.log)) || !strings.Contains(text, c.log) || strings.Contains(text, "secret") {
				t.Errorf("the log says %q", text)
			}
		})
	}
}

// TestServiceFails: the engine of this machine speaks instead; the service rests
// for a while, and the log tells of its failure once.
func TestServiceFails(t *testing.T) {
	var working atomic.Bool
	var asked atomic.Int32
	elsewhere := httptest.NewServer(http.HandlerFunc(func(http.ResponseWriter, *http.Request) {
		t.Error("a redirect was followed")
	}))
	defer elsewhere.Close()
	failures := map[string]http.HandlerFunc{
		"an error": func(w http.ResponseWriter, _ *http.Request) { http.Error(w, "no", http.StatusInternalServerError) },
		"no WAV":   func(w http.ResponseWriter, _ *http.Request) { _, _ = io.WriteString(w, "ID3 MP3") },
		"redirects": func(w http.ResponseWriter, r *http.Request) {
			http.Redirect(w, r, elsewhere.URL, http.StatusTemporaryRedirect)
		},
		"hangs up": func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) },
		"too slow": func(_ http.ResponseWriter, r *http.Request) { _, _ = io.ReadAll(r.Body); <-r.Context().Done() },
		"too much": func(w http.ResponseWriter, _ *http.Request) { endless(w) },
		"silence": func(w http.ResponseWriter, _ *http.Request) {
			_, _ = w.Write(audio.EncodeWAV(audio.Telephone, bytes.Repeat([]byte{0xFF}, 8000)))
		},
	}
	for name, failure := range failures {
		t.Run(name, func(t *testing.T) {
			working.Store(false)
			asked.Store(0)
			server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				asked.Add(1)
				if working.Load() {
					_, _ = w.Write(toneOf(1000))
					return
				}
				failure(w, r)
			}))
			defer server.Close()
			var clock atomic.Int64
			clock.Store(1e9)
			s, log := newSpeaker(t, Options{Engine: "none", URL: server.URL + "/?key=secret", Now: func() time.Time { return time.Unix(clock.Load(), 0) }})
			engine := &fake{hz: 500}
			s.local, s.remote.limit = engine, time.Minute
			if name == "too slow" {
				s.remote.limit = 100 * time.Millisecond
			}
			hears := func(text string, hz float64, asks int32) {
				t.Helper()
				if got := audio.Dominant(say(t, s, Text{Plain: text}).Samples()); math.Abs(got-hz) > 1 {
					t.Errorf("%q sounds of %v Hz, want %v", text, got, hz)
				}
				if got := asked.Swap(0); got != asks {
					t.Errorf("%q: the service was asked %d times, want %d", text, got, asks)
				}
			}
			hears("one", 500, 1)
			hears("one", 500, 0)
			hears("two", 500, 0)
			clock.Add(10)
			hears("two", 500, 1)
			if got := engine.runs.Load(); got != 2 {
				t.Errorf("the engine spoke two texts %d times", got)
			}
			if log.lines() != 1 || !strings.Contains(log.String(), "the speech service fails") || strings.Contains(log.String(), "secret") {
				t.Errorf("the log is %s", log)
			}
			clock.Add(10)
			working.Store(true)
			s.remote.limit = time.Minute
			hears("two", 1000, 1)
			hears("one", 1000, 1)
			if log.lines() != 2 || !strings.Contains(log.String(), "works again") {
				t.Errorf("the log is %s", log)
			}
		})
	}
}

// endless writes more than an answer may have.
func endless(w io.Writer) {
	block := make([]byte, 1<<20)
	for range answerLimit>>20 + 1 {
		if _, err := w.Write(block); err != nil {
			return
		}
	}
}

// TestEngineFails: a tone stands for the text, which the log does not tell.
func TestEngineFails(t *testing.T) {
	s, log := newSpeaker(t, Options{Engine: "none"})
	engine := &fake{hz: 500}
	engine.fail.Store(true)
	s.local = engine
	if got := say(t, s, Text{Plain: "47110815"}); got != s.tone {
		t.Errorf("heard %v Hz", audio.Dominant(got.Samples()))
	}
	if log.lines() != 1 || !strings.Contains(log.String(), "out of breath") || strings.Contains(log.String(), "47110815") {
		t.Errorf("the log is %s", log)
	}
	engine.fail.Store(false)
	if hz := audio.Dominant(say(t, s, Text{Plain: "47110815"}).Samples()); math.Abs(hz-500) > 1 {
		t.Errorf("later heard %v Hz", hz)
	}
	if err := s.Close(); err != nil {
		t.Error(err)
	}
	if got := say(t, s, Text{Plain: "after it was closed"}); got != s.tone {
		t.Error("a speaker that is closed speaks")
	}
	if log.lines() != 1 {
		t.Errorf("the log is %s", log)
	}
}

// shell is an engine that is a shell script.
func shell(t *testing.T, lines string) program {
	t.Helper()
	path := filepath.Join(t.TempDir(), "engine")
	if err := os.WriteFile(path, []byte("#!/bin/sh\n"+lines+"\n"), 0o700); err != nil {
		t.Fatal(err)
	}
	return newProgram(path)
}

func TestProgram(t *testing.T) {
	t.Setenv("RINGDOWN_ROOT_SECRET_ACCESS_KEY", "secret")
	for name, c := range map[string]struct {
		lines string
		limit time.Duration
		want  string
		err   string
	}{
		"echoes":         {`cat; echo "$1"`, 0, "a; $(b)-x\n", ""},
		"sees no secret": {`cat >/dev/null; env | grep -c secret; true`, 0, "0\n", ""},
		"reads nothing":  {`echo x`, 0, "x\n", ""},
		"fails":          {`echo "no such voice" >&2; echo more >&2; exit 1`, 0, "", "exit status 1: no such voice"},
		"hangs":          {`exec sleep 60`, 100 * time.Millisecond, "", "longer than 100ms"},
		"leaves a child": {`sleep 3 & echo x`, 0, "", "WaitDelay"},
		"is endless":     {`exec cat /dev/zero`, 0, "", "more than 1048576 bytes"},
		"complains":      {`yes | head -c 1000000 >&2; exit 3`, 0, "", "exit status 3: y"},
	} {
		t.Run(name, func(t *testing.T) {
			p := shell(t, c.lines)
			if c.limit > 0 {
				p.limit = c.limit
			}
			p.most = 1 << 20
			out, err := p.run(t.Context(), "a; $(b)", "-x")
			if c.err == "" && err != nil || c.err != "" && (err == nil || !strings.Contains(err.Error(), c.err)) {
				t.Errorf("the error is %v, want one with %q", err, c.err)
			}
			if string(out) != c.want {
				t.Errorf("it wrote %q, want %q", out, c.want)
			}
		})
	}
}

// TestProgramsAtOnce: no more run than may, and one that nobody waits for any
// more does not begin.
func TestProgramsAtOnce(t *testing.T) {
	dir := t.TempDir()
	p := shell(t, `dir=`+dir+`
mkdir $dir/$$; ls $dir | wc -l; rmdir $dir/$$`)
	p.slots = make(chan struct{}, 2)
	var wg sync.WaitGroup
	for range 20 {
		wg.Go(func() {
			out, err := p.run(t.Context(), "")
			if n := strings.TrimSpace(string(out)); err != nil || n != "1" && n != "2" {
				t.Errorf("%s at once: %v", n, err)
			}
		})
	}
	wg.Wait()
	p.slots <- struct{}{}
	p.slots <- struct{}{}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := p.run(ctx, ""); !errors.Is(err, context.Canceled) {
		t.Errorf("when all are taken: %v", err)
	}
}

func TestLevel(t *testing.T) {
	signal := func(peak float64, length, rest time.Duration) []int16 {
		s := make([]int16, 0, 16000)
		for i := range int(length.Seconds() * 8000) {
			s = append(s, int16(peak*math.Sin(2*math.Pi*500*float64(i)/8000)))
		}
		return append(s, silence(rest)...)
	}
	for name, c := range map[string]struct {
		in   []int16
		more float64
		want float64 // of the sound
	}{
		"loud":                 {signal(32000, time.Second, 0), 0, loudness},
		"soft":                 {signal(300, time.Second, 0), 0, loudness},
		"with a pause":         {signal(3000, time.Second, 3*time.Second), 0, loudness},
		"asked to be soft":     {signal(3000, time.Second, 0), -12, loudness - 12},
		"asked to be loud":     {signal(3000, time.Second, 0), 6, loudness + 6},
		"as loud as can be":    {signal(3000, time.Second, 0), 40, highest},
		"with a peak within":   {append(signal(300, time.Second, 0), 30000), 0, -40.8 + 0.77 + highest},
		"silence":              {silence(time.Second), 0, audio.NoSound},
		"shorter than a frame": {signal(300, 10*time.Millisecond, 0), 0, -40.8},
	} {
		out := level(c.in, c.more)
		sound := out[:min(len(out), 8000)]
		if got := audio.Level(sound); math.Abs(got-c.want) > 0.5 {
			t.Errorf("%s: %.1f dB, want %.1f", name, got, c.want)
		}
		for _, v := range out {
			if float64(v) > math.MaxInt16*math.Pow(10, highest/20)+1 {
				t.Errorf("%s: a peak of %d", name, v)
				break
			}
		}
	}
}
