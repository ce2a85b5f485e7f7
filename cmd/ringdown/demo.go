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
	"ringdown/internal/voice/phone"
)

const demoHelp = `Usage:
  ringdown demo [--data FOLDER]

Shows the main job from end to end in a quarter of a minute, with no other software: a server is
started, a contact centre is made with a user, a flow and a telephone number, a telephone on this
machine rings, is answered, hears the menu, presses a key and waits in a queue with music. The call
is a real one, over SIP on the loopback, and is recorded. What happened is shown step by step, and
each step with the "aws connect" command that does the same.

  --data  folder for the data, which stays; without it everything but the recording is gone afterwards

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
	demoBucket = "demo-recordings"
	// demoPatience is how long all of it may take.
	demoPatience = 2 * time.Minute
	// demoAnswers is how long the telephone rings, demoPresses how long after that
	// the key is pressed: the greeting is over by then and the menu has begun, if
	// there is a voice to speak them.
	demoAnswers = time.Second
	demoPresses = 6500 * time.Millisecond
	// demoWaits is how long the caller bears with the music of the queue.
	demoWaits = 7 * time.Second
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
		SIPListen: "127.0.0.1:0",
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
	err = d.show(running, cfg, *data)
	d.hangUp()
	return errors.Join(err, running.Close())
}

// demonstration is a demo under way.
type demonstration struct {
	p      *program
	ctx    context.Context //nolint:containedctx // one command's, for the steps
	client *connect.Client

	instance, instanceARN, routing, security, hours, queue, flow, source string

	phone  *phone.Phone
	callee chan error // the end of the callee
}

// show does and prints everything.
func (d *demonstration) show(running *server.Server, cfg server.Config, data string) error {
	began := time.Now()
	d.say("A server listens on %s, and for calls on %s,\nwith its data in %s.", running.URL, running.SIP, running.Data)
	for _, step := range []func() error{d.makeInstance, d.makeUser, d.keepRecordings, d.makeFlow, d.claimNumber, func() error { return d.ring(running.SIP) }} {
		if err := step(); err != nil {
			return err
		}
	}
	id, err := d.call()
	if err != nil {
		return err
	}
	d.say("This is what happens, as it happens.")
	d.command("ringdown contact trace %s --follow", id)
	from, err := server.OpenContacts(cfg)
	if err != nil {
		return err
	}
	fmt.Fprintln(d.p.stdout)
	if err := newTimeline(d.p.stdout, d.p.colours()).trace(d.ctx, from, id, true); err != nil {
		return err
	}
	if err := d.check(running, id, data == ""); err != nil {
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

// keepRecordings says where recordings of calls are kept.
func (d *demonstration) keepRecordings() error {
	d.say("A place for recordings of calls.")
	d.command("aws connect associate-instance-storage-config \\\n      --instance-id %s \\\n"+
		"      --resource-type CALL_RECORDINGS \\\n      --storage-config 'StorageType=S3,S3Config={BucketName=%s,BucketPrefix=demo}'", d.instance, demoBucket)
	_, err := d.client.AssociateInstanceStorageConfig(d.ctx, &connect.AssociateInstanceStorageConfigInput{
		InstanceId: &d.instance, ResourceType: types.InstanceStorageResourceTypeCallRecordings,
		StorageConfig: &types.InstanceStorageConfig{
			StorageType: types.StorageTypeS3, S3Config: &types.S3Config{BucketName: aws.String(demoBucket), BucketPrefix: aws.String("demo")},
		},
	})
	return err
}

// ring has a telephone of the callee's registered, which answers, presses a key
// and hangs up in the queue.
func (d *demonstration) ring(at string) (err error) {
	d.say("A telephone on this machine, which answers as %s. (A person would do it by\nhand.)", demoCallee)
	d.command("ringdown phone wait --number %s --answer-after %s --type 1 --after %s", demoCallee, demoAnswers, demoPresses)
	if d.phone, err = phone.New(d.ctx, phone.Options{Server: at, Number: demoCallee, Register: true}); err != nil {
		return err
	}
	d.callee = make(chan error, 1)
	go func() { d.callee <- d.pickUp() }()
	return nil
}

// pickUp is what the callee does.
func (d *demonstration) pickUp() error {
	call, err := d.phone.Wait(d.ctx)
	if err != nil {
		return err
	}
	if err := d.pause(demoAnswers); err != nil {
		return err
	}
	call.Answer()
	if err := call.Answered(d.ctx); err != nil {
		return err
	}
	if err := d.pause(demoPresses); err != nil {
		return err
	}
	call.Press("1")
	if err := d.pause(demoWaits); err != nil {
		return err
	}
	call.Hangup()
	_, err = call.Ended(d.ctx)
	return err
}

func (d *demonstration) pause(t time.Duration) error {
	select {
	case <-time.After(t):
		return nil
	case <-d.ctx.Done():
		return d.ctx.Err()
	}
}

// hangUp puts the telephone away.
func (d *demonstration) hangUp() {
	if d.phone != nil {
		_ = d.phone.Close()
	}
}

// call has the telephone called, and returns the id of the contact.
func (d *demonstration) call() (string, error) {
	d.say("It is called.")
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

// check reads what the call has left behind, through the API, and is an error
// when that is not what it should be.
func (d *demonstration) check(running *server.Server, id string, keep bool) error {
	if err := <-d.callee; err != nil {
		return fmt.Errorf("the telephone: %w", err)
	}
	d.say("What the flow has remembered, for whoever asks the API.")
	d.command("aws connect get-contact-attributes --instance-id %s \\\n      --initial-contact-id %s", d.instance, id)
	left, err := d.client.GetContactAttributes(d.ctx, &connect.GetContactAttributesInput{InstanceId: &d.instance, InitialContactId: &id})
	if err != nil {
		return err
	}
	fmt.Fprintf(d.p.stdout, "  {\"Attributes\": {\"choice\": %q, \"customer\": %q}}\n", left.Attributes["choice"], left.Attributes["customer"])
	d.say("And the recording: the caller on the left, what was heard on the right.")
	d.command("aws connect describe-contact --instance-id %s \\\n      --contact-id %s \\\n      --query Contact.Recordings", d.instance, id)
	described, err := d.client.DescribeContact(d.ctx, &connect.DescribeContactInput{InstanceId: &d.instance, ContactId: &id})
	if err != nil {
		return err
	}
	c := described.Contact
	if choice, reason := left.Attributes["choice"], aws.ToString(c.DisconnectReason); choice != "sales" || reason != "CUSTOMER_DISCONNECT" {
		return fmt.Errorf("the call ended with %s and the choice %q, not with CUSTOMER_DISCONNECT and the choice \"sales\"", reason, choice)
	}
	if len(c.Recordings) != 1 {
		return fmt.Errorf("the call has %d recordings, not one", len(c.Recordings))
	}
	file, err := running.RecordingFile(d.ctx, aws.ToString(c.Recordings[0].Location))
	if err == nil && keep {
		file, err = keepFile(file)
	}
	if err != nil {
		return fmt.Errorf("the recording: %w", err)
	}
	fmt.Fprintf(d.p.stdout, "  %s\n", file)
	return nil
}

// keepFile copies a file to where it stays, and returns that.
func keepFile(file string) (_ string, err error) {
	raw, err := os.ReadFile(file) //nolint:gosec // a recording of this demo
	if err != nil {
		return "", err
	}
	kept, err := os.CreateTemp("", "ringdown-demo-*.wav")
	if err != nil {
		return "", err
	}
	defer func() { err = errors.Join(err, kept.Close()) }()
	_, err = kept.Write(raw)
	return kept.Name(), err
}

// farewell says where to go on.
func (d *demonstration) farewell(data string) {
	if data == "" {
		fmt.Fprint(d.p.stdout, "Nothing is left behind but the recording. To begin with a server of your own:\n"+
			"  ringdown serve                     # and, in another terminal:\n"+
			"  eval \"$(ringdown env)\"             # points the AWS CLI and SDKs at it\n"+
			"  aws connect list-instances\n")
	} else {
		fmt.Fprintf(d.p.stdout, "All of it is kept in %s. To go on with it:\n"+
			"  ringdown serve --data %[2]s        # and, in another terminal:\n"+
			"  eval \"$(ringdown env --data %[2]s)\"\n"+
			"  ringdown contact list --data %[2]s\n", data, shellQuote(data))
	}
	fmt.Fprint(d.p.stdout, "To be called, or to call: ringdown phone --help. Flows: docs/flows.md. Settings, and trunks:\ndocs/operations.md.\n")
}
