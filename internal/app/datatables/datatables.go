// Package datatables serves data tables, their attributes and values.
//
// A table's attributes and records are parts of it. A record holds its values,
// so that all of a row is read and written at once; records are found by what
// identifies them in one step, however many there are (domain.DataTableKey).
//
// Values that are expressions are computed when they are asked for:
// expression.go reads them, evaluator.go computes them, function.go has the
// functions.
package datatables

import (
	"context"
	"slices"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/connect/types"

	"ringdown/internal/catalog"
	"ringdown/internal/domain"
	"ringdown/internal/fault"
	"ringdown/internal/store"
)

// The roles in which parts refer to their table.
const (
	roleAttribute store.Role = "attribute-of-table"
	roleRecord    store.Role = "record-of-table"
)

// Hours tells when hours of operation are open, for the function HOOP.
type Hours interface {
	OpenAt(ctx context.Context, sc catalog.Scope, hoursOfOperation string, at time.Time) (bool, error)
}

// DataTables serves the operations of this package.
type DataTables struct {
	catalog    *catalog.Catalog
	hours      Hours
	tables     *catalog.Collection[domain.DataTable]
	attributes *catalog.Collection[domain.DataTableAttribute]
	records    *catalog.Collection[domain.DataTableRecord]
}

// New registers the kinds of this package with the catalog.
func New(c *catalog.Catalog, hours Hours) *DataTables {
	return &DataTables{
		catalog:    c,
		hours:      hours,
		tables:     catalog.Register(c, tableKind),
		attributes: catalog.Register(c, attributeKind),
		records:    catalog.Register(c, recordKind),
	}
}

// The aliases of a table (AWS API reference, DescribeDataTable). Since every
// table is published at once, both name the same.
const (
	latest = "$LATEST"
	saved  = "$SAVED"
)

// tableID reads the id or ARN of a table, which may be followed by one of the
// aliases.
func tableID(sc catalog.Scope, idOrARN string, aliases ...string) (string, error) {
	id, alias, err := catalog.QualifiedID(sc, domain.KindDataTable, idOrARN)
	if err == nil && alias != "" && !slices.Contains(aliases, alias) {
		err = fault.New(fault.InvalidParameter, "DataTableId: the alias of a table must be %s, not %s", strings.Join(aliases, " or "), alias)
	}
	return id, err
}

// locate reads which table a request is about.
func (d *DataTables) locate(ctx context.Context, instance, table *string) (sc catalog.Scope, id string, err error) {
	if sc, err = d.catalog.Scope(ctx, instance); err != nil {
		return sc, "", err
	}
	id, err = tableID(sc, *table, latest, saved)
	return sc, id, err
}

type (
	attribute = catalog.Item[domain.DataTableAttribute]
	record    = catalog.Item[domain.DataTableRecord]
)

// schema is a table with its attributes.
type schema struct {
	table *catalog.Item[domain.DataTable]
	// attributes are all in the order of their creation, primary those among
	// them that identify records.
	attributes, primary []*attribute
}

func (d *DataTables) schema(ctx context.Context, rd store.Reader, sc catalog.Scope, id string) (*schema, error) {
	s := new(schema)
	var err error
	if s.table, err = d.tables.GetIn(ctx, rd, sc, id); err != nil {
		return nil, err
	}
	if s.attributes, err = d.attributes.AllParts(ctx, rd, sc, s.table.ID); err != nil {
		return nil, err
	}
	for _, a := range s.attributes {
		if a.Value.Primary {
			s.primary = append(s.primary, a)
		}
	}
	return s, nil
}

// named finds an attribute by its name, in any case; an unknown one is a
// ResourceNotFoundException.
func (s *schema) named(name string) (*attribute, error) {
	for _, a := range s.attributes {
		if strings.EqualFold(a.Name, strings.TrimSpace(name)) {
			return a, nil
		}
	}
	return nil, fault.New(fault.ResourceNotFound, "DataTable %s has no attribute %q.", s.table.ID, name)
}

// byID finds an attribute by its id, nil when there is none.
func (s *schema) byID(id domain.DataTableAttributeID) *attribute {
	i := slices.IndexFunc(s.attributes, func(a *attribute) bool { return a.ID == string(id) })
	if i < 0 {
		return nil
	}
	return s.attributes[i]
}

// key reads the primary values that identify a record: none for the default
// record, else one for each primary attribute.
func (s *schema) key(values []types.PrimaryValue) (key string, primary map[domain.DataTableAttributeID]string, err error) {
	primary = map[domain.DataTableAttributeID]string{}
	for _, v := range values {
		a, err := s.named(*v.AttributeName)
		if err != nil {
			return "", nil, err
		}
		id := domain.DataTableAttributeID(a.ID)
		if _, twice := primary[id]; twice || !a.Value.Primary {
			return "", nil, fault.New(fault.InvalidParameter, "PrimaryValues: %q must be a primary attribute and be named once", *v.AttributeName)
		}
		primary[id] = *v.Value
	}
	if n := len(primary); n != 0 && n != len(s.primary) {
		return "", nil, fault.New(fault.InvalidParameter, "PrimaryValues must include all %d primary attributes of the table", len(s.primary))
	}
	return s.keyOf(primary), primary, nil
}

// keyOf is the key of a record with the primary values.
func (s *schema) keyOf(primary map[domain.DataTableAttributeID]string) string {
	canonical := map[domain.DataTableAttributeID]string{}
	for _, a := range s.primary {
		if v, ok := primary[domain.DataTableAttributeID(a.ID)]; ok {
			canonical[domain.DataTableAttributeID(a.ID)] = a.Value.Canonical(v)
		}
	}
	return domain.DataTableKey(canonical)
}

// primaryValues are those of a record in the order of the attributes.
func (s *schema) primaryValues(primary map[domain.DataTableAttributeID]string) []types.PrimaryValue {
	list := []types.PrimaryValue{}
	for _, a := range s.primary {
		if v, ok := primary[domain.DataTableAttributeID(a.ID)]; ok {
			list = append(list, types.PrimaryValue{AttributeName: aws.String(a.Name), Value: aws.String(v)})
		}
	}
	return list
}

// primaryValuesOut is primaryValues as lists show it.
func (s *schema) primaryValuesOut(primary map[domain.DataTableAttributeID]string) []types.PrimaryValueResponse {
	return catalog.Map(s.primaryValues(primary), func(v types.PrimaryValue) types.PrimaryValueResponse {
		a, _ := s.named(*v.AttributeName) // it is where the value comes from
		return types.PrimaryValueResponse{AttributeId: aws.String(a.ID), AttributeName: v.AttributeName, Value: v.Value}
	})
}

// lock are the lock versions of a value, or of a record that has no such value.
func (s *schema) lock(r *domain.DataTableRecord, a *attribute) *types.DataTableLockVersion {
	return &types.DataTableLockVersion{
		DataTable:     aws.String(s.table.Value.LockVersion),
		Attribute:     aws.String(a.Value.LockVersion),
		PrimaryValues: aws.String(r.LockVersion),
		Value:         catalog.Optional(r.Values[domain.DataTableAttributeID(a.ID)].LockVersion),
	}
}
