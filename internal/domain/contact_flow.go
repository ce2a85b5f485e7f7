package domain

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"unicode/utf8"

	"github.com/aws/aws-sdk-go-v2/service/connect/types"

	"ringdown/internal/fault"
)

// ContactFlow says what happens to a contact. It has a content that contacts
// run, one that is being worked on, or both.
type ContactFlow struct {
	Name        string
	Description string `json:",omitempty"`
	Type        types.ContactFlowType
	State       types.ContactFlowState
	// Default marks a flow that every instance has and none may delete.
	Default bool `json:",omitempty"`
	FlowContents
}

// FlowContents are the contents of a flow or of a module.
type FlowContents struct {
	// Published is what contacts run; nil of a flow that never was published.
	Published *FlowRevision `json:",omitempty"`
	// Saved is what was saved after Published without being published; nil
	// when there is no such thing.
	Saved *FlowRevision `json:",omitempty"`
	// LastVersion is the greatest number that a version ever had: numbers are
	// not used again.
	LastVersion int64 `json:",omitempty"`
}

// FlowContentID is the id of a FlowContent, a lower-case UUID.
type FlowContentID string

// FlowRevision names one content of a flow or module.
type FlowRevision struct {
	ContentID FlowContentID
	SHA256    string // of the content, 64 hexadecimal digits
}

// Status is PUBLISHED when contacts can run the content, SAVED until then.
func (c *FlowContents) Status() types.ContactFlowStatus {
	if c.Published != nil {
		return types.ContactFlowStatusPublished
	}
	return types.ContactFlowStatusSaved
}

// FlowVersion is a numbered content of a flow or module, which never changes.
type FlowVersion struct {
	Of          string // the id of the flow or module
	Number      int64  // from 1
	Description string `json:",omitempty"`
	FlowRevision
}

// The lengths of names and descriptions, in characters (CloudFormation
// reference, AWS::Connect::ContactFlow; the service model has none).
const (
	maxFlowName        = 127
	maxFlowDescription = 500
)

// Check checks the lengths of name and description; an
// InvalidParameterException.
func (f *ContactFlow) Check() error {
	if n := utf8.RuneCountInString(f.Name); n > maxFlowName {
		return fault.New(fault.InvalidParameter, "Name must have 1 to %d characters, it has %d", maxFlowName, n)
	}
	return checkFlowDescription(f.Description)
}

// Check checks the length of the description; an InvalidParameterException.
func (v *FlowVersion) Check() error { return checkFlowDescription(v.Description) }

func checkFlowDescription(text string) error {
	if n := utf8.RuneCountInString(text); n > maxFlowDescription {
		return fault.New(fault.InvalidParameter, "Description must have at most %d characters, it has %d", maxFlowDescription, n)
	}
	return nil
}

// FlowContent is one content of a flow or module: a document in the flow
// language. It is kept apart from its flow because it is large and lists of
// flows do not show it, and it never changes: a flow with a new content refers
// to a new one.
type FlowContent struct {
	Content string
	// Settings go with the content of a module: a JSON document that declares
	// its input, its results and its branches; "" for none.
	Settings string `json:",omitempty"`
}

// maxFlowContent is how many characters a content may have (AWS API reference,
// ContactFlow).
const maxFlowContent = 256_000

// Check checks the length of the content, and that Settings are a JSON object;
// an InvalidParameterException.
func (c *FlowContent) Check() error {
	if n := utf8.RuneCountInString(c.Content); n < 1 || n > maxFlowContent {
		return fault.New(fault.InvalidParameter, "Content must have 1 to %d characters, it has %d", maxFlowContent, n)
	}
	if c.Settings == "" {
		return nil
	}
	var settings map[string]json.RawMessage
	if err := json.Unmarshal([]byte(c.Settings), &settings); err != nil || settings == nil {
		return fault.New(fault.InvalidParameter, "Settings must be a JSON object")
	}
	return nil
}

// SHA256 is the checksum that the API shows of a content: that of its UTF-8
// bytes, in hexadecimal.
func (c *FlowContent) SHA256() string {
	sum := sha256.Sum256([]byte(c.Content))
	return hex.EncodeToString(sum[:])
}
