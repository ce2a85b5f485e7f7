package conformance

import (
	"context"
	"iter"
	"net/http"
	"strconv"
	"sync/atomic"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/connect"
	"github.com/aws/aws-sdk-go-v2/service/connect/types"

	"ringdown/internal/server"
	"ringdown/internal/server/servertest"
)

// kind is a kind of resource that requests refer to, by Amazon's noun.
type kind string

const (
	user                kind = "User"
	agentStatus         kind = "AgentStatus"
	hierarchyGroup      kind = "HierarchyGroup"
	securityProfile     kind = "SecurityProfile"
	routingProfile      kind = "RoutingProfile"
	queue               kind = "Queue"
	hoursOfOperation    kind = "HoursOfOperation"
	hoursOverride       kind = "HoursOfOperationOverride"
	quickConnect        kind = "QuickConnect"
	prompt              kind = "Prompt"
	contactFlow         kind = "ContactFlow"
	predefinedAttribute kind = "PredefinedAttribute"
)

// unknownID is a well-formed id of nothing.
const unknownID = "00000000-0000-4000-8000-000000000000"

// world is a booted server with a prepared instance, as the callers of one
// service see it.
type world struct {
	model    *model
	server   *servertest.Server
	client   *http.Client
	root     caller
	instance string
	bound    []*operation // of the service, by name

	made    map[kind]string
	counter *atomic.Int64
}

func newWorld(t testing.TB) *world {
	t.Helper()
	w := newWorldOf(t)
	w.instance = w.newInstance(t)
	return w
}

// newWorldOf is a world without a prepared instance.
func newWorldOf(t testing.TB, change ...func(*server.Config)) *world {
	t.Helper()
	s := servertest.Boot(t, append([]func(*server.Config){func(c *server.Config) {
		c.Simulation.Speed = aws.Float64(0) // whoever is called answers at once
	}}, change...)...)
	w := &world{
		model: readModel(t), server: s, client: &http.Client{},
		root: caller{s.Root.AccessKeyID, s.Root.SecretAccessKey, servertest.Region},
		made: map[kind]string{}, counter: &atomic.Int64{},
	}
	t.Cleanup(w.client.CloseIdleConnections)
	w.bound = w.model.bound(s.Served)
	if len(w.bound) == 0 {
		t.Fatal("the server serves no operation of Amazon Connect")
	}
	return w
}

// participants is the same world as the callers of the Participant service see
// it. Their requests hold a token and nobody signs them.
func (w *world) participants(t testing.TB) *world {
	t.Helper()
	p := &world{
		model: readParticipantModel(t), server: w.server, client: w.client, instance: w.instance,
		made: w.made, counter: w.counter,
	}
	p.bound = p.model.bound(w.server.Served)
	return p
}

// walk ranges over the operations of both services, in a new world.
func walk(t testing.TB) iter.Seq2[*world, *operation] {
	t.Helper()
	w := newWorld(t)
	p := w.participants(t)
	return func(yield func(*world, *operation) bool) {
		for _, of := range []*world{w, p} {
			for _, op := range of.bound {
				if !yield(of, op) {
					return
				}
			}
		}
	}
}

// newInstance makes an instance with a hierarchy of one level, which groups
// need.
func (w *world) newInstance(t testing.TB) string {
	t.Helper()
	id := w.server.NewInstance(t)
	_, err := w.server.Connect.UpdateUserHierarchyStructure(context.Background(), &connect.UpdateUserHierarchyStructureInput{
		InstanceId:         &id,
		HierarchyStructure: &types.HierarchyStructureUpdate{LevelOne: &types.HierarchyLevelUpdate{Name: aws.String("Region")}, LevelTwo: &types.HierarchyLevelUpdate{Name: aws.String("Site")}},
	})
	if err != nil {
		t.Fatal(err)
	}
	return id
}

// next is a number that no value had before.
func (w *world) next() int64 { return w.counter.Add(1) }

func (w *world) name() *string { return aws.String("made " + strconv.FormatInt(w.next(), 10)) }

func (w *world) alias() *string { return aws.String("made-" + strconv.FormatInt(w.next(), 10)) }

// shared returns a resource of the kind that no test changes the existence of.
func (w *world) shared(t testing.TB, k kind) string {
	t.Helper()
	id, ok := w.made[k]
	if !ok {
		id = w.fresh(t, k)
		w.made[k] = id
	}
	return id
}

// fresh makes a resource of the kind in the prepared instance and returns its
// id.
func (w *world) fresh(t testing.TB, k kind) string {
	t.Helper()
	id, err := w.make(t, k)
	if err != nil {
		t.Fatal(err)
	}
	return *id
}

func (w *world) make(t testing.TB, k kind) (*string, error) {
	t.Helper()
	how, ok := makers[k]
	if !ok {
		t.Fatalf("nothing makes a %s: say how in the makers of a family", k)
	}
	return how(context.Background(), t, w, w.server.Connect)
}

// maker makes a resource in the prepared instance and returns its id.
type maker func(ctx context.Context, t testing.TB, w *world, c *connect.Client) (*string, error)

// makers are filled at the start, for they call each other through the world.
var makers = map[kind]maker{}

func init() {
	merge(makers, map[kind]maker{
		user: func(ctx context.Context, t testing.TB, w *world, c *connect.Client) (*string, error) {
			out, err := c.CreateUser(ctx, &connect.CreateUserInput{
				InstanceId: &w.instance, Username: aws.String("user-" + strconv.FormatInt(w.next(), 10)),
				RoutingProfileId:   aws.String(w.shared(t, routingProfile)),
				SecurityProfileIds: []string{w.shared(t, securityProfile)},
				IdentityInfo:       &types.UserIdentityInfo{FirstName: aws.String("Mary"), LastName: aws.String("Major")},
			})
			if err != nil {
				return nil, err
			}
			return out.UserId, nil
		},
		agentStatus: func(ctx context.Context, t testing.TB, w *world, c *connect.Client) (*string, error) {
			out, err := c.CreateAgentStatus(ctx, &connect.CreateAgentStatusInput{InstanceId: &w.instance, Name: w.name(), State: types.AgentStatusStateEnabled})
			if err != nil {
				return nil, err
			}
			return out.AgentStatusId, nil
		},
		hierarchyGroup: func(ctx context.Context, t testing.TB, w *world, c *connect.Client) (*string, error) {
			out, err := c.CreateUserHierarchyGroup(ctx, &connect.CreateUserHierarchyGroupInput{InstanceId: &w.instance, Name: w.name()})
			if err != nil {
				return nil, err
			}
			return out.HierarchyGroupId, nil
		},
		securityProfile: func(ctx context.Context, t testing.TB, w *world, c *connect.Client) (*string, error) {
			out, err := c.CreateSecurityProfile(ctx, &connect.CreateSecurityProfileInput{InstanceId: &w.instance, SecurityProfileName: w.name()})
			if err != nil {
				return nil, err
			}
			return out.SecurityProfileId, nil
		},
		routingProfile: func(ctx context.Context, t testing.TB, w *world, c *connect.Client) (*string, error) {
			out, err := c.CreateRoutingProfile(ctx, &connect.CreateRoutingProfileInput{
				InstanceId: &w.instance, Name: w.name(), Description: aws.String("for tests"), DefaultOutboundQueueId: aws.String(w.shared(t, queue)),
				MediaConcurrencies: []types.MediaConcurrency{{Channel: types.ChannelVoice, Concurrency: aws.Int32(1)}},
			})
			if err != nil {
				return nil, err
			}
			return out.RoutingProfileId, nil
		},
		queue: func(ctx context.Context, t testing.TB, w *world, c *connect.Client) (*string, error) {
			out, err := c.CreateQueue(ctx, &connect.CreateQueueInput{InstanceId: &w.instance, Name: w.name(), HoursOfOperationId: aws.String(w.shared(t, hoursOfOperation))})
			if err != nil {
				return nil, err
			}
			return out.QueueId, nil
		},
		hoursOfOperation: func(ctx context.Context, t testing.TB, w *world, c *connect.Client) (*string, error) {
			out, err := c.CreateHoursOfOperation(ctx, &connect.CreateHoursOfOperationInput{
				InstanceId: &w.instance, Name: w.name(), TimeZone: aws.String("Europe/Berlin"), Config: []types.HoursOfOperationConfig{},
			})
			if err != nil {
				return nil, err
			}
			return out.HoursOfOperationId, nil
		},
		hoursOverride: func(ctx context.Context, t testing.TB, w *world, c *connect.Client) (*string, error) {
			out, err := c.CreateHoursOfOperationOverride(ctx, &connect.CreateHoursOfOperationOverrideInput{
				InstanceId: &w.instance, HoursOfOperationId: aws.String(w.shared(t, hoursOfOperation)), Name: w.name(),
				EffectiveFrom: aws.String("2030-12-24"), EffectiveTill: aws.String("2030-12-24"), Config: []types.HoursOfOperationOverrideConfig{},
			})
			if err != nil {
				return nil, err
			}
			return out.HoursOfOperationOverrideId, nil
		},
		quickConnect: func(ctx context.Context, t testing.TB, w *world, c *connect.Client) (*string, error) {
			out, err := c.CreateQuickConnect(ctx, &connect.CreateQuickConnectInput{
				InstanceId: &w.instance, Name: w.name(), QuickConnectConfig: &types.QuickConnectConfig{
					QuickConnectType: types.QuickConnectTypePhoneNumber, PhoneConfig: &types.PhoneNumberQuickConnectConfig{PhoneNumber: aws.String("+15555550100")},
				},
			})
			if err != nil {
				return nil, err
			}
			return out.QuickConnectId, nil
		},
		predefinedAttribute: func(ctx context.Context, t testing.TB, w *world, c *connect.Client) (*string, error) {
			name := w.name()
			_, err := c.CreatePredefinedAttribute(ctx, &connect.CreatePredefinedAttributeInput{
				InstanceId: &w.instance, Name: name, Values: &types.PredefinedAttributeValuesMemberStringList{Value: []string{"one", "two"}},
			})
			return name, err
		},
	})
}

// arn names a resource of the prepared instance; segment is "agent", "queue".
func (w *world) arn(segment, id string) string {
	arn := "arn:aws:connect:" + servertest.Region + ":123456789012:instance/" + w.instance
	if segment == "" {
		return arn
	}
	return arn + "/" + segment + "/" + id
}
