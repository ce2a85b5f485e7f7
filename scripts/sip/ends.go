package main

import (
	"bufio"
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/connect"
	"github.com/aws/aws-sdk-go-v2/service/connect/types"
)

// ending is what is expected of some calls.
type ending struct {
	api
	method     types.ContactInitiationMethod
	since      time.Time
	data       string
	wait       time.Duration
	system     string
	choices    bool // the menu's attribute
	attributes map[string]string
	unanswered bool
	ringing    time.Duration // how long the callees ring
	none       bool          // there is no contact at all
	reasons    map[string]string
	seen       map[string]bool // contacts that have been looked at
}

// ends waits until each number of a series, or of those that are named, has had one
// call that is over, and checks the contact and the contact record of each.
func ends(ctx context.Context, args []string) error {
	e := ending{attributes: map[string]string{}, reasons: map[string]string{}, seen: map[string]bool{}}
	f := e.flags("ends")
	f.StringVar((*string)(&e.method), "method", "INBOUND", "initiation `method`")
	f.StringVar(&e.data, "data", "", "data `folder` of the server, with the contact records")
	f.StringVar(&e.system, "number", "", "the instance's `number`")
	f.DurationVar(&e.wait, "wait", 30*time.Second, "`time` to wait for the last")
	f.BoolVar(&e.choices, "choices", false, "each has pressed the last digit of its number in the menu")
	f.BoolVar(&e.unanswered, "unanswered", false, "nobody has answered")
	f.BoolVar(&e.none, "none", false, "there is no contact")
	f.DurationVar(&e.ringing, "ringing", 0, "`time` from the first ring to the answer")
	f.Func("attribute", "`NAME=VALUE` that each has", func(s string) error {
		name, value, _ := strings.Cut(s, "=")
		e.attributes[name] = value
		return nil
	})
	prefix := f.String("prefix", "", "`beginning` of the numbers of a series")
	first := f.Int("first", 0, "where the series `begins`")
	count := f.Int("count", 0, "`length` of the series")
	reason := f.String("reason", "CONTACT_FLOW_DISCONNECT", "`reason` of the series")
	e.parse(f, args)
	for n := *first; n < *first+*count; n++ {
		e.reasons[customer(*prefix, n)] = *reason
	}
	for _, pair := range f.Args() {
		number, why, ok := strings.Cut(pair, "=")
		if !ok {
			return fmt.Errorf("%q is no NUMBER=REASON", pair)
		}
		e.reasons[number] = why
	}
	e.since = time.Now().Add(-time.Hour)

	ctx, cancel := context.WithTimeout(ctx, e.wait)
	defer cancel()
	if e.none {
		return e.nothing(ctx)
	}
	contacts, err := e.contacts(ctx)
	if err != nil {
		return err
	}
	records, err := e.records(ctx, contacts)
	if err != nil {
		return err
	}
	var wrong []error
	for _, c := range contacts {
		for _, err := range append(e.check(c), e.compare(c, records[*c.Id])...) {
			wrong = append(wrong, fmt.Errorf("contact %s of %s: %w", *c.Id, *c.CustomerEndpoint.Address, err))
		}
	}
	if len(wrong) > 0 {
		return fmt.Errorf("%d things wrong: %w", len(wrong), errors.Join(wrong[:min(10, len(wrong))]...))
	}
	return e.tell(contacts)
}

// poll is how long to wait before looking again.
const poll = 200 * time.Millisecond

// contacts waits for those of the numbers, one each, to end.
func (e *ending) contacts(ctx context.Context) ([]*types.Contact, error) {
	ended := map[string]*types.Contact{} // by id
	for {
		byNumber := map[string]int{}
		ids, err := e.search(ctx)
		if err != nil {
			return nil, err
		}
		if err := e.describe(ctx, ids, ended); err != nil {
			return nil, err
		}
		for _, c := range ended {
			byNumber[*c.CustomerEndpoint.Address]++
		}
		for number, n := range byNumber {
			if n > 1 {
				return nil, fmt.Errorf("%s has %d contacts, want 1", number, n)
			}
		}
		if len(byNumber) == len(e.reasons) {
			return slices.Collect(maps.Values(ended)), nil
		}
		if err := rest(ctx); err != nil {
			var missing []string
			for number := range e.reasons {
				if byNumber[number] == 0 {
					missing = append(missing, number)
				}
			}
			slices.Sort(missing)
			return nil, fmt.Errorf("%d of %d calls have not ended after %v, the first: %v", len(missing), len(e.reasons), e.wait, missing[:min(3, len(missing))])
		}
	}
}

// nothing wants no contact of the numbers.
func (e *ending) nothing(ctx context.Context) error {
	found := map[string]*types.Contact{}
	ids, err := e.search(ctx)
	if err != nil {
		return err
	}
	if err := e.describe(ctx, ids, found); err != nil {
		return err
	}
	if len(found) > 0 {
		return fmt.Errorf("there are %d contacts, want none", len(found))
	}
	fmt.Printf("  ok  no contact of %d calls\n", len(e.reasons))
	return nil
}

// rest waits for a while, in vain when there is no time left.
func rest(ctx context.Context) error {
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-time.After(poll):
		return nil
	}
}

// search finds the contacts of the method.
func (e *ending) search(ctx context.Context) (ids []string, err error) {
	p := connect.NewSearchContactsPaginator(e.client, &connect.SearchContactsInput{
		InstanceId: &e.instance, MaxResults: aws.Int32(100),
		TimeRange:      &types.SearchContactsTimeRange{Type: types.SearchContactsTimeRangeTypeInitiationTimestamp, StartTime: &e.since, EndTime: aws.Time(time.Now().Add(time.Hour))},
		SearchCriteria: &types.SearchCriteria{InitiationMethods: []types.ContactInitiationMethod{e.method}},
	})
	for p.HasMorePages() {
		page, err := p.NextPage(ctx)
		if err != nil {
			return nil, err
		}
		for _, c := range page.Contacts {
			if c.DisconnectTimestamp != nil || e.none {
				ids = append(ids, *c.Id)
			}
		}
	}
	return ids, nil
}

// describe adds those of the contacts that are of the numbers.
func (e *ending) describe(ctx context.Context, ids []string, known map[string]*types.Contact) error {
	var group sync.WaitGroup
	var mu sync.Mutex
	var failed error
	slots := make(chan struct{}, 16)
	for _, id := range ids {
		if e.seen[id] {
			continue
		}
		e.seen[id] = true
		slots <- struct{}{}
		group.Go(func() {
			defer func() { <-slots }()
			out, err := e.client.DescribeContact(ctx, &connect.DescribeContactInput{InstanceId: &e.instance, ContactId: &id})
			mu.Lock()
			defer mu.Unlock()
			switch {
			case err != nil:
				failed = cmp.Or(failed, err)
			case out.Contact.CustomerEndpoint != nil && out.Contact.CustomerEndpoint.Address != nil && e.reasons[*out.Contact.CustomerEndpoint.Address] != "":
				known[id] = out.Contact
			}
		})
	}
	group.Wait()
	return failed
}

// check says what is wrong with a contact.
func (e *ending) check(c *types.Contact) (wrong []error) {
	number := *c.CustomerEndpoint.Address
	differ := func(what string, got, want any) {
		if got != want {
			wrong = append(wrong, fmt.Errorf("%s %v, want %v", what, got, want))
		}
	}
	differ("reason", aws.ToString(c.DisconnectReason), e.reasons[number])
	differ("channel", c.Channel, types.ChannelVoice)
	if e.system != "" {
		differ("system endpoint", aws.ToString(c.SystemEndpoint.Address), e.system)
	}
	if e.choices {
		differ("choice", c.Attributes["choice"], choice(number))
	}
	for name, value := range e.attributes {
		differ(name, c.Attributes[name], value)
	}
	switch {
	case e.unanswered:
		differ("answered", c.ConnectedToSystemTimestamp != nil, false)
	case c.ConnectedToSystemTimestamp == nil:
		return append(wrong, errors.New("it was not answered"))
	case e.method == types.ContactInitiationMethodInbound:
		differ("time of the answer less that of the arrival", c.ConnectedToSystemTimestamp.Sub(*c.InitiationTimestamp), time.Duration(0))
	}
	if e.ringing > 0 {
		if c.RingStartTimestamp == nil {
			return append(wrong, errors.New("it has not rung"))
		}
		// Either side may have been late with one of its two steps.
		if rang := c.ConnectedToSystemTimestamp.Sub(*c.RingStartTimestamp); rang < 0 || rang > e.ringing+time.Second {
			wrong = append(wrong, fmt.Errorf("it rang for %v, want %v", rang, e.ringing))
		}
	}
	order := []*time.Time{c.InitiationTimestamp, c.RingStartTimestamp, c.ConnectedToSystemTimestamp, c.DisconnectTimestamp}
	var last time.Time
	for _, at := range order {
		if at == nil {
			continue
		}
		if at.Before(last) {
			wrong = append(wrong, fmt.Errorf("times out of order: %v", order))
		}
		last = *at
	}
	return wrong
}

// record is as much of a contact record as is compared.
type record struct {
	ContactID                  string `json:"ContactId"`
	Channel                    string
	InitiationMethod           string
	DisconnectReason           string
	InitiationTimestamp        string
	ConnectedToSystemTimestamp string
	DisconnectTimestamp        string
	CustomerEndpoint           struct{ Address string }
	Attributes                 map[string]string
}

// records waits until the contact record of each has been delivered, and takes the
// last of each.
func (e *ending) records(ctx context.Context, contacts []*types.Contact) (map[string]record, error) {
	for {
		raw, err := os.ReadFile(filepath.Join(e.data, "contact-records.jsonl"))
		if err != nil && !errors.Is(err, os.ErrNotExist) {
			return nil, err
		}
		all := map[string]record{}
		for lines := bufio.NewReader(bytes.NewReader(raw)); ; {
			line, err := lines.ReadBytes('\n')
			if err != nil {
				break // the last line may not be complete yet
			}
			var r record
			if err := json.Unmarshal(line, &r); err != nil {
				return nil, fmt.Errorf("contact-records.jsonl: %w", err)
			}
			all[r.ContactID] = r
		}
		missing := 0
		for _, c := range contacts {
			if _, ok := all[*c.Id]; !ok {
				missing++
			}
		}
		if missing == 0 {
			return all, nil
		}
		if err := rest(ctx); err != nil {
			return nil, fmt.Errorf("%d of %d contact records are missing", missing, len(contacts))
		}
	}
}

// compare says where the record differs from the contact.
func (e *ending) compare(c *types.Contact, r record) (wrong []error) {
	differ := func(what, got, want string) {
		if got != want {
			wrong = append(wrong, fmt.Errorf("contact record: %s %q, want %q", what, got, want))
		}
	}
	at := func(t *time.Time) string {
		if t == nil {
			return ""
		}
		return t.UTC().Format("2006-01-02T15:04:05Z")
	}
	differ("channel", r.Channel, string(c.Channel))
	differ("method", r.InitiationMethod, string(c.InitiationMethod))
	differ("reason", r.DisconnectReason, *c.DisconnectReason)
	differ("customer", r.CustomerEndpoint.Address, *c.CustomerEndpoint.Address)
	differ("initiation", r.InitiationTimestamp, at(c.InitiationTimestamp))
	differ("answer", r.ConnectedToSystemTimestamp, at(c.ConnectedToSystemTimestamp))
	differ("end", r.DisconnectTimestamp, at(c.DisconnectTimestamp))
	if !maps.Equal(r.Attributes, c.Attributes) {
		wrong = append(wrong, fmt.Errorf("contact record: attributes %v, want %v", r.Attributes, c.Attributes))
	}
	return wrong
}

// tell sums up. Half of the callees must have rung for as long as they meant to.
func (e *ending) tell(contacts []*types.Contact) error {
	reasons := map[string]int{}
	var lasted, rang []time.Duration
	for _, c := range contacts {
		reasons[*c.DisconnectReason]++
		lasted = append(lasted, c.DisconnectTimestamp.Sub(*c.InitiationTimestamp))
		if c.RingStartTimestamp != nil && c.ConnectedToSystemTimestamp != nil {
			rang = append(rang, c.ConnectedToSystemTimestamp.Sub(*c.RingStartTimestamp))
		}
	}
	var list []string
	for _, why := range slices.Sorted(maps.Keys(reasons)) {
		list = append(list, fmt.Sprintf("%d %s", reasons[why], why))
	}
	fmt.Printf("  ok  %d contacts and their records: %s; they lasted %s", len(contacts), strings.Join(list, ", "), spread(lasted))
	if len(rang) > 0 {
		fmt.Printf(", and rang %s", spread(rang))
	}
	fmt.Println()
	const near = 20 * time.Millisecond
	if e.ringing > 0 {
		if median := rang[len(rang)/2]; median < e.ringing-near || median > e.ringing+near {
			return fmt.Errorf("half of the callees rang for %v, want %v", median, e.ringing)
		}
	}
	return nil
}

// spread is the middle and the ends of times.
func spread(d []time.Duration) string {
	slices.Sort(d)
	s := func(at float64) string { return fmt.Sprintf("%.3f", d[int(at*float64(len(d)-1))].Seconds()) }
	return fmt.Sprintf("%s to %s s (median %s, 99th percentile %s)", s(0), s(1), s(0.5), s(0.99))
}
