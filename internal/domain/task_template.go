package domain

import (
	"fmt"
	"net/mail"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/aws/aws-sdk-go-v2/service/connect/types"

	"ringdown/internal/fault"
)

// TaskTemplate says which fields a task has, and which flow it runs.
type TaskTemplate struct {
	Name        string
	Description string `json:",omitempty"`
	Status      types.TaskTemplateStatus
	// ContactFlowID and SelfAssignFlowID may name flows that are no more:
	// deleting a flow leaves the templates that name it behind.
	ContactFlowID    ContactFlowID `json:",omitempty"`
	SelfAssignFlowID ContactFlowID `json:",omitempty"`
	Fields           []types.TaskTemplateField
	Constraints      *types.TaskTemplateConstraints `json:",omitempty"`
	Defaults         *types.TaskTemplateDefaults    `json:",omitempty"`
}

// The bounds of a template: AWS CloudFormation user guide,
// AWS::Connect::TaskTemplate; of texts, AWS API reference,
// UpdateContactTaskTemplate and StartTaskContact.
const (
	maxTemplateFields = 50
	maxSelectOptions  = 50
	maxTaskText       = 512
	maxTaskTextArea   = 4096
)

// onceInTemplate are the types of fields that stand for a property of the task
// itself, so that a template has one of each at most.
var onceInTemplate = []types.TaskTemplateFieldType{
	types.TaskTemplateFieldTypeName, types.TaskTemplateFieldTypeDescription, types.TaskTemplateFieldTypeScheduledTime,
	types.TaskTemplateFieldTypeQuickConnect, types.TaskTemplateFieldTypeSelfAssign, types.TaskTemplateFieldTypeExpiryDuration,
}

// PropertyProblem is a PropertyValidationException about one property.
func PropertyProblem(path string, reason types.PropertyValidationExceptionReason, format string, args ...any) error {
	var p properties
	p.add(path, reason, format, args...)
	return p.fault()
}

// properties gathers what is wrong with the properties of a resource.
type properties []types.PropertyValidationExceptionProperty

func (p *properties) add(path string, reason types.PropertyValidationExceptionReason, format string, args ...any) {
	*p = append(*p, types.PropertyValidationExceptionProperty{
		PropertyPath: &path, Reason: reason, Message: new(fmt.Sprintf(format, args...)),
	})
}

// fault is nil when nothing is wrong.
func (p properties) fault() error {
	if len(p) == 0 {
		return nil
	}
	words := make([]string, len(p))
	for i, one := range p {
		words[i] = *one.PropertyPath + " " + *one.Message
	}
	return fault.New(fault.PropertyValidation, "%s", strings.Join(words, "; ")).
		With("PropertyList", []types.PropertyValidationExceptionProperty(p))
}

// Check answers with a PropertyValidationException that lists every property
// that breaks a rule.
func (t *TaskTemplate) Check() error {
	var p properties
	fields := t.checkFields(&p)
	if t.Status == types.TaskTemplateStatusActive && t.ContactFlowID == "" && t.FieldOf(types.TaskTemplateFieldTypeQuickConnect) == nil {
		p.add("ContactFlowId", types.PropertyValidationExceptionReasonRequiredPropertyMissing,
			"is required for an ACTIVE template without a field of type QUICK_CONNECT")
	}
	if c := t.Constraints; c != nil {
		checkNamed(&p, fields, "Constraints.RequiredFields", c.RequiredFields, func(f types.RequiredFieldInfo) *types.TaskTemplateFieldIdentifier { return f.Id })
		checkNamed(&p, fields, "Constraints.ReadOnlyFields", c.ReadOnlyFields, func(f types.ReadOnlyFieldInfo) *types.TaskTemplateFieldIdentifier { return f.Id })
		checkNamed(&p, fields, "Constraints.InvisibleFields", c.InvisibleFields, func(f types.InvisibleFieldInfo) *types.TaskTemplateFieldIdentifier { return f.Id })
	}
	if d := t.Defaults; d != nil {
		const list = "Defaults.DefaultFieldValues"
		named := checkNamed(&p, fields, list, d.DefaultFieldValues, func(f types.TaskTemplateDefaultFieldValue) *types.TaskTemplateFieldIdentifier { return f.Id })
		for i, f := range named {
			value := d.DefaultFieldValues[i].DefaultValue
			if f == nil || value == nil || *value == "" {
				continue
			}
			if want := misfit(f, *value); want != "" {
				p.add(fmt.Sprintf("%s[%d].DefaultValue", list, i), types.PropertyValidationExceptionReasonInvalidFormat,
					"must be %s, for the field %q is of type %s", want, *f.Id.Name, f.Type)
			}
		}
	}
	return p.fault()
}

// FieldOf is the field of a type of which a template has one at most; nil when
// it has none.
func (t *TaskTemplate) FieldOf(kind types.TaskTemplateFieldType) *types.TaskTemplateField {
	i := slices.IndexFunc(t.Fields, func(f types.TaskTemplateField) bool { return f.Type == kind })
	if i < 0 {
		return nil
	}
	return &t.Fields[i]
}

// checkFields returns the fields by name.
func (t *TaskTemplate) checkFields(p *properties) map[string]*types.TaskTemplateField {
	if n := len(t.Fields); n > maxTemplateFields {
		p.add("Fields", types.PropertyValidationExceptionReasonNotSupported, "must include at most %d items, it has %d", maxTemplateFields, n)
	}
	if t.FieldOf(types.TaskTemplateFieldTypeName) == nil {
		p.add("Fields", types.PropertyValidationExceptionReasonRequiredPropertyMissing, "must include a field of type NAME")
	}
	byName := make(map[string]*types.TaskTemplateField, len(t.Fields))
	for i := range t.Fields {
		f := &t.Fields[i]
		path := fmt.Sprintf("Fields[%d]", i)
		switch {
		case f.Id.Name == nil:
			p.add(path+".Id.Name", types.PropertyValidationExceptionReasonRequiredPropertyMissing, "is required")
		case byName[*f.Id.Name] != nil:
			p.add(path+".Id.Name", types.PropertyValidationExceptionReasonUniqueConstraintViolated, "%q is the name of another field", *f.Id.Name)
		default:
			byName[*f.Id.Name] = f
		}
		if f.Type == "" {
			p.add(path+".Type", types.PropertyValidationExceptionReasonRequiredPropertyMissing, "is required")
		}
		if slices.Contains(onceInTemplate, f.Type) && t.FieldOf(f.Type) != f {
			p.add(path+".Type", types.PropertyValidationExceptionReasonUniqueConstraintViolated, "%s is the type of another field", f.Type)
		}
		checkOptions(p, path+".SingleSelectOptions", f)
	}
	return byName
}

func checkOptions(p *properties, path string, f *types.TaskTemplateField) {
	n := len(f.SingleSelectOptions)
	switch {
	case f.Type != types.TaskTemplateFieldTypeSingleSelect:
		if n > 0 {
			p.add(path, types.PropertyValidationExceptionReasonNotSupported, "is for fields of type SINGLE_SELECT only")
		}
		return
	case n == 0:
		p.add(path, types.PropertyValidationExceptionReasonRequiredPropertyMissing, "is required for a field of type SINGLE_SELECT")
	case n > maxSelectOptions:
		p.add(path, types.PropertyValidationExceptionReasonNotSupported, "must include at most %d items, it has %d", maxSelectOptions, n)
	}
	for i, o := range f.SingleSelectOptions {
		if slices.Contains(f.SingleSelectOptions[:i], o) {
			p.add(fmt.Sprintf("%s[%d]", path, i), types.PropertyValidationExceptionReasonUniqueConstraintViolated, "%q is given twice", o)
		}
	}
}

// checkNamed checks that each item of a list names another field, and returns
// these fields; nil where there is none.
func checkNamed[T any](p *properties, fields map[string]*types.TaskTemplateField, path string, list []T, id func(T) *types.TaskTemplateFieldIdentifier) []*types.TaskTemplateField {
	named := make([]*types.TaskTemplateField, len(list))
	for i, item := range list {
		at := fmt.Sprintf("%s[%d].Id.Name", path, i)
		if id(item) == nil || id(item).Name == nil {
			p.add(at, types.PropertyValidationExceptionReasonRequiredPropertyMissing, "is required")
			continue
		}
		name := *id(item).Name
		f := fields[name]
		switch {
		case f == nil:
			p.add(at, types.PropertyValidationExceptionReasonReferencedResourceNotFound, "%q is no field of the template", name)
		case slices.Contains(named[:i], f):
			p.add(at, types.PropertyValidationExceptionReasonUniqueConstraintViolated, "%q is given twice", name)
		default:
			named[i] = f
		}
	}
	return named
}

// misfit says what a default value of a field must be when it is not; "" when
// it fits. That the quick connect of a QUICK_CONNECT field exists is not for
// the entity to know.
func misfit(f *types.TaskTemplateField, value string) string {
	length, most := utf8.RuneCountInString(value), maxTaskTextArea
	ok, want := true, ""
	switch f.Type {
	case types.TaskTemplateFieldTypeName, types.TaskTemplateFieldTypeText:
		most = maxTaskText
	case types.TaskTemplateFieldTypeDescription, types.TaskTemplateFieldTypeTextArea, types.TaskTemplateFieldTypeQuickConnect:
	case types.TaskTemplateFieldTypeNumber:
		_, err := strconv.ParseFloat(value, 64)
		ok, want = err == nil, "a number"
	case types.TaskTemplateFieldTypeBoolean, types.TaskTemplateFieldTypeSelfAssign:
		ok, want = value == "true" || value == "false", "true or false"
	case types.TaskTemplateFieldTypeSingleSelect:
		ok, want = slices.Contains(f.SingleSelectOptions, value), "one of the SingleSelectOptions"
	case types.TaskTemplateFieldTypeEmail:
		_, err := mail.ParseAddress(value)
		ok, want = err == nil, "an e-mail address"
	case types.TaskTemplateFieldTypeUrl:
		u, err := url.Parse(value)
		ok, want = err == nil && u.Scheme != "" && u.Host != "", "a URL with scheme and host"
	case types.TaskTemplateFieldTypeDateTime, types.TaskTemplateFieldTypeScheduledTime:
		_, notISO := time.Parse(time.RFC3339, value)
		_, notEpoch := strconv.ParseInt(value, 10, 64)
		ok, want = notISO == nil || notEpoch == nil, "a time in epoch seconds or ISO 8601"
	case types.TaskTemplateFieldTypeExpiryDuration:
		n, err := strconv.Atoi(value)
		ok, want = err == nil && n > 0, "a whole number of minutes above 0"
	}
	switch {
	case !ok:
		return want
	case length > most:
		return fmt.Sprintf("at most %d characters long", most)
	default:
		return ""
	}
}
