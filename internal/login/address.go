package login

import (
	"errors"
	"net"
	"net/http"
	"net/netip"
	"strings"

	"ringdown/internal/signin"
)

// SessionOf finds the session of a request, for other pages of this server. The
// error is signin.ErrNoSession, or internal.
func SessionOf(s Sessions, r *http.Request, proxies []netip.Prefix) (*signin.Session, error) {
	c, err := r.Cookie(Cookie)
	if err != nil || c.Value == "" {
		return nil, signin.ErrNoSession
	}
	return s.Session(r.Context(), signin.Visitor{Address: Address(r, proxies)}, c.Value)
}

// Address is the IP address of whoever sent a request. Proxies add the address
// that they saw to the end of X-Forwarded-For; so the first from the end that is
// not a trusted proxy's is the visitor's, and what stands before it anybody may
// have made up.
func Address(r *http.Request, proxies []netip.Prefix) netip.Addr {
	last := parseAddress(r.RemoteAddr)
	hops := strings.Split(strings.Join(r.Header.Values("X-Forwarded-For"), ","), ",")
	for i := len(hops) - 1; i >= 0 && trusted(last, proxies); i-- {
		hop := parseAddress(hops[i])
		if !hop.IsValid() {
			break
		}
		last = hop
	}
	return last
}

func trusted(a netip.Addr, proxies []netip.Prefix) bool {
	for _, p := range proxies {
		if p.Contains(a) {
			return true
		}
	}
	return false
}

// parseAddress reads an address with or without a port; the zero Addr stands for
// what is none.
func parseAddress(s string) netip.Addr {
	s = strings.TrimSpace(s)
	a, err := netip.ParseAddr(strings.Trim(s, "[]"))
	if err != nil {
		port, err := netip.ParseAddrPort(s)
		if err != nil {
			return netip.Addr{}
		}
		a = port.Addr()
	}
	return a.Unmap().WithZone("")
}

// errInsecure says that a page was reached in a way that others can listen to.
var errInsecure = errors.New("the page must be reached by https")

// https reports whether browsers reach this server by HTTPS.
func (p *pages) https() bool { return strings.HasPrefix(p.URL(), "https:") }

// insecure reports whether a password could be read on its way here: the request
// came over plain HTTP from another machine. With an https URL, TLS ends at a
// proxy.
func (p *pages) insecure(r *http.Request) bool {
	return r.TLS == nil && !p.https() && !loopback(r.Host)
}

// loopback reports whether browsers treat a host as this machine itself, and so
// as secure (W3C Secure Contexts §3.1).
func loopback(hostport string) bool {
	host := hostport
	if h, _, err := net.SplitHostPort(hostport); err == nil {
		host = h
	}
	host = strings.ToLower(strings.TrimSuffix(host, "."))
	if host == "localhost" || strings.HasSuffix(host, ".localhost") {
		return true
	}
	a, err := netip.ParseAddr(strings.Trim(host, "[]"))
	return err == nil && a.IsLoopback()
}

func (v *visit) insecureNotice() *notice {
	return &notice{status: http.StatusForbidden, title: "This page must be reached by HTTPS", text: []string{
		"What you type here could be read on its way, so nothing can be typed. Use the address that begins with https://.",
		"If there is none, whoever looks after this server has to set up TLS, or sign-in.url where a proxy does that.",
	}}
}

// local returns a destination if it is a path of this server, and "" otherwise:
// a link to our sign-in page must not send people elsewhere.
func local(destination string) string {
	if len(destination) > 2000 || !strings.HasPrefix(destination, "/") || strings.HasPrefix(destination, "//") {
		return ""
	}
	for _, c := range destination {
		// Browsers read \ as / and drop tabs and line breaks (WHATWG URL).
		if c <= ' ' || c == '\\' || c == 0x7f {
			return ""
		}
	}
	return destination
}
