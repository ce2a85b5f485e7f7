// Package certtest makes certificates for tests. They are good from 2020 to 2099,
// so that tests with a clock of their own can use them as well.
package certtest

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/pem"
	"math/big"
	"net/netip"
	"os"
	"path/filepath"
	"testing"
	"time"
)

// Options are of a certificate.
type Options struct {
	Names   []string      // addresses and names of hosts that it is for; none: 127.0.0.1
	Key     crypto.Signer // nil: a new one, ECDSA with P-256, which costs no time
	By      *Certificate  // who signs it; nil: itself, and then it may sign others
	Expired bool          // since 2021
}

// Certificate is a certificate and its key.
type Certificate struct {
	*x509.Certificate
	Key crypto.Signer
}

// New makes a certificate.
func New(tb testing.TB, o Options) *Certificate {
	tb.Helper()
	c, err := Make(o)
	if err != nil {
		tb.Fatalf("make a certificate: %v", err)
	}
	return c
}

// Make is New for what tests share, which is made for none of them.
func Make(o Options) (*Certificate, error) {
	if len(o.Names) == 0 {
		o.Names = []string{"127.0.0.1"}
	}
	if o.Key == nil {
		key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
		if err != nil {
			return nil, err
		}
		o.Key = key
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: o.Names[0]},
		NotBefore: date(2020), NotAfter: date(2099), KeyUsage: x509.KeyUsageDigitalSignature,
	}
	if o.Expired {
		template.NotAfter = date(2021)
	}
	for _, name := range o.Names {
		if ip, err := netip.ParseAddr(name); err == nil {
			template.IPAddresses = append(template.IPAddresses, ip.AsSlice())
		} else {
			template.DNSNames = append(template.DNSNames, name)
		}
	}
	parent, signer := template, o.Key
	if o.By != nil {
		parent, signer = o.By.Certificate, o.By.Key
		template.SerialNumber = big.NewInt(2)
		template.ExtKeyUsage = []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth}
	} else {
		template.IsCA, template.BasicConstraintsValid = true, true
		template.KeyUsage |= x509.KeyUsageCertSign
	}
	der, err := x509.CreateCertificate(rand.Reader, template, parent, o.Key.Public(), signer)
	if err != nil {
		return nil, err
	}
	made, err := x509.ParseCertificate(der)
	if err != nil {
		return nil, err
	}
	return &Certificate{Certificate: made, Key: o.Key}, nil
}

func date(year int) time.Time { return time.Date(year, 1, 1, 0, 0, 0, 0, time.UTC) }

// TLS is what a server presents.
func (c *Certificate) TLS() tls.Certificate {
	return tls.Certificate{Certificate: [][]byte{c.Raw}, PrivateKey: c.Key, Leaf: c.Certificate}
}

// Pool trusts the certificate, and those that it has signed.
func (c *Certificate) Pool() *x509.CertPool {
	p := x509.NewCertPool()
	p.AddCert(c.Certificate)
	return p
}

// PEM is the certificate as text (RFC 7468 §5).
func (c *Certificate) PEM() []byte {
	return pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: c.Raw})
}

// KeyPEM is the key as text (PKCS #8; RFC 7468 §10).
func (c *Certificate) KeyPEM(tb testing.TB) []byte {
	tb.Helper()
	der, err := x509.MarshalPKCS8PrivateKey(c.Key)
	if err != nil {
		tb.Fatal(err)
	}
	return pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der})
}

// Files writes both into a folder that is gone after the test, readable by its
// owner only.
func (c *Certificate) Files(tb testing.TB) (cert, key string) {
	tb.Helper()
	dir := tb.TempDir()
	cert, key = filepath.Join(dir, "cert.pem"), filepath.Join(dir, "key.pem")
	for name, content := range map[string][]byte{cert: c.PEM(), key: c.KeyPEM(tb)} {
		if err := os.WriteFile(name, content, 0o600); err != nil {
			tb.Fatal(err)
		}
	}
	return cert, key
}
