package search

import (
	"cmp"
	"maps"
	"math"
	"slices"
	"sort"
	"strings"
	"sync"

	"github.com/RoaringBitmap/roaring/v2"
)

// segment holds the resources of one kind in one instance.
//
// A resource has a row, numbered in the order of arrival, and keeps it when it
// is replaced. Rows ascend with their PKs, so that a page is a walk along
// a set of rows, except for the late ones: those that arrived after a greater
// PK. They are few, and merged in.
type segment struct {
	mu sync.RWMutex

	rows     uint32 // rows handed out
	rowLimit uint32 // see renumber
	pending  int    // how many values of a field may wait to be indexed after a Put
	live     *roaring.Bitmap
	// order has the PK of each row, or, for a late row, the PK of the last row
	// before it that is not late: it never descends.
	order column[int64]
	// chunks of order and of the fields' columns are dropped when all of their
	// rows are gone. first keeps the order of their first rows, which is all
	// that a search for a PK needs to pass over them.
	first  []int64
	liveIn []uint16

	late     []lateRow // by PK
	lateRows *roaring.Bitmap
	latePK   map[uint32]int64 // row → PK

	fields  map[fieldKey]*field
	tagKeys map[string]*posting // tag key → rows that have it
}

type lateRow struct {
	pk  int64
	row uint32
}

type fieldKey struct {
	class class
	name  string
}

// class keeps fields of different Doc members apart that have the same name.
type class uint8

const (
	classText class = iota
	classKey
	classNumber
	classTuple
	classTag // name is empty
)

func newSegment() *segment {
	return &segment{
		rowLimit: firstSpare,
		pending:  pendingOfPut,
		live:     roaring.New(),
		lateRows: roaring.New(),
		latePK:   map[uint32]int64{},
		fields:   map[fieldKey]*field{},
		tagKeys:  map[string]*posting{},
	}
}

// pendingOfPut and pendingOfLoad are how many values of a field wait to be
// indexed. The former is a compromise: writes get cheaper with more, searches
// for a part of a text dearer. While loading, only the writes count.
const (
	pendingOfPut  = 256
	pendingOfLoad = 8192
)

// put inserts or replaces docs, in their order, and leaves less than pending
// values of each field to be indexed. It goes field by field: what it writes
// to is closer together, and several fields can be written at once.
func (s *segment) put(docs []Doc, pending int) {
	if int(s.rows)+len(docs) > int(s.rowLimit) {
		s.renumber()
	}
	rows := make([]uint32, len(docs))
	for i := range docs {
		rows[i] = s.place(&docs[i])
	}
	if len(docs) == 1 {
		for k, f := range s.fields {
			s.fill(k, f, rows, docs, pending)
		}
		return
	}
	keys := slices.Collect(maps.Keys(s.fields))
	// Text is the most work and not to be left for last.
	slices.SortFunc(keys, func(a, b fieldKey) int { return cmp.Compare(a.class, b.class) })
	parallel(len(keys), func(i int) { s.fill(keys[i], s.fields[keys[i]], rows, docs, pending) })
}

// place returns the row for d and makes the fields that d needs.
func (s *segment) place(d *Doc) uint32 {
	row, ok := s.rowOf(d.PK)
	if !ok {
		row = s.newRow(d.PK)
	}
	if s.live.CheckedAdd(row) {
		s.liveIn[row>>chunkBits]++
	}
	for name, values := range d.Text {
		s.need(fieldKey{classText, name}, len(values))
	}
	for name, values := range d.Keys {
		s.need(fieldKey{classKey, name}, len(values))
	}
	for name, values := range d.Numbers {
		s.need(fieldKey{classNumber, name}, len(values))
	}
	for name, values := range d.Tuples {
		s.need(fieldKey{classTuple, name}, len(values))
	}
	s.need(fieldKey{class: classTag}, len(d.Tags))
	return row
}

// need makes the field k if there is a value for it.
func (s *segment) need(k fieldKey, values int) {
	if values > 0 && s.fields[k] == nil {
		s.fields[k] = newField(k.class == classText)
	}
}

// fill sets the values of rows in field f, which is s.fields[k], to those of
// docs.
func (s *segment) fill(k fieldKey, f *field, rows []uint32, docs []Doc, pending int) {
	var buf [8]string
	terms := buf[:0]
	for i := range docs {
		terms = appendTerms(terms[:0], &docs[i], k)
		s.set(k, f, rows[i], terms)
		f.index(pending)
	}
}

// set makes terms the values of row in field f, which is s.fields[k].
func (s *segment) set(k fieldKey, f *field, row uint32, terms []string) {
	if k.class != classTag {
		f.set(row, terms)
		return
	}
	var buf [8]uint32
	for _, v := range f.valuesOf(row, buf[:0]) {
		key, _ := parsePair(f.values.value(v))
		if p := s.tagKeys[string(key)]; p != nil {
			if p.remove(row); p.empty() {
				delete(s.tagKeys, string(key))
			}
		}
	}
	f.set(row, terms)
	for _, v := range f.valuesOf(row, buf[:0]) {
		key, _ := parsePair(f.values.value(v))
		p := s.tagKeys[string(key)]
		if p == nil {
			p = &posting{}
			s.tagKeys[string(key)] = p
		}
		p.add(row)
	}
}

// appendTerms appends what the field k keeps of d.
func appendTerms(terms []string, d *Doc, k fieldKey) []string {
	switch k.class {
	case classText:
		for _, v := range d.Text[k.name] {
			terms = append(terms, strings.ToLower(v))
		}
	case classKey:
		for _, v := range d.Keys[k.name] {
			terms = append(terms, keyTerm(v))
		}
	case classNumber:
		for _, v := range d.Numbers[k.name] {
			terms = append(terms, numberTerm(v))
		}
	case classTuple:
		for _, t := range d.Tuples[k.name] {
			terms = append(terms, tupleTerm(t))
		}
	case classTag:
		for key, value := range d.Tags {
			terms = append(terms, tagTerm(key, value))
		}
	}
	return terms
}

func (s *segment) delete(pk int64) {
	row, ok := s.rowOf(pk)
	if !ok || !s.live.CheckedRemove(row) {
		return
	}
	for k, f := range s.fields {
		s.set(k, f, row, nil)
	}
	if s.lateRows.CheckedRemove(row) {
		delete(s.latePK, row)
		i, _ := s.findLate(pk)
		s.late = slices.Delete(s.late, i, i+1)
	}
	k := int(row >> chunkBits)
	s.liveIn[k]--
	s.dropChunk(k)
}

// dropChunk gives back the memory of chunk k if its rows are gone and it
// receives no more.
func (s *segment) dropChunk(k int) {
	if s.liveIn[k] > 0 || k == int(s.rows>>chunkBits) {
		return
	}
	s.order.drop(k)
	from := uint64(k) << chunkBits
	for _, f := range s.fields {
		f.of.drop(k)
		// Values outlive the rows that they are numbered after.
		if !f.live.IntersectsWithInterval(from, from+chunkRows) {
			f.values.at.drop(k)
		}
	}
}

// newRow hands out a row for a PK that has none.
func (s *segment) newRow(pk int64) uint32 {
	row := s.rows
	last := int64(math.MinInt64)
	if row > 0 {
		last = s.orderOf(row - 1)
	}
	order := pk
	if row > 0 && pk <= last {
		order = last
		i, _ := s.findLate(pk)
		s.late = slices.Insert(s.late, i, lateRow{pk, row})
		s.lateRows.Add(row)
		s.latePK[row] = pk
	}
	s.order.set(row, order)
	s.rows++
	if k := int(row >> chunkBits); row&(chunkRows-1) == 0 {
		s.first = append(s.first, order)
		s.liveIn = append(s.liveIn, 0)
		if k > 0 {
			s.dropChunk(k - 1)
		}
	}
	return row
}

// renumber hands out the rows anew, without those of deleted resources. That
// takes as long as loading the segment did and is due after a thousand million
// insertions.
func (s *segment) renumber() {
	old := make([]lateRow, 0, s.live.GetCardinality())
	for it := s.live.Iterator(); it.HasNext(); {
		row := it.Next()
		old = append(old, lateRow{s.pkOf(row), row})
	}
	slices.SortFunc(old, func(a, b lateRow) int { return cmp.Compare(a.pk, b.pk) })

	n := newSegment()
	for k := range s.fields {
		n.fields[k] = newField(k.class == classText)
	}
	var terms []string
	for _, o := range old {
		row := n.newRow(o.pk)
		n.live.Add(row)
		n.liveIn[row>>chunkBits]++
		for k, f := range s.fields {
			terms = terms[:0]
			for _, v := range f.valuesOf(o.row, nil) {
				terms = append(terms, string(f.values.value(v)))
			}
			n.set(k, n.fields[k], row, terms)
		}
	}
	s.rows, s.live, s.order, s.first, s.liveIn = n.rows, n.live, n.order, n.first, n.liveIn
	// New values of all fields are pending; what is over the limit is indexed
	// with the next Put.
	s.late, s.lateRows, s.latePK, s.fields, s.tagKeys = n.late, n.lateRows, n.latePK, n.fields, n.tagKeys
}

// orderOf returns s.order of a row, or for one of a dropped chunk a number
// that is in order just as well.
func (s *segment) orderOf(row uint32) int64 {
	k := int(row >> chunkBits)
	if s.order.chunks[k] == nil {
		return s.first[k]
	}
	return s.order.chunks[k][row&(chunkRows-1)]
}

// pkOf returns the PK of a live row.
func (s *segment) pkOf(row uint32) int64 {
	if !s.lateRows.IsEmpty() {
		if pk, ok := s.latePK[row]; ok {
			return pk
		}
	}
	return s.orderOf(row)
}

// rowOf returns the row that a PK has, be it live or not.
func (s *segment) rowOf(pk int64) (uint32, bool) {
	if i, ok := s.findLate(pk); ok {
		return s.late[i].row, true
	}
	row := s.firstFrom(pk)
	// The leftmost row of an order is the one that is not late, unless its
	// chunk is gone.
	ok := row < s.rows && s.order.chunks[row>>chunkBits] != nil &&
		s.orderOf(row) == pk && !s.lateRows.Contains(row)
	return row, ok
}

// firstFrom returns the first row whose order is at least pk, s.rows if there
// is none.
func (s *segment) firstFrom(pk int64) uint32 {
	if s.rows == 0 || s.orderOf(s.rows-1) < pk {
		return s.rows
	}
	return uint32(sort.Search(int(s.rows), func(i int) bool { return s.orderOf(uint32(i)) >= pk }))
}

func (s *segment) findLate(pk int64) (int, bool) {
	return slices.BinarySearchFunc(s.late, pk, func(l lateRow, pk int64) int { return cmp.Compare(l.pk, pk) })
}

// page returns the PKs of found that are greater than after, ascending, limit
// of them at most.
func (s *segment) page(found *roaring.Bitmap, after int64, limit int) []int64 {
	if limit <= 0 || after == math.MaxInt64 {
		return nil
	}
	pks := make([]int64, 0, min(uint64(limit), found.GetCardinality()))
	it := found.Iterator()
	it.AdvanceIfNeeded(s.firstFrom(after + 1))
	for len(pks) < limit && it.HasNext() {
		if row := it.Next(); !s.lateRows.Contains(row) {
			pks = append(pks, s.orderOf(row))
		}
	}
	if len(s.late) == 0 {
		return pks
	}

	from, _ := s.findLate(after + 1)
	to := len(s.late)
	if len(pks) == limit {
		to, _ = s.findLate(pks[limit-1])
	}
	window := s.late[from:to]
	if uint64(len(window)) <= found.GetCardinality() {
		more := 0
		for _, l := range window {
			if more < limit && found.Contains(l.row) {
				pks = append(pks, l.pk)
				more++
			}
		}
	} else {
		for it := roaring.And(found, s.lateRows).Iterator(); it.HasNext(); {
			pk := s.latePK[it.Next()]
			if len(window) > 0 && window[0].pk <= pk && pk <= window[len(window)-1].pk {
				pks = append(pks, pk)
			}
		}
	}
	slices.Sort(pks)
	return pks[:min(limit, len(pks))]
}
