package domain_test

import (
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/service/connect/types"

	"ringdown/internal/domain"
	"ringdown/internal/fault"
)

func TestFlowContent(t *testing.T) {
	for name, c := range map[string]struct {
		content string
		bad     bool
	}{
		"empty":                         {"", true},
		"one character":                 {"x", false},
		"the most":                      {strings.Repeat("x", 256_000), false},
		"the most, of two bytes each":   {strings.Repeat("ä", 256_000), false},
		"one more":                      {strings.Repeat("x", 256_001), true},
		"one more, of three bytes each": {strings.Repeat("€", 256_001), true},
	} {
		t.Run(name, func(t *testing.T) {
			e := domain.FlowContent{Content: c.content}
			if err := e.Check(); fault.Is(err, fault.InvalidParameter) != c.bad || (err != nil) != c.bad {
				t.Errorf("Check gives %v", err)
			}
		})
	}
	// The first example of FIPS 180-2, appendix B.
	const abc = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"
	if got := (&domain.FlowContent{Content: "abc"}).SHA256(); got != abc {
		t.Errorf("SHA256 of abc is %s", got)
	}
}

func TestFlowContentsStatus(t *testing.T) {
	revision := &domain.FlowRevision{}
	for _, c := range []struct {
		contents domain.FlowContents
		want     types.ContactFlowStatus
	}{
		{domain.FlowContents{Saved: revision}, types.ContactFlowStatusSaved},
		{domain.FlowContents{Published: revision}, types.ContactFlowStatusPublished},
		{domain.FlowContents{Published: revision, Saved: revision}, types.ContactFlowStatusPublished},
	} {
		if got := c.contents.Status(); got != c.want {
			t.Errorf("Status of %+v is %s, want %s", c.contents, got, c.want)
		}
	}
}
