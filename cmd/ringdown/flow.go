package main

import (
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"

	"ringdown/internal/flow"
	"ringdown/internal/server"
)

const flowHelp = `Usage:
  ringdown flow check [--type TYPE] [--format text|json] FILE...

Checks documents of the Amazon Connect flow language as CreateContactFlow and
CreateContactFlowModule do, and prints every problem with its place in the file.
A FILE of - is standard input. No server is needed, so it is not checked whether
the queues, prompts, flows and other resources that a document names exist.
A note tells of an action that nothing in ringdown does: it takes its error branch.

  --type    what the documents are: %s
            (default: what the console wrote into Metadata, MODULE for a document
            with EndFlowModuleExecution, else CONTACT_FLOW)
  --format  text: a line for each problem or note, FILE:LINE:COLUMN: what is wrong
            json: one object for all files (default text)

The exit code is 0 when all are right, 1 when there are problems, 2 when the
command line makes no sense.
`

// flows works with flow documents, without a server.
func flows(ctx context.Context, p *program, args []string) error {
	return words(ctx, p, args, printFlowHelp, word{"check", flowCheck}, word{"test", flowTest})
}

func printFlowHelp(w io.Writer) error {
	_, err := fmt.Fprintf(w, flowHelp+"\n"+flowTestHelp, strings.Join(typeNames(), ",\n            "))
	return err
}

// typeNames are the values of --type, a few to a line.
func typeNames() []string {
	const most = 4
	var names, lines []string
	for _, t := range flow.Types() {
		names = append(names, string(t))
	}
	for line := range slices.Chunk(names, most) {
		lines = append(lines, strings.Join(line, ", "))
	}
	return lines
}

// checkedFile is what --format json says of a file.
type checkedFile struct {
	File     string         `json:"file"`
	Type     flow.Type      `json:"type"`
	Problems []flow.Problem `json:"problems"`
	// Notes do not make the document wrong.
	Notes []flow.Problem `json:"notes"`
}

func flowCheck(_ context.Context, p *program, args []string) error {
	f := flag.NewFlagSet("flow check", flag.ContinueOnError)
	f.SetOutput(io.Discard)
	typ := f.String("type", "", "")
	format := f.String("format", "text", "")
	if err := f.Parse(args); errors.Is(err, flag.ErrHelp) {
		return printFlowHelp(p.stdout)
	} else if err != nil {
		return &usageError{err}
	}
	*typ = strings.ToUpper(*typ)
	late := slices.IndexFunc(f.Args(), func(a string) bool { return len(a) > 1 && a[0] == '-' })
	switch {
	case *typ != "" && !slices.Contains(flow.Types(), flow.Type(*typ)):
		return &usageError{fmt.Errorf("--type: there is no type %s", *typ)}
	case *format != "text" && *format != "json":
		return &usageError{fmt.Errorf("--format: say text or json, not %q", *format)}
	case f.NArg() == 0:
		return &usageError{errors.New("name the files to check, or - for standard input")}
	case late >= 0:
		return &usageError{fmt.Errorf("put %s before the files", f.Arg(late))}
	}
	files := make([]checkedFile, f.NArg())
	for i, name := range f.Args() {
		content, err := readDocument(p, name)
		if err != nil {
			return err
		}
		if name == "-" {
			name = "stdin"
		}
		files[i] = checkFile(name, content, flow.Type(*typ))
	}
	write := writeText
	if *format == "json" {
		write = writeJSON
	}
	if err := write(p.stdout, files); err != nil {
		return err
	}
	return verdict(files)
}

func readDocument(p *program, name string) (string, error) {
	var content []byte
	var err error
	if name == "-" {
		content, err = io.ReadAll(p.stdin)
	} else {
		content, err = os.ReadFile(name) //nolint:gosec // the file that the user asks for
	}
	return string(content), err
}

// checkFile checks a document as what it seems to be unless the type is given.
func checkFile(name, content string, typ flow.Type) checkedFile {
	if typ == "" {
		typ = flow.Detect(content)
	}
	found := flow.Check(content, typ)
	c := checkedFile{File: name, Type: typ, Problems: found.Problems, Notes: []flow.Problem{}}
	if c.Problems == nil {
		c.Problems = []flow.Problem{} // [] in JSON
	}
	for _, n := range found.Needs {
		if !server.ServesAction(n.Type) {
			c.Notes = append(c.Notes, n.Problem)
		}
	}
	return c
}

func writeText(w io.Writer, files []checkedFile) error {
	var b strings.Builder
	for _, c := range files {
		if len(c.Problems) == 0 {
			fmt.Fprintf(&b, "%s: no problems, as a %s\n", c.File, c.Type)
		}
		for _, p := range c.Problems {
			writeLine(&b, c.File, "", p)
		}
		for _, p := range c.Notes {
			writeLine(&b, c.File, "note: ", p)
		}
	}
	_, err := io.WriteString(w, b.String())
	return err
}

func writeLine(b *strings.Builder, file, prefix string, p flow.Problem) {
	fmt.Fprintf(b, "%s:%d:%d: %s%s", file, p.Line, p.Column, prefix, p.Message)
	if p.Hint != "" {
		fmt.Fprintf(b, ": %s", p.Hint)
	}
	if p.Action != "" {
		fmt.Fprintf(b, " (action %q)", p.Action)
	}
	b.WriteByte('\n')
}

func writeJSON(w io.Writer, files []checkedFile) error {
	e := json.NewEncoder(w)
	e.SetEscapeHTML(false)
	e.SetIndent("", "  ")
	return e.Encode(map[string]any{"files": files})
}

// verdict is an error when any file has problems.
func verdict(files []checkedFile) error {
	problems, bad := 0, 0
	for _, c := range files {
		problems += len(c.Problems)
		if len(c.Problems) > 0 {
			bad++
		}
	}
	switch {
	case problems == 0:
		return nil
	case len(files) == 1:
		return fmt.Errorf("%s in a %s", count(problems, "problem"), files[0].Type)
	default:
		return fmt.Errorf("%s in %d of %s", count(problems, "problem"), bad, count(len(files), "file"))
	}
}

func count(n int, what string) string {
	if n == 1 {
		return "1 " + what
	}
	return fmt.Sprintf("%d %ss", n, what)
}
