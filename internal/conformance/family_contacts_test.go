package conformance

import (
	"context"
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/connect"
	"github.com/aws/aws-sdk-go-v2/service/connect/types"
)

const (
	liveContact   kind = "Contact" // a task that waits for its time
	queuedContact kind = "Contact in a queue"
	openContact   kind = "Contact that goes on" // a task that no flow runs
	pausedContact kind = "Contact that is paused"
	enteringFlow  kind = "ContactFlow that puts contacts into a queue"
	ownNumber     kind = "number, E.164, that is claimed"
	currentCall   kind = "Contact that is a call"
	recordedCall  kind = "Contact that is a call and recorded"
	tapes         kind = "InstanceStorageConfig for recordings"
)

// tomorrow is when tasks are scheduled for.
func tomorrow() time.Time { return time.Now().Add(24 * time.Hour).Truncate(time.Second) }

func init() {
	ofTask := func(k kind) func(t testing.TB, w *world, in object, how style) {
		return with("ContactId", func(t testing.TB, w *world) any { return w.fresh(t, k) })
	}
	expires := func(minutes int) object {
		return object{"connect:ContactExpiry": object{"ValueMap": object{"ExpiryDuration": object{"ValueInteger": float64(minutes)}}}}
	}
	references := given("References", always(object{"Order": object{"Type": "URL", "Value": "https://example.com/1"}}))
	attributes := given("Attributes", always(object{"Language": "en"}))
	ofCall := func(k kind) func(t testing.TB, w *world, in object, how style) {
		return func(t testing.TB, w *world, in object, _ style) {
			call := w.fresh(t, k)
			in["ContactId"], in["InitialContactId"] = call, call
		}
	}
	ofIVR := given("ContactRecordingType", always("IVR"))
	add(family{
		makers: map[kind]maker{
			liveContact: func(ctx context.Context, t testing.TB, w *world, c *connect.Client) (*string, error) {
				out, err := c.StartTaskContact(ctx, &connect.StartTaskContactInput{
					InstanceId: &w.instance, Name: w.name(), ContactFlowId: aws.String(w.shared(t, contactFlow)), ScheduledTime: aws.Time(tomorrow()),
				})
				if err != nil {
					return nil, err
				}
				return out.ContactId, nil
			},
			enteringFlow: func(ctx context.Context, t testing.TB, w *world, c *connect.Client) (*string, error) {
				out, err := c.CreateContactFlow(ctx, &connect.CreateContactFlowInput{
					InstanceId: &w.instance, Name: w.name(), Type: "CONTACT_FLOW", Content: aws.String(`{"Version":"2019-10-30","StartAction":"a","Actions":[
						{"Identifier":"a","Type":"UpdateContactTargetQueue","Parameters":{"QueueId":"` + w.arn("queue", w.shared(t, queue)) + `"},
							"Transitions":{"NextAction":"b","Errors":[{"NextAction":"c","ErrorType":"NoMatchingError"}]}},
						{"Identifier":"b","Type":"TransferContactToQueue","Parameters":{},
							"Transitions":{"NextAction":"c","Errors":[{"NextAction":"c","ErrorType":"QueueAtCapacity"},{"NextAction":"c","ErrorType":"NoMatchingError"}]}},
						{"Identifier":"c","Type":"DisconnectParticipant","Parameters":{},"Transitions":{}}]}`),
				})
				if err != nil {
					return nil, err
				}
				return out.ContactFlowId, nil
			},
			ownNumber: func(ctx context.Context, t testing.TB, w *world, c *connect.Client) (*string, error) {
				number := freeNumber(t, w).(string)
				_, err := c.ClaimPhoneNumber(ctx, &connect.ClaimPhoneNumberInput{InstanceId: &w.instance, PhoneNumber: &number})
				return &number, err
			},
			queuedContact: func(ctx context.Context, t testing.TB, w *world, c *connect.Client) (*string, error) {
				out, err := c.StartTaskContact(ctx, &connect.StartTaskContactInput{InstanceId: &w.instance, Name: w.name(), ContactFlowId: aws.String(w.shared(t, enteringFlow))})
				if err != nil {
					return nil, err
				}
				// It enters the queue after the answer.
				ctx, cancel := context.WithTimeout(ctx, 10*time.Second)
				defer cancel()
				for {
					found, err := c.DescribeContact(ctx, &connect.DescribeContactInput{InstanceId: &w.instance, ContactId: out.ContactId})
					if err != nil || found.Contact.QueueInfo != nil {
						return out.ContactId, err
					}
				}
			},
			openContact: func(ctx context.Context, _ testing.TB, w *world, c *connect.Client) (*string, error) {
				out, err := c.CreateContact(ctx, &connect.CreateContactInput{InstanceId: &w.instance, Name: w.name(), Channel: "TASK", InitiationMethod: "API"})
				if err != nil {
					return nil, err
				}
				return out.ContactId, nil
			},
			tapes: func(ctx context.Context, _ testing.TB, w *world, c *connect.Client) (*string, error) {
				out, err := c.AssociateInstanceStorageConfig(ctx, &connect.AssociateInstanceStorageConfigInput{
					InstanceId: &w.instance, ResourceType: types.InstanceStorageResourceTypeCallRecordings,
					StorageConfig: &types.InstanceStorageConfig{
						StorageType: types.StorageTypeS3, S3Config: &types.S3Config{BucketName: aws.String("a-bucket"), BucketPrefix: aws.String("CallRecordings")},
					},
				})
				if err != nil {
					return nil, err
				}
				return out.AssociationId, nil
			},
			currentCall: func(ctx context.Context, t testing.TB, w *world, c *connect.Client) (*string, error) {
				w.shared(t, tapes)
				out, err := c.StartOutboundVoiceContact(ctx, &connect.StartOutboundVoiceContactInput{
					InstanceId: &w.instance, ContactFlowId: aws.String(w.shared(t, enteringFlow)), DestinationPhoneNumber: aws.String("+12065550100"),
					SourcePhoneNumber: aws.String(w.shared(t, ownNumber)),
				})
				if err != nil {
					return nil, err
				}
				// It is answered after the answer.
				ctx, cancel := context.WithTimeout(ctx, 10*time.Second)
				defer cancel()
				for {
					found, err := c.DescribeContact(ctx, &connect.DescribeContactInput{InstanceId: &w.instance, ContactId: out.ContactId})
					if err != nil || found.Contact.ConnectedToSystemTimestamp != nil {
						return out.ContactId, err
					}
				}
			},
			recordedCall: func(ctx context.Context, t testing.TB, w *world, c *connect.Client) (*string, error) {
				id := w.fresh(t, currentCall)
				_, err := c.StartContactRecording(ctx, &connect.StartContactRecordingInput{
					InstanceId: &w.instance, ContactId: &id, InitialContactId: &id,
					VoiceRecordingConfiguration: &types.VoiceRecordingConfiguration{IvrRecordingTrack: types.IvrRecordingTrackAll},
				})
				return &id, err
			},
			pausedContact: func(ctx context.Context, t testing.TB, w *world, c *connect.Client) (*string, error) {
				id := w.fresh(t, openContact)
				_, err := c.PauseContact(ctx, &connect.PauseContactInput{InstanceId: &w.instance, ContactId: &id})
				return &id, err
			},
		},
		references: map[string]kind{
			"ContactId": liveContact, "InitialContactId": liveContact, "PreviousContactId": liveContact, "RelatedContactId": liveContact,
		},
		examples: map[string]example{
			"ContactTagKey": {"Department", "aws:department"},
		},
		recipes: map[string]recipe{
			"StopContact": { // a reason is for campaigns
				change:  of(ofTask(liveContact), without("DisconnectReason")).change,
				missing: "ContactNotFoundException",
			},
			// An evaluation's contact is only noted.
			"ListContactEvaluations": of(with("ContactId", always("a-contact"))),
			"StartOutboundVoiceContact": of(without("OutboundStrategy"), references, attributes, func(t testing.TB, w *world, in object, how style) {
				in["SourcePhoneNumber"] = w.shared(t, ownNumber)
				if how == full {
					in["TrafficType"] = "CAMPAIGN" // which detection of answering machines is for
				}
			}),
			"StartTaskContact": of(without("QuickConnectId", "TaskTemplateId", "Attachments"), references, attributes,
				with("ContactFlowId", func(t testing.TB, w *world) any { return w.shared(t, contactFlow) }),
				given("SegmentAttributes", always(expires(60))), given("ScheduledTime", soon),
				// A chain is soon full.
				given("PreviousContactId", func(t testing.TB, w *world) any { return w.fresh(t, liveContact) })),
			"UpdateContact": of(without("QueueInfo", "UserInfo", "CustomerEndpoint", "SystemEndpoint"), references, // external calls
				given("SegmentAttributes", always(expires(120))), func(_ testing.TB, _ *world, in object, _ style) { in["Name"] = "Call Mary" }),
			"UpdateContactAttributes": of(attributes),
			"UpdateContactSchedule":   of(ofTask(liveContact), with("ScheduledTime", soon)),
			"PauseContact":            of(ofTask(openContact)),
			"ResumeContact":           of(ofTask(pausedContact)),
			"TransferContact":         of(without("UserId"), ofTask(liveContact), with("QueueId", func(t testing.TB, w *world) any { return w.shared(t, queue) })),
			"TagContact":              of(ofTask(liveContact)),
			"StartContactRecording": of(ofCall(currentCall), func(_ testing.TB, _ *world, in object, how style) {
				tracks := object{"VoiceRecordingTrack": "FROM_AGENT"}
				if how == minimal {
					tracks = object{"IvrRecordingTrack": "ALL"}
				}
				in["VoiceRecordingConfiguration"] = tracks
			}),
			"StopContactRecording":     of(ofCall(recordedCall), ofIVR),
			"SuspendContactRecording":  of(ofCall(recordedCall), ofIVR),
			"ResumeContactRecording":   of(ofCall(recordedCall), ofIVR),
			"UpdateContactRoutingData": of(without("QueueTimeAdjustmentSeconds"), with("QueuePriority", always(float64(1))), routingSteps),
			"GetContactMetrics":        of(ofTask(queuedContact)),
			// There are no agents yet.
			"AssociateContactWithUser": {answer: "InvalidRequestException"},
			"CreateContact": of(without("PreviousContactId", "UserInfo"), references, attributes, given("SegmentAttributes", always(expires(60))),
				given("InitiateAs", always("COMPLETED")), func(_ testing.TB, _ *world, in object, _ style) {
					in["Channel"], in["InitiationMethod"] = "TASK", "API"
				}),
			"SearchContacts": of(with("TimeRange", func(testing.TB, *world) any {
				return object{"Type": "INITIATION_TIMESTAMP", "StartTime": epoch(time.Now().Add(-time.Hour)), "EndTime": epoch(time.Now().Add(time.Hour))}
			})),
		},
	})
	merge(fewOperations, map[string]string{
		"SearchContacts":         "contacts are no resources; the area's own tests page through them",
		"ListAssociatedContacts": "the contacts of one tree",
		"ListContactReferences":  "a member of the contact, on one page",
	})
}

func epoch(t time.Time) float64 { return float64(t.Unix()) }

func soon(testing.TB, *world) any { return epoch(tomorrow()) }

// routingSteps are steps whose expressions say one thing.
func routingSteps(_ testing.TB, _ *world, in object, how style) {
	if how == full {
		in["RoutingCriteria"] = object{"Steps": []any{object{
			"Expiry":     object{"DurationInSeconds": float64(30)},
			"Expression": object{"AttributeCondition": object{"Name": "Language", "Value": "English", "ProficiencyLevel": float64(3), "ComparisonOperator": "NumberGreaterOrEqualTo"}},
		}}}
	}
}
