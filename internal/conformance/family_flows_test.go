package conformance

import (
	"context"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/connect"
	"github.com/aws/aws-sdk-go-v2/service/connect/types"
)

const contactFlowModule kind = "ContactFlowModule"

// The shortest documents that a flow and a module may have.
const (
	flowContent   = `{"Version":"2019-10-30","StartAction":"end","Actions":[{"Identifier":"end","Type":"DisconnectParticipant","Parameters":{},"Transitions":{}}]}`
	moduleContent = `{"Version":"2019-10-30","StartAction":"end","Actions":[{"Identifier":"end","Type":"EndFlowModuleExecution","Parameters":{},"Transitions":{}}]}`
	// flowSHA256 has the form of a checksum.
	flowSHA256 = "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"
	// smsNumber is a number of AWS End User Messaging.
	smsNumber = "arn:aws:sms-voice:us-east-1:123456789012:phone-number/phone-0123456789abcdef0123456789abcdef"
)

func init() {
	add(family{
		makers: map[kind]maker{
			contactFlowModule: func(ctx context.Context, _ testing.TB, w *world, c *connect.Client) (*string, error) {
				out, err := c.CreateContactFlowModule(ctx, &connect.CreateContactFlowModuleInput{
					InstanceId: &w.instance, Name: w.name(), Content: aws.String(moduleContent),
				})
				if err != nil {
					return nil, err
				}
				return out.Id, nil
			},
			contactFlow: func(ctx context.Context, _ testing.TB, w *world, c *connect.Client) (*string, error) {
				return newFlow(ctx, w, c, types.ContactFlowTypeContactFlow)
			},
		},
		references: map[string]kind{"ContactFlowModuleId": contactFlowModule, "FlowId": contactFlow},
		recipes: map[string]recipe{
			"CreateContactFlow":        of(with("Content", always(flowContent))),
			"UpdateContactFlowContent": of(with("Content", always(flowContent))),
			"SearchContactFlows": of(searchCriteria("name"), given("SearchFilter", always(object{
				"TagFilter": tagFilter, "FlowAttributeFilter": object{"ContactFlowTypeCondition": object{"ContactFlowType": "CAMPAIGN"}},
			}))),
			// A version is expected to have a number and to be of a content and
			// time that the flow may have by chance only.
			"CreateContactFlowVersion": of(with("ContactFlowId", newCampaign), without("ContactFlowVersion", "FlowContentSha256", "LastModifiedRegion", "LastModifiedTime")),
			"DeleteContactFlowVersion": of(newFlowVersion),

			"CreateContactFlowModule":        of(with("Content", always(moduleContent)), given("Settings", always("{}"))),
			"UpdateContactFlowModuleContent": of(with("Content", always(moduleContent)), given("Settings", always("{}"))),
			"SearchContactFlowModules":       of(searchCriteria("name"), given("SearchFilter", always(object{"TagFilter": tagFilter}))),
			"CreateContactFlowModuleVersion": of(without("FlowModuleContentSha256")),
			"DeleteContactFlowModuleVersion": of(newModuleVersion),
			"CreateContactFlowModuleAlias":   of(newModuleVersion, without("AliasId"), with("AliasName", func(_ testing.TB, w *world) any { return *w.alias() })),
			"DescribeContactFlowModuleAlias": of(newModuleAlias),
			"UpdateContactFlowModuleAlias":   of(newModuleAlias, given("Name", func(_ testing.TB, w *world) any { return *w.alias() })),
			"DeleteContactFlowModuleAlias":   of(newModuleAlias),

			"AssociateFlow":           of(with("ResourceId", always(smsNumber))),
			"GetFlowAssociation":      of(newFlowAssociation),
			"DisassociateFlow":        of(newFlowAssociation),
			"BatchGetFlowAssociation": of(with("ResourceIds", always([]any{smsNumber}))),
		},
		literals: map[string]any{"AliasName": "live"}, // where a name of another kind would have a space
		examples: map[string]example{
			"ContactFlowModuleAlias":       {"an-alias", "-no-alias"},
			"ContactFlowModuleDescription": {"A description", "   "},
			"ContactFlowModuleName":        {"A name", "   "},
			"FlowContentSha256":            {flowSHA256, "-" + flowSHA256[1:]},
			"FlowModuleContentSha256":      {flowSHA256, "-" + flowSHA256[1:]},
		},
		noARN: []string{"AliasId"},
	})
	merge(pagedOperations, map[string]paged{
		"ListContactFlows":         {contactFlow, "Id", "DeleteContactFlow", "ContactFlowId"},
		"SearchContactFlows":       {contactFlow, "Id", "DeleteContactFlow", "ContactFlowId"},
		"ListContactFlowModules":   {contactFlowModule, "Id", "DeleteContactFlowModule", "ContactFlowModuleId"},
		"SearchContactFlowModules": {contactFlowModule, "Id", "DeleteContactFlowModule", "ContactFlowModuleId"},
	})
	merge(fewOperations, map[string]string{
		"ListContactFlowVersions":       "versions of one flow",
		"ListContactFlowModuleVersions": "versions of one module",
		"ListContactFlowModuleAliases":  "aliases of one module",
		"ListFlowAssociations":          "computed: of what the instance and its phone numbers say",
	})
}

func newFlow(ctx context.Context, w *world, c *connect.Client, t types.ContactFlowType) (*string, error) {
	out, err := c.CreateContactFlow(ctx, &connect.CreateContactFlowInput{
		InstanceId: &w.instance, Name: w.name(), Type: t, Content: aws.String(flowContent),
	})
	if err != nil {
		return nil, err
	}
	return out.ContactFlowId, nil
}

// newCampaign is a flow of the type that has versions.
func newCampaign(t testing.TB, w *world) any {
	id, err := newFlow(context.Background(), w, w.server.Connect, types.ContactFlowTypeCampaign)
	if err != nil {
		t.Fatal(err)
	}
	return *id
}

func newFlowVersion(t testing.TB, w *world, in object, _ style) {
	id := newCampaign(t, w).(string)
	out, err := w.server.Connect.CreateContactFlowVersion(context.Background(), &connect.CreateContactFlowVersionInput{InstanceId: &w.instance, ContactFlowId: &id})
	if err != nil {
		t.Fatal(err)
	}
	in["ContactFlowId"], in["ContactFlowVersion"] = id, float64(*out.Version)
}

func newModuleVersion(t testing.TB, w *world, in object, _ style) {
	id := w.fresh(t, contactFlowModule)
	out, err := w.server.Connect.CreateContactFlowModuleVersion(context.Background(), &connect.CreateContactFlowModuleVersionInput{InstanceId: &w.instance, ContactFlowModuleId: &id})
	if err != nil {
		t.Fatal(err)
	}
	in["ContactFlowModuleId"], in["ContactFlowModuleVersion"] = id, float64(*out.Version)
}

// newModuleAlias names an alias of a new module; a version that the request
// names is one of it.
func newModuleAlias(t testing.TB, w *world, in object, how style) {
	named := object{}
	newModuleVersion(t, w, named, how)
	id := named["ContactFlowModuleId"].(string)
	out, err := w.server.Connect.CreateContactFlowModuleAlias(context.Background(), &connect.CreateContactFlowModuleAliasInput{
		InstanceId: &w.instance, ContactFlowModuleId: &id, AliasName: w.alias(), ContactFlowModuleVersion: aws.Int64(1),
	})
	if err != nil {
		t.Fatal(err)
	}
	in["ContactFlowModuleId"], in["AliasId"] = id, *out.Id
	if _, has := in["ContactFlowModuleVersion"]; has {
		in["ContactFlowModuleVersion"] = named["ContactFlowModuleVersion"]
	}
}

// newFlowAssociation names something of another service that runs a flow.
func newFlowAssociation(t testing.TB, w *world, in object, _ style) {
	_, err := w.server.Connect.AssociateFlow(context.Background(), &connect.AssociateFlowInput{
		InstanceId: &w.instance, ResourceId: aws.String(smsNumber), FlowId: aws.String(w.shared(t, contactFlow)),
		ResourceType: types.FlowAssociationResourceTypeSmsPhoneNumber,
	})
	if err != nil {
		t.Fatal(err)
	}
	in["ResourceId"], in["ResourceType"] = smsNumber, "SMS_PHONE_NUMBER"
}
