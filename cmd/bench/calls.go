package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"net/netip"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/connect"
	"github.com/aws/aws-sdk-go-v2/service/connect/types"

	"ringdown/internal/audio"
	"ringdown/internal/flow/machine"
)

// Calls are measured in three ways: how many can be set up a second, what those
// cost that are there at once, and how fast and how cheap sound is between two of
// them. The far side is this program (calls_peer.go and calls_sound.go); what is
// given as the server's cost is that of its process alone.

// callsOptions are the sizes of it.
type callsOptions struct {
	setups  int // calls in a round of setups
	callers int // that call at once
	calls   int // that hear a prompt at once
	bridged int // pairs
	soak    int // calls of the soak
}

// The numbers of the server under load, each with its flow.
const (
	numberShort    = "+14155550101" // says something and hangs up
	numberLong     = "+14155550102" // says something without end
	numberRecorded = "+14155550103" // the same, recorded
	numberThird    = "+14155550104" // calls a third party
	numberBrief    = "+14155550105" // as numberShort, recorded
	numberNobody   = "+14155550106" // is not claimed
	thirdParty     = "+12065550199"
	office         = numberShort // whose calls go out
)

// callServer is a server with the flows.
type callServer struct {
	*process
	sip    string
	place  place
	client *connect.Client
	flows  map[string]string // ids, by number
}

// callConfig is the configuration of a server whose trunk is far.
func callConfig(dir, far string) (string, error) {
	numbers := make([]string, 0, 6)
	for _, n := range []string{numberShort, numberLong, numberRecorded, numberThird, numberBrief, numberNobody} {
		numbers = append(numbers, `{number: "`+n+`"}`)
	}
	path := filepath.Join(dir, "calls.yaml")
	return path, os.WriteFile(path, []byte("numbers: ["+strings.Join(numbers, ", ")+"]\nspeech: {engine: none}\nsip:\n"+
		"  limits: {invites: 1000000, messages: 10000000, calls: 100000}\n  drain: 1s\n"+
		"  trunks: [{name: bench, address: \"sip:"+far+"\"}]\n"), 0o600)
}

// startCallServer starts a server that knows telephones behind an address, and
// makes an instance with the flows.
func startCallServer(ctx context.Context, bin, data, far string) (_ *callServer, err error) {
	if err := os.MkdirAll(data, 0o700); err != nil {
		return nil, err
	}
	config, err := callConfig(filepath.Dir(data), far)
	if err != nil {
		return nil, err
	}
	s := &callServer{flows: map[string]string{}}
	// Ports rest for five seconds after a call, so that many setups a second need
	// many of them.
	if s.process, err = startServer(bin, data, "--config", config, "--sip-listen", "127.0.0.1:0", "--rtp-ports", "10000-31999"); err != nil {
		return nil, err
	}
	defer func() {
		if err != nil {
			s.stop()
		}
	}()
	raw, err := os.ReadFile(filepath.Join(data, "endpoint.json"))
	if err != nil {
		return nil, err
	}
	var at struct{ SIP string }
	if err := json.Unmarshal(raw, &at); err != nil {
		return nil, err
	}
	s.sip, s.client = at.SIP, s.process.client()
	if s.place, err = newPlace(ctx, s.client, "calls"); err != nil {
		return nil, err
	}
	if _, err := s.client.AssociateInstanceStorageConfig(ctx, &connect.AssociateInstanceStorageConfigInput{
		InstanceId: &s.place.id, ResourceType: types.InstanceStorageResourceTypeCallRecordings,
		StorageConfig: &types.InstanceStorageConfig{
			StorageType: types.StorageTypeS3, S3Config: &types.S3Config{BucketName: aws.String("recordings"), BucketPrefix: aws.String("bench")},
		},
	}); err != nil {
		return nil, err
	}
	return s, s.makeFlows(ctx, data)
}

// makeFlows makes prompts, which are tones, and the flows of the numbers.
func (s *callServer) makeFlows(ctx context.Context, data string) error {
	folder := filepath.Join(data, "objects", "sounds")
	if err := os.MkdirAll(folder, 0o700); err != nil {
		return err
	}
	prompts := map[string]string{}
	for name, long := range map[string]time.Duration{"short": promptLength, "long": time.Minute} {
		if err := os.WriteFile(filepath.Join(folder, name+".wav"), audio.Play([]audio.Note{{Tones: []float64{700}, Length: long}}), 0o600); err != nil {
			return err
		}
		made, err := s.client.CreatePrompt(ctx, &connect.CreatePromptInput{
			InstanceId: &s.place.id, Name: &name, S3Uri: aws.String("s3://sounds/" + name + ".wav"),
		})
		if err != nil {
			return fmt.Errorf("prompt %s: %w", name, err)
		}
		prompts[name] = *made.PromptARN
	}
	say := func(prompt, next string) action {
		to := failing(next, machine.NoMatchingError)
		to["Errors"] = []any{map[string]any{"NextAction": "end", "ErrorType": machine.NoMatchingError}}
		return action{"say", "MessageParticipant", map[string]any{"PromptId": prompts[prompt]}, to}
	}
	record := action{
		"record", "UpdateContactRecordingBehavior",
		map[string]any{"RecordingBehavior": map[string]any{"RecordedParticipants": []string{}, "IVRRecordingBehavior": "Enabled"}},
		map[string]any{"NextAction": "say"},
	}
	third := action{"third", "TransferParticipantToThirdParty", map[string]any{
		"ThirdPartyPhoneNumber": thirdParty, "ThirdPartyConnectionTimeLimitSeconds": "30", "ContinueFlowExecution": "False",
	}, failing("end", machine.NoMatchingError)}
	end := action{"end", "DisconnectParticipant", map[string]any{}, map[string]any{}}
	for number, actions := range map[string][]action{
		numberShort:    {say("short", "end"), end},
		numberLong:     {say("long", "say"), end},
		numberRecorded: {record, say("long", "say"), end},
		numberThird:    {third, end},
		numberBrief:    {record, say("short", "end"), end},
	} {
		content, err := document(actions...)
		if err != nil {
			return err
		}
		name := "flow of " + number[len(number)-3:]
		flow, err := s.client.CreateContactFlow(ctx, &connect.CreateContactFlowInput{
			InstanceId: &s.place.id, Name: &name, Type: types.ContactFlowTypeContactFlow, Content: &content,
		})
		if err != nil {
			return fmt.Errorf("%s: %w", name, err)
		}
		instance := "arn:aws:connect:us-east-1:123456789012:instance/" + s.place.id
		claimed, err := s.client.ClaimPhoneNumber(ctx, &connect.ClaimPhoneNumberInput{TargetArn: &instance, PhoneNumber: &number})
		if err != nil {
			return fmt.Errorf("number %s: %w", number, err)
		}
		if _, err := s.client.AssociatePhoneNumberContactFlow(ctx, &connect.AssociatePhoneNumberContactFlowInput{
			InstanceId: &s.place.id, PhoneNumberId: claimed.PhoneNumberId, ContactFlowId: flow.ContactFlowId,
		}); err != nil {
			return fmt.Errorf("number %s: %w", number, err)
		}
		s.flows[number] = *flow.ContactFlowId
	}
	return nil
}

// callBench is a server and its far side.
type callBench struct {
	o    options
	s    *callServer
	t    *telephones
	ears *ears
	data string
}

func benchCalls(ctx context.Context, o options, bin, data string) error {
	b := &callBench{o: o, ears: &ears{}, data: data}
	defer b.ears.close()
	var mu sync.Mutex // of ears, while calls come
	var err error
	b.t, err = listenTelephones(func(string) manner {
		mu.Lock()
		defer mu.Unlock()
		e, err := b.ears.lend()
		if err != nil {
			return manner{status: 500}
		}
		return manner{status: 200, stay: -1, sound: e.address()}
	})
	if err != nil {
		return err
	}
	defer b.t.close()
	b.t.came = make(chan *talk, o.bridged)
	if b.s, err = startCallServer(ctx, bin, data, b.t.local); err != nil {
		return err
	}
	defer b.s.stop()
	if b.t.server, err = netip.ParseAddrPort(b.s.sip); err != nil {
		return err
	}
	fmt.Printf("calls by SIP and RTP on loopback, far side in this process, load of the machine before: %s on %d processors\n", loadAverage(), runtime.NumCPU())
	if err := b.benchSetups(ctx); err != nil {
		return fmt.Errorf("setups: %w", err)
	}
	if err := b.benchPrompts(); err != nil {
		return fmt.Errorf("prompts: %w", err)
	}
	return b.benchBridges(&mu)
}

// loadAverage is what else the machine does.
func loadAverage() string {
	raw, err := os.ReadFile("/proc/loadavg")
	if err != nil {
		return "unknown"
	}
	one, _, _ := strings.Cut(string(raw), " ")
	return one
}

// setups is what came of calls that were set up.
type setups struct {
	perSecond      float64
	p50, p99, most time.Duration // from INVITE to 200
	failed         int
	again          int64
	last           error
}

func summary(took []time.Duration, n, failed int, length time.Duration, again int64, last error) setups {
	slices.Sort(took)
	s := setups{perSecond: float64(n-failed) / length.Seconds(), failed: failed, again: again, last: last}
	if len(took) > 0 {
		s.p50, s.p99, s.most = took[len(took)/2], took[len(took)*99/100], took[len(took)-1]
	}
	return s
}

// patienceOfCalls is how long is waited for an answer, or an end.
const patienceOfCalls = 30 * time.Second

// short makes one call that is answered and hung up on.
func (t *telephones) short(number, sound string) (time.Duration, error) {
	k := t.call(number, "+12065550100", sound)
	if err := k.wait(k.settled, patienceOfCalls); err != nil {
		return 0, err
	}
	if k.status != 200 {
		return 0, fmt.Errorf("a call was answered with %d", k.status)
	}
	return k.setup, k.wait(k.over, patienceOfCalls)
}

// closed has n calls made by callers, each one after the other.
func (t *telephones) closed(n, callers int, sound string) setups {
	var mu sync.Mutex
	var took []time.Duration
	failed, left := 0, n
	var last error
	again, began := t.again.Load(), time.Now()
	var wg sync.WaitGroup
	for range min(callers, n) {
		wg.Go(func() {
			for {
				mu.Lock()
				left--
				more := left >= 0
				mu.Unlock()
				if !more {
					return
				}
				d, err := t.short(numberShort, sound)
				mu.Lock()
				if err != nil {
					failed, last = failed+1, err
				} else {
					took = append(took, d)
				}
				mu.Unlock()
			}
		})
	}
	wg.Wait()
	return summary(took, n, failed, time.Since(began), t.again.Load()-again, last)
}

// paced has calls made at a rate, however long they take.
func (t *telephones) paced(perSecond float64, length time.Duration, sound string) setups {
	var mu sync.Mutex
	var took []time.Duration
	failed, n := 0, 0
	var last error
	again, began := t.again.Load(), time.Now()
	var wg sync.WaitGroup
	for ; ; n++ {
		due := began.Add(time.Duration(float64(n) / perSecond * float64(time.Second)))
		if due.Sub(began) >= length {
			break
		}
		time.Sleep(time.Until(due))
		wg.Go(func() {
			d, err := t.short(numberShort, sound)
			mu.Lock()
			defer mu.Unlock()
			if err != nil {
				failed, last = failed+1, err
			} else {
				took = append(took, d)
			}
		})
	}
	sent := time.Since(began)
	wg.Wait()
	return summary(took, n, failed, sent, t.again.Load()-again, last)
}

// benchSetups prints how many calls can be set up.
func (b *callBench) benchSetups(ctx context.Context) error {
	f, at, err := startSelf("-bare-telephones")
	if err != nil {
		return err
	}
	defer f.stop()
	far, err := listenTelephones(nil)
	if err != nil {
		return err
	}
	defer far.close()
	if far.server, err = netip.ParseAddrPort(at); err != nil {
		return err
	}
	e, err := b.ears.lend()
	if err != nil {
		return err
	}
	defer b.ears.free()
	o := b.o
	b.t.closed(min(o.setups, o.callers)/2, o.callers, e.address()) // the prompt is read, pages are faulted in
	var ours, floors []setups
	var cpu, floorCPU []time.Duration
	failed := 0
	var last error
	for range o.rounds {
		used := f.cpu()
		floors = append(floors, far.closed(o.setups, o.callers, e.address()))
		floorCPU = append(floorCPU, (f.cpu()-used)/time.Duration(o.setups))
		used = b.s.cpu()
		got := b.t.closed(o.setups, o.callers, e.address())
		if err := waitUntilOver(ctx, b.data); err != nil {
			return err
		}
		if err := waitUntilTold(ctx, b.data); err != nil {
			return err
		}
		ours, cpu = append(ours, got), append(cpu, (b.s.cpu()-used)/time.Duration(o.setups))
		if failed += got.failed; got.last != nil {
			last = got.last
		}
	}
	rate := middleOf(ours, func(s setups) float64 { return s.perSecond })
	floor := middleOf(floors, func(s setups) float64 { return s.perSecond })
	show := func(name string, s setups) {
		fmt.Printf("  %-40s %6.0f a second, INVITE to 200 p50 %v, p99 %v, most %v; %d failed, %d messages sent again\n", name, s.perSecond,
			s.p50.Round(100*time.Microsecond), s.p99.Round(100*time.Microsecond), s.most.Round(time.Millisecond), s.failed, s.again)
	}
	fmt.Printf("setups: calls that hear a prompt of %v and are hung up on; %d callers, %d rounds of %d calls, medians (aim: 300 a second)\n",
		promptLength, o.callers, o.rounds, o.setups)
	show("as fast as answers come", rate)
	show("floor: bare telephones, no sound", floor)
	fmt.Printf("  %-40s %v, of the floor %v, until records are delivered; %d of all rounds failed\n", "CPU of a call",
		middle(cpu).Round(10*time.Microsecond), middle(floorCPU).Round(10*time.Microsecond), failed)
	paced := b.t.paced(0.9*rate.perSecond, 2*o.length, e.address())
	show("at 9/10 of that rate, paced", paced)
	if at := 300.0; rate.perSecond > at {
		show("at 300 a second, paced", b.t.paced(at, 2*o.length, e.address()))
	}
	fmt.Println()
	if failed+paced.failed > 0 {
		return fmt.Errorf("%d calls failed, the last: %w", failed+paced.failed, errors.Join(last, paced.last))
	}
	return nil
}

// middleOf is the median by a measure.
func middleOf[T any](list []T, by func(T) float64) T {
	sorted := slices.Clone(list)
	slices.SortFunc(sorted, func(x, y T) int {
		switch d := by(x) - by(y); {
		case d < 0:
			return -1
		case d > 0:
			return 1
		default:
			return 0
		}
	})
	return sorted[len(sorted)/2]
}

// establish has n calls of a number answered.
func (b *callBench) establish(number string, n int) ([]*talk, []*sending, error) {
	talks, streams := make([]*talk, n), make([]*sending, n)
	lent := make([]*ear, n)
	for i := range lent {
		var err error
		if lent[i], err = b.ears.lend(); err != nil {
			return nil, nil, err
		}
	}
	const together = 50 // as many as are begun at once
	for i := 0; i < n; i += together {
		some := talks[i:min(i+together, n)]
		for j := range some {
			some[j] = b.t.call(number, fmt.Sprintf("+1206555%04d", (i+j)%10000), lent[i+j].address())
		}
		for j, k := range some {
			if err := k.wait(k.settled, patienceOfCalls); err != nil {
				return nil, nil, err
			}
			if k.status != 200 {
				return nil, nil, fmt.Errorf("a call was answered with %d", k.status)
			}
			streams[i+j] = lent[i+j].speak(k.heard, uint32(i+j+1))
		}
	}
	return talks, streams, nil
}

// leave hangs up, and waits until the server has no call left.
func (b *callBench) leave(talks []*talk) error {
	for _, k := range talks {
		k.hangUp()
	}
	for _, k := range talks {
		if err := k.wait(k.over, patienceOfCalls); err != nil {
			return err
		}
	}
	for began := time.Now(); b.t.live() > 0; time.Sleep(5 * time.Millisecond) {
		if time.Since(began) > patienceOfCalls {
			return fmt.Errorf("%d calls are still there", b.t.live())
		}
	}
	b.ears.free()
	return nil
}

// cost is what the server used for something that lasted.
type cost struct {
	carried
	cpu    time.Duration
	length time.Duration
}

func (c cost) each(n int) time.Duration {
	return time.Duration(float64(c.cpu) / c.length.Seconds() / float64(n))
}

// measure carries sound for a round and says what it cost a process.
func (b *callBench) measure(p *process, streams []*sending) cost {
	var c cost
	var used time.Duration
	var began time.Time
	c.carried = b.ears.carry(streams, b.o.length, func() {
		if p != nil {
			used, began = p.cpu(), time.Now()
		}
	}, func() {
		if p != nil {
			c.cpu, c.length = p.cpu()-used, time.Since(began)
		}
	})
	return c
}

// benchPrompts prints what calls cost that hear a prompt.
func (b *callBench) benchPrompts() error {
	fmt.Printf("%d calls at once, each sends and hears 50 packets a second; %d rounds of %v, medians\n", b.o.calls, b.o.rounds, b.o.length)
	for _, kind := range []struct{ name, number string }{{"a prompt plays", numberLong}, {"and all is recorded", numberRecorded}} {
		talks, streams, err := b.establish(kind.number, b.o.calls)
		if err != nil {
			return err
		}
		var rounds []cost
		missing, packets := 0, 0
		for range b.o.rounds {
			c := b.measure(b.s.process, streams)
			rounds = append(rounds, c)
			missing, packets = missing+c.missing, packets+c.packets
		}
		if err := b.leave(talks); err != nil {
			return err
		}
		c := middleOf(rounds, func(c cost) float64 { return float64(c.cpu) })
		fmt.Printf("  %-40s %v of CPU a second for each call, %d calls a core; %d packets heard, %d lost\n", kind.name,
			c.each(b.o.calls).Round(10*time.Microsecond), calls(c.each(b.o.calls)), packets, missing)
	}
	return nil
}

// calls is how many calls fill a core, when one takes some CPU each second.
func calls(each time.Duration) int {
	if each <= 0 {
		return 0
	}
	return int(time.Second / each)
}

// benchBridges prints what pairs of calls cost whose sound goes from one to the
// other, beside a bare relay, and how much later it comes than without either.
func (b *callBench) benchBridges(mu *sync.Mutex) error {
	n := b.o.bridged
	var bridge, relay, direct []cost
	for range b.o.rounds {
		one, err := b.direct(n)
		if err != nil {
			return err
		}
		direct = append(direct, one)
		if one, err = b.relay(n); err != nil {
			return err
		}
		relay = append(relay, one)
		if one, err = b.bridge(n, mu); err != nil {
			return err
		}
		bridge = append(bridge, one)
	}
	perPacket := func(c cost) float64 { return float64(c.cpu) / math.Max(1, float64(c.arrived)) }
	ours, bare := middleOf(bridge, perPacket), middleOf(relay, perPacket)
	ratios := make([]float64, len(bridge))
	for i := range bridge {
		ratios[i] = perPacket(bridge[i]) / perPacket(relay[i])
	}
	fmt.Printf("  %-40s %v of CPU a second for each call of two legs, %d calls a core\n\n", "bridged to a third party",
		ours.each(n).Round(10*time.Microsecond), calls(ours.each(n)))

	fmt.Printf("sound of %d calls that are bridged, %d packets a second each way; %d rounds of %v in turn, medians\n", n, 50*n, b.o.rounds, b.o.length)
	for _, row := range []struct {
		name string
		cost
	}{{"the bridge", ours}, {"floor: bare relay", bare}} {
		each := time.Duration(perPacket(row.cost))
		fmt.Printf("  %-40s %v of CPU a packet, %d packets a second for each core\n", row.name, each.Round(10*time.Nanosecond), calls(each))
	}
	fmt.Printf("  %-40s %.2f (aim: 1.50), of the rounds %.2f to %.2f\n", "ratio", median(ratios), slices.Min(ratios), slices.Max(ratios))
	for _, row := range []struct {
		name  string
		costs []cost
	}{{"from telephone to telephone", direct}, {"through the bare relay", relay}, {"through the bridge", bridge}} {
		sent, lost := 0, 0
		for _, c := range row.costs {
			sent, lost = sent+c.sent, lost+c.lost()
		}
		p50 := middleOf(row.costs, func(c cost) float64 { return float64(c.p50) }).p50
		p99 := middleOf(row.costs, func(c cost) float64 { return float64(c.p99) })
		fmt.Printf("  %-40s p50 %v, p99 %v; of %d packets %d lost; the generator was late by %v at most\n", row.name,
			p50.Round(time.Microsecond), p99.p99.Round(10*time.Microsecond), sent, lost, p99.late.Round(100*time.Microsecond))
	}
	for _, row := range []struct {
		name, aim string
		costs     []cost
	}{{"added by the bare relay", "", relay}, {"added by the bridge", " (aim: under 20ms)", bridge}} {
		var p50, p99 []float64
		for i, c := range row.costs {
			p50, p99 = append(p50, float64(c.p50-direct[i].p50)), append(p99, float64(c.p99-direct[i].p99))
		}
		fmt.Printf("  %-40s p50 %v, p99 %v%s, of the rounds %v to %v\n", row.name, time.Duration(median(p50)).Round(time.Microsecond),
			time.Duration(median(p99)).Round(10*time.Microsecond), row.aim,
			time.Duration(slices.Min(p99)).Round(10*time.Microsecond), time.Duration(slices.Max(p99)).Round(10*time.Microsecond))
	}
	fmt.Printf("  load of the machine after: %s\n\n", loadAverage())
	return nil
}

// legs lends a socket for each leg of n pairs.
func (b *callBench) legs(n int) ([]*ear, error) {
	legs := make([]*ear, 2*n)
	for i := range legs {
		var err error
		if legs[i], err = b.ears.lend(); err != nil {
			return nil, err
		}
	}
	return legs, nil
}

// direct has n pairs of telephones send to each other.
func (b *callBench) direct(n int) (cost, error) {
	defer b.ears.free()
	legs, err := b.legs(n)
	if err != nil {
		return cost{}, err
	}
	streams := make([]*sending, len(legs))
	for i, leg := range legs {
		streams[i] = leg.speak(legs[i^1].port(), uint32(i+1))
	}
	return b.measure(nil, streams), nil
}

// relay has a bare relay between them.
func (b *callBench) relay(n int) (cost, error) {
	defer b.ears.free()
	legs, err := b.legs(n)
	if err != nil {
		return cost{}, err
	}
	p, at, err := startRelay(n)
	if err != nil {
		return cost{}, err
	}
	defer p.stop()
	if len(at) != len(legs) {
		return cost{}, fmt.Errorf("the relay has %d sockets instead of %d", len(at), len(legs))
	}
	streams := make([]*sending, len(legs))
	for i, leg := range legs {
		streams[i] = leg.speak(at[i], uint32(i+1))
	}
	return b.measure(p, streams), nil
}

// bridge has the server between them.
func (b *callBench) bridge(n int, mu *sync.Mutex) (cost, error) {
	mu.Lock()
	lent := make([]*ear, n)
	for i := range lent {
		var err error
		if lent[i], err = b.ears.lend(); err != nil {
			mu.Unlock()
			return cost{}, err
		}
	}
	mu.Unlock()
	var talks []*talk
	var streams []*sending
	for i, e := range lent {
		k := b.t.call(numberThird, fmt.Sprintf("+1206555%04d", i%10000), e.address())
		talks = append(talks, k)
		if (i+1)%50 != 0 && i+1 < n {
			continue
		}
		for j := len(streams) / 2; j < len(talks); j++ {
			k := talks[j]
			if err := k.wait(k.settled, patienceOfCalls); err != nil {
				return cost{}, err
			}
			if k.status != 200 {
				return cost{}, fmt.Errorf("a call was answered with %d", k.status)
			}
			var third *talk
			select {
			case third = <-b.t.came:
			case <-time.After(patienceOfCalls):
				return cost{}, errors.New("a third party was not called")
			}
			at, err := netip.ParseAddrPort(third.manner.sound)
			if err != nil {
				return cost{}, err
			}
			ear := b.earAt(at, mu)
			if ear == nil {
				return cost{}, fmt.Errorf("nobody listens at %v", at)
			}
			streams = append(streams, lent[j].speak(k.heard, uint32(2*j+1)), ear.speak(third.heard, uint32(2*j+2)))
		}
	}
	c := b.measure(b.s.process, streams)
	if c.arrived == 0 {
		return c, errors.New("nothing went through the bridge")
	}
	return c, b.leave(talks)
}

// earAt is the socket of an address.
func (b *callBench) earAt(at netip.AddrPort, mu *sync.Mutex) *ear {
	mu.Lock()
	defer mu.Unlock()
	for _, e := range b.ears.list {
		if e.port() == at {
			return e
		}
	}
	return nil
}
