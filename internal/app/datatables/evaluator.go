package datatables

import (
	"cmp"
	"context"
	"errors"
	"math"
	"slices"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/connect"
	"github.com/aws/aws-sdk-go-v2/service/connect/types"

	"ringdown/internal/catalog"
	"ringdown/internal/domain"
	"ringdown/internal/fault"
	"ringdown/internal/store"
)

// EvaluateDataTableValues returns values as they are at the time of the request:
// expressions computed, and where the record has no value, that of the default
// record or else the one that the type has by default (AWS admin guide, "Create
// and configure data tables", Default values).
func (d *DataTables) EvaluateDataTableValues(ctx context.Context, in *connect.EvaluateDataTableValuesInput) (*connect.EvaluateDataTableValuesOutput, error) {
	sc, id, err := d.locate(ctx, in.InstanceId, in.DataTableId)
	if err != nil {
		return nil, err
	}
	type question struct {
		set  *types.DataTableValueEvaluationSet
		name string
	}
	var all []question
	for n := range in.Values {
		for _, name := range in.Values[n].AttributeNames {
			all = append(all, question{&in.Values[n], name})
		}
	}
	page, next, err := catalog.Slice(sc, domain.KindDataTable, catalog.Page{MaxResults: in.MaxResults, NextToken: in.NextToken}, all)
	if err != nil {
		return nil, err
	}
	out := &connect.EvaluateDataTableValuesOutput{NextToken: next, Values: []types.DataTableEvaluatedValue{}}
	e, s, err := d.newEvaluator(ctx, sc, id, aws.ToString(in.TimeZone))
	if err != nil {
		return nil, err
	}
	for _, q := range page {
		v, err := e.answer(s, q.set.PrimaryValues, q.name)
		if err != nil {
			return nil, err
		}
		out.Values = append(out.Values, *v)
	}
	return out, nil
}

// newEvaluator makes an evaluator for a request about a table. The zone "" is the
// table's.
func (d *DataTables) newEvaluator(ctx context.Context, sc catalog.Scope, id, zone string) (*evaluator, *schema, error) {
	// Not within a view: HOOP asks another area, which reads on its own, and
	// whoever holds a view while waiting for a second may wait for himself.
	rd := d.catalog.Store()
	s, err := d.schema(ctx, rd, sc, id)
	if err != nil {
		return nil, nil, err
	}
	e := &evaluator{d: d, ctx: ctx, rd: rd, sc: sc, now: d.catalog.Now(), schemas: map[string]*schema{s.table.ID: s}}
	e.zone, err = domain.LoadTimeZone(cmp.Or(zone, s.table.Value.TimeZone))
	return e, s, err
}

// answer evaluates one value of a request.
func (e *evaluator) answer(s *schema, primary []types.PrimaryValue, name string) (*types.DataTableEvaluatedValue, error) {
	a, err := s.named(name)
	if err != nil {
		return nil, err
	}
	key, given, err := s.key(primary)
	if err != nil {
		return nil, err
	}
	e.lookups = 0
	v, err := e.value(s, key, a)
	if err != nil {
		return nil, err
	}
	return &types.DataTableEvaluatedValue{
		RecordId: aws.String(v.record), PrimaryValues: s.primaryValues(given), AttributeName: aws.String(a.Name), ValueType: a.Value.ValueType,
		Found: v.found, Error: v.failure != nil, EvaluatedValue: aws.String(domain.FormatDataTableValue(v.value)),
	}, nil
}

// evaluator computes values of one moment.
type evaluator struct {
	d    *DataTables
	ctx  context.Context // of the one request that an evaluator serves
	rd   store.Reader
	sc   catalog.Scope
	now  time.Time
	zone *time.Location

	schemas map[string]*schema // by id of the table
	busy    []string           // the values that are being computed, from the outermost
	lookups int                // made for the value of the request
}

// What one value of a request may cost: values that look up each other in a
// chain, and all in all.
const (
	maxChain   = 16
	maxLookups = 1000
)

// evaluated is a value of an attribute, never none.
type evaluated struct {
	value  any
	record string // id of the record that was asked for or, if there is none, of the default record; "" without either
	// exists reports whether there is such a record, found whether it has a value
	// of its own, given whether the value is that one or the default record's rather
	// than the type's default.
	exists, found, given bool
	// failure is why that value has no use, nil when it has or there is none;
	// invalid is set when it has a value, but not one that the attribute takes.
	failure error
	invalid bool
}

// value evaluates the value of an attribute in a record.
func (e *evaluator) value(s *schema, key string, a *attribute) (*evaluated, error) {
	e.lookups++
	v, err := e.stored(s, key, a)
	if err != nil {
		return nil, err
	}
	defaultKey := s.keyOf(nil)
	if v.found && v.failure == nil || key == defaultKey {
		return v, nil
	}
	fallback, err := e.stored(s, defaultKey, a)
	if err != nil {
		return nil, err
	}
	v.value, v.given = fallback.value, fallback.given
	if v.record == "" {
		v.record = fallback.record
	}
	return v, nil
}

// stored evaluates what a record itself has of an attribute; the type's default
// when that is nothing, or of no use.
func (e *evaluator) stored(s *schema, key string, a *attribute) (*evaluated, error) {
	v := &evaluated{value: a.Value.Zero()}
	r, err := e.d.record(e.ctx, e.rd, e.sc, s, key)
	if r == nil || err != nil {
		return v, err
	}
	v.record, v.exists = r.ID, true
	id := domain.DataTableAttributeID(a.ID)
	text, has := r.Value.Primary[id]
	if !has {
		var own domain.DataTableValue
		own, has = r.Value.Values[id]
		text = own.Value
	}
	if !has {
		return v, nil
	}
	v.found = true
	result, err := e.result(s, a, r.ID+"/"+a.ID, text)
	if err == nil {
		v.value, v.given = result, true
		return v, nil
	}
	problem, ok := errors.AsType[evalError](err)
	if !ok {
		return nil, err
	}
	v.failure, v.invalid = problem, problem.invalid
	return v, nil
}

// result is what a stored text means, a value of the attribute's type. That a
// constant fulfils the validation was checked when it was given, and it is not
// held to a later one (AWS API reference, UpdateDataTableAttribute).
func (e *evaluator) result(s *schema, a *attribute, name, text string) (any, error) {
	if !domain.IsExpression(text) || !a.Value.TakesExpressions() {
		v, err := a.Value.Parse(text)
		if err != nil {
			return nil, unfit("the value " + err.Error())
		}
		return v, nil
	}
	switch {
	case slices.Contains(e.busy, name):
		return nil, unable("the value depends on itself")
	case len(e.busy) >= maxChain || e.lookups > maxLookups:
		return nil, unable("the value depends on too many others")
	}
	n, err := parse(text)
	if err != nil {
		return nil, unable("the value " + err.Error())
	}
	e.busy = append(e.busy, name)
	defer func() { e.busy = e.busy[:len(e.busy)-1] }()
	v, err := e.compute(s, n)
	if err != nil {
		return nil, err
	}
	if v, err = as(a.Value.ValueType, v); err != nil {
		return nil, err
	}
	if err := a.Value.Validate(v); err != nil {
		return nil, unfit("the result " + err.Error())
	}
	return v, nil
}

// compute is the value of a node of an expression in a table.
func (e *evaluator) compute(s *schema, n node) (any, error) {
	switch n := n.(type) {
	case literal:
		return n.value, nil
	case negation:
		v, err := e.compute(s, n.of)
		if err != nil {
			return nil, err
		}
		return calculate("-", 0.0, v)
	case binary:
		left, err := e.compute(s, n.left)
		if err != nil {
			return nil, err
		}
		right, err := e.compute(s, n.right)
		if err != nil {
			return nil, err
		}
		switch n.op {
		case "&":
			return domain.FormatDataTableValue(left) + domain.FormatDataTableValue(right), nil
		case "+", "-", "*", "/":
			return calculate(n.op, left, right)
		default:
			return compare(n.op, left, right)
		}
	default:
		return e.call(s, n.(call))
	}
}

func (e *evaluator) call(s *schema, c call) (any, error) {
	f := functions[c.name] // parse has checked that there is one
	if f.lazy != nil {
		return f.lazy(e, s, c.args)
	}
	args, err := e.computeAll(s, c.args)
	if err != nil {
		return nil, err
	}
	return f.apply(e, args)
}

func (e *evaluator) computeAll(s *schema, nodes []node) ([]any, error) {
	values := make([]any, len(nodes))
	for i, n := range nodes {
		var err error
		if values[i], err = e.compute(s, n); err != nil {
			return nil, err
		}
	}
	return values, nil
}

func calculate(op string, a, b any) (any, error) {
	x, err := number(a)
	if err != nil {
		return nil, err
	}
	y, err := number(b)
	if err != nil {
		return nil, err
	}
	switch op {
	case "+":
		return finite(x + y)
	case "-":
		return finite(x - y)
	case "*":
		return finite(x * y)
	default:
		if y == 0 {
			return nil, unable("a division by 0")
		}
		return finite(x / y)
	}
}

// compare compares two values: for equality of any kind, which values of two
// kinds never have, for order numbers or texts.
func compare(op string, a, b any) (any, error) {
	switch op {
	case "=":
		return equal(a, b), nil
	case "<>":
		return !equal(a, b), nil
	}
	var c int
	switch x := a.(type) {
	case float64:
		y, ok := b.(float64)
		if !ok {
			return nil, unable("a number is compared with something else")
		}
		c = cmp.Compare(x, y)
	case string:
		y, ok := b.(string)
		if !ok {
			return nil, unable("a text is compared with something else")
		}
		c = cmp.Compare(x, y)
	default:
		return nil, unable("only numbers and texts have an order")
	}
	switch op {
	case "<":
		return c < 0, nil
	case "<=":
		return c <= 0, nil
	case ">":
		return c > 0, nil
	default:
		return c >= 0, nil
	}
}

func equal(a, b any) bool {
	switch a := a.(type) {
	case []string:
		b, ok := b.([]string)
		return ok && slices.Equal(a, b)
	case []float64:
		b, ok := b.([]float64)
		return ok && slices.Equal(a, b)
	default:
		_, list := b.([]string)
		_, numbers := b.([]float64)
		return !list && !numbers && a == b // lists cannot be compared with ==
	}
}

const (
	typeNumber  = types.DataTableAttributeValueTypeNumber
	typeBoolean = types.DataTableAttributeValueTypeBoolean
)

// as makes a value one of a type of attribute: numbers and booleans can be
// texts, and texts that say so numbers and booleans.
func as(kind types.DataTableAttributeValueType, v any) (any, error) {
	a := domain.DataTableAttribute{ValueType: kind}
	switch {
	case sameKind(v, a.Zero()):
		return v, nil
	case kind == types.DataTableAttributeValueTypeText:
		return domain.FormatDataTableValue(v), nil
	}
	if s, ok := v.(string); ok && (kind == typeNumber || kind == typeBoolean) {
		if parsed, err := a.Parse(s); err == nil {
			return parsed, nil
		}
	}
	return nil, unfit("the result is not of the type " + string(kind))
}

func sameKind(a, b any) bool {
	switch a.(type) {
	case string:
		_, ok := b.(string)
		return ok
	case float64:
		_, ok := b.(float64)
		return ok
	case bool:
		_, ok := b.(bool)
		return ok
	case []string:
		_, ok := b.([]string)
		return ok
	default:
		_, ok := b.([]float64)
		return ok
	}
}

// lookup is LOOKUP(attribute, [primaryAttribute, value]...).
func lookup(e *evaluator, s *schema, args []node) (any, error) {
	values, err := e.computeAll(s, args)
	if err != nil {
		return nil, err
	}
	return e.lookUp(s, values[0], values[1:])
}

// xlookup is XLOOKUP(tableIdOrArn, attribute, [primaryAttribute, value]...).
func xlookup(e *evaluator, s *schema, args []node) (any, error) {
	values, err := e.computeAll(s, args)
	if err != nil {
		return nil, err
	}
	of, err := e.table(values[0])
	if err != nil {
		return nil, err
	}
	return e.lookUp(of, values[1], values[2:])
}

// lookUp is find for functions that fail when the value does.
func (e *evaluator) lookUp(s *schema, name any, pairs []any) (any, error) {
	v, err := e.find(s, name, pairs)
	if err != nil {
		return nil, err
	}
	if v.failure != nil {
		return nil, unable(v.failure.Error())
	}
	return v.value, nil
}

// alookup is ALOOKUP(tableIdOrArn, attribute, valueOnError, valueOnInvalid,
// valueOnNotFound, [primaryAttribute, value]...).
func alookup(e *evaluator, s *schema, args []node) (any, error) {
	onError, onInvalid, onNotFound := args[2], args[3], args[4]
	v, err := func() (*evaluated, error) {
		what, err := e.computeAll(s, append(slices.Clone(args[:2]), args[5:]...))
		if err != nil {
			return nil, err
		}
		of, err := e.table(what[0])
		if err != nil {
			return nil, err
		}
		return e.find(of, what[1], what[2:])
	}()
	if _, ok := errors.AsType[evalError](err); ok {
		return e.compute(s, onError)
	}
	switch {
	case err != nil:
		return nil, err
	case !v.exists:
		return e.compute(s, onNotFound)
	case v.invalid:
		return e.compute(s, onInvalid)
	case v.failure != nil:
		return e.compute(s, onError)
	default:
		return v.value, nil
	}
}

// table reads the schema of the table that an expression names.
func (e *evaluator) table(name any) (*schema, error) {
	ref, ok := name.(string)
	if !ok {
		return nil, unable("a table is named by its id or ARN")
	}
	id, err := tableID(e.sc, ref, latest, saved)
	if err != nil {
		return nil, unable(fault.From(err).Message)
	}
	if s, ok := e.schemas[id]; ok {
		return s, nil
	}
	s, err := e.d.schema(e.ctx, e.rd, e.sc, id)
	if fault.Is(err, fault.ResourceNotFound) {
		return nil, unable("there is no such table")
	}
	if err != nil {
		return nil, err
	}
	e.schemas[id] = s
	return s, nil
}

// find evaluates the value of an attribute in the record with the primary
// values, which are given as name, value, name, value.
func (e *evaluator) find(s *schema, name any, pairs []any) (*evaluated, error) {
	if len(pairs)%2 != 0 {
		return nil, unable("a primary attribute has no value")
	}
	var primary []types.PrimaryValue
	for i := 0; i < len(pairs); i += 2 {
		primary = append(primary, types.PrimaryValue{
			AttributeName: aws.String(domain.FormatDataTableValue(pairs[i])), Value: aws.String(domain.FormatDataTableValue(pairs[i+1])),
		})
	}
	a, err := s.named(domain.FormatDataTableValue(name))
	if err != nil {
		return nil, unable(fault.From(err).Message)
	}
	key, _, err := s.key(primary)
	if err != nil {
		return nil, unable(fault.From(err).Message)
	}
	return e.value(s, key, a)
}

// hoop is HOOP(hoursOfOperationIdOrArn, valueIfOpen, valueIfClosed,
// [timeShift]). The shift is taken to be minutes from now (docs/divergences.md).
func hoop(e *evaluator, s *schema, args []node) (any, error) {
	hours, err := e.compute(s, args[0])
	if err != nil {
		return nil, err
	}
	at := e.now
	if len(args) > 3 {
		shift, err := e.compute(s, args[3])
		if err != nil {
			return nil, err
		}
		minutes, err := number(shift)
		if err != nil {
			return nil, err
		}
		if math.Abs(minutes) > maxShift {
			return nil, unable("the time shift is more than a year")
		}
		at = at.Add(time.Duration(minutes * float64(time.Minute)))
	}
	open, err := e.open(domain.FormatDataTableValue(hours), at)
	if err != nil {
		return nil, err
	}
	if open {
		return e.compute(s, args[1])
	}
	return e.compute(s, args[2])
}

// maxShift is how many minutes HOOP may look ahead or back.
const maxShift = 366 * 24 * 60

// open reports whether hours of operation are open at an instant.
func (e *evaluator) open(hours string, at time.Time) (bool, error) {
	open, err := e.d.hours.OpenAt(e.ctx, e.sc, hours, at)
	if fault.Is(err, fault.ResourceNotFound) || fault.Is(err, fault.InvalidParameter) {
		return false, unable("there are no such hours of operation")
	}
	return open, err
}
