// Command bench measures ringdown beside its floors, in one run on one
// machine, and prints a table. It is run by `make bench`.
//
// The server under load is the real binary in a process of its own; so is the
// floor (floor.go). Requests are signed ahead, so that the client, which
// shares the machine, costs little. Each number is the median of its rounds,
// floor and server taking turns.
package main

import (
	"context"
	"flag"
	"fmt"
	"log"
	"os"
	"path/filepath"
	"slices"
	"time"
)

type options struct {
	users       int           // in the large instance that is searched
	creates     int           // users created in a round
	length      time.Duration // of a round of reads or updates
	rounds      int
	connections int
	part        string // the only one, "" for all
	bin         string // the server that is measured, "" to build it

	callsOptions
}

func main() {
	var o options
	asFloor := flag.Bool("floor", false, "serve the floor; for this program's own use")
	flag.IntVar(&o.users, "users", 1_000_000, "users in the instance that is searched")
	flag.IntVar(&o.creates, "creates", 20_000, "users created in a round")
	flag.DurationVar(&o.length, "length", 3*time.Second, "length of a round of reads or updates")
	flag.IntVar(&o.rounds, "rounds", 3, "rounds; the median counts")
	flag.IntVar(&o.connections, "connections", 64, "concurrent clients")
	flag.StringVar(&o.part, "part", "", "measure only this part: idle, operations, contacts, tests, calls, search or soak, which no other run has")
	flag.StringVar(&o.bin, "bin", "", "measure this `file` instead of building the server")
	flag.IntVar(&o.setups, "setups", 4000, "calls that are set up in a round")
	flag.IntVar(&o.callers, "callers", 300, "telephones that set up calls at once")
	flag.IntVar(&o.calls, "calls", 200, "calls at once that hear a prompt")
	flag.IntVar(&o.bridged, "bridged", 500, "calls at once that are bridged")
	flag.IntVar(&o.soak, "soak", 20_000, "calls of the soak")
	asTelephones := flag.Bool("bare-telephones", false, "answer calls; for this program's own use")
	asRelay := flag.Int("bare-relay", 0, "relay between so many pairs of sockets; for this program's own use")
	flag.Parse()
	var err error
	switch {
	case *asFloor:
		err = serveFloor(keyID, secret)
	case *asTelephones:
		err = serveCallFloor()
	case *asRelay > 0:
		err = serveRelay(*asRelay)
	default:
		err = bench(context.Background(), o)
	}
	if err != nil {
		log.Fatal(err)
	}
}

func bench(ctx context.Context, o options) error {
	dir, err := os.MkdirTemp("", "ringdown-bench-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	bin := o.bin
	if bin == "" {
		if bin, err = build(dir); err != nil {
			return err
		}
	}
	for _, part := range []struct {
		name  string
		bench func() error
	}{
		{"idle", func() error { return benchIdle(bin, filepath.Join(dir, "idle")) }},
		{"operations", func() error { return benchOperations(ctx, o, bin, dir) }},
		{"contacts", func() error { return benchContacts(ctx, o, bin, dir) }},
		{"tests", func() error { return benchTestCases(ctx, o, bin, filepath.Join(dir, "tests")) }},
		{"calls", func() error { return benchCalls(ctx, o, bin, filepath.Join(dir, "calls")) }},
		{"search", func() error { return benchSearch(ctx, o, bin, filepath.Join(dir, "search")) }},
		{"soak", func() error { return soak(ctx, o, bin, filepath.Join(dir, "soak")) }},
	} {
		if o.part != part.name && (o.part != "" || part.name == "soak") {
			continue
		}
		if err := part.bench(); err != nil {
			return fmt.Errorf("%s: %w", part.name, err)
		}
	}
	return nil
}

// benchIdle measures a server on an empty data folder.
func benchIdle(bin, data string) error {
	p, err := startServer(bin, data)
	if err != nil {
		return err
	}
	defer p.stop()
	time.Sleep(2 * time.Second) // let it settle
	fmt.Printf("empty data folder: ready in %v (aim: under 500ms), %d MB resident when idle (aim: under 80 MB)\n\n",
		p.ready.Round(time.Millisecond), p.resident()>>20)
	return nil
}

// row is one operation of the table.
type row struct {
	name     string
	requests func(round int) []call // what a round sends
	once     bool                   // each a single time
	write    bool
}

// benchOperations prints the operations beside their floors.
func benchOperations(ctx context.Context, o options, bin, dir string) error {
	data := filepath.Join(dir, "operations")
	p, err := startServer(bin, data)
	if err != nil {
		return err
	}
	at, err := newPlace(ctx, p.client(), "bench")
	p.stop()
	if err != nil {
		return err
	}
	before := filepath.Join(dir, "before")
	if err := copyFolder(data, before); err != nil {
		return err
	}
	if p, err = startServer(bin, data); err != nil {
		return err
	}
	defer func() { p.stop() }()
	f, err := startFloor()
	if err != nil {
		return err
	}
	defer f.stop()

	creates := func(round int) []call {
		calls := make([]call, o.creates)
		for i := range calls {
			calls[i] = at.create(fmt.Sprintf("user%d-%07d", round, i))
		}
		return calls
	}
	measured := map[string]measurement{}
	fmt.Printf("%d clients, %d rounds, medians\n%-24s %8s %8s %8s %9s %6s %14s %6s %9s %9s\n", o.connections, o.rounds,
		"operation", "ops/s", "p50", "p99", "floor/s", "ratio", "bare inserts/s", "ratio", "CPU/op", "floor's")
	create := row{name: "CreateUser", requests: creates, once: true}
	if measured[create.name], err = measure(o, p, f, create); err != nil {
		return err
	}
	p.stop() // to read what it wrote
	users, err := readUsers(ctx, data)
	if err != nil {
		return err
	}
	var inserts, rows []float64 // with and without references
	for round := range o.rounds {
		for _, b := range []struct {
			refs bool
			list *[]float64
		}{{true, &inserts}, {false, &rows}} {
			fresh := filepath.Join(dir, fmt.Sprintf("bare%d-%t", round, b.refs))
			if err := copyFolder(before, fresh); err != nil {
				return err
			}
			n, err := bareInserts(ctx, fresh, users[:min(o.creates, len(users))], b.refs)
			if err != nil {
				return err
			}
			*b.list = append(*b.list, n)
		}
	}
	print1(create.name, measured[create.name], median(inserts))
	if p, err = startServer(bin, data); err != nil {
		return err
	}
	some := users[:min(1000, len(users))]
	each := func(f func(u userRow) call) func(int) []call {
		return func(int) []call {
			calls := make([]call, len(some))
			for i, u := range some {
				calls[i] = f(u)
			}
			return calls
		}
	}
	for _, r := range []row{
		{name: "UpdateUserPhoneConfig", write: true, requests: each(func(u userRow) call {
			return call{"POST", "/users/" + at.id + "/" + u.id + "/phone-config", `{"PhoneConfig":{"PhoneType":"DESK_PHONE","AfterContactWorkTimeLimit":30,"DeskPhoneNumber":"+15555551212"}}`}
		})},
		{name: "TagResource", write: true, requests: func(int) []call {
			// Two values in turn, for a tag that is there already is not written.
			tagged := func(value string) []call {
				return each(func(u userRow) call {
					arn := "arn%3Aaws%3Aconnect%3Aus-east-1%3A123456789012%3Ainstance%2F" + at.id + "%2Fagent%2F" + u.id
					return call{"POST", "/tags/" + arn, `{"tags":{"Shift":"` + value + `"}}`}
				})(0)
			}
			return append(tagged("early"), tagged("late")...)
		}},
		{name: "DescribeUser", requests: each(func(u userRow) call { return call{"GET", "/users/" + at.id + "/" + u.id, ""} })},
		{name: "ListUsers (100)", requests: func(int) []call {
			return []call{{"GET", "/users-summary/" + at.id + "?maxResults=100", ""}}
		}},
		{name: "SearchUsers (100)", requests: func(int) []call {
			return []call{{"POST", "/search-users", `{"InstanceId":"` + at.id + `","MaxResults":100,"SearchCriteria":{"StringCondition":{"FieldName":"Username","Value":"user0","ComparisonType":"STARTS_WITH"}}}`}}
		}},
	} {
		m, err := measure(o, p, f, r)
		if err != nil {
			return err
		}
		bare := 0.0
		if r.write {
			bare = median(rows)
		}
		print1(r.name, m, bare)
	}
	fmt.Printf("aims: reads at 0.70 of the HTTP floor or more, writes at 0.60 of the bare inserts or more\n\n")
	return nil
}

// measurement is the median of the rounds of one operation.
type measurement struct {
	result
	floor         float64
	cpu, floorCPU time.Duration // of the server, an operation
}

func measure(o options, p, f *process, r row) (measurement, error) {
	var ours []result
	var floors []float64
	var spent [2]time.Duration // by the floor and the server
	var answered [2]int
	for round := range o.rounds {
		calls := r.requests(round)
		for which, on := range []*process{f, p} {
			requests, err := on.target().signAll(calls)
			if err != nil {
				return measurement{}, err
			}
			before := on.cpu()
			got, err := on.target().run(requests, o.connections, o.length, r.once)
			if err != nil {
				return measurement{}, fmt.Errorf("%s: %w", r.name, err)
			}
			spent[which] += on.cpu() - before
			answered[which] += got.answered
			if on == f {
				floors = append(floors, got.perSecond)
			} else {
				ours = append(ours, got)
			}
		}
	}
	slices.SortFunc(ours, func(a, b result) int { return int(a.perSecond - b.perSecond) })
	return measurement{
		ours[len(ours)/2], median(floors),
		spent[1] / time.Duration(answered[1]), spent[0] / time.Duration(answered[0]),
	}, nil
}

func print1(name string, m measurement, bare float64) {
	fmt.Printf("%-24s %8.0f %8v %8v %9.0f %6.2f", name, m.perSecond, m.p50.Round(10*time.Microsecond), m.p99.Round(10*time.Microsecond), m.floor, m.perSecond/m.floor)
	if bare > 0 {
		fmt.Printf(" %14.0f %6.2f", bare, m.perSecond/bare)
	} else {
		fmt.Printf(" %14s %6s", "", "")
	}
	fmt.Printf(" %9v %9v\n", m.cpu.Round(100*time.Nanosecond), m.floorCPU.Round(100*time.Nanosecond))
}

func median(list []float64) float64 {
	sorted := slices.Sorted(slices.Values(list))
	return sorted[len(sorted)/2]
}
