package views

import (
	"cmp"
	"context"
	"slices"
	"strconv"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/connect"
	"github.com/aws/aws-sdk-go-v2/service/connect/types"

	"ringdown/internal/catalog"
	"ringdown/internal/domain"
	"ringdown/internal/fault"
	"ringdown/internal/search"
	"ringdown/internal/store"
)

// viewKind has no quota: the service's own is not published.
var viewKind = catalog.Kind[domain.View]{
	Of:   domain.KindView,
	Name: func(e *domain.View) string { return e.Name },
	Fields: catalog.Fields[domain.View]{
		"name":        catalog.TextField(func(e *domain.View) string { return e.Name }),
		"description": catalog.TextField(func(e *domain.View) string { return e.Description }),
		"resourceID":  catalog.IDField[domain.View](),
		// For the conditions on type and status:
		"class": catalog.OtherField(func(e *domain.View, d *search.Doc) {
			merged(d.Keys, classes(types.ViewTypeCustomerManaged, e.Status()))
		}),
	},
}

// The index fields of a view's type and status.
const (
	fieldType   = "viewtype"
	fieldStatus = "viewstatus"
)

func classes(kind types.ViewType, status types.ViewStatus) map[string][]string {
	return map[string][]string{fieldType: {string(kind)}, fieldStatus: {string(status)}}
}

// viewContentKind is kept under the kind number of versions: what a view's
// qualifiers name, versions and aliases alike.
var viewContentKind = catalog.Kind[domain.ViewContent]{
	Of:   domain.KindViewVersion,
	Name: func(e *domain.ViewContent) string { return e.Qualifier },
	Parent: &catalog.Parent[domain.ViewContent]{
		Kind: domain.KindView,
		Role: roleView,
		ID:   func(e *domain.ViewContent) string { return string(e.ViewID) },
	},
	Check:    (*domain.ViewContent).Check,
	NoTags:   true,
	Unlisted: true,
}

// CreateView adds a view. Its content is saved, and published too if the
// request says so.
func (v *Views) CreateView(ctx context.Context, in *connect.CreateViewInput) (*connect.CreateViewOutput, error) {
	sc, err := v.catalog.Scope(ctx, in.InstanceId)
	if err != nil {
		return nil, err
	}
	return catalog.Once(ctx, v.catalog, sc, "CreateView", in.ClientToken, in, func(tx store.Tx) (*connect.CreateViewOutput, error) {
		content := contentIn(in.Content)
		e := &domain.View{Name: *in.Name, Description: aws.ToString(in.Description)}
		if err := put(e, content, in.Status); err != nil {
			return nil, err
		}
		i, err := v.views.Insert(ctx, tx, sc, e, in.Tags)
		if err != nil {
			return nil, err
		}
		if err := v.write(ctx, tx, sc, i.ID, content, in.Status); err != nil {
			return nil, err
		}
		return &connect.CreateViewOutput{View: full(sc, i, named(i, alias(in.Status)), content)}, nil
	})
}

// DescribeView returns what a qualifier after the id names: a version by its
// number, $SAVED, or $LATEST, which is meant when there is none.
func (v *Views) DescribeView(ctx context.Context, in *connect.DescribeViewInput) (*connect.DescribeViewOutput, error) {
	sc, err := v.catalog.Scope(ctx, in.InstanceId)
	if err != nil {
		return nil, err
	}
	if m, err := v.managedARN(sc, *in.ViewId); m != nil || err != nil {
		if err != nil {
			return nil, err
		}
		return &connect.DescribeViewOutput{View: m.full(sc)}, nil
	}
	id, qualifier, err := catalog.QualifiedID(sc, domain.KindView, *in.ViewId)
	if err != nil {
		return nil, err
	}
	if qualifier == "" {
		qualifier = domain.ViewLatest
	}
	var out *types.View
	err = v.catalog.Store().View(ctx, func(rd store.Reader) error {
		i, err := v.views.GetIn(ctx, rd, sc, id)
		if err != nil {
			return err
		}
		c, err := v.content(ctx, rd, sc, i, qualifier)
		if err != nil {
			return err
		}
		out = full(sc, i, named(i, qualifier), c)
		return nil
	})
	if err != nil {
		return nil, err
	}
	return &connect.DescribeViewOutput{View: out}, nil
}

// UpdateViewContent saves a content, and publishes it too if the request says
// so. Versions stay as they are.
func (v *Views) UpdateViewContent(ctx context.Context, in *connect.UpdateViewContentInput) (*connect.UpdateViewContentOutput, error) {
	sc, id, err := v.own(ctx, in.InstanceId, in.ViewId)
	if err != nil {
		return nil, err
	}
	var out *types.View
	err = v.catalog.Store().Update(ctx, func(tx store.Tx) error {
		content := contentIn(in.Content)
		err := v.views.Change(ctx, tx, sc, id, func(e *domain.View) error { return put(e, content, in.Status) })
		if err != nil {
			return err
		}
		if err := v.write(ctx, tx, sc, id, content, in.Status); err != nil {
			return err
		}
		i, err := v.views.GetIn(ctx, tx, sc, id)
		if err != nil {
			return err
		}
		out = full(sc, i, named(i, alias(in.Status)), content)
		return nil
	})
	if err != nil {
		return nil, err
	}
	return &connect.UpdateViewContentOutput{View: out}, nil
}

// UpdateViewMetadata changes the members that the request has.
func (v *Views) UpdateViewMetadata(ctx context.Context, in *connect.UpdateViewMetadataInput) (*connect.UpdateViewMetadataOutput, error) {
	sc, id, err := v.own(ctx, in.InstanceId, in.ViewId)
	if err != nil {
		return nil, err
	}
	return nil, v.views.Update(ctx, sc, id, func(_ store.Tx, e *domain.View) error {
		if in.Name != nil {
			e.Name = *in.Name
		}
		if in.Description != nil {
			e.Description = *in.Description
		}
		return nil
	})
}

// DeleteView removes a view with all that its qualifiers name.
func (v *Views) DeleteView(ctx context.Context, in *connect.DeleteViewInput) (*connect.DeleteViewOutput, error) {
	sc, id, err := v.own(ctx, in.InstanceId, in.ViewId)
	if err != nil {
		return nil, err
	}
	return nil, v.views.Delete(ctx, sc, id, nil)
}

// ListViews lists views by type and then by name, those that AWS gives to every
// instance first.
func (v *Views) ListViews(ctx context.Context, in *connect.ListViewsInput) (*connect.ListViewsOutput, error) {
	sc, err := v.catalog.Scope(ctx, in.InstanceId)
	if err != nil {
		return nil, err
	}
	var all []types.View
	if in.Type != types.ViewTypeCustomerManaged {
		for n := range v.managed {
			all = append(all, v.managed[n].brief(sc))
		}
	}
	if in.Type != types.ViewTypeAwsManaged {
		own, _, _, err := v.views.Search(ctx, sc, search.All{}, catalog.Page{Default: unpaged})
		if err != nil {
			return nil, err
		}
		for _, i := range own {
			all = append(all, brief(sc, i))
		}
	}
	slices.SortFunc(all, func(a, b types.View) int { return cmp.Compare(byName(a), byName(b)) })
	page, next, err := catalog.Ordered(sc, domain.KindView, catalog.Page{MaxResults: in.MaxResults, NextToken: in.NextToken}, all, byName)
	if err != nil {
		return nil, err
	}
	return &connect.ListViewsOutput{
		NextToken: next,
		ViewsSummaryList: catalog.Map(page, func(w types.View) types.ViewSummary {
			return types.ViewSummary{Arn: w.Arn, Id: w.Id, Name: w.Name, Description: w.Description, Status: w.Status, Type: w.Type}
		}),
	}, nil
}

// byName is the order of ListViews: the type, then the name in any case (AWS
// API reference, ListViews).
func byName(v types.View) string {
	return string(v.Type) + " " + strings.ToLower(*v.Name) + " " + *v.Id
}

// byAge is the order of SearchViews: AWS's own views, then the instance's, whose
// ids grow with time.
func byAge(v types.View) string { return string(v.Type) + " " + *v.Id }

// SearchViews finds views by criteria and tags, those that AWS gives to every
// instance among them. It shows no contents (docs/divergences.md).
func (v *Views) SearchViews(ctx context.Context, in *connect.SearchViewsInput) (*connect.SearchViewsOutput, error) {
	sc, err := v.catalog.ScopeARN(ctx, in.InstanceId)
	if err != nil {
		return nil, err
	}
	var filter *types.ControlPlaneAttributeFilter
	if in.SearchFilter != nil {
		filter = in.SearchFilter.AttributeFilter
	}
	q, err := catalog.NarrowByAttributes(v.criteria(in.SearchCriteria), filter)
	if err != nil {
		return nil, err
	}
	managed, _, err := v.index.Search(0, 0, q, 0, len(v.managed))
	if err != nil {
		return nil, err
	}
	own, _, _, err := v.views.Search(ctx, sc, q, catalog.Page{Default: unpaged})
	if err != nil {
		return nil, err
	}
	all := make([]types.View, 0, len(managed)+len(own))
	for _, pk := range managed {
		all = append(all, v.managed[pk-1].brief(sc))
	}
	for _, i := range own {
		all = append(all, brief(sc, i))
	}
	slices.SortFunc(all, func(a, b types.View) int { return cmp.Compare(byAge(a), byAge(b)) })
	page, next, err := catalog.Ordered(sc, domain.KindView, catalog.Page{MaxResults: in.MaxResults, NextToken: in.NextToken}, all, byAge)
	if err != nil {
		return nil, err
	}
	return &connect.SearchViewsOutput{Views: page, NextToken: next, ApproximateTotalCount: aws.Int64(int64(len(all)))}, nil
}

// unpaged is a page size that no list reaches.
const unpaged = 1 << 30

func (v *Views) criteria(c *types.ViewSearchCriteria) catalog.Criteria {
	if c == nil {
		return catalog.Criteria{}
	}
	return catalog.Criteria{
		And: catalog.Each(c.AndConditions, v.criteria),
		Or:  catalog.Each(c.OrConditions, v.criteria),
		Leaves: []catalog.Leaf{
			v.views.String(c.StringCondition),
			classLeaf(fieldType, string(c.ViewTypeCondition)),
			classLeaf(fieldStatus, string(c.ViewStatusCondition)),
		},
	}
}

func classLeaf(field, value string) catalog.Leaf {
	if value == "" {
		return nil
	}
	return func() (search.Query, error) { return search.Key{Field: field, Values: []string{value}}, nil }
}

// own reads the id of a view that may be changed. Those that AWS gives to every
// instance may not, and a qualifier but $LATEST names what cannot be changed by
// itself; both are an InvalidRequestException.
func (v *Views) own(ctx context.Context, instance, view *string) (sc catalog.Scope, id string, err error) {
	if sc, err = v.catalog.Scope(ctx, instance); err != nil {
		return sc, "", err
	}
	switch m, err := v.managedARN(sc, *view); {
	case err != nil:
		return sc, "", err
	case m != nil:
		return sc, "", fault.New(fault.InvalidRequest, "The view %s is managed by AWS and cannot be changed.", m.name)
	}
	id, qualifier, err := catalog.QualifiedID(sc, domain.KindView, *view)
	if err == nil && qualifier != "" && qualifier != domain.ViewLatest && qualifier != domain.ViewSaved {
		err = fault.New(fault.InvalidRequest, "ViewId must name the view, not its version %s", qualifier)
	}
	return sc, id, err
}

// put notes in a view that a content was saved or published, once it is fit for
// it.
func put(e *domain.View, c *domain.ViewContent, status types.ViewStatus) error {
	e.SavedStatus = status
	if status == types.ViewStatusSaved {
		return nil
	}
	e.PublishedSHA256 = c.SHA256()
	return c.CheckPublished()
}

// write keeps a content under the aliases that it goes to.
func (v *Views) write(ctx context.Context, tx store.Tx, sc catalog.Scope, view string, c *domain.ViewContent, status types.ViewStatus) error {
	aliases := []string{domain.ViewSaved}
	if status == types.ViewStatusPublished {
		aliases = append(aliases, domain.ViewLatest)
	}
	for _, qualifier := range aliases {
		e := *c
		e.ViewID, e.Qualifier = domain.ViewID(view), qualifier
		old, err := v.contents.PartNamed(ctx, tx, sc, view, qualifier)
		switch {
		case err == nil:
			err = v.contents.Change(ctx, tx, sc, old.ID, func(was *domain.ViewContent) error { *was = e; return nil })
		case fault.Is(err, fault.ResourceNotFound):
			_, err = v.contents.Insert(ctx, tx, sc, &e, nil)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// content reads what a qualifier of a view names.
func (v *Views) content(ctx context.Context, rd store.Reader, sc catalog.Scope, i *catalog.Item[domain.View], qualifier string) (*domain.ViewContent, error) {
	c, err := v.contents.PartNamed(ctx, rd, sc, i.ID, qualifier)
	if fault.Is(err, fault.ResourceNotFound) {
		if qualifier == domain.ViewLatest {
			return nil, fault.New(fault.ResourceNotFound, "View %s is not published. Its saved content has the id %[1]s:%s.", i.ID, domain.ViewSaved)
		}
		return nil, fault.New(fault.ResourceNotFound, "View %s has no version %s.", i.ID, qualifier)
	}
	if err != nil {
		return nil, err
	}
	return &c.Value, nil
}

// alias is the qualifier under which a content of a status is shown.
func alias(status types.ViewStatus) string {
	if status == types.ViewStatusSaved {
		return domain.ViewSaved
	}
	return domain.ViewLatest
}

func contentIn(c *types.ViewInputContent) *domain.ViewContent {
	return &domain.ViewContent{Template: aws.ToString(c.Template), Actions: c.Actions}
}

// revision is how a view is shown under a qualifier.
type revision struct {
	qualifier string // in ARNs; "" for the aliases
	status    types.ViewStatus
	version   domain.ViewVersion
}

func named(i *catalog.Item[domain.View], qualifier string) revision {
	e := &i.Value
	if n, err := strconv.ParseInt(qualifier, 10, 32); err == nil && e.Version(int32(n)) != nil {
		return revision{qualifier: qualifier, status: types.ViewStatusPublished, version: *e.Version(int32(n))}
	}
	// What an alias names has no number of its own: the number is then that of
	// the version made last, and the checksum that of the content published
	// last (AWS API reference, View).
	r := revision{status: e.Status(), version: domain.ViewVersion{Number: e.LastVersion, SHA256: e.PublishedSHA256}}
	if qualifier == domain.ViewSaved {
		r.status = e.SavedStatus
	}
	return r
}

// full is a view as DescribeView shows it.
func full(sc catalog.Scope, i *catalog.Item[domain.View], r revision, c *domain.ViewContent) *types.View {
	out := brief(sc, i)
	out.Status, out.Version = r.status, r.version.Number
	if r.qualifier != "" {
		out.Arn = aws.String(*out.Arn + ":" + r.qualifier)
	}
	out.VersionDescription = catalog.Optional(r.version.Description)
	out.ViewContentSha256 = catalog.Optional(r.version.SHA256)
	out.Content = &types.ViewContent{
		Template: catalog.Optional(c.Template), Actions: append([]string{}, c.Actions...), InputSchema: aws.String(c.InputSchema()),
	}
	return &out
}

// brief is a view as SearchViews shows it.
func brief(sc catalog.Scope, i *catalog.Item[domain.View]) types.View {
	e := &i.Value
	return types.View{
		Arn: i.ARN(sc), Id: aws.String(i.ID), Name: aws.String(i.Name), Description: catalog.Optional(e.Description),
		Status: e.Status(), Type: types.ViewTypeCustomerManaged, Version: e.LastVersion,
		CreatedTime: aws.Time(i.Created), LastModifiedTime: aws.Time(i.Modified), Tags: i.TagMap(),
	}
}
