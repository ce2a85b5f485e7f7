package search

import (
	"cmp"
	"fmt"
	"maps"
	"math"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
)

// reference is the index as a table that is read from end to end.
type reference map[int64]Doc

func (r reference) search(q Query, after int64, limit int) (pks []int64, total int) {
	for _, pk := range slices.Sorted(maps.Keys(r)) {
		if !matches(r[pk], q) {
			continue
		}
		total++
		if pk > after && len(pks) < limit {
			pks = append(pks, pk)
		}
	}
	return pks, total
}

func (r reference) tagTerms() []TagTerm {
	count := map[[2]string]int{}
	for _, d := range r {
		for k, v := range d.Tags {
			count[[2]string{k, v}]++
		}
	}
	var terms []TagTerm
	for t, n := range count {
		terms = append(terms, TagTerm{t[0], t[1], n})
	}
	slices.SortFunc(terms, func(a, b TagTerm) int {
		return cmp.Or(strings.Compare(a.Key, b.Key), strings.Compare(a.Value, b.Value))
	})
	return terms
}

func matches(d Doc, q Query) bool {
	switch q := q.(type) {
	case And:
		return !slices.ContainsFunc(q, func(q Query) bool { return !matches(d, q) })
	case Or:
		return slices.ContainsFunc(q, func(q Query) bool { return matches(d, q) })
	case Text:
		want := strings.ToLower(q.Value)
		return slices.ContainsFunc(d.Text[q.Field], func(v string) bool {
			v = strings.ToLower(v)
			switch q.Op {
			case Exact:
				return v == want
			case Prefix:
				return strings.HasPrefix(v, want)
			default:
				return strings.Contains(v, want)
			}
		})
	case Key:
		return slices.ContainsFunc(d.Keys[q.Field], func(v string) bool { return slices.Contains(q.Values, v) })
	case Number:
		return slices.ContainsFunc(d.Numbers[q.Field], func(n float64) bool {
			return (n >= q.Min && n <= q.Max) != q.Not
		})
	case TupleMatch:
		return slices.ContainsFunc(d.Tuples[q.Field], q.Match)
	case Tag:
		v, ok := d.Tags[q.Key]
		return ok && (q.AnyValue || v == q.Value)
	default:
		return true
	}
}

// maker makes documents and queries that collide a lot.
type maker struct{ *rand.Rand }

var letters = []string{"a", "b", "B", "0", "00", "ab", "É", "é", "İ", "ß", "語", "\x00", "ÿ", "\xff", "K"}

func (m maker) text(most int) string {
	var b strings.Builder
	for range m.IntN(most + 1) {
		b.WriteString(letters[m.IntN(len(letters))])
	}
	return b.String()
}

func (m maker) texts(most int) []string {
	var vs []string
	for range m.IntN(most + 1) {
		vs = append(vs, m.text(6))
	}
	return vs
}

func (m maker) keys(most int) []string {
	var vs []string
	for range m.IntN(most + 1) {
		vs = append(vs, fmt.Sprint(m.IntN(12)))
	}
	return vs
}

func (m maker) doc(pk int64) Doc {
	d := Doc{
		PK: pk,
		Text: map[string][]string{
			"unique": {fmt.Sprintf("%s%03d%s", m.text(2), pk, m.text(1))},
			"few":    m.texts(3),
			"other":  {m.text(1)},
		},
		Keys:    map[string][]string{"one": {fmt.Sprint(m.IntN(3))}, "several": m.keys(10), "few": m.keys(1)},
		Numbers: map[string][]float64{"n": {float64(m.IntN(6)) / 2}},
		Tags:    map[string]string{},
	}
	for range m.IntN(3) {
		d.Tuples = map[string][]Tuple{"p": append(d.Tuples["p"], m.tuple())}
	}
	for range m.IntN(3) {
		d.Tags[m.text(1)] = m.text(1)
	}
	if m.IntN(20) == 0 {
		d = Doc{PK: pk}
	}
	return d
}

func (m maker) tuple() Tuple {
	return Tuple{Name: m.text(1), Value: m.text(1), Level: float64(m.IntN(5) + 1)}
}

func (m maker) query(depth int) Query {
	if depth > 0 && m.IntN(2) == 0 {
		qs := make([]Query, m.IntN(4))
		for i := range qs {
			qs[i] = m.query(depth - 1)
		}
		if m.IntN(2) == 0 {
			return And(qs)
		}
		return Or(qs)
	}
	switch m.IntN(12) {
	case 0:
		return All{}
	case 1:
		return Key{Field: []string{"one", "several", "few", "absent"}[m.IntN(4)], Values: m.keys(3)}
	case 2:
		lo := float64(m.IntN(8))/2 - 0.5
		return Number{Field: "n", Min: lo, Max: lo + float64(m.IntN(4)), Not: m.IntN(3) == 0}
	case 3:
		want := m.tuple()
		return TupleMatch{Field: "p", Match: func(t Tuple) bool { return t.Name == want.Name && t.Level >= want.Level }}
	case 4:
		want := m.tuple()
		return TupleMatch{Field: "p", Match: func(t Tuple) bool { return t == want }}
	case 5:
		return Tag{Key: m.text(1), Value: m.text(1), AnyValue: m.IntN(2) == 0}
	case 6:
		if m.IntN(10) == 0 {
			return nil
		}
		return Text{Field: "unique", Op: TextOp(m.IntN(3)), Value: fmt.Sprintf("%02d", m.IntN(100))}
	default:
		field := []string{"unique", "few", "other", "absent"}[m.IntN(4)]
		return Text{Field: field, Op: TextOp(m.IntN(3)), Value: m.text(3)}
	}
}

// compare searches both for q and reports the difference.
func compare(t *testing.T, x *Index, r reference, q Query, after int64, limit int) {
	t.Helper()
	pks, total, err := x.Search(1, 2, q, after, limit)
	if err != nil {
		t.Fatalf("Search(%#v): %v", q, err)
	}
	wantPKs, wantTotal := r.search(q, after, limit)
	if total != wantTotal || !slices.Equal(pks, wantPKs) {
		t.Fatalf("Search(%#v, after %d, limit %d)\n got %d of %v\nwant %d of %v", q, after, limit, total, pks, wantTotal, wantPKs)
	}
}

func TestAgainstReference(t *testing.T) {
	for seed := range uint64(40) {
		t.Run(fmt.Sprint(seed), func(t *testing.T) {
			m := maker{rand.New(rand.NewPCG(seed, 1))}
			x, r := New(), reference{}
			if seed%4 == 0 {
				x.grow(1, 2).rowLimit = 200
			}
			if seed%5 > 0 {
				x.grow(1, 2).pending = 1 << (seed % 5)
			}
			next := int64(1)
			for step := range 600 {
				switch m.IntN(10) {
				case 0, 1, 2, 3, 4:
					pk := next + m.Int64N(6) // leaves holes for late ones
					if m.IntN(40) == 0 {
						pk = m.Int64N(next) + 1
					}
					next = max(next, pk-2)
					if _, known := r[pk]; !known && len(r) >= 150 {
						break
					}
					d := m.doc(pk)
					x.Put(1, 2, d)
					r[pk] = d
				case 5, 6:
					pk := m.Int64N(next+5) + 1
					x.Delete(1, 2, pk)
					delete(r, pk)
				case 7:
					for pk := range r {
						d := m.doc(pk)
						x.Put(1, 2, d)
						r[pk] = d
						break
					}
				default:
					compare(t, x, r, m.query(3), m.Int64N(next+3)-1, m.IntN(20))
				}
				if step%100 == 99 {
					if got, want := x.TagTerms(1, 2), r.tagTerms(); !slices.Equal(got, want) {
						t.Fatalf("TagTerms\n got %v\nwant %v", got, want)
					}
				}
			}
			for pk := range r {
				x.Delete(1, 2, pk)
			}
			compare(t, x, reference{}, All{}, 0, 10)
			requireEmpty(t, x.segment(1, 2))
		})
	}
}

// requireEmpty checks that deleted resources leave nothing behind but room.
func requireEmpty(t *testing.T, s *segment) {
	t.Helper()
	if len(s.late) != 0 || len(s.latePK) != 0 || !s.lateRows.IsEmpty() {
		t.Errorf("late rows are left: %v, %v, %v", s.late, s.latePK, s.lateRows)
	}
	if len(s.tagKeys) != 0 {
		t.Errorf("tag keys are left: %v", s.tagKeys)
	}
	for k, f := range s.fields {
		d := f.values
		if len(f.shared) != 0 || !f.many.IsEmpty() || !f.live.IsEmpty() || len(f.spare) != int(f.spares) {
			t.Errorf("%v: %d postings, shared %v, live %v, %d of %d spare numbers free", k, len(f.shared), f.many, f.live, len(f.spare), f.spares)
		}
		if len(d.byHash) != 0 || len(d.clash) != 0 || len(d.atSpare) != 0 {
			t.Errorf("%v: values are left: %v, %v, %v", k, d.byHash, d.clash, d.atSpare)
		}
		for i, p := range d.pages {
			if len(p.data) != 0 {
				t.Errorf("%v: page %d has %d bytes, %d dead", k, i, len(p.data), p.dead)
			}
		}
		if !f.pending.empty() {
			t.Errorf("%v: values are pending: %v", k, f.pending)
		}
		if f.grams != nil && (len(f.grams.triples) != 0 || len(f.grams.repeats) != 0) {
			t.Errorf("%v: n-grams are left: %v, %v", k, f.grams.triples, f.grams.repeats)
		}
	}
}

// TestManyAgainstReference reaches what only many rows do: sets that are bit
// arrays, parallel reads and scans, dropped chunks, evacuated pages.
func TestManyAgainstReference(t *testing.T) {
	const n = 3*chunkRows + 500
	m := maker{rand.New(rand.NewPCG(7, 7))}
	x, r := New(), reference{}
	docs := make([]Doc, 0, n)
	for pk := int64(1); pk <= n; pk++ {
		d := m.doc(pk)
		if d.Text == nil {
			d.Text, d.Keys = map[string][]string{}, map[string][]string{}
		}
		d.Text["name"] = []string{fmt.Sprintf("contoso-contact-%05d", pk)} // "ont" twice
		d.Text["long"] = []string{strings.Repeat("x", int(pk%50)) + fmt.Sprint(pk)}
		d.Keys["group"] = []string{fmt.Sprint(pk % 700)}
		docs = append(docs, d)
		r[pk] = d
	}
	m.Shuffle(n, func(i, j int) { docs[i], docs[j] = docs[j], docs[i] })
	x.Load(1, 2, docs)

	var groups []string
	for i := range 400 {
		groups = append(groups, fmt.Sprint(i))
	}
	queries := []Query{
		All{},
		And{},
		Or{},
		nil,
		Text{"name", Contains, "contact"},
		Text{"name", Prefix, "contoso-cont"},
		Text{"name", Contains, "c"},
		Text{"name", Contains, "contact-00"},
		Text{"long", Contains, "xxxx1"},
		Text{"long", Prefix, "x"},
		Text{"few", Contains, "a"},
		Text{"few", Contains, "a0"},
		Text{"few", Prefix, ""},
		Text{"other", Contains, ""},
		Key{"group", groups},
		Key{"group", groups[:3]},
		Key{"several", []string{"1", "2", "3"}},
		Or{Key{"group", groups}, Text{"few", Contains, "b"}},
		And{Text{"name", Contains, "tact"}, Key{"group", groups[:90]}, Text{"few", Contains, "b"}},
	}
	step := func() {
		t.Helper()
		for _, q := range queries {
			compare(t, x, r, q, 0, 100)
			compare(t, x, r, q, n/2, 100)
		}
		for range 60 {
			compare(t, x, r, m.query(3), m.Int64N(n), 100)
		}
	}
	step()
	if s := x.segment(1, 2); s.fields[fieldKey{classText, "name"}].pending.count() >= pendingOfPut {
		t.Error("Load leaves values to be indexed")
	}
	for pk := int64(chunkRows / 2); pk < 2*chunkRows+100; pk++ {
		x.Delete(1, 2, pk)
		delete(r, pk)
	}
	if s := x.segment(1, 2); s.order.chunks[1] != nil {
		t.Error("a chunk without live rows is kept")
	}
	step()
	for range 500 { // late ones, some of them from the dropped chunk
		d := m.doc(m.Int64N(n) + 1)
		x.Put(1, 2, d)
		r[d.PK] = d
	}
	step()
}

// TestRenumber has two thousand rows used up by replacing fifty resources.
func TestRenumber(t *testing.T) {
	m := maker{rand.New(rand.NewPCG(3, 3))}
	x, r := New(), reference{}
	s := x.grow(1, 2)
	s.rowLimit = 100
	for pk := int64(1); pk <= 2000; pk++ {
		d := m.doc(pk)
		x.Put(1, 2, d)
		r[pk] = d
		x.Delete(1, 2, pk-50)
		delete(r, pk-50)
		if s.rows > 100 {
			t.Fatalf("row %d is handed out beyond the limit", s.rows)
		}
		compare(t, x, r, m.query(2), pk-m.Int64N(60), 10)
	}
}

// TestPackedKeys has keys that differ only in what packing might lose.
func TestPackedKeys(t *testing.T) {
	const id = "0f8fad5b-d9cb-469f-a165-70867728950e"
	keys := []string{
		id, strings.ToUpper(id), strings.ReplaceAll(id, "-", ""), strings.ReplaceAll(id, "-", "_"), id + "0", "", "=", "#",
		"0f8fad5b-d9cb-469f-a165-70867728950g", "0f8fad5b-d9cb-469f-a16--70867728950e", keyTerm(id), "=" + id,
		"0f8fad5b-d9cb-469f-a165-70867728950/", "0f8fad5b-d9cb-469f-a165-70867728950:",
	}
	x := New()
	for i, key := range keys {
		x.Put(1, 1, Doc{PK: int64(i + 1), Keys: map[string][]string{"id": {key}}})
	}
	for i, key := range keys {
		for _, values := range [][]string{{key}, {key, "absent"}} {
			pks, total, err := x.Search(1, 1, Key{"id", values}, 0, 10)
			if err != nil || total != 1 || !slices.Equal(pks, []int64{int64(i + 1)}) {
				t.Errorf("Search(%q) = %v, %d, %v; want [%d]", values, pks, total, err, i+1)
			}
		}
	}
}

// TestClash gives a dictionary two values of the same hash, which a million
// random ones have a hundred times.
func TestClash(t *testing.T) {
	seen := map[uint32]string{}
	var a, b string
	for i := 0; b == ""; i++ {
		s := fmt.Sprint("value", i)
		if other, ok := seen[hash(s)]; ok {
			a, b = other, s
		}
		seen[hash(s)] = s
	}
	for _, first := range []string{a, b} {
		d := newDictionary()
		d.insert(1, a)
		d.insert(2, b)
		d.remove(map[string]uint32{a: 1, b: 2}[first])
		for v, s := range map[uint32]string{1: a, 2: b} {
			got, ok := d.find(s)
			if ok != (s != first) || ok && got != v {
				t.Errorf("after removing %q: find(%q) = %d, %v", first, s, got, ok)
			}
		}
		d.insert(3, first)
		if v, ok := d.find(first); v != 3 || !ok {
			t.Errorf("find(%q) = %d, %v after inserting it again as 3", first, v, ok)
		}
	}
}

// TestGarbage replaces values in random order, so that no page of theirs is
// ever all garbage, and looks at the room they take.
func TestGarbage(t *testing.T) {
	d := newDictionary()
	const n = 10_000
	m := rand.New(rand.NewPCG(1, 1))
	want := make([]string, n)
	size := 0
	for i := range 20 * n {
		v := i
		if i >= n {
			v = m.IntN(n)
			d.remove(uint32(v))
			size -= recordSize(len(want[v]))
		}
		want[v] = fmt.Sprintf("%d-%d-%s", v, i, strings.Repeat("x", m.IntN(40)))
		if v == 77 {
			want[v] += strings.Repeat("y", 3*pageSize)
		}
		d.insert(uint32(v), want[v])
		size += recordSize(len(want[v]))
	}
	for v := range n {
		if got := string(d.value(uint32(v))); got != want[v] {
			t.Fatalf("value %d is %.50q, want %.50q", v, got, want[v])
		}
	}
	room := 0
	for _, p := range d.pages {
		room += cap(p.data)
	}
	if room > 3*size {
		t.Errorf("%d bytes of values take %d bytes", size, room)
	}
}

func TestSearchRejects(t *testing.T) {
	x := New()
	x.Put(1, 2, Doc{PK: 1})
	for name, q := range map[string]Query{
		"comparison":        Text{Field: "f", Op: 3},
		"match":             TupleMatch{Field: "f"},
		"pointer":           &All{},
		"nested comparison": And{Or{Text{Op: 9}}},
	} {
		t.Run(name, func(t *testing.T) {
			if _, _, err := x.Search(1, 2, q, 0, 1); err == nil {
				t.Error("Search accepts it")
			}
		})
	}
}

func TestSearchBounds(t *testing.T) {
	x := New()
	for _, pk := range []int64{math.MinInt64, -5, 0, 3, math.MaxInt64, 1} {
		x.Put(1, 2, Doc{PK: pk})
	}
	x.Put(1, 3, Doc{PK: 100})
	x.Put(4, 2, Doc{PK: 101})
	for _, tc := range []struct {
		after int64
		limit int
		want  []int64
	}{
		{math.MinInt64, 10, []int64{-5, 0, 1, 3, math.MaxInt64}},
		{-1, 3, []int64{0, 1, 3}},
		{0, 1, []int64{1}},
		{3, 1, []int64{math.MaxInt64}},
		{math.MaxInt64, 1, nil},
		{0, 0, nil},
		{0, -1, nil},
	} {
		pks, total, err := x.Search(1, 2, All{}, tc.after, tc.limit)
		if err != nil || total != 6 || !slices.Equal(pks, tc.want) {
			t.Errorf("after %d, limit %d: %v, %d, %v; want %v of 6", tc.after, tc.limit, pks, total, err, tc.want)
		}
	}
	x.DropInstance(1)
	if _, total, _ := x.Search(1, 2, nil, 0, 1); total != 0 {
		t.Errorf("a dropped instance has %d resources", total)
	}
	if pks, _, _ := x.Search(4, 2, nil, 0, 1); !slices.Equal(pks, []int64{101}) {
		t.Errorf("the other instance has %v, want [101]", pks)
	}
}

// FuzzText lets strangers choose the values and the text that is looked for.
func FuzzText(f *testing.F) {
	f.Add("mary.major@example.com", "user00", "Maj", uint8(6))
	f.Add("00000", "0000", "000", uint8(6))
	f.Add("abcab", "cabca", "abca", uint8(6))
	f.Add("İstanbul", "\x00\xff", "i", uint8(3))
	f.Add("", "語", "", uint8(0))
	f.Fuzz(func(t *testing.T, a, b, text string, op uint8) {
		x, r := New(), reference{}
		x.grow(1, 2).pending = 1 + int(op)%3
		for pk := int64(1); pk <= 3; pk++ {
			d := Doc{PK: pk, Text: map[string][]string{"f": {[]string{a, b, a + b}[pk-1]}}}
			x.Put(1, 2, d)
			r[pk] = d
		}
		compare(t, x, r, Text{Field: "f", Op: TextOp(op / 3 % 3), Value: text}, 0, 5)
		x.Delete(1, 2, 1)
		delete(r, 1)
		compare(t, x, r, Text{Field: "f", Op: TextOp(op / 3 % 3), Value: text}, 0, 5)
	})
}
