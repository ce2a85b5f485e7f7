package catalog

import "testing"

func TestGenerations(t *testing.T) {
	var g generations[int, string]
	g.put(-1, "used")
	g.put(-2, "unused")
	for n := range 10 * cacheGeneration {
		g.put(n, "x")
		if v, ok := g.get(-1); !ok || v != "used" {
			t.Fatalf("what is used all the time was dropped after %d others", n)
		}
		if size := len(g.young) + len(g.old); size > 2*cacheGeneration {
			t.Fatalf("%d entries are kept, at most %d may be", size, 2*cacheGeneration)
		}
	}
	if _, ok := g.get(-2); ok {
		t.Error("what nobody used is still there")
	}
	g.drop(-1)
	if _, ok := g.get(-1); ok {
		t.Error("a dropped entry is still there")
	}
}
