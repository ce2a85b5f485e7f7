#!/usr/bin/env bash
# Installs what building and testing ringdown need beside Go, on Debian and its
# kin: make, git, CA certificates, gcc (for the race detector), PostgreSQL (its tests start a
# server of their own), curl, the AWS CLI, Node with npm (for the chat library), sipp and
# baresip (which call the server), espeak-ng and flite (which speak for it), OpenLDAP's slapd (whose
# users sign in), xmlsec1 (which signs what identity providers say) and Chromium (which shows
# the sign-in pages). What is there already is left alone. Elsewhere it names what is missing.
set -euo pipefail

# wanted prints the packages that are missing, one a line.
wanted() {
	command -v make >/dev/null || echo make
	command -v git >/dev/null || echo git
	command -v gcc >/dev/null || echo gcc
	# The race detector links with the C library.
	[ -e /usr/include/stdlib.h ] || [ "$(uname -s)" != Linux ] || echo libc6-dev
	# Go fetches modules over TLS.
	[ -e /etc/ssl/certs/ca-certificates.crt ] || [ "$(uname -s)" != Linux ] || echo ca-certificates
	command -v aws >/dev/null || echo awscli
	command -v curl >/dev/null || echo curl
	command -v node >/dev/null || echo nodejs
	command -v npm >/dev/null || echo npm
	command -v sipp >/dev/null || echo sip-tester
	command -v baresip >/dev/null || echo baresip-core
	command -v espeak-ng >/dev/null || echo espeak-ng
	command -v flite >/dev/null || echo flite
	command -v slapd >/dev/null || [ -x /usr/sbin/slapd ] || echo slapd
	command -v xmlsec1 >/dev/null || echo xmlsec1
	command -v chromium >/dev/null || command -v google-chrome >/dev/null || echo chromium
	command -v initdb >/dev/null || compgen -G '/usr/lib/postgresql/*/bin/initdb' >/dev/null || echo postgresql
}

if ! command -v go >/dev/null; then
	echo "install-deps: Go is missing: see https://go.dev/doc/install; go.mod names the version" >&2
	exit 1
fi
mapfile -t packages < <(wanted)
if [ ${#packages[@]} -eq 0 ]; then
	echo "install-deps: nothing is missing"
	exit 0
fi
if ! command -v apt-get >/dev/null; then
	echo "install-deps: install these with this system's package manager: ${packages[*]}" >&2
	exit 1
fi
as_root=()
[ "$(id -u)" = 0 ] || as_root=(sudo)
echo "install-deps: installing ${packages[*]}"
"${as_root[@]}" apt-get update -qq
DEBIAN_FRONTEND=noninteractive "${as_root[@]}" apt-get install -y -qq --no-install-recommends "${packages[@]}" >/dev/null
