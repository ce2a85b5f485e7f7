package call

import (
	"slices"
	"time"
)

// way is how a digit has come.
type way uint8

const (
	bySound   way = iota + 1 // RFC 4733, or a tone
	byMessage                // INFO
)

// sameKey is how long a key that has come one way may take to come the other. No
// source: INFO waits for the answer to the one before.
const sameKey = time.Second

// keys tells presses of keys from their repetition: some far sides tell of each
// both by sound and by message.
type keys struct {
	// told have come one way, and not yet the other.
	told []press
}

type press struct {
	way way
	key string
	at  time.Time
}

// again reports whether a press has been told already.
func (k *keys) again(w way, key string, at time.Time) bool {
	k.told = slices.DeleteFunc(k.told, func(p press) bool { return at.Sub(p.at) > sameKey })
	for i, p := range k.told {
		if p.way != w && p.key == key {
			k.told = slices.Delete(k.told, i, i+1)
			return true
		}
	}
	k.told = append(k.told, press{w, key, at})
	return false
}
