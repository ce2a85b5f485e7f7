package domain

import (
	"strings"

	"github.com/aws/aws-sdk-go-v2/service/connect/types"

	"ringdown/internal/fault"
)

// DataTable is a table of values that flows, views and other tables look up:
// attributes are its columns, records its rows.
type DataTable struct {
	Name        string
	Description string `json:",omitempty"`
	TimeZone    string // a name of the IANA time zone database
	// ValueLockLevel is what else must not have changed when a value is changed.
	ValueLockLevel types.DataTableLockLevel
	// LockVersion changes with the table and its attributes; with the lock level
	// DATA_TABLE, with every value too. Like all lock versions it is an id that is
	// not used again.
	LockVersion string
}

// Check checks the rules of a table that need nothing but itself.
func (d *DataTable) Check() error {
	if _, err := LoadTimeZone(d.TimeZone); err != nil {
		return err
	}
	return checkTableName(d.Name)
}

// reservedNames are the prefixes that names of tables and attributes must not
// have, in any case (AWS API reference, CreateDataTable).
var reservedNames = []string{"connect:", "aws:"}

// checkTableName checks the name of a table or an attribute, from which spaces
// around it have been cut.
func checkTableName(name string) error {
	if name == "" {
		return fault.New(fault.InvalidParameter, "Name must not consist of spaces alone")
	}
	for _, prefix := range reservedNames {
		if strings.HasPrefix(strings.ToLower(name), prefix) {
			return fault.New(fault.InvalidParameter, "Name must not start with %q", prefix)
		}
	}
	return nil
}
