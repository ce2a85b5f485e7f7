// Package domain holds the nouns of a contact centre: identifiers, ARNs and
// the entities that are stored, with the rules that Amazon Connect's service
// model cannot express. It knows neither storage nor the wire.
package domain

import (
	"fmt"

	"github.com/google/uuid"
)

// InstanceID is the lower-case UUID of an instance.
type InstanceID string

// The identifiers of the resources of an instance, each a lower-case UUID.
type (
	UserID             string
	HierarchyGroupID   string
	AgentStatusID      string
	SecurityProfileID  string
	RoutingProfileID   string
	QueueID            string
	HoursOfOperationID string
	QuickConnectID     string
	PromptID           string
	ContactFlowID      string
	PhoneNumberID      string
	EmailAddressID     string

	ContactFlowModuleID        string
	AuthenticationProfileID    string
	IntegrationAssociationID   string
	UseCaseID                  string
	TrafficDistributionGroupID string
	NotificationID             string
	WorkspaceID                string
	TaskTemplateID             string
	ViewID                     string
	VocabularyID               string
	RuleID                     string
	EvaluationFormID           string
	ContactEvaluationID        string
	DataTableID                string
	TestCaseID                 string
	TestCaseExecutionID        string
)

// NewID returns a fresh resource id: a lower-case UUID. It is of version 7
// (RFC 9562 §5.7), so ids made later sort later: lists page by id in the order
// of creation and the database's indexes grow at one end.
func NewID() string {
	id, err := uuid.NewV7()
	if err != nil {
		// The only source of failure is the operating system's random numbers,
		// without which nothing here is safe.
		panic(fmt.Sprintf("no random numbers: %v", err))
	}
	return id.String()
}

// IsUUID reports whether s has the form of a resource id.
func IsUUID(s string) bool {
	if len(s) != 36 {
		return false
	}
	for i := range len(s) {
		c := s[i]
		switch {
		case i == 8 || i == 13 || i == 18 || i == 23:
			if c != '-' {
				return false
			}
		case c >= '0' && c <= '9', c >= 'a' && c <= 'f', c >= 'A' && c <= 'F':
		default:
			return false
		}
	}
	return true
}
