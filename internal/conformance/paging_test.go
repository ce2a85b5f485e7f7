package conformance

import (
	"context"
	"database/sql"
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"path/filepath"
	"slices"
	"testing"

	_ "modernc.org/sqlite"

	"ringdown/internal/domain"
	"ringdown/internal/server"
)

// paged is a list or a search of resources that are many.
type paged struct {
	of kind
	id string // the member of a listed resource that identifies it
	// remove deletes one that the member names.
	remove, member string
}

// pagedOperations are the operations that show pages of resources of one kind.
var pagedOperations = map[string]paged{
	"ListUsers":                       {user, "Id", "DeleteUser", "UserId"},
	"SearchUsers":                     {user, "Id", "DeleteUser", "UserId"},
	"ListUserHierarchyGroups":         {hierarchyGroup, "Id", "DeleteUserHierarchyGroup", "HierarchyGroupId"},
	"SearchUserHierarchyGroups":       {hierarchyGroup, "Id", "DeleteUserHierarchyGroup", "HierarchyGroupId"},
	"ListSecurityProfiles":            {securityProfile, "Id", "DeleteSecurityProfile", "SecurityProfileId"},
	"SearchSecurityProfiles":          {securityProfile, "Id", "DeleteSecurityProfile", "SecurityProfileId"},
	"ListPredefinedAttributes":        {predefinedAttribute, "Name", "DeletePredefinedAttribute", "Name"},
	"SearchPredefinedAttributes":      {predefinedAttribute, "Name", "DeletePredefinedAttribute", "Name"},
	"ListQueues":                      {queue, "Id", "DeleteQueue", "QueueId"},
	"SearchQueues":                    {queue, "QueueId", "DeleteQueue", "QueueId"},
	"ListRoutingProfiles":             {routingProfile, "Id", "DeleteRoutingProfile", "RoutingProfileId"},
	"SearchRoutingProfiles":           {routingProfile, "RoutingProfileId", "DeleteRoutingProfile", "RoutingProfileId"},
	"ListHoursOfOperations":           {hoursOfOperation, "Id", "DeleteHoursOfOperation", "HoursOfOperationId"},
	"SearchHoursOfOperations":         {hoursOfOperation, "HoursOfOperationId", "DeleteHoursOfOperation", "HoursOfOperationId"},
	"ListHoursOfOperationOverrides":   {hoursOverride, "HoursOfOperationOverrideId", "DeleteHoursOfOperationOverride", "HoursOfOperationOverrideId"},
	"SearchHoursOfOperationOverrides": {hoursOverride, "HoursOfOperationOverrideId", "DeleteHoursOfOperationOverride", "HoursOfOperationOverrideId"},
	"ListQuickConnects":               {quickConnect, "Id", "DeleteQuickConnect", "QuickConnectId"},
	"SearchQuickConnects":             {quickConnect, "QuickConnectId", "DeleteQuickConnect", "QuickConnectId"},
}

// fewOperations page as well, but over what an instance or a resource has few
// of, or what is computed; the reason is beside each.
var fewOperations = map[string]string{
	"ListInstances":                            "instances are few",
	"ListInstanceAttributes":                   "there are thirteen",
	"ListAgentStatuses":                        "fifty at most, and none can be deleted",
	"SearchAgentStatuses":                      "fifty at most, and none can be deleted",
	"ListSecurityProfilePermissions":           "a member of the profile",
	"ListSecurityProfileApplications":          "a member of the profile",
	"ListSecurityProfileFlowModules":           "a member of the profile",
	"ListUserProficiencies":                    "a member of the user",
	"ListRoutingProfileQueues":                 "a member of the profile",
	"ListRoutingProfileManualAssignmentQueues": "a member of the profile",
	"ListQueueQuickConnects":                   "a member of the queue",
	"ListQueueEmailAddresses":                  "a member of the queue",
	"ListChildHoursOfOperations":               "children are a handful",
	"SearchResourceTags":                       "a thousand tags at most, computed",
}

// TestPaging pages through ten thousand resources of each kind while others
// are made and deleted between the pages: what is there all the time is shown
// once, whatever happens beside it.
func TestPaging(t *testing.T) {
	const size = 100
	first := newWorld(t)
	originals := map[kind]string{}
	for _, p := range pagedOperations {
		if originals[p.of] == "" {
			originals[p.of] = first.shared(t, p.of)
		}
	}
	if err := first.server.Close(); err != nil {
		t.Fatal(err)
	}
	crowd := multiply(t, first.server.Data, first.instance, originals)

	w := newWorldOf(t, func(c *server.Config) { c.Data = first.server.Data })
	w.instance, w.made = first.instance, first.made
	w.counter.Store(first.counter.Load())
	for _, name := range slices.Sorted(maps.Keys(pagedOperations)) {
		p := pagedOperations[name]
		t.Run(name, func(t *testing.T) {
			op, remove := w.model.Operations[name], w.model.Operations[p.remove]
			in := w.build(t, op, minimal)
			limit := size
			if m, ok := w.model.input(op).Members["MaxResults"]; ok {
				if most := w.model.Shapes[m.Shape].Max; most != nil && *most < size {
					limit = int(*most)
				}
				in["MaxResults"] = float64(limit)
			}
			all := crowd[p.of]
			shown := map[string]int{}
			gone := map[string]bool{}
			drop := func(id string) {
				out := w.build(t, remove, minimal)
				out[p.member] = id
				if r := w.send(t, w.root, w.request(remove, out)); r.status != http.StatusOK {
					t.Fatalf("%s: %s", p.remove, r)
				}
				gone[id] = true
			}
			pages := 0
			for {
				r := w.send(t, w.root, w.request(op, in))
				if r.status != http.StatusOK {
					t.Fatalf("page %d: %s", pages, r)
				}
				ids, next := w.page(t, op, r, p.id)
				if len(ids) > limit {
					t.Fatalf("page %d has %d resources, %d were asked for", pages, len(ids), limit)
				}
				for _, id := range ids {
					shown[id]++
				}
				if next == "" {
					break
				}
				in["NextToken"] = next
				if pages%10 == 0 {
					w.fresh(t, p.of)
					drop(all[pages])            // shown already
					drop(all[len(all)-1-pages]) // not yet
				}
				pages++
			}
			crowd[p.of] = slices.DeleteFunc(slices.Clone(all), func(id string) bool { return gone[id] })
			for _, id := range crowd[p.of] {
				if shown[id] != 1 {
					t.Fatalf("%s was there all the time and was shown %d times", id, shown[id])
				}
			}
			for id, n := range shown {
				if n > 1 {
					t.Fatalf("%s was shown %d times", id, n)
				}
			}
			if least := len(crowd[p.of]) / limit; pages+1 < least {
				t.Errorf("%d pages, want %d at least", pages, least)
			}
		})
	}
}

// TestEveryListPages: an operation that shows pages is paged through here, or
// has so little to show that it need not be.
func TestEveryListPages(t *testing.T) {
	w := newWorld(t)
	for _, op := range w.bound {
		_, takes := w.model.input(op).Members["NextToken"]
		_, many := pagedOperations[op.Name]
		_, few := fewOperations[op.Name]
		switch {
		case takes && !many && !few:
			t.Errorf("%s takes a NextToken: put it into pagedOperations, or into fewOperations with the reason", op.Name)
		case many && few:
			t.Errorf("%s is in both tables", op.Name)
		case !takes && (many || few):
			t.Errorf("%s takes no NextToken", op.Name)
		}
	}
}

// page reads the identifiers of what an answer lists, and its token.
func (w *world) page(t testing.TB, op *operation, r *reply, member string) (ids []string, next string) {
	t.Helper()
	var body map[string]json.RawMessage
	if err := json.Unmarshal(r.body, &body); err != nil {
		t.Fatal(err)
	}
	for name, m := range w.model.output(op).Members {
		raw, has := body[name]
		switch {
		case !has:
		case name == "NextToken":
			if err := json.Unmarshal(raw, &next); err != nil {
				t.Fatal(err)
			}
		case w.model.Shapes[m.Shape].Type == "list":
			var items []map[string]any
			if err := json.Unmarshal(raw, &items); err != nil {
				t.Fatal(err)
			}
			for _, item := range items {
				id, ok := item[member].(string)
				if !ok {
					t.Fatalf("a listed resource has no %s: %v", member, item)
				}
				ids = append(ids, id)
			}
		}
	}
	return ids, next
}

// multiply makes many of each resource, by copying its row in the database of
// a stopped server: making as many through the API takes minutes. It returns
// what identifies the copies, by kind.
func multiply(t *testing.T, data, instance string, originals map[kind]string) map[kind][]string {
	t.Helper()
	db, err := sql.Open("sqlite", "file:"+filepath.Join(data, "ringdown.db"))
	if err != nil {
		t.Fatal(err)
	}
	defer func() {
		if err := db.Close(); err != nil {
			t.Error(err)
		}
	}()
	ctx := context.Background()
	tx, err := db.BeginTx(ctx, nil)
	if err != nil {
		t.Fatal(err)
	}
	run := func(q string, args ...any) {
		t.Helper()
		if _, err := tx.ExecContext(ctx, q, args...); err != nil {
			t.Fatalf("%v: %s", err, q)
		}
	}
	var next int64
	if err := tx.QueryRowContext(ctx, `SELECT next FROM counter WHERE name = 'pk'`).Scan(&next); err != nil {
		t.Fatal(err)
	}
	crowd := map[kind][]string{}
	for _, k := range slices.Sorted(maps.Keys(originals)) {
		number, ok := domain.KindNamed(string(k))
		if !ok {
			t.Fatalf("the domain has no kind %s", k)
		}
		var pk int64
		var name string
		err := tx.QueryRowContext(ctx, `SELECT r.pk, r.name FROM resource r JOIN resource i ON i.pk = r.instance
			WHERE i.id IN (?, 'root') AND r.kind = ? AND ? IN (r.id, r.name)`, instance, number, originals[k]).Scan(&pk, &name)
		if err != nil {
			t.Fatalf("the %s %s: %v", k, originals[k], err)
		}
		for n := range crowdSize {
			id, renamed := domain.NewID(), fmt.Sprintf("%s x%d", name, n)
			run(`INSERT INTO resource (pk, instance, kind, id, name, name_key, version, created, modified, tags, doc)
				SELECT ?, instance, kind, ?, ?, name_key || ?, version, created, modified, tags, replace(doc, ?, ?)
				FROM resource WHERE pk = ?`, next, id, renamed, fmt.Sprintf(" x%d", n), name, renamed, pk)
			run(`INSERT INTO ref (from_pk, role, to_pk) SELECT ?, role, to_pk FROM ref WHERE from_pk = ?`, next, pk)
			next++
			if originals[k] == name {
				id = renamed // it is known by its name
			}
			crowd[k] = append(crowd[k], id)
		}
	}
	run(`UPDATE counter SET next = ? WHERE name = 'pk'`, next)
	if err := tx.Commit(); err != nil {
		t.Fatal(err)
	}
	return crowd
}
