// Package prerequisite says what becomes of a test that needs what this machine does
// not have, such as a program or IPv6: on a contributor's machine it is skipped, where
// everything is said to be there it fails, so that nothing is taken for tested that was
// not.
package prerequisite

import (
	"os"
	"testing"
)

// Variable is the environment variable that says, by any value, that there is
// everything that tests need. `.ci/run` sets it.
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
