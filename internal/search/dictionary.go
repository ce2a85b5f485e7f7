package search

import (
	"encoding/binary"
	"hash/maphash"
	"math/bits"
	"strings"
)

const (
	// pageSize is the room of a page of values. A longer value gets a page of
	// its own.
	pageSize = 1 << pageBits
	pageBits = 16

	// firstSpare is the first number of values that are not numbered after
	// a row. Rows stay below it.
	firstSpare = 1 << 30
)

// hashSeed is one for the process: nothing that is hashed with it outlives it.
var hashSeed = maphash.MakeSeed()

// dictionary holds the distinct values of a field, each under a number that
// its user chooses. Values live end to end in pages, without a pointer for the
// garbage collector to follow; a page of which half is garbage is emptied into
// the current one, so that garbage never exceeds the values by much and no
// write moves more than a page.
//
// It holds up to 65,535 pages, 4 GiB, which is far more than the memory that
// postings would need beside it.
type dictionary struct {
	pages   []page
	free    []int // pages that hold nothing
	current int

	at      column[uint32]    // number below firstSpare → position + 1, 0 when absent
	atSpare map[uint32]uint32 // the same for the others

	byHash map[uint32]uint32 // hash → number of one value that has it
	clash  map[string]uint32 // the other values with the same hash
}

type page struct {
	data []byte
	dead int // bytes of removed records
}

func newDictionary() *dictionary {
	return &dictionary{
		pages:  make([]page, 1),
		byHash: map[uint32]uint32{},
	}
}

func hash(value string) uint32 { return uint32(maphash.String(hashSeed, value)) }

// find returns the number of value.
func (d *dictionary) find(value string) (uint32, bool) {
	v, ok := d.byHash[hash(value)]
	if ok && string(d.value(v)) == value {
		return v, true
	}
	// A removed value leaves its hash to nobody, so clash counts even where
	// byHash knows nothing.
	v, ok = d.clash[value]
	return v, ok
}

// position returns where the record of v is, plus one; 0 when v is free.
func (d *dictionary) position(v uint32) uint32 {
	if v >= firstSpare {
		return d.atSpare[v]
	}
	return d.at.get(v)
}

func (d *dictionary) setPosition(v, p uint32) {
	switch {
	case v < firstSpare:
		d.at.set(v, p)
	case p == 0:
		delete(d.atSpare, v)
	default:
		if d.atSpare == nil {
			d.atSpare = map[uint32]uint32{}
		}
		d.atSpare[v] = p
	}
}

// A record is the value's number (4 bytes), its length (a uvarint) and its
// bytes. record returns the first one of data and its size.
func record(data []byte) (v uint32, value []byte, size int) {
	n, w := uint64(data[4]), 1
	if n >= 0x80 {
		n, w = binary.Uvarint(data[4:])
	}
	size = 4 + w + int(n)
	return binary.LittleEndian.Uint32(data), data[4+w : size], size
}

// recordSize is the size of the record of a value with n bytes.
func recordSize(n int) int { return 4 + (bits.Len(uint(n|1))+6)/7 + n }

// value returns the value numbered v, which exists. It is valid until the next
// write.
func (d *dictionary) value(v uint32) []byte {
	p := d.position(v) - 1
	_, value, _ := record(d.pages[p>>pageBits].data[p&(pageSize-1):])
	return value
}

// insert adds a value that is absent under a number that is free.
func (d *dictionary) insert(v uint32, value string) {
	d.setPosition(v, d.write(v, value)+1)
	h := hash(value)
	if _, taken := d.byHash[h]; taken {
		if d.clash == nil {
			d.clash = map[string]uint32{}
		}
		d.clash[strings.Clone(value)] = v
		return
	}
	d.byHash[h] = v
}

// write appends a record and returns its position.
func (d *dictionary) write(v uint32, value string) uint32 {
	need := recordSize(len(value))
	k := d.current
	if used := len(d.pages[k].data); used > 0 && used+need > pageSize {
		k = d.emptyPage()
		if need <= pageSize {
			d.current = k
		}
	}
	pg := &d.pages[k]
	pos := uint32(k)<<pageBits | uint32(len(pg.data))
	pg.data = binary.LittleEndian.AppendUint32(pg.data, v)
	pg.data = binary.AppendUvarint(pg.data, uint64(len(value)))
	pg.data = append(pg.data, value...)
	return pos
}

func (d *dictionary) emptyPage() int {
	if n := len(d.free); n > 0 {
		k := d.free[n-1]
		d.free = d.free[:n-1]
		return k
	}
	d.pages = append(d.pages, page{data: make([]byte, 0, pageSize)})
	return len(d.pages) - 1
}

// remove frees v, which exists.
func (d *dictionary) remove(v uint32) {
	value := d.value(v)
	if _, ok := d.clash[string(value)]; ok {
		delete(d.clash, string(value))
	} else {
		delete(d.byHash, uint32(maphash.Bytes(hashSeed, value)))
	}
	k := int((d.position(v) - 1) >> pageBits)
	d.setPosition(v, 0)
	pg := &d.pages[k]
	pg.dead += recordSize(len(value))
	switch {
	case pg.dead == len(pg.data):
		d.release(k)
	case k != d.current && pg.dead > len(pg.data)/2:
		d.evacuate(k)
	}
}

// evacuate moves what lives in page k to the current page.
func (d *dictionary) evacuate(k int) {
	data := d.pages[k].data
	for o := 0; o < len(data); {
		v, value, size := record(data[o:])
		if d.position(v) == (uint32(k)<<pageBits|uint32(o))+1 {
			d.setPosition(v, d.write(v, string(value))+1)
		}
		o += size
	}
	d.release(k)
}

// release empties page k. The current page stays current; any other becomes
// available again.
func (d *dictionary) release(k int) {
	pg := &d.pages[k]
	pg.dead = 0
	pg.data = pg.data[:0]
	if cap(pg.data) > pageSize {
		pg.data = nil
	}
	if k != d.current {
		d.free = append(d.free, k)
	}
}
