package catalog_test

import (
	"testing"
	"time"

	"ringdown/internal/catalog"
	"ringdown/internal/fault"
	"ringdown/internal/store"
)

func TestOnce(t *testing.T) {
	w := newWorld(t, 0)
	type input struct{ Name string }
	type output struct{ ID string }
	runs := 0
	call := func(sc catalog.Scope, operation string, token *string, name string) (string, error) {
		out, err := catalog.Once(w.ctx, w.catalog, sc, operation, token, &input{name}, func(tx store.Tx) (*output, error) {
			runs++
			made, err := w.things.Insert(w.ctx, tx, sc, &thing{Name: name}, nil)
			if err != nil {
				return nil, err
			}
			return &output{made.ID}, nil
		})
		if err != nil {
			return "", err
		}
		return out.ID, nil
	}
	token := ptr("token")
	first, err := call(w.one, "Make", token, "a")
	ok(t, err)

	for _, c := range []struct {
		why       string
		sc        catalog.Scope
		operation string
		token     *string
		name      string
		code      fault.Code
		again     bool // the first answer is given again
		runs      int
	}{
		{"the same again", w.one, "Make", token, "a", "", true, 0},
		{"other parameters", w.one, "Make", token, "b", fault.Idempotency, false, 0},
		{"another instance", w.two, "Make", token, "a", "", false, 1},
		{"another operation, whose make fails", w.one, "MakeMore", token, "a", fault.DuplicateResource, false, 1},
		{"a failure is not remembered", w.one, "MakeMore", token, "c", "", false, 1},
		{"no token", w.one, "Make", nil, "d", "", false, 1},
		{"no token, again", w.one, "Make", nil, "d", fault.DuplicateResource, false, 1},
		{"empty token", w.one, "Make", ptr(""), "e", "", false, 1},
		{"empty token, again", w.one, "Make", ptr(""), "f", "", false, 1},
	} {
		runs = 0
		id, err := call(c.sc, c.operation, c.token, c.name)
		fails(t, err, c.code)
		if again := id == first; again != c.again {
			t.Errorf("%s: answer is %q, the first was %q", c.why, id, first)
		}
		if runs != c.runs {
			t.Errorf("%s: ran %d times, want %d", c.why, runs, c.runs)
		}
	}

	w.clock.advance(7*24*time.Hour - time.Second)
	if id, err := call(w.one, "Make", token, "a"); err != nil || id != first {
		t.Errorf("just within its time the token gives %q, %v", id, err)
	}
	w.clock.advance(2 * time.Second)
	if id, err := call(w.one, "Make", token, "z"); err != nil || id == first {
		t.Errorf("after its time the token gives %q, %v", id, err)
	}
}
