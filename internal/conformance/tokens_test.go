package conformance

import (
	"context"
	"maps"
	"net/http"
	"slices"
	"testing"
)

// bearer is the header in which the Participant service's tokens travel.
const bearer = "X-Amz-Bearer"

// badTokens is filled by the families.
var badTokens = map[kind]map[string]maker{}

// TestTokens sends every operation of the Participant service tokens that it
// must refuse, all alike: with an AccessDeniedException (Participant service API
// reference, "Common Errors"; its operations declare no other that would do).
func TestTokens(t *testing.T) {
	w := newWorld(t).participants(t)
	for _, op := range w.bound {
		t.Run(op.Name, func(t *testing.T) {
			member := w.tokenOf(t, op)
			of, known := references[member]
			if !known {
				t.Fatalf("nothing says which kind of token the member %s holds: say it in the references of a family", member)
			}
			if badTokens[of]["expired"] == nil {
				t.Fatalf("nothing makes a %s that is expired: say how in the badTokens of a family", of)
			}
			in := w.build(t, op, minimal)
			refused := func(what string, change func(in object)) {
				t.Helper()
				bad := maps.Clone(in)
				change(bad)
				r := w.send(t, w.root, w.request(op, bad))
				w.check(t, op, r)
				if r.status != http.StatusForbidden || r.code() != "AccessDeniedException" {
					t.Errorf("%s: %s, want an AccessDeniedException", what, r)
				}
			}
			with := func(token string) func(object) { return func(bad object) { bad[member] = token } }
			refused("no token", func(bad object) { delete(bad, member) })
			refused("an empty token", with(""))
			refused("nonsense", with("no-token"))
			refused("an altered token", with(altered(in[member].(string))))
			for _, other := range w.tokenKinds(t) {
				if other != of {
					refused("a "+string(other), with(w.fresh(t, other)))
				}
			}
			for what, how := range badTokens[of] {
				token, err := how(context.Background(), t, w, w.server.Connect)
				if err != nil {
					t.Fatalf("%s: %v", what, err)
				}
				refused(what, with(*token))
			}
			if r := w.send(t, w.root, w.request(op, in)); !answered(op, r) {
				t.Errorf("the right token, after the others: %s", r)
			}
		})
	}
}

// tokenOf is the member of an operation's input that holds its token.
func (w *world) tokenOf(t testing.TB, op *operation) string {
	t.Helper()
	for name, m := range w.model.input(op).Members {
		if m.LocationName == bearer {
			return name
		}
	}
	t.Fatalf("%s takes no token", op.Name)
	return ""
}

// tokenKinds are the kinds of token that the operations take which are bound.
func (w *world) tokenKinds(t testing.TB) []kind {
	t.Helper()
	var kinds []kind
	for _, op := range w.bound {
		if k, ok := references[w.tokenOf(t, op)]; ok && !slices.Contains(kinds, k) {
			kinds = append(kinds, k)
		}
	}
	return kinds
}

// altered is a token with another letter in its middle, where no encoding has
// bits to spare.
func altered(token string) string {
	b := []byte(token)
	if i := len(b) / 2; b[i] == 'A' {
		b[i] = 'B'
	} else {
		b[i] = 'A'
	}
	return string(b)
}
