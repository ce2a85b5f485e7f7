package domain

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"

	"github.com/aws/aws-sdk-go-v2/service/connect/types"

	"ringdown/internal/fault"
)

// TestCase says how a contact that is simulated shall fare. It has a content
// that can be run, one that is being worked on, or both.
type TestCase struct {
	Name        string
	Description string               `json:",omitempty"`
	Status      types.TestCaseStatus // PUBLISHED once a content can be run
}

// TestCaseContent is the content of a test case in one status. It is kept apart
// because it is large and lists do not show it.
type TestCaseContent struct {
	TestCaseID TestCaseID
	Status     types.TestCaseStatus
	Content    string                    // a document of the testing language
	EntryPoint *types.TestCaseEntryPoint `json:",omitempty"`
	// InitializationData are the attributes that the contact begins with, as a
	// JSON document.
	InitializationData string `json:",omitempty"`
}

// SHA256 is the checksum that the API shows of a content: that of its UTF-8
// bytes, in hexadecimal.
func (c *TestCaseContent) SHA256() string {
	sum := sha256.Sum256([]byte(c.Content))
	return hex.EncodeToString(sum[:])
}

// FlowID is the id or ARN of the flow with which the test begins, "" when the
// entry point names none.
func (c *TestCaseContent) FlowID() string {
	e := c.EntryPoint
	switch {
	case e == nil:
		return ""
	case e.VoiceCallEntryPointParameters != nil && e.VoiceCallEntryPointParameters.FlowId != nil:
		return *e.VoiceCallEntryPointParameters.FlowId
	case e.ChatEntryPointParameters != nil && e.ChatEntryPointParameters.FlowId != nil:
		return *e.ChatEntryPointParameters.FlowId
	default:
		return ""
	}
}

// Check checks that the initial attributes are JSON and that the entry point
// has the parameters of its type and no others.
func (c *TestCaseContent) Check() error {
	if c.InitializationData != "" && !json.Valid([]byte(c.InitializationData)) {
		return fault.New(fault.InvalidParameter, "InitializationData must be a JSON document")
	}
	e := c.EntryPoint
	if e == nil {
		return nil
	}
	switch {
	case e.Type == "":
		return fault.New(fault.InvalidParameter, "EntryPoint.Type is required")
	case e.Type != types.TestCaseEntryPointTypeVoiceCall && e.VoiceCallEntryPointParameters != nil:
		return fault.New(fault.InvalidParameter, "EntryPoint.VoiceCallEntryPointParameters do not go with the type %s", e.Type)
	case e.Type != types.TestCaseEntryPointTypeChat && e.ChatEntryPointParameters != nil:
		return fault.New(fault.InvalidParameter, "EntryPoint.ChatEntryPointParameters do not go with the type %s", e.Type)
	}
	return nil
}
