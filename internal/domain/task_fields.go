package domain

import (
	"maps"
	"slices"
	"strconv"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/connect/types"

	"ringdown/internal/fault"
)

// TaskFields are what a task is made of, for the fields of its template.
type TaskFields struct {
	Name, Description string
	ScheduledAt       time.Time // zero: at once
	ExpiryMinutes     int       // 0: as long as tasks last by default
	// References hold the fields that stand for no property of the task, by the
	// name of the field.
	References map[string]types.Reference
}

// MaxTaskMinutes is how long a task may last, 90 days (administrator guide,
// "Concepts: Tasks in Amazon Connect").
const MaxTaskMinutes = 90 * 24 * 60

// referenceTypes are the types of the references that hold fields.
var referenceTypes = map[types.TaskTemplateFieldType]types.ReferenceType{
	types.TaskTemplateFieldTypeText:         types.ReferenceTypeString,
	types.TaskTemplateFieldTypeTextArea:     types.ReferenceTypeString,
	types.TaskTemplateFieldTypeSingleSelect: types.ReferenceTypeString,
	types.TaskTemplateFieldTypeBoolean:      types.ReferenceTypeString,
	types.TaskTemplateFieldTypeNumber:       types.ReferenceTypeNumber,
	types.TaskTemplateFieldTypeUrl:          types.ReferenceTypeUrl,
	types.TaskTemplateFieldTypeEmail:        types.ReferenceTypeEmail,
	types.TaskTemplateFieldTypeDateTime:     types.ReferenceTypeDate,
}

// Fill puts the template's defaults where a task has nothing, and checks what it
// has: required fields are there, read-only ones have their default, and values
// fit their fields. Fields for quick connects and self-assignment are for agents
// and are left alone. An InvalidRequestException names the field. Given is not
// changed.
func (t *TaskTemplate) Fill(given TaskFields) (TaskFields, error) {
	out := given
	out.References = maps.Clone(given.References)
	if out.References == nil {
		out.References = map[string]types.Reference{}
	}
	for i := range t.Fields {
		f := &t.Fields[i]
		if f.Type == types.TaskTemplateFieldTypeQuickConnect || f.Type == types.TaskTemplateFieldTypeSelfAssign {
			continue
		}
		name, preset := *f.Id.Name, t.preset(f)
		value, err := out.field(f)
		if err != nil {
			return out, err
		}
		switch {
		case value == "" && preset != "":
			value = preset
			out.set(f, value)
		case value == "" && t.requires(name):
			return out, fault.New(fault.InvalidRequest, "The task template requires the field %q.", name)
		case value != "" && value != preset && t.readOnly(name):
			return out, fault.New(fault.InvalidRequest, "The field %q of the task template is read-only.", name)
		}
		if value == "" {
			continue
		}
		if want := misfit(f, value); want != "" {
			return out, fault.New(fault.InvalidRequest, "The field %q of the task template must be %s.", name, want)
		}
	}
	return out, nil
}

// preset is the default value of a field, "" for none.
func (t *TaskTemplate) preset(f *types.TaskTemplateField) string {
	if t.Defaults == nil {
		return ""
	}
	for _, d := range t.Defaults.DefaultFieldValues {
		if d.DefaultValue != nil && *d.Id.Name == *f.Id.Name {
			return *d.DefaultValue
		}
	}
	return ""
}

func (t *TaskTemplate) requires(field string) bool {
	return t.Constraints != nil && slices.ContainsFunc(t.Constraints.RequiredFields, func(f types.RequiredFieldInfo) bool { return *f.Id.Name == field })
}

func (t *TaskTemplate) readOnly(field string) bool {
	return t.Constraints != nil && slices.ContainsFunc(t.Constraints.ReadOnlyFields, func(f types.ReadOnlyFieldInfo) bool { return *f.Id.Name == field })
}

// field is what the task has for a field, "" for nothing.
func (v *TaskFields) field(f *types.TaskTemplateField) (string, error) {
	switch f.Type {
	case types.TaskTemplateFieldTypeName:
		return v.Name, nil
	case types.TaskTemplateFieldTypeDescription:
		return v.Description, nil
	case types.TaskTemplateFieldTypeScheduledTime:
		if v.ScheduledAt.IsZero() {
			return "", nil
		}
		return strconv.FormatInt(v.ScheduledAt.Unix(), 10), nil
	case types.TaskTemplateFieldTypeExpiryDuration:
		if v.ExpiryMinutes == 0 {
			return "", nil
		}
		return strconv.Itoa(v.ExpiryMinutes), nil
	default:
		r, has := v.References[*f.Id.Name]
		if !has || r.Value == nil {
			return "", nil
		}
		if want := referenceTypes[f.Type]; r.Type != want {
			return "", fault.New(fault.InvalidRequest, "The reference %q must be of the type %s, for the field of the task template is of the type %s.", *f.Id.Name, want, f.Type)
		}
		return *r.Value, nil
	}
}

// set gives the task a value that the template has been checked for.
func (v *TaskFields) set(f *types.TaskTemplateField, value string) {
	switch f.Type {
	case types.TaskTemplateFieldTypeName:
		v.Name = value
	case types.TaskTemplateFieldTypeDescription:
		v.Description = value
	case types.TaskTemplateFieldTypeScheduledTime:
		if epoch, err := strconv.ParseInt(value, 10, 64); err == nil {
			v.ScheduledAt = time.Unix(epoch, 0).UTC()
		} else if at, err := time.Parse(time.RFC3339, value); err == nil {
			v.ScheduledAt = at.UTC()
		}
	case types.TaskTemplateFieldTypeExpiryDuration:
		v.ExpiryMinutes, _ = strconv.Atoi(value)
	default:
		v.References[*f.Id.Name] = types.Reference{Type: referenceTypes[f.Type], Value: &value}
	}
}
