package record

import (
	"encoding/json"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/connect/types"

	"ringdown/internal/domain"
)

// contactRecord is a contact record (administrator guide, "Contact records data
// model"). Times have whole seconds, durations are whole seconds.
type contactRecord struct {
	AWSAccountID               string            `json:"AWSAccountId"`
	FormatVersion              string            `json:"AWSContactTraceRecordFormatVersion"`
	Agent                      *recordAgent      `json:"Agent"`
	AgentConnectionAttempts    int               `json:"AgentConnectionAttempts"`
	Attributes                 map[string]string `json:"Attributes"`
	Channel                    string            `json:"Channel"`
	ConnectedToSystemTimestamp *string           `json:"ConnectedToSystemTimestamp"`
	ContactID                  domain.ContactID  `json:"ContactId"`
	ContactDetails             map[string]string `json:"ContactDetails"`
	CustomerEndpoint           *recordEndpoint   `json:"CustomerEndpoint"`
	CustomerID                 *string           `json:"CustomerId,omitempty"`
	DisconnectReason           *string           `json:"DisconnectReason"`
	DisconnectTimestamp        *string           `json:"DisconnectTimestamp"`
	InitialContactID           *domain.ContactID `json:"InitialContactId"`
	InitiationMethod           string            `json:"InitiationMethod"`
	InitiationTimestamp        *string           `json:"InitiationTimestamp"`
	InstanceARN                string            `json:"InstanceARN"`
	LastUpdateTimestamp        *string           `json:"LastUpdateTimestamp"`
	MediaStreams               []recordStream    `json:"MediaStreams"`
	NextContactID              *domain.ContactID `json:"NextContactId"`
	PreviousContactID          *domain.ContactID `json:"PreviousContactId"`
	RelatedContactID           *domain.ContactID `json:"RelatedContactId,omitempty"`
	Queue                      *recordQueue      `json:"Queue"`
	Recording                  *recordRecording  `json:"Recording"`
	Recordings                 []recordTape      `json:"Recordings"`
	References                 []recordReference `json:"References"`
	ScheduledTimestamp         *string           `json:"ScheduledTimestamp"`
	SegmentAttributes          map[string]any    `json:"SegmentAttributes"`
	SystemEndpoint             *recordEndpoint   `json:"SystemEndpoint"`
	Tags                       map[string]string `json:"Tags"`
	TransferCompletedTimestamp *string           `json:"TransferCompletedTimestamp"`
	TransferredToEndpoint      *recordEndpoint   `json:"TransferredToEndpoint"`
	RoutingCriteria            any               `json:"RoutingCriteria,omitempty"`
	AnsweringMachineDetection  string            `json:"AnsweringMachineDetectionStatus,omitempty"`
	VoiceIDResult              any               `json:"VoiceIdResult"`
}

type recordAgent struct {
	ARN                       string  `json:"ARN"`
	AfterContactWorkDuration  int     `json:"AfterContactWorkDuration"`
	AfterContactWorkEnd       *string `json:"AfterContactWorkEndTimestamp"`
	AfterContactWorkStart     *string `json:"AfterContactWorkStartTimestamp"`
	AgentInteractionDuration  int     `json:"AgentInteractionDuration"`
	ConnectedToAgentTimestamp *string `json:"ConnectedToAgentTimestamp"`
	CustomerHoldDuration      int     `json:"CustomerHoldDuration"`
	LongestHoldDuration       int     `json:"LongestHoldDuration"`
	NumberOfHolds             int     `json:"NumberOfHolds"`
	Username                  string  `json:"Username"`
}

type recordQueue struct {
	ARN              string  `json:"ARN"`
	Name             string  `json:"Name"`
	EnqueueTimestamp *string `json:"EnqueueTimestamp"`
	DequeueTimestamp *string `json:"DequeueTimestamp"`
	Duration         int     `json:"Duration"`
}

type recordEndpoint struct {
	Address string `json:"Address"`
	Type    string `json:"Type"`
}

type recordStream struct {
	Type string `json:"Type"`
}

// recordRecording is the first recording.
type recordRecording struct {
	DeletionReason *string `json:"DeletionReason"`
	Location       *string `json:"Location"`
	Status         *string `json:"Status"`
	Type           string  `json:"Type"`
}

// recordTape is any recording.
type recordTape struct {
	DeletionReason      *string `json:"DeletionReason"`
	FragmentStartNumber *string `json:"FragmentStartNumber"`
	FragmentStopNumber  *string `json:"FragmentStopNumber"`
	Location            *string `json:"Location"`
	MediaStreamType     string  `json:"MediaStreamType"`
	ParticipantType     *string `json:"ParticipantType"`
	StartTimestamp      *string `json:"StartTimestamp"`
	Status              *string `json:"Status"`
	StopTimestamp       *string `json:"StopTimestamp"`
	StorageType         string  `json:"StorageType"`
}

type recordReference struct {
	Name  string  `json:"Name"`
	Type  string  `json:"Type"`
	Value *string `json:"Value,omitempty"`
}

// Record is the contact record of a contact as it is now, as JSON.
func Record(in Instance, c *domain.Contact, hold Holds, attributes map[string]string) ([]byte, error) {
	r := contactRecord{
		AWSAccountID: in.Account, FormatVersion: "2017-03-10",
		Attributes: attributes, Channel: string(c.Channel),
		ConnectedToSystemTimestamp: seconds(c.ConnectedAt), ContactID: c.ID, ContactDetails: map[string]string{},
		CustomerEndpoint: recordEndpointOf(endpointOf(c.Customer)), CustomerID: word(c.CustomerID),
		DisconnectReason: word(c.DisconnectReason), DisconnectTimestamp: seconds(c.DisconnectedAt),
		InitiationMethod: string(c.Method), InitiationTimestamp: seconds(c.InitiatedAt), InstanceARN: in.ARN(),
		LastUpdateTimestamp: seconds(c.UpdatedAt), MediaStreams: streamsOf(c.Channel),
		PreviousContactID: idOf(c.PreviousID), RelatedContactID: idOf(c.RelatedID), References: []recordReference{},
		ScheduledTimestamp: seconds(c.ScheduledAt), SegmentAttributes: recordSegments(c.Segment),
		SystemEndpoint: recordEndpointOf(endpointOf(c.System)), Tags: recordTags(in, c),
		TransferredToEndpoint: recordEndpointOf(endpointOf(c.TransferredTo)), AnsweringMachineDetection: string(c.Detection),
	}
	if attributes == nil {
		r.Attributes = map[string]string{}
	}
	if c.InitialID != c.ID {
		r.InitialContactID = idOf(c.InitialID)
	}
	if n := len(c.Next); n > 0 {
		r.NextContactID = &c.Next[n-1].ID
	}
	if c.Name != "" {
		r.ContactDetails["Name"] = c.Name
	}
	if c.Description != "" {
		r.ContactDetails["Description"] = c.Description
	}
	if q := c.Queue; q != nil {
		r.Queue = &recordQueue{
			ARN: QueueARN(in, q), Name: q.Name, EnqueueTimestamp: seconds(c.EnqueuedAt), DequeueTimestamp: seconds(c.DequeuedAt),
			Duration: wholeSeconds(queuedSince(c), c.DequeuedAt),
		}
	}
	if a := c.Agent; a != nil {
		talked := wholeSeconds(a.ConnectedAt, c.DisconnectedAt) - int(hold.Total.Seconds())
		r.AgentConnectionAttempts = 1
		r.Agent = &recordAgent{
			ARN: in.of(domain.KindUser, string(a.ID)), Username: a.UserName, ConnectedToAgentTimestamp: seconds(a.ConnectedAt),
			AgentInteractionDuration: max(0, talked),
			CustomerHoldDuration:     int(hold.Total.Seconds()), LongestHoldDuration: int(hold.Longest.Seconds()), NumberOfHolds: hold.Count,
		}
	}
	for _, name := range slices.Sorted(maps.Keys(c.References)) {
		ref := c.References[name]
		r.References = append(r.References, recordReference{Name: name, Type: string(ref.Type), Value: ref.Value})
	}
	r.Recording, r.Recordings = recordingsOf(c)
	if c.Routing != nil {
		r.RoutingCriteria = []any{criteria(c.Routing, asItIs, func(at time.Time) string { return *seconds(at) })}
	}
	return json.Marshal(r)
}

// recordingsOf are the recordings of a contact, and the first of them once more.
func recordingsOf(c *domain.Contact) (first *recordRecording, all []recordTape) {
	for i := range c.Recordings {
		r := &c.Recordings[i]
		all = append(all, recordTape{
			DeletionReason: r.DeletionReason, Location: r.Location, MediaStreamType: string(r.MediaStreamType),
			ParticipantType: word(string(r.ParticipantType)), StartTimestamp: secondsOf(r.StartTimestamp),
			Status: word(string(r.Status)), StopTimestamp: secondsOf(r.StopTimestamp), StorageType: string(r.StorageType),
		})
	}
	if len(all) > 0 {
		first = &recordRecording{DeletionReason: all[0].DeletionReason, Location: all[0].Location, Status: all[0].Status, Type: all[0].MediaStreamType}
	}
	return first, all
}

// queuedSince is when the time in the queue begins to count: that of a callback
// includes the delay before (administrator guide, "Amazon Connect real-time
// metrics example for a queued callback flow").
func queuedSince(c *domain.Contact) time.Time {
	if c.Method == types.ContactInitiationMethodCallback {
		return c.InitiatedAt
	}
	return c.EnqueuedAt
}

// criteria is routing criteria without the members that are absent. Names, as the
// API has them, are written as name does, times as format does.
func criteria(r *types.RoutingCriteria, name func(string) string, format func(time.Time) string) any {
	raw, err := json.Marshal(r)
	var v any
	if err == nil {
		err = json.Unmarshal(raw, &v)
	}
	if err != nil { // it is plain data
		return nil
	}
	o, _ := renamed(v, name).(map[string]any)
	if at := r.ActivationTimestamp; at != nil {
		o[name("ActivationTimestamp")] = format(*at)
	}
	return o
}

func renamed(v any, name func(string) string) any {
	switch v := v.(type) {
	case map[string]any:
		o := make(map[string]any, len(v))
		for k, member := range v {
			if member != nil {
				o[name(k)] = renamed(member, name)
			}
		}
		return o
	case []any:
		list := make([]any, len(v))
		for i, item := range v {
			list[i] = renamed(item, name)
		}
		return list
	default:
		return v
	}
}

func asItIs(s string) string { return s }

func lowerFirst(s string) string { return strings.ToLower(s[:1]) + s[1:] }

// recordSegments is segment attributes as records have them: with the names of
// the API's members.
func recordSegments(attributes map[string]types.SegmentAttributeValue) map[string]any {
	all := make(map[string]any, len(attributes))
	for k, v := range attributes {
		all[k] = recordSegment(v)
	}
	return all
}

func recordSegment(v types.SegmentAttributeValue) map[string]any {
	o := map[string]any{}
	switch {
	case v.ValueString != nil:
		o["ValueString"] = *v.ValueString
	case v.ValueArn != nil:
		o["ValueArn"] = *v.ValueArn
	case v.ValueInteger != nil:
		o["ValueInteger"] = *v.ValueInteger
	case v.ValueMap != nil:
		o["ValueMap"] = recordSegments(v.ValueMap)
	case v.ValueList != nil:
		list := make([]any, len(v.ValueList))
		for i, item := range v.ValueList {
			list[i] = recordSegment(item)
		}
		o["ValueList"] = list
	}
	return o
}

// recordTags are the tags of a contact with those that AWS adds.
func recordTags(in Instance, c *domain.Contact) map[string]string {
	tags := maps.Clone(c.Tags)
	if tags == nil {
		tags = map[string]string{}
	}
	tags["aws:connect:instanceId"] = string(in.ID)
	if c.Channel == "VOICE" && c.System != nil && c.System.Address != nil {
		tags["aws:connect:systemEndpoint"] = *c.System.Address
	}
	return tags
}

// streamsOf are the media of a channel that records know: AUDIO and CHAT.
func streamsOf(channel types.Channel) []recordStream {
	switch channel {
	case types.ChannelVoice:
		return []recordStream{{"AUDIO"}}
	case types.ChannelChat:
		return []recordStream{{"CHAT"}}
	default:
		return []recordStream{}
	}
}

func recordEndpointOf(e *endpoint) *recordEndpoint {
	if e == nil {
		return nil
	}
	return &recordEndpoint{e.Address, e.Type}
}

// seconds is a time as contact records have it, nil for none.
func seconds(at time.Time) *string {
	if at.IsZero() {
		return nil
	}
	s := at.UTC().Format("2006-01-02T15:04:05Z")
	return &s
}

func secondsOf(at *time.Time) *string {
	if at == nil {
		return nil
	}
	return seconds(*at)
}

func wholeSeconds(from, to time.Time) int {
	if from.IsZero() || to.IsZero() {
		return 0
	}
	return int(to.Sub(from).Seconds())
}

func word(s string) *string {
	if s == "" {
		return nil
	}
	return &s
}

func idOf(id domain.ContactID) *domain.ContactID {
	if id == "" {
		return nil
	}
	return &id
}
