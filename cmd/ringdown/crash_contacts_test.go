package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"net/http"
	"sync"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/connect"
	"github.com/aws/aws-sdk-go-v2/service/connect/types"
	"github.com/aws/smithy-go"
)

// TestKillContacts ends the server with SIGKILL in the middle of tasks, chats and
// calls that begin, run, are changed and stopped, again and again. After each
// restart all that was acknowledged is there, calls have ended, and what has been
// told outside is a beginning of a contact's life. In the end chats and tasks have
// gone on to their end, and every contact is explained, event by event and action
// by action, by what is stored and what was told.
func TestKillContacts(t *testing.T) {
	rounds, contacts := 15, 1000
	if testing.Short() {
		rounds, contacts = 4, 120
	}
	seed := rand.Uint64()
	t.Logf("seed %d", seed)
	k := &mortal{
		killing: killing{data: t.TempDir()}, random: rand.New(rand.NewPCG(seed, 0)), //nolint:gosec // tests may be guessed
		byID: map[string]*victim{}, flows: map[string]*script{},
	}
	k.clients.Transport = wholeAnswers{&http.Transport{MaxIdleConnsPerHost: starters}}
	defer k.clients.CloseIdleConnections()
	binary := buildBinary(t)

	p := startProcess(t, binary, k.data)
	k.prepare(t, p)
	k.prepareFlows(t, p)
	for round := range rounds {
		k.liveUntilKilled(t, p, contacts*(round+1)/rounds, k.lifetime(round+1 == rounds))
		p = startProcess(t, binary, k.data)
		k.checkAcknowledged(t, p)
		k.repeatTokens(t, p)
		checkLives(t, k.told(t), nil)
		if t.Failed() {
			t.Fatalf("after round %d", round+1)
		}
	}
	k.endAll(t, p)
	k.checkAcknowledged(t, p)
	p.kill()
	k.checkStored(t)
	t.Logf("%d kills, %d contacts", rounds, len(k.byID))
}

// lifetime is how many requests the server answers before it is killed: none, so
// that it dies while it takes up the contacts of before, some, or enough for flows
// to go on meanwhile. The last time it lives until all contacts have begun.
func (k *mortal) lifetime(last bool) int {
	switch n := k.random.IntN(6); {
	case last:
		return forever
	case n == 0:
		return 0
	case n == 1:
		return 800 + k.random.IntN(800)
	default:
		return k.random.IntN(200)
	}
}

const (
	forever  = math.MaxInt32
	starters = 24 // loops that start contacts
	// patience is how long is waited for what must come.
	patience = time.Minute
)

// victim is what the test knows of a contact.
type victim struct {
	kind, token string
	id          string            // "" until acknowledged
	attributes  map[string]string // acknowledged, as are all of the following
	updates     int
	tag         string
	stopped     bool
	// stopping is true once a stop was asked for, acknowledged or not.
	stopping bool
}

// mortal is what the test knows across restarts.
type mortal struct {
	killing
	random *rand.Rand // of the test's own goroutine
	number string     // of the instance
	queue  string
	flows  map[string]*script // by the kind of contact

	mu      sync.Mutex
	victims []*victim // in the order of their tokens
	byID    map[string]*victim
	answers int // to requests, those for a stop of what has ended included
	keys    int
}

// script is a flow.
type script struct {
	id    string
	start string
	steps map[string]*scriptStep
}

// scriptStep is an action, as the flow language has it.
type scriptStep struct {
	Identifier  string
	Type        string
	Parameters  map[string]any
	Transitions scriptTransitions
}

type scriptTransitions struct {
	NextAction string            `json:",omitempty"`
	Errors     []scriptError     `json:",omitempty"`
	Conditions []scriptCondition `json:",omitempty"`
}

type scriptError struct{ NextAction, ErrorType string }

type scriptCondition struct {
	NextAction string
	Condition  struct {
		Operator string
		Operands []string
	}
}

// leads reports whether an action can lead to another.
func (s *script) leads(from, to string) bool {
	step := s.steps[from]
	if step == nil {
		return false
	}
	next := []string{step.Transitions.NextAction}
	for _, e := range step.Transitions.Errors {
		next = append(next, e.NextAction)
	}
	for _, c := range step.Transitions.Conditions {
		next = append(next, c.NextAction)
	}
	for _, n := range next {
		if n == to {
			return true
		}
	}
	return false
}

// on is where the results of an action lead.
func on(next string, results map[string]string) scriptTransitions {
	tr := scriptTransitions{NextAction: next, Errors: []scriptError{{"end", "NoMatchingError"}}}
	for result, to := range results {
		c := scriptCondition{NextAction: to}
		c.Condition.Operator, c.Condition.Operands = "Equals", []string{result}
		tr.Conditions = append(tr.Conditions, c)
	}
	return tr
}

// waitsOf is how often a task goes round that waits.
const waitsOf = 3

// scripts are the flows of the contacts.
func scripts(queue string) map[string][]scriptStep {
	second := map[string]any{"TimeLimitSeconds": "1"}
	mark := map[string]any{"Attributes": map[string]any{"ran": "yes"}, "TargetContact": "Current"}
	end := scriptStep{"end", "DisconnectParticipant", map[string]any{}, scriptTransitions{}}
	return map[string][]scriptStep{
		// Tasks that take a few seconds.
		"waits": {
			{"loop", "Loop", map[string]any{"LoopCount": fmt.Sprint(waitsOf)}, scriptTransitions{
				NextAction: "end", Conditions: on("", map[string]string{"ContinueLooping": "mark", "DoneLooping": "end"}).Conditions,
			}},
			{"mark", "UpdateContactAttributes", mark, on("wait", nil)},
			{"wait", "Wait", second, on("loop", map[string]string{"WaitCompleted": "loop"})},
			end,
		},
		// Tasks that are over at once.
		"quick": {{"mark", "UpdateContactAttributes", mark, on("end", nil)}, end},
		// Tasks that wait for an agent.
		"queue": {
			{"choose", "UpdateContactTargetQueue", map[string]any{"QueueId": queue}, on("move", nil)},
			{"move", "TransferContactToQueue", map[string]any{}, scriptTransitions{
				NextAction: "end", Errors: []scriptError{{"end", "QueueAtCapacity"}, {"end", "NoMatchingError"}},
			}},
			end,
		},
		"chat": {
			{"greet", "MessageParticipant", map[string]any{"Text": "Hello."}, on("wait", nil)},
			{"wait", "Wait", second, on("again", map[string]string{"WaitCompleted": "again"})},
			{"again", "Wait", second, on("end", map[string]string{"WaitCompleted": "end"})},
			end,
		},
		"call": {
			{"mark", "UpdateContactAttributes", mark, on("speak", nil)},
			{"speak", "MessageParticipant", map[string]any{"Text": "This call is about to end."}, on("end", nil)},
			end,
		},
	}
}

func (k *mortal) prepareFlows(t *testing.T, p *process) {
	t.Helper()
	ctx, c := context.Background(), p.rootClient(t, &k.clients)
	queues, err := c.ListQueues(ctx, &connect.ListQueuesInput{InstanceId: &k.instance, QueueTypes: []types.QueueType{types.QueueTypeStandard}})
	if err != nil {
		t.Fatal(err)
	}
	k.queue = *queues.QueueSummaryList[0].Id
	for kind, steps := range scripts(k.queue) {
		s := &script{start: steps[0].Identifier, steps: map[string]*scriptStep{}}
		for i := range steps {
			s.steps[steps[i].Identifier] = &steps[i]
		}
		content, err := json.Marshal(map[string]any{"Version": "2019-10-30", "StartAction": s.start, "Actions": steps})
		if err != nil {
			t.Fatal(err)
		}
		made, err := c.CreateContactFlow(ctx, &connect.CreateContactFlowInput{
			InstanceId: &k.instance, Name: &kind, Type: types.ContactFlowTypeContactFlow, Content: aws.String(string(content)),
		})
		if err != nil {
			t.Fatalf("flow %s: %v", kind, err)
		}
		s.id = *made.ContactFlowId
		k.flows[kind] = s
	}
	target := aws.String("arn:aws:connect:us-east-1:123456789012:instance/" + k.instance)
	free, err := c.SearchAvailablePhoneNumbers(ctx, &connect.SearchAvailablePhoneNumbersInput{
		TargetArn: target, PhoneNumberCountryCode: types.PhoneNumberCountryCodeUs, PhoneNumberType: types.PhoneNumberTypeDid, MaxResults: aws.Int32(1),
	})
	if err != nil {
		t.Fatal(err)
	}
	k.number = *free.AvailableNumbersList[0].PhoneNumber
	if _, err := c.ClaimPhoneNumber(ctx, &connect.ClaimPhoneNumberInput{TargetArn: target, PhoneNumber: &k.number}); err != nil {
		t.Fatal(err)
	}
}

// newVictim draws a contact to be started.
func (k *mortal) newVictim(random *rand.Rand) *victim {
	kinds := []string{"waits", "waits", "waits", "quick", "quick", "quick", "queue", "queue", "chat", "chat", "call", "call"}
	v := &victim{kind: kinds[random.IntN(len(kinds))], attributes: map[string]string{}}
	k.mu.Lock()
	defer k.mu.Unlock()
	v.token = fmt.Sprintf("token-%d", len(k.victims))
	k.victims = append(k.victims, v)
	return v
}

// start sends the request that starts a contact, the same each time.
func (k *mortal) start(c *connect.Client, v *victim) (id string, err error) {
	ctx := context.Background()
	first := map[string]string{"token": v.token}
	switch v.kind {
	case "chat":
		out, err := c.StartChatContact(ctx, &connect.StartChatContactInput{
			InstanceId: &k.instance, ContactFlowId: &k.flows[v.kind].id, ClientToken: &v.token, Attributes: first,
			ParticipantDetails: &types.ParticipantDetails{DisplayName: aws.String("Mary")},
		})
		if err != nil {
			return "", err
		}
		return *out.ContactId, nil
	case "call":
		out, err := c.StartOutboundVoiceContact(ctx, &connect.StartOutboundVoiceContactInput{
			InstanceId: &k.instance, ContactFlowId: &k.flows[v.kind].id, ClientToken: &v.token, Attributes: first,
			DestinationPhoneNumber: aws.String("+14155550100"), SourcePhoneNumber: &k.number,
		})
		if err != nil {
			return "", err
		}
		return *out.ContactId, nil
	default:
		out, err := c.StartTaskContact(ctx, &connect.StartTaskContactInput{
			InstanceId: &k.instance, ContactFlowId: &k.flows[v.kind].id, ClientToken: &v.token, Attributes: first, Name: &v.token,
		})
		if err != nil {
			return "", err
		}
		return *out.ContactId, nil
	}
}

// started notes an acknowledged contact.
func (k *mortal) started(t *testing.T, v *victim, id string) {
	t.Helper()
	k.mu.Lock()
	defer k.mu.Unlock()
	if v.id != "" && v.id != id {
		t.Errorf("%s was acknowledged as %s, and the same token has made %s", v.token, v.id, id)
	}
	if other := k.byID[id]; other != nil && other != v {
		t.Errorf("%s is %s and %s", id, other.token, v.token)
	}
	v.id, v.attributes["token"] = id, v.token
	k.byID[id] = v
}

// liveUntilKilled starts contacts, until there are so many, and changes them, and
// kills the server when so many requests have been answered.
func (k *mortal) liveUntilKilled(t *testing.T, p *process, most, after int) {
	t.Helper()
	c := p.rootClient(t, &k.clients)
	goal := min(k.answers+after+1, forever)
	reached := make(chan struct{})
	// done notes an answer, and reports whether the loop goes on.
	done := func(what string, v *victim, err error, note func()) bool {
		var refused smithy.APIError
		if err != nil && !errors.As(err, &refused) {
			return false // the server is gone
		}
		k.mu.Lock()
		defer k.mu.Unlock()
		var over *types.ContactNotFoundException
		switch {
		case err == nil:
			note()
		case what == "StopContact" && errors.As(err, &over):
		default:
			t.Errorf("%s of %s %s: %v", what, v.kind, v.token, err)
			return false
		}
		if k.answers++; k.answers == goal {
			close(reached)
		}
		return true
	}
	var loops sync.WaitGroup
	for range starters {
		random := rand.New(rand.NewPCG(k.random.Uint64(), 0)) //nolint:gosec // as above
		loops.Go(func() {
			for k.mayStart(most) || k.mayAnswer(goal) {
				var v *victim
				if k.mayStart(most) {
					v = k.newVictim(random)
					id, err := k.start(c, v)
					if !done("start", v, err, func() {}) {
						return
					}
					k.started(t, v, id)
					if random.IntN(3) == 0 {
						tag := "round " + v.token
						_, err := c.TagContact(context.Background(), &connect.TagContactInput{InstanceId: &k.instance, ContactId: &id, Tags: map[string]string{"Round": tag}})
						if !done("TagContact", v, err, func() { v.tag = tag }) {
							return
						}
					}
				} else if v = k.anyVictim(random); v == nil {
					continue
				}
				if !k.change(c, v, random, done) {
					return
				}
			}
		})
	}
	ended := make(chan struct{})
	go func() {
		loops.Wait()
		close(ended)
	}()
	select {
	case <-reached:
	case <-ended: // the loops have done all they had to do
	}
	p.kill()
	<-ended
}

// change changes a contact that was acknowledged, and stops some.
func (k *mortal) change(c *connect.Client, v *victim, random *rand.Rand, done func(string, *victim, error, func()) bool) bool {
	ctx := context.Background()
	if random.IntN(2) == 0 {
		k.mu.Lock()
		k.keys++
		key := fmt.Sprintf("key-%d", k.keys)
		k.mu.Unlock()
		_, err := c.UpdateContactAttributes(ctx, &connect.UpdateContactAttributesInput{
			InstanceId: &k.instance, InitialContactId: &v.id, Attributes: map[string]string{key: v.token},
		})
		if !done("UpdateContactAttributes", v, err, func() { v.attributes[key] = v.token; v.updates++ }) {
			return false
		}
	}
	if random.IntN(6) != 0 {
		return true
	}
	k.mu.Lock()
	v.stopping = true
	k.mu.Unlock()
	_, err := c.StopContact(ctx, &connect.StopContactInput{InstanceId: &k.instance, ContactId: &v.id})
	return done("StopContact", v, err, func() { v.stopped = true })
}

func (k *mortal) mayStart(most int) bool {
	k.mu.Lock()
	defer k.mu.Unlock()
	return len(k.victims) < most
}

// mayAnswer reports whether the loops go on when all contacts have begun.
func (k *mortal) mayAnswer(goal int) bool {
	k.mu.Lock()
	defer k.mu.Unlock()
	return goal < forever && k.answers < goal
}

// anyVictim is one of the contacts that were acknowledged, nil when the one that
// was drawn was not.
func (k *mortal) anyVictim(random *rand.Rand) *victim {
	k.mu.Lock()
	defer k.mu.Unlock()
	v := k.victims[random.IntN(len(k.victims))]
	if v.id == "" {
		return nil
	}
	return v
}

// repeatTokens sends the requests again that nobody has acknowledged, which must
// be done now, and some that were, whose answers must be those of before.
func (k *mortal) repeatTokens(t *testing.T, p *process) {
	t.Helper()
	c := p.rootClient(t, &k.clients)
	for _, v := range k.victims {
		if v.id != "" && k.random.IntN(10) > 0 {
			continue
		}
		id, err := k.start(c, v)
		if err != nil {
			t.Errorf("%s %s, sent again: %v", v.kind, v.token, err)
			continue
		}
		k.started(t, v, id)
	}
}

// each calls f for every contact that was acknowledged, from many loops.
func (k *mortal) each(f func(v *victim)) {
	next := make(chan *victim)
	var loops sync.WaitGroup
	for range 8 {
		loops.Go(func() {
			for v := range next {
				f(v)
			}
		})
	}
	for _, v := range k.byID {
		next <- v
	}
	close(next)
	loops.Wait()
}

// checkAcknowledged compares a restarted server with what it has acknowledged.
func (k *mortal) checkAcknowledged(t *testing.T, p *process) {
	t.Helper()
	c := p.rootClient(t, &k.clients)
	k.each(func(v *victim) {
		found := k.describe(t, c, v)
		if found == nil {
			return
		}
		for key, want := range v.attributes {
			if got := found.Attributes[key]; got != want {
				t.Errorf("%s %s: attribute %s is %q, %q was acknowledged", v.kind, v.id, key, got, want)
			}
		}
		if got := found.Tags["Round"]; v.tag != "" && got != v.tag {
			t.Errorf("%s %s: its tag is %q, %q was acknowledged", v.kind, v.id, got, v.tag)
		}
		if v.stopped && found.DisconnectTimestamp == nil {
			t.Errorf("%s %s was stopped and goes on", v.kind, v.id)
		}
		if v.kind == "call" {
			// The restart has ended it, unless it had ended before.
			eventually(t, "the end of call "+v.id, func() bool {
				found = k.describe(t, c, v)
				return found == nil || found.DisconnectTimestamp != nil
			})
		}
		if found != nil && found.DisconnectTimestamp != nil && aws.ToString(found.DisconnectReason) == "" {
			t.Errorf("%s %s has ended without a reason", v.kind, v.id)
		}
	})
}

func (k *mortal) describe(t *testing.T, c *connect.Client, v *victim) *types.Contact {
	out, err := c.DescribeContact(context.Background(), &connect.DescribeContactInput{InstanceId: &k.instance, ContactId: &v.id})
	if err != nil {
		t.Errorf("%s %s was acknowledged, but: %v", v.kind, v.id, err)
		return nil
	}
	return out.Contact
}

// endAll waits for the contacts that end by themselves, and stops the others.
func (k *mortal) endAll(t *testing.T, p *process) {
	t.Helper()
	c := p.rootClient(t, &k.clients)
	k.each(func(v *victim) {
		if v.kind == "queue" {
			found := k.describe(t, c, v)
			if found == nil || found.DisconnectTimestamp != nil {
				return
			}
			if found.QueueInfo == nil {
				eventually(t, "queue of "+v.id, func() bool {
					found = k.describe(t, c, v)
					return found == nil || found.QueueInfo != nil
				})
			}
			if _, err := c.StopContact(context.Background(), &connect.StopContactInput{InstanceId: &k.instance, ContactId: &v.id}); err != nil {
				t.Errorf("stop of %s: %v", v.id, err)
			}
			v.stopping, v.stopped = true, true
			return
		}
		eventually(t, "the end of "+v.kind+" "+v.id, func() bool {
			found := k.describe(t, c, v)
			return found == nil || found.DisconnectTimestamp != nil
		})
	})
	// When the last contact of all has been told, all others have.
	last := &victim{kind: "quick", token: "last", attributes: map[string]string{}}
	id, err := k.start(c, last)
	if err != nil {
		t.Fatal(err)
	}
	k.started(t, last, id)
	eventually(t, "the last event and record", func() bool {
		told := k.told(t)
		events := told.events[id]
		return len(events) > 0 && events[len(events)-1].Detail.EventType == "COMPLETED" && len(told.records[id]) > 0
	})
}

// eventually waits until a condition holds. When something has failed already, for
// however many contacts, there is nothing to wait for.
func eventually(t *testing.T, what string, holds func() bool) {
	t.Helper()
	again := time.NewTicker(20 * time.Millisecond)
	defer again.Stop()
	tooLate := time.After(patience)
	for !holds() && !t.Failed() {
		select {
		case <-again.C:
		case <-tooLate:
			t.Errorf("%v have passed without %s", patience, what)
			return
		}
	}
}
