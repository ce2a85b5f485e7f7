package datatables

import (
	"context"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/connect"
	"github.com/aws/aws-sdk-go-v2/service/connect/types"

	"ringdown/internal/catalog"
	"ringdown/internal/domain"
	"ringdown/internal/fault"
	"ringdown/internal/store"
)

// The quotas of one table: admin guide, "Connect Customer service quotas".
const (
	attributeQuota        = 100
	primaryAttributeQuota = 5
)

var attributeKind = catalog.Kind[domain.DataTableAttribute]{
	Of:   domain.KindDataTableAttribute,
	Name: func(e *domain.DataTableAttribute) string { return e.Name },
	Key:  func(e *domain.DataTableAttribute) string { return strings.ToLower(e.Name) },
	Parent: &catalog.Parent[domain.DataTableAttribute]{
		Kind: domain.KindDataTable,
		Role: roleAttribute,
		ID:   func(e *domain.DataTableAttribute) string { return string(e.DataTableID) },
	},
	Check:    (*domain.DataTableAttribute).Check,
	Quota:    attributeQuota,
	NoTags:   true,
	Unlisted: true,
}

// CreateDataTableAttribute adds an attribute without values. Spaces around the
// name and the description are cut. A table that has records takes no more
// primary attributes (AWS admin guide, "Create and configure data tables").
func (d *DataTables) CreateDataTableAttribute(ctx context.Context, in *connect.CreateDataTableAttributeInput) (*connect.CreateDataTableAttributeOutput, error) {
	e := &domain.DataTableAttribute{
		Name:        strings.TrimSpace(*in.Name),
		Description: strings.TrimSpace(aws.ToString(in.Description)),
		Primary:     in.Primary,
		ValueType:   in.ValueType,
		Validation:  in.Validation,
		LockVersion: domain.NewID(),
	}
	out := &connect.CreateDataTableAttributeOutput{Name: aws.String(e.Name)}
	err := d.restructure(ctx, in.InstanceId, in.DataTableId, func(tx store.Tx, sc catalog.Scope, s *schema) error {
		e.DataTableID = domain.DataTableID(s.table.ID)
		if e.Primary {
			if err := d.checkPrimary(ctx, tx, s, 1); err != nil {
				return err
			}
		}
		made, err := d.attributes.Insert(ctx, tx, sc, e, nil)
		if err != nil {
			return err
		}
		out.AttributeId = aws.String(made.ID)
		out.LockVersion, err = d.restructured(ctx, tx, sc, s, e.LockVersion)
		return err
	})
	if err != nil {
		return nil, err
	}
	return out, nil
}

// restructure changes the attributes of a table in a transaction.
func (d *DataTables) restructure(ctx context.Context, instance, table *string, do func(tx store.Tx, sc catalog.Scope, s *schema) error) error {
	sc, id, err := d.locate(ctx, instance, table)
	if err != nil {
		return err
	}
	return d.catalog.Store().Update(ctx, func(tx store.Tx) error {
		s, err := d.schema(ctx, tx, sc, id)
		if err != nil {
			return err
		}
		return do(tx, sc, s)
	})
}

// checkPrimary refuses to add so many primary attributes, or to remove one when
// more is 0.
func (d *DataTables) checkPrimary(ctx context.Context, rd store.Reader, s *schema, more int) error {
	some, err := rd.Referrers(ctx, s.table.PK(), roleRecord, 0, 1)
	switch {
	case err != nil:
		return err
	case len(some) > 0:
		return fault.New(fault.InvalidRequest, "Primary attributes can be neither added nor removed while the table has values.")
	case d.catalog.Quotas() && len(s.primary)+more > primaryAttributeQuota:
		return fault.New(fault.ServiceQuotaExceeded, "The table already has %d of %d primary attributes.", len(s.primary), primaryAttributeQuota)
	default:
		return nil
	}
}

// restructured gives a table a new lock version, because of an attribute whose
// own is given, "" for one that is gone.
func (d *DataTables) restructured(ctx context.Context, tx store.Tx, sc catalog.Scope, s *schema, attribute string) (*types.DataTableLockVersion, error) {
	lock := tableLock(domain.NewID())
	lock.Attribute = catalog.Optional(attribute)
	return lock, d.tables.Change(ctx, tx, sc, s.table.ID, func(e *domain.DataTable) error {
		e.LockVersion = *lock.DataTable
		return nil
	})
}

// DescribeDataTableAttribute returns an attribute by its name.
func (d *DataTables) DescribeDataTableAttribute(ctx context.Context, in *connect.DescribeDataTableAttributeInput) (*connect.DescribeDataTableAttributeOutput, error) {
	sc, id, err := d.locate(ctx, in.InstanceId, in.DataTableId)
	if err != nil {
		return nil, err
	}
	out := &connect.DescribeDataTableAttributeOutput{}
	err = d.catalog.Store().View(ctx, func(rd store.Reader) error {
		table, err := d.tables.GetIn(ctx, rd, sc, id)
		if err != nil {
			return err
		}
		a, err := d.attribute(ctx, rd, sc, id, *in.AttributeName)
		if err != nil {
			return err
		}
		shown := attributeOut(sc, table, a)
		out.Attribute = &shown
		return nil
	})
	if err != nil {
		return nil, err
	}
	return out, nil
}

// attribute reads an attribute by its name, in any case.
func (d *DataTables) attribute(ctx context.Context, rd store.Reader, sc catalog.Scope, table, name string) (*attribute, error) {
	a, err := d.attributes.PartNamed(ctx, rd, sc, table, strings.ToLower(strings.TrimSpace(name)))
	if fault.Is(err, fault.ResourceNotFound) {
		return nil, fault.New(fault.ResourceNotFound, "DataTable %s has no attribute %q.", table, name)
	}
	return a, err
}

// ListDataTableAttributes lists the attributes of a table, or those of them
// that the request names by their ids.
func (d *DataTables) ListDataTableAttributes(ctx context.Context, in *connect.ListDataTableAttributesInput) (*connect.ListDataTableAttributesOutput, error) {
	sc, id, err := d.locate(ctx, in.InstanceId, in.DataTableId)
	if err != nil {
		return nil, err
	}
	out := &connect.ListDataTableAttributesOutput{}
	err = d.catalog.Store().View(ctx, func(rd store.Reader) error {
		table, err := d.tables.GetIn(ctx, rd, sc, id)
		if err != nil {
			return err
		}
		page := catalog.Page{MaxResults: in.MaxResults, NextToken: in.NextToken}
		found, next, err := d.attributes.ReferringWhere(ctx, rd, sc, table.PK(), roleAttribute, page, func(a *attribute) bool {
			return len(in.AttributeIds) == 0 || slices.Contains(in.AttributeIds, a.ID)
		})
		if err != nil {
			return err
		}
		out.NextToken = next
		out.Attributes = catalog.Map(found, func(a *attribute) types.DataTableAttribute { return attributeOut(sc, table, a) })
		return nil
	})
	if err != nil {
		return nil, err
	}
	return out, nil
}

// UpdateDataTableAttribute replaces everything of an attribute. Values that the
// new type or validation would refuse stay as they are. While the table has
// records, which attributes are primary ones stays too, and what then identifies
// two records alike is refused.
func (d *DataTables) UpdateDataTableAttribute(ctx context.Context, in *connect.UpdateDataTableAttributeInput) (*connect.UpdateDataTableAttributeOutput, error) {
	out := &connect.UpdateDataTableAttributeOutput{Name: aws.String(strings.TrimSpace(*in.Name))}
	err := d.restructure(ctx, in.InstanceId, in.DataTableId, func(tx store.Tx, sc catalog.Scope, s *schema) error {
		a, err := s.named(*in.AttributeName)
		if err != nil {
			return err
		}
		if in.Primary != a.Value.Primary {
			more := 0
			if in.Primary {
				more = 1
			}
			if err := d.checkPrimary(ctx, tx, s, more); err != nil {
				return err
			}
		}
		lock := domain.NewID()
		err = d.attributes.Change(ctx, tx, sc, a.ID, func(e *domain.DataTableAttribute) error {
			*e = domain.DataTableAttribute{
				DataTableID: e.DataTableID,
				Name:        *out.Name,
				Description: strings.TrimSpace(aws.ToString(in.Description)),
				Primary:     in.Primary,
				ValueType:   in.ValueType,
				Validation:  in.Validation,
				LockVersion: lock,
			}
			return nil
		})
		if err != nil {
			return err
		}
		if in.Primary && (in.ValueType != a.Value.ValueType || ignoresCase(in.Validation) != ignoresCase(a.Value.Validation)) {
			if err := d.identify(ctx, tx, sc, s.table.ID); err != nil {
				return err
			}
		}
		out.LockVersion, err = d.restructured(ctx, tx, sc, s, lock)
		return err
	})
	if err != nil {
		return nil, err
	}
	return out, nil
}

func ignoresCase(v *types.Validation) bool { return v != nil && v.IgnoreCase }

// identify reckons anew what identifies the records of a table.
func (d *DataTables) identify(ctx context.Context, tx store.Tx, sc catalog.Scope, table string) error {
	s, err := d.schema(ctx, tx, sc, table)
	if err != nil {
		return err
	}
	records, err := d.records.AllParts(ctx, tx, sc, table)
	if err != nil {
		return err
	}
	taken := make(map[string]bool, len(records))
	keys := make([]string, len(records))
	for n, r := range records {
		if keys[n] = s.keyOf(r.Value.Primary); taken[keys[n]] {
			return fault.New(fault.Conflict, "Two records of the table would have the same primary values.")
		}
		taken[keys[n]] = true
	}
	for n, r := range records {
		if keys[n] == r.Value.Key {
			continue
		}
		err := d.records.Change(ctx, tx, sc, r.ID, func(e *domain.DataTableRecord) error { e.Key = keys[n]; return nil })
		if err != nil {
			return err
		}
	}
	return nil
}

// DeleteDataTableAttribute removes an attribute with its values, and records
// that have no other. A primary attribute stays while the table has records.
func (d *DataTables) DeleteDataTableAttribute(ctx context.Context, in *connect.DeleteDataTableAttributeInput) (*connect.DeleteDataTableAttributeOutput, error) {
	out := &connect.DeleteDataTableAttributeOutput{}
	err := d.restructure(ctx, in.InstanceId, in.DataTableId, func(tx store.Tx, sc catalog.Scope, s *schema) error {
		a, err := s.named(*in.AttributeName)
		if err != nil {
			return err
		}
		if a.Value.Primary {
			if err := d.checkPrimary(ctx, tx, s, 0); err != nil {
				return err
			}
		}
		if err := d.dropValues(ctx, tx, sc, s.table.ID, domain.DataTableAttributeID(a.ID)); err != nil {
			return err
		}
		if err := d.attributes.Remove(ctx, tx, sc, a.ID, nil); err != nil {
			return err
		}
		out.LockVersion, err = d.restructured(ctx, tx, sc, s, "")
		return err
	})
	if err != nil {
		return nil, err
	}
	return out, nil
}

// dropValues removes all values of an attribute.
func (d *DataTables) dropValues(ctx context.Context, tx store.Tx, sc catalog.Scope, table string, attribute domain.DataTableAttributeID) error {
	records, err := d.records.AllParts(ctx, tx, sc, table)
	if err != nil {
		return err
	}
	for _, r := range records {
		if _, has := r.Value.Values[attribute]; !has {
			continue
		}
		delete(r.Value.Values, attribute) // r was read for this alone
		if err := d.writeRecord(ctx, tx, sc, r.ID, &r.Value); err != nil {
			return err
		}
	}
	return nil
}

func attributeOut(sc catalog.Scope, table *catalog.Item[domain.DataTable], a *attribute) types.DataTableAttribute {
	return types.DataTableAttribute{
		AttributeId:        aws.String(a.ID),
		DataTableArn:       table.ARN(sc),
		DataTableId:        aws.String(table.ID),
		Name:               aws.String(a.Name),
		Description:        catalog.Optional(a.Value.Description),
		Primary:            a.Value.Primary,
		ValueType:          a.Value.ValueType,
		Validation:         a.Value.Validation,
		LockVersion:        &types.DataTableLockVersion{DataTable: aws.String(table.Value.LockVersion), Attribute: aws.String(a.Value.LockVersion)},
		LastModifiedTime:   aws.Time(a.Modified),
		LastModifiedRegion: aws.String(sc.Region),
	}
}
