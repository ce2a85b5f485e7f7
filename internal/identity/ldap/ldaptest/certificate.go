package ldaptest

import "ringdown/internal/certtest"

// certify makes an authority, and a certificate and a key for the directory.
func (s *Server) certify(kind Certificate) (cert, key string) {
	s.tb.Helper()
	authority := certtest.New(s.tb, certtest.Options{Names: []string{"authority.example.org"}})
	s.CA = authority.PEM()
	own := certtest.Options{Names: []string{"127.0.0.1", "localhost"}, By: authority, Expired: kind == Expired}
	if kind == OtherName {
		own.Names = []string{"directory.example.org"}
	}
	return certtest.New(s.tb, own).Files(s.tb)
}
