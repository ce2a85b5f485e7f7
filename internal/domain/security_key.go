package domain

import (
	"crypto/sha256"
	"crypto/x509"
	"encoding/hex"
	"encoding/pem"
	"strings"

	"ringdown/internal/fault"
)

// SecurityKey is a public key that verifies the certificates with which flows
// encrypt what callers enter.
type SecurityKey struct {
	PEM string // as it was given
}

// Fingerprint is the checksum of the key itself, whatever the lines of its PEM
// form look like: that of its DER form, in hexadecimal.
func (k *SecurityKey) Fingerprint() string {
	block, _ := pem.Decode([]byte(k.PEM))
	if block == nil {
		return ""
	}
	sum := sha256.Sum256(block.Bytes)
	return hex.EncodeToString(sum[:])
}

// Check checks that the key is a public one in PEM form (RFC 7468 §13). The
// message never quotes it, for it may be something else by mistake.
func (k *SecurityKey) Check() error {
	block, rest := pem.Decode([]byte(k.PEM))
	if block == nil || strings.TrimSpace(string(rest)) != "" {
		return fault.New(fault.InvalidParameter, "Key must be one public key in PEM format")
	}
	var err error
	switch block.Type {
	case "PUBLIC KEY":
		_, err = x509.ParsePKIXPublicKey(block.Bytes)
	case "RSA PUBLIC KEY":
		_, err = x509.ParsePKCS1PublicKey(block.Bytes)
	default:
		return fault.New(fault.InvalidParameter, "Key must be a public key in PEM format, with the label PUBLIC KEY")
	}
	if err != nil {
		return fault.New(fault.InvalidParameter, "Key is no valid public key").Wrap(err)
	}
	return nil
}
