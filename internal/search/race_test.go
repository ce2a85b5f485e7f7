package search

import (
	"math/rand/v2"
	"sync"
	"testing"
)

// TestConcurrent has writers and readers work at the same time. Every reader
// must find each resource that nobody touches, and a page and a total that
// agree.
func TestConcurrent(t *testing.T) {
	const still, writers, rounds = 300, 3, 300
	x := New()
	for pk := int64(1); pk <= still; pk++ {
		x.Put(1, 1, Doc{PK: pk, Text: map[string][]string{"name": {"still"}}, Tags: map[string]string{"still": ""}})
	}
	var wg sync.WaitGroup
	for w := range writers {
		wg.Go(func() {
			m := maker{rand.New(rand.NewPCG(uint64(w), 2))}
			for i := range rounds {
				pk := int64(still + 1 + i*writers + w)
				x.Put(1, 1, m.doc(pk))
				x.Put(2, 1, m.doc(pk))
				if i%3 == 0 {
					x.Delete(1, 1, pk-m.Int64N(int64(i+1))*writers)
				}
				if i%100 == 99 {
					x.DropInstance(2)
				}
			}
			x.Load(1, 1, []Doc{m.doc(int64(still+10_000+2*w) + 1), m.doc(int64(still + 10_000 + 2*w))})
		})
	}
	for r := range 2 {
		wg.Go(func() {
			m := maker{rand.New(rand.NewPCG(uint64(r), 3))}
			for range rounds {
				for _, q := range []Query{Text{"name", Contains, "til"}, Tag{Key: "still", AnyValue: true}} {
					pks, total, err := x.Search(1, 1, q, 0, 2*still)
					if err != nil || total != still || len(pks) != still || pks[0] != 1 || pks[still-1] != still {
						t.Errorf("Search(%v) finds %d of %d, %v; want %d", q, len(pks), total, err, still)
						return
					}
				}
				q := m.query(2)
				pks, total, err := x.Search(1, 1, q, 0, 1_000_000)
				if err != nil || len(pks) != total {
					t.Errorf("Search(%#v) pages %d of %d, %v", q, len(pks), total, err)
					return
				}
				x.TagTerms(1, 1)
			}
		})
	}
	wg.Wait()
}
