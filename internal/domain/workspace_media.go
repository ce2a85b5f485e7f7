package domain

import (
	"encoding/base64"
	"net/url"
	"strings"

	"github.com/aws/aws-sdk-go-v2/service/connect/types"

	"ringdown/internal/fault"
)

// WorkspaceMedia is an image of a workspace; it has one of each type.
type WorkspaceMedia struct {
	WorkspaceID WorkspaceID
	Type        types.MediaType
	// Source is the image in base64, or where it is to be had.
	Source string
}

// Check checks that the source is one (AWS API reference,
// ImportWorkspaceMedia).
func (m *WorkspaceMedia) Check() error {
	if u, err := url.Parse(m.Source); err == nil && u.Host != "" && (u.Scheme == "https" || u.Scheme == "http") {
		return nil
	}
	data := m.Source
	if rest, ok := strings.CutPrefix(data, "data:image/"); ok {
		_, data, _ = strings.Cut(rest, ";base64,")
	}
	if image, err := base64.StdEncoding.DecodeString(data); err != nil || len(image) == 0 {
		return fault.New(fault.InvalidParameter, "MediaSource must be an image in base64 or the URL of one")
	}
	return nil
}
