// Package flow reads documents of the Amazon Connect flow language, version
// 2019-10-30, and says what is wrong with them. It is pure: no network, no
// storage, no clock. What a document refers to is reported to the caller, who
// knows what exists.
//
// The way of a document: node.go makes a tree of values that know where they
// stand; document.go reads flow, actions and transitions from it; check.go
// applies the rules that all actions share, and those of each type from the
// tables in actions_*.go, which are data to be held against the pages "Actions
// in the Amazon Connect Flow language" of the API reference; spec.go says what
// the tables can say. An interpreter needs the same Document and the same
// tables. test_case.go does the same for the testing language.
//
// The words of a Problem are the service's where they are known. Where the
// service is known to differ from its documentation the tables follow the
// service and say so; what neither tells is in docs/divergences.md.
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

// Types are all types: those of flows in the order of the service model, then
// Module.
func Types() []Type {
	var all []Type
	for _, t := range types.ContactFlowType("").Values() {
		all = append(all, TypeOf(t))
	}
	return append(all, Module)
}

// Problem is one rule that a document breaks.
type Problem struct {
	// Message is what the API answers, in the service's words.
	Message string `json:"message"`
	// Hint says what would be right, "" when Message tells. It begins in lower
	// case and has no full stop.
	Hint string `json:"hint,omitempty"`
	// Rule names the rule, in words joined by hyphens: one of the Rule
	// constants.
	Rule string `json:"rule"`
	// Path leads to the place in the document, "" for the document itself.
	Path string `json:"path,omitempty"`
	// Action is the identifier of the action concerned, in a test case that of
	// the observation; "" for none.
	Action string `json:"action,omitempty"`
	// Line and Column of the place in the document, counted from 1, columns in
	// characters.
	Line   int `json:"line"`
	Column int `json:"column"`
}

// Reference is a resource of the instance that a document names.
type Reference struct {
	Kind domain.Kind
	// ID is an id or ARN as the document has it. It may carry a qualifier after
	// a colon: the version of a view, the version or alias of a module. A bot of
	// Lex V1, which has no ARN, is named as domain.Bot names it.
	ID string
	// Required is false for what the service accepts though it does not exist.
	Required bool
	// Problem is to be reported when the resource does not exist.
	Problem Problem
}

// Need is an action that something beside the contact centre does.
type Need struct {
	Type string // of the action
	// Problem is to be told when nothing does it. It does not make the document
	// invalid: the action takes its error branch.
	Problem Problem
}

// Result is what Check found.
type Result struct {
	// Problems are in the order of the document; none means that the document
	// is valid as far as it can be told without the instance.
	Problems []Problem
	// References are the resources that the document names statically.
	References []Reference
	// Needs are in the order of the document.
	Needs []Need
}
