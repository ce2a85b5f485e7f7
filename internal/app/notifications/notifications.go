// Package notifications serves notifications to users.
//
// A notification is one record with its recipients; who sees it is decided when
// somebody looks, so that one to all users of an instance reaches those who come
// later as well. What a user has done with it is a record of its own, which
// goes with the notification and with the user.
package notifications

import (
	"ringdown/internal/catalog"
	"ringdown/internal/domain"
)

// Notifications serves the operations of this package.
type Notifications struct {
	catalog       *catalog.Catalog
	notifications *catalog.Collection[domain.Notification]
	statuses      *catalog.Collection[domain.UserNotification]
}

// New registers the kinds of this package with the catalog.
func New(c *catalog.Catalog) *Notifications {
	return &Notifications{
		catalog:       c,
		notifications: catalog.Register(c, notificationKind),
		statuses:      catalog.Register(c, userNotificationKind),
	}
}
