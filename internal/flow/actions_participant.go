package flow

import "ringdown/internal/domain"

// participantActions are those of "Participant actions in the Amazon Connect
// Flow language", and those for participants that the administrator guide or
// the console's exports show.
var participantActions = []ActionType{
	{
		Name:       "MessageParticipant",
		Flows:      Inbound | Transfer | Whisper | CustomerQueue,
		Parameters: properties(append(messages, optional("SkipWhenDTMFBufferEnabled", lowerTruth()))...).with(exactlyOne(messageNames...)),
		// The page has it; console exports and the service do without.
		Errors: errorsMay(noMatch),
	},
	{
		Name:  "MessageParticipantIteratively",
		Flows: CustomerQueue | Hold,
		Parameters: properties(
			required("Messages", listOf(object(properties(messages...).with(exactlyOne(messageNames...))), 1, 0)),
			optional("InterruptFrequencySeconds", static(positive())),
		),
		NextOptional: true,
		Errors:       errorsMay(noMatch),
		Conditions: func(p *Node) Conditions {
			if p.Get("InterruptFrequencySeconds") == nil {
				return Conditions{None: "only with InterruptFrequencySeconds"}
			}
			return Conditions{Operators: equals, Values: []string{"MessagesInterrupted"}, Complete: true}
		},
	},
	{
		Name:  "GetParticipantInput",
		Flows: Inbound | Transfer | CustomerQueue,
		Parameters: properties(append(messages,
			optional("InputTimeLimitSeconds", static(positive())),
			optional("StoreInput", truth()),
			optional("InputValidation", object(properties(
				optional("PhoneNumberValidation", object(properties(
					required("NumberFormat", oneOf("Local", "E164")),
					optional("CountryCode", static(text())),
				).check(localNumber))),
				optional("CustomValidation", object(properties(required("MaximumLength", static(positive()))))),
			).with(exactlyOne("PhoneNumberValidation", "CustomValidation")))),
			optional("InputEncryption", object(properties(required("EncryptionKeyId", static(text())), required("Key", static(text()))))),
			optional("DTMFConfiguration", object(properties(
				optional("InputTerminationSequence", Value{Form: Text, Dynamic: Static, Min: 1, Max: 5}),
				optional("DisableCancelKey", truth()),
				optional("InterdigitTimeLimitSeconds", static(number(1, 20))),
			))),
			optional("EnableDTMFBuffer", truth()), // the block "Set touchtone buffer behavior"
		)...).with(atMostOne(messageNames...)).check(participantInput),
		Errors: func(p *Node) Errors {
			switch {
			case p.Get("EnableDTMFBuffer") != nil:
				return Errors{Required: []string{noMatch}}
			case !has(p, "StoreInput", "True"):
				return Errors{Required: []string{noMatch, noCondition, "InputTimeLimitExceeded"}}
			case p.Get("InputValidation").Get("PhoneNumberValidation") != nil:
				return Errors{Required: []string{noMatch, "InvalidPhoneNumber"}}
			default:
				return Errors{Required: []string{noMatch}}
			}
		},
		Conditions: func(p *Node) Conditions {
			if has(p, "StoreInput", "True") || p.Get("EnableDTMFBuffer") != nil {
				return Conditions{None: "only with StoreInput False"}
			}
			return Conditions{Operators: equals, Values: []string{"0", "1", "2", "3", "4", "5", "6", "7", "8", "9", "*", "#"}}
		},
	},
	{
		Name: "ConnectParticipantWithLexBot", Service: "Amazon Lex",
		Flows: Inbound | Transfer | CustomerQueue,
		Parameters: properties(append(messages,
			optional("LexInitializationData", object(properties(required("InitialMessage", whole())))),
			optional("LexV2Bot", object(properties(required("AliasArn", embedded(resource(domain.KindBot)))))),
			optional("LexBot", object(properties(
				required("Name", whole()), required("Region", whole()), required("Alias", whole()),
			).check(classicBot))),
			optional("LexSessionAttributes", mapOf(text())),
			optional("LexTimeoutSeconds", object(properties(optional("Text", number(60, 604800))))),
		)...).with(
			exactlyOne("Text", "SSML", "PromptId", "Media", "LexInitializationData"),
			Group{Names: []string{"LexV2Bot", "LexBot"}, Required: true, Missing: "LexBot"},
		),
		Errors: func(*Node) Errors {
			return Errors{Required: []string{noMatch, noCondition}, Optional: []string{"InputTimeLimitExceeded"}}
		},
		Conditions: conditions(Conditions{Operators: equals}), // intents
	},
	{
		Name:  "ShowView",
		Flows: Inbound | CustomerQueue,
		Parameters: properties(
			required("ViewResource", object(properties(required("Id", resource(domain.KindView)), optional("Version", whole())))),
			required("InvocationTimeLimitSeconds", positive()),
			optional("ViewData", mapOf(anything())),
			optional("SensitiveDataConfiguration", object(properties(required("HideResponseOn", listOf(oneOf("TRANSCRIPT"), 0, 0))))),
		),
		Errors:     errorsOf(noMatch, noCondition, "TimeLimitExceeded"),
		Conditions: conditions(Conditions{Operators: equals}), // actions of the view
	},
	{Name: "DisconnectParticipant", Flows: Inbound | Transfer | CustomerQueue, Terminal: true},
	{
		// No page; as the console exports the block "Transfer to phone number".
		// In customer queue flows: administrator guide, "Transfer to phone number".
		Name:  "TransferParticipantToThirdParty",
		Flows: Inbound | Transfer | CustomerQueue,
		Parameters: properties(
			required("ThirdPartyPhoneNumber", whole()),
			required("ThirdPartyConnectionTimeLimitSeconds", positive()),
			required("ContinueFlowExecution", truth()),
			optional("ThirdPartyDTMFDigits", whole()),
			optional("CallerId", object(properties(optional("Name", whole()), optional("Number", whole())))),
		),
		Errors: func(p *Node) Errors {
			e := Errors{Required: []string{noMatch}}
			if has(p, "ContinueFlowExecution", "True") {
				e.Optional = []string{"CallFailed", "ConnectionTimeLimitExceeded"}
			}
			return e
		},
	},
	{
		// Administrator guide, "Authenticate Customer".
		Name: "AuthenticateParticipant", Service: "Amazon Cognito",
		Parameters: properties(
			required("CognitoConfiguration", object(properties(required("UserPoolArn", whole()), required("AppClientId", whole())))),
			required("CustomerProfilesConfiguration", object(properties(required("ObjectTypeName", whole())))),
			optional("TimeLimitMinutes", positive()),
		),
		Errors:     errorsOf(noMatch, "TimeLimitExceeded"),
		Conditions: anyOf("OptedOut"),
	},
	{
		// Known from a console export alone, so its parameters are not checked.
		Name: "ConnectParticipantWithAgenticCX", Service: "agentic CX", Parameters: properties().open(),
		Errors:     func(*Node) Errors { return Errors{Required: []string{noMatch}, Any: true} },
		Conditions: conditions(Conditions{Operators: equals}),
	},
}

// messages are what a participant can be told; PromptId and SSML on a call
// only. The text limit is that of the blocks "Play prompt" and "Get customer
// input".
var (
	messages = []Property{
		optional("PromptId", resource(domain.KindPrompt)),
		optional("Text", textOf(6000)),
		optional("SSML", textOf(6000)),
		optional("Media", object(properties(
			required("Uri", text()),
			required("SourceType", oneOf("S3")),
			required("MediaType", oneOf("Audio")),
		))),
	}
	messageNames = []string{"Text", "SSML", "PromptId", "Media"}
)

// localNumber holds the country to the format: a local number needs one.
func localNumber(c *checker, n *Node, a at) {
	country := n.Get("CountryCode")
	switch {
	case has(n, "NumberFormat", "Local") && country == nil:
		c.missing(n, a.member("CountryCode"), RuleDepends, "NumberFormat Local needs it")
	case has(n, "NumberFormat", "E164") && country != nil:
		c.unknown(country.Offset, a.member("CountryCode"), RuleDepends, "only NumberFormat Local has it")
	}
}

// participantInput applies what StoreInput decides. The service wants
// StoreInput and InputTimeLimitSeconds unless the action only sets the keypad
// buffer.
func participantInput(c *checker, n *Node, a at) {
	if n.Get("EnableDTMFBuffer") != nil {
		for _, name := range []string{"InputTimeLimitSeconds", "InputValidation", "DTMFConfiguration", "Text", "SSML", "PromptId", "Media"} {
			if p := n.Get(name); p != nil {
				c.unknown(p.Offset, a.member(name), RuleDepends, "not with EnableDTMFBuffer")
			}
		}
		return
	}
	for _, name := range []string{"InputTimeLimitSeconds", "StoreInput"} {
		if n.Get(name) == nil {
			c.missing(n, a.member(name), RuleMissing, "")
		}
	}
	validation, encryption := n.Get("InputValidation"), n.Get("InputEncryption")
	stored := has(n, "StoreInput", "True")
	if stored && validation == nil {
		c.missing(n, a.member("InputValidation"), RuleDepends, "StoreInput True needs it")
	}
	if has(n, "StoreInput", "False") && validation != nil {
		c.unknown(validation.Offset, a.member("InputValidation"), RuleDepends, "only StoreInput True has it")
	}
	if encryption != nil && (!stored || validation.Get("CustomValidation") == nil) {
		c.unknown(encryption.Offset, a.member("InputEncryption"), RuleDepends, "only with CustomValidation")
	}
}

// classicBot notes a bot of Lex V1, which is named by two properties.
func classicBot(c *checker, n *Node, a at) {
	name, region := n.Get("Name"), n.Get("Region")
	if name.String() == "" || region.String() == "" || len(references(name.Text)) > 0 || len(references(region.Text)) > 0 {
		return
	}
	bot := domain.Bot{V1Name: name.Text, V1Region: region.Text}
	c.refer(Reference{Kind: domain.KindBot, ID: bot.Name(), Required: true}, name.Offset, a.member("Name"))
}
