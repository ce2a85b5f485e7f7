package scim

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"testing"

	"ringdown/internal/domain"
	"ringdown/internal/fault"
)

// lookedUp are users of which those with an external id can be looked up; of
// the others only how they were asked for is known.
type lookedUp struct {
	Users
	users []*User
	limit int // of External, less than it is asked for
	err   error
	asked []string
}

func (l *lookedUp) External(_ context.Context, _ domain.InstanceID, id string, limit int) ([]*User, bool, error) {
	l.asked = append(l.asked, "external "+id)
	if l.err != nil {
		return nil, false, l.err
	}
	found := slices.DeleteFunc(slices.Clone(l.users), func(u *User) bool { return u.ExternalID != id })
	if len(found) > min(l.limit, limit) {
		return nil, false, nil
	}
	return found, true, nil
}

func (l *lookedUp) Named(_ context.Context, _ domain.InstanceID, name string) (*User, error) {
	l.asked = append(l.asked, "named "+name)
	for _, u := range l.users {
		if u.Username == name {
			return u, nil
		}
	}
	return nil, fault.New(fault.ResourceNotFound, "none")
}

func (l *lookedUp) List(context.Context, domain.InstanceID, string, int, int) ([]*User, error) {
	l.asked = append(l.asked, "all")
	return l.users, nil
}

// TestLookUps: whom a filter names is looked up, and nobody else is read; when
// it names too many, all are.
func TestLookUps(t *testing.T) {
	u := &lookedUp{limit: 2}
	for i, external := range []string{"one", "two", "two", "three", "three", "three", ""} {
		u.users = append(u.users, &User{ID: fmt.Sprint(i), Username: fmt.Sprint("user", i), ExternalID: external})
	}
	s := &service{Options{Users: u, URL: func() string { return "" }}}
	for _, c := range []struct{ filter, found, asked string }{
		{`externalId eq "one"`, "[0]", "[external one]"},
		{`externalID EQ "two"`, "[1 2]", "[external two]"},
		{`externalId eq "ONE"`, "[]", "[external ONE]"}, // its case counts (RFC 7643 §3.1)
		{`externalId eq "none"`, "[]", "[external none]"},
		{`externalId eq "three"`, "[3 4 5]", "[external three all]"},
		{`active eq true and externalId eq "two"`, "[1 2]", "[external two]"},
		{`externalId eq "two" and active eq false`, "[]", "[external two]"},
		{`externalId eq "two" and userName eq "user2"`, "[2]", "[external two]"},
		{`externalId eq "three" and userName eq "user4"`, "[4]", "[external three named user4]"},
		{`userName eq "user4" and externalId eq "three"`, "[4]", "[named user4]"},
		{`externalId eq "one" or externalId eq "two"`, "[0 1 2]", "[all]"},
		{`not (externalId eq "three")`, "[0 1 2 6]", "[all]"},
		{`externalId ne "three"`, "[0 1 2 6]", "[all]"},
		{`externalId sw "t"`, "[1 2 3 4 5]", "[all]"},
		{`externalId eq null`, "[6]", "[all]"},
	} {
		u.asked = nil
		f, err := parseFilter(c.filter)
		if err != nil {
			t.Errorf("%s: %v", c.filter, err)
			continue
		}
		found, total, err := s.run(t.Context(), "", query{filter: f, start: 1, count: 100})
		ids := []string{}
		for _, u := range found {
			ids = append(ids, u.ID)
		}
		if fmt.Sprint(ids) != c.found || total != len(ids) || fmt.Sprint(u.asked) != c.asked || err != nil {
			t.Errorf("%s: %v of %d by %v, %v; want %s by %s", c.filter, ids, total, u.asked, err, c.found, c.asked)
		}
	}
	u.err = errors.New("the store is gone")
	f, _ := parseFilter(`externalId eq "one"`)
	if _, _, err := s.run(t.Context(), "", query{filter: f, start: 1, count: 100}); !errors.Is(err, u.err) {
		t.Errorf("a failure is %v", err)
	}
}
