package views_test

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/connect"
	"github.com/aws/aws-sdk-go-v2/service/connect/types"

	"ringdown/internal/domain"
	"ringdown/internal/fault"
	"ringdown/internal/server/servertest"
)

var ok, fails, same = servertest.OK, servertest.Fails, servertest.Same

const (
	published = types.ViewStatusPublished
	saved     = types.ViewStatusSaved
	managed   = "arn:aws:connect:us-east-1:aws:view/"
)

// template is one that can be published; its button asks for the input label.
func template(action string) string {
	return `{"Head":{"Title":"T","Configuration":{}},"Body":[{"_id":"b","Type":"Button","Props":{"Action":"` + action + `"},"Content":["$.Label"]}]}`
}

type bench struct {
	*connect.Client
	t  *testing.T
	id string
}

func boot(t *testing.T) *bench {
	s := servertest.Boot(t)
	return &bench{s.Connect, t, s.NewInstance(t)}
}

func (b *bench) create(name string, status types.ViewStatus, template string, actions ...string) *types.View {
	b.t.Helper()
	out, err := b.CreateView(b.t.Context(), &connect.CreateViewInput{
		InstanceId: &b.id, Name: &name, Status: status, Content: &types.ViewInputContent{Template: &template, Actions: actions},
	})
	ok(b.t, err)
	return out.View
}

func (b *bench) describe(id string) (*types.View, error) {
	out, err := b.DescribeView(b.t.Context(), &connect.DescribeViewInput{InstanceId: &b.id, ViewId: &id})
	if err != nil {
		return nil, err
	}
	return out.View, nil
}

func (b *bench) update(id string, status types.ViewStatus, template string, actions ...string) (*types.View, error) {
	out, err := b.UpdateViewContent(b.t.Context(), &connect.UpdateViewContentInput{
		InstanceId: &b.id, ViewId: &id, Status: status, Content: &types.ViewInputContent{Template: &template, Actions: actions},
	})
	if err != nil {
		return nil, err
	}
	return out.View, nil
}

func (b *bench) version(id string, sha *string) (*types.View, error) {
	out, err := b.CreateViewVersion(b.t.Context(), &connect.CreateViewVersionInput{
		InstanceId: &b.id, ViewId: &id, ViewContentSha256: sha, VersionDescription: aws.String("of " + b.t.Name()),
	})
	if err != nil {
		return nil, err
	}
	return out.View, nil
}

func TestViewsAndTheirVersions(t *testing.T) {
	b := boot(t)
	v := b.create("Draft", saved, `{"any":"$.Thing"}`)
	id := *v.Id
	if v.Status != saved || v.ViewContentSha256 != nil || v.Type != types.ViewTypeCustomerManaged || *v.Arn != servertest.InstanceARN(b.id)+"/view/"+id || v.Tags == nil {
		t.Errorf("a saved view is %+v", v)
	}
	same(t, "the schema of the input", json.RawMessage(*v.Content.InputSchema), json.RawMessage(
		`{"$schema":"http://json-schema.org/draft-07/schema#","type":"object","properties":{"Thing":{}},"required":["Thing"]}`))
	_, err := b.describe(id)
	fails(t, err, fault.ResourceNotFound, "not published", ":$SAVED")
	_, err = b.version(id, nil)
	fails(t, err, fault.ResourceNotFound)
	got, err := b.describe(id + ":$SAVED")
	ok(t, err)
	same(t, "what was saved", got.Content, v.Content)

	one, err := b.update(id, published, template("Go"), "Go")
	ok(t, err)
	latest, err := b.describe(*one.Arn)
	ok(t, err)
	same(t, "what was published", latest, one)
	got, err = b.describe(id + ":$SAVED")
	ok(t, err)
	same(t, "what was saved is what was published", got, one)

	_, err = b.version(id, aws.String("other"))
	fails(t, err, fault.InvalidParameter, "ViewContentSha256")
	first, err := b.version(id, one.ViewContentSha256)
	ok(t, err)
	if first.Version != 1 || *first.Arn != *one.Arn+":1" || *first.VersionDescription != "of "+t.Name() {
		t.Errorf("the first version is %+v", first)
	}
	again, err := b.version(id, nil)
	ok(t, err)
	same(t, "a version of the same content", again, first)

	// Saving changes neither what is published nor versions.
	_, err = b.update(id, saved, template("Draft")) // its action is unknown: good enough to be saved
	ok(t, err)
	got, err = b.describe(id + ":$LATEST")
	ok(t, err)
	if *got.Content.Template != template("Go") || got.Version != 1 || got.Status != published {
		t.Errorf("what is published is now %+v", got)
	}
	got, err = b.describe(id + ":$SAVED")
	ok(t, err)
	if *got.Content.Template != template("Draft") || got.Status != saved || *got.ViewContentSha256 != *one.ViewContentSha256 {
		t.Errorf("what was saved is now %+v", got)
	}
	_, err = b.update(id, published, template("Stop"), "Stop", "Go")
	ok(t, err)
	second, err := b.version(id, nil)
	ok(t, err)
	if second.Version != 2 {
		t.Errorf("the second version has the number %d", second.Version)
	}
	got, err = b.describe(id + ":1")
	ok(t, err)
	got.LastModifiedTime, first.LastModifiedTime = nil, nil // that of the view, which has changed
	same(t, "the first version", got, first)

	list := func(view string, size int32) (pages [][]types.ViewVersionSummary) {
		return servertest.Pages(t, func(token *string) ([]types.ViewVersionSummary, *string, error) {
			out, err := b.ListViewVersions(t.Context(), &connect.ListViewVersionsInput{InstanceId: &b.id, ViewId: &view, MaxResults: &size, NextToken: token})
			if err != nil {
				return nil, nil, err
			}
			return out.ViewVersionSummaryList, out.NextToken, nil
		})
	}
	summary := func(n int32) types.ViewVersionSummary {
		return types.ViewVersionSummary{
			Arn: aws.String(fmt.Sprintf("%s:%d", *one.Arn, n)), Id: &id, Name: aws.String("Draft"), Type: types.ViewTypeCustomerManaged,
			Version: n, VersionDescription: aws.String("of " + t.Name()),
		}
	}
	same(t, "the versions", list(id, 1), [][]types.ViewVersionSummary{{summary(2)}, {summary(1)}})

	remove := func(view string, n int32) error {
		_, err := b.DeleteViewVersion(t.Context(), &connect.DeleteViewVersionInput{InstanceId: &b.id, ViewId: &view, ViewVersion: &n})
		return err
	}
	ok(t, remove(id, 2))
	fails(t, remove(id, 2), fault.ResourceNotFound)
	_, err = b.describe(id + ":2")
	fails(t, err, fault.ResourceNotFound)
	third, err := b.version(id, nil) // its content is that of the deleted one
	ok(t, err)
	if third.Version != 3 {
		t.Errorf("the version after a deleted one has the number %d", third.Version)
	}

	_, err = b.UpdateViewMetadata(t.Context(), &connect.UpdateViewMetadataInput{InstanceId: &b.id, ViewId: one.Arn, Name: aws.String("Final"), Description: aws.String("done")})
	ok(t, err)
	got, err = b.describe(id + ":3")
	ok(t, err)
	if *got.Name != "Final" || *got.Description != "done" || *got.Content.Template != template("Stop") {
		t.Errorf("the renamed view is %+v", got)
	}
	b.create("Other", saved, "{}")
	_, err = b.UpdateViewMetadata(t.Context(), &connect.UpdateViewMetadataInput{InstanceId: &b.id, ViewId: &id, Name: aws.String("Other")})
	fails(t, err, fault.DuplicateResource)

	_, err = b.DeleteView(t.Context(), &connect.DeleteViewInput{InstanceId: &b.id, ViewId: &id})
	ok(t, err)
	for _, qualifier := range []string{"", ":$SAVED", ":1"} {
		_, err = b.describe(id + qualifier)
		fails(t, err, fault.ResourceNotFound)
	}
	b.create("Final", saved, "{}") // the name is free again
}

func TestContentOfViews(t *testing.T) {
	b := boot(t)
	nested := `{"Head":{"Configuration":{}},"Body":["text",{"_id":"c","Type":"Container","Content":[{"_id":"g","Type":"ButtonGroup","Props":{"Items":[{"Action":"Go"},{"Action":"$.Action"}]}}]}]}`
	for name, c := range map[string]struct {
		template string
		status   types.ViewStatus
		actions  []string
		words    []string // of the error; none when there is none
	}{
		"anything saved":         {template: `{"Body":7}`, status: saved},
		"nothing saved":          {status: saved},
		"no JSON":                {template: `{`, status: saved, words: []string{"JSON object"}},
		"no object":              {template: `null`, status: saved, words: []string{"JSON object"}},
		"too long":               {template: `{"a":"` + strings.Repeat("x", 400<<10) + `"}`, status: saved, words: []string{"409600"}},
		"nothing published":      {status: published, words: []string{"required"}},
		"without Head":           {template: `{"Body":[]}`, status: published, words: []string{"Head"}},
		"without Configuration":  {template: `{"Head":{},"Body":[]}`, status: published, words: []string{"Configuration"}},
		"without Body":           {template: `{"Head":{"Configuration":{}}}`, status: published, words: []string{"Body"}},
		"of numbers":             {template: `{"Head":{"Configuration":{}},"Body":[1]}`, status: published, words: []string{"components"}},
		"without _id":            {template: `{"Head":{"Configuration":{}},"Body":[{"Type":"A"}]}`, status: published, words: []string{"_id"}},
		"without Type":           {template: `{"Head":{"Configuration":{}},"Body":[{"_id":"a"}]}`, status: published, words: []string{"Type"}},
		"an _id twice":           {template: `{"Head":{"Configuration":{}},"Body":[{"_id":"a","Type":"A"},{"_id":"a","Type":"A"}]}`, status: published, words: []string{"twice"}},
		"Props no object":        {template: `{"Head":{"Configuration":{}},"Body":[{"_id":"a","Type":"A","Props":1}]}`, status: published, words: []string{"Props"}},
		"Content no list":        {template: `{"Head":{"Configuration":{}},"Body":[{"_id":"a","Type":"A","Content":1}]}`, status: published, words: []string{"Content"}},
		"an unknown action":      {template: nested, status: published, words: []string{`"Go"`, "Actions"}},
		"all actions known":      {template: nested, status: published, actions: []string{"Go"}},
		"the action of a button": {template: template("Go"), status: published, actions: []string{"Go"}},
	} {
		in := &connect.CreateViewInput{InstanceId: &b.id, Name: &name, Status: c.status, Content: &types.ViewInputContent{Actions: c.actions}}
		if c.template != "" {
			in.Content.Template = &c.template
		}
		_, err := b.CreateView(t.Context(), in)
		if len(c.words) == 0 {
			ok(t, err)
		} else {
			fails(t, err, fault.InvalidParameter, c.words...)
		}
	}

	v := b.create("Inputs", saved, `{"a":["$.One","no $.Two","$.#Three","$.Customer.Name"],"b":{"c":"$.Customer.Age"}}`)
	same(t, "the schema", json.RawMessage(*v.Content.InputSchema), json.RawMessage(`{"$schema":"http://json-schema.org/draft-07/schema#","type":"object",`+
		`"properties":{"Customer":{"type":"object","properties":{"Age":{},"Name":{}},"required":["Age","Name"]},"One":{}},"required":["Customer","One"]}`))
	_, err := b.update(*v.Id, published, `{}`)
	fails(t, err, fault.InvalidParameter)
	got, err := b.describe(*v.Id + ":$SAVED")
	ok(t, err)
	same(t, "after a refused content", got, v)
}

func TestManagedViews(t *testing.T) {
	b := boot(t)
	v, err := b.describe(managed + "form")
	ok(t, err)
	if v.Type != types.ViewTypeAwsManaged || v.Version != 1 || v.Status != published || *v.Id != "form" || *v.Arn != managed+"form" || *v.Name != "Form" {
		t.Errorf("the view is %+v", v)
	}
	var schema struct {
		Properties map[string]any
		Required   []string `json:"required"`
	}
	ok(t, json.Unmarshal([]byte(*v.Content.InputSchema), &schema))
	if _, has := schema.Properties["Wizard"]; !has || !slices.Equal(schema.Required, []string{"Sections"}) {
		t.Errorf("the schema of its input is %s", *v.Content.InputSchema)
	}
	for _, qualifier := range []string{":1", ":$LATEST"} {
		got, err := b.describe(managed + "form" + qualifier)
		ok(t, err)
		same(t, qualifier, got, v)
	}
	for _, id := range []string{managed + "form:2", managed + "nothing", strings.Replace(managed, "us-east-1", "eu-west-1", 1) + "form", "form"} {
		_, err = b.describe(id)
		fails(t, err, fault.ResourceNotFound)
	}

	// Each could be published as it is.
	for name := range listed(t, b, types.ViewTypeAwsManaged) {
		m, err := b.describe(managed + strings.ReplaceAll(strings.ToLower(name), " ", "-"))
		ok(t, err)
		b.create("my "+name, published, *m.Content.Template, m.Content.Actions...)
	}

	id := aws.String(managed + "form")
	_, err = b.update(*id, saved, "{}")
	fails(t, err, fault.InvalidRequest, "managed by AWS")
	_, err = b.version(*id, nil)
	fails(t, err, fault.InvalidRequest)
	_, err = b.DeleteView(t.Context(), &connect.DeleteViewInput{InstanceId: &b.id, ViewId: id})
	fails(t, err, fault.InvalidRequest)
	_, err = b.UpdateViewMetadata(t.Context(), &connect.UpdateViewMetadataInput{InstanceId: &b.id, ViewId: id, Name: aws.String("Mine")})
	fails(t, err, fault.InvalidRequest)
	out, err := b.ListViewVersions(t.Context(), &connect.ListViewVersionsInput{InstanceId: &b.id, ViewId: id})
	ok(t, err)
	if len(out.ViewVersionSummaryList) != 1 || *out.ViewVersionSummaryList[0].Arn != managed+"form:1" {
		t.Errorf("its versions are %+v", out.ViewVersionSummaryList)
	}
}

// listed are the views of a type by name.
func listed(t *testing.T, b *bench, of types.ViewType) map[string]types.ViewSummary {
	t.Helper()
	out, err := b.ListViews(t.Context(), &connect.ListViewsInput{InstanceId: &b.id, Type: of})
	ok(t, err)
	all := map[string]types.ViewSummary{}
	for _, v := range out.ViewsSummaryList {
		all[*v.Name] = v
	}
	return all
}

func TestListAndSearchViews(t *testing.T) {
	b := boot(t)
	for _, c := range []struct {
		name   string
		status types.ViewStatus
		team   string
	}{{"zebra", saved, "a"}, {"Apple", published, "b"}, {"mango", published, "a"}} {
		_, err := b.CreateView(t.Context(), &connect.CreateViewInput{
			InstanceId: &b.id, Name: &c.name, Status: c.status, Description: aws.String("A fruit, or not"), Tags: map[string]string{"Team": c.team},
			Content: &types.ViewInputContent{Template: aws.String(template("Go")), Actions: []string{"Go"}},
		})
		ok(t, err)
	}
	_, err := b.CreateView(t.Context(), &connect.CreateViewInput{InstanceId: &b.id, Name: aws.String("zebra"), Status: saved, Content: &types.ViewInputContent{}})
	fails(t, err, fault.DuplicateResource)

	own := []string{"Apple", "mango", "zebra"}
	all := append([]string{"After Contact Work", "Cards", "Confirmation", "Detail", "Form", "List"}, own...)
	list := func(of types.ViewType, size int32) []string {
		return slices.Concat(servertest.Pages(t, func(token *string) ([]string, *string, error) {
			out, err := b.ListViews(t.Context(), &connect.ListViewsInput{InstanceId: &b.id, Type: of, MaxResults: &size, NextToken: token})
			if err != nil {
				return nil, nil, err
			}
			var names []string
			for _, v := range out.ViewsSummaryList {
				names = append(names, *v.Name)
			}
			return names, out.NextToken, nil
		})...)
	}
	same(t, "all views", list("", 4), all)
	same(t, "those of AWS", list(types.ViewTypeAwsManaged, 100), all[:6])
	same(t, "the customer's", list(types.ViewTypeCustomerManaged, 1), own)
	zebra := listed(t, b, "")["zebra"]
	same(t, "a summary", zebra, types.ViewSummary{
		Arn: aws.String(servertest.InstanceARN(b.id) + "/view/" + *zebra.Id), Id: zebra.Id, Name: aws.String("zebra"),
		Description: aws.String("A fruit, or not"), Status: saved, Type: types.ViewTypeCustomerManaged,
	})

	text := func(field, value string, op types.StringComparisonType) *types.ViewSearchCriteria {
		return &types.ViewSearchCriteria{StringCondition: &types.StringCondition{FieldName: &field, Value: &value, ComparisonType: op}}
	}
	team := &types.ViewSearchFilter{AttributeFilter: &types.ControlPlaneAttributeFilter{TagCondition: &types.TagCondition{TagKey: aws.String("Team"), TagValue: aws.String("a")}}}
	customers := types.ViewSearchCriteria{ViewTypeCondition: types.ViewTypeCustomerManaged}
	created := []string{"zebra", "Apple", "mango"}
	for name, c := range map[string]struct {
		criteria *types.ViewSearchCriteria
		filter   *types.ViewSearchFilter
		want     []string
	}{
		"all":                {want: append(slices.Clone(all[:6]), created...)},
		"by name":            {criteria: text("name", "MANGO", types.StringComparisonTypeExact), want: []string{"mango"}},
		"by name of AWS":     {criteria: text("name", "c", types.StringComparisonTypeStartsWith), want: []string{"Cards", "Confirmation"}},
		"by description":     {criteria: text("description", "fruit", types.StringComparisonTypeContains), want: created},
		"by id":              {criteria: text("resourceID", *zebra.Id, types.StringComparisonTypeExact), want: []string{"zebra"}},
		"by id of AWS":       {criteria: text("resourceId", "list", types.StringComparisonTypeExact), want: []string{"List"}},
		"by type":            {criteria: &types.ViewSearchCriteria{ViewTypeCondition: types.ViewTypeAwsManaged}, want: all[:6]},
		"by status":          {criteria: &types.ViewSearchCriteria{ViewStatusCondition: saved}, want: []string{"zebra"}},
		"by tag":             {filter: team, want: []string{"zebra", "mango"}},
		"by type and status": {criteria: &types.ViewSearchCriteria{AndConditions: []types.ViewSearchCriteria{customers, {ViewStatusCondition: published}}}, want: []string{"Apple", "mango"}},
		"by either":          {criteria: &types.ViewSearchCriteria{OrConditions: []types.ViewSearchCriteria{{ViewStatusCondition: saved}, *text("name", "Form", types.StringComparisonTypeExact)}}, want: []string{"Form", "zebra"}},
	} {
		got := slices.Concat(servertest.Pages(t, func(token *string) ([]string, *string, error) {
			out, err := b.SearchViews(t.Context(), &connect.SearchViewsInput{InstanceId: &b.id, SearchCriteria: c.criteria, SearchFilter: c.filter, MaxResults: aws.Int32(2), NextToken: token})
			if err != nil {
				return nil, nil, err
			}
			if *out.ApproximateTotalCount != int64(len(c.want)) {
				t.Errorf("%s: the total is %d, want %d", name, *out.ApproximateTotalCount, len(c.want))
			}
			var names []string
			for _, v := range out.Views {
				names = append(names, *v.Name)
				if v.Content != nil || v.Tags == nil {
					t.Errorf("%s: a search shows %+v", name, v)
				}
			}
			return names, out.NextToken, nil
		})...)
		same(t, name, got, c.want)
	}
	_, err = b.SearchViews(t.Context(), &connect.SearchViewsInput{InstanceId: &b.id, SearchCriteria: text("nothing", "x", types.StringComparisonTypeExact)})
	fails(t, err, fault.InvalidParameter, "FieldName")
}

func TestViewTokensAndReferences(t *testing.T) {
	b := boot(t)
	in := &connect.CreateViewInput{InstanceId: &b.id, Name: aws.String("Once"), Status: saved, Content: &types.ViewInputContent{}, ClientToken: aws.String("token")}
	one, err := b.CreateView(t.Context(), in)
	ok(t, err)
	two, err := b.CreateView(t.Context(), in)
	ok(t, err)
	same(t, "the answer to the same token", two.View, one.View)

	id := *one.View.Id
	for _, ref := range []string{"arn:aws:s3:::bucket", "unknown", servertest.InstanceARN(domain.NewID()) + "/view/" + id} {
		if _, err := b.DeleteView(t.Context(), &connect.DeleteViewInput{InstanceId: &b.id, ViewId: &ref}); err == nil {
			t.Errorf("%s named a view", ref)
		}
	}
	_, err = b.DeleteView(t.Context(), &connect.DeleteViewInput{InstanceId: &b.id, ViewId: aws.String(id + ":7")})
	fails(t, err, fault.InvalidRequest, "version")
	_, err = b.TagResource(t.Context(), &connect.TagResourceInput{ResourceArn: one.View.Arn, Tags: map[string]string{"Team": "a"}})
	ok(t, err)
	got, err := b.describe(id + ":$SAVED")
	ok(t, err)
	same(t, "the tags", got.Tags, map[string]string{"Team": "a"})
	_, err = b.TagResource(t.Context(), &connect.TagResourceInput{ResourceArn: aws.String(managed + "form"), Tags: map[string]string{"Team": "a"}})
	fails(t, err, fault.ResourceNotFound)
}
