package sqlstore

import "ringdown/internal/store"

// The columns of a contact in the order in which scanContact takes them. Where
// the state is not asked for its place is empty. A time that has not happened is
// 0: contact centres did not exist at the beginning of 1970.
const (
	contactHead = `c.instance, c.id, COALESCE(c.initial_id, c.id), COALESCE(c.previous_id, ''), COALESCE(c.related_id, ''), COALESCE(c.association_id, c.id), ` +
		`c.live, c.initiated, COALESCE(c.scheduled, 0), COALESCE(c.enqueued, 0), COALESCE(c.connected, 0), COALESCE(c.disconnected, 0), c.version, c.doc`
	contactColumns = contactHead + `, COALESCE(c.state, '')`
	contactBrief   = contactHead + `, ''`
)

const (
	selectContact = `SELECT ` + contactColumns + ` FROM contact c WHERE c.instance = $1 AND c.id = $2`
	liveContacts  = `SELECT ` + contactColumns + ` FROM contact c WHERE c.live = 1 AND c.id > $1 ORDER BY c.id LIMIT $2`

	insertContact = `INSERT INTO contact (instance, id, initial_id, previous_id, related_id, association_id, live, initiated, scheduled, enqueued, connected, disconnected, version, doc, state) VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, 1, $13, $14) ON CONFLICT DO NOTHING`
	updateContact = `UPDATE contact SET initial_id = $1, previous_id = $2, related_id = $3, association_id = $4, live = $5, initiated = $6, scheduled = $7, enqueued = $8, connected = $9, disconnected = $10, version = version + 1, doc = $11, state = $12 WHERE instance = $13 AND id = $14 AND version = $15`

	selectAttributes = `SELECT doc FROM contact_attributes WHERE instance = $1 AND initial_id = $2`
	upsertAttributes = `INSERT INTO contact_attributes (instance, initial_id, doc) VALUES ($1, $2, $3) ON CONFLICT (instance, initial_id) DO UPDATE SET doc = excluded.doc`

	selectCursor = `SELECT seq FROM cursor WHERE name = $1`
	upsertCursor = `INSERT INTO cursor (name, seq) VALUES ($1, $2) ON CONFLICT (name) DO UPDATE SET seq = excluded.seq`

	takeLease = `INSERT INTO lease (name, holder, until) VALUES ($1, $2, $3) ON CONFLICT (name) DO UPDATE SET holder = excluded.holder, until = excluded.until WHERE lease.holder = excluded.holder OR lease.until <= $4`
)

// direction is the order of an answer.
type direction int

const (
	ascending direction = iota
	descending
)

var (
	beyond  = [...]string{ascending: " > ", descending: " < "}
	ordered = [...]string{ascending: "", descending: " DESC"}
)

func directionOf(isDescending bool) direction {
	if isDescending {
		return descending
	}
	return ascending
}

// runs holds the statements of a run of rows, by whether all columns are asked
// for and by direction.
type runs [2][2]string

func runsOf(text func(columns string, d direction) string) (r runs) {
	for _, d := range []direction{ascending, descending} {
		r[0][d] = text(contactBrief, d)
		r[1][d] = text(contactColumns, d)
	}
	return r
}

func (r *runs) text(q store.ContactQuery) string {
	whole := 0
	if q.WithState {
		whole = 1
	}
	return r[whole][directionOf(q.Descending)]
}

// contactsByTime are the statements that select by a time, inclusive bounds
// both: instance, lowest, highest, the bound at which After stands, After, limit.
var contactsByTime = func() map[store.ContactTime]*runs {
	texts := make(map[store.ContactTime]*runs)
	for time, column := range map[store.ContactTime]string{
		store.Initiated: "c.initiated", store.Scheduled: "c.scheduled", store.Enqueued: "c.enqueued",
		store.Connected: "c.connected", store.Disconnected: "c.disconnected",
	} {
		r := runsOf(func(columns string, d direction) string {
			return `SELECT ` + columns + ` FROM contact c WHERE c.instance = $1 AND ` + column + ` >= $2 AND ` + column + ` <= $3 AND (` +
				column + beyond[d] + `$4 OR c.id` + beyond[d] + `$5) ORDER BY ` + column + ordered[d] + `, c.id` + ordered[d] + ` LIMIT $6`
		})
		texts[time] = &r
	}
	return texts
}()

// The statements that select by another contact: instance, its id, After,
// limit. The tree and the chain include the contact that they begin with, which
// has no entry in their index: there it is instance, id, instance, id again.
var (
	contactsByPrevious    = linked("c.previous_id")
	contactsByRelated     = linked("c.related_id")
	contactsByInitial     = beginning("initial_id")
	contactsByAssociation = beginning("association_id")
)

func linked(column string) runs {
	return runsOf(func(columns string, d direction) string {
		return `SELECT ` + columns + ` FROM contact c WHERE c.instance = $1 AND ` + column + ` = $2 AND c.id` + beyond[d] + `$3 ORDER BY c.id` + ordered[d] + ` LIMIT $4`
	})
}

func beginning(column string) runs {
	return runsOf(func(columns string, d direction) string {
		return `SELECT ` + columns + ` FROM contact c WHERE c.instance = $1 AND c.id IN (` +
			`SELECT f.id FROM contact f WHERE f.instance = $2 AND f.id = $3 AND f.` + column + ` IS NULL UNION ALL ` +
			`SELECT m.id FROM contact m WHERE m.instance = $4 AND m.` + column + ` = $5) AND c.id` + beyond[d] + `$6 ORDER BY c.id` + ordered[d] + ` LIMIT $7`
	})
}

const entryColumns = `e.seq, e.stream, e.instance, e.owner, e.id, e.at, e.doc`

// The statements that read a stream, by direction: of all owners (stream, after,
// before, limit), which sees no more than is settled, and of one (instance,
// owner, stream, after, before, limit).
var (
	entriesOfAll = entriesOf(`e.stream = $1 AND e.seq > $2 AND e.seq < $3 AND e.seq <= (SELECT next FROM counter WHERE name = 'settled')`, `$4`)
	entriesOfOne = entriesOf(`e.instance = $1 AND e.owner = $2 AND e.stream = $3 AND e.seq > $4 AND e.seq < $5`, `$6`)
)

func entriesOf(condition, limit string) (texts [2]string) {
	for _, d := range []direction{ascending, descending} {
		texts[d] = `SELECT ` + entryColumns + ` FROM entry e WHERE ` + condition + ` ORDER BY e.seq` + ordered[d] + ` LIMIT ` + limit
	}
	return texts
}

// How the settler of PostgreSQL moves the end of the entries that are shown.
const (
	unsettledEntries = `SELECT seq FROM entry WHERE seq > $1 ORDER BY seq LIMIT $2`
	closeGap         = `INSERT INTO entry (seq, stream, instance, owner, id, at, doc) SELECT g.seq, 0, 0, '', '', $1::BIGINT, '' FROM generate_series($2::BIGINT, $3::BIGINT) AS g(seq) ON CONFLICT (seq) DO NOTHING`
	settleEntries    = `UPDATE counter SET next = $1 WHERE name = 'settled' AND next < $2`
)

// How old contacts and entries go.
const (
	oldContacts      = `SELECT c.instance, c.id FROM resource r JOIN contact c ON c.instance = r.pk WHERE r.instance = $1 AND r.kind = $2 AND c.initiated < $3 LIMIT $4`
	deleteContact    = `DELETE FROM contact WHERE instance = $1 AND id = $2`
	deleteAttributes = `DELETE FROM contact_attributes WHERE instance = $1 AND initial_id = $2`
	oldEntries       = `SELECT seq, at FROM entry WHERE stream = $1 ORDER BY seq LIMIT $2`
	pruneEntries     = `DELETE FROM entry WHERE stream = $1 AND seq <= $2`
)

var (
	// insertEntries: seq, stream, instance, owner, id, at, doc.
	insertEntries = rowsOf(`INSERT INTO entry (seq, stream, instance, owner, id, at, doc) VALUES `, 7, "")
	// drawEntries lets the database choose seq and answers it.
	drawEntries = rowsOf(`INSERT INTO entry (stream, instance, owner, id, at, doc) VALUES `, 6, " RETURNING seq")
)
