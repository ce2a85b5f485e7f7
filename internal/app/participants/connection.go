package participants

import (
	"context"
	"slices"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"

	"ringdown/internal/chat"
	"ringdown/internal/contact/record"
	"ringdown/internal/contract/connectparticipant"
	"ringdown/internal/contract/connectparticipant/types"
)

const (
	// socketTime is within what a WebSocket must be opened, and connectionTime how
	// long a connection token is good (Participant Service API reference,
	// CreateParticipantConnection).
	socketTime     = 100 * time.Second
	connectionTime = 24 * time.Hour
)

// CreateParticipantConnection gives a participant what it needs to take part: the
// URL of a WebSocket, and a token for everything else. With ConnectParticipant it
// counts as connected; else it does once the WebSocket is open.
func (p *Participants) CreateParticipantConnection(ctx context.Context, in *connectparticipant.CreateParticipantConnectionInput) (*connectparticipant.CreateParticipantConnectionOutput, error) {
	ctx, who, err := p.identify(ctx, in.ParticipantToken, chat.ParticipantToken)
	if err != nil {
		return nil, err
	}
	acknowledged := aws.ToBool(in.ConnectParticipant)
	switch {
	case slices.Contains(in.Type, types.ConnectionTypeWebrtcConnection):
		return nil, invalid("Type: WEBRTC_CONNECTION is for calls; a chat has WEBSOCKET and CONNECTION_CREDENTIALS")
	case len(in.Type) == 0 && !acknowledged:
		return nil, invalid("Type must have WEBSOCKET or CONNECTION_CREDENTIALS, unless ConnectParticipant is true")
	}
	v, err := p.Engine.Chat(ctx, who.Participant)
	switch {
	case err != nil:
		return nil, err
	case v.Ended() || !v.Participant.LeftAt.IsZero():
		return nil, gone()
	}
	if acknowledged {
		if err := p.Engine.Connected(ctx, who.Participant); err != nil {
			return nil, err
		}
	}
	out := &connectparticipant.CreateParticipantConnectionOutput{}
	issue := func(kind chat.Kind, validity time.Duration) (token, end string) {
		claims := who.claims
		claims.Kind = kind
		token, at := p.Tokens.Issue(claims, validity)
		return token, record.Millis(at)
	}
	if slices.Contains(in.Type, types.ConnectionTypeWebsocket) {
		base, err := p.Socket(ctx)
		if err != nil {
			return nil, err
		}
		token, end := issue(chat.SocketToken, socketTime)
		out.Websocket = &types.Websocket{Url: aws.String(base + token), ConnectionExpiry: &end}
	}
	if slices.Contains(in.Type, types.ConnectionTypeConnectionCredentials) {
		token, end := issue(chat.ConnectionToken, connectionTime)
		out.ConnectionCredentials = &types.ConnectionCredentials{ConnectionToken: &token, Expiry: &end}
	}
	return out, nil
}

// DisconnectParticipant ends the part of a participant, and the chat if that is
// the customer.
func (p *Participants) DisconnectParticipant(ctx context.Context, in *connectparticipant.DisconnectParticipantInput) (*connectparticipant.DisconnectParticipantOutput, error) {
	ctx, who, err := p.identify(ctx, in.ConnectionToken, chat.ConnectionToken)
	if err != nil {
		return nil, err
	}
	return nil, p.Engine.Depart(ctx, who.Participant)
}

// DescribeView shows the view that a flow waits for the answer to.
func (p *Participants) DescribeView(ctx context.Context, in *connectparticipant.DescribeViewInput) (*connectparticipant.DescribeViewOutput, error) {
	ctx, who, err := p.identify(ctx, in.ConnectionToken, chat.ConnectionToken)
	if err != nil {
		return nil, err
	}
	v, err := p.Engine.Chat(ctx, who.Participant)
	if err != nil {
		return nil, err
	}
	id := v.View(*in.ViewToken)
	if id == "" {
		return nil, noView()
	}
	found, err := p.Views.DescribeView(ctx, viewInput(who, id))
	if err != nil {
		return nil, err
	}
	return &connectparticipant.DescribeViewOutput{View: viewOf(found.View)}, nil
}
