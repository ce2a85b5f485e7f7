package roundtrip

import (
	"testing"

	"ringdown/internal/server"
	"ringdown/internal/server/servertest"
	"ringdown/internal/store/storetest/pgtest"
)

// families are the kinds in the order in which they can be made: what names
// others comes after them.
func families() []kind {
	return concat(
		flowKinds(),
		viewKinds(),
		dataTableKinds(),
		routingKinds(),
		directoryKinds(),
		quickConnectKinds(),
		workspaceKinds(),
		notificationKinds(),
		storageKinds(),
		integrationKinds(),
		vocabularyKinds(),
		testCaseKinds(),
		emailKinds(),
		replicationKinds(),
		numberKinds(), // of instances and traffic distribution groups
		taskKinds(),
		evaluationKinds(), // of users
		ruleKinds(),       // of users, forms and integration associations
	)
}

func concat(lists ...[]kind) (all []kind) {
	for _, l := range lists {
		all = append(all, l...)
	}
	return all
}

// TestRoundTrip is what a tool does that backs up one instance and restores it
// into another.
func TestRoundTrip(t *testing.T) {
	t.Run("SQLite", func(t *testing.T) { copyInstance(t, servertest.Boot(t)) })
	t.Run("PostgreSQL", func(t *testing.T) {
		url := pgtest.URL(t)
		copyInstance(t, servertest.Boot(t, func(c *server.Config) { c.Database = url }))
	})
}

func copyInstance(t *testing.T, server *servertest.Server) {
	t.Helper()
	kinds := families()
	one, two := newSite(t, server, kinds), newSite(t, server, kinds)
	fillAll(t, one, kinds)
	before := exportAll(t, one, kinds)
	for _, k := range kinds {
		want := many
		if k.name == "SecurityKey" {
			want = mostSecurityKeys
		}
		if n := len(before[k.name].ids); n < want {
			t.Errorf("the export holds %d resources of kind %s, want %d at least", n, k.name, want)
		}
	}
	to := rebuildAll(t, two, kinds, one.id, before)
	compare(t, kinds, to, before, exportAll(t, two, kinds))
}
