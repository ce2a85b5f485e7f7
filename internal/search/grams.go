package search

import (
	"bytes"
	"cmp"
	"math/bits"
	"slices"

	"github.com/RoaringBitmap/roaring/v2"
)

// A value is indexed as a sequence of symbols: an anchor, the bytes of the
// folded value, and an end. With the anchor a prefix is a part like any other.
const (
	anchor  = 256
	end     = 257
	symbols = 258
)

// grams finds the values that contain a text. For each triple of consecutive
// symbols it has the set of values with that triple.
//
// A text of two symbols is in the values with any of the triples that start
// with it. A longer one is in a value only if all its triples are, and they
// usually decide it too: two neighbours share two symbols, and if this pair
// occurs only once in the value, both neighbours are where the pair is, side
// by side. So only values in which one of the shared pairs occurs repeatedly
// need to be read.
type grams struct {
	triples postings // triple → values
	repeats postings // pair → values that have it more than once
}

func newGrams() *grams { return &grams{triples: postings{}, repeats: postings{}} }

func pair(a, b uint32) uint32      { return a<<9 | b }
func triple(a, b, c uint32) uint32 { return a<<18 | b<<9 | c }

// each calls do with all triples of the value, and repeated with the pairs
// that occur in it more than once, possibly several times.
func each[T string | []byte](value T, do, repeated func(uint32)) {
	if len(value) == 0 {
		return
	}
	var buf [64]uint32
	pairs := buf[:0]
	a, b := uint32(anchor), uint32(value[0])
	for i := 1; i <= len(value); i++ {
		c := uint32(end)
		if i < len(value) {
			c = uint32(value[i])
			pairs = append(pairs, pair(b, c))
		}
		do(triple(a, b, c))
		a, b = b, c
	}
	slices.Sort(pairs)
	for i := 1; i < len(pairs); i++ {
		if pairs[i] == pairs[i-1] {
			repeated(pairs[i])
		}
	}
}

// index brings the pending values into grams once there are limit of them.
// Many at a time cost half as much each, because values share most of their
// triples and each triple's set is somewhere else in memory; until then,
// a search reads them.
func (f *field) index(limit int) {
	if f.grams == nil || f.pending.count() < limit {
		return
	}
	values := f.pending.appendTo(nil)
	f.pending = posting{}
	entries := make([]uint64, 0, 32*len(values)) // triple, value
	for _, v := range values {
		each(f.values.value(v),
			func(t uint32) { entries = append(entries, uint64(t)<<32|uint64(v)) },
			func(p uint32) { f.grams.repeats.add(p, v) })
	}
	slices.Sort(entries)
	for len(entries) > 0 {
		t := uint32(entries[0] >> 32)
		n := 0
		for n < len(entries) && uint32(entries[n]>>32) == t {
			values = append(values[:n], uint32(entries[n]))
			n++
		}
		f.grams.triples.addMany(t, values)
		entries = entries[n:]
	}
}

func (g *grams) remove(v uint32, value []byte) {
	each(value,
		func(t uint32) { g.triples.remove(t, v) },
		func(p uint32) { g.repeats.remove(p, v) })
}

// withPair returns the values in which b follows a.
func (g *grams) withPair(a, b uint32) rowset {
	var sets []*roaring.Bitmap
	found := none()
	for c := range uint32(symbols) {
		if p := g.triples[triple(a, b, c)]; p != nil {
			found = p.rows()
			sets = append(sets, found.bm)
		}
	}
	if len(sets) <= 1 {
		return found
	}
	return rowset{bm: roaring.FastOr(sets...)}
}

// readAtMost is the number of candidates at which reading their values is
// cheaper than further intersections.
const readAtMost = 64

// matching returns the numbers of the values that contain text, or start with
// it if prefix is set. Values outside of within, unless it is nil, do not
// matter.
func (f *field) matching(text string, prefix bool, within *roaring.Bitmap) rowset {
	pattern := []byte(text)
	reads := func(value []byte) bool { return bytes.Contains(value, pattern) }
	if prefix {
		reads = func(value []byte) bool { return bytes.HasPrefix(value, pattern) }
	}
	switch {
	case text == "":
		return rowset{bm: f.live, shared: true}
	case len(text) == 1 && !prefix:
		all := rowset{bm: f.live, shared: true}
		if within != nil {
			all = all.and(rowset{bm: within, shared: true})
		}
		return f.read(all, reads)
	}
	found := f.indexed(text, prefix, within, reads)
	if !f.pending.empty() {
		if more := f.read(f.pending.rows(), reads); !more.bm.IsEmpty() {
			found = found.or(more)
		}
	}
	return found
}

// indexed does the same for the values in grams and a text of at least two
// symbols, one of which may be the anchor. reads decides about a value that
// was read.
func (f *field) indexed(text string, prefix bool, within *roaring.Bitmap, reads func([]byte) bool) rowset {
	syms := make([]uint32, 0, len(text)+1)
	if prefix {
		syms = append(syms, anchor)
	}
	for i := range len(text) {
		syms = append(syms, uint32(text[i]))
	}
	if len(syms) == 2 {
		return f.grams.withPair(syms[0], syms[1])
	}

	keys := make([]uint32, 0, len(syms))
	for i := range len(syms) - 2 {
		keys = append(keys, triple(syms[i], syms[i+1], syms[i+2]))
	}
	slices.Sort(keys)
	keys = slices.Compact(keys)
	ps := make([]*posting, 0, len(keys))
	for _, k := range keys {
		p := f.grams.triples[k]
		if p == nil {
			return none()
		}
		ps = append(ps, p)
	}
	slices.SortFunc(ps, func(a, b *posting) int { return cmp.Compare(a.count(), b.count()) })

	found := ps[0].rows()
	if within != nil {
		found = found.and(rowset{bm: within, shared: true})
	}
	for _, p := range ps[1:] {
		if found.bm.GetCardinality() <= readAtMost {
			return f.read(found, reads)
		}
		found = found.and(p.rows())
	}
	var doubtful []*roaring.Bitmap
	for i := range len(syms) - 3 {
		if p := f.grams.repeats[pair(syms[i+1], syms[i+2])]; p != nil {
			doubtful = append(doubtful, roaring.And(found.bm, p.rows().bm))
		}
	}
	if len(doubtful) == 0 {
		return found
	}
	doubt := rowset{bm: roaring.FastOr(doubtful...)}
	if doubt.bm.IsEmpty() {
		return found
	}
	if found.shared {
		found = rowset{bm: roaring.AndNot(found.bm, doubt.bm)}
	} else {
		found.bm.AndNot(doubt.bm)
	}
	return found.or(f.read(doubt, reads))
}

// read returns those of vs whose value satisfies ok.
func (f *field) read(vs rowset, ok func([]byte) bool) rowset {
	if vs.bm.GetCardinality() <= 1024 {
		var hits []uint32
		for it := vs.bm.Iterator(); it.HasNext(); {
			if v := it.Next(); ok(f.values.value(v)) {
				hits = append(hits, v)
			}
		}
		return rowset{bm: roaring.BitmapOf(hits...)}
	}
	words, spares := denseBelowSpare(vs.bm)
	const stretch = chunkRows / 64
	parallel((len(words)+stretch-1)/stretch, func(k int) {
		for i := k * stretch; i < min((k+1)*stretch, len(words)); i++ {
			for rest := words[i]; rest != 0; rest &= rest - 1 {
				bit := bits.TrailingZeros64(rest)
				if !ok(f.values.value(uint32(i<<6 + bit))) {
					words[i] &^= 1 << bit
				}
			}
		}
	})
	hits := roaring.FromDense(words, false)
	for it := spares.Iterator(); it.HasNext(); {
		if v := it.Next(); ok(f.values.value(v)) {
			hits.Add(v)
		}
	}
	return rowset{bm: hits}
}
