package saml

import (
	"crypto"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"encoding/pem"
	"errors"
	"fmt"
	"net/url"
)

// Signer signs our requests, for providers that take no others. It is read-only
// and may be used concurrently.
type Signer struct {
	certificate *x509.Certificate
	key         *rsa.PrivateKey
}

// sigAlg is RSASSA-PKCS1-v1_5 with SHA-256 (RFC 6931 §2.3.2), which all providers
// that verify requests know. ECDSA is not among what we sign with: providers
// disagree about the form that its signatures have in a query.
const sigAlg = "http://www.w3.org/2001/04/xmldsig-more#rsa-sha256"

// NewSigner reads a certificate and its key, both in PEM. The error names the one
// that is wrong. That a certificate has expired matters not: providers trust it
// for being in our metadata (saml-metadata-iop-1.0 §2.6.1).
func NewSigner(certificate, key []byte) (*Signer, error) {
	block, _ := pem.Decode(certificate)
	if block == nil || block.Type != "CERTIFICATE" {
		return nil, errors.New("certificate must hold a certificate in PEM")
	}
	c, err := x509.ParseCertificate(block.Bytes)
	if err != nil {
		return nil, fmt.Errorf("certificate: %w", err)
	}
	k, err := readKey(key)
	if err != nil {
		return nil, err
	}
	public, ok := c.PublicKey.(*rsa.PublicKey)
	switch {
	case !ok || !public.Equal(&k.PublicKey):
		return nil, errors.New("certificate is not that of the key")
	case public.N.BitLen() < minRSABits:
		return nil, fmt.Errorf("key has %d bits, and %d are the least", public.N.BitLen(), minRSABits)
	}
	return &Signer{c, k}, nil
}

// readKey says nothing of what is in the file.
func readKey(text []byte) (*rsa.PrivateKey, error) {
	block, _ := pem.Decode(text)
	if block == nil {
		return nil, errors.New("key must hold a private key in PEM")
	}
	var parsed any
	var err error
	switch block.Type {
	case "RSA PRIVATE KEY":
		parsed, err = x509.ParsePKCS1PrivateKey(block.Bytes)
	case "PRIVATE KEY":
		parsed, err = x509.ParsePKCS8PrivateKey(block.Bytes)
	default:
		return nil, errors.New("key must hold an RSA key in PEM, not encrypted")
	}
	if err != nil {
		return nil, errors.New("key cannot be read")
	}
	k, ok := parsed.(*rsa.PrivateKey)
	if !ok {
		return nil, errors.New("key must be one of RSA")
	}
	return k, nil
}

// sign appends the algorithm and the signature to a query that begins with
// SAMLRequest, and has RelayState next if at all: that order, escaped as it is
// here, is what is signed (saml-bindings-2.0 §3.4.4.1).
func (s *Signer) sign(query string) (string, error) {
	query += "&SigAlg=" + url.QueryEscape(sigAlg)
	sum := sha256.Sum256([]byte(query))
	signature, err := rsa.SignPKCS1v15(rand.Reader, s.key, crypto.SHA256, sum[:])
	if err != nil {
		return "", fmt.Errorf("sign a request: %w", err)
	}
	return query + "&Signature=" + url.QueryEscape(base64.StdEncoding.EncodeToString(signature)), nil
}
