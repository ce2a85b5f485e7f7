package conformance

import (
	"context"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/connect"
	"github.com/aws/aws-sdk-go-v2/service/connect/types"
)

// dataTable is a table with the primary attribute Key, the attribute Value and
// a record "one". It locks no values, so that their lock versions may be any.
const dataTable kind = "DataTable"

func init() {
	key := func(value string) any { return []any{object{"AttributeName": "Key", "Value": value}} }
	// rules are those of an attribute that do not contradict each other.
	rules := given("Validation", always(object{
		"MinLength": float64(1), "MaxLength": float64(9), "MinValues": float64(1), "MaxValues": float64(9), "IgnoreCase": true,
		"Minimum": float64(1), "Maximum": float64(9), "ExclusiveMinimum": float64(0), "ExclusiveMaximum": float64(10), "MultipleOf": float64(1),
		"Enum": object{"Strict": true, "Values": []any{"one"}},
	}))
	// value names the value of the record, a new one where one is to be made.
	value := func(members object) func(testing.TB, *world, object, style) {
		return func(t testing.TB, w *world, in object, _ style) {
			in["DataTableId"] = w.fresh(t, dataTable)
			one := object{"AttributeName": "Value", "PrimaryValues": key("one")}
			for k, v := range members {
				one[k] = v
			}
			in["Values"] = []any{one}
		}
	}
	filter := func(_ testing.TB, _ *world, in object, how style) {
		if how == full {
			in["PrimaryAttributeValues"], in["RecordIds"] = []any{object{"AttributeName": "Key", "Values": []any{"one"}}}, []any{unknownID}
		}
	}
	attribute := with("AttributeName", always("Value"))
	anew := with("DataTableId", func(t testing.TB, w *world) any { return w.fresh(t, dataTable) })
	add(family{
		makers:     map[kind]maker{dataTable: newDataTable},
		references: map[string]kind{"DataTableId": dataTable},
		recipes: map[string]recipe{
			"SearchDataTables":             of(searchCriteria("name"), given("SearchFilter", always(object{"AttributeFilter": object{"TagCondition": tagCondition}}))),
			"CreateDataTableAttribute":     of(without("Primary"), rules),
			"UpdateDataTableAttribute":     of(anew, attribute, without("Primary"), rules),
			"DescribeDataTableAttribute":   of(attribute),
			"DeleteDataTableAttribute":     of(attribute),
			"BatchCreateDataTableValue":    of(value(object{"PrimaryValues": key("two"), "Value": "a value"})),
			"BatchUpdateDataTableValue":    of(value(object{"Value": "a value", "LockVersion": object{"Value": "any"}})),
			"BatchDeleteDataTableValue":    of(value(object{"LockVersion": object{"Value": "any"}})),
			"BatchDescribeDataTableValue":  of(value(nil)),
			"ListDataTableValues":          of(filter),
			"ListDataTablePrimaryValues":   of(filter),
			"UpdateDataTablePrimaryValues": of(anew, with("PrimaryValues", always(key("one"))), with("NewPrimaryValues", always(key("two")))),
			"EvaluateDataTableValues": of(with("Values", always([]any{
				object{"AttributeNames": []any{"Value"}, "PrimaryValues": key("one")}, object{"AttributeNames": []any{"Key", "Value"}},
			}))),
		},
		examples: map[string]example{
			"DataTableDescription": {"A table", "\x01"},
			"DataTableName":        {"A name", "no/slash"},
		},
	})
	merge(pagedOperations, map[string]paged{
		"ListDataTables":   {dataTable, "Id", "DeleteDataTable", "DataTableId"},
		"SearchDataTables": {dataTable, "Id", "DeleteDataTable", "DataTableId"},
	})
	merge(fewOperations, map[string]string{
		"ListDataTableAttributes":    "thirty in a table",
		"ListDataTablePrimaryValues": "the records of a table: paged through by the thousands in internal/app/datatables",
		"ListDataTableValues":        "the records of a table: paged through by the thousands in internal/app/datatables",
		"EvaluateDataTableValues":    "as many as are asked for",
	})
}

func newDataTable(ctx context.Context, _ testing.TB, w *world, c *connect.Client) (*string, error) {
	out, err := c.CreateDataTable(ctx, &connect.CreateDataTableInput{
		InstanceId: &w.instance, Name: w.name(), TimeZone: aws.String("Europe/Berlin"),
		Status: types.DataTableStatusPublished, ValueLockLevel: types.DataTableLockLevelNone,
	})
	if err != nil {
		return nil, err
	}
	for _, name := range []string{"Key", "Value"} {
		_, err := c.CreateDataTableAttribute(ctx, &connect.CreateDataTableAttributeInput{
			InstanceId: &w.instance, DataTableId: out.Id, Name: &name, Primary: name == "Key", ValueType: types.DataTableAttributeValueTypeText,
		})
		if err != nil {
			return nil, err
		}
	}
	_, err = c.BatchCreateDataTableValue(ctx, &connect.BatchCreateDataTableValueInput{
		InstanceId: &w.instance, DataTableId: out.Id, Values: []types.DataTableValue{{
			AttributeName: aws.String("Value"), Value: aws.String("1"),
			PrimaryValues: []types.PrimaryValue{{AttributeName: aws.String("Key"), Value: aws.String("one")}},
		}},
	})
	return out.Id, err
}
