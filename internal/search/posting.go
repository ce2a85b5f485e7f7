package search

import (
	"slices"

	"github.com/RoaringBitmap/roaring/v2"
)

// fewMax is how many numbers a posting keeps in a slice. A roaring bitmap of
// one number takes some 200 bytes, and most n-grams of an index of a few dozen
// resources have no more than that.
const fewMax = 32

// posting is a set of rows or value numbers: a sorted slice while it is small,
// a bitmap from then on.
type posting struct {
	few  []uint32
	many *roaring.Bitmap
	n    int // numbers in many, which a bitmap counts anew every time
}

// add inserts v and reports whether it was absent.
func (p *posting) add(v uint32) bool {
	if p.many != nil {
		if !p.many.CheckedAdd(v) {
			return false
		}
		p.n++
		return true
	}
	i := len(p.few)
	if i > 0 && p.few[i-1] >= v {
		var found bool
		if i, found = slices.BinarySearch(p.few, v); found {
			return false
		}
	}
	if len(p.few) == fewMax {
		p.grow()
		return p.add(v)
	}
	p.few = slices.Insert(p.few, i, v)
	return true
}

// grow makes the posting a bitmap.
func (p *posting) grow() {
	p.many, p.n, p.few = roaring.BitmapOf(p.few...), len(p.few), nil
}

func (p *posting) remove(v uint32) {
	if p.many != nil {
		if p.many.CheckedRemove(v) {
			p.n--
		}
		return
	}
	if i, found := slices.BinarySearch(p.few, v); found {
		p.few = slices.Delete(p.few, i, i+1)
	}
}

func (p *posting) has(v uint32) bool {
	if p.many != nil {
		return p.many.Contains(v)
	}
	_, found := slices.BinarySearch(p.few, v)
	return found
}

func (p *posting) empty() bool { return p.count() == 0 }

func (p *posting) count() int {
	if p.many != nil {
		return p.n
	}
	return len(p.few)
}

// rows returns the posting as a set, which is the posting's own when it is
// large.
func (p *posting) rows() rowset {
	if p.many != nil {
		return rowset{bm: p.many, shared: true}
	}
	return rowset{bm: roaring.BitmapOf(p.few...)}
}

func (p *posting) appendTo(rows []uint32) []uint32 {
	if p.many == nil {
		return append(rows, p.few...)
	}
	for it := p.many.Iterator(); it.HasNext(); {
		rows = append(rows, it.Next())
	}
	return rows
}

// mark sets the bit of every row of the posting in words.
func (p *posting) mark(words []uint64) {
	if p.many == nil {
		for _, r := range p.few {
			words[r>>6] |= 1 << (r & 63)
		}
		return
	}
	for it := p.many.Iterator(); it.HasNext(); {
		r := it.Next()
		words[r>>6] |= 1 << (r & 63)
	}
}

// postings are postings by key; one that has become empty is not kept.
type postings map[uint32]*posting

// add inserts v into the posting of key.
func (ps postings) add(key, v uint32) {
	p := ps[key]
	if p == nil {
		p = &posting{}
		ps[key] = p
	}
	p.add(v)
}

// addMany inserts vs, which ascend without duplicates.
func (ps postings) addMany(key uint32, vs []uint32) {
	p := ps[key]
	if p == nil {
		p = &posting{}
		ps[key] = p
	}
	if p.many == nil && len(p.few)+len(vs) > fewMax {
		p.grow()
	}
	if p.many != nil {
		p.many.AddMany(vs)
		p.n = int(p.many.GetCardinality())
		return
	}
	for _, v := range vs {
		p.add(v)
	}
}

func (ps postings) remove(key, v uint32) {
	if p := ps[key]; p != nil {
		if p.remove(v); p.empty() {
			delete(ps, key)
		}
	}
}

// rowset is a set of rows that an evaluation passes around. A shared one
// belongs to the index and is only read.
type rowset struct {
	bm     *roaring.Bitmap
	shared bool
}

func none() rowset { return rowset{bm: roaring.New()} }

func (s rowset) and(t rowset) rowset {
	switch {
	case !s.shared:
		s.bm.And(t.bm)
		return s
	case !t.shared:
		t.bm.And(s.bm)
		return t
	default:
		return rowset{bm: roaring.And(s.bm, t.bm)}
	}
}

func (s rowset) or(t rowset) rowset {
	switch {
	case !s.shared:
		s.bm.Or(t.bm)
		return s
	case !t.shared:
		t.bm.Or(s.bm)
		return t
	default:
		return rowset{bm: roaring.Or(s.bm, t.bm)}
	}
}
