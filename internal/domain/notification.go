package domain

import (
	"time"

	"github.com/aws/aws-sdk-go-v2/service/connect/types"

	"ringdown/internal/fault"
)

// Notification is a message that users see in the header of their pages.
type Notification struct {
	Content map[string]string // by locale: en_US
	// Recipients are ARNs of users, and of the instance for all of its users.
	// Those that were deleted since stay.
	Recipients []string
	Priority   types.NotificationPriority
	ExpiresAt  time.Time
}

// Check checks the rules of a notification that need nothing but itself.
func (n *Notification) Check() error {
	switch {
	case len(n.Content) == 0:
		return fault.New(fault.InvalidParameter, "Content must include at least 1 item")
	case len(n.Recipients) == 0:
		return fault.New(fault.InvalidParameter, "Recipients must include at least 1 item")
	default:
		return nil
	}
}

// UserNotification is what a user has done with a notification. A user that
// has none has not read it.
type UserNotification struct {
	NotificationID NotificationID
	UserID         UserID
	Status         types.NotificationStatus
}
