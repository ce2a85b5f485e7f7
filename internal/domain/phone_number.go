package domain

import "github.com/aws/aws-sdk-go-v2/service/connect/types"

// PhoneNumber is a number that has been claimed. It belongs to no instance but
// to an account in a region, and its calls go to an instance or, through a
// traffic distribution group, to an instance and its replica.
type PhoneNumber struct {
	Number      string // E.164, with its plus sign
	CountryCode types.PhoneNumberCountryCode
	Type        types.PhoneNumberType
	Description string `json:",omitempty"`
	Region      string
	InstanceID  InstanceID // where its calls go; the instance of GroupID if there is one
	// GroupID is the group that distributes its calls.
	GroupID TrafficDistributionGroupID `json:",omitempty"`
	// ContactFlowID is the flow that its calls begin with. The flow may be
	// deleted and is then named in vain.
	ContactFlowID ContactFlowID `json:",omitempty"`
	// SourceARN names the number in the service it was imported from.
	SourceARN string `json:",omitempty"`
	Status    types.PhoneNumberWorkflowStatus
	// StatusMessage says why Status is FAILED.
	StatusMessage string `json:",omitempty"`
}
