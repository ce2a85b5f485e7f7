package machine

// participantHandlers are those of flow's participantActions.
var participantHandlers = map[string]handler{
	"MessageParticipant":    {begin: messageParticipant, event: messageHeard},
	"DisconnectParticipant": {begin: func(x *step) { x.end(Disconnected, "") }},
}

// messageParticipant tells the participant one message. SSML and prompts can
// only be heard.
func messageParticipant(x *step) {
	m, ok := x.message()
	if !ok {
		x.fail(NoMatchingError)
		return
	}
	x.say(Say{Messages: []Message{m}})
}

func messageHeard(x *step, _ *Wait, ev Event) bool {
	if ev.Kind != Said {
		return false
	}
	if ev.Err != "" {
		x.fail(ev.Err)
		return true
	}
	x.next()
	return true
}

// message is what the parameters say, false when there is none that the
// contact's channel can take.
func (x *step) message() (Message, bool) {
	media := x.object("Media")
	m := Message{Text: x.text("Text"), SSML: x.text("SSML"), Prompt: x.text("PromptId"), Media: textOf(media["Uri"])}
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
