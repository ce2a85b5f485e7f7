package main

import (
	"context"
	"encoding/xml"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"slices"
	"strings"
	"time"

	"ringdown/internal/flow/machine"
	"ringdown/internal/flowtest"
	"ringdown/internal/lambda"
)

// The help of flow is one page: this follows flowHelp.
const flowTestHelp = `Usage:
  ringdown flow test [--verbose] [--junit REPORT] [--flow FLOW] FILE...

Runs tests of flows without a server, in virtual time: nothing waits. A FILE, in
YAML or JSON, says which flow is called and what is expected:

  name: Whoever presses 1 is queued for sales
  flow: welcome.json           # or the document itself
  test: press-1.test.json      # the content of a test case, or its file
  channel: voice               # or chat
  attributes: {Language: en}
  hours: {<id>: closed}        # open, unless said otherwise
  queues: {<id>: {name: Sales, agents: 2, contacts: 5, oldest: 90s, hours: <id>}}
  prompts: {<id>: {file: welcome.wav, text: Welcome!}}
  flows: {<id>: other.json}    # that the flow transfers to
  modules: {<id>: module.json} # that it invokes
  functions: {<name or ARN>: http://127.0.0.1:9000/}
  from: "+12065550100"
  to: "+12065550199"
  at: 2026-01-05T10:00:00Z     # when the contact begins

Only flow and test are needed. A FILE may also be the content of a test case
alone; then --flow says which flow it tests. Paths are relative to the file.

  --verbose  what the customer heard and did, and what the flow did, with times
  --junit    writes the results as JUnit does, for CI systems
  --flow     the flow to be tested, in place of the files' own

The exit code is 0 when all tests pass, 1 when any fails, 2 when the command line
makes no sense.
`

// tested is a test and what came of it.
type tested struct {
	file   string
	name   string
	test   *flowtest.Case   // nil when it could not be read
	result *flowtest.Result // nil when it could not be run
	err    error
}

func (t *tested) passed() bool { return t.err == nil && t.result.Status == flowtest.Passed }

// took is how long it took, in virtual time.
func (t *tested) took() time.Duration {
	if t.result == nil {
		return 0
	}
	return t.result.Took
}

// problems are what is wrong, a line each, with file and line.
func (t *tested) problems() []string {
	if t.err != nil {
		return strings.Split(t.err.Error(), "\n")
	}
	var lines []string
	for i, o := range t.result.Observations {
		if o.Problem != "" {
			lines = append(lines, fmt.Sprintf("%s:%d: %s: %s", t.test.TestFile, t.test.Lines[i], o.Observation.Identifier, o.Problem))
		}
	}
	if len(lines) == 0 && t.result.Reason != "" {
		lines = append(lines, t.file+": "+t.result.Reason)
	}
	return lines
}

func flowTest(ctx context.Context, p *program, args []string) error {
	f := flag.NewFlagSet("flow test", flag.ContinueOnError)
	f.SetOutput(io.Discard)
	verbose := f.Bool("verbose", false, "")
	junit := f.String("junit", "", "")
	flowFile := f.String("flow", "", "")
	if err := f.Parse(args); errors.Is(err, flag.ErrHelp) {
		return printFlowHelp(p.stdout)
	} else if err != nil {
		return &usageError{err}
	}
	late := slices.IndexFunc(f.Args(), func(a string) bool { return len(a) > 1 && a[0] == '-' })
	switch {
	case f.NArg() == 0:
		return &usageError{errors.New("name the files with the tests")}
	case late >= 0:
		return &usageError{fmt.Errorf("put %s before the files", f.Arg(late))}
	}
	var all []*tested
	failures := 0
	for _, name := range f.Args() {
		t := runTest(ctx, name, *flowFile)
		if all = append(all, t); !t.passed() {
			failures++
		}
		if err := report(p.stdout, t, *verbose); err != nil {
			return err
		}
	}
	if *junit != "" {
		if err := writeJUnit(*junit, all, failures); err != nil {
			return err
		}
	}
	if failures > 0 {
		return fmt.Errorf("%d of %s failed", failures, count(len(all), "test"))
	}
	return nil
}

// runTest reads and runs one test.
func runTest(ctx context.Context, name, flowFile string) *tested {
	t := &tested{file: name, name: name}
	if t.test, t.err = flowtest.Load(name, flowFile, os.ReadFile); t.err != nil {
		return t
	}
	t.name = t.test.Name
	functions, err := lambda.New(lambda.Options{Region: t.test.Spec.Region, Functions: t.test.Functions})
	if err != nil {
		t.err = fmt.Errorf("%s: %w", name, err)
		return t
	}
	t.test.World.Lambda = func(ctx context.Context, r machine.LambdaRequest) ([]byte, string, error) {
		answer, err := functions.Invoke(ctx, lambda.Request{Function: r.Function, Payload: r.Payload, Async: r.Async, Limit: r.Limit})
		return answer.Payload, answer.InvocationID, err
	}
	t.result = flowtest.Run(ctx, t.test.Spec, t.test.World)
	return t
}

// report prints what came of a test.
func report(w io.Writer, t *tested, verbose bool) error {
	var b strings.Builder
	verdict := "ok  "
	if !t.passed() {
		verdict = "FAIL"
	}
	fmt.Fprintf(&b, "%s %s: %s (%.1f s)\n", verdict, t.file, t.name, t.took().Seconds())
	for _, line := range t.problems() {
		fmt.Fprintf(&b, "    %s\n", line)
	}
	if verbose && t.result != nil {
		for _, e := range t.result.Transcript {
			fmt.Fprintf(&b, "    %7.1f  %-8s  %s\n", e.After.Seconds(), e.Who, e.Text)
		}
	}
	_, err := io.WriteString(w, b.String())
	return err
}

// The elements of a JUnit report that CI systems read.
type (
	junitSuite struct {
		XMLName  xml.Name    `xml:"testsuite"`
		Name     string      `xml:"name,attr"`
		Tests    int         `xml:"tests,attr"`
		Failures int         `xml:"failures,attr"`
		Time     string      `xml:"time,attr"`
		Cases    []junitCase `xml:"testcase"`
	}
	junitCase struct {
		Name    string        `xml:"name,attr"`
		Class   string        `xml:"classname,attr"`
		Time    string        `xml:"time,attr"` // virtual, in seconds
		Failure *junitFailure `xml:"failure"`
	}
	junitFailure struct {
		Message string `xml:"message,attr"`
		Text    string `xml:",chardata"`
	}
)

func writeJUnit(name string, all []*tested, failures int) error {
	suite := junitSuite{Name: "ringdown flow test", Tests: len(all), Failures: failures}
	var total time.Duration
	for _, t := range all {
		total += t.took()
		c := junitCase{Name: t.name, Class: t.file, Time: seconds(t.took())}
		if problems := t.problems(); !t.passed() {
			c.Failure = &junitFailure{Message: problems[0], Text: strings.Join(problems, "\n")}
		}
		suite.Cases = append(suite.Cases, c)
	}
	suite.Time = seconds(total)
	raw, err := xml.MarshalIndent(suite, "", "  ")
	if err != nil {
		return err
	}
	return os.WriteFile(name, append([]byte(xml.Header), append(raw, '\n')...), 0o644) //nolint:gosec // a report for others to read
}

func seconds(d time.Duration) string { return fmt.Sprintf("%.3f", d.Seconds()) }
