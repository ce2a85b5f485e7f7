package search

import (
	"slices"

	"github.com/RoaringBitmap/roaring/v2"
)

// listFlag marks an element of field.of that is the place of a list in
// field.lists; others are a value's number plus one, or zero for no value.
const listFlag = 1 << 31

// field indexes the values that rows have in one field.
//
// Every distinct value has a number, and wherever possible it is the row that
// brought the value: where values are unique, as usernames and ids are, the
// set of values that satisfy a condition then is the set of rows, without
// translation and without a posting for each value. Any other value has
// a posting in shared. A value whose row of origin is already the number of
// another one is numbered from firstSpare.
type field struct {
	values *dictionary
	live   *roaring.Bitmap // numbers of all values
	shared postings        // value → rows, unless the only row is its number
	// many holds the keys of shared.
	many *roaring.Bitmap

	of     column[uint32] // row → its values, see listFlag
	lists  lists
	spare  []uint32 // freed numbers from firstSpare on
	spares uint32   // how many numbers from firstSpare on were ever used

	grams *grams // nil unless the field is text
	// pending holds the values that are not yet in grams, see index.
	pending posting
}

func newField(text bool) *field {
	f := &field{
		values: newDictionary(),
		live:   roaring.New(),
		shared: postings{},
		many:   roaring.New(),
	}
	if text {
		f.grams = newGrams()
	}
	return f
}

// valuesOf appends the numbers of the values of row to buf, ascending.
func (f *field) valuesOf(row uint32, buf []uint32) []uint32 {
	switch c := f.of.get(row); {
	case c == 0:
		return buf
	case c&listFlag == 0:
		return append(buf, c-1)
	default:
		return append(buf, f.lists.get(c&^listFlag)...)
	}
}

// set makes values the values of row; duplicates count once.
func (f *field) set(row uint32, values []string) {
	var oldBuf, newBuf [8]uint32
	old := f.valuesOf(row, oldBuf[:0])
	if len(old) == 0 && len(values) == 0 {
		return
	}
	// Keep what stays, and release what goes before anything new is numbered:
	// the number of a unique value is then free for its successor.
	kept := newBuf[:0]
	var fresh []string
	for _, s := range values {
		if v, ok := f.among(old, s); ok {
			kept = append(kept, v)
		} else {
			fresh = append(fresh, s)
		}
	}
	slices.Sort(kept)
	kept = slices.Compact(kept)
	if len(fresh) == 0 && len(kept) == len(old) {
		return
	}
	for _, v := range old {
		if _, stays := slices.BinarySearch(kept, v); !stays {
			f.release(v, row)
		}
	}
	now := kept
	for _, s := range fresh {
		now = append(now, f.acquire(s, row))
	}
	slices.Sort(now)
	now = slices.Compact(now)

	if c := f.of.get(row); c&listFlag != 0 {
		f.lists.free(c &^ listFlag)
	}
	switch len(now) {
	case 0:
		f.of.set(row, 0)
	case 1:
		f.of.set(row, now[0]+1)
	default:
		f.of.set(row, f.lists.put(now)|listFlag)
	}
}

// among returns the number of value if it is one of vs, which ascend.
func (f *field) among(vs []uint32, value string) (uint32, bool) {
	if len(vs) <= 4 { // to read them is cheaper than to look value up
		for _, v := range vs {
			if string(f.values.value(v)) == value {
				return v, true
			}
		}
		return 0, false
	}
	v, ok := f.values.find(value)
	if ok {
		_, ok = slices.BinarySearch(vs, v)
	}
	return v, ok
}

// acquire adds row to the owners of value and returns the value's number.
func (f *field) acquire(value string, row uint32) uint32 {
	if v, ok := f.values.find(value); ok {
		if !f.many.Contains(v) {
			if v == row {
				return v
			}
			f.shared.add(v, v)
			f.many.Add(v)
		}
		f.shared.add(v, row)
		return v
	}
	v := row
	if f.values.position(row) != 0 {
		if n := len(f.spare); n > 0 {
			v, f.spare = f.spare[n-1], f.spare[:n-1]
		} else {
			v = firstSpare + f.spares
			f.spares++
		}
		f.shared.add(v, row)
		f.many.Add(v)
	}
	f.values.insert(v, value)
	f.live.Add(v)
	if f.grams != nil {
		f.pending.add(v)
	}
	return v
}

// release takes row from the owners of value v, and drops a value that is left
// without.
func (f *field) release(v, row uint32) {
	if p := f.shared[v]; p != nil {
		if p.remove(row); !p.empty() {
			if p.count() == 1 && v < firstSpare && p.has(v) {
				delete(f.shared, v)
				f.many.Remove(v)
			}
			return
		}
		delete(f.shared, v)
		f.many.Remove(v)
	}
	switch {
	case f.grams == nil:
	case f.pending.has(v):
		f.pending.remove(v)
	default:
		f.grams.remove(v, f.values.value(v))
	}
	f.values.remove(v)
	f.live.Remove(v)
	if v >= firstSpare {
		f.spare = append(f.spare, v)
	}
}

// owners returns how many rows have value v.
func (f *field) owners(v uint32) int {
	if p := f.shared[v]; p != nil {
		return p.count()
	}
	return 1
}

// rowsWithValue returns the rows that have exactly this value.
func (f *field) rowsWithValue(value string) rowset {
	v, ok := f.values.find(value)
	switch {
	case !ok:
		return none()
	case f.shared[v] != nil:
		return f.shared[v].rows()
	default:
		return rowset{bm: roaring.BitmapOf(v)}
	}
}

// Of three ways to unite many postings, the cheapest is to set the bits of
// their rows one by one while these are few among all rows (their part, as
// a divisor), to unite them as bitmaps if they are large on average, and to
// look at the values of every row otherwise.
const (
	fewRows      = 16
	largePosting = 512
)

// rowsWithValues returns the rows, of the segment's n, that have any of the
// values numbered in vs.
func (f *field) rowsWithValues(vs rowset, n uint32) rowset {
	if f.many.IsEmpty() {
		return vs
	}
	some := roaring.And(vs.bm, f.many)
	if some.IsEmpty() {
		return vs
	}
	var alone rowset
	if vs.shared {
		alone = rowset{bm: roaring.AndNot(vs.bm, some)}
	} else {
		alone = vs
		alone.bm.AndNot(some)
	}
	ps := make([]*posting, 0, some.GetCardinality())
	total := 0
	for it := some.Iterator(); it.HasNext(); {
		p := f.shared[it.Next()]
		ps = append(ps, p)
		total += p.count()
	}
	switch {
	case len(ps) == 1 && alone.bm.IsEmpty():
		return ps[0].rows()
	case len(ps) == 1:
		return alone.or(ps[0].rows())
	case total <= 4096:
		rows := make([]uint32, 0, total)
		for _, p := range ps {
			rows = p.appendTo(rows)
		}
		slices.Sort(rows)
		alone.bm.AddMany(rows)
		return alone
	}
	if total > int(n)/fewRows && total/len(ps) >= largePosting {
		sets := make([]*roaring.Bitmap, len(ps))
		for i, p := range ps {
			sets[i] = p.rows().bm
		}
		return alone.or(rowset{bm: roaring.FastOr(sets...)})
	}
	words := make([]uint64, (int(n)+63)/64)
	if total <= int(n)/fewRows {
		for _, p := range ps {
			p.mark(words)
		}
	} else {
		f.scan(some, words)
	}
	return alone.or(rowset{bm: roaring.FromDense(words, false)})
}

// scan sets the bits, in words, of the rows that have a value of vs.
func (f *field) scan(vs *roaring.Bitmap, words []uint64) {
	chosen, spares := denseBelowSpare(vs)
	limit := uint32(len(chosen)) << 6
	// has is for everything but a single value below limit.
	has := func(c uint32) bool {
		switch {
		case c == 0:
			return false
		case c&listFlag == 0:
			return c > firstSpare && spares.Contains(c-1)
		}
		for _, v := range f.lists.get(c &^ listFlag) {
			if v < limit && chosen[v>>6]>>(v&63)&1 != 0 || v >= firstSpare && spares.Contains(v) {
				return true
			}
		}
		return false
	}
	parallel(len(f.of.chunks), func(k int) {
		for o := 0; o < len(f.of.chunks[k]); o += 64 {
			var word uint64
			for i, c := range f.of.chunks[k][o:min(o+64, len(f.of.chunks[k]))] {
				if v := c - 1; v < limit {
					word |= chosen[v>>6] >> (v & 63) & 1 << i
				} else if has(c) {
					word |= 1 << i
				}
			}
			if word != 0 { // words may end before the chunk does
				words[(k<<chunkBits+o)>>6] |= word
			}
		}
	})
}

// denseBelowSpare splits vs into the bits of those below firstSpare and the
// set of the others: the former are as dense as rows, the latter would make
// a bit array of 128 MB.
func denseBelowSpare(vs *roaring.Bitmap) (words []uint64, spares *roaring.Bitmap) {
	if vs.IsEmpty() || vs.Maximum() < firstSpare {
		return vs.ToDense(), roaring.New()
	}
	low := vs.Clone()
	low.RemoveRange(firstSpare, 1<<32)
	spares = vs.Clone()
	spares.RemoveRange(0, firstSpare)
	return low.ToDense(), spares
}

// lists keeps short lists of numbers end to end. The room of a freed list goes
// to the next one of the same length.
type lists struct {
	data  []uint32 // length, elements, length, elements, …
	holes map[int][]uint32
}

func (l *lists) get(at uint32) []uint32 {
	n := l.data[at]
	return l.data[at+1 : at+1+n]
}

func (l *lists) put(list []uint32) uint32 {
	n := len(list)
	if h := l.holes[n]; len(h) > 0 {
		at := h[len(h)-1]
		l.holes[n] = h[:len(h)-1]
		copy(l.data[at+1:], list)
		return at
	}
	at := uint32(len(l.data))
	l.data = append(l.data, uint32(n))
	l.data = append(l.data, list...)
	return at
}

func (l *lists) free(at uint32) {
	if l.holes == nil {
		l.holes = map[int][]uint32{}
	}
	n := int(l.data[at])
	l.holes[n] = append(l.holes[n], at)
}
