package server

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"ringdown/internal/iam"
)

// Files of the data folder beside the database.
const (
	rootFile     = "root-credentials.json" // mode 0600
	endpointFile = "endpoint.json"         // while a server runs
)

// RootCredentials are those of the account's root.
type RootCredentials struct {
	AccessKeyID     string
	SecretAccessKey string
}

// ErrNoRoot says that a data folder has no root credentials yet.
var ErrNoRoot = errors.New("there are no root credentials yet")

// FindRoot returns the root credentials of a configuration: those given, else
// those of the data folder, else ErrNoRoot.
func FindRoot(c *Config) (creds RootCredentials, err error) {
	if c.RootAccessKeyID != "" {
		return RootCredentials{c.RootAccessKeyID, c.RootSecretAccessKey}, nil
	}
	file := filepath.Join(c.Data, rootFile)
	raw, err := os.ReadFile(file) //nolint:gosec // the operator names the folder
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return creds, ErrNoRoot
	case err != nil:
		return creds, fmt.Errorf("root credentials: %w", err)
	}
	if err := json.Unmarshal(raw, &creds); err != nil || creds.AccessKeyID == "" || creds.SecretAccessKey == "" {
		return creds, fmt.Errorf("root credentials: %s does not hold AccessKeyID and SecretAccessKey", file)
	}
	return creds, nil
}

// ensureRoot is FindRoot that makes credentials when there are none.
func ensureRoot(c *Config) (creds RootCredentials, made bool, err error) {
	creds, err = FindRoot(c)
	if !errors.Is(err, ErrNoRoot) {
		return creds, false, err
	}
	creds.AccessKeyID, creds.SecretAccessKey = iam.NewRootKey()
	raw, err := json.MarshalIndent(creds, "", "  ")
	if err != nil {
		return creds, false, fmt.Errorf("root credentials: %w", err)
	}
	return creds, true, writePrivately(filepath.Join(c.Data, rootFile), append(raw, '\n'))
}

// writePrivately writes a file that its owner alone may read, whole or not at
// all.
func writePrivately(file string, content []byte) error {
	f, err := os.CreateTemp(filepath.Dir(file), ".new-*") // mode 0600
	if err != nil {
		return err
	}
	defer os.Remove(f.Name()) //nolint:errcheck // gone once renamed
	if _, err := f.Write(content); err != nil {
		return errors.Join(err, f.Close())
	}
	if err := f.Sync(); err != nil {
		return errors.Join(err, f.Close())
	}
	if err := f.Close(); err != nil {
		return err
	}
	return os.Rename(f.Name(), file)
}

// endpoint tells other commands where the server of a data folder listens.
type endpoint struct {
	URL string
	SIP string `json:",omitempty"` // host:port, when calls by SIP are served
}

// Endpoint is the URL of the server of a data folder: of the one that runs,
// else the one that --listen gives.
func Endpoint(c *Config) string {
	if e := running(c); e.URL != "" {
		return e.URL
	}
	return c.scheme() + "://" + reachable(c.Listen)
}

// SIPEndpoint is where the server of a data folder takes calls, host:port; ""
// when none runs or takes any.
func SIPEndpoint(c *Config) string { return running(c).SIP }

// running is where the server of a data folder listens, if one runs.
func running(c *Config) (e endpoint) {
	raw, err := os.ReadFile(filepath.Join(c.Data, endpointFile))
	if err != nil || json.Unmarshal(raw, &e) != nil {
		return endpoint{}
	}
	return e
}
