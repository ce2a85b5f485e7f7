package contact

import (
	"encoding/json"
	"log/slog"
	"maps"
	"time"

	"github.com/google/uuid"

	"ringdown/internal/domain"
	"ringdown/internal/store"
)

// record is a contact record (administrator guide, "Contact records data
// model"). Times have whole seconds, durations are whole seconds.
type record struct {
	AWSAccountID               string                  `json:"AWSAccountId"`
	FormatVersion              string                  `json:"AWSContactTraceRecordFormatVersion"`
	Agent                      *recordAgent            `json:"Agent"`
	AgentConnectionAttempts    int                     `json:"AgentConnectionAttempts"`
	Attributes                 map[string]string       `json:"Attributes"`
	Channel                    string                  `json:"Channel"`
	ConnectedToSystemTimestamp *string                 `json:"ConnectedToSystemTimestamp"`
	ContactID                  domain.ContactID        `json:"ContactId"`
	ContactDetails             map[string]string       `json:"ContactDetails"`
	CustomerEndpoint           *recordEndpoint         `json:"CustomerEndpoint"`
	CustomerID                 *string                 `json:"CustomerId,omitempty"`
	DisconnectReason           *string                 `json:"DisconnectReason"`
	DisconnectTimestamp        *string                 `json:"DisconnectTimestamp"`
	InitialContactID           *domain.ContactID       `json:"InitialContactId"`
	InitiationMethod           string                  `json:"InitiationMethod"`
	InitiationTimestamp        *string                 `json:"InitiationTimestamp"`
	InstanceARN                string                  `json:"InstanceARN"`
	LastUpdateTimestamp        *string                 `json:"LastUpdateTimestamp"`
	MediaStreams               []recordStream          `json:"MediaStreams"`
	NextContactID              *domain.ContactID       `json:"NextContactId"`
	PreviousContactID          *domain.ContactID       `json:"PreviousContactId"`
	RelatedContactID           *domain.ContactID       `json:"RelatedContactId,omitempty"`
	Queue                      *recordQueue            `json:"Queue"`
	Recording                  any                     `json:"Recording"`
	Recordings                 any                     `json:"Recordings"`
	References                 []recordReference       `json:"References"`
	ScheduledTimestamp         *string                 `json:"ScheduledTimestamp"`
	SegmentAttributes          map[string]segmentValue `json:"SegmentAttributes"`
	SystemEndpoint             *recordEndpoint         `json:"SystemEndpoint"`
	Tags                       map[string]string       `json:"Tags"`
	TransferCompletedTimestamp *string                 `json:"TransferCompletedTimestamp"`
	TransferredToEndpoint      *recordEndpoint         `json:"TransferredToEndpoint"`
	RoutingCriteria            any                     `json:"RoutingCriteria,omitempty"`
	AnsweringMachineDetection  string                  `json:"AnsweringMachineDetectionStatus,omitempty"`
	VoiceIDResult              any                     `json:"VoiceIdResult"`
}

type recordAgent struct {
	ARN                       string  `json:"ARN"`
	AgentInteractionDuration  int     `json:"AgentInteractionDuration"`
	ConnectedToAgentTimestamp *string `json:"ConnectedToAgentTimestamp"`
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

type recordReference struct {
	Name  string  `json:"Name"`
	Type  string  `json:"Type"`
	Value *string `json:"Value,omitempty"`
}

// record notes the contact record as it is now.
func (t *Transition) record() {
	c := t.c
	r := record{
		AWSAccountID: t.in.Account, FormatVersion: "2017-03-10",
		Attributes: t.subject.Attributes, Channel: string(c.Channel),
		ConnectedToSystemTimestamp: seconds(c.ConnectedAt), ContactID: c.ID, ContactDetails: map[string]string{},
		CustomerEndpoint: recordEndpointOf(endpointOf(c.Customer)), CustomerID: word(c.CustomerID),
		DisconnectReason: word(c.DisconnectReason), DisconnectTimestamp: seconds(c.DisconnectedAt),
		InitialContactID: idOf(c.InitialID), InitiationMethod: string(c.Method),
		InitiationTimestamp: seconds(c.InitiatedAt), InstanceARN: t.in.ARN(), LastUpdateTimestamp: seconds(c.UpdatedAt),
		MediaStreams: []recordStream{{streamOf(string(c.Channel))}}, PreviousContactID: idOf(c.PreviousID), RelatedContactID: idOf(c.RelatedID),
		ScheduledTimestamp: seconds(c.ScheduledAt), SegmentAttributes: segments(c.Segment),
		SystemEndpoint: recordEndpointOf(endpointOf(c.System)), Tags: recordTags(t.in, c),
		TransferredToEndpoint: recordEndpointOf(endpointOf(c.TransferredTo)), AnsweringMachineDetection: string(c.Detection),
	}
	if c.InitialID == c.ID {
		r.InitialContactID = nil
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
			ARN: queueARN(t.in, q), Name: q.Name, EnqueueTimestamp: seconds(c.EnqueuedAt), DequeueTimestamp: seconds(c.DequeuedAt),
			Duration: wholeSeconds(c.EnqueuedAt, c.DequeuedAt),
		}
	}
	if a := c.Agent; a != nil {
		r.Agent = &recordAgent{
			ARN: t.in.of(domain.KindUser, string(a.ID)), Username: a.UserName, ConnectedToAgentTimestamp: seconds(a.ConnectedAt),
			AgentInteractionDuration: wholeSeconds(a.ConnectedAt, c.DisconnectedAt),
		}
	}
	for name, ref := range c.References {
		r.References = append(r.References, recordReference{Name: name, Type: string(ref.Type), Value: ref.Value})
	}
	if len(c.Recordings) > 0 {
		r.Recording, r.Recordings = c.Recordings[0], c.Recordings
	}
	if c.Routing != nil {
		r.RoutingCriteria = c.Routing
	}
	doc, err := json.Marshal(r)
	if err != nil {
		t.m.opts.Logger.Error("a contact record could not be written", slog.String("contact", string(c.ID)), slog.Any("err", err))
		return
	}
	t.append(store.StreamRecords, uuid.NewString(), doc)
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

func streamOf(channel string) string {
	switch channel {
	case "VOICE":
		return "AUDIO"
	default:
		return channel
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
