package roundtrip

import (
	"database/sql"
	"path/filepath"
	"testing"

	_ "modernc.org/sqlite"

	"ringdown/internal/domain"
	"ringdown/internal/server/servertest"
)

// fewOf are the kinds of which a filled instance holds fewer than three, with
// the reason.
var fewOf = map[domain.Kind]string{
	domain.KindRoot:               "it is not a resource",
	domain.KindInstance:           "it is what is filled",
	domain.KindHierarchyStructure: "an instance has one",
	domain.KindAccessKey:          "it belongs to the server",
	domain.KindSCIMToken:          "as access keys",
	domain.KindSAMLProvider:       "as access keys",
	domain.KindRole:               "as access keys",

	domain.KindContact:      "contacts have a table of their own",
	domain.KindAttachedFile: "it belongs to a contact or a case, and no operation lists those of one",

	domain.KindTestCaseExecution:        "it is what has happened, not what is configured",
	domain.KindTestCaseExecutionRecords: "as executions",

	domain.KindSecurityKey:           "an instance may have two",
	domain.KindAuthenticationProfile: "an instance has one, and the API makes no others",
	domain.KindInstanceReplica:       "an instance may have one",
}

// TestEveryKindIsFilled counts in the database what the instance of the round
// trip holds, so that no kind is forgotten there.
func TestEveryKindIsFilled(t *testing.T) {
	server := servertest.Boot(t)
	kinds := families()
	s := newSite(t, server, kinds)
	fillAll(t, s, kinds)

	held := map[domain.Kind]int{}
	for _, r := range rowsOf(t, server.Data) {
		held[r.kind]++
	}
	for k := range domain.Kind(255) {
		name := k.String()
		why, few := fewOf[k]
		switch {
		case name == "":
		case few && held[k] >= many:
			t.Errorf("the instance holds %d of kind %s: it is not among the few (%s)", held[k], name, why)
		case !few && held[k] < many:
			t.Errorf("the instance holds %d of kind %s, want %d: fill it in the file of its family, or say in fewOf why not", held[k], name, many)
		}
	}
}

// row is a resource in the database.
type row struct {
	kind domain.Kind
	id   string
}

// rowsOf reads the database of a running server.
func rowsOf(t testing.TB, data string) (all []row) {
	t.Helper()
	db, err := sql.Open("sqlite", "file:"+filepath.Join(data, "ringdown.db")+"?mode=ro")
	ok(t, err)
	defer func() { ok(t, db.Close()) }()
	rows, err := db.QueryContext(t.Context(), `SELECT kind, id FROM resource ORDER BY pk`)
	ok(t, err)
	defer func() { ok(t, rows.Close()) }()
	for rows.Next() {
		var r row
		ok(t, rows.Scan(&r.kind, &r.id))
		all = append(all, r)
	}
	ok(t, rows.Err())
	return all
}
