package search

import (
	"cmp"
	"slices"
	"sync"
)

// Doc is one searchable resource.
type Doc struct {
	// PK is unique in the whole index. PKs are expected roughly in ascending
	// order: one that is smaller than its predecessors costs a little more
	// memory and time.
	PK int64
	// Text has the values that Text queries match, by field.
	Text map[string][]string
	// Keys has the terms that Key queries match, by field.
	Keys map[string][]string
	// Numbers has the numbers that Number queries match, by field; a query
	// looks at each distinct number of the field.
	Numbers map[string][]float64
	// Tuples has what TupleMatch queries match, by field; a query looks at
	// each distinct tuple of the field.
	Tuples map[string][]Tuple
	Tags   map[string]string
}

// Tuple is a named value with a level, such as a proficiency.
type Tuple struct {
	Name, Value string
	Level       float64
}

// TagTerm is a tag and how many resources have it.
type TagTerm struct {
	Key, Value string
	Count      int
}

// Index is the search index. Its methods may be called concurrently; the zero
// value is not usable.
type Index struct {
	mu        sync.RWMutex
	instances map[int64]map[uint8]*segment
}

// New returns an empty Index.
func New() *Index { return &Index{instances: map[int64]map[uint8]*segment{}} }

// Put inserts d, or replaces the resource of that instance and kind with the
// same PK. It keeps nothing of d.
func (x *Index) Put(instance int64, kind uint8, d Doc) {
	s := x.grow(instance, kind)
	s.mu.Lock()
	defer s.mu.Unlock()
	s.put([]Doc{d}, s.pending)
}

// Load puts many resources, in the order of their PKs, on all processors and
// cheaper than one at a time; of those with the same PK the last counts.
// Searches that run meanwhile see a part of them. Load sorts docs in place and
// keeps nothing of them. Thousands at a time are enough: a million in one call
// only take room.
func (x *Index) Load(instance int64, kind uint8, docs []Doc) {
	slices.SortStableFunc(docs, func(a, b Doc) int { return cmp.Compare(a.PK, b.PK) })
	s := x.grow(instance, kind)
	for part := range slices.Chunk(docs, 1024) {
		s.mu.Lock()
		s.put(part, pendingOfLoad)
		s.mu.Unlock()
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, f := range s.fields {
		f.index(s.pending)
	}
}

// Delete removes a resource; one that is not there is no error.
func (x *Index) Delete(instance int64, kind uint8, pk int64) {
	if s := x.segment(instance, kind); s != nil {
		s.mu.Lock()
		defer s.mu.Unlock()
		s.delete(pk)
	}
}

// DropInstance forgets all resources of an instance. A Put that runs at the
// same time may be lost with them.
func (x *Index) DropInstance(instance int64) {
	x.mu.Lock()
	defer x.mu.Unlock()
	delete(x.instances, instance)
}

// Search returns the PKs that match q and are greater than after, ascending,
// limit of them at most, and the exact number of all that match, whatever
// after is. A limit of zero or less asks for the number alone. The error is
// about a Query that cannot be evaluated, a mistake of the caller's code.
func (x *Index) Search(instance int64, kind uint8, q Query, after int64, limit int) (pks []int64, total int, err error) {
	if err := check(q); err != nil {
		return nil, 0, err
	}
	s := x.segment(instance, kind)
	if s == nil {
		return nil, 0, nil
	}
	s.mu.RLock()
	defer s.mu.RUnlock()
	found := s.eval(q, nil)
	return s.page(found.bm, after, limit), int(found.bm.GetCardinality()), nil
}

// TagTerms returns the distinct tags of a kind, by key and value.
func (x *Index) TagTerms(instance int64, kind uint8) []TagTerm {
	s := x.segment(instance, kind)
	if s == nil {
		return nil
	}
	s.mu.RLock()
	defer s.mu.RUnlock()
	return s.tagTerms()
}

// segment returns the resources of a kind, nil when there never were any.
func (x *Index) segment(instance int64, kind uint8) *segment {
	x.mu.RLock()
	defer x.mu.RUnlock()
	return x.instances[instance][kind]
}

// grow returns the resources of a kind, none at first.
func (x *Index) grow(instance int64, kind uint8) *segment {
	if s := x.segment(instance, kind); s != nil {
		return s
	}
	x.mu.Lock()
	defer x.mu.Unlock()
	kinds := x.instances[instance]
	if kinds == nil {
		kinds = map[uint8]*segment{}
		x.instances[instance] = kinds
	}
	s := kinds[kind]
	if s == nil {
		s = newSegment()
		kinds[kind] = s
	}
	return s
}
