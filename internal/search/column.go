package search

const (
	chunkBits = 12
	chunkRows = 1 << chunkBits
)

// column is a sparse array whose unset elements are zero. It grows a chunk at
// a time: no write ever copies more than one chunk, and a chunk of which
// nothing is left costs a slice header.
type column[T uint32 | int64] struct {
	chunks [][]T
}

func (c *column[T]) get(i uint32) T {
	k, o := int(i>>chunkBits), int(i&(chunkRows-1))
	if k >= len(c.chunks) || o >= len(c.chunks[k]) {
		return 0
	}
	return c.chunks[k][o]
}

func (c *column[T]) set(i uint32, v T) {
	k, o := int(i>>chunkBits), int(i&(chunkRows-1))
	for k >= len(c.chunks) {
		c.chunks = append(c.chunks, nil)
	}
	if ch := c.chunks[k]; o >= len(ch) {
		// A chunk doubles so that an index of ten queues stays small.
		size := max(8, len(ch))
		for size <= o {
			size *= 2
		}
		grown := make([]T, size)
		copy(grown, ch)
		c.chunks[k] = grown
	}
	c.chunks[k][o] = v
}

// drop gives back chunk k; its elements are zero from then on.
func (c *column[T]) drop(k int) {
	if k < len(c.chunks) {
		c.chunks[k] = nil
	}
}
