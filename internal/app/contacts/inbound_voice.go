package contacts

import (
	"context"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/connect/types"

	"ringdown/internal/contact"
	"ringdown/internal/domain"
	"ringdown/internal/fault"
	"ringdown/internal/store"
)

// InboundCall is a call that has come in.
type InboundCall struct {
	Arrival contact.Arrival
	// To is the number that is called, E.164; From who calls, "" for a caller who
	// hides.
	To, From, FromName string
	At                 time.Time
	// Headers are $.Media.Sip.Headers.
	Headers map[string]string
}

// Receive begins a contact for a call to a claimed number, with the flow of the
// number, and has it answered (administrator guide, "How it works: set up
// inbound numbers"). No contact begins when the error is a
// ResourceNotFoundException, of a number that leads nowhere; a
// LimitExceededException, of too many calls at once; or another, of something
// that is wrong here.
func (c *Contacts) Receive(ctx context.Context, call InboundCall) error {
	number, err := c.Numbers.Called(ctx, call.To)
	if err != nil {
		return err
	}
	ctx = domain.WithCaller(ctx, &domain.Caller{Region: number.Region, Account: c.catalog.Account()})
	sc, err := c.catalog.Scope(ctx, aws.String(string(number.InstanceID)))
	if err != nil {
		return err
	}
	allowed, err := c.Instances.Enabled(ctx, sc, types.InstanceAttributeTypeInboundCalls)
	if err != nil {
		return err
	}
	if !allowed || number.ContactFlowID == "" {
		return fault.New(fault.ResourceNotFound, "Nobody answers calls to %s: it has no flow, or its instance takes no calls.", call.To)
	}
	f, err := c.Configuration.Flow(ctx, addressed(sc), string(number.ContactFlowID))
	if err != nil {
		return err
	}
	done, err := c.within(sc, types.ChannelVoice, callQuota, fault.LimitExceeded)
	if err != nil {
		return err
	}
	defer done()
	b := c.Engine.New(contact.Spec{
		Instance: instanceOf(sc),
		Contact: domain.Contact{
			Channel: types.ChannelVoice, Method: types.ContactInitiationMethodInbound, FlowID: domain.ContactFlowID(f.ID),
			Customer: caller(call), System: &types.EndpointInfo{Type: types.EndpointTypeTelephoneNumber, Address: aws.String(call.To)},
		},
		Flow: &f, Arrival: call.Arrival, At: call.At.UTC().Truncate(time.Microsecond), Media: sipHeaders(call.Headers),
	})
	if err := c.catalog.Store().Update(ctx, func(tx store.Tx) error { return b.Insert(ctx, tx) }); err != nil {
		return err
	}
	b.Begin()
	return nil
}

// caller is the endpoint of whoever calls.
func caller(call InboundCall) *types.EndpointInfo {
	e := &types.EndpointInfo{Type: types.EndpointTypeTelephoneNumber, Address: aws.String(domain.AnonymousCaller)}
	if call.From != "" {
		e.Address = aws.String(call.From)
		if call.From[0] != '+' {
			e.Type = types.EndpointTypeVoip
		}
	}
	if call.FromName != "" {
		e.DisplayName = aws.String(call.FromName)
	}
	return e
}

// sipHeaders are $.Media of a call: the header fields of its INVITE
// (administrator guide, "Telephony call metadata attributes").
func sipHeaders(headers map[string]string) map[string]any {
	if len(headers) == 0 {
		return nil
	}
	fields := make(map[string]any, len(headers))
	for name, value := range headers {
		fields[name] = value
	}
	return map[string]any{"Sip": map[string]any{"Headers": fields}}
}
