package contact

import (
	"time"

	"ringdown/internal/domain"
	"ringdown/internal/flow/machine"
	"ringdown/internal/store"
)

// Waiting is what a live contact waits for, for people who ask why nothing
// happens.
type Waiting struct {
	// Flow is the one that waits, zero when none does; Action is its action.
	Flow   machine.Ref
	Action string
	// For tells in a few words what must happen.
	For string
	// Since is when it began to wait; Until when it stops by itself, zero for
	// never. UTC.
	Since, Until time.Time
}

// WaitingFor tells what a stored contact waits for: first what its flows do,
// then what holds up the contact itself. Row has its State. A contact that has
// ended waits for nothing.
func WaitingFor(row *store.Contact) ([]Waiting, error) {
	c, err := decode(row)
	if err != nil {
		return nil, err
	}
	if c.Ended() || row.State == nil {
		return nil, nil
	}
	st, err := decodeState(row)
	if err != nil {
		return nil, err
	}
	var all []Waiting
	for _, s := range []side{customer, agent} {
		if th := st.Threads[s]; th != nil && th.Run != nil && th.Run.End == nil {
			all = append(all, flowWaiting(th.Run))
		}
	}
	return append(all, contactWaiting(c, st)...), nil
}

// flowWaiting is what a flow waits for.
func flowWaiting(run *machine.Run) Waiting {
	top := run.Top()
	waiting := Waiting{Flow: top.Flow, Action: top.Action, For: "its beginning"}
	w := run.Wait
	if w == nil {
		return waiting
	}
	waiting.Since, waiting.Until = w.Began, w.Due
	switch {
	case w.Request != nil && w.Request.Lambda != nil:
		waiting.For = "the answer of the function " + w.Request.Lambda.Function
	case w.Request != nil && w.Request.ThirdParty != nil:
		waiting.For = "the third party " + w.Request.ThirdParty.Number
	case w.Request != nil:
		waiting.For = "an answer"
	case w.Talking:
		waiting.For = "the end of what is said"
	case !w.Due.IsZero():
		waiting.For = "the customer, or the time"
	default:
		waiting.For = "something to happen"
	}
	return waiting
}

// contactWaiting is what a contact waits for whatever its flows do.
func contactWaiting(c *domain.Contact, st *state) (all []Waiting) {
	switch {
	case st.Dial != nil && c.ConnectedAt.IsZero():
		all = append(all, Waiting{For: "an answer of " + st.Dial.To, Since: c.InitiatedAt})
	case st.Callback != nil && !st.Callback.NextAt.IsZero():
		all = append(all, Waiting{For: "the time of its callback", Since: c.InitiatedAt, Until: st.Callback.NextAt})
	case st.Flow != nil && !c.ScheduledAt.IsZero():
		all = append(all, Waiting{For: "its time", Since: c.InitiatedAt, Until: c.ScheduledAt})
	}
	if q := c.Queue; q != nil && c.DequeuedAt.IsZero() {
		all = append(all, Waiting{For: "an agent, in the queue " + q.Name, Since: c.EnqueuedAt})
	}
	if st.Paused {
		all = append(all, Waiting{For: "somebody to resume it", Since: c.PausedAt})
	}
	return all
}
