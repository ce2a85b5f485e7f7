package domain

import (
	"crypto/sha256"
	"encoding/hex"
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
	// Published is what contacts run; nil of a flow that never was published.
	Published *FlowRevision `json:",omitempty"`
	// Saved is what was saved after Published without being published; nil
	// when there is no such thing.
	Saved *FlowRevision `json:",omitempty"`
}

// FlowContentID is the id of a FlowContent, a lower-case UUID.
type FlowContentID string

// FlowRevision names one content of a flow.
type FlowRevision struct {
	ContentID FlowContentID
	SHA256    string // of the content, 64 hexadecimal digits
}

// Status is PUBLISHED when contacts can run the flow, SAVED until then.
func (f *ContactFlow) Status() types.ContactFlowStatus {
	if f.Published != nil {
		return types.ContactFlowStatusPublished
	}
	return types.ContactFlowStatusSaved
}

// FlowContent is one content of a flow: a document in the flow language. It is
// kept apart from its flow because it is large and lists of flows do not show
// it, and it never changes: a flow with a new content refers to a new one.
type FlowContent struct {
	Content string
}

// maxFlowContent is how many characters a content may have (AWS API reference,
// ContactFlow).
const maxFlowContent = 256_000

// Check checks the length of the content; an InvalidParameterException.
func (c *FlowContent) Check() error {
	if n := utf8.RuneCountInString(c.Content); n < 1 || n > maxFlowContent {
		return fault.New(fault.InvalidParameter, "Content must have 1 to %d characters, it has %d", maxFlowContent, n)
	}
	return nil
}

// SHA256 is the checksum that the API shows of a content: that of its UTF-8
// bytes, in hexadecimal.
func (c *FlowContent) SHA256() string {
	sum := sha256.Sum256([]byte(c.Content))
	return hex.EncodeToString(sum[:])
}
