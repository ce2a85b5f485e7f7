package datatables_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/connect"
	"github.com/aws/aws-sdk-go-v2/service/connect/types"

	"ringdown/internal/domain"
	"ringdown/internal/fault"
	"ringdown/internal/server"
	"ringdown/internal/server/servertest"
)

var ok, fails, same = servertest.OK, servertest.Fails, servertest.Same

const (
	text       = types.DataTableAttributeValueTypeText
	number     = types.DataTableAttributeValueTypeNumber
	boolean    = types.DataTableAttributeValueTypeBoolean
	textList   = types.DataTableAttributeValueTypeTextList
	numberList = types.DataTableAttributeValueTypeNumberList
)

type bench struct {
	*connect.Client
	t  *testing.T
	id string
}

func boot(t *testing.T, change ...func(*server.Config)) *bench {
	s := servertest.Boot(t, change...)
	return &bench{s.Connect, t, s.NewInstance(t)}
}

func (b *bench) create(name string, level types.DataTableLockLevel) (*connect.CreateDataTableOutput, error) {
	return b.CreateDataTable(b.t.Context(), &connect.CreateDataTableInput{
		InstanceId: &b.id, Name: &name, TimeZone: aws.String("Europe/Berlin"), Status: types.DataTableStatusPublished, ValueLockLevel: level,
	})
}

// table is a table of a test.
type table struct {
	*bench
	id string
}

func (b *bench) table(name string, level types.DataTableLockLevel) *table {
	b.t.Helper()
	out, err := b.create(name, level)
	ok(b.t, err)
	return &table{b, *out.Id}
}

func (tb *table) add(name string, kind types.DataTableAttributeValueType, primary bool, v *types.Validation) (*connect.CreateDataTableAttributeOutput, error) {
	return tb.CreateDataTableAttribute(tb.t.Context(), &connect.CreateDataTableAttributeInput{
		InstanceId: &tb.bench.id, DataTableId: &tb.id, Name: &name, ValueType: kind, Primary: primary, Validation: v,
	})
}

// with adds attributes: keys are primary ones, all of them texts.
func (tb *table) with(keys []string, others ...string) *table {
	tb.t.Helper()
	for _, name := range append(slices.Clone(keys), others...) {
		_, err := tb.add(name, text, slices.Contains(keys, name), nil)
		ok(tb.t, err)
	}
	return tb
}

// key is primary values given as name, value, name, value.
func key(pairs ...string) []types.PrimaryValue {
	var list []types.PrimaryValue
	for i := 0; i < len(pairs); i += 2 {
		list = append(list, types.PrimaryValue{AttributeName: &pairs[i], Value: &pairs[i+1]})
	}
	return list
}

func value(primary []types.PrimaryValue, name, v string) types.DataTableValue {
	return types.DataTableValue{PrimaryValues: primary, AttributeName: &name, Value: &v}
}

func (tb *table) put(values ...types.DataTableValue) *connect.BatchCreateDataTableValueOutput {
	tb.t.Helper()
	out, err := tb.BatchCreateDataTableValue(tb.t.Context(), &connect.BatchCreateDataTableValueInput{InstanceId: &tb.bench.id, DataTableId: &tb.id, Values: values})
	ok(tb.t, err)
	return out
}

// must is put of values that are all good.
func (tb *table) must(values ...types.DataTableValue) []types.BatchCreateDataTableValueSuccessResult {
	tb.t.Helper()
	out := tb.put(values...)
	for _, f := range out.Failed {
		tb.t.Fatalf("%s: %s", *f.AttributeName, *f.Message)
	}
	return out.Successful
}

func (tb *table) list(in connect.ListDataTableValuesInput) (pages [][]types.DataTableValueSummary) {
	tb.t.Helper()
	in.InstanceId, in.DataTableId = &tb.bench.id, &tb.id
	return servertest.Pages(tb.t, func(token *string) ([]types.DataTableValueSummary, *string, error) {
		in.NextToken = token
		out, err := tb.ListDataTableValues(tb.t.Context(), &in)
		if err != nil {
			return nil, nil, err
		}
		return out.Values, out.NextToken, nil
	})
}

// brief writes values as key/attribute=value.
func brief(pages [][]types.DataTableValueSummary) (out [][]string) {
	for _, page := range pages {
		list := []string{}
		for _, v := range page {
			var keys []string
			for _, p := range v.PrimaryValues {
				keys = append(keys, *p.Value)
			}
			list = append(list, strings.Join(keys, ",")+"/"+*v.AttributeName+"="+*v.Value)
		}
		out = append(out, list)
	}
	return out
}

func TestDataTables(t *testing.T) {
	b := boot(t)
	made, err := b.CreateDataTable(t.Context(), &connect.CreateDataTableInput{
		InstanceId: &b.id, Name: aws.String("  Stores "), Description: aws.String(" where "), TimeZone: aws.String("Europe/Berlin"),
		Status: types.DataTableStatusPublished, ValueLockLevel: types.DataTableLockLevelValue, Tags: map[string]string{"Team": "a"},
	})
	ok(t, err)
	describe := func(id string) (*types.DataTable, error) {
		out, err := b.DescribeDataTable(t.Context(), &connect.DescribeDataTableInput{InstanceId: &b.id, DataTableId: &id})
		if err != nil {
			return nil, err
		}
		return out.DataTable, nil
	}
	got, err := describe(*made.Id)
	ok(t, err)
	want := &types.DataTable{
		Id: made.Id, Arn: aws.String(servertest.InstanceARN(b.id) + "/data-table/" + *made.Id), Name: aws.String("Stores"), Description: aws.String("where"),
		TimeZone: aws.String("Europe/Berlin"), ValueLockLevel: types.DataTableLockLevelValue, Status: types.DataTableStatusPublished, LockVersion: made.LockVersion,
		CreatedTime: got.CreatedTime, LastModifiedTime: got.LastModifiedTime, LastModifiedRegion: aws.String(servertest.Region), Tags: map[string]string{"Team": "a"},
	}
	same(t, "the table", got, want)
	for _, id := range []string{*made.Arn, *made.Arn + ":$LATEST", *made.Id + ":$SAVED"} {
		got, err = describe(id)
		ok(t, err)
		same(t, id, got, want)
	}
	_, err = describe(*made.Id + ":1")
	fails(t, err, fault.InvalidParameter, "$LATEST or $SAVED")

	for name, c := range map[string]struct {
		name, zone string
		code       fault.Code
	}{
		"the same name":    {"STORES", "UTC", fault.DuplicateResource},
		"of AWS":           {"Aws:tables", "UTC", fault.InvalidParameter},
		"of the service":   {" connect:tables", "UTC", fault.InvalidParameter},
		"of spaces":        {"  ", "UTC", fault.InvalidParameter},
		"of no time zone":  {"Zone", "Nowhere", fault.InvalidParameter},
		"with another one": {"Shops", "UTC", ""},
	} {
		_, err := b.CreateDataTable(t.Context(), &connect.CreateDataTableInput{
			InstanceId: &b.id, Name: &c.name, TimeZone: &c.zone, Status: types.DataTableStatusPublished, ValueLockLevel: types.DataTableLockLevelNone,
		})
		t.Log(name)
		fails(t, err, c.code)
	}
	update := func(id, name string) (*connect.UpdateDataTableMetadataOutput, error) {
		return b.UpdateDataTableMetadata(t.Context(), &connect.UpdateDataTableMetadataInput{
			InstanceId: &b.id, DataTableId: &id, Name: &name, TimeZone: aws.String("UTC"), ValueLockLevel: types.DataTableLockLevelNone,
		})
	}
	_, err = update(*made.Id, "shops")
	fails(t, err, fault.DuplicateResource)
	_, err = update(*made.Id+":$SAVED", "Branches")
	fails(t, err, fault.InvalidParameter, "$LATEST")
	out, err := update(*made.Arn+":$LATEST", "Branches")
	ok(t, err)
	got, err = describe(*made.Id)
	ok(t, err)
	if *got.Name != "Branches" || got.Description != nil || *got.TimeZone != "UTC" || got.ValueLockLevel != types.DataTableLockLevelNone || *got.LockVersion.DataTable != *out.LockVersion.DataTable || *out.LockVersion.DataTable == *made.LockVersion.DataTable {
		t.Errorf("after the update the table is %+v", got)
	}

	for i := range 3 {
		b.table(fmt.Sprintf("table %d", i), types.DataTableLockLevelNone)
	}
	var names []string
	for _, page := range servertest.Pages(t, func(token *string) ([]types.DataTableSummary, *string, error) {
		out, err := b.ListDataTables(t.Context(), &connect.ListDataTablesInput{InstanceId: &b.id, MaxResults: aws.Int32(2), NextToken: token})
		if err != nil {
			return nil, nil, err
		}
		return out.DataTableSummaryList, out.NextToken, nil
	}) {
		for _, s := range page {
			names = append(names, *s.Name)
		}
	}
	same(t, "the tables", names, []string{"Branches", "Shops", "table 0", "table 1", "table 2"})
	condition := func(field, value string, op types.StringComparisonType) *types.DataTableSearchCriteria {
		return &types.DataTableSearchCriteria{StringCondition: &types.StringCondition{FieldName: &field, Value: &value, ComparisonType: op}}
	}
	for name, c := range map[string]struct {
		criteria *types.DataTableSearchCriteria
		tag      string
		want     []string
	}{
		"by name": {criteria: condition("name", "TABLE", types.StringComparisonTypeStartsWith), want: names[2:]},
		"by id":   {criteria: condition("resourceId", *made.Id, types.StringComparisonTypeExact), want: names[:1]},
		"by tag":  {tag: "Team", want: names[:1]},
		"by both": {criteria: &types.DataTableSearchCriteria{OrConditions: []types.DataTableSearchCriteria{
			*condition("name", "hop", types.StringComparisonTypeContains), *condition("name", "table 2", types.StringComparisonTypeExact),
		}}, want: []string{"Shops", "table 2"}},
		"by description": {criteria: condition("description", "where", types.StringComparisonTypeExact), want: []string{}},
	} {
		in := &connect.SearchDataTablesInput{InstanceId: &b.id, SearchCriteria: c.criteria}
		if c.tag != "" {
			in.SearchFilter = &types.DataTableSearchFilter{AttributeFilter: &types.ControlPlaneAttributeFilter{TagCondition: &types.TagCondition{TagKey: &c.tag}}}
		}
		out, err := b.SearchDataTables(t.Context(), in)
		ok(t, err)
		found := []string{}
		for _, d := range out.DataTables {
			found = append(found, *d.Name)
			if d.LockVersion != nil || d.Tags == nil {
				t.Errorf("%s: a search shows %+v", name, d)
			}
		}
		same(t, name, found, c.want)
		same(t, name+": the total", *out.ApproximateTotalCount, len(c.want))
	}

	remove := func(id string) error {
		_, err := b.DeleteDataTable(t.Context(), &connect.DeleteDataTableInput{InstanceId: &b.id, DataTableId: &id})
		return err
	}
	fails(t, remove(*made.Id+":$SAVED"), fault.InvalidParameter)
	full := b.table("full", types.DataTableLockLevelNone).with([]string{"Key"}, "Value")
	full.must(value(key("Key", "1"), "Value", "one"))
	ok(t, remove(full.id))
	ok(t, remove(*made.Arn+":$LATEST"))
	fails(t, remove(*made.Id), fault.ResourceNotFound)
	_, err = describe(full.id)
	fails(t, err, fault.ResourceNotFound)
}

func TestAttributes(t *testing.T) {
	b := boot(t)
	tb := b.table("Table", types.DataTableLockLevelNone)
	made, err := tb.add(" Name ", text, false, &types.Validation{MaxLength: 9})
	ok(t, err)
	if *made.Name != "Name" || made.AttributeId == nil || made.LockVersion.Attribute == nil || made.LockVersion.DataTable == nil {
		t.Errorf("the attribute is %+v", made)
	}
	_, err = tb.add("NAME", number, false, nil)
	fails(t, err, fault.DuplicateResource)
	for _, name := range []string{"aws:name", "Connect:name", " "} {
		_, err = tb.add(name, text, false, nil)
		fails(t, err, fault.InvalidParameter)
	}
	for name, v := range map[string]types.Validation{
		"lengths":          {MinLength: 3, MaxLength: 2},
		"numbers of items": {MinValues: 3, MaxValues: 2},
		"bounds":           {Minimum: 3, Maximum: 2},
		"exclusive bounds": {ExclusiveMinimum: 2, ExclusiveMaximum: 2},
		"mixed bounds":     {Minimum: 2, ExclusiveMaximum: 2},
		"an enum of texts": {Enum: &types.ValidationEnum{Values: []string{"two"}}},
	} {
		_, err = tb.add("wrong "+name, number, false, &v)
		fails(t, err, fault.InvalidParameter, "Validation")
	}
	_, err = tb.add("Good", number, false, &types.Validation{Minimum: 1, Maximum: 1, Enum: &types.ValidationEnum{Values: []string{"1"}, Strict: true}})
	ok(t, err)
	_, err = tb.add("Key", text, true, nil)
	ok(t, err)

	describe := func(name string) (*types.DataTableAttribute, error) {
		out, err := b.DescribeDataTableAttribute(t.Context(), &connect.DescribeDataTableAttributeInput{InstanceId: &b.id, DataTableId: &tb.id, AttributeName: &name})
		if err != nil {
			return nil, err
		}
		return out.Attribute, nil
	}
	got, err := describe("name")
	ok(t, err)
	same(t, "the attribute", got, types.DataTableAttribute{
		AttributeId: made.AttributeId, DataTableArn: aws.String(servertest.InstanceARN(b.id) + "/data-table/" + tb.id), DataTableId: &tb.id,
		Name: aws.String("Name"), ValueType: text, Validation: &types.Validation{MaxLength: 9}, LastModifiedRegion: aws.String(servertest.Region), LastModifiedTime: got.LastModifiedTime,
		LockVersion: &types.DataTableLockVersion{Attribute: made.LockVersion.Attribute, DataTable: got.LockVersion.DataTable},
	})
	_, err = describe("nothing")
	fails(t, err, fault.ResourceNotFound)

	list := func(size int32, ids ...string) []string {
		return slices.Concat(servertest.Pages(t, func(token *string) ([]string, *string, error) {
			out, err := b.ListDataTableAttributes(t.Context(), &connect.ListDataTableAttributesInput{
				InstanceId: &b.id, DataTableId: &tb.id, AttributeIds: ids, MaxResults: &size, NextToken: token,
			})
			if err != nil {
				return nil, nil, err
			}
			var names []string
			for _, a := range out.Attributes {
				names = append(names, *a.Name)
			}
			return names, out.NextToken, nil
		})...)
	}
	same(t, "the attributes", list(2), []string{"Name", "Good", "Key"})
	same(t, "one of them", list(2, *made.AttributeId, domain.NewID()), []string{"Name"})

	update := func(name string, in connect.UpdateDataTableAttributeInput) error {
		in.InstanceId, in.DataTableId, in.AttributeName = &b.id, &tb.id, &name
		_, err := b.UpdateDataTableAttribute(t.Context(), &in)
		return err
	}
	tb.must(value(key("Key", "a"), "Name", "one"), value(key("Key", "A"), "Name", "two"))
	_, err = tb.add("Late", text, true, nil)
	fails(t, err, fault.InvalidRequest, "Primary attributes")
	fails(t, update("Name", connect.UpdateDataTableAttributeInput{Name: aws.String("Name"), ValueType: text, Primary: true}), fault.InvalidRequest)
	fails(t, update("Key", connect.UpdateDataTableAttributeInput{Name: aws.String("Key"), ValueType: text}), fault.InvalidRequest)
	fails(t, update("Key", connect.UpdateDataTableAttributeInput{
		Name: aws.String("Key"), ValueType: text, Primary: true, Validation: &types.Validation{IgnoreCase: true},
	}), fault.Conflict)
	fails(t, update("Name", connect.UpdateDataTableAttributeInput{Name: aws.String("KEY"), ValueType: text}), fault.Conflict) // a duplicate is not declared
	ok(t, update("Key", connect.UpdateDataTableAttributeInput{Name: aws.String("Code"), ValueType: text, Primary: true, Description: aws.String(" of the store ")}))
	ok(t, update("NAME", connect.UpdateDataTableAttributeInput{Name: aws.String("Label"), ValueType: number}))
	same(t, "values stay", brief(tb.list(connect.ListDataTableValuesInput{})), [][]string{{"a/Label=one", "A/Label=two"}})
	got, err = describe("Label")
	ok(t, err)
	if *got.AttributeId != *made.AttributeId || got.ValueType != number || *got.LockVersion.Attribute == *made.LockVersion.Attribute {
		t.Errorf("after the update the attribute is %+v", got)
	}

	remove := func(name string) error {
		_, err := b.DeleteDataTableAttribute(t.Context(), &connect.DeleteDataTableAttributeInput{InstanceId: &b.id, DataTableId: &tb.id, AttributeName: &name})
		return err
	}
	tb.must(value(key("Code", "a"), "Good", "1"))
	fails(t, remove("Code"), fault.InvalidRequest)
	ok(t, remove("label"))
	fails(t, remove("label"), fault.ResourceNotFound)
	same(t, "what is left", brief(tb.list(connect.ListDataTableValuesInput{})), [][]string{{"a/Good=1"}})
	ok(t, remove("Good"))
	ok(t, remove("Code")) // the records went with their last values
	same(t, "the attributes", list(9), nil)
}

func TestQuotasOfDataTables(t *testing.T) {
	b := boot(t, func(c *server.Config) { c.Quotas = true })
	tb := b.table("Table", types.DataTableLockLevelNone).with([]string{"1", "2", "3", "4", "5"})
	_, err := tb.add("6", text, true, nil)
	fails(t, err, fault.ServiceQuotaExceeded, "primary")
	for i := range 95 {
		_, err := tb.add(fmt.Sprint("a ", i), text, false, nil)
		ok(t, err)
	}
	_, err = tb.add("one too many", text, false, nil)
	fails(t, err, fault.ServiceQuotaExceeded)
	var values []types.DataTableValue
	for i := range 1001 {
		values = append(values, value(key("1", fmt.Sprint(i/90), "2", "", "3", "", "4", "", "5", ""), fmt.Sprint("a ", i%90), "x"))
	}
	_, err = tb.BatchCreateDataTableValue(t.Context(), &connect.BatchCreateDataTableValueInput{InstanceId: &b.id, DataTableId: &tb.id, Values: values})
	fails(t, err, fault.ServiceQuotaExceeded, "1001")
	tb.must(values[:600]...)
	tb.must(values[600:1000]...)
	_, err = tb.BatchCreateDataTableValue(t.Context(), &connect.BatchCreateDataTableValueInput{InstanceId: &b.id, DataTableId: &tb.id, Values: values[1000:]})
	fails(t, err, fault.ServiceQuotaExceeded)
}
