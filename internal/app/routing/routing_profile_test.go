package routing_test

import (
	"fmt"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/connect"
	"github.com/aws/aws-sdk-go-v2/service/connect/types"

	"ringdown/internal/domain"
	"ringdown/internal/fault"
	"ringdown/internal/server/servertest"
)

func queueConfig(queue string, channel types.Channel, priority, delay int32) types.RoutingProfileQueueConfig {
	return types.RoutingProfileQueueConfig{
		QueueReference: &types.RoutingProfileQueueReference{QueueId: &queue, Channel: channel}, Priority: &priority, Delay: &delay,
	}
}

func manualConfig(queue string, channel types.Channel) types.RoutingProfileManualAssignmentQueueConfig {
	return types.RoutingProfileManualAssignmentQueueConfig{QueueReference: &types.RoutingProfileQueueReference{QueueId: &queue, Channel: channel}}
}

func media(channel types.Channel, n int32) types.MediaConcurrency {
	return types.MediaConcurrency{Channel: channel, Concurrency: &n}
}

func (c *centre) newProfileInput(name string) *connect.CreateRoutingProfileInput {
	return &connect.CreateRoutingProfileInput{
		InstanceId: &c.id, Name: &name, Description: aws.String("Profile " + name), DefaultOutboundQueueId: &c.queue,
		MediaConcurrencies: []types.MediaConcurrency{media(types.ChannelVoice, 1)},
	}
}

func (c *centre) newProfile(t *testing.T, name string, change ...func(*connect.CreateRoutingProfileInput)) string {
	t.Helper()
	in := c.newProfileInput(name)
	for _, f := range change {
		f(in)
	}
	out, err := c.CreateRoutingProfile(t.Context(), in)
	ok(t, err)
	return *out.RoutingProfileId
}

func (c *centre) describeProfile(t *testing.T, id string) *types.RoutingProfile {
	t.Helper()
	out, err := c.DescribeRoutingProfile(t.Context(), &connect.DescribeRoutingProfileInput{InstanceId: &c.id, RoutingProfileId: &id})
	ok(t, err)
	return out.RoutingProfile
}

// profileQueues shows the queues of a profile, in pages of two.
func (c *centre) profileQueues(t *testing.T, id string) []string {
	t.Helper()
	return pages(t, func(size *int32, token *string) ([]string, *string, error) {
		out, err := c.ListRoutingProfileQueues(t.Context(), &connect.ListRoutingProfileQueuesInput{InstanceId: &c.id, RoutingProfileId: &id, MaxResults: size, NextToken: token})
		if err != nil {
			return nil, nil, err
		}
		var list []string
		for _, q := range out.RoutingProfileQueueConfigSummaryList {
			if *q.QueueArn != c.arn(domain.KindQueue, *q.QueueId) {
				t.Errorf("queue %s has the ARN %s", *q.QueueId, *q.QueueArn)
			}
			list = append(list, fmt.Sprintf("%s %s %d %d", *q.QueueName, q.Channel, *q.Priority, q.Delay))
		}
		return list, out.NextToken, nil
	}, 2)
}

func (c *centre) manualQueues(t *testing.T, id string) []string {
	t.Helper()
	return pages(t, func(size *int32, token *string) ([]string, *string, error) {
		out, err := c.ListRoutingProfileManualAssignmentQueues(t.Context(), &connect.ListRoutingProfileManualAssignmentQueuesInput{
			InstanceId: &c.id, RoutingProfileId: &id, MaxResults: size, NextToken: token,
		})
		if err != nil {
			return nil, nil, err
		}
		var list []string
		for _, q := range out.RoutingProfileManualAssignmentQueueConfigSummaryList {
			list = append(list, fmt.Sprintf("%s %s", *q.QueueName, q.Channel))
		}
		return list, out.NextToken, nil
	}, 1)
}

func TestRoutingProfile(t *testing.T) {
	s := servertest.Boot(t)
	t.Run("create, update, delete", func(t *testing.T) {
		c := newCentre(t, s)
		other := c.newQueue(t, "Other")
		id := c.newProfile(t, "Agents", func(in *connect.CreateRoutingProfileInput) {
			in.Tags = map[string]string{"team": "a"}
			in.MediaConcurrencies = append(in.MediaConcurrencies, types.MediaConcurrency{
				Channel: types.ChannelEmail, Concurrency: aws.Int32(10),
				CrossChannelBehavior: &types.CrossChannelBehavior{BehaviorType: types.BehaviorTypeRouteAnyChannel},
			})
		})
		p := c.describeProfile(t, c.arn(domain.KindRoutingProfile, id))
		same(t, "the profile", []any{p.RoutingProfileId, p.Name, p.Description, p.IsDefault, p.AgentAvailabilityTimer, p.NumberOfAssociatedQueues, p.NumberOfAssociatedManualAssignmentQueues, p.Tags, p.LastModifiedRegion},
			[]any{id, "Agents", "Profile Agents", false, "TIME_SINCE_LAST_ACTIVITY", 0, 0, map[string]string{"team": "a"}, "us-east-1"})
		same(t, "e-mail", p.MediaConcurrencies[1], types.MediaConcurrency{
			Channel: types.ChannelEmail, Concurrency: aws.Int32(10), CrossChannelBehavior: &types.CrossChannelBehavior{BehaviorType: types.BehaviorTypeRouteAnyChannel},
		})
		_, err := c.UpdateRoutingProfileName(t.Context(), &connect.UpdateRoutingProfileNameInput{InstanceId: &c.id, RoutingProfileId: &id, Description: aws.String("D")})
		ok(t, err)
		_, err = c.UpdateRoutingProfileName(t.Context(), &connect.UpdateRoutingProfileNameInput{InstanceId: &c.id, RoutingProfileId: &id, Name: aws.String("N")})
		ok(t, err)
		_, err = c.UpdateRoutingProfileConcurrency(t.Context(), &connect.UpdateRoutingProfileConcurrencyInput{InstanceId: &c.id, RoutingProfileId: &id, MediaConcurrencies: []types.MediaConcurrency{media(types.ChannelChat, 3)}})
		ok(t, err)
		_, err = c.UpdateRoutingProfileDefaultOutboundQueue(t.Context(), &connect.UpdateRoutingProfileDefaultOutboundQueueInput{InstanceId: &c.id, RoutingProfileId: &id, DefaultOutboundQueueId: &other})
		ok(t, err)
		_, err = c.UpdateRoutingProfileAgentAvailabilityTimer(t.Context(), &connect.UpdateRoutingProfileAgentAvailabilityTimerInput{
			InstanceId: &c.id, RoutingProfileId: &id, AgentAvailabilityTimer: types.AgentAvailabilityTimerTimeSinceLastInbound,
		})
		ok(t, err)
		p = c.describeProfile(t, id)
		same(t, "updated", []any{p.Name, p.Description, len(p.MediaConcurrencies), p.MediaConcurrencies[0].Concurrency, p.DefaultOutboundQueueId, p.AgentAvailabilityTimer},
			[]any{"N", "D", 1, 3, other, "TIME_SINCE_LAST_INBOUND"})

		user := c.newUser(t, "agent", id)
		same(t, "users", c.describeProfile(t, id).NumberOfAssociatedUsers, 1)
		remove := func() error {
			_, err := c.DeleteRoutingProfile(t.Context(), &connect.DeleteRoutingProfileInput{InstanceId: &c.id, RoutingProfileId: &id})
			return err
		}
		fails(t, remove(), fault.ResourceInUse, id)
		_, err = c.DeleteQueue(t.Context(), &connect.DeleteQueueInput{InstanceId: &c.id, QueueId: &other})
		fails(t, err, fault.ResourceInUse, other)
		_, err = c.DeleteUser(t.Context(), &connect.DeleteUserInput{InstanceId: &c.id, UserId: &user})
		ok(t, err)
		ok(t, remove())
		fails(t, remove(), fault.ResourceNotFound)
		_, err = c.DeleteQueue(t.Context(), &connect.DeleteQueueInput{InstanceId: &c.id, QueueId: &other})
		ok(t, err)
	})
	t.Run("refused", func(t *testing.T) {
		c := newCentre(t, s)
		unknown := domain.NewID()
		type input = connect.CreateRoutingProfileInput
		for name, tt := range map[string]struct {
			change func(*input)
			code   fault.Code
			word   string
		}{
			"Basic Routing Profile": {func(*input) {}, fault.DuplicateResource, "Basic Routing Profile"},
			"no channels":           {func(in *input) { in.MediaConcurrencies = []types.MediaConcurrency{} }, fault.InvalidParameter, "MediaConcurrencies"},
			"two calls":             {func(in *input) { in.MediaConcurrencies[0].Concurrency = aws.Int32(2) }, fault.InvalidParameter, "VOICE"},
			"eleven chats":          {func(in *input) { in.MediaConcurrencies[0] = media(types.ChannelChat, 11) }, fault.InvalidParameter, "Concurrency"},
			"voice twice":           {func(in *input) { in.MediaConcurrencies = append(in.MediaConcurrencies, in.MediaConcurrencies[0]) }, fault.InvalidParameter, "MediaConcurrencies[1]"},
			"outbound":              {func(in *input) { in.DefaultOutboundQueueId = &unknown }, fault.ResourceNotFound, unknown},
			"queue": {func(in *input) {
				in.QueueConfigs = []types.RoutingProfileQueueConfig{queueConfig(unknown, types.ChannelVoice, 1, 0)}
			}, fault.ResourceNotFound, unknown},
			"queue twice": {func(in *input) {
				in.QueueConfigs = []types.RoutingProfileQueueConfig{queueConfig(c.queue, types.ChannelVoice, 1, 0), queueConfig(c.arn(domain.KindQueue, c.queue), types.ChannelVoice, 2, 0)}
			}, fault.InvalidParameter, "QueueConfigs[1]"},
			"priority": {func(in *input) {
				in.QueueConfigs = []types.RoutingProfileQueueConfig{queueConfig(c.queue, types.ChannelVoice, 100, 0)}
			}, fault.InvalidParameter, "Priority"},
			"manual voice": {func(in *input) {
				in.ManualAssignmentQueueConfigs = []types.RoutingProfileManualAssignmentQueueConfig{manualConfig(c.queue, types.ChannelVoice)}
			}, fault.InvalidParameter, "VOICE"},
			"manual twice": {func(in *input) {
				in.ManualAssignmentQueueConfigs = []types.RoutingProfileManualAssignmentQueueConfig{manualConfig(c.queue, types.ChannelChat), manualConfig(c.queue, types.ChannelChat)}
			}, fault.InvalidParameter, "ManualAssignmentQueueConfigs[1]"},
			"manual unknown": {func(in *input) {
				in.ManualAssignmentQueueConfigs = []types.RoutingProfileManualAssignmentQueueConfig{manualConfig(unknown, types.ChannelChat)}
			}, fault.ResourceNotFound, unknown},
		} {
			in := c.newProfileInput(name)
			tt.change(in)
			_, err := c.CreateRoutingProfile(t.Context(), in)
			fails(t, err, tt.code, tt.word)
		}
		id := c.newProfile(t, "Agents")
		_, err := c.UpdateRoutingProfileName(t.Context(), &connect.UpdateRoutingProfileNameInput{InstanceId: &c.id, RoutingProfileId: &id, Name: aws.String("Basic Routing Profile")})
		fails(t, err, fault.DuplicateResource, "Basic Routing Profile")
	})
	t.Run("queues", func(t *testing.T) {
		c := newCentre(t, s)
		a, b := c.newQueue(t, "A"), c.newQueue(t, "B")
		id := c.newProfile(t, "Agents", func(in *connect.CreateRoutingProfileInput) {
			in.QueueConfigs = []types.RoutingProfileQueueConfig{queueConfig(a, types.ChannelVoice, 1, 0)}
			in.ManualAssignmentQueueConfigs = []types.RoutingProfileManualAssignmentQueueConfig{manualConfig(a, types.ChannelTask)}
		})
		associate := func(manual []types.RoutingProfileManualAssignmentQueueConfig, queues ...types.RoutingProfileQueueConfig) error {
			_, err := c.AssociateRoutingProfileQueues(t.Context(), &connect.AssociateRoutingProfileQueuesInput{
				InstanceId: &c.id, RoutingProfileId: &id, QueueConfigs: queues, ManualAssignmentQueueConfigs: manual,
			})
			return err
		}
		update := func(queues ...types.RoutingProfileQueueConfig) error {
			_, err := c.UpdateRoutingProfileQueues(t.Context(), &connect.UpdateRoutingProfileQueuesInput{InstanceId: &c.id, RoutingProfileId: &id, QueueConfigs: queues})
			return err
		}
		disassociate := func(manual, queues []types.RoutingProfileQueueReference) error {
			_, err := c.DisassociateRoutingProfileQueues(t.Context(), &connect.DisassociateRoutingProfileQueuesInput{
				InstanceId: &c.id, RoutingProfileId: &id, QueueReferences: queues, ManualAssignmentQueueReferences: manual,
			})
			return err
		}
		same(t, "at first", c.profileQueues(t, id), []string{"A VOICE 1 0"})
		same(t, "by hand at first", c.manualQueues(t, id), []string{"A TASK"})
		ok(t, associate([]types.RoutingProfileManualAssignmentQueueConfig{manualConfig(a, types.ChannelTask), manualConfig(b, types.ChannelEmail)},
			queueConfig(b, types.ChannelVoice, 2, 30), queueConfig(b, types.ChannelChat, 3, 0), queueConfig(a, types.ChannelVoice, 9, 9999)))
		same(t, "associated", c.profileQueues(t, id), []string{"A VOICE 9 9999", "B VOICE 2 30", "B CHAT 3 0"})
		same(t, "by hand", c.manualQueues(t, id), []string{"A TASK", "B EMAIL"})
		p := c.describeProfile(t, id)
		same(t, "how many", []any{p.NumberOfAssociatedQueues, p.NumberOfAssociatedManualAssignmentQueues}, []any{2, 2})

		fails(t, associate(nil), fault.InvalidRequest, "QueueConfigs")
		fails(t, associate(nil, queueConfig(domain.NewID(), types.ChannelVoice, 1, 1)), fault.ResourceNotFound)
		ok(t, update(queueConfig(b, types.ChannelChat, 1, 1)))
		fails(t, update(queueConfig(b, types.ChannelChat, 5, 5), queueConfig(b, types.ChannelEmail, 1, 1)), fault.InvalidRequest, "EMAIL")
		same(t, "updated as a whole or not at all", c.profileQueues(t, id), []string{"A VOICE 9 9999", "B VOICE 2 30", "B CHAT 1 1"})

		ref := func(queue string, channel types.Channel) types.RoutingProfileQueueReference {
			return types.RoutingProfileQueueReference{QueueId: &queue, Channel: channel}
		}
		ok(t, disassociate([]types.RoutingProfileQueueReference{ref(b, types.ChannelEmail)}, []types.RoutingProfileQueueReference{ref(b, types.ChannelVoice), ref(b, types.ChannelTask)}))
		same(t, "disassociated", c.profileQueues(t, id), []string{"A VOICE 9 9999", "B CHAT 1 1"})
		same(t, "by hand in the end", c.manualQueues(t, id), []string{"A TASK"})
		fails(t, disassociate(nil, nil), fault.InvalidRequest, "QueueReferences")
		fails(t, disassociate(nil, make11(ref(a, types.ChannelChat))), fault.InvalidParameter, "QueueReferences must include at most 10 items")
		fails(t, disassociate(make11(ref(a, types.ChannelChat)), nil), fault.InvalidParameter, "ManualAssignmentQueueReferences must include at most 10 items")

		remove := func(queue string) error {
			_, err := c.DeleteQueue(t.Context(), &connect.DeleteQueueInput{InstanceId: &c.id, QueueId: &queue})
			return err
		}
		fails(t, remove(b), fault.ResourceInUse)
		ok(t, disassociate(nil, []types.RoutingProfileQueueReference{ref(b, types.ChannelChat)}))
		ok(t, remove(b))
	})
	t.Run("list and search", func(t *testing.T) {
		c := newCentre(t, s)
		queue := c.newQueue(t, "Sales")
		ids := []string{c.profile}
		for i := range 3 {
			ids = append(ids, c.newProfile(t, fmt.Sprintf("Team %d", i), func(in *connect.CreateRoutingProfileInput) {
				in.Tags = map[string]string{"n": fmt.Sprint(i)}
				if i > 0 {
					in.QueueConfigs = []types.RoutingProfileQueueConfig{queueConfig(queue, types.ChannelVoice, 1, 0), queueConfig(queue, types.ChannelChat, 1, 0)}
				}
			}))
		}
		same(t, "the pages", pages(t, func(size *int32, token *string) ([]string, *string, error) {
			out, err := c.ListRoutingProfiles(t.Context(), &connect.ListRoutingProfilesInput{InstanceId: &c.id, MaxResults: size, NextToken: token})
			if err != nil {
				return nil, nil, err
			}
			var got []string
			for _, p := range out.RoutingProfileSummaryList {
				got = append(got, *p.Id)
			}
			return got, out.NextToken, nil
		}, 3), ids)
		type criteria = types.RoutingProfileSearchCriteria
		for name, tt := range map[string]struct {
			criteria *criteria
			tag      string
			want     []string
			code     fault.Code
		}{
			"all":         {nil, "", ids, ""},
			"queue":       {&criteria{StringCondition: is("associatedQueueIds", queue)}, "", ids[2:], ""},
			"name":        {&criteria{StringCondition: is("name", "TEAM 0")}, "", ids[1:2], ""},
			"description": {&criteria{StringCondition: is("description", "profile team 2")}, "", ids[3:], ""},
			"id":          {&criteria{StringCondition: is("resourceID", ids[2])}, "", ids[2:3], ""},
			"tag":         {&criteria{OrConditions: []criteria{{StringCondition: is("associatedQueueIds", queue)}}}, "2", ids[3:], ""},
			"field":       {&criteria{StringCondition: is("isDefault", "true")}, "", nil, fault.InvalidParameter},
		} {
			in := &connect.SearchRoutingProfilesInput{InstanceId: &c.id, SearchCriteria: tt.criteria}
			if tt.tag != "" {
				in.SearchFilter = &types.RoutingProfileSearchFilter{TagFilter: &types.ControlPlaneTagFilter{
					AndConditions: []types.TagCondition{{TagKey: aws.String("n"), TagValue: &tt.tag}},
				}}
			}
			out, err := c.SearchRoutingProfiles(t.Context(), in)
			fails(t, err, tt.code)
			if err != nil {
				continue
			}
			var got []string
			for _, p := range out.RoutingProfiles {
				got = append(got, *p.RoutingProfileId)
			}
			same(t, name, []any{got, out.ApproximateTotalCount}, []any{tt.want, len(tt.want)})
		}
		c.newUser(t, "agent", ids[2])
		out, err := c.SearchRoutingProfiles(t.Context(), &connect.SearchRoutingProfilesInput{InstanceId: &c.id, SearchCriteria: &criteria{StringCondition: is("resourceID", ids[2])}})
		ok(t, err)
		p := out.RoutingProfiles[0]
		same(t, "what a search returns", []any{p.AssociatedQueueIds, p.NumberOfAssociatedUsers, p.LastModifiedTime, p.LastModifiedRegion, p.AgentAvailabilityTimer, p.MediaConcurrencies[0].CrossChannelBehavior},
			[]any{[]string{queue}, 1, nil, nil, "", nil})
	})
}

func make11[T any](v T) []T {
	list := make([]T, 11)
	for i := range list {
		list[i] = v
	}
	return list
}
