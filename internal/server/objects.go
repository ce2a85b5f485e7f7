package server

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"path/filepath"

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

// linksHandler serves the objects of a folder to whoever has a link.
type linksHandler struct {
	folder *objects.Folder
	cfg    Config
}

func (h linksHandler) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if r.Method != http.MethodGet && r.Method != http.MethodHead {
		w.Header().Set("Allow", "GET, HEAD")
		http.Error(w, "a link is read with GET or HEAD", http.StatusMethodNotAllowed)
		return
	}
	file, at, info, err := h.folder.Linked(r.URL.Path, r.URL.Query())
	switch {
	case errors.Is(err, objects.ErrLink):
		http.Error(w, err.Error(), http.StatusForbidden)
		return
	case errors.Is(err, objects.ErrNotFound):
		http.Error(w, err.Error(), http.StatusNotFound)
		return
	case err != nil:
		h.cfg.Logger.Error("link to an object", "err", err)
		http.Error(w, "an internal error occurred", http.StatusInternalServerError)
		return
	}
	defer file.Close() //nolint:errcheck // it was only read
	w.Header().Set("Content-Type", at.ContentType())
	w.Header().Set("X-Content-Type-Options", "nosniff") // a file is what its name says, for browsers too
	http.ServeContent(w, r, "", info.Modified, file)
}
