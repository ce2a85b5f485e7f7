package logfile

import (
	"errors"
	"io/fs"
	"os"
	"testing"
)

// TestDiskFull: what did not fit is told, is dealt with when there is room again,
// and spoils no other line.
func TestDiskFull(t *testing.T) {
	d := newFolder(t)
	full, err := os.OpenFile("/dev/full", os.O_WRONLY, 0)
	d.ok(err)
	f := d.open(options(1 << 10))
	d.write(f, "a\n")
	d.ok(f.file.Close())
	f.file = full
	if n, err := f.append([]byte("b\n")); n != 0 || err == nil {
		t.Fatalf("%d, %v", n, err)
	}
	if err := full.Close(); !errors.Is(err, fs.ErrClosed) {
		t.Errorf("the file was left open: %v", err)
	}
	d.ok(f.Sync())
	d.write(f, "c\n")
	d.is("after it", map[string]string{"log.jsonl": "a\nc\n"})
}
