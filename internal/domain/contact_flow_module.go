package domain

import (
	"regexp"
	"unicode/utf8"

	"github.com/aws/aws-sdk-go-v2/service/connect/types"

	"ringdown/internal/fault"
)

// ContactFlowModule is a part of flows that several of them invoke. It is
// published when it is made, so Published is never nil.
type ContactFlowModule struct {
	Name        string
	Description string `json:",omitempty"`
	State       types.ContactFlowModuleState
	// ExternalInvocation says whether something other than a flow may invoke the
	// module; nil when nothing was said.
	ExternalInvocation *types.ExternalInvocationConfiguration `json:",omitempty"`
	FlowContents
}

// ContactFlowModuleAlias is a name for a version of a module. Flows that name
// the alias follow it to another version.
type ContactFlowModuleAlias struct {
	ModuleID    ContactFlowModuleID
	Name        string
	Description string `json:",omitempty"`
	Version     int64
	VersionID   string // the id of the version's record
}

// aliasName: AWS API reference, ContactFlowModuleAliasInfo. UpdateContactFlowModuleAlias
// allows more in its model, which nothing could show afterwards.
var aliasName = regexp.MustCompile(`^([$0-9a-zA-Z][_-]?)+$`)

// maxAliasName is how many characters the name of an alias may have.
const maxAliasName = 100

// Check checks name and description; an InvalidParameterException. The names of
// what qualifies a module otherwise are taken (docs/divergences.md).
func (a *ContactFlowModuleAlias) Check() error {
	switch n := utf8.RuneCountInString(a.Name); {
	case n > maxAliasName:
		return fault.New(fault.InvalidParameter, "The name of an alias must have 1 to %d characters, it has %d", maxAliasName, n)
	case !aliasName.MatchString(a.Name):
		return fault.New(fault.InvalidParameter, "The name of an alias must consist of letters, digits and $, each followed by at most one _ or -")
	case IsFlowQualifier(a.Name):
		return fault.New(fault.InvalidParameter, "The name %s is not free for an alias", a.Name)
	default:
		return checkFlowDescription(a.Description)
	}
}

// The qualifiers of flows and modules that are neither a version nor an alias
// (AWS API reference, DescribeContactFlow and CreateContactFlowVersion).
const (
	// SavedQualifier asks for the content saved last.
	SavedQualifier = "$SAVED"
	// LatestQualifier asks for the content published last.
	LatestQualifier = "$LATEST"
	// LatestModuleQualifier is how the console writes it for modules.
	LatestModuleQualifier = "$.LATEST"
)

// IsFlowQualifier reports whether a qualifier is one of these.
func IsFlowQualifier(q string) bool {
	return q == SavedQualifier || q == LatestQualifier || q == LatestModuleQualifier
}
