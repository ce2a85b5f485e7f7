package domain

import (
	"regexp"
	"slices"
	"strings"

	"ringdown/internal/fault"
)

// PredefinedAttribute is a name with the values it may have: "Product" with
// "Phones" and "Tablets". Users are proficient in values of it, contacts carry
// them.
type PredefinedAttribute struct {
	Name     string
	Values   []string `json:",omitempty"`
	Purposes []string `json:",omitempty"`
	// EnableValueValidationOnAssociation lets a contact carry none but Values.
	EnableValueValidationOnAssociation bool `json:",omitempty"`
	// IsReadOnly is true for an attribute of the system's that nobody changes.
	IsReadOnly bool `json:",omitempty"`
	// SystemValues are those of Values that came with the instance and stay.
	SystemValues []string `json:",omitempty"`
}

// systemPrefix begins the names and values that are the system's own.
const systemPrefix = "connect:"

// attributePattern is what names and values may hold (administrator guide,
// "Create predefined attributes for routing contacts to agents"). As published
// the class holds the range from + to @, so "," ";" "<" ">" and "?" pass too.
var attributePattern = regexp.MustCompile(`^[\p{L}\p{Z}\p{N}_.:/=+-@']+$`)

// System reports whether the attribute came with the instance.
func (a *PredefinedAttribute) System() bool { return strings.HasPrefix(a.Name, systemPrefix) }

// Check checks the rules of an attribute that need nothing but itself. Names
// that begin like the system's are for CheckAttributeName to refuse.
func (a *PredefinedAttribute) Check() error {
	for i, v := range a.Values {
		if slices.Contains(a.Values[:i], v) {
			return fault.New(fault.InvalidParameter, "Values.StringList[%d]: the value %q is given twice", i, v)
		}
		if slices.Contains(a.SystemValues, v) {
			continue
		}
		if err := checkAttributeWord("Values.StringList", v); err != nil {
			return err
		}
	}
	for _, v := range a.SystemValues {
		if !slices.Contains(a.Values, v) {
			return fault.New(fault.InvalidRequest, "Values must keep the system value %s", v)
		}
	}
	return nil
}

// CheckAttributeName checks the name of an attribute that somebody makes.
func CheckAttributeName(name string) error { return checkAttributeWord("Name", name) }

func checkAttributeWord(member, word string) error {
	switch {
	case strings.HasPrefix(word, systemPrefix), strings.HasPrefix(word, "aws:"):
		return fault.New(fault.InvalidParameter, "%s: %q begins with aws: or %s, which is reserved", member, word, systemPrefix)
	case !attributePattern.MatchString(word):
		return fault.New(fault.InvalidParameter, "%s: %q may hold letters, digits, spaces and _.:/=+-@' only", member, word)
	default:
		return nil
	}
}
