package sqlstore

import (
	"context"
	"database/sql/driver"
	"errors"
	"fmt"
	"io"
	"strings"

	"modernc.org/sqlite"
	sqlite3 "modernc.org/sqlite/lib"
)

// liteConn is a session on one connection to SQLite, for one goroutine at a
// time. It speaks to the driver below database/sql: the store pools its
// connections itself, and a point read takes half the time without a second
// pool, its locks and conversions.
//
// The driver would start a goroutine for each statement whose context can end.
// Statements here take microseconds, so a context is looked at before each and
// between rows instead.
type liteConn struct {
	raw   driver.Conn
	stmts map[string]*liteStmt
	args  []driver.NamedValue // of the statement at hand
	row   liteRow
}

// liteStmt is a prepared statement by the two things it can do.
type liteStmt struct {
	driver.Stmt
	execer  driver.StmtExecContext
	queryer driver.StmtQueryContext
}

func openLite(ctx context.Context, c driver.Connector) (*liteConn, error) {
	raw, err := c.Connect(ctx)
	if err != nil {
		return nil, err
	}
	return &liteConn{raw: raw, stmts: make(map[string]*liteStmt)}, nil
}

// prepare returns the statement for a text.
func (c *liteConn) prepare(ctx context.Context, text string) (*liteStmt, error) {
	if s, ok := c.stmts[text]; ok {
		return s, nil
	}
	preparer, ok := c.raw.(driver.ConnPrepareContext)
	if !ok {
		return nil, errors.New("the SQLite driver cannot prepare statements")
	}
	raw, err := preparer.PrepareContext(ctx, positional(text))
	if err != nil {
		return nil, fmt.Errorf("prepare %q: %w", text, err)
	}
	s := &liteStmt{Stmt: raw}
	var execs, queries bool
	s.execer, execs = raw.(driver.StmtExecContext)
	s.queryer, queries = raw.(driver.StmtQueryContext)
	if !execs || !queries {
		return nil, errors.Join(errors.New("the SQLite driver cannot run statements with a context"), raw.Close())
	}
	c.stmts[text] = s
	return s, nil
}

// positional replaces the $1, $2 … of a text by ?. SQLite and the driver would
// take them as they are, but as names, which the driver reads, allocates and
// compares at each execution. A text must use them once each and in order
// (TestPlaceholders).
func positional(text string) string {
	var b strings.Builder
	for {
		head, tail, found := strings.Cut(text, "$")
		b.WriteString(head)
		if !found {
			return b.String()
		}
		b.WriteByte('?')
		text = strings.TrimLeft(tail, "0123456789")
	}
}

// bind puts args into the form that the driver wants. The slice is reused.
func (c *liteConn) bind(args []any) []driver.NamedValue {
	c.args = c.args[:0]
	for i, arg := range args {
		c.args = append(c.args, driver.NamedValue{Ordinal: i + 1, Value: arg})
	}
	return c.args
}

// start looks at the context and prepares. It returns a context that cannot
// end, with which the driver does without its goroutine.
func (c *liteConn) start(ctx context.Context, text string) (context.Context, *liteStmt, error) {
	if err := ctx.Err(); err != nil {
		return nil, nil, err
	}
	endless := context.WithoutCancel(ctx)
	s, err := c.prepare(endless, text)
	return endless, s, err
}

func (c *liteConn) exec(ctx context.Context, text string, args ...any) (int64, error) {
	endless, s, err := c.start(ctx, text)
	if err != nil {
		return 0, err
	}
	result, err := s.execer.ExecContext(endless, c.bind(args))
	if err != nil {
		return 0, err
	}
	return result.RowsAffected()
}

func (c *liteConn) query(ctx context.Context, each func(row) error, text string, args ...any) (err error) {
	endless, s, err := c.start(ctx, text)
	if err != nil {
		return err
	}
	rows, err := s.queryer.QueryContext(endless, c.bind(args))
	if err != nil {
		return err
	}
	defer func() {
		if closing := rows.Close(); err == nil {
			err = closing
		}
	}()
	width := len(rows.Columns())
	if cap(c.row) < width {
		c.row = make(liteRow, width)
	}
	c.row = c.row[:width]
	for {
		switch err := rows.Next(c.row); {
		case errors.Is(err, io.EOF):
			return nil
		case err != nil:
			return err
		}
		if err := each(c.row); err != nil {
			return err
		}
		if err := ctx.Err(); err != nil {
			return err
		}
	}
}

func (c *liteConn) close() error {
	var errs []error
	for _, s := range c.stmts {
		errs = append(errs, s.Close())
	}
	return errors.Join(append(errs, c.raw.Close())...)
}

// classify goes by the extended result code
// (https://www.sqlite.org/rescode.html).
func (*liteConn) classify(err error) class { return classifyLite(err) }

func classifyLite(err error) class {
	e, ok := errors.AsType[*sqlite.Error](err)
	if !ok {
		return otherError
	}
	switch e.Code() {
	case sqlite3.SQLITE_CONSTRAINT_UNIQUE, sqlite3.SQLITE_CONSTRAINT_PRIMARYKEY:
		return uniqueViolation
	case sqlite3.SQLITE_CONSTRAINT_FOREIGNKEY:
		return foreignKeyViolation
	default:
		return otherError
	}
}

// liteRow is a row as the driver gives it.
type liteRow []driver.Value

// Scan is strict: a column has the type of its place.
func (r liteRow) Scan(dest ...any) error {
	if len(dest) != len(r) {
		return fmt.Errorf("scan %d columns into %d places", len(r), len(dest))
	}
	for i, value := range r {
		ok := false
		switch to := dest[i].(type) {
		case *int64:
			*to, ok = value.(int64)
		case *string:
			*to, ok = value.(string)
		case *[]byte:
			switch value := value.(type) {
			case string:
				*to, ok = []byte(value), true
			case []byte:
				*to, ok = value, true
			}
		}
		if !ok {
			return fmt.Errorf("scan column %d, a %T, into a %T", i, value, dest[i])
		}
	}
	return nil
}
