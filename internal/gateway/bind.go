package gateway

import (
	"context"
	"fmt"
	"reflect"
	"strings"
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

// bind finds the operations among the methods of areas: a method whose name is
// that of an operation serves it. Its types must be the SDK's for that
// operation, or the program does not start. Other methods do not matter.
func bind(api *contract.API, areas []any) (map[*contract.Operation]*handler, error) {
	handlers := map[*contract.Operation]*handler{}
	for _, area := range areas {
		v := reflect.ValueOf(area)
		for i := range v.NumMethod() {
			name := v.Type().Method(i).Name
			op := operation(api, name)
			if op == nil {
				continue
			}
			h, err := newHandler(op, v.Method(i))
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

func operation(api *contract.API, name string) *contract.Operation {
	for _, service := range []string{"Connect", "STS", "ConnectParticipant"} {
		if op := api.Service(service).Operation(name); op != nil {
			return op
		}
	}
	return nil
}

func newHandler(op *contract.Operation, method reflect.Value) (*handler, error) {
	t := method.Type()
	if t.NumIn() != 2 || t.NumOut() != 2 || t.In(0) != contextType || t.Out(1) != errorType {
		return nil, fmt.Errorf("it is %s, want func(context.Context, *%sInput) (*%sOutput, error)", t, op.Name, op.Name)
	}
	in, out := t.In(1), t.Out(0)
	for suffix, typ := range map[string]reflect.Type{"Input": in, "Output": out} {
		if typ.Kind() != reflect.Pointer || typ.Elem().Name() != op.Name+suffix ||
			!strings.HasPrefix(typ.Elem().PkgPath(), "github.com/aws/aws-sdk-go-v2/service/") {
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
