package tasks_test

import (
	"errors"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/connect"
	"github.com/aws/aws-sdk-go-v2/service/connect/types"

	"ringdown/internal/fault"
	"ringdown/internal/server"
	"ringdown/internal/server/servertest"
)

var ok, fails, same = servertest.OK, servertest.Fails, servertest.Same

const unknownID = "00000000-0000-4000-8000-000000000000"

func field(name string, kind types.TaskTemplateFieldType, options ...string) types.TaskTemplateField {
	return types.TaskTemplateField{Id: named(name), Type: kind, SingleSelectOptions: options}
}

func named(name string) *types.TaskTemplateFieldIdentifier {
	return &types.TaskTemplateFieldIdentifier{Name: &name}
}

// defaults presets fields: name, value, name, value …
func defaults(pairs ...string) *types.TaskTemplateDefaults {
	d := &types.TaskTemplateDefaults{}
	for i := 0; i < len(pairs); i += 2 {
		d.DefaultFieldValues = append(d.DefaultFieldValues, types.TaskTemplateDefaultFieldValue{Id: named(pairs[i]), DefaultValue: &pairs[i+1]})
	}
	return d
}

var title = field("Title", types.TaskTemplateFieldTypeName)

type site struct {
	*connect.Client
	t        *testing.T
	id, flow string
}

func newSite(t *testing.T, change ...func(*server.Config)) *site {
	s := servertest.Boot(t, change...)
	id := s.NewInstance(t)
	flows, err := s.Connect.ListContactFlows(t.Context(), &connect.ListContactFlowsInput{InstanceId: &id})
	ok(t, err)
	return &site{s.Connect, t, id, *flows.ContactFlowSummaryList[0].Id}
}

// create makes a template with a title and whatever change adds.
func (s *site) create(name string, change func(*connect.CreateTaskTemplateInput)) (*connect.CreateTaskTemplateOutput, error) {
	in := &connect.CreateTaskTemplateInput{InstanceId: &s.id, Name: &name, ContactFlowId: &s.flow, Fields: []types.TaskTemplateField{title}}
	if change != nil {
		change(in)
	}
	return s.CreateTaskTemplate(s.t.Context(), in)
}

func (s *site) get(id string) *connect.GetTaskTemplateOutput {
	s.t.Helper()
	out, err := s.GetTaskTemplate(s.t.Context(), &connect.GetTaskTemplateInput{InstanceId: &s.id, TaskTemplateId: &id})
	ok(s.t, err)
	return out
}

func TestTaskTemplates(t *testing.T) {
	s := newSite(t)
	token := func(in *connect.CreateTaskTemplateInput) { in.ClientToken = aws.String("once") }
	plain, err := s.create("Plain", token)
	ok(t, err)
	again, err := s.create("Plain", token)
	ok(t, err)
	same(t, "the template of the same token", again.Id, plain.Id)

	got := s.get(*plain.Arn)
	same(t, "a plain template", []any{got.Id, got.Arn, got.InstanceId, got.Name, got.Description, got.Status, got.ContactFlowId, got.SelfAssignFlowId, got.Fields, got.Constraints, got.Defaults, got.Tags},
		[]any{plain.Id, servertest.InstanceARN(s.id) + "/task-template/" + *plain.Id, s.id, "Plain", nil, "ACTIVE", s.flow, nil, []types.TaskTemplateField{title}, nil, nil, object{}})

	fields := []types.TaskTemplateField{
		title, field("To", types.TaskTemplateFieldTypeQuickConnect), field("Colour", types.TaskTemplateFieldTypeSingleSelect, "red", "green"),
	}
	updated, err := s.UpdateTaskTemplate(t.Context(), &connect.UpdateTaskTemplateInput{
		InstanceId: &s.id, TaskTemplateId: plain.Id, Name: aws.String("Fancy"), Description: aws.String("with everything"),
		Status: types.TaskTemplateStatusInactive, ContactFlowId: aws.String(""), SelfAssignFlowId: &s.flow, Fields: fields,
		Constraints: &types.TaskTemplateConstraints{RequiredFields: []types.RequiredFieldInfo{{Id: named("Colour")}}}, Defaults: defaults("Colour", "red"),
	})
	ok(t, err)
	got = s.get(*plain.Id)
	same(t, "the answer to an update", []any{updated.Id, updated.Arn, updated.Name, updated.Description, updated.Status, updated.ContactFlowId, updated.SelfAssignFlowId, updated.Fields, updated.Constraints, updated.Defaults, updated.LastModifiedTime},
		[]any{got.Id, got.Arn, got.Name, got.Description, got.Status, got.ContactFlowId, got.SelfAssignFlowId, got.Fields, got.Constraints, got.Defaults, got.LastModifiedTime})
	same(t, "what an update changed", []any{got.Name, got.Status, got.ContactFlowId, got.SelfAssignFlowId, len(got.Fields)}, []any{"Fancy", "INACTIVE", nil, s.flow, 3})

	_, err = s.UpdateTaskTemplate(t.Context(), &connect.UpdateTaskTemplateInput{InstanceId: &s.id, TaskTemplateId: plain.Id, Fields: []types.TaskTemplateField{title}})
	fails(t, err, fault.PropertyValidation, "Constraints.RequiredFields[0].Id.Name", "Defaults.DefaultFieldValues[0].Id.Name")
	_, err = s.UpdateTaskTemplate(t.Context(), &connect.UpdateTaskTemplateInput{InstanceId: &s.id, TaskTemplateId: aws.String(unknownID)})
	fails(t, err, fault.ResourceNotFound)
	_, err = s.GetTaskTemplate(t.Context(), &connect.GetTaskTemplateInput{InstanceId: &s.id, TaskTemplateId: plain.Id, SnapshotVersion: aws.String("1")})
	fails(t, err, fault.ResourceNotFound, "snapshot")

	_, err = s.DeleteTaskTemplate(t.Context(), &connect.DeleteTaskTemplateInput{InstanceId: &s.id, TaskTemplateId: plain.Id})
	ok(t, err)
	_, err = s.DeleteTaskTemplate(t.Context(), &connect.DeleteTaskTemplateInput{InstanceId: &s.id, TaskTemplateId: plain.Id})
	fails(t, err, fault.ResourceNotFound)
}

type object = map[string]any

// TestTaskTemplateProperties holds each rule to the property and the reason
// that the exception lists.
func TestTaskTemplateProperties(t *testing.T) {
	s := newSite(t)
	_, err := s.create("Taken", nil)
	ok(t, err)
	with := func(fields ...types.TaskTemplateField) func(*connect.CreateTaskTemplateInput) {
		return func(in *connect.CreateTaskTemplateInput) { in.Fields = append(in.Fields, fields...) }
	}
	preset := func(kind types.TaskTemplateFieldType, value string, options ...string) func(*connect.CreateTaskTemplateInput) {
		return func(in *connect.CreateTaskTemplateInput) {
			in.Fields = append(in.Fields, field("X", kind, options...))
			in.Defaults = defaults("X", value)
		}
	}
	many := make([]types.TaskTemplateField, 50)
	options := make([]string, 51)
	for i := range options {
		options[i] = strings.Repeat("o", i+1)
	}
	for i := range many {
		many[i] = field(options[i], types.TaskTemplateFieldTypeText)
	}
	const value = "Defaults.DefaultFieldValues[0].DefaultValue INVALID_FORMAT"
	for what, c := range map[string]struct {
		change func(*connect.CreateTaskTemplateInput)
		want   string // path and reason of each problem; empty for a success
	}{
		"name taken":        {func(in *connect.CreateTaskTemplateInput) { in.Name = aws.String("Taken") }, "Name RESOURCE_NAME_ALREADY_EXISTS"},
		"no field":          {func(in *connect.CreateTaskTemplateInput) { in.Fields = []types.TaskTemplateField{} }, "Fields REQUIRED_PROPERTY_MISSING"},
		"51 fields":         {with(many...), "Fields NOT_SUPPORTED"},
		"no type":           {with(types.TaskTemplateField{Id: named("X")}), "Fields[1].Type REQUIRED_PROPERTY_MISSING"},
		"no name":           {with(types.TaskTemplateField{Id: &types.TaskTemplateFieldIdentifier{}, Type: types.TaskTemplateFieldTypeText}), "Fields[1].Id.Name REQUIRED_PROPERTY_MISSING"},
		"a name twice":      {with(field("Title", types.TaskTemplateFieldTypeText)), "Fields[1].Id.Name UNIQUE_CONSTRAINT_VIOLATED"},
		"two titles":        {with(field("X", types.TaskTemplateFieldTypeName)), "Fields[1].Type UNIQUE_CONSTRAINT_VIOLATED"},
		"no options":        {with(field("X", types.TaskTemplateFieldTypeSingleSelect)), "Fields[1].SingleSelectOptions REQUIRED_PROPERTY_MISSING"},
		"51 options":        {with(field("X", types.TaskTemplateFieldTypeSingleSelect, options...)), "Fields[1].SingleSelectOptions NOT_SUPPORTED"},
		"an option twice":   {with(field("X", types.TaskTemplateFieldTypeSingleSelect, "a", "a")), "Fields[1].SingleSelectOptions[1] UNIQUE_CONSTRAINT_VIOLATED"},
		"options of a text": {with(field("X", types.TaskTemplateFieldTypeText, "a")), "Fields[1].SingleSelectOptions NOT_SUPPORTED"},
		"no flow":           {func(in *connect.CreateTaskTemplateInput) { in.ContactFlowId = nil }, "ContactFlowId REQUIRED_PROPERTY_MISSING"},
		"no flow, inactive": {func(in *connect.CreateTaskTemplateInput) { in.ContactFlowId, in.Status = nil, "INACTIVE" }, ""},
		"no flow, quick connect": {func(in *connect.CreateTaskTemplateInput) {
			in.ContactFlowId = nil
			with(field("To", "QUICK_CONNECT"))(in)
		}, ""},
		"constraints": {func(in *connect.CreateTaskTemplateInput) {
			in.Constraints = &types.TaskTemplateConstraints{
				RequiredFields:  []types.RequiredFieldInfo{{Id: named("Title")}, {Id: named("Title")}},
				ReadOnlyFields:  []types.ReadOnlyFieldInfo{{Id: named("Nowhere")}},
				InvisibleFields: []types.InvisibleFieldInfo{{}},
			}
		}, "Constraints.RequiredFields[1].Id.Name UNIQUE_CONSTRAINT_VIOLATED, Constraints.ReadOnlyFields[0].Id.Name REFERENCED_RESOURCE_NOT_FOUND, Constraints.InvisibleFields[0].Id.Name REQUIRED_PROPERTY_MISSING"},
		"default of no field":   {func(in *connect.CreateTaskTemplateInput) { in.Defaults = defaults("Nowhere", "1") }, "Defaults.DefaultFieldValues[0].Id.Name REFERENCED_RESOURCE_NOT_FOUND"},
		"number":                {preset("NUMBER", "1.5"), ""},
		"no number":             {preset("NUMBER", "one"), value},
		"boolean":               {preset("BOOLEAN", "true"), ""},
		"no boolean":            {preset("BOOLEAN", "yes"), value},
		"self-assign":           {preset("SELF_ASSIGN", "maybe"), value},
		"option":                {preset("SINGLE_SELECT", "a", "a", "b"), ""},
		"no option":             {preset("SINGLE_SELECT", "c", "a", "b"), value},
		"e-mail address":        {preset("EMAIL", "mary@example.com"), ""},
		"no e-mail address":     {preset("EMAIL", "mary"), value},
		"URL":                   {preset("URL", "https://example.com/a"), ""},
		"no URL":                {preset("URL", "example"), value},
		"time":                  {preset("DATE_TIME", "2026-01-01T00:00:00Z"), ""},
		"time in epoch seconds": {preset("SCHEDULED_TIME", "1767225600"), ""},
		"no time":               {preset("DATE_TIME", "tomorrow"), value},
		"duration":              {preset("EXPIRY_DURATION", "60"), ""},
		"no duration":           {preset("EXPIRY_DURATION", "0"), value},
		"text":                  {preset("TEXT", strings.Repeat("ä", 512)), ""},
		"text too long":         {preset("TEXT", strings.Repeat("ä", 513)), value},
		"long text":             {preset("TEXT_AREA", strings.Repeat("ä", 4096)), ""},
		"empty":                 {preset("NUMBER", ""), ""},
	} {
		t.Run(what, func(t *testing.T) {
			_, err := s.create(what, c.change)
			if c.want == "" {
				ok(t, err)
				return
			}
			fails(t, err, fault.PropertyValidation)
			var e *types.PropertyValidationException
			if !errors.As(err, &e) {
				t.Fatalf("%v is no PropertyValidationException", err)
			}
			var got []string
			for _, p := range e.PropertyList {
				got = append(got, *p.PropertyPath+" "+string(p.Reason))
				if aws.ToString(p.Message) == "" || !strings.Contains(e.ErrorMessage(), *p.PropertyPath+" "+*p.Message) {
					t.Errorf("the problem of %s is not told: %s", *p.PropertyPath, e.ErrorMessage())
				}
			}
			same(t, "the list of properties", strings.Join(got, ", "), c.want)
		})
	}
}

// TestTaskTemplateReferences deletes what a template names, which the service
// allows, and tags the template.
func TestTaskTemplateReferences(t *testing.T) {
	s := newSite(t)
	for what, change := range map[string]func(*connect.CreateTaskTemplateInput){
		"flow":             func(in *connect.CreateTaskTemplateInput) { in.ContactFlowId = aws.String(unknownID) },
		"self-assign flow": func(in *connect.CreateTaskTemplateInput) { in.SelfAssignFlowId = aws.String(unknownID) },
		"quick connect": func(in *connect.CreateTaskTemplateInput) {
			in.Fields = append(in.Fields, field("To", types.TaskTemplateFieldTypeQuickConnect))
			in.Defaults = defaults("To", unknownID)
		},
	} {
		_, err := s.create(what, change)
		fails(t, err, fault.ResourceNotFound, unknownID)
	}
	quick, err := s.CreateQuickConnect(t.Context(), &connect.CreateQuickConnectInput{
		InstanceId: &s.id, Name: aws.String("Quick"), QuickConnectConfig: &types.QuickConnectConfig{
			QuickConnectType: types.QuickConnectTypePhoneNumber, PhoneConfig: &types.PhoneNumberQuickConnectConfig{PhoneNumber: aws.String("+15555550100")},
		},
	})
	ok(t, err)
	out, err := s.create("Template", func(in *connect.CreateTaskTemplateInput) {
		in.Fields = append(in.Fields, field("To", types.TaskTemplateFieldTypeQuickConnect))
		in.Defaults = defaults("To", *quick.QuickConnectId)
	})
	ok(t, err)
	_, err = s.DeleteQuickConnect(t.Context(), &connect.DeleteQuickConnectInput{InstanceId: &s.id, QuickConnectId: quick.QuickConnectId})
	ok(t, err)
	same(t, "the default", s.get(*out.Id).Defaults, defaults("To", *quick.QuickConnectId))

	tags := map[string]string{"Team": "A"}
	_, err = s.TagResource(t.Context(), &connect.TagResourceInput{ResourceArn: out.Arn, Tags: tags})
	ok(t, err)
	same(t, "tags", s.get(*out.Id).Tags, tags)
}

func TestListTaskTemplates(t *testing.T) {
	s := newSite(t)
	var ids []string
	for _, name := range []string{"A", "B", "C", "D", "E"} {
		out, err := s.create(name, func(in *connect.CreateTaskTemplateInput) {
			if name == "B" {
				in.Status, in.Description = types.TaskTemplateStatusInactive, aws.String("second")
			}
		})
		ok(t, err)
		ids = append(ids, *out.Id)
	}
	list := func(in connect.ListTaskTemplatesInput) (found []string) {
		in.InstanceId = &s.id
		out, err := s.ListTaskTemplates(t.Context(), &in)
		ok(t, err)
		for _, i := range out.TaskTemplates {
			found = append(found, *i.Id)
		}
		if out.NextToken != nil {
			t.Error("a list without MaxResults has a next page")
		}
		return found
	}
	same(t, "all", list(connect.ListTaskTemplatesInput{}), ids)
	same(t, "by name", list(connect.ListTaskTemplatesInput{Name: aws.String("C")}), ids[2:3])
	same(t, "by status", list(connect.ListTaskTemplatesInput{Status: types.TaskTemplateStatusInactive}), ids[1:2])

	pages := servertest.Pages(t, func(token *string) (page []string, next *string, err error) {
		out, err := s.ListTaskTemplates(t.Context(), &connect.ListTaskTemplatesInput{InstanceId: &s.id, MaxResults: aws.Int32(2), NextToken: token})
		ok(t, err)
		for _, i := range out.TaskTemplates {
			page = append(page, *i.Id)
		}
		return page, out.NextToken, nil
	})
	same(t, "pages", pages, servertest.InPages(ids, 2))

	b := s.get(ids[1])
	out, err := s.ListTaskTemplates(t.Context(), &connect.ListTaskTemplatesInput{InstanceId: &s.id, Name: aws.String("B")})
	ok(t, err)
	same(t, "a template in a list", out.TaskTemplates[0], types.TaskTemplateMetadata{
		Id: b.Id, Arn: b.Arn, Name: b.Name, Description: b.Description, Status: b.Status, CreatedTime: b.CreatedTime, LastModifiedTime: b.LastModifiedTime,
	})
}

func TestTaskTemplateQuota(t *testing.T) {
	s := newSite(t, func(c *server.Config) { c.Quotas = true })
	for i := range 50 {
		_, err := s.create(strings.Repeat("n", i+1), nil)
		ok(t, err)
	}
	_, err := s.create("one too many", nil)
	fails(t, err, fault.ServiceQuotaExceeded, "50")
}
