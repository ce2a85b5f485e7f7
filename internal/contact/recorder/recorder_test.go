package recorder

import (
	"encoding/json"
	"math/rand/v2"
	"testing"
	"time"
)

func TestBehaviorOf(t *testing.T) {
	t.Parallel()
	for document, want := range map[string]Behavior{
		`{}`: {},
		`{"UpdateContactRecordingBehavior":{"RecordingBehavior":{"RecordedParticipants":["Agent","Customer"]}}}`:                                                                     {Agent: true},
		`{"UpdateContactRecordingBehavior":{"RecordingBehavior":{"RecordedParticipants":["Agent"]}}}`:                                                                                {Agent: true, Track: FromAgent},
		`{"UpdateContactRecordingBehavior":{"RecordingBehavior":{"RecordedParticipants":["Customer"]}}}`:                                                                             {Agent: true, Track: ToAgent},
		`{"UpdateContactRecordingBehavior":{"RecordingBehavior":{"RecordedParticipants":[]}}}`:                                                                                       {},
		`{"UpdateContactRecordingBehavior":{"RecordingBehavior":{"IVRRecordingBehavior":"Enabled"}}}`:                                                                                {IVR: true},
		`{"UpdateContactRecordingBehavior":{"RecordingBehavior":{"IVRRecordingBehavior":"Disabled"}}}`:                                                                               {},
		`{"UpdateContactRecordingBehavior":{"AnalyticsBehavior":{"Enabled":"True"}}}`:                                                                                                {},
		`{"UpdateContactRecordingBehavior":{"RecordingBehavior":"Enabled"}}`:                                                                                                         {},
		`{"UpdateContactRecordingAndAnalyticsBehavior":{"VoiceBehavior":{"VoiceRecordingBehavior":{"RecordedParticipants":["Customer","Agent"],"IVRRecordingBehavior":"Enabled"}}}}`: {IVR: true, Agent: true},
		// Of screens alone: what was said of calls before still holds.
		`{"UpdateContactRecordingAndAnalyticsBehavior":{"ScreenRecordingBehavior":{"ScreenRecordedParticipants":["Agent"]}},
		  "UpdateContactRecordingBehavior":{"RecordingBehavior":{"IVRRecordingBehavior":"Enabled"}}}`: {IVR: true},
		`{"UpdateContactRecordingAndAnalyticsBehavior":{"VoiceBehavior":{"VoiceAnalyticsBehavior":{"Enabled":"True"}}}}`: {},
	} {
		var actions map[string]any
		if err := json.Unmarshal([]byte(document), &actions); err != nil {
			t.Fatal(err)
		}
		if got := BehaviorOf(actions); got != want {
			t.Errorf("%s: %+v", document, got)
		}
	}
}

func TestNext(t *testing.T) {
	t.Parallel()
	both := Behavior{IVR: true, Agent: true}
	flow, agent, over := Call{Behavior: both, Connected: true}, Call{Behavior: both, Connected: true, WithAgent: true}, Call{Behavior: both, Over: true}
	without := func(c Call) Call {
		c.Behavior = Behavior{}
		return c
	}
	for name, c := range map[string]struct {
		tape Tape
		call Call
		ivr  State
		then State // of an agent's
	}{
		"nothing wanted":                {Tape{}, without(flow), "", ""},
		"rings":                         {Tape{}, Call{Behavior: both}, "", ""},
		"in the flow":                   {Tape{}, flow, On, ""},
		"with an agent":                 {Tape{}, agent, "", On},
		"over before":                   {Tape{}, over, "", ""},
		"asked for":                     {Tape{Asked: true}, without(flow), On, ""},
		"asked for, with an agent":      {Tape{Asked: true}, without(agent), "", On},
		"on":                            {Tape{State: On}, flow, On, Stopped},
		"on, wanted no more":            {Tape{State: On}, without(flow), Suspended, Stopped},
		"off, wanted again":             {Tape{State: Suspended}, flow, On, Stopped},
		"asked for, not by the flow":    {Tape{State: On, Asked: true}, without(flow), On, Stopped},
		"paused":                        {Tape{State: On, Paused: true}, agent, Stopped, Suspended},
		"paused, asked for":             {Tape{State: Suspended, Asked: true, Paused: true}, flow, Suspended, Stopped},
		"resumed":                       {Tape{State: Suspended}, agent, Stopped, On},
		"cancelled":                     {Tape{State: On, Asked: true, Cancelled: true}, flow, Stopped, Stopped},
		"cancelled before it began":     {Tape{Asked: true, Cancelled: true}, flow, Stopped, Stopped},
		"stopped, whatever is wanted":   {Tape{State: Stopped, Asked: true}, agent, Stopped, Stopped},
		"over":                          {Tape{State: Suspended, Asked: true}, over, Stopped, Stopped},
		"paused before there was a way": {Tape{Paused: true}, flow, Suspended, ""},
	} {
		if got, _ := c.tape.Next(IVR, c.call); got != c.ivr {
			t.Errorf("%s: without an agent %q, want %q", name, got, c.ivr)
		}
		if got, _ := c.tape.Next(Agent, c.call); got != c.then {
			t.Errorf("%s: of an agent %q, want %q", name, got, c.then)
		}
	}
}

func TestTracks(t *testing.T) {
	t.Parallel()
	call := Call{Behavior: Behavior{IVR: true, Agent: true, Track: FromAgent}, Connected: true, WithAgent: true}
	for _, c := range []struct {
		tape Tape
		want Track
	}{
		{Tape{}, FromAgent},
		{Tape{State: On, Track: ToAgent}, FromAgent},
		{Tape{Asked: true, AskedFor: ToAgent}, ToAgent},
		{Tape{Asked: true}, All},
		{Tape{State: Stopped, Track: ToAgent}, ToAgent}, // which it was of
	} {
		if _, got := c.tape.Next(Agent, call); got != c.want {
			t.Errorf("%+v: %q, want %q", c.tape, got, c.want)
		}
	}
	call.WithAgent = false
	if _, got := (Tape{}).Next(IVR, call); got != All {
		t.Errorf("the recording without an agent is of %q", got)
	}
}

// TestAnyCall: whatever happens, and in whatever order, a recording goes on until it
// is stopped and not again, the two never run at a time, the flow is never heard
// when it is not wanted, and the end of the call ends both.
func TestAnyCall(t *testing.T) {
	t.Parallel()
	for seed := range uint64(2000) {
		random := rand.New(rand.NewPCG(seed, 1)) //nolint:gosec // a test is to be repeatable
		tapes := map[Kind]Tape{}
		call := Call{}
		settle := func() {
			running := 0
			for _, k := range Kinds {
				was := tapes[k]
				state, track := was.Next(k, call)
				now := was
				now.State, now.Track = state, track
				tapes[k] = now
				if again, same := now.Next(k, call); again != state || same != track {
					t.Fatalf("seed %d: %s is %q, and at once %q", seed, k, state, again)
				}
				switch {
				case was.State == Stopped && state != Stopped, was.State != "" && state == "":
					t.Fatalf("seed %d: %s from %q to %q", seed, k, was.State, state)
				case call.Over && now.Running():
					t.Fatalf("seed %d: %s goes on after the call", seed, k)
				case state == On && !now.Asked && !(k == IVR && call.Behavior.IVR || k == Agent && call.Behavior.Agent):
					t.Fatalf("seed %d: %s is on, and nobody wants it", seed, k)
				case state == On && (now.Paused || now.Cancelled):
					t.Fatalf("seed %d: %s is on against the API", seed, k)
				}
				if now.Running() {
					running++
				}
			}
			if running > 1 {
				t.Fatalf("seed %d: both run", seed)
			}
		}
		for range 20 {
			k := Kinds[random.IntN(2)]
			tape := tapes[k]
			switch random.IntN(7) {
			case 0:
				call.Behavior = Behavior{IVR: random.IntN(2) == 0, Agent: random.IntN(2) == 0, Track: []Track{All, FromAgent, ToAgent}[random.IntN(3)]}
			case 1:
				call.Connected = true
			case 2:
				call.WithAgent = call.Connected
			case 3:
				tape.Asked = true
			case 4:
				tape.Paused = !tape.Paused && tape.Running()
			case 5:
				tape.Cancelled = tape.Cancelled || tape.Running()
			case 6:
				call.Over = call.Over || random.IntN(5) == 0
			}
			tapes[k] = tape
			settle()
		}
		call.Over = true
		settle()
	}
}

func TestKey(t *testing.T) {
	t.Parallel()
	at := time.Date(2026, 1, 2, 3, 4, 59, 0, time.FixedZone("", 3600))
	for _, c := range []struct {
		kind         Kind
		prefix, want string
	}{
		{Agent, "connect/acme/CallRecordings", "connect/acme/CallRecordings/2026/01/02/ID_20260102T02:04_UTC.wav"},
		{IVR, "connect/acme/CallRecordings", "connect/acme/CallRecordings/ivr/2026/01/02/ID_20260102T02:04_UTC.wav"},
		{IVR, "/tapes/", "tapes/ivr/2026/01/02/ID_20260102T02:04_UTC.wav"},
		{Agent, "", "2026/01/02/ID_20260102T02:04_UTC.wav"},
	} {
		if got := Key(c.kind, c.prefix, "ID", at); got != c.want {
			t.Errorf("%s under %q: %s", c.kind, c.prefix, got)
		}
	}
}
