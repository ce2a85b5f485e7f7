// Package recording keeps recordings of calls until they are stored: while a call
// lasts its recording is a file in a folder, next to a note that says where it
// belongs. What a server that died has left is stored at the next start.
package recording

import (
	"context"
	"log/slog"

	"ringdown/internal/objects"
)

// Options make a Spool.
type Options struct {
	Dir    string // the folder, made at need
	Store  objects.Store
	Logger *slog.Logger
}

// Spool is the folder.
type Spool struct{}

// Open opens the folder and begins to store what is left in it.
func Open(ctx context.Context, o Options) (*Spool, error) { panic("not yet") }

// Create begins a recording that belongs at a place.
func (s *Spool) Create(to objects.URI) (*File, error) { panic("not yet") }

// Close waits for what is being stored. What could not be stays for the next
// start. It may be called twice.
func (s *Spool) Close() error { panic("not yet") }

// File is a recording under way.
type File struct{}

// WriteAt writes to the file.
func (f *File) WriteAt(b []byte, off int64) (int, error) { panic("not yet") }

// Store has the file stored in the background, repeatedly if need be.
func (f *File) Store() error { panic("not yet") }
