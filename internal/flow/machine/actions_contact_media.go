package machine

import "regexp"

// The types of actions that decide on recording and analytics. The later of
// them counts.
const (
	recordingAction = "UpdateContactRecordingBehavior"
	analyticsAction = "UpdateContactRecordingAndAnalyticsBehavior"
)

// channelMismatch is the error of behaviour that is for another channel.
const channelMismatch = "ChannelMismatch"

// behave keeps the parameters of the action at work on the contact, in the place
// of what an earlier one of its type has left.
func (x *step) behave(parameters map[string]any) {
	c := x.subject.Contact
	c.Behavior = with(c.Behavior, map[string]any{x.action.Type: parameters})
}

// recordingBehavior says what is recorded of a call or analysed. There is no
// error branch, so on tasks and e-mails it is without effect (administrator
// guide, "Set recording and analytics behavior").
func recordingBehavior(x *step) {
	if x.voice() || x.chat() {
		x.behave(x.params)
		delete(x.subject.Contact.Behavior, analyticsAction) // a fresh map, by behave
		if x.has("AnalyticsBehavior") {
			x.subject.change(changedAnalytics)
		}
	}
	x.next()
}

// recordingAndAnalytics sets the behaviour of one channel, or of screen
// recording, and leaves the rest as it is (administrator guide, "Set recording,
// analytics and processing behavior").
func recordingAndAnalytics(x *step) {
	task := x.subject.Contact.Channel == "TASK"
	if x.has("VoiceBehavior") && !x.voice() || x.has("ChatBehavior") && !x.chat() || x.has("ScreenRecordingBehavior") && !x.voice() && !task {
		x.fail(channelMismatch)
		return
	}
	if !goodLanguage(x.object("VoiceBehavior")["VoiceAnalyticsBehavior"]) || !goodLanguage(x.object("ChatBehavior")["ChatAnalyticsBehavior"]) {
		x.fail(NoMatchingError)
		return
	}
	before, _ := x.subject.Contact.Behavior[analyticsAction].(map[string]any)
	x.behave(with(before, x.params))
	if !x.has("ScreenRecordingBehavior") {
		delete(x.subject.Contact.Behavior, recordingAction) // a fresh map, by behave
		x.subject.change(changedAnalytics)
	}
	chat, _ := x.object("ChatBehavior")["ChatAnalyticsBehavior"].(map[string]any)
	if inFlight, _ := chat["InFlightChatRedactionConfiguration"].(map[string]any); textOf(inFlight["Enabled"]) == "True" {
		service(x)
		return
	}
	x.next()
}

// language is how the language of analytics is written, such as en-US.
var language = regexp.MustCompile(`^[a-z]{2,3}-[A-Z]{2}$`)

// goodLanguage reports whether analytics name a language, if they name one:
// it may come from the contact.
func goodLanguage(analytics any) bool {
	o, _ := analytics.(map[string]any)
	name, given := o["AnalyticsLanguage"]
	return !given || language.MatchString(textOf(name))
}

// redactionSet ends the action once redaction of messages on their way has been
// asked for. Everything else is done by then, whatever the answer.
func redactionSet(x *step, _ *Wait, ev Event) bool {
	switch {
	case ev.Kind != Replied:
		return false
	case ev.Reply.Err != "":
		x.fail("InFlightRedactionConfigurationFailed")
	default:
		x.next()
	}
	return true
}

// mediaStreaming begins or ends to stream a call.
func mediaStreaming(x *step) {
	if !x.voice() {
		x.fail(NoMatchingError)
		return
	}
	x.behave(x.params)
	x.next()
}

// mediaProcessing has a function process the messages of a chat.
func mediaProcessing(x *step) {
	if !x.chat() {
		x.fail(channelMismatch)
		return
	}
	processor := x.object("ChatProcessor")
	if textOf(processor["ProcessingEnabled"]) == "True" && textOf(processor["LambdaProcessorARN"]) == "" {
		x.fail(NoMatchingError)
		return
	}
	x.behave(x.params)
	x.next()
}

// participantState holds the participants of the call before this one.
func participantState(x *step) {
	if !x.voice() {
		x.fail(NoMatchingError)
		return
	}
	x.ask(Request{Hold: &HoldRequest{State: x.text("PreviousContactParticipantState")}})
}

// completeOutboundCall dials. When that fails the flow ends: there is no error
// branch (administrator guide, "Call phone number"). A voice connector is an
// outside service.
func completeOutboundCall(x *step) {
	switch {
	case !x.voice():
		x.fail(NoMatchingError)
	case x.has("VoiceConnector"):
		service(x)
	default:
		x.ask(Request{Dial: &DialRequest{CallerID: textOf(x.object("CallerId")["Number"]), Limit: x.seconds("ConnectionTimeLimitSeconds")}})
	}
}
