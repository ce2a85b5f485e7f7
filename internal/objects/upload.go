package objects

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/url"
	"strconv"
	"time"
)

// Upload bounds what may be put where an upload link leads. The type of what is
// put is the object's own (URI.ContentType), so that an extension which the
// server has allowed says what the object is.
type Upload struct {
	Size     int64 // in bytes, neither more nor fewer
	Validity time.Duration
}

// Link is a presigned URL with the headers that its request must have beside
// Host and Content-Length, which every client sends by itself.
type Link struct {
	URL     string
	Headers map[string]string
}

// ErrUpload says that what was sent is not what its link is for. The errors
// that wrap it tell the difference.
var ErrUpload = errors.New("the upload is not what its link is for")

// PresignPut returns a link to the server itself. What it answers is decided by
// Receive.
func (f *Folder) PresignPut(ctx context.Context, at URI, u Upload) (Link, error) {
	expires, size := f.end(u.Validity), strconv.FormatInt(u.Size, 10)
	q := url.Values{"expires": {expires}, "size": {size}, "signature": {f.mac(uploadText(at, expires, size))}}
	link, err := serverLink(ctx, at, q)
	if err != nil {
		return Link{}, err
	}
	return Link{link, map[string]string{"Content-Type": at.ContentType()}}, nil
}

// uploadText is what the signature of an upload link is made of. It cannot be
// that of a download link, which begins with the scheme of the object; and what
// may hold anything comes last.
func uploadText(at URI, expires, size string) string {
	return "PUT\n" + size + "\n" + expires + "\n" + at.String()
}

// Receive makes or replaces the object that an upload link leads to, by the
// link's path, without its escapes, and query; length is that of the body, -1
// when it is not known. A link that is wrong or over is ErrLink; a body of
// another type or size than the link is for is ErrUpload, and leaves no trace.
func (f *Folder) Receive(path string, query url.Values, contentType string, length int64, body io.Reader) error {
	at, err := linkedURI(path)
	if err != nil {
		return err
	}
	expires, size := query.Get("expires"), query.Get("size")
	if !f.signed(query, uploadText(at, expires, size), expires) {
		return ErrLink
	}
	want, err := strconv.ParseInt(size, 10, 64)
	switch {
	case err != nil:
		return ErrLink
	case contentType != at.ContentType():
		return fmt.Errorf("%w: its Content-Type must be %s", ErrUpload, at.ContentType())
	case length >= 0 && length != want:
		return sizeError(want)
	}
	return f.put(at, &exactly{body, want, want})
}

func sizeError(want int64) error {
	return fmt.Errorf("%w: it must have %d bytes", ErrUpload, want)
}

// exactly reads a body that must have a size.
type exactly struct {
	body       io.Reader
	left, size int64
}

func (e *exactly) Read(p []byte) (int, error) {
	n, err := e.body.Read(p)
	e.left -= int64(n)
	if e.left < 0 || errors.Is(err, io.EOF) && e.left > 0 {
		return 0, sizeError(e.size)
	}
	return n, err
}
