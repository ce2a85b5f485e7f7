package notifications_test

import (
	"fmt"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/connect"
	"github.com/aws/aws-sdk-go-v2/service/connect/types"

	"ringdown/internal/domain"
	"ringdown/internal/fault"
	"ringdown/internal/server"
	"ringdown/internal/server/servertest"
)

var ok, fails, same = servertest.OK, servertest.Fails, servertest.Same

// centre is an instance of a booted server, as a test sees it.
type centre struct {
	*connect.Client
	id, arn string
}

func newCentre(t *testing.T, s *servertest.Server) *centre {
	t.Helper()
	id := s.NewInstance(t)
	return &centre{s.Connect, id, servertest.InstanceARN(id)}
}

func (c *centre) user(t *testing.T, name string) (id, arn string) {
	t.Helper()
	profiles, err := c.ListSecurityProfiles(t.Context(), &connect.ListSecurityProfilesInput{InstanceId: &c.id})
	ok(t, err)
	routing, err := c.ListRoutingProfiles(t.Context(), &connect.ListRoutingProfilesInput{InstanceId: &c.id})
	ok(t, err)
	out, err := c.CreateUser(t.Context(), &connect.CreateUserInput{
		InstanceId: &c.id, Username: &name, RoutingProfileId: routing.RoutingProfileSummaryList[0].Id,
		SecurityProfileIds: []string{*profiles.SecurityProfileSummaryList[0].Id},
		IdentityInfo:       &types.UserIdentityInfo{FirstName: aws.String("Mary"), LastName: aws.String("Major")},
	})
	ok(t, err)
	return *out.UserId, *out.UserArn
}

// create makes a notification to all users of the instance, unless change says
// otherwise.
func (c *centre) create(t *testing.T, text string, change ...func(*connect.CreateNotificationInput)) (string, error) {
	t.Helper()
	in := &connect.CreateNotificationInput{InstanceId: &c.id, Content: map[string]string{"en_US": text}, Recipients: []string{c.arn}}
	for _, f := range change {
		f(in)
	}
	out, err := c.CreateNotification(t.Context(), in)
	if err != nil {
		return "", err
	}
	if want := c.arn + "/notification/" + *out.NotificationId; *out.NotificationArn != want {
		t.Errorf("the ARN is %s, want %s", *out.NotificationArn, want)
	}
	return *out.NotificationId, nil
}

func (c *centre) made(t *testing.T, text string, change ...func(*connect.CreateNotificationInput)) string {
	t.Helper()
	id, err := c.create(t, text, change...)
	ok(t, err)
	return id
}

func (c *centre) described(t *testing.T, id string) *types.Notification {
	t.Helper()
	out, err := c.DescribeNotification(t.Context(), &connect.DescribeNotificationInput{InstanceId: &c.id, NotificationId: &id})
	ok(t, err)
	return out.Notification
}

func to(arns ...string) func(*connect.CreateNotificationInput) {
	return func(in *connect.CreateNotificationInput) { in.Recipients = append([]string{}, arns...) }
}

func TestNotifications(t *testing.T) {
	s := servertest.Boot(t)
	c, other := newCentre(t, s), newCentre(t, s)
	_, mary := c.user(t, "mary")
	_, foreign := other.user(t, "mary")

	id := c.made(t, "Lunch")
	got := c.described(t, id)
	if lasts := got.ExpiresAt.Sub(*got.CreatedAt); (lasts - 7*24*time.Hour).Abs() > time.Minute {
		t.Errorf("a notification lasts for %s, want a week", lasts)
	}
	same(t, "a plain notification", got, &types.Notification{
		Id: &id, Arn: aws.String(c.arn + "/notification/" + id), Content: map[string]string{"en_US": "Lunch"}, Recipients: []string{c.arn},
		Priority: types.NotificationPriorityLow, CreatedAt: got.CreatedAt, ExpiresAt: got.ExpiresAt, Tags: map[string]string{},
		LastModifiedTime: got.LastModifiedTime, LastModifiedRegion: aws.String(servertest.Region),
	})
	chosen, ends := domain.NewID(), time.Now().Add(time.Hour).UTC().Truncate(time.Second)
	full := func(in *connect.CreateNotificationInput) {
		in.Content = map[string]string{"de_DE": "Mahlzeit", "en_US": ""}
		in.Recipients, in.Priority, in.ExpiresAt = []string{mary, c.arn, mary}, types.ConfigurableNotificationPriorityHigh, &ends
		in.Tags, in.PredefinedNotificationId = map[string]string{"Team": "a"}, &chosen //nolint:staticcheck // deprecated members are served as well
	}
	if id := c.made(t, "", full); id != chosen {
		t.Errorf("the id is %s, want %s", id, chosen)
	}
	got = c.described(t, chosen)
	same(t, "a full notification", got, &types.Notification{
		Id: &chosen, Arn: aws.String(c.arn + "/notification/" + chosen), Content: map[string]string{"de_DE": "Mahlzeit", "en_US": ""}, Recipients: []string{mary, c.arn},
		Priority: types.NotificationPriorityHigh, CreatedAt: got.CreatedAt, ExpiresAt: &ends, Tags: map[string]string{"Team": "a"},
		LastModifiedTime: got.LastModifiedTime, LastModifiedRegion: aws.String(servertest.Region),
	})

	for name, e := range map[string]struct {
		change func(*connect.CreateNotificationInput)
		code   fault.Code
		word   string
	}{
		"an id that is taken":         {full, fault.DuplicateResource, chosen},
		"no UUID":                     {func(in *connect.CreateNotificationInput) { in.PredefinedNotificationId = aws.String("mine") }, fault.InvalidParameter, "UUID"}, //nolint:staticcheck // as above
		"no content":                  {func(in *connect.CreateNotificationInput) { in.Content = map[string]string{} }, fault.InvalidParameter, "Content"},
		"nobody":                      {to(), fault.InvalidParameter, "Recipients"},
		"a user that does not exist":  {to(mary, c.arn+"/agent/"+domain.NewID()), fault.ResourceNotFound, ""},
		"a user of another instance":  {to(foreign), fault.ResourceNotFound, ""},
		"another instance":            {to(mary, other.arn), fault.ResourceNotFound, "Recipients[1]"},
		"a queue":                     {to(c.arn + "/queue/" + domain.NewID()), fault.InvalidParameter, "Recipients[0]"},
		"no ARN":                      {to("mary"), fault.InvalidParameter, "Recipients[0]"},
		"an end that is over already": {func(in *connect.CreateNotificationInput) { in.ExpiresAt = aws.Time(time.Now().Add(-time.Second)) }, fault.InvalidParameter, "ExpiresAt"},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := c.create(t, "x", e.change)
			fails(t, err, e.code, e.word)
		})
	}

	// The same token makes one notification, whatever else it says is refused.
	token := func(in *connect.CreateNotificationInput) { in.ClientToken = aws.String("token") }
	first := c.made(t, "Once", token)
	if again := c.made(t, "Once", token); again != first {
		t.Errorf("the token makes %s and %s", first, again)
	}
	_, err := c.create(t, "Twice", token)
	if err == nil {
		t.Error("the token is taken for another request")
	}

	update := func(id string, content map[string]string) error {
		_, err := c.UpdateNotificationContent(t.Context(), &connect.UpdateNotificationContentInput{InstanceId: &c.id, NotificationId: &id, Content: content})
		return err
	}
	ok(t, update(chosen, map[string]string{"fr_FR": "Bon appétit"}))
	same(t, "the content", c.described(t, chosen).Content, map[string]string{"fr_FR": "Bon appétit"})
	fails(t, update(chosen, map[string]string{}), fault.InvalidParameter, "Content")

	remove := func(c *centre, id string) error {
		_, err := c.DeleteNotification(t.Context(), &connect.DeleteNotificationInput{InstanceId: &c.id, NotificationId: &id})
		return err
	}
	fails(t, remove(other, chosen), fault.ResourceNotFound)
	ok(t, remove(c, chosen))
	fails(t, remove(c, chosen), fault.ResourceNotFound)
	fails(t, update(chosen, map[string]string{"en_US": "x"}), fault.ResourceNotFound)
	_, err = c.DescribeNotification(t.Context(), &connect.DescribeNotificationInput{InstanceId: &c.id, NotificationId: &chosen})
	fails(t, err, fault.ResourceNotFound)
}

func TestListAndSearchNotifications(t *testing.T) {
	c := newCentre(t, servertest.Boot(t))
	var ids []string
	for n, text := range []string{"Fire drill at noon", "Lunch at noon", "Training tomorrow"} {
		ids = append(ids, c.made(t, text, func(in *connect.CreateNotificationInput) {
			in.Content["de_DE"], in.Tags = fmt.Sprintf("Nachricht %d", n), map[string]string{"Even": fmt.Sprint(n % 2)}
		}))
	}
	same(t, "the list, page by page", servertest.Pages(t, func(token *string) ([]string, *string, error) {
		out, err := c.ListNotifications(t.Context(), &connect.ListNotificationsInput{InstanceId: &c.id, MaxResults: aws.Int32(2), NextToken: token})
		if err != nil {
			return nil, nil, err
		}
		var page []string
		for _, n := range out.NotificationSummaryList {
			same(t, "a listed notification", n, c.described(t, *n.Id))
			page = append(page, *n.Id)
		}
		return page, out.NextToken, nil
	}), servertest.InPages(ids, 2))

	field := func(name, value string, op types.StringComparisonType) types.NotificationSearchCriteria {
		return types.NotificationSearchCriteria{StringCondition: &types.StringCondition{FieldName: &name, Value: &value, ComparisonType: op}}
	}
	tag := &types.NotificationSearchFilter{AttributeFilter: &types.ControlPlaneAttributeFilter{TagCondition: &types.TagCondition{TagKey: aws.String("Even"), TagValue: aws.String("0")}}}
	for name, q := range map[string]struct {
		criteria types.NotificationSearchCriteria
		filter   *types.NotificationSearchFilter
		want     []int // newest first
	}{
		"all":                 {types.NotificationSearchCriteria{}, nil, []int{2, 1, 0}},
		"a word":              {field("content", "AT NOON", types.StringComparisonTypeContains), nil, []int{1, 0}},
		"another language":    {field("Content", "Nachricht", types.StringComparisonTypeStartsWith), nil, []int{2, 1, 0}},
		"a text":              {field("Content", "lunch at noon", types.StringComparisonTypeExact), nil, []int{1}},
		"not across contents": {field("Content", "noon Nachricht", types.StringComparisonTypeContains), nil, nil},
		"an id":               {field("NotificationId", ids[1], types.StringComparisonTypeExact), nil, []int{1}},
		"an ARN":              {field("resourceID", c.arn+"/notification/"+ids[2], types.StringComparisonTypeExact), nil, []int{2}},
		"a tag":               {types.NotificationSearchCriteria{}, tag, []int{2, 0}},
		"both": {types.NotificationSearchCriteria{AndConditions: []types.NotificationSearchCriteria{
			field("Content", "noon", types.StringComparisonTypeContains), field("Content", "Fire", types.StringComparisonTypeStartsWith),
		}}, tag, []int{0}},
		"either": {types.NotificationSearchCriteria{OrConditions: []types.NotificationSearchCriteria{
			field("NotificationId", ids[0], types.StringComparisonTypeExact), field("Content", "Training", types.StringComparisonTypeStartsWith),
		}}, nil, []int{2, 0}},
	} {
		t.Run(name, func(t *testing.T) {
			got := []int{}
			servertest.Pages(t, func(token *string) ([]int, *string, error) {
				out, err := c.SearchNotifications(t.Context(), &connect.SearchNotificationsInput{
					InstanceId: &c.id, SearchCriteria: &q.criteria, SearchFilter: q.filter, MaxResults: aws.Int32(1), NextToken: token,
				})
				if err != nil {
					return nil, nil, err
				}
				if *out.ApproximateTotalCount != int64(len(q.want)) {
					t.Errorf("%d are counted, want %d", *out.ApproximateTotalCount, len(q.want))
				}
				for _, n := range out.Notifications {
					d := c.described(t, *n.Id)
					same(t, "a result", n, types.NotificationSearchSummary{
						Id: d.Id, Arn: d.Arn, InstanceId: &c.id, Content: d.Content, Recipients: d.Recipients, Priority: d.Priority, Tags: d.Tags,
						CreatedAt: d.CreatedAt, ExpiresAt: d.ExpiresAt, LastModifiedTime: d.LastModifiedTime, LastModifiedRegion: d.LastModifiedRegion,
					})
					got = append(got, slices.Index(ids, *n.Id))
				}
				return nil, out.NextToken, nil
			})
			same(t, "the result", got, append([]int{}, q.want...))
		})
	}
	wrong := field("Priority", "LOW", types.StringComparisonTypeExact)
	_, err := c.SearchNotifications(t.Context(), &connect.SearchNotificationsInput{InstanceId: &c.id, SearchCriteria: &wrong})
	fails(t, err, fault.InvalidParameter, "FieldName")
}

func TestUserNotifications(t *testing.T) {
	// Time leaps, by less than a signature may be old.
	var leaps atomic.Int64
	start := time.Now()
	s := servertest.Boot(t, func(cfg *server.Config) {
		cfg.Now = func() time.Time { return time.Now().Add(time.Duration(leaps.Load())) }
	})
	c := newCentre(t, s)
	mary, maryARN := c.user(t, "mary")
	john, johnARN := c.user(t, "john")

	shown := func(user string, size int32) []string {
		t.Helper()
		var all []string
		servertest.Pages(t, func(token *string) ([]int, *string, error) {
			out, err := c.ListUserNotifications(t.Context(), &connect.ListUserNotificationsInput{InstanceId: &c.id, UserId: &user, MaxResults: &size, NextToken: token})
			if err != nil {
				return nil, nil, err
			}
			if out.UserNotifications == nil {
				t.Error("the list is absent")
			}
			for _, n := range out.UserNotifications {
				d := c.described(t, *n.NotificationId)
				same(t, "a user's notification", n, types.UserNotificationSummary{
					InstanceId: &c.id, NotificationId: d.Id, RecipientId: &user, Content: d.Content, Priority: d.Priority, Source: types.NotificationSourceCustomer,
					CreatedAt: d.CreatedAt, ExpiresAt: d.ExpiresAt, NotificationStatus: n.NotificationStatus,
				})
				all = append(all, n.Content["en_US"]+" "+strings.ToLower(string(n.NotificationStatus)))
			}
			return nil, out.NextToken, nil
		})
		return all
	}
	set := func(user, notification string, status types.NotificationStatus, at *time.Time) error {
		_, err := c.UpdateUserNotificationStatus(t.Context(), &connect.UpdateUserNotificationStatusInput{
			InstanceId: &c.id, UserId: &user, NotificationId: &notification, Status: status, LastModifiedTime: at,
		})
		return err
	}
	same(t, "at first", shown(mary, 100), nil)
	all := c.made(t, "to all")
	marys := c.made(t, "to mary", to(maryARN))
	both := c.made(t, "to both", to(johnARN, maryARN))
	soon := c.made(t, "over soon", func(in *connect.CreateNotificationInput) { in.ExpiresAt = aws.Time(start.Add(2 * time.Minute)) })
	same(t, "mary's, the newest first", shown(mary, 1), []string{"over soon unread", "to both unread", "to mary unread", "to all unread"})
	same(t, "john's", shown(john, 100), []string{"over soon unread", "to both unread", "to all unread"})

	ok(t, set(mary, both, types.NotificationStatusRead, nil))
	ok(t, set(mary, all, types.NotificationStatusHidden, nil))
	ok(t, set(maryARN, marys, types.NotificationStatusUnread, nil))
	same(t, "what mary has done", shown(mary, 2), []string{"over soon unread", "to both read", "to mary unread", "to all hidden"})
	same(t, "john's still", shown(john, 100), []string{"over soon unread", "to both unread", "to all unread"})
	ok(t, set(mary, both, types.NotificationStatusUnread, aws.Time(time.Now().Add(time.Minute))))
	fails(t, set(mary, both, types.NotificationStatusRead, aws.Time(start.Add(-time.Hour))), fault.InvalidRequest, "LastModifiedTime")

	_, err := c.UpdateNotificationContent(t.Context(), &connect.UpdateNotificationContentInput{InstanceId: &c.id, NotificationId: &all, Content: map[string]string{"en_US": "to everybody"}})
	ok(t, err)
	leaps.Store(int64(3 * time.Minute))
	same(t, "three minutes later", shown(mary, 100), []string{"to both unread", "to mary unread", "to everybody hidden"})
	if got := c.described(t, soon); got.Content["en_US"] != "over soon" {
		t.Errorf("the expired notification is %+v", got)
	}

	for name, e := range map[string]struct{ user, notification string }{
		"a notification to another user":     {john, marys},
		"a notification that does not exist": {john, domain.NewID()},
		"a user that does not":               {domain.NewID(), all},
	} {
		t.Run(name, func(t *testing.T) {
			fails(t, set(e.user, e.notification, types.NotificationStatusRead, nil), fault.ResourceNotFound)
		})
	}
	_, err = c.ListUserNotifications(t.Context(), &connect.ListUserNotificationsInput{InstanceId: &c.id, UserId: aws.String(domain.NewID())})
	fails(t, err, fault.ResourceNotFound)

	// Who comes later is one of all; who goes leaves nothing that is in the way.
	late, _ := c.user(t, "late")
	same(t, "a later user's", shown(late, 100), []string{"to everybody unread"})
	_, err = c.DeleteUser(t.Context(), &connect.DeleteUserInput{InstanceId: &c.id, UserId: &mary})
	ok(t, err)
	same(t, "the recipients", c.described(t, both).Recipients, []string{johnARN, maryARN})
	_, err = c.DeleteNotification(t.Context(), &connect.DeleteNotificationInput{InstanceId: &c.id, NotificationId: &both})
	ok(t, err)
	same(t, "john's at last", shown(john, 100), []string{"to everybody unread"})
}
