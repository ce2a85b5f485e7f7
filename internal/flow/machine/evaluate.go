package machine

import "ringdown/internal/flow"

// Evaluate is what a JSONPath leads to for a run at this moment, for those who
// watch one. False means that there is nothing. It changes nothing, and what it
// returns is not to be changed.
func Evaluate(r *Run, s *Subject, path string) (any, bool) {
	paths := flow.Paths(path)
	if len(r.Frames) == 0 || len(paths) != 1 || !paths[0].Alone(path) {
		return nil, false
	}
	x := &step{run: r, subject: s, frame: r.Top()}
	v, ok := x.lookup(paths[0].Steps)
	return v, ok && v != nil
}

// Fill is a text with its JSONPaths replaced as those of an action's parameters
// are.
func Fill(r *Run, s *Subject, text string) string {
	if len(r.Frames) == 0 {
		return text
	}
	x := &step{run: r, subject: s, frame: r.Top()}
	return textOf(x.fill(text))
}

// Text is a value as it is put into a text: nothing for nil, JSON for objects and
// lists.
func Text(v any) string { return textOf(v) }
