package domain

import "github.com/aws/aws-sdk-go-v2/service/connect/types"

// Queue is a standard queue: where contacts wait for the agents whose routing
// profiles list it. The queue that every agent has of its own is not stored:
// it is there as long as the user is.
type Queue struct {
	Name               string
	Description        string            `json:",omitempty"`
	Status             types.QueueStatus // DISABLED: no contact enters, those inside are still routed
	HoursOfOperationID HoursOfOperationID
	// MaxContacts is how many contacts may wait at once; 0 means that none
	// may, nil that the queue has no limit of its own.
	MaxContacts            *int32           `json:",omitempty"`
	OutboundCaller         OutboundCaller   `json:",omitzero"`
	OutboundEmailAddressID EmailAddressID   `json:",omitempty"`
	QuickConnectIDs        []QuickConnectID `json:",omitempty"`
	// EmailAddressIDs are the addresses that agents can choose to write from,
	// beside OutboundEmailAddressID.
	EmailAddressIDs []EmailAddressID `json:",omitempty"`
}

// OutboundCaller is how a queue's outbound calls present themselves.
type OutboundCaller struct {
	IDName   string        `json:",omitempty"`
	NumberID PhoneNumberID `json:",omitempty"`
	FlowID   ContactFlowID `json:",omitempty"` // an outbound whisper flow
}

// AgentQueueID is the id, in ARNs, of the queue that a user has of its own.
func AgentQueueID(user UserID) string { return agentQueuePrefix + string(user) }
