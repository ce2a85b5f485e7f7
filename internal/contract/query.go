package contract

import (
	"bytes"
	"encoding/xml"
	"fmt"
	"net/url"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"time"

	"ringdown/internal/fault"
)

// STS speaks the older query protocol: a form with Action and Version goes to
// POST /, and XML comes back (https://smithy.io, "AWS query protocol"). In the
// form a member of a structure is NAME.MEMBER and an item of a list
// NAME.member.NUMBER, the first being number 1.

// QueryOperation finds an operation of a query service by the Action of a
// form. Nil means that there is none.
func (a *API) QueryOperation(form url.Values) *Operation {
	for _, svc := range a.services {
		if svc.Protocol == "query" {
			if op := svc.operations[form.Get("Action")]; op != nil {
				return op
			}
		}
	}
	return nil
}

// DecodeForm reads and checks the input of a query operation from its form.
// Like that of Decode the input is never nil, and the error names each member
// and the rule it breaks; it is a ValidationError.
func (op *Operation) DecodeForm(form url.Values) (any, error) {
	v := reflect.New(op.in.typ)
	d := decoders.Get().(*decoder)
	defer d.release()
	d.problems = d.problems[:0]
	d.formStructure(op.in.root, v.Elem(), newForm(op.in.root, form), nil)
	if len(d.problems) > 0 {
		return v.Interface(), fault.New(fault.ValidationError, "%s", strings.Join(d.problems, "; "))
	}
	return v.Interface(), nil
}

// Bounds of a form. No input of the model is deeper than three parts
// (Tags.member.1.Key has four, one of them the word) or has a list of more items
// than maxItems.
const (
	maxFormParts = 8
	maxItems     = 1000
)

// formNode is a form as the tree that its keys describe.
type formNode struct {
	values   []string
	children map[string]*formNode
}

// newForm sorts a form by the parts of its keys. Keys that begin with no member
// of the input are ignored, as unknown members are elsewhere.
func newForm(root *node, form url.Values) *formNode {
	top := &formNode{}
	for key, values := range form {
		first, _, _ := strings.Cut(key, ".")
		if _, known := root.byName[first]; !known || strings.Count(key, ".") >= maxFormParts {
			continue
		}
		at := top
		for part := range strings.SplitSeq(key, ".") {
			next := at.children[part]
			if next == nil {
				next = &formNode{}
				if at.children == nil {
					at.children = map[string]*formNode{}
				}
				at.children[part] = next
			}
			at = next
		}
		at.values = values
	}
	return top
}

func (d *decoder) formStructure(n *node, v reflect.Value, form *formNode, at *path) {
	for i := range n.fields {
		f := &n.fields[i]
		here := &path{outer: at, name: f.name, index: -1}
		given := form.children[f.name]
		if given == nil {
			if f.required {
				d.problem(here, "is required")
			}
			continue
		}
		target := v.Field(f.index)
		if f.pointer {
			target.Set(reflect.New(f.node.typ))
			target = target.Elem()
		}
		d.formValue(f.node, target, given, here)
	}
}

// formValue reads one value. Of a scalar that is given more than once the first
// counts.
func (d *decoder) formValue(n *node, v reflect.Value, form *formNode, at *path) {
	switch n.kind {
	case structureNode:
		if len(form.values) > 0 && len(form.children) == 0 {
			d.problem(at, "must be given by its members")
			return
		}
		d.formStructure(n, v, form, at)
	case listNode:
		d.formList(n, v, form, at)
	default:
		if len(form.values) == 0 {
			d.problem(at, "must be a single value")
			return
		}
		d.text(n, v, form.values[0], at)
	}
}

// formList reads NAME.member.1 and so on, in the order of the numbers. An empty
// list is NAME with nothing in it, which is how AWS's clients send one.
func (d *decoder) formList(n *node, v reflect.Value, form *formNode, at *path) {
	if len(form.values) > 0 && (form.values[0] != "" || len(form.children) > 0) {
		d.problem(at, "must be given as %s.member.1 and so on", at)
		return
	}
	numbers, ok := form.numbers()
	if !ok {
		d.problem(at, "must be given as %s.member.1 and so on", at)
		return
	}
	if len(numbers) > maxItems {
		d.problem(at, "must include at most %d items", maxItems)
		return
	}
	list := reflect.MakeSlice(n.typ, len(numbers), len(numbers))
	for i, number := range numbers {
		item := form.children["member"].children[strconv.Itoa(number)]
		d.formValue(n.elem, list.Index(i), item, &path{outer: at, index: i})
	}
	v.Set(list)
	d.checkLength(n, list.Len(), at)
}

// numbers are those of a list's items, in order; it reports false when
// something else is there.
func (f *formNode) numbers() ([]int, bool) {
	members := f.children["member"]
	switch {
	case members == nil:
		return nil, len(f.children) == 0
	case len(f.children) > 1 || len(members.values) > 0:
		return nil, false
	}
	numbers := make([]int, 0, len(members.children))
	for text := range members.children {
		number, err := strconv.Atoi(text)
		if err != nil || number < 1 || strconv.Itoa(number) != text {
			return nil, false
		}
		numbers = append(numbers, number)
	}
	slices.Sort(numbers)
	return numbers, true
}

// EncodeXML renders the answer of a query operation.
func (op *Operation) EncodeXML(output any, requestID string) ([]byte, error) {
	v := reflect.Indirect(reflect.ValueOf(output))
	var b bytes.Buffer
	fmt.Fprintf(&b, "<%sResponse xmlns=%q>", op.Name, op.Service.namespace)
	if op.resultWrapper != "" {
		fmt.Fprintf(&b, "<%s>", op.resultWrapper)
	}
	if err := op.out.root.encodeXML(&b, v); err != nil {
		return nil, err
	}
	if op.resultWrapper != "" {
		fmt.Fprintf(&b, "</%s>", op.resultWrapper)
	}
	fmt.Fprintf(&b, "<ResponseMetadata><RequestId>%s</RequestId></ResponseMetadata></%sResponse>\n", requestID, op.Name)
	return b.Bytes(), nil
}

// FaultXML renders an error of a query service.
func (s *Service) FaultXML(e *fault.Error, requestID string) []byte {
	who := "Sender"
	if e.Code.Status() >= 500 {
		who = "Receiver"
	}
	var b bytes.Buffer
	fmt.Fprintf(&b, "<ErrorResponse xmlns=%q><Error><Type>%s</Type><Code>%s</Code><Message>", s.namespace, who, queryCode(e.Code))
	_ = xml.EscapeText(&b, []byte(e.Message)) // a bytes.Buffer does not fail
	fmt.Fprintf(&b, "</Message></Error><RequestId>%s</RequestId></ErrorResponse>\n", requestID)
	return b.Bytes()
}

// queryCode is the name that query services give an error of the gateway.
func queryCode(c fault.Code) string {
	switch c {
	case fault.AccessDenied:
		return "AccessDenied"
	case fault.InvalidSignature:
		return "SignatureDoesNotMatch"
	case fault.UnrecognizedClient:
		return "InvalidClientTokenId"
	case fault.MissingAuthenticationToken:
		return "MissingAuthenticationToken"
	case fault.IncompleteSignature:
		return "IncompleteSignature"
	case fault.UnknownOperation:
		return "InvalidAction"
	case fault.InternalService:
		return "InternalFailure"
	default:
		return string(c)
	}
}

func (n *node) encodeXML(b *bytes.Buffer, v reflect.Value) error {
	for i := range n.fields {
		f := &n.fields[i]
		fv := v.Field(f.index)
		if f.pointer {
			if fv.IsNil() {
				continue
			}
			fv = fv.Elem()
		} else if absent(f.node, fv) {
			continue
		}
		fmt.Fprintf(b, "<%s>", f.name)
		switch f.node.kind {
		case structureNode:
			if err := f.node.encodeXML(b, fv); err != nil {
				return err
			}
		case stringNode:
			if err := xml.EscapeText(b, []byte(fv.String())); err != nil {
				return err
			}
		case integerNode:
			b.WriteString(strconv.FormatInt(fv.Int(), 10))
		case boolNode:
			b.WriteString(strconv.FormatBool(fv.Bool()))
		case timeNode:
			b.WriteString(fv.Interface().(time.Time).UTC().Format(time.RFC3339))
		default:
			return fmt.Errorf("member %s: lists and maps have no XML form here", f.name)
		}
		fmt.Fprintf(b, "</%s>", f.name)
	}
	return nil
}
