package conformance

import (
	"context"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/connect"
	"github.com/aws/aws-sdk-go-v2/service/connect/types"
)

const taskTemplate kind = "TaskTemplate"

func init() {
	add(family{
		makers: map[kind]maker{
			taskTemplate: func(ctx context.Context, t testing.TB, w *world, c *connect.Client) (*string, error) {
				out, err := c.CreateTaskTemplate(ctx, &connect.CreateTaskTemplateInput{
					InstanceId: &w.instance, Name: w.name(), ContactFlowId: aws.String(w.shared(t, contactFlow)),
					Fields: []types.TaskTemplateField{{Id: &types.TaskTemplateFieldIdentifier{Name: aws.String("Title")}, Type: types.TaskTemplateFieldTypeName}},
				})
				if err != nil {
					return nil, err
				}
				return out.Id, nil
			},
		},
		references: map[string]kind{"TaskTemplateId": taskTemplate, "SelfAssignFlowId": contactFlow},
		recipes: map[string]recipe{
			"CreateTaskTemplate": of(with("Fields", always(templateFields)), with("ContactFlowId", sharedFlow), templateRules),
			"UpdateTaskTemplate": of(given("Fields", always(templateFields)), templateRules),
			"GetTaskTemplate":    of(without("SnapshotVersion")), // tasks make snapshots, and there are none
		},
	})
	merge(pagedOperations, map[string]paged{"ListTaskTemplates": {taskTemplate, "Id", "DeleteTaskTemplate", "TaskTemplateId"}})
}

func sharedFlow(t testing.TB, w *world) any { return w.shared(t, contactFlow) }

var (
	templateFields = []any{
		object{"Id": object{"Name": "Title"}, "Type": "NAME"},
		object{"Id": object{"Name": "Amount"}, "Type": "NUMBER", "Description": "in euros"},
		object{"Id": object{"Name": "Colour"}, "Type": "SINGLE_SELECT", "SingleSelectOptions": []any{"red", "green"}},
	}
	amountField = []any{object{"Id": object{"Name": "Amount"}}}
)

// templateRules names fields that the template has.
func templateRules(_ testing.TB, _ *world, in object, how style) {
	if how == full {
		in["Constraints"] = object{"RequiredFields": amountField, "ReadOnlyFields": amountField, "InvisibleFields": amountField}
		in["Defaults"] = object{"DefaultFieldValues": []any{object{"Id": object{"Name": "Amount"}, "DefaultValue": "5"}}}
	}
}
