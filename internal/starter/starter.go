// Package starter is what a new Amazon Connect instance holds: the queue, the
// hours, the routing profile, the agent statuses, the security profiles, the
// prompts, the predefined attributes and the flows that are there before
// anybody has made anything.
//
// It is data and pure functions. Nothing here has an id: resources name each
// other by name, and whoever creates an instance gives out the ids and stores
// the records. Every function returns a fresh value that the caller may
// change.
//
// What the real service documents or is known to return is given as it is
// (names, types, the fixed texts of the default flows). The documents of the
// flows, and the descriptions that are published nowhere, are our own;
// docs/divergences.md lists them.
package starter

// Queue is a standard queue of a new instance.
type Queue struct {
	Name             string
	Description      string
	HoursOfOperation string // name of the hours the queue keeps
	Status           string // a QueueStatus: ENABLED
}

// BasicQueueName and BasicHoursName are the names by which the other starter
// resources refer to the queue and its hours.
const (
	BasicQueueName = "BasicQueue"
	BasicHoursName = "Basic Hours"
)

// BasicQueue is the one standard queue of a new instance. It has no limit of
// contacts and no outbound caller id, because a new instance has no number.
func BasicQueue() Queue {
	return Queue{
		Name:             BasicQueueName,
		Description:      "A simple, basic voice queue.",
		HoursOfOperation: BasicHoursName,
		Status:           "ENABLED",
	}
}

// HoursOfOperation is a weekly timetable.
type HoursOfOperation struct {
	Name        string
	Description string
	TimeZone    string // an IANA name
	Config      []OpeningHours
}

// OpeningHours is one span of one day. Start and end both at 00:00 mean the
// whole day (Connect API reference, HoursOfOperationConfig).
type OpeningHours struct {
	Day                    string // SUNDAY … SATURDAY
	StartHour, StartMinute int
	EndHour, EndMinute     int
}

// defaultTimeZone is the only time zone seen in a real instance's Basic Hours.
const defaultTimeZone = "America/New_York"

// timeZones holds the regions whose Basic Hours we start elsewhere than in
// defaultTimeZone, so that whoever narrows the hours narrows them on a local
// clock. How the real service chooses is not known (docs/divergences.md);
// hours that are open around the clock mean the same in every zone.
var timeZones = map[string]string{
	"af-south-1":     "Africa/Johannesburg",
	"ap-northeast-1": "Asia/Tokyo",
	"ap-northeast-2": "Asia/Seoul",
	"ap-northeast-3": "Asia/Tokyo",
	"ap-southeast-1": "Asia/Singapore",
	"ap-southeast-2": "Australia/Sydney",
	"ca-central-1":   "America/Toronto",
	"eu-central-1":   "Europe/Berlin",
	"eu-west-2":      "Europe/London",
	"us-gov-west-1":  "America/Los_Angeles",
	"us-west-2":      "America/Los_Angeles",
}

// BasicHours is the timetable of a new instance in the given AWS region: open
// all day, seven days a week. A region not known here gets the hours of
// us-east-1.
func BasicHours(region string) HoursOfOperation {
	zone, ok := timeZones[region]
	if !ok {
		zone = defaultTimeZone
	}
	days := []string{"SUNDAY", "MONDAY", "TUESDAY", "WEDNESDAY", "THURSDAY", "FRIDAY", "SATURDAY"}
	hours := HoursOfOperation{
		Name:        BasicHoursName,
		Description: "Open around the clock.",
		TimeZone:    zone,
		Config:      make([]OpeningHours, 0, len(days)),
	}
	for _, day := range days {
		hours.Config = append(hours.Config, OpeningHours{Day: day})
	}
	return hours
}

// RoutingProfile is a routing profile of a new instance.
type RoutingProfile struct {
	Name                   string
	Description            string
	DefaultOutboundQueue   string // name of a queue
	AgentAvailabilityTimer string
	MediaConcurrencies     []MediaConcurrency
	QueueConfigs           []QueueConfig
}

// MediaConcurrency is how many contacts of a channel an agent holds at once,
// and whether other channels may reach the agent meanwhile.
type MediaConcurrency struct {
	Channel              string
	Concurrency          int
	CrossChannelBehavior string // a BehaviorType
}

// QueueConfig is a queue that the profile's agents serve on one channel.
type QueueConfig struct {
	Queue    string // name of a queue
	Channel  string
	Priority int // 1 is the highest
	Delay    int // seconds
}

// BasicRoutingProfile is the one routing profile of a new instance. Its
// agents serve the basic queue on every channel that the profile lists. EMAIL
// is not among them: exports of real instances list VOICE, CHAT and TASK.
func BasicRoutingProfile() RoutingProfile {
	profile := RoutingProfile{
		Name:                   "Basic Routing Profile",
		Description:            "A simple routing profile.",
		DefaultOutboundQueue:   BasicQueueName,
		AgentAvailabilityTimer: "TIME_SINCE_LAST_ACTIVITY",
		MediaConcurrencies: []MediaConcurrency{
			{Channel: "VOICE", Concurrency: 1, CrossChannelBehavior: "ROUTE_CURRENT_CHANNEL_ONLY"},
			{Channel: "CHAT", Concurrency: 2, CrossChannelBehavior: "ROUTE_CURRENT_CHANNEL_ONLY"},
			{Channel: "TASK", Concurrency: 1, CrossChannelBehavior: "ROUTE_CURRENT_CHANNEL_ONLY"},
		},
	}
	for _, media := range profile.MediaConcurrencies {
		profile.QueueConfigs = append(profile.QueueConfigs, QueueConfig{
			Queue: BasicQueueName, Channel: media.Channel, Priority: 1, Delay: 0,
		})
	}
	return profile
}

// AgentStatus is a status an agent can choose.
type AgentStatus struct {
	Name         string
	Description  string
	Type         string // ROUTABLE or OFFLINE; no CUSTOM status exists at first
	State        string // ENABLED
	DisplayOrder int    // place in the agent's list, from 1
}

// AgentStatuses are the two statuses that every instance has and that can be
// renamed but never deleted (administrator guide, "Add a custom agent
// status").
func AgentStatuses() []AgentStatus {
	return []AgentStatus{
		{Name: "Available", Description: "Ready for the next contact.", Type: "ROUTABLE", State: "ENABLED", DisplayOrder: 1},
		{Name: "Offline", Description: "Not taking contacts.", Type: "OFFLINE", State: "ENABLED", DisplayOrder: 2},
	}
}

// Prompt is an audio prompt of a new instance. The audio is not here: whoever
// stores the record makes it.
type Prompt struct {
	Name        string
	Description string
}

// Prompts are the seven prompts of a new instance, by the names that exports
// of real instances show.
func Prompts() []Prompt {
	return []Prompt{
		{"Beep.wav", "A short tone."},
		{"CustomerHold.wav", "Music for a customer on hold."},
		{"CustomerQueue.wav", "Music for a customer in a queue."},
		{"Music_Jazz_MyTimetoFly_Inst.wav", "Instrumental music: jazz."},
		{"Music_Pop_ThisAndThatIsLife_Inst.wav", "Instrumental music: pop."},
		{"Music_Pop_ThrowYourselfInFrontOfIt_Inst.wav", "Instrumental music: pop."},
		{"Music_Rock_EverywhereTheSunShines_Inst.wav", "Instrumental music: rock."},
	}
}

// PredefinedAttribute is a system attribute: its name begins with "connect:",
// and neither the name nor the values given here can be changed or deleted
// (administrator guide, "Create predefined attributes for routing contacts to
// agents", System predefined attributes).
type PredefinedAttribute struct {
	Name   string
	Values []string
	// IsReadOnly says that not even values of one's own may be added.
	IsReadOnly bool
	// EnableValueValidationOnAssociation says that a contact may carry the
	// attribute only with one of its values.
	EnableValueValidationOnAssociation bool
	// Purposes are the console's categories; system attributes have none that
	// is documented.
	Purposes []string
}

// PredefinedAttributes are the system attributes of a new instance. The names
// are documented. So are the values of connect:Subtype (agent workspace
// developer guide, contact channel type). Of connect:Language only
// connect:English and connect:French are; the rest of its values is our guess.
func PredefinedAttributes() []PredefinedAttribute {
	return []PredefinedAttribute{
		{
			Name: "connect:Language",
			Values: []string{
				"connect:Arabic", "connect:Chinese", "connect:Dutch", "connect:English",
				"connect:French", "connect:German", "connect:Hindi", "connect:Italian",
				"connect:Japanese", "connect:Korean", "connect:Portuguese", "connect:Spanish",
			},
		},
		{
			Name: "connect:Subtype",
			Values: []string{
				"connect:Apple", "connect:Chat", "connect:Email", "connect:Guide",
				"connect:SMS", "connect:Task", "connect:Telephony", "connect:WebRTC",
			},
			IsReadOnly:                         true,
			EnableValueValidationOnAssociation: true,
		},
		{
			// Empty until somebody names the kinds of work to be told apart.
			Name:   "connect:WorkloadType",
			Values: []string{},
		},
	}
}
