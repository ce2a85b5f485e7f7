package iam

import "strings"

// Context is what is known of a request: the values of its context keys, which
// conditions test and policy variables stand for. IAM User Guide, "AWS global
// condition context keys".
type Context interface {
	// Lookup returns the values of a key: none with ok false when the request
	// does not have it, one, or several for a multivalued key such as
	// aws:TagKeys. A key with no values counts as one that the request does not
	// have; a value may be the empty string.
	//
	// The part of key before the first slash is in lower case
	// ("aws:principalarn", "aws:resourcetag/Department"), because IAM compares
	// the names of keys without regard to case. It does so with the tag key
	// after the slash as well ("aws:ResourceTag/TagKey1 … matches a resource tag
	// key named either TagKey1 or tagkey1", IAM User Guide, "IAM JSON policy
	// elements: Condition"), but that part is passed on as the policy spells it,
	// so that TagValue can prefer the tag of that very spelling.
	//
	// Booleans are "true" and "false", dates ISO 8601 or epoch seconds, and
	// binary values their bytes.
	Lookup(key string) (values []string, ok bool)
}

// Values is a Context held in a map, whose keys may be written in any case.
type Values map[string][]string

// Lookup implements Context.
func (v Values) Lookup(key string) ([]string, bool) { return lookupFold(v, key) }

// TagValue returns the value of the tag that a context key such as
// aws:ResourceTag/{key} names: the tag of that spelling, else one that differs
// from it by case only. IAM says that the name then matches every such tag;
// where there are several, the first in byte order is taken.
func TagValue(tags map[string]string, key string) (value string, ok bool) {
	return lookupFold(tags, key)
}

func lookupFold[V any](m map[string]V, key string) (V, bool) {
	if v, ok := m[key]; ok {
		return v, true
	}
	var first string
	var value V
	found := false
	for k, v := range m {
		if strings.EqualFold(k, key) && (!found || k < first) {
			first, value, found = k, v, true
		}
	}
	return value, found
}

// noContext is the Context of a request of which nothing is known.
type noContext struct{}

func (noContext) Lookup(string) ([]string, bool) { return nil, false }
