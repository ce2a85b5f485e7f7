package record

import (
	"encoding/json"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/connect/types"

	"ringdown/internal/domain"
)

// envelope is an event of EventBridge.
type envelope struct {
	Version    string   `json:"version"`
	ID         string   `json:"id"`
	DetailType string   `json:"detail-type"`
	Source     string   `json:"source"`
	Account    string   `json:"account"`
	Time       string   `json:"time"`
	Region     string   `json:"region"`
	Resources  []string `json:"resources"`
	Detail     detail   `json:"detail"`
}

// detail is a contact event.
type detail struct {
	EventType         string                  `json:"eventType"`
	ContactID         domain.ContactID        `json:"contactId"`
	InitialContactID  domain.ContactID        `json:"initialContactId,omitempty"`
	PreviousContactID domain.ContactID        `json:"previousContactId,omitempty"`
	RelatedContactID  domain.ContactID        `json:"relatedContactId,omitempty"`
	Channel           types.Channel           `json:"channel"`
	InstanceARN       string                  `json:"instanceArn"`
	InitiationMethod  string                  `json:"initiationMethod"`
	Initiation        string                  `json:"initiationTimestamp,omitempty"`
	ConnectedToSystem string                  `json:"connectedToSystemTimestamp,omitempty"`
	Disconnect        string                  `json:"disconnectTimestamp,omitempty"`
	Scheduled         string                  `json:"scheduledTimestamp,omitempty"`
	DisconnectReason  string                  `json:"disconnectReason,omitempty"`
	AgentInfo         *agentInfo              `json:"agentInfo,omitempty"`
	QueueInfo         *queueInfo              `json:"queueInfo,omitempty"`
	UpdatedProperties []string                `json:"updatedProperties,omitempty"`
	Tags              map[string]string       `json:"tags,omitempty"`
	SegmentAttributes map[string]segmentValue `json:"segmentAttributes,omitempty"`
	RoutingCriteria   any                     `json:"routingCriteria,omitempty"`
	CustomerEndpoint  *endpoint               `json:"customerEndpoint,omitempty"`
	SystemEndpoint    *endpoint               `json:"systemEndpoint,omitempty"`
	Detection         string                  `json:"answeringMachineDetectionStatus,omitempty"`
}

type agentInfo struct {
	AgentARN  string `json:"agentArn"`
	Connected string `json:"connectedToAgentTimestamp,omitempty"`
}

type queueInfo struct {
	QueueARN string `json:"queueArn"`
	Type     string `json:"queueType"`
	Enqueued string `json:"enqueueTimestamp,omitempty"`
}

type endpoint struct {
	Address string `json:"address,omitempty"`
	Type    string `json:"type,omitempty"`
}

// segmentValue is a segment attribute as events and records write it.
type segmentValue struct {
	ValueString  *string                 `json:"valueString,omitempty"`
	ValueInteger *int32                  `json:"valueInteger,omitempty"`
	ValueARN     *string                 `json:"valueArn,omitempty"`
	ValueMap     map[string]segmentValue `json:"valueMap,omitempty"`
	ValueList    []segmentValue          `json:"valueList,omitempty"`
}

func segments(attributes map[string]types.SegmentAttributeValue) map[string]segmentValue {
	if len(attributes) == 0 {
		return nil
	}
	all := make(map[string]segmentValue, len(attributes))
	for k, v := range attributes {
		all[k] = segmentOf(v)
	}
	return all
}

func segmentOf(v types.SegmentAttributeValue) segmentValue {
	s := segmentValue{ValueString: v.ValueString, ValueInteger: v.ValueInteger, ValueARN: v.ValueArn, ValueMap: segments(v.ValueMap)}
	for _, item := range v.ValueList {
		s.ValueList = append(s.ValueList, segmentOf(item))
	}
	return s
}

// Event is a contact event in the envelope of EventBridge, as JSON. Kind is its
// eventType, updated are the updatedProperties of CONTACT_DATA_UPDATED.
func Event(in Instance, c *domain.Contact, id, kind string, at time.Time, updated []string) ([]byte, error) {
	d := detail{
		EventType: kind, ContactID: c.ID, PreviousContactID: c.PreviousID, RelatedContactID: c.RelatedID,
		Channel: c.Channel, InstanceARN: in.ARN(), InitiationMethod: string(c.Method),
		Initiation: Millis(c.InitiatedAt), ConnectedToSystem: Millis(c.ConnectedAt), Disconnect: Millis(c.DisconnectedAt),
		Scheduled: Millis(c.ScheduledAt), DisconnectReason: c.DisconnectReason,
		UpdatedProperties: updated, Tags: recordTags(in, c), SegmentAttributes: segments(c.Segment),
		CustomerEndpoint: endpointOf(c.Customer), SystemEndpoint: endpointOf(c.System), Detection: string(c.Detection),
	}
	if c.InitialID != c.ID {
		d.InitialContactID = c.InitialID
	}
	if c.Routing != nil {
		d.RoutingCriteria = criteria(c.Routing, lowerFirst, Millis)
	}
	if a := c.Agent; a != nil {
		d.AgentInfo = &agentInfo{in.of(domain.KindUser, string(a.ID)), Millis(a.ConnectedAt)}
	}
	// Outbound calls of agents have no queue there (administrator guide, "Contact
	// events").
	if q := c.Queue; q != nil && c.Method != types.ContactInitiationMethodOutbound {
		d.QueueInfo = &queueInfo{QueueARN(in, q), queueType(q), Millis(c.EnqueuedAt)}
	}
	return json.Marshal(envelope{
		Version: "0", ID: id, DetailType: "Amazon Connect Contact Event", Source: "aws.connect",
		Account: in.Account, Time: at.UTC().Format(time.RFC3339), Region: in.Region,
		Resources: []string{in.of(domain.KindContact, string(c.ID)), in.ARN()}, Detail: d,
	})
}

func endpointOf(e *types.EndpointInfo) *endpoint {
	if e == nil {
		return nil
	}
	out := &endpoint{Type: string(e.Type)}
	if e.Address != nil {
		out.Address = *e.Address
	}
	return out
}

// Millis is a time as contact events have it, "" for none.
func Millis(at time.Time) string {
	if at.IsZero() {
		return ""
	}
	return at.UTC().Format("2006-01-02T15:04:05.000Z")
}

// QueueARN is the ARN of a queue, an agent's own included.
func QueueARN(in Instance, q *domain.ContactQueue) string {
	if q.AgentID != "" {
		return in.ARN() + "/queue/agent/" + string(q.AgentID)
	}
	return in.of(domain.KindQueue, string(q.ID))
}

func queueType(q *domain.ContactQueue) string {
	if q.AgentID != "" {
		return "AGENT"
	}
	return "STANDARD"
}

// updatedProperties are those whose change is an event (administrator guide,
// "Amazon Connect contact events", CONTACT_DATA_UPDATED). Names, references and
// the like are told with the contact record alone.
var updatedProperties = map[string]bool{
	"ScheduledTimestamp": true, "UserDefinedAttributes": true, "Tags": true, "RoutingCriteria": true,
	"ContactLens.ConversationalAnalytics.Configuration": true, "SegmentAttributes": true,
}

// Tells reports whether the change of a property is an event.
func Tells(property string) bool { return updatedProperties[property] }
