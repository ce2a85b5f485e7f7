package sip

import (
	"cmp"
	"slices"
	"strings"
)

// Route names the trunk that a call to a number goes out by, the first of Routes.
// False when there is none.
func (e *Endpoint) Route(to string) (trunk string, ok bool) {
	all := e.Routes(to)
	if len(all) == 0 {
		return "", false
	}
	return all[0], true
}

// Routes names the trunks that lead to a number, in the order in which they are to be
// tried: those with the longest prefix that fits first, those without prefixes after
// them, and all that have not answered when they were last asked at the end. A
// telephone that has registered as the number is reached by its trunk alone.
func (e *Endpoint) Routes(to string) []string {
	if c, ok := e.registrar.lookup(to); ok {
		return []string{c.trunk.Name}
	}
	type way struct {
		name   string
		up     int
		prefix int
	}
	var ways []way
	for _, t := range e.trunks {
		prefix := t.prefix(to)
		if t.Address == "" || prefix < 0 {
			continue
		}
		w := way{name: t.Name, up: 1, prefix: prefix}
		if p := e.probes[t]; p != nil && !p.up() {
			w.up = 0
		}
		ways = append(ways, w)
	}
	slices.SortStableFunc(ways, func(a, b way) int {
		return cmp.Or(cmp.Compare(b.up, a.up), cmp.Compare(b.prefix, a.prefix))
	})
	names := make([]string, len(ways))
	for i, w := range ways {
		names[i] = w.name
	}
	return names
}

// prefix is the length of the longest prefix of the trunk that fits a number, -1 for
// none. A trunk without prefixes fits all.
func (t *Trunk) prefix(to string) int {
	if len(t.Prefixes) == 0 {
		return 0
	}
	longest := -1
	for _, p := range t.Prefixes {
		if strings.HasPrefix(to, p) {
			longest = max(longest, len(p))
		}
	}
	return longest
}
