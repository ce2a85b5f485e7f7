package sqlstore

import (
	"math/bits"
	"strconv"
	"strings"
)

// The columns of a record in the order in which scanRecord takes them. In the
// headers the place of the document is empty.
const (
	recordColumns = `r.pk, r.instance, r.kind, r.id, r.name, COALESCE(r.name_key, ''), r.version, r.created, r.modified, COALESCE(r.tags, ''), r.doc`
	headerColumns = `r.pk, r.instance, r.kind, r.id, r.name, COALESCE(r.name_key, ''), r.version, r.created, r.modified, COALESCE(r.tags, ''), ''`
)

const (
	selectByID   = `SELECT ` + recordColumns + ` FROM resource r WHERE r.instance = $1 AND r.kind = $2 AND r.id = $3`
	selectByName = `SELECT ` + recordColumns + ` FROM resource r WHERE r.instance = $1 AND r.kind = $2 AND r.name_key = $3`
	listRecords  = `SELECT ` + recordColumns + ` FROM resource r WHERE r.instance = $1 AND r.kind = $2 AND r.id > $3 ORDER BY r.id LIMIT $4`
	listHeaders  = `SELECT ` + headerColumns + ` FROM resource r WHERE r.instance = $1 AND r.kind = $2 AND r.id > $3 ORDER BY r.id LIMIT $4`
	countRecords = `SELECT COUNT(*) FROM resource WHERE instance = $1 AND kind = $2`

	countReferrers = `SELECT COUNT(*) FROM ref WHERE to_pk = $1 AND role = $2`
	listReferrers  = `SELECT ` + recordColumns + ` FROM ref f JOIN resource r ON r.pk = f.from_pk WHERE f.to_pk = $1 AND f.role = $2 AND f.from_pk > $3 ORDER BY f.from_pk LIMIT $4`

	insertRecord = `INSERT INTO resource (pk, instance, kind, id, name, name_key, version, created, modified, tags, doc) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11)`
	updateRecord = `UPDATE resource SET name = $1, name_key = $2, doc = $3, tags = $4, modified = $5, version = version + 1 WHERE pk = $6 RETURNING instance, kind, id, version, created`

	selectIdentity    = `SELECT instance, kind, id, version FROM resource WHERE pk = $1`
	deleteRecord      = `DELETE FROM resource WHERE pk = $1`
	deleteRefs        = `DELETE FROM ref WHERE from_pk = $1`
	deleteMembersRefs = `DELETE FROM ref WHERE from_pk IN (SELECT pk FROM resource WHERE instance = $1)`
	deleteMembers     = `DELETE FROM resource WHERE instance = $1`

	selectMemo = `SELECT fingerprint, answer, expires FROM memo WHERE key = $1 AND expires > $2`
	upsertMemo = `INSERT INTO memo (key, fingerprint, answer, expires, owner) VALUES ($1, $2, $3, $4, $5) ON CONFLICT (key) DO UPDATE SET fingerprint = excluded.fingerprint, answer = excluded.answer, expires = excluded.expires, owner = excluded.owner`
	deleteMemo = `DELETE FROM memo WHERE key = $1 AND expires > $2`
	pruneMemos = `DELETE FROM memo WHERE key IN (SELECT key FROM memo WHERE expires <= $1 ORDER BY expires LIMIT $2)`

	listChanges  = `SELECT seq, op, pk, instance, kind, id, version FROM change WHERE seq > $1 ORDER BY seq LIMIT $2`
	lastChange   = `SELECT COALESCE(MAX(seq), 0) FROM change`
	oldChanges   = `SELECT seq, at FROM change ORDER BY seq LIMIT $1`
	pruneChanges = `DELETE FROM change WHERE seq <= $1`

	selectCounter  = `SELECT next FROM counter WHERE name = $1`
	setCounter     = `UPDATE counter SET next = $1 WHERE name = $2`
	advanceCounter = `UPDATE counter SET next = next + $1 WHERE name = $2 RETURNING next`
)

// maxRows is how many rows one statement inserts at most. Longer runs take
// several statements, so that there are few texts to prepare.
const maxRows = 8

// The statements that insert 1 … maxRows rows, by their number.
var (
	// insertRefs: from_pk, role, to_pk.
	insertRefs = rowsOf(`INSERT INTO ref (from_pk, role, to_pk) VALUES `, 3, "")
	// insertChanges: seq, op, pk, instance, kind, id, version, at.
	insertChanges = rowsOf(`INSERT INTO change (seq, op, pk, instance, kind, id, version, at) VALUES `, 8, "")
	// drawChanges lets the database choose seq and answers it.
	drawChanges = rowsOf(`INSERT INTO change (op, pk, instance, kind, id, version, at) VALUES `, 7, " RETURNING seq")
)

func rowsOf(head string, columns int, tail string) (texts [maxRows + 1]string) {
	for n := 1; n <= maxRows; n++ {
		var b strings.Builder
		b.WriteString(head)
		for i := range n {
			if i > 0 {
				b.WriteString(", ")
			}
			b.WriteByte('(')
			placeholders(&b, i*columns+1, columns)
			b.WriteByte(')')
		}
		b.WriteString(tail)
		texts[n] = b.String()
	}
	return texts
}

// maxKeys is how many keys one statement looks up at most, a power of two.
const maxKeys = 4096

// The statements that look up 1, 2, 4 … maxKeys keys, by the logarithm of
// their number. A shorter list is filled up with its last key, so that there
// are few texts to prepare.
var (
	selectByPKs = keysOf(`SELECT `+recordColumns+` FROM resource r WHERE r.pk IN (`, 1)
	resolveIDs  = keysOf(`SELECT id, pk FROM resource WHERE instance = $1 AND kind = $2 AND id IN (`, 3)
)

func keysOf(head string, first int) (texts []string) {
	for n := 1; n <= maxKeys; n *= 2 {
		var b strings.Builder
		b.WriteString(head)
		placeholders(&b, first, n)
		b.WriteByte(')')
		texts = append(texts, b.String())
	}
	return texts
}

// forKeys picks the statement for n keys, 1 ≤ n ≤ maxKeys, and says how many
// it takes.
func forKeys(texts []string, n int) (text string, takes int) {
	log := bits.Len(uint(n - 1))
	return texts[log], 1 << log
}

// placeholders writes $first, $first+1 … n times.
func placeholders(b *strings.Builder, first, n int) {
	for i := range n {
		if i > 0 {
			b.WriteString(", ")
		}
		b.WriteByte('$')
		b.WriteString(strconv.Itoa(first + i))
	}
}
