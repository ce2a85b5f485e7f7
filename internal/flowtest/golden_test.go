package flowtest_test

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"ringdown/internal/flow/machine"
	"ringdown/internal/flowtest"
)

var update = flag.Bool("update", false, "rewrite the golden files")

// failing are the tests that do not pass; -update cannot make one of the others
// fail unnoticed.
var failing = map[string]bool{
	"agents": true, "any": true, "assertions": true, "missed": true, "nobody-answers": true, "ssml": true, "time-is-over": true,
}

// TestGolden runs the tests of testdata/golden and compares their records and
// transcripts with what they were.
func TestGolden(t *testing.T) {
	files, err := filepath.Glob("testdata/golden/*.yaml")
	if err != nil || len(files) == 0 {
		t.Fatal("no files", err)
	}
	for _, name := range files {
		short := strings.TrimSuffix(filepath.Base(name), ".yaml")
		t.Run(short, func(t *testing.T) {
			t.Parallel()
			c, err := flowtest.Load(name, "", os.ReadFile)
			if err != nil {
				t.Fatal(err)
			}
			c.World.Lambda = callSample
			r := flowtest.Run(t.Context(), c.Spec, c.World)
			if (r.Status == flowtest.Failed) != failing[short] {
				t.Errorf("it has %s: %s", r.Status, r.Reason)
			}
			golden(t, strings.TrimSuffix(name, ".yaml")+".txt", render(r))
		})
	}
}

// callSample is a function that greets, and one that fails.
func callSample(_ context.Context, r machine.LambdaRequest) ([]byte, string, error) {
	if strings.HasSuffix(r.Function, "broken") {
		return nil, "", errors.New("it is broken")
	}
	return []byte(`{"tier":"gold","name":"` + r.Function[strings.LastIndexByte(r.Function, ':')+1:] + `"}`), "id", nil
}

// render is all of a result as text.
func render(r *flowtest.Result) string {
	var b strings.Builder
	fmt.Fprintf(&b, "%s %s\n", r.Status, r.Reason)
	for _, o := range r.Observations {
		fmt.Fprintf(&b, "  %-8s %d %s %s\n", o.Status, o.Seen, o.Observation.Identifier, o.Problem)
	}
	b.WriteString("records\n")
	for _, rec := range r.Records {
		fmt.Fprintf(&b, "  %7.2f %-8s %s %s %s %s %s %v\n", rec.Detail.Seconds, rec.Status, rec.Observation, rec.Detail.Kind,
			rec.Detail.Identifier, rec.Detail.Type, rec.Detail.Message, rec.Detail.Data)
	}
	b.WriteString("transcript\n")
	for _, e := range r.Transcript {
		fmt.Fprintf(&b, "  %7.2f %-8s %s\n", e.After.Seconds(), e.Who, e.Text)
	}
	return b.String()
}

func golden(t *testing.T, file, got string) {
	t.Helper()
	if *update {
		if err := os.WriteFile(file, []byte(got), 0o600); err != nil {
			t.Fatal(err)
		}
		return
	}
	want, err := os.ReadFile(file) //nolint:gosec // a golden file
	if err != nil {
		t.Fatalf("%v; go test ./internal/flowtest -update writes it", err)
	}
	if got != string(want) {
		t.Errorf("%s differs (-update rewrites it):\n%s\nwant\n%s", file, got, want)
	}
}
