package prerequisite_test

import (
	"runtime"
	"strings"
	"testing"

	"ringdown/internal/prerequisite"
)

// told notes how a test ended.
type told struct {
	testing.TB
	failed, skipped string
}

func (t *told) Helper() {}

func (t *told) Fatalf(format string, args ...any) {
	t.failed = format
	runtime.Goexit()
}

func (t *told) Skip(args ...any) {
	t.skipped = args[0].(string)
	runtime.Goexit()
}

func TestMissing(t *testing.T) {
	end := func() *told {
		test := &told{TB: t}
		done := make(chan struct{})
		go func() {
			defer close(done)
			prerequisite.Missing(test, "there is no pen")
			t.Error("the test goes on")
		}()
		<-done
		return test
	}
	t.Setenv(prerequisite.Variable, "")
	if got := end(); got.failed != "" || got.skipped != "there is no pen" {
		t.Errorf("on any machine it ends with %+v", got)
	}
	t.Setenv(prerequisite.Variable, "1")
	if got := end(); got.skipped != "" || !strings.Contains(got.failed, "nothing is missing") {
		t.Errorf("on a complete machine it ends with %+v", got)
	}
}
