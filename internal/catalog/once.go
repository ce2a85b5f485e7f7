package catalog

import (
	"context"
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"time"

	"ringdown/internal/fault"
	"ringdown/internal/store"
)

// tokenLife is how long a client token is remembered (AWS API reference,
// ClientToken of StartOutboundVoiceContact: valid for 7 days).
const tokenLife = 7 * 24 * time.Hour

// Once runs create in a transaction, unless an earlier request to the same
// operation in the same scope carried the same client token: then that one's
// answer is returned again. The same token with other input is an
// IdempotencyException. A nil or empty token always runs create. Answers are
// forgotten when their instance is deleted.
func Once[In, Out any](ctx context.Context, c *Catalog, sc Scope, operation string, token *string, input *In, create func(tx store.Tx) (*Out, error)) (*Out, error) {
	return OnceFor(ctx, c, sc, operation, token, input, func(tx store.Tx) (*Out, store.PK, error) {
		out, err := create(tx)
		return out, sc.PK, err
	})
}

// OnceFor is Once for what creates an instance: create also returns the key of
// the record with which the answer is forgotten.
func OnceFor[In, Out any](ctx context.Context, c *Catalog, sc Scope, operation string, token *string, input *In, create func(tx store.Tx) (*Out, store.PK, error)) (*Out, error) {
	var out *Out
	err := c.store.Update(ctx, func(tx store.Tx) error {
		var err error
		if token == nil || *token == "" {
			out, _, err = create(tx)
			return err
		}
		fingerprint, err := json.Marshal(input)
		if err != nil {
			return fmt.Errorf("%s: %w", operation, err)
		}
		sum := sha256.Sum256(fingerprint)
		key := fmt.Sprintf("%s/%d/%s/%s", operation, sc.PK, sc.Region, *token)
		memo, err := tx.Recall(ctx, key)
		if err != nil {
			return err
		}
		if memo != nil {
			if string(memo.Fingerprint) != string(sum[:]) {
				return fault.New(fault.Idempotency, "ClientToken was used before with other parameters.")
			}
			out = new(Out)
			return json.Unmarshal(memo.Answer, out)
		}
		var owner store.PK
		if out, owner, err = create(tx); err != nil {
			return err
		}
		answer, err := json.Marshal(out)
		if err != nil {
			return fmt.Errorf("%s: %w", operation, err)
		}
		return tx.Remember(ctx, key, store.Memo{Fingerprint: sum[:], Answer: answer, Expires: c.Now().Add(tokenLife), Owner: owner})
	})
	if err != nil {
		return nil, err
	}
	return out, nil
}
