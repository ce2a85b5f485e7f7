package saml_test

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/sha256"
	"reflect"
	"sync"
	"testing"

	"github.com/beevik/etree"

	"ringdown/internal/identity/saml"
)

// theFuzzed has a key that is the same in all processes, as fuzzing has several.
var theFuzzed = sync.OnceValue(func() *signer {
	d := sha256.Sum256([]byte("a key that everybody knows"))
	key, err := ecdsa.ParseRawPrivateKey(elliptic.P256(), d[:])
	if err != nil {
		panic(err)
	}
	return newSigner(key)
})

func fuzzedSigning(o *signing) { o.method, o.value = ecdsaSHA256, twoNumbers }

// originals are good responses, signed in all three ways.
func originals() []string {
	a := sign(envelope(assertion()), "//Assertion", theFuzzed(), fuzzedSigning)
	return []string{
		a,
		sign(envelope(assertion()), "/Response", theFuzzed(), fuzzedSigning),
		sign(a, "/Response", theFuzzed(), fuzzedSigning),
	}
}

// onlyTheOriginal insists that what is accepted is what was signed.
func onlyTheOriginal(t *testing.T, p *saml.Provider, xml []byte) {
	t.Helper()
	got, err := p.Validate(xml, expect())
	if err == nil && !reflect.DeepEqual(got, want()) {
		t.Errorf("accepted %+v\nof %s", got, xml)
	}
}

func FuzzValidate(f *testing.F) {
	for _, o := range originals() {
		f.Add([]byte(o))
		f.Add([]byte(replace(o, ">jane<", "><![CDATA[jane]]><")))
		f.Add([]byte(replace(o, ">jane<", ">ja<!---->ne<")))
		f.Add([]byte(`<?xml version="1.0"?><!DOCTYPE x [<!ENTITY e "v">]>` + o))
	}
	p := provider(f, theFuzzed())
	f.Fuzz(func(t *testing.T, xml []byte) {
		saml.Issuer(xml)
		onlyTheOriginal(t, p, xml)
	})
}

// FuzzRearranged moves, copies, removes and renames the elements of signed
// responses, which bytes changed at random seldom do.
func FuzzRearranged(f *testing.F) {
	f.Add(uint8(0), []byte{0, 9, 3, 1, 4, 2})
	f.Add(uint8(1), []byte{1, 2, 30, 3, 20, 0, 4, 3, 1})
	f.Add(uint8(2), []byte{5, 18, 0, 6, 17, 0, 7, 2, 0, 2, 4, 0})
	p := provider(f, theFuzzed())
	// Signatures differ from one process to the next, and hold in all of them.
	docs := originals()
	f.Fuzz(func(t *testing.T, which uint8, ops []byte) {
		if len(ops) > 60 {
			return
		}
		doc := read(docs[int(which)%len(docs)])
		for ; len(ops) >= 3; ops = ops[3:] {
			rearrange(doc, ops[0], ops[1], ops[2])
		}
		onlyTheOriginal(t, p, []byte(write(doc)))
	})
}

func rearrange(doc *etree.Document, op, a, b byte) {
	all := doc.FindElements("//*")
	if len(all) == 0 {
		return
	}
	one, other := all[int(a)%len(all)], all[int(b)%len(all)]
	within := func(el, above *etree.Element) bool {
		for e := el; e != nil; e = e.Parent() {
			if e == above {
				return true
			}
		}
		return false
	}
	switch op % 8 {
	case 0: // move
		if one != doc.Root() && !within(other, one) {
			other.AddChild(one)
		}
	case 1: // copy
		other.InsertChildAt(0, one.Copy())
	case 2: // remove
		if one != doc.Root() {
			one.Parent().RemoveChild(one)
		}
	case 3: // an evil copy in front of it
		c := one.Copy()
		for _, e := range append(c.FindElements(".//NameID"), c.FindElements(".//AttributeValue")...) {
			e.SetText("admin")
		}
		if c.SelectAttr("ID") != nil && b%2 == 0 {
			c.CreateAttr("ID", "_evil")
		}
		if one != doc.Root() {
			one.Parent().InsertChildAt(one.Index(), c)
		} else {
			c.AddChild(one.Copy())
			doc.SetRoot(c)
		}
	case 4: // another id
		one.CreateAttr("ID", []string{"_a", "_r", "_x"}[b%3])
	case 5: // another name
		one.Tag = other.Tag
	case 6: // another namespace
		one.Space = other.Space
	case 7: // another text
		one.SetText(other.Text())
	}
}

func FuzzMetadata(f *testing.F) {
	f.Add(metadata("", theFuzzed()))
	f.Add(metadata(` validUntil="2026-01-01T00:00:00Z"`, theFuzzed()))
	f.Fuzz(func(t *testing.T, xml []byte) {
		p, err := saml.ParseMetadata(xml)
		if err != nil {
			return
		}
		if p.EntityID() == "" || p.Certificates() == 0 {
			t.Errorf("accepted without a name or a key: %q", xml)
		}
		if _, err := p.Redirect(saml.Request{ID: "x", Now: now}); (err == nil) != p.CanRedirect() {
			t.Errorf("it can redirect: %t, but %v", p.CanRedirect(), err)
		}
	})
}
