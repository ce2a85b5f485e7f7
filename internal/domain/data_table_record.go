package domain

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"slices"
	"time"
)

// DataTableRecord is a row of a data table: the primary values that identify it
// and values of other attributes, one at least. The record without primary
// values is the default record; a table without primary attributes has no other.
type DataTableRecord struct {
	DataTableID DataTableID
	// Key identifies the record among those of its table: DataTableKey of Primary.
	Key string
	// LockVersion changes with the primary values; with the lock level
	// PRIMARY_VALUE, with every value too.
	LockVersion string
	Primary     map[DataTableAttributeID]string         `json:",omitempty"`
	Values      map[DataTableAttributeID]DataTableValue `json:",omitempty"`
}

// DataTableValue is a value as it was given: text, a number, true or false, a
// list as JSON, or an expression that begins with "=".
type DataTableValue struct {
	Value       string
	LockVersion string // changes with the value
	Modified    time.Time
}

// DataTableKey is the same for the same primary values, and short. Values are
// those of DataTableAttribute.Canonical.
func DataTableKey(canonical map[DataTableAttributeID]string) string {
	if len(canonical) == 0 {
		return "default"
	}
	raw, _ := json.Marshal(canonical) // cannot fail, and sorts by attribute
	sum := sha256.Sum256(raw)
	return hex.EncodeToString(sum[:])
}

// IsDefault reports whether the record is the default one.
func (r *DataTableRecord) IsDefault() bool { return len(r.Primary) == 0 }

// Attributes are the attributes of which the record has values, in the order in
// which they were made.
func (r *DataTableRecord) Attributes() []DataTableAttributeID {
	ids := make([]DataTableAttributeID, 0, len(r.Values))
	for id := range r.Values {
		ids = append(ids, id)
	}
	slices.Sort(ids)
	return ids
}
