// Package queue knows who waits where, in memory: for the capacity of queues,
// their metrics, and the places of contacts in them. What it knows follows from
// the contacts that are stored, so it is filled anew at each start.
package queue

import (
	"cmp"
	"slices"
	"sync"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/connect/types"

	"ringdown/internal/domain"
	"ringdown/internal/store"
)

// Key names a queue of an instance.
type Key struct {
	Instance store.PK
	Queue    domain.QueueID
}

// Place is what decides when a contact is served.
type Place struct {
	ID       domain.ContactID
	Channel  types.Channel
	Enqueued time.Time
	Priority int64
	Adjusted time.Time // Enqueued, moved by the time adjustment
}

// Index holds all queues. The zero Index is empty. It is safe for concurrent use.
type Index struct {
	mu   sync.Mutex
	line map[Key]map[domain.ContactID]Place
}

// Enter adds a contact, or changes its place, unless the queue holds as many as
// it may: most, nil for any number.
func (x *Index) Enter(key Key, p Place, most *int32) bool {
	x.mu.Lock()
	defer x.mu.Unlock()
	if x.line == nil {
		x.line = map[Key]map[domain.ContactID]Place{}
	}
	at := x.line[key]
	if most != nil && len(at) >= int(*most) {
		return false
	}
	if at == nil {
		at = map[domain.ContactID]Place{}
		x.line[key] = at
	}
	at[p.ID] = p
	return true
}

// Leave takes a contact out.
func (x *Index) Leave(key Key, id domain.ContactID) {
	x.mu.Lock()
	defer x.mu.Unlock()
	if delete(x.line[key], id); len(x.line[key]) == 0 {
		delete(x.line, key)
	}
}

// Count is how many wait in a queue.
func (x *Index) Count(key Key) int {
	x.mu.Lock()
	defer x.mu.Unlock()
	return len(x.line[key])
}

// Waiting are those of a queue, of a channel unless it is "", in the order in
// which they are served: priority, then age (administrator guide, "How routing
// works").
func (x *Index) Waiting(key Key, channel types.Channel) []Place {
	x.mu.Lock()
	defer x.mu.Unlock()
	var all []Place
	for _, p := range x.line[key] {
		if channel == "" || p.Channel == channel {
			all = append(all, p)
		}
	}
	slices.SortFunc(all, func(a, b Place) int {
		return cmp.Or(cmp.Compare(a.Priority, b.Priority), a.Adjusted.Compare(b.Adjusted), cmp.Compare(a.ID, b.ID))
	})
	return all
}

// Oldest is how long the one has waited that has waited longest.
func Oldest(line []Place, at time.Time) time.Duration {
	var age time.Duration
	for _, p := range line {
		age = max(age, at.Sub(p.Enqueued))
	}
	return age
}
