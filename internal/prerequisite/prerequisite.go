// Package prerequisite says what becomes of a test that needs a program which this
// machine does not have: on a contributor's machine it is skipped, where everything
// is said to be installed it fails, so that nothing is taken for tested that was not.
package prerequisite

import (
	"os"
	"testing"
)

// Variable is the environment variable that says, by any value, that every program
// which tests need is installed. `.ci/run` sets it.
const Variable = "RINGDOWN_TEST_COMPLETE"

// Missing ends a test for want of something: why says what is missing, and how to
// install it.
func Missing(tb testing.TB, why any) {
	tb.Helper()
	if os.Getenv(Variable) != "" {
		tb.Fatalf("%v, but %s says that nothing is missing", why, Variable)
	}
	tb.Skip(why)
}
