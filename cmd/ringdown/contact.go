package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"regexp"
	"strings"
	"text/tabwriter"

	"ringdown/internal/server"
)

const contactHelp = `Usage:
  ringdown contact trace ID [--follow] [--json] [flags]   what has happened to a contact, step by step
  ringdown contact list [--limit N] [--json] [flags]      the newest contacts
A running server is asked, the one of the data folder.

trace shows who called whom, the path through flows and modules with the time since the contact
began, what each action was given, how long it took, what it led to, and the contact's events; then
what the contact waits for, or how it ended. Contacts that follow, such as a transfer, are shown below.
What customers have typed in to be stored is not in it, nor parameters while a flow has its log off.
ID is the id or the ARN of a contact.

  --follow  goes on until the contact has ended
  --json    one JSON object instead; with --follow, when the contact has ended

The exit code is 0, 1 when there is no such contact or no server, 2 when the command line makes no sense.
`

// contacts shows what has become of contacts.
func contacts(ctx context.Context, p *program, args []string) error {
	return words(ctx, p, args, text(contactHelp), word{"trace", contactTrace}, word{"list", contactList})
}

var contactIDPattern = regexp.MustCompile(`^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$`)

// contactID is the id in an id or an ARN of a contact.
func contactID(s string) (string, error) {
	id := s
	if strings.HasPrefix(s, "arn:") {
		_, id, _ = strings.Cut(s, "/contact/")
	}
	if id = strings.ToLower(id); !contactIDPattern.MatchString(id) {
		return "", &usageError{fmt.Errorf("%q is neither the id nor the ARN of a contact", s)}
	}
	return id, nil
}

func contactTrace(ctx context.Context, p *program, args []string) error {
	var s settings
	f := s.flags("contact trace")
	follow := f.Bool("follow", false, "go on until the contact has ended")
	asJSON := f.Bool("json", false, "print one JSON object")
	given, args := leading(args)
	if err := s.parse(f, p, args); err != nil {
		return err
	}
	if given = append(given, f.Args()...); len(given) != 1 {
		return &usageError{errors.New("give the id of one contact")}
	}
	id, err := contactID(given[0])
	if err != nil {
		return err
	}
	from, err := server.OpenContacts(s.Config)
	if err != nil {
		return err
	}
	if *asJSON {
		err = traceJSON(ctx, p.stdout, from, id, *follow)
	} else {
		err = newTimeline(p.stdout, p.colours()).trace(ctx, from, id, *follow)
	}
	switch {
	case errors.Is(err, server.ErrNoContact):
		return fmt.Errorf("%w: %s", err, id)
	case *follow && ctx.Err() != nil: // Ctrl-C is how to stop looking
		return nil
	}
	return err
}

// tracer is where traces come from.
type tracer interface {
	Trace(ctx context.Context, id string, from int64, wait bool) (*server.Trace, error)
}

// traceJSON prints a contact and those that follow it.
func traceJSON(ctx context.Context, w io.Writer, from tracer, id string, follow bool) error {
	var all struct{ Contacts []*server.Trace }
	known := map[string]bool{}
	for ids := []string{id}; len(ids) > 0; ids = ids[1:] {
		if known[ids[0]] {
			continue
		}
		known[ids[0]] = true
		whole, err := wholeTrace(ctx, from, ids[0], follow)
		if err != nil {
			return err
		}
		all.Contacts = append(all.Contacts, whole)
		ids = append(ids, whole.Contact.NextIDs...)
	}
	e := json.NewEncoder(w)
	e.SetEscapeHTML(false)
	e.SetIndent("", "  ")
	return e.Encode(all)
}

// wholeTrace reads a trace to its end, or to where the contact is now.
func wholeTrace(ctx context.Context, from tracer, id string, follow bool) (*server.Trace, error) {
	var steps []server.TraceStep
	next := int64(0)
	for {
		t, err := from.Trace(ctx, id, next, follow && next > 0)
		if err != nil {
			return nil, err
		}
		steps, next = append(steps, t.Steps...), t.Next
		if !t.More && (!follow || ended(t)) {
			t.Steps = steps
			return t, nil
		}
	}
}

// ended reports whether nothing more will happen to a contact.
func ended(t *server.Trace) bool { return !t.Contact.Completed.IsZero() }

// colours reports whether standard output is a terminal that shows them
// (no-color.org).
func (p *program) colours() bool {
	file, ok := p.stdout.(*os.File)
	if !ok || p.getenv("NO_COLOR") != "" || p.getenv("TERM") == "dumb" {
		return false
	}
	info, err := file.Stat()
	return err == nil && info.Mode()&os.ModeCharDevice != 0
}

func contactList(ctx context.Context, p *program, args []string) error {
	var s settings
	f := s.flags("contact list")
	limit := f.Int("limit", 20, "at most so `many`")
	asJSON := f.Bool("json", false, "print a JSON array")
	if err := s.parse(f, p, args); err != nil {
		return err
	}
	if f.NArg() > 0 || *limit < 1 {
		return &usageError{errors.New("it takes flags alone; --limit must be at least 1")}
	}
	from, err := server.OpenContacts(s.Config)
	if err != nil {
		return err
	}
	all, err := from.List(ctx, *limit)
	if err != nil {
		return err
	}
	if *asJSON {
		e := json.NewEncoder(p.stdout)
		e.SetIndent("", "  ")
		return e.Encode(all)
	}
	if len(all) == 0 {
		fmt.Fprintln(p.stderr, "There are no contacts yet.")
		return nil
	}
	w := tabwriter.NewWriter(p.stdout, 0, 0, 2, ' ', 0)
	fmt.Fprintln(w, "BEGAN\tCONTACT\tCHANNEL\tCUSTOMER\tSTATE")
	for _, c := range all {
		fmt.Fprintf(w, "%s\t%s\t%s\t%s\t%s\n", c.Initiated.UTC().Format("01-02 15:04:05Z"), c.ID, c.Channel, shortened(c.Customer, 16), contactState(c))
	}
	return w.Flush()
}

// contactState is where a contact is in its life.
func contactState(c server.TracedContact) string {
	switch {
	case !c.Disconnected.IsZero():
		return shortened(c.Reason, 24)
	case c.Agent != "":
		return shortened("with "+c.Agent, 24)
	case !c.Enqueued.IsZero():
		return shortened("in "+c.Queue, 24)
	default:
		return "live"
	}
}
