package contact

import (
	"log/slog"
	"sync"

	"ringdown/internal/flow"
)

// maxDocuments is how many parsed flows are kept; a parsed flow of 250 actions
// takes a quarter of a megabyte.
const maxDocuments = 500

// library keeps parsed documents by their content, which never changes.
type library struct {
	m  *Manager
	mu sync.RWMutex
	// docs holds at most maxDocuments; when it is full, any one goes.
	docs map[string]*flow.Document
}

// shelf is the library as one instance sees it (machine.Library).
type shelf struct {
	*library
	in Instance
}

// Document reads a document at first need.
func (s shelf) Document(content string) *flow.Document {
	s.mu.RLock()
	doc := s.docs[content]
	s.mu.RUnlock()
	if doc != nil {
		return doc
	}
	doc, err := s.m.opts.Configuration.Document(s.m.ctx, s.in, content)
	if err != nil {
		s.m.opts.Logger.Error("the content of a flow cannot be read", slog.String("instance", string(s.in.ID)), slog.String("content", content), slog.Any("err", err))
		return nil
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.docs == nil {
		s.docs = map[string]*flow.Document{}
	}
	if len(s.docs) >= maxDocuments {
		for old := range s.docs {
			delete(s.docs, old)
			break
		}
	}
	s.docs[content] = doc
	return doc
}
