package main

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"maps"
	"regexp"
	"slices"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"ringdown/internal/server"
)

const (
	// lineWidth is how wide a timeline may be.
	lineWidth = 100
	// stampWidth is the column of times, with the space after it.
	stampWidth = 11
	// outcomeAt is where outcomes begin when there is room.
	outcomeAt = 70
	// mostOutcome and mostValue bound what may be long.
	mostOutcome = 44
	mostValue   = 60
)

// timeline draws traces for people. What it prints comes from customers too, so
// control characters are never passed on.
type timeline struct {
	w       io.Writer
	colours bool
	err     error // of the writer; the first stays
	known   map[string]bool

	// Of the contact at hand.
	margin string
	began  time.Time
	frames []string // ids of the flows around the last step, by depth
}

func newTimeline(w io.Writer, colours bool) *timeline {
	return &timeline{w: w, colours: colours, known: map[string]bool{}}
}

// Colours of a terminal (ECMA-48, SGR).
const (
	bold  = "\x1b[1m"
	faint = "\x1b[2m"
	red   = "\x1b[31m"
	plain = "\x1b[0m"
)

// trace draws a contact and those that follow it, with a greater margin.
func (l *timeline) trace(ctx context.Context, from tracer, id string, follow bool) error {
	l.known[id] = true
	t, err := from.Trace(ctx, id, 0, false)
	if err != nil {
		return err
	}
	l.began, l.frames = t.Contact.Initiated, nil
	l.head(t.Contact)
	for {
		for _, s := range t.Steps {
			l.step(s)
		}
		if l.err != nil || !t.More && (!follow || ended(t)) {
			break
		}
		if t, err = from.Trace(ctx, id, t.Next, follow); err != nil {
			return err
		}
	}
	l.foot(t)
	margin := l.margin
	for _, next := range t.Contact.NextIDs {
		if l.known[next] {
			continue
		}
		l.margin = margin + "    "
		l.print("", "")
		if err := l.trace(ctx, from, next, follow); err != nil {
			return err
		}
	}
	l.margin = margin
	return l.err
}

// print prints a line in a colour, cut to the width.
func (l *timeline) print(colour, format string, args ...any) {
	text := shortened(fmt.Sprintf(format, args...), lineWidth-len(l.margin))
	if l.err != nil {
		return
	}
	if l.colours && colour != "" {
		text = colour + text + plain
	}
	_, l.err = fmt.Fprintln(l.w, strings.TrimRight(l.margin+text, " "))
}

// head says who the contact is.
func (l *timeline) head(c server.TracedContact) {
	l.print(bold, "Contact %s", c.ID)
	l.print("", "%s", strings.Join(compact(
		lead("", strings.ToLower(c.Channel)), lead("", methods[c.Method]), lead("to ", c.Customer), lead("from ", c.System),
		lead("named ", c.Name), lead("in instance ", c.InstanceAlias),
	), " "))
	l.print("", "began %s%s%s", c.Initiated.UTC().Format("2006-01-02 15:04:05.000Z"),
		lead(", follows ", c.PreviousID), lead(", related to ", c.RelatedID))
}

// methods are initiation methods in plain words; what is left out speaks for
// itself.
var methods = map[string]string{
	"API": "started by the API", "INBOUND": "inbound", "OUTBOUND": "outbound", "TRANSFER": "transfer", "QUEUE_TRANSFER": "transfer to a queue",
	"CALLBACK": "callback", "DISCONNECT": "after a disconnect", "FLOW": "made by a flow", "AGENT_REPLY": "reply of an agent",
}

// step draws one step.
func (l *timeline) step(s server.TraceStep) {
	if s.Event != "" {
		l.print(faint, "%s%s%s", l.stamp(s.At), s.Event, lead(": ", strings.Join(s.Updated, ", ")))
		return
	}
	l.enter(s)
	indent := strings.Repeat("  ", s.Depth+1)
	if s.Action == "" && s.Type == "" {
		l.print("", "%s%s%s", l.stamp(s.Began), indent, s.Note)
		return
	}
	what := indent + shortID(printable(s.Action))
	if s.Type != "" {
		what += ": " + s.Type
	}
	what += " " + parameters(s.Parameters)
	outcome, note := outcomeOf(s), ""
	if joined := strings.TrimSpace(outcome + lead(" (", printable(s.Note)) + closing(s.Note)); utf8.RuneCountInString(joined) <= mostOutcome {
		outcome = joined
	} else {
		note = s.Note
	}
	colour := ""
	if s.Error != "" {
		colour = red
	}
	below := strings.Repeat(" ", stampWidth) + indent + "  "
	room := lineWidth - len(l.margin) - stampWidth - utf8.RuneCountInString(outcome) - 1
	switch aligned := outcomeAt - len(l.margin) - stampWidth; {
	case outcome == "":
		l.print(colour, "%s%s", l.stamp(s.Began), what)
	case room < min(aligned, utf8.RuneCountInString(what)): // it would push aside what was done
		l.print(colour, "%s%s", l.stamp(s.Began), what)
		l.print(colour, "%s%s", below, outcome)
	default:
		l.print(colour, "%s%-*s %s", l.stamp(s.Began), min(aligned, room), shortened(what, room), outcome)
	}
	if note != "" {
		l.print(faint, "%s%s", below, note)
	}
}

// enter tells of the flow or module that a step is in, when it is another one.
func (l *timeline) enter(s server.TraceStep) {
	if s.FlowID == "" {
		return
	}
	if len(l.frames) > s.Depth+1 { // modules that have ended
		l.frames = l.frames[:s.Depth+1]
	}
	if len(l.frames) == s.Depth+1 && l.frames[s.Depth] == s.FlowID {
		return
	}
	for len(l.frames) <= s.Depth {
		l.frames = append(l.frames, "")
	}
	l.frames[s.Depth] = s.FlowID
	kind := "flow " + s.FlowName
	switch s.FlowType {
	case "MODULE":
		kind = "module " + s.FlowName
	case "CONTACT_FLOW", "":
	default:
		kind += " (" + s.FlowType + ")"
	}
	l.print(bold, "%s%s%s", l.stamp(s.Began), strings.Repeat("  ", s.Depth), kind)
}

// foot says how the contact ended, or what it waits for.
func (l *timeline) foot(t *server.Trace) {
	c := t.Contact
	for _, name := range slices.Sorted(maps.Keys(t.Attributes)) {
		l.print("", "%sattribute %s = %s", strings.Repeat(" ", stampWidth), name, quoted(t.Attributes[name]))
	}
	if c.Queue != "" {
		l.print("", "%squeue %s%s", strings.Repeat(" ", stampWidth), c.Queue, lead(", agent ", c.Agent))
	}
	if c.TransferredTo != "" {
		l.print("", "%stransferred to %s", strings.Repeat(" ", stampWidth), c.TransferredTo)
	}
	if !c.Disconnected.IsZero() {
		l.print(bold, "ended after %s: %s", lasting(c.Disconnected.Sub(c.Initiated)), c.Reason)
		return
	}
	for _, w := range t.Waiting {
		until := ""
		if !w.Until.IsZero() {
			until = ", until " + strings.TrimSpace(l.stamp(w.Until))
		}
		since := ""
		if !w.Since.IsZero() {
			since = ", since " + strings.TrimSpace(l.stamp(w.Since))
		}
		l.print(bold, "now waits for %s%s%s%s%s", w.For, since, until, lead(" (flow ", w.FlowName), lead(", action ", shortID(w.Action))+closing(w.FlowName))
	}
	if len(t.Waiting) == 0 {
		l.print(bold, "is live")
	}
}

// stamp is a time since the contact began, in its column.
func (l *timeline) stamp(at time.Time) string {
	return fmt.Sprintf("%*s  ", stampWidth-2, fmt.Sprintf("%.3f", max(0, at.Sub(l.began)).Seconds()))
}

// outcomeOf is how long an action took, what it gave and where it led.
func outcomeOf(s server.TraceStep) string {
	took := ""
	if d := s.At.Sub(s.Began); d >= time.Millisecond {
		took = lasting(d)
	}
	result := ""
	if s.Result != "" {
		result = quoted(s.Result)
	}
	return strings.Join(compact(took, shortened(result, 24), lead("error ", s.Error), lead("→ ", shortID(printable(s.Next)))), " ")
}

// parameters are those of an action in short form.
func parameters(all map[string]any) string {
	for _, spoken := range []string{"Text", "SSML"} {
		if text, ok := all[spoken].(string); ok {
			return quoted(text)
		}
	}
	var out []string
	for _, name := range slices.Sorted(maps.Keys(all)) {
		switch v := all[name].(type) {
		case nil:
		case string:
			out = append(out, name+"="+shortARN(printable(v)))
		default:
			raw, err := json.Marshal(v)
			if err == nil {
				out = append(out, name+"="+string(raw))
			}
		}
	}
	return strings.Join(out, " ")
}

var (
	arnPattern  = regexp.MustCompile(`^arn:aws[a-z-]*:[a-z0-9]+:[^:]*:[0-9]*:(?:.*/)?([^/:]+[/:])([^/:]+)$`)
	uuidPattern = regexp.MustCompile(`^[0-9a-fA-F]{8}-[0-9a-fA-F-]{27}$`)
)

// shortARN is the kind and id at the end of an ARN.
func shortARN(s string) string {
	if m := arnPattern.FindStringSubmatch(s); m != nil {
		return m[1] + shortID(m[2])
	}
	return shortID(s)
}

// shortID is the end of what no person has written: ids that were made at one
// time begin alike.
func shortID(s string) string {
	if uuidPattern.MatchString(s) {
		return "…" + s[len(s)-8:]
	}
	return shortened(s, mostValue)
}

// lasting is a duration as people read it.
func lasting(d time.Duration) string {
	if d < time.Minute {
		return fmt.Sprintf("%.2fs", d.Seconds())
	}
	return d.Round(time.Second).String()
}

// quoted is a text on one line, within quotation marks.
func quoted(s string) string { return `"` + shortened(printable(s), mostValue) + `"` }

// printable has spaces in the place of what does not print.
func printable(s string) string {
	return strings.Join(strings.Fields(strings.Map(func(r rune) rune {
		if !unicode.IsPrint(r) {
			return ' '
		}
		return r
	}, s)), " ")
}

// shortened is a text of at most so many characters, none of which controls the
// terminal.
func shortened(s string, most int) string {
	s = strings.Map(func(r rune) rune {
		if !unicode.IsPrint(r) {
			return ' '
		}
		return r
	}, s)
	if utf8.RuneCountInString(s) <= most {
		return s
	}
	if most < 1 {
		return ""
	}
	return strings.TrimRight(string([]rune(s)[:most-1]), " ") + "…"
}

// lead puts words before a value, if there is one.
func lead(words, value string) string {
	if value == "" {
		return ""
	}
	return words + value
}

// closing closes a parenthesis that lead has opened.
func closing(value string) string {
	if value == "" {
		return ""
	}
	return ")"
}

// compact leaves out what is empty.
func compact(words ...string) []string {
	return slices.DeleteFunc(words, func(w string) bool { return w == "" })
}
