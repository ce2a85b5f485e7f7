# Functions that check what the real AWS command line interface prints; sourced,
# not run, after scripts/server.sh. A script sets newer to the commands that an
# older `aws` does not know.

# shellcheck shell=bash

: "${newer=}"
checks=0
called=
unknown=

fail() {
	printf 'FAILED: %s\n' "$@" >&2
	printf -- '--- the last lines of the server:\n' >&2
	tail -n 5 "$DATA/log" >&2
	exit 1
}

# call runs "aws connect …". It sets out, err and status, and does not fail.
# The output is text unless format says otherwise.
call() {
	status=0
	out=$(aws connect "$@" --endpoint-url "$URL" --output "${format:-text}" 2>"$DATA/stderr") || status=$?
	err=$(cat "$DATA/stderr")
	case " $called " in *" $1 "*) ;; *) called="$called $1" ;; esac
}

# ok is call that must succeed.
ok() {
	call "$@"
	[ "$status" = 0 ] || fail "aws connect $* (exit code $status)" "$err"
}

# knows reports whether this aws has a command, and remembers it when not. A
# command that any aws has must be there.
knows() {
	call "$1" --generate-cli-skeleton
	[ "$status" != 0 ] || return 0
	case " $newer " in *" $1 "*) ;; *) fail "aws does not know $1" "${err##*$'\n'}" ;; esac
	unknown="$unknown $1"
	return 1
}

# is checks that what was printed, with tabs and line ends as blanks, is this.
is() {
	local got
	got=$(printf '%s' "$out" | tr '\t\n' '  ')
	[ "$got" = "$1" ] || fail "$2: got \"$got\", want \"$1\""
	passed "$2"
}

# silent checks that a command succeeds and prints nothing at all.
silent() {
	ok "$@"
	[ -z "$out$err" ] || fail "$1 printed \"$out$err\", want nothing"
	passed "$1 prints nothing"
}

# The CLI's exit code for an error that the service answers: version 2 tells it
# apart from other failures.
case "$(aws --version 2>&1)" in
aws-cli/1.*) service_error=255 ;;
*) service_error=254 ;;
esac

# refused checks that a command fails as the service's errors do.
refused() { # exception, part of the message, command…
	local exception=$1 message=$2
	shift 2
	call "$@"
	[ "$status" = "$service_error" ] || fail "$1: exit code $status, want $service_error" "$err"
	case "$err" in
	*"An error occurred ($exception) when calling the "*" operation"*"$message"*) passed "$1 is refused: $exception" ;;
	*) fail "$1: want $exception with \"$message\"" "$err" ;;
	esac
}

# about checks that part of what was printed matches a pattern.
about() { # extended regular expression, what
	grep -Eq -- "$1" <<<"$out" || fail "$2: got \"$out\", want a match of \"$1\""
	passed "$2"
}

passed() {
	checks=$((checks + 1))
	echo "  ok  $1"
}

need_aws() {
	command -v aws >/dev/null && return
	echo "there is no aws: scripts/install-deps.sh installs one" >&2
	exit 1
}

# finish checks that each command given was called, and says what was done.
finish() {
	local command
	for command in "$@"; do
		case " $called " in *" $command "*) ;; *) fail "$command was not called" ;; esac
	done
	[ -z "$unknown" ] || echo "This aws is too old to know:$unknown"
	echo "$checks checks passed with $(($(wc -w <<<"$called") - $(wc -w <<<"$unknown"))) commands of aws connect"
}
