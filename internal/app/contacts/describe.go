package contacts

import (
	"context"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/connect"
	"github.com/aws/aws-sdk-go-v2/service/connect/types"

	"ringdown/internal/catalog"
	"ringdown/internal/domain"
	"ringdown/internal/store"
)

// maxNext is how many following contacts a description shows (service model,
// NextContacts).
const maxNext = 24

// DescribeContact tells what is known of a contact. Members for which there is
// nothing are absent; InitialContactId is that of every contact but the first of
// a chain.
func (c *Contacts) DescribeContact(ctx context.Context, in *connect.DescribeContactInput) (*connect.DescribeContactOutput, error) {
	sc, id, err := c.find(ctx, in.InstanceId, in.ContactId)
	if err != nil {
		return nil, err
	}
	found, err := c.Engine.Read(ctx, instanceOf(sc), id)
	if err != nil {
		return nil, err
	}
	attributes, err := c.Engine.Attributes(ctx, instanceOf(sc), found.InitialID)
	if err != nil {
		return nil, err
	}
	next, err := c.next(ctx, sc, id)
	if err != nil {
		return nil, err
	}
	out := described(sc, found)
	out.Attributes, out.NextContacts = attributes, next
	return &connect.DescribeContactOutput{Contact: out}, nil
}

// next are the contacts that quick connects have made from a contact. The API has
// no words for those that follow it in other ways; ListAssociatedContacts shows
// them.
func (c *Contacts) next(ctx context.Context, sc catalog.Scope, id string) ([]types.NextContactEntry, error) {
	rows, err := c.catalog.Store().Contacts(ctx, store.ContactQuery{Instance: sc.PK, Previous: id})
	if err != nil {
		return nil, err
	}
	var entries []types.NextContactEntry
	for _, row := range rows {
		after, err := decode(row)
		if err != nil {
			return nil, err
		}
		q := after.QuickConnect
		if q == nil || len(entries) == maxNext {
			continue
		}
		entries = append(entries, types.NextContactEntry{
			Type: types.NextContactTypeQuickConnect,
			NextContactMetadata: &types.NextContactMetadataMemberQuickConnectContactData{Value: types.QuickConnectContactData{
				ContactId: idOf(after.ID), InitiationTimestamp: timeOf(after.InitiatedAt),
				QuickConnectId: aws.String(string(q.ID)), QuickConnectName: aws.String(q.Name), QuickConnectType: q.Type,
			}},
		})
	}
	return entries, nil
}

// described is a contact without what has to be looked up.
func described(sc catalog.Scope, e *domain.Contact) *types.Contact {
	out := &types.Contact{
		Arn: aws.String(sc.ARN(domain.KindContact, string(e.ID))), Id: idOf(e.ID),
		InitialContactId: initial(e), PreviousContactId: idOf(e.PreviousID), RelatedContactId: idOf(e.RelatedID),
		ContactAssociationId: idOf(e.AssociationID),
		Channel:              e.Channel, InitiationMethod: e.Method,
		Name: catalog.Optional(e.Name), Description: catalog.Optional(e.Description),
		SegmentAttributes: e.Segment, Tags: e.Tags,
		CustomerEndpoint: e.Customer, SystemEndpoint: e.System, CustomerId: catalog.Optional(e.CustomerID),
		Campaign: e.Campaign, TaskTemplateInfo: e.Template,
		InitiationTimestamp: timeOf(e.InitiatedAt), ScheduledTimestamp: timeOf(e.ScheduledAt),
		RingStartTimestamp: timeOf(e.RingStartedAt), ConnectedToSystemTimestamp: timeOf(e.ConnectedAt),
		DisconnectTimestamp: timeOf(e.DisconnectedAt), LastUpdateTimestamp: timeOf(e.UpdatedAt),
		LastPausedTimestamp: timeOf(e.PausedAt), LastResumedTimestamp: timeOf(e.ResumedAt),
		DisconnectReason: catalog.Optional(e.DisconnectReason), AnsweringMachineDetectionStatus: e.Detection,
		QueueInfo: queueInfo(e), RoutingCriteria: e.Routing, Recordings: e.Recordings,
	}
	if e.Name != "" || e.Description != "" {
		out.ContactDetails = &types.ContactDetails{Name: catalog.Optional(e.Name), Description: catalog.Optional(shorter(e.Description))}
	}
	if e.Pauses > 0 {
		out.TotalPauseCount = aws.Int32(int32(e.Pauses))
		out.TotalPauseDurationInSeconds = aws.Int32(int32(e.PausedTime.Seconds()))
	}
	if e.Queue != nil {
		out.QueuePriority = aws.Int64(e.Priority)
		out.QueueTimeAdjustmentSeconds = aws.Int32(e.TimeAdjustment)
	}
	if a := e.Agent; a != nil {
		out.AgentInfo = &types.AgentInfo{
			Id: aws.String(string(a.ID)), AcceptedByAgentTimestamp: timeOf(a.AcceptedAt), ConnectedToAgentTimestamp: timeOf(a.ConnectedAt),
		}
	}
	return out
}

// shorter is a description as ContactDetails has room for (service model,
// ContactDetailDescription).
func shorter(description string) string {
	const most = 1024
	if runes := []rune(description); len(runes) > most {
		return string(runes[:most])
	}
	return description
}

// queueInfo is the queue that a contact is or was in; the id of an agent's own is
// that of the agent.
func queueInfo(e *domain.Contact) *types.QueueInfo {
	if e.Queue == nil {
		return nil
	}
	return &types.QueueInfo{Id: aws.String(string(e.Queue.ID)), EnqueueTimestamp: timeOf(e.EnqueuedAt)}
}

// initial is the first contact of a chain, nil for the first itself.
func initial(e *domain.Contact) *string {
	if e.InitialID == e.ID {
		return nil
	}
	return idOf(e.InitialID)
}

func idOf(id domain.ContactID) *string { return catalog.Optional(id) }

// timeOf is nil for what has not happened.
func timeOf(at time.Time) *time.Time {
	if at.IsZero() {
		return nil
	}
	return &at
}
