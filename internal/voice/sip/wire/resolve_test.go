package wire

import (
	"context"
	"errors"
	"net"
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/emiago/sipgo/sip"
)

// zone is a DNS of a few names. It counts what it is asked for hosts.
type zone struct{ asked int }

func (z *zone) LookupNetIP(_ context.Context, _, host string) ([]netip.Addr, error) {
	z.asked++
	switch strings.ToLower(host) {
	case "sip.example.com", "second.example.com":
		return []netip.Addr{netip.MustParseAddr("2001:db8::1"), netip.MustParseAddr("192.0.2.7")}, nil
	case "six.example.com":
		return []netip.Addr{netip.MustParseAddr("2001:db8::1")}, nil
	}
	return nil, errors.New("no such host")
}

func (z *zone) LookupSRV(_ context.Context, service, proto, name string) (string, []*net.SRV, error) {
	if name == "srv.example.com" {
		return "", []*net.SRV{{Target: "second.example.com.", Port: map[string]uint16{"sip/udp": 5070, "sip/tcp": 5071, "sips/tcp": 5072}[service+"/"+proto]}}, nil
	}
	return "", nil, errors.New("no such service")
}

// TestResolver is where URIs lead.
func TestResolver(t *testing.T) {
	names := &zone{}
	r := NewResolver(time.Now, names)
	for uri, want := range map[string]string{
		"sip:a@192.0.2.9":                             "UDP 192.0.2.9:5060",
		"sip:a@192.0.2.9:5070;transport=TCP":          "TCP 192.0.2.9:5070",
		"sips:a@192.0.2.9":                            "TLS 192.0.2.9:5061",
		"sip:a@192.0.2.9;transport=tls":               "TLS 192.0.2.9:5061",
		"sip:a@[2001:db8::9]:5070":                    "UDP [2001:db8::9]:5070",
		"sip:a@host.example.com;maddr=192.0.2.8":      "UDP 192.0.2.8:5060",
		"sip:a@sip.example.com":                       "UDP 192.0.2.7:5060 sip.example.com",
		"sip:a@SIP.example.com":                       "UDP 192.0.2.7:5060 SIP.example.com",
		"sip:a@six.example.com":                       "UDP [2001:db8::1]:5060 six.example.com",
		"sip:a@srv.example.com":                       "UDP 192.0.2.7:5070 srv.example.com",
		"sip:a@srv.example.com;transport=tcp":         "TCP 192.0.2.7:5071 srv.example.com",
		"sips:a@srv.example.com":                      "TLS 192.0.2.7:5072 srv.example.com",
		"sip:a@srv.example.com:5090":                  "",
		"sip:a@none.example.com":                      "",
		"sip:a@0.0.0.0":                               "",
		"sip:a@224.0.0.1":                             "",
		"tel:+15550100":                               "",
		"sip:a@192.0.2.9;transport=sctp":              "",
		"sips:a@192.0.2.9;transport=udp":              "",
		"sip:a@192.0.2.9:99999":                       "",
		"sip:a@[2001:db8::1]:5060;lr;transport=tcp;x": "TCP [2001:db8::1]:5060",
	} {
		var u sip.Uri
		if err := sip.ParseUri(uri, &u); err != nil {
			t.Fatalf("%s: %v", uri, err)
		}
		h, err := r.Resolve(t.Context(), &u)
		got := ""
		if err == nil {
			got = strings.TrimSpace(h.Proto.String() + " " + h.Addr.String() + " " + h.Name)
		}
		if !strings.EqualFold(got, want) {
			t.Errorf("%s leads to %q (%v), want %q", uri, got, err, want)
		}
	}
	before := names.asked
	var u sip.Uri
	_ = sip.ParseUri("sip:b@sip.example.com", &u)
	if _, err := r.Resolve(t.Context(), &u); err != nil || names.asked != before {
		t.Errorf("asked again: %v", err)
	}
}
