package sqlstore

import "ringdown/internal/store"

// commit is what was made durable at once: changes in their order, and
// what to do when the observer has seen them.
type commit struct {
	changes []store.Change
	seen    func()
}

// notifier calls the observer, one commit after the other, on a goroutine of
// its own, so that the writer can go on with the next group meanwhile.
type notifier struct {
	observer store.Observer
	commits  chan commit
	ended    chan struct{}
}

func startNotifier(observer store.Observer) *notifier {
	n := &notifier{
		observer: observer,
		// Some room, so that a slow observer does not hold up the next commit;
		// not much, because it has to catch up some time.
		commits: make(chan commit, 16),
		ended:   make(chan struct{}),
	}
	go n.run()
	return n
}

func (n *notifier) run() {
	defer close(n.ended)
	for c := range n.commits {
		if n.observer != nil && len(c.changes) > 0 {
			n.observer(c.changes)
		}
		if c.seen != nil {
			c.seen()
		}
	}
}

// close ends the notifier once all that was sent to it has been seen.
func (n *notifier) close() {
	close(n.commits)
	<-n.ended
}
