package sqlstore_test

import (
	"path/filepath"
	"testing"
	"time"

	"ringdown/internal/store"
	"ringdown/internal/store/sqlstore"
	"ringdown/internal/store/storetest"
	"ringdown/internal/store/storetest/pgtest"
)

func TestSQLite(t *testing.T) {
	const oneProcess = "a data folder belongs to one process"
	storetest.Run(t, func(t *testing.T) storetest.Open {
		// Every character of the path must survive the driver's URI.
		dir := filepath.Join(t.TempDir(), "data ?#%41&")
		return opener(func() sqlstore.Options { return sqlstore.Options{Dir: dir} })
	}, map[string]string{
		"OtherServers":        oneProcess,
		"OtherServersKeys":    oneProcess,
		"OtherServersEntries": oneProcess,
		"LateCommit":          "updates take turns; each commits before the next begins",
	})
}

func TestPostgreSQL(t *testing.T) {
	storetest.Run(t, func(t *testing.T) storetest.Open {
		url := pgtest.URL(t)
		return opener(func() sqlstore.Options { return sqlstore.Options{URL: url, PollEvery: 10 * time.Millisecond} })
	}, map[string]string{
		"CancelledWhileWaiting": "updates do not wait for one another; PostgreSQL runs them side by side",
	})
}

func opener(base func() sqlstore.Options) storetest.Open {
	return func(t *testing.T, o storetest.Options) store.Store {
		t.Helper()
		options := base()
		options.Now, options.Observer = o.Now, o.Observer
		s, err := sqlstore.Open(t.Context(), options)
		if err != nil {
			t.Fatal(err)
		}
		return s
	}
}
