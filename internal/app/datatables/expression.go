package datatables

import (
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"
)

// An expression is "=" and a term (AWS admin guide, "Create and configure data
// tables", Data table expressions). Functions are documented there; of
// operators the page shows "<" only. Taken to be those of spreadsheets
// (docs/divergences.md), from the loosest to the tightest:
//
//	= <> < <= > >=    comparison
//	&                 texts joined
//	+ -
//	* /
//	-                 sign
//
// Texts are in double quotes, which are doubled inside; true and false are
// written in any case.

// node is a part of an expression.
type node any

type (
	literal struct{ value any } // string, float64 or bool
	call    struct {
		name string // in capitals
		args []node
	}
	binary struct {
		op          string
		left, right node
	}
	negation struct{ of node }
)

// problem is what is wrong with an expression, as the end of a sentence that
// begins with the value.
type problem string

func (p problem) Error() string { return "is no valid expression: " + string(p) }

// maxNesting bounds how deep parentheses, arguments and signs are nested.
const maxNesting = 64

// parse reads an expression with its "=".
func parse(s string) (node, error) {
	p := &parser{rest: strings.TrimPrefix(s, "=")}
	if utf8.RuneCountInString(s) > maxExpression {
		return nil, problem("it has more than " + strconv.Itoa(maxExpression) + " characters")
	}
	n, err := p.comparison()
	if err != nil {
		return nil, err
	}
	if p.space(); p.rest != "" {
		return nil, problem("what comes after its end: " + strconv.Quote(p.rest))
	}
	return n, nil
}

// maxExpression is how long an expression may be: as long as a text.
const maxExpression = 5000

type parser struct {
	rest  string
	depth int
}

func (p *parser) space() { p.rest = strings.TrimLeftFunc(p.rest, unicode.IsSpace) }

// operator takes the first of the operators that the rest begins with, ""
// when it does with none.
func (p *parser) operator(of ...string) string {
	p.space()
	for _, op := range of {
		if rest, ok := strings.CutPrefix(p.rest, op); ok {
			p.rest = rest
			return op
		}
	}
	return ""
}

// chain reads operands with operators of one level between them.
func (p *parser) chain(operand func() (node, error), ops ...string) (node, error) {
	left, err := operand()
	if err != nil {
		return nil, err
	}
	for {
		op := p.operator(ops...)
		if op == "" {
			return left, nil
		}
		right, err := operand()
		if err != nil {
			return nil, err
		}
		left = binary{op, left, right}
	}
}

func (p *parser) comparison() (node, error) {
	return p.chain(p.joined, "<>", "<=", ">=", "=", "<", ">")
}
func (p *parser) joined() (node, error)  { return p.chain(p.sum, "&") }
func (p *parser) sum() (node, error)     { return p.chain(p.product, "+", "-") }
func (p *parser) product() (node, error) { return p.chain(p.signed, "*", "/") }

func (p *parser) signed() (node, error) {
	if p.depth++; p.depth > maxNesting {
		return nil, problem("it is too deep")
	}
	defer func() { p.depth-- }()
	if p.operator("-") != "" {
		n, err := p.signed()
		return negation{n}, err
	}
	return p.primary()
}

func (p *parser) primary() (node, error) {
	p.space()
	switch c := p.rest; {
	case c == "":
		return nil, problem("it ends too early")
	case c[0] == '(':
		p.rest = c[1:]
		n, err := p.comparison()
		if err != nil {
			return nil, err
		}
		if p.operator(")") == "" {
			return nil, problem("a ) is missing")
		}
		return n, nil
	case c[0] == '"':
		return p.text()
	case c[0] >= '0' && c[0] <= '9' || c[0] == '.':
		return p.number()
	default:
		return p.word()
	}
}

func (p *parser) text() (node, error) {
	var b strings.Builder
	rest := p.rest[1:]
	for {
		part, after, ok := strings.Cut(rest, `"`)
		if !ok {
			return nil, problem("a text does not end")
		}
		b.WriteString(part)
		if !strings.HasPrefix(after, `"`) {
			p.rest = after
			return literal{b.String()}, nil
		}
		b.WriteByte('"')
		rest = after[1:]
	}
}

func (p *parser) number() (node, error) {
	end := strings.IndexFunc(p.rest, func(c rune) bool { return c != '.' && (c < '0' || c > '9') })
	if end < 0 {
		end = len(p.rest)
	}
	n, err := strconv.ParseFloat(p.rest[:end], 64)
	if err != nil {
		return nil, problem(strconv.Quote(p.rest[:end]) + " is not a number")
	}
	p.rest = p.rest[end:]
	return literal{n}, nil
}

// word reads true, false or a function with its arguments.
func (p *parser) word() (node, error) {
	end := strings.IndexFunc(p.rest, func(c rune) bool { return c != '_' && !unicode.IsLetter(c) && !unicode.IsDigit(c) })
	if end < 0 {
		end = len(p.rest)
	}
	name := strings.ToUpper(p.rest[:end])
	if name == "" {
		return nil, problem("nothing begins with " + strconv.Quote(p.rest))
	}
	p.rest = p.rest[end:]
	if p.operator("(") == "" {
		switch name {
		case "TRUE":
			return literal{true}, nil
		case "FALSE":
			return literal{false}, nil
		}
		return nil, problem("there is no value " + name)
	}
	c := call{name: name}
	for p.operator(")") == "" {
		if len(c.args) > 0 && p.operator(",") == "" {
			return nil, problem("a comma or ) is missing among the arguments of " + name)
		}
		arg, err := p.comparison()
		if err != nil {
			return nil, err
		}
		c.args = append(c.args, arg)
	}
	f, ok := functions[name]
	if !ok {
		return nil, problem("there is no function " + name)
	}
	if n := len(c.args); n < f.min || f.max >= 0 && n > f.max {
		return nil, problem(name + " does not take " + strconv.Itoa(n) + " arguments")
	}
	return c, nil
}
