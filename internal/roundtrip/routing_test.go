package roundtrip

import (
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/connect"
	"github.com/aws/aws-sdk-go-v2/service/connect/types"
)

func routingKinds() []kind {
	return []kind{instanceAttributes(), hoursOfOperation(), hoursOverrides(), queues(), routingProfiles()}
}

// quickConnectKinds come after users, whom some of them name.
func quickConnectKinds() []kind { return []kind{quickConnects()} }

// flows are the ids of the flows of an instance by name. Documents of what
// comes before flows name them so, for every instance has the default ones.
func (s *site) flows(t testing.TB) map[string]string {
	t.Helper()
	byName := map[string]string{}
	everyPage(t, func(token *string) (*string, error) {
		page, err := s.ListContactFlows(t.Context(), &connect.ListContactFlowsInput{InstanceId: &s.id, NextToken: token})
		if err != nil {
			return nil, err
		}
		for _, f := range page.ContactFlowSummaryList {
			byName[*f.Name] = *f.Id
		}
		return page.NextToken, nil
	})
	return byName
}

// flowID is the id of a flow by its name, flowName the name by its id.
func (s *site) flowID(t testing.TB, name *string) *string {
	t.Helper()
	if name == nil {
		return nil
	}
	id, found := s.flows(t)[*name]
	if !found {
		t.Fatalf("the instance has no flow %q", *name)
	}
	return &id
}

func (s *site) flowName(t testing.TB, id *string) *string {
	t.Helper()
	for name, known := range s.flows(t) {
		if id != nil && known == *id {
			return &name
		}
	}
	return nil
}

func instanceAttributes() kind {
	set := func(t testing.TB, s *site, a types.Attribute) {
		t.Helper()
		_, err := s.UpdateInstanceAttribute(t.Context(), &connect.UpdateInstanceAttributeInput{InstanceId: &s.id, AttributeType: a.AttributeType, Value: a.Value})
		ok(t, err)
	}
	return of("InstanceAttribute",
		func(t testing.TB, s *site, n int) string {
			a := []types.Attribute{
				{AttributeType: types.InstanceAttributeTypeContactflowLogs, Value: aws.String("true")},
				{AttributeType: types.InstanceAttributeTypeEarlyMedia, Value: aws.String("false")},
				{AttributeType: types.InstanceAttributeTypeMultiPartyConference, Value: aws.String("true")},
			}[n]
			set(t, s, a)
			return string(a.AttributeType)
		},
		func(t testing.TB, s *site) (all resources) {
			everyPage(t, func(token *string) (*string, error) {
				page, err := s.ListInstanceAttributes(t.Context(), &connect.ListInstanceAttributesInput{InstanceId: &s.id, NextToken: token})
				if err != nil {
					return nil, err
				}
				for _, a := range page.Attributes {
					all.add(string(a.AttributeType), string(a.AttributeType), a)
				}
				return page.NextToken, nil
			})
			return all
		},
		func(t testing.TB, s *site, a types.Attribute) string {
			is, err := s.DescribeInstanceAttribute(t.Context(), &connect.DescribeInstanceAttributeInput{InstanceId: &s.id, AttributeType: a.AttributeType})
			ok(t, err)
			if *is.Attribute.Value != *a.Value { // some cannot be changed
				set(t, s, a)
			}
			return string(a.AttributeType)
		},
		nil)
}

type hoursDocument struct {
	Hours *types.HoursOfOperation
}

func hoursOfOperation() kind {
	return of("HoursOfOperation",
		func(t testing.TB, s *site, n int) string {
			var parents []types.ParentHoursOfOperationConfig
			if n > 0 {
				parents = []types.ParentHoursOfOperationConfig{{HoursOfOperationId: aws.String(s.a(t, "HoursOfOperation", 0))}}
			}
			out, err := s.CreateHoursOfOperation(t.Context(), &connect.CreateHoursOfOperationInput{
				InstanceId: &s.id, Name: name("Hours", n), Description: aws.String("when somebody is there"), TimeZone: aws.String("Europe/Berlin"),
				Config: []types.HoursOfOperationConfig{{
					Day:       types.HoursOfOperationDaysMonday,
					StartTime: &types.HoursOfOperationTimeSlice{Hours: aws.Int32(int32(8 + n)), Minutes: aws.Int32(0)},
					EndTime:   &types.HoursOfOperationTimeSlice{Hours: aws.Int32(17), Minutes: aws.Int32(30)},
				}},
				ParentHoursOfOperationConfigs: parents, Tags: map[string]string{"Team": "hours"},
			})
			ok(t, err)
			return *out.HoursOfOperationId
		},
		func(t testing.TB, s *site) (all resources) {
			everyPage(t, func(token *string) (*string, error) {
				page, err := s.ListHoursOfOperations(t.Context(), &connect.ListHoursOfOperationsInput{InstanceId: &s.id, NextToken: token})
				if err != nil {
					return nil, err
				}
				for _, h := range page.HoursOfOperationSummaryList {
					out, err := s.DescribeHoursOfOperation(t.Context(), &connect.DescribeHoursOfOperationInput{InstanceId: &s.id, HoursOfOperationId: h.Id})
					ok(t, err)
					all.add(*h.Id, *h.Name, hoursDocument{out.HoursOfOperation})
				}
				return page.NextToken, nil
			})
			return all
		},
		func(t testing.TB, s *site, d hoursDocument) string {
			h := d.Hours
			if id := s.existing("HoursOfOperation", *h.Name); id != "" {
				_, err := s.UpdateHoursOfOperation(t.Context(), &connect.UpdateHoursOfOperationInput{
					InstanceId: &s.id, HoursOfOperationId: &id, Name: h.Name, Description: h.Description, TimeZone: h.TimeZone, Config: h.Config,
				})
				ok(t, err)
				return id
			}
			out, err := s.CreateHoursOfOperation(t.Context(), &connect.CreateHoursOfOperationInput{
				InstanceId: &s.id, Name: h.Name, Description: h.Description, TimeZone: h.TimeZone, Config: h.Config, Tags: tags(h.Tags),
			})
			ok(t, err)
			return *out.HoursOfOperationId
		},
		func(t testing.TB, s *site, id string, d hoursDocument) {
			var parents []types.ParentHoursOfOperationConfig
			for _, p := range d.Hours.ParentHoursOfOperations {
				parents = append(parents, types.ParentHoursOfOperationConfig{HoursOfOperationId: p.Id})
			}
			if parents == nil {
				return
			}
			_, err := s.AssociateHoursOfOperations(t.Context(), &connect.AssociateHoursOfOperationsInput{InstanceId: &s.id, HoursOfOperationId: &id, ParentHoursOfOperationConfigs: parents})
			ok(t, err)
		})
}

func hoursOverrides() kind {
	return of("HoursOfOperationOverride",
		func(t testing.TB, s *site, n int) string {
			in := &connect.CreateHoursOfOperationOverrideInput{
				InstanceId: &s.id, HoursOfOperationId: aws.String(s.a(t, "HoursOfOperation", n)), Name: name("Override", n), Description: aws.String("another day"),
				OverrideType:  []types.OverrideType{types.OverrideTypeStandard, types.OverrideTypeOpen, types.OverrideTypeClosed}[n],
				EffectiveFrom: aws.String("2030-12-24"), EffectiveTill: aws.String("2035-12-24"), Config: []types.HoursOfOperationOverrideConfig{},
				RecurrenceConfig: &types.RecurrenceConfig{RecurrencePattern: &types.RecurrencePattern{
					Frequency: types.RecurrenceFrequencyYearly, Interval: aws.Int32(1), ByMonth: []int32{12}, ByMonthDay: []int32{int32(24 + n)},
				}},
			}
			if n < 2 {
				in.Config = []types.HoursOfOperationOverrideConfig{{
					Day:       types.OverrideDaysTuesday,
					StartTime: &types.OverrideTimeSlice{Hours: aws.Int32(10), Minutes: aws.Int32(0)}, EndTime: &types.OverrideTimeSlice{Hours: aws.Int32(12), Minutes: aws.Int32(15)},
				}}
			}
			out, err := s.CreateHoursOfOperationOverride(t.Context(), in)
			ok(t, err)
			return *out.HoursOfOperationOverrideId
		},
		func(t testing.TB, s *site) (all resources) {
			for _, hours := range hoursOfOperation().export(t, s).ids {
				everyPage(t, func(token *string) (*string, error) {
					page, err := s.ListHoursOfOperationOverrides(t.Context(), &connect.ListHoursOfOperationOverridesInput{InstanceId: &s.id, HoursOfOperationId: &hours, NextToken: token})
					if err != nil {
						return nil, err
					}
					for _, o := range page.HoursOfOperationOverrideList {
						all.add(*o.HoursOfOperationOverrideId, *o.Name, o)
					}
					return page.NextToken, nil
				})
			}
			return all
		},
		func(t testing.TB, s *site, o types.HoursOfOperationOverride) string {
			out, err := s.CreateHoursOfOperationOverride(t.Context(), &connect.CreateHoursOfOperationOverrideInput{
				InstanceId: &s.id, HoursOfOperationId: o.HoursOfOperationId, Name: o.Name, Description: o.Description, OverrideType: o.OverrideType,
				Config: o.Config, EffectiveFrom: o.EffectiveFrom, EffectiveTill: o.EffectiveTill, RecurrenceConfig: o.RecurrenceConfig,
			})
			ok(t, err)
			return *out.HoursOfOperationOverrideId
		},
		nil)
}

type queueDocument struct {
	Queue         *types.Queue
	CallerFlow    *string  // the name of the flow in Queue.OutboundCallerConfig
	QuickConnects []string // ids
}

func queues() kind {
	return of("Queue",
		func(t testing.TB, s *site, n int) string {
			out, err := s.CreateQueue(t.Context(), &connect.CreateQueueInput{
				InstanceId: &s.id, Name: name("Queue", n), Description: aws.String("where customers wait"), HoursOfOperationId: aws.String(s.a(t, "HoursOfOperation", n)),
				MaxContacts:          aws.Int32(int32(10 + n)),
				OutboundCallerConfig: &types.OutboundCallerConfig{OutboundCallerIdName: name("Caller", n), OutboundFlowId: s.flowID(t, aws.String("Default outbound"))},
				Tags:                 map[string]string{"Team": "queues"},
			})
			ok(t, err)
			if n == 1 {
				_, err := s.UpdateQueueStatus(t.Context(), &connect.UpdateQueueStatusInput{InstanceId: &s.id, QueueId: out.QueueId, Status: types.QueueStatusDisabled})
				ok(t, err)
			}
			return *out.QueueId
		},
		func(t testing.TB, s *site) (all resources) {
			everyPage(t, func(token *string) (*string, error) {
				page, err := s.ListQueues(t.Context(), &connect.ListQueuesInput{InstanceId: &s.id, QueueTypes: []types.QueueType{types.QueueTypeStandard}, NextToken: token})
				if err != nil {
					return nil, err
				}
				for _, q := range page.QueueSummaryList {
					all.add(*q.Id, *q.Name, exportQueue(t, s, q.Id))
				}
				return page.NextToken, nil
			})
			return all
		},
		func(t testing.TB, s *site, d queueDocument) string {
			q := d.Queue
			id := s.existing("Queue", *q.Name)
			if id == "" {
				out, err := s.CreateQueue(t.Context(), &connect.CreateQueueInput{
					InstanceId: &s.id, Name: q.Name, Description: q.Description, HoursOfOperationId: q.HoursOfOperationId, Tags: tags(q.Tags),
				})
				ok(t, err)
				id = *out.QueueId
			}
			_, err := s.UpdateQueueHoursOfOperation(t.Context(), &connect.UpdateQueueHoursOfOperationInput{InstanceId: &s.id, QueueId: &id, HoursOfOperationId: q.HoursOfOperationId})
			ok(t, err)
			_, err = s.UpdateQueueMaxContacts(t.Context(), &connect.UpdateQueueMaxContactsInput{InstanceId: &s.id, QueueId: &id, MaxContacts: q.MaxContacts})
			ok(t, err)
			_, err = s.UpdateQueueStatus(t.Context(), &connect.UpdateQueueStatusInput{InstanceId: &s.id, QueueId: &id, Status: q.Status})
			ok(t, err)
			return id
		},
		linkQueue)
}

// linkQueue gives a queue what names flows, numbers and quick connects.
func linkQueue(t testing.TB, s *site, id string, d queueDocument) {
	if c := d.Queue.OutboundCallerConfig; c != nil {
		c.OutboundFlowId = s.flowID(t, d.CallerFlow)
		_, err := s.UpdateQueueOutboundCallerConfig(t.Context(), &connect.UpdateQueueOutboundCallerConfigInput{InstanceId: &s.id, QueueId: &id, OutboundCallerConfig: c})
		ok(t, err)
	}
	if c := d.Queue.OutboundEmailConfig; c != nil {
		_, err := s.UpdateQueueOutboundEmailConfig(t.Context(), &connect.UpdateQueueOutboundEmailConfigInput{InstanceId: &s.id, QueueId: &id, OutboundEmailConfig: c})
		ok(t, err)
	}
	if len(d.QuickConnects) > 0 {
		_, err := s.AssociateQueueQuickConnects(t.Context(), &connect.AssociateQueueQuickConnectsInput{InstanceId: &s.id, QueueId: &id, QuickConnectIds: d.QuickConnects})
		ok(t, err)
	}
}

func exportQueue(t testing.TB, s *site, id *string) (d queueDocument) {
	t.Helper()
	out, err := s.DescribeQueue(t.Context(), &connect.DescribeQueueInput{InstanceId: &s.id, QueueId: id})
	ok(t, err)
	d.Queue = out.Queue
	if c := d.Queue.OutboundCallerConfig; c != nil {
		d.CallerFlow, c.OutboundFlowId = s.flowName(t, c.OutboundFlowId), nil
	}
	everyPage(t, func(token *string) (*string, error) {
		page, err := s.ListQueueQuickConnects(t.Context(), &connect.ListQueueQuickConnectsInput{InstanceId: &s.id, QueueId: id, NextToken: token})
		if err != nil {
			return nil, err
		}
		for _, q := range page.QuickConnectSummaryList {
			d.QuickConnects = append(d.QuickConnects, *q.Id)
		}
		return page.NextToken, nil
	})
	return d
}

type routingProfileDocument struct {
	Profile *types.RoutingProfile
	Queues  []types.RoutingProfileQueueConfigSummary
	Manual  []types.RoutingProfileManualAssignmentQueueConfigSummary
}

func (d *routingProfileDocument) queues() (list []types.RoutingProfileQueueConfig) {
	for _, q := range d.Queues {
		list = append(list, types.RoutingProfileQueueConfig{
			Priority: q.Priority, Delay: &q.Delay, QueueReference: &types.RoutingProfileQueueReference{QueueId: q.QueueId, Channel: q.Channel},
		})
	}
	return list
}

func (d *routingProfileDocument) manual() (list []types.RoutingProfileManualAssignmentQueueConfig) {
	for _, q := range d.Manual {
		list = append(list, types.RoutingProfileManualAssignmentQueueConfig{QueueReference: &types.RoutingProfileQueueReference{QueueId: q.QueueId, Channel: q.Channel}})
	}
	return list
}

func routingProfiles() kind {
	return of("RoutingProfile",
		func(t testing.TB, s *site, n int) string {
			queue := s.a(t, "Queue", n)
			out, err := s.CreateRoutingProfile(t.Context(), &connect.CreateRoutingProfileInput{
				InstanceId: &s.id, Name: name("Profile", n), Description: aws.String("what comes to whom"), DefaultOutboundQueueId: &queue,
				AgentAvailabilityTimer: []types.AgentAvailabilityTimer{types.AgentAvailabilityTimerTimeSinceLastActivity, types.AgentAvailabilityTimerTimeSinceLastInbound}[n%2],
				MediaConcurrencies: []types.MediaConcurrency{
					{Channel: types.ChannelVoice, Concurrency: aws.Int32(1)},
					{Channel: types.ChannelChat, Concurrency: aws.Int32(int32(2 + n)), CrossChannelBehavior: &types.CrossChannelBehavior{BehaviorType: types.BehaviorTypeRouteAnyChannel}},
				},
				QueueConfigs: []types.RoutingProfileQueueConfig{
					{QueueReference: &types.RoutingProfileQueueReference{QueueId: &queue, Channel: types.ChannelVoice}, Priority: aws.Int32(int32(1 + n)), Delay: aws.Int32(30)},
					{QueueReference: &types.RoutingProfileQueueReference{QueueId: aws.String(s.a(t, "Queue", n+1)), Channel: types.ChannelChat}, Priority: aws.Int32(1), Delay: aws.Int32(0)},
				},
				ManualAssignmentQueueConfigs: []types.RoutingProfileManualAssignmentQueueConfig{
					{QueueReference: &types.RoutingProfileQueueReference{QueueId: aws.String(s.a(t, "Queue", n+2)), Channel: types.ChannelChat}},
				},
				Tags: map[string]string{"Team": "routing"},
			})
			ok(t, err)
			return *out.RoutingProfileId
		},
		func(t testing.TB, s *site) (all resources) {
			everyPage(t, func(token *string) (*string, error) {
				page, err := s.ListRoutingProfiles(t.Context(), &connect.ListRoutingProfilesInput{InstanceId: &s.id, NextToken: token})
				if err != nil {
					return nil, err
				}
				for _, p := range page.RoutingProfileSummaryList {
					all.add(*p.Id, *p.Name, exportRoutingProfile(t, s, p.Id))
				}
				return page.NextToken, nil
			})
			return all
		},
		rebuildRoutingProfile,
		nil)
}

func rebuildRoutingProfile(t testing.TB, s *site, d routingProfileDocument) string {
	p := d.Profile
	id := s.existing("RoutingProfile", *p.Name)
	if id == "" {
		out, err := s.CreateRoutingProfile(t.Context(), &connect.CreateRoutingProfileInput{
			InstanceId: &s.id, Name: p.Name, Description: p.Description, DefaultOutboundQueueId: p.DefaultOutboundQueueId, AgentAvailabilityTimer: p.AgentAvailabilityTimer,
			MediaConcurrencies: p.MediaConcurrencies, QueueConfigs: d.queues(), ManualAssignmentQueueConfigs: d.manual(), Tags: tags(p.Tags),
		})
		ok(t, err)
		return *out.RoutingProfileId
	}
	_, err := s.UpdateRoutingProfileConcurrency(t.Context(), &connect.UpdateRoutingProfileConcurrencyInput{InstanceId: &s.id, RoutingProfileId: &id, MediaConcurrencies: p.MediaConcurrencies})
	ok(t, err)
	_, err = s.UpdateRoutingProfileDefaultOutboundQueue(t.Context(), &connect.UpdateRoutingProfileDefaultOutboundQueueInput{InstanceId: &s.id, RoutingProfileId: &id, DefaultOutboundQueueId: p.DefaultOutboundQueueId})
	ok(t, err)
	_, err = s.UpdateRoutingProfileAgentAvailabilityTimer(t.Context(), &connect.UpdateRoutingProfileAgentAvailabilityTimerInput{InstanceId: &s.id, RoutingProfileId: &id, AgentAvailabilityTimer: p.AgentAvailabilityTimer})
	ok(t, err)
	_, err = s.AssociateRoutingProfileQueues(t.Context(), &connect.AssociateRoutingProfileQueuesInput{InstanceId: &s.id, RoutingProfileId: &id, QueueConfigs: d.queues(), ManualAssignmentQueueConfigs: d.manual()})
	ok(t, err)
	return id
}

func exportRoutingProfile(t testing.TB, s *site, id *string) (d routingProfileDocument) {
	t.Helper()
	out, err := s.DescribeRoutingProfile(t.Context(), &connect.DescribeRoutingProfileInput{InstanceId: &s.id, RoutingProfileId: id})
	ok(t, err)
	d.Profile = out.RoutingProfile
	everyPage(t, func(token *string) (*string, error) {
		page, err := s.ListRoutingProfileQueues(t.Context(), &connect.ListRoutingProfileQueuesInput{InstanceId: &s.id, RoutingProfileId: id, NextToken: token})
		if err != nil {
			return nil, err
		}
		d.Queues = append(d.Queues, page.RoutingProfileQueueConfigSummaryList...)
		return page.NextToken, nil
	})
	everyPage(t, func(token *string) (*string, error) {
		page, err := s.ListRoutingProfileManualAssignmentQueues(t.Context(), &connect.ListRoutingProfileManualAssignmentQueuesInput{InstanceId: &s.id, RoutingProfileId: id, NextToken: token})
		if err != nil {
			return nil, err
		}
		d.Manual = append(d.Manual, page.RoutingProfileManualAssignmentQueueConfigSummaryList...)
		return page.NextToken, nil
	})
	return d
}

func init() {
	// Queues, which come before quick connects, name them.
	untie["QuickConnect"] = func(t testing.TB, s *site, k kind) {
		for _, queue := range s.made["Queue"] {
			if d := exportQueue(t, s, &queue); len(d.QuickConnects) > 0 {
				_, err := s.DisassociateQueueQuickConnects(t.Context(), &connect.DisassociateQueueQuickConnectsInput{InstanceId: &s.id, QueueId: &queue, QuickConnectIds: d.QuickConnects})
				ok(t, err)
			}
		}
		for _, id := range k.export(t, s).ids {
			_, err := s.DeleteQuickConnect(t.Context(), &connect.DeleteQuickConnectInput{InstanceId: &s.id, QuickConnectId: &id})
			ok(t, err)
		}
	}
}

type quickConnectDocument struct {
	QuickConnect *types.QuickConnect
	Flow         *string // the name of the flow in its configuration
}

// flow is the member of a configuration that names a flow, nil when it has
// none.
func (d *quickConnectDocument) flow() **string {
	switch c := d.QuickConnect.QuickConnectConfig; {
	case c.UserConfig != nil:
		return &c.UserConfig.ContactFlowId
	case c.QueueConfig != nil:
		return &c.QueueConfig.ContactFlowId
	case c.FlowConfig != nil:
		return &c.FlowConfig.ContactFlowId
	default:
		return nil
	}
}

func quickConnects() kind {
	return of("QuickConnect",
		func(t testing.TB, s *site, n int) string {
			toUser, toQueue := s.flowID(t, aws.String("Default agent transfer")), s.flowID(t, aws.String("Default queue transfer"))
			configs := []types.QuickConnectConfig{
				{QuickConnectType: types.QuickConnectTypeUser, UserConfig: &types.UserQuickConnectConfig{UserId: aws.String(s.a(t, "User", n)), ContactFlowId: toUser}},
				{QuickConnectType: types.QuickConnectTypeQueue, QueueConfig: &types.QueueQuickConnectConfig{QueueId: aws.String(s.a(t, "Queue", n)), ContactFlowId: toQueue}},
				{QuickConnectType: types.QuickConnectTypePhoneNumber, PhoneConfig: &types.PhoneNumberQuickConnectConfig{PhoneNumber: aws.String("+15555550100")}},
				{QuickConnectType: types.QuickConnectTypeFlow, FlowConfig: &types.FlowQuickConnectConfig{ContactFlowId: toQueue}},
			}
			create := func(name *string, config types.QuickConnectConfig) string {
				out, err := s.CreateQuickConnect(t.Context(), &connect.CreateQuickConnectInput{
					InstanceId: &s.id, Name: name, Description: aws.String("whom agents transfer to"), QuickConnectConfig: &config, Tags: map[string]string{"Team": "transfers"},
				})
				ok(t, err)
				return *out.QuickConnectId
			}
			ids := []string{create(name("Transfer", n), configs[n])}
			if n == many-1 { // there are more types than turns
				ids = append(ids, create(name("Transfer", many), configs[many]))
			}
			_, err := s.AssociateQueueQuickConnects(t.Context(), &connect.AssociateQueueQuickConnectsInput{InstanceId: &s.id, QueueId: aws.String(s.a(t, "Queue", n)), QuickConnectIds: ids})
			ok(t, err)
			return ids[0]
		},
		func(t testing.TB, s *site) (all resources) {
			everyPage(t, func(token *string) (*string, error) {
				page, err := s.ListQuickConnects(t.Context(), &connect.ListQuickConnectsInput{InstanceId: &s.id, NextToken: token})
				if err != nil {
					return nil, err
				}
				for _, q := range page.QuickConnectSummaryList {
					out, err := s.DescribeQuickConnect(t.Context(), &connect.DescribeQuickConnectInput{InstanceId: &s.id, QuickConnectId: q.Id})
					ok(t, err)
					d := quickConnectDocument{QuickConnect: out.QuickConnect}
					if id := d.flow(); id != nil {
						d.Flow, *id = s.flowName(t, *id), nil
					}
					all.add(*q.Id, *q.Name, d)
				}
				return page.NextToken, nil
			})
			return all
		},
		func(t testing.TB, s *site, d quickConnectDocument) string {
			if id := d.flow(); id != nil {
				*id = s.flowID(t, d.Flow)
			}
			q := d.QuickConnect
			out, err := s.CreateQuickConnect(t.Context(), &connect.CreateQuickConnectInput{
				InstanceId: &s.id, Name: q.Name, Description: q.Description, QuickConnectConfig: q.QuickConnectConfig, Tags: tags(q.Tags),
			})
			ok(t, err)
			return *out.QuickConnectId
		},
		nil)
}
