package conformance

import (
	"encoding/json"
	"maps"
	"net/http"
	"slices"
	"strings"
	"testing"
)

// TestRightRequests sends each operation what the model requires, then all
// that it allows, and what an older server may meet: members and parameters
// that it does not know.
func TestRightRequests(t *testing.T) {
	for w, op := range walk(t) {
		t.Run(op.Name, func(t *testing.T) {
			succeed := func(what string, r wire) {
				t.Helper()
				answer := w.send(t, w.root, r)
				w.check(t, op, answer)
				if !answered(op, answer) {
					t.Errorf("%s: %s\nof %s\nIf the request makes no sense as it is, say in recipes_test.go what it needs.", what, answer, r.body)
				}
			}
			succeed("minimal request", w.request(op, w.build(t, op, minimal)))
			succeed("full request", w.request(op, w.build(t, op, full)))

			unknown := w.request(op, w.build(t, op, minimal))
			unknown.query.Set("noSuchParameter", "1")
			if len(unknown.body) > 0 {
				var body object
				if err := json.Unmarshal(unknown.body, &body); err != nil {
					t.Fatal(err)
				}
				body["NoSuchMember"] = object{"a": []any{1, nil, object{}}}
				unknown.body, _ = json.Marshal(body)
			}
			succeed("request with unknown members", unknown)
		})
	}
}

// answered reports whether an answer is what a right request gets.
func answered(op *operation, r *reply) bool {
	if want := recipes[op.Name].answer; want != "" {
		return r.code() == want
	}
	return r.status == http.StatusOK
}

// TestBrokenRequests breaks each rule of each member in turn.
func TestBrokenRequests(t *testing.T) {
	for w, op := range walk(t) {
		t.Run(op.Name, func(t *testing.T) {
			for _, b := range w.breaks(t, op) {
				name := b.path + " " + b.what
				answer := w.send(t, w.root, w.request(op, b.in))
				w.check(t, op, answer)
				message := answer.message()
				switch {
				case answer.status != http.StatusBadRequest:
					t.Errorf("%s: %s, want 400", name, answer)
				case answer.code() != w.invalid(op):
					t.Errorf("%s: %s, want %s", name, answer, w.invalid(op))
				case !strings.HasPrefix(message, b.path+" ") || !strings.Contains(message, b.word):
					t.Errorf("%s: the message does not say that %s %s: %s", name, b.path, b.word, message)
				case strings.Contains(message, "; "):
					t.Errorf("%s: the message names more than one member: %s", name, message)
				case b.secret != "" && strings.Contains(message, b.secret):
					t.Errorf("%s: a secret is in the message: %s", name, message)
				}
			}
		})
	}
}

// invalid is the exception of an operation for a request that breaks the
// model: InvalidParameterException, or the nearest that it declares.
// ValidationException is the Participant service's.
func (w *world) invalid(op *operation) string {
	for _, code := range []string{"InvalidParameterException", "InvalidRequestException", "PropertyValidationException", "ValidationException"} {
		if w.model.declared(op)[code] != nil {
			return code
		}
	}
	return "InvalidParameterException"
}

// TestBrokenBodies sends each operation a body that is no JSON object.
func TestBrokenBodies(t *testing.T) {
	for w, op := range walk(t) {
		t.Run(op.Name, func(t *testing.T) {
			good := w.request(op, w.build(t, op, everything))
			for name, body := range map[string]string{
				"not JSON":           `{nonsense`,
				"truncated":          `{"Name":"an unfinished nam`,
				"ends in a number":   `{"Name":`,
				"a list":             `[{}]`,
				"a string":           `"Name"`,
				"a number":           `12`,
				"null":               `null`,
				"two objects":        `{}{}`,
				"invalid UTF-8":      "{\"Name\":\"\xff\"}",
				"control characters": "{\"Name\":\"\x01\"}",
				"nested deeply":      `{"NoSuchMember":` + strings.Repeat(`[`, 20_000) + strings.Repeat(`]`, 20_000) + `}`,
				"bound to a form":    `Action=GetCallerIdentity&Version=2011-06-15`,
			} {
				r := good
				r.body = []byte(body)
				answer := w.send(t, w.root, r)
				w.check(t, op, answer)
				if answer.status != http.StatusBadRequest || answer.code() != "SerializationException" {
					t.Errorf("%s: %s, want a SerializationException", name, answer)
				}
				if strings.Contains(answer.message(), "unfinished") {
					t.Errorf("%s: the message quotes the body: %s", name, answer.message())
				}
			}
		})
	}
}

// TestHugeBodies announces a body that is too large for any operation. The
// client waits for a "100 Continue" that must not come.
func TestHugeBodies(t *testing.T) {
	huge := make([]byte, 4<<20+1)
	for w, op := range walk(t) {
		r := w.request(op, w.build(t, op, everything))
		r.body = huge
		r.header.Set("Expect", "100-continue")
		answer := w.send(t, w.root, r)
		if answer.status != http.StatusRequestEntityTooLarge || answer.code() != "RequestEntityTooLargeException" {
			t.Errorf("%s: %s, want a RequestEntityTooLargeException", op.Name, answer)
		}
	}
}

// TestExamples holds the table of examples to the model: what this package
// believes to match a pattern, and to break it, is what the server thinks.
// A pattern that no operation uses yet is not in the table.
func TestExamples(t *testing.T) {
	models := []*model{readModel(t), readParticipantModel(t)}
	for name, e := range examples {
		i := slices.IndexFunc(models, func(m *model) bool { s := m.Shapes[name]; return s != nil && s.Pattern != "" })
		if i < 0 {
			t.Errorf("no model has a shape %s with a pattern", name)
			continue
		}
		s := models[i].Shapes[name]
		for what, v := range map[string]string{"match": e.match, "clash": e.clash} {
			if n := float64(len([]rune(v))); s.Max != nil && n > *s.Max || s.Min != nil && n < *s.Min {
				t.Errorf("%s: the length of %s %q is not legal", name, what, v)
			}
		}
	}
	for name := range references {
		found := slices.ContainsFunc(models, func(m *model) bool {
			return slices.ContainsFunc(slices.Collect(maps.Values(m.Shapes)), func(s *shape) bool { _, ok := s.Members[name]; return ok })
		})
		if !found {
			t.Errorf("no model has a member %s", name)
		}
	}
	for name := range recipes {
		if !slices.ContainsFunc(models, func(m *model) bool { return m.Operations[name] != nil }) {
			t.Errorf("no model has an operation %s", name)
		}
	}
}
