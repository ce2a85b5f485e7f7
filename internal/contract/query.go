package contract

import (
	"bytes"
	"encoding/xml"
	"fmt"
	"net/url"
	"reflect"
	"strconv"
	"time"

	"ringdown/internal/fault"
)

// STS speaks the older query protocol: a form with Action and Version goes to
// POST /, and XML comes back (AWS "Query protocol", https://smithy.io, "AWS
// query protocol"). Its three operations have flat inputs here.

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

// DecodeForm reads the input of a query operation from its form. Scalars are
// read and checked; the errors are those of Decode.
func (op *Operation) DecodeForm(form url.Values) (any, error) {
	v := reflect.New(op.in.typ)
	d := decoders.Get().(*decoder)
	defer d.release()
	d.problems = d.problems[:0]
	root := op.in.root
	for i := range root.fields {
		f := &root.fields[i]
		values := form[f.name]
		if len(values) == 0 {
			if f.required {
				d.problem(&path{name: f.name, index: -1}, "is required")
			}
			continue
		}
		target := v.Elem().Field(f.index)
		if f.pointer {
			target.Set(reflect.New(f.node.typ))
			target = target.Elem()
		}
		d.text(f.node, target, values[0], &path{name: f.name, index: -1})
	}
	if len(d.problems) > 0 {
		return v.Interface(), fault.New("ValidationError", "%s", d.problems[0])
	}
	return v.Interface(), nil
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
