package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net/http"
	"net/netip"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/connect"
)

// The soak is many short calls of every kind: in and out, recorded, bridged, given
// up, refused, hung up on at once. Afterwards nothing of them may be left, and
// while they go on nothing may grow.

const (
	// soakCallers is how many calls are made at once.
	soakCallers = 120
	// soakSamples is how often it is looked at what the server takes up.
	soakSamples = 10
	// soakRate is how many are begun a second.
	soakRate = 200
	// soakWarm is which part of the calls is left out when memory is judged: before
	// it, caches fill, and what SIP remembers of calls (soakMemory) still grows.
	soakWarm = 0.5
	// soakGrowth is by how much memory may differ between the samples after that and
	// still be called flat: the collector lets the heap swing.
	soakGrowth = 1.1
	// soakRest is how long the server has to put everything away.
	soakRest = 90 * time.Second
	// soakMemory is how long SIP remembers a call that is over, to answer what comes
	// again (timers H and J of RFC 3261 §17), and some time to forget it.
	soakMemory = 36 * time.Second
	// soakPart is which part of the calls is made once more before all, and once more
	// when SIP has forgotten them: so the collector has run, and what lives after the
	// one and the other can be compared. It may differ by soakKept.
	soakPart = 20
	soakKept = 6 << 20
	// soakWhole is how many calls are enough to judge memory.
	soakWhole = 5000
)

// gauges are what a server takes up.
type gauges struct {
	calls                int // that were made before
	resident, heap       int64
	goroutines, files    int
	sip, sessions, ports int
}

// look reads the server's metrics.
func (s *callServer) look(ctx context.Context) (gauges, error) {
	r, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+s.addr+"/-/metrics", nil)
	if err != nil {
		return gauges{}, err
	}
	resp, err := http.DefaultClient.Do(r)
	if err != nil {
		return gauges{}, err
	}
	defer resp.Body.Close()
	values := map[string]float64{}
	for lines := bufio.NewScanner(resp.Body); lines.Scan(); {
		if name, value, ok := strings.Cut(lines.Text(), " "); ok {
			if v, err := strconv.ParseFloat(value, 64); err == nil {
				values[name] = v
			}
		}
	}
	for _, name := range []string{"ringdown_sip_calls", "ringdown_rtp_ports", "go_goroutines", "process_open_fds", "go_gc_heap_live_bytes"} {
		if _, is := values[name]; !is {
			return gauges{}, fmt.Errorf("/-/metrics has no %s", name)
		}
	}
	return gauges{
		resident:   int64(values["process_resident_memory_bytes"]),
		heap:       int64(values["go_gc_heap_live_bytes"]),
		goroutines: int(values["go_goroutines"]), files: int(values["process_open_fds"]),
		sip: int(values["ringdown_sip_calls"]), sessions: int(values["ringdown_rtp_sessions"]), ports: int(values["ringdown_rtp_ports"]),
	}, nil
}

func (g gauges) print() {
	fmt.Printf("  %8d %12.1f %12.1f %11d %7d %10d %9d %6d\n", g.calls,
		float64(g.resident)/(1<<20), float64(g.heap)/(1<<20), g.goroutines, g.files, g.sip, g.sessions, g.ports)
}

// soakKind is a kind of call, and how it is made. An error says that it went wrong.
type soakKind struct {
	name string
	call func(ctx context.Context, n int) error
}

// soaking is a soak under way.
type soaking struct {
	s     *callServer
	t     *telephones
	sound string
	data  string // folder of the server
	// recorded is how many calls were that a recording must be of.
	recorded atomic.Int64
	// expected are the outbound calls that are waited for, by number.
	expected sync.Map // number → chan *talk
}

// soakNumber is the number of a callee; its last digit but the counter says what it
// does.
func soakNumber(kind, n int) string { return fmt.Sprintf("+12067%d%05d", kind, n%100_000) }

// The callees of the soak.
const (
	calleeAnswers = iota
	calleeLeaves
	calleeBusy
	calleeRings
)

// manner is what a callee does.
func (k *soaking) manner(number string) manner {
	m := manner{status: 200, stay: -1, sound: k.sound}
	kind, is := strings.CutPrefix(number, "+12067")
	if !is { // the third party
		m.stay = 200 * time.Millisecond
		return m
	}
	switch int(kind[0] - '0') {
	case calleeLeaves:
		m.stay = 0
	case calleeBusy:
		m.status = 486
	case calleeRings:
		m.status, m.rings = 480, 150*time.Millisecond
	}
	return m
}

// in makes a call to the server.
func (k *soaking) in(number string, status int, then func(*talk) error) func(context.Context, int) error {
	return func(_ context.Context, n int) error {
		c := k.t.call(number, fmt.Sprintf("+12065%06d", n%1_000_000), k.sound)
		if err := c.wait(c.settled, patienceOfCalls); err != nil {
			return err
		}
		if c.status != status {
			return fmt.Errorf("answered with %d", c.status)
		}
		if then != nil {
			if err := then(c); err != nil {
				return err
			}
		}
		return c.wait(c.over, patienceOfCalls)
	}
}

// out has the server make a call.
func (k *soaking) out(kind int, number string) func(context.Context, int) error {
	return func(ctx context.Context, n int) error {
		to, flow, from := soakNumber(kind, n), k.s.flows[number], office
		rings := make(chan *talk, 1)
		k.expected.Store(to, rings)
		defer k.expected.Delete(to)
		if _, err := k.s.client.StartOutboundVoiceContact(ctx, &connect.StartOutboundVoiceContactInput{
			InstanceId: &k.s.place.id, ContactFlowId: &flow, DestinationPhoneNumber: &to, SourcePhoneNumber: &from,
		}); err != nil {
			return err
		}
		select {
		case c := <-rings:
			return c.wait(c.over, patienceOfCalls)
		case <-time.After(patienceOfCalls):
			return fmt.Errorf("nobody called %s", to)
		}
	}
}

// hangUp hangs up as soon as the call is answered.
func hangUp(c *talk) error {
	c.hangUp()
	return nil
}

// cancelled is a caller who gives up at once, whether or not that is in time.
func (k *soaking) cancelled(_ context.Context, n int) error {
	c := k.t.call(numberShort, fmt.Sprintf("+12065%06d", n%1_000_000), k.sound)
	c.cancel()
	if err := c.wait(c.over, patienceOfCalls); err != nil {
		return err
	}
	if c.status != 487 && c.status != 200 {
		return fmt.Errorf("answered with %d", c.status)
	}
	return nil
}

// soak makes the calls and fails when something is left behind.
func soak(ctx context.Context, o options, bin, data string) error {
	b := &ears{}
	defer b.close()
	e, err := b.lend()
	if err != nil {
		return err
	}
	k := &soaking{sound: e.address(), data: data}
	if k.t, err = listenTelephones(k.manner); err != nil {
		return err
	}
	defer k.t.close()
	k.t.met = func(number string, c *talk) {
		if rings, is := k.expected.Load(number); is {
			rings.(chan *talk) <- c
		}
	}
	if k.s, err = startCallServer(ctx, bin, data, k.t.local); err != nil {
		return err
	}
	defer k.s.stop()
	if k.t.server, err = netip.ParseAddrPort(k.s.sip); err != nil {
		return err
	}
	kinds := []soakKind{
		{"in, hears a prompt", k.in(numberShort, 200, nil)},
		{"in, recorded", k.in(numberBrief, 200, nil)},
		{"in, hangs up at once", k.in(numberShort, 200, hangUp)},
		{"in, gives up", k.cancelled},
		{"in, to nobody", k.in(numberNobody, 404, nil)},
		{"in, bridged out", k.in(numberThird, 200, nil)},
		{"out, hears a prompt", k.out(calleeAnswers, numberShort)},
		{"out, recorded", k.out(calleeAnswers, numberBrief)},
		{"out, hangs up at once", k.out(calleeLeaves, numberShort)},
		{"out, busy", k.out(calleeBusy, numberShort)},
		{"out, not answered", k.out(calleeRings, numberShort)},
	}
	before, err := k.s.look(ctx)
	if err != nil {
		return err
	}
	fmt.Printf("soak: %d short calls of %d kinds, %d at once, load of the machine before: %s\n", o.soak, len(kinds), soakCallers, loadAverage())
	fmt.Printf("  %8s %12s %12s %11s %7s %10s %9s %6s\n", "calls", "resident MB", "live heap MB", "goroutines", "files", "SIP calls", "sessions", "ports")
	before.print()
	failed := 0
	if o.soak >= soakWhole {
		if _, failed, err = k.run(ctx, o.soak/soakPart, 1, kinds); err != nil {
			return err
		}
		if before, err = k.settle(ctx, before); err != nil {
			return err
		}
		fmt.Printf("  after %d calls, from which on what is left is counted\n", o.soak/soakPart)
		before.print()
	}
	began := time.Now()
	samples, bad, err := k.run(ctx, o.soak, soakSamples, kinds)
	took := time.Since(began)
	if err != nil {
		return err
	}
	failed += bad
	after, left := k.settle(ctx, before)
	after.calls = o.soak
	fmt.Println("  after a rest")
	after.print()
	problems := []error{left, flat(samples)}
	if o.soak >= soakWhole {
		time.Sleep(soakMemory)
		_, more, err := k.run(ctx, o.soak/soakPart, 1, kinds)
		if err != nil {
			return err
		}
		after, left := k.settle(ctx, before)
		after.calls = o.soak + o.soak/soakPart
		fmt.Printf("  when SIP has forgotten them, and %d more\n", o.soak/soakPart)
		after.print()
		if failed += more; after.heap > before.heap+soakKept {
			problems = append(problems, fmt.Errorf("%.1f MB of memory are left", float64(after.heap-before.heap)/(1<<20)))
		}
		problems = append(problems, left)
	}
	stored, err := countFiles(filepath.Join(data, "objects", "recordings"))
	if err != nil {
		return err
	}
	if want := int(k.recorded.Load()); stored != want {
		problems = append(problems, fmt.Errorf("%d recordings are stored of %d", stored, want))
	}
	fmt.Printf("  %.0f calls a second, %d recordings stored, %d failed, %d messages sent again, %d requests about calls that were over\n",
		float64(o.soak)/took.Seconds(), stored, failed, k.t.again.Load(), k.t.strayed.Load())
	if failed > 0 {
		problems = append(problems, fmt.Errorf("%d calls failed", failed))
	}
	if err := errors.Join(problems...); err != nil {
		return err
	}
	if o.soak < soakWhole {
		fmt.Printf("  nothing is left behind; for memory it takes %d calls\n\n", soakWhole)
	} else {
		fmt.Printf("  nothing is left behind, memory is flat\n\n")
	}
	return nil
}

// run makes the calls, and looks at the server from time to time.
func (k *soaking) run(ctx context.Context, n, looksAt int, kinds []soakKind) (samples []gauges, failed int, err error) {
	var next, failures atomic.Int64
	var wg sync.WaitGroup
	said := make([]atomic.Bool, len(kinds))
	every, began := max(1, n/looksAt), time.Now()
	looks := make(chan int, looksAt+1)
	for range soakCallers {
		wg.Go(func() {
			for {
				i := int(next.Add(1)) - 1
				if i >= n {
					return
				}
				if i > 0 && i%every == 0 {
					looks <- i
				}
				time.Sleep(time.Until(began.Add(time.Duration(i) * time.Second / soakRate)))
				kind := kinds[i%len(kinds)]
				if strings.HasSuffix(kind.name, "recorded") {
					k.recorded.Add(1)
				}
				if err := kind.call(ctx, i); err != nil {
					failures.Add(1)
					if !said[i%len(kinds)].Swap(true) {
						fmt.Printf("  %s: %v\n", kind.name, err)
					}
				}
			}
		})
	}
	go func() {
		wg.Wait()
		close(looks)
	}()
	for i := range looks {
		g, e := k.s.look(ctx)
		if e != nil {
			err = e
			continue
		}
		g.calls = i
		g.print()
		samples = append(samples, g)
	}
	return samples, int(failures.Load()), err
}

// spare is how many more goroutines and files there may be than before: those of
// connections to databases and of this program's to the server.
const spare = 20

// settle waits until the server has put everything away, and says what it has not.
func (k *soaking) settle(ctx context.Context, before gauges) (gauges, error) {
	for began := time.Now(); ; time.Sleep(200 * time.Millisecond) {
		k.s.client.Options().HTTPClient.(interface{ CloseIdleConnections() }).CloseIdleConnections()
		g, err := k.s.look(ctx)
		if err != nil {
			return g, err
		}
		unstored, err := countFiles(filepath.Join(k.data, "recordings"))
		if err != nil {
			return g, err
		}
		var left []error
		for _, of := range []struct {
			what         string
			have, before int
		}{
			{"SIP calls", g.sip, 0},
			{"sessions of sound", g.sessions, 0},
			{"ports", g.ports, 0},
			{"calls of the far side", k.t.live(), 0},
			{"recordings that are not stored", unstored, 0},
			{"goroutines", g.goroutines, before.goroutines + spare},
			{"open files", g.files, before.files + spare},
		} {
			if of.have > of.before {
				left = append(left, fmt.Errorf("%d %s are left, %d at most should be", of.have, of.what, of.before))
			}
		}
		if len(left) == 0 || time.Since(began) > soakRest {
			return g, errors.Join(left...)
		}
	}
}

// countFiles is how many files there are below a folder.
func countFiles(dir string) (n int, err error) {
	err = filepath.WalkDir(dir, func(_ string, d fs.DirEntry, err error) error {
		if errors.Is(err, fs.ErrNotExist) {
			return nil
		}
		if err == nil && !d.IsDir() {
			n++
		}
		return err
	})
	return n, err
}

// flat says whether memory has stopped to grow.
func flat(samples []gauges) error {
	late := samples[int(float64(len(samples))*soakWarm):]
	if len(late) < 4 || late[0].calls < soakWhole/2 {
		return nil // too few to tell
	}
	var errs []error
	for _, m := range []struct {
		what string
		of   func(gauges) int64
	}{
		{"resident memory", func(g gauges) int64 { return g.resident }},
		{"the live heap", func(g gauges) int64 { return g.heap }},
	} {
		least := func(half []gauges) float64 {
			return float64(m.of(slices.MinFunc(half, func(a, b gauges) int { return int(m.of(a) - m.of(b)) })))
		}
		first, second := least(late[:len(late)/2]), least(late[len(late)/2:])
		if second > first*soakGrowth {
			errs = append(errs, fmt.Errorf("%s grows: %.1f MB, then %.1f MB", m.what, first/(1<<20), second/(1<<20)))
		}
	}
	return errors.Join(errs...)
}
