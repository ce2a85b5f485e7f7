package domain

import (
	"github.com/aws/aws-sdk-go-v2/service/connect/types"

	"ringdown/internal/fault"
)

// IntegrationAssociation joins an instance with a resource of another service.
type IntegrationAssociation struct {
	Type                  types.IntegrationType
	ARN                   string
	SourceApplicationName string           `json:",omitempty"`
	SourceApplicationURL  string           `json:",omitempty"`
	SourceType            types.SourceType `json:",omitempty"`
}

// Name is unique in an instance: the same resource may be associated in
// several types, such as a knowledge base for articles and for quick responses.
func (a *IntegrationAssociation) Name() string { return string(a.Type) + " " + a.ARN }

// Check checks the ARN, and that an association for events says where these
// come from (AWS API reference, CreateIntegrationAssociation).
func (a *IntegrationAssociation) Check() error {
	if err := checkForeignARN("IntegrationArn", a.ARN, "", ""); err != nil {
		return err
	}
	if a.Type != types.IntegrationTypeEvent {
		return nil
	}
	for _, m := range []struct{ name, value string }{
		{"SourceApplicationName", a.SourceApplicationName},
		{"SourceApplicationUrl", a.SourceApplicationURL},
		{"SourceType", string(a.SourceType)},
	} {
		if m.value == "" {
			return fault.New(fault.InvalidRequest, "%s is required when IntegrationType is EVENT", m.name)
		}
	}
	return nil
}
