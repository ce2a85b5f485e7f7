package domain

import (
	"encoding/json"
	"strings"

	"ringdown/internal/fault"
)

// WorkspacePage is a page of a workspace with the view that it shows. Pages
// are known by their names; HOME and AGENT_EXPERIENCE are those that every
// workspace has, with a view of the service's own until it is given another.
type WorkspacePage struct {
	WorkspaceID WorkspaceID
	Page        string
	ResourceARN string // of the view
	// ViewID is the id of the view when it is one of the instance, empty when
	// it is managed by AWS.
	ViewID    ViewID `json:",omitempty"`
	Slug      string `json:",omitempty"`
	InputData string `json:",omitempty"`
}

// The pages that are no custom ones (AWS API reference, CreateWorkspacePage).
const (
	pageHome            = "HOME"
	pageAgentExperience = "AGENT_EXPERIENCE"
)

// Custom reports whether the page is one that the service does not know.
func (p *WorkspacePage) Custom() bool { return p.Page != pageHome && p.Page != pageAgentExperience }

// Check checks the rules of a page that need nothing but itself (AWS API
// reference, CreateWorkspacePage).
func (p *WorkspacePage) Check() error {
	for _, reserved := range []string{"aws:", "connect:"} {
		if strings.HasPrefix(strings.ToLower(p.Page), reserved) {
			return fault.New(fault.InvalidParameter, "Page must not begin with %s", reserved)
		}
	}
	var object map[string]json.RawMessage
	if p.InputData != "" && (json.Unmarshal([]byte(p.InputData), &object) != nil || object == nil) {
		return fault.New(fault.InvalidParameter, "InputData must be a JSON object")
	}
	return nil
}
