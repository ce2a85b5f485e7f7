package objects

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"io"
	"net/url"
	"strconv"
	"strings"
	"time"
)

// LinkPath is where the server answers links to the objects of a Folder:
// LinkPath BUCKET/KEY?expires=SECONDS&signature=… What it answers is decided by
// Folder.Linked and, for uploads, Folder.Receive.
const LinkPath = "/-/objects/"

// ErrLink says that a link is not one of ours or no longer valid.
var ErrLink = errors.New("the link is not valid, or no longer so")

type baseKey struct{}

// WithBase returns a context that carries the URL of the server as the client
// of a request has reached it, such as https://connect.example.com:8765. Links
// begin with it.
func WithBase(ctx context.Context, base string) context.Context {
	return context.WithValue(ctx, baseKey{}, base)
}

// Base is what WithBase has put into a context, "" for nothing.
func Base(ctx context.Context) string {
	base, _ := ctx.Value(baseKey{}).(string)
	return base
}

// Presign returns a link to the server itself.
func (f *Folder) Presign(ctx context.Context, at URI, validity time.Duration) (string, error) {
	expires := f.end(validity)
	return serverLink(ctx, at, url.Values{"expires": {expires}, "signature": {f.mac(downloadText(at, expires))}})
}

// end is when a link that is made now is over, in seconds.
func (f *Folder) end(validity time.Duration) string {
	return strconv.FormatInt(f.now().Add(validity).Unix(), 10)
}

// serverLink is the URL of an object on the server.
func serverLink(ctx context.Context, at URI, query url.Values) (string, error) {
	base := Base(ctx)
	if base == "" {
		return "", errors.New("a link to an object: nobody knows under which address the server is reached")
	}
	parts := strings.Split(at.key, "/")
	for i, part := range parts {
		parts[i] = url.PathEscape(part)
	}
	return base + LinkPath + at.bucket + "/" + strings.Join(parts, "/") + "?" + query.Encode(), nil
}

// downloadText is what the signature of a download link is made of: it binds it
// to an object and its end. The host is not signed, for a proxy may stand before
// the server.
func downloadText(at URI, expires string) string { return at.String() + "\n" + expires }

func (f *Folder) mac(text string) string {
	mac := hmac.New(sha256.New, f.key)
	_, _ = io.WriteString(mac, text)
	return base64.RawURLEncoding.EncodeToString(mac.Sum(nil))
}

// signed reports whether the query of a link has the signature of the text, and
// the link is not over.
func (f *Folder) signed(query url.Values, text, expires string) bool {
	if !hmac.Equal([]byte(query.Get("signature")), []byte(f.mac(text))) {
		return false
	}
	end, err := strconv.ParseInt(expires, 10, 64) // signed, therefore a number of ours
	return err == nil && f.now().Unix() < end
}

// valid reports whether the query of a link gives away an object now.
func (f *Folder) valid(at URI, query url.Values) bool {
	expires := query.Get("expires")
	return f.signed(query, downloadText(at, expires), expires)
}

// linkedURI is the object that a link leads to, by the link's path.
func linkedURI(path string) (URI, error) {
	bucket, key, _ := strings.Cut(strings.TrimPrefix(path, LinkPath), "/")
	at, err := newURI(bucket, key)
	if err != nil {
		return URI{}, ErrLink
	}
	return at, nil
}

// Honours reports whether a link still gives away the object.
func (f *Folder) Honours(link string, at URI) bool {
	u, err := url.Parse(link)
	return err == nil && u.Path == LinkPath+at.bucket+"/"+at.key && f.valid(at, u.Query())
}

// Linked opens the object that a link leads to, by the link's path, without its
// escapes, and query. The caller closes it. A link that is wrong or over is
// ErrLink, a missing object ErrNotFound; only who has a valid link learns
// which objects there are.
func (f *Folder) Linked(path string, query url.Values) (io.ReadSeekCloser, URI, Info, error) {
	at, err := linkedURI(path)
	if err != nil {
		return nil, URI{}, Info{}, err
	}
	if !f.valid(at, query) {
		return nil, URI{}, Info{}, ErrLink
	}
	file, info, err := f.open(at)
	if err != nil {
		return nil, URI{}, Info{}, err
	}
	return file, at, Info{info.Size(), info.ModTime()}, nil
}
