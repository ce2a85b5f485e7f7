package queue_test

import (
	"testing"
	"time"

	"github.com/aws/aws-sdk-go-v2/service/connect/types"

	"ringdown/internal/contact/queue"
	"ringdown/internal/domain"
)

func TestOrder(t *testing.T) {
	t.Parallel()
	var x queue.Index
	key, other := queue.Key{Instance: 1, Queue: "q"}, queue.Key{Instance: 2, Queue: "q"}
	now := time.Date(2026, 1, 1, 12, 0, 0, 0, time.UTC)
	place := func(id domain.ContactID, channel types.Channel, priority int64, waited, adjusted time.Duration) queue.Place {
		at := now.Add(-waited)
		return queue.Place{ID: id, Channel: channel, Enqueued: at, Priority: priority, Adjusted: at.Add(-adjusted)}
	}
	for _, p := range []queue.Place{
		place("late", types.ChannelTask, 5, time.Minute, 0),
		place("early", types.ChannelTask, 5, time.Hour, 0),
		place("moved up", types.ChannelChat, 5, 2*time.Minute, 2*time.Hour),
		place("important", types.ChannelVoice, 1, time.Second, 0),
	} {
		if !x.Enter(key, p, nil) {
			t.Fatalf("%s cannot enter", p.ID)
		}
	}
	x.Enter(other, place("elsewhere", types.ChannelTask, 1, 0, 0), nil)
	order := func(channel types.Channel) string {
		s := ""
		for _, p := range x.Waiting(key, channel) {
			s += string(p.ID) + ", "
		}
		return s
	}
	if got, want := order(""), "important, moved up, early, late, "; got != want {
		t.Errorf("served in the order %s; want %s", got, want)
	}
	if got, want := order(types.ChannelTask), "early, late, "; got != want {
		t.Errorf("tasks are served in the order %s; want %s", got, want)
	}
	if got := queue.Oldest(x.Waiting(key, ""), now); got != time.Hour {
		t.Errorf("the oldest has waited %v", got)
	}
	four := int32(4)
	if x.Enter(key, place("fifth", types.ChannelTask, 5, 0, 0), &four) {
		t.Error("a fifth contact enters a queue of four")
	}
	x.Leave(key, "early")
	x.Leave(key, "early")
	if x.Count(key) != 3 || !x.Enter(key, place("fifth", types.ChannelTask, 5, 0, 0), &four) {
		t.Error("there is no room after one has left")
	}
	if n := queue.Metric("NumberOfContactsInQueue", x.Waiting(key, ""), queue.Staffing{}, now); n != 4 {
		t.Errorf("the metric counts %d", n)
	}
}
