package contacts

import (
	"context"

	"github.com/aws/aws-sdk-go-v2/service/connect"
	"github.com/aws/aws-sdk-go-v2/service/connect/types"

	"ringdown/internal/catalog"
	"ringdown/internal/contact"
	"ringdown/internal/domain"
	"ringdown/internal/fault"
)

// StartContactRecording has a call recorded, whatever its flow says. Before an agent
// joins, the recording of an agent waits for that. It can be done once.
func (c *Contacts) StartContactRecording(ctx context.Context, in *connect.StartContactRecordingInput) (*connect.StartContactRecordingOutput, error) {
	sc, id, err := c.recorded(ctx, in.InstanceId, in.ContactId, in.InitialContactId)
	if err != nil {
		return nil, err
	}
	voice := in.VoiceRecordingConfiguration
	if (voice.IvrRecordingTrack == "") == (voice.VoiceRecordingTrack == "") {
		return nil, fault.New(fault.InvalidParameter, "VoiceRecordingConfiguration: one of IvrRecordingTrack and VoiceRecordingTrack is required, and not both")
	}
	kind, track := contact.IVRRecording, contact.WholeRecording
	if voice.VoiceRecordingTrack != "" {
		kind = contact.AgentRecording
	}
	switch voice.VoiceRecordingTrack {
	case types.VoiceRecordingTrackFromAgent:
		track = contact.FromAgentRecording
	case types.VoiceRecordingTrackToAgent:
		track = contact.ToAgentRecording
	case types.VoiceRecordingTrackAll:
	}
	return nil, c.Engine.StartRecording(ctx, instanceOf(sc), id, kind, track)
}

// StopContactRecording ends the recordings of a call, or that of a type, for good.
func (c *Contacts) StopContactRecording(ctx context.Context, in *connect.StopContactRecordingInput) (*connect.StopContactRecordingOutput, error) {
	return nil, c.changeRecording(ctx, in.InstanceId, in.ContactId, in.InitialContactId, in.ContactRecordingType, c.Engine.StopRecording)
}

// SuspendContactRecording has silence recorded. Of a recording that is suspended
// already it changes nothing.
func (c *Contacts) SuspendContactRecording(ctx context.Context, in *connect.SuspendContactRecordingInput) (*connect.SuspendContactRecordingOutput, error) {
	return nil, c.changeRecording(ctx, in.InstanceId, in.ContactId, in.InitialContactId, in.ContactRecordingType, c.Engine.SuspendRecording)
}

// ResumeContactRecording goes on with what was suspended. Of a recording that is not
// it changes nothing.
func (c *Contacts) ResumeContactRecording(ctx context.Context, in *connect.ResumeContactRecordingInput) (*connect.ResumeContactRecordingOutput, error) {
	return nil, c.changeRecording(ctx, in.InstanceId, in.ContactId, in.InitialContactId, in.ContactRecordingType, c.Engine.ResumeRecording)
}

// changeRecording does something to the recording of a type, or to all that a call
// has. Screens are not recorded here.
func (c *Contacts) changeRecording(ctx context.Context, instanceID, contactID, initialID *string, of types.ContactRecordingType, do func(ctx context.Context, in contact.Instance, id string, kind contact.RecordingKind) error) error {
	sc, id, err := c.recorded(ctx, instanceID, contactID, initialID)
	if err != nil {
		return err
	}
	kinds := map[types.ContactRecordingType]contact.RecordingKind{
		"": "", types.ContactRecordingTypeAgent: contact.AgentRecording, types.ContactRecordingTypeIvr: contact.IVRRecording,
	}
	kind, ok := kinds[of]
	if !ok {
		return fault.New(fault.InvalidRequest, "ContactRecordingType: there is no %s recording; this release of the server records calls, as AGENT and IVR", of)
	}
	return do(ctx, instanceOf(sc), id, kind)
}

// recorded finds the contact that a request about its recordings names, whose chain
// must have begun with the one that the request names besides.
func (c *Contacts) recorded(ctx context.Context, instanceID, contactID, initialID *string) (catalog.Scope, string, error) {
	sc, id, err := c.find(ctx, instanceID, contactID)
	if err != nil {
		return sc, "", err
	}
	found, err := c.Engine.Read(ctx, instanceOf(sc), id)
	if err != nil {
		return sc, "", err
	}
	first, err := catalog.ID(sc, domain.KindContact, *initialID)
	if err != nil {
		return sc, "", err
	}
	if first == string(found.InitialID) {
		return sc, id, nil
	}
	if _, err := c.Engine.Read(ctx, instanceOf(sc), first); err != nil {
		return sc, "", err
	}
	return sc, "", fault.New(fault.InvalidRequest, "InitialContactId: contact %s began with contact %s, not with %s", id, found.InitialID, first)
}
