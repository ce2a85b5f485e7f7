package conformance

import (
	"bytes"
	"encoding/json"
	"fmt"
	"math"
	"regexp"
	"slices"
	"strings"
	"testing"
)

var requestIDPattern = regexp.MustCompile(`^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$`)

// gatewayErrors are the exceptions that any operation may answer with, though
// its model does not list them, and their statuses (AWS "Common Errors"). An
// AccessDeniedException is IAM's answer on every operation.
var gatewayErrors = map[string]int{
	"AccessDeniedException":          403,
	"SerializationException":         400,
	"RequestEntityTooLargeException": 413,
	"MalformedHttpRequestException":  400,
	"UnknownOperationException":      404,
}

// check holds an answer against the model, whatever it is.
func (w *world) check(t testing.TB, op *operation, r *reply) {
	t.Helper()
	if id := r.header.Get("x-amzn-RequestId"); !requestIDPattern.MatchString(id) {
		t.Errorf("x-amzn-RequestId is %q, want a UUID", id)
	}
	if r.status >= 500 {
		t.Errorf("no request may make a server fail: %s", r)
		return
	}
	if got := r.header.Get("Content-Type"); got != "application/json" {
		t.Errorf("Content-Type is %q, want application/json", got)
	}
	body, err := decodeJSON(r.body)
	if err != nil {
		t.Errorf("the body is not JSON: %v: %s", err, r)
		return
	}
	if r.status == 200 {
		if r.code() != "" {
			t.Errorf("a success carries x-amzn-ErrorType %s", r.code())
		}
		w.checkValue(t, w.model.output(op), body, op.Name+"Output")
		return
	}
	w.checkError(t, op, r, body)
}

func (w *world) checkError(t testing.TB, op *operation, r *reply, body any) {
	t.Helper()
	if e, ok := w.model.declared(op)[r.code()]; ok {
		if r.status != e.Error.HTTPStatusCode {
			t.Errorf("status %d, the model says %d for %s", r.status, e.Error.HTTPStatusCode, r.code())
		}
		w.checkValue(t, e, body, r.code())
		if _, has := e.Members["Message"]; has && r.message() == "" {
			t.Errorf("a %s without a message helps nobody: %s", r.code(), r)
		}
		return
	}
	status, ok := gatewayErrors[r.code()]
	switch {
	case !ok:
		t.Errorf("the operation does not declare %q: %s", r.code(), r)
	case status != r.status:
		t.Errorf("status %d, want %d for %s", r.status, status, r.code())
	case r.message() == "":
		t.Errorf("a %s without a message helps nobody: %s", r.code(), r)
	}
}

// decodeJSON reads one JSON value. Numbers stay text, so that 1e3 or 1.0 in
// place of an integer is seen.
func decodeJSON(raw []byte) (any, error) {
	d := json.NewDecoder(bytes.NewReader(raw))
	d.UseNumber()
	var v any
	if err := d.Decode(&v); err != nil {
		return nil, err
	}
	if d.More() {
		return nil, fmt.Errorf("there is text after the JSON value")
	}
	return v, nil
}

// checkValue holds a value of an answer against its shape.
func (w *world) checkValue(t testing.TB, s *shape, v any, path string) {
	t.Helper()
	wrong := func(want string) { t.Errorf("%s is %s, want %s", path, show(v), want) }
	switch s.Type {
	case "structure":
		o, ok := v.(map[string]any)
		if !ok {
			wrong("an object")
			return
		}
		w.checkStructure(t, s, o, path)
	case "list":
		list, ok := v.([]any)
		if !ok {
			wrong("a list")
			return
		}
		for i, item := range list {
			w.checkValue(t, w.model.Shapes[s.Member.Shape], item, fmt.Sprintf("%s[%d]", path, i))
		}
	case "map":
		o, ok := v.(map[string]any)
		if !ok {
			wrong("an object")
			return
		}
		for k, item := range o {
			w.checkValue(t, w.model.Shapes[s.Key.Shape], k, path+".key")
			w.checkValue(t, w.model.Shapes[s.Value.Shape], item, path+"."+k)
		}
	case "string":
		text, ok := v.(string)
		if !ok {
			wrong("a string")
		} else if len(s.Enum) > 0 && !slices.Contains(s.Enum, text) {
			wrong("one of " + strings.Join(s.Enum, ", "))
		}
	case "integer", "long":
		n, ok := v.(json.Number)
		if !ok {
			wrong("an integer")
		} else if i, err := n.Int64(); err != nil || s.Type == "integer" && (i > math.MaxInt32 || i < math.MinInt32) {
			wrong("an integer of type " + s.Type)
		}
	case "float", "double":
		if _, ok := v.(json.Number); !ok {
			wrong("a number")
		}
	case "boolean":
		if _, ok := v.(bool); !ok {
			wrong("a boolean")
		}
	case "timestamp":
		if s.TimestampFormat == "iso8601" {
			if _, ok := v.(string); !ok {
				wrong("an ISO 8601 timestamp")
			}
		} else if _, ok := v.(json.Number); !ok {
			wrong("a timestamp in epoch seconds")
		}
	default:
		t.Errorf("%s: the model has a shape of type %q that this test does not know", path, s.Type)
	}
}

func (w *world) checkStructure(t testing.TB, s *shape, o map[string]any, path string) {
	t.Helper()
	if s.Union && len(o) != 1 {
		t.Errorf("%s has %d members of the union, want one", path, len(o))
	}
	for name, v := range o {
		m, known := s.Members[name]
		if !known {
			t.Errorf("%s has a member %s that %s lacks", path, name, s.Name)
			continue
		}
		w.checkValue(t, w.model.Shapes[m.Shape], v, path+"."+name)
	}
	for _, name := range s.Required {
		if _, has := o[name]; !has {
			t.Errorf("%s lacks the required member %s", path, name)
		}
	}
}

func show(v any) string {
	raw, err := json.Marshal(v)
	if err != nil {
		return fmt.Sprint(v)
	}
	if len(raw) > 100 {
		return string(raw[:100]) + "…"
	}
	return string(raw)
}
