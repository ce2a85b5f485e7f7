package server_test

import (
	"context"
	"math"
	"os"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/connect"
	"github.com/aws/aws-sdk-go-v2/service/connect/types"

	"ringdown/internal/audio"
	"ringdown/internal/server/servertest"
	"ringdown/internal/voice/phone"
)

// transfers is a flow that connects the caller with somebody else, and remembers
// that it went on afterwards.
const transfers = `{"Version":"2019-10-30","StartAction":"transfer","Actions":[
{"Identifier":"transfer","Type":"TransferParticipantToThirdParty",
 "Parameters":{"ThirdPartyPhoneNumber":"+14155550177","ThirdPartyConnectionTimeLimitSeconds":"20","ContinueFlowExecution":"True"},
 "Transitions":{"NextAction":"after","Errors":[{"ErrorType":"CallFailed","NextAction":"bye"},{"ErrorType":"ConnectionTimeLimitExceeded","NextAction":"bye"},{"ErrorType":"NoMatchingError","NextAction":"bye"}]}},
{"Identifier":"after","Type":"UpdateContactAttributes","Parameters":{"Attributes":{"after":"yes"},"TargetContact":"Current"},
 "Transitions":{"NextAction":"bye","Errors":[{"ErrorType":"NoMatchingError","NextAction":"bye"}]}},
{"Identifier":"bye","Type":"DisconnectParticipant","Parameters":{},"Transitions":{}}]}`

// tone is a sound of a frequency.
func tone(t *testing.T, hz float64, length time.Duration) *audio.Clip {
	t.Helper()
	clip, err := audio.ReadClip(audio.Play([]audio.Note{{Tones: []float64{hz}, Length: length}}))
	servertest.OK(t, err)
	return clip
}

// hears waits until a phone hears a tone as loud as it was sent.
func hears(t *testing.T, call *phone.Call, hz float64) {
	t.Helper()
	const part = 800 // a tenth of a second
	sent := audio.ToneLevel(tone(t, hz, time.Second).Samples()[part:2*part], hz)
	deadline := time.Now().Add(20 * time.Second)
	for time.Now().Before(deadline) {
		samples := call.Heard().Samples()
		for from := 0; from+part <= len(samples); from += part / 2 {
			if math.Abs(audio.ToneLevel(samples[from:from+part], hz)-sent) < 1 {
				return
			}
		}
		<-time.After(50 * time.Millisecond)
	}
	t.Errorf("%v Hz are not heard as loud as they were sent", hz)
}

// TestThirdParty: caller and third party hear each other through the server, and
// the flow goes on when the third party has gone.
func TestThirdParty(t *testing.T) {
	t.Parallel()
	c := newCalled(t)
	_, err := c.client.UpdateContactFlowContent(t.Context(), &connect.UpdateContactFlowContentInput{InstanceId: &c.instance, ContactFlowId: &c.flow, Content: aws.String(transfers)})
	servertest.OK(t, err)
	c.lead(t)
	third, err := phone.New(t.Context(), phone.Options{Server: c.SIP, Number: "+14155550177", Register: true, Codecs: []audio.Encoding{audio.ALaw}})
	servertest.OK(t, err)
	t.Cleanup(func() { _ = third.Close() })
	caller := c.dial(t, c.number)
	called, err := third.Wait(t.Context())
	servertest.OK(t, err)
	called.Answer()
	servertest.OK(t, called.Answered(t.Context()))
	servertest.OK(t, caller.Answered(t.Context()))
	caller.Speak(tone(t, 700, 5*time.Second))
	called.Speak(tone(t, 1300, 5*time.Second))
	hears(t, called, 700)
	hears(t, caller, 1300)
	called.Hangup()
	over := c.contact(t, func(c *types.Contact) bool { return c.DisconnectTimestamp != nil })
	if reason := aws.ToString(over.DisconnectReason); reason != "CONTACT_FLOW_DISCONNECT" {
		t.Errorf("the contact ended with %s", reason)
	}
	attributes, err := c.client.GetContactAttributes(t.Context(), &connect.GetContactAttributesInput{InstanceId: &c.instance, InitialContactId: over.Id})
	servertest.OK(t, err)
	if attributes.Attributes["after"] != "yes" {
		t.Errorf("the flow did not go on: %v", attributes.Attributes)
	}
}

// TestAnonymousCaller: a caller who hides is "anonymous" to the contact, and to whom the
// call is transferred.
func TestAnonymousCaller(t *testing.T) {
	t.Parallel()
	c := newCalled(t)
	_, err := c.client.UpdateContactFlowContent(t.Context(), &connect.UpdateContactFlowContentInput{InstanceId: &c.instance, ContactFlowId: &c.flow, Content: aws.String(transfers)})
	servertest.OK(t, err)
	c.lead(t)
	third, err := phone.New(t.Context(), phone.Options{Server: c.SIP, Number: "+14155550177", Register: true})
	servertest.OK(t, err)
	t.Cleanup(func() { _ = third.Close() })
	caller, err := phone.New(t.Context(), phone.Options{Server: c.SIP, Number: "+14155550123", Headers: map[string]string{"Privacy": "id"}})
	servertest.OK(t, err)
	t.Cleanup(func() { _ = caller.Close() })
	call, err := caller.Dial(t.Context(), c.number)
	servertest.OK(t, err)
	called, err := third.Wait(t.Context())
	servertest.OK(t, err)
	if from, privacy := called.From(), called.Header("Privacy"); from != "" || privacy != "id" {
		t.Errorf("transferred from %q with privacy %q", from, privacy)
	}
	live := c.contact(t, func(*types.Contact) bool { return true })
	if e := live.CustomerEndpoint; aws.ToString(e.Address) != "anonymous" || e.Type != types.EndpointTypeTelephoneNumber {
		t.Errorf("the customer is %s of type %s", aws.ToString(e.Address), e.Type)
	}
	call.Hangup()
}

// TestRecordingOfACall: what a client records of a call by the API is what the
// caller said, with silence while it was suspended.
func TestRecordingOfACall(t *testing.T) {
	t.Parallel()
	c := newCalled(t)
	c.lead(t)
	_, err := c.client.AssociateInstanceStorageConfig(t.Context(), &connect.AssociateInstanceStorageConfigInput{
		InstanceId: &c.instance, ResourceType: types.InstanceStorageResourceTypeCallRecordings,
		StorageConfig: &types.InstanceStorageConfig{StorageType: types.StorageTypeS3, S3Config: &types.S3Config{BucketName: aws.String("recordings"), BucketPrefix: aws.String("main")}},
	})
	servertest.OK(t, err)
	call := c.dial(t, c.number)
	servertest.OK(t, call.Answered(t.Context()))
	id := c.contact(t, func(*types.Contact) bool { return true }).Id
	_, err = c.client.StartContactRecording(t.Context(), &connect.StartContactRecordingInput{
		InstanceId: &c.instance, ContactId: id, InitialContactId: id,
		VoiceRecordingConfiguration: &types.VoiceRecordingConfiguration{IvrRecordingTrack: types.IvrRecordingTrackAll},
	})
	servertest.OK(t, err)
	call.Speak(tone(t, 700, 6*time.Second))
	<-time.After(1500 * time.Millisecond)
	_, err = c.client.SuspendContactRecording(t.Context(), &connect.SuspendContactRecordingInput{InstanceId: &c.instance, ContactId: id, InitialContactId: id, ContactRecordingType: types.ContactRecordingTypeIvr})
	servertest.OK(t, err)
	<-time.After(1500 * time.Millisecond)
	_, err = c.client.ResumeContactRecording(t.Context(), &connect.ResumeContactRecordingInput{InstanceId: &c.instance, ContactId: id, InitialContactId: id, ContactRecordingType: types.ContactRecordingTypeIvr})
	servertest.OK(t, err)
	<-time.After(1500 * time.Millisecond)
	_, err = c.client.StopContactRecording(t.Context(), &connect.StopContactRecordingInput{InstanceId: &c.instance, ContactId: id, InitialContactId: id, ContactRecordingType: types.ContactRecordingTypeIvr})
	servertest.OK(t, err)
	call.Hangup()
	over := c.contact(t, func(c *types.Contact) bool { return c.DisconnectTimestamp != nil })
	if len(over.Recordings) != 1 {
		t.Fatalf("the contact has %d recordings", len(over.Recordings))
	}
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
	defer cancel()
	file, err := c.RecordingFile(ctx, aws.ToString(over.Recordings[0].Location))
	servertest.OK(t, err)
	raw, err := os.ReadFile(file) //nolint:gosec // a file of this test's server
	servertest.OK(t, err)
	sound, err := audio.ReadClip(raw)
	servertest.OK(t, err)
	const second = 8000
	samples := sound.Samples()
	if n := len(samples); n < 4*second || n > 6*second {
		t.Fatalf("%v were recorded", sound.Duration())
	}
	middle := len(samples) / 2
	for _, part := range []struct {
		from, to int
		loud     bool
	}{{second / 2, second, true}, {middle - second/2, middle + second/2, false}, {len(samples) - second, len(samples) - second/2, true}} {
		if level := audio.ToneLevel(samples[part.from:part.to], 700); (level > -30) != part.loud {
			t.Errorf("from %d to %d of %d samples there are %.1f dB of 700 Hz", part.from, part.to, len(samples), level)
		}
	}
}
