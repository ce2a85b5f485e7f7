package flow

import (
	"math"

	"ringdown/internal/domain"
)

// ActionType is what the language says of one type of action.
type ActionType struct {
	Name string
	// Flows are the types of flows that support it; zero: all.
	Flows Flows
	// Service is what does the work of actions that the contact centre itself does
	// not do, as people call it; "" for all others.
	Service string
	// Parameters are the properties of Parameters.
	Parameters Object
	// Terminal actions end the flow and have no transitions.
	Terminal bool
	// NextOptional is true when NextAction may be missing. Every other action
	// that is not terminal needs one, even if all its results have conditions.
	NextOptional bool
	// Errors tells the error branches by parameters.
	Errors func(p *Node) Errors
	// Conditions tells the conditions by parameters; nil: none are supported.
	Conditions func(p *Node) Conditions
}

// Flows is a set of types of flows, named as the pages of the actions name
// them.
type Flows uint8

// The groups of flow types that support the same actions. Journeys
// (CAMPAIGN) take every action: no page says which they support.
const (
	Inbound         Flows = 1 << iota // CONTACT_FLOW
	CustomerQueue                     // CUSTOMER_QUEUE
	Transfer                          // AGENT_TRANSFER, QUEUE_TRANSFER
	OutboundWhisper                   // OUTBOUND_WHISPER
	OtherWhisper                      // CUSTOMER_WHISPER, AGENT_WHISPER
	Hold                              // CUSTOMER_HOLD, AGENT_HOLD

	Whisper = OutboundWhisper | OtherWhisper
)

var flowGroups = map[Type]Flows{
	"CONTACT_FLOW":     Inbound,
	"CUSTOMER_QUEUE":   CustomerQueue,
	"AGENT_TRANSFER":   Transfer,
	"QUEUE_TRANSFER":   Transfer,
	"OUTBOUND_WHISPER": OutboundWhisper,
	"CUSTOMER_WHISPER": OtherWhisper,
	"AGENT_WHISPER":    OtherWhisper,
	"CUSTOMER_HOLD":    Hold,
	"AGENT_HOLD":       Hold,
}

// Supports reports whether flows of a type may have the action. A module may
// have any: one that the calling flow does not support takes its error branch
// when it runs (administrator guide, "Flow modules").
func (t *ActionType) Supports(typ Type) bool {
	switch {
	case typ == Module:
		return true
	case t.Name == endModule:
		return false
	default:
		group, known := flowGroups[typ]
		return !known || t.Flows == 0 || t.Flows&group != 0
	}
}

// Errors are the error branches of an action.
type Errors struct {
	Required []string
	Optional []string
	// Any is true for types whose errors nobody has described.
	Any bool
}

// Conditions are the conditions that an action's result may be compared with.
type Conditions struct {
	// None says why there can be none with these parameters, "" when there can.
	None      string
	Operators []string
	// Values are all allowed operands; nil: any text, unless Numbers.
	Values []string
	// Numbers is true when operands are whole numbers.
	Numbers bool
	// Complete is true when there must be one condition for each of Values.
	Complete bool
	// Min is how many conditions there must be.
	Min int
	// Ascending is true when operands rise from condition to condition, and the
	// last is at most Max.
	Ascending bool
	Max       int64
}

// Object is what an object may hold.
type Object struct {
	Properties []Property
	// Groups are properties that exclude each other.
	Groups []Group
	// Open is true for objects whose properties are not all described: unknown
	// ones are not refused.
	Open bool
	// Check applies what Properties and Groups cannot say; nil: nothing.
	Check func(c *checker, n *Node, a at)
}

// Property is one property of an object.
type Property struct {
	Name     string
	Required bool
	Value    Value
}

// Group is a set of properties of which at most one may be there.
type Group struct {
	Names []string
	// Required is true when one must be there.
	Required bool
	// Missing is the property that the service misses when none is there; "" for
	// the text "At least one of [...] must be set".
	Missing string
	// Plain is true when the service refuses the object as a whole instead.
	Plain bool
}

// Value is what a property may be.
type Value struct {
	Form Form
	// Dynamic tells whether it may come from the contact when the flow runs.
	Dynamic Dynamic
	// Min and Max bound a number, the characters of a text, the items of a list
	// and the entries of a map. Max 0: no bound.
	Min, Max int64
	// Values of an enumeration, or the allowed names of a map.
	Values []string
	// Of are the items of a list and the values of a map.
	Of *Value
	// Object is what an object holds.
	Object *Object
	// Kind of the resource that it names by id or ARN; KindRoot: none.
	Kind domain.Kind
	// Empty is true when a text may be empty. The service refuses every empty
	// value in a flow.
	Empty bool
	// Elsewhere is true when the service accepts the name of a resource that
	// the instance does not know.
	Elsewhere bool
}

// Form is the form of a Value.
type Form uint8

// The forms. Numbers and enumerations may be written as strings, as the console
// does.
const (
	Text Form = iota
	Number
	Decimal
	Enum
	List
	Map
	Struct
	Anything
	Shaped // an object whose properties depend on its siblings: their Check knows
)

// Dynamic is how a value may refer to the contact's data by JSONPath.
type Dynamic uint8

// The three ways of the pages: "must be static", "either fully static or a
// single valid JSONPath identifier", "may be defined statically or
// dynamically"; and what can only be a JSONPath.
const (
	Embedded Dynamic = iota
	Static
	Single
	PathOnly
)

// The tables are written with the functions below.

func required(name string, v Value) Property { return Property{name, true, v} }
func optional(name string, v Value) Property { return Property{name, false, v} }

func properties(p ...Property) Object { return Object{Properties: p} }

func (o Object) with(g ...Group) Object {
	o.Groups = g
	return o
}

func (o Object) open() Object {
	o.Open = true
	return o
}

func (o Object) check(f func(*checker, *Node, at)) Object {
	o.Check = f
	return o
}

func atMostOne(names ...string) Group  { return Group{Names: names} }
func exactlyOne(names ...string) Group { return Group{Names: names, Required: true} }

// text is any text with JSONPaths in it.
func text() Value { return Value{Form: Text} }

// textOf has at most so many characters.
func textOf(most int64) Value { return Value{Form: Text, Max: most} }

// whole is a text that is static or one JSONPath.
func whole() Value { return Value{Form: Text, Dynamic: Single} }

func static(v Value) Value {
	v.Dynamic = Static
	return v
}

func embedded(v Value) Value {
	v.Dynamic = Embedded
	return v
}

// number is a whole number, static or one JSONPath.
func number(low, high int64) Value {
	return Value{Form: Number, Dynamic: Single, Min: low, Max: high}
}

// positive is a whole number from 1.
func positive() Value { return number(1, math.MaxInt64) }

// oneOf is an enumeration, static unless it is made dynamic.
func oneOf(values ...string) Value { return Value{Form: Enum, Dynamic: Static, Values: values} }

// dynamic lets an enumeration be one JSONPath.
func dynamic(v Value) Value {
	v.Dynamic = Single
	return v
}

// truth is yes or no as most of the language spells it.
func truth() Value { return oneOf("True", "False") }

// lowerTruth is yes or no as the blocks for cases and the keypad buffer spell it.
func lowerTruth() Value { return oneOf("true", "false") }

// resource is an id or ARN, static or one JSONPath.
func resource(k domain.Kind) Value { return Value{Form: Text, Dynamic: Single, Kind: k} }

func object(o Object) Value { return Value{Form: Struct, Object: &o} }

// listOf has at least low and at most high items; high 0: any number.
func listOf(v Value, low, high int64) Value { return Value{Form: List, Of: &v, Min: low, Max: high} }

// mapOf has names of the author's choice.
func mapOf(v Value) Value { return Value{Form: Map, Of: &v} }

// anything is data whose shape is not the language's.
func anything() Value { return Value{Form: Anything} }

// The error types that many actions have.
const (
	noMatch     = "NoMatchingError"
	noCondition = "NoMatchingCondition"
)

func errorsOf(required ...string) func(*Node) Errors {
	return func(*Node) Errors { return Errors{Required: required} }
}

// errorsMay are branches that nothing requires.
func errorsMay(optional ...string) func(*Node) Errors {
	return func(*Node) Errors { return Errors{Optional: optional} }
}

func conditions(c Conditions) func(*Node) Conditions {
	return func(*Node) Conditions { return c }
}

var equals = []string{"Equals"}

// anyOf are Equals conditions with some of the values.
func anyOf(values ...string) func(*Node) Conditions {
	return conditions(Conditions{Operators: equals, Values: values})
}

// allOf are Equals conditions with each of the values.
func allOf(values ...string) func(*Node) Conditions {
	return conditions(Conditions{Operators: equals, Values: values, Complete: true})
}

// has reports whether parameters have a property with a value.
func has(p *Node, name, value string) bool { return p.Get(name).String() == value }
