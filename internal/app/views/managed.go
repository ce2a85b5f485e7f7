package views

import (
	"encoding/json"
	"maps"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/connect/types"

	"ringdown/internal/catalog"
	"ringdown/internal/domain"
	"ringdown/internal/fault"
	"ringdown/internal/search"
)

// managedVersion is the only version of the views that AWS gives to every
// instance (AWS API reference, DescribeView).
const managedVersion = 1

// managedView is a view that AWS gives to every instance. Nobody changes it.
type managedView struct {
	id, name, description string
	// required and optional are the input that it takes.
	required, optional []string
	content            domain.ViewContent
}

// managedViews are the views of the AWS admin guide, "Set up AWS managed
// views", with the input that it tells, and the one that the service's own
// "Sample after contact work flow" shows. Their templates and descriptions are
// made up (docs/divergences.md).
func managedViews() []managedView {
	list := []managedView{
		{
			id: "after-contact-work", name: "After Contact Work", description: "A form for what is left to do after a contact",
			required: []string{
				"AdditionalNotes_DefaultValue", "AdditionalNotes_Header_Description", "AdditionalNotes_Header_Title", "Category_DefaultValue",
				"ContactSummary_DefaultValue", "ContactSummary_Header_Description", "ContactSummary_Header_Title",
				"ContactWrapUp_Header_Description", "ContactWrapUp_Header_Title", "CustomerName",
				"Disposition_Header_Description", "Disposition_Header_Title", "Driver_DefaultValue", "Example_Label", "Example_Url",
				"FollowUp_DefaultValue", "PhoneNumber", "Resolved_DefaultValue", "Satisfaction_DefaultValue",
			},
			content: domain.ViewContent{Actions: []string{"Cancel", "Submit"}},
		},
		{
			id: "cards", name: "Cards", description: "Topics to choose from, each with details",
			required: []string{"Cards"},
			optional: []string{"AttributeBar", "Back", "Heading", "NoMatchFound"},
			content:  domain.ViewContent{Actions: []string{"ActionSelected", "Back", "NoMatchFound"}},
		},
		{
			id: "confirmation", name: "Confirmation", description: "What has been done, and a button to go on",
			required: []string{"Next"},
			optional: []string{"AttributeBar", "Graphic", "Heading", "SubHeading"},
			content:  domain.ViewContent{Actions: []string{"Next"}},
		},
		{
			id: "detail", name: "Detail", description: "Information and a list of actions",
			required: []string{"Sections"},
			optional: []string{"Actions", "AttributeBar", "Back", "Description", "Heading"},
			content:  domain.ViewContent{Actions: []string{"ActionSelected", "Back"}},
		},
		{
			id: "form", name: "Form", description: "Fields to fill in and to submit",
			required: []string{"Sections"},
			optional: []string{"AttributeBar", "Back", "Cancel", "Edit", "ErrorText", "Heading", "Next", "Previous", "SubHeading", "Wizard"},
			content:  domain.ViewContent{Actions: []string{"Back", "Next", "Step"}},
		},
		{
			id: "list", name: "List", description: "Items with headings and descriptions",
			required: []string{"Items"},
			optional: []string{"AttributeBar", "Back", "Heading", "SubHeading"},
			content:  domain.ViewContent{Actions: []string{"ActionSelected", "Back"}},
		},
	}
	for i := range list {
		list[i].content.Template = list[i].template()
	}
	return list
}

// inputs are the names of the input of the view.
func (m *managedView) inputs() []string { return append(slices.Clone(m.required), m.optional...) }

// template is one component that is given the whole input.
func (m *managedView) template() string {
	props := map[string]string{}
	for _, name := range m.inputs() {
		props[name] = "$." + name
	}
	raw, _ := json.Marshal(map[string]any{ // cannot fail: texts only
		"Head": map[string]any{"Title": m.name, "Configuration": map[string]any{}},
		"Body": []any{map[string]any{"_id": m.id, "Type": strings.ReplaceAll(m.name, " ", ""), "Props": props, "Content": []any{}}},
	})
	return string(raw)
}

func (m *managedView) schema() string {
	in := domain.ViewInput{}
	for _, name := range m.inputs() {
		in[name] = nil
	}
	return in.Schema(m.optional...)
}

func (m *managedView) arn(sc catalog.Scope) *string {
	a := domain.ARN{Region: sc.Region, Account: domain.AWSAccount, Kind: domain.KindView, ID: m.id}
	return aws.String(a.String())
}

// document is what the index holds of the view.
func (m *managedView) document(pk int) search.Doc {
	return search.Doc{
		PK:   int64(pk),
		Text: map[string][]string{"name": {m.name}, "description": {m.description}},
		Keys: merged(map[string][]string{"resourceid": {m.id}}, classes(types.ViewTypeAwsManaged, types.ViewStatusPublished)),
	}
}

func merged(a, b map[string][]string) map[string][]string {
	maps.Copy(a, b)
	return a
}

// managedARN reads the ARN of a view that AWS gives to every instance; nil when
// idOrARN is something else. An unknown one, or one of another region, is a
// ResourceNotFoundException.
func (v *Views) managedARN(sc catalog.Scope, idOrARN string) (*managedView, error) {
	if !domain.IsARN(idOrARN) {
		return nil, nil
	}
	arn, err := domain.ParseARN(idOrARN)
	if err != nil || !arn.Managed() {
		return nil, err
	}
	i := slices.IndexFunc(v.managed, func(m managedView) bool { return m.id == arn.ID })
	if i < 0 || arn.Region != sc.Region || !slices.Contains([]string{"", "1", domain.ViewLatest}, arn.Qualifier) {
		return nil, fault.New(fault.ResourceNotFound, "View %s not found.", idOrARN)
	}
	return &v.managed[i], nil
}

// full is the view as DescribeView shows it.
func (m *managedView) full(sc catalog.Scope) *types.View {
	out := m.brief(sc)
	out.ViewContentSha256 = aws.String(m.content.SHA256())
	out.Content = &types.ViewContent{
		Template: aws.String(m.content.Template), Actions: m.content.Actions, InputSchema: aws.String(m.schema()),
	}
	return &out
}

// brief is the view as SearchViews shows it. When it was made is not known.
func (m *managedView) brief(sc catalog.Scope) types.View {
	return types.View{
		Arn: m.arn(sc), Id: aws.String(m.id), Name: aws.String(m.name), Description: aws.String(m.description),
		Status: types.ViewStatusPublished, Type: types.ViewTypeAwsManaged, Version: managedVersion, Tags: map[string]string{},
	}
}
