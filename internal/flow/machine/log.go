package machine

import (
	"time"
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
	// Result are absent while the flow has turned its log off.
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
		l.Parameters = x.params
	} else {
		l.Result = ""
	}
	x.out.Lines = append(x.out.Lines, l)
}
