package phone

import (
	"sync"
	"time"
)

// What happens in a call.
const (
	Ringing  = "ringing"  // there, or here
	Early    = "early"    // there is sound before the answer
	Answered = "answered" //
	Sound    = "sound"    // something is heard
	Silence  = "silence"  // nothing has been heard for a while; At is when it ended
	Pressed  = "pressed"  // Text are the keys that were pressed here
	Key      = "key"      // Text is the key that was pressed there
	Spoken   = "spoken"   // a clip of Speak is over
	Held     = "held"     // the far side does not listen
	Resumed  = "resumed"  // it does again
	NoSound  = "no sound" // nothing at all has arrived for long, not even silence
	Ended    = "ended"    // Text is the reason
)

// Event is a step of a call's life.
type Event struct {
	At   time.Time
	What string // see the constants
	Text string // the key, the reason
}

// queue holds events until they are taken, however many: a call does not wait for
// who watches it.
type queue struct {
	once sync.Once // of the goroutine that hands them out
	out  chan Event

	mu    sync.Mutex
	more  *sync.Cond
	all   []Event
	ended bool
}

func newQueue() *queue {
	q := &queue{out: make(chan Event)}
	q.more = sync.NewCond(&q.mu)
	return q
}

func (q *queue) add(e Event) {
	q.mu.Lock()
	defer q.mu.Unlock()
	if !q.ended {
		q.all = append(q.all, e)
		q.more.Signal()
	}
}

// end says that there will be no more.
func (q *queue) end() {
	q.mu.Lock()
	defer q.mu.Unlock()
	q.ended = true
	q.more.Signal()
}

// hand hands the events out, until all are or stop is closed.
func (q *queue) hand(stop <-chan struct{}) {
	defer close(q.out)
	for {
		q.mu.Lock()
		for len(q.all) == 0 && !q.ended {
			q.more.Wait()
		}
		all := q.all
		q.all = nil
		q.mu.Unlock()
		if all == nil {
			return
		}
		for _, e := range all {
			select {
			case q.out <- e:
			case <-stop:
				return
			}
		}
	}
}

// Events are told in order; the channel is closed when the call has ended, or the
// phone is closed. However late the first reader comes, nothing is lost.
func (c *Call) Events() <-chan Event {
	c.events.once.Do(func() {
		if !c.phone.start(func() { c.events.hand(c.phone.closed) }) {
			close(c.events.out)
		}
	})
	return c.events.out
}

// tell adds an event to the call's life, now unless it says when.
func (c *Call) tell(e Event) {
	if e.At.IsZero() {
		e.At = c.phone.o.Now()
	}
	c.events.add(e)
}
