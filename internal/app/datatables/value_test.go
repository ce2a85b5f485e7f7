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
	"ringdown/internal/server/servertest"
)

func TestValuesAreValidated(t *testing.T) {
	tb := boot(t).table("Table", types.DataTableLockLevelNone)
	long := strings.Repeat("x", 1001)
	for i, c := range []struct {
		kind  types.DataTableAttributeValueType
		rules *types.Validation
		good  []string
		bad   map[string]string // to a word of the message
	}{
		{text, nil, []string{"", "a", long, `=CONCAT("a", 1)`}, map[string]string{strings.Repeat("x", 5001): "5000", "=NONE()": "no function NONE", "=1+": "ends", "=": "ends"}},
		{
			text, &types.Validation{MinLength: 2, MaxLength: 3, IgnoreCase: true, Enum: &types.ValidationEnum{Strict: true, Values: []string{"ab", "abcd"}}},
			[]string{"ab", "AB"},
			map[string]string{"a": "less than 2", "abcd": "more than 3", "abc": "Enum"},
		},
		{text, &types.Validation{Enum: &types.ValidationEnum{Values: []string{"ab"}}}, []string{"other"}, nil},
		{number, nil, []string{"0", "-1.5", "1e3", "=1+1"}, map[string]string{"": "not a number", "one": "not a number", "0x10": "not a number", "NaN": "not a number", "Inf": "not a number"}},
		{number, &types.Validation{Minimum: 1, Maximum: 2, MultipleOf: 0.1}, []string{"1", "2", "1.3"}, map[string]string{"0.9": "less than 1", "2.1": "greater than 2", "1.25": "multiple of 0.1"}},
		{
			number, &types.Validation{ExclusiveMinimum: 1, ExclusiveMaximum: 3, Enum: &types.ValidationEnum{Strict: true, Values: []string{"2", "3"}}},
			[]string{"2.0"},
			map[string]string{"1": "not greater than 1", "3": "not less than 3", "2.5": "Enum"},
		},
		{boolean, nil, []string{"true", "false", "=1<2"}, map[string]string{"yes": "neither", "True": "neither"}},
		{textList, &types.Validation{MinValues: 1, MaxValues: 2, MaxLength: 2}, []string{`["a","b"]`}, map[string]string{"a": "JSON", "null": "JSON", "[]": "less than 1", `["a","b","c"]`: "more than 2", `["abc"]`: "more than 2 characters", "=1": "JSON", `[1]`: "JSON"}},
		{textList, nil, []string{`[]`, `["` + long[1:] + `"]`}, map[string]string{`["` + long + `"]`: "1000", "[" + strings.Repeat(`"",`, 100) + `""]`: "100 items"}},
		{numberList, &types.Validation{Maximum: 5}, []string{`[1,2.5]`, "[]"}, map[string]string{`["1"]`: "JSON", "[1,6]": "greater than 5"}},
	} {
		name := fmt.Sprint("attribute ", i)
		_, err := tb.add(name, c.kind, false, c.rules)
		ok(t, err)
		for _, v := range c.good {
			tb.must(value(nil, name, v))
			_, err := tb.BatchDeleteDataTableValue(t.Context(), &connect.BatchDeleteDataTableValueInput{
				InstanceId: &tb.bench.id, DataTableId: &tb.id,
				Values: []types.DataTableDeleteValueIdentifier{{AttributeName: &name, LockVersion: &types.DataTableLockVersion{}}},
			})
			ok(t, err)
		}
		for v, word := range c.bad {
			out := tb.put(value(nil, name, v))
			if len(out.Failed) != 1 || len(out.Successful) != 0 || !strings.Contains(*out.Failed[0].Message, word) {
				t.Errorf("%s: %.30q of %s %+v gave %+v", name, v, c.kind, c.rules, out)
			}
		}
	}
	same(t, "the values", brief(tb.list(connect.ListDataTableValuesInput{})), [][]string{{}})
}

func TestBatches(t *testing.T) {
	tb := boot(t).table("Table", types.DataTableLockLevelNone).with([]string{"Key", "Part"}, "A", "B")
	one, two := key("Part", "1", "Key", "one"), key("Key", "two", "Part", strings.Repeat("x", 1001))
	out := tb.put(
		value(one, "A", "a"), value(one, "b", "b"), value(one, "A", "again"), value(one, "None", "x"), value(one, "Key", "x"),
		value(key("Key", "one"), "A", "x"), value(key("Key", "1", "Key", "2"), "A", "x"), value(key("A", "1", "B", "2"), "A", "x"),
		value(two, "A", "x"), value(nil, "A", "default"),
	)
	var good, bad []string
	for _, s := range out.Successful {
		good = append(good, *s.AttributeName)
		if s.RecordId == nil || s.LockVersion.Value == nil || s.LockVersion.PrimaryValues == nil || s.LockVersion.Attribute == nil || s.LockVersion.DataTable == nil {
			t.Errorf("a success shows %+v", s)
		}
	}
	for _, f := range out.Failed {
		bad = append(bad, *f.Message)
	}
	same(t, "successes", good, []string{"A", "B", "A"})
	for i, word := range []string{"twice", "no attribute", "primary attribute", "include all", "named once", "primary attribute", "1000"} {
		if i >= len(bad) || !strings.Contains(bad[i], word) {
			t.Fatalf("failures are %q, want one about %q at %d", bad, word, i)
		}
	}
	if *out.Successful[0].RecordId != *out.Successful[1].RecordId || *out.Successful[0].RecordId == *out.Successful[2].RecordId {
		t.Errorf("the records of the successes are %v", out.Successful)
	}
	if *out.Failed[0].PrimaryValues[0].AttributeName != "Part" || *out.Successful[0].PrimaryValues[0].AttributeName != "Key" {
		t.Error("failures show primary values as they were given, successes in the order of the attributes")
	}
	same(t, "twice", len(tb.put(value(one, "A", "a")).Failed), 1)

	described, err := tb.BatchDescribeDataTableValue(t.Context(), &connect.BatchDescribeDataTableValueInput{
		InstanceId: &tb.bench.id, DataTableId: &tb.id, Values: []types.DataTableValueIdentifier{
			{AttributeName: aws.String("a"), PrimaryValues: one}, {AttributeName: aws.String("B")}, {AttributeName: aws.String("A"), PrimaryValues: two},
		},
	})
	ok(t, err)
	if len(described.Successful) != 1 || len(described.Failed) != 2 {
		t.Fatalf("described are %+v", described)
	}
	all := slices.Concat(tb.list(connect.ListDataTableValuesInput{})...)
	d, l := described.Successful[0], all[0]
	same(t, "a description", d, types.BatchDescribeDataTableValueSuccessResult{
		AttributeId: l.AttributeId, AttributeName: l.AttributeName, RecordId: l.RecordId, PrimaryValues: l.PrimaryValues, Value: aws.String("a"),
		LockVersion: l.LockVersion, LastModifiedTime: l.LastModifiedTime, LastModifiedRegion: aws.String(servertest.Region),
	})
	if *d.PrimaryValues[0].AttributeName != "Key" || *d.PrimaryValues[0].Value != "one" || d.PrimaryValues[0].AttributeId == nil || l.ValueType != text {
		t.Errorf("a value is %+v", l)
	}

	updated, err := tb.BatchUpdateDataTableValue(t.Context(), &connect.BatchUpdateDataTableValueInput{
		InstanceId: &tb.bench.id, DataTableId: &tb.id, Values: []types.DataTableValue{value(one, "A", "new"), value(nil, "B", "none"), value(one, "B", "=(")},
	})
	ok(t, err)
	if len(updated.Successful) != 1 || len(updated.Failed) != 2 {
		t.Errorf("updated are %+v", updated)
	}
	deleted, err := tb.BatchDeleteDataTableValue(t.Context(), &connect.BatchDeleteDataTableValueInput{
		InstanceId: &tb.bench.id, DataTableId: &tb.id, Values: []types.DataTableDeleteValueIdentifier{
			{AttributeName: aws.String("A"), LockVersion: &types.DataTableLockVersion{}}, {AttributeName: aws.String("B"), LockVersion: &types.DataTableLockVersion{}},
		},
	})
	ok(t, err)
	if len(deleted.Successful) != 1 || len(deleted.Failed) != 1 || deleted.Successful[0].LockVersion.Value != nil || deleted.Successful[0].PrimaryValues == nil {
		t.Errorf("deleted are %+v", deleted)
	}
	same(t, "what is left", brief(tb.list(connect.ListDataTableValuesInput{})), [][]string{{"one,1/A=new", "one,1/B=b"}})
	_, err = tb.BatchDescribeDataTableValue(t.Context(), &connect.BatchDescribeDataTableValueInput{InstanceId: &tb.bench.id, DataTableId: aws.String(domain.NewID()), Values: []types.DataTableValueIdentifier{}})
	fails(t, err, fault.ResourceNotFound)
}

// TestLocks changes one value after another thing was changed, at each lock
// level.
func TestLocks(t *testing.T) {
	b := boot(t)
	same := key("Key", "one")
	for level, stale := range map[types.DataTableLockLevel][]bool{ // by the value changed before: the same, of the record, of the attribute, another
		types.DataTableLockLevelNone:         {false, false, false, false},
		types.DataTableLockLevelValue:        {true, false, false, false},
		types.DataTableLockLevelPrimaryValue: {true, true, false, false},
		types.DataTableLockLevelAttribute:    {true, false, true, false},
		types.DataTableLockLevelDataTable:    {true, true, true, true},
	} {
		tb := b.table("locked by "+string(level), level).with([]string{"Key"}, "A", "B")
		other := key("Key", "two")
		first := []types.DataTableValue{value(same, "A", "1"), value(same, "B", "1"), value(other, "A", "1"), value(other, "B", "1")}
		made := tb.must(first...)
		locks := func() (list []*types.DataTableLockVersion) {
			for _, v := range slices.Concat(tb.list(connect.ListDataTableValuesInput{})...) {
				list = append(list, v.LockVersion)
			}
			return list
		}
		for i, s := range made {
			servertest.Same(t, "the lock of a new value", s.LockVersion, locks()[i])
		}
		update := func(v types.DataTableValue, lock *types.DataTableLockVersion) *connect.BatchUpdateDataTableValueOutput {
			v.LockVersion = lock
			out, err := tb.BatchUpdateDataTableValue(t.Context(), &connect.BatchUpdateDataTableValueInput{InstanceId: &b.id, DataTableId: &tb.id, Values: []types.DataTableValue{v}})
			ok(t, err)
			return out
		}
		for i, want := range stale {
			before := locks()
			if out := update(first[i], before[i]); len(out.Failed) > 0 {
				t.Fatalf("%s: %s", level, *out.Failed[0].Message)
			} else {
				servertest.Same(t, "the lock of a changed value", out.Successful[0].LockVersion, locks()[i])
			}
			if out := update(first[0], before[0]); (len(out.Failed) == 1) != want {
				t.Errorf("%s: after a change of value %d the first is %+v", level, i, out)
			} else if want && !strings.Contains(*out.Failed[0].Message, string(level)) {
				t.Errorf("%s: the message is %q", level, *out.Failed[0].Message)
			}
		}
		if out := update(first[0], nil); (len(out.Failed) == 1) != (level != types.DataTableLockLevelNone) {
			t.Errorf("%s: without a lock version: %+v", level, out)
		}

		// Several values of one request do not lock out each other.
		now := locks()
		both := []types.DataTableValue{first[0], first[1]}
		both[0].LockVersion, both[1].LockVersion = now[0], now[1]
		out, err := tb.BatchUpdateDataTableValue(t.Context(), &connect.BatchUpdateDataTableValueInput{InstanceId: &b.id, DataTableId: &tb.id, Values: both})
		ok(t, err)
		servertest.Same(t, "two values at once", len(out.Successful), 2)

		rename := func(from, to []types.PrimaryValue, lock *types.DataTableLockVersion) (*types.DataTableLockVersion, error) {
			out, err := tb.UpdateDataTablePrimaryValues(t.Context(), &connect.UpdateDataTablePrimaryValuesInput{
				InstanceId: &b.id, DataTableId: &tb.id, PrimaryValues: from, NewPrimaryValues: to, LockVersion: lock,
			})
			if err != nil {
				return nil, err
			}
			return out.LockVersion, nil
		}
		if level != types.DataTableLockLevelNone {
			_, err = rename(same, key("Key", "three"), &types.DataTableLockVersion{})
			fails(t, err, fault.Conflict)
		}
		_, err = rename(same, other, locks()[0])
		fails(t, err, fault.Conflict)
		_, err = rename(key("Key", "none"), other, locks()[0])
		fails(t, err, fault.ResourceNotFound)
		_, err = rename(same, []types.PrimaryValue{}, locks()[0])
		fails(t, err, fault.InvalidParameter)
		lock, err := rename(same, key("Key", "three"), locks()[0])
		ok(t, err)
		if after := locks()[0]; *after.PrimaryValues != *lock.PrimaryValues || *after.DataTable != *lock.DataTable {
			t.Errorf("%s: the lock versions are %+v, the answer was %+v", level, after, lock)
		}
		servertest.Same(t, "the renamed record", brief(tb.list(connect.ListDataTableValuesInput{}))[0], []string{"three/A=1", "three/B=1", "two/A=1", "two/B=1"})
		tb.must(value(same, "A", "free again"))
	}
}

func TestLists(t *testing.T) {
	tb := boot(t).table("Table", types.DataTableLockLevelNone).with([]string{"Shop", "Day"}, "Open", "Close")
	_, err := tb.UpdateDataTableAttribute(t.Context(), &connect.UpdateDataTableAttributeInput{
		InstanceId: &tb.bench.id, DataTableId: &tb.id, AttributeName: aws.String("Shop"), Name: aws.String("Shop"), ValueType: text, Primary: true,
		Validation: &types.Validation{IgnoreCase: true},
	})
	ok(t, err)
	var ids []string
	want := []string{}
	for _, shop := range []string{"Rome", "Oslo"} {
		for _, day := range []string{"1", "2"} {
			k := key("Shop", shop, "Day", day)
			made := tb.must(value(k, "Open", "8"), value(k, "Close", "18"))
			ids = append(ids, *made[0].RecordId)
			want = append(want, shop+","+day+"/Open=8", shop+","+day+"/Close=18")
		}
	}
	same(t, "another case", len(tb.put(value(key("Shop", "ROME", "Day", "1"), "Open", "9")).Failed), 1)
	fallback := tb.must(value(nil, "Open", "0"))
	want = append(want, "/Open=0")
	for size := int32(1); size <= 10; size++ {
		same(t, fmt.Sprint("values in pages of ", size), brief(tb.list(connect.ListDataTableValuesInput{MaxResults: &size})), servertest.InPages(want, int(size)))
	}
	filter := func(name string, values ...string) types.PrimaryAttributeValueFilter {
		return types.PrimaryAttributeValueFilter{AttributeName: &name, Values: append([]string{}, values...)}
	}
	primary := func(size int32, records []string, filters ...types.PrimaryAttributeValueFilter) []string {
		found := []string{}
		for _, page := range servertest.Pages(t, func(token *string) ([]types.RecordPrimaryValue, *string, error) {
			out, err := tb.ListDataTablePrimaryValues(t.Context(), &connect.ListDataTablePrimaryValuesInput{
				InstanceId: &tb.bench.id, DataTableId: &tb.id, RecordIds: records, PrimaryAttributeValues: filters, MaxResults: &size, NextToken: token,
			})
			if err != nil {
				return nil, nil, err
			}
			return out.PrimaryValuesList, out.NextToken, nil
		}) {
			for _, r := range page {
				s := ""
				for _, p := range r.PrimaryValues {
					s += *p.Value
				}
				if r.LastModifiedTime == nil || r.RecordId == nil {
					t.Errorf("a record is %+v", r)
				}
				found = append(found, s)
			}
		}
		return found
	}
	for name, c := range map[string]struct {
		records []string
		filters []types.PrimaryAttributeValueFilter
		want    []string
	}{
		"all":                {want: []string{"Rome1", "Rome2", "Oslo1", "Oslo2"}},
		"by shop":            {filters: []types.PrimaryAttributeValueFilter{filter("shop", "OSLO")}, want: []string{"Oslo1", "Oslo2"}},
		"by days":            {filters: []types.PrimaryAttributeValueFilter{filter("Day", "2", "3")}, want: []string{"Rome2", "Oslo2"}},
		"by both":            {filters: []types.PrimaryAttributeValueFilter{filter("Day", "2"), filter("Shop", "rome")}, want: []string{"Rome2"}},
		"by what is not":     {filters: []types.PrimaryAttributeValueFilter{filter("Day", "3"), filter("Shop", "rome")}, want: []string{}},
		"by no value":        {filters: []types.PrimaryAttributeValueFilter{filter("Day")}, want: []string{}},
		"by id":              {records: []string{ids[2], domain.NewID(), *fallback[0].RecordId}, want: []string{"Oslo1", ""}},
		"by id and by value": {records: ids, filters: []types.PrimaryAttributeValueFilter{filter("Day", "1")}, want: []string{"Rome1", "Oslo1"}},
	} {
		same(t, name, primary(1, c.records, c.filters...), c.want)
	}
	same(t, "values by id", brief(tb.list(connect.ListDataTableValuesInput{RecordIds: ids[3:], MaxResults: aws.Int32(1)})), [][]string{{"Oslo,2/Open=8"}, {"Oslo,2/Close=18"}})
	same(t, "values by day", brief(tb.list(connect.ListDataTableValuesInput{
		PrimaryAttributeValues: []types.PrimaryAttributeValueFilter{filter("Day", "1")}, MaxResults: aws.Int32(3),
	})), [][]string{{"Rome,1/Open=8", "Rome,1/Close=18", "Oslo,1/Open=8"}, {"Oslo,1/Close=18"}})
	for _, f := range [][]types.PrimaryAttributeValueFilter{{filter("Open", "8")}, {filter("Day", "1"), filter("Day", "2")}} {
		_, err := tb.ListDataTableValues(t.Context(), &connect.ListDataTableValuesInput{InstanceId: &tb.bench.id, DataTableId: &tb.id, PrimaryAttributeValues: f})
		fails(t, err, fault.InvalidParameter, "named once")
	}
}

// TestManyRecords holds what reads one page, or one record, of ten thousand to
// reading no more.
func TestManyRecords(t *testing.T) {
	s := servertest.Boot(t)
	b := &bench{s.Connect, t, s.NewInstance(t)}
	tb := b.table("Table", types.DataTableLockLevelNone).with([]string{"Key"}, "Value")
	const many, at = 10_000, 1_000
	var values []types.DataTableValue
	for i := range many {
		values = append(values, value(key("Key", fmt.Sprint(i)), "Value", fmt.Sprint(i)))
	}
	for chunk := range slices.Chunk(values, at) {
		tb.must(chunk...)
	}
	seen := map[string]bool{}
	for _, page := range tb.list(connect.ListDataTableValuesInput{MaxResults: aws.Int32(100)}) {
		for _, v := range page {
			seen[*v.Value] = true
		}
	}
	same(t, "the values", len(seen), many)
	last := fmt.Sprint(many - 1)
	same(t, "the last record", brief(tb.list(connect.ListDataTableValuesInput{
		PrimaryAttributeValues: []types.PrimaryAttributeValueFilter{{AttributeName: aws.String("Key"), Values: []string{last}}},
	})), [][]string{{last + "/Value=" + last}})
}
