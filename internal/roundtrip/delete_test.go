package roundtrip

import (
	"bytes"
	"context"
	"database/sql"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/service/connect"
	"github.com/aws/aws-sdk-go-v2/service/connect/types"
	_ "modernc.org/sqlite"

	"ringdown/internal/domain"
	"ringdown/internal/fault"
	"ringdown/internal/server/servertest"
)

// TestDeleteInstance deletes an instance that holds some of everything: nothing
// shows anything of it afterwards, and nothing of it is left in the database or
// among the files. That every operation that names it answers that it is not
// there is TestDeletedInstance of internal/conformance.
func TestDeleteInstance(t *testing.T) {
	server := servertest.Boot(t)
	kinds := families()
	one, two := newSite(t, server, kinds), newSite(t, server, kinds)
	fillAll(t, one, kinds)
	fillAll(t, two, kinds)
	before := exportAll(t, two, kinds)
	trace := tracesOf(t, one)

	_, err := one.DeleteInstance(t.Context(), &connect.DeleteInstanceInput{InstanceId: &one.id})
	ok(t, err)

	for id, region := range map[string]string{one.id: servertest.Region, two.id: "us-west-2"} {
		if regional(t, server, region, id) != (id == two.id) {
			t.Errorf("the lists of %s show the wrong instance", region)
		}
	}
	for _, id := range one.made["PhoneNumber"] {
		_, err := one.DescribePhoneNumber(t.Context(), &connect.DescribePhoneNumberInput{PhoneNumberId: &id})
		servertest.Fails(t, err, fault.ResourceNotFound)
	}
	for _, id := range one.made["TrafficDistributionGroup"] {
		_, err := one.DescribeTrafficDistributionGroup(t.Context(), &connect.DescribeTrafficDistributionGroupInput{TrafficDistributionGroupId: &id})
		servertest.Fails(t, err, fault.ResourceNotFound)
	}
	compare(t, kinds, renames{}, before, exportAll(t, two, kinds))
	trace.none(t, server)
}

// regional reports whether the lists of a region show anything of an instance.
func regional(t *testing.T, server *servertest.Server, region, id string) bool {
	t.Helper()
	c := server.Client(server.Root.AccessKeyID, server.Root.SecretAccessKey, func(o *connect.Options) { o.Region = region })
	var all []any
	instances, err := c.ListInstances(t.Context(), &connect.ListInstancesInput{})
	ok(t, err)
	for _, i := range instances.InstanceSummaryList {
		all = append(all, *i.Arn)
	}
	groups, err := c.ListTrafficDistributionGroups(t.Context(), &connect.ListTrafficDistributionGroupsInput{})
	ok(t, err)
	for _, g := range groups.TrafficDistributionGroupSummaryList {
		all = append(all, *g.InstanceArn)
	}
	numbers, err := c.ListPhoneNumbersV2(t.Context(), &connect.ListPhoneNumbersV2Input{})
	ok(t, err)
	for _, n := range numbers.ListPhoneNumbersSummaryList {
		all = append(all, *n.TargetArn)
	}
	return strings.Contains(fmt.Sprint(all...), id)
}

// traces are what an instance could leave behind.
type traces struct {
	ids  []string       // of the instance and of what was made in it
	keys map[int64]bool // of their records
}

func database(t testing.TB, s *servertest.Server) *sql.DB {
	t.Helper()
	db, err := sql.Open("sqlite", "file:"+filepath.Join(s.Data, "ringdown.db")+"?mode=ro")
	ok(t, err)
	t.Cleanup(func() { ok(t, db.Close()) })
	return db
}

func tracesOf(t testing.TB, s *site) traces {
	t.Helper()
	tr := traces{ids: []string{s.id}, keys: map[int64]bool{}}
	for _, ids := range s.made {
		for _, id := range ids {
			if domain.IsUUID(id) {
				tr.ids = append(tr.ids, id)
			}
		}
	}
	rows, err := database(t, s.server).QueryContext(t.Context(), `SELECT r.pk FROM resource r JOIN resource i ON i.id = ? AND i.instance = 0
		WHERE r.pk = i.pk OR r.instance = i.pk OR r.pk IN (SELECT from_pk FROM ref WHERE to_pk = i.pk)`, s.id)
	ok(t, err)
	defer func() { ok(t, rows.Close()) }()
	for rows.Next() {
		var pk int64
		ok(t, rows.Scan(&pk))
		tr.keys[pk] = true
	}
	ok(t, rows.Err())
	if len(tr.keys) < len(tr.ids) {
		t.Fatalf("%d records for %d ids", len(tr.keys), len(tr.ids))
	}
	return tr
}

// keyColumns are those that hold keys of records.
var keyColumns = []string{"pk", "instance", "from_pk", "to_pk", "owner"}

// none finds no trace in any table, nor in any file beside the database.
func (tr traces) none(t *testing.T, server *servertest.Server) {
	t.Helper()
	db := database(t, server)
	for table, columns := range tables(t, db) {
		if table != "change" { // the log keeps the ids of what was deleted, and nothing else of it, for a day
			tr.noneIn(t, db, table, columns)
		}
	}
	err := filepath.WalkDir(server.Data, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() && path == server.Data {
			return err
		}
		if strings.HasPrefix(d.Name(), "ringdown.db") {
			return nil // its tables are looked at above, its free pages are nobody's
		}
		tr.check(t, "the name of "+path, "", d.Name())
		if d.IsDir() {
			return nil
		}
		raw, err := os.ReadFile(path)
		tr.check(t, path, "", raw)
		return err
	})
	ok(t, err)
}

func (tr traces) noneIn(t *testing.T, db *sql.DB, table string, columns []string) {
	t.Helper()
	rows, err := db.QueryContext(t.Context(), "SELECT * FROM "+table) //nolint:gosec // a name out of the schema
	ok(t, err)
	defer func() { ok(t, rows.Close()) }()
	for rows.Next() {
		values := make([]any, len(columns))
		for i := range values {
			values[i] = new(any)
		}
		ok(t, rows.Scan(values...))
		for i, v := range values {
			tr.check(t, table+"."+columns[i], columns[i], *v.(*any))
		}
	}
	ok(t, rows.Err())
}

func (tr traces) check(t *testing.T, where, column string, v any) {
	t.Helper()
	switch v := v.(type) {
	case int64:
		if slices.Contains(keyColumns, column) && tr.keys[v] {
			t.Errorf("%s has the key %d", where, v)
		}
	case string:
		tr.check(t, where, column, []byte(v))
	case []byte:
		for _, id := range tr.ids {
			if bytes.Contains(v, []byte(id)) {
				t.Errorf("%s has the id %s: %.200s", where, id, v)
			}
		}
	}
}

// tables are the columns of each table.
func tables(t testing.TB, db *sql.DB) map[string][]string {
	t.Helper()
	rows, err := db.QueryContext(context.Background(), `SELECT m.name, c.name FROM sqlite_master m JOIN pragma_table_info(m.name) c
		WHERE m.type = 'table' AND m.name NOT LIKE 'sqlite_%' ORDER BY m.name, c.cid`)
	ok(t, err)
	defer func() { ok(t, rows.Close()) }()
	all := map[string][]string{}
	for rows.Next() {
		var table, column string
		ok(t, rows.Scan(&table, &column))
		all[table] = append(all[table], column)
	}
	ok(t, rows.Err())
	if !slices.Contains(slices.Collect(maps.Keys(all)), "memo") {
		t.Fatalf("the tables are %v", all)
	}
	return all
}

// untie removes the resources of kinds that are in the way of others and are
// not deleted by an id of their own.
var untie = map[string]func(t testing.TB, s *site, k kind){
	"DefaultVocabulary": func(t testing.TB, s *site, k kind) {
		for _, language := range k.export(t, s).ids {
			_, err := s.AssociateDefaultVocabulary(t.Context(), &connect.AssociateDefaultVocabularyInput{InstanceId: &s.id, LanguageCode: types.VocabularyLanguageCode(language)})
			ok(t, err)
		}
	},
	"FlowAssociation": func(t testing.TB, s *site, k kind) {
		for _, resource := range k.export(t, s).ids {
			_, err := s.DisassociateFlow(t.Context(), &connect.DisassociateFlowInput{
				InstanceId: &s.id, ResourceId: &resource, ResourceType: types.FlowAssociationResourceTypeWhatsappMessagingPhoneNumber,
			})
			ok(t, err)
		}
	},
	"UseCase": func(t testing.TB, s *site, _ kind) {
		for _, association := range s.made["IntegrationAssociation"] {
			out, err := s.ListUseCases(t.Context(), &connect.ListUseCasesInput{InstanceId: &s.id, IntegrationAssociationId: &association})
			ok(t, err)
			for _, u := range out.UseCaseSummaryList {
				_, err := s.DeleteUseCase(t.Context(), &connect.DeleteUseCaseInput{InstanceId: &s.id, IntegrationAssociationId: &association, UseCaseId: u.UseCaseId})
				ok(t, err)
			}
		}
	},
}

// TestDeleteInOrder deletes what was made, what names others first: nothing is
// in the way then. Kinds that neither untie knows nor an id deletes alone are
// left out: parts, and what hangs on an instance by name.
func TestDeleteInOrder(t *testing.T) {
	server := servertest.Boot(t)
	kinds := families()
	s := newSite(t, server, kinds)
	fillAll(t, s, kinds)
	deleted := 0
	for _, k := range slices.Backward(kinds) {
		if untie[k.name] != nil {
			untie[k.name](t, s, k)
			continue
		}
		for _, id := range slices.Backward(s.made[k.name]) {
			remove := remover(s, k.name, id)
			if remove == nil {
				break
			}
			if err := remove(t.Context()); err != nil {
				t.Errorf("%s %s: %v", k.name, id, err)
			}
			deleted++
		}
	}
	if deleted < 3*many {
		t.Errorf("%d resources were deleted", deleted)
	}
}

// remover deletes a resource that its id names in its instance; nil when the
// kind's resources are not deleted so.
func remover(s *site, kind, id string) func(context.Context) error {
	if kind == "PhoneNumber" {
		return func(ctx context.Context) error {
			_, err := s.ReleasePhoneNumber(ctx, &connect.ReleasePhoneNumberInput{PhoneNumberId: &id})
			return err
		}
	}
	method := reflect.ValueOf(s.Client).MethodByName("Delete" + kind)
	if !method.IsValid() {
		return nil
	}
	in := reflect.New(method.Type().In(1).Elem())
	member := kind + "Id"
	if kind == "ContactEvaluation" {
		member = "EvaluationId"
	}
	given := map[string]*string{"InstanceId": &s.id, member: &id}
	for i := range in.Elem().NumField() {
		f := in.Elem().Type().Field(i)
		switch v := given[f.Name]; {
		case !f.IsExported():
		case v != nil:
			in.Elem().Field(i).Set(reflect.ValueOf(v))
			delete(given, f.Name)
		case strings.HasSuffix(f.Name, "Id") && f.Type == reflect.TypeFor[*string]():
			return nil // a part of something
		}
	}
	if given[member] != nil {
		return nil
	}
	return func(ctx context.Context) error {
		out := method.Call([]reflect.Value{reflect.ValueOf(ctx), in})
		err, _ := out[1].Interface().(error)
		return err
	}
}
