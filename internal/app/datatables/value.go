package datatables

import (
	"context"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/connect"
	"github.com/aws/aws-sdk-go-v2/service/connect/types"

	"ringdown/internal/catalog"
	"ringdown/internal/domain"
	"ringdown/internal/fault"
	"ringdown/internal/store"
)

// valueQuota is for one table: admin guide, "Create and configure data tables",
// Service quotas for data tables.
const valueQuota = 1000

// BatchCreateDataTableValue adds values, and the records that have none yet.
// Items that cannot be served are in the list Failed; the others are kept all
// the same.
func (d *DataTables) BatchCreateDataTableValue(ctx context.Context, in *connect.BatchCreateDataTableValueInput) (*connect.BatchCreateDataTableValueOutput, error) {
	var out *connect.BatchCreateDataTableValueOutput
	err := d.change(ctx, in.InstanceId, in.DataTableId, func(b *batch) error {
		out = &connect.BatchCreateDataTableValueOutput{
			Successful: []types.BatchCreateDataTableValueSuccessResult{}, Failed: []types.BatchCreateDataTableValueFailureResult{},
		}
		for _, v := range in.Values {
			row, a, err := b.create(ctx, &v)
			if message, err := failure(err); err != nil {
				return err
			} else if message != nil {
				out.Failed = append(out.Failed, types.BatchCreateDataTableValueFailureResult{AttributeName: v.AttributeName, PrimaryValues: list(v.PrimaryValues), Message: message})
				continue
			}
			out.Successful = append(out.Successful, types.BatchCreateDataTableValueSuccessResult{
				AttributeName: aws.String(a.Name), PrimaryValues: b.schema.primaryValues(row.Primary), RecordId: aws.String(row.id), LockVersion: b.schema.lock(&row.DataTableRecord, a),
			})
		}
		return b.checkQuota(ctx)
	})
	return out, err
}

// BatchUpdateDataTableValue changes values. Each must carry the lock version
// that the lock level of the table names.
func (d *DataTables) BatchUpdateDataTableValue(ctx context.Context, in *connect.BatchUpdateDataTableValueInput) (*connect.BatchUpdateDataTableValueOutput, error) {
	var out *connect.BatchUpdateDataTableValueOutput
	err := d.change(ctx, in.InstanceId, in.DataTableId, func(b *batch) error {
		out = &connect.BatchUpdateDataTableValueOutput{
			Successful: []types.BatchUpdateDataTableValueSuccessResult{}, Failed: []types.BatchUpdateDataTableValueFailureResult{},
		}
		for _, v := range in.Values {
			row, a, err := b.update(ctx, &v)
			if message, err := failure(err); err != nil {
				return err
			} else if message != nil {
				out.Failed = append(out.Failed, types.BatchUpdateDataTableValueFailureResult{AttributeName: v.AttributeName, PrimaryValues: list(v.PrimaryValues), Message: message})
				continue
			}
			out.Successful = append(out.Successful, types.BatchUpdateDataTableValueSuccessResult{
				AttributeName: aws.String(a.Name), PrimaryValues: b.schema.primaryValues(row.Primary), LockVersion: b.schema.lock(&row.DataTableRecord, a),
			})
		}
		return nil
	})
	return out, err
}

// BatchDeleteDataTableValue removes values, and records with their last. Each
// must carry the lock version that the lock level of the table names.
func (d *DataTables) BatchDeleteDataTableValue(ctx context.Context, in *connect.BatchDeleteDataTableValueInput) (*connect.BatchDeleteDataTableValueOutput, error) {
	var out *connect.BatchDeleteDataTableValueOutput
	err := d.change(ctx, in.InstanceId, in.DataTableId, func(b *batch) error {
		out = &connect.BatchDeleteDataTableValueOutput{
			Successful: []types.BatchDeleteDataTableValueSuccessResult{}, Failed: []types.BatchDeleteDataTableValueFailureResult{},
		}
		for _, v := range in.Values {
			row, a, err := b.delete(ctx, &v)
			if message, err := failure(err); err != nil {
				return err
			} else if message != nil {
				out.Failed = append(out.Failed, types.BatchDeleteDataTableValueFailureResult{AttributeName: v.AttributeName, PrimaryValues: list(v.PrimaryValues), Message: message})
				continue
			}
			out.Successful = append(out.Successful, types.BatchDeleteDataTableValueSuccessResult{
				AttributeName: aws.String(a.Name), PrimaryValues: b.schema.primaryValues(row.Primary), LockVersion: b.schema.lock(&row.DataTableRecord, a),
			})
		}
		return nil
	})
	return out, err
}

// BatchDescribeDataTableValue returns values as they were given: expressions are
// not computed.
func (d *DataTables) BatchDescribeDataTableValue(ctx context.Context, in *connect.BatchDescribeDataTableValueInput) (*connect.BatchDescribeDataTableValueOutput, error) {
	sc, id, err := d.locate(ctx, in.InstanceId, in.DataTableId)
	if err != nil {
		return nil, err
	}
	out := &connect.BatchDescribeDataTableValueOutput{
		Successful: []types.BatchDescribeDataTableValueSuccessResult{}, Failed: []types.BatchDescribeDataTableValueFailureResult{},
	}
	err = d.catalog.Store().View(ctx, func(rd store.Reader) error {
		b, err := d.newBatch(ctx, rd, sc, id)
		if err != nil {
			return err
		}
		for _, v := range in.Values {
			row, a, err := b.find(ctx, v.PrimaryValues, *v.AttributeName)
			if message, err := failure(err); err != nil {
				return err
			} else if message != nil {
				out.Failed = append(out.Failed, types.BatchDescribeDataTableValueFailureResult{AttributeName: v.AttributeName, PrimaryValues: list(v.PrimaryValues), Message: message})
				continue
			}
			value := row.Values[domain.DataTableAttributeID(a.ID)]
			out.Successful = append(out.Successful, types.BatchDescribeDataTableValueSuccessResult{
				AttributeId: aws.String(a.ID), AttributeName: aws.String(a.Name), RecordId: aws.String(row.id),
				PrimaryValues: b.schema.primaryValuesOut(row.Primary), Value: aws.String(value.Value), LockVersion: b.schema.lock(&row.DataTableRecord, a),
				LastModifiedTime: aws.Time(value.Modified), LastModifiedRegion: aws.String(sc.Region),
			})
		}
		return nil
	})
	if err != nil {
		return nil, err
	}
	return out, nil
}

// failure is the message of an item that failed by itself. Err is what makes the
// whole request fail.
func failure(err error) (message *string, _ error) {
	if err == nil {
		return nil, nil
	}
	f := fault.From(err)
	if f.Code == fault.InternalService {
		return nil, err
	}
	return &f.Message, nil
}

// list is a list that is shown though it be empty.
func list[T any](l []T) []T { return append([]T{}, l...) }

// batch is a request that changes values of one table. It works on copies,
// which write keeps at the end: each thing that changes is written once, and
// given one new lock version, however many values of it change. Lock versions
// are compared with those from before the request.
type batch struct {
	d      *DataTables
	rd     store.Reader
	sc     catalog.Scope
	schema *schema
	before struct { // lock versions
		table      string
		attributes map[string]string // by id
	}
	rows  map[string]*row // by key
	order []*row
}

// row is a record that a batch has read or is about to make.
type row struct {
	domain.DataTableRecord
	id      string // "" while there is no such record
	stored  bool   // the store has it
	changed bool
	before  string          // its lock version
	done    map[string]bool // attributes whose values the batch has changed
}

func (d *DataTables) newBatch(ctx context.Context, rd store.Reader, sc catalog.Scope, table string) (*batch, error) {
	s, err := d.schema(ctx, rd, sc, table)
	if err != nil {
		return nil, err
	}
	b := &batch{d: d, rd: rd, sc: sc, schema: s, rows: map[string]*row{}}
	b.before.table, b.before.attributes = s.table.Value.LockVersion, map[string]string{}
	for _, a := range s.attributes {
		b.before.attributes[a.ID] = a.Value.LockVersion
	}
	return b, nil
}

// change runs a batch in a transaction.
func (d *DataTables) change(ctx context.Context, instance, table *string, do func(*batch) error) error {
	sc, id, err := d.locate(ctx, instance, table)
	if err != nil {
		return err
	}
	return d.changeIn(ctx, sc, id, do)
}

func (d *DataTables) changeIn(ctx context.Context, sc catalog.Scope, id string, do func(*batch) error) error {
	return d.catalog.Store().Update(ctx, func(tx store.Tx) error {
		b, err := d.newBatch(ctx, tx, sc, id)
		if err != nil {
			return err
		}
		if err := do(b); err != nil {
			return err
		}
		return b.write(ctx, tx)
	})
}

// row reads the record with the primary values, or makes one that has no id
// yet.
func (b *batch) row(ctx context.Context, values []types.PrimaryValue) (*row, error) {
	key, primary, err := b.schema.key(values)
	if err != nil {
		return nil, err
	}
	if r, ok := b.rows[key]; ok {
		return r, nil
	}
	r := &row{done: map[string]bool{}}
	found, err := b.d.record(ctx, b.rd, b.sc, b.schema, key)
	switch {
	case err != nil:
		return nil, err
	case found != nil:
		r.DataTableRecord, r.id, r.stored = found.Value, found.ID, true
	default:
		r.DataTableRecord = domain.DataTableRecord{
			DataTableID: domain.DataTableID(b.schema.table.ID), Key: key, LockVersion: domain.NewID(), Primary: primary,
			Values: map[domain.DataTableAttributeID]domain.DataTableValue{},
		}
	}
	r.before = r.LockVersion
	b.rows[key] = r
	b.order = append(b.order, r)
	return r, nil
}

// item finds what an item of the request is about.
func (b *batch) item(ctx context.Context, primary []types.PrimaryValue, name string) (*row, *attribute, error) {
	a, err := b.schema.named(name)
	if err != nil {
		return nil, nil, err
	}
	if a.Value.Primary {
		return nil, nil, fault.New(fault.InvalidParameter, "%q is a primary attribute: its values are those of PrimaryValues.", a.Name)
	}
	r, err := b.row(ctx, primary)
	if err != nil {
		return nil, nil, err
	}
	if r.done[a.ID] {
		return nil, nil, fault.New(fault.InvalidParameter, "The request names the value of %q twice.", a.Name)
	}
	return r, a, nil
}

// find is item for a value that must exist.
func (b *batch) find(ctx context.Context, primary []types.PrimaryValue, name string) (*row, *attribute, error) {
	r, a, err := b.item(ctx, primary, name)
	if err != nil {
		return nil, nil, err
	}
	if _, has := r.Values[domain.DataTableAttributeID(a.ID)]; !has {
		return nil, nil, fault.New(fault.ResourceNotFound, "The record has no value of %q.", a.Name)
	}
	return r, a, nil
}

func (b *batch) create(ctx context.Context, v *types.DataTableValue) (*row, *attribute, error) {
	r, a, err := b.item(ctx, v.PrimaryValues, *v.AttributeName)
	if err != nil {
		return nil, nil, err
	}
	if _, has := r.Values[domain.DataTableAttributeID(a.ID)]; has {
		return nil, nil, fault.New(fault.DuplicateResource, "The record has a value of %q already.", a.Name)
	}
	if v.LockVersion != nil && b.locked(r, a, v.LockVersion) {
		return nil, nil, stale(b.level())
	}
	if err := b.put(r, a, v.PrimaryValues, *v.Value); err != nil {
		return nil, nil, err
	}
	return r, a, nil
}

// put is set for a record that may not exist yet.
func (b *batch) put(r *row, a *attribute, primary []types.PrimaryValue, value string) error {
	if r.id == "" {
		if err := b.schema.validatePrimary(primary); err != nil {
			return err
		}
	}
	if err := b.set(r, a, value); err != nil {
		return err
	}
	if r.id == "" {
		r.id = domain.NewID()
	}
	return nil
}

func (b *batch) update(ctx context.Context, v *types.DataTableValue) (*row, *attribute, error) {
	r, a, err := b.find(ctx, v.PrimaryValues, *v.AttributeName)
	if err != nil {
		return nil, nil, err
	}
	if b.locked(r, a, v.LockVersion) {
		return nil, nil, stale(b.level())
	}
	return r, a, b.set(r, a, *v.Value)
}

func (b *batch) delete(ctx context.Context, v *types.DataTableDeleteValueIdentifier) (*row, *attribute, error) {
	r, a, err := b.find(ctx, v.PrimaryValues, *v.AttributeName)
	if err != nil {
		return nil, nil, err
	}
	if b.locked(r, a, v.LockVersion) {
		return nil, nil, stale(b.level())
	}
	delete(r.Values, domain.DataTableAttributeID(a.ID))
	b.touch(r, a)
	return r, a, nil
}

func (b *batch) set(r *row, a *attribute, value string) error {
	if err := validate(a, value); err != nil {
		return err
	}
	r.Values[domain.DataTableAttributeID(a.ID)] = domain.DataTableValue{
		Value: value, LockVersion: domain.NewID(), Modified: b.d.catalog.Now().UTC().Truncate(time.Microsecond),
	}
	b.touch(r, a)
	return nil
}

func (b *batch) level() types.DataTableLockLevel { return b.schema.table.Value.ValueLockLevel }

// locked reports whether what the lock level names has changed since the lock
// version was read. A version that is not given counts as changed.
func (b *batch) locked(r *row, a *attribute, v *types.DataTableLockVersion) bool {
	if v == nil {
		v = &types.DataTableLockVersion{}
	}
	switch b.level() {
	case types.DataTableLockLevelDataTable:
		return aws.ToString(v.DataTable) != b.before.table
	case types.DataTableLockLevelPrimaryValue:
		return aws.ToString(v.PrimaryValues) != r.before
	case types.DataTableLockLevelAttribute:
		return aws.ToString(v.Attribute) != b.before.attributes[a.ID]
	case types.DataTableLockLevelValue:
		return aws.ToString(v.Value) != r.Values[domain.DataTableAttributeID(a.ID)].LockVersion
	default:
		return false
	}
}

// lockMembers are the members of a lock version that the lock levels name.
var lockMembers = map[types.DataTableLockLevel]string{
	types.DataTableLockLevelDataTable:    "DataTable",
	types.DataTableLockLevelPrimaryValue: "PrimaryValues",
	types.DataTableLockLevelAttribute:    "Attribute",
	types.DataTableLockLevelValue:        "Value",
}

func stale(level types.DataTableLockLevel) error {
	return fault.New(fault.Conflict, "LockVersion.%s is not the present one: something has changed since it was read, and the table's ValueLockLevel is %s.", lockMembers[level], level)
}

// checkRecordLock is for what changes a record as a whole: any lock level but
// NONE and DATA_TABLE protects it by its own lock version.
func (b *batch) checkRecordLock(r *row, v *types.DataTableLockVersion) error {
	switch b.level() {
	case types.DataTableLockLevelNone:
		return nil
	case types.DataTableLockLevelDataTable:
		if aws.ToString(v.DataTable) != b.before.table {
			return stale(types.DataTableLockLevelDataTable)
		}
	default:
		if aws.ToString(v.PrimaryValues) != r.before {
			return stale(types.DataTableLockLevelPrimaryValue)
		}
	}
	return nil
}

// touch notes that a value was changed, and gives what the lock level names a
// new lock version.
func (b *batch) touch(r *row, a *attribute) {
	r.changed, r.done[a.ID] = true, true
	switch b.level() {
	case types.DataTableLockLevelDataTable:
		b.touchTable()
	case types.DataTableLockLevelPrimaryValue:
		if r.stored && r.LockVersion == r.before {
			r.LockVersion = domain.NewID()
		}
	case types.DataTableLockLevelAttribute:
		if a.Value.LockVersion == b.before.attributes[a.ID] {
			a.Value.LockVersion = domain.NewID()
		}
	default: // NONE has no lock version, and that of the VALUE changes with it
	}
}

// touchTable gives the table a new lock version if its lock level asks for it.
func (b *batch) touchTable() {
	if t := &b.schema.table.Value; b.level() == types.DataTableLockLevelDataTable && t.LockVersion == b.before.table {
		t.LockVersion = domain.NewID()
	}
}

// checkQuota counts the values of the table as they will be.
func (b *batch) checkQuota(ctx context.Context) error {
	if !b.d.catalog.Quotas() {
		return nil
	}
	records, err := b.d.records.AllParts(ctx, b.rd, b.sc, b.schema.table.ID)
	if err != nil {
		return err
	}
	n := 0
	for _, r := range records {
		if b.rows[r.Value.Key] == nil {
			n += len(r.Value.Values)
		}
	}
	for _, r := range b.order {
		n += len(r.Values)
	}
	if n > valueQuota {
		return fault.New(fault.ServiceQuotaExceeded, "The table would have %d values, it may have %d.", n, valueQuota)
	}
	return nil
}

// write keeps what has changed.
func (b *batch) write(ctx context.Context, tx store.Tx) error {
	for _, r := range b.order {
		var err error
		switch {
		case !r.changed:
		case r.stored:
			err = b.d.writeRecord(ctx, tx, b.sc, r.id, &r.DataTableRecord)
		case len(r.Values) > 0:
			_, err = b.d.records.InsertAs(ctx, tx, b.sc, r.id, &r.DataTableRecord, nil)
		}
		if err != nil {
			return err
		}
	}
	for _, a := range b.schema.attributes {
		if a.Value.LockVersion == b.before.attributes[a.ID] {
			continue
		}
		err := b.d.attributes.Change(ctx, tx, b.sc, a.ID, func(e *domain.DataTableAttribute) error { *e = a.Value; return nil })
		if err != nil {
			return err
		}
	}
	if t := b.schema.table; t.Value.LockVersion != b.before.table {
		return b.d.tables.Change(ctx, tx, b.sc, t.ID, func(e *domain.DataTable) error { *e = t.Value; return nil })
	}
	return nil
}
