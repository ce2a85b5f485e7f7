package domain

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"maps"
	"slices"
	"strings"

	"github.com/aws/aws-sdk-go-v2/service/connect/types"

	"ringdown/internal/fault"
)

// View is a page that flows show to agents and customers, and agents in their
// workspace. Its contents are records of their own (ViewContent), for they are
// large and lists of views do not show them.
type View struct {
	Name        string
	Description string `json:",omitempty"`
	// SavedStatus is SAVED when the content saved last has not been published.
	SavedStatus types.ViewStatus
	// PublishedSHA256 is the checksum of the published content, "" of a view
	// that never was published.
	PublishedSHA256 string `json:",omitempty"`
	// Versions are those that have not been deleted, from the lowest number.
	Versions []ViewVersion `json:",omitempty"`
	// LastVersion is the number of the version made last; numbers are not used
	// again.
	LastVersion int32 `json:",omitempty"`
}

// ViewVersion is a content of a view that never changes.
type ViewVersion struct {
	Number      int32
	Description string `json:",omitempty"`
	SHA256      string
}

// Status is PUBLISHED when flows can show the view, SAVED until then.
func (v *View) Status() types.ViewStatus {
	if v.PublishedSHA256 == "" {
		return types.ViewStatusSaved
	}
	return types.ViewStatusPublished
}

// Version finds a version by its number, nil when there is none.
func (v *View) Version(number int32) *ViewVersion {
	i := slices.IndexFunc(v.Versions, func(w ViewVersion) bool { return w.Number == number })
	if i < 0 {
		return nil
	}
	return &v.Versions[i]
}

// The qualifiers of a view that are no numbers (AWS API reference,
// DescribeView).
const (
	ViewSaved  = "$SAVED"  // what was saved last, published or not
	ViewLatest = "$LATEST" // what was published last
)

// ViewContent is what one qualifier of a view names: a version by its number,
// or an alias.
type ViewContent struct {
	ViewID    ViewID
	Qualifier string
	Template  string   `json:",omitempty"` // JSON
	Actions   []string `json:",omitempty"`
}

// maxViewContent is how many bytes a content may have (AWS API reference,
// CreateView).
const maxViewContent = 400 << 10

// Check is the basic validation that every content must pass: its size, and a
// template that is a JSON object. An InvalidParameterException.
func (c *ViewContent) Check() error {
	size := len(c.Template)
	for _, a := range c.Actions {
		size += len(a)
	}
	if size > maxViewContent {
		return fault.New(fault.InvalidParameter, "Content must have at most %d bytes, it has %d", maxViewContent, size)
	}
	if c.Template == "" {
		return nil
	}
	_, err := c.parse()
	return err
}

// CheckPublished is the full validation that a content must pass to be
// published (AWS admin guide, "Custom views"): the template has a Head with a
// Configuration and a Body of components with ids of their own, and every action
// that a component takes is one of the view's. The service also knows what each
// type of component takes; that is not published (docs/divergences.md). An
// InvalidParameterException.
func (c *ViewContent) CheckPublished() error {
	if c.Template == "" {
		return fault.New(fault.InvalidParameter, "Content.Template is required to publish a view")
	}
	t, err := c.parse()
	if err != nil {
		return err
	}
	head, _ := t["Head"].(map[string]any)
	if _, ok := head["Configuration"].(map[string]any); !ok {
		return fault.New(fault.InvalidParameter, "Content.Template: Head must be an object with the object Configuration")
	}
	body, ok := t["Body"].([]any)
	if !ok {
		return fault.New(fault.InvalidParameter, "Content.Template: Body must be a list of components")
	}
	p := viewCheck{actions: c.Actions, ids: map[string]bool{}}
	return p.components("Body", body)
}

func (c *ViewContent) parse() (map[string]any, error) {
	var t map[string]any
	if err := json.Unmarshal([]byte(c.Template), &t); err != nil || t == nil {
		return nil, fault.New(fault.InvalidParameter, "Content.Template must be a JSON object").Wrap(err)
	}
	return t, nil
}

// viewCheck walks over the components of a template.
type viewCheck struct {
	actions []string
	ids     map[string]bool
}

// components checks a list of components; text between them is allowed.
func (p *viewCheck) components(path string, list []any) error {
	for _, e := range list {
		switch e := e.(type) {
		case string:
		case map[string]any:
			if err := p.component(path, e); err != nil {
				return err
			}
		default:
			return fault.New(fault.InvalidParameter, "Content.Template: %s must hold components and text only", path)
		}
	}
	return nil
}

func (p *viewCheck) component(path string, c map[string]any) error {
	id, _ := c["_id"].(string)
	switch kind, _ := c["Type"].(string); {
	case id == "":
		return fault.New(fault.InvalidParameter, "Content.Template: every component of %s must have an _id", path)
	case p.ids[id]:
		return fault.New(fault.InvalidParameter, "Content.Template: the _id %q is used twice", id)
	case kind == "":
		return fault.New(fault.InvalidParameter, "Content.Template: the component %q must have a Type", id)
	}
	p.ids[id] = true
	if props, has := c["Props"]; has {
		if _, ok := props.(map[string]any); !ok {
			return fault.New(fault.InvalidParameter, "Content.Template: the Props of %q must be an object", id)
		}
		if action := p.unknownAction(props); action != "" {
			return fault.New(fault.InvalidParameter, "Content.Template: the Action %q of %q is not among Content.Actions", action, id)
		}
	}
	content, has := c["Content"]
	if !has {
		return nil
	}
	list, ok := content.([]any)
	if !ok {
		return fault.New(fault.InvalidParameter, "Content.Template: the Content of %q must be a list", id)
	}
	return p.components(id, list)
}

// unknownAction finds an action in the properties of a component, which a group
// of buttons has at some depth, that is not among those of the view.
func (p *viewCheck) unknownAction(props any) string {
	switch props := props.(type) {
	case map[string]any:
		if a, _ := props["Action"].(string); a != "" && inputPath(a) == nil && !slices.Contains(p.actions, a) {
			return a
		}
		for _, name := range slices.Sorted(maps.Keys(props)) {
			if a := p.unknownAction(props[name]); a != "" {
				return a
			}
		}
	case []any:
		for _, e := range props {
			if a := p.unknownAction(e); a != "" {
				return a
			}
		}
	}
	return ""
}

// inputPath is what a text of a template asks of the input: "$.Customer.Name"
// is Customer, Name. Nil for any other text, and for "$.#Name", which names an
// integration.
func inputPath(s string) []string {
	rest, ok := strings.CutPrefix(s, "$.")
	if !ok || rest == "" || rest[0] == '#' {
		return nil
	}
	return strings.Split(rest, ".")
}

// InputSchema is a JSON schema of the input that the template asks for: an
// object with a required property for each value that is a text of the form
// $.Name (AWS admin guide, "Custom views"). What else the service tells of a
// property is not published (docs/divergences.md).
func (c *ViewContent) InputSchema() string {
	root := ViewInput{}
	if t, err := c.parse(); err == nil {
		root.gather(t)
	}
	return root.Schema()
}

// ViewInput is an input of a view: its properties by name, none for a value of
// any type.
type ViewInput map[string]ViewInput

func (n ViewInput) gather(v any) {
	switch v := v.(type) {
	case map[string]any:
		for _, e := range v {
			n.gather(e)
		}
	case []any:
		for _, e := range v {
			n.gather(e)
		}
	case string:
		at := n
		for _, name := range inputPath(v) {
			if at[name] == nil {
				at[name] = ViewInput{}
			}
			at = at[name]
		}
	}
}

// inputSchema is as much of a JSON schema as views need.
type inputSchema struct {
	Schema     string                 `json:"$schema,omitempty"`
	Type       string                 `json:"type,omitempty"`
	Properties map[string]inputSchema `json:"properties,omitempty"`
	Required   []string               `json:"required,omitempty"`
}

func (n ViewInput) schema(optional []string) inputSchema {
	s := inputSchema{Type: "object", Properties: map[string]inputSchema{}}
	for _, name := range slices.Sorted(maps.Keys(n)) {
		s.Properties[name] = inputSchema{}
		if len(n[name]) > 0 {
			s.Properties[name] = n[name].schema(nil)
		}
		if !slices.Contains(optional, name) {
			s.Required = append(s.Required, name)
		}
	}
	return s
}

// Schema is a JSON schema of the input in which the properties are required,
// but for the optional ones.
func (n ViewInput) Schema(optional ...string) string {
	s := n.schema(optional)
	s.Schema = "http://json-schema.org/draft-07/schema#"
	raw, _ := json.Marshal(s) // cannot fail: texts only
	return string(raw)
}

// SHA256 is the checksum of the content in hexadecimal. What the service
// reckons it over is not documented (docs/divergences.md).
func (c *ViewContent) SHA256() string {
	raw, _ := json.Marshal([]any{c.Template, c.Actions}) // cannot fail: texts only
	sum := sha256.Sum256(raw)
	return hex.EncodeToString(sum[:])
}
