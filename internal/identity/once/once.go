// Package once has things work a single time, on all servers of a database:
// assertions, tokens, codes, the states of attempts, links.
//
// There are two ways. What says itself that it is genuine, because somebody has
// signed or sealed it, is not known here before it comes back: Use leaves a mark.
// What is nothing but a secret is put down when it is given out, with Give, and is
// gone with Take.
//
// The names under which things are kept, and what is kept, outlive a release: an
// assertion that was used before an upgrade must not work after it.
package once

import (
	"context"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"slices"
	"time"

	"ringdown/internal/store"
)

// Kind is a sort of things. Those of one kind are told apart by their ids.
type Kind struct {
	prefix string
	text   func([]byte) string
}

// The kinds.
var (
	// Assertion is one of a SAML provider's; its id is Name(issuer, ID).
	Assertion = Kind{"saml assertion ", hex.EncodeToString}
	// Token is a code, a token or the state of an attempt that this server has
	// sealed; its id is a random one in it.
	Token = Kind{"signin/used/", base64.RawURLEncoding.EncodeToString}
	// Link is one by which a password is chosen; its id is its code.
	Link = Kind{"signin/reset/", base64.RawURLEncoding.EncodeToString}
)

// Name is the id of a thing that somebody else has named.
func Name(by, id string) string { return by + "\x00" + id }

// key is where a thing is kept. Ids may be secrets: the store has their hashes.
func (k Kind) key(id string) string {
	sum := sha256.Sum256([]byte(id))
	return k.prefix + k.text(sum[:])
}

// Thing is what works once.
type Thing struct {
	Kind Kind
	ID   string
	// Expires is when it is void by itself, on every server: what is kept of it is
	// kept until then.
	Expires time.Time
	Owner   store.PK // with which it is forgotten; Root for none
}

// Book remembers things in a store. It is safe for concurrent use.
type Book struct{ store store.Store }

// New returns a Book that writes to s.
func New(s store.Store) *Book { return &Book{s} }

// uses is what a thing has been used for. No mark's content at all is a use as a
// whole too. The members are called as the first things had it whose parts were
// used: assertions, on a page as a whole and for roles one by one.
type uses struct {
	Whole bool     `json:"page,omitempty"`
	Parts []string `json:"roles,omitempty"`
}

// Use reports whether a thing is used for the first time, and marks it as used:
// as a whole, or a part of it when part is not empty. Each part can be used once.
// After a use as a whole nothing of a thing can be used, and after that of a part
// not the whole.
func (b *Book) Use(ctx context.Context, t Thing, part string) (first bool, err error) {
	key := t.Kind.key(t.ID)
	err = b.store.Update(ctx, func(tx store.Tx) error {
		first = false
		memo, err := tx.Recall(ctx, key)
		if err != nil {
			return err
		}
		var u uses
		switch {
		case memo == nil:
		case len(memo.Answer) == 0:
			u.Whole = true
		default:
			if err := json.Unmarshal(memo.Answer, &u); err != nil {
				return fmt.Errorf("what a thing was used for: %w", err)
			}
		}
		if u.Whole || part == "" && len(u.Parts) > 0 || slices.Contains(u.Parts, part) {
			return nil
		}
		if u.Whole = part == ""; !u.Whole {
			u.Parts = append(u.Parts, part)
		}
		answer, err := json.Marshal(u)
		if err != nil {
			return err
		}
		first = true
		return tx.Remember(ctx, key, store.Memo{Answer: answer, Expires: t.Expires, Owner: t.Owner})
	})
	if err != nil {
		return false, fmt.Errorf("use up: %w", err)
	}
	return first, nil
}

// Give puts a thing down that is given out, with what it stands for.
func (b *Book) Give(ctx context.Context, t Thing, what any) error {
	raw, err := json.Marshal(what)
	if err == nil {
		err = b.store.Update(ctx, func(tx store.Tx) error {
			return tx.Remember(ctx, t.Kind.key(t.ID), store.Memo{Answer: raw, Expires: t.Expires, Owner: t.Owner})
		})
	}
	if err != nil {
		return fmt.Errorf("give out: %w", err)
	}
	return nil
}

// Look reads what a thing that was given out stands for, and reports whether it
// can still be taken.
func (b *Book) Look(ctx context.Context, k Kind, id string, what any) (bool, error) {
	memo, err := b.store.Recall(ctx, k.key(id))
	if err != nil || memo == nil {
		return false, err
	}
	if err := json.Unmarshal(memo.Answer, what); err != nil {
		return false, fmt.Errorf("what was given out: %w", err)
	}
	return true, nil
}

// Take takes a thing that was given out, and reports whether it was still there:
// of many that take it one does.
func (b *Book) Take(ctx context.Context, k Kind, id string) (mine bool, err error) {
	err = b.store.Update(ctx, func(tx store.Tx) (err error) {
		mine, err = tx.Forget(ctx, k.key(id))
		return err
	})
	if err != nil {
		return false, fmt.Errorf("take: %w", err)
	}
	return mine, nil
}
