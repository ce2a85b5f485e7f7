package testcases

import (
	"cmp"
	"context"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/connect"
	"github.com/aws/aws-sdk-go-v2/service/connect/types"

	"ringdown/internal/catalog"
	"ringdown/internal/domain"
	"ringdown/internal/fault"
	"ringdown/internal/search"
	"ringdown/internal/store"
)

// statusField is what a StatusCondition asks for.
const statusField = "status"

var testCaseKind = catalog.Kind[domain.TestCase]{
	Of:   domain.KindTestCase,
	Name: func(e *domain.TestCase) string { return e.Name },
	Fields: catalog.Fields[domain.TestCase]{
		"name":        catalog.TextField(func(e *domain.TestCase) string { return e.Name }),
		"description": catalog.TextField(func(e *domain.TestCase) string { return e.Description }),
		"resourceID":  catalog.IDField[domain.TestCase](),
		statusField: catalog.OtherField(func(e *domain.TestCase, d *search.Doc) {
			d.Keys[statusField] = []string{string(e.Status)}
		}),
	},
}

type testCase = catalog.Item[domain.TestCase]

// CreateTestCase adds a test case. It is published unless Status says SAVED.
// TestCaseId is for a copy in the replica of an instance, whose resources are
// not kept apart, so it is refused; LastModifiedTime and LastModifiedRegion,
// which go with it, are not taken over (docs/divergences.md).
func (t *TestCases) CreateTestCase(ctx context.Context, in *connect.CreateTestCaseInput) (*connect.CreateTestCaseOutput, error) {
	sc, err := t.catalog.ScopeARN(ctx, in.InstanceId)
	if err != nil {
		return nil, err
	}
	if in.TestCaseId != nil {
		return nil, fault.New(fault.InvalidRequest, "TestCaseId can be given only to copy a test case into a replica of the instance, which is not supported")
	}
	status := cmp.Or(in.Status, types.TestCaseStatusPublished)
	content := &domain.TestCaseContent{
		Status: status, Content: *in.Content,
		EntryPoint: in.EntryPoint, InitializationData: aws.ToString(in.InitializationData),
	}
	e := &domain.TestCase{Name: *in.Name, Description: aws.ToString(in.Description), Status: status}
	var made *testCase
	err = t.catalog.Store().Update(ctx, func(tx store.Tx) error {
		if made, err = t.testCases.Insert(ctx, tx, sc, e, in.Tags); err != nil {
			return err
		}
		content.TestCaseID = domain.TestCaseID(made.ID)
		if err := t.checkContent(ctx, tx, sc, content); err != nil {
			return err
		}
		_, err := t.contents.Insert(ctx, tx, sc, content, nil)
		return err
	})
	if err != nil {
		return nil, err
	}
	return &connect.CreateTestCaseOutput{TestCaseArn: made.ARN(sc), TestCaseId: aws.String(made.ID)}, nil
}

// DescribeTestCase returns a test case with the content of a status: without
// Status the published one if there is one, else the saved one (AWS API
// reference). With SAVED, a test case with nothing saved since it was published
// shows what is published.
func (t *TestCases) DescribeTestCase(ctx context.Context, in *connect.DescribeTestCaseInput) (*connect.DescribeTestCaseOutput, error) {
	sc, err := t.catalog.ScopeARN(ctx, in.InstanceId)
	if err != nil {
		return nil, err
	}
	var out *types.TestCase
	// A view reads past the catalog's cache, which counts items, not their size.
	err = t.catalog.Store().View(ctx, func(rd store.Reader) error {
		i, err := t.testCases.GetIn(ctx, rd, sc, *in.TestCaseId)
		if err != nil {
			return err
		}
		both, err := t.contentsOf(ctx, rd, sc, i.ID)
		if err != nil {
			return err
		}
		c := both.shown(in.Status)
		if c == nil {
			return fault.New(fault.ResourceNotFound, "TestCase %s is not published.", i.ID)
		}
		out = showTestCase(sc, i)
		out.Status = c.Value.Status
		out.Content = aws.String(c.Value.Content)
		out.TestCaseSha256 = aws.String(c.Value.SHA256())
		out.EntryPoint = c.Value.EntryPoint
		out.InitializationData = catalog.Optional(c.Value.InitializationData)
		return nil
	})
	if err != nil {
		return nil, err
	}
	return &connect.DescribeTestCaseOutput{TestCase: out}, nil
}

// UpdateTestCase changes the members that the request has. Name and description
// are common to both contents. Status tells which content the other members
// change: SAVED the one that is being worked on, PUBLISHED the same, which then
// takes the place of the published one. Without Status they change what
// DescribeTestCase shows without Status (docs/divergences.md).
func (t *TestCases) UpdateTestCase(ctx context.Context, in *connect.UpdateTestCaseInput) (*connect.UpdateTestCaseOutput, error) {
	sc, err := t.catalog.ScopeARN(ctx, in.InstanceId)
	if err != nil {
		return nil, err
	}
	id, err := t.testCases.ID(sc, *in.TestCaseId)
	if err != nil {
		return nil, err
	}
	return nil, t.catalog.Store().Update(ctx, func(tx store.Tx) error {
		err := t.testCases.Change(ctx, tx, sc, id, func(e *domain.TestCase) error {
			if in.Name != nil {
				e.Name = *in.Name
			}
			if in.Description != nil {
				e.Description = *in.Description
			}
			if in.Status == types.TestCaseStatusPublished {
				e.Status = in.Status
			}
			return nil
		})
		if err != nil || in.Content == nil && in.EntryPoint == nil && in.InitializationData == nil && in.Status == "" {
			return err
		}
		return t.updateContent(ctx, tx, sc, id, in)
	})
}

func (t *TestCases) updateContent(ctx context.Context, tx store.Tx, sc catalog.Scope, id string, in *connect.UpdateTestCaseInput) error {
	both, err := t.contentsOf(ctx, tx, sc, id)
	if err != nil {
		return err
	}
	next := both.latest().Value
	if in.Status == "" {
		next = both.shown("").Value
	}
	next.Status = cmp.Or(in.Status, next.Status)
	if in.Content != nil {
		next.Content = *in.Content
	}
	if in.EntryPoint != nil {
		next.EntryPoint = in.EntryPoint
	}
	if in.InitializationData != nil {
		next.InitializationData = *in.InitializationData
	}
	if err := t.checkContent(ctx, tx, sc, &next); err != nil {
		return err
	}
	if in.Status == types.TestCaseStatusPublished && both.saved != nil {
		if err := t.contents.Remove(ctx, tx, sc, both.saved.ID, nil); err != nil {
			return err
		}
	}
	before := both.saved
	if next.Status == types.TestCaseStatusPublished {
		before = both.published
	}
	if before == nil {
		_, err = t.contents.Insert(ctx, tx, sc, &next, nil)
		return err
	}
	return t.contents.Change(ctx, tx, sc, before.ID, func(e *domain.TestCaseContent) error {
		*e = next
		return nil
	})
}

// DeleteTestCase removes a test case with its contents.
func (t *TestCases) DeleteTestCase(ctx context.Context, in *connect.DeleteTestCaseInput) (*connect.DeleteTestCaseOutput, error) {
	sc, err := t.catalog.ScopeARN(ctx, in.InstanceId)
	if err != nil {
		return nil, err
	}
	return nil, t.testCases.Delete(ctx, sc, *in.TestCaseId, nil)
}

// ListTestCases lists test cases, published or not.
func (t *TestCases) ListTestCases(ctx context.Context, in *connect.ListTestCasesInput) (*connect.ListTestCasesOutput, error) {
	sc, err := t.catalog.Scope(ctx, in.InstanceId)
	if err != nil {
		return nil, err
	}
	found, next, err := t.testCases.List(ctx, sc, catalog.Page{MaxResults: in.MaxResults, NextToken: in.NextToken})
	if err != nil {
		return nil, err
	}
	return &connect.ListTestCasesOutput{
		NextToken: next,
		TestCaseSummaryList: catalog.Map(found, func(i *testCase) types.TestCaseSummary {
			return types.TestCaseSummary{
				Arn: i.ARN(sc), Id: aws.String(i.ID), Name: aws.String(i.Value.Name), Status: i.Value.Status,
				LastModifiedRegion: aws.String(sc.Region), LastModifiedTime: aws.Time(i.Modified),
			}
		}),
	}, nil
}

// SearchTestCases finds test cases by criteria and tags. It shows all but what
// is of one content.
func (t *TestCases) SearchTestCases(ctx context.Context, in *connect.SearchTestCasesInput) (*connect.SearchTestCasesOutput, error) {
	sc, err := t.catalog.ScopeARN(ctx, in.InstanceId)
	if err != nil {
		return nil, err
	}
	var filter *types.ControlPlaneTagFilter
	if in.SearchFilter != nil {
		filter = in.SearchFilter.TagFilter
	}
	q, err := catalog.NarrowByTags(t.criteria(in.SearchCriteria), filter)
	if err != nil {
		return nil, err
	}
	found, next, total, err := t.testCases.Search(ctx, sc, q, catalog.Page{MaxResults: in.MaxResults, NextToken: in.NextToken})
	if err != nil {
		return nil, err
	}
	return &connect.SearchTestCasesOutput{
		TestCases:             catalog.Map(found, func(i *testCase) types.TestCase { return *showTestCase(sc, i) }),
		NextToken:             next,
		ApproximateTotalCount: total,
	}, nil
}

func (t *TestCases) criteria(c *types.TestCaseSearchCriteria) catalog.Criteria {
	if c == nil {
		return catalog.Criteria{}
	}
	var status catalog.Leaf
	if c.StatusCondition != "" {
		status = func() (search.Query, error) {
			return search.Key{Field: statusField, Values: []string{string(c.StatusCondition)}}, nil
		}
	}
	return catalog.Criteria{
		And:    catalog.Each(c.AndConditions, t.criteria),
		Or:     catalog.Each(c.OrConditions, t.criteria),
		Leaves: []catalog.Leaf{t.testCases.String(c.StringCondition), status},
	}
}

// showTestCase is a test case as the API shows it, without what is of one
// content.
func showTestCase(sc catalog.Scope, i *testCase) *types.TestCase {
	return &types.TestCase{
		Arn: i.ARN(sc), Id: aws.String(i.ID), Name: aws.String(i.Value.Name), Description: catalog.Optional(i.Value.Description),
		Status: i.Value.Status, LastModifiedRegion: aws.String(sc.Region), LastModifiedTime: aws.Time(i.Modified), Tags: i.TagMap(),
	}
}
