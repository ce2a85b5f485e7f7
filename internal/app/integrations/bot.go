package integrations

import (
	"context"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/connect"
	"github.com/aws/aws-sdk-go-v2/service/connect/types"

	"ringdown/internal/catalog"
	"ringdown/internal/domain"
	"ringdown/internal/fault"
	"ringdown/internal/store"
)

// The most bots of each version: admin guide, "Amazon Connect service quotas".
const v1BotQuota, v2BotQuota = 70, 100

var botKind = catalog.Kind[domain.Bot]{
	Of:     domain.KindBot,
	Name:   (*domain.Bot).Name,
	Check:  (*domain.Bot).Check,
	NoTags: true,
}

type bot = catalog.Item[domain.Bot]

// AssociateLexBot lets flows use a bot of Lex V1. AssociateBot does the same
// and takes V2 bots too; both fill one list.
func (g *Integrations) AssociateLexBot(ctx context.Context, in *connect.AssociateLexBotInput) (*connect.AssociateLexBotOutput, error) {
	return nil, associateBot(ctx, g, call[connect.AssociateLexBotInput]{
		"AssociateLexBot", domain.KindBot, in.InstanceId, in.ClientToken, in,
	}, v1Bot(in.LexBot))
}

// DisassociateLexBot takes a V1 bot off the list.
func (g *Integrations) DisassociateLexBot(ctx context.Context, in *connect.DisassociateLexBotInput) (*connect.DisassociateLexBotOutput, error) {
	e := domain.Bot{V1Name: *in.BotName, V1Region: *in.LexRegion}
	return nil, disassociate(ctx, g.catalog, call[connect.DisassociateLexBotInput]{
		"DisassociateLexBot", domain.KindBot, in.InstanceId, in.ClientToken, in,
	}, g.bots, e.Name())
}

// defaultLexBots is the page size of ListLexBots (AWS API reference).
const defaultLexBots = 10

// ListLexBots lists the V1 bots.
func (g *Integrations) ListLexBots(ctx context.Context, in *connect.ListLexBotsInput) (*connect.ListLexBotsOutput, error) {
	p := catalog.Page{MaxResults: in.MaxResults, NextToken: in.NextToken, Default: defaultLexBots}
	found, next, err := g.listBots(ctx, in.InstanceId, types.LexVersionV1, p)
	if err != nil {
		return nil, err
	}
	return &connect.ListLexBotsOutput{
		NextToken: next,
		LexBots:   catalog.Map(found, func(i *bot) types.LexBot { return *lexBot(&i.Value) }),
	}, nil
}

// AssociateBot lets flows use a bot of Lex V1 or an alias of a V2 bot. Whether
// the alias has a resource policy for the instance is not asked.
func (g *Integrations) AssociateBot(ctx context.Context, in *connect.AssociateBotInput) (*connect.AssociateBotOutput, error) {
	e, err := eitherBot(in.LexBot, in.LexV2Bot)
	if err != nil {
		return nil, err
	}
	return nil, associateBot(ctx, g, call[connect.AssociateBotInput]{
		"AssociateBot", domain.KindBot, in.InstanceId, in.ClientToken, in,
	}, e)
}

// DisassociateBot takes a bot off the list, whether or not a flow names it.
func (g *Integrations) DisassociateBot(ctx context.Context, in *connect.DisassociateBotInput) (*connect.DisassociateBotOutput, error) {
	e, err := eitherBot(in.LexBot, in.LexV2Bot)
	if err != nil {
		return nil, err
	}
	return nil, disassociate(ctx, g.catalog, call[connect.DisassociateBotInput]{
		"DisassociateBot", domain.KindBot, in.InstanceId, in.ClientToken, in,
	}, g.bots, e.Name())
}

// ListBots lists the bots of one version.
func (g *Integrations) ListBots(ctx context.Context, in *connect.ListBotsInput) (*connect.ListBotsOutput, error) {
	found, next, err := g.listBots(ctx, in.InstanceId, in.LexVersion, page(in.MaxResults, in.NextToken))
	if err != nil {
		return nil, err
	}
	return &connect.ListBotsOutput{
		NextToken: next,
		LexBots: catalog.Map(found, func(i *bot) types.LexBotConfig {
			if i.Value.IsV1() {
				return types.LexBotConfig{LexBot: lexBot(&i.Value)}
			}
			return types.LexBotConfig{LexV2Bot: &types.LexV2Bot{AliasArn: aws.String(i.Value.AliasARN)}}
		}),
	}, nil
}

// associateBot adds a bot, counting those of its version.
func associateBot[In any](ctx context.Context, g *Integrations, request call[In], e *domain.Bot) error {
	_, err := associateIf(ctx, g.catalog, request, g.bots, e, func(tx store.Tx, sc catalog.Scope) error {
		if !g.catalog.Quotas() {
			return nil
		}
		all, err := g.bots.All(ctx, tx, sc)
		if err != nil {
			return err
		}
		n := 0
		for _, i := range all {
			if i.Value.IsV1() == e.IsV1() {
				n++
			}
		}
		quota := v2BotQuota
		if e.IsV1() {
			quota = v1BotQuota
		}
		if n >= quota {
			return fault.New(fault.ServiceQuotaExceeded, "The instance already has %d of %d bots of this version of Amazon Lex.", n, quota)
		}
		return nil
	})
	return err
}

func (g *Integrations) listBots(ctx context.Context, instanceID *string, version types.LexVersion, p catalog.Page) ([]*bot, *string, error) {
	sc, err := g.catalog.Scope(ctx, instanceID)
	if err != nil {
		return nil, nil, err
	}
	return g.bots.ListWhere(ctx, sc, p, func(i *bot) bool { return i.Value.IsV1() == (version == types.LexVersionV1) })
}

// eitherBot is the bot that a request names in one of two ways.
func eitherBot(v1 *types.LexBot, v2 *types.LexV2Bot) (*domain.Bot, error) {
	switch {
	case (v1 == nil) == (v2 == nil):
		return nil, fault.New(fault.InvalidRequest, "One of LexBot and LexV2Bot must be given, and not both")
	case v1 != nil:
		return v1Bot(v1), nil
	case v2.AliasArn == nil:
		return nil, fault.New(fault.InvalidRequest, "LexV2Bot.AliasArn is required")
	default:
		return &domain.Bot{AliasARN: *v2.AliasArn}, nil
	}
}

func v1Bot(b *types.LexBot) *domain.Bot { return &domain.Bot{V1Name: *b.Name, V1Region: *b.LexRegion} }

func lexBot(e *domain.Bot) *types.LexBot {
	return &types.LexBot{Name: aws.String(e.V1Name), LexRegion: aws.String(e.V1Region)}
}
