package machine

import (
	"slices"
	"strings"
	"unicode/utf8"
)

// service asks an outside service.
func service(x *step) {
	x.ask(Request{Service: &ServiceRequest{Type: x.action.Type, Parameters: x.params}})
}

// served keeps what a service has answered in the namespaces that it names, and
// goes on: with the conditions of its result, if there are any. An error may
// come with data as well, as when a case was found to which the contact could
// not be linked.
func served(x *step, _ *Wait, ev Event) bool {
	if ev.Kind != Replied {
		return false
	}
	r := &ev.Reply
	for name, v := range r.Data {
		x.store(name, v)
	}
	switch {
	case r.Err != "":
		x.fail(r.Err)
	case r.Result != "" && len(x.action.Transitions.Conditions) > 0:
		x.result(r.Result)
	default:
		x.resultIs = r.Result
		x.next()
	}
	return true
}

// The bounds of customer profiles in flows, in characters (administrator guide,
// "Customer profiles").
const (
	maxProfileValue = 255
	maxProfileData  = 14000
)

// profile asks Customer Profiles.
func profile(x *step) {
	if !shortValues(x.params["ProfileRequestData"]) {
		x.fail(NoMatchingError)
		return
	}
	service(x)
}

// shortValues reports whether no text in a value is too long for a request.
func shortValues(v any) bool {
	switch v := v.(type) {
	case map[string]any:
		for _, member := range v {
			if !shortValues(member) {
				return false
			}
		}
		return true
	case []any:
		return !slices.ContainsFunc(v, func(item any) bool { return !shortValues(item) })
	default:
		return utf8.RuneCountInString(textOf(v)) <= maxProfileValue
	}
}

// profiled adds what the action asked for in ProfileResponseData to $.Customer:
// names with dots for what is deeper, as Attributes.x. The id of the profile is
// always kept. What is known of another profile goes.
func profiled(x *step, r *Reply) {
	answer, _ := r.Data["Customer"].(map[string]any)
	if answer == nil {
		x.next()
		return
	}
	known, _ := x.run.Top().Data["Customer"].(map[string]any)
	if id := textOf(answer["ProfileId"]); id != "" && id != textOf(known["ProfileId"]) {
		known = nil
	}
	kept := with(known, nil)
	for _, name := range append([]string{"ProfileId", "ProfileARN"}, responseFields(x.params["ProfileResponseData"])...) {
		if v, ok := walk(answer, strings.Split(name, ".")); ok {
			put(kept, strings.Split(name, "."), v)
		}
	}
	if size(kept) > maxProfileData {
		x.fail(NoMatchingError)
		return
	}
	x.store("Customer", kept)
	x.next()
}

// responseFields are the names in ProfileResponseData: a list in what the
// console exports, the names of an object for those who read the page so.
func responseFields(v any) []string {
	var names []string
	switch v := v.(type) {
	case []any:
		for _, item := range v {
			names = append(names, textOf(item))
		}
	case map[string]any:
		for name := range v {
			names = append(names, name)
		}
		slices.Sort(names)
	}
	return names
}

// put sets what a path leads to. Objects on its way are copied: they may be
// those of an earlier answer.
func put(o map[string]any, path []string, v any) {
	if len(path) == 1 {
		o[path[0]] = v
		return
	}
	inner, _ := o[path[0]].(map[string]any)
	inner = with(inner, nil)
	o[path[0]] = inner
	put(inner, path[1:], v)
}

// size is how many characters the values of an object have.
func size(v any) int {
	o, ok := v.(map[string]any)
	if !ok {
		return utf8.RuneCountInString(textOf(v))
	}
	n := 0
	for _, member := range o {
		n += size(member)
	}
	return n
}

// dataTable asks for data tables, or changes one. What the last such action has
// read is gone (administrator guide, "Data table").
func dataTable(x *step) {
	x.store("DataTables", nil)
	x.store("DataTableList", nil)
	service(x)
}
