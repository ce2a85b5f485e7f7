package server_test

import (
	"context"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/connect"
	"github.com/aws/aws-sdk-go-v2/service/connect/types"

	"ringdown/internal/server"
	"ringdown/internal/server/servertest"
	"ringdown/internal/voice/phone"
)

// listens is a flow that remembers a header field, and waits for a key.
const listens = `{"Version":"2019-10-30","StartAction":"plan","Actions":[
{"Identifier":"plan","Type":"UpdateContactAttributes","Parameters":{"Attributes":{"plan":"$.Media.Sip.Headers.X-Plan"},"TargetContact":"Current"},
 "Transitions":{"NextAction":"ask","Errors":[{"ErrorType":"NoMatchingError","NextAction":"bye"}]}},
{"Identifier":"ask","Type":"GetParticipantInput","Parameters":{"Text":"Hello","InputTimeLimitSeconds":"60","StoreInput":"False"},
 "Transitions":{"NextAction":"bye","Conditions":[],
 "Errors":[{"ErrorType":"InputTimeLimitExceeded","NextAction":"bye"},{"ErrorType":"NoMatchingCondition","NextAction":"bye"},{"ErrorType":"NoMatchingError","NextAction":"bye"}]}},
{"Identifier":"bye","Type":"DisconnectParticipant","Parameters":{},"Transitions":{}}]}`

// called is a server with a number that leads to a flow.
type called struct {
	*servertest.Server
	client               *connect.Client
	instance, number, id string
	flow                 string
}

func newCalled(t *testing.T, change ...func(*server.Config)) *called {
	t.Helper()
	s := servertest.Boot(t, append([]func(*server.Config){func(c *server.Config) {
		c.SIPListen, c.Speech.Engine, c.SIP.Drain = "127.0.0.1:0", "none", "0s"
	}}, change...)...)
	c := &called{Server: s, client: s.Client(s.Root.AccessKeyID, s.Root.SecretAccessKey), instance: s.NewInstance(t)}
	made, err := c.client.CreateContactFlow(t.Context(), &connect.CreateContactFlowInput{
		InstanceId: &c.instance, Name: aws.String("listens"), Type: types.ContactFlowTypeContactFlow, Content: aws.String(listens),
	})
	servertest.OK(t, err)
	c.flow = *made.ContactFlowId
	arn := servertest.InstanceARN(c.instance)
	found, err := c.client.SearchAvailablePhoneNumbers(t.Context(), &connect.SearchAvailablePhoneNumbersInput{
		TargetArn: &arn, PhoneNumberCountryCode: types.PhoneNumberCountryCodeUs, PhoneNumberType: types.PhoneNumberTypeDid, MaxResults: aws.Int32(1),
	})
	servertest.OK(t, err)
	c.number = *found.AvailableNumbersList[0].PhoneNumber
	claimed, err := c.client.ClaimPhoneNumber(t.Context(), &connect.ClaimPhoneNumberInput{TargetArn: &arn, PhoneNumber: &c.number})
	servertest.OK(t, err)
	c.id = *claimed.PhoneNumberId
	return c
}

// lead has the number lead to the flow.
func (c *called) lead(t *testing.T) {
	t.Helper()
	_, err := c.client.AssociatePhoneNumberContactFlow(t.Context(), &connect.AssociatePhoneNumberContactFlowInput{
		InstanceId: &c.instance, PhoneNumberId: &c.id, ContactFlowId: &c.flow,
	})
	servertest.OK(t, err)
}

// dial calls a number from a phone.
func (c *called) dial(t *testing.T, number string) *phone.Call {
	t.Helper()
	p, err := phone.New(t.Context(), phone.Options{Server: c.SIP, Number: "+14155550123", Headers: map[string]string{"X-Plan": "gold"}})
	servertest.OK(t, err)
	t.Cleanup(func() { _ = p.Close() })
	call, err := p.Dial(t.Context(), number)
	servertest.OK(t, err)
	return call
}

// contact is the only one there is, once it satisfies a condition.
func (c *called) contact(t *testing.T, until func(*types.Contact) bool) *types.Contact {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	for {
		found, err := c.client.SearchContacts(ctx, &connect.SearchContactsInput{
			InstanceId: &c.instance, TimeRange: &types.SearchContactsTimeRange{
				Type: types.SearchContactsTimeRangeTypeInitiationTimestamp, StartTime: aws.Time(time.Now().Add(-time.Hour)), EndTime: aws.Time(time.Now().Add(time.Minute)),
			},
		})
		servertest.OK(t, err)
		if len(found.Contacts) == 1 {
			described, err := c.client.DescribeContact(ctx, &connect.DescribeContactInput{InstanceId: &c.instance, ContactId: found.Contacts[0].Id})
			servertest.OK(t, err)
			if until(described.Contact) {
				return described.Contact
			}
		}
		select {
		case <-time.After(20 * time.Millisecond):
		case <-ctx.Done():
			t.Fatalf("there are %d contacts, none as it should be", len(found.Contacts))
		}
	}
}

func refusal(t *testing.T, call *phone.Call) string {
	t.Helper()
	err := call.Answered(t.Context())
	if err == nil {
		t.Fatal("the call was answered")
	}
	return err.Error()
}

// TestCallsThatLeadNowhere: a number that is not claimed, has no flow, is of an
// instance that takes no calls, or belongs to another trunk.
func TestCallsThatLeadNowhere(t *testing.T) {
	t.Parallel()
	c := newCalled(t)
	for name, call := range map[string]*phone.Call{"unclaimed": c.dial(t, "+14155550199"), "without a flow": c.dial(t, c.number)} {
		if why := refusal(t, call); !strings.Contains(why, "404") {
			t.Errorf("%s: %s", name, why)
		}
	}
	c.lead(t)
	_, err := c.client.UpdateInstanceAttribute(t.Context(), &connect.UpdateInstanceAttributeInput{
		InstanceId: &c.instance, AttributeType: types.InstanceAttributeTypeInboundCalls, Value: aws.String("false"),
	})
	servertest.OK(t, err)
	if why := refusal(t, c.dial(t, c.number)); !strings.Contains(why, "404") {
		t.Errorf("an instance that takes no calls: %s", why)
	}

	other := newCalled(t, func(cfg *server.Config) {
		cfg.Numbers = []server.Number{{Number: "+14155550177", Trunk: "carrier"}}
		cfg.SIP.Trunks = []server.Trunk{{Name: "carrier", Sources: []string{"127.0.0.9"}}, {Name: "phones", Sources: []string{"127.0.0.1"}}}
	})
	other.lead(t)
	if why := refusal(t, other.dial(t, other.number)); !strings.Contains(why, "404") {
		t.Errorf("by another trunk: %s", why)
	}
}

// TestCallThatComesIn: the contact tells who called whom; its end is the caller's,
// or, when the server stops meanwhile, that of the server.
func TestCallThatComesIn(t *testing.T) {
	t.Parallel()
	c := newCalled(t)
	c.lead(t)
	call := c.dial(t, c.number)
	servertest.OK(t, call.Answered(t.Context()))
	live := c.contact(t, func(c *types.Contact) bool { return c.ConnectedToSystemTimestamp != nil })
	if live.InitiationMethod != types.ContactInitiationMethodInbound || aws.ToString(live.CustomerEndpoint.Address) != "+14155550123" ||
		aws.ToString(live.SystemEndpoint.Address) != c.number || !live.ConnectedToSystemTimestamp.Equal(*live.InitiationTimestamp) {
		t.Errorf("the contact is %+v of %+v to %+v", live, live.CustomerEndpoint, live.SystemEndpoint)
	}
	call.Hangup()
	over := c.contact(t, func(c *types.Contact) bool { return c.DisconnectTimestamp != nil })
	if aws.ToString(over.DisconnectReason) != "CUSTOMER_DISCONNECT" {
		t.Errorf("it ended with %s", aws.ToString(over.DisconnectReason))
	}
	attributes, err := c.client.GetContactAttributes(t.Context(), &connect.GetContactAttributesInput{InstanceId: &c.instance, InitialContactId: over.Id})
	servertest.OK(t, err)
	if attributes.Attributes["plan"] != "gold" {
		t.Errorf("the attributes are %v", attributes.Attributes)
	}
}

// TestCallsEndWithTheServer: who talks when the server stops is hung up, and the
// record says so before it has stopped.
func TestCallsEndWithTheServer(t *testing.T) {
	t.Parallel()
	data := t.TempDir()
	c := newCalled(t, func(cfg *server.Config) { cfg.Data = data })
	c.lead(t)
	call := c.dial(t, c.number)
	servertest.OK(t, call.Answered(t.Context()))
	servertest.OK(t, c.Close())
	if why, err := call.Ended(t.Context()); err != nil || !strings.Contains(why, "there") {
		t.Errorf("the call ended: %s, %v", why, err)
	}
	again := servertest.Boot(t, func(cfg *server.Config) { cfg.Data = data })
	c.client = again.Client(again.Root.AccessKeyID, again.Root.SecretAccessKey)
	over := c.contact(t, func(c *types.Contact) bool { return c.DisconnectTimestamp != nil })
	if aws.ToString(over.DisconnectReason) != "TELECOM_PROBLEM" || time.Since(*over.DisconnectTimestamp) < 0 {
		t.Errorf("it ended with %s at %v", aws.ToString(over.DisconnectReason), over.DisconnectTimestamp)
	}
}
