package sqlstore

import "context"

// session runs statements: on a connection, in a transaction, or each on
// whichever connection is free. Statements are plain SQL that both dialects
// understand, with $1, $2 … for arguments; an argument is an int64, a string,
// a []byte or nil. Each text is prepared once for a connection.
type session interface {
	// query calls each for every row of the answer. An error of each ends it
	// and is returned as it is. Each must not use the session.
	query(ctx context.Context, each func(row) error, sql string, args ...any) error
	// exec runs a statement without an answer and counts the rows it changed.
	exec(ctx context.Context, sql string, args ...any) (int64, error)
	// classify says what an error of query or exec means.
	classify(err error) class
}

// row is one row of an answer. Scan copies its columns, in order, to *int64,
// *string and *[]byte.
type row interface {
	Scan(dest ...any) error
}

// class is what a driver's error means, whatever the driver.
type class uint8

const (
	otherError class = iota
	uniqueViolation
	foreignKeyViolation
	lostRace // the transaction may succeed when it is run again
)

// txSession is the session of one transaction. The first failure of a
// statement dooms the transaction: PostgreSQL would refuse what follows, and
// half of a failed Insert must never be committed, so in both dialects all
// that follows answers with that failure.
type txSession struct {
	session
	failure error
	wrote   bool // something that a failure of the transaction has to undo
}

func (t *txSession) query(ctx context.Context, each func(row) error, sql string, args ...any) error {
	if t.failure != nil {
		return t.failure
	}
	err := t.session.query(ctx, each, sql, args...)
	t.failure = err
	return err
}

func (t *txSession) exec(ctx context.Context, sql string, args ...any) (int64, error) {
	if t.failure != nil {
		return 0, t.failure
	}
	n, err := t.session.exec(ctx, sql, args...)
	t.failure = err
	t.wrote = t.wrote || n > 0
	return n, err
}
