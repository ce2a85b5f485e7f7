package roundtrip

import (
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/connect"
	"github.com/aws/aws-sdk-go-v2/service/connect/types"
)

func taskKinds() []kind { return []kind{taskTemplates()} }

// tagARN tags what no Create operation takes tags for.
func tagARN(t testing.TB, s *site, arn string, tags map[string]string) {
	t.Helper()
	_, err := s.TagResource(t.Context(), &connect.TagResourceInput{ResourceArn: &arn, Tags: tags})
	ok(t, err)
}

type taskTemplateDocument struct {
	Template *connect.GetTaskTemplateOutput
}

func taskTemplates() kind {
	field := func(name string) *types.TaskTemplateFieldIdentifier {
		return &types.TaskTemplateFieldIdentifier{Name: &name}
	}
	return of("TaskTemplate",
		func(t testing.TB, s *site, n int) string {
			flow := s.a(t, "ContactFlow", n)
			out, err := s.CreateTaskTemplate(t.Context(), &connect.CreateTaskTemplateInput{
				InstanceId: &s.id, Name: name("Template", n), Description: aws.String("what somebody has to do"),
				Status:        []types.TaskTemplateStatus{types.TaskTemplateStatusActive, types.TaskTemplateStatusInactive}[n%2],
				ContactFlowId: &flow, SelfAssignFlowId: &flow,
				Fields: []types.TaskTemplateField{
					{Id: field("Title"), Type: types.TaskTemplateFieldTypeName, Description: aws.String("in a few words")},
					{Id: field("Colour"), Type: types.TaskTemplateFieldTypeSingleSelect, SingleSelectOptions: []string{"red", "green"}},
				},
				Constraints: &types.TaskTemplateConstraints{
					RequiredFields:  []types.RequiredFieldInfo{{Id: field("Title")}},
					ReadOnlyFields:  []types.ReadOnlyFieldInfo{{Id: field("Colour")}},
					InvisibleFields: []types.InvisibleFieldInfo{{Id: field("Colour")}},
				},
				Defaults: &types.TaskTemplateDefaults{DefaultFieldValues: []types.TaskTemplateDefaultFieldValue{{Id: field("Colour"), DefaultValue: aws.String("green")}}},
			})
			ok(t, err)
			tagARN(t, s, *out.Arn, map[string]string{"Team": "tasks"})
			return *out.Id
		},
		func(t testing.TB, s *site) (all resources) {
			everyPage(t, func(token *string) (*string, error) {
				page, err := s.ListTaskTemplates(t.Context(), &connect.ListTaskTemplatesInput{InstanceId: &s.id, NextToken: token})
				if err != nil {
					return nil, err
				}
				for _, i := range page.TaskTemplates {
					out, err := s.GetTaskTemplate(t.Context(), &connect.GetTaskTemplateInput{InstanceId: &s.id, TaskTemplateId: i.Id})
					ok(t, err)
					all.add(*i.Id, *i.Name, taskTemplateDocument{out})
				}
				return page.NextToken, nil
			})
			return all
		},
		func(t testing.TB, s *site, d taskTemplateDocument) string {
			out, err := s.CreateTaskTemplate(t.Context(), &connect.CreateTaskTemplateInput{
				InstanceId: &s.id, Name: d.Template.Name, Description: d.Template.Description, Status: d.Template.Status,
				ContactFlowId: d.Template.ContactFlowId, SelfAssignFlowId: d.Template.SelfAssignFlowId,
				Fields: d.Template.Fields, Constraints: d.Template.Constraints, Defaults: d.Template.Defaults,
			})
			ok(t, err)
			tagARN(t, s, *out.Arn, d.Template.Tags)
			return *out.Id
		},
		nil)
}
