// Package objects keeps files where the API says s3://BUCKET/KEY: prompts that
// are to be created, the server's own copies of them, attached files.
//
// There are two stores. Folder is a tree of plain files, for a laptop: whoever
// copies greeting.wav to BUCKET/prompts/greeting.wav in it has put it at
// s3://BUCKET/prompts/greeting.wav. S3 is any service that speaks Amazon S3.
//
// Invariants, for both:
//   - an object is there whole or not at all, and what Put has acknowledged
//     survives a kill -9;
//   - no key, whatever is in it, leads out of its bucket;
//   - nothing is listed: whoever reads an object knows its key, which a record
//     of the store holds. An object that no record names is what a crash has
//     left, and does no harm.
package objects

import (
	"context"
	"errors"
	"io"
	"net/netip"
	"net/url"
	"path"
	"regexp"
	"strings"
	"time"
	"unicode/utf8"
)

// What an object cannot be read for, beside a failure of the store.
var (
	ErrNotFound = errors.New("there is no such object")
	ErrDenied   = errors.New("the server is not allowed to read it")
)

// Store holds objects. It is safe for concurrent use.
type Store interface {
	// Get opens an object; the caller closes it. A missing one is ErrNotFound,
	// one that the store does not give away ErrDenied.
	Get(ctx context.Context, at URI) (io.ReadCloser, Info, error)
	// Stat tells of an object without opening it. It fails as Get does.
	Stat(ctx context.Context, at URI) (Info, error)
	// Put makes or replaces an object, and its bucket if need be. The body is
	// read from where it stands to its end, perhaps more than once.
	Put(ctx context.Context, at URI, body io.ReadSeeker) error
	// Delete removes an object. That there is none is no error.
	Delete(ctx context.Context, at URI) error
	// DeleteBucket removes a bucket with all that is in it. That there is none
	// is no error.
	DeleteBucket(ctx context.Context, bucket string) error
	// Presign returns a URL from which anybody can read the object for a while.
	// The object need not exist.
	Presign(ctx context.Context, at URI, validity time.Duration) (string, error)
	// PresignPut returns a link at which anybody can make or replace the object
	// for a while, by one PUT of the size that u says with the headers of the
	// link; browsers too, from any page. Whether it has been put, and so may be
	// relied on, Stat tells. It serves all that clients upload: name the object
	// with Own, by an id and the extension of the file's name, which gives it its
	// content type.
	PresignPut(ctx context.Context, at URI, u Upload) (Link, error)
	// Honours reports whether a URL, as Presign has returned it or as Shared has
	// shown it, still gives away the object.
	Honours(link string, at URI) bool
}

// Info is what a store knows of an object.
type Info struct {
	Size     int64 // in bytes
	Modified time.Time
}

// URI names an object. It comes from ParseURI or Own, so that its parts are
// always legal.
type URI struct {
	bucket, key string
}

// Bucket is the name of the bucket.
func (u URI) Bucket() string { return u.bucket }

// Key is the key within the bucket.
func (u URI) Key() string { return u.key }

// String is the URI as s3://BUCKET/KEY.
func (u URI) String() string { return scheme + u.bucket + "/" + u.key }

// ContentType is the media type of the object, by the extension of its key.
func (u URI) ContentType() string {
	if t, ok := contentTypes[strings.ToLower(path.Ext(u.key))]; ok {
		return t
	}
	return "application/octet-stream"
}

// contentTypes are those of what a contact centre keeps. The system's own
// table is not asked, for it differs from machine to machine.
var contentTypes = map[string]string{
	".csv":  "text/csv",
	".doc":  "application/msword",
	".docx": "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
	".heic": "image/heic",
	".jfif": "image/jpeg",
	".jpeg": "image/jpeg",
	".jpg":  "image/jpeg",
	".json": "application/json",
	".mov":  "video/quicktime",
	".mp4":  "video/mp4",
	".pdf":  "application/pdf",
	".png":  "image/png",
	".ppt":  "application/vnd.ms-powerpoint",
	".pptx": "application/vnd.openxmlformats-officedocument.presentationml.presentation",
	".rtf":  "application/rtf",
	".txt":  "text/plain",
	".wav":  "audio/wav",
	".xls":  "application/vnd.ms-excel",
	".xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
}

const scheme = "s3://"

// maxKey is the length of a key in bytes (Amazon S3 User Guide, "Naming Amazon
// S3 objects").
const maxKey = 1024

// ParseURI reads where the API's members that name an object lead to:
//
//	s3://BUCKET/KEY
//	https://BUCKET.s3.REGION.amazonaws.com/KEY[?query]
//	URL#s3://BUCKET/KEY
//
// The second is Amazon's URL of an object, presigned or not, the third that of
// Shared. Only the place is taken from a URL: nothing is ever fetched from it.
func ParseURI(s string) (URI, error) {
	if rest, ok := strings.CutPrefix(s, scheme); ok {
		bucket, key, _ := strings.Cut(rest, "/")
		return newURI(bucket, key)
	}
	u, err := url.Parse(s)
	if err != nil || u.Host == "" {
		return URI{}, errors.New("it is neither s3://BUCKET/KEY nor the URL of an object")
	}
	if strings.HasPrefix(u.Fragment, scheme) {
		return ParseURI(u.Fragment)
	}
	m := amazonHost.FindStringSubmatch(u.Host)
	if m == nil || u.Scheme != "https" {
		return URI{}, errors.New("its host is not that of an object in Amazon S3, https://BUCKET.s3.REGION.amazonaws.com/KEY")
	}
	return newURI(m[1], strings.TrimPrefix(u.Path, "/"))
}

// amazonHost is that of an object: Amazon S3 User Guide, "Virtual hosting of
// buckets".
var amazonHost = regexp.MustCompile(`^(.+)\.s3\.[a-z0-9-]+\.amazonaws\.com$`)

// Shared is the form in which a presigned URL is handed out: its fragment,
// which no client sends to a server (RFC 3986 §3.5), tells what it is a URL of,
// so that it can be given back to the API in the place of an s3:// URI,
// whatever host it leads to.
func Shared(presigned string, at URI) string {
	return presigned + "#" + (&url.URL{Fragment: at.String()}).EscapedFragment()
}

func newURI(bucket, key string) (URI, error) {
	if err := CheckBucket(bucket); err != nil {
		return URI{}, err
	}
	switch {
	case key == "":
		return URI{}, errors.New("it has no key")
	case len(key) > maxKey:
		return URI{}, errors.New("its key is longer than 1024 bytes")
	case !utf8.ValidString(key) || strings.ContainsRune(key, 0):
		return URI{}, errors.New("its key is no text in UTF-8")
	}
	return URI{bucket, key}, nil
}

var bucketPattern = regexp.MustCompile(`^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$`)

// CheckBucket says what is wrong with the name of a bucket (Amazon S3 User
// Guide, "General purpose bucket naming rules").
func CheckBucket(name string) error {
	switch {
	case !bucketPattern.MatchString(name):
		return errors.New("a bucket is named by 3 to 63 lower-case letters, digits, dots and hyphens, with a letter or digit at both ends")
	case strings.Contains(name, ".."):
		return errors.New("the name of a bucket has no two dots side by side")
	}
	if _, err := netip.ParseAddr(name); err == nil {
		return errors.New("the name of a bucket is no IP address")
	}
	return nil
}

// ownPrefix begins the names of the server's own buckets.
const ownPrefix = "ringdown-"

// OwnBucket is the bucket in which the server keeps its own copies for an
// instance. It is removed with the instance.
func OwnBucket(instance string) string { return ownPrefix + instance }

// Own names an object in the own bucket of an instance. The key is made of ids
// and file names that the server has chosen; an illegal one is a mistake of the
// caller's, which the first access reports.
func Own(instance, key string) URI { return URI{OwnBucket(instance), key} }

// OfAnother reports whether an object lies in the server's own bucket of
// another instance: a request to this one may read it only by a presigned URL.
func (u URI) OfAnother(instance string) bool {
	return strings.HasPrefix(u.bucket, ownPrefix) && u.bucket != OwnBucket(instance)
}
