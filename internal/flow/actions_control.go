package flow

import (
	"slices"

	"ringdown/internal/domain"
)

// controlActions are those of "Flow control actions in the Amazon Connect Flow
// language".
var controlActions = []ActionType{
	{
		// Without an id the hours of the target queue are checked.
		Name: "CheckHoursOfOperation", Flows: Inbound | Transfer | CustomerQueue,
		Parameters: properties(optional("HoursOfOperationId", resource(domain.KindHoursOfOperation))),
		Errors:     errorsOf(noMatch),
		Conditions: allOf("True", "False"),
	},
	{
		// The page has NoMatchingCondition for two metrics only, but the service
		// wants it for all. Without queue or agent it is the target queue.
		Name: "CheckMetricData", Flows: Inbound | Transfer | CustomerQueue,
		Parameters: properties(append(queueOrAgent,
			required("MetricType", oneOf(slices.Concat(agentMetrics, []string{"OldestContactInQueueAgeSeconds", "NumberOfContactsInQueue"})...)),
		)...).with(atMostOne("QueueId", "AgentId")),
		Errors: errorsOf(noMatch, noCondition),
		Conditions: func(p *Node) Conditions {
			if slices.Contains(agentMetrics, p.Get("MetricType").String()) {
				return Conditions{Operators: []string{"NumberGreaterThan"}, Values: []string{"0"}, Complete: true}
			}
			return Conditions{
				Operators: []string{"Equals", "NumberGreaterThan", "NumberGreaterOrEqualTo", "NumberLessThan", "NumberLessOrEqualTo"},
				Numbers:   true, Min: 1,
			}
		},
	},
	{
		Name:       "GetMetricData",
		Parameters: properties(append(queueOrAgent, optional("QueueChannel", dynamic(oneOf("Voice", "Chat"))))...).with(atMostOne("QueueId", "AgentId")),
		Errors:     errorsOf(noMatch),
	},
	{
		// The service refuses NoMatchingError.
		Name:       "Compare",
		Parameters: properties(required("ComparisonValue", Value{Form: Text, Dynamic: PathOnly})),
		Errors:     errorsOf(noCondition),
		Conditions: conditions(Conditions{Operators: operators, Min: 1}),
	},
	{
		// The result is a number from 1 to 100, and each threshold is 1 more than
		// the percentages so far: 4, 10 and 18 for 3, 6 and 8 percent.
		Name: "DistributeByPercentage", Flows: Inbound | Transfer | CustomerQueue,
		Errors:     errorsOf(noCondition),
		Conditions: conditions(Conditions{Operators: []string{"NumberLessThan"}, Numbers: true, Ascending: true, Max: 100, Min: 1}),
	},
	{
		Name:       "Loop",
		Parameters: properties(required("LoopCount", number(0, 100))),
		Errors:     errorsMay(noMatch),
		Conditions: allOf("ContinueLooping", "DoneLooping"),
	},
	{
		// The page calls the parameter TimeoutSeconds, which the service refuses.
		Name: "Wait",
		Parameters: properties(
			required("TimeLimitSeconds", number(1, 604800)),
			optional("Events", listOf(oneOf(waitEvents...), 0, 2)),
		),
		Errors: func(p *Node) Errors {
			e := Errors{Required: []string{noMatch}}
			if contains(p.Get("Events"), botLeft) {
				e.Optional = []string{"ParticipantNotFound"}
			}
			return e
		},
		Conditions: func(p *Node) Conditions {
			values := []string{"WaitCompleted"}
			for _, event := range waitEvents {
				if contains(p.Get("Events"), event) {
					values = append(values, event)
				}
			}
			return Conditions{Operators: equals, Values: values, Complete: true}
		},
	},
	{
		Name: "TransferToFlow", Flows: Inbound | Transfer,
		Parameters: properties(required("ContactFlowId", resource(domain.KindContactFlow))),
		Errors:     errorsOf(noMatch),
	},
	// Its page has it in whisper flows and customer queue flows alone, that of the
	// block in all, and says what it does in an inbound flow (administrator guide,
	// "End flow / Resume").
	{Name: "EndFlowExecution", Terminal: true},
	{
		// As console exports have it: the page's object is no JSON, and it has no
		// errors where the service wants NoMatchingError.
		Name: "UpdateFlowAttributes",
		Parameters: properties(required("FlowAttributes", mapOf(object(properties(
			required("Value", text()), optional("Type", oneOf("String")),
		))))),
		Errors: errorsOf(noMatch),
	},
	{
		Name:       "UpdateFlowLoggingBehavior",
		Parameters: properties(required("FlowLoggingBehavior", oneOf("Enabled", "Disabled"))),
	},
	{
		Name:       "CheckOutboundCallStatus",
		Errors:     errorsOf(noMatch),
		Conditions: anyOf("CallAnswered", "VoicemailBeep", "VoicemailNoBeep", "NotDetected"),
	},
	{
		// Results have spaces on the page and, as it seems, none on the wire.
		Name: "CheckVoiceId", Service: "Voice ID",
		Flows:      Inbound | Transfer | CustomerQueue | Whisper,
		Parameters: properties(required("CheckVoiceIdOption", oneOf("enrollmentStatus", "voiceAuthentication", "fraudDetection"))),
		Errors:     errorsOf(noMatch),
		Conditions: func(p *Node) Conditions {
			c := Conditions{Operators: equals, Min: 1}
			switch p.Get("CheckVoiceIdOption").String() {
			case "enrollmentStatus":
				c.Values = []string{"Enrolled", "NotEnrolled", "Not enrolled", "OptedOut", "Opted out"}
			case "voiceAuthentication":
				c.Values = []string{
					"Authenticated", "NotAuthenticated", "Not authenticated", "Inconclusive",
					"NotEnrolled", "Not enrolled", "OptedOut", "Opted out",
				}
			case "fraudDetection":
				c.Values = []string{"HighRisk", "High risk", "LowRisk", "Low risk", "Inconclusive"}
			}
			return c
		},
	},
	{Name: "StartVoiceIdStream", Service: "Voice ID", Flows: Inbound | Transfer | CustomerQueue | Whisper, Errors: errorsOf(noMatch)},
	{
		// Known by name alone, so its parameters are not checked.
		Name: "CheckSegmentMembership", Service: "Customer Profiles", Parameters: properties().open(),
		Errors:     func(*Node) Errors { return Errors{Required: []string{noMatch}, Any: true} },
		Conditions: conditions(Conditions{Operators: equals}),
	},
}

// agentMetrics can only be compared with nobody.
var agentMetrics = []string{"NumberOfAgentsAvailable", "NumberOfAgentsStaffed", "NumberOfAgentsOnline"}

// waitEvents end a wait before its time.
var waitEvents = []string{"CustomerReturned", botLeft}

const botLeft = "BotParticipantDisconnected"
