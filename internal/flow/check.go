package flow

import "encoding/json"

// Check validates a document of a type.
func Check(content string, _ Type) Result {
	if !json.Valid([]byte(content)) {
		return Result{Problems: []Problem{{Message: "Content is not a JSON document", Rule: "json", Line: 1, Column: 1}}}
	}
	return Result{}
}
