# Functions for scripts that need a server of their own; sourced, not run.
#
#   start_server   starts bin/ringdown on a free port with a fresh data folder,
#                  sets DATA, URL and SERVER_PID, and exports root's
#                  credentials and the region, but no endpoint
#   stop_server    ends it and removes the folder; it may be called twice
#
# Only the process that was started here is ever ended.

# shellcheck shell=bash

SERVER_PID=
DATA=

start_server() { # [flag of "ringdown serve"]...
	if [ ! -x bin/ringdown ]; then
		echo "there is no bin/ringdown: run \"make build\"" >&2
		return 1
	fi
	DATA=$(mktemp -d "${TMPDIR:-/tmp}/ringdown.XXXXXX")
	trap stop_server EXIT
	trap 'exit 130' INT
	trap 'exit 143' TERM
	bin/ringdown serve --listen 127.0.0.1:0 --sip-listen 127.0.0.1:0 --data "$DATA" "$@" 2>"$DATA/log" </dev/null &
	SERVER_PID=$!
	# endpoint.json appears when the server is ready.
	local tries
	for tries in $(seq 300); do
		[ ! -e "$DATA/endpoint.json" ] || break
		if ! kill -0 "$SERVER_PID" 2>/dev/null || [ "$tries" = 300 ]; then
			echo "the server did not start:" >&2
			cat "$DATA/log" >&2
			return 1
		fi
		sleep 0.1
	done
	local settings
	settings=$(bin/ringdown env --data "$DATA")
	URL=$(sed -n 's/^export AWS_ENDPOINT_URL_CONNECT=//p' <<<"$settings")
	# Whatever this shell knows of another account must not reach the clients.
	local variable
	for variable in $(compgen -e AWS_ || true); do
		unset "$variable"
	done
	eval "$(grep -E '^export AWS_(ACCESS_KEY_ID|SECRET_ACCESS_KEY|REGION|DEFAULT_REGION)=' <<<"$settings")"
	export AWS_CONFIG_FILE=/dev/null AWS_SHARED_CREDENTIALS_FILE=/dev/null AWS_EC2_METADATA_DISABLED=true AWS_PAGER=
}

stop_server() {
	if [ -n "$SERVER_PID" ]; then
		kill "$SERVER_PID" 2>/dev/null || true
		wait "$SERVER_PID" 2>/dev/null || true
		SERVER_PID=
	fi
	if [ -n "$DATA" ]; then
		rm -rf "$DATA"
		DATA=
	fi
}
