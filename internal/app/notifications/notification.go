package notifications

import (
	"cmp"
	"context"
	"maps"
	"slices"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/connect"
	"github.com/aws/aws-sdk-go-v2/service/connect/types"

	"ringdown/internal/catalog"
	"ringdown/internal/domain"
	"ringdown/internal/fault"
	"ringdown/internal/search"
	"ringdown/internal/store"
)

// lifetime is how long a notification is shown that does not say so itself
// (AWS API reference, CreateNotification).
const lifetime = 7 * 24 * time.Hour

// The index fields by which a user's notifications are found: ids of users and
// of the instance, and the time in seconds.
const (
	fieldRecipients = "recipients"
	fieldExpires    = "expires"
)

var notificationKind = catalog.Kind[domain.Notification]{
	Of:    domain.KindNotification,
	Name:  func(*domain.Notification) string { return "" },
	Check: (*domain.Notification).Check,
	Fields: catalog.Fields[domain.Notification]{
		"NotificationId": catalog.IDField[domain.Notification](),
		"resourceID":     catalog.IDField[domain.Notification](),
		"Content": catalog.TextsField(func(e *domain.Notification) []string {
			return slices.Collect(maps.Values(e.Content))
		}),
		"audience": catalog.OtherField(func(e *domain.Notification, d *search.Doc) {
			d.Keys[fieldRecipients] = catalog.Map(e.Recipients, recipientID)
			d.Numbers = map[string][]float64{fieldExpires: {seconds(e.ExpiresAt)}}
		}),
	},
}

// recipientID is the id in a stored ARN.
func recipientID(arn string) string {
	parsed, err := domain.ParseARN(arn)
	if err != nil {
		return "" // matches no id
	}
	return parsed.ID
}

func seconds(t time.Time) float64 { return float64(t.UnixMilli()) / 1000 }

// CreateNotification adds a notification to users, or to all users of the
// instance. Its priority is LOW unless the request says otherwise
// (docs/divergences.md). PredefinedNotificationId becomes its id, as the
// deprecated member's description has it.
func (n *Notifications) CreateNotification(ctx context.Context, in *connect.CreateNotificationInput) (*connect.CreateNotificationOutput, error) {
	sc, err := n.catalog.Scope(ctx, in.InstanceId)
	if err != nil {
		return nil, err
	}
	e := &domain.Notification{
		Content:    in.Content,
		Recipients: distinct(in.Recipients),
		Priority:   types.NotificationPriority(cmp.Or(in.Priority, types.ConfigurableNotificationPriorityLow)),
	}
	id := aws.ToString(in.PredefinedNotificationId) //nolint:staticcheck // deprecated members are served as well
	if id != "" && !domain.IsUUID(id) {
		return nil, fault.New(fault.InvalidParameter, "PredefinedNotificationId must be a UUID")
	}
	return catalog.Once(ctx, n.catalog, sc, "CreateNotification", in.ClientToken, in, func(tx store.Tx) (*connect.CreateNotificationOutput, error) {
		now := n.catalog.Now()
		e.ExpiresAt = now.Add(lifetime)
		if in.ExpiresAt != nil {
			e.ExpiresAt = *in.ExpiresAt
		}
		e.ExpiresAt = e.ExpiresAt.UTC().Truncate(time.Millisecond)
		if !e.ExpiresAt.After(now) {
			return nil, fault.New(fault.InvalidParameter, "ExpiresAt must be in the future")
		}
		if err := recipientsExist(ctx, tx, sc, e.Recipients); err != nil {
			return nil, err
		}
		made, err := n.notifications.InsertAs(ctx, tx, sc, cmp.Or(id, domain.NewID()), e, in.Tags)
		if fault.Is(err, fault.DuplicateResource) {
			return nil, fault.New(fault.DuplicateResource, "A notification with the id %s already exists.", id).Wrap(err)
		}
		if err != nil {
			return nil, err
		}
		return &connect.CreateNotificationOutput{NotificationArn: made.ARN(sc), NotificationId: aws.String(made.ID)}, nil
	})
}

// distinct leaves of each element the first.
func distinct(list []string) []string {
	var out []string
	for _, s := range list {
		if !slices.Contains(out, s) {
			out = append(out, s)
		}
	}
	return out
}

// recipientsExist checks that each recipient is the instance or a user of it
// (AWS API reference, CreateNotification).
func recipientsExist(ctx context.Context, tx store.Tx, sc catalog.Scope, arns []string) error {
	var users []string
	for i, s := range arns {
		arn, err := domain.ParseARN(s)
		switch {
		case err != nil || (arn.Kind != domain.KindUser && arn.Kind != domain.KindInstance):
			return fault.New(fault.InvalidParameter, "Recipients[%d] must be the ARN of a user or of the instance", i)
		case arn.Kind == domain.KindUser:
			id, err := catalog.ID(sc, domain.KindUser, s)
			if err != nil {
				return err
			}
			users = append(users, id)
		case s != instanceARN(sc):
			return fault.New(fault.ResourceNotFound, "Recipients[%d] is another instance", i)
		}
	}
	_, err := tx.Resolve(ctx, sc.PK, domain.KindUser, users...)
	return err
}

func instanceARN(sc catalog.Scope) string { return sc.ARN(domain.KindInstance, string(sc.ID)) }

// DescribeNotification returns a notification, expired ones too.
func (n *Notifications) DescribeNotification(ctx context.Context, in *connect.DescribeNotificationInput) (*connect.DescribeNotificationOutput, error) {
	sc, err := n.catalog.Scope(ctx, in.InstanceId)
	if err != nil {
		return nil, err
	}
	i, err := n.notifications.Get(ctx, sc, *in.NotificationId)
	if err != nil {
		return nil, err
	}
	out := notification(sc, i)
	return &connect.DescribeNotificationOutput{Notification: &out}, nil
}

func notification(sc catalog.Scope, i *catalog.Item[domain.Notification]) types.Notification {
	e := &i.Value
	return types.Notification{
		Arn: i.ARN(sc), Id: aws.String(i.ID), Content: e.Content, Recipients: e.Recipients, Priority: e.Priority,
		CreatedAt: aws.Time(i.Created), ExpiresAt: aws.Time(e.ExpiresAt),
		LastModifiedRegion: aws.String(sc.Region), LastModifiedTime: aws.Time(i.Modified), Tags: i.TagMap(),
	}
}

// UpdateNotificationContent replaces the content as a whole, for all who were
// sent the notification. What they have done with it stays.
func (n *Notifications) UpdateNotificationContent(ctx context.Context, in *connect.UpdateNotificationContentInput) (*connect.UpdateNotificationContentOutput, error) {
	sc, err := n.catalog.Scope(ctx, in.InstanceId)
	if err != nil {
		return nil, err
	}
	return nil, n.notifications.Update(ctx, sc, *in.NotificationId, func(_ store.Tx, e *domain.Notification) error {
		e.Content = in.Content
		return nil
	})
}

// DeleteNotification removes a notification from all who were sent it.
func (n *Notifications) DeleteNotification(ctx context.Context, in *connect.DeleteNotificationInput) (*connect.DeleteNotificationOutput, error) {
	sc, err := n.catalog.Scope(ctx, in.InstanceId)
	if err != nil {
		return nil, err
	}
	return nil, n.notifications.Delete(ctx, sc, *in.NotificationId, nil)
}

// ListNotifications lists all notifications, expired ones too.
func (n *Notifications) ListNotifications(ctx context.Context, in *connect.ListNotificationsInput) (*connect.ListNotificationsOutput, error) {
	sc, err := n.catalog.Scope(ctx, in.InstanceId)
	if err != nil {
		return nil, err
	}
	found, next, err := n.notifications.List(ctx, sc, catalog.Page{MaxResults: in.MaxResults, NextToken: in.NextToken})
	if err != nil {
		return nil, err
	}
	return &connect.ListNotificationsOutput{
		NextToken: next,
		NotificationSummaryList: catalog.Map(found, func(i *catalog.Item[domain.Notification]) types.Notification {
			return notification(sc, i)
		}),
	}, nil
}

// SearchNotifications finds notifications by criteria and tags, the newest
// first.
func (n *Notifications) SearchNotifications(ctx context.Context, in *connect.SearchNotificationsInput) (*connect.SearchNotificationsOutput, error) {
	sc, err := n.catalog.ScopeARN(ctx, in.InstanceId)
	if err != nil {
		return nil, err
	}
	var filter *types.ControlPlaneAttributeFilter
	if in.SearchFilter != nil {
		filter = in.SearchFilter.AttributeFilter
	}
	q, err := catalog.NarrowByAttributes(n.criteria(in.SearchCriteria), filter)
	if err != nil {
		return nil, err
	}
	found, next, total, err := n.notifications.SearchNewest(ctx, sc, q, catalog.Page{MaxResults: in.MaxResults, NextToken: in.NextToken})
	if err != nil {
		return nil, err
	}
	return &connect.SearchNotificationsOutput{
		Notifications: catalog.Map(found, func(i *catalog.Item[domain.Notification]) types.NotificationSearchSummary {
			s := notification(sc, i)
			return types.NotificationSearchSummary{
				Arn: s.Arn, Id: s.Id, InstanceId: aws.String(string(sc.ID)), Content: s.Content, Recipients: s.Recipients, Priority: s.Priority,
				CreatedAt: s.CreatedAt, ExpiresAt: s.ExpiresAt,
				LastModifiedRegion: s.LastModifiedRegion, LastModifiedTime: s.LastModifiedTime, Tags: s.Tags,
			}
		}),
		NextToken:             next,
		ApproximateTotalCount: total,
	}, nil
}

func (n *Notifications) criteria(c *types.NotificationSearchCriteria) catalog.Criteria {
	if c == nil {
		return catalog.Criteria{}
	}
	return catalog.Criteria{
		And:    catalog.Each(c.AndConditions, n.criteria),
		Or:     catalog.Each(c.OrConditions, n.criteria),
		Leaves: []catalog.Leaf{n.notifications.String(c.StringCondition)},
	}
}
