package server

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"path/filepath"
	"time"

	"ringdown/internal/catalog"
	"ringdown/internal/objects"
)

// objectsFolder is where a data folder keeps s3://BUCKET/KEY, unless a service
// does.
const objectsFolder = "objects"

// newObjects makes the store of files that a configuration asks for. The second
// result is the same one if it is a folder, else nil.
func newObjects(c *Config) (objects.Store, *objects.Folder, error) {
	if c.Objects == (Objects{}) {
		folder := objects.NewFolder(filepath.Join(c.Data, objectsFolder), c.Now)
		return folder, folder, nil
	}
	o := objects.S3Options{
		Endpoint: c.Objects.Endpoint, Region: c.Objects.Region,
		AccessKeyID: c.Objects.AccessKeyID, SecretAccessKey: c.Objects.SecretAccessKey,
	}
	if o.Region == "" {
		o.Region = c.Region
	}
	service, err := objects.NewS3(o)
	if err != nil {
		return nil, nil, fmt.Errorf("objects: %w", err)
	}
	return service, nil, nil
}

// objectCleaner removes the files of an instance that is gone.
type objectCleaner struct{ store objects.Store }

// Clean removes the instance's own bucket, even if the client that asked for
// the deletion has gone.
func (c objectCleaner) Clean(ctx context.Context, sc catalog.Scope) error {
	return c.store.DeleteBucket(context.WithoutCancel(ctx), objects.OwnBucket(string(sc.ID)))
}

// withBase tells the rest of a request under which address its client has
// reached the server, for links to begin with. A proxy that ends TLS says so
// in X-Forwarded-Proto; whoever lies there only gets a link that is of no use.
func (s *Server) withBase(r *http.Request) *http.Request {
	scheme := s.cfg.scheme()
	if forwarded := r.Header.Get("X-Forwarded-Proto"); forwarded == "https" || forwarded == "http" {
		scheme = forwarded
	}
	return r.WithContext(objects.WithBase(r.Context(), scheme+"://"+r.Host))
}

// linksHandler serves the objects of a folder to whoever has a link, and takes
// them from whoever has a link for that.
type linksHandler struct {
	folder *objects.Folder
	cfg    Config
}

// uploadTime is how long an upload may take: the largest attached file, 100 MB,
// over a line of 2 Mbit/s.
const uploadTime = 7 * time.Minute

func (h linksHandler) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	// The link is all the permission there is, so a page of any origin may use
	// one that it has: chats upload and show attachments in browsers.
	w.Header().Set("Access-Control-Allow-Origin", "*")
	switch r.Method {
	case http.MethodGet, http.MethodHead:
		h.send(w, r)
	case http.MethodPut:
		h.receive(w, r)
	case http.MethodOptions:
		w.Header().Set("Access-Control-Allow-Methods", "GET,HEAD,PUT")
		w.Header().Set("Access-Control-Allow-Headers", "Content-Type")
		w.WriteHeader(http.StatusNoContent)
	default:
		w.Header().Set("Allow", "GET, HEAD, PUT")
		http.Error(w, "a link is read with GET or HEAD, or filled with PUT", http.StatusMethodNotAllowed)
	}
}

// send gives an object away.
func (h linksHandler) send(w http.ResponseWriter, r *http.Request) {
	file, at, info, err := h.folder.Linked(r.URL.Path, r.URL.Query())
	if err != nil {
		h.refuse(w, r, err)
		return
	}
	defer file.Close() //nolint:errcheck // it was only read
	w.Header().Set("Content-Type", at.ContentType())
	w.Header().Set("X-Content-Type-Options", "nosniff") // a file is what its name says, for browsers too
	http.ServeContent(w, r, "", info.Modified, file)
}

// receive takes an object. The size that the link is for bounds what is read.
func (h linksHandler) receive(w http.ResponseWriter, r *http.Request) {
	control, end := http.NewResponseController(w), time.Now().Add(uploadTime)
	if err := errors.Join(control.SetReadDeadline(end), control.SetWriteDeadline(end)); err != nil {
		h.refuse(w, r, err)
		return
	}
	if err := h.folder.Receive(r.URL.Path, r.URL.Query(), r.Header.Get("Content-Type"), r.ContentLength, r.Body); err != nil {
		h.refuse(w, r, err)
		return
	}
	w.WriteHeader(http.StatusOK)
}

// refuse says why a link does not work.
func (h linksHandler) refuse(w http.ResponseWriter, r *http.Request, err error) {
	switch {
	case errors.Is(err, objects.ErrLink):
		http.Error(w, err.Error(), http.StatusForbidden)
	case errors.Is(err, objects.ErrNotFound):
		http.Error(w, err.Error(), http.StatusNotFound)
	case errors.Is(err, objects.ErrUpload):
		http.Error(w, err.Error(), http.StatusBadRequest)
	case r.Context().Err() != nil: // whoever it was has gone
	default:
		h.cfg.Logger.Error("link to an object", "err", err)
		http.Error(w, "an internal error occurred", http.StatusInternalServerError)
	}
}

// RecordingFile is the file of a recording whose location is BUCKET/KEY, on a
// server that keeps its files in its data folder. It waits until it is stored.
func (s *Server) RecordingFile(ctx context.Context, location string) (string, error) {
	at, err := objects.ParseURI("s3://" + location)
	if err != nil {
		return "", err
	}
	if s.folder == nil {
		return "", fmt.Errorf("%s is kept by another service", at)
	}
	for {
		_, err := s.folder.Stat(ctx, at)
		if err == nil {
			return s.folder.File(at), nil
		}
		if !errors.Is(err, objects.ErrNotFound) {
			return "", err
		}
		select {
		case <-time.After(50 * time.Millisecond):
		case <-ctx.Done():
			return "", err
		}
	}
}
