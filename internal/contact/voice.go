package contact

import (
	"cmp"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/connect/types"

	"ringdown/internal/contact/talk"
	"ringdown/internal/domain"
	"ringdown/internal/flow/machine"
)

// defaultRing is how long an outbound call rings (API reference,
// StartOutboundVoiceContact).
const defaultRing = 60 * time.Second

// telecomProblem is the DisconnectReason of calls that the telephony has lost.
const telecomProblem = "TELECOM_PROBLEM"

// dial places the call of an outbound contact, once this is stored.
func (t *Transition) dial() {
	d := t.st.Dial
	if t.m.opts.Dialer == nil {
		if !t.callbackFailed(telecomProblem) {
			t.disconnect(telecomProblem)
		}
		return
	}
	call := Call{
		Instance: t.in, ContactID: t.id, To: d.To, From: d.From, FromName: d.FromName,
		RingTimeout: cmp.Or(d.RingTimeout, defaultRing),
	}
	t.line = t.call(call)
}

// call places a call, once this is stored.
func (t *Transition) call(c Call) *line {
	n := t.newLine()
	t.After(func() { n.leg = n.owner.Load().m.opts.Dialer.Dial(c, n.hear) })
	return n
}

// answer answers the call that the contact begins with, once this is stored.
func (t *Transition) answer() {
	n, call := t.newLine(), t.arrival
	n.leg = call
	t.line = n
	t.After(func() { call.Answer(n.hear) })
}

// legEvent is something that has happened to the customer's leg.
func (t *Transition) legEvent(ev LegEvent) {
	switch ev.Kind {
	case LegRinging:
		if t.c.RingStartedAt.IsZero() {
			t.c.RingStartedAt = t.at
		}
	case LegAnswered:
		t.connected()
		t.st.Dial = nil
		if t.st.Callback != nil {
			t.callbackAnswered()
			return
		}
		t.enter()
	case LegDigit:
		t.step(customer, machine.Event{At: t.at, Kind: machine.Digit, Text: ev.Text})
	case LegSaid:
		t.step(customer, machine.Event{At: t.at, Kind: machine.Said, Seq: ev.Seq})
	case LegEnded:
		t.line = nil
		reason := cmp.Or(ev.Reason, other)
		if !t.callbackFailed(reason) {
			t.disconnect(reason)
		}
	}
}

// say has messages heard: on a call by the leg, in a chat in the transcript.
// What nobody can hear is answered at once.
func (t *Transition) say(s side, say machine.Say) *machine.Event {
	said := &machine.Event{At: t.at, Kind: machine.Said, Seq: say.Seq}
	if t.c.Channel == types.ChannelChat && s == customer {
		for _, m := range say.Messages {
			t.post(talk.System(m.Text))
		}
		return said
	}
	n := t.line
	if t.c.Channel != types.ChannelVoice || s != customer || n == nil {
		if say.Loop { // it has no end
			return nil
		}
		return said
	}
	var sounds []Sound
	for _, m := range say.Messages {
		sound := Sound{Message: m, Language: t.c.Language, Voice: domain.Voice{ID: machine.DefaultVoice}}
		if t.c.Voice != nil {
			sound.Voice = *t.c.Voice
		}
		if m.Prompt != "" {
			p, err := t.m.opts.Configuration.Prompt(t.ctx, t.in, m.Prompt)
			if err != nil {
				said.Err = t.m.notFound(err).Err
				return said
			}
			sound.Prompt = &p
		}
		sounds = append(sounds, sound)
	}
	t.After(func() {
		if n.leg != nil {
			n.leg.Say(say.Seq, sounds, say.Loop)
		}
	})
	return nil
}

// hush ends what plays.
func (t *Transition) hush(s side) {
	n := t.line
	if s != customer || n == nil {
		return
	}
	t.After(func() {
		if n.leg != nil {
			n.leg.Hush()
		}
	})
}

// flowDial answers CompleteOutboundCall. The call of the contact has been
// dialled when its flow begins, so there is nothing left to do; whose number it
// shows was decided then.
func (t *Transition) flowDial(*machine.DialRequest) machine.Reply {
	if t.line == nil {
		return failed
	}
	return machine.Reply{}
}

// thirdParty is a call to a telephone number that the customer is to talk to.
type thirdParty struct {
	Side     side
	Seq      int
	Continue bool   // the flow goes on when the third party has gone
	Digits   string `json:",omitempty"`
	Answered bool   `json:",omitempty"`
}

// thirdParty dials a telephone number for the customer (administrator guide,
// "Transfer to phone number"). Whoever the instance may not call cannot be
// reached.
func (t *Transition) thirdParty(s side, r *machine.Request) (machine.Reply, bool) {
	p := r.ThirdParty
	if t.line == nil || t.st.Third != nil || t.m.opts.Dialer == nil || !t.m.opts.Configuration.Dialable(t.ctx, t.in, p.Number) {
		return machine.Reply{Err: "CallFailed"}, true
	}
	t.st.Third = &thirdParty{Side: s, Seq: r.Seq, Continue: p.Continue, Digits: p.Digits}
	t.c.TransferredTo = &types.EndpointInfo{Type: types.EndpointTypeTelephoneNumber, Address: &p.Number}
	from := p.CallerID
	// Without a number of its own the transfer shows the caller's (administrator
	// guide, "Transfer to phone number").
	if e := t.c.Customer; from == "" && e != nil && e.Address != nil && *e.Address != domain.AnonymousCaller {
		from = *e.Address
	}
	call := Call{Instance: t.in, ContactID: t.id, To: p.Number, From: from, FromName: p.CallerName, RingTimeout: p.Limit}
	if !p.Continue {
		call.For = t.line.leg
	}
	t.third = t.call(call)
	return machine.Reply{}, false
}

// thirdEvent is something that has happened to the third party's leg.
func (t *Transition) thirdEvent(ev LegEvent) {
	third := *t.st.Third
	reply := machine.Event{At: t.at, Kind: machine.Replied, Seq: third.Seq}
	switch ev.Kind {
	case LegAnswered:
		third.Answered = true
		t.st.Third = &third
		// Whoever talks to somebody else does not wait for an agent.
		t.dequeue()
		one, two := t.line, t.third
		t.After(func() {
			if one == nil || one.leg == nil || two.leg == nil {
				return
			}
			if third.Digits != "" {
				two.leg.Type(third.Digits)
			}
			one.leg.Join(two.leg)
		})
		if !third.Continue {
			reply.Reply.Result = "Connected"
			t.step(third.Side, reply)
		}
	case LegEnded:
		t.third, t.st.Third = nil, nil
		switch {
		case third.Answered && !third.Continue:
			t.disconnect("THIRD_PARTY_DISCONNECT")
			return
		case !third.Answered && ev.Reason == "TELECOM_UNANSWERED":
			reply.Reply.Err = "ConnectionTimeLimitExceeded"
		case !third.Answered:
			reply.Reply.Err = "CallFailed"
		}
		if !third.Answered {
			t.c.TransferredTo = nil
		}
		t.step(third.Side, reply)
	case LegRinging, LegDigit, LegSaid:
	}
}

// dropThird ends the call to the third party.
func (t *Transition) dropThird() {
	if n := t.third; n != nil {
		t.After(n.hangup)
	}
	t.third, t.st.Third = nil, nil
}
