package server

import (
	"context"
	"os"

	"ringdown/internal/store"
	"ringdown/internal/voice/sip"
)

// telephones keep what has registered here as memos of the store: a sip.Memory.
// Servers that share a database have different telephones: each keeps its own under the
// name of its machine.
type telephones struct {
	store   store.Store
	machine string
}

func newTelephones(c *Config) *telephones {
	t := &telephones{}
	if c.Database != "" {
		t.machine, _ = os.Hostname() // without a name they have one memory
	}
	return t
}

func (t *telephones) key(name string) string { return "sip/" + t.machine + "/" + name }

// Recall implements sip.Memory.
func (t *telephones) Recall(ctx context.Context, name string) ([]byte, error) {
	memo, err := t.store.Recall(ctx, t.key(name))
	if err != nil || memo == nil {
		return nil, err
	}
	return memo.Answer, nil
}

// Remember implements sip.Memory.
func (t *telephones) Remember(ctx context.Context, notes []sip.Note) error {
	return t.store.Update(ctx, func(tx store.Tx) error {
		for _, n := range notes {
			var err error
			if n.Value == nil {
				_, err = tx.Forget(ctx, t.key(n.Name))
			} else {
				err = tx.Remember(ctx, t.key(n.Name), store.Memo{Answer: n.Value, Expires: n.Until})
			}
			if err != nil {
				return err
			}
		}
		return nil
	})
}
