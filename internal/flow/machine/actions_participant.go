package machine

import (
	"regexp"
	"strings"
	"time"
)

// participantHandlers are those of flow's participantActions.
var participantHandlers = map[string]handler{
	"MessageParticipant":              {begin: messageParticipant, event: messageHeard},
	"MessageParticipantIteratively":   {begin: loopMessages, event: messagesLooped},
	"GetParticipantInput":             {begin: participantInput, event: inputGiven},
	"ConnectParticipantWithLexBot":    {begin: connectBot, event: answered(concluded)},
	"ShowView":                        {begin: showView, event: limited("TimeLimitExceeded", concluded)},
	"DisconnectParticipant":           {begin: func(x *step) { x.end(Disconnected, "") }},
	"TransferParticipantToThirdParty": {begin: toThirdParty, event: answered(thirdPartyLeft)},
	"AuthenticateParticipant":         {begin: authenticate, event: limited("TimeLimitExceeded", concluded)},
	"ConnectParticipantWithAgenticCX": {begin: service, event: answered(concluded)},
}

// concluded takes over what a service has answered: its data, and the result that
// conditions are compared with.
func concluded(x *step, r *Reply) {
	for name, value := range r.Data {
		x.store(name, value)
	}
	x.result(r.Result)
}

// limited is answered for actions with a timer, whose end is an error.
func limited(errorType string, then func(x *step, r *Reply)) func(*step, *Wait, Event) bool {
	reply := answered(then)
	return func(x *step, w *Wait, ev Event) bool {
		if ev.Kind != Expired {
			return reply(x, w, ev)
		}
		x.fail(errorType)
		return true
	}
}

// truth reports whether a parameter says yes; the language spells it True and
// true.
func (x *step) truth(name string) bool { return strings.EqualFold(x.text(name), "true") }

// messageParticipant tells the participant one message. Where the flow lets
// digits be typed ahead, a message may give way to them (administrator guide,
// "Touchtone buffering").
func messageParticipant(x *step) {
	m, ok := x.message()
	if !ok {
		x.fail(NoMatchingError)
		return
	}
	givesWay := x.voice() && x.run.Buffering && x.truth("SkipWhenDTMFBufferEnabled")
	if givesWay && x.run.Buffer != "" {
		x.noted("The prompt was skipped.")
		return
	}
	x.say(Say{Messages: []Message{m}, Interruptible: givesWay})
}

func messageHeard(x *step, _ *Wait, ev Event) bool {
	switch {
	case ev.Kind == Said && ev.Err != "":
		x.fail(ev.Err)
	case ev.Kind == Said:
		x.next()
	case ev.Kind == Digit && x.run.Buffering && x.truth("SkipWhenDTMFBufferEnabled"):
		x.hush()
		x.typeAhead(ev.Text)
		x.noted("The prompt was interrupted.")
	default:
		return false
	}
	return true
}

// noted is next with a note in the log.
func (x *step) noted(note string) {
	x.note = note
	x.next()
}

// message is what the parameters say, false when there is none that the
// contact's channel can take.
func (x *step) message() (Message, bool) { return x.messageOf(x.params) }

// messageOf is the message that an object holds.
func (x *step) messageOf(o map[string]any) (Message, bool) {
	media, _ := o["Media"].(map[string]any)
	m := Message{Text: textOf(o["Text"]), SSML: textOf(o["SSML"]), Prompt: textOf(o["PromptId"]), Media: textOf(media["Uri"])}
	if x.voice() {
		return m, m != Message{}
	}
	// A chat shows the tags of SSML as they are (administrator guide, "Add text
	// to speech to prompts").
	if m.SSML != "" {
		return Message{Text: m.SSML}, x.chat()
	}
	return Message{Text: m.Text}, x.chat() && m.Text != ""
}

// loopMessages has messages heard again and again, on calls only. In flows from
// before the action had an error branch, another channel ends the flow, and the
// contact stays where it is (administrator guide, "Loop prompts").
func loopMessages(x *step) {
	x.frame.Looping = ""
	list, _ := x.params["Messages"].([]any)
	messages := make([]Message, 0, len(list))
	for _, item := range list {
		o, _ := item.(map[string]any)
		if m, ok := x.messageOf(o); ok {
			messages = append(messages, m)
		}
	}
	switch {
	case !x.voice() && len(x.action.Transitions.Errors) == 0:
		x.end(Finished, "Messages are looped on calls only. The contact stays where it is.")
		return
	case !x.voice(), len(messages) == 0:
		x.fail(NoMatchingError)
		return
	}
	x.say(Say{Messages: messages, Loop: true})
	if every := x.seconds("InterruptFrequencySeconds"); every > 0 {
		x.timer(every)
	}
}

// messagesLooped interrupts the loop. The flow comes back to it, and begins
// with the first message again, when the interruption ends.
func messagesLooped(x *step, w *Wait, ev Event) bool {
	switch {
	case ev.Kind == Said && ev.Err != "":
		x.fail(ev.Err)
	case ev.Kind == Said: // a loop has no end
		w.Talking = true
	case ev.Kind == Expired:
		x.hush()
		x.frame.Looping = x.action.Identifier
		x.result("MessagesInterrupted")
	default:
		return false
	}
	return true
}

// connectBot hands the conversation to a bot. Digits that were typed ahead are
// not for it (administrator guide, "Touchtone buffering").
func connectBot(x *step) {
	if !x.voice() && !x.chat() {
		x.fail(NoMatchingError)
		return
	}
	x.run.Buffering, x.run.Buffer = false, ""
	service(x)
}

// showView shows a view in a chat, for a time.
func showView(x *step) {
	limit, resource := x.seconds("InvocationTimeLimitSeconds"), x.object("ViewResource")
	if !x.chat() || limit == 0 || textOf(resource["Id"]) == "" {
		x.fail(NoMatchingError)
		return
	}
	v := ViewRequest{ID: textOf(resource["Id"]), Version: textOf(resource["Version"]), Input: x.object("ViewData")}
	hide, _ := x.object("SensitiveDataConfiguration")["HideResponseOn"].([]any)
	for _, where := range hide {
		v.HideResponse = v.HideResponse || where == "TRANSCRIPT"
	}
	x.ask(Request{View: &v})
	x.timer(limit)
}

// How long a customer may take to sign in (administrator guide, "Authenticate
// Customer").
const (
	leastSignIn = 3 * time.Minute // the default as well
	mostSignIn  = 15 * time.Minute
)

// authenticate has the customer of a chat sign in.
func authenticate(x *step) {
	if !x.chat() {
		x.fail(NoMatchingError)
		return
	}
	limit := leastSignIn
	if n, ok := x.number("TimeLimitMinutes"); ok {
		limit = min(max(time.Duration(min(n, 60))*time.Minute, leastSignIn), mostSignIn)
	}
	service(x)
	x.timer(limit)
}

// dialString is what can be typed on a call that has been connected: keys, and
// commas for pauses (administrator guide, "Transfer to phone number").
var dialString = regexp.MustCompile(`^[0-9,*#]{0,50}$`)

// mostRinging is how long a third party may take to answer.
const mostRinging = 10 * time.Minute

// continues reports whether the flow goes on after a transfer; it does unless it
// says False.
func (x *step) continues() bool { return !strings.EqualFold(x.text("ContinueFlowExecution"), "false") }

// toThirdParty connects the customer to a telephone number.
func toThirdParty(x *step) {
	caller := x.object("CallerId")
	t := ThirdPartyRequest{
		Number:     x.text("ThirdPartyPhoneNumber"),
		Limit:      min(x.seconds("ThirdPartyConnectionTimeLimitSeconds"), mostRinging),
		Continue:   x.continues(),
		Digits:     x.text("ThirdPartyDTMFDigits"),
		CallerID:   textOf(caller["Number"]),
		CallerName: textOf(caller["Name"]),
	}
	if !x.voice() || !e164.MatchString(t.Number) || t.Limit == 0 || !dialString.MatchString(t.Digits) {
		x.fail(NoMatchingError)
		return
	}
	x.ask(Request{ThirdParty: &t})
}

// thirdPartyLeft goes on when the third party has hung up, if the flow is to go
// on; else the call is theirs as soon as they have answered.
func thirdPartyLeft(x *step, _ *Reply) {
	if x.continues() {
		x.next()
		return
	}
	x.end(Handed, "")
}
