package roundtrip

import (
	"encoding/json"
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/connect"

	"ringdown/internal/domain"
	"ringdown/internal/server/servertest"
)

var ok = servertest.OK

// many is how many resources of each kind the instance is filled with, beside
// those that it is made with.
const many = 3

// site is an instance that is filled, exported or rebuilt.
type site struct {
	*connect.Client
	server *servertest.Server
	id     string
	made   map[string][]string          // ids of what fill has made, by name of the kind
	first  map[string]map[string]string // ids of what the instance was made with, by kind and name
}

// existing is the id of what the instance was made with, "" when it had no
// such resource.
func (s *site) existing(kind, name string) string { return s.first[kind][name] }

// arn names a resource of the instance.
func (s *site) arn(kind domain.Kind, id string) string {
	return servertest.InstanceARN(s.id) + "/" + kind.Segment() + "/" + id
}

// a is the id of one of the resources that were made of a kind, another for
// each n.
func (s *site) a(t testing.TB, kind string, n int) string {
	t.Helper()
	ids := s.made[kind]
	if len(ids) == 0 {
		t.Fatalf("no %s was made before: order the kinds in newKinds", kind)
	}
	return ids[n%len(ids)]
}

// resources are all resources of a kind as Describe and List show them.
// Everything that a client can see of a resource is in its document, and
// nothing that the service alone decides beside ids, ARNs and times: leave out
// what cannot be asked for, such as versions and checksums of contents that
// name ids.
type resources struct {
	ids       []string // in the order of the list
	names     map[string]string
	documents map[string]any
}

// add puts a resource into the export. What has no id is known by a name in
// its place.
func (r *resources) add(id, name string, document any) {
	if r.documents == nil {
		r.documents, r.names = map[string]any{}, map[string]string{}
	}
	r.ids = append(r.ids, id)
	r.names[name] = id
	r.documents[id] = document
}

// kind is one kind of resource as these tests know it.
type kind struct {
	name string
	// fill makes the nth resource and returns its id, "" when it has none.
	fill func(t testing.TB, s *site, n int) string
	// export reads all that there is, through Describe and List alone.
	export func(t testing.TB, s *site) resources
	// rebuild makes a resource anew, or brings what every instance has to the
	// state of the document, and returns its id. Ids of what was rebuilt before
	// are those of the new instance.
	rebuild func(t testing.TB, s *site, document json.RawMessage) string
	// link, when not nil, completes a resource once all kinds are rebuilt, with
	// what names resources of later kinds. All ids are those of the new
	// instance.
	link func(t testing.TB, s *site, id string, document json.RawMessage)
}

// of is a kind whose document has the type D.
func of[D any](
	name string,
	fill func(t testing.TB, s *site, n int) string,
	export func(t testing.TB, s *site) resources,
	rebuild func(t testing.TB, s *site, d D) string,
	link func(t testing.TB, s *site, id string, d D),
) kind {
	k := kind{name: name, fill: fill, export: export}
	k.rebuild = func(t testing.TB, s *site, raw json.RawMessage) string {
		t.Helper()
		return rebuildFrom(t, name, raw, func(d D) string { return rebuild(t, s, d) })
	}
	if link != nil {
		k.link = func(t testing.TB, s *site, id string, raw json.RawMessage) {
			t.Helper()
			rebuildFrom(t, name, raw, func(d D) string { link(t, s, id, d); return "" })
		}
	}
	return k
}

func rebuildFrom[D any](t testing.TB, name string, raw json.RawMessage, use func(D) string) string {
	t.Helper()
	var d D
	if err := json.Unmarshal(raw, &d); err != nil {
		t.Fatalf("%s: %v in %s", name, err, raw)
	}
	return use(d)
}

// everyPage calls read until there is no next page.
func everyPage(t testing.TB, read func(token *string) (next *string, err error)) {
	t.Helper()
	servertest.Pages(t, func(token *string) ([]int, *string, error) {
		next, err := read(token)
		return nil, next, err
	})
}

// fillAll fills an instance.
func fillAll(t testing.TB, s *site, kinds []kind) {
	t.Helper()
	for _, k := range kinds {
		for n := range many {
			if id := k.fill(t, s, n); id != "" {
				s.made[k.name] = append(s.made[k.name], id)
			}
		}
	}
}

// exported is an export of one kind: documents as JSON, without times.
type exported struct {
	ids       []string
	documents map[string]json.RawMessage
}

func exportAll(t testing.TB, s *site, kinds []kind) map[string]exported {
	t.Helper()
	all := map[string]exported{}
	for _, k := range kinds {
		r := k.export(t, s)
		e := exported{r.ids, map[string]json.RawMessage{}}
		for id, document := range r.documents {
			raw, err := json.Marshal(timeless(reflect.ValueOf(document)).Interface())
			ok(t, err)
			e.documents[id] = raw
		}
		all[k.name] = e
	}
	return all
}

// timeless is a copy of v in which no time is left.
func timeless(v reflect.Value) reflect.Value {
	switch v.Kind() {
	case reflect.Pointer:
		if v.IsNil() || v.Type() == reflect.TypeFor[*time.Time]() {
			return reflect.Zero(v.Type())
		}
		c := reflect.New(v.Type().Elem())
		c.Elem().Set(timeless(v.Elem()))
		return c
	case reflect.Interface:
		if v.IsNil() {
			return v
		}
		c := reflect.New(v.Type()).Elem()
		c.Set(timeless(v.Elem()))
		return c
	case reflect.Struct:
		if v.Type() == reflect.TypeFor[time.Time]() {
			return reflect.Zero(v.Type())
		}
		c := reflect.New(v.Type()).Elem()
		c.Set(v)
		for i := range v.NumField() {
			if v.Type().Field(i).IsExported() {
				c.Field(i).Set(timeless(v.Field(i)))
			}
		}
		return c
	case reflect.Slice:
		if v.IsNil() {
			return v
		}
		c := reflect.MakeSlice(v.Type(), v.Len(), v.Len())
		for i := range v.Len() {
			c.Index(i).Set(timeless(v.Index(i)))
		}
		return c
	case reflect.Map:
		if v.IsNil() {
			return v
		}
		c := reflect.MakeMap(v.Type())
		for _, k := range v.MapKeys() {
			c.SetMapIndex(k, timeless(v.MapIndex(k)))
		}
		return c
	default:
		return v
	}
}

// renames are ids of one instance and what they have become in another.
type renames map[string]string

// apply replaces every id in a document. Ids are long and random, so that
// nothing else looks like one.
func (r renames) apply(raw []byte) []byte {
	pairs := make([]string, 0, 2*len(r))
	for from, to := range r {
		pairs = append(pairs, from, to)
	}
	return []byte(strings.NewReplacer(pairs...).Replace(string(raw)))
}

// rebuildAll makes what was exported anew in s, and returns what the ids have
// become.
func rebuildAll(t testing.TB, s *site, kinds []kind, from string, all map[string]exported) renames {
	t.Helper()
	to := renames{from: s.id}
	for _, k := range kinds {
		for _, id := range all[k.name].ids {
			made := k.rebuild(t, s, to.apply(all[k.name].documents[id]))
			if domain.IsUUID(id) && made != "" {
				to[id] = made
			}
		}
	}
	for _, k := range kinds {
		if k.link == nil {
			continue
		}
		for _, id := range all[k.name].ids {
			made := id
			if renamed, ok := to[id]; ok {
				made = renamed
			}
			k.link(t, s, made, to.apply(all[k.name].documents[id]))
		}
	}
	return to
}

// compare holds the second export to the first.
func compare(t *testing.T, kinds []kind, to renames, before, after map[string]exported) {
	t.Helper()
	for _, k := range kinds {
		t.Run(k.name, func(t *testing.T) {
			a, b := before[k.name], after[k.name]
			want := map[string]string{}
			for id, raw := range a.documents {
				want[string(to.apply([]byte(id)))] = string(to.apply(raw))
			}
			for _, id := range slices.Sorted(maps.Keys(want)) {
				if got, ok := b.documents[id]; !ok {
					t.Errorf("%s is gone: %s", id, want[id])
				} else if string(got) != want[id] {
					t.Errorf("%s was\n%s\nand is now\n%s", id, want[id], got)
				}
			}
			for id, raw := range b.documents {
				if _, ok := want[id]; !ok {
					t.Errorf("%s was not there before: %s", id, raw)
				}
			}
		})
	}
}

func newSite(t testing.TB, server *servertest.Server, kinds []kind) *site {
	t.Helper()
	s := &site{Client: server.Connect, server: server, id: server.NewInstance(t), made: map[string][]string{}, first: map[string]map[string]string{}}
	for _, k := range kinds {
		s.first[k.name] = k.export(t, s).names
	}
	return s
}

// name is a name for the nth resource of a kind.
func name(kind string, n int) *string {
	s := fmt.Sprintf("%s %c", kind, 'A'+n)
	return &s
}

// tags are those of a document as a Create takes them, which wants none rather
// than an empty map.
func tags(m map[string]string) map[string]string {
	if len(m) == 0 {
		return nil
	}
	return m
}
