package machine

import (
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"testing"

	"ringdown/internal/flow"
)

// partly are types that ask a service with some parameters only.
var partly = []string{
	"CompleteOutboundCall",                       // of a voice connector
	"UpdateContactRecordingAndAnalyticsBehavior", // of redaction in flight
}

// TestServices holds flow's table of what is done by services to what the
// machine asks of them in the golden files.
func TestServices(t *testing.T) {
	transcripts, err := filepath.Glob(filepath.Join("testdata", "golden", "*.txt"))
	if err != nil || len(transcripts) == 0 {
		t.Fatalf("no transcripts: %v", err)
	}
	var asked []string
	request := regexp.MustCompile(`ask \{"Service":\{"Type":"([^"]+)"`)
	for _, file := range transcripts {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		for _, m := range request.FindAllStringSubmatch(string(text), -1) {
			asked = append(asked, m[1])
		}
	}
	for _, typ := range flow.ActionTypes() {
		if want := typ.Service != "" || slices.Contains(partly, typ.Name); want != slices.Contains(asked, typ.Name) {
			t.Errorf("%s: Service is %q, but the machine asks one: %t", typ.Name, typ.Service, !want)
		}
	}
}
