package objects_test

import (
	"errors"
	"io"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"ringdown/internal/objects"
)

// TestFolderUpload: a link takes one object, of its type and size, while it
// lasts, and nothing else.
func TestFolderUpload(t *testing.T) {
	now := time.Unix(1_700_000_000, 0)
	dir := t.TempDir()
	f := objects.NewFolder(dir, func() time.Time { return now })
	ok(t, f.Open("secret"))
	t.Cleanup(func() { ok(t, f.Close()) })
	at := uri(t, "s3://bucket/a b/ü.pdf")
	if _, err := f.PresignPut(t.Context(), at, objects.Upload{Size: 7, Validity: time.Minute}); err == nil {
		t.Error("a link to nobody knows where was made")
	}
	ctx := objects.WithBase(t.Context(), "https://ringdown.example")
	link, err := f.PresignPut(ctx, at, objects.Upload{Size: 7, Validity: time.Minute})
	ok(t, err)
	download, err := f.Presign(ctx, at, time.Minute)
	ok(t, err)
	if len(link.Headers) != 1 || link.Headers["Content-Type"] != "application/pdf" {
		t.Errorf("the headers are %v", link.Headers)
	}
	parse := func(link string) *url.URL {
		u, err := url.Parse(link)
		ok(t, err)
		return u
	}
	with := func(name, value string) *url.URL {
		u := parse(link.URL)
		q := u.Query()
		q.Set(name, value)
		u.RawQuery = q.Encode()
		return u
	}
	elsewhere := parse(link.URL)
	elsewhere.Path = strings.Replace(elsewhere.Path, "ü", "u", 1)
	outside := parse(link.URL)
	outside.Path = objects.LinkPath + "bucket"
	right := parse(link.URL)
	for _, c := range []struct {
		name    string
		to      *url.URL
		kind    string
		length  int64
		content string
		want    error
	}{
		{"another size", with("size", "8"), "application/pdf", 8, "contents", objects.ErrLink},
		{"another end", with("expires", "1800000000"), "application/pdf", 7, "content", objects.ErrLink},
		{"another signature", with("signature", "x"), "application/pdf", 7, "content", objects.ErrLink},
		{"another object", elsewhere, "application/pdf", 7, "content", objects.ErrLink},
		{"no object", outside, "application/pdf", 7, "content", objects.ErrLink},
		{"a link to read", parse(download), "application/pdf", 7, "content", objects.ErrLink},
		{"another type", right, "text/html", 7, "content", objects.ErrUpload},
		{"too long", right, "application/pdf", 8, "contents", objects.ErrUpload},
		{"too long, unannounced", right, "application/pdf", -1, "contents", objects.ErrUpload},
		{"much too long", right, "application/pdf", -1, strings.Repeat("content", 1<<16), objects.ErrUpload},
		{"too short", right, "application/pdf", 6, "conten", objects.ErrUpload},
		{"too short, unannounced", right, "application/pdf", -1, "conten", objects.ErrUpload},
		{"shorter than announced", right, "application/pdf", 7, "conten", objects.ErrUpload},
	} {
		if err := f.Receive(c.to.Path, c.to.Query(), c.kind, c.length, strings.NewReader(c.content)); !errors.Is(err, c.want) {
			t.Errorf("%s: %v, want %v", c.name, err, c.want)
		}
	}
	if err := f.Receive(right.Path, right.Query(), "application/pdf", -1, &broken{}); err == nil || errors.Is(err, objects.ErrUpload) {
		t.Errorf("an upload that broke off: %v", err)
	}
	if _, err := f.Stat(t.Context(), at); !errors.Is(err, objects.ErrNotFound) {
		t.Errorf("what was refused is there: %v", err)
	}
	if left, err := os.ReadDir(filepath.Join(dir, ".new")); err != nil || len(left) != 0 {
		t.Errorf("what was refused has left %d files, %v", len(left), err)
	}
	for _, length := range []int64{7, -1} { // again, as a client does that has not heard the answer
		ok(t, f.Receive(right.Path, right.Query(), "application/pdf", length, strings.NewReader("content")))
	}
	file, _, _, err := f.Linked(parse(download).Path, parse(download).Query())
	ok(t, err)
	raw, err := io.ReadAll(file)
	ok(t, errors.Join(err, file.Close()))
	if string(raw) != "content" {
		t.Errorf("the object holds %q", raw)
	}
	if _, _, _, err := f.Linked(right.Path, right.Query()); !errors.Is(err, objects.ErrLink) || f.Honours(link.URL, at) {
		t.Errorf("an upload link gives away its object: %v", err)
	}
	now = now.Add(time.Minute)
	if err := f.Receive(right.Path, right.Query(), "application/pdf", 7, strings.NewReader("content")); !errors.Is(err, objects.ErrLink) {
		t.Errorf("after its end: %v", err)
	}
}

// TestS3Upload puts an object by its URL alone, into a bucket that was not there.
func TestS3Upload(t *testing.T) {
	_, server := newService(t)
	s := newS3(t, server.URL)
	at := uri(t, "s3://bucket-of-one/a/b.pdf")
	for range 2 { // the second time the bucket is there
		link, err := s.PresignPut(t.Context(), at, objects.Upload{Size: 7, Validity: time.Minute})
		ok(t, err)
		if len(link.Headers) != 1 || link.Headers["Content-Type"] != "application/pdf" {
			t.Errorf("the headers are %v", link.Headers)
		}
		put := func(content, kind string) int {
			r, err := http.NewRequestWithContext(t.Context(), http.MethodPut, link.URL, strings.NewReader(content))
			ok(t, err)
			r.Header.Set("Content-Type", kind)
			resp, err := http.DefaultClient.Do(r)
			ok(t, err)
			ok(t, resp.Body.Close())
			return resp.StatusCode
		}
		for _, c := range []struct {
			content, kind string
			status        int
		}{
			{"content", "text/html", 403},
			{"contents", "application/pdf", 403},
			{"content", "application/pdf", 200},
		} {
			if got := put(c.content, c.kind); got != c.status {
				t.Errorf("%q as %s: %d, want %d", c.content, c.kind, got, c.status)
			}
		}
	}
	if info, err := s.Stat(t.Context(), at); err != nil || info.Size != 7 {
		t.Errorf("the object is %+v, %v", info, err)
	}
	stranger, err := objects.NewS3(objects.S3Options{Endpoint: server.URL, Region: "eu-west-1", AccessKeyID: keyID, SecretAccessKey: "another"})
	ok(t, err)
	if _, err := stranger.PresignPut(t.Context(), at, objects.Upload{Size: 7, Validity: time.Minute}); err == nil {
		t.Error("a link was made to a bucket that the service does not give away")
	}
}
