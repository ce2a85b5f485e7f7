package domain

import (
	"net/url"
	"strings"

	"ringdown/internal/fault"
)

// ApprovedOrigin is a site that may embed the instance's pages.
type ApprovedOrigin struct {
	Origin string // scheme, host and perhaps port, as it was given
}

// Key is the form in which origins are compared: schemes and hosts have no
// case (RFC 6454 §4).
func (o *ApprovedOrigin) Key() string { return strings.ToLower(o.Origin) }

// Check checks that the origin is one that a browser can send: a scheme, a
// host and perhaps a port (RFC 6454 §6.2).
func (o *ApprovedOrigin) Check() error {
	u, err := url.Parse(o.Origin)
	if err != nil || u.Scheme != "https" && u.Scheme != "http" || u.Hostname() == "" || !strings.EqualFold(u.Scheme+"://"+u.Host, o.Origin) {
		return fault.New(fault.InvalidParameter, "Origin must be a scheme and a host, such as https://example.com, without a path or a slash at its end")
	}
	return nil
}
