package machine

import (
	"slices"
	"strings"
	"time"

	"ringdown/internal/flow"
)

// Line is one line of a flow log: an action that has been carried out.
type Line struct {
	// At is when the action began, Ended when it was over.
	At    time.Time
	Ended time.Time
	Flow  Ref
	// Depth is how many modules are around the action.
	Depth  int `json:",omitempty"`
	Action string
	Type   string
	// Parameters are those of the action with JSONPaths replaced. They and
	// Result are absent while the flow has turned its log off. What the customer
	// has typed in to be stored is not in them (docs/divergences.md).
	Parameters map[string]any `json:",omitempty"`
	// Result is what conditions were compared with.
	Result string `json:",omitempty"`
	// Error is the type of the error that happened.
	Error string `json:",omitempty"`
	// Next is the action that followed, "" when the flow ended.
	Next string `json:",omitempty"`
	// Note tells what else there is to tell.
	Note string `json:",omitempty"`
}

// line logs the action at work.
func (x *step) line(l Line) {
	l.At, l.Ended = x.began, x.at
	l.Flow, l.Depth = x.frame.Flow, len(x.run.Frames)-1
	l.Action, l.Type = x.action.Identifier, x.action.Type
	if on := x.subject.Contact.Logging; on == nil || *on {
		h := hider(x.run.Hidden)
		l.Parameters, l.Result = h.parameters(x.action.Parameters, x.params), h.text(l.Result)
	} else {
		l.Result = ""
	}
	x.out.Lines = append(x.out.Lines, l)
}

// storedInput is the namespace of what the customer has typed in last.
const storedInput = "StoredCustomerInput"

// hidden stands in logs for what must not be there.
const hidden = "*****"

// hider keeps what has been typed in to be stored, which it is, out of logs:
// texts that name it, and copies of it that went elsewhere, as far as they are
// long enough to be told from other texts.
type hider []string

const (
	// shortest is the shortest input of which copies are looked for.
	shortest = 4
	// mostHidden is of how many inputs.
	mostHidden = 50
)

// keepInput stores what the customer has typed in.
func (x *step) keepInput(input string) {
	x.store(storedInput, input)
	x.run.Hidden = append(x.run.Hidden, input)
	if len(x.run.Hidden) > mostHidden {
		x.run.Hidden = slices.Delete(x.run.Hidden, 0, 1)
	}
}

func (h hider) parameters(n *flow.Node, parameters map[string]any) map[string]any {
	if len(h) == 0 || parameters == nil {
		return parameters
	}
	shown, _ := h.value(n, parameters).(map[string]any)
	return shown
}

// value is a copy of a value that came from a node, with everything hidden that
// has to be.
func (h hider) value(n *flow.Node, v any) any {
	switch v := v.(type) {
	case map[string]any:
		o := make(map[string]any, len(v))
		for name, member := range v {
			o[name] = h.value(n.Get(name), member)
		}
		return o
	case []any:
		list := make([]any, len(v))
		for i, item := range v {
			var of *flow.Node
			if n != nil && i < len(n.Items) {
				of = n.Items[i]
			}
			list[i] = h.value(of, item)
		}
		return list
	case string:
		if strings.Contains(n.String(), "$."+storedInput) {
			return hidden
		}
		return h.text(v)
	default:
		return v
	}
}

// text hides copies of stored input in a text.
func (h hider) text(s string) string {
	for _, secret := range h {
		if len(secret) >= shortest {
			s = strings.ReplaceAll(s, secret, hidden)
		}
	}
	return s
}
