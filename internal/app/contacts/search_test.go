package contacts_test

import (
	"slices"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/connect"
	"github.com/aws/aws-sdk-go-v2/service/connect/types"

	"ringdown/internal/fault"
)

type searchContacts = connect.SearchContactsInput

// search returns the ids of all pages, and checks that each tells the total.
func (c *centre) search(change ...func(*searchContacts)) []string {
	c.t.Helper()
	ids := []string{}
	var total int64
	pages := pagesOf(c.t, func(token *string) ([]string, *string, error) {
		in := c.lastHour()
		for _, f := range change {
			f(in)
		}
		in.NextToken = token
		out, err := c.SearchContacts(c.ctx(), in)
		if err != nil {
			return nil, nil, err
		}
		var page []string
		for _, s := range out.Contacts {
			page = append(page, *s.Id)
		}
		if in.MaxResults != nil && len(page) > int(*in.MaxResults) {
			c.t.Errorf("a page has %d contacts", len(page))
		}
		total = *out.TotalCount
		return page, out.NextToken, nil
	})
	for _, p := range pages {
		ids = append(ids, p...)
	}
	if total != int64(len(ids)) {
		c.t.Errorf("the total is %d, the pages have %d contacts", total, len(ids))
	}
	return ids
}

func (c *centre) lastHour() *searchContacts {
	return &searchContacts{InstanceId: &c.id, TimeRange: &types.SearchContactsTimeRange{
		Type: types.SearchContactsTimeRangeTypeInitiationTimestamp, StartTime: aws.Time(time.Now().Add(-time.Hour)), EndTime: aws.Time(time.Now().Add(time.Hour)),
	}}
}

func TestSearchContacts(t *testing.T) {
	c := open(t, simulated)
	from := c.claim()
	plan := c.task(at(tomorrow()), func(in *startTask) {
		in.Name, in.Attributes = aws.String("Plan a visit"), map[string]string{"city": "Bern"}
	})
	wait := c.queuedTask(func(in *startTask) {
		in.Name, in.Attributes, in.SegmentAttributes = aws.String("Wait for Mary"), map[string]string{"city": "Rome", "tier": "gold"}, expiry(60)
	})
	over := c.task(func(in *startTask) { in.Name, in.ContactFlowId = aws.String("Over"), &c.ends })
	c.await(over, "ended", ended)
	call, err := c.call(from)
	ok(t, err)
	c.await(call, "queued", queued)
	_, err = c.TagContact(c.ctx(), &connect.TagContactInput{InstanceId: &c.id, ContactId: &wait, Tags: map[string]string{"Team": "A", "Shift": "late"}})
	ok(t, err)
	_, err = c.UpdateContactRoutingData(c.ctx(), &connect.UpdateContactRoutingDataInput{InstanceId: &c.id, ContactId: &wait, RoutingCriteria: &types.RoutingCriteriaInput{
		Steps: []types.RoutingCriteriaInputStep{{Expression: &types.Expression{AttributeCondition: &types.AttributeCondition{
			ComparisonOperator: aws.String("Match"), MatchCriteria: &types.MatchCriteria{AgentsCriteria: &types.AgentsCriteria{AgentIds: []string{"mary"}}},
		}}}},
	}})
	ok(t, err)

	all := []string{call, over, wait, plan} // the latest first
	by := func(s types.SearchCriteria) func(*searchContacts) {
		return func(in *searchContacts) { in.SearchCriteria = &s }
	}
	name := func(how types.SearchContactsMatchType, texts ...string) func(*searchContacts) {
		return by(types.SearchCriteria{Name: &types.NameCriteria{MatchType: how, SearchText: texts}})
	}
	attribute := func(how types.SearchContactsMatchType, pairs ...string) func(*searchContacts) {
		s := &types.SearchableContactAttributes{MatchType: how}
		for p := range slices.Chunk(pairs, 2) {
			s.Criteria = append(s.Criteria, types.SearchableContactAttributesCriteria{Key: &p[0], Values: []string{"none", p[1]}})
		}
		return by(types.SearchCriteria{SearchableContactAttributes: s})
	}
	tags := func(f types.ControlPlaneTagFilter) func(*searchContacts) {
		return by(types.SearchCriteria{ContactTags: &f})
	}
	tag := func(key, value string) types.TagCondition {
		return types.TagCondition{TagKey: &key, TagValue: &value}
	}
	timed := func(by types.SearchContactsTimeRangeType) func(*searchContacts) {
		return func(in *searchContacts) {
			in.TimeRange.Type, in.TimeRange.EndTime = by, aws.Time(time.Now().Add(48*time.Hour))
		}
	}
	sorted := func(by types.SortableFieldName, order types.SortOrder) func(*searchContacts) {
		return func(in *searchContacts) {
			in.Sort, in.MaxResults = &types.Sort{FieldName: by, Order: order}, aws.Int32(1)
		}
	}
	more := func(how types.SearchContactsMatchType, list ...types.SearchContactsAdditionalTimeRangeCriteria) func(*searchContacts) {
		return by(types.SearchCriteria{AdditionalTimeRange: &types.SearchContactsAdditionalTimeRange{MatchType: how, Criteria: list}})
	}
	never := func(by types.SearchContactsTimeRangeType) types.SearchContactsAdditionalTimeRangeCriteria {
		return types.SearchContactsAdditionalTimeRangeCriteria{TimestampCondition: &types.SearchContactsTimestampCondition{ConditionType: types.SearchContactsTimeRangeConditionTypeNotExists, Type: by}}
	}
	within := func(by types.SearchContactsTimeRangeType) types.SearchContactsAdditionalTimeRangeCriteria {
		return types.SearchContactsAdditionalTimeRangeCriteria{TimeRange: &types.SearchContactsTimeRange{Type: by, StartTime: aws.Time(time.Now().Add(-time.Hour)), EndTime: aws.Time(time.Now().Add(48 * time.Hour))}}
	}
	preferred := func(ids ...string) func(*searchContacts) {
		return by(types.SearchCriteria{RoutingCriteria: &types.SearchableRoutingCriteria{Steps: []types.SearchableRoutingCriteriaStep{{AgentCriteria: &types.SearchableAgentCriteriaStep{AgentIds: ids, MatchType: types.SearchContactsMatchTypeMatchAny}}}}})
	}
	segment := func(key, value string) func(*searchContacts) {
		return by(types.SearchCriteria{SearchableSegmentAttributes: &types.SearchableSegmentAttributes{Criteria: []types.SearchableSegmentAttributesCriteria{{Key: &key, Values: []string{value}}}}})
	}
	const (
		matchAll, matchAny   = types.SearchContactsMatchTypeMatchAll, types.SearchContactsMatchTypeMatchAny
		matchExact, matchNot = types.SearchContactsMatchTypeMatchExact, types.SearchContactsMatchTypeMatchNone
		disconnected         = types.SearchContactsTimeRangeTypeDisconnectTimestamp
		scheduled            = types.SearchContactsTimeRangeTypeScheduledTimestamp
		enqueued             = types.SearchContactsTimeRangeTypeEnqueueTimestamp
		agent                = types.SearchContactsTimeRangeTypeConnectedToAgentTimestamp
	)
	for what, tc := range map[string]struct {
		change func(*searchContacts)
		want   []string
	}{
		"everything":             {func(*searchContacts) {}, all},
		"pages of two":           {func(in *searchContacts) { in.MaxResults = aws.Int32(2) }, all},
		"by the end":             {timed(disconnected), []string{over}},
		"by the schedule":        {timed(scheduled), []string{plan}},
		"by the queue's time":    {timed(enqueued), []string{call, wait}},
		"by the agent's time":    {timed(agent), []string{}},
		"before all of it":       {func(in *searchContacts) { in.TimeRange.EndTime = aws.Time(time.Now().Add(-30 * time.Minute)) }, []string{}},
		"channel":                {by(types.SearchCriteria{Channels: []types.Channel{"VOICE", "CHAT"}}), []string{call}},
		"method":                 {by(types.SearchCriteria{InitiationMethods: []types.ContactInitiationMethod{"INBOUND"}}), []string{}},
		"queue":                  {by(types.SearchCriteria{QueueIds: []string{c.queue}}), []string{call, wait}},
		"agent":                  {by(types.SearchCriteria{AgentIds: []string{unknownID}}), []string{}},
		"agents' group":          {by(types.SearchCriteria{AgentHierarchyGroups: &types.AgentHierarchyGroups{L1Ids: []string{unknownID}}}), []string{}},
		"region":                 {by(types.SearchCriteria{ActiveRegions: []string{"us-east-1"}}), all},
		"another region":         {by(types.SearchCriteria{ActiveRegions: []string{"eu-west-2"}}), []string{}},
		"two criteria":           {by(types.SearchCriteria{QueueIds: []string{c.queue}, Channels: []types.Channel{"TASK"}}), []string{wait}},
		"name, all words":        {name(matchAll, "MARY", "wait"), []string{wait}},
		"name, any word":         {name(matchAny, "mary", "visit"), []string{wait, plan}},
		"name, exactly":          {name(matchExact, "over", "wait"), []string{over}},
		"name, no word":          {name(matchNot, "mary", "visit"), []string{call, over}},
		"attribute":              {attribute(matchAll, "city", "Rome"), []string{wait}},
		"attributes, any":        {attribute(matchAny, "city", "Bern", "tier", "gold"), []string{wait, plan}},
		"attributes, all":        {attribute("", "city", "Bern", "tier", "gold"), []string{}},
		"segment attribute":      {segment("connect:Subtype", "connect:Telephony"), []string{call}},
		"unknown segment":        {segment("Tier", "Gold"), []string{}},
		"tag":                    {tags(types.ControlPlaneTagFilter{TagCondition: &types.TagCondition{TagKey: aws.String("Team")}}), []string{wait}},
		"tags, all":              {tags(types.ControlPlaneTagFilter{AndConditions: []types.TagCondition{tag("Team", "A"), tag("Shift", "early")}}), []string{}},
		"tags, any":              {tags(types.ControlPlaneTagFilter{OrConditions: [][]types.TagCondition{{tag("Team", "B")}, {tag("Team", "A"), tag("Shift", "late")}}}), []string{wait}},
		"preferred agent":        {preferred("john", "mary"), []string{wait}},
		"another agent":          {preferred("john"), []string{}},
		"never ended":            {more(matchAll, never(disconnected)), []string{call, wait, plan}},
		"never ended nor queued": {more(matchAll, never(disconnected), never(enqueued)), []string{plan}},
		"scheduled or queued":    {more(matchAny, within(scheduled), within(enqueued)), []string{call, wait, plan}},
		"what was said":          {by(types.SearchCriteria{ContactAnalysis: &types.ContactAnalysis{Transcript: &types.Transcript{Criteria: []types.TranscriptCriteria{{ParticipantRole: "CUSTOMER", MatchType: matchAny, SearchText: []string{"hello"}}}}}}), []string{}},
		"earliest first":         {sorted(types.SortableFieldNameInitiationTimestamp, types.SortOrderAscending), []string{plan, wait, over, call}},
		"by channel":             {sorted(types.SortableFieldNameChannel, types.SortOrderDescending), all},
		"by channel, ascending":  {sorted(types.SortableFieldNameChannel, types.SortOrderAscending), []string{plan, wait, over, call}},
		"by method":              {sorted(types.SortableFieldNameInitiationMethod, types.SortOrderAscending), []string{plan, wait, over, call}},
		"the end, descending":    {sorted(types.SortableFieldNameDisconnectTimestamp, types.SortOrderDescending), []string{over, call, wait, plan}},
		"the schedule":           {sorted(types.SortableFieldNameScheduledTimestamp, types.SortOrderAscending), []string{wait, over, call, plan}},
		"the agent's time":       {sorted(types.SortableFieldNameConnectedToAgentTimestamp, types.SortOrderAscending), []string{plan, wait, over, call}},
		"the expiry":             {sorted(types.SortableFieldNameExpiryTimestamp, types.SortOrderAscending), []string{call, wait, over, plan}},
	} {
		t.Run(what, func(t *testing.T) {
			c := &centre{Client: c.Client, t: t, id: c.id}
			same(t, "the contacts", c.search(tc.change), tc.want)
		})
	}

	out, err := c.SearchContacts(c.ctx(), c.lastHour())
	ok(t, err)
	s := out.Contacts[2]
	same(t, "a summary", []any{*s.Id, *s.Name, s.Channel, s.InitiationMethod, *s.QueueInfo.Id, s.QueueInfo.EnqueueTimestamp != nil, s.Tags, *s.SegmentAttributes["connect:Subtype"].ValueString, s.InitialContactId, s.AgentInfo, s.DisconnectTimestamp},
		[]any{wait, "Wait for Mary", "TASK", "API", c.queue, true, map[string]string{"Team": "A", "Shift": "late"}, "connect:Task", nil, nil, nil})

	for what, change := range map[string]func(*searchContacts){
		"an end before the beginning": func(in *searchContacts) { in.TimeRange.EndTime = aws.Time(in.TimeRange.StartTime.Add(-time.Second)) },
		"nine weeks":                  func(in *searchContacts) { in.TimeRange.StartTime = aws.Time(time.Now().Add(-9 * 7 * 24 * time.Hour)) },
	} {
		t.Run(what, func(t *testing.T) {
			in := c.lastHour()
			change(in)
			_, err := c.SearchContacts(t.Context(), in)
			fails(t, err, fault.InvalidRequest, "TimeRange")
		})
	}
	tree, err := c.ListAssociatedContacts(c.ctx(), &connect.ListAssociatedContactsInput{InstanceId: &c.id, ContactId: &wait})
	ok(t, err)
	same(t, "a tree of one", []any{len(tree.ContactSummaryList), tree.NextToken}, []any{1, nil})
	in := c.lastHour()
	in.NextToken = aws.String("nonsense")
	_, err = c.SearchContacts(c.ctx(), in)
	fails(t, err, fault.InvalidParameter, "NextToken")
}

// Pages neither repeat nor miss what is there all the time, while contacts come.
func TestSearchPagesWhileContactsCome(t *testing.T) {
	c := open(t)
	there := []string{}
	for range 25 {
		there = append(there, c.task(at(tomorrow())))
	}
	for _, order := range []types.SortOrder{types.SortOrderAscending, types.SortOrderDescending} {
		shown := map[string]int{}
		pages := pagesOf(t, func(token *string) ([]string, *string, error) {
			in := c.lastHour()
			in.NextToken, in.MaxResults = token, aws.Int32(4)
			in.Sort = &types.Sort{FieldName: types.SortableFieldNameInitiationTimestamp, Order: order}
			out, err := c.SearchContacts(c.ctx(), in)
			if err != nil {
				return nil, nil, err
			}
			for _, s := range out.Contacts {
				shown[*s.Id]++
			}
			if order == types.SortOrderDescending { // in ascending order there would be no end
				c.task(at(tomorrow()))
			}
			return nil, out.NextToken, nil
		})
		if len(pages) < 7 {
			t.Errorf("%s: there are %d pages", order, len(pages))
		}
		for _, id := range there {
			if shown[id] != 1 {
				t.Errorf("%s: %s was shown %d times", order, id, shown[id])
			}
		}
	}
}
