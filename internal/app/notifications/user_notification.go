package notifications

import (
	"context"
	"math"
	"slices"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/connect"
	"github.com/aws/aws-sdk-go-v2/service/connect/types"

	"ringdown/internal/catalog"
	"ringdown/internal/domain"
	"ringdown/internal/fault"
	"ringdown/internal/search"
	"ringdown/internal/store"
)

// The roles in which what a user has done with a notification refers to both.
const (
	roleStatusOf store.Role = "user-notification-of"
	roleStatusBy store.Role = "user-notification-by"
)

var userNotificationKind = catalog.Kind[domain.UserNotification]{
	Of:   domain.KindUserNotification,
	Name: func(e *domain.UserNotification) string { return string(e.UserID) },
	Parent: &catalog.Parent[domain.UserNotification]{
		Kind: domain.KindNotification, Role: roleStatusOf,
		ID: func(e *domain.UserNotification) string { return string(e.NotificationID) },
	},
	Refs: func(e *domain.UserNotification) []catalog.Ref {
		return []catalog.Ref{{Role: roleStatusBy, Kind: domain.KindUser, ID: string(e.UserID)}}
	},
	GoesWith: []catalog.Tie{{Kind: domain.KindUser, Role: roleStatusBy}},
	NoTags:   true,
	Unlisted: true,
}

// user finds the user of a request. Its record is another area's; here its key
// and its id are enough.
func (n *Notifications) user(ctx context.Context, rd store.Reader, sc catalog.Scope, idOrARN string) (store.PK, string, error) {
	id, err := catalog.ID(sc, domain.KindUser, idOrARN)
	if err != nil {
		return 0, "", err
	}
	pks, err := rd.Resolve(ctx, sc.PK, domain.KindUser, id)
	if err != nil {
		return 0, "", err
	}
	return pks[0], id, nil
}

// ListUserNotifications lists what a user was sent and has not expired, the
// newest first, hidden ones too.
func (n *Notifications) ListUserNotifications(ctx context.Context, in *connect.ListUserNotificationsInput) (*connect.ListUserNotificationsOutput, error) {
	sc, err := n.catalog.Scope(ctx, in.InstanceId)
	if err != nil {
		return nil, err
	}
	pk, id, err := n.user(ctx, n.catalog.Store(), sc, *in.UserId)
	if err != nil {
		return nil, err
	}
	q := search.And{
		search.Key{Field: fieldRecipients, Values: []string{id, string(sc.ID)}},
		search.Number{Field: fieldExpires, Min: math.Nextafter(seconds(n.catalog.Now()), math.Inf(1)), Max: math.Inf(1)},
	}
	found, next, _, err := n.notifications.SearchNewest(ctx, sc, q, catalog.Page{MaxResults: in.MaxResults, NextToken: in.NextToken})
	if err != nil {
		return nil, err
	}
	done, _, err := n.statuses.Referring(ctx, n.catalog.Store(), sc, pk, roleStatusBy, catalog.Page{Default: math.MaxInt32})
	if err != nil {
		return nil, err
	}
	status := make(map[string]types.NotificationStatus, len(done))
	for _, i := range done {
		status[string(i.Value.NotificationID)] = i.Value.Status
	}
	return &connect.ListUserNotificationsOutput{
		NextToken: next,
		UserNotifications: catalog.Map(found, func(i *catalog.Item[domain.Notification]) types.UserNotificationSummary {
			s := types.UserNotificationSummary{
				InstanceId: aws.String(string(sc.ID)), NotificationId: aws.String(i.ID), RecipientId: aws.String(id),
				Content: i.Value.Content, Priority: i.Value.Priority, Source: types.NotificationSourceCustomer,
				CreatedAt: aws.Time(i.Created), ExpiresAt: aws.Time(i.Value.ExpiresAt), NotificationStatus: types.NotificationStatusUnread,
			}
			if is, ok := status[i.ID]; ok {
				s.NotificationStatus = is
			}
			return s
		}),
	}, nil
}

// UpdateUserNotificationStatus says what a user has done with a notification
// that was sent to it; one that was not is a ResourceNotFoundException. A
// change that by LastModifiedTime is older than the one before is refused: the
// member is there for optimistic locking (AWS API reference). How it is refused
// is our guess (docs/divergences.md).
func (n *Notifications) UpdateUserNotificationStatus(ctx context.Context, in *connect.UpdateUserNotificationStatusInput) (*connect.UpdateUserNotificationStatusOutput, error) {
	sc, err := n.catalog.Scope(ctx, in.InstanceId)
	if err != nil {
		return nil, err
	}
	return nil, n.catalog.Store().Update(ctx, func(tx store.Tx) error {
		_, user, err := n.user(ctx, tx, sc, *in.UserId)
		if err != nil {
			return err
		}
		i, err := n.notifications.GetIn(ctx, tx, sc, *in.NotificationId)
		if err != nil {
			return err
		}
		if to := catalog.Map(i.Value.Recipients, recipientID); !slices.Contains(to, user) && !slices.Contains(to, string(sc.ID)) {
			return fault.New(fault.ResourceNotFound, "The notification %s was not sent to the user %s.", i.ID, user)
		}
		had, err := n.statuses.PartNamed(ctx, tx, sc, i.ID, user)
		switch {
		case fault.Is(err, fault.ResourceNotFound):
			_, err = n.statuses.Insert(ctx, tx, sc, &domain.UserNotification{
				NotificationID: domain.NotificationID(i.ID), UserID: domain.UserID(user), Status: in.Status,
			}, nil)
			return err
		case err != nil:
			return err
		case in.LastModifiedTime != nil && in.LastModifiedTime.Before(had.Modified):
			return fault.New(fault.InvalidRequest, "The status was changed after LastModifiedTime")
		default:
			return n.statuses.Change(ctx, tx, sc, had.ID, func(e *domain.UserNotification) error {
				e.Status = in.Status
				return nil
			})
		}
	})
}
