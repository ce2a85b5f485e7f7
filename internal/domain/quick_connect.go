package domain

import (
	"github.com/aws/aws-sdk-go-v2/service/connect/types"

	"ringdown/internal/fault"
)

// QuickConnect is a destination that agents can transfer to by its name.
type QuickConnect struct {
	Name        string
	Description string `json:",omitempty"`
	Type        types.QuickConnectType
	// UserID is the agent of a USER. It may name one that is no more: deleting
	// a user leaves the quick connects to it behind.
	UserID      UserID        `json:",omitempty"`
	QueueID     QueueID       `json:",omitempty"` // of a QUEUE
	PhoneNumber string        `json:",omitempty"` // of a PHONE_NUMBER; E.164
	FlowID      ContactFlowID `json:",omitempty"` // of a USER, QUEUE or FLOW: what runs on a transfer
}

// CheckQuickConnectConfig checks that a configuration has the part of its type
// and no other (AWS API reference, QuickConnectConfig).
func CheckQuickConnectConfig(c *types.QuickConnectConfig) error {
	for _, part := range []struct {
		name string
		of   types.QuickConnectType
		set  bool
	}{
		{"UserConfig", types.QuickConnectTypeUser, c.UserConfig != nil},
		{"QueueConfig", types.QuickConnectTypeQueue, c.QueueConfig != nil},
		{"PhoneConfig", types.QuickConnectTypePhoneNumber, c.PhoneConfig != nil},
		{"FlowConfig", types.QuickConnectTypeFlow, c.FlowConfig != nil},
	} {
		switch {
		case part.of == c.QuickConnectType && !part.set:
			return fault.New(fault.InvalidParameter, "QuickConnectConfig.%s is required for a quick connect of type %s", part.name, c.QuickConnectType)
		case part.of != c.QuickConnectType && part.set:
			return fault.New(fault.InvalidParameter, "QuickConnectConfig.%s must not be given for a quick connect of type %s", part.name, c.QuickConnectType)
		}
	}
	return nil
}
