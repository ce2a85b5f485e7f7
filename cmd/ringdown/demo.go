package main

import (
	"context"
	_ "embed"
	"errors"
	"flag"
	"fmt"
	"io"
	"log/slog"
	"os"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/service/connect"
	"github.com/aws/aws-sdk-go-v2/service/connect/types"

	"ringdown/internal/server"
)

const demoHelp = `Usage:
  ringdown demo [--data FOLDER]

Shows the main job from end to end in a few seconds, with no other software: a server is started,
a contact centre is made with a user, a flow and a telephone number, somebody who is simulated is
called and presses a key, and what happened is shown step by step. Each step is printed with the
"aws connect" command that does the same.

  --data  folder for the data, which stays; without it everything is gone afterwards

The exit code is 0 when all of it worked.
`

// demoFlow is the flow that the demo runs.
//
//go:embed demo_flow.json
var demoFlow string

const (
	// demoCallee is a number set aside for fiction (North American Numbering Plan,
	// 555-0100 to 555-0199).
	demoCallee = "+14155550100"
	// demoPatience is how long all of it may take.
	demoPatience = time.Minute
	// demoSpeed is how much faster than life the callee is.
	demoSpeed = 10
)

// demo runs a contact centre from nothing to a call.
func demo(ctx context.Context, p *program, args []string) (err error) {
	f := flag.NewFlagSet("demo", flag.ContinueOnError)
	f.SetOutput(io.Discard)
	data := f.String("data", "", "")
	if err := f.Parse(args); errors.Is(err, flag.ErrHelp) {
		_, err := io.WriteString(p.stdout, demoHelp)
		return err
	} else if err != nil {
		return &usageError{err}
	}
	if f.NArg() > 0 {
		return &usageError{fmt.Errorf("unexpected argument %q", f.Arg(0))}
	}
	folder := *data
	if folder == "" {
		if folder, err = os.MkdirTemp("", "ringdown-demo-"); err != nil {
			return err
		}
		defer func() { err = errors.Join(err, os.RemoveAll(folder)) }()
	}
	ctx, cancel := context.WithTimeout(ctx, demoPatience)
	defer cancel()
	cfg := server.Config{
		Listen: "127.0.0.1:0", Data: folder, Logger: slog.New(slog.NewTextHandler(p.stderr, &slog.HandlerOptions{Level: slog.LevelWarn})),
		Simulation: server.Simulation{Speed: aws.Float64(demoSpeed), Callees: []server.Callee{{Number: demoCallee, Press: []string{"", "1"}}}},
	}
	running, err := server.Start(ctx, cfg)
	if err != nil {
		return err
	}
	d := &demonstration{p: p, ctx: ctx, client: connect.New(connect.Options{
		Region: server.DefaultRegion, BaseEndpoint: aws.String(running.URL),
		Credentials: credentials.NewStaticCredentialsProvider(running.Root.AccessKeyID, running.Root.SecretAccessKey, ""),
	})}
	cfg.RootAccessKeyID, cfg.RootSecretAccessKey = running.Root.AccessKeyID, running.Root.SecretAccessKey
	return errors.Join(d.show(running, cfg, *data), running.Close())
}

// demonstration is a demo under way.
type demonstration struct {
	p      *program
	ctx    context.Context //nolint:containedctx // one command's, for the steps
	client *connect.Client

	instance, instanceARN, routing, security, hours, queue, flow, source string
}

// show does and prints everything.
func (d *demonstration) show(running *server.Server, cfg server.Config, data string) error {
	began := time.Now()
	d.say("A server listens on %s, with its data in %s.", running.URL, running.Data)
	for _, step := range []func() error{d.makeInstance, d.makeUser, d.makeFlow, d.claimNumber} {
		if err := step(); err != nil {
			return err
		}
	}
	id, err := d.call()
	if err != nil {
		return err
	}
	d.say("This is what happens, as it happens. The callee lives %d times as fast as the clock.", demoSpeed)
	d.command("ringdown contact trace %s --follow", id)
	from, err := server.OpenContacts(cfg)
	if err != nil {
		return err
	}
	fmt.Fprintln(d.p.stdout)
	if err := newTimeline(d.p.stdout, d.p.colours()).trace(d.ctx, from, id, true); err != nil {
		return err
	}
	if err := d.check(id); err != nil {
		return err
	}
	d.say("Done in %.1f seconds.", time.Since(began).Seconds())
	d.farewell(data)
	return nil
}

func (d *demonstration) say(format string, args ...any) {
	text := fmt.Sprintf(format, args...)
	if d.p.colours() {
		text = bold + text + plain
	}
	fmt.Fprintf(d.p.stdout, "\n%s\n", text)
}

// command prints what somebody would type to do the same.
func (d *demonstration) command(format string, args ...any) {
	fmt.Fprintf(d.p.stdout, "  $ %s\n", fmt.Sprintf(format, args...))
}

// makeInstance makes a contact centre, and finds what it begins with.
func (d *demonstration) makeInstance() error {
	existing, err := d.client.ListInstances(d.ctx, &connect.ListInstancesInput{})
	if err != nil {
		return err
	}
	alias := fmt.Sprintf("demo-%d", len(existing.InstanceSummaryList)+1)
	d.say("A contact centre, made in an instant.")
	d.command("aws connect create-instance --instance-alias %s \\\n      --identity-management-type CONNECT_MANAGED --inbound-calls-enabled --outbound-calls-enabled", alias)
	made, err := d.client.CreateInstance(d.ctx, &connect.CreateInstanceInput{
		InstanceAlias: &alias, IdentityManagementType: types.DirectoryTypeConnectManaged,
		InboundCallsEnabled: aws.Bool(true), OutboundCallsEnabled: aws.Bool(true),
	})
	if err != nil {
		return err
	}
	d.instance, d.instanceARN = *made.Id, *made.Arn
	routing, err := d.client.ListRoutingProfiles(d.ctx, &connect.ListRoutingProfilesInput{InstanceId: &d.instance})
	if err != nil {
		return err
	}
	security, err := d.client.ListSecurityProfiles(d.ctx, &connect.ListSecurityProfilesInput{InstanceId: &d.instance})
	if err != nil {
		return err
	}
	hours, err := d.client.ListHoursOfOperations(d.ctx, &connect.ListHoursOfOperationsInput{InstanceId: &d.instance})
	if err != nil {
		return err
	}
	queues, err := d.client.ListQueues(d.ctx, &connect.ListQueuesInput{InstanceId: &d.instance, QueueTypes: []types.QueueType{types.QueueTypeStandard}})
	if err != nil {
		return err
	}
	for _, s := range security.SecurityProfileSummaryList {
		if aws.ToString(s.Name) == "Agent" {
			d.security = *s.Id
		}
	}
	if len(routing.RoutingProfileSummaryList) == 0 || len(hours.HoursOfOperationSummaryList) == 0 || len(queues.QueueSummaryList) == 0 || d.security == "" {
		return errors.New("a new instance lacks its routing profile, hours, queue or security profile")
	}
	d.routing = *routing.RoutingProfileSummaryList[0].Id
	d.hours = *hours.HoursOfOperationSummaryList[0].Id
	d.queue = *queues.QueueSummaryList[0].Id
	return nil
}

func (d *demonstration) makeUser() error {
	d.say("An agent.")
	d.command("aws connect create-user --instance-id %s \\\n"+
		"      --username mary --password 'Passw0rd-1' --identity-info FirstName=Mary,LastName=Major \\\n"+
		"      --phone-config PhoneType=SOFT_PHONE \\\n      --routing-profile-id %s \\\n      --security-profile-ids %s", d.instance, d.routing, d.security)
	_, err := d.client.CreateUser(d.ctx, &connect.CreateUserInput{
		InstanceId: &d.instance, Username: aws.String("mary"), Password: aws.String("Passw0rd-1"),
		IdentityInfo:     &types.UserIdentityInfo{FirstName: aws.String("Mary"), LastName: aws.String("Major")},
		PhoneConfig:      &types.UserPhoneConfig{PhoneType: types.PhoneTypeSoftPhone},
		RoutingProfileId: &d.routing, SecurityProfileIds: []string{d.security},
	})
	return err
}

func (d *demonstration) makeFlow() error {
	d.say("A flow: it greets, asks whether the centre is open, offers a menu and remembers the choice.")
	d.command("aws connect create-contact-flow --instance-id %s \\\n      --name Welcome --type CONTACT_FLOW --content file://welcome.json", d.instance)
	content := strings.NewReplacer("HOURS-ID", d.hours, "QUEUE-ID", d.queue).Replace(demoFlow)
	made, err := d.client.CreateContactFlow(d.ctx, &connect.CreateContactFlowInput{
		InstanceId: &d.instance, Name: aws.String("Welcome"), Type: types.ContactFlowTypeContactFlow, Content: &content,
	})
	if err != nil {
		return err
	}
	d.flow = *made.ContactFlowId
	return nil
}

func (d *demonstration) claimNumber() error {
	d.say("A telephone number that leads to it.")
	found, err := d.client.SearchAvailablePhoneNumbers(d.ctx, &connect.SearchAvailablePhoneNumbersInput{
		TargetArn: &d.instanceARN, PhoneNumberCountryCode: types.PhoneNumberCountryCodeUs, PhoneNumberType: types.PhoneNumberTypeDid, MaxResults: aws.Int32(1),
	})
	if err != nil {
		return err
	}
	if len(found.AvailableNumbersList) == 0 {
		return errors.New("there is no number to claim")
	}
	d.source = *found.AvailableNumbersList[0].PhoneNumber
	d.command("aws connect claim-phone-number --phone-number %s \\\n    --target-arn %s", d.source, d.instanceARN)
	claimed, err := d.client.ClaimPhoneNumber(d.ctx, &connect.ClaimPhoneNumberInput{TargetArn: &d.instanceARN, PhoneNumber: &d.source})
	if err != nil {
		return err
	}
	d.command("aws connect associate-phone-number-contact-flow \\\n      --instance-id %s \\\n      --phone-number-id %s \\\n      --contact-flow-id %s", d.instance, *claimed.PhoneNumberId, d.flow)
	_, err = d.client.AssociatePhoneNumberContactFlow(d.ctx, &connect.AssociatePhoneNumberContactFlowInput{
		InstanceId: &d.instance, PhoneNumberId: claimed.PhoneNumberId, ContactFlowId: &d.flow,
	})
	return err
}

// call has somebody called, and returns the id of the contact.
func (d *demonstration) call() (string, error) {
	d.say("Somebody is called. The callee is simulated: answers after a second, listens, and presses 1\nafter the menu. (Who does what is in the section \"simulation\" of the configuration file.)")
	d.command("aws connect start-outbound-voice-contact --instance-id %s \\\n"+
		"      --contact-flow-id %s \\\n      --source-phone-number %s --destination-phone-number %s \\\n      --attributes customer=Ann", d.instance, d.flow, d.source, demoCallee)
	started, err := d.client.StartOutboundVoiceContact(d.ctx, &connect.StartOutboundVoiceContactInput{
		InstanceId: &d.instance, ContactFlowId: &d.flow, SourcePhoneNumber: &d.source, DestinationPhoneNumber: aws.String(demoCallee),
		Attributes: map[string]string{"customer": "Ann"},
	})
	if err != nil {
		return "", err
	}
	return *started.ContactId, nil
}

// check reads what the flow has left behind, through the API, and is an error
// when that is not what it should be.
func (d *demonstration) check(id string) error {
	d.say("What the flow has remembered, for whoever asks the API.")
	d.command("aws connect get-contact-attributes --instance-id %s \\\n      --initial-contact-id %s", d.instance, id)
	left, err := d.client.GetContactAttributes(d.ctx, &connect.GetContactAttributesInput{InstanceId: &d.instance, InitialContactId: &id})
	if err != nil {
		return err
	}
	fmt.Fprintf(d.p.stdout, "  {\"Attributes\": {\"choice\": %q, \"customer\": %q}}\n", left.Attributes["choice"], left.Attributes["customer"])
	described, err := d.client.DescribeContact(d.ctx, &connect.DescribeContactInput{InstanceId: &d.instance, ContactId: &id})
	if err != nil {
		return err
	}
	if choice, reason := left.Attributes["choice"], aws.ToString(described.Contact.DisconnectReason); choice != "sales" || reason != "CONTACT_FLOW_DISCONNECT" {
		return fmt.Errorf("the call ended with %s and the choice %q, not with CONTACT_FLOW_DISCONNECT and the choice \"sales\"", reason, choice)
	}
	return nil
}

// farewell says where to go on.
func (d *demonstration) farewell(data string) {
	if data == "" {
		fmt.Fprint(d.p.stdout, "Nothing is left behind. To begin with a server of your own:\n"+
			"  ringdown serve                     # and, in another terminal:\n"+
			"  eval \"$(ringdown env)\"             # points the AWS CLI and SDKs at it\n"+
			"  aws connect list-instances\n")
	} else {
		fmt.Fprintf(d.p.stdout, "All of it is kept in %s. To go on with it:\n"+
			"  ringdown serve --data %[2]s        # and, in another terminal:\n"+
			"  eval \"$(ringdown env --data %[2]s)\"\n"+
			"  ringdown contact list --data %[2]s\n", data, shellQuote(data))
	}
	fmt.Fprint(d.p.stdout, "Flows: docs/flows.md. Settings, and who answers calls: docs/operations.md.\n")
}
