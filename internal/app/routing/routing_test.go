package routing_test

import (
	"encoding/json"
	"errors"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/connect"
	"github.com/aws/aws-sdk-go-v2/service/connect/types"

	"ringdown/internal/app/routing"
	"ringdown/internal/domain"
	"ringdown/internal/fault"
	"ringdown/internal/server"
	"ringdown/internal/server/servertest"
)

// centre is an instance of a booted server, as a test sees it.
type centre struct {
	*connect.Client
	id string
	// What every instance has:
	hours, queue, profile string
}

// newCentre makes an instance of its own for a test.
func newCentre(t *testing.T, s *servertest.Server) *centre {
	t.Helper()
	c := &centre{Client: s.Connect, id: s.NewInstance(t)}
	hours, err := c.ListHoursOfOperations(t.Context(), &connect.ListHoursOfOperationsInput{InstanceId: &c.id})
	ok(t, err)
	queues, err := c.ListQueues(t.Context(), &connect.ListQueuesInput{InstanceId: &c.id})
	ok(t, err)
	profiles, err := c.ListRoutingProfiles(t.Context(), &connect.ListRoutingProfilesInput{InstanceId: &c.id})
	ok(t, err)
	if len(hours.HoursOfOperationSummaryList) != 1 || len(queues.QueueSummaryList) != 1 || len(profiles.RoutingProfileSummaryList) != 1 {
		t.Fatal("a new instance must have one of each: hours of operation, queue, routing profile")
	}
	c.hours = *hours.HoursOfOperationSummaryList[0].Id
	c.queue = *queues.QueueSummaryList[0].Id
	c.profile = *profiles.RoutingProfileSummaryList[0].Id
	return c
}

// arn is the ARN of a resource of the instance.
func (c *centre) arn(kind domain.Kind, id string) string {
	return domain.ARN{
		Region: servertest.Region, Account: "123456789012", Instance: domain.InstanceID(c.id), Kind: kind, ID: id,
	}.String()
}

func (c *centre) newQueue(t *testing.T, name string, change ...func(*connect.CreateQueueInput)) string {
	t.Helper()
	in := &connect.CreateQueueInput{InstanceId: &c.id, Name: &name, HoursOfOperationId: &c.hours}
	for _, f := range change {
		f(in)
	}
	out, err := c.CreateQueue(t.Context(), in)
	ok(t, err)
	return *out.QueueId
}

func (c *centre) newHours(t *testing.T, name string, change ...func(*connect.CreateHoursOfOperationInput)) string {
	t.Helper()
	in := &connect.CreateHoursOfOperationInput{
		InstanceId: &c.id, Name: &name, TimeZone: aws.String("UTC"),
		Config: []types.HoursOfOperationConfig{day(types.HoursOfOperationDaysMonday, 9, 17)},
	}
	for _, f := range change {
		f(in)
	}
	out, err := c.CreateHoursOfOperation(t.Context(), in)
	ok(t, err)
	return *out.HoursOfOperationId
}

// newUser creates a user with a routing profile and returns its id.
func (c *centre) newUser(t *testing.T, name, profile string) string {
	t.Helper()
	security, err := c.ListSecurityProfiles(t.Context(), &connect.ListSecurityProfilesInput{InstanceId: &c.id})
	ok(t, err)
	out, err := c.CreateUser(t.Context(), &connect.CreateUserInput{
		InstanceId: &c.id, Username: &name, RoutingProfileId: &profile,
		SecurityProfileIds: []string{*security.SecurityProfileSummaryList[0].Id},
		IdentityInfo:       &types.UserIdentityInfo{FirstName: aws.String("A"), LastName: aws.String("B")},
		PhoneConfig:        &types.UserPhoneConfig{PhoneType: types.PhoneTypeSoftPhone},
	})
	ok(t, err)
	return *out.UserId
}

// day is hours of operation on a day, on the hour.
func day(d types.HoursOfOperationDays, from, till int32) types.HoursOfOperationConfig {
	return types.HoursOfOperationConfig{
		Day:       d,
		StartTime: &types.HoursOfOperationTimeSlice{Hours: &from, Minutes: aws.Int32(0)},
		EndTime:   &types.HoursOfOperationTimeSlice{Hours: &till, Minutes: aws.Int32(0)},
	}
}

// is is a condition that a field equals a value.
func is(field, value string) *types.StringCondition {
	return &types.StringCondition{FieldName: &field, Value: &value, ComparisonType: types.StringComparisonTypeExact}
}

func ok(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// fails checks the exception of an answer, "" for none, and that its message
// holds all words.
func fails(t *testing.T, err error, code fault.Code, words ...string) {
	t.Helper()
	if code == "" {
		if err != nil {
			t.Errorf("got %v, want no error", err)
		}
		return
	}
	var e interface {
		error
		ErrorCode() string
		ErrorMessage() string
	}
	if !errors.As(err, &e) || e.ErrorCode() != string(code) {
		t.Errorf("got %v, want %s", err, code)
		return
	}
	for _, w := range words {
		if !strings.Contains(e.ErrorMessage(), w) {
			t.Errorf("message %q says nothing of %q", e.ErrorMessage(), w)
		}
	}
}

// same compares what two values are in JSON.
func same(t *testing.T, what string, got, want any) {
	t.Helper()
	g, err := json.Marshal(got)
	ok(t, err)
	w, err := json.Marshal(want)
	ok(t, err)
	if string(g) != string(w) {
		t.Errorf("%s is\n%s, want\n%s", what, g, w)
	}
}

// pages reads a list in pages of a size until there are no more.
func pages(t *testing.T, get func(size *int32, token *string) ([]string, *string, error), size int32) []string {
	t.Helper()
	var all []string
	var token *string
	for {
		page, next, err := get(&size, token)
		ok(t, err)
		if len(page) > int(size) {
			t.Fatalf("a page of %d holds %d", size, len(page))
		}
		all = append(all, page...)
		if next == nil {
			return all
		}
		if len(all) > 1000 {
			t.Fatal("the list does not end")
		}
		token = next
	}
}

// request builds a request that is right but for the instance and the ids in
// it: members that the model does not demand are left out where they would
// stand in the way.
func request(input reflect.Value, instance, id string) {
	skip := []string{"NextToken", "Tags", "ClientToken", "SearchCriteria", "SearchFilter", "RecurrenceConfig"}
	date, zone := "2026-03-02", "UTC"
	for i := range input.NumField() {
		field, name := input.Field(i), input.Type().Field(i).Name
		if !field.CanSet() || slices.Contains(skip, name) {
			continue
		}
		switch v := field.Addr().Interface().(type) {
		case **string:
			switch name {
			case "InstanceId":
				*v = &instance
			case "FromDate", "ToDate", "EffectiveFrom", "EffectiveTill":
				*v = &date
			case "TimeZone":
				*v = &zone
			default:
				*v = &id
			}
		case **int32:
			*v = aws.Int32(1)
		case *[]string:
			*v = []string{id}
		case **types.QuickConnectConfig:
			*v = &types.QuickConnectConfig{
				QuickConnectType: types.QuickConnectTypePhoneNumber,
				PhoneConfig:      &types.PhoneNumberQuickConnectConfig{PhoneNumber: aws.String("+15550100")},
			}
		case *types.OverrideType:
			*v = types.OverrideTypeStandard
		default:
			switch field.Kind() {
			case reflect.String: // an enum: its last value, for no list of queues may have VOICE
				values := field.MethodByName("Values").Call(nil)[0]
				field.Set(values.Index(values.Len() - 1))
			case reflect.Pointer:
				field.Set(reflect.New(field.Type().Elem()))
				request(field.Elem(), instance, id)
			case reflect.Slice:
				field.Set(reflect.MakeSlice(field.Type(), 1, 1))
				if field.Index(0).Kind() == reflect.Struct {
					request(field.Index(0), instance, id)
				} else {
					field.SetLen(0)
				}
			}
		}
	}
}

// TestOperationsKeepToTheirInstance calls every operation of the package with
// an instance that is not there, is elsewhere, or is no id, and with a
// resource that is not there.
func TestOperationsKeepToTheirInstance(t *testing.T) {
	s := servertest.Boot(t)
	instance := s.NewInstance(t)
	elsewhere := s.Client(s.Root.AccessKeyID, s.Root.SecretAccessKey, func(o *connect.Options) { o.Region = "eu-west-2" })
	served := reflect.TypeFor[*routing.Routing]()
	for i := range served.NumMethod() {
		name := served.Method(i).Name
		if _, operation := reflect.TypeFor[*connect.Client]().MethodByName(name); !operation {
			continue // it is for the rest of the server
		}
		t.Run(name, func(t *testing.T) {
			call := func(c *connect.Client, instance, id string) error {
				method := reflect.ValueOf(c).MethodByName(name)
				in := reflect.New(method.Type().In(1).Elem())
				request(in.Elem(), instance, id)
				answer := method.Call([]reflect.Value{reflect.ValueOf(t.Context()), in})
				err, _ := answer[1].Interface().(error)
				return err
			}
			unknown := domain.NewID()
			fails(t, call(s.Connect, unknown, unknown), fault.ResourceNotFound, unknown)
			fails(t, call(elsewhere, instance, unknown), fault.ResourceNotFound, instance)
			fails(t, call(s.Connect, "no-id", unknown), fault.InvalidParameter, "Invalid parameter: no-id")
			switch name {
			case "ListQueues", "ListHoursOfOperations", "ListRoutingProfiles", "ListQuickConnects",
				"SearchQueues", "SearchHoursOfOperations", "SearchHoursOfOperationOverrides", "SearchRoutingProfiles", "SearchQuickConnects",
				"CreateQuickConnect":
				fails(t, call(s.Connect, instance, unknown), "")
			case "CreateHoursOfOperationOverride": // its Config makes no sense, which is told first
				fails(t, call(s.Connect, instance, unknown), fault.InvalidParameter)
			default:
				fails(t, call(s.Connect, instance, unknown), fault.ResourceNotFound)
			}
		})
	}
}

// TestNewInstance checks what an instance has from the start, and that what
// others stand on cannot be deleted.
func TestNewInstance(t *testing.T) {
	s := servertest.Boot(t)
	c := newCentre(t, s)

	hours, err := c.DescribeHoursOfOperation(t.Context(), &connect.DescribeHoursOfOperationInput{InstanceId: &c.id, HoursOfOperationId: &c.hours})
	ok(t, err)
	h := hours.HoursOfOperation
	same(t, "the hours", []any{h.Name, h.TimeZone, len(h.Config), h.Tags, h.ParentHoursOfOperations, h.HoursOfOperationArn, h.LastModifiedRegion},
		[]any{"Basic Hours", "America/New_York", 7, map[string]string{}, nil, c.arn(domain.KindHoursOfOperation, c.hours), "us-east-1"})
	same(t, "Sunday", h.Config[0], day(types.HoursOfOperationDaysSunday, 0, 0))

	queue, err := c.DescribeQueue(t.Context(), &connect.DescribeQueueInput{InstanceId: &c.id, QueueId: &c.queue})
	ok(t, err)
	q := queue.Queue
	same(t, "the queue", []any{q.Name, q.Description, q.Status, q.HoursOfOperationId, q.MaxContacts, q.OutboundCallerConfig, q.OutboundEmailConfig, q.Tags, q.QueueArn},
		[]any{"BasicQueue", "A simple, basic voice queue.", "ENABLED", c.hours, nil, nil, nil, map[string]string{}, c.arn(domain.KindQueue, c.queue)})

	profile, err := c.DescribeRoutingProfile(t.Context(), &connect.DescribeRoutingProfileInput{InstanceId: &c.id, RoutingProfileId: &c.profile})
	ok(t, err)
	p := profile.RoutingProfile
	same(t, "the profile", []any{p.Name, p.IsDefault, p.DefaultOutboundQueueId, p.AgentAvailabilityTimer, p.NumberOfAssociatedQueues, p.NumberOfAssociatedUsers, p.InstanceId, p.AssociatedQueueIds},
		[]any{"Basic Routing Profile", true, c.queue, "TIME_SINCE_LAST_ACTIVITY", 1, 0, c.id, nil})
	same(t, "its voice", p.MediaConcurrencies[0], types.MediaConcurrency{
		Channel: types.ChannelVoice, Concurrency: aws.Int32(1),
		CrossChannelBehavior: &types.CrossChannelBehavior{BehaviorType: types.BehaviorTypeRouteCurrentChannelOnly},
	})

	_, err = c.DeleteHoursOfOperation(t.Context(), &connect.DeleteHoursOfOperationInput{InstanceId: &c.id, HoursOfOperationId: &c.hours})
	fails(t, err, fault.InvalidRequest, "Basic Hours")
	_, err = c.DeleteRoutingProfile(t.Context(), &connect.DeleteRoutingProfileInput{InstanceId: &c.id, RoutingProfileId: &c.profile})
	fails(t, err, fault.InvalidRequest, "Basic Routing Profile")
	_, err = c.DeleteQueue(t.Context(), &connect.DeleteQueueInput{InstanceId: &c.id, QueueId: &c.queue})
	fails(t, err, fault.ResourceInUse, c.queue)
}

// TestQuotas checks the limits of an instance with AWS's quotas.
func TestQuotas(t *testing.T) {
	s := servertest.Boot(t, func(cfg *server.Config) { cfg.Quotas = true })
	c := newCentre(t, s)
	hours := c.newHours(t, "Busy")
	create := func(n int) error {
		_, err := c.CreateHoursOfOperationOverride(t.Context(), &connect.CreateHoursOfOperationOverrideInput{
			InstanceId: &c.id, HoursOfOperationId: &hours, Name: aws.String(strings.Repeat("x", n)),
			Config: []types.HoursOfOperationOverrideConfig{}, EffectiveFrom: aws.String("2026-01-01"), EffectiveTill: aws.String("2026-01-01"),
		})
		return err
	}
	for n := range 50 {
		ok(t, create(n+1))
	}
	fails(t, create(51), fault.LimitExceeded, "50")

	var parents []types.ParentHoursOfOperationConfig
	for _, name := range []string{"P1", "P2", "P3", "P4"} {
		parents = append(parents, types.ParentHoursOfOperationConfig{HoursOfOperationId: aws.String(c.newHours(t, name))})
	}
	associate := func(list []types.ParentHoursOfOperationConfig) error {
		_, err := c.AssociateHoursOfOperations(t.Context(), &connect.AssociateHoursOfOperationsInput{
			InstanceId: &c.id, HoursOfOperationId: &hours, ParentHoursOfOperationConfigs: list,
		})
		return err
	}
	ok(t, associate(parents[:3]))
	fails(t, associate(parents[3:]), fault.ServiceQuotaExceeded, "3 parents")

	_, err := c.UpdateQueueMaxContacts(t.Context(), &connect.UpdateQueueMaxContactsInput{InstanceId: &c.id, QueueId: &c.queue, MaxContacts: aws.Int32(4010)})
	fails(t, err, fault.InvalidParameter, "MaxContacts", "4010")

	channels := []types.Channel{types.ChannelVoice, types.ChannelChat, types.ChannelTask, types.ChannelEmail}
	add := func(queue string, channels ...types.Channel) error {
		in := &connect.AssociateRoutingProfileQueuesInput{InstanceId: &c.id, RoutingProfileId: &c.profile}
		for _, ch := range channels {
			in.QueueConfigs = append(in.QueueConfigs, queueConfig(queue, ch, 1, 0))
		}
		_, err := c.AssociateRoutingProfileQueues(t.Context(), in)
		return err
	}
	for n := range 12 { // the profile has 3 already
		ok(t, add(c.newQueue(t, strings.Repeat("q", n+1)), channels[:min(4, 50-3-4*n)]...))
	}
	fails(t, add(c.queue, types.ChannelEmail), fault.InvalidRequest, "50")
}
