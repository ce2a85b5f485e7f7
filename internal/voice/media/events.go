package media

import (
	"slices"
	"sync"
)

// maxEvents is how many digits may wait to be told. A far side that presses more
// while nobody listens does so in vain.
const maxEvents = 256

// teller tells the events of a session one after the other, on a goroutine that
// lives as long as there is something to tell: whoever has an event to tell never
// waits for whoever hears it.
type teller struct {
	hear func(Event)
	wg   *sync.WaitGroup // the engine's, which is not waited for before close

	mu      sync.Mutex
	queue   []Event
	telling bool
	closed  bool
}

func (t *teller) tell(e Event) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.closed || t.hear == nil || e.Kind == Digit && len(t.queue) >= maxEvents {
		return
	}
	t.queue = append(t.queue, e)
	if !t.telling {
		t.telling = true
		t.wg.Go(t.run)
	}
}

func (t *teller) run() {
	for {
		t.mu.Lock()
		if len(t.queue) == 0 {
			t.telling = false
			t.mu.Unlock()
			return
		}
		e := t.queue[0]
		t.queue = t.queue[1:]
		t.mu.Unlock()
		t.hear(e)
	}
}

// forget takes back what has been said of plays and was not heard yet.
func (t *teller) forget() {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.queue = slices.DeleteFunc(t.queue, func(e Event) bool { return e.Kind == Played })
}

func (t *teller) close() {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.closed, t.queue = true, nil
}
