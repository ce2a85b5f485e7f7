package catalog_test

import (
	"context"
	"fmt"
	"maps"
	"testing"
	"time"

	"ringdown/internal/domain"
	"ringdown/internal/fault"
)

func TestSetTags(t *testing.T) {
	w := newWorld(t, 0)
	made := w.add(t, "tagged")[0]
	arn := domain.ARN{Region: region, Account: account, Instance: w.one.ID, Kind: domain.KindPrompt, ID: made.ID}
	many := func(from, to int) map[string]string {
		tags := map[string]string{}
		for i := from; i < to; i++ {
			tags[fmt.Sprint(i)] = ""
		}
		return tags
	}
	for _, c := range []struct {
		why    string
		add    map[string]string
		remove []string
		code   fault.Code
		want   map[string]string
	}{
		{"add", map[string]string{"a": "1", "b": "2"}, nil, "", map[string]string{"a": "1", "b": "2"}},
		{"replace and keep", map[string]string{"b": "3"}, nil, "", map[string]string{"a": "1", "b": "3"}},
		{"keys differ in case", map[string]string{"B": ""}, nil, "", map[string]string{"a": "1", "b": "3", "B": ""}},
		{"remove, and what is not there", nil, []string{"a", "B", "zzz"}, "", map[string]string{"b": "3"}},
		{"51", many(0, 50), nil, fault.InvalidParameter, map[string]string{"b": "3"}},
		{"remove the last", nil, []string{"b"}, "", map[string]string{}},
		{"50", many(0, 50), nil, "", many(0, 50)},
		{"another value for one of 50", map[string]string{"0": ""}, nil, "", many(0, 50)},
		{"one more than 50", map[string]string{"x": ""}, nil, fault.InvalidParameter, many(0, 50)},
	} {
		fails(t, w.catalog.SetTags(w.ctx, arn, c.add, c.remove), c.code)
		if got, err := w.catalog.TagsOf(w.ctx, arn); err != nil || !maps.Equal(got, c.want) {
			t.Errorf("%s: tags are %v, %v, want %v", c.why, got, err, c.want)
		}
	}
	t.Run("no change leaves the time of the last", func(t *testing.T) {
		before, err := w.things.Get(w.ctx, w.one, made.ID)
		ok(t, err)
		w.clock.advance(time.Minute)
		ok(t, w.catalog.SetTags(w.ctx, arn, map[string]string{"1": ""}, []string{"none"}))
		after, err := w.things.Get(w.ctx, w.one, made.ID)
		ok(t, err)
		if !after.Modified.Equal(before.Modified) {
			t.Errorf("Modified went from %v to %v", before.Modified, after.Modified)
		}
	})
	t.Run("the entity stays", func(t *testing.T) {
		if i, err := w.things.Get(w.ctx, w.one, made.ID); err != nil || i.Value != made.Value || i.Name != "tagged" {
			t.Errorf("the resource is now %+v, %v", i, err)
		}
	})
}

func TestTagsOfWhat(t *testing.T) {
	w := newWorld(t, 0)
	root := w.catalog.RootScope(w.ctx)
	made := w.add(t, "thing")[0]
	hidden, err := w.secrets.Create(w.ctx, w.one, &secret{Name: "secret"}, nil)
	ok(t, err)
	phone, err := w.numbers.Create(w.ctx, root, &number{Name: "+1", Region: region}, nil)
	ok(t, err)
	good := domain.ARN{Region: region, Account: account, Instance: w.one.ID, Kind: domain.KindPrompt, ID: made.ID}
	with := func(change func(a *domain.ARN)) domain.ARN {
		a := good
		change(&a)
		return a
	}
	for name, c := range map[string]struct {
		ctx  context.Context
		arn  domain.ARN
		code fault.Code
	}{
		"resource":                 {w.ctx, good, ""},
		"with a qualifier":         {w.ctx, with(func(a *domain.ARN) { a.Qualifier = "1" }), ""},
		"instance":                 {w.ctx, domain.ARN{Region: region, Account: account, Kind: domain.KindInstance, ID: string(w.one.ID), Instance: w.one.ID}, ""},
		"phone number":             {w.ctx, domain.ARN{Region: region, Account: account, Kind: domain.KindPhoneNumber, ID: phone.ID}, ""},
		"older phone number ARN":   {w.ctx, domain.ARN{Region: region, Account: account, Instance: w.one.ID, Kind: domain.KindPhoneNumber, ID: phone.ID}, fault.ResourceNotFound},
		"no instance":              {w.ctx, with(func(a *domain.ARN) { a.Instance = "" }), fault.ResourceNotFound},
		"another instance":         {w.ctx, with(func(a *domain.ARN) { a.Instance = w.two.ID }), fault.ResourceNotFound},
		"unknown instance":         {w.ctx, with(func(a *domain.ARN) { a.Instance = domain.InstanceID(domain.NewID()) }), fault.ResourceNotFound},
		"unknown id":               {w.ctx, with(func(a *domain.ARN) { a.ID = domain.NewID() }), fault.ResourceNotFound},
		"another account":          {w.ctx, with(func(a *domain.ARN) { a.Account = "999999999999" }), fault.ResourceNotFound},
		"another region":           {w.ctx, with(func(a *domain.ARN) { a.Region = "eu-west-2" }), fault.ResourceNotFound},
		"from another region":      {in("eu-west-2"), good, fault.ResourceNotFound},
		"moved to another region":  {in("eu-west-2"), with(func(a *domain.ARN) { a.Region = "eu-west-2" }), fault.ResourceNotFound},
		"kind nobody has":          {w.ctx, with(func(a *domain.ARN) { a.Kind = domain.KindUser }), fault.ResourceNotFound},
		"kind that cannot be":      {w.ctx, with(func(a *domain.ARN) { a.Kind, a.ID = domain.KindPredefinedAttribute, hidden.ID }), fault.ResourceNotFound},
		"instance, other region":   {in("eu-west-2"), domain.ARN{Region: "eu-west-2", Account: account, Kind: domain.KindInstance, ID: string(w.one.ID)}, fault.ResourceNotFound},
		"instance that is unknown": {w.ctx, domain.ARN{Region: region, Account: account, Kind: domain.KindInstance, ID: domain.NewID()}, fault.ResourceNotFound},
	} {
		t.Run(name, func(t *testing.T) {
			fails(t, w.catalog.SetTags(c.ctx, c.arn, map[string]string{"a": name}, nil), c.code)
			tags, err := w.catalog.TagsOf(c.ctx, c.arn)
			fails(t, err, c.code)
			if c.code == "" && tags["a"] != name {
				t.Errorf("tags are %v", tags)
			}
		})
	}
}
