package contact

import (
	"context"
	"encoding/json"
	"fmt"
	"sync"

	"ringdown/internal/domain"
	"ringdown/internal/fault"
	"ringdown/internal/store"
)

// chain is what the contacts of a chain share: the user-defined attributes.
type chain struct {
	initial domain.ContactID
	users   int // contacts in memory that hold it, under Manager.mu

	mu sync.Mutex // held by a transition until it is stored
	// attributes are never changed in place: whoever reads them under mu may keep
	// them. Nil until they are read from the store.
	attributes map[string]string
}

// join finds or makes the chain that a contact in memory belongs to.
func (m *Manager) join(initial domain.ContactID) *chain {
	m.mu.Lock()
	defer m.mu.Unlock()
	c := m.chains[initial]
	if c == nil {
		c = &chain{initial: initial}
		m.chains[initial] = c
	}
	c.users++
	return c
}

// release lets go of what load took.
func (m *Manager) release(l *live) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if l.chain.users--; l.chain.users == 0 {
		delete(m.chains, l.chain.initial)
	}
}

// read fills the attributes at first need, under mu.
func (c *chain) read(ctx context.Context, rd store.Reader, in Instance) error {
	if c.attributes != nil {
		return nil
	}
	a, err := readAttributes(ctx, rd, in, c.initial)
	if err != nil {
		return err
	}
	c.attributes = a
	return nil
}

func readAttributes(ctx context.Context, rd store.Reader, in Instance, initial domain.ContactID) (map[string]string, error) {
	raw, err := rd.Attributes(ctx, in.PK, string(initial))
	if err != nil {
		return nil, err
	}
	a := map[string]string{}
	if raw == nil {
		return a, nil
	}
	if err := json.Unmarshal(raw, &a); err != nil {
		return nil, fmt.Errorf("attributes of contact %s: %w", initial, err)
	}
	return a, nil
}

// merge sets some attributes and leaves the others. It is all or nothing.
func merge(old, set map[string]string, fromFlow bool) (map[string]string, error) {
	all := make(map[string]string, len(old)+len(set))
	for k, v := range old {
		all[k] = v
	}
	for k, v := range set {
		all[k] = v
	}
	if err := domain.CheckAttributes(set, fromFlow); err != nil {
		return nil, err
	}
	size := 0
	for k, v := range all {
		size += len(k) + len(v)
	}
	if size > domain.MaxAttributes {
		return nil, fault.New(fault.InvalidRequest, "Attributes of a contact have at most %d bytes with their keys, they would have %d", domain.MaxAttributes, size)
	}
	return all, nil
}
