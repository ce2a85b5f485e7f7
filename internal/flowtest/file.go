package flowtest

import (
	"bytes"
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"path"
	"slices"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/connect/types"
	"gopkg.in/yaml.v3"

	"ringdown/internal/audio"
	"ringdown/internal/domain"
	"ringdown/internal/flow"
)

// Case is a test as a file describes it.
type Case struct {
	Name string
	File string
	// Spec and World are what to run, but for the functions of World.
	Spec  Spec
	World *Bundle
	// Functions are the addresses of functions, by ARN or name.
	Functions map[string]string
	// TestFile is where the observations stand, and Lines at which line each does.
	TestFile string
	Lines    []int
}

// file is a test with what it needs, in YAML or JSON. Its own members are in
// lower case; documents of Amazon Connect are as Amazon Connect has them. A
// document is given as the path of its file, beside this one, or as it is.
type file struct {
	Name       string            `yaml:"name"`
	Flow       yaml.Node         `yaml:"flow"`
	Test       yaml.Node         `yaml:"test"`
	Channel    string            `yaml:"channel"` // voice, chat
	From       string            `yaml:"from"`
	To         string            `yaml:"to"`
	At         string            `yaml:"at"` // RFC 3339
	Attributes map[string]string `yaml:"attributes"`
	// What the flow names, by id, ARN or, for flows and modules, what stands in
	// the flow.
	Flows     map[string]yaml.Node   `yaml:"flows"`
	Modules   map[string]yaml.Node   `yaml:"modules"`
	Queues    map[string]fileQueue   `yaml:"queues"`
	Hours     map[string]string      `yaml:"hours"` // open, closed
	Prompts   map[string]filePrompts `yaml:"prompts"`
	Functions map[string]string      `yaml:"functions"`
}

type fileQueue struct {
	Name     string        `yaml:"name"`
	Hours    string        `yaml:"hours"`
	Agents   int           `yaml:"agents"`
	Contacts int           `yaml:"contacts"`
	Oldest   time.Duration `yaml:"oldest"`
}

type filePrompts struct {
	File string `yaml:"file"` // a recording, for its length
	Text string `yaml:"text"` // what is said in it
}

// The numbers of a call whose file names none. They are reserved for fiction.
const (
	anyCustomer = "+12065550100"
	anySystem   = "+12065550199"
)

// defaultStart is when contacts begin that do not say it: the same for every
// run, so that a test passes on Sundays as well.
var defaultStart = time.Date(2026, time.January, 5, 10, 0, 0, 0, time.UTC)

// instanceARN is the instance that tests without a server see.
const instanceARN = "arn:aws:connect:us-east-1:123456789012:instance/00000000-0000-4000-8000-000000000000"

// Load reads a test and all that it needs. Flow is the path of the flow for a
// file that is nothing but the content of a test case; it may be "" for others,
// and takes the place of theirs if it is not. Read reads a file. The error tells
// every problem on a line of its own, with its place.
func Load(name, flowFile string, read func(string) ([]byte, error)) (*Case, error) {
	raw, err := read(name)
	if err != nil {
		return nil, err
	}
	l := &loader{read: read, dir: path.Dir(name), name: name}
	var top yaml.Node
	if err := yaml.Unmarshal(raw, &top); err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	var f file
	if root := mapping(&top); root != nil && member(root, "Observations") != nil {
		f.Test = yaml.Node{Kind: yaml.ScalarNode, Tag: "!!str", Value: path.Base(name)}
		if flowFile == "" {
			return nil, fmt.Errorf("%s: this is the content of a test case alone: say with --flow which flow it tests", name)
		}
	} else {
		d := yaml.NewDecoder(bytes.NewReader(raw))
		d.KnownFields(true)
		if err := d.Decode(&f); err != nil {
			return nil, fmt.Errorf("%s: %w", name, err)
		}
	}
	c := l.load(&f, flowFile)
	slices.SortStableFunc(l.problems, func(a, b error) int { return cmp.Compare(a.Error(), b.Error()) })
	if err := errors.Join(l.problems...); err != nil {
		return nil, err
	}
	return c, nil
}

// loader reads one case and collects what is wrong with it.
type loader struct {
	read      func(string) ([]byte, error)
	dir, name string
	problems  []error
}

func (l *loader) problem(format string, args ...any) {
	l.problems = append(l.problems, fmt.Errorf(format, args...))
}

func (l *loader) load(f *file, flowFile string) *Case {
	c := &Case{Name: cmp.Or(f.Name, l.name), File: l.name, Functions: f.Functions}
	b := &Bundle{
		Flows: map[string]*Source{}, Modules: map[string]*Source{}, Queues: map[string]BundledQueue{},
		Hours: map[string]bool{}, Prompts: map[string]Prompt{},
	}
	c.World = b
	c.Spec = Spec{
		Channel: types.ChannelVoice, Customer: cmp.Or(f.From, anyCustomer), System: cmp.Or(f.To, anySystem), Attributes: f.Attributes,
		InstanceARN: instanceARN, Region: "us-east-1", ContactID: domain.ContactID("00000000-0000-4000-8000-00000000c0de"), Start: defaultStart, Seed: 1,
	}
	switch strings.ToLower(f.Channel) {
	case "", "voice":
	case "chat":
		c.Spec.Channel, c.Spec.Customer, c.Spec.System = types.ChannelChat, "", ""
	default:
		l.problem("%s: channel: say voice or chat, not %q", l.name, f.Channel)
	}
	if f.At != "" {
		at, err := time.Parse(time.RFC3339, f.At)
		if err != nil {
			l.problem("%s: at: say a time such as 2026-01-05T10:00:00Z, not %q", l.name, f.At)
		}
		c.Spec.Start = at.UTC()
	}
	for key, q := range f.Queues {
		b.Queues[key] = BundledQueue(q)
	}
	for key, state := range f.Hours {
		switch strings.ToLower(state) {
		case "open", "closed":
			b.Hours[key] = strings.EqualFold(state, "open")
		default:
			l.problem("%s: hours: say open or closed of %s, not %q", l.name, key, state)
		}
	}
	for key, p := range f.Prompts {
		b.Prompts[key] = l.prompt(p)
	}
	l.sources(f, flowFile, b)
	if main := b.Flows[underTest]; main != nil {
		c.Spec.Flow = b.Ref(underTest)
	}
	l.test(f, c)
	return c
}

// underTest is the key of the flow that is tested, unless others call it by
// their own.
const underTest = "flow"

func (l *loader) sources(f *file, flowFile string, b *Bundle) {
	switch {
	case flowFile != "":
		if s := l.document(flowFile, l.readFile(flowFile), ""); s != nil {
			b.Flows[underTest] = s
		}
	case f.Flow.IsZero():
		l.problem("%s: flow: say which flow is tested", l.name)
	default:
		if s := l.source(&f.Flow, ""); s != nil {
			b.Flows[underTest] = s
		}
	}
	for key, n := range f.Flows {
		if s := l.source(&n, ""); s != nil {
			b.Flows[key] = s
		}
	}
	for key, n := range f.Modules {
		if s := l.source(&n, flow.Module); s != nil {
			b.Modules[key] = s
		}
	}
}

// text is a document as JSON with the place of its content.
type text struct {
	name    string // of the file
	content string
	node    *yaml.Node // where it was YAML
}

// given reads a document: one that stands here, or the file that is named.
func (l *loader) given(n *yaml.Node) *text {
	if n.Kind == yaml.ScalarNode {
		return l.readFile(path.Join(l.dir, n.Value))
	}
	return &text{l.name, string(toJSON(n)), n}
}

// readFile is nil when there is no such file.
func (l *loader) readFile(name string) *text {
	raw, err := l.read(name)
	if err != nil {
		l.problem("%s: %w", l.name, err)
		return nil
	}
	if trimmed := bytes.TrimSpace(raw); len(trimmed) > 0 && trimmed[0] == '{' {
		return &text{name, string(raw), nil}
	}
	var top yaml.Node
	if err := yaml.Unmarshal(raw, &top); err != nil || mapping(&top) == nil {
		l.problem("%s: it is no document in JSON or YAML", name)
		return nil
	}
	return &text{name, string(toJSON(mapping(&top))), mapping(&top)}
}

func (l *loader) source(n *yaml.Node, typ flow.Type) *Source {
	t := l.given(n)
	name := "flow"
	if n.Kind == yaml.ScalarNode {
		name = n.Value
	}
	return l.document(name, t, typ)
}

// document parses a flow or a module.
func (l *loader) document(name string, t *text, typ flow.Type) *Source {
	if t == nil {
		return nil
	}
	doc, problems := flow.Parse(t.content)
	l.refuse(t, problems)
	if doc == nil {
		return nil
	}
	return &Source{Name: strings.TrimSuffix(path.Base(name), path.Ext(name)), Type: cmp.Or(typ, flow.Detect(t.content)), Document: doc}
}

// refuse reports the problems of a document. Those of YAML have no place, for
// they are of what it was made into; their messages tell the path.
func (l *loader) refuse(t *text, problems []flow.Problem) {
	for _, p := range problems {
		if t.node == nil {
			l.problem("%s:%d:%d: %s", t.name, p.Line, p.Column, p.Message)
		} else {
			l.problem("%s: %s", t.name, p.Message)
		}
	}
}

func (l *loader) prompt(p filePrompts) Prompt {
	found := Prompt{Text: p.Text, Length: speech(p.Text)}
	if p.File == "" {
		return found
	}
	found.Name = path.Base(p.File)
	name := path.Join(l.dir, p.File)
	raw, err := l.read(name)
	if err != nil {
		l.problem("%s: %w", l.name, err)
		return found
	}
	wav, err := audio.ParseWAV(bytes.NewReader(raw), int64(len(raw)))
	if err != nil {
		l.problem("%s: %w", name, err)
		return found
	}
	found.Length = wav.Duration()
	return found
}

func (l *loader) test(f *file, c *Case) {
	if f.Test.IsZero() {
		l.problem("%s: test: say what is expected: the content of a test case, or its file", l.name)
		return
	}
	t := l.given(&f.Test)
	if t == nil {
		return
	}
	parsed, problems := Parse(t.content)
	l.refuse(t, problems)
	if parsed == nil {
		return
	}
	c.Spec.Test, c.TestFile = parsed, t.name
	var nodes []*yaml.Node
	if t.node != nil {
		nodes = member(t.node, "Observations").Content
	}
	for i, o := range parsed.Observations {
		line := 1 + strings.Count(t.content[:min(o.Offset, len(t.content))], "\n")
		if t.node != nil {
			line = nodes[i].Line
		}
		c.Lines = append(c.Lines, line)
	}
}

// mapping is the object at the top of a document, nil when there is none.
func mapping(n *yaml.Node) *yaml.Node {
	if n.Kind == yaml.DocumentNode && len(n.Content) == 1 {
		n = n.Content[0]
	}
	if n.Kind != yaml.MappingNode {
		return nil
	}
	return n
}

// member is a member of an object, nil when there is none.
func member(n *yaml.Node, name string) *yaml.Node {
	for i := 0; i+1 < len(n.Content); i += 2 {
		if n.Content[i].Value == name {
			return n.Content[i+1]
		}
	}
	return nil
}

// toJSON writes YAML as JSON. What YAML takes for a time, as it does with the
// version of a document, stays the text that it is.
func toJSON(n *yaml.Node) []byte {
	switch n.Kind {
	case yaml.DocumentNode:
		return toJSON(n.Content[0])
	case yaml.AliasNode:
		return toJSON(n.Alias)
	case yaml.MappingNode:
		var parts [][]byte
		for i := 0; i+1 < len(n.Content); i += 2 {
			parts = append(parts, slices.Concat(quoted(n.Content[i].Value), []byte(":"), toJSON(n.Content[i+1])))
		}
		return slices.Concat([]byte("{"), bytes.Join(parts, []byte(",")), []byte("}"))
	case yaml.SequenceNode:
		var parts [][]byte
		for _, item := range n.Content {
			parts = append(parts, toJSON(item))
		}
		return slices.Concat([]byte("["), bytes.Join(parts, []byte(",")), []byte("]"))
	default:
		switch n.ShortTag() {
		case "!!null":
			return []byte("null")
		case "!!bool", "!!int", "!!float":
			if raw := []byte(strings.ToLower(n.Value)); json.Valid(raw) {
				return raw
			}
		}
		return quoted(n.Value)
	}
}

func quoted(s string) []byte {
	raw, err := json.Marshal(s)
	if err != nil {
		return []byte(`""`) // no string is refused
	}
	return raw
}
