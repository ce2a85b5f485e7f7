#!/usr/bin/env bash
# Runs the given govulncheck. Where its database cannot be reached it says so
# and succeeds: a build must not depend on the network of the day.
set -uo pipefail
cd "$(dirname "$0")/.."

out=$("$1" ./... 2>&1)
status=$?
echo "$out"
# govulncheck exits with 3 when it has found something, with 1 when it failed.
if [ $status = 1 ] && grep -q 'fetching vulnerabilities: ' <<<"$out"; then
	echo "vulncheck: SKIPPED, the vulnerability database cannot be reached from here"
	exit 0
fi
exit $status
