package datatables

import (
	"context"
	"slices"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/connect"
	"github.com/aws/aws-sdk-go-v2/service/connect/types"

	"ringdown/internal/catalog"
	"ringdown/internal/domain"
	"ringdown/internal/fault"
	"ringdown/internal/store"
)

var recordKind = catalog.Kind[domain.DataTableRecord]{
	Of:   domain.KindDataTableRecord,
	Name: func(e *domain.DataTableRecord) string { return e.Key },
	Parent: &catalog.Parent[domain.DataTableRecord]{
		Kind: domain.KindDataTable,
		Role: roleRecord,
		ID:   func(e *domain.DataTableRecord) string { return string(e.DataTableID) },
	},
	NoTags:   true,
	Unlisted: true,
}

// record reads the record of a key, nil when there is none.
func (d *DataTables) record(ctx context.Context, rd store.Reader, sc catalog.Scope, s *schema, key string) (*record, error) {
	r, err := d.records.PartNamed(ctx, rd, sc, s.table.ID, key)
	if fault.Is(err, fault.ResourceNotFound) {
		return nil, nil
	}
	return r, err
}

// writeRecord keeps a record as it now is; one without values is gone.
func (d *DataTables) writeRecord(ctx context.Context, tx store.Tx, sc catalog.Scope, id string, r *domain.DataTableRecord) error {
	if len(r.Values) == 0 {
		return d.records.Remove(ctx, tx, sc, id, nil)
	}
	return d.records.Change(ctx, tx, sc, id, func(e *domain.DataTableRecord) error { *e = *r; return nil })
}

// ListDataTablePrimaryValues lists what identifies the records of a table, in
// the order of their creation: those that the request names by their ids or by
// primary values, or else all but the default record, which has none.
func (d *DataTables) ListDataTablePrimaryValues(ctx context.Context, in *connect.ListDataTablePrimaryValuesInput) (*connect.ListDataTablePrimaryValuesOutput, error) {
	rows := func(s *schema, sc catalog.Scope, r *record) []catalog.Row[types.RecordPrimaryValue] {
		if r.Value.IsDefault() && len(in.RecordIds) == 0 {
			return nil
		}
		return []catalog.Row[types.RecordPrimaryValue]{{Key: r.ID, Value: types.RecordPrimaryValue{
			RecordId: aws.String(r.ID), PrimaryValues: s.primaryValuesOut(r.Value.Primary),
			LastModifiedTime: aws.Time(r.Modified), LastModifiedRegion: aws.String(sc.Region),
		}}}
	}
	ask := selection{in.RecordIds, in.PrimaryAttributeValues, catalog.Page{MaxResults: in.MaxResults, NextToken: in.NextToken}}
	found, next, err := listRecords(ctx, d, in.InstanceId, in.DataTableId, ask, rows)
	if err != nil {
		return nil, err
	}
	return &connect.ListDataTablePrimaryValuesOutput{PrimaryValuesList: found, NextToken: next}, nil
}

// ListDataTableValues lists values as they were given, record after record in
// the order of their creation.
func (d *DataTables) ListDataTableValues(ctx context.Context, in *connect.ListDataTableValuesInput) (*connect.ListDataTableValuesOutput, error) {
	rows := func(s *schema, sc catalog.Scope, r *record) (list []catalog.Row[types.DataTableValueSummary]) {
		primary := s.primaryValuesOut(r.Value.Primary)
		for _, id := range r.Value.Attributes() {
			a, v := s.byID(id), r.Value.Values[id]
			list = append(list, catalog.Row[types.DataTableValueSummary]{Key: string(id), Value: types.DataTableValueSummary{
				RecordId: aws.String(r.ID), PrimaryValues: primary,
				AttributeId: aws.String(a.ID), AttributeName: aws.String(a.Name), ValueType: a.Value.ValueType, Value: aws.String(v.Value),
				LockVersion: s.lock(&r.Value, a), LastModifiedTime: aws.Time(v.Modified), LastModifiedRegion: aws.String(sc.Region),
			}})
		}
		return list
	}
	ask := selection{in.RecordIds, in.PrimaryAttributeValues, catalog.Page{MaxResults: in.MaxResults, NextToken: in.NextToken}}
	found, next, err := listRecords(ctx, d, in.InstanceId, in.DataTableId, ask, rows)
	if err != nil {
		return nil, err
	}
	return &connect.ListDataTableValuesOutput{Values: found, NextToken: next}, nil
}

// selection says which records a list is about.
type selection struct {
	ids    []string // none: all
	filter []types.PrimaryAttributeValueFilter
	page   catalog.Page
}

// listRecords returns a page of what the selected records of a table hold.
// Records that are named, by id or by all their primary values, are read one by
// one, however many others there are.
func listRecords[R any](
	ctx context.Context, d *DataTables, instance, table *string, ask selection,
	rows func(*schema, catalog.Scope, *record) []catalog.Row[R],
) (found []R, next *string, err error) {
	sc, id, err := d.locate(ctx, instance, table)
	if err != nil {
		return nil, nil, err
	}
	err = d.catalog.Store().View(ctx, func(rd store.Reader) error {
		s, err := d.schema(ctx, rd, sc, id)
		if err != nil {
			return err
		}
		match, key, err := s.filter(ask.filter)
		if err != nil {
			return err
		}
		if len(ask.ids) == 0 && key == "" {
			found, next, err = catalog.ListRows(ctx, rd, d.records, sc, id, ask.page, func(r *record) []catalog.Row[R] {
				if !match(&r.Value) {
					return nil
				}
				return rows(s, sc, r)
			})
			return err
		}
		named, err := d.namedRecords(ctx, rd, sc, s, ask.ids, key)
		if err != nil {
			return err
		}
		all := []R{}
		for _, r := range named {
			if !match(&r.Value) {
				continue
			}
			for _, row := range rows(s, sc, r) {
				all = append(all, row.Value)
			}
		}
		found, next, err = catalog.Slice(sc, domain.KindDataTableRecord, ask.page, all)
		return err
	})
	return found, next, err
}

// namedRecords reads records by their ids or, when there are none, by a key.
// What does not exist, or belongs to another table, is left out.
func (d *DataTables) namedRecords(ctx context.Context, rd store.Reader, sc catalog.Scope, s *schema, ids []string, key string) ([]*record, error) {
	var list []*record
	if len(ids) == 0 {
		r, err := d.record(ctx, rd, sc, s, key)
		if r != nil {
			list = append(list, r)
		}
		return list, err
	}
	for _, id := range ids {
		r, err := d.records.GetIn(ctx, rd, sc, id)
		if err == nil {
			err = d.records.IsPart(s.table.ID, &r.Value)
		}
		switch {
		case fault.Is(err, fault.ResourceNotFound):
		case err != nil:
			return nil, err
		default:
			list = append(list, r)
		}
	}
	return list, nil
}

// filter turns a filter by primary values into a condition: of each attribute
// that it names, one of the values. If only one record can fulfil it, key is
// that one's.
func (s *schema) filter(filters []types.PrimaryAttributeValueFilter) (match func(*domain.DataTableRecord) bool, key string, err error) {
	allowed := map[domain.DataTableAttributeID][]string{}
	only := map[domain.DataTableAttributeID]string{}
	for _, f := range filters {
		a, err := s.named(*f.AttributeName)
		if err != nil {
			return nil, "", err
		}
		id := domain.DataTableAttributeID(a.ID)
		if _, twice := allowed[id]; twice || !a.Value.Primary {
			return nil, "", fault.New(fault.InvalidParameter, "PrimaryAttributeValues: %q must be a primary attribute and be named once", *f.AttributeName)
		}
		allowed[id] = catalog.Map(f.Values, a.Value.Canonical)
		if len(f.Values) == 1 {
			only[id] = f.Values[0]
		}
	}
	if len(only) > 0 && len(only) == len(s.primary) {
		key = s.keyOf(only)
	}
	return func(r *domain.DataTableRecord) bool {
		for id, values := range allowed {
			v, has := r.Primary[id]
			if !has || !slices.Contains(values, s.byID(id).Value.Canonical(v)) {
				return false
			}
		}
		return true
	}, key, nil
}

// UpdateDataTablePrimaryValues gives a record other primary values. Its values
// stay as they are.
func (d *DataTables) UpdateDataTablePrimaryValues(ctx context.Context, in *connect.UpdateDataTablePrimaryValuesInput) (*connect.UpdateDataTablePrimaryValuesOutput, error) {
	sc, id, err := d.locate(ctx, in.InstanceId, in.DataTableId)
	if err != nil {
		return nil, err
	}
	out := &connect.UpdateDataTablePrimaryValuesOutput{}
	err = d.catalog.Store().Update(ctx, func(tx store.Tx) error {
		b, err := d.newBatch(ctx, tx, sc, id)
		if err != nil {
			return err
		}
		row, err := b.row(ctx, in.PrimaryValues)
		switch {
		case err != nil:
			return err
		case row.id == "":
			return fault.New(fault.ResourceNotFound, "The table has no record with these primary values.")
		case row.IsDefault() || len(in.NewPrimaryValues) == 0:
			return fault.New(fault.InvalidParameter, "PrimaryValues and NewPrimaryValues must include all primary attributes; the default record has none")
		}
		if err := b.checkRecordLock(row, in.LockVersion); err != nil {
			return err
		}
		to, err := b.row(ctx, in.NewPrimaryValues)
		if err != nil {
			return err
		}
		if to.id != "" && to != row {
			return fault.New(fault.Conflict, "Another record of the table has these primary values.")
		}
		if err := b.schema.validatePrimary(in.NewPrimaryValues); err != nil {
			return err
		}
		_, row.Primary, err = b.schema.key(in.NewPrimaryValues)
		if err != nil {
			return err
		}
		row.Key, row.LockVersion, row.changed = b.schema.keyOf(row.Primary), domain.NewID(), true
		b.touchTable()
		out.LockVersion = &types.DataTableLockVersion{DataTable: aws.String(b.schema.table.Value.LockVersion), PrimaryValues: aws.String(row.LockVersion)}
		return b.write(ctx, tx)
	})
	if err != nil {
		return nil, err
	}
	return out, nil
}

// validatePrimary checks the primary values of a record that is to be.
func (s *schema) validatePrimary(values []types.PrimaryValue) error {
	for _, v := range values {
		a, err := s.named(*v.AttributeName)
		if err != nil {
			return err
		}
		if err := validate(a, *v.Value); err != nil {
			return err
		}
	}
	return nil
}

// validate checks a value before it is kept.
func validate(a *attribute, value string) error {
	bad := func(err error) error {
		return fault.New(fault.InvalidParameter, "The value of %q %s.", a.Name, err)
	}
	if domain.IsExpression(value) && a.Value.TakesExpressions() {
		if _, err := parse(value); err != nil {
			return bad(err)
		}
		return nil
	}
	parsed, err := a.Value.Parse(value)
	if err == nil {
		err = a.Value.Validate(parsed)
	}
	if err != nil {
		return bad(err)
	}
	return nil
}
