package storetest

import (
	"fmt"
	"testing"

	"ringdown/internal/domain"
	"ringdown/internal/fault"
	"ringdown/internal/store"
)

const (
	roleQueue  store.Role = "queue"
	roleParent store.Role = "parent"
)

func danglingIsRefused(t *testing.T, open Open) {
	e := setup(t, open, Options{})
	target := e.insert(t, e.queue("target"))
	good := store.Ref{Role: roleQueue, To: target.PK}
	bad := store.Ref{Role: roleQueue, To: target.PK + 1<<40}
	r := e.user("refers")
	wantFault(t, e.try(func(tx store.Tx) error { return tx.Insert(t.Context(), r, []store.Ref{good, bad}) }), fault.ResourceNotFound)
	e.insert(t, r, good)
	wantFault(t, e.try(func(tx store.Tx) error { return tx.Update(t.Context(), r, []store.Ref{bad}) }), fault.ResourceNotFound)
	if n, err := e.CountReferrers(t.Context(), target.PK, roleQueue); err != nil || n != 1 {
		t.Errorf("%d referrers after a refused update, want 1 (%v)", n, err)
	}
	e.remove(t, r)
	e.remove(t, target)
	wantFault(t, e.try(func(tx store.Tx) error { return tx.Insert(t.Context(), e.user("late"), []store.Ref{good}) }), fault.ResourceNotFound)
}

func inUseIsRefused(t *testing.T, open Open) {
	e := setup(t, open, Options{})
	target := e.insert(t, e.queue("target"))
	r := e.insert(t, e.user("refers"), store.Ref{Role: roleQueue, To: target.PK})
	err := e.try(func(tx store.Tx) error { return tx.Delete(t.Context(), target) })
	wantFault(t, err, fault.ResourceInUse)
	if id := fault.From(err).Members["ResourceId"]; id != target.ID {
		t.Errorf("the fault carries ResourceId %v, want %s", id, target.ID)
	}
	e.get(t, target)
	// Whoever refers may go, and then so may the other, in one transaction too.
	err = e.try(func(tx store.Tx) error {
		if err := tx.Delete(t.Context(), r); err != nil {
			return err
		}
		return tx.Delete(t.Context(), target)
	})
	if err != nil {
		t.Fatal(err)
	}

	self := e.insert(t, e.user("self"))
	e.update(t, self, []store.Ref{{Role: roleParent, To: self.PK}})
	e.remove(t, self)
}

func referencesAreReplaced(t *testing.T, open Open) {
	e := setup(t, open, Options{})
	a, b := e.insert(t, e.queue("a")), e.insert(t, e.queue("b"))
	r := e.insert(t, e.user("refers"), store.Ref{Role: roleQueue, To: a.PK})
	check := func(what string, onA, onB int) {
		t.Helper()
		for _, c := range []struct {
			to   *store.Record
			want int
		}{{a, onA}, {b, onB}} {
			if n, err := e.CountReferrers(t.Context(), c.to.PK, roleQueue); err != nil || n != c.want {
				t.Errorf("%s: %d refer to %s, want %d (%v)", what, n, c.to.Name, c.want, err)
			}
		}
	}
	check("inserted", 1, 0)
	e.update(t, r, nil)
	check("updated with nil", 1, 0)
	e.update(t, r, []store.Ref{{Role: roleQueue, To: b.PK}, {Role: roleParent, To: a.PK}})
	check("replaced", 0, 1)
	e.update(t, r, []store.Ref{})
	check("updated with none", 0, 0)
	e.remove(t, a)
	e.remove(t, b)
}

func referencesAreASet(t *testing.T, open Open) {
	e := setup(t, open, Options{})
	var refs []store.Ref
	for i := range 20 { // more than one statement inserts
		to := e.insert(t, e.queue(fmt.Sprint("queue ", i)))
		refs = append(refs, store.Ref{Role: roleQueue, To: to.PK}, store.Ref{Role: roleParent, To: to.PK})
	}
	e.insert(t, e.user("refers"), append(refs, refs...)...)
	for _, ref := range refs {
		if n, err := e.CountReferrers(t.Context(), ref.To, ref.Role); err != nil || n != 1 {
			t.Fatalf("%d refer to %d as %s, want 1 (%v)", n, ref.To, ref.Role, err)
		}
	}
}

func referrers(t *testing.T, open Open) {
	e := setup(t, open, Options{})
	target := e.insert(t, e.queue("target"))
	var want []string
	for i := range 5 {
		r := e.insert(t, e.user(fmt.Sprint("user ", i)), store.Ref{Role: roleQueue, To: target.PK})
		want = append(want, r.Name)
	}
	e.insert(t, e.user("in another role"), store.Ref{Role: roleParent, To: target.PK})

	all, err := e.Referrers(t.Context(), target.PK, roleQueue, 0, 0)
	if err != nil {
		t.Fatal(err)
	}
	wantSame(t, names(all), want)
	wantSame(t, all[0], e.get(t, all[0]))
	page, err := e.Referrers(t.Context(), target.PK, roleQueue, all[1].PK, 2)
	if err != nil {
		t.Fatal(err)
	}
	wantSame(t, names(page), want[2:4])
	if n, err := e.CountReferrers(t.Context(), target.PK, roleQueue); err != nil || n != 5 {
		t.Errorf("%d referrers, want 5 (%v)", n, err)
	}
	none, err := e.Referrers(t.Context(), all[0].PK, roleQueue, 0, 0)
	if err != nil || len(none) != 0 {
		t.Errorf("referrers of a record that none refers to: %v, %v", names(none), err)
	}
}

// crossed fills an instance with records that refer to one another in both
// directions, so that no order of removing them one by one would do.
func crossed(t *testing.T, e *env) (instance *store.Record, members []*store.Record) {
	t.Helper()
	instance = e.insert(t, &store.Record{Kind: domain.KindInstance, ID: domain.NewID(), Name: "crossed"})
	for i := range 4 {
		r := e.user(fmt.Sprint("member ", i))
		r.Instance = instance.PK
		members = append(members, e.insert(t, r))
	}
	for i, r := range members {
		e.update(t, r, []store.Ref{
			{Role: roleParent, To: members[(i+1)%4].PK},
			{Role: roleQueue, To: members[(i+3)%4].PK},
			{Role: "instance", To: instance.PK},
		})
	}
	return instance, members
}

func instanceGoesWhole(t *testing.T, open Open) {
	e := setup(t, open, Options{})
	bystander := e.insert(t, e.user("bystander"))
	instance, members := crossed(t, e)
	e.remove(t, instance)
	left, err := e.GetByPK(t.Context(), instance.PK, members[0].PK, members[1].PK, members[2].PK, members[3].PK, bystander.PK)
	if err != nil {
		t.Fatal(err)
	}
	wantSame(t, names(left), []string{"bystander"})
	for _, r := range members {
		for _, role := range []store.Role{roleParent, roleQueue} {
			if n, err := e.CountReferrers(t.Context(), r.PK, role); err != nil || n != 0 {
				t.Errorf("%d references to %s are left (%v)", n, r.Name, err)
			}
		}
	}
}

func instanceInUse(t *testing.T, open Open) {
	e := setup(t, open, Options{})
	instance, members := crossed(t, e)
	outside := e.insert(t, e.user("outside"), store.Ref{Role: roleQueue, To: members[2].PK})
	wantFault(t, e.try(func(tx store.Tx) error { return tx.Delete(t.Context(), instance) }), fault.ResourceInUse)
	for _, r := range members {
		e.get(t, r)
		if n, err := e.CountReferrers(t.Context(), r.PK, roleParent); err != nil || n != 1 {
			t.Errorf("%d parents of %s, want 1 (%v)", n, r.Name, err)
		}
	}
	e.remove(t, outside)
	e.remove(t, instance)
}

func rootStays(t *testing.T, open Open) {
	e := setup(t, open, Options{})
	root := &store.Record{PK: store.Root}
	wantFault(t, e.try(func(tx store.Tx) error { return tx.Delete(t.Context(), root) }), fault.ResourceNotFound)
	wantFault(t, e.try(func(tx store.Tx) error { return tx.Update(t.Context(), root, nil) }), fault.ResourceNotFound)
	if got, err := e.GetByPK(t.Context(), e.instance); err != nil || len(got) != 1 {
		t.Errorf("the instance is gone with it (%v)", err)
	}
}
