package domain

import (
	"slices"

	"github.com/aws/aws-sdk-go-v2/service/connect/types"

	"ringdown/internal/fault"
)

// RoutingProfile says which contacts reach the agents who have it: from which
// queues, on which channels and how many at once.
type RoutingProfile struct {
	Name        string
	Description string
	// Default is true for the profile that a new instance has; it cannot be
	// deleted.
	Default                bool `json:",omitempty"`
	DefaultOutboundQueueID QueueID
	AgentAvailabilityTimer types.AgentAvailabilityTimer
	MediaConcurrencies     []MediaConcurrency
	// QueueConfigs are the queues that contacts are routed from, at most one
	// entry for a queue and channel.
	QueueConfigs []RoutingQueue `json:",omitempty"`
	// ManualAssignmentQueues are the queues from which contacts are picked or
	// assigned by hand; never of channel VOICE.
	ManualAssignmentQueues []QueueChannel `json:",omitempty"`
}

// MediaConcurrency is how many contacts of a channel an agent holds at once.
type MediaConcurrency struct {
	Channel     types.Channel
	Concurrency int32
	// CrossChannelBehavior says whether other channels may reach an agent who
	// holds a contact of this one.
	CrossChannelBehavior types.BehaviorType
}

// QueueChannel is one channel of a queue.
type QueueChannel struct {
	QueueID QueueID
	Channel types.Channel
}

// RoutingQueue is a queue and channel that contacts are routed from.
type RoutingQueue struct {
	QueueChannel
	Priority int32 // 1, the first, to 99
	Delay    int32 // seconds that a contact must have waited
}

// Check checks the rules of a routing profile that need nothing but itself.
func (p *RoutingProfile) Check() error {
	if len(p.MediaConcurrencies) == 0 {
		return fault.New(fault.InvalidParameter, "MediaConcurrencies must include at least 1 item")
	}
	seen := make([]types.Channel, 0, len(p.MediaConcurrencies))
	for i, m := range p.MediaConcurrencies {
		if slices.Contains(seen, m.Channel) {
			return fault.New(fault.InvalidParameter, "MediaConcurrencies[%d]: channel %s is given twice", i, m.Channel)
		}
		// AWS API reference, MediaConcurrency: a voice call is always the only
		// one; the other channels' 1 to 10 is in the service model.
		if m.Channel == types.ChannelVoice && m.Concurrency != 1 {
			return fault.New(fault.InvalidParameter, "MediaConcurrencies[%d].Concurrency must be 1 for channel VOICE", i)
		}
		seen = append(seen, m.Channel)
	}
	for _, q := range p.ManualAssignmentQueues {
		if q.Channel == types.ChannelVoice {
			return fault.New(fault.InvalidParameter, "ManualAssignmentQueueConfigs: the channel of queue %s must not be VOICE", q.QueueID)
		}
	}
	return nil
}

// QueueIDs are the distinct queues that contacts are routed from.
func (p *RoutingProfile) QueueIDs() []QueueID {
	var ids []QueueID
	for _, q := range p.QueueConfigs {
		if !slices.Contains(ids, q.QueueID) {
			ids = append(ids, q.QueueID)
		}
	}
	return ids
}

// ManualAssignmentQueueIDs are the distinct queues from which contacts are
// assigned by hand.
func (p *RoutingProfile) ManualAssignmentQueueIDs() []QueueID {
	var ids []QueueID
	for _, q := range p.ManualAssignmentQueues {
		if !slices.Contains(ids, q.QueueID) {
			ids = append(ids, q.QueueID)
		}
	}
	return ids
}
