package machine

import (
	"maps"
	"regexp"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/service/connect/types"

	"ringdown/internal/domain"
	"ringdown/internal/flow"
)

// related reports whether the action is about the related contact.
func (x *step) related() bool { return x.text("TargetContact") == "Related" }

// updateAttributes sets all of the attributes or none (API reference,
// UpdateContactAttributes). An empty value stays, with its key.
func updateAttributes(x *step) {
	set := x.texts("Attributes")
	if x.related() {
		if x.subject.Contact.RelatedID == "" || domain.CheckAttributes(set, true) != nil {
			x.fail(NoMatchingError)
			return
		}
		x.ask(Request{Related: &RelatedRequest{Attributes: set}})
		return
	}
	all := maps.Clone(x.subject.Attributes)
	if all == nil {
		all = map[string]string{}
	}
	maps.Copy(all, set)
	if domain.CheckAttributes(all, true) != nil {
		x.fail(NoMatchingError)
		return
	}
	x.subject.Attributes = all
	x.subject.change(changedAttributes)
	x.next()
}

// named is a parameter that maps names to values. The names may come from the
// contact as well: of those that come to the same, the last counts.
func (x *step) named(parameter string) map[string]any {
	given := x.object(parameter)
	all := make(map[string]any, len(given))
	for _, name := range slices.Sorted(maps.Keys(given)) {
		all[textOf(x.fill(name))] = given[name]
	}
	return all
}

// texts is named of texts.
func (x *step) texts(parameter string) map[string]string {
	named := x.named(parameter)
	all := make(map[string]string, len(named))
	for name, v := range named {
		all[name] = textOf(v)
	}
	return all
}

// The greatest lengths of contact data, in characters (AWS API reference,
// UpdateContact and StartOutboundVoiceContact).
const (
	maxContactName        = 1024
	maxContactDescription = 4096
)

// updateData sets name, description, language, customer and references. The
// members for Voice ID are without effect: that service has ended.
func updateData(x *step) {
	d, ok := x.contactData()
	switch {
	case !ok:
		x.fail(NoMatchingError)
	case !x.related():
		d.Apply(x.subject.Contact)
		if arn := x.text("WisdomSessionArn"); arn != "" {
			x.store("Wisdom", map[string]any{"SessionArn": arn})
		}
		x.next()
	case x.subject.Contact.RelatedID == "":
		x.fail(NoMatchingError)
	default:
		x.ask(Request{Related: &RelatedRequest{Data: d}})
	}
}

func (x *step) contactData() (*ContactData, bool) {
	if !bounded(x.text("Name"), maxContactName) || !bounded(x.text("Description"), maxContactDescription) {
		return nil, false
	}
	references, ok := x.references()
	return &ContactData{
		Name: x.given("Name"), Description: x.given("Description"), Language: x.given("LanguageCode"), CustomerID: x.given("CustomerId"),
		References: references,
	}, ok
}

// given is a parameter as text, nil when it is absent.
func (x *step) given(name string) *string {
	if !x.has(name) {
		return nil
	}
	text := x.text(name)
	return &text
}

// Apply sets what d has in a contact. References are set by their names, others
// stay.
func (d *ContactData) Apply(c *domain.Contact) {
	set := func(member, value *string) {
		if value != nil {
			*member = *value
		}
	}
	set(&c.Name, d.Name)
	set(&c.Description, d.Description)
	set(&c.Language, d.Language)
	set(&c.CustomerID, d.CustomerID)
	if len(d.References) > 0 {
		c.References = with(c.References, d.References)
	}
}

// with is a copy of a map with the entries of another.
func with[M ~map[string]V, V any](m, more M) M {
	all := maps.Clone(m)
	if all == nil {
		all = make(M, len(more))
	}
	maps.Copy(all, more)
	return all
}

// flowReferences are the types that may be given to a contact (AWS API
// reference, StartTaskContact).
var flowReferences = []types.ReferenceType{
	types.ReferenceTypeUrl, types.ReferenceTypeNumber, types.ReferenceTypeString, types.ReferenceTypeDate, types.ReferenceTypeEmail,
}

// references is the parameter of that name: an object with Type and Value for
// each, or only the value, which then is a string. False when one is neither.
func (x *step) references() (map[string]types.Reference, bool) {
	given := x.object("References")
	if len(given) == 0 {
		return nil, true
	}
	all := make(map[string]types.Reference, len(given))
	for name, v := range given {
		r := types.Reference{Type: types.ReferenceTypeString}
		if o, ok := v.(map[string]any); ok {
			r.Type = types.ReferenceType(strings.ToUpper(textOf(o["Type"])))
			v = o["Value"]
		}
		value := textOf(v)
		if !slices.Contains(flowReferences, r.Type) || !bounded(value, maxContactDescription) {
			return nil, false
		}
		r.Value = &value
		all[name] = r
	}
	return all, true
}

// hookTypes are the types that flows of events must have; other events take any
// (administrator guide, "Set customer queue flow", "Set hold flow" and "Set
// whisper flow").
var hookTypes = map[string]flow.Type{
	"AgentHold": "AGENT_HOLD", "AgentWhisper": "AGENT_WHISPER",
	"CustomerHold": "CUSTOMER_HOLD", "CustomerQueue": "CUSTOMER_QUEUE", "CustomerWhisper": "CUSTOMER_WHISPER",
}

// hooks are the names of the parameter EventHooks, sorted.
func (x *step) hooks() []string { return slices.Sorted(maps.Keys(x.object("EventHooks"))) }

// eventHooks looks the flows up that events are to begin. Only calls are held
// (administrator guide, "Set hold flow").
func eventHooks(x *step) {
	var ids []string
	for _, name := range x.hooks() {
		id := textOf(x.object("EventHooks")[name])
		if id == "" || !x.voice() && (name == "AgentHold" || name == "CustomerHold") {
			x.fail(NoMatchingError)
			return
		}
		ids = append(ids, id)
	}
	if len(ids) == 0 {
		x.next()
		return
	}
	x.ask(Request{Flows: &FlowsRequest{IDs: ids}})
}

func hooked(x *step, r *Reply) {
	names := x.hooks()
	set := map[string]string{}
	for i, f := range r.Flows {
		if want := hookTypes[names[i]]; want != "" && want != f.Type {
			x.fail(NoMatchingError)
			return
		}
		set[names[i]] = f.ARN
	}
	c := x.subject.Contact
	c.Hooks = with(c.Hooks, set)
	x.next()
}

// e164 is a telephone number as ITU-T E.164 has it.
var e164 = regexp.MustCompile(`^\+[1-9][0-9]{6,14}$`)

// The errors of UpdateContactCallbackNumber.
const (
	invalidNumber = "InvalidCallbackNumber"
	notDialable   = "CallbackNumberNotDialable"
)

// callbackNumber sets the number that a callback is to call. Other channels than
// voice have none (administrator guide, "Set callback number").
func callbackNumber(x *step) {
	number := x.text("CallbackNumber")
	if !x.voice() || !e164.MatchString(number) {
		x.fail(invalidNumber)
		return
	}
	x.ask(Request{Dialable: &DialableRequest{Number: number}})
}

// numberChecked is not by answered: the only branch is for a number that may not
// be called.
func numberChecked(x *step, _ *Wait, ev Event) bool {
	switch {
	case ev.Kind != Replied:
		return false
	case ev.Reply.Err == notDialable:
		x.fail(notDialable)
	default:
		x.subject.Contact.CallbackNumber = x.text("CallbackNumber")
		x.next()
	}
	return true
}

// engines are those of Amazon Polly, styles those of its neural voices.
var (
	engines = []string{"standard", "neural", "long-form", "generative"}
	styles  = []string{"None", "Conversational", "Newscaster"}
	voiceID = regexp.MustCompile(`^[A-Za-z][A-Za-z0-9-]{0,63}$`)
)

// textToSpeechVoice sets who speaks. It is without effect on other channels than
// voice, and a style that there is not is None (administrator guide, "Set
// voice").
func textToSpeechVoice(x *step) {
	if !x.voice() {
		x.next()
		return
	}
	v := domain.Voice{ID: x.text("TextToSpeechVoice"), Engine: strings.ToLower(x.text("TextToSpeechEngine")), Style: x.text("TextToSpeechStyle")}
	if !voiceID.MatchString(v.ID) || v.Engine != "" && !slices.Contains(engines, v.Engine) {
		// The branch may be absent: in older flows it is.
		if !slices.ContainsFunc(x.action.Transitions.Errors, func(b flow.ErrorBranch) bool { return b.ErrorType == NoMatchingError }) {
			x.next()
			return
		}
		x.fail(NoMatchingError)
		return
	}
	if v.Style != "" && !slices.Contains(styles, v.Style) {
		v.Style = "None"
	}
	x.subject.Contact.Voice = &v
	x.next()
}

// systemTags begin the keys of tags that are AWS's own. They do not count.
const systemTags = "aws:"

// tagKey is the pattern of the keys of contact tags (AWS API reference,
// TagContact).
var tagKey = regexp.MustCompile(`^[a-zA-Z+-=._:/]{1,128}$`)

// The bounds of tags (AWS API reference, TagContact; administrator guide,
// "Contact tags").
const (
	maxTags     = 6
	maxTagValue = 256
)

// tag sets all of the tags or none.
func tag(x *step) {
	c := x.subject.Contact
	set := x.texts("Tags")
	for k, v := range set {
		if !tagKey.MatchString(k) || strings.HasPrefix(k, systemTags) || !bounded(v, maxTagValue) {
			x.fail(NoMatchingError)
			return
		}
	}
	all := with(c.Tags, set)
	users := 0
	for k := range all {
		if !strings.HasPrefix(k, systemTags) {
			users++
		}
	}
	if users > maxTags {
		x.fail(NoMatchingError)
		return
	}
	c.Tags = all
	x.subject.change(changedTags)
	x.next()
}

// untag takes tags away. One that is not there is no error.
func untag(x *step) {
	keys, _ := x.params["TagKeys"].([]any)
	left := maps.Clone(x.subject.Contact.Tags)
	for _, k := range keys {
		if strings.HasPrefix(textOf(k), systemTags) {
			x.fail(NoMatchingError)
			return
		}
		delete(left, textOf(k))
	}
	if len(left) != len(x.subject.Contact.Tags) {
		x.subject.Contact.Tags = left
		x.subject.change(changedTags)
	}
	x.next()
}
