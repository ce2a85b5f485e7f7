// Package ldaptest gives tests a directory: an OpenLDAP server of their own,
// started from an installed slapd. It listens on loopback ports, keeps its data
// in the test's temporary folder, has a certificate made for it, and ends with
// the test, or with the test process, however that ends.
package ldaptest

import (
	"context"
	"crypto/rand"
	"crypto/sha1" //nolint:gosec // {SSHA} is what directories have; these passwords protect nothing
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
	"time"

	"ringdown/internal/prerequisite"
)

// Names of every directory.
const (
	Base     = "dc=example,dc=org"
	People   = "ou=people," + Base
	ReaderDN = "cn=reader," + Base // may search
)

// Person is an entry of class inetOrgPerson.
type Person struct {
	UID                          string
	OU                           string // below Base; empty: people
	FirstName, LastName          string // the last name is needed; empty: the UID
	Email, Mobile                string
	Password                     string // empty: one is made up
	Hash                         string // instead of the password's own, such as {ARGON2}…; the Password must be given too
	NoPassword                   bool   // has none at all
	Locked, MustChange, NotFound bool   // by password policy; NotFound: the search account may not see it
}

// Certificate is what a directory presents.
type Certificate int

// The certificates.
const (
	Good Certificate = iota
	Expired
	OtherName // of another host
	None      // TLS is not offered
)

// Options are of a directory.
type Options struct {
	People      []Person
	Certificate Certificate
	// Anonymous lets everybody search.
	Anonymous bool
	// LDIF is added below Base as it is.
	LDIF string
}

// Server is a running directory.
type Server struct {
	URL            string // ldap://, which offers StartTLS
	TLSURL         string // ldaps://
	CA             []byte // PEM of who signed its certificate
	ReaderPassword string
	passwords      map[string]string

	tb         testing.TB
	dir, slapd string
	ports      []string
	keeper     *exec.Cmd
	lifeline   io.WriteCloser
}

// Start starts a directory. Where there is no slapd the test ends as
// prerequisite.Missing says.
func Start(tb testing.TB, o Options) *Server {
	tb.Helper()
	slapd, err := program()
	if err != nil {
		prerequisite.Missing(tb, err)
	}
	s := &Server{tb: tb, slapd: slapd, dir: tb.TempDir(), ReaderPassword: rand.Text(), passwords: map[string]string{}}
	if err := s.prepare(o); err != nil {
		tb.Fatalf("prepare a directory: %v", err)
	}
	// Another process may take a port before slapd does.
	for attempt := 1; ; attempt++ {
		if err = s.choosePorts(o.Certificate != None); err == nil {
			err = s.run()
		}
		if err == nil {
			break
		}
		if attempt == 3 {
			tb.Fatalf("start slapd: %v", err)
		}
	}
	tb.Cleanup(s.Stop)
	return s
}

// Password is the password of a person.
func (s *Server) Password(uid string) string {
	p, ok := s.passwords[uid]
	if !ok {
		s.tb.Helper()
		s.tb.Fatalf("%s has no password", uid)
	}
	return p
}

// Stop stops the directory; it may be called twice.
func (s *Server) Stop() {
	if s.keeper == nil {
		return
	}
	_ = s.lifeline.Close()
	_ = s.keeper.Wait()
	s.keeper = nil
}

// Again starts a directory that was stopped, on the ports that it had.
func (s *Server) Again() {
	s.tb.Helper()
	if err := s.run(); err != nil {
		s.tb.Fatalf("start slapd again: %v", err)
	}
}

// Modify makes changes, as LDIF change records (RFC 2849), while the directory is
// stopped, and starts it again.
func (s *Server) Modify(ldif string) {
	s.tb.Helper()
	s.Stop()
	// slapd is slapmodify when it is called so.
	//nolint:gosec // it is what this machine's owner installed
	modify := exec.CommandContext(context.Background(), s.slapd, "-q", "-f", s.path("slapd.conf"))
	modify.Args[0] = "slapmodify"
	modify.Stdin = strings.NewReader(ldif)
	if out, err := modify.CombinedOutput(); err != nil {
		s.tb.Fatalf("slapmodify: %v\n%s", err, out)
	}
	s.Again()
}

var errNotInstalled = errors.New("no OpenLDAP: install slapd (apt-get install slapd) so that it is on the PATH or in /usr/sbin")

// program finds slapd.
func program() (string, error) {
	if path, err := exec.LookPath("slapd"); err == nil {
		return path, nil
	}
	for _, path := range []string{"/usr/sbin/slapd", "/usr/libexec/slapd", "/usr/lib/openldap/slapd", "/usr/local/libexec/slapd"} {
		if there(path) {
			return path, nil
		}
	}
	return "", errNotInstalled
}

func there(path string) bool {
	_, err := os.Stat(path)
	return err == nil
}

// firstThere is the first of some paths that exists.
func firstThere(paths ...string) string {
	for _, p := range paths {
		if there(p) {
			return p
		}
	}
	return paths[0]
}

func (s *Server) path(name string) string { return filepath.Join(s.dir, name) }

// prepare writes the configuration and the data.
func (s *Server) prepare(o Options) error {
	schema := firstThere("/etc/ldap/schema", "/etc/openldap/schema", "/usr/local/etc/openldap/schema")
	modules := firstThere("/usr/lib/ldap", "/usr/lib/openldap", "/usr/local/libexec/openldap")
	var c strings.Builder
	for _, name := range []string{"core", "cosine", "inetorgperson", "ppolicy"} {
		// ppolicy's is part of the module from OpenLDAP 2.5 on.
		if file := filepath.Join(schema, name+".schema"); name != "ppolicy" || there(file) {
			fmt.Fprintf(&c, "include %s\n", file)
		}
	}
	fmt.Fprintf(&c, "modulepath %s\n", modules)
	for _, name := range []string{"back_mdb", "ppolicy", "argon2"} {
		if file := filepath.Join(modules, name+".so"); there(file) {
			fmt.Fprintf(&c, "moduleload %s\n", name)
		}
	}
	if o.Certificate != None {
		cert, key := s.certify(o.Certificate)
		fmt.Fprintf(&c, "TLSCertificateFile %s\nTLSCertificateKeyFile %s\n", cert, key)
	}
	reading := "by * none"
	if o.Anonymous {
		reading = "by * read"
	}
	fmt.Fprintf(&c, `pidfile %[1]s
access to attrs=userPassword by anonymous auth by * none
access to dn.subtree="ou=hidden,%[2]s" by anonymous auth by * none
access to * by dn.exact="%[3]s" read %[4]s
database mdb
suffix "%[2]s"
directory %[5]s
maxsize 16777216
dbnosync
overlay ppolicy
ppolicy_default "cn=policy,%[2]s"
ppolicy_use_lockout
`, s.path("pid"), Base, ReaderDN, reading, s.path("data"))
	if err := os.Mkdir(s.path("data"), 0o700); err != nil {
		return err
	}
	if err := os.WriteFile(s.path("slapd.conf"), []byte(c.String()), 0o600); err != nil {
		return err
	}
	// slapd is slapadd when it is called so.
	//nolint:gosec // it is what this machine's owner installed
	add := exec.CommandContext(context.Background(), s.slapd, "-q", "-f", s.path("slapd.conf"))
	add.Args[0] = "slapadd"
	add.Stdin = strings.NewReader(s.ldif(o))
	if out, err := add.CombinedOutput(); err != nil {
		return fmt.Errorf("slapadd: %w\n%s", err, out)
	}
	return nil
}

// ldif is the directory's data (RFC 2849).
func (s *Server) ldif(o Options) string {
	var l strings.Builder
	fmt.Fprintf(&l, "dn: %s\nobjectClass: dcObject\nobjectClass: organization\no: Example\n\n", Base)
	fmt.Fprintf(&l, "dn: cn=policy,%s\nobjectClass: person\nobjectClass: pwdPolicy\nsn: policy\npwdAttribute: userPassword\npwdLockout: TRUE\npwdMustChange: TRUE\n\n", Base)
	fmt.Fprintf(&l, "dn: %s\nobjectClass: person\nsn: reader\nuserPassword: %s\n\n", ReaderDN, salted(s.ReaderPassword))
	units := map[string]bool{}
	unit := func(ou string) string {
		dn := "ou=" + ou + "," + Base
		if !units[ou] {
			units[ou] = true
			fmt.Fprintf(&l, "dn: %s\nobjectClass: organizationalUnit\n\n", dn)
		}
		return dn
	}
	unit("people")
	for _, p := range o.People {
		ou := p.OU
		switch {
		case p.NotFound:
			ou = "hidden"
		case ou == "":
			ou = "people"
		}
		parent := unit(ou)
		if p.LastName == "" {
			p.LastName = p.UID
		}
		put := func(name, value string) {
			if value != "" {
				fmt.Fprintf(&l, "%s:: %s\n", name, base64.StdEncoding.EncodeToString([]byte(value)))
			}
		}
		put("dn", "cn="+escaped(p.UID)+","+parent)
		fmt.Fprintf(&l, "objectClass: inetOrgPerson\n")
		put("uid", p.UID)
		put("cn", p.UID)
		put("givenName", p.FirstName)
		put("sn", p.LastName)
		put("mail", p.Email)
		put("mobile", p.Mobile)
		if !p.NoPassword {
			if p.Password == "" {
				p.Password = rand.Text()
			}
			s.passwords[p.UID] = p.Password
			if p.Hash == "" {
				p.Hash = salted(p.Password)
			}
			put("userPassword", p.Hash)
		}
		if p.Locked {
			// Never to be unlocked (draft-behera-ldap-password-policy §5.3.3).
			fmt.Fprintf(&l, "pwdAccountLockedTime: 000001010000Z\n")
		}
		if p.MustChange {
			fmt.Fprintf(&l, "pwdReset: TRUE\n")
		}
		fmt.Fprintf(&l, "\n")
	}
	return l.String() + o.LDIF
}

// escaped is a value in a distinguished name (RFC 4514 §2.4).
func escaped(value string) string {
	var b strings.Builder
	for i := range len(value) {
		fmt.Fprintf(&b, `\%02x`, value[i])
	}
	return b.String()
}

// salted is a password as RFC 2307 directories keep it.
func salted(password string) string {
	salt := rand.Text()
	sum := sha1.Sum([]byte(password + salt)) //nolint:gosec // as above
	return "{SSHA}" + base64.StdEncoding.EncodeToString(append(sum[:], salt...))
}

// choosePorts finds ports that are free.
func (s *Server) choosePorts(secure bool) error {
	s.ports, s.URL, s.TLSURL = nil, "", ""
	for range 2 {
		l, err := (&net.ListenConfig{}).Listen(context.Background(), "tcp", "127.0.0.1:0")
		if err != nil {
			return err
		}
		defer func() { _ = l.Close() }() // both are held until both are known
		s.ports = append(s.ports, strconv.Itoa(l.Addr().(*net.TCPAddr).Port))
	}
	s.URL = "ldap://127.0.0.1:" + s.ports[0]
	if secure {
		s.TLSURL = "ldaps://127.0.0.1:" + s.ports[1]
	} else {
		s.ports = s.ports[:1]
	}
	return nil
}

// keeper holds the other end of a pipe from this process. When the process is
// gone, be it killed, it reads the end of the pipe and stops the server. The
// limit is there because slapd takes memory for each file that it may open.
const keeper = `ulimit -n 256
"$0" "$@" 2>"$RINGDOWN_LDAP_LOG" </dev/null & pid=$!
read -r _
kill -INT $pid 2>/dev/null
wait $pid`

// run starts slapd and waits until it can be connected to.
func (s *Server) run() error {
	log := s.path("log")
	//nolint:gosec // as above
	s.keeper = exec.CommandContext(context.Background(), "/bin/sh", "-c", keeper, s.slapd,
		"-d", "none", "-f", s.path("slapd.conf"), "-h", strings.TrimSpace(s.URL+" "+s.TLSURL))
	s.keeper.Env = append(os.Environ(), "RINGDOWN_LDAP_LOG="+log)
	own(s.keeper)
	var err error
	if s.lifeline, err = s.keeper.StdinPipe(); err != nil {
		return err
	}
	if err := s.keeper.Start(); err != nil {
		return err
	}
	for _, port := range s.ports {
		if err := reached(port); err != nil {
			s.Stop()
			out, _ := os.ReadFile(log) //nolint:gosec // in a folder of the test's
			return fmt.Errorf("slapd does not answer: %w\n%s", err, out)
		}
	}
	return nil
}

// reached waits until a port can be connected to.
func reached(port string) error {
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	retry := time.NewTicker(10 * time.Millisecond)
	defer retry.Stop()
	for {
		c, err := (&net.Dialer{}).DialContext(ctx, "tcp", "127.0.0.1:"+port)
		if err == nil {
			return c.Close()
		}
		select {
		case <-retry.C:
		case <-ctx.Done():
			return err
		}
	}
}
