package tasks

import (
	"context"
	"slices"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/connect"
	"github.com/aws/aws-sdk-go-v2/service/connect/types"

	"ringdown/internal/catalog"
	"ringdown/internal/domain"
	"ringdown/internal/fault"
	"ringdown/internal/store"
)

// taskTemplateQuota: admin guide, "Amazon Connect feature specifications".
const taskTemplateQuota = 50

// A template names flows and a quick connect, which may be deleted nevertheless
// (neither DeleteContactFlow nor DeleteQuickConnect has a
// ResourceInUseException), so it has no references that hold them.
var taskTemplateKind = catalog.Kind[domain.TaskTemplate]{
	Of:    domain.KindTaskTemplate,
	Name:  func(e *domain.TaskTemplate) string { return e.Name },
	Check: (*domain.TaskTemplate).Check,
	Quota: taskTemplateQuota,
}

// CreateTaskTemplate adds a template, ACTIVE unless the request says otherwise.
// What is wrong with its properties is told in one PropertyValidationException.
func (t *Tasks) CreateTaskTemplate(ctx context.Context, in *connect.CreateTaskTemplateInput) (*connect.CreateTaskTemplateOutput, error) {
	sc, err := t.catalog.Scope(ctx, in.InstanceId)
	if err != nil {
		return nil, err
	}
	return catalog.Once(ctx, t.catalog, sc, "CreateTaskTemplate", in.ClientToken, in, func(tx store.Tx) (*connect.CreateTaskTemplateOutput, error) {
		e := &domain.TaskTemplate{Name: *in.Name, Status: types.TaskTemplateStatusActive}
		if err := setTemplate(ctx, tx, sc, e, templateMembers(in)); err != nil {
			return nil, err
		}
		made, err := t.templates.Insert(ctx, tx, sc, e, nil)
		if err != nil {
			return nil, nameTaken(err)
		}
		return &connect.CreateTaskTemplateOutput{Id: &made.ID, Arn: made.ARN(sc)}, nil
	})
}

// templateMembers are the members of a new template that can be changed later.
func templateMembers(in *connect.CreateTaskTemplateInput) *connect.UpdateTaskTemplateInput {
	return &connect.UpdateTaskTemplateInput{
		Description: in.Description, ContactFlowId: in.ContactFlowId, SelfAssignFlowId: in.SelfAssignFlowId,
		Status: in.Status, Fields: in.Fields, Constraints: in.Constraints, Defaults: in.Defaults,
	}
}

// setTemplate changes the members of a template that a request has. Lists and
// structures take the place of the former as a whole; an empty flow id takes
// the flow away.
func setTemplate(ctx context.Context, rd store.Reader, sc catalog.Scope, e *domain.TaskTemplate, in *connect.UpdateTaskTemplateInput) error {
	if in.Name != nil {
		e.Name = *in.Name
	}
	if in.Description != nil {
		e.Description = *in.Description
	}
	if in.Status != "" {
		e.Status = in.Status
	}
	if in.Fields != nil {
		e.Fields = in.Fields
	}
	if in.Constraints != nil {
		e.Constraints = in.Constraints
	}
	if in.Defaults != nil {
		e.Defaults = in.Defaults
	}
	for to, given := range map[*domain.ContactFlowID]*string{&e.ContactFlowID: in.ContactFlowId, &e.SelfAssignFlowID: in.SelfAssignFlowId} {
		if given == nil {
			continue
		}
		if *to = ""; *given == "" {
			continue
		}
		id, err := catalog.Existing(ctx, rd, sc, domain.KindContactFlow, *given)
		if err != nil {
			return err
		}
		*to = domain.ContactFlowID(id)
	}
	return checkQuickConnect(ctx, rd, sc, e)
}

// checkQuickConnect checks that the quick connect that a template presets is
// there at this moment.
func checkQuickConnect(ctx context.Context, rd store.Reader, sc catalog.Scope, e *domain.TaskTemplate) error {
	field := e.FieldOf(types.TaskTemplateFieldTypeQuickConnect)
	if field == nil || e.Defaults == nil {
		return nil
	}
	i := slices.IndexFunc(e.Defaults.DefaultFieldValues, func(d types.TaskTemplateDefaultFieldValue) bool {
		return aws.ToString(d.DefaultValue) != "" && d.Id != nil && aws.ToString(d.Id.Name) == aws.ToString(field.Id.Name)
	})
	if i < 0 {
		return nil
	}
	_, err := catalog.Existing(ctx, rd, sc, domain.KindQuickConnect, *e.Defaults.DefaultFieldValues[i].DefaultValue)
	return err
}

// nameTaken says of a name that another template has that it is a problem of
// that property.
func nameTaken(err error) error {
	if fault.Is(err, fault.DuplicateResource) {
		return domain.PropertyProblem("Name", types.PropertyValidationExceptionReasonResourceNameAlreadyExists, "is the name of another task template")
	}
	return err
}

// GetTaskTemplate returns a template. Snapshots are made of a template when a
// task is; of a template without tasks there is none.
func (t *Tasks) GetTaskTemplate(ctx context.Context, in *connect.GetTaskTemplateInput) (*connect.GetTaskTemplateOutput, error) {
	sc, err := t.catalog.Scope(ctx, in.InstanceId)
	if err != nil {
		return nil, err
	}
	i, err := t.templates.Get(ctx, sc, *in.TaskTemplateId)
	if err != nil {
		return nil, err
	}
	if version := aws.ToString(in.SnapshotVersion); version != "" {
		return nil, fault.New(fault.ResourceNotFound, "TaskTemplate %s has no snapshot %s.", i.ID, version)
	}
	e := &i.Value
	return &connect.GetTaskTemplateOutput{
		Id: &i.ID, Arn: i.ARN(sc), InstanceId: aws.String(string(sc.ID)),
		Name: &e.Name, Description: catalog.Optional(e.Description), Status: e.Status,
		ContactFlowId: catalog.Optional(e.ContactFlowID), SelfAssignFlowId: catalog.Optional(e.SelfAssignFlowID),
		Fields: e.Fields, Constraints: e.Constraints, Defaults: e.Defaults,
		CreatedTime: &i.Created, LastModifiedTime: &i.Modified, Tags: i.TagMap(),
	}, nil
}

// UpdateTaskTemplate changes the members that the request has and answers with
// the whole template.
func (t *Tasks) UpdateTaskTemplate(ctx context.Context, in *connect.UpdateTaskTemplateInput) (*connect.UpdateTaskTemplateOutput, error) {
	sc, err := t.catalog.Scope(ctx, in.InstanceId)
	if err != nil {
		return nil, err
	}
	var i *catalog.Item[domain.TaskTemplate]
	err = t.catalog.Store().Update(ctx, func(tx store.Tx) error {
		err := t.templates.Change(ctx, tx, sc, *in.TaskTemplateId, func(e *domain.TaskTemplate) error {
			return setTemplate(ctx, tx, sc, e, in)
		})
		if err != nil {
			return nameTaken(err)
		}
		i, err = t.templates.GetIn(ctx, tx, sc, *in.TaskTemplateId)
		return err
	})
	if err != nil {
		return nil, err
	}
	e := &i.Value
	return &connect.UpdateTaskTemplateOutput{
		Id: &i.ID, Arn: i.ARN(sc), InstanceId: aws.String(string(sc.ID)),
		Name: &e.Name, Description: catalog.Optional(e.Description), Status: e.Status,
		ContactFlowId: catalog.Optional(e.ContactFlowID), SelfAssignFlowId: catalog.Optional(e.SelfAssignFlowID),
		Fields: e.Fields, Constraints: e.Constraints, Defaults: e.Defaults,
		CreatedTime: &i.Created, LastModifiedTime: &i.Modified,
	}, nil
}

// DeleteTaskTemplate removes a template.
func (t *Tasks) DeleteTaskTemplate(ctx context.Context, in *connect.DeleteTaskTemplateInput) (*connect.DeleteTaskTemplateOutput, error) {
	sc, err := t.catalog.Scope(ctx, in.InstanceId)
	if err != nil {
		return nil, err
	}
	return nil, t.templates.Delete(ctx, sc, *in.TaskTemplateId, nil)
}

// unpaged is a page size that no list reaches.
const unpaged = 1 << 30

// ListTaskTemplates lists the templates of a name and a status, each if the
// request has it. Without MaxResults all are on one page: the service says that
// it never answers with a NextToken (AWS API reference, ListTaskTemplates).
func (t *Tasks) ListTaskTemplates(ctx context.Context, in *connect.ListTaskTemplatesInput) (*connect.ListTaskTemplatesOutput, error) {
	sc, err := t.catalog.Scope(ctx, in.InstanceId)
	if err != nil {
		return nil, err
	}
	page := catalog.Page{MaxResults: in.MaxResults, NextToken: in.NextToken, Default: unpaged}
	found, next, err := t.templates.ListWhere(ctx, sc, page, func(i *catalog.Item[domain.TaskTemplate]) bool {
		return (in.Name == nil || i.Value.Name == *in.Name) && (in.Status == "" || i.Value.Status == in.Status)
	})
	if err != nil {
		return nil, err
	}
	return &connect.ListTaskTemplatesOutput{
		NextToken: next,
		TaskTemplates: catalog.Map(found, func(i *catalog.Item[domain.TaskTemplate]) types.TaskTemplateMetadata {
			return types.TaskTemplateMetadata{
				Id: &i.ID, Arn: i.ARN(sc), Name: &i.Value.Name, Description: catalog.Optional(i.Value.Description),
				Status: i.Value.Status, CreatedTime: &i.Created, LastModifiedTime: &i.Modified,
			}
		}),
	}, nil
}
