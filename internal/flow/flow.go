// Package flow reads documents of the Amazon Connect flow language, version
// 2019-10-30, and says what is wrong with them. It is pure: no network, no
// storage, no clock. What a document refers to is reported to the caller, who
// knows what exists.
package flow

import (
	"github.com/aws/aws-sdk-go-v2/service/connect/types"

	"ringdown/internal/domain"
)

// Type is the type of a flow, or Module. An action may be supported in some
// types only.
type Type string

// Module is the type of flow modules; those of flows are the values of
// types.ContactFlowType.
const Module Type = "MODULE"

// TypeOf is the Type of a flow.
func TypeOf(t types.ContactFlowType) Type { return Type(t) }

// Problem is one rule that a document breaks.
type Problem struct {
	// Message is what the API answers, in the service's words.
	Message string `json:"message"`
	// Rule names the rule, in words joined by hyphens.
	Rule string `json:"rule"`
	// Path leads to the place in the document, "" for the document itself.
	Path string `json:"path,omitempty"`
	// Action is the identifier of the action concerned, "" for none.
	Action string `json:"action,omitempty"`
	// Line and Column of the place in the document, counted from 1, columns in
	// characters.
	Line   int `json:"line"`
	Column int `json:"column"`
}

// Reference is a resource of the instance that a document names.
type Reference struct {
	Kind domain.Kind
	// ID is an id or ARN as the document has it.
	ID string
	// Required is false for what the service accepts though it does not exist.
	Required bool
	// Problem is to be reported when the resource does not exist.
	Problem Problem
}

// Result is what Check found.
type Result struct {
	// Problems are in the order of the document; none means that the document
	// is valid as far as it can be told without the instance.
	Problems []Problem
	// References are the resources that the document names statically.
	References []Reference
}
