package roundtrip

import (
	"fmt"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/connect"
	"github.com/aws/aws-sdk-go-v2/service/connect/types"
)

func dataTableKinds() []kind {
	return []kind{dataTableKind()}
}

// dataTableDocument is a table with its attributes and values. Lock versions,
// ids of attributes and ids of records are the service's own.
type dataTableDocument struct {
	Table      *types.DataTable
	Attributes []types.DataTableAttribute
	Values     []types.DataTableValue
}

func dataTableKind() kind {
	return of("DataTable",
		func(t testing.TB, s *site, n int) string {
			levels := types.DataTableLockLevel("").Values()
			id := rebuildDataTable(t, s, dataTableDocument{
				Table: &types.DataTable{
					Name: name("Table", n), Description: aws.String("what is looked up"), TimeZone: aws.String("Europe/Berlin"),
					ValueLockLevel: levels[n], Tags: map[string]string{"Team": "tables"},
				},
				Attributes: []types.DataTableAttribute{
					{Name: aws.String("Key"), ValueType: types.DataTableAttributeValueTypeText, Primary: true, Validation: &types.Validation{IgnoreCase: true}},
					{
						Name: aws.String("Number"), ValueType: types.DataTableAttributeValueTypeNumber, Description: aws.String("how many"),
						Validation: &types.Validation{
							Minimum: 1, Maximum: 9, ExclusiveMaximum: 10, ExclusiveMinimum: -1, MultipleOf: 1, MaxLength: 5, MinLength: 1, MaxValues: 5, MinValues: 1,
							Enum: &types.ValidationEnum{Values: []string{"3"}},
						},
					},
				},
				Values: []types.DataTableValue{
					{AttributeName: aws.String("Number"), Value: aws.String("=1 + 1")},
					{AttributeName: aws.String("Number"), Value: aws.String(fmt.Sprint(n + 1)), PrimaryValues: []types.PrimaryValue{{AttributeName: aws.String("Key"), Value: aws.String("one")}}},
				},
			})
			return id
		},
		func(t testing.TB, s *site) (all resources) {
			everyPage(t, func(token *string) (*string, error) {
				page, err := s.ListDataTables(t.Context(), &connect.ListDataTablesInput{InstanceId: &s.id, NextToken: token})
				if err != nil {
					return nil, err
				}
				for _, d := range page.DataTableSummaryList {
					all.add(*d.Id, *d.Name, exportDataTable(t, s, d.Id))
				}
				return page.NextToken, nil
			})
			return all
		},
		rebuildDataTable,
		nil)
}

func exportDataTable(t testing.TB, s *site, id *string) (d dataTableDocument) {
	t.Helper()
	out, err := s.DescribeDataTable(t.Context(), &connect.DescribeDataTableInput{InstanceId: &s.id, DataTableId: id})
	ok(t, err)
	d.Table = out.DataTable
	d.Table.LockVersion = nil
	everyPage(t, func(token *string) (*string, error) {
		page, err := s.ListDataTableAttributes(t.Context(), &connect.ListDataTableAttributesInput{InstanceId: &s.id, DataTableId: id, NextToken: token})
		if err != nil {
			return nil, err
		}
		for _, a := range page.Attributes {
			a.LockVersion, a.AttributeId = nil, nil
			d.Attributes = append(d.Attributes, a)
		}
		return page.NextToken, nil
	})
	everyPage(t, func(token *string) (*string, error) {
		page, err := s.ListDataTableValues(t.Context(), &connect.ListDataTableValuesInput{InstanceId: &s.id, DataTableId: id, NextToken: token})
		if err != nil {
			return nil, err
		}
		for _, v := range page.Values {
			one := types.DataTableValue{AttributeName: v.AttributeName, Value: v.Value}
			for _, p := range v.PrimaryValues {
				one.PrimaryValues = append(one.PrimaryValues, types.PrimaryValue{AttributeName: p.AttributeName, Value: p.Value})
			}
			d.Values = append(d.Values, one)
		}
		return page.NextToken, nil
	})
	return d
}

func rebuildDataTable(t testing.TB, s *site, d dataTableDocument) string {
	t.Helper()
	out, err := s.CreateDataTable(t.Context(), &connect.CreateDataTableInput{
		InstanceId: &s.id, Name: d.Table.Name, Description: d.Table.Description, TimeZone: d.Table.TimeZone, Tags: tags(d.Table.Tags),
		Status: types.DataTableStatusPublished, ValueLockLevel: d.Table.ValueLockLevel,
	})
	ok(t, err)
	for _, a := range d.Attributes {
		_, err := s.CreateDataTableAttribute(t.Context(), &connect.CreateDataTableAttributeInput{
			InstanceId: &s.id, DataTableId: out.Id, Name: a.Name, Description: a.Description, Primary: a.Primary, ValueType: a.ValueType, Validation: a.Validation,
		})
		ok(t, err)
	}
	values, err := s.BatchCreateDataTableValue(t.Context(), &connect.BatchCreateDataTableValueInput{InstanceId: &s.id, DataTableId: out.Id, Values: d.Values})
	ok(t, err)
	for _, f := range values.Failed {
		t.Errorf("%s of %s: %s", *f.AttributeName, *d.Table.Name, *f.Message)
	}
	return *out.Id
}
