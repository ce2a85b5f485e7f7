#!/usr/bin/env bash
# Runs every fuzz target of the module, one after another: for FUZZ_TIME each,
# those that see the bytes of strangers first for FUZZ_EXPOSED_TIME, and those
# that see what comes in calls (SIP, SDP, RTP, RTCP) with FUZZ_CALL_INPUTS inputs
# each, if that is set.
set -euo pipefail
cd "$(dirname "$0")/.."

: "${FUZZ_TIME:=10s}"
: "${FUZZ_EXPOSED_TIME:=$FUZZ_TIME}"
# The decoder of requests, the parsers of signatures, ARNs, policy documents,
# flows and test cases, the interpreter of flows, the tokens of chats and of
# sessions, what SAML identity providers are said to have signed. An expression for grep -E.
exposed='^Fuzz(Decode|Authorization|ParseARN|ParsePolicy|Check|CheckTest|Step|Token|SessionToken|Form|Validate|Rearranged)$'
# What comes in calls: at a number of inputs each, so that all together see a
# million.
calls='^ringdown/internal/voice/(sip|sdp|media)[a-z/]* Fuzz(Message|Dialog|Answer|Accept|RTP|RTCP)$'

log=$(mktemp "${TMPDIR:-/tmp}/fuzz.XXXXXX")
trap 'rm -f "$log"' EXIT

# A package's targets are printed before the line with its name.
targets=$(go test -list '^Fuzz' ./... | awk '
	/^Fuzz/ { names[++n] = $1; next }
	$1 == "ok" { for (i = 1; i <= n; i++) print $2, names[i]; n = 0 }')
if ! grep -Eq "${exposed#^}" <<<"$targets"; then
	echo "there are no fuzz targets" >&2
	exit 1
fi

failed=0
while read -r package target; do
	time=$FUZZ_TIME
	! grep -Eq "$exposed" <<<"$target" || time=$FUZZ_EXPOSED_TIME
	[ -z "${FUZZ_CALL_INPUTS:-}" ] || ! grep -Eq "$calls" <<<"$package $target" || time=${FUZZ_CALL_INPUTS}x
	echo "fuzz $package $target for $time"
	# Inputs are not made small for long: where code walks maps they cover something
	# else each time, and all the time would go into that.
	if go test -run '^$' -fuzz "^$target\$" -fuzztime "$time" -fuzzminimizetime 10x "$package" >"$log" 2>&1; then
		grep '^fuzz: elapsed' "$log" | tail -n 1
	elif grep -q '^ *context deadline exceeded$' "$log" && ! grep -Eq 'Failing input written|panic|fuzzing process' "$log"; then
		# The coordinator may take the end of its own time for a failure
		# (golang/go#75804, mended in Go 1.27). Nothing was found then.
		grep '^fuzz: elapsed' "$log" | tail -n 1
	else
		cat "$log"
		failed=1
	fi
done <<<"$targets"
exit $failed
