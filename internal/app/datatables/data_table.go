package datatables

import (
	"context"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/connect"
	"github.com/aws/aws-sdk-go-v2/service/connect/types"

	"ringdown/internal/catalog"
	"ringdown/internal/domain"
	"ringdown/internal/store"
)

// tableQuota: admin guide, "Create and configure data tables", Service quotas
// for data tables.
const tableQuota = 100

var tableKind = catalog.Kind[domain.DataTable]{
	Of:    domain.KindDataTable,
	Name:  func(e *domain.DataTable) string { return e.Name },
	Key:   func(e *domain.DataTable) string { return strings.ToLower(e.Name) },
	Check: (*domain.DataTable).Check,
	Quota: tableQuota,
	Fields: catalog.Fields[domain.DataTable]{
		"name":        catalog.TextField(func(e *domain.DataTable) string { return e.Name }),
		"description": catalog.TextField(func(e *domain.DataTable) string { return e.Description }),
		"resourceID":  catalog.IDField[domain.DataTable](),
	},
}

// CreateDataTable adds a table without attributes. Spaces around the name and
// the description are cut.
func (d *DataTables) CreateDataTable(ctx context.Context, in *connect.CreateDataTableInput) (*connect.CreateDataTableOutput, error) {
	sc, err := d.catalog.Scope(ctx, in.InstanceId)
	if err != nil {
		return nil, err
	}
	made, err := d.tables.Create(ctx, sc, &domain.DataTable{
		Name:           strings.TrimSpace(*in.Name),
		Description:    strings.TrimSpace(aws.ToString(in.Description)),
		TimeZone:       *in.TimeZone,
		ValueLockLevel: in.ValueLockLevel,
		LockVersion:    domain.NewID(),
	}, in.Tags)
	if err != nil {
		return nil, err
	}
	return &connect.CreateDataTableOutput{Id: aws.String(made.ID), Arn: made.ARN(sc), LockVersion: tableLock(made.Value.LockVersion)}, nil
}

// DescribeDataTable returns a table without its attributes and values.
func (d *DataTables) DescribeDataTable(ctx context.Context, in *connect.DescribeDataTableInput) (*connect.DescribeDataTableOutput, error) {
	sc, id, err := d.locate(ctx, in.InstanceId, in.DataTableId)
	if err != nil {
		return nil, err
	}
	i, err := d.tables.Get(ctx, sc, id)
	if err != nil {
		return nil, err
	}
	out := tableOut(sc, i)
	out.LockVersion = tableLock(i.Value.LockVersion)
	return &connect.DescribeDataTableOutput{DataTable: &out}, nil
}

// UpdateDataTableMetadata replaces everything but status and tags: an absent
// Description is an empty one.
func (d *DataTables) UpdateDataTableMetadata(ctx context.Context, in *connect.UpdateDataTableMetadataInput) (*connect.UpdateDataTableMetadataOutput, error) {
	sc, err := d.catalog.Scope(ctx, in.InstanceId)
	if err != nil {
		return nil, err
	}
	id, err := tableID(sc, *in.DataTableId, latest)
	if err != nil {
		return nil, err
	}
	lock := domain.NewID()
	err = d.tables.Update(ctx, sc, id, func(_ store.Tx, e *domain.DataTable) error {
		e.Name = strings.TrimSpace(*in.Name)
		e.Description = strings.TrimSpace(aws.ToString(in.Description))
		e.TimeZone = *in.TimeZone
		e.ValueLockLevel = in.ValueLockLevel
		e.LockVersion = lock
		return nil
	})
	if err != nil {
		return nil, err
	}
	return &connect.UpdateDataTableMetadataOutput{LockVersion: tableLock(lock)}, nil
}

// DeleteDataTable removes a table with its attributes and values, whatever
// refers to it.
func (d *DataTables) DeleteDataTable(ctx context.Context, in *connect.DeleteDataTableInput) (*connect.DeleteDataTableOutput, error) {
	sc, err := d.catalog.Scope(ctx, in.InstanceId)
	if err != nil {
		return nil, err
	}
	id, err := tableID(sc, *in.DataTableId, latest)
	if err != nil {
		return nil, err
	}
	return nil, d.tables.Delete(ctx, sc, id, nil)
}

// ListDataTables lists tables.
func (d *DataTables) ListDataTables(ctx context.Context, in *connect.ListDataTablesInput) (*connect.ListDataTablesOutput, error) {
	sc, err := d.catalog.Scope(ctx, in.InstanceId)
	if err != nil {
		return nil, err
	}
	found, next, err := d.tables.List(ctx, sc, catalog.Page{MaxResults: in.MaxResults, NextToken: in.NextToken})
	if err != nil {
		return nil, err
	}
	return &connect.ListDataTablesOutput{
		NextToken: next,
		DataTableSummaryList: catalog.Map(found, func(i *catalog.Item[domain.DataTable]) types.DataTableSummary {
			return types.DataTableSummary{
				Id: aws.String(i.ID), Arn: i.ARN(sc), Name: aws.String(i.Name),
				LastModifiedRegion: aws.String(sc.Region), LastModifiedTime: aws.Time(i.Modified),
			}
		}),
	}, nil
}

// SearchDataTables finds tables by criteria and tags. It does not show lock
// versions (AWS API reference, SearchDataTables).
func (d *DataTables) SearchDataTables(ctx context.Context, in *connect.SearchDataTablesInput) (*connect.SearchDataTablesOutput, error) {
	sc, err := d.catalog.ScopeARN(ctx, in.InstanceId)
	if err != nil {
		return nil, err
	}
	var filter *types.ControlPlaneAttributeFilter
	if in.SearchFilter != nil {
		filter = in.SearchFilter.AttributeFilter
	}
	q, err := catalog.NarrowByAttributes(d.criteria(in.SearchCriteria), filter)
	if err != nil {
		return nil, err
	}
	found, next, total, err := d.tables.Search(ctx, sc, q, catalog.Page{MaxResults: in.MaxResults, NextToken: in.NextToken})
	if err != nil {
		return nil, err
	}
	return &connect.SearchDataTablesOutput{
		DataTables:            catalog.Map(found, func(i *catalog.Item[domain.DataTable]) types.DataTable { return tableOut(sc, i) }),
		NextToken:             next,
		ApproximateTotalCount: total,
	}, nil
}

func (d *DataTables) criteria(c *types.DataTableSearchCriteria) catalog.Criteria {
	if c == nil {
		return catalog.Criteria{}
	}
	return catalog.Criteria{
		And:    catalog.Each(c.AndConditions, d.criteria),
		Or:     catalog.Each(c.OrConditions, d.criteria),
		Leaves: []catalog.Leaf{d.tables.String(c.StringCondition)},
	}
}

// tableLock is the lock version of a table by itself.
func tableLock(version string) *types.DataTableLockVersion {
	return &types.DataTableLockVersion{DataTable: aws.String(version)}
}

func tableOut(sc catalog.Scope, i *catalog.Item[domain.DataTable]) types.DataTable {
	return types.DataTable{
		Id:                 aws.String(i.ID),
		Arn:                i.ARN(sc),
		Name:               aws.String(i.Name),
		Description:        catalog.Optional(i.Value.Description),
		TimeZone:           aws.String(i.Value.TimeZone),
		ValueLockLevel:     i.Value.ValueLockLevel,
		Status:             types.DataTableStatusPublished,
		CreatedTime:        aws.Time(i.Created),
		LastModifiedTime:   aws.Time(i.Modified),
		LastModifiedRegion: aws.String(sc.Region),
		Tags:               i.TagMap(),
	}
}
