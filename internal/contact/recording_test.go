package contact_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/connect/types"

	"ringdown/internal/contact"
	"ringdown/internal/domain"
	"ringdown/internal/fault"
)

// recorded is a call whose flow says something of recordings, and what happens to
// it: a step returns which contact of the chain the call is on now.
type recorded struct {
	*world
	t  *testing.T
	id domain.ContactID
	l  *leg
}

type recordedStep func(r *recorded) error

func (r *recorded) start(kind contact.RecordingKind, track contact.RecordingTrack) error {
	return r.m.StartRecording(r.t.Context(), r.in, string(r.id), kind, track)
}

func startIVR(r *recorded) error   { return r.start(contact.IVRRecording, "") }
func startAgent(r *recorded) error { return r.start(contact.AgentRecording, "") }
func startOnly(r *recorded) error  { return r.start(contact.AgentRecording, contact.ToAgentRecording) }

func suspend(r *recorded) error { return r.m.SuspendRecording(r.t.Context(), r.in, string(r.id), "") }

func resume(r *recorded) error { return r.m.ResumeRecording(r.t.Context(), r.in, string(r.id), "") }

func stop(r *recorded) error { return r.m.StopRecording(r.t.Context(), r.in, string(r.id), "") }

func suspendAgent(r *recorded) error {
	return r.m.SuspendRecording(r.t.Context(), r.in, string(r.id), contact.AgentRecording)
}

func stopIVR(r *recorded) error {
	return r.m.StopRecording(r.t.Context(), r.in, string(r.id), contact.IVRRecording)
}

func joins(r *recorded) error {
	r.until(r.t, r.id, "queued", queued)
	if err := r.m.Join(r.t.Context(), r.in, r.id, jo); err != nil {
		return err
	}
	r.until(r.t, r.id, "with its agent", connected)
	return nil
}

func leaves(r *recorded) error {
	if err := r.m.Leave(r.t.Context(), r.in, r.id, "AGENT_DISCONNECT"); err != nil {
		return err
	}
	if next := r.read(r.t, r.id).Next; len(next) > 0 {
		r.id = next[0].ID
		r.until(r.t, r.id, "queued", queued)
	}
	return nil
}

func hangsUp(r *recorded) error {
	r.l.hear(contact.LegEvent{Kind: contact.LegEnded, Reason: "CUSTOMER_DISCONNECT"})
	r.until(r.t, r.id, "ended", ended)
	return nil
}

func stops(r *recorded) error { return r.m.Stop(r.t.Context(), r.in, string(r.id), "") }

// refused expects a step to be an InvalidRequestException that says why.
func refused(step recordedStep, why string) recordedStep {
	return func(r *recorded) error {
		r.t.Helper()
		if err := step(r); !fault.Is(err, fault.InvalidRequest) || !strings.Contains(err.Error(), why) {
			r.t.Errorf("the error is %v, want %q", err, why)
		}
		return nil
	}
}

const (
	sets    = `r|UpdateContactRecordingBehavior|{"RecordingBehavior":%s}|`
	setsNew = `r|UpdateContactRecordingAndAnalyticsBehavior|{"VoiceBehavior":{"VoiceRecordingBehavior":%s}}|`
	fails   = `|"Errors":[{"ErrorType":"NoMatchingError","NextAction":"x"},{"ErrorType":"ChannelMismatch","NextAction":"x"}]`
	both    = `{"RecordedParticipants":["Agent","Customer"],"IVRRecordingBehavior":"Enabled"}`
	noIVR   = `{"RecordedParticipants":["Agent","Customer"],"IVRRecordingBehavior":"Disabled"}`
	ofAgent = `{"RecordedParticipants":["Agent"]}`
	none    = `{"RecordedParticipants":[]}`
)

// recordedCall begins a call to a queue whose flow says what is recorded, and what
// the flow of the queue says then; "" for nothing.
func recordedCall(t *testing.T, w *world, action, says, then string) *recorded {
	t.Helper()
	w.config.queue("q", nil)
	first := `r|UpdateContactAttributes|{"TargetContact":"Current","Attributes":{"a":"b"}}|m`
	if says != "" {
		first = fmt.Sprintf(action, says) + "m" + fails
	}
	enter := []string{
		`m|MessageParticipant|{"Text":"Hello"}|h|` + nothingMatches,
		`h|UpdateContactEventHooks|{"EventHooks":{"CustomerRemaining":"after"}}|a|` + nothingMatches,
		`a|UpdateContactTargetQueue|{"QueueId":"q"}|b|` + nothingMatches, `b` + enqueues, `x|DisconnectParticipant|||`,
	}
	w.config.flow(t, "f", "CONTACT_FLOW", append([]string{first}, enter...)...)
	w.config.flow(t, "after", "CONTACT_FLOW", enter[2:]...)
	if then != "" {
		w.config.flow(t, "default CUSTOMER_QUEUE", "CUSTOMER_QUEUE", fmt.Sprintf(sets, then)+"e|", `e|EndFlowExecution|||`)
	}
	id, l := answered(t, w, "f")
	w.until(t, id, "queued", queued)
	if then != "" {
		w.until(t, id, "with another behaviour", func(*domain.Contact) bool {
			return slices.ContainsFunc(w.path(t, id), func(s string) bool { return strings.HasPrefix(s, "default CUSTOMER_QUEUE r") })
		})
	}
	return &recorded{w, t, id, l}
}

// TestRecordings: what the leg is told, and what the contacts of the chain tell of
// their recordings in the end.
func TestRecordings(t *testing.T) {
	t.Parallel()
	const (
		ivr, agent = "IVR ON", "AGENT ON"
		ivrEnds    = "IVR STOPPED"
		agentEnds  = "AGENT STOPPED"
	)
	for name, c := range map[string]struct {
		action, says, then string
		steps              []recordedStep
		want               []string // of the leg
		tapes              []string // of each contact of the chain
	}{
		"nothing":                      {"", "", "", []recordedStep{joins, hangsUp}, nil, []string{""}},
		"the flow":                     {sets, both, "", []recordedStep{hangsUp}, []string{ivr, ivrEnds}, []string{"IVR"}},
		"the flow, of all":             {sets, both, "", []recordedStep{joins, hangsUp}, []string{ivr, ivrEnds, agent, agentEnds}, []string{"IVR AGENT"}},
		"the newer action":             {setsNew, both, "", []recordedStep{joins, stops}, []string{ivr, ivrEnds, agent, agentEnds}, []string{"IVR AGENT"}},
		"of the agent":                 {sets, ofAgent, "", []recordedStep{joins, hangsUp}, []string{agent + " FROM_AGENT", agentEnds + " FROM_AGENT"}, []string{"AGENT"}},
		"of nobody":                    {sets, none, "", []recordedStep{joins, hangsUp}, nil, []string{""}},
		"wanted no more":               {sets, both, noIVR, []recordedStep{joins, hangsUp}, []string{ivr, "IVR SUSPENDED", ivrEnds, agent, agentEnds}, []string{"IVR AGENT"}},
		"wanted late":                  {sets, none, both, []recordedStep{hangsUp}, []string{ivr, ivrEnds}, []string{"IVR"}},
		"asked for before an agent":    {"", "", "", []recordedStep{startAgent, joins, hangsUp}, []string{agent, agentEnds}, []string{"AGENT"}},
		"asked for with an agent":      {"", "", "", []recordedStep{joins, startOnly, hangsUp}, []string{agent + " TO_AGENT", agentEnds + " TO_AGENT"}, []string{"AGENT"}},
		"asked for of more":            {sets, ofAgent, "", []recordedStep{joins, startAgent, hangsUp}, []string{agent + " FROM_AGENT", agent, agentEnds}, []string{"AGENT"}},
		"asked for in vain":            {"", "", "", []recordedStep{startAgent, hangsUp}, nil, []string{""}},
		"asked for and not undone":     {sets, both, noIVR, []recordedStep{startIVR, hangsUp}, []string{ivr, "IVR SUSPENDED", ivr, ivrEnds}, []string{"IVR"}},
		"cancelled":                    {"", "", "", []recordedStep{startAgent, stop, joins, refused(startAgent, "cannot be started again"), hangsUp}, nil, []string{""}},
		"suspended and resumed":        {"", "", "", []recordedStep{startIVR, suspend, suspend, resume, resume, suspend, resume, hangsUp}, []string{ivr, "IVR SUSPENDED", ivr, "IVR SUSPENDED", ivr, ivrEnds}, []string{"IVR"}},
		"suspended when it ends":       {sets, both, "", []recordedStep{joins, suspendAgent, hangsUp}, []string{ivr, ivrEnds, agent, "AGENT SUSPENDED", agentEnds}, []string{"IVR AGENT"}},
		"stopped for good":             {sets, both, "", []recordedStep{stop, refused(startIVR, "cannot be started again"), refused(resume, "not being recorded"), joins, hangsUp}, []string{ivr, ivrEnds, agent, agentEnds}, []string{"IVR AGENT"}},
		"stopped by its name":          {sets, both, "", []recordedStep{stopIVR, refused(stopIVR, "no IVR recording"), hangsUp}, []string{ivr, ivrEnds}, []string{"IVR"}},
		"a suspension does not pass":   {sets, both, "", []recordedStep{suspend, joins, hangsUp}, []string{ivr, "IVR SUSPENDED", ivrEnds, agent, agentEnds}, []string{"IVR AGENT"}},
		"started twice":                {"", "", "", []recordedStep{startIVR, refused(startIVR, "started already"), hangsUp}, []string{ivr, ivrEnds}, []string{"IVR"}},
		"too late for the flow's part": {"", "", "", []recordedStep{joins, refused(startIVR, "an agent has joined"), hangsUp}, nil, []string{""}},
		"what there is not":            {sets, both, "", []recordedStep{refused(suspendAgent, "no AGENT recording"), hangsUp, refused(suspend, "has ended"), refused(startAgent, "has ended")}, []string{ivr, ivrEnds}, []string{"IVR"}},
		"goes over": {
			sets, both, "",
			[]recordedStep{joins, stop, leaves, joins, leaves},
			[]string{ivr, ivrEnds, agent, agentEnds, ivr, ivrEnds, agent, agentEnds},
			[]string{"IVR AGENT", "IVR AGENT"},
		},
		"what was asked for stays": {"", "", "", []recordedStep{startIVR, startAgent, joins, leaves, hangsUp}, []string{ivr, ivrEnds, agent, agentEnds}, []string{"IVR AGENT", ""}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			w.config.prefix = "connect/acme/CallRecordings"
			r := recordedCall(t, w, c.action, c.says, c.then)
			first := r.id
			for _, step := range c.steps {
				if err := step(r); err != nil {
					t.Fatal(err)
				}
			}
			for id, i := first, 0; ; i++ {
				e := w.until(t, id, "ended", ended)
				w.checkTapes(t, e, w.record(t, id), c.tapes[i])
				if len(e.Next) == 0 {
					break
				}
				id = e.Next[0].ID
			}
			wait(t, "the leg has been told", func() bool { return len(r.l.tapes()) >= len(c.want) })
			var told []string
			for _, one := range r.l.tapes() {
				told = append(told, strings.TrimSpace(string(one.Kind)+" "+string(one.State)+" "+string(one.Track)))
			}
			same(t, told, c.want)
			w.checkPlaces(t, first, r.l.tapes())
		})
	}
}

// TestUnrecorded: a contact does not tell of a recording that could not be begun,
// whether that is known during the call, when it has gone over, or after its end.
func TestUnrecorded(t *testing.T) {
	t.Parallel()
	// The first of a kind fails. How many the leg is told of before depends on when
	// the contact takes note of an earlier failure.
	fail := func(kind contact.RecordingKind) recordedStep {
		return func(r *recorded) error {
			isOf := func(one contact.Recording) bool { return one.Kind == kind }
			wait(r.t, "the leg has been told", func() bool { return slices.ContainsFunc(r.l.tapes(), isOf) })
			told := r.l.tapes()
			told[slices.IndexFunc(told, isOf)].Failed()
			return nil
		}
	}
	failIVR, failAgent := fail(contact.IVRRecording), fail(contact.AgentRecording)
	for name, c := range map[string]struct {
		steps []recordedStep
		tapes []string // of each contact of the chain
	}{
		"during the call":     {[]recordedStep{failIVR, joins, hangsUp}, []string{"AGENT"}},
		"of the agent":        {[]recordedStep{joins, failAgent, hangsUp}, []string{"IVR"}},
		"both":                {[]recordedStep{failIVR, joins, failAgent, hangsUp}, []string{""}},
		"when it has stopped": {[]recordedStep{joins, failIVR, hangsUp}, []string{"AGENT"}},
		"twice":               {[]recordedStep{failIVR, failIVR, joins, hangsUp}, []string{"AGENT"}},
		"when it has gone":    {[]recordedStep{joins, leaves, failIVR, joins, hangsUp}, []string{"AGENT", "IVR AGENT"}},
		"after the end":       {[]recordedStep{joins, hangsUp, failAgent}, []string{"IVR"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			w.config.prefix = "connect/acme/CallRecordings"
			r := recordedCall(t, w, sets, both, "")
			id := r.id
			for _, step := range c.steps {
				if err := step(r); err != nil {
					t.Fatal(err)
				}
			}
			for i, want := range c.tapes {
				e := w.until(t, id, "with what was recorded", func(e *domain.Contact) bool {
					return ended(e) && len(e.Recordings) == len(strings.Fields(want))
				})
				all := w.records(t, id)
				w.checkTapes(t, e, all[len(all)-1], want)
				if i+1 < len(c.tapes) {
					id = e.Next[0].ID
				}
			}
		})
	}
}

// checkTapes checks what a contact that has ended, and its last record, tell of its
// recordings, of the kinds that are wanted.
func (w *world) checkTapes(t *testing.T, e *domain.Contact, record map[string]any, want string) {
	t.Helper()
	var kinds []string
	for i := range e.Recordings {
		r := &e.Recordings[i]
		kind := "AGENT"
		if r.ParticipantType == "IVR" {
			kind = "IVR"
		}
		kinds = append(kinds, kind)
		if r.Status != "AVAILABLE" || r.MediaStreamType != "AUDIO" || r.StorageType != "S3" || r.StartTimestamp.Before(e.ConnectedAt) || r.StopTimestamp == nil || r.StopTimestamp.After(e.DisconnectedAt) || r.StopTimestamp.Before(*r.StartTimestamp) {
			t.Errorf("a recording is told as %+v", *r)
		}
	}
	if got := strings.Join(kinds, " "); got != want {
		t.Errorf("the contact tells of %q, want %q", got, want)
	}
	all, _ := record["Recordings"].([]any)
	if len(all) != len(kinds) || (record["Recording"] != nil) != (len(kinds) > 0) {
		t.Errorf("the record tells of %v and %v", record["Recording"], all)
	}
	for i, one := range all {
		tape := one.(map[string]any)
		if tape["Location"] != *e.Recordings[i].Location || tape["Status"] != "AVAILABLE" || tape["StopTimestamp"] != e.Recordings[i].StopTimestamp.UTC().Format("2006-01-02T15:04:05Z") {
			t.Errorf("the record tells of %v", tape)
		}
	}
}

// checkPlaces checks that what the leg was told to record is where the contacts of a
// chain say that it is.
func (w *world) checkPlaces(t *testing.T, id domain.ContactID, told []contact.Recording) {
	t.Helper()
	places := map[string]bool{}
	for {
		e := w.read(t, id)
		for i := range e.Recordings {
			at := *e.Recordings[i].Location
			kind := "/"
			if e.Recordings[i].ParticipantType == "IVR" {
				kind = "/ivr/"
			}
			want := "tapes/connect/acme/CallRecordings" + kind + e.Recordings[i].StartTimestamp.Format("2006/01/02/") + string(id) + e.Recordings[i].StartTimestamp.Format("_20060102T15:04_UTC.wav")
			if at != want || places[at] {
				t.Errorf("a recording of %s is at %s, want %s", id, at, want)
			}
			places[at] = true
		}
		if len(e.Next) == 0 {
			break
		}
		id = e.Next[0].ID
	}
	for _, r := range told {
		if !places[strings.TrimPrefix(r.URI, "s3://")] {
			t.Errorf("the leg was told of %s, which no contact knows", r.URI)
		}
	}
}

// TestRecordedFromTheFirstWord: what is said after a flow has asked for the recording
// is in it.
func TestRecordedFromTheFirstWord(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.config.prefix = "tapes"
	order := &orderedLeg{}
	w.dialer.wrap = func(l *leg) contact.Leg {
		order.leg = l
		return order
	}
	r := recordedCall(t, w, sets, both, "")
	if err := hangsUp(r); err != nil {
		t.Fatal(err)
	}
	order.mu.Lock()
	defer order.mu.Unlock()
	if len(order.order) < 2 || order.order[0] != "record" || order.order[1] != "say" {
		t.Errorf("the leg was told to %v", order.order)
	}
}

// orderedLeg notes what it is told in order.
type orderedLeg struct {
	*leg
	order []string
}

func (o *orderedLeg) note(what string) {
	o.mu.Lock()
	defer o.mu.Unlock()
	o.order = append(o.order, what)
}

func (o *orderedLeg) Say(seq int, sounds []contact.Sound, loop bool) {
	o.note("say")
	o.leg.Say(seq, sounds, loop)
}

func (o *orderedLeg) Record(r contact.Recording) {
	o.note("record")
	o.leg.Record(r)
}

// TestNoRecordingKept: where nothing can be recorded nothing fails, no recording is
// claimed, and the flow log says once why.
func TestNoRecordingKept(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		prepare func(w *world)
		why     string
		refuses string // of StartContactRecording
	}{
		"no storage":    {func(*world) {}, "AssociateInstanceStorageConfig", "CALL_RECORDINGS"},
		"no sound":      {func(w *world) { w.config.prefix, w.dialer.deaf = "tapes", true }, "simulated", ""},
		"no telling it": {func(w *world) { w.config.prefix, w.config.broken = "tapes", errors.New("the store is down") }, "error in the server", "the store is down"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			c.prepare(w)
			r := recordedCall(t, w, sets, both, "")
			if err := startAgent(r); c.refuses == "" && err != nil || c.refuses != "" && (err == nil || !strings.Contains(err.Error(), c.refuses)) {
				t.Errorf("asked for: %v", err)
			}
			for _, step := range []recordedStep{suspend, resume, joins, suspend, resume, stop, hangsUp} { // which scripts do all the same
				if err := step(r); err != nil {
					t.Fatal(err)
				}
			}
			if told := r.l.tapes(); len(told) > 0 {
				t.Errorf("the leg was told %v", told)
			}
			w.checkTapes(t, w.read(t, r.id), w.record(t, r.id), "")
			said := 0
			for _, line := range w.lines(t, r.id) {
				if strings.HasPrefix(line.Note, "The call is not recorded: ") && strings.Contains(line.Note, c.why) {
					said++
				}
			}
			if said != 1 {
				t.Errorf("the flow log says it %d times:\n%s", said, strings.Join(w.path(t, r.id), "\n"))
			}
		})
	}
}

// TestNotRecordable: chats and tasks have no recordings, whatever their flow says.
func TestNotRecordable(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.config.prefix = "tapes"
	w.config.flow(t, "f", "CONTACT_FLOW", fmt.Sprintf(sets, both)+"w|", `w`+waitsFor, `next|EndFlowExecution|||`, `x|DisconnectParticipant|||`)
	chat := w.start(t, contact.Spec{
		Contact: domain.Contact{Channel: types.ChannelChat, Method: types.ContactInitiationMethodApi}, Flow: flowOf(w, "f"), Chat: &contact.ChatSpec{},
	})
	for _, id := range []domain.ContactID{chat, w.task(t, "f")} {
		w.until(t, id, "waiting", func(*domain.Contact) bool { return w.waits(t, id, "f") })
		r := &recorded{w, t, id, nil}
		for _, step := range []recordedStep{startIVR, startAgent, suspend, resume, stop} {
			if err := refused(step, "only VOICE contacts")(r); err != nil {
				t.Fatal(err)
			}
		}
		if err := stops(r); err != nil {
			t.Fatal(err)
		}
		w.checkTapes(t, w.until(t, id, "ended", ended), w.record(t, id), "")
	}
	nobody := &recorded{w, t, "nobody", nil}
	if err := startIVR(nobody); !fault.Is(err, fault.ResourceNotFound) {
		t.Errorf("of an unknown contact: %v", err)
	}
}

// TestRecordingsAfterARestart: whenever the server is killed, the call ends with it,
// and its contact tells of complete recordings, once each.
func TestRecordingsAfterARestart(t *testing.T) {
	t.Parallel()
	for killAt := 0; ; killAt++ {
		w := newWorld(t)
		w.config.prefix = "connect/acme/CallRecordings"
		r := recordedCall(t, w, sets, both, "")
		w.fault.set(func(n int) error {
			if n > killAt {
				return errKilled
			}
			return nil
		}, nil)
		id, killed := string(r.id), false
		for _, step := range []func(context.Context) error{
			func(ctx context.Context) error { return w.m.StartRecording(ctx, w.in, id, contact.AgentRecording, "") },
			func(ctx context.Context) error { return w.m.SuspendRecording(ctx, w.in, id, "") },
			func(ctx context.Context) error { return w.m.ResumeRecording(ctx, w.in, id, "") },
			func(ctx context.Context) error { return w.m.Join(ctx, w.in, r.id, jo) },
			func(ctx context.Context) error { return w.m.SuspendRecording(ctx, w.in, id, contact.AgentRecording) },
			func(ctx context.Context) error { return w.m.Stop(ctx, w.in, id, "") },
		} {
			// A contact whose own work cannot be stored answers nobody.
			ctx, cancel := context.WithTimeout(t.Context(), 2*time.Second)
			err := step(ctx)
			cancel()
			if err != nil && !errors.Is(err, errKilled) && !errors.Is(err, context.DeadlineExceeded) {
				t.Fatal(err)
			}
			if killed = err != nil; killed {
				break
			}
		}
		if killed {
			w.restart(t)
		}
		e := w.until(t, r.id, "ended", ended)
		want := "IVR"
		if connected(e) {
			want = "IVR AGENT"
		}
		w.checkTapes(t, e, w.record(t, r.id), want)
		w.checkPlaces(t, r.id, r.l.tapes())
		if !killed {
			if killAt < 6 {
				t.Errorf("there were only %d commits", killAt)
			}
			return
		}
	}
}

// TestGoldenRecordings: the record of a call with both recordings, in the form that
// the service is seen to use.
func TestGoldenRecordings(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.config.prefix = "connect/acme/CallRecordings"
	r := recordedCall(t, w, sets, both, "")
	for _, step := range []recordedStep{joins, hangsUp} {
		if err := step(r); err != nil {
			t.Fatal(err)
		}
	}
	record, e := w.record(t, r.id), w.read(t, r.id)
	at := func(when *time.Time) string { return aws.ToTime(when).UTC().Format("2006-01-02T15:04:05Z") }
	null := func(m map[string]any, names ...string) map[string]any {
		for _, name := range names {
			m[name] = nil
		}
		return m
	}
	tape := func(i int, participant any) map[string]any {
		return null(map[string]any{
			"Location": *e.Recordings[i].Location, "MediaStreamType": "AUDIO", "ParticipantType": participant, "StartTimestamp": at(e.Recordings[i].StartTimestamp),
			"Status": "AVAILABLE", "StopTimestamp": at(e.Recordings[i].StopTimestamp), "StorageType": "S3",
		}, "DeletionReason", "FragmentStartNumber", "FragmentStopNumber")
	}
	want := []any{tape(0, "IVR"), tape(1, nil)}
	if got := record["Recordings"]; fmt.Sprint(got) != fmt.Sprint(want) {
		t.Errorf("Recordings:\n%v\nwant\n%v", got, want)
	}
	first := null(map[string]any{"Location": *e.Recordings[0].Location, "Status": "AVAILABLE", "Type": "AUDIO"}, "DeletionReason")
	if got := record["Recording"]; fmt.Sprint(got) != fmt.Sprint(first) {
		t.Errorf("Recording:\n%v\nwant\n%v", got, first)
	}
}
