package flow

import (
	"math"
	"strings"

	"ringdown/internal/domain"
)

// queueOrAgent name the queue of an action, by its own id or by the agent whose
// queue it is.
var queueOrAgent = []Property{
	optional("QueueId", resource(domain.KindQueue)),
	optional("AgentId", resource(domain.KindUser)),
}

// contactActions are those of "Contact actions in the Amazon Connect Flow
// language", and those for contacts that the administrator guide or the
// console's exports show.
var contactActions = []ActionType{
	{
		Name: "UpdateContactTargetQueue", Flows: Inbound | Transfer,
		Parameters: properties(queueOrAgent...).with(exactlyOne("QueueId", "AgentId")),
		Errors:     errorsOf(noMatch),
	},
	{
		// The queue is the contact's target queue.
		Name: "TransferContactToQueue", Flows: Inbound | Transfer,
		Errors: errorsOf("QueueAtCapacity", noMatch),
	},
	{
		Name: "DequeueContactAndTransferToQueue", Flows: CustomerQueue,
		Parameters: properties(queueOrAgent...).with(exactlyOne("QueueId", "AgentId")),
		Errors:     errorsOf("QueueAtCapacity", noMatch),
	},
	{Name: "TransferContactToAgent", Flows: Transfer, Terminal: true},
	{
		Name:       "UpdateContactAttributes",
		Parameters: properties(required("Attributes", mapOf(text())), required("TargetContact", oneOf("Current", "Related"))),
		Errors:     errorsOf(noMatch),
	},
	{
		Name: "UpdateContactData",
		Parameters: properties(
			// Required on the page, but console exports and the service do without.
			optional("TargetContact", oneOf("Current", "Related")),
			optional("Name", text()),
			optional("Description", text()),
			optional("LanguageCode", text()),
			optional("CustomerId", text()),
			optional("References", mapOf(anything())),
			optional("IsVoiceIdStreamingEnabled", oneOf("TRUE", "FALSE")),
			optional("IsVoiceAuthenticationEnabled", oneOf("TRUE", "FALSE")),
			optional("IsFraudDetectionEnabled", oneOf("TRUE", "FALSE")),
			optional("VoiceAuthenticationThreshold", number(0, 100)),
			optional("VoiceAuthenticationResponseTime", number(5, 10)),
			optional("FraudDetectionThreshold", number(0, 100)),
			optional("WatchlistId", whole()),
			optional("WisdomSessionArn", whole()),
		),
		Errors: errorsOf(noMatch),
	},
	{
		// The page allows one hook; the service takes none and several as well.
		Name: "UpdateContactEventHooks",
		Parameters: properties(required("EventHooks", Value{Form: Map, Of: flowHook, Values: []string{
			"AgentHold", "AgentWhisper", "CustomerHold", "CustomerQueue", "CustomerRemaining", "CustomerWhisper",
			"DefaultAgentUI", "DisconnectAgentUI", "PauseContact", "ResumeContact",
		}})),
		Errors: errorsOf(noMatch),
	},
	{
		// The administrator guide has it in transfer and customer queue flows too.
		Name: "UpdateContactRoutingBehavior", Flows: Inbound | Transfer | CustomerQueue,
		Parameters: properties(
			optional("QueuePriority", static(positive())),
			optional("QueueTimeAdjustmentSeconds", static(number(math.MinInt64, math.MaxInt64))),
		).with(exactlyOne("QueuePriority", "QueueTimeAdjustmentSeconds")),
	},
	routingCriteria("UpdateRoutingCriteria"), // as its page is called
	routingCriteria("UpdateContactRoutingCriteria"),
	{
		Name: "UpdateContactRecordingBehavior", Flows: Inbound | Transfer | CustomerQueue | OutboundWhisper,
		Parameters: properties(
			required("RecordingBehavior", object(properties(
				required("RecordedParticipants", listOf(oneOf("Agent", "Customer"), 0, 2)),
				optional("ScreenRecordedParticipants", listOf(oneOf("Agent"), 0, 1)),
				optional("IVRRecordingBehavior", oneOf("Enabled", "Disabled")),
			))),
			optional("AnalyticsBehavior", object(properties(
				required("Enabled", truth()),
				optional("AnalyticsLanguage", whole()),
				optional("AnalyticsRedactionBehavior", oneOf("Enabled", "Disabled")),
				optional("AnalyticsRedactionResults", dynamic(oneOf("RedactedAndOriginal", "RedactedOnly"))),
				optional("ChannelConfiguration", object(properties(
					optional("Chat", object(properties(required("AnalyticsModes", listOf(oneOf("ContactLens"), 0, 1))))),
					optional("Voice", object(properties(required("AnalyticsModes", listOf(oneOf("RealTime", "PostContact", "AutomatedInteraction"), 0, 3))))),
				))),
			).open())),
		).check(func(c *checker, n *Node, a at) {
			analytics := n.Get("AnalyticsBehavior")
			// Analytics of a chat need no recording.
			if has(analytics, "Enabled", "True") && analytics.Get("ChannelConfiguration").Get("Chat") == nil {
				c.bothRecorded(n.Get("RecordingBehavior"), analytics, a.member("AnalyticsBehavior"))
			}
		}),
		// The service refuses NoMatchingError.
	},
	{
		Name: "UpdateContactRecordingAndAnalyticsBehavior",
		Parameters: properties(
			optional("VoiceBehavior", object(properties(
				optional("VoiceRecordingBehavior", object(properties(
					required("RecordedParticipants", listOf(oneOf("Agent", "Customer"), 0, 2)),
					optional("IVRRecordingBehavior", oneOf("Enabled", "Disabled")),
				))),
				optional("VoiceAnalyticsBehavior", object(properties(
					required("Enabled", truth()),
					optional("AnalyticsLanguage", whole()),
					optional("AnalyticsModes", listOf(oneOf("RealTime", "PostContact", "AutomatedInteraction"), 1, 3)),
				).open())),
			).check(func(c *checker, n *Node, a at) {
				if analytics := n.Get("VoiceAnalyticsBehavior"); has(analytics, "Enabled", "True") {
					c.bothRecorded(n.Get("VoiceRecordingBehavior"), analytics, a.member("VoiceAnalyticsBehavior"))
				}
			}))),
			optional("ChatBehavior", object(properties(
				required("ChatAnalyticsBehavior", object(properties(
					required("Enabled", truth()),
					optional("AnalyticsLanguage", whole()),
					optional("AnalyticsModes", listOf(oneOf("ContactLens"), 1, 1)),
					optional("InFlightChatRedactionConfiguration", object(properties(
						required("Enabled", truth()),
						optional("DeliverUnprocessedMessages", truth()),
					).open())),
				).open())),
			))),
			optional("ScreenRecordingBehavior", object(properties(
				required("ScreenRecordedParticipants", listOf(oneOf("Agent"), 0, 1)),
			))),
		).with(Group{Names: []string{"ChatBehavior", "VoiceBehavior", "ScreenRecordingBehavior"}, Plain: true}),
		Errors: func(p *Node) Errors {
			e := Errors{Required: []string{noMatch, "ChannelMismatch"}}
			if p.Get("ChatBehavior") != nil {
				e.Required = append(e.Required, "InFlightRedactionConfigurationFailed")
			}
			return e
		},
	},
	{
		Name: "UpdateContactMediaStreamingBehavior", Flows: Inbound | Transfer | CustomerQueue | Whisper,
		Parameters: properties(
			required("MediaStreamingState", oneOf("Enabled", "Disabled")),
			required("Participants", listOf(object(properties(
				required("ParticipantType", oneOf("Customer")),
				required("MediaDirections", listOf(oneOf("From", "To"), 1, 2)),
			)), 1, 0)),
			required("MediaStreamType", oneOf("Audio")),
		),
		Errors: errorsOf(noMatch),
	},
	{
		Name: "UpdateContactMediaProcessing",
		Parameters: properties(required("ChatProcessor", object(properties(
			required("ProcessingEnabled", truth()),
			required("LambdaProcessorARN", lambda),
			required("ChatProcessorSettings", object(properties(required("DeliverUnprocessedMessages", truth())))),
		)))),
		Errors: errorsOf(noMatch, "ChannelMismatch"),
	},
	{
		Name: "UpdateContactCallbackNumber", Flows: Inbound | Transfer | CustomerQueue,
		Parameters: properties(required("CallbackNumber", Value{Form: Text, Dynamic: PathOnly})),
		Errors:     errorsOf("InvalidCallbackNumber", "CallbackNumberNotDialable"), // and no other
	},
	{
		// The service checks neither voice nor engine, and needs no error branch.
		Name: "UpdateContactTextToSpeechVoice",
		Parameters: properties(
			required("TextToSpeechVoice", text()),
			optional("TextToSpeechEngine", text()),
			optional("TextToSpeechStyle", dynamic(oneOf("None", "Conversational", "Newscaster"))),
		),
		Errors: errorsMay(noMatch),
	},
	{
		Name: "UpdatePreviousContactParticipantState", Flows: Inbound | Transfer,
		Parameters: properties(required("PreviousContactParticipantState", oneOf("AgentOnHold", "CustomerOnHold", "OffHold"))),
		Errors:     errorsOf(noMatch),
	},
	{
		Name: "CompleteOutboundCall", Flows: Inbound | OutboundWhisper,
		Parameters: properties(
			optional("CallerId", object(properties(required("Number", whole())))),
			optional("VoiceConnector", object(properties(
				required("VoiceConnectorType", oneOf("ChimeConnector")),
				required("VoiceConnectorArn", text()),
				required("FromUser", text()),
				required("ToUser", text()),
				optional("UserToUserInformation", text()),
			))),
			optional("ConnectionTimeLimitSeconds", number(1, 600)),
		),
	},
	{
		Name:       "TagContact",
		Parameters: properties(required("Tags", Value{Form: Map, Of: &anyText, Min: 1, Max: 6})).check(noSystemTags),
		Errors:     errorsOf(noMatch), // the page has none
	},
	untag("UnTagContact"), // as its page is called
	untag("UntagContact"),
	{
		Name: "CreateTask",
		Parameters: properties(
			optional("ContactFlowId", resource(domain.KindContactFlow)),
			optional("TaskTemplateId", static(resource(domain.KindTaskTemplate))),
			required("Name", text()),
			optional("Description", text()),
			optional("Attributes", mapOf(text())),
			optional("References", mapOf(anything())),
			optional("DelaySeconds", number(1, 518400)),
			optional("ScheduledTime", whole()),
		).with(atMostOne("DelaySeconds", "ScheduledTime")).check(func(c *checker, n *Node, a at) {
			if n.Get("ContactFlowId") == nil && n.Get("TaskTemplateId") == nil {
				c.missing(n, a.member("ContactFlowId"), RuleOneOf, "or TaskTemplateId, whose template names a flow")
			}
		}),
		Errors: errorsOf(noMatch),
	},
	{
		// The console gives it the branches of the module as conditions, and an
		// input; neither is on the page.
		Name: "InvokeFlowModule", Flows: Inbound,
		Parameters: properties(
			required("FlowModuleId", embedded(resource(domain.KindContactFlowModule))),
			optional("Input", mapOf(anything())),
		),
		Errors: func(*Node) Errors {
			return Errors{Required: []string{noMatch}, Optional: []string{noCondition}}
		},
		Conditions: conditions(Conditions{Operators: equals}),
	},
	{
		Name:       endModule,
		Parameters: properties(optional("Result", whole()), optional("ResultData", mapOf(anything()))),
		Terminal:   true,
	},
	{
		Name: "StartOutboundChatContact",
		Parameters: properties(
			required("SourceEndpoint", endpoint("CONNECT_PHONENUMBER_ARN")),
			required("DestinationEndpoint", endpoint("TELEPHONE_NUMBER")),
			required("ContactFlowArn", resource(domain.KindContactFlow)),
			required("ContactSubtype", oneOf("connect:SMS")),
			optional("InitialSystemMessage", object(properties(required("Content", text())))),
			optional("RelatedContact", oneOf("CURRENT")),
		).open(),
		Errors: errorsOf(noMatch),
	},
	{
		Name: "CreateCase", Service: "Cases",
		Parameters: properties(
			required("LinkContactToCase", lowerTruth()),
			required("CaseTemplateId", whole()),
			optional("CaseRequestFields", mapOf(anything())),
			optional("ContactToLink", oneOf("Current", "Related")),
		),
		Errors: caseErrors(),
	},
	{
		Name: "GetCase", Service: "Cases",
		Parameters: properties(
			required("LinkContactToCase", lowerTruth()),
			required("GetLastUpdatedCase", lowerTruth()),
			optional("CustomerId", whole()),
			optional("CaseRequestFields", mapOf(anything())),
			optional("CaseResponseFields", anything()),
			optional("ContactToLink", oneOf("Current", "Related")),
		),
		Errors: caseErrors("MultipleFound", "NoneFound"),
	},
	{
		Name: "UpdateCase", Service: "Cases",
		Parameters: properties(
			required("LinkContactToCase", lowerTruth()),
			required("CaseId", whole()),
			optional("CaseRequestFields", mapOf(anything())),
			optional("ContactToLink", oneOf("Current", "Related")),
		),
		Errors: caseErrors(),
	},
	{
		Name: "CreateWisdomSession", Service: "AI agents",
		Parameters: properties(required("WisdomAssistantArn", whole())),
		Errors:     errorsOf(noMatch),
	},
	{Name: "ResumeContact", Errors: errorsOf(noMatch)},
	{
		// Administrator guide, "Get stored content".
		Name: "LoadContactContent", Service: "e-mail",
		Parameters: properties(required("ContentType", oneOf("EmailMessage"))),
		Errors:     errorsOf(noMatch),
	},
	{
		// Administrator guide, "Create persistent contact association".
		Name: "CreatePersistentContactAssociation",
		Parameters: properties(
			required("RehydrationType", oneOf("ENTIRE_PAST_SESSION", "FROM_SEGMENT")),
			required("SourceContactId", whole()),
			optional("ClientToken", text()),
		),
		Errors: errorsOf(noMatch),
	},
	// The console makes these three of the block "Send message". Beyond their
	// names and errors little is known of them.
	{
		Name: "RenderMessageTemplate", Service: "message templates",
		Parameters: properties(
			required("WisdomKnowledgeBaseArn", whole()), required("WisdomMessageTemplateArn", whole()),
		).open(),
		Errors: errorsOf(noMatch, "TemplateRenderingError"),
	},
	{
		Name: "CreateContact", Service: "outbound messages",
		Parameters: properties(required("Channel", oneOf("EMAIL", "CHAT", "VOICE", "TASK"))).open(),
		Errors:     errorsOf(noMatch),
	},
	{
		Name: "StartOutboundEmailContact", Service: "e-mail",
		Parameters: properties(
			required("FromEmailAddress", object(properties(required("EmailAddress", whole())).open())),
			required("DestinationEmailAddress", anything()),
		).open(),
		Errors: errorsOf(noMatch),
	},
	{
		// Known by name alone, so its parameters are not checked.
		Name: "RouteContactToAgent", Service: "routing by agent", Parameters: properties().open(),
		Errors:     func(*Node) Errors { return Errors{Required: []string{noMatch}, Any: true} },
		Conditions: conditions(Conditions{Operators: equals}),
	},
}

var (
	anyText  = text()
	flowHook = &Value{Form: Text, Dynamic: Single, Kind: domain.KindContactFlow}
	// lambda is a function. The service takes any that its own policy lets it
	// call, associated with the instance or not.
	lambda = Value{Form: Text, Kind: domain.KindLambdaFunction, Elsewhere: true}
)

// routingCriteria has two names: the service refuses that of its page
// (docs/divergences.md).
func routingCriteria(name string) ActionType {
	condition := object(properties(
		required("Name", Value{Form: Text, Min: 1, Max: 64}),
		required("Value", Value{Form: Text, Min: 1, Max: 64}),
		required("ProficiencyLevel", Value{Form: Decimal, Dynamic: Single, Min: 1, Max: 5}),
		required("ComparisonOperator", oneOf("NumberGreaterOrEqualTo")),
	))
	single := object(properties(required("AttributeCondition", condition)))
	return ActionType{
		Name: name, Flows: Inbound | CustomerQueue | Transfer,
		Parameters: properties(required("RoutingCriteria", object(properties(
			required("Steps", listOf(object(properties(
				required("Expression", object(properties(
					optional("AttributeCondition", condition),
					optional("AndExpression", listOf(single, 1, 0)),
				).with(exactlyOne("AttributeCondition", "AndExpression")))),
				optional("Expiry", object(properties(required("DurationInSeconds", static(positive()))))),
			)), 1, 0)),
		)))),
		Errors: errorsOf(noMatch),
	}
}

// untag has two names: the service refuses that of its page
// (docs/divergences.md).
func untag(name string) ActionType {
	return ActionType{
		Name:       name,
		Parameters: properties(required("TagKeys", listOf(static(text()), 1, 0))).check(noSystemTags),
		Errors:     errorsOf(noMatch),
	}
}

// noSystemTags refuses keys that belong to AWS.
func noSystemTags(c *checker, n *Node, a at) {
	const hint = "tags that begin with aws: cannot be changed"
	if tags := n.Get("Tags"); tags != nil {
		for _, m := range tags.Members {
			if strings.HasPrefix(m.Name, "aws:") {
				c.unknown(m.Offset, a.member("Tags").member(m.Name), RuleValue, hint)
			}
		}
	}
	if keys := n.Get("TagKeys"); keys != nil {
		for i, k := range keys.Items {
			if strings.HasPrefix(k.String(), "aws:") {
				c.invalid(k.Offset, a.member("TagKeys").item(i), RuleValue, hint)
			}
		}
	}
}

func endpoint(kind string) Value {
	return object(properties(required("Address", whole()), required("Type", oneOf(kind))))
}

// caseErrors are the branches of the actions for cases. ContactNotLinked is
// there when the contact is linked.
func caseErrors(more ...string) func(*Node) Errors {
	return func(p *Node) Errors {
		e := Errors{Required: []string{noMatch}, Optional: more}
		if !has(p, "LinkContactToCase", "false") {
			e.Optional = append([]string{"ContactNotLinked"}, more...)
		}
		return e
	}
}

// bothRecorded refuses analytics of a call of which not both sides are
// recorded.
func (c *checker) bothRecorded(recording, analytics *Node, a at) {
	recorded := recording.Get("RecordedParticipants")
	if !contains(recorded, "Agent") || !contains(recorded, "Customer") {
		c.unknown(analytics.Offset, a, RuleDepends, "only when both Agent and Customer are recorded")
	}
}

// contains reports whether a list has a text.
func contains(list *Node, text string) bool {
	if list == nil {
		return false
	}
	for _, item := range list.Items {
		if item.String() == text {
			return true
		}
	}
	return false
}
