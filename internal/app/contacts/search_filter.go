package contacts

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/connect/types"

	"ringdown/internal/catalog"
	"ringdown/internal/domain"
	"ringdown/internal/store"
)

// filter is the criteria of a search, all of which a contact must match.
type filter struct {
	ctx context.Context //nolint:containedctx // it lives as long as one search
	rd  store.Reader
	sc  catalog.Scope
	by  types.SearchCriteria
}

func (c *Contacts) newFilter(ctx context.Context, rd store.Reader, sc catalog.Scope, by *types.SearchCriteria) *filter {
	f := &filter{ctx: ctx, rd: rd, sc: sc}
	if by != nil {
		f.by = *by
	}
	return f
}

// matches looks at what the contact itself tells first, and reads more only for
// those that are left.
func (f *filter) matches(e *domain.Contact) (bool, error) {
	if !f.plain(e) || !f.inTimes(e) || !f.named(e) || !f.tagged(e) || !f.segment(e) || !f.routed(e) {
		return false, nil
	}
	if ok, err := f.attributes(e); err != nil || !ok {
		return false, err
	}
	return f.said(e)
}

// plain compares with lists of which the contact must be in each that is there.
func (f *filter) plain(e *domain.Contact) bool {
	agent, queue := "", ""
	if e.Agent != nil {
		agent = string(e.Agent.ID)
	}
	if e.Queue != nil {
		queue = string(e.Queue.ID)
	}
	return oneOf(f.by.Channels, e.Channel) && oneOf(f.by.InitiationMethods, e.Method) &&
		oneOf(f.by.AgentIds, agent) && oneOf(f.by.QueueIds, queue) && oneOf(f.by.ActiveRegions, f.sc.Home) && f.inHierarchy(e)
}

func oneOf[T comparable](list []T, v T) bool { return len(list) == 0 || slices.Contains(list, v) }

// inHierarchy compares the groups of the agent. What those were is not recorded
// of a contact, so a search by groups finds none.
func (f *filter) inHierarchy(*domain.Contact) bool {
	g := f.by.AgentHierarchyGroups
	return g == nil || len(g.L1Ids)+len(g.L2Ids)+len(g.L3Ids)+len(g.L4Ids)+len(g.L5Ids) == 0
}

// combine joins what is known of each of several criteria.
func combine(how types.SearchContactsMatchType, n int, match func(i int) bool) bool {
	if n == 0 {
		return true
	}
	matched := 0
	for i := range n {
		if match(i) {
			matched++
		}
	}
	switch how {
	case types.SearchContactsMatchTypeMatchAny:
		return matched > 0
	case types.SearchContactsMatchTypeMatchNone:
		return matched == 0
	case types.SearchContactsMatchTypeMatchAll, types.SearchContactsMatchTypeMatchExact:
	}
	return matched == n
}

// inTimes compares with the additional time ranges.
func (f *filter) inTimes(e *domain.Contact) bool {
	more := f.by.AdditionalTimeRange
	if more == nil {
		return true
	}
	return combine(more.MatchType, len(more.Criteria), func(i int) bool {
		c := more.Criteria[i]
		if r := c.TimeRange; r != nil {
			at := timeBy(e, r.Type)
			if at.IsZero() || at.Before(*r.StartTime) || at.After(*r.EndTime) {
				return false
			}
		}
		// The only condition is that it has not happened.
		return c.TimestampCondition == nil || timeBy(e, c.TimestampCondition.Type).IsZero()
	})
}

// timeBy is one of the times of a contact, zero for what has not happened.
func timeBy(e *domain.Contact, by types.SearchContactsTimeRangeType) time.Time {
	switch by {
	case types.SearchContactsTimeRangeTypeScheduledTimestamp:
		return e.ScheduledAt
	case types.SearchContactsTimeRangeTypeConnectedToAgentTimestamp:
		return connectedToAgent(e)
	case types.SearchContactsTimeRangeTypeDisconnectTimestamp:
		return e.DisconnectedAt
	case types.SearchContactsTimeRangeTypeEnqueueTimestamp:
		return e.EnqueuedAt
	case types.SearchContactsTimeRangeTypeInitiationTimestamp:
	}
	return e.InitiatedAt
}

// named compares the name with texts, of which each may be a part of it.
func (f *filter) named(e *domain.Contact) bool {
	n := f.by.Name
	if n == nil {
		return true
	}
	return texts(n.MatchType, n.SearchText, e.Name)
}

// texts compares a text with parts of it, in any case; with MATCH_EXACT it must
// be one of them.
func texts(how types.SearchContactsMatchType, parts []string, text string) bool {
	if how == types.SearchContactsMatchTypeMatchExact {
		return len(parts) == 0 || slices.ContainsFunc(parts, func(p string) bool { return strings.EqualFold(p, text) })
	}
	return combine(how, len(parts), func(i int) bool { return among(text, parts[i]) })
}

func (f *filter) tagged(e *domain.Contact) bool {
	t := f.by.ContactTags
	if t == nil {
		return true
	}
	has := func(c types.TagCondition) bool {
		v, there := e.Tags[aws.ToString(c.TagKey)]
		return there && (c.TagValue == nil || v == *c.TagValue)
	}
	all := func(list []types.TagCondition) bool {
		return !slices.ContainsFunc(list, func(c types.TagCondition) bool { return !has(c) })
	}
	return (t.TagCondition == nil || has(*t.TagCondition)) && all(t.AndConditions) &&
		(len(t.OrConditions) == 0 || slices.ContainsFunc(t.OrConditions, all))
}

func (f *filter) segment(e *domain.Contact) bool {
	s := f.by.SearchableSegmentAttributes
	if s == nil {
		return true
	}
	return combine(s.MatchType, len(s.Criteria), func(i int) bool {
		c := s.Criteria[i]
		v := e.Segment[*c.Key]
		return v.ValueString != nil && slices.Contains(c.Values, *v.ValueString) ||
			v.ValueInteger != nil && slices.Contains(c.Values, fmt.Sprint(*v.ValueInteger))
	})
}

// routed compares the agents that the steps of the routing criteria name.
func (f *filter) routed(e *domain.Contact) bool {
	if f.by.RoutingCriteria == nil {
		return true
	}
	var preferred []string
	if e.Routing != nil {
		for _, s := range e.Routing.Steps {
			preferred = append(preferred, agentsOf(s.Expression)...)
		}
	}
	for _, s := range f.by.RoutingCriteria.Steps {
		if a := s.AgentCriteria; a != nil && !combine(a.MatchType, len(a.AgentIds), func(i int) bool { return slices.Contains(preferred, a.AgentIds[i]) }) {
			return false
		}
	}
	return true
}

func agentsOf(e *types.Expression) []string {
	if e == nil {
		return nil
	}
	var ids []string
	if c := e.AttributeCondition; c != nil && c.MatchCriteria != nil && c.MatchCriteria.AgentsCriteria != nil {
		ids = append(ids, c.MatchCriteria.AgentsCriteria.AgentIds...)
	}
	for _, list := range [][]types.Expression{e.AndExpression, e.OrExpression} {
		for i := range list {
			ids = append(ids, agentsOf(&list[i])...)
		}
	}
	return ids
}

// attributes compares the user-defined attributes, each with values of which it
// must have one. Unlike AWS, any can be searched by (docs/divergences.md).
func (f *filter) attributes(e *domain.Contact) (bool, error) {
	s := f.by.SearchableContactAttributes
	if s == nil || len(s.Criteria) == 0 {
		return true, nil
	}
	raw, err := f.rd.Attributes(f.ctx, f.sc.PK, string(e.InitialID))
	if err != nil {
		return false, err
	}
	attributes := map[string]string{}
	if raw != nil {
		if err := json.Unmarshal(raw, &attributes); err != nil {
			return false, fmt.Errorf("attributes of contact %s: %w", e.InitialID, err)
		}
	}
	return combine(s.MatchType, len(s.Criteria), func(i int) bool {
		v, has := attributes[*s.Criteria[i].Key]
		return has && slices.Contains(s.Criteria[i].Values, v)
	}), nil
}

// said compares what was said in a chat, by whom.
func (f *filter) said(e *domain.Contact) (bool, error) {
	if f.by.ContactAnalysis == nil || f.by.ContactAnalysis.Transcript == nil {
		return true, nil
	}
	t := f.by.ContactAnalysis.Transcript
	if len(t.Criteria) == 0 {
		return true, nil
	}
	entries, err := f.rd.Entries(f.ctx, store.EntryQuery{Stream: store.StreamChat, Instance: f.sc.PK, Owner: string(e.ID)})
	if err != nil {
		return false, err
	}
	by := map[types.ParticipantRole]*strings.Builder{}
	for _, entry := range entries {
		var item domain.ChatItem
		if err := json.Unmarshal(entry.Doc, &item); err != nil {
			return false, fmt.Errorf("transcript of contact %s: %w", e.ID, err)
		}
		role := types.ParticipantRole(item.Role)
		if by[role] == nil {
			by[role] = new(strings.Builder)
		}
		by[role].WriteString(item.Content + "\n")
	}
	return combine(t.MatchType, len(t.Criteria), func(i int) bool {
		words := by[t.Criteria[i].ParticipantRole]
		return words != nil && texts(t.Criteria[i].MatchType, t.Criteria[i].SearchText, words.String())
	}), nil
}
