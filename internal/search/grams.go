package search

import (
	"bytes"
	"cmp"
	"math/bits"
	"slices"

	"github.com/RoaringBitmap/roaring/v2"
)

// anchor is the symbol before a value's first byte: a prefix is a part of the
// value that starts with it.
const anchor = 256

// grams finds the values that contain a text. For each sequence of two and of
// three symbols (the bytes of the folded value, after an anchor) it has the
// set of values with that sequence.
//
// A text of up to three symbols is decided by its one sequence. A longer one
// is in a value only if all its sequences of three are, and they usually
// decide it too: two neighbours share two symbols, and if these two occur only
// once in the value, both neighbours are where the shared symbols are, side by
// side. So only values in which one of the shared pairs occurs repeatedly need
// to be read.
type grams struct {
	sets    postings // pair or triple → values
	repeats postings // pair → values that have it more than once
}

func newGrams() *grams { return &grams{sets: postings{}, repeats: postings{}} }

func pair(a, b uint32) uint32      { return a<<9 | b }
func triple(a, b, c uint32) uint32 { return 1<<27 | a<<18 | b<<9 | c }

func (g *grams) add(v uint32, value string) {
	a, b := uint32(0), uint32(anchor)
	for i := range len(value) {
		c := uint32(value[i])
		if !g.sets.add(pair(b, c), v) {
			g.repeats.add(pair(b, c), v)
		}
		if i > 0 {
			g.sets.add(triple(a, b, c), v)
		}
		a, b = b, c
	}
}

func (g *grams) remove(v uint32, value []byte) {
	a, b := uint32(0), uint32(anchor)
	for i, char := range value {
		c := uint32(char)
		g.sets.remove(pair(b, c), v)
		g.repeats.remove(pair(b, c), v)
		if i > 0 {
			g.sets.remove(triple(a, b, c), v)
		}
		a, b = b, c
	}
}

// readAtMost is the number of candidates at which reading their values is
// cheaper than further intersections.
const readAtMost = 64

// matching returns the numbers of the values that contain text, or start with
// it if prefix is set. Values outside of within, unless it is nil, do not
// matter.
func (f *field) matching(text string, prefix bool, within *roaring.Bitmap) rowset {
	symbols := make([]uint32, 0, len(text)+1)
	if prefix {
		symbols = append(symbols, anchor)
	}
	for i := range len(text) {
		symbols = append(symbols, uint32(text[i]))
	}
	all := rowset{bm: f.live, shared: true}
	pattern := []byte(text)
	reads := func(value []byte) bool { return bytes.Contains(value, pattern) }
	if prefix {
		reads = func(value []byte) bool { return bytes.HasPrefix(value, pattern) }
	}

	switch {
	case text == "":
		return all
	case len(symbols) == 1:
		if within != nil {
			all = all.and(rowset{bm: within, shared: true})
		}
		return f.read(all, reads)
	case len(symbols) == 2:
		if p := f.grams.sets[pair(symbols[0], symbols[1])]; p != nil {
			return p.rows()
		}
		return none()
	}

	keys := make([]uint32, 0, len(symbols))
	for i := range len(symbols) - 2 {
		keys = append(keys, triple(symbols[i], symbols[i+1], symbols[i+2]))
	}
	slices.Sort(keys)
	keys = slices.Compact(keys)
	ps := make([]*posting, 0, len(keys))
	for _, k := range keys {
		p := f.grams.sets[k]
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
	for i := range len(symbols) - 3 {
		if p := f.grams.repeats[pair(symbols[i+1], symbols[i+2])]; p != nil {
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
	const stretch = 1024 // words, that is 65,536 values
	parallel((len(words)+stretch-1)/stretch, func(k int) {
		for i := k * stretch; i < min((k+1)*stretch, len(words)); i++ {
			words[i] = f.readWord(uint32(i)<<6, words[i], ok)
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

// readWord returns those bits of word, the first of which is value v, whose
// value satisfies ok.
func (f *field) readWord(v uint32, word uint64, ok func([]byte) bool) uint64 {
	for rest := word; rest != 0; rest &= rest - 1 {
		i := bits.TrailingZeros64(rest)
		if !ok(f.values.value(v + uint32(i))) {
			word &^= 1 << i
		}
	}
	return word
}
