package iam

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"ringdown/internal/domain"
	"ringdown/internal/fault"
	"ringdown/internal/store"
	"ringdown/internal/store/sqlstore"
)

// tokens are those of a store of their own, by a clock that the test moves.
func tokens(t *testing.T) (_ *SCIMTokens, st store.Store, now *time.Time) {
	t.Helper()
	st, err := sqlstore.Open(t.Context(), sqlstore.Options{Dir: t.TempDir()})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := st.Close(); err != nil {
			t.Error(err)
		}
	})
	at := testTime
	return NewSCIMTokens(SCIMTokensOptions{Store: st, Now: func() time.Time { return at }}), st, &at
}

const testKeyID = "AKIAIOSFODNN7EXAMPLE"

func TestSCIMTokens(t *testing.T) {
	s, st, now := tokens(t)
	text, made, err := s.Create(t.Context(), SCIMToken{
		ID: "not counted", Instance: "i", Region: "us-east-1", RoutingProfile: "r", SecurityProfiles: []string{"a", "b"},
	})
	if err != nil {
		t.Fatal(err)
	}
	if !IsSCIMTokenID(made.ID) || IsSCIMTokenID(testKeyID) || made.Created.IsZero() {
		t.Errorf("made %+v", made)
	}
	for range 2 { // read, then remembered
		got, err := s.Find(t.Context(), text)
		if err != nil || got == nil || fmt.Sprint(*got) != fmt.Sprint(*made) || !slices.Equal(got.SecurityProfiles, []string{"a", "b"}) {
			t.Fatalf("found %+v, %v; want %+v", got, err, made)
		}
	}
	// What is stored opens nothing.
	r, err := st.Get(t.Context(), store.Root, domain.KindSCIMToken, made.ID)
	if err != nil {
		t.Fatal(err)
	}
	if all := fmt.Sprintf("%+v %s", r, r.Doc); strings.Contains(all, text) || strings.Contains(all, text[len(tokenPrefix):]) {
		t.Error("the token is stored")
	}
	for _, other := range []string{"", tokenPrefix, text[:len(text)-1], text + "x", made.ID, r.NameKey, tokenPrefix + r.NameKey} {
		if got, err := s.Find(t.Context(), other); got != nil || err != nil {
			t.Errorf("%q finds %+v, %v", other, got, err)
		}
	}

	// Another server forgets a deleted token after a while, this one at once.
	other := NewSCIMTokens(s.opts)
	if got, err := other.Find(t.Context(), text); got == nil || err != nil {
		t.Fatal(got, err)
	}
	if err := s.Delete(t.Context(), made.ID); err != nil {
		t.Fatal(err)
	}
	if got, err := s.Find(t.Context(), text); got != nil || err != nil {
		t.Errorf("a deleted token: %+v, %v", got, err)
	}
	*now = now.Add(remembered)
	if got, err := other.Find(t.Context(), text); got != nil || err != nil {
		t.Errorf("a deleted token, of another server: %+v, %v", got, err)
	}
	if err := s.Delete(t.Context(), made.ID); !fault.Is(err, fault.ResourceNotFound) {
		t.Errorf("a second time: %v", err)
	}
	if list, err := s.List(t.Context()); err != nil || len(list) != 0 {
		t.Errorf("the list: %+v, %v", list, err)
	}
}

// TestSCIMTokensFlood: unknown tokens cost look-ups, not memory.
func TestSCIMTokensFlood(t *testing.T) {
	s, _, _ := tokens(t)
	for i := range maxFound {
		s.found[fmt.Sprint(i)] = foundToken{nil, testTime}
	}
	if got, err := s.Find(t.Context(), tokenPrefix+"x"); got != nil || err != nil {
		t.Fatal(got, err)
	}
	if len(s.found) != 1 {
		t.Errorf("%d are remembered", len(s.found))
	}
}
