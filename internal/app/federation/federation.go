// Package federation serves GetFederationToken.
package federation
