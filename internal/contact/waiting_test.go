package contact_test

import (
	"slices"
	"testing"

	"ringdown/internal/contact"
)

// TestWaitingFlowEndsOnce: the flow of a queue that has ended, as the default one
// does for tasks, which hear nothing, does not begin again when the server does.
func TestWaitingFlowEndsOnce(t *testing.T) {
	w := newWorld(t)
	w.config.queue("sales", nil)
	w.config.flow(t, "task", "CONTACT_FLOW",
		`choose|UpdateContactTargetQueue|{"QueueId":"sales"}|move|"Errors":[{"NextAction":"end","ErrorType":"NoMatchingError"}]`,
		`move|TransferContactToQueue|{}|end|"Errors":[{"NextAction":"end","ErrorType":"QueueAtCapacity"},{"NextAction":"end","ErrorType":"NoMatchingError"}]`,
		`end|DisconnectParticipant|||`)
	w.config.flow(t, "default CUSTOMER_QUEUE", "CUSTOMER_QUEUE", `over|EndFlowExecution|||`)
	id := w.task(t, "task")
	w.until(t, id, "in the queue", queued)
	touch := func() { // comes after whatever the owner had to do
		if err := w.m.Do(t.Context(), w.in, string(id), func(*contact.Transition) error { return nil }); err != nil {
			t.Fatal(err)
		}
	}
	touch()
	before := w.path(t, id)
	if len(before) != 3 {
		t.Fatalf("the flows have gone %q", before)
	}
	for range 2 {
		w.restart(t)
		touch()
		if now := w.path(t, id); !slices.Equal(now, before) {
			t.Errorf("after a restart the flows have gone %q", now)
		}
	}
}
