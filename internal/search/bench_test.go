package search

import (
	"fmt"
	"math/rand/v2"
	"runtime"
	"slices"
	"sync"
	"testing"
	"time"
)

// A corpus of users as large organisations have them: two forms of username,
// names and assignments that repeat, ids that do not.

var (
	firstNames = words(2000, 5)
	lastNames  = words(5000, 7)
)

// words makes n distinct pronounceable words of some length.
func words(n, length int) []string {
	rng := rand.New(rand.NewPCG(uint64(n), 5))
	seen := map[string]bool{}
	var ws []string
	for len(ws) < n {
		var w []byte
		for i := range length + rng.IntN(3) {
			set := "bcdfghjklmnprstvw"
			if i%2 == 1 {
				set = "aeiou"
			}
			w = append(w, set[rng.IntN(len(set))])
		}
		w[0] -= 'a' - 'A'
		if !seen[string(w)] {
			seen[string(w)] = true
			ws = append(ws, string(w))
		}
	}
	return ws
}

func userDoc(i int) Doc {
	rng := rand.New(rand.NewPCG(uint64(i), 9))
	first, last := firstNames[rng.IntN(len(firstNames))], lastNames[rng.IntN(len(lastNames))]
	username := fmt.Sprintf("user%06d", i)
	if i%2 == 1 {
		username = fmt.Sprintf("%s.%s%d@example.com", first, last, i)
	}
	profiles := []string{fmt.Sprintf("security-%d", rng.IntN(20))}
	if i%4 == 0 {
		profiles = append(profiles, fmt.Sprintf("security-%d", rng.IntN(20)))
	}
	return Doc{
		PK:   int64(i) + 1,
		Text: map[string][]string{"Username": {username}, "FirstName": {first}, "LastName": {last}},
		Keys: map[string][]string{
			"resourceId":        {userID(i)},
			"RoutingProfileId":  {fmt.Sprintf("routing-%d", rng.IntN(50))},
			"SecurityProfileId": profiles,
			"HierarchyGroupId":  {fmt.Sprintf("group-%d", rng.IntN(5000))},
		},
		Tuples: map[string][]Tuple{"proficiencies": {
			{"Language", fmt.Sprint("language-", rng.IntN(20)), float64(rng.IntN(5) + 1)},
			{"Product", fmt.Sprint("product-", rng.IntN(100)), float64(rng.IntN(5) + 1)},
		}},
		Tags: map[string]string{"team": fmt.Sprint("team-", rng.IntN(200)), "site": fmt.Sprint("site-", rng.IntN(12))},
	}
}

func userID(i int) string {
	rng := rand.New(rand.NewPCG(uint64(i), 11))
	return fmt.Sprintf("%08x-%04x-4%03x-a%03x-%012x", rng.Uint32(), rng.Uint32()>>16, rng.Uint32()>>20, rng.Uint32()>>20, rng.Uint64()>>16)
}

func heap() uint64 {
	runtime.GC()
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return m.HeapAlloc
}

type loaded struct {
	*Index
	size, bytes int
	took        time.Duration // in Load alone
}

func load(size int) loaded {
	l := loaded{Index: New(), size: size}
	before := heap()
	docs := make([]Doc, 0, 10_000)
	for i := range size {
		if docs = append(docs, userDoc(i)); len(docs) == cap(docs) {
			start := time.Now()
			l.Load(1, 1, docs)
			l.took += time.Since(start)
			docs = docs[:0]
		}
	}
	docs = nil
	l.bytes = int(heap() - before)
	return l
}

var (
	users10k = sync.OnceValue(func() loaded { return load(10_000) })
	users1M  = sync.OnceValue(func() loaded { return load(1_000_000) })
)

// queries by name. Selective ones take their operand from a random user of
// those that both sizes have, so that both do the same.
var queries = []struct {
	name string
	make func(rng *rand.Rand) Query
}{
	{"All", func(*rand.Rand) Query { return All{} }},
	{"UsernameExact", func(r *rand.Rand) Query {
		return Text{"Username", Exact, userDoc(r.IntN(10_000)).Text["Username"][0]}
	}},
	{"UsernamePrefix1", func(*rand.Rand) Query { return Text{"Username", Prefix, "u"} }},
	{"UsernamePrefixDense", func(*rand.Rand) Query { return Text{"Username", Prefix, "user0"} }},
	{"UsernamePrefixSelective", func(r *rand.Rand) Query {
		return Text{"Username", Prefix, fmt.Sprintf("user%05d", r.IntN(1000))}
	}},
	{"UsernameContains2", func(*rand.Rand) Query { return Text{"Username", Contains, "us"} }},
	{"UsernameContainsAt", func(*rand.Rand) Query { return Text{"Username", Contains, "@e"} }},
	{"UsernameContainsDense", func(*rand.Rand) Query { return Text{"Username", Contains, "user0"} }},
	{"UsernameContainsDense16", func(*rand.Rand) Query { return Text{"Username", Contains, "@example.com"} }},
	{"UsernameContainsRepeating", func(*rand.Rand) Query { return Text{"Username", Contains, "0000"} }},
	{"UsernameContainsName", func(r *rand.Rand) Query {
		return Text{"Username", Contains, lastNames[r.IntN(len(lastNames))]}
	}},
	{"UsernameContainsSelective", func(r *rand.Rand) Query {
		return Text{"Username", Contains, fmt.Sprintf("er%06d", r.IntN(5000)*2)}
	}},
	{"UsernameContainsNone", func(*rand.Rand) Query { return Text{"Username", Contains, "zzqx"} }},
	{"UsernameContainsByte", func(*rand.Rand) Query { return Text{"Username", Contains, "e"} }},
	{"FirstNameExact", func(r *rand.Rand) Query { return Text{"FirstName", Exact, firstNames[r.IntN(2000)]} }},
	{"LastNameExact", func(r *rand.Rand) Query { return Text{"LastName", Exact, lastNames[r.IntN(5000)]} }},
	{"LastNamePrefix1", func(*rand.Rand) Query { return Text{"LastName", Prefix, "b"} }},
	{"LastNamePrefix3", func(r *rand.Rand) Query { return Text{"LastName", Prefix, lastNames[r.IntN(5000)][:3]} }},
	{"LastNamePrefixAll", func(*rand.Rand) Query { return Text{"LastName", Prefix, ""} }},
	{"LastNameContains2", func(r *rand.Rand) Query { return Text{"LastName", Contains, lastNames[r.IntN(5000)][1:3]} }},
	{"LastNameContainsByte", func(*rand.Rand) Query { return Text{"LastName", Contains, "a"} }},
	{"ResourceId", func(r *rand.Rand) Query { return Key{"resourceId", []string{userID(r.IntN(10_000))}} }},
	{"RoutingProfile", func(r *rand.Rand) Query {
		return Key{"RoutingProfileId", []string{fmt.Sprint("routing-", r.IntN(50))}}
	}},
	{"SecurityProfile", func(r *rand.Rand) Query {
		return Key{"SecurityProfileId", []string{fmt.Sprint("security-", r.IntN(20))}}
	}},
	{"HierarchyExact", func(r *rand.Rand) Query {
		return Key{"HierarchyGroupId", []string{fmt.Sprint("group-", r.IntN(5000))}}
	}},
	{"Hierarchy50Groups", func(*rand.Rand) Query { return Key{"HierarchyGroupId", groups(50)} }},
	{"Hierarchy1000Groups", func(*rand.Rand) Query { return Key{"HierarchyGroupId", groups(1000)} }},
	{"HierarchyAllGroups", func(*rand.Rand) Query { return Key{"HierarchyGroupId", groups(5000)} }},
	{"Tag", func(r *rand.Rand) Query { return Tag{Key: "team", Value: fmt.Sprint("team-", r.IntN(200))} }},
	{"TagAnyValue", func(*rand.Rand) Query { return Tag{Key: "site", AnyValue: true} }},
	{"TupleOne", func(r *rand.Rand) Query {
		want := Tuple{"Product", fmt.Sprint("product-", r.IntN(100)), 3}
		return TupleMatch{"proficiencies", func(t Tuple) bool { return t == want }}
	}},
	{"TupleMany", func(*rand.Rand) Query {
		return TupleMatch{"proficiencies", func(t Tuple) bool { return t.Name == "Product" && t.Level >= 2 }}
	}},
	{"AndSelective", func(r *rand.Rand) Query {
		d := userDoc(r.IntN(10_000))
		return And{Text{"Username", Contains, "user"}, Text{"LastName", Exact, d.Text["LastName"][0]}, Key{"RoutingProfileId", d.Keys["RoutingProfileId"]}}
	}},
	{"AndDense", func(*rand.Rand) Query {
		return And{Text{"Username", Contains, "example"}, Text{"FirstName", Contains, "a"}, Tag{Key: "site", AnyValue: true}, Key{"HierarchyGroupId", groups(1000)}}
	}},
	{"OrDense", func(*rand.Rand) Query {
		return Or{Text{"Username", Contains, "er0"}, Text{"FirstName", Contains, "an"}, Text{"LastName", Contains, "an"}}
	}},
	{"OrOfAnds", func(r *rand.Rand) Query {
		return Or{
			And{Tag{Key: "team", Value: "team-7"}, Key{"SecurityProfileId", []string{"security-3"}}},
			And{Tag{Key: "site", Value: "site-1"}, Text{"LastName", Prefix, "ba"}},
		}
	}},
}

func groups(n int) []string {
	gs := make([]string, n)
	for i := range gs {
		gs[i] = fmt.Sprint("group-", i)
	}
	return gs
}

// BenchmarkSearch reports the times of each kind of query, with the exact
// total and a page of 100, over both sizes.
func BenchmarkSearch(b *testing.B) {
	for _, q := range queries {
		for _, users := range []func() loaded{users10k, users1M} {
			x := users()
			b.Run(fmt.Sprintf("%s/%d", q.name, x.size), func(b *testing.B) {
				rng := rand.New(rand.NewPCG(1, 1))
				made := make([]Query, 256)
				for i := range made {
					made[i] = q.make(rng)
				}
				times := make([]time.Duration, 0, 1024)
				total, last := 0, 0
				b.ReportAllocs()
				for i := 0; b.Loop(); i++ {
					start := time.Now()
					_, n, err := x.Search(1, 1, made[i%len(made)], int64(i%5000), 100)
					times = append(times, time.Since(start))
					if err != nil {
						b.Fatal(err)
					}
					total, last = total+n, i
				}
				slices.Sort(times)
				b.ReportMetric(float64(times[len(times)/2])/1e3, "p50-µs")
				b.ReportMetric(float64(times[len(times)*99/100])/1e3, "p99-µs")
				b.ReportMetric(float64(total)/float64(last+1), "matches")
			})
		}
	}
}

// BenchmarkLoad reports what loading and keeping a user costs.
func BenchmarkLoad(b *testing.B) {
	for _, users := range []func() loaded{users10k, users1M} {
		x := users()
		b.Run(fmt.Sprint(x.size), func(b *testing.B) {
			for b.Loop() {
				x.segment(1, 1)
			}
			b.ReportMetric(float64(x.bytes)/float64(x.size), "B/user")
			b.ReportMetric(float64(x.took.Nanoseconds())/float64(x.size), "load-ns/user")
		})
	}
}

// BenchmarkPut reports the times of single writes to a million users, without
// that of making the documents.
func BenchmarkPut(b *testing.B) {
	x := users1M()
	made := x.size
	for _, bench := range []struct {
		name string
		make func(i int) Doc
	}{
		{"New", func(int) Doc {
			made++
			return userDoc(made)
		}},
		{"SameAgain", userDoc},
		{"RoutingProfile", func(i int) Doc {
			d := userDoc(i * 7919 % x.size)
			d.Keys["RoutingProfileId"] = []string{fmt.Sprint("routing-", i%50)}
			return d
		}},
		{"Everything", func(i int) Doc {
			made++
			d := userDoc(made)
			d.PK = int64(i*7919%x.size) + 1
			return d
		}},
	} {
		b.Run(bench.name, func(b *testing.B) {
			var sum time.Duration
			n := 0
			for b.Loop() {
				d := bench.make(n)
				start := time.Now()
				x.Put(1, 1, d)
				sum += time.Since(start)
				n++
			}
			b.ReportMetric(float64(sum.Nanoseconds())/float64(n), "ns/put")
		})
	}
}
