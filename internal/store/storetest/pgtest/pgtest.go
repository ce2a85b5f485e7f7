// Package pgtest gives tests a PostgreSQL database: of the server that
// RINGDOWN_TEST_POSTGRES names, or of a throw-away server that it starts from
// an installed PostgreSQL. The server runs in a temporary folder, is reached
// by a socket in it, and does not wait for the disk, so it measures nothing
// about durability. It ends with the test process, however that ends.
package pgtest

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/jackc/pgx/v5"

	"ringdown/internal/prerequisite"
)

// Variable names the environment variable with the URL of a server to use. Its
// user must be allowed to create databases.
const Variable = "RINGDOWN_TEST_POSTGRES"

// errNotInstalled skips a test where there is no PostgreSQL.
var errNotInstalled = errors.New("no PostgreSQL: set " + Variable + " to the URL of a server, or install one " +
	"(apt-get install postgresql, brew install postgresql) so that initdb and postgres are on the PATH or under /usr/lib/postgresql")

var server = sync.OnceValues(start)

// process is a server that start has started.
type process struct {
	url string
	// lifeline is this process's end of the pipe on which the server's life
	// hangs. Were it forgotten, it would be closed with the garbage.
	lifeline io.WriteCloser
}

// URL returns the URL of a fresh database. On a server that was here before it
// is dropped when the test ends; on the throw-away server it goes with that,
// because dropping takes longer than most tests. Without a server the test ends as
// prerequisite.Missing says.
func URL(tb testing.TB) string {
	tb.Helper()
	base := os.Getenv(Variable)
	throwAway := base == ""
	if throwAway {
		started, err := server()
		if errors.Is(err, errNotInstalled) {
			prerequisite.Missing(tb, err)
		}
		if err != nil {
			tb.Fatalf("start PostgreSQL: %v", err)
		}
		base = started.url
	}
	name := "ringdown_" + strings.ToLower(rand.Text())
	if err := run(base, "CREATE DATABASE "+name); err != nil {
		tb.Fatalf("create a database: %v", err)
	}
	tb.Cleanup(func() {
		if throwAway {
			return
		}
		if err := run(base, "DROP DATABASE "+name); err != nil {
			tb.Errorf("drop the test's database (is a connection still open?): %v", err)
		}
	})
	u, err := url.Parse(base)
	if err != nil {
		tb.Fatalf("%s: %v", Variable, err)
	}
	u.Path = "/" + name
	return u.String()
}

// run runs one statement.
func run(base, statement string) (err error) {
	ctx, cancel := context.WithTimeout(context.Background(), time.Minute)
	defer cancel()
	conn, err := pgx.Connect(ctx, base)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, conn.Close(ctx)) }()
	_, err = conn.Exec(ctx, statement)
	return err
}

// start starts a server; its URL is that of its first database.
func start() (*process, error) {
	if runtime.GOOS == "windows" {
		return nil, errNotInstalled
	}
	bin, err := programs()
	if err != nil {
		return nil, err
	}
	owner, err := unprivileged()
	if err != nil {
		return nil, err
	}
	dir, err := os.MkdirTemp("", "ringdown-pg-")
	if err != nil {
		return nil, err
	}
	if err := owner.own(dir); err != nil {
		return nil, errors.Join(err, os.RemoveAll(dir))
	}
	data := filepath.Join(dir, "data")
	// No test's context governs the programs: they serve all tests.
	//nolint:gosec // they are what this machine's owner installed
	initdb := exec.CommandContext(context.Background(), filepath.Join(bin, "initdb"), "--pgdata", data, "--username", "postgres",
		"--auth", "trust", "--encoding", "UTF8", "--locale", "C", "--no-sync")
	initdb.Dir = dir
	owner.run(initdb)
	if out, err := initdb.CombinedOutput(); err != nil {
		return nil, errors.Join(fmt.Errorf("initdb: %w\n%s", err, out), os.RemoveAll(dir))
	}
	// The shell holds the other end of a pipe from this process. When the
	// process is gone, be it killed, the shell reads the end of the pipe, stops
	// the server and cleans up.
	const keeper = `"$0" "$@" >"$RINGDOWN_PG/log" 2>&1 </dev/null & pid=$!
read -r _
kill -INT $pid
wait $pid
rm -rf "$RINGDOWN_PG"`
	//nolint:gosec // as above
	postgres := exec.CommandContext(context.Background(), "/bin/sh", "-c", keeper, filepath.Join(bin, "postgres"), "-D", data, "-k", dir,
		"-c", "listen_addresses=", "-c", "fsync=off", "-c", "synchronous_commit=off", "-c", "full_page_writes=off",
		"-c", "max_connections=300")
	postgres.Dir = dir
	postgres.Env = append(os.Environ(), "RINGDOWN_PG="+dir)
	owner.run(postgres)
	lifeline, err := postgres.StdinPipe()
	if err != nil {
		return nil, err
	}
	if err := postgres.Start(); err != nil {
		return nil, err
	}
	base := "postgres://postgres@/postgres?host=" + url.QueryEscape(dir)
	return &process{base, lifeline}, ready(base, filepath.Join(dir, "log"))
}

// ready waits until the server answers.
func ready(base, log string) error {
	deadline := time.After(30 * time.Second)
	retry := time.NewTicker(20 * time.Millisecond)
	defer retry.Stop()
	for {
		err := run(base, "SELECT 1")
		if err == nil {
			return nil
		}
		select {
		case <-retry.C:
		case <-deadline:
			out, _ := os.ReadFile(log) //nolint:gosec // in a folder that start made
			return fmt.Errorf("the server does not answer: %w\n%s", err, out)
		}
	}
}

// programs finds the folder of initdb and postgres.
func programs() (string, error) {
	var folders []string
	if path, err := exec.LookPath("initdb"); err == nil {
		if path, err = filepath.EvalSymlinks(path); err == nil {
			folders = append(folders, filepath.Dir(path))
		}
	}
	installed, err := filepath.Glob("/usr/lib/postgresql/*/bin")
	if err != nil {
		return "", err
	}
	slices.Sort(installed)
	slices.Reverse(installed)
	for _, dir := range append(folders, installed...) {
		_, noInit := os.Stat(filepath.Join(dir, "initdb"))
		_, noServer := os.Stat(filepath.Join(dir, "postgres"))
		if noInit == nil && noServer == nil {
			return dir, nil
		}
	}
	return "", errNotInstalled
}
