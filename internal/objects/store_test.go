package objects_test

import (
	"bytes"
	"context"
	"encoding/xml"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"ringdown/internal/objects"
	"ringdown/internal/sigv4"
)

func ok(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func uri(t testing.TB, s string) objects.URI {
	t.Helper()
	u, err := objects.ParseURI(s)
	ok(t, err)
	return u
}

func openFolder(t testing.TB, dir string) *objects.Folder {
	t.Helper()
	f := objects.NewFolder(dir, time.Now)
	ok(t, f.Open("the root's secret"))
	t.Cleanup(func() { ok(t, f.Close()) })
	return f
}

const keyID, secret = "AKIAIOSFODNN7EXAMPLE", "a secret access key"

// service is a service that speaks as much S3 as the store needs, by path. It
// refuses every request whose signature is not right.
type service struct {
	mu      sync.Mutex
	buckets map[string]map[string][]byte
	types   map[string]string
	t       testing.TB
}

func newService(t testing.TB) (*service, *httptest.Server) {
	s := &service{buckets: map[string]map[string][]byte{}, types: map[string]string{}, t: t}
	server := httptest.NewServer(s)
	t.Cleanup(server.Close)
	return s, server
}

func (s *service) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	body, err := io.ReadAll(r.Body)
	ok(s.t, err)
	lookup := func(_ context.Context, id, _ string) (sigv4.Credential, error) {
		if id != keyID {
			return sigv4.Credential{}, sigv4.UnknownKey()
		}
		return sigv4.Credential{AccessKeyID: id, SecretAccessKey: secret}, nil
	}
	fail := func(status int, code string) {
		w.WriteHeader(status)
		if r.Method != http.MethodHead {
			_, _ = io.WriteString(w, "<Error><Code>"+code+"</Code><Message>no</Message></Error>")
		}
	}
	signed := body
	if r.URL.Query().Has("X-Amz-Signature") {
		signed = nil // a presigned URL leaves the content open (Amazon S3 API reference, "Authenticating Requests: Using Query Parameters")
	}
	if id, err := sigv4.New(lookup, time.Now).Verify(r, signed, "s3"); err != nil || id.Region != "eu-west-1" {
		fail(http.StatusForbidden, "AccessDenied")
		return
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	name, key, _ := strings.Cut(strings.TrimPrefix(r.URL.Path, "/"), "/")
	bucket, has := s.buckets[name]
	switch {
	case r.Method == http.MethodPut && key == "":
		if !strings.Contains(string(body), "eu-west-1") {
			fail(http.StatusBadRequest, "IllegalLocationConstraintException")
			return
		}
		s.buckets[name] = map[string][]byte{}
	case !has:
		fail(http.StatusNotFound, "NoSuchBucket")
	case name == "barred":
		fail(http.StatusForbidden, "AccessDenied")
	case r.Method == http.MethodPut:
		bucket[key], s.types[key] = body, r.Header.Get("Content-Type")
	case r.Method == http.MethodDelete && key == "":
		if len(bucket) > 0 {
			fail(http.StatusConflict, "BucketNotEmpty")
			return
		}
		delete(s.buckets, name)
		w.WriteHeader(http.StatusNoContent)
	case r.Method == http.MethodDelete:
		delete(bucket, key)
		w.WriteHeader(http.StatusNoContent)
	case key == "":
		s.list(w, bucket, r.URL.Query().Get("continuation-token"))
	default:
		content, has := bucket[key]
		if !has {
			fail(http.StatusNotFound, "NoSuchKey")
			return
		}
		w.Header().Set("Content-Type", s.types[key])
		http.ServeContent(w, r, "", time.Unix(1_700_000_000, 0), bytes.NewReader(content))
	}
}

// list shows two objects at a time.
func (s *service) list(w http.ResponseWriter, bucket map[string][]byte, after string) {
	type object struct{ Key string }
	var page struct {
		XMLName               xml.Name `xml:"ListBucketResult"`
		Contents              []object
		IsTruncated           bool
		NextContinuationToken string `xml:",omitempty"`
	}
	var keys []string
	for key := range bucket {
		if key > after {
			keys = append(keys, key)
		}
	}
	slices.Sort(keys)
	for i, key := range keys {
		if i == 2 {
			page.IsTruncated, page.NextContinuationToken = true, keys[1]
			break
		}
		page.Contents = append(page.Contents, object{key})
	}
	ok(s.t, xml.NewEncoder(w).Encode(page))
}

func newS3(t testing.TB, endpoint string) *objects.S3 {
	t.Helper()
	s, err := objects.NewS3(objects.S3Options{Endpoint: endpoint, Region: "eu-west-1", AccessKeyID: keyID, SecretAccessKey: secret})
	ok(t, err)
	return s
}

// TestStores holds both stores to the contract.
func TestStores(t *testing.T) {
	s3, server := newService(t)
	for name, s := range map[string]objects.Store{
		"folder": openFolder(t, filepath.Join(t.TempDir(), "objects")),
		"S3":     newS3(t, server.URL),
	} {
		t.Run(name, func(t *testing.T) {
			ctx := t.Context()
			read := func(at objects.URI) string {
				t.Helper()
				body, info, err := s.Get(ctx, at)
				ok(t, err)
				raw, err := io.ReadAll(body)
				ok(t, errors.Join(err, body.Close()))
				if info.Size != int64(len(raw)) || info.Modified.IsZero() {
					t.Errorf("Get of %s tells %+v of %d bytes", at, info, len(raw))
				}
				if stat, err := s.Stat(ctx, at); err != nil || stat != info {
					t.Errorf("Stat of %s tells %+v, %v, and Get %+v", at, stat, err, info)
				}
				return string(raw)
			}
			none := func(at objects.URI) {
				t.Helper()
				if _, _, err := s.Get(ctx, at); !errors.Is(err, objects.ErrNotFound) {
					t.Errorf("Get of %s: %v", at, err)
				}
				if _, err := s.Stat(ctx, at); !errors.Is(err, objects.ErrNotFound) {
					t.Errorf("Stat of %s: %v", at, err)
				}
				ok(t, s.Delete(ctx, at))
			}
			a, b := uri(t, "s3://bucket-of-one/a/b/c.wav"), uri(t, "s3://bucket-of-one/a/b/d.txt")
			none(a) // nor its bucket
			ok(t, s.DeleteBucket(ctx, a.Bucket()))

			skipped := strings.NewReader("not this, but this")
			_, err := skipped.Seek(int64(len("not this, but ")), io.SeekStart)
			ok(t, err)
			ok(t, s.Put(ctx, a, skipped))
			ok(t, s.Put(ctx, b, strings.NewReader("")))
			if got := read(a) + "," + read(b); got != "this," {
				t.Errorf("read %q", got)
			}
			none(uri(t, "s3://bucket-of-one/a/b"))
			ok(t, s.Put(ctx, a, strings.NewReader("another, which is longer")))
			if got := read(a); got != "another, which is longer" {
				t.Errorf("read %q", got)
			}
			ok(t, s.Delete(ctx, b))
			none(b)
			for _, key := range []string{"1", "2", "3/4", "5"} {
				ok(t, s.Put(ctx, uri(t, "s3://bucket-of-two/"+key), strings.NewReader(key)))
			}
			ok(t, s.DeleteBucket(ctx, "bucket-of-two"))
			none(uri(t, "s3://bucket-of-two/3/4"))
			if got := read(a); got != "another, which is longer" {
				t.Errorf("another bucket took %q along", got)
			}
		})
	}
	if got := s3.types["a/b/c.wav"]; got != "audio/wav" {
		t.Errorf("the content type of a WAV in S3 is %q", got)
	}
}

// TestS3Presign reads an object by its URL alone.
func TestS3Presign(t *testing.T) {
	_, server := newService(t)
	s := newS3(t, server.URL)
	at := uri(t, "s3://bucket-of-one/a/b.wav")
	ok(t, s.Put(t.Context(), at, strings.NewReader("content")))
	link, err := s.Presign(t.Context(), at, time.Minute)
	ok(t, err)
	for what, c := range map[string]struct {
		url    string
		status int
	}{
		"as it is":       {link, 200},
		"unsigned":       {strings.Split(link, "?")[0], 403},
		"another object": {strings.Replace(link, "b.wav", "c.wav", 1), 403},
		"longer":         {strings.Replace(link, "X-Amz-Expires=60", "X-Amz-Expires=6000", 1), 403},
		"as it is shown": {objects.Shared(link, at), 200},
	} {
		r, err := http.NewRequestWithContext(t.Context(), http.MethodGet, c.url, nil)
		ok(t, err)
		resp, err := http.DefaultClient.Do(r)
		ok(t, err)
		body, err := io.ReadAll(resp.Body)
		ok(t, errors.Join(err, resp.Body.Close()))
		if resp.StatusCode != c.status || c.status == 200 && string(body) != "content" {
			t.Errorf("%s: %s, %s", what, resp.Status, body)
		}
	}
	if !strings.HasPrefix(link, server.URL+"/bucket-of-one/a/b.wav?") {
		t.Errorf("the URL is %s", link)
	}
	amazon := newS3(t, objects.Amazon)
	link, err = amazon.Presign(t.Context(), at, time.Minute)
	ok(t, err)
	if !strings.HasPrefix(link, "https://bucket-of-one.s3.eu-west-1.amazonaws.com/a/b.wav?") {
		t.Errorf("Amazon's URL is %s", link)
	}
	if back, err := objects.ParseURI(link); err != nil || back != at {
		t.Errorf("Amazon's URL leads to %s, %v", back, err)
	}
}

// TestS3Refuses: what the service does not give away, and who may not ask.
func TestS3Refuses(t *testing.T) {
	fake, server := newService(t)
	fake.buckets["barred"] = map[string][]byte{}
	if _, _, err := newS3(t, server.URL).Get(t.Context(), uri(t, "s3://barred/a")); !errors.Is(err, objects.ErrDenied) {
		t.Errorf("an object that is not given away: %v", err)
	}
	for _, o := range []objects.S3Options{
		{Endpoint: server.URL, Region: "eu-west-1", AccessKeyID: keyID, SecretAccessKey: "another"},
		{Endpoint: server.URL, Region: "eu-west-2", AccessKeyID: keyID, SecretAccessKey: secret},
	} {
		s, err := objects.NewS3(o)
		ok(t, err)
		if _, _, err := s.Get(t.Context(), uri(t, "s3://bucket-of-one/a")); !errors.Is(err, objects.ErrDenied) {
			t.Errorf("%+v: %v", o, err)
		}
		if err := s.Put(t.Context(), uri(t, "s3://bucket-of-one/a"), strings.NewReader("")); err == nil {
			t.Errorf("%+v may write", o)
		}
	}
	for what, o := range map[string]objects.S3Options{
		"no keys":           {Endpoint: server.URL},
		"a host alone":      {Endpoint: "127.0.0.1:9000", AccessKeyID: keyID, SecretAccessKey: secret},
		"another scheme":    {Endpoint: "ftp://127.0.0.1", AccessKeyID: keyID, SecretAccessKey: secret},
		"no secret for aws": {Endpoint: objects.Amazon, AccessKeyID: keyID},
	} {
		if _, err := objects.NewS3(o); err == nil {
			t.Errorf("%s is taken", what)
		}
	}
}

// TestFolderIsPlain: what people copy into the folder is at its URI, and what
// the store writes they find there.
func TestFolderIsPlain(t *testing.T) {
	dir := t.TempDir()
	f := openFolder(t, dir)
	const key = "prompts/Grüße an alle (2).WAV"
	at := uri(t, "s3://my.bucket-1/"+key)
	ok(t, f.Put(t.Context(), at, strings.NewReader("a")))
	file := filepath.Join(dir, "my.bucket-1", filepath.FromSlash(key))
	raw, err := os.ReadFile(file)
	ok(t, err)
	if string(raw) != "a" || at.ContentType() != "audio/wav" {
		t.Errorf("the file holds %q of type %s", raw, at.ContentType())
	}
	ok(t, os.WriteFile(file, []byte("by hand"), 0o600))
	if info, err := f.Stat(t.Context(), at); err != nil || info.Size != 7 {
		t.Errorf("what was copied by hand: %+v, %v", info, err)
	}
}

// TestStrangeKeys: every legal key is an object of its own, in its bucket.
func TestStrangeKeys(t *testing.T) {
	dir := t.TempDir()
	f := openFolder(t, filepath.Join(dir, "objects"))
	keys := []string{
		"..", ".", "...", "a/../../../escape", "/etc/passwd", "a//b", "b/", "c//", "%", "%2E", "%2e%2e", "~", "a\\b", "C:\\x", "a:b", "a*b?", "\x01\n\t", "<|>\"`", ".new", ".hidden",
		strings.Repeat("n", 200), strings.Repeat("n", 201), strings.Repeat("n", 202), strings.Repeat("n", 201) + "m", strings.Repeat("ü", 400), strings.Repeat("\x01", 1024), strings.Repeat("d/", 500) + "e",
	}
	for _, key := range keys {
		at := uri(t, "s3://bucket/"+key)
		if at.Key() != key {
			t.Errorf("the key %q was read as %q", key, at.Key())
		}
		ok(t, f.Put(t.Context(), at, strings.NewReader(key)))
	}
	for _, key := range keys {
		body, _, err := f.Get(t.Context(), uri(t, "s3://bucket/"+key))
		if err != nil {
			t.Errorf("%.20q: %v", key, err)
			continue
		}
		raw, err := io.ReadAll(body)
		ok(t, errors.Join(err, body.Close()))
		if string(raw) != key {
			t.Errorf("%.20q holds %.20q", key, raw)
		}
	}
	for folder, want := range map[string][]string{dir: {"objects"}, filepath.Join(dir, "objects"): {".new", "bucket"}} {
		entries, err := os.ReadDir(folder)
		ok(t, err)
		var names []string
		for _, e := range entries {
			names = append(names, e.Name())
		}
		if !slices.Equal(names, want) {
			t.Errorf("%s holds %q", folder, names)
		}
	}
}

// TestFolderAfterCrash: what was half-written is gone, what was there remains.
func TestFolderAfterCrash(t *testing.T) {
	dir := t.TempDir()
	at := uri(t, "s3://bucket/a")
	f := openFolder(t, dir)
	ok(t, f.Put(t.Context(), at, strings.NewReader("a")))
	if err := f.Put(t.Context(), at, &broken{}); err == nil || !strings.Contains(err.Error(), "the line broke") {
		t.Errorf("an upload that broke off: %v", err)
	}
	ok(t, errors.Join(f.Close(), f.Close()))
	ok(t, os.WriteFile(filepath.Join(dir, ".new", "half"), []byte("h"), 0o600))
	f = openFolder(t, dir)
	body, _, err := f.Get(t.Context(), at)
	ok(t, err)
	raw, err := io.ReadAll(body)
	ok(t, errors.Join(err, body.Close()))
	left, err := os.ReadDir(filepath.Join(dir, ".new"))
	ok(t, err)
	if string(raw) != "a" || len(left) != 0 {
		t.Errorf("the object holds %q, %d files are left over", raw, len(left))
	}
}

// broken is a body that ends in an error.
type broken struct{}

func (broken) Read([]byte) (int, error)       { return 0, errors.New("the line broke") }
func (broken) Seek(int64, int) (int64, error) { return 0, nil }

// TestFolderSymlinks: a link does not lead out of the folder either.
func TestFolderSymlinks(t *testing.T) {
	dir := t.TempDir()
	f := openFolder(t, filepath.Join(dir, "objects"))
	ok(t, os.WriteFile(filepath.Join(dir, "secret"), []byte("s"), 0o600))
	ok(t, f.Put(t.Context(), uri(t, "s3://bucket/a"), strings.NewReader("")))
	ok(t, os.Symlink(filepath.Join(dir, "secret"), filepath.Join(dir, "objects", "bucket", "link")))
	ok(t, os.Symlink(dir, filepath.Join(dir, "objects", "bucket", "folder")))
	for _, at := range []string{"s3://bucket/link", "s3://bucket/folder/secret"} {
		if _, _, err := f.Get(t.Context(), uri(t, at)); !errors.Is(err, objects.ErrDenied) {
			t.Errorf("a link out of the folder, %s: %v", at, err)
		}
	}
}

func TestFolderLinks(t *testing.T) {
	now := time.Unix(1_700_000_000, 0)
	f := objects.NewFolder(t.TempDir(), func() time.Time { return now })
	ok(t, f.Open("secret"))
	t.Cleanup(func() { ok(t, f.Close()) })
	at := uri(t, "s3://bucket/a b/ü?#%.wav")
	ok(t, f.Put(t.Context(), at, strings.NewReader("content")))
	if _, err := f.Presign(t.Context(), at, time.Minute); err == nil {
		t.Error("a link to nobody knows where was made")
	}
	link, err := f.Presign(objects.WithBase(t.Context(), "https://ringdown.example:8765"), at, time.Minute)
	ok(t, err)
	u, err := url.Parse(link)
	ok(t, err)
	if u.Host != "ringdown.example:8765" || u.Scheme != "https" || u.Path != objects.LinkPath+"bucket/a b/ü?#%.wav" {
		t.Errorf("the link is %s", link)
	}
	if back, err := objects.ParseURI(objects.Shared(link, at)); err != nil || back != at {
		t.Errorf("the link leads to %s, %v", back, err)
	}
	open := func(f *objects.Folder) error {
		file, got, info, err := f.Linked(u.Path, u.Query())
		if err != nil {
			return err
		}
		if got != at || info.Size != 7 {
			t.Errorf("the link opens %s, %+v", got, info)
		}
		return file.Close()
	}
	ok(t, open(f))
	for what, c := range map[string]struct {
		link string
		of   objects.URI
		want bool
	}{
		"the link":                {link, at, true},
		"as it is shown":          {objects.Shared(link, at), at, true},
		"of another object":       {link, uri(t, "s3://bucket/another.wav"), false},
		"with another signature":  {link + "x", at, false},
		"to another path":         {strings.Replace(link, "/bucket/", "/another/", 1), at, false},
		"an address of no object": {"s3://bucket/a", at, false},
		"no URL":                  {"\x00", at, false},
	} {
		if got := f.Honours(c.link, c.of); got != c.want {
			t.Errorf("%s: honoured %v", what, got)
		}
	}
	other := objects.NewFolder(t.TempDir(), func() time.Time { return now })
	ok(t, other.Open("another secret"))
	t.Cleanup(func() { ok(t, other.Close()) })
	if err := open(other); !errors.Is(err, objects.ErrLink) {
		t.Errorf("under another root: %v", err)
	}
	ok(t, f.Delete(t.Context(), at))
	if err := open(f); !errors.Is(err, objects.ErrNotFound) {
		t.Errorf("to an object that is gone: %v", err)
	}
	now = now.Add(time.Minute)
	if err := open(f); !errors.Is(err, objects.ErrLink) || f.Honours(link, at) {
		t.Errorf("after its end: %v", err)
	}
}

func TestParseURI(t *testing.T) {
	for in, want := range map[string]string{
		"s3://bucket/key":         "s3://bucket/key",
		"s3://bucket/a b%20c?d#e": "s3://bucket/a b%20c?d#e", // a URI of S3 knows no escapes
		"https://bucket.s3.eu-west-1.amazonaws.com/a%20b?X-Amz-Expires=1": "s3://bucket/a b",
		"https://a.dotted.one.s3.us-east-1.amazonaws.com/a/b":             "s3://a.dotted.one/a/b",
		"http://127.0.0.1:8765/-/objects/b/k?x=y#s3://bucket/a%20b%23c":   "s3://bucket/a b#c",
		"https://bucket.s3.eu-west-1.amazonaws.com/a#s3://another/b":      "s3://another/b",
		"s3://bucket/" + strings.Repeat("k", 1024):                        "s3://bucket/" + strings.Repeat("k", 1024),
		"s3://bucket":                            "",
		"s3://bucket/":                           "",
		"s3:///key":                              "",
		"s3://bu/key":                            "",
		"s3://Bucket/key":                        "",
		"s3://bucket_1/key":                      "",
		"s3://bucket-/key":                       "",
		"s3://bu..cket/key":                      "",
		"s3://10.0.0.1/key":                      "",
		"s3://../key":                            "",
		"s3://" + strings.Repeat("b", 64) + "/k": "",
		"s3://bucket/" + strings.Repeat("k", 1025):                "",
		"s3://bucket/\xff":                                        "",
		"s3://bucket/a\x00":                                       "",
		"http://bucket.s3.eu-west-1.amazonaws.com/a":              "",
		"https://bucket.s3.eu-west-1.amazonaws.com":               "",
		"https://bucket.s3.eu-west-1.amazonaws.com.example.com/a": "",
		"https://example.com/bucket/a":                            "",
		"https://example.com/#s3://bucket":                        "",
		"file:///etc/passwd":                                      "",
		"":                                                        "",
		"://":                                                     "",
	} {
		got, err := objects.ParseURI(in)
		if (err != nil) != (want == "") || err == nil && got.String() != want {
			t.Errorf("%.60q is %v, %v", in, got, err)
		}
	}
}

func TestOwn(t *testing.T) {
	const one, two = "0195f8a0-0000-7000-8000-000000000001", "0195f8a0-0000-7000-8000-000000000002"
	at := objects.Own(one, "prompts/a.wav")
	if back, err := objects.ParseURI(at.String()); err != nil || back != at {
		t.Errorf("%s is read as %s, %v", at, back, err)
	}
	if at.OfAnother(one) || !at.OfAnother(two) || uri(t, "s3://bucket/a").OfAnother(one) {
		t.Error("own buckets are told apart wrongly")
	}
}

// FuzzParseURI: what is read can be written and read again, and its file lies
// in its bucket.
func FuzzParseURI(f *testing.F) {
	f.Add("s3://bucket/a//../b%00")
	f.Add("https://bucket.s3.eu-west-1.amazonaws.com/%2e%2e/a?b#c")
	f.Add("http://h/#s3://bucket/%23")
	f.Fuzz(func(t *testing.T, s string) {
		u, err := objects.ParseURI(s)
		if err != nil {
			return
		}
		if back, err := objects.ParseURI(u.String()); err != nil || back != u {
			t.Errorf("%q is %q, and that %q, %v", s, u, back, err)
		}
		if back, err := objects.ParseURI(objects.Shared("http://h/", u)); err != nil || back != u {
			t.Errorf("%q shared is %q, %v", u, back, err)
		}
	})
}
