package domain

import "ringdown/internal/fault"

// Bot is a bot of Amazon Lex that flows may use: an alias of a V2 bot, or a V1
// bot by name and region.
type Bot struct {
	AliasARN string `json:",omitempty"` // V2
	V1Name   string `json:",omitempty"`
	V1Region string `json:",omitempty"`
}

// IsV1 reports whether the bot is one of Lex V1.
func (b *Bot) IsV1() bool { return b.AliasARN == "" }

// Name is unique among both versions: the ARN of the alias, or name:region of
// a V1 bot. Flows find the bots that they name by it.
func (b *Bot) Name() string {
	if b.IsV1() {
		return b.V1Name + ":" + b.V1Region
	}
	return b.AliasARN
}

// Check checks the form of what names the bot.
func (b *Bot) Check() error {
	switch {
	case !b.IsV1():
		return checkForeignARN("LexV2Bot.AliasArn", b.AliasARN, "lex", "bot-alias/")
	case b.V1Name == "":
		return fault.New(fault.InvalidParameter, "The name of the Lex bot must not be empty")
	case b.V1Region == "":
		return fault.New(fault.InvalidParameter, "The region of the Lex bot must not be empty")
	}
	return nil
}
