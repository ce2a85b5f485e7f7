package saml

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"strings"

	"github.com/beevik/etree"
	xrv "github.com/mattermost/xml-roundtrip-validator"
)

// Namespaces.
const (
	nsAssertion = "urn:oasis:names:tc:SAML:2.0:assertion"
	nsProtocol  = "urn:oasis:names:tc:SAML:2.0:protocol"
	nsMetadata  = "urn:oasis:names:tc:SAML:2.0:metadata"
	nsSignature = "http://www.w3.org/2000/09/xmldsig#"
	nsExcC14N   = "http://www.w3.org/2001/10/xml-exc-c14n#"
	nsXML       = "http://www.w3.org/XML/1998/namespace"
	nsXSI       = "http://www.w3.org/2001/XMLSchema-instance"
)

// What a document may be made of. The bounds keep the work that a stranger can
// ask for linear: canonicalization carries all prefixes through all elements.
const (
	maxDepth      = 48
	maxAttributes = 64 // of an element
	maxPrefixes   = 64 // different ones in a document
	maxElements   = 2000
)

// parse reads a document that has one meaning only. Comments are tolerated where
// people write them, in metadata.
func parse(b []byte, comments bool) (*etree.Element, error) {
	// encoding/xml accepts documents that mean something else when they are
	// written again (CVE-2020-29509 and its kin).
	if err := xrv.Validate(bytes.NewReader(b)); err != nil {
		return nil, errors.New("it is not XML that can be read in one way only")
	}
	doc := etree.NewDocument()
	doc.ReadSettings = etree.ReadSettings{
		CharsetReader: func(charset string, in io.Reader) (io.Reader, error) {
			switch strings.ToLower(charset) {
			case "utf-8", "us-ascii":
				return in, nil
			}
			return nil, errors.New("unsupported encoding")
		},
		PreserveDuplicateAttrs: true,
		MaxDepth:               maxDepth,
	}
	if err := doc.ReadFromBytes(b); err != nil {
		return nil, errors.New("it is not well-formed XML in UTF-8")
	}
	var root *etree.Element
	for i, t := range doc.Child {
		switch t := t.(type) {
		case *etree.Element:
			if root != nil {
				return nil, errors.New("it has several root elements")
			}
			root = t
		case *etree.ProcInst:
			if i != 0 || t.Target != "xml" {
				return nil, errors.New("it has a processing instruction")
			}
		case *etree.CharData:
			if strings.Trim(t.Data, xmlSpace) != "" {
				return nil, errors.New("it has text outside of its root element")
			}
		case *etree.Comment:
			if !comments {
				return nil, errors.New("it has a comment")
			}
		default:
			return nil, errors.New("it has a document type declaration")
		}
	}
	if root == nil {
		return nil, errors.New("it is empty")
	}
	c := checker{comments: comments, prefixes: map[string]bool{}, ids: map[string]bool{}}
	if err := c.check(root); err != nil {
		return nil, err
	}
	return root, nil
}

// checker looks at each element of a document once.
type checker struct {
	comments bool
	elements int
	prefixes map[string]bool
	ids      map[string]bool
}

func (c *checker) check(el *etree.Element) error {
	// Metadata is the operator's, may list much, and is not canonicalized.
	if c.elements++; c.elements > maxElements && !c.comments {
		return fmt.Errorf("it has more than %d elements", maxElements)
	}
	if el.Tag == "" || strings.Contains(el.Tag, ":") {
		return errors.New("it has an element whose name is none")
	}
	if len(el.Attr) > maxAttributes {
		return fmt.Errorf("an element %s has more than %d attributes", plain(el.Tag), maxAttributes)
	}
	seen := make(map[[2]string]bool, len(el.Attr))
	for _, a := range el.Attr {
		if strings.Contains(a.Key, ":") {
			return fmt.Errorf("an element %s has an attribute whose name is none", plain(el.Tag))
		}
		name := [2]string{a.Space, a.Key}
		if seen[name] {
			return fmt.Errorf("an element %s has an attribute twice", plain(el.Tag))
		}
		seen[name] = true
		if a.Space == "xmlns" || a.Space == "" && a.Key == "xmlns" {
			c.prefixes[a.Key] = true
			if len(c.prefixes) > maxPrefixes {
				return fmt.Errorf("it has more than %d namespace prefixes", maxPrefixes)
			}
			continue
		}
		// Whatever a signature might refer to, whoever might read it.
		if strings.EqualFold(a.Key, "ID") && (a.Space == "" || a.Space == "xml") {
			if c.ids[a.Value] {
				return errors.New("an ID occurs twice in it")
			}
			c.ids[a.Value] = true
		}
	}
	for _, t := range el.Child {
		switch t := t.(type) {
		case *etree.Element:
			if err := c.check(t); err != nil {
				return err
			}
		case *etree.CharData:
		case *etree.Comment:
			// Readers disagree about the text around a comment, and canonical
			// XML leaves it out: a name could be cut in two unnoticed.
			if !c.comments {
				return errors.New("it has a comment")
			}
		case *etree.ProcInst:
			return errors.New("it has a processing instruction")
		default:
			return errors.New("it has a document type declaration")
		}
	}
	return nil
}

// xmlSpace is what XML 1.0 §2.3 calls white space.
const xmlSpace = " \t\r\n"

// is reports whether an element has this name.
func is(el *etree.Element, ns, tag string) bool {
	return el.Tag == tag && el.NamespaceURI() == ns
}

// children are the child elements of this name.
func children(el *etree.Element, ns, tag string) []*etree.Element {
	var found []*etree.Element
	for _, c := range el.ChildElements() {
		if is(c, ns, tag) {
			found = append(found, c)
		}
	}
	return found
}

// optional is the only child element of this name, or nil.
func optional(el *etree.Element, ns, tag string) (*etree.Element, error) {
	switch found := children(el, ns, tag); len(found) {
	case 0:
		return nil, nil
	case 1:
		return found[0], nil
	default:
		return nil, fmt.Errorf("%s has several elements %s", plain(el.Tag), tag)
	}
}

// single is the only child element of this name.
func single(el *etree.Element, ns, tag string) (*etree.Element, error) {
	found, err := optional(el, ns, tag)
	if err == nil && found == nil {
		err = fmt.Errorf("%s has no element %s", plain(el.Tag), tag)
	}
	return found, err
}

// attribute is the value of an attribute without a prefix.
func attribute(el *etree.Element, name string) (string, bool) {
	for _, a := range el.Attr {
		if a.Space == "" && a.Key == name {
			return a.Value, true
		}
	}
	return "", false
}

// text is all the text of an element, without the white space around it; ok is
// false when there are elements in it.
func text(el *etree.Element) (s string, ok bool) {
	var b strings.Builder
	for _, t := range el.Child {
		switch t := t.(type) {
		case *etree.CharData:
			b.WriteString(t.Data)
		case *etree.Element:
			return "", false
		}
	}
	return strings.Trim(b.String(), xmlSpace), true
}

// plain makes a name from outside fit for a message.
func plain(s string) string {
	const most = 200
	if len(s) > most {
		s = strings.ToValidUTF8(s[:most], "") + "…"
	}
	return fmt.Sprintf("%q", s)
}
