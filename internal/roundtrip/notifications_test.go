package roundtrip

import (
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/connect"
	"github.com/aws/aws-sdk-go-v2/service/connect/types"

	"ringdown/internal/domain"
	"ringdown/internal/server/servertest"
)

func notificationKinds() []kind { return []kind{notifications()} }

// notificationDocument is a notification without its end, which is a time, with
// what each user has done with it.
type notificationDocument struct {
	Notification types.Notification
	Statuses     []userStatus
}

type userStatus struct {
	User   string
	Status types.NotificationStatus
}

func setStatus(t testing.TB, s *site, notification string, u userStatus) {
	t.Helper()
	_, err := s.UpdateUserNotificationStatus(t.Context(), &connect.UpdateUserNotificationStatusInput{InstanceId: &s.id, NotificationId: &notification, UserId: &u.User, Status: u.Status})
	ok(t, err)
}

func notifications() kind {
	return of("Notification",
		func(t testing.TB, s *site, n int) string {
			user := s.a(t, "User", n)
			to := []string{s.arn(domain.KindUser, user), s.arn(domain.KindUser, s.a(t, "User", n+1))}
			if n == 0 {
				to = []string{servertest.InstanceARN(s.id)}
			}
			out, err := s.CreateNotification(t.Context(), &connect.CreateNotificationInput{
				InstanceId: &s.id, Content: map[string]string{"en_US": *name("News", n), "fr_FR": *name("Nouvelles", n)}, Recipients: to,
				Priority: []types.ConfigurableNotificationPriority{types.ConfigurableNotificationPriorityLow, types.ConfigurableNotificationPriorityHigh}[n%2],
				Tags:     map[string]string{"Team": "news"},
			})
			ok(t, err)
			setStatus(t, s, *out.NotificationId, userStatus{user, []types.NotificationStatus{types.NotificationStatusRead, types.NotificationStatusHidden}[n%2]})
			return *out.NotificationId
		},
		func(t testing.TB, s *site) (all resources) {
			statuses := map[string][]userStatus{}
			for _, user := range users().export(t, s).ids {
				everyPage(t, func(token *string) (*string, error) {
					page, err := s.ListUserNotifications(t.Context(), &connect.ListUserNotificationsInput{InstanceId: &s.id, UserId: &user, NextToken: token})
					if err != nil {
						return nil, err
					}
					for _, n := range page.UserNotifications {
						statuses[*n.NotificationId] = append(statuses[*n.NotificationId], userStatus{user, n.NotificationStatus})
					}
					return page.NextToken, nil
				})
			}
			everyPage(t, func(token *string) (*string, error) {
				page, err := s.ListNotifications(t.Context(), &connect.ListNotificationsInput{InstanceId: &s.id, NextToken: token})
				if err != nil {
					return nil, err
				}
				for _, n := range page.NotificationSummaryList {
					all.add(*n.Id, *n.Id, notificationDocument{n, statuses[*n.Id]})
				}
				return page.NextToken, nil
			})
			return all
		},
		func(t testing.TB, s *site, d notificationDocument) string {
			out, err := s.CreateNotification(t.Context(), &connect.CreateNotificationInput{
				InstanceId: &s.id, Content: d.Notification.Content, Recipients: d.Notification.Recipients,
				Priority: types.ConfigurableNotificationPriority(d.Notification.Priority), Tags: tags(d.Notification.Tags),
			})
			ok(t, err)
			for _, u := range d.Statuses {
				setStatus(t, s, aws.ToString(out.NotificationId), u)
			}
			return *out.NotificationId
		},
		nil)
}
