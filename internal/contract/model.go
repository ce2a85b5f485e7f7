// Package contract turns AWS's service models into a wire protocol. From the
// models alone it finds the operation of a request, decodes path, query,
// header and body into the AWS SDK's own input type, checks every constraint,
// and encodes outputs and errors. It holds no knowledge of any one operation:
// a new release of the API is a new model file and a new SDK version.
//
// Everything is compiled at start: routes by Load, a plan for each bound
// operation by Operation.Bind. Requests only read, so any number may run at
// the same time.
package contract

import (
	"embed"
	"encoding/json"
	"fmt"
	"slices"
	"sort"
	"strings"

	"ringdown/internal/fault"
)

//go:generate go run ./genunions
//go:generate go run ./genparticipant

//go:embed models/*.json
var models embed.FS

// model is a service model as AWS publishes it (the "api-2" JSON form).
type model struct {
	Metadata struct {
		ServiceID    string `json:"serviceId"`
		SigningName  string `json:"signingName"`
		Prefix       string `json:"endpointPrefix"`
		Protocol     string `json:"protocol"`
		XMLNamespace string `json:"xmlNamespace"`
	} `json:"metadata"`
	Operations map[string]struct {
		HTTP struct {
			Method string `json:"method"`
			URI    string `json:"requestUri"`
		} `json:"http"`
		Input  *shapeRef  `json:"input"`
		Output *shapeRef  `json:"output"`
		Errors []shapeRef `json:"errors"`
		Auth   string     `json:"authtype"`
	} `json:"operations"`
	Shapes map[string]*Shape `json:"shapes"`
}

type shapeRef struct {
	Shape            string `json:"shape"`
	Location         string `json:"location"`
	LocationName     string `json:"locationName"`
	IdempotencyToken bool   `json:"idempotencyToken"`
	ResultWrapper    string `json:"resultWrapper"`
}

// Shape is one type of a service model.
type Shape struct {
	Name            string              `json:"-"`
	Type            string              `json:"type"`
	Members         map[string]shapeRef `json:"members"`
	Required        []string            `json:"required"`
	Member          *shapeRef           `json:"member"`
	Key             *shapeRef           `json:"key"`
	Value           *shapeRef           `json:"value"`
	Min             *float64            `json:"min"`
	Max             *float64            `json:"max"`
	Pattern         string              `json:"pattern"`
	Enum            []string            `json:"enum"`
	Sensitive       bool                `json:"sensitive"`
	Union           bool                `json:"union"`
	TimestampFormat string              `json:"timestampFormat"`
	// Error is of an exception: Code its name on the wire, if that is another
	// than the shape's.
	Error struct {
		Code   string `json:"code"`
		Status int    `json:"httpStatusCode"`
	} `json:"error"`
}

// memberNames lists the members in a fixed order.
func (s *Shape) memberNames() []string {
	names := make([]string, 0, len(s.Members))
	for n := range s.Members {
		names = append(names, n)
	}
	sort.Strings(names)
	return names
}

// Service is one AWS service of the three that this server speaks.
type Service struct {
	ID          string // "Connect", "ConnectParticipant", "STS"
	SigningName string // of its signatures: "connect"
	Protocol    string // "rest-json" or "query"
	namespace   string // of the XML of a query service
	shapes      map[string]*Shape
	operations  map[string]*Operation
	compiler    *compiler // of the plans of its operations
}

// Shape returns a shape of the service's model, nil when there is none.
func (s *Service) Shape(name string) *Shape { return s.shapes[name] }

// Operations returns the service's operations by name.
func (s *Service) Operations() []*Operation {
	ops := make([]*Operation, 0, len(s.operations))
	for _, op := range s.operations {
		ops = append(ops, op)
	}
	slices.SortFunc(ops, func(a, b *Operation) int { return strings.Compare(a.Name, b.Name) })
	return ops
}

// Operation returns the operation of that name, nil when there is none.
func (s *Service) Operation(name string) *Operation { return s.operations[name] }

// API is the whole contract.
type API struct {
	services map[string]*Service
	routes   *routes
}

// Service returns a service by its id ("Connect"), nil when there is none.
func (a *API) Service(id string) *Service { return a.services[id] }

// Load reads the embedded models and compiles their routes.
func Load() (*API, error) {
	a := &API{services: map[string]*Service{}, routes: newRoutes()}
	files, err := models.ReadDir("models")
	if err != nil {
		return nil, err
	}
	for _, f := range files {
		raw, err := models.ReadFile("models/" + f.Name())
		if err != nil {
			return nil, err
		}
		svc, err := readService(raw)
		if err != nil {
			return nil, fmt.Errorf("service model %s: %w", f.Name(), err)
		}
		a.services[svc.ID] = svc
		if svc.Protocol == "query" {
			continue // its operations share POST /, see API.QueryOperation
		}
		for _, op := range svc.Operations() {
			if err := a.routes.add(op); err != nil {
				return nil, err
			}
		}
	}
	return a, nil
}

func readService(raw []byte) (*Service, error) {
	var m model
	if err := json.Unmarshal(raw, &m); err != nil {
		return nil, err
	}
	svc := &Service{
		ID:          m.Metadata.ServiceID,
		SigningName: m.Metadata.SigningName,
		Protocol:    m.Metadata.Protocol,
		namespace:   m.Metadata.XMLNamespace,
		shapes:      m.Shapes,
		operations:  make(map[string]*Operation, len(m.Operations)),
	}
	if svc.SigningName == "" {
		svc.SigningName = m.Metadata.Prefix
	}
	for name, s := range m.Shapes {
		s.Name = name
		if mended, ok := patternPatches[name]; ok {
			s.Pattern = mended
		}
	}
	for name, o := range m.Operations {
		op := &Operation{Service: svc, Name: name, Method: o.HTTP.Method, URI: o.HTTP.URI, Unsigned: o.Auth == "none", statuses: map[fault.Code]int{}}
		if o.Input != nil {
			op.Input = m.Shapes[o.Input.Shape]
			for _, n := range op.Input.memberNames() {
				if op.Input.Members[n].IdempotencyToken {
					op.ClientToken = n
				}
			}
		}
		if o.Output != nil {
			op.Output = m.Shapes[o.Output.Shape]
			op.resultWrapper = o.Output.ResultWrapper
		}
		for _, e := range o.Errors {
			code := fault.Code(e.Shape)
			shape := m.Shapes[e.Shape]
			if shape.Error.Code != "" {
				code = fault.Code(shape.Error.Code)
			}
			op.Errors = append(op.Errors, code)
			op.statuses[code] = shape.Error.Status
		}
		svc.operations[name] = op
	}
	return svc, nil
}

// patternPatches mends patterns that are broken as published: taken literally
// they match no legal value, because their backslashes are doubled or because
// they are wrapped in slashes, or lack a character. What the service means is plain from its
// documentation.
//
//nolint:gosec // patterns of passwords, not passwords
var patternPatches = map[string]string{
	"PhoneNumber":                     `^\+[1-9]\d{1,14}$`,
	"SensitivePhoneNumber":            `^\+[1-9]\d{1,14}$`,
	"PhoneNumberPrefix":               `^\+?[0-9]{1,11}$`,
	"Password":                        `^(?=.*[a-z])(?=.*[A-Z])(?=.*\d)[a-zA-Z\d\S]{8,64}$`,
	"DataTableDescription":            `^[\P{C}\r\n\t]+$`,
	"IpCidr":                          `^[A-Za-z0-9.:/]*$`, // as published it has no dot, so no IPv4 address
	"MediaSource":                     `.*\S.*`,
	"Page":                            `^(?!\.$)(?!\.\.$)[\p{L}\p{Z}\p{N}\-_.:=@'|]+$`,
	"Slug":                            `^$|^[\p{L}\p{Z}\p{N}\-_.:=@'|]{3,}$`,
	"S3Uri":                           `s3://\S+/.+|https://\S+\.s3\.\S+\.amazonaws\.com/\S+`,
	"ThemeImageLink":                  `.*\S.*`,
	"ThemeString":                     `.*\S.*`,
	"ViewContentSha256":               `^[a-zA-Z0-9]+$`,
	"WorkspaceAssociatedResourceName": `.*\S.*`,
	"WorkspaceDescription":            `^[\P{C}\r\n\t]*$`,
	"WorkspaceName":                   `.*\S.*`,
	"WorkspaceTitle":                  `^[\P{C}]*$`,
}

// patternNames says in words what a pattern demands, for the patterns that
// people meet most.
//
//nolint:gosec // a description of passwords, not a password
var patternNames = map[string]string{
	"PhoneNumber":          "not in E164 format",
	"SensitivePhoneNumber": "not in E164 format",
	"Password":             "must have 8 to 64 characters without white space, among them a lower-case letter, an upper-case letter and a digit",
	"TagKey":               "must not begin with aws: and may hold letters, digits, spaces and _.:/=+-@ only",
	"DirectoryAlias":       "must hold letters, digits and inner hyphens only and must not begin with d-",
	"DirectoryId":          "must be d- followed by ten hexadecimal digits",
}
