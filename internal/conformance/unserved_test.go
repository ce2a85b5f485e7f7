package conformance

import (
	"flag"
	"maps"
	"os"
	"slices"
	"strings"
	"testing"

	"ringdown/internal/server/servertest"
)

var update = flag.Bool("update", false, "take operations that are served now off unserved.txt")

const unservedFile = "unserved.txt"

// TestUnserved holds the list of operations that are not served yet, which may
// only shrink: whoever adds an operation takes it off, and nobody can lose one
// unnoticed.
func TestUnserved(t *testing.T) {
	served := map[string]bool{}
	for _, name := range servertest.Boot(t).Served {
		served[name] = true
	}
	raw, err := os.ReadFile(unservedFile)
	if err != nil {
		t.Fatal(err)
	}
	listed := strings.Fields(string(raw))
	if *update {
		listed = slices.DeleteFunc(listed, func(name string) bool { return served[name] })
		if err := os.WriteFile(unservedFile, []byte(strings.Join(listed, "\n")+"\n"), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	if !slices.IsSorted(listed) || len(slices.Compact(slices.Clone(listed))) != len(listed) {
		t.Errorf("%s must be sorted and name each operation once", unservedFile)
	}
	all := readModel(t).Operations
	maps.Copy(all, readParticipantModel(t).Operations)
	for _, name := range listed {
		switch {
		case all[name] == nil:
			t.Errorf("%s lists %s, which is no operation of the models", unservedFile, name)
		case served[name]:
			t.Errorf("%s is served now. Take it off the list:\n\tgo test ./internal/conformance -run TestUnserved -update", name)
		}
	}
	for name := range all {
		if !served[name] && !slices.Contains(listed, name) {
			t.Errorf("%s is neither served nor in %s. An operation that was served once must stay so: "+
				"a method of one of the areas in internal/server (newAreas) has to have its name. "+
				"Only a new service model may put an operation on the list, by hand.", name, unservedFile)
		}
	}
}
