package objects

import (
	"context"
	"crypto/hkdf"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	"ringdown/internal/domain"
)

// Folder is the store in a folder of its own: FOLDER/BUCKET/KEY. Ordinary keys
// are the names of their files, so that files can be put there by hand; what
// no file can be called is escaped (fileName). A key cannot be an object and
// the beginning of another's key at once, as a file is no folder; and where the
// file system ignores case, so do the keys.
//
// New content is written beside the buckets, into FOLDER/.new, and moved to its
// place when it is safe on the disk.
type Folder struct {
	dir  string
	now  func() time.Time
	root *os.Root
	key  []byte // signs links
}

// newFolder is where files are written before they are moved. No bucket has
// such a name.
const newFolder = ".new"

// NewFolder returns the store in a folder. It must be opened before it is used,
// once the process holds the data folder.
func NewFolder(dir string, now func() time.Time) *Folder { return &Folder{dir: dir, now: now} }

// Open makes the folder if need be, and removes what a killed process has left
// half-written in it. The secret is the root's: links are signed under a key
// derived from it, so that all servers with one root honour each other's. On
// nil, the folder of a server whose files a service keeps, it does nothing.
func (f *Folder) Open(secret string) (err error) {
	if f == nil {
		return nil
	}
	if f.key, err = hkdf.Key(sha256.New, []byte(secret), nil, "ringdown object links", sha256.Size); err != nil {
		return fmt.Errorf("objects: %w", err)
	}
	if err := os.MkdirAll(f.dir, 0o700); err != nil {
		return fmt.Errorf("objects: %w", err)
	}
	if f.root, err = os.OpenRoot(f.dir); err != nil {
		return fmt.Errorf("objects: %w", err)
	}
	if err := errors.Join(f.root.RemoveAll(newFolder), f.root.Mkdir(newFolder, 0o700)); err != nil {
		return errors.Join(fmt.Errorf("objects: %w", err), f.root.Close())
	}
	return nil
}

// Close frees the folder; it may be called twice.
func (f *Folder) Close() error {
	if f == nil || f.root == nil {
		return nil
	}
	return f.root.Close()
}

// open opens the file of an object.
func (f *Folder) open(at URI) (*os.File, fs.FileInfo, error) {
	file, err := f.root.Open(fileName(at))
	if err != nil {
		return nil, nil, f.unread(at, err)
	}
	info, err := file.Stat()
	if err == nil && !info.Mode().IsRegular() {
		err = fs.ErrNotExist // a folder is no object
	}
	if err != nil {
		return nil, nil, errors.Join(f.unread(at, err), file.Close())
	}
	return file, info, nil
}

// unread is what it means that a file cannot be read. A file whose folder is a
// file is not there either.
func (f *Folder) unread(at URI, err error) error {
	switch {
	case errors.Is(err, fs.ErrNotExist), errors.Is(err, syscall.ENOTDIR):
		return ErrNotFound
	case errors.Is(err, fs.ErrPermission):
		return ErrDenied
	case f.linked(fileName(at)):
		return ErrDenied // the link leads out of the folder
	default:
		return fmt.Errorf("object %s: %w", at, err)
	}
}

// linked reports whether a file, or a folder on the way to it, is a symbolic
// link.
func (f *Folder) linked(name string) bool {
	for ; name != "."; name = path.Dir(name) {
		if info, err := f.root.Lstat(name); err == nil && info.Mode()&fs.ModeSymlink != 0 {
			return true
		}
	}
	return false
}

// Get opens an object.
func (f *Folder) Get(_ context.Context, at URI) (io.ReadCloser, Info, error) {
	file, info, err := f.open(at)
	if err != nil {
		return nil, Info{}, err
	}
	return file, Info{info.Size(), info.ModTime()}, nil
}

// Stat tells of an object.
func (f *Folder) Stat(_ context.Context, at URI) (Info, error) {
	info, err := f.root.Stat(fileName(at))
	if err == nil && !info.Mode().IsRegular() {
		err = fs.ErrNotExist
	}
	if err != nil {
		return Info{}, f.unread(at, err)
	}
	return Info{info.Size(), info.ModTime()}, nil
}

// Put makes or replaces an object.
func (f *Folder) Put(_ context.Context, at URI, body io.ReadSeeker) error { return f.put(at, body) }

// put makes or replaces an object, of all that the body gives or not at all.
func (f *Folder) put(at URI, body io.Reader) (err error) {
	defer func() {
		if err != nil {
			err = fmt.Errorf("object %s: %w", at, err)
		}
	}()
	name := fileName(at)
	if err := f.makeFolders(path.Dir(name)); err != nil {
		return err
	}
	fresh := path.Join(newFolder, domain.NewID())
	if err := f.write(fresh, body); err != nil {
		return errors.Join(err, f.root.RemoveAll(fresh))
	}
	if err := f.root.Rename(fresh, name); err != nil {
		return errors.Join(err, f.root.Remove(fresh))
	}
	return f.sync(path.Dir(name))
}

// write makes a file and waits for the disk.
func (f *Folder) write(name string, body io.Reader) error {
	file, err := f.root.OpenFile(name, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return err
	}
	_, err = io.Copy(file, body)
	if err == nil {
		err = file.Sync()
	}
	return errors.Join(err, file.Close())
}

// makeFolders makes a folder with those above it, each known to the disk
// before anything is put into it.
func (f *Folder) makeFolders(dir string) error {
	if info, err := f.root.Stat(dir); err == nil && info.IsDir() {
		return nil
	}
	if err := f.makeFolders(path.Dir(dir)); err != nil {
		return err
	}
	if err := f.root.Mkdir(dir, 0o700); err != nil && !errors.Is(err, fs.ErrExist) {
		return err
	}
	return f.sync(path.Dir(dir))
}

// sync makes what a folder lists safe on the disk.
func (f *Folder) sync(dir string) error {
	d, err := f.root.Open(dir)
	if err != nil {
		return err
	}
	return errors.Join(d.Sync(), d.Close())
}

// Delete removes an object.
func (f *Folder) Delete(ctx context.Context, at URI) error {
	if _, err := f.Stat(ctx, at); err != nil {
		if errors.Is(err, ErrNotFound) {
			return nil
		}
		return err
	}
	name := fileName(at)
	if err := f.root.Remove(name); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("object %s: %w", at, err)
	}
	return f.sync(path.Dir(name))
}

// DeleteBucket removes a bucket with all that is in it.
func (f *Folder) DeleteBucket(_ context.Context, bucket string) error {
	if err := CheckBucket(bucket); err != nil {
		return err
	}
	if err := f.root.RemoveAll(bucket); err != nil {
		return fmt.Errorf("bucket %s: %w", bucket, err)
	}
	return f.sync(".")
}

// plainName is the length up to which the escaped part of a key is the name of
// its file; file systems take 255 bytes.
const plainName = 200

// File is the path of an object's file, whether there is one or not.
func (f *Folder) File(at URI) string { return filepath.Join(f.dir, filepath.FromSlash(fileName(at))) }

// fileName is the path of an object's file below the folder.
func fileName(at URI) string {
	parts := strings.Split(at.key, "/")
	for i, part := range parts {
		parts[i] = escape(part)
	}
	return at.bucket + "/" + strings.Join(parts, "/")
}

// escape turns a part of a key, between slashes, into a name that every file
// system takes and that leads nowhere else. Letters, digits and what is common
// in file names stay as they are; every other byte becomes %XX, as do the dots
// of "." and "..", and the empty part is "%". Long names end in a hash.
func escape(part string) string {
	if part == "" {
		return "%"
	}
	dots := strings.Trim(part, ".") == ""
	var b strings.Builder
	for i := range len(part) {
		c := part[i]
		switch {
		case c >= 'a' && c <= 'z', c >= 'A' && c <= 'Z', c >= '0' && c <= '9', c >= 0x80,
			c == '.' && !dots, strings.IndexByte(" -_+=@!$&'(),;~[]{}^#", c) >= 0:
			b.WriteByte(c)
		default:
			fmt.Fprintf(&b, "%%%02X", c)
		}
	}
	if b.Len() <= plainName {
		return b.String()
	}
	// No plain name is as long as this one, so the two cannot meet.
	sum := sha256.Sum256([]byte(part))
	return strings.ToValidUTF8(b.String()[:plainName-60], "_") + "%" + hex.EncodeToString(sum[:])
}
