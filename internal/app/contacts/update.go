package contacts

import (
	"context"
	"maps"
	"slices"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/connect"
	"github.com/aws/aws-sdk-go-v2/service/connect/types"

	"ringdown/internal/catalog"
	"ringdown/internal/contact"
	"ringdown/internal/fault"
)

// UpdateContact changes what clients may say of a contact, whether or not it has
// ended. References and segment attributes are added, or replace those of the
// same names. A new expiry counts from the beginning of the contact. What is for
// calls of other systems is refused, for this server has none.
func (c *Contacts) UpdateContact(ctx context.Context, in *connect.UpdateContactInput) (*connect.UpdateContactOutput, error) {
	sc, id, err := c.find(ctx, in.InstanceId, in.ContactId)
	if err != nil {
		return nil, err
	}
	if _, err := c.Engine.Read(ctx, instanceOf(sc), id); err != nil {
		return nil, err
	}
	switch {
	case in.QueueInfo != nil || in.UserInfo != nil || in.CustomerEndpoint != nil || in.SystemEndpoint != nil:
		return nil, fault.New(fault.InvalidRequest, "QueueInfo, UserInfo, CustomerEndpoint and SystemEndpoint can be changed of calls of other systems only")
	case in.Name == nil && in.Description == nil && len(in.References) == 0 && len(in.SegmentAttributes) == 0:
		return nil, fault.New(fault.InvalidRequest, "At least one field to be changed is required")
	}
	references, err := newReferences(in.References)
	if err != nil {
		return nil, err
	}
	segment, minutes, err := c.updatedSegment(ctx, sc, in.SegmentAttributes)
	if err != nil {
		return nil, err
	}
	return nil, c.Engine.Do(ctx, instanceOf(sc), id, func(t *contact.Transition) error {
		e := t.Contact()
		if minutes != 0 && e.Ended() {
			return fault.New(fault.InvalidRequest, "Contact %s has ended and expires no more.", id)
		}
		if in.Name != nil {
			e.Name = *in.Name
			t.Changed("Name")
		}
		if in.Description != nil {
			e.Description = *in.Description
			t.Changed("Description")
		}
		if len(references) > 0 {
			t.SetReferences(references)
		}
		if len(segment) > 0 {
			all := map[string]types.SegmentAttributeValue{}
			maps.Copy(all, e.Segment)
			maps.Copy(all, segment)
			e.Segment = all
			t.Changed("SegmentAttributes")
		}
		if minutes != 0 {
			from := e.InitiatedAt
			if e.ScheduledAt.After(from) {
				from = e.ScheduledAt
			}
			e.ExpiresAt = from.Add(time.Duration(minutes) * time.Minute)
		}
		return nil
	})
}

// updatedSegment is newSegment without what is only said at the beginning.
func (c *Contacts) updatedSegment(ctx context.Context, sc catalog.Scope, given map[string]types.SegmentAttributeValue) (map[string]types.SegmentAttributeValue, int, error) {
	if _, has := given[createdByUser]; has {
		return nil, 0, fault.New(fault.InvalidRequest, "SegmentAttributes: %s cannot be changed", createdByUser)
	}
	return c.newSegment(ctx, sc, given)
}

// campaignReasons are why the calls of a campaign end (administrator guide,
// "Contact records data model", DisconnectReason). The last but one is misspelt
// there.
var campaignReasons = []string{
	"OUTBOUND_DESTINATION_ENDPOINT_ERROR", "OUTBOUND_RESOURCE_ERROR", "OUTBOUND_ATTEMPT_FAILED", "OUTBUND_PREVIEW_DISCARDED", "EXPIRED",
}

// StopContact ends a contact. Only those of a campaign may be given a reason.
func (c *Contacts) StopContact(ctx context.Context, in *connect.StopContactInput) (*connect.StopContactOutput, error) {
	sc, id, err := c.find(ctx, in.InstanceId, in.ContactId)
	if err != nil {
		return nil, err
	}
	reason := ""
	if in.DisconnectReason != nil {
		reason = aws.ToString(in.DisconnectReason.Code)
	}
	if reason != "" {
		found, err := c.Engine.Read(ctx, instanceOf(sc), id)
		if err != nil {
			return nil, err
		}
		switch {
		case found.Campaign == nil:
			return nil, fault.New(fault.InvalidRequest, "DisconnectReason is for contacts of outbound campaigns")
		case !slices.Contains(campaignReasons, reason):
			return nil, fault.New(fault.InvalidRequest, "DisconnectReason.Code must be one of %v", campaignReasons)
		}
	}
	return nil, c.Engine.Stop(ctx, instanceOf(sc), id, reason)
}
