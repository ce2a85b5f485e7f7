package contacts_test

import (
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/connect"
	"github.com/aws/aws-sdk-go-v2/service/connect/types"

	"ringdown/internal/fault"
	"ringdown/internal/server"
)

type startCall = connect.StartOutboundVoiceContactInput

// The numbers of people who do not exist: one answers at once, one never.
const (
	mary   = "+12065550101"
	nobody = "+12065550102"
)

// simulated has people on the line, in whose time nothing takes long.
func simulated(cfg *server.Config) {
	cfg.Simulation = server.Simulation{Speed: aws.Float64(0), Callees: []server.Callee{{Number: nobody, Answer: "busy"}}}
}

func (c *centre) claim() string {
	c.t.Helper()
	free, err := c.SearchAvailablePhoneNumbers(c.ctx(), &connect.SearchAvailablePhoneNumbersInput{
		InstanceId: &c.id, PhoneNumberCountryCode: types.PhoneNumberCountryCodeUs, PhoneNumberType: types.PhoneNumberTypeDid,
	})
	ok(c.t, err)
	number := *free.AvailableNumbersList[0].PhoneNumber
	_, err = c.ClaimPhoneNumber(c.ctx(), &connect.ClaimPhoneNumberInput{InstanceId: &c.id, PhoneNumber: &number})
	ok(c.t, err)
	return number
}

func (c *centre) call(from string, change ...func(*startCall)) (string, error) {
	in := &startCall{InstanceId: &c.id, ContactFlowId: &c.waits, DestinationPhoneNumber: aws.String(mary), SourcePhoneNumber: &from}
	for _, f := range change {
		f(in)
	}
	out, err := c.StartOutboundVoiceContact(c.ctx(), in)
	if err != nil {
		return "", err
	}
	return *out.ContactId, nil
}

func TestStartOutboundVoiceContact(t *testing.T) {
	c := open(t, simulated)
	from := c.claim()
	id, err := c.call(from, func(in *startCall) {
		in.Attributes, in.Name, in.CampaignId = map[string]string{"a": "1"}, aws.String("Survey"), aws.String("spring")
	})
	ok(t, err)
	e := c.await(id, "queued", queued)
	same(t, "the call", []any{e.Channel, e.InitiationMethod, *e.CustomerEndpoint.Address, e.CustomerEndpoint.Type, *e.SystemEndpoint.Address, *e.Name, *e.Campaign.CampaignId, e.Attributes, *e.SegmentAttributes["connect:Subtype"].ValueString, e.ConnectedToSystemTimestamp != nil},
		[]any{"VOICE", "API", mary, "TELEPHONE_NUMBER", from, "Survey", "spring", map[string]string{"a": "1"}, "connect:Telephony", true})
	ok(t, c.stop(id))
	same(t, "why it ended", *c.describe(id).DisconnectReason, "OTHER")

	id, err = c.call(from, func(in *startCall) { in.CampaignId = aws.String("spring") })
	ok(t, err)
	give := func(reason string) error {
		_, err := c.StopContact(c.ctx(), &connect.StopContactInput{InstanceId: &c.id, ContactId: &id, DisconnectReason: &types.DisconnectReason{Code: &reason}})
		return err
	}
	fails(t, give("BORED"), fault.InvalidRequest, "EXPIRED")
	ok(t, give("OUTBOUND_ATTEMPT_FAILED"))
	same(t, "why the campaign's ended", *c.describe(id).DisconnectReason, "OUTBOUND_ATTEMPT_FAILED")

	busy, err := c.call(from, func(in *startCall) { in.DestinationPhoneNumber = aws.String(nobody) })
	ok(t, err)
	b := c.await(busy, "ended", ended)
	same(t, "why the other failed", []any{*b.DisconnectReason, b.ConnectedToSystemTimestamp}, []any{"TELECOM_BUSY", nil})

	// The queue's number is shown when the request has none.
	numbers, err := c.ListPhoneNumbersV2(c.ctx(), &connect.ListPhoneNumbersV2Input{InstanceId: &c.id})
	ok(t, err)
	_, err = c.UpdateQueueOutboundCallerConfig(c.ctx(), &connect.UpdateQueueOutboundCallerConfigInput{
		InstanceId: &c.id, QueueId: &c.queue, OutboundCallerConfig: &types.OutboundCallerConfig{OutboundCallerIdNumberId: numbers.ListPhoneNumbersSummaryList[0].PhoneNumberId},
	})
	ok(t, err)
	id, err = c.call("", func(in *startCall) { in.SourcePhoneNumber, in.QueueId = nil, &c.queue })
	ok(t, err)
	same(t, "the number shown", *c.describe(id).SystemEndpoint.Address, from)
}

func TestStartOutboundVoiceContactRefuses(t *testing.T) {
	c := open(t, simulated)
	from := c.claim()
	for what, tc := range map[string]struct {
		change func(*startCall)
		code   fault.Code
		word   string
	}{
		"unknown instance":   {func(in *startCall) { in.InstanceId = aws.String(unknownID) }, fault.ResourceNotFound, ""},
		"unknown flow":       {func(in *startCall) { in.ContactFlowId = aws.String(unknownID) }, fault.ResourceNotFound, ""},
		"flow of no use":     {func(in *startCall) { in.ContactFlowId = &c.transfer }, fault.InvalidRequest, "QUEUE_TRANSFER"},
		"unknown queue":      {func(in *startCall) { in.QueueId = aws.String(unknownID) }, fault.ResourceNotFound, ""},
		"unknown related":    {func(in *startCall) { in.RelatedContactId = aws.String(unknownID) }, fault.ResourceNotFound, ""},
		"no source":          {func(in *startCall) { in.SourcePhoneNumber = nil }, fault.InvalidRequest, "SourcePhoneNumber or QueueId"},
		"number not claimed": {func(in *startCall) { in.SourcePhoneNumber = aws.String("+12065550199") }, fault.InvalidRequest, "not claimed"},
		"queue of no number": {func(in *startCall) { in.SourcePhoneNumber, in.QueueId = nil, &c.queue }, fault.InvalidRequest, "outbound caller id"},
		"no number":          {func(in *startCall) { in.DestinationPhoneNumber = aws.String("2065550101") }, fault.InvalidParameter, "DestinationPhoneNumber"},
		"attribute key":      {func(in *startCall) { in.Attributes = map[string]string{"a.b": ""} }, fault.InvalidParameter, "a.b"},
		"rings too briefly":  {func(in *startCall) { in.RingTimeoutInSeconds = aws.Int32(14) }, fault.InvalidParameter, "RingTimeoutInSeconds"},
		"detection, no class": {func(in *startCall) {
			in.AnswerMachineDetectionConfig = &types.AnswerMachineDetectionConfig{EnableAnswerMachineDetection: true}
		}, fault.InvalidRequest, "CAMPAIGN"},
		"strategy": {func(in *startCall) {
			in.OutboundStrategy = &types.OutboundStrategy{Type: types.OutboundStrategyTypeAgentFirst}
		}, fault.InvalidRequest, "OutboundStrategy"},
		"attachment": {func(in *startCall) {
			in.References = map[string]types.Reference{"A": {Type: types.ReferenceTypeAttachment}}
		}, fault.InvalidRequest, "ATTACHMENT"},
	} {
		t.Run(what, func(t *testing.T) {
			_, err := c.call(from, tc.change)
			fails(t, err, tc.code, tc.word)
		})
	}
	_, err := c.UpdateInstanceAttribute(c.ctx(), &connect.UpdateInstanceAttributeInput{InstanceId: &c.id, AttributeType: types.InstanceAttributeTypeOutboundCalls, Value: aws.String("false")})
	ok(t, err)
	_, err = c.call(from)
	fails(t, err, fault.OutboundContactNotPermitted, "OUTBOUND_CALLS")
}

func TestDestinations(t *testing.T) {
	const swiss, british, mobile = "+41446681800", "+442079460018", "+447400123456"
	for what, tc := range map[string]struct {
		change          func(*server.Config)
		allowed, denied []string
	}{
		"a laptop": {func(*server.Config) {}, []string{mary, swiss, british, mobile}, nil},
		"quotas":   {func(c *server.Config) { c.Quotas = true }, []string{mary, british}, []string{swiss, mobile}},
		"countries": {func(c *server.Config) {
			c.Quotas, c.Calls = true, server.Calls{Countries: []string{"CH", "GB"}, BlockedPrefixes: []string{"+4420"}}
		}, []string{swiss, mobile}, []string{mary, british}},
		"prefixes": {func(c *server.Config) { c.Calls = server.Calls{BlockedPrefixes: []string{"+447"}} }, []string{mary, swiss, british}, []string{mobile}},
	} {
		t.Run(what, func(t *testing.T) {
			c := open(t, simulated, tc.change)
			from := c.claim()
			to := func(number string) error {
				_, err := c.call(from, func(in *startCall) { in.DestinationPhoneNumber = &number })
				return err
			}
			for _, n := range tc.allowed {
				ok(t, to(n))
			}
			for _, n := range tc.denied {
				fails(t, to(n), fault.DestinationNotAllowed)
			}
		})
	}
}

func TestCallQuota(t *testing.T) {
	c := open(t, simulated, func(cfg *server.Config) { cfg.Quotas = true })
	from := c.claim()
	var last string
	for range 10 {
		id, err := c.call(from)
		ok(t, err)
		last = id
	}
	_, err := c.call(from)
	fails(t, err, fault.LimitExceeded, "10 of 10")
	ok(t, c.stop(last))
	_, err = c.call(from)
	ok(t, err)
	_, err = c.call(from, func(in *startCall) { in.TrafficType = types.TrafficTypeCampaign })
	fails(t, err, fault.LimitExceeded, "campaign")
}
