package contact

import (
	"time"

	"github.com/aws/aws-sdk-go-v2/service/connect/types"

	"ringdown/internal/domain"
	"ringdown/internal/flow/machine"
)

// defaultRing is how long an outbound call rings (API reference,
// StartOutboundVoiceContact).
const defaultRing = 60 * time.Second

// dial places the call of an outbound contact, once this is stored.
func (t *Transition) dial() {
	d := t.st.Dial
	if t.m.opts.Dialer == nil {
		t.disconnect("TELECOM_PROBLEM")
		return
	}
	ring := d.RingTimeout
	if ring == 0 {
		ring = defaultRing
	}
	l := t.live
	call := Call{Instance: t.in, ContactID: t.id, To: d.To, From: d.From, FromName: d.FromName, RingTimeout: ring}
	t.After(func() { l.leg = l.m.opts.Dialer.Dial(call, l.heard) })
}

// heard takes what the customer's leg tells to the owner. It may block.
func (l *live) heard(ev LegEvent) {
	l.send(func(t *Transition) { t.legEvent(ev) })
}

// Hear is what an inbound leg tells its events to.
func (m *Manager) Hear(in Instance, id domain.ContactID) func(LegEvent) {
	return func(ev LegEvent) {
		if l := m.find(in, id); l != nil {
			l.heard(ev)
		}
	}
}

func (t *Transition) legEvent(ev LegEvent) {
	if t.c.Ended() {
		return
	}
	switch ev.Kind {
	case LegRinging:
		if t.c.RingStartedAt.IsZero() {
			t.c.RingStartedAt = t.at
		}
	case LegAnswered:
		t.connected()
		if t.st.Callback != nil {
			t.callbackAnswered()
			return
		}
		t.st.Dial = nil
		t.enter()
	case LegDigit:
		t.step(customer, machine.Event{At: t.at, Kind: machine.Digit, Text: ev.Text})
	case LegSaid:
		t.step(customer, machine.Event{At: t.at, Kind: machine.Said, Seq: ev.Seq})
	case LegEnded:
		t.leg = nil
		if t.c.ConnectedAt.IsZero() && t.callbackFailed() {
			return
		}
		t.disconnect(ev.Reason)
	}
}

// say has messages heard: on a call by the leg, in a chat in the transcript.
// What nobody can hear is answered at once.
func (t *Transition) say(s side, say machine.Say) *machine.Event {
	said := &machine.Event{At: t.at, Kind: machine.Said, Seq: say.Seq}
	if t.c.Channel == types.ChannelChat && s == customer {
		for _, m := range say.Messages {
			t.post(systemMessage(m.Text))
		}
		return said
	}
	if t.c.Channel != types.ChannelVoice || s != customer {
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
	l := t.live
	t.After(func() {
		if l.leg != nil {
			l.leg.Say(say.Seq, sounds, say.Loop)
		}
	})
	return nil
}

// hush ends what plays.
func (t *Transition) hush(s side) {
	if l := t.live; s == customer && t.c.Channel == types.ChannelVoice {
		t.After(func() {
			if l.leg != nil {
				l.leg.Hush()
			}
		})
	}
}

// flowDial answers CompleteOutboundCall. The call of the contact has been
// dialled when its flow begins, so there is nothing left to do; whose number it
// shows was decided then.
func (t *Transition) flowDial(*machine.DialRequest) machine.Reply {
	if t.leg == nil {
		return failed
	}
	return machine.Reply{}
}

// thirdParty is a call to a telephone number that the customer is to talk to.
type thirdParty struct {
	Side     side
	Seq      int
	Continue bool
	Answered bool `json:",omitempty"`
}

// thirdParty dials a telephone number for the customer (administrator guide,
// "Transfer to phone number").
func (t *Transition) thirdParty(s side, r *machine.Request) (machine.Reply, bool) {
	p := r.ThirdParty
	if t.leg == nil || t.m.opts.Dialer == nil {
		return machine.Reply{Err: "CallFailed"}, true
	}
	t.st.Third = &thirdParty{Side: s, Seq: r.Seq, Continue: p.Continue}
	t.c.TransferredTo = &types.EndpointInfo{Type: types.EndpointTypeTelephoneNumber, Address: &p.Number}
	l := t.live
	from := p.CallerID
	if from == "" && t.c.System != nil && t.c.System.Address != nil {
		from = *t.c.System.Address
	}
	call := Call{Instance: t.in, ContactID: t.id, To: p.Number, From: from, FromName: p.CallerName, RingTimeout: p.Limit}
	digits := p.Digits
	t.After(func() {
		l.third = l.m.opts.Dialer.Dial(call, func(ev LegEvent) { l.send(func(t *Transition) { t.thirdEvent(ev, digits) }) })
	})
	return machine.Reply{}, false
}

func (t *Transition) thirdEvent(ev LegEvent, digits string) {
	third := t.st.Third
	if third == nil || t.c.Ended() {
		return
	}
	switch ev.Kind {
	case LegAnswered:
		third.Answered = true
		l := t.live
		t.After(func() {
			if l.third != nil && l.leg != nil {
				if digits != "" {
					l.third.Type(digits)
				}
				l.leg.Join(l.third)
			}
		})
		if !third.Continue {
			t.step(third.Side, machine.Event{At: t.at, Kind: machine.Replied, Seq: third.Seq, Reply: machine.Reply{Result: "Connected"}})
		}
	case LegEnded:
		t.third, t.st.Third = nil, nil
		reply := machine.Reply{}
		switch {
		case third.Answered && !third.Continue:
			t.disconnect("THIRD_PARTY_DISCONNECT")
			return
		case !third.Answered && ev.Reason == "TELECOM_UNANSWERED":
			reply.Err = "ConnectionTimeLimitExceeded"
		case !third.Answered:
			reply.Err = "CallFailed"
		}
		t.step(third.Side, machine.Event{At: t.at, Kind: machine.Replied, Seq: third.Seq, Reply: reply})
	case LegRinging, LegDigit, LegSaid:
	}
}
