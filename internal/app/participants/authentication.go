package participants

import (
	"context"

	"ringdown/internal/chat"
	"ringdown/internal/contract/connectparticipant"
)

// GetAuthenticationUrl would tell where a customer signs in whom the flow asks to
// (action AuthenticateParticipant). No identity provider is served, so that
// action takes its error branch, no session is ever begun, and every SessionId is
// unknown (docs/divergences.md).
func (p *Participants) GetAuthenticationUrl(ctx context.Context, in *connectparticipant.GetAuthenticationUrlInput) (*connectparticipant.GetAuthenticationUrlOutput, error) {
	return nil, p.noSession(ctx, in.ConnectionToken, *in.SessionId)
}

// CancelParticipantAuthentication would end such a session.
func (p *Participants) CancelParticipantAuthentication(ctx context.Context, in *connectparticipant.CancelParticipantAuthenticationInput) (*connectparticipant.CancelParticipantAuthenticationOutput, error) {
	return nil, p.noSession(ctx, in.ConnectionToken, *in.SessionId)
}

func (p *Participants) noSession(ctx context.Context, token *string, session string) error {
	ctx, who, err := p.identify(ctx, token, chat.ConnectionToken)
	if err != nil {
		return err
	}
	if _, err := p.Engine.Chat(ctx, who.Participant); err != nil {
		return err
	}
	return invalid("SessionId: the chat has no authentication session %s", session)
}
