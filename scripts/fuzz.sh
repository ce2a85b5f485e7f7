#!/usr/bin/env bash
# Runs every fuzz target of the module: for FUZZ_TIME each, those that see the
# bytes of strangers first for FUZZ_EXPOSED_TIME, and those that see what comes in
# calls (SIP, SDP, RTP, RTCP) with FUZZ_CALL_INPUTS inputs each, if that is set.
# FUZZ_LANES targets (one for each processor) run side by side with one worker
# each, so that while one is built, starts or ends the others go on.
set -euo pipefail
cd "$(dirname "$0")/.."

: "${FUZZ_TIME:=10s}"
: "${FUZZ_EXPOSED_TIME:=$FUZZ_TIME}"
: "${FUZZ_LANES:=$(getconf _NPROCESSORS_ONLN)}"
# The decoder of requests, the parsers of signatures, ARNs, policy documents,
# flows and test cases, the interpreter of flows, the tokens of chats and of
# sessions, what SAML identity providers are said to have signed. An expression for grep -E.
exposed='^Fuzz(Decode|Authorization|ParseARN|ParsePolicy|Check|CheckTest|Step|Token|SessionToken|Form|Validate|Rearranged)$'
# What comes in calls: at a number of inputs each, so that all together see a
# million.
calls='^ringdown/internal/voice/(sip|sdp|media)[a-z/]* Fuzz(Message|Dialog|Answer|Accept|RTP|RTCP)$'

export work cache
work=$(mktemp -d "${TMPDIR:-/tmp}/fuzz.XXXXXX")
trap 'rm -rf "$work"' EXIT
cache=$(go env GOCACHE)/fuzz

folder() { echo "./${1#ringdown/}"; }

# Where a package's binary is, which its targets share.
binary() { echo "$work/${1//\//.}.test"; }

# fuzz runs a target of a package for a time, and shows how it went when it ends.
fuzz() {
	local package=$1 target=$2 time=$3
	local log=$work/$target.${package//\//.}.log
	# Inputs are not made small for long: where code walks maps they cover something
	# else each time, and all the time would go into that.
	if (cd "$(folder "$package")" && "$(binary "$package")" -test.run '^$' -test.fuzz "^$target\$" -test.fuzztime "$time" -test.fuzzminimizetime 10x \
		-test.fuzzcachedir "$cache/$package" -test.parallel 1 -test.timeout 10m -test.paniconexit0) >"$log" 2>&1; then
		# Without what the compiler adds for it, fuzzing is guessing.
		! grep -q 'not built with coverage instrumentation' "$log" || { cat "$log"; return 1; }
	elif grep -q '^ *context deadline exceeded$' "$log" && ! grep -Eq 'Failing input written|panic|fuzzing process' "$log"; then
		# The coordinator may take the end of its own time for a failure
		# (golang/go#75804, mended in Go 1.27). Nothing was found then.
		:
	else
		printf 'fuzz %s %s for %s: FAILED\n%s\n' "$package" "$target" "$time" "$(cat "$log")"
		return 1
	fi
	printf 'fuzz %s %s for %s\n%s\n' "$package" "$target" "$time" "$(grep '^fuzz: elapsed' "$log" | tail -n 1)"
}
export -f folder binary fuzz

# Targets are found in the sources: to ask the tests they all had to be built, which takes minutes.
targets=$(go list -f '{{$p := .ImportPath}}{{range .TestGoFiles}}{{$p}} {{.}}{{"\n"}}{{end}}{{range .XTestGoFiles}}{{$p}} {{.}}{{"\n"}}{{end}}' ./... |
	while read -r package file; do
		sed -nE "s|^func (Fuzz\w*)\(.*|$package \1|p" "$(folder "$package")/$file"
	done)
if ! cut -d ' ' -f 2 <<<"$targets" | grep -Eq "$exposed"; then
	echo "there are no fuzz targets" >&2
	exit 1
fi

# plan tells each target's time, the longest first, so that at the end no lane has
# much to do while the others have nothing.
plan() {
	while read -r package target; do
		local rank=3 time=$FUZZ_TIME
		! grep -Eq "$exposed" <<<"$target" || { rank=2 time=$FUZZ_EXPOSED_TIME; }
		[ -z "${FUZZ_CALL_INPUTS:-}" ] || ! grep -Eq "$calls" <<<"$package $target" || { rank=1 time=${FUZZ_CALL_INPUTS}x; }
		echo "$rank $package $target $time"
	done <<<"$targets" | sort -s -n -k 1,1 | cut -d ' ' -f 2-
}

# A package is built when its first target's turn comes near. One that cannot be
# built ends the plan; what is under way goes on to its end.
plan | while read -r package target time; do
	[ -e "$(binary "$package")" ] || go test -c -fuzz . -o "$(binary "$package")" "$package" >&2
	echo "$package $target $time"
done | xargs -r -P "$FUZZ_LANES" -L 1 bash -c 'fuzz "$@"' fuzz
