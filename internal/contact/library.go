package contact

import (
	"log/slog"
	"sync"

	"ringdown/internal/fault"
	"ringdown/internal/flow"
	"ringdown/internal/flow/machine"
)

// maxDocuments is how many parsed flows are kept; a parsed flow of 250 actions
// takes a quarter of a megabyte.
const maxDocuments = 500

// library keeps parsed documents by their content, which never changes.
type library struct {
	mu sync.RWMutex
	// docs holds at most maxDocuments; when it is full, any one goes.
	docs map[string]*flow.Document
}

// shelf is the library as one instance sees it.
type shelf struct {
	m  *Manager
	in Instance
}

// Library has the parsed contents of an instance's flows and modules.
func (m *Manager) Library(in Instance) machine.Library { return shelf{m, in} }

// Document reads a document at first need.
func (s shelf) Document(content string) *flow.Document {
	l := &s.m.library
	l.mu.RLock()
	doc := l.docs[content]
	l.mu.RUnlock()
	if doc != nil {
		return doc
	}
	doc, err := s.m.opts.Configuration.Document(s.m.ctx, s.in, content)
	if err != nil {
		if fault.Is(err, fault.ResourceNotFound) { // it was deleted meanwhile
			return nil
		}
		s.m.opts.Logger.Error("the content of a flow cannot be read", slog.String("instance", string(s.in.ID)), slog.String("content", content), slog.Any("err", err))
		return nil
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.docs == nil {
		l.docs = map[string]*flow.Document{}
	}
	if len(l.docs) >= maxDocuments {
		for old := range l.docs {
			delete(l.docs, old)
			break
		}
	}
	l.docs[content] = doc
	return doc
}
