package domain

import (
	"strings"

	"github.com/aws/aws-sdk-go-v2/service/connect/types"

	"ringdown/internal/fault"
)

// AttachedFilesConfiguration is what an instance has chosen about the files
// that may be attached to what has the scope. What it has not chosen is nil,
// and follows the default.
type AttachedFilesConfiguration struct {
	Scope        types.AttachmentScope
	MaximumBytes *int64 `json:",omitempty"`
	// Extensions are those that a file may have, without a dot. An empty list
	// allows no file.
	Extensions *[]string `json:",omitempty"`
}

// The defaults of every scope: admin guide, "Amazon Connect feature
// specifications", file types and maximum size of attachments. The page knows
// no other ones for tasks (docs/divergences.md).
const defaultMaximumBytes = 20 << 20

var defaultExtensions = []string{
	"csv", "doc", "docx", "heic", "jfif", "jpeg", "jpg", "mov", "mp4", "pdf", "png", "ppt", "pptx", "rtf", "txt", "wav", "xls", "xlsx",
}

// EffectiveMaximumBytes is the size that a file may have.
func (c *AttachedFilesConfiguration) EffectiveMaximumBytes() int64 {
	if c.MaximumBytes == nil {
		return defaultMaximumBytes
	}
	return *c.MaximumBytes
}

// EffectiveExtensions are the extensions that a file may have. Nobody changes
// the list.
func (c *AttachedFilesConfiguration) EffectiveExtensions() []string {
	if c.Extensions == nil {
		return defaultExtensions
	}
	return *c.Extensions
}

// Check refuses an extension that is there twice, in whatever case.
func (c *AttachedFilesConfiguration) Check() error {
	seen := map[string]bool{}
	for _, e := range c.EffectiveExtensions() {
		e = strings.ToLower(e)
		if seen[e] {
			return fault.New(fault.InvalidParameter, "ExtensionConfiguration.AllowedExtensions must not name the extension %s twice", e)
		}
		seen[e] = true
	}
	return nil
}
