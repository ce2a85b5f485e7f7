package conformance

import (
	"context"
	"testing"

	"github.com/aws/aws-sdk-go-v2/service/connect"

	"ringdown/internal/domain"
)

const notification kind = "Notification"

func init() {
	add(family{
		makers: map[kind]maker{
			notification: func(ctx context.Context, _ testing.TB, w *world, c *connect.Client) (*string, error) {
				out, err := c.CreateNotification(ctx, &connect.CreateNotificationInput{
					InstanceId: &w.instance, Content: map[string]string{"en_US": *w.name()}, Recipients: []string{w.arn("", "")},
				})
				if err != nil {
					return nil, err
				}
				return out.NotificationId, nil
			},
		},
		references: map[string]kind{"NotificationId": notification},
		examples:   map[string]example{"RegionName": {"us-west-2", "nowhere"}},
		recipes: map[string]recipe{
			"CreateNotification": of(
				with("Content", always(object{"en_US": "A notification"})),
				with("Recipients", func(_ testing.TB, w *world) any { return []any{w.arn("", "")} }),
				given("ExpiresAt", always(float64(4_102_444_800))), // the beginning of 2100
				given("PredefinedNotificationId", func(testing.TB, *world) any { return domain.NewID() })),
			"UpdateNotificationContent":    of(with("Content", always(object{"de_DE": "Eine Nachricht"}))),
			"UpdateUserNotificationStatus": of(given("LastModifiedTime", always(float64(4_102_444_800)))),
			"SearchNotifications":          of(searchCriteria("Content"), given("SearchFilter", always(object{"AttributeFilter": object{"TagCondition": tagCondition}}))),
		},
	})
	merge(pagedOperations, map[string]paged{
		"ListNotifications":     {notification, "Id", "DeleteNotification", "NotificationId"},
		"SearchNotifications":   {notification, "Id", "DeleteNotification", "NotificationId"},
		"ListUserNotifications": {notification, "NotificationId", "DeleteNotification", "NotificationId"},
	})
}
