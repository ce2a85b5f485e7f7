package flowtest

import (
	"encoding/json"
	"fmt"
	"strconv"
	"strings"

	"ringdown/internal/flow/machine"
)

// happening is something that may be observed.
type happening struct {
	typ     string
	message heard
	// Of an action that starts.
	action string // its identifier
	of     string // its type
	params map[string]any
}

// String is how people are told of it.
func (h *happening) String() string {
	switch h.typ {
	case messageReceived:
		return h.message.String()
	case actionStarted:
		return fmt.Sprintf("%s (%s)", h.of, h.action)
	default:
		return h.typ
	}
}

// criterion is how a message is compared; "" for exactly.
func (e *Event) criterion() string {
	for _, v := range []any{e.Properties["MatchingCriteria"], e.MatchingCriteria} {
		if text, ok := v.(string); ok && text != "" {
			return strings.TrimSpace(text)
		}
		if text := word(v, "Type"); text != "" {
			return text
		}
	}
	return ""
}

// matches reports whether an event is the one that has happened. Texts that are
// expected may hold JSONPaths.
func (s *simulation) matches(e *Event, h *happening) bool {
	if e.Type != h.typ || e.Actor == "Agent" {
		return false // no agent takes part
	}
	switch e.Type {
	case messageReceived:
		return s.hears(e, h.message)
	case actionStarted:
		return word(e.Properties, "ActionType") == h.of && subset(s.filled(e.Properties["ActionParameters"]), h.params)
	default:
		return true
	}
}

// hears compares a message with what is expected.
func (s *simulation) hears(e *Event, h heard) bool {
	compare := func(want, got string) bool { return collapse(want) == collapse(got) }
	switch strings.ToLower(e.criterion()) {
	case "similarity":
		compare = similar
	case "inclusion":
		compare = includes
	}
	p := e.Properties
	switch {
	case p["Text"] != nil:
		return h.words != "" && compare(s.fill(machine.Text(p["Text"])), h.words)
	case p["SSML"] != nil:
		want := s.fill(machine.Text(p["SSML"]))
		if e.criterion() == "" {
			return h.SSML != "" && compare(want, h.SSML)
		}
		return h.words != "" && compare(spoken(want), h.words)
	case p["PromptId"] != nil:
		want := s.fill(word(p, "PromptId"))
		return h.Prompt != "" && (same(want, h.Prompt) || want == h.sound)
	case p["Media"] != nil:
		return h.Media != "" && s.fill(word(p, "Media", "Uri")) == h.Media
	default:
		return false
	}
}

// filled is a value with the JSONPaths of its texts replaced.
func (s *simulation) filled(v any) any {
	switch v := v.(type) {
	case string:
		return s.fill(v)
	case map[string]any:
		o := make(map[string]any, len(v))
		for name, member := range v {
			o[name] = s.filled(member)
		}
		return o
	case []any:
		list := make([]any, len(v))
		for i, item := range v {
			list[i] = s.filled(item)
		}
		return list
	default:
		return v
	}
}

func (s *simulation) fill(text string) string { return machine.Fill(s.run, s.subject, text) }

// describe is what an event expects, for people.
func (e *Event) describe() string {
	p := e.Properties
	switch e.Type {
	case messageReceived:
		how := ""
		if c := e.criterion(); c != "" {
			how = " (" + c + ")"
		}
		switch {
		case p["Text"] != nil:
			return "the message " + strconv.Quote(machine.Text(p["Text"])) + how
		case p["SSML"] != nil:
			return "the message " + strconv.Quote(machine.Text(p["SSML"])) + how
		case p["PromptId"] != nil:
			return "the prompt " + word(p, "PromptId")
		default:
			return "the sound " + word(p, "Media", "Uri")
		}
	case actionStarted:
		of := "the action " + word(p, "ActionType")
		if params, _ := p["ActionParameters"].(map[string]any); len(params) > 0 {
			of += " with " + plain(params)
		}
		return of
	default:
		return e.Type
	}
}

// plain is a value as JSON, for people.
func plain(v any) string {
	var b strings.Builder
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	if e.Encode(v) != nil {
		return ""
	}
	return strings.TrimSpace(b.String())
}
