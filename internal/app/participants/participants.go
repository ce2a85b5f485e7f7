// Package participants serves the Participant service: what those who take part
// in a chat do, customers and bots alike. They are known by tokens alone, which
// tell the instance too; whatever is wrong with one, the answer is an
// AccessDeniedException.
//
// An operation checks what is asked and hands it to internal/contact, which has
// the chat.
package participants

import (
	"context"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/connect"
	"github.com/aws/aws-sdk-go-v2/service/connect/types"

	"ringdown/internal/catalog"
	"ringdown/internal/chat"
	"ringdown/internal/contact"
	"ringdown/internal/domain"
	"ringdown/internal/fault"
	"ringdown/internal/objects"
	"ringdown/internal/store"
)

// Limiter knows what an instance allows to be attached in a scope.
type Limiter interface {
	AttachedFilesConfiguration(ctx context.Context, rd store.Reader, sc catalog.Scope, scope types.AttachmentScope) (domain.AttachedFilesConfiguration, error)
}

// Views finds views.
type Views interface {
	DescribeView(ctx context.Context, in *connect.DescribeViewInput) (*connect.DescribeViewOutput, error)
}

// Others are what this package needs of the rest of the server.
type Others struct {
	Engine  *contact.Manager
	Tokens  *chat.Tokens
	Objects objects.Store
	Limits  Limiter
	Views   Views
	// Socket is the address of the WebSockets of the server as the client of a
	// request has reached it; a token goes behind it.
	Socket func(ctx context.Context) (string, error)
}

// Participants serves the operations of this package.
type Participants struct {
	Others
	catalog *catalog.Catalog
}

// New returns what serves the operations.
func New(c *catalog.Catalog, others Others) *Participants {
	return &Participants{Others: others, catalog: c}
}

// caller is who shows a token.
type caller struct {
	contact.Participant
	claims chat.Claims
	scope  catalog.Scope
}

// identify finds out who shows a token. The context that it returns is that of a
// caller in the instance's region.
func (p *Participants) identify(ctx context.Context, token *string, kind chat.Kind) (context.Context, caller, error) {
	claims, err := p.Tokens.Read(aws.ToString(token), kind)
	if err != nil {
		return ctx, caller{}, err
	}
	was := *domain.CallerOf(ctx)
	was.Region = claims.Region
	ctx = domain.WithCaller(ctx, &was)
	sc, err := p.catalog.Scope(ctx, aws.String(string(claims.Instance)))
	if fault.Is(err, fault.ResourceNotFound) {
		return ctx, caller{}, fault.New(fault.AccessDenied, "Access denied: the instance of the token is gone.")
	}
	if err != nil {
		return ctx, caller{}, err
	}
	return ctx, caller{contact.Participant{
		Instance: contact.Instance{PK: sc.PK, ID: sc.ID, Region: sc.Home, Account: sc.Account},
		Contact:  claims.Contact, ID: claims.Participant,
	}, claims, sc}, nil
}

// Sitting is who opens a WebSocket: the instance, the first contact of the chat,
// and the participant.
type Sitting struct {
	contact.Participant
	Chat domain.ContactID
}

// Sit finds out who shows a token to open a WebSocket. The chat must go on.
func (p *Participants) Sit(ctx context.Context, token string) (Sitting, error) {
	ctx, who, err := p.identify(ctx, &token, chat.SocketToken)
	if err != nil {
		return Sitting{}, err
	}
	v, err := p.Engine.Chat(ctx, who.Participant)
	if err != nil {
		return Sitting{}, err
	}
	if v.Ended() || !v.Participant.LeftAt.IsZero() {
		return Sitting{}, gone()
	}
	return Sitting{who.Participant, v.Contact.InitialID}, nil
}

// gone is what a participant hears whose chat is over.
func gone() error {
	return fault.New(fault.AccessDenied, "Access denied: the chat is over, or the participant has left it.")
}

func invalid(format string, args ...any) error { return fault.New(fault.Validation, format, args...) }
