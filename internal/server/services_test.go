package server_test

import (
	"database/sql"
	"encoding/json"
	"fmt"
	"maps"
	"path/filepath"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/connect"
	"github.com/aws/aws-sdk-go-v2/service/connect/types"

	"ringdown/internal/server/servertest"
	"ringdown/internal/store"
)

// office is an instance with flows for tasks.
type office struct {
	*connect.Client
	t  *testing.T
	id string
}

// step is an action of a flow. Errors lead to the step of the name err.
type step struct {
	name, kind string
	parameters map[string]any
}

// flow makes a flow that takes its steps one after the other. An error of the
// step NAME is kept as the attribute "NAME failed".
func (o *office) flow(name string, steps ...step) string {
	o.t.Helper()
	type action map[string]any
	list := []action{{"Identifier": "end", "Type": "DisconnectParticipant", "Parameters": map[string]any{}, "Transitions": map[string]any{}}}
	for i, s := range steps {
		next, failed := "end", s.name+" failed"
		if i+1 < len(steps) {
			next = steps[i+1].name
		}
		branch := func(to string) []any {
			return []any{map[string]any{"NextAction": to, "ErrorType": "NoMatchingError"}}
		}
		list = append(list,
			action{"Identifier": s.name, "Type": s.kind, "Parameters": s.parameters, "Transitions": map[string]any{"NextAction": next, "Errors": branch(failed)}},
			action{
				"Identifier": failed, "Type": "UpdateContactAttributes", "Parameters": keep(map[string]any{failed: "yes"}),
				"Transitions": map[string]any{"NextAction": next, "Errors": branch(next)},
			})
	}
	content, err := json.Marshal(map[string]any{"Version": "2019-10-30", "StartAction": steps[0].name, "Actions": list})
	servertest.OK(o.t, err)
	out, err := o.CreateContactFlow(o.t.Context(), &connect.CreateContactFlowInput{
		InstanceId: &o.id, Name: &name, Type: types.ContactFlowTypeContactFlow, Content: aws.String(string(content)),
	})
	servertest.OK(o.t, err)
	return *out.ContactFlowId
}

// keep are the parameters of an action that keeps attributes.
func keep(attributes map[string]any) map[string]any {
	return map[string]any{"TargetContact": "Current", "Attributes": attributes}
}

// run has a task take a flow to its end and returns its attributes.
func (o *office) run(flow string, attributes map[string]string) map[string]string {
	o.t.Helper()
	task, err := o.StartTaskContact(o.t.Context(), &connect.StartTaskContactInput{InstanceId: &o.id, Name: aws.String("A task"), ContactFlowId: &flow, Attributes: attributes})
	servertest.OK(o.t, err)
	waitFor(o.t, func() bool {
		out, err := o.DescribeContact(o.t.Context(), &connect.DescribeContactInput{InstanceId: &o.id, ContactId: task.ContactId})
		servertest.OK(o.t, err)
		return out.Contact.DisconnectTimestamp != nil
	})
	kept, err := o.GetContactAttributes(o.t.Context(), &connect.GetContactAttributesInput{InstanceId: &o.id, InitialContactId: task.ContactId})
	servertest.OK(o.t, err)
	for name, given := range attributes {
		if kept.Attributes[name] == given {
			delete(kept.Attributes, name)
		}
	}
	return kept.Attributes
}

// sheet is a data table.
type sheet struct {
	*office
	id string
}

// sheet makes a table of texts: the attributes before the bar are primary, those
// with an asterisk lists.
func (o *office) sheet(name string, level types.DataTableLockLevel, attributes string) *sheet {
	o.t.Helper()
	out, err := o.CreateDataTable(o.t.Context(), &connect.CreateDataTableInput{
		InstanceId: &o.id, Name: &name, TimeZone: aws.String("UTC"), Status: types.DataTableStatusPublished, ValueLockLevel: level,
	})
	servertest.OK(o.t, err)
	keys, others, _ := strings.Cut(attributes, "|")
	for i, group := range []string{keys, others} {
		for _, name := range strings.Split(group, ",") {
			name, isList := strings.CutSuffix(strings.TrimSpace(name), "*")
			if name == "" {
				continue
			}
			kind := types.DataTableAttributeValueTypeText
			if isList {
				kind = types.DataTableAttributeValueTypeTextList
			}
			_, err := o.CreateDataTableAttribute(o.t.Context(), &connect.CreateDataTableAttributeInput{
				InstanceId: &o.id, DataTableId: out.Id, Name: &name, ValueType: kind, Primary: i == 0,
			})
			servertest.OK(o.t, err)
		}
	}
	return &sheet{o, *out.Id}
}

// put gives the record of a country values, that of "" the default record.
func (s *sheet) put(country string, values map[string]string) {
	s.t.Helper()
	in := &connect.BatchCreateDataTableValueInput{InstanceId: &s.office.id, DataTableId: &s.id}
	for name, v := range values {
		value := types.DataTableValue{AttributeName: &name, Value: &v}
		if country != "" {
			value.PrimaryValues = []types.PrimaryValue{{AttributeName: aws.String("country"), Value: &country}}
		}
		in.Values = append(in.Values, value)
	}
	out, err := s.BatchCreateDataTableValue(s.t.Context(), in)
	servertest.OK(s.t, err)
	for _, f := range out.Failed {
		s.t.Fatalf("%s: %s", *f.AttributeName, *f.Message)
	}
}

// values are all of the table, as RECORD/ATTRIBUTE.
func (s *sheet) values() map[string]string {
	s.t.Helper()
	out, err := s.ListDataTableValues(s.t.Context(), &connect.ListDataTableValuesInput{InstanceId: &s.office.id, DataTableId: &s.id, MaxResults: aws.Int32(100)})
	servertest.OK(s.t, err)
	all := map[string]string{}
	for _, v := range out.Values {
		key := ""
		for _, p := range v.PrimaryValues {
			key += *p.Value
		}
		all[key+"/"+*v.AttributeName] = *v.Value
	}
	return all
}

// notes are those of the flow log, in order.
func notes(t *testing.T, data string) (all []string) {
	t.Helper()
	db, err := sql.Open("sqlite", "file:"+filepath.Join(data, "ringdown.db")+"?mode=ro")
	servertest.OK(t, err)
	defer func() { servertest.OK(t, db.Close()) }()
	rows, err := db.QueryContext(t.Context(), `SELECT doc FROM entry WHERE stream = $1 ORDER BY seq`, store.StreamFlowLog)
	servertest.OK(t, err)
	defer func() { servertest.OK(t, rows.Close()) }()
	for rows.Next() {
		var doc []byte
		var lines []struct{ Note string }
		servertest.OK(t, rows.Scan(&doc))
		servertest.OK(t, json.Unmarshal(doc, &lines))
		for _, l := range lines {
			if l.Note != "" {
				all = append(all, l.Note)
			}
		}
	}
	servertest.OK(t, rows.Err())
	return all
}

// TestDataTablesInFlows has a task read and write a table.
func TestDataTablesInFlows(t *testing.T) {
	booted := servertest.Boot(t)
	o := &office{booted.Connect, t, booted.NewInstance(t)}
	s := o.sheet("Offices", types.DataTableLockLevelDataTable, "country | phone, opening hours, sum, fax, tags*")
	s.put("", map[string]string{"phone": "+1"})
	s.put("DE", map[string]string{"phone": "+49", "opening hours": "9 to 5", "sum": `="a" & 1 + 2`, "tags": `["a"]`})
	s.put("FR", map[string]string{"sum": "=1/0"})

	type m = map[string]any
	query := func(name, country string, attributes ...string) m {
		q := m{"QueryName": name, "Attributes": attributes}
		if country != "" {
			q["PrimaryValues"] = []m{{"AttributeName": "country", "Value": country}}
		}
		return q
	}
	all := []string{"phone", "opening hours", "sum", "fax", "tags", "country", "none"}
	shown := func(query string) string {
		return fmt.Sprintf("$.DataTables.%[1]s.phone|$.DataTables.%[1]s['opening hours']|$.DataTables.%[1]s.sum|$.DataTables.%[1]s.fax|$.DataTables.%[1]s.tags|$.DataTables.%[1]s.country|$.DataTables.%[1]s.none", query)
	}
	got := o.run(o.flow(
		"Evaluates",
		step{"evaluate", "EvaluateDataTableValues", m{"DataTableId": s.id, "Queries": []m{
			query("German", "$.Attributes.country", all...), query("French", "FR", all...), query("Nobody", "XX", all...), query("Default", "", all...),
		}}},
		step{"show", "UpdateContactAttributes", keep(m{"German": shown("German"), "French": shown("French"), "Nobody": shown("Nobody"), "Default": shown("Default")})},
		step{"no such table", "EvaluateDataTableValues", m{"DataTableId": o.id, "Queries": []m{query("A", "DE", "phone")}}},
		step{"gone", "UpdateContactAttributes", keep(m{"gone": "$.DataTables.German.phone."})},
		step{"no such key", "EvaluateDataTableValues", m{"DataTableId": s.id, "Queries": []m{{"QueryName": "A", "Attributes": []string{"phone"}, "PrimaryValues": []m{{"AttributeName": "fax", "Value": "1"}}}}}},
	), map[string]string{"country": "DE"})
	servertest.Same(t, "what was read", got, map[string]string{
		"German": "+49|9 to 5|a3|||DE|", "French": "+1|||||FR|", "Nobody": "+1||||||", "Default": "+1||||||",
		"no such table failed": "yes", "gone": ".", "no such key failed": "yes",
	})

	group := func(name, country string) m {
		return m{"PrimaryKeyGroupName": name, "PrimaryValues": []m{{"Name": "country", "Value": country}}}
	}
	const rows = "$.DataTableList.ResultData.primaryKeyGroups."
	got = o.run(o.flow(
		"Lists",
		step{"whole", "ListDataTableValues", m{"DataTableId": s.id}},
		step{"show", "UpdateContactAttributes", keep(m{
			"first":  rows + "default[0].attributes[0].attributeValue|" + rows + "default[0].primaryKeys[0].attributeValue",
			"second": rows + "default[1].attributes[0].attributeValue|" + rows + "default[1].primaryKeys[0].attributeValue|" + rows + "default[1].attributes[2].attributeName",
			"third":  rows + "default[2].attributes[0].attributeValue|" + rows + "default[2].attributes[2].attributeValue",
			"table":  "$.DataTableList.ResultData.dataTableId",
		})},
		step{"groups", "ListDataTableValues", m{"DataTableId": s.id + ":$LATEST", "PrimaryKeyGroups": []m{group("some", "$.Attributes.country"), group("none", "XX")}}},
		step{"show groups", "UpdateContactAttributes", keep(m{
			"some": rows + "some[0].attributes[1].attributeValue|" + rows + "some[1].attributes[1].attributeValue", "none": rows + "none|" + rows + "default",
		})},
		step{"no such key", "ListDataTableValues", m{"DataTableId": s.id, "PrimaryKeyGroups": []m{{"PrimaryKeyGroupName": "a", "PrimaryValues": []m{{"Name": "fax", "Value": "1"}}}}}},
	), map[string]string{"country": "DE"})
	servertest.Same(t, "what was listed", got, map[string]string{
		"first": "+1|", "second": "+49|DE|sum", "third": "|=1/0", "table": s.id, "some": "9 to 5|", "none": "[]|", "no such key failed": "yes",
	})

	write := func(name, lock, country string, attributes ...m) step {
		g := group(name, country)
		g["Attributes"] = attributes
		return step{name, "UpsertDataTableValues", m{"DataTableId": s.id, "LockVersion": lock, "DataTableUpsertAttributes": []m{g}}}
	}
	before := s.values()
	got = o.run(o.flow(
		"Writes",
		step{"read", "ListDataTableValues", m{"DataTableId": s.id}},
		step{"keep", "UpdateContactAttributes", keep(m{"lock": "$.DataTableList.ResultData.lockVersion.dataTable"})},
		write("new", "LATEST", "IT", m{"Name": "phone", "Value": "$.Attributes.phone"}, m{"Name": "fax", "UseDefaultValue": true}),
		write("old", "LATEST", "DE", m{"Name": "phone", "UseDefaultValue": true}, m{"Name": "fax", "Value": "9"}),
		write("stale", "$.Attributes.lock", "DE", m{"Name": "fax", "Value": "10"}),
		write("half", "LATEST", "ES", m{"Name": "fax", "Value": "11"}, m{"Name": "none", "Value": "12"}),
		step{"read again", "ListDataTableValues", m{"DataTableId": s.id}},
		write("present", "$.DataTableList.ResultData.lockVersion.dataTable", "FR", m{"Name": "sum", "Value": "6"}),
	), map[string]string{"phone": "+39"})
	delete(got, "lock")
	servertest.Same(t, "what failed", got, map[string]string{"stale failed": "yes", "half failed": "yes"})
	want := maps.Clone(before)
	maps.Copy(want, map[string]string{"IT/phone": "+39", "IT/fax": "", "DE/phone": "+1", "DE/fax": "9", "FR/sum": "6"})
	servertest.Same(t, "the values", s.values(), want)

	s.put("BIG", map[string]string{"tags": `["` + strings.Repeat(strings.Repeat("x", 999)+`","`, 40) + `"]`})
	got = o.run(o.flow("Too much", step{"whole", "ListDataTableValues", m{"DataTableId": s.id}}), nil)
	servertest.Same(t, "what is too much", got, map[string]string{"whole failed": "yes"})
	servertest.Same(t, "the notes", notes(t, booted.Data), []string{
		"DataTable " + o.id + " not found.",
		`PrimaryValues: "fax" must be a primary attribute and be named once`,
		`PrimaryAttributeValues: "fax" must be a primary attribute and be named once`,
		"LockVersion is neither LATEST nor the present one of DataTable " + s.id + ".",
		"DataTable " + s.id + ` has no attribute "none".`,
		"More than 32 KB of DataTable " + s.id + " were asked for.",
	})
}
