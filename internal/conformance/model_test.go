package conformance

import (
	"encoding/json"
	"os"
	"slices"
	"testing"
)

// model is a service model, read anew from its file so that a mistake in
// internal/contract cannot hide itself here.
type model struct {
	Operations map[string]*operation `json:"operations"`
	Shapes     map[string]*shape     `json:"shapes"`
}

type operation struct {
	Name string `json:"-"` // "CreateUser", "ConnectParticipant.SendMessage"
	HTTP struct {
		Method string `json:"method"`
		URI    string `json:"requestUri"`
	} `json:"http"`
	Input  *member  `json:"input"`
	Output *member  `json:"output"`
	Errors []member `json:"errors"`
}

type member struct {
	Shape        string `json:"shape"`
	Location     string `json:"location"`
	LocationName string `json:"locationName"`
}

type shape struct {
	Name            string            `json:"-"`
	Type            string            `json:"type"`
	Members         map[string]member `json:"members"`
	Required        []string          `json:"required"`
	Member          *member           `json:"member"`
	Key             *member           `json:"key"`
	Value           *member           `json:"value"`
	Min             *float64          `json:"min"`
	Max             *float64          `json:"max"`
	Pattern         string            `json:"pattern"`
	Enum            []string          `json:"enum"`
	Sensitive       bool              `json:"sensitive"`
	Union           bool              `json:"union"`
	TimestampFormat string            `json:"timestampFormat"`
	Error           *struct {
		HTTPStatusCode int `json:"httpStatusCode"`
	} `json:"error"`
}

// readModel reads the model of Amazon Connect.
func readModel(t testing.TB) *model {
	t.Helper()
	return readModelFile(t, "connect.json", "")
}

// readParticipantModel reads the model of the Participant service. Its
// operations have the full names that the server gives them, because Amazon
// Connect has a DescribeView as well.
func readParticipantModel(t testing.TB) *model {
	t.Helper()
	return readModelFile(t, "connectparticipant.json", "ConnectParticipant.")
}

func readModelFile(t testing.TB, file, prefix string) *model {
	t.Helper()
	raw, err := os.ReadFile("../contract/models/" + file)
	if err != nil {
		t.Fatal(err)
	}
	m := &model{}
	if err := json.Unmarshal(raw, m); err != nil {
		t.Fatal(err)
	}
	operations := make(map[string]*operation, len(m.Operations))
	for name, op := range m.Operations {
		op.Name = prefix + name
		operations[op.Name] = op
	}
	m.Operations = operations
	for name, s := range m.Shapes {
		s.Name = name
	}
	return m
}

// bound returns the model's operations among those that a server serves.
func (m *model) bound(served []string) []*operation {
	var list []*operation
	for _, name := range served {
		if op, ok := m.Operations[name]; ok {
			list = append(list, op)
		}
	}
	return list
}

func (m *model) input(op *operation) *shape {
	if op.Input == nil {
		return &shape{Name: op.Name + "Request", Type: "structure"}
	}
	return m.Shapes[op.Input.Shape]
}

func (m *model) output(op *operation) *shape {
	if op.Output == nil {
		return &shape{Name: op.Name + "Response", Type: "structure"}
	}
	return m.Shapes[op.Output.Shape]
}

// declared returns the exception shapes that an operation lists, by name.
func (m *model) declared(op *operation) map[string]*shape {
	shapes := map[string]*shape{}
	for _, e := range op.Errors {
		shapes[e.Shape] = m.Shapes[e.Shape]
	}
	return shapes
}

// names lists a structure's members in a fixed order.
func (s *shape) names() []string {
	list := make([]string, 0, len(s.Members))
	for name := range s.Members {
		list = append(list, name)
	}
	slices.Sort(list)
	return list
}

func (s *shape) requires(name string) bool { return slices.Contains(s.Required, name) }
