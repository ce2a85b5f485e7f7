package contacts_test

import (
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/connect"
	"github.com/aws/aws-sdk-go-v2/service/connect/types"

	"ringdown/internal/fault"
)

// keep gives the instance a place for recordings.
func (c *centre) keep() {
	c.t.Helper()
	_, err := c.AssociateInstanceStorageConfig(c.ctx(), &connect.AssociateInstanceStorageConfigInput{
		InstanceId: &c.id, ResourceType: types.InstanceStorageResourceTypeCallRecordings,
		StorageConfig: &types.InstanceStorageConfig{StorageType: types.StorageTypeS3, S3Config: &types.S3Config{
			BucketName: aws.String("tapes"), BucketPrefix: aws.String("connect/acme/CallRecordings"),
		}},
	})
	ok(c.t, err)
}

func (c *centre) record(id, first string, tracks types.VoiceRecordingConfiguration) error {
	_, err := c.StartContactRecording(c.ctx(), &connect.StartContactRecordingInput{
		InstanceId: &c.id, ContactId: &id, InitialContactId: &first, VoiceRecordingConfiguration: &tracks,
	})
	return err
}

// TestContactRecording: the life of a recording as scripts ask for it. There is
// nothing to be heard of a simulated call, so no recording is told of.
func TestContactRecording(t *testing.T) {
	c := open(t, simulated)
	from := c.claim()
	id, err := c.call(from)
	ok(t, err)
	c.await(id, "queued", queued)
	var (
		ivr      = types.VoiceRecordingConfiguration{IvrRecordingTrack: types.IvrRecordingTrackAll}
		agent    = types.VoiceRecordingConfiguration{VoiceRecordingTrack: types.VoiceRecordingTrackFromAgent}
		both     = types.VoiceRecordingConfiguration{IvrRecordingTrack: types.IvrRecordingTrackAll, VoiceRecordingTrack: types.VoiceRecordingTrackAll}
		ofIVR    = types.ContactRecordingTypeIvr
		ofAgent  = types.ContactRecordingTypeAgent
		ofScreen = types.ContactRecordingTypeScreen
		all      = types.ContactRecordingType("")
	)
	type of = types.ContactRecordingType
	stop := func(id, first string, what of) error {
		_, err := c.StopContactRecording(c.ctx(), &connect.StopContactRecordingInput{InstanceId: &c.id, ContactId: &id, InitialContactId: &first, ContactRecordingType: what})
		return err
	}
	suspend := func(id, first string, what of) error {
		_, err := c.SuspendContactRecording(c.ctx(), &connect.SuspendContactRecordingInput{InstanceId: &c.id, ContactId: &id, InitialContactId: &first, ContactRecordingType: what})
		return err
	}
	resume := func(id, first string, what of) error {
		_, err := c.ResumeContactRecording(c.ctx(), &connect.ResumeContactRecordingInput{InstanceId: &c.id, ContactId: &id, InitialContactId: &first, ContactRecordingType: what})
		return err
	}
	changes := map[string]func(id, first string, what of) error{"stop": stop, "suspend": suspend, "resume": resume}

	fails(t, c.record(id, id, ivr), fault.InvalidRequest, "AssociateInstanceStorageConfig", "CALL_RECORDINGS")
	c.keep()
	fails(t, c.record(id, id, types.VoiceRecordingConfiguration{}), fault.InvalidParameter, "IvrRecordingTrack", "VoiceRecordingTrack")
	fails(t, c.record(id, id, both), fault.InvalidParameter, "not both")
	unknown := "00000000-0000-4000-8000-000000000000"
	other, err := c.call(from)
	ok(t, err)
	fails(t, c.record(unknown, id, ivr), fault.ResourceNotFound)
	fails(t, c.record(id, unknown, ivr), fault.ResourceNotFound)
	fails(t, c.record(id, other, ivr), fault.InvalidRequest, "InitialContactId", id, other)
	for name, change := range changes {
		t.Run(name, func(*testing.T) {
			fails(t, change(id, id, all), fault.InvalidRequest, "not being recorded")
			fails(t, change(id, id, ofIVR), fault.InvalidRequest, "ContactRecordingType", "IVR")
			fails(t, change(id, id, ofScreen), fault.InvalidRequest, "ContactRecordingType", "SCREEN")
			fails(t, change(unknown, id, all), fault.ResourceNotFound)
			fails(t, change(id, other, all), fault.InvalidRequest, "InitialContactId")
		})
	}
	ok(t, c.record(id, id, ivr))
	ok(t, c.record(id, id, agent)) // for an agent who may join
	fails(t, c.record(id, id, ivr), fault.InvalidRequest, "started already")
	for range 2 {
		ok(t, suspend(id, id, all))
		ok(t, resume(id, id, ofIVR))
	}
	fails(t, suspend(id, id, ofAgent), fault.InvalidRequest, "AGENT")
	ok(t, stop(id, id, all))
	fails(t, c.record(id, id, ivr), fault.InvalidRequest, "cannot be started again")
	fails(t, c.record(id, id, agent), fault.InvalidRequest, "cannot be started again")
	fails(t, resume(id, id, all), fault.InvalidRequest, "not being recorded")
	same(t, "the recordings of a call without sound", len(c.describe(id).Recordings), 0)
	ok(t, c.stop(id))
	fails(t, c.record(id, id, ivr), fault.InvalidRequest, "has ended")
	fails(t, stop(id, id, all), fault.InvalidRequest, "has ended")

	task, err := c.StartTaskContact(c.ctx(), &connect.StartTaskContactInput{InstanceId: &c.id, Name: aws.String("Call back"), ContactFlowId: &c.waits})
	ok(t, err)
	fails(t, c.record(*task.ContactId, *task.ContactId, ivr), fault.InvalidRequest, "TASK", "VOICE")
	fails(t, stop(*task.ContactId, *task.ContactId, all), fault.InvalidRequest, "TASK", "VOICE")
}
