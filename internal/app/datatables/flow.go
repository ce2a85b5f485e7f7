package datatables

import (
	"context"
	"encoding/json"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/connect/types"

	"ringdown/internal/catalog"
	"ringdown/internal/domain"
	"ringdown/internal/fault"
	"ringdown/internal/store"
)

// This file serves the actions of flows on data tables (AWS admin guide, "Flow
// block: Data Table"), with the rules of the operations. Parameters are those of
// the action with JSONPaths replaced; tables are named by id or ARN, with or
// without an alias.

// flowText is a parameter as text. What a JSONPath led to may be a number, true
// or false, or a list, which are texts as a value of a table has them.
type flowText string

func (t *flowText) UnmarshalJSON(raw []byte) error {
	var s *string
	switch err := json.Unmarshal(raw, &s); {
	case err != nil:
		*t = flowText(raw)
	case s != nil:
		*t = flowText(*s)
	}
	return nil
}

// flowPrimary is a primary value as ListDataTableValues and UpsertDataTableValues
// write it.
type flowPrimary struct{ Name, Value flowText }

func primaryOf(given []flowPrimary) []types.PrimaryValue {
	return catalog.Map(given, func(p flowPrimary) types.PrimaryValue {
		return types.PrimaryValue{AttributeName: aws.String(string(p.Name)), Value: aws.String(string(p.Value))}
	})
}

// readParameters reads the parameters of an action into a struct.
func readParameters(parameters map[string]any, into any) error {
	raw, err := json.Marshal(parameters)
	if err == nil {
		err = json.Unmarshal(raw, into)
	}
	if err != nil {
		return fault.New(fault.InvalidParameter, "Parameters are not those of the action: %s", err)
	}
	return nil
}

// EvaluateInFlow serves the action EvaluateDataTableValues. The result has a
// member for each query by its name, with the values by the names of the
// attributes as the query writes them. Absent are attributes that the table does
// not have, lists, which the block does not support, and what neither the record
// nor the default record has a value of. An unknown table and primary values that
// are not those of a record are errors.
func (d *DataTables) EvaluateInFlow(ctx context.Context, sc catalog.Scope, parameters map[string]any) (map[string]any, error) {
	var in struct {
		DataTableID flowText
		Queries     []struct {
			QueryName     string
			Attributes    []flowText
			PrimaryValues []struct{ AttributeName, Value flowText }
		}
	}
	if err := readParameters(parameters, &in); err != nil {
		return nil, err
	}
	id, err := tableID(sc, string(in.DataTableID), latest, saved)
	if err != nil {
		return nil, err
	}
	e, s, err := d.newEvaluator(ctx, sc, id, "")
	if err != nil {
		return nil, err
	}
	answer := map[string]any{}
	for _, q := range in.Queries {
		var given []flowPrimary
		for _, p := range q.PrimaryValues {
			given = append(given, flowPrimary{p.AttributeName, p.Value})
		}
		key, _, err := s.key(primaryOf(given))
		if err != nil {
			return nil, err
		}
		values := map[string]any{}
		for _, name := range q.Attributes {
			a, err := s.named(string(name))
			if err != nil {
				continue
			}
			e.lookups = 0
			v, err := e.value(s, key, a)
			if err != nil {
				return nil, err
			}
			switch v.value.(type) {
			case string, float64, bool:
				if v.given {
					values[string(name)] = domain.FormatDataTableValue(v.value)
				}
			}
		}
		answer[q.QueryName] = values
	}
	return answer, nil
}

// maxFlowList is how many bytes of JSON ListDataTableValues may give a flow: the
// 32 KB of the block's page.
const maxFlowList = 32 << 10

// flowCell is a value as $.DataTableList shows it.
type flowCell struct {
	AttributeName  string  `json:"attributeName"`
	AttributeValue *string `json:"attributeValue,omitempty"`
}

// flowRow is a record as $.DataTableList shows it. Its attributes are all but
// the primary ones in the order of the table, so that each has the same place in
// every row.
type flowRow struct {
	PrimaryKeys []flowCell `json:"primaryKeys"`
	Attributes  []flowCell `json:"attributes"`
}

// ListInFlow serves the action ListDataTableValues. The result is
// $.DataTableList.ResultData: the rows of each group by its name, values as they
// were given; all rows as the group "default" when there are no groups. More than
// 32 KB are an error.
func (d *DataTables) ListInFlow(ctx context.Context, sc catalog.Scope, parameters map[string]any) (map[string]any, error) {
	var in struct {
		DataTableID      flowText
		PrimaryKeyGroups []struct {
			PrimaryKeyGroupName string
			PrimaryValues       []flowPrimary
		}
	}
	if err := readParameters(parameters, &in); err != nil {
		return nil, err
	}
	id, err := tableID(sc, string(in.DataTableID), latest, saved)
	if err != nil {
		return nil, err
	}
	filters := map[string][]flowPrimary{}
	for _, g := range in.PrimaryKeyGroups {
		filters[g.PrimaryKeyGroupName] = g.PrimaryValues
	}
	if len(filters) == 0 {
		filters["default"] = nil
	}
	var answer map[string]any
	err = d.catalog.Store().View(ctx, func(rd store.Reader) error {
		s, err := d.schema(ctx, rd, sc, id)
		if err != nil {
			return err
		}
		groups, room := map[string]any{}, maxFlowList
		for name, given := range filters {
			if groups[name], err = d.flowRows(ctx, rd, sc, s, given, &room); err != nil {
				return err
			}
		}
		answer = map[string]any{
			"dataTableId": id, "lockVersion": map[string]any{"dataTable": s.table.Value.LockVersion}, "primaryKeyGroups": groups,
		}
		return nil
	})
	return answer, err
}

// flowRows are the records that have the primary values, as long as there is
// room for them.
func (d *DataTables) flowRows(ctx context.Context, rd store.Reader, sc catalog.Scope, s *schema, given []flowPrimary, room *int) ([]flowRow, error) {
	filter := catalog.Map(given, func(p flowPrimary) types.PrimaryAttributeValueFilter {
		return types.PrimaryAttributeValueFilter{AttributeName: aws.String(string(p.Name)), Values: []string{string(p.Value)}}
	})
	match, key, err := s.filter(filter)
	if err != nil {
		return nil, err
	}
	rows := []flowRow{}
	add := func(r *domain.DataTableRecord) error {
		if !match(r) {
			return nil
		}
		row := s.flowRow(r)
		raw, err := json.Marshal(row)
		if err != nil {
			return err
		}
		if *room -= len(raw); *room < 0 {
			return fault.New(fault.InvalidParameter, "More than 32 KB of DataTable %s were asked for.", s.table.ID)
		}
		rows = append(rows, row)
		return nil
	}
	if key != "" {
		r, err := d.record(ctx, rd, sc, s, key)
		if r == nil || err != nil {
			return rows, err
		}
		return rows, add(&r.Value)
	}
	whole := func(r *record) []catalog.Row[*record] { return []catalog.Row[*record]{{Key: r.ID, Value: r}} }
	const atOnce = 100
	for page := (catalog.Page{MaxResults: aws.Int32(atOnce)}); ; {
		records, next, err := catalog.ListRows(ctx, rd, d.records, sc, s.table.ID, page, whole)
		if err != nil {
			return nil, err
		}
		for _, r := range records {
			if err := add(&r.Value); err != nil {
				return nil, err
			}
		}
		if next == nil {
			return rows, nil
		}
		page.NextToken = next
	}
}

func (s *schema) flowRow(r *domain.DataTableRecord) flowRow {
	row := flowRow{PrimaryKeys: []flowCell{}, Attributes: []flowCell{}}
	for _, p := range s.primaryValues(r.Primary) {
		row.PrimaryKeys = append(row.PrimaryKeys, flowCell{*p.AttributeName, p.Value})
	}
	for _, a := range s.attributes {
		if a.Value.Primary {
			continue
		}
		cell := flowCell{AttributeName: a.Name}
		if v, has := r.Values[domain.DataTableAttributeID(a.ID)]; has {
			cell.AttributeValue = aws.String(v.Value)
		}
		row.Attributes = append(row.Attributes, cell)
	}
	return row
}

// newest is the LockVersion of an action that writes whatever the version is.
const newest = "LATEST"

// UpsertInFlow serves the action UpsertDataTableValues: it writes values into the
// records with the primary values, and makes those that do not exist, all or
// none. With UseDefaultValue a value is that of the default record, else the
// type's default. A LockVersion must be LATEST or that of the table, as
// ListInFlow shows it.
func (d *DataTables) UpsertInFlow(ctx context.Context, sc catalog.Scope, parameters map[string]any) error {
	var in struct {
		DataTableID               flowText
		LockVersion               *flowText
		DataTableUpsertAttributes []struct {
			PrimaryValues []flowPrimary
			Attributes    []struct {
				Name, Value     flowText
				UseDefaultValue flowText // true or "true"
			}
		}
	}
	if err := readParameters(parameters, &in); err != nil {
		return err
	}
	id, err := tableID(sc, string(in.DataTableID), latest, saved)
	if err != nil {
		return err
	}
	return d.changeIn(ctx, sc, id, func(b *batch) error {
		if v := in.LockVersion; v != nil && *v != newest && string(*v) != b.before.table {
			return fault.New(fault.Conflict, "LockVersion is neither %s nor the present one of DataTable %s.", newest, id)
		}
		for _, g := range in.DataTableUpsertAttributes {
			primary := primaryOf(g.PrimaryValues)
			if _, err := b.row(ctx, primary); err != nil { // a group may have no attributes
				return err
			}
			for _, a := range g.Attributes {
				err := b.upsert(ctx, primary, string(a.Name), string(a.Value), a.UseDefaultValue == "true")
				if err != nil {
					return err
				}
			}
		}
		return b.checkQuota(ctx)
	})
}

// upsert writes a value, or the default in its place, whether or not there is
// one.
func (b *batch) upsert(ctx context.Context, primary []types.PrimaryValue, name, value string, byDefault bool) error {
	r, a, err := b.item(ctx, primary, name)
	if err != nil {
		return err
	}
	if byDefault {
		fallback, err := b.row(ctx, nil)
		if err != nil {
			return err
		}
		own, has := fallback.Values[domain.DataTableAttributeID(a.ID)]
		if value = own.Value; !has {
			value = domain.FormatDataTableValue(a.Value.Zero())
		}
	}
	return b.put(r, a, primary, value)
}
