package server

import (
	"fmt"
	"path/filepath"

	"ringdown/internal/audit"
	"ringdown/internal/logfile"
)

const (
	auditFileName = "audit.jsonl" // in the data folder
	auditSize     = 64 << 20      // at which the file is set aside
)

// openAudit opens the audit log of a configuration: the file that it names, else
// one in the data folder, which must be there. Its lines are not synced one by
// one: that would let whoever tries passwords use up the disk's time.
func openAudit(cfg *Config) (*audit.Log, error) {
	path := cfg.SignIn.Audit
	if path == "" {
		path = filepath.Join(cfg.Data, auditFileName)
	}
	f, err := logfile.Open(path, logfile.Options{Limit: auditSize, Now: cfg.Now})
	if err != nil {
		return nil, fmt.Errorf("sign-in: audit: %w", err)
	}
	return audit.New(f, cfg.Now, cfg.Logger), nil
}
