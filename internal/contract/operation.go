package contract

import (
	"fmt"
	"reflect"
	"slices"

	"ringdown/internal/fault"
)

// Operation is one operation of a service.
type Operation struct {
	Service *Service
	Name    string // "CreateUser"
	Method  string
	URI     string // "/users/{InstanceId}"
	Input   *Shape // nil when it has none
	Output  *Shape
	Errors  []fault.Code // the exceptions it declares
	// ClientToken is the input member that makes a repeated request harmless,
	// empty when there is none.
	ClientToken string
	// Unsigned says that callers need not sign, because what they send proves
	// itself.
	Unsigned bool

	statuses      map[fault.Code]int // of Errors, 0 where the model gives none
	labels        []string           // the URI's labels in order, by location name
	resultWrapper string
	in, out       *plan
}

// Bind compiles the plans of the operation for its input and output types,
// both structures of the AWS SDK. The error says which member of the model the
// type lacks. Operations are bound one after the other, before any is used.
func (op *Operation) Bind(input, output reflect.Type) error {
	c := compilerOf(op.Service)
	in, err := c.top(op, op.Input, input)
	if err != nil {
		return fmt.Errorf("%s input: %w", op.Name, err)
	}
	out, err := c.top(op, op.Output, output)
	if err != nil {
		return fmt.Errorf("%s output: %w", op.Name, err)
	}
	op.in, op.out = in, out
	return nil
}

// FullName is the operation's name, told apart from one of Amazon Connect that
// has the same: "CreateUser", "ConnectParticipant.DescribeView".
func (op *Operation) FullName() string {
	if op.Service.ID == "ConnectParticipant" {
		return op.Service.ID + "." + op.Name
	}
	return op.Name
}

// Bound reports whether Bind has been called.
func (op *Operation) Bound() bool { return op.in != nil }

// substitutes gives, for an exception that an operation does not declare, the
// ones that say nearly the same, best first. The model gives each operation
// its own list (facts such as "CreateInstance has no InvalidParameterException,
// views answer TooManyRequestsException, the Participant service knows
// ValidationException alone"); with this table a rule can be written once and
// every operation answers with what its clients expect.
var substitutes = map[fault.Code][]fault.Code{
	fault.InvalidParameter:           {fault.InvalidRequest, fault.PropertyValidation, fault.Validation},
	fault.InvalidRequest:             {fault.InvalidParameter, fault.PropertyValidation, fault.Validation},
	fault.Serialization:              nil,
	fault.Throttling:                 {fault.TooManyRequests},
	fault.LimitExceeded:              {fault.ServiceQuotaExceeded, fault.InvalidRequest, fault.InvalidParameter, fault.Validation},
	fault.ServiceQuotaExceeded:       {fault.LimitExceeded, fault.InvalidRequest, fault.InvalidParameter, fault.Validation},
	fault.DuplicateResource:          {fault.ResourceConflict, fault.Conflict, fault.InvalidRequest, fault.InvalidParameter, fault.Validation},
	fault.ResourceConflict:           {fault.Conflict, fault.DuplicateResource, fault.InvalidRequest, fault.InvalidParameter, fault.Validation},
	fault.Conflict:                   {fault.ResourceConflict, fault.Validation},
	fault.ResourceInUse:              {fault.ResourceConflict, fault.InvalidRequest, fault.InvalidParameter},
	fault.ResourceNotFound:           {fault.InvalidRequest, fault.InvalidParameter, fault.Validation},
	fault.Idempotency:                {fault.ResourceConflict, fault.Conflict, fault.InvalidRequest, fault.InvalidParameter, fault.Validation},
	fault.ConditionalOperationFailed: {fault.ResourceConflict, fault.InvalidRequest, fault.InvalidParameter},
	fault.ResourceNotReady:           {fault.ResourceConflict, fault.InvalidRequest, fault.InvalidParameter},
	fault.InternalService:            {fault.InternalServer},
}

// Declares reports whether the operation's model lists the exception.
func (op *Operation) Declares(code fault.Code) bool { return slices.Contains(op.Errors, code) }

// Status is the HTTP status with which the operation answers an exception: what
// its model gives, else what the exception has in general.
func (op *Operation) Status(code fault.Code) int {
	if s := op.statuses[code]; s != 0 {
		return s
	}
	return code.Status()
}

// Fault returns e in the form that the operation declares: e itself, or a copy
// under the nearest exception that its model lists.
func (op *Operation) Fault(e *fault.Error) *fault.Error {
	if op.Declares(e.Code) {
		return e
	}
	for _, code := range substitutes[e.Code] {
		if op.Declares(code) {
			c := *e
			c.Code = code
			return &c
		}
	}
	return e
}
