//go:build unix

package logfile

import (
	"errors"
	"fmt"
	"os"
	"os/signal"
	"syscall"
	"testing"
)

// TestPartOfALine has the system write a part of a line, as it does when the disk
// runs full: this process may have files of 10 bytes for a moment.
func TestPartOfALine(t *testing.T) {
	for _, c := range []struct {
		cut  bool
		want string
	}{{false, "one\ntwo\nth\nfour\n"}, {true, "one\ntwo\nfour\n"}} {
		t.Run(fmt.Sprint(c.cut), func(t *testing.T) {
			d := newFolder(t)
			o := options(1 << 10)
			o.CutTorn = c.cut
			f := d.open(o)
			d.write(f, "one\ntwo\n")

			signal.Ignore(syscall.SIGXFSZ)
			defer signal.Reset(syscall.SIGXFSZ)
			var was syscall.Rlimit
			d.ok(syscall.Getrlimit(syscall.RLIMIT_FSIZE, &was))
			now := was
			now.Cur = 10
			d.ok(syscall.Setrlimit(syscall.RLIMIT_FSIZE, &now))
			n, err := f.Write([]byte("three\n"))
			d.ok(syscall.Setrlimit(syscall.RLIMIT_FSIZE, &was))
			if n != 2 || !errors.Is(err, syscall.EFBIG) {
				t.Fatalf("%d bytes were written, %v", n, err)
			}
			raw, err := os.ReadFile(d.path())
			if err != nil || string(raw) != "one\ntwo\nth" {
				t.Fatalf("%q, %v", raw, err)
			}
			d.write(f, "four\n")
			d.is("with room again", map[string]string{"log.jsonl": c.want})
		})
	}
}
