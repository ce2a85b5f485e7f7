package prompts_test

import (
	"bytes"
	"crypto/sha256"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/connect"
	"github.com/aws/aws-sdk-go-v2/service/connect/types"

	"ringdown/internal/audio"
	"ringdown/internal/fault"
	"ringdown/internal/server"
	"ringdown/internal/server/servertest"
	"ringdown/internal/starter"
)

// tone is a recording of its own for each frequency.
func tone(hz float64) []byte {
	return audio.Play([]audio.Note{{Tones: []float64{hz}, Length: 50 * time.Millisecond}})
}

// put copies a file to where an s3:// URI leads, as people do.
func put(t testing.TB, s *servertest.Server, path string, file []byte) (uri string) {
	t.Helper()
	to := filepath.Join(s.Data, "objects", filepath.FromSlash(path))
	ok(t, os.MkdirAll(filepath.Dir(to), 0o700))
	ok(t, os.WriteFile(to, file, 0o600))
	return "s3://" + path
}

// own are the files that the server keeps for an instance.
func own(t testing.TB, s *servertest.Server, instance string) []string {
	t.Helper()
	var files []string
	err := filepath.WalkDir(filepath.Join(s.Data, "objects", "ringdown-"+instance), func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		files = append(files, path)
		return nil
	})
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		t.Fatal(err)
	}
	return files
}

func fetch(t testing.TB, url string) (*http.Response, []byte) {
	t.Helper()
	r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, url, nil)
	ok(t, err)
	resp, err := http.DefaultClient.Do(r)
	ok(t, err)
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	ok(t, err)
	return resp, body
}

// audioOf reads a prompt through the URL of GetPromptFile.
func audioOf(t testing.TB, s *servertest.Server, instance, id string) []byte {
	t.Helper()
	out, err := s.Connect.GetPromptFile(t.Context(), &connect.GetPromptFileInput{InstanceId: &instance, PromptId: &id})
	ok(t, err)
	resp, body := fetch(t, *out.PromptPresignedUrl)
	if resp.StatusCode != http.StatusOK || resp.Header.Get("Content-Type") != "audio/wav" {
		t.Fatalf("%s: %s %s, %s", *out.PromptPresignedUrl, resp.Status, resp.Header.Get("Content-Type"), body)
	}
	return body
}

func create(t testing.TB, s *servertest.Server, instance, name, uri string) string {
	t.Helper()
	out, err := s.Connect.CreatePrompt(t.Context(), &connect.CreatePromptInput{InstanceId: &instance, Name: &name, S3Uri: &uri})
	ok(t, err)
	return *out.PromptId
}

func TestPromptLife(t *testing.T) {
	s := servertest.Boot(t)
	instance := s.NewInstance(t)
	uri := put(t, s, "recordings/welcome/hello world.wav", tone(440))
	made, err := s.Connect.CreatePrompt(t.Context(), &connect.CreatePromptInput{
		InstanceId: &instance, Name: aws.String("Hello"), Description: aws.String("a greeting"), S3Uri: &uri, Tags: map[string]string{"Team": "a"},
	})
	ok(t, err)
	id := *made.PromptId
	same(t, "ARN", made.PromptARN, instanceARN(instance)+"/prompt/"+id)

	// The copy is the server's own: the source may go away.
	ok(t, os.RemoveAll(filepath.Join(s.Data, "objects", "recordings")))
	if got := audioOf(t, s, instance, id); !bytes.Equal(got, tone(440)) {
		t.Errorf("the audio came back as %d other bytes", len(got))
	}
	describe := func() *types.Prompt {
		t.Helper()
		out, err := s.Connect.DescribePrompt(t.Context(), &connect.DescribePromptInput{InstanceId: &instance, PromptId: &id})
		ok(t, err)
		return out.Prompt
	}
	p := describe()
	want := types.Prompt{
		PromptARN: made.PromptARN, PromptId: &id, Name: aws.String("Hello"), Description: aws.String("a greeting"),
		LastModifiedRegion: aws.String(servertest.Region), LastModifiedTime: p.LastModifiedTime, Tags: map[string]string{"Team": "a"},
	}
	same(t, "prompt", p, want)

	file, err := s.Connect.GetPromptFile(t.Context(), &connect.GetPromptFileInput{InstanceId: &instance, PromptId: made.PromptARN})
	ok(t, err)
	same(t, "LastModifiedTime", file.LastModifiedTime, p.LastModifiedTime)
	same(t, "LastModifiedRegion", file.LastModifiedRegion, servertest.Region)

	// One member at a time.
	update := func(in *connect.UpdatePromptInput) error {
		t.Helper()
		in.InstanceId, in.PromptId = &instance, &id
		out, err := s.Connect.UpdatePrompt(t.Context(), in)
		if err == nil {
			same(t, "answer", []*string{out.PromptARN, out.PromptId}, []*string{made.PromptARN, &id})
		}
		return err
	}
	ok(t, update(&connect.UpdatePromptInput{Name: aws.String("Hi")}))
	ok(t, update(&connect.UpdatePromptInput{Description: aws.String("another")}))
	ok(t, update(&connect.UpdatePromptInput{S3Uri: aws.String(put(t, s, "recordings/new.wav", tone(880)))}))
	p = describe()
	want.Name, want.Description, want.LastModifiedTime = aws.String("Hi"), aws.String("another"), p.LastModifiedTime
	same(t, "updated prompt", p, want)
	if got := audioOf(t, s, instance, id); !bytes.Equal(got, tone(880)) {
		t.Error("the audio was not replaced")
	}
	// The URL goes with its audio.
	if resp, _ := fetch(t, *file.PromptPresignedUrl); resp.StatusCode != http.StatusNotFound {
		t.Errorf("the URL of the audio before: %s", resp.Status)
	}
	if files := own(t, s, instance); len(files) != 1 {
		t.Errorf("files after the update: %q", files)
	}

	// A failed update leaves nothing and changes nothing.
	fails(t, update(&connect.UpdatePromptInput{Name: aws.String("Beep.wav"), S3Uri: aws.String("s3://recordings/new.wav")}), fault.InvalidRequest, "Beep.wav")
	fails(t, update(&connect.UpdatePromptInput{S3Uri: aws.String("s3://recordings/none.wav")}), fault.InvalidParameter, "S3Uri")
	same(t, "prompt after failures", describe(), p)

	_, err = s.Connect.DeletePrompt(t.Context(), &connect.DeletePromptInput{InstanceId: &instance, PromptId: &id})
	ok(t, err)
	if files := own(t, s, instance); len(files) != 0 {
		t.Errorf("files after the deletion: %q", files)
	}
	for name, err := range map[string]error{
		"describe": second(s.Connect.DescribePrompt(t.Context(), &connect.DescribePromptInput{InstanceId: &instance, PromptId: &id})),
		"delete":   second(s.Connect.DeletePrompt(t.Context(), &connect.DeletePromptInput{InstanceId: &instance, PromptId: &id})),
		"file":     second(s.Connect.GetPromptFile(t.Context(), &connect.GetPromptFileInput{InstanceId: &instance, PromptId: &id})),
		"update":   update(&connect.UpdatePromptInput{S3Uri: aws.String("s3://recordings/new.wav")}),
	} {
		t.Run(name, func(t *testing.T) { fails(t, err, fault.ResourceNotFound) })
	}
}

func second[T any](_ T, err error) error { return err }

// TestFirstPromptsSound: the prompts of a new instance have audio as well, each
// its own and always the same, whatever becomes of their names.
func TestFirstPromptsSound(t *testing.T) {
	s := servertest.Boot(t)
	one, two := s.NewInstance(t), s.NewInstance(t)
	sounds := map[[sha256.Size]byte]string{}
	listed, others := prompts(t, s.Connect, one), prompts(t, s.Connect, two)
	for i, first := range starter.Prompts() {
		if i%2 == 0 {
			_, err := s.Connect.UpdatePrompt(t.Context(), &connect.UpdatePromptInput{InstanceId: &two, PromptId: others[i].Id, Name: aws.String("renamed " + first.Name)})
			ok(t, err)
		}
		file := audioOf(t, s, one, *listed[i].Id)
		w, err := audio.ParseWAV(bytes.NewReader(file), int64(len(file)))
		ok(t, err)
		if w.Format != audio.Telephone || w.Duration() < 100*time.Millisecond || w.Duration() > time.Minute {
			t.Errorf("%s is %+v and plays %v", first.Name, w.Format, w.Duration())
		}
		sum := sha256.Sum256(file)
		if other, ok := sounds[sum]; ok {
			t.Errorf("%s sounds as %s does", first.Name, other)
		}
		sounds[sum] = first.Name
		if !bytes.Equal(audioOf(t, s, two, *others[i].Id), file) || !bytes.Equal(audioOf(t, s, one, *listed[i].Id), file) {
			t.Errorf("%s sounds differently elsewhere or later", first.Name)
		}
	}
	// With audio of its own, and deleted.
	_, err := s.Connect.UpdatePrompt(t.Context(), &connect.UpdatePromptInput{InstanceId: &one, PromptId: listed[0].Id, S3Uri: aws.String(put(t, s, "bucket/new.wav", tone(880)))})
	ok(t, err)
	if !bytes.Equal(audioOf(t, s, one, *listed[0].Id), tone(880)) {
		t.Error("the first prompt kept its sound")
	}
	for _, p := range listed {
		_, err := s.Connect.DeletePrompt(t.Context(), &connect.DeletePromptInput{InstanceId: &one, PromptId: p.Id})
		ok(t, err)
	}
	if files := own(t, s, one); len(files) != 0 {
		t.Errorf("files after all deletions: %q", files)
	}
}

// TestS3Uri: where it may lead, and what is wrong with it otherwise.
func TestS3Uri(t *testing.T) {
	s := servertest.Boot(t)
	instance, other := s.NewInstance(t), s.NewInstance(t)
	put(t, s, "bucket/a/prompt.wav", tone(440))
	put(t, s, "bucket/no.wav", []byte("this is text"))
	put(t, s, "bucket/cut.wav", tone(440)[:100])
	put(t, s, "bucket/empty.wav", audio.EncodeWAV(audio.Telephone, nil))
	put(t, s, "bucket/slow.wav", audio.EncodeWAV(audio.Format{Encoding: audio.PCM, Channels: 1, Rate: 4000, Bits: 16}, make([]byte, 100)))
	put(t, s, "bucket/fast.wav", audio.EncodeWAV(audio.Format{Encoding: audio.PCM, Channels: 2, Rate: 44100, Bits: 16}, make([]byte, 400)))
	put(t, s, "bucket/faster.wav", audio.EncodeWAV(audio.Format{Encoding: audio.PCM, Channels: 1, Rate: 96000, Bits: 16}, make([]byte, 400)))
	put(t, s, "bucket/quad.wav", audio.EncodeWAV(audio.Format{Encoding: audio.PCM, Channels: 4, Rate: 8000, Bits: 16}, make([]byte, 400)))
	put(t, s, "bucket/long.wav", audio.EncodeWAV(audio.Telephone, make([]byte, 8000*300)))
	put(t, s, "bucket/nearly.wav", audio.EncodeWAV(audio.Telephone, make([]byte, 8000*300-1)))
	huge := put(t, s, "bucket/huge.wav", nil)
	ok(t, os.Truncate(filepath.Join(s.Data, "objects", "bucket", "huge.wav"), 50<<20))
	ok(t, os.WriteFile(filepath.Join(s.Data, "secret.wav"), tone(440), 0o600))
	theirs := create(t, s, other, "theirs", "s3://bucket/a/prompt.wav")
	foreign, err := s.Connect.GetPromptFile(t.Context(), &connect.GetPromptFileInput{InstanceId: &other, PromptId: &theirs})
	ok(t, err)
	link, foreignURI, _ := strings.Cut(*foreign.PromptPresignedUrl, "#")
	mine := create(t, s, instance, "mine", "s3://bucket/a/prompt.wav")
	shared, err := s.Connect.GetPromptFile(t.Context(), &connect.GetPromptFileInput{InstanceId: &instance, PromptId: &mine})
	ok(t, err)
	for name, c := range map[string]struct {
		uri  string
		word string // of the refusal, "" for none
	}{
		"a file":                    {"s3://bucket/a/prompt.wav", ""},
		"Amazon's URL":              {"https://bucket.s3.us-east-1.amazonaws.com/a/prompt.wav?X-Amz-Signature=x", ""},
		"the URL of GetPromptFile":  {*shared.PromptPresignedUrl, ""},
		"44.1 kHz in stereo":        {"s3://bucket/fast.wav", ""},
		"nearly five minutes":       {"s3://bucket/nearly.wav", ""},
		"no such file":              {"s3://bucket/none.wav", "no such object"},
		"no such bucket":            {"s3://nobody/a/prompt.wav", "no such object"},
		"a folder":                  {"s3://bucket/a", "no such object"},
		"below a file":              {"s3://bucket/a/prompt.wav/b", "no such object"},
		"beside the bucket":         {"s3://bucket/../../secret.wav", "no such object"},
		"the store's own folder":    {"s3://.new/prompt.wav", "a bucket is named by"},
		"no bucket":                 {"s3://No_Bucket/prompt.wav", "a bucket is named by"},
		"that of another instance":  {*foreign.PromptPresignedUrl, ""},
		"another instance's prompt": {foreignURI, "no such object"},
		"its URL without signature": {link[:strings.Index(link, "&signature")] + "#" + foreignURI, "no such object"},
		"the URL of another prompt": {strings.Split(*shared.PromptPresignedUrl, "#")[0] + "#" + foreignURI, "no such object"},
		"text":                      {"s3://bucket/no.wav", "no WAV file"},
		"half a file":               {"s3://bucket/cut.wav", "cut off"},
		"silence of no length":      {"s3://bucket/empty.wav", "no sound"},
		"4 kHz":                     {"s3://bucket/slow.wav", "4000 samples"},
		"96 kHz":                    {"s3://bucket/faster.wav", "96000 samples"},
		"four channels":             {"s3://bucket/quad.wav", "4 channels"},
		"five minutes":              {"s3://bucket/long.wav", "5m0s"},
		"50 MB":                     {huge, "52428800 bytes"},
	} {
		t.Run(name, func(t *testing.T) {
			in := &connect.CreatePromptInput{InstanceId: &instance, Name: aws.String("made of " + name), S3Uri: &c.uri}
			before := len(own(t, s, instance))
			_, err := s.Connect.CreatePrompt(t.Context(), in)
			if c.word == "" {
				ok(t, err)
				return
			}
			fails(t, err, fault.InvalidParameter, "S3Uri", c.word)
			if after := len(own(t, s, instance)); after != before {
				t.Errorf("%d files were left by the refusal", after-before)
			}
		})
	}
	t.Run("a name that is taken", func(t *testing.T) {
		before := len(own(t, s, instance))
		_, err := s.Connect.CreatePrompt(t.Context(), &connect.CreatePromptInput{InstanceId: &instance, Name: aws.String("Beep.wav"), S3Uri: aws.String("s3://bucket/a/prompt.wav")})
		fails(t, err, fault.DuplicateResource, "Beep.wav")
		if after := len(own(t, s, instance)); after != before {
			t.Errorf("%d files were left by the refusal", after-before)
		}
	})
}

// TestPromptLink: who has the URL has the audio, in any part of it, for a
// quarter of an hour, and nothing else.
func TestPromptLink(t *testing.T) {
	now := time.Now()
	s := servertest.Boot(t, func(c *server.Config) { c.Now = func() time.Time { return now } })
	instance := s.NewInstance(t)
	id := create(t, s, instance, "a prompt", put(t, s, "bucket/prompt.wav", tone(440)))
	out, err := s.Connect.GetPromptFile(t.Context(), &connect.GetPromptFileInput{InstanceId: &instance, PromptId: &id})
	ok(t, err)
	link, fragment, _ := strings.Cut(*out.PromptPresignedUrl, "#")
	if !strings.HasPrefix(link, s.URL+"/-/objects/ringdown-"+instance+"/prompts/") || !strings.HasPrefix(fragment, "s3://ringdown-"+instance+"/prompts/") {
		t.Errorf("the URL is %s", *out.PromptPresignedUrl)
	}
	for name, c := range map[string]struct {
		method, url, ranged string
		status              int
		body                []byte
	}{
		"all":               {http.MethodGet, link, "", 200, tone(440)},
		"head":              {http.MethodHead, link, "", 200, nil},
		"a part":            {http.MethodGet, link, "bytes=0-3", 206, []byte("RIFF")},
		"beyond the end":    {http.MethodGet, link, "bytes=100000-", 416, nil},
		"put":               {http.MethodPut, link, "", 403, nil},
		"delete":            {http.MethodDelete, link, "", 405, nil},
		"no signature":      {http.MethodGet, strings.Split(link, "?")[0], "", 403, nil},
		"another signature": {http.MethodGet, link[:len(link)-2] + "xx", "", 403, nil},
		"another object":    {http.MethodGet, strings.Replace(link, "/prompts/", "/prompts/a", 1), "", 403, nil},
		"another end":       {http.MethodGet, strings.Replace(link, "expires=1", "expires=2", 1), "", 403, nil},
		"the root":          {http.MethodGet, s.URL + "/-/objects/", "", 403, nil},
		"a bucket":          {http.MethodGet, s.URL + "/-/objects/ringdown-" + instance + "/", "", 403, nil},
	} {
		t.Run(name, func(t *testing.T) {
			r, err := http.NewRequestWithContext(t.Context(), c.method, c.url, nil)
			ok(t, err)
			if c.ranged != "" {
				r.Header.Set("Range", c.ranged)
			}
			resp, err := http.DefaultClient.Do(r)
			ok(t, err)
			defer resp.Body.Close()
			body, err := io.ReadAll(resp.Body)
			ok(t, err)
			if resp.StatusCode != c.status || c.body != nil && !bytes.Equal(body, c.body) {
				t.Errorf("%s, %d bytes", resp.Status, len(body))
			}
			if c.method == http.MethodHead && resp.ContentLength != int64(len(tone(440))) {
				t.Errorf("the length is %d", resp.ContentLength)
			}
		})
	}
	now = now.Add(15*time.Minute + time.Second)
	if resp, _ := fetch(t, link); resp.StatusCode != http.StatusForbidden {
		t.Errorf("after its time: %s", resp.Status)
	}
}

func TestPromptQuota(t *testing.T) {
	s := servertest.Boot(t, func(c *server.Config) { c.Quotas = true })
	instance := s.NewInstance(t)
	uri := put(t, s, "bucket/prompt.wav", tone(440))
	for n := len(starter.Prompts()); n < 500; n++ {
		create(t, s, instance, fmt.Sprint("prompt ", n), uri)
	}
	_, err := s.Connect.CreatePrompt(t.Context(), &connect.CreatePromptInput{InstanceId: &instance, Name: aws.String("one more"), S3Uri: &uri})
	fails(t, err, fault.LimitExceeded, "500")
	if n := len(own(t, s, instance)); n != 500-len(starter.Prompts()) {
		t.Errorf("%d files", n)
	}
}

// TestInstanceWithPromptsDeleted: nothing is left of its audio.
func TestInstanceWithPromptsDeleted(t *testing.T) {
	s := servertest.Boot(t)
	one, two := s.NewInstance(t), s.NewInstance(t)
	uri := put(t, s, "bucket/prompt.wav", tone(440))
	for _, instance := range []string{one, two} {
		audioOf(t, s, instance, create(t, s, instance, "a prompt", uri))
		audioOf(t, s, instance, *prompts(t, s.Connect, instance)[0].Id)
		if n := len(own(t, s, instance)); n != 2 {
			t.Fatalf("the server keeps %d files", n)
		}
	}
	_, err := s.Connect.DeleteInstance(t.Context(), &connect.DeleteInstanceInput{InstanceId: &one})
	ok(t, err)
	if _, err := os.Stat(filepath.Join(s.Data, "objects", "ringdown-"+one)); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("the bucket of the deleted instance: %v", err)
	}
	if n := len(own(t, s, two)); n != 2 {
		t.Errorf("of the other instance %d files are left", n)
	}
}

// TestStreamedWAV: what programs write that cannot go back is a prompt too.
func TestStreamedWAV(t *testing.T) {
	s := servertest.Boot(t)
	instance := s.NewInstance(t)
	file := tone(440)
	binary.LittleEndian.PutUint32(file[4:], 0xFFFFFFFF)
	binary.LittleEndian.PutUint32(file[bytes.Index(file, []byte("data"))+4:], 0xFFFFFFFF)
	id := create(t, s, instance, "streamed", put(t, s, "bucket/streamed.wav", file))
	if !bytes.Equal(audioOf(t, s, instance, id), file) {
		t.Error("the file came back differently")
	}
}
