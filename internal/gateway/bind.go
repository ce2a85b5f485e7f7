package gateway

import (
	"context"
	"fmt"
	"reflect"
	"sync/atomic"

	"ringdown/internal/contract"
)

// handler serves one operation.
type handler struct {
	op      *contract.Operation
	call    func(ctx context.Context, input any) (any, error)
	targets targets
	length  atomic.Int64 // of the last answer, in bytes
}

var (
	contextType = reflect.TypeFor[context.Context]()
	errorType   = reflect.TypeFor[error]()
)

// packages are where the inputs and outputs of each service's operations live.
// Those of the Participant service stand for the SDK's: they are generated from
// the model in its shape (internal/contract/genparticipant).
var packages = []struct{ service, path string }{
	{"Connect", "github.com/aws/aws-sdk-go-v2/service/connect"},
	{"STS", "github.com/aws/aws-sdk-go-v2/service/sts"},
	{"ConnectParticipant", "ringdown/internal/contract/connectparticipant"},
}

// bind finds the operations among the methods of areas: a method whose name is
// that of an operation serves it. Its types must be the SDK's for that
// operation, or the program does not start. Other methods do not matter.
func bind(api *contract.API, areas []any) (map[*contract.Operation]*handler, error) {
	handlers := map[*contract.Operation]*handler{}
	for _, area := range areas {
		v := reflect.ValueOf(area)
		for i := range v.NumMethod() {
			name := v.Type().Method(i).Name
			op, pkg := operation(api, name, v.Method(i).Type())
			if op == nil {
				continue
			}
			h, err := newHandler(op, pkg, v.Method(i))
			if err != nil {
				return nil, fmt.Errorf("%s of %s: %w", name, v.Type(), err)
			}
			if handlers[op] != nil {
				return nil, fmt.Errorf("%s of %s: the operation is served already", name, v.Type())
			}
			handlers[op] = h
		}
	}
	return handlers, nil
}

// operation finds the operation that a method serves, and the package of its
// types. Amazon Connect and the Participant service both have a DescribeView:
// the method's input tells which is meant. When it tells nothing, the operation
// is the first of that name, and newHandler will find fault with the types.
func operation(api *contract.API, name string, method reflect.Type) (op *contract.Operation, pkg string) {
	for _, p := range packages {
		found := api.Service(p.service).Operation(name)
		switch {
		case found == nil:
		case method.NumIn() == 2 && isPointerTo(method.In(1), p.path, name+"Input"):
			return found, p.path
		case op == nil:
			op, pkg = found, p.path
		}
	}
	return op, pkg
}

// isPointerTo reports whether a type is a pointer to the named type of a package.
func isPointerTo(t reflect.Type, pkg, name string) bool {
	return t.Kind() == reflect.Pointer && t.Elem().Name() == name && t.Elem().PkgPath() == pkg
}

func newHandler(op *contract.Operation, pkg string, method reflect.Value) (*handler, error) {
	t := method.Type()
	if t.NumIn() != 2 || t.NumOut() != 2 || t.In(0) != contextType || t.Out(1) != errorType {
		return nil, fmt.Errorf("it is %s, want func(context.Context, *%sInput) (*%sOutput, error)", t, op.Name, op.Name)
	}
	in, out := t.In(1), t.Out(0)
	for suffix, typ := range map[string]reflect.Type{"Input": in, "Output": out} {
		if !isPointerTo(typ, pkg, op.Name+suffix) {
			return nil, fmt.Errorf("%s is not the SDK's *%s%s", typ, op.Name, suffix)
		}
	}
	if err := op.Bind(in, out); err != nil {
		return nil, err
	}
	return &handler{op: op, targets: findTargets(op, in.Elem()), call: func(ctx context.Context, input any) (any, error) {
		result := method.Call([]reflect.Value{reflect.ValueOf(ctx), reflect.ValueOf(input)})
		err, _ := result[1].Interface().(error)
		return result[0].Interface(), err
	}}, nil
}
