package contact_test

import (
	"fmt"
	"runtime"
	"sync/atomic"
	"testing"

	"github.com/aws/aws-sdk-go-v2/service/connect/types"

	"ringdown/internal/contact"
	"ringdown/internal/domain"
	"ringdown/internal/store"
)

// BenchmarkContact is the whole life of a task through a flow of twenty actions,
// by 16 clients at once, stored and with its events and record.
func BenchmarkContact(b *testing.B) {
	w := newWorld(b)
	var actions []string
	for i := range 19 {
		actions = append(actions, fmt.Sprintf(`a%d|UpdateContactAttributes|{"TargetContact":"Current","Attributes":{"k%d":"$.ContactId"}}|a%d|"Errors":[{"ErrorType":"NoMatchingError","NextAction":"a19"}]`, i, i, i+1))
	}
	w.config.flow(b, "f", "CONTACT_FLOW", append(actions, `a19|DisconnectParticipant|||`)...)
	flow := flowOf(w, "f")
	b.ReportAllocs()
	b.SetParallelism(16)
	b.RunParallel(func(p *testing.PB) {
		for p.Next() {
			birth := w.m.New(contact.Spec{Instance: w.in, Contact: domain.Contact{Channel: types.ChannelTask, Method: types.ContactInitiationMethodApi}, Flow: flow})
			if err := w.store.Update(b.Context(), func(tx store.Tx) error { return birth.Insert(b.Context(), tx) }); err != nil {
				b.Error(err)
				return
			}
			birth.Begin()
		}
	})
	wait(b, "all have ended", func() bool { return w.m.Live() == 0 })
}

// BenchmarkLive is the memory of a contact that lives: a task that waits in a
// queue with its flow.
func BenchmarkLive(b *testing.B) {
	w := newWorld(b)
	w.options.Lambda = lambdas{&atomic.Int32{}}
	w.restart(b)
	configure(b, w)
	const many = 500
	ids := make([]domain.ContactID, many)
	waiting := func() int64 {
		before := heap()
		for i := range ids {
			ids[i] = w.start(b, taskOf("queue", nil)(w))
		}
		for _, id := range ids {
			wait(b, "it waits", func() bool { return w.waits(b, id, "default CUSTOMER_QUEUE") })
		}
		after := heap()
		for _, id := range ids {
			if err := w.m.Stop(b.Context(), w.in, string(id), ""); err != nil {
				b.Fatal(err)
			}
		}
		wait(b, "all have ended", func() bool { return w.m.Live() == 0 })
		return after - before
	}
	waiting() // fills the caches of the store
	for b.Loop() {
		b.ReportMetric(float64(waiting())/many, "bytes/contact")
	}
}

func heap() int64 {
	runtime.GC()
	runtime.GC()
	var s runtime.MemStats
	runtime.ReadMemStats(&s)
	return int64(s.HeapAlloc + s.StackInuse)
}
