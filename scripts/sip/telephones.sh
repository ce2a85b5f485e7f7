# Functions for scripts that hold calls with a server; sourced, not run, after
# scripts/server.sh.
#
#   prepare COUNT    builds the program scripts/sip; sets work, a folder, and port,
#                    free ports
#   start [flag]...  starts a server with work/ringdown.yaml and an instance; sets
#                    SIP, api, and what "sip setup" prints
#   stop             ends it
#   settled          waits until nothing is left of the calls
#   telephone NAME SCENARIO PORT PREFIX COUNT [flag]...   starts sipp
#   done_with NAME...   waits for them: each call of theirs must be good
#   ends [flag]...   looks at what became of contacts
#   sound WAY COUNT  looks whether sound has gone both ways
#
# Only what was started here is ended.

# shellcheck shell=bash

work=
port=()
declare -A telephones=()
others=()
guilty= # whose output fail shows

fail() {
	printf 'FAILED: %s\n' "$@" >&2
	local log
	for log in "$work"/*.errors "$work/$guilty.out"; do
		[ -s "$log" ] || continue
		printf -- '--- the last lines of %s:\n' "${log##*/}" >&2
		tail -n 25 "$log" >&2
	done
	if [ -e "$DATA/log" ]; then
		printf -- '--- the last warnings of the server:\n' >&2
		grep -E 'level=(WARN|ERROR)|panic|DATA RACE' "$DATA/log" | tail -n 15 >&2 || true
		printf -- '--- the last lines of the server:\n' >&2
		tail -n 15 "$DATA/log" >&2
	fi
	keep
	exit 1
}

# keep has what went wrong outlast the script.
keep() {
	local kept
	kept=$(mktemp -d "${TMPDIR:-/tmp}/ringdown-failed.XXXXXX") || return 0
	cp -r "$work/." "$kept" 2>/dev/null || true
	rm -f "$kept/sip"
	cp "$DATA/log" "$kept/server.log" 2>/dev/null || true
	echo "--- logs and recordings are kept in $kept" >&2
}

need() { # command package
	command -v "$1" >/dev/null && return
	echo "there is no $1 (package $2): scripts/install-deps.sh installs it" >&2
	exit 1
}

prepare() { # how many ports
	work=$(mktemp -d "${TMPDIR:-/tmp}/ringdown-sip.XXXXXX")
	trap cleanup EXIT
	trap 'exit 130' INT
	trap 'exit 143' TERM
	go build -o "$work/sip" ./scripts/sip
	: >"$work/ports"
	"$work/sip" ports "$1" >"$work/ports" &
	others+=($!)
	local tries
	for tries in $(seq 100); do
		mapfile -t port <"$work/ports"
		[ ${#port[@]} != "$1" ] || return 0
		sleep 0.05
	done
	fail "there are no $1 free ports (after $tries looks)"
}

cleanup() {
	local pid
	for pid in "${telephones[@]}" "${others[@]}"; do
		kill "$pid" 2>/dev/null || true
		wait "$pid" 2>/dev/null || true
	done
	telephones=() others=()
	stop_server
	[ -z "$work" ] || rm -rf "$work"
	work=
}

start() {
	start_server --config "$work/ringdown.yaml" "$@"
	trap cleanup EXIT # start_server has set its own
	SIP=$(sed -n 's/.*"SIP":"\([^"]*\)".*/\1/p' "$DATA/endpoint.json")
	[ -n "$SIP" ] || fail "the server takes no calls"
	(cd "$work" && ./sip sounds --data "$DATA")
	local settings
	settings=$("$work/sip" setup --endpoint-url "$URL") || fail "setup"
	eval "$settings"
	# shellcheck disable=SC2154 # setup prints instance=…
	api=(--endpoint-url "$URL" --instance-id "$instance")
	read -r idle_goroutines idle_files < <(measure)
}

# measure prints how many goroutines the server has, and open files.
measure() {
	curl -fsS "$URL/-/metrics" | awk '$1 == "go_goroutines" { g = $2 } $1 == "process_open_fds" { f = $2 } END { print g, f }'
}

# settled wants as many of both as there were before the first call, but for a few
# that serve the API and the database.
settled() {
	local goroutines files few=20 tries
	for tries in $(seq 100); do
		read -r goroutines files < <(measure)
		if [ "$goroutines" -le $((idle_goroutines + few)) ] && [ "$files" -le $((idle_files + few)) ]; then
			echo "  ok  nothing is left of the calls: $goroutines goroutines and $files open files, $idle_goroutines and $idle_files before"
			return
		fi
		[ "$tries" != 100 ] || fail "after the calls there are $goroutines goroutines and $files open files, $idle_goroutines and $idle_files before"
		sleep 0.5
	done
}

# stop wants a log without errors, and ends the server.
stop() {
	! grep -qE 'level=ERROR|^panic|DATA RACE' "$DATA/log" || fail "the server has errors in its log"
	stop_server
}

# telephone starts a sipp that takes COUNT calls or, when it is given the beginning
# of the numbers that call, makes them.
telephone() { # NAME SCENARIO PORT PREFIX COUNT [flag of sipp]...
	local name=$1 scenario=$PWD/scripts/sip/$2.xml at=$3 prefix=$4 count=$5
	shift 5
	local from=()
	if [ -n "$prefix" ]; then
		"$work/sip" callers --prefix "$prefix" 0 "$count" >"$work/$name.csv"
		from=(-inf "$name.csv" -l 200)
	fi
	(
		cd "$work"
		exec timeout 240 sipp "$SIP" -sf "$scenario" -m "$count" -i 127.0.0.1 -mi 127.0.0.1 -p "$at" -mp $((at + 2)) "${from[@]}" "$@" \
			-nostdin -timeout 200 -timeout_error -trace_err -error_file "$name.errors" -trace_stat -stf "$name.stat" -fd 1 >"$name.out" 2>&1 </dev/null
	) &
	telephones[$name]=$!
	[ -z "$prefix" ] || return 0
	# A call must not come before it listens: it would be repeated half a second later.
	local tries
	for tries in $(seq 100); do
		! grep -q ":$(printf %04X "$at") " /proc/net/udp || return 0
		kill -0 "${telephones[$name]}" 2>/dev/null || return 0 # done_with tells why
		sleep 0.05
	done
	fail "sipp ($name) does not listen"
}

# done_with waits until telephones have held all their calls, and none failed.
done_with() {
	local name status numbers
	for name in "$@"; do
		status=0 guilty=$name
		wait "${telephones[$name]}" || status=$?
		unset "telephones[$name]"
		# The columns of the last line: SuccessfulCall(C), FailedCall(C) and more.
		numbers=$(awk -F';' 'NR == 1 { for (i = 1; i <= NF; i++) at[$i] = i } END { print $at["SuccessfulCall(C)"], $at["FailedCall(C)"], $at["Retransmissions(C)"] }' "$work/$name.stat" 2>/dev/null) || true
		[ "$status" = 0 ] || fail "sipp ($name) ended with $status; good calls, failed calls, retransmissions: $numbers"
		read -r good bad again <<<"$numbers"
		echo "  ok  sipp ($name): $good calls good, $bad failed, $again retransmissions"
		rm -f "$work/$name.errors"
		guilty=
	done
}

# ends has "sip ends" look at what became of calls.
ends() {
	"$work/sip" ends "${api[@]}" --data "$DATA" "$@" || fail "contacts are not as they should be: ends $*"
}

# sound wants as many calls in the server's log as there were, each with sound both
# ways: a menu cannot be passed in less than a second, 50 packets. Where the flow hangs
# up, a call may be in the log a moment after its contact is over.
sound() { # in|out COUNT
	local found tries
	for tries in $(seq 25); do
		if found=$(packets "$@"); then
			echo "$found"
			return
		fi
		[ "$tries" = 25 ] || sleep 0.2
	done
	fail "sound" "$found"
}

packets() { # in|out COUNT
	awk -v way="direction=$1" -v want="$2" '
		/msg="call ended"/ && index($0, way) && /answered=true/ && !/reason=TELECOM/ {
			n++
			for (i = 1; i <= NF; i++) if (split($i, f, "=") == 2) v[f[1]] = f[2]
			if (v["received"] < 50 || v["sent"] < 20) bad++
			received += v["received"]; sent += v["sent"]; lost += v["lost"]
		}
		END {
			printf "  ok  sound of %d calls: %d packets received, %d lost, %d sent\n", n, received, lost, sent
			if (n != want || bad) { printf "%d of %d calls had no sound one way or the other, want %d calls\n", bad, n, want; exit 1 }
		}' "$DATA/log"
}
