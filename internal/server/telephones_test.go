package server_test

import (
	"context"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/connect"

	"ringdown/internal/server"
	"ringdown/internal/server/servertest"
	"ringdown/internal/voice/phone"
)

// TestTelephonesAfterRestart: a telephone that has registered is called by the server
// that is started again, before it registers with that; and no longer once it has
// unregistered.
func TestTelephonesAfterRestart(t *testing.T) {
	t.Parallel()
	const number = "+14155550177"
	c := newCalled(t)
	p, err := phone.New(t.Context(), phone.Options{Server: c.SIP, Number: number, Register: true})
	servertest.OK(t, err)
	t.Cleanup(func() { _ = p.Close() })
	servertest.OK(t, c.Close())
	next := servertest.Boot(t, func(cfg *server.Config) {
		cfg.Data, cfg.SIPListen, cfg.Speech.Engine, cfg.SIP.Drain = c.Data, "127.0.0.1:0", "none", "0s"
	})
	c.client = next.Client(next.Root.AccessKeyID, next.Root.SecretAccessKey)
	_, err = c.client.StartOutboundVoiceContact(t.Context(), &connect.StartOutboundVoiceContactInput{
		InstanceId: &c.instance, ContactFlowId: &c.flow, DestinationPhoneNumber: aws.String(number), SourcePhoneNumber: &c.number,
	})
	servertest.OK(t, err)
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()
	call, err := p.Wait(ctx)
	servertest.OK(t, err)
	call.Answer()
	servertest.OK(t, call.Answered(ctx))
	call.Hangup()
	if _, err := call.Ended(ctx); err != nil {
		t.Fatal(err)
	}
}
