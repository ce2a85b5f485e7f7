package flow

import (
	"encoding/json"
	"log/slog"
	"unicode/utf8"

	"ringdown/internal/fault"
)

// How much an exception tells of what is wrong (AWS API reference,
// InvalidContactFlowException and ProblemDetail).
const (
	maxProblems       = 50
	maxProblemMessage = 256
)

// detail is a problem as the exceptions carry it.
type detail struct {
	Message string `json:"message"`
}

// Refusal is the exception for a document with problems, nil without any: an
// InvalidContactFlowException, InvalidContactFlowModuleException or
// InvalidTestCaseException, which carry a list of problems and no message.
func Refusal(code fault.Code, problems []Problem) error {
	if len(problems) == 0 {
		return nil
	}
	problems = problems[:min(len(problems), maxProblems)]
	details := make([]detail, len(problems))
	for i, p := range problems {
		if utf8.RuneCountInString(p.Message) > maxProblemMessage {
			p.Message = string([]rune(p.Message)[:maxProblemMessage])
		}
		details[i] = detail{p.Message}
	}
	member := "Problems"
	if code == fault.InvalidContactFlow {
		member = "problems"
	}
	return (&fault.Error{Code: code}).With(member, details)
}

// Logged is what a log record holds of a refused document, whose exception has
// the service's words alone: the number of its problems, and those that the
// exception carries with their rule, action and place.
func Logged(problems []Problem) slog.Attr {
	raw, err := json.Marshal(problems[:min(len(problems), maxProblems)])
	if err != nil {
		raw = []byte("null") // strings and numbers can always be encoded
	}
	return slog.Group("", slog.Int("count", len(problems)), slog.Any("problems", json.RawMessage(raw)))
}
