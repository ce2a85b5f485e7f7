package certtest

import (
	"crypto/tls"
	"crypto/x509"
	"os"
	"runtime"
	"strings"
	"testing"
)

// TestTrusted: what tests expect to be refused is refused for the reason that they
// mean, and all else is trusted.
func TestTrusted(t *testing.T) {
	authority := New(t, Options{Names: []string{"authority.example.org"}})
	own := func(o Options) *Certificate { return New(t, o) }
	signed := func(o Options) *Certificate { o.By = authority; return New(t, o) }
	for name, c := range map[string]struct {
		made  *Certificate
		roots *Certificate // nil: itself
		host  string
		want  string // part of the error; empty: none
	}{
		"loopback":             {own(Options{}), nil, "127.0.0.1", ""},
		"another host":         {own(Options{}), nil, "127.0.0.2", "not 127.0.0.2"},
		"names":                {own(Options{Names: []string{"a.example.org", "127.0.0.2"}}), nil, "a.example.org", ""},
		"the second of them":   {own(Options{Names: []string{"a.example.org", "127.0.0.2"}}), nil, "127.0.0.2", ""},
		"expired":              {own(Options{Expired: true}), nil, "127.0.0.1", "expired"},
		"not trusted":          {own(Options{}), own(Options{}), "127.0.0.1", "unknown authority"},
		"signed":               {signed(Options{}), authority, "127.0.0.1", ""},
		"signed and expired":   {signed(Options{Expired: true}), authority, "127.0.0.1", "expired"},
		"signed by another":    {signed(Options{}), own(Options{}), "127.0.0.1", "unknown authority"},
		"the key of an elder":  {own(Options{Key: authority.Key}), nil, "127.0.0.1", ""},
		"signed, another host": {signed(Options{Names: []string{"a.example.org"}}), authority, "127.0.0.1", "127.0.0.1"},
	} {
		if c.roots == nil {
			c.roots = c.made
		}
		_, err := c.made.Verify(x509.VerifyOptions{DNSName: c.host, Roots: c.roots.Pool()})
		if c.want == "" && err != nil || c.want != "" && (err == nil || !strings.Contains(err.Error(), c.want)) {
			t.Errorf("%s: %v, want %q", name, err, c.want)
		}
	}
}

// TestFiles: the files hold what TLS returns, and nobody else may read them.
func TestFiles(t *testing.T) {
	c := New(t, Options{})
	cert, key := c.Files(t)
	pair, err := tls.LoadX509KeyPair(cert, key)
	if err != nil {
		t.Fatal(err)
	}
	if string(pair.Certificate[0]) != string(c.TLS().Certificate[0]) {
		t.Error("the file has another certificate")
	}
	for _, name := range []string{cert, key} {
		info, err := os.Stat(name)
		if err != nil {
			t.Fatal(err)
		}
		if runtime.GOOS != "windows" && info.Mode().Perm() != 0o600 {
			t.Errorf("%s: %v", name, info.Mode())
		}
	}
}
