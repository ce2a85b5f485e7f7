#!/usr/bin/env bash
# Has baresip, a telephone that nobody here wrote, call a ringdown server: it hears
# the prompts, presses keys, holds, resumes and hangs up; then it is called itself.
# What it hears is found in what it records, what became of the calls by the API.
set -euo pipefail
cd "$(dirname "$0")/.."
# shellcheck source=scripts/server.sh
. scripts/server.sh
# shellcheck source=scripts/sip/telephones.sh
. scripts/sip/telephones.sh

need baresip baresip
prepare 3
cat >"$work/ringdown.yaml" <<END
numbers: [{number: "+14155550101"}, {number: "+14155550102"}, {number: "+14155550103"}, {number: "+14155550104"}]
speech: {engine: none}
sip: {trunks: [{name: baresip, address: "sip:127.0.0.1:${port[0]}"}]}
END
start

# baresip starts one. It listens for TLS at the port after its own, and is controlled
# at the next.
baresip() { # NAME NUMBER PORT PARAMETERS-OF-ITS-ACCOUNT [module]
	local folder=$work/$1 at=$3 tries modules
	modules=$(find /usr/lib /usr/local/lib -name ctrl_tcp.so -path '*baresip*' -print -quit 2>/dev/null)
	[ -n "$modules" ] || fail "baresip has no module ctrl_tcp"
	mkdir -p "$folder"
	cat >"$folder/config" <<-END
		net_interface 127.0.0.1
		sip_listen 127.0.0.1:$at
		rtp_ports $((at + 4))-$((at + 11))
		audio_source ausine,400
		ausrc_srate 48000
		ausrc_channels 2
		audio_player aubridge,$1
		module_path ${modules%/*}
		module g711.so
		module ausine.so
		module aubridge.so
		${5:+module $5}
		module_tmp account.so
		module_app menu.so
		module_app ctrl_tcp.so
		ctrl_tcp_listen 127.0.0.1:$((at + 2))
		snd_path $folder
		statmode_default off
	END
	echo "<sip:$2@127.0.0.1:$at>;regint=0$4" >"$folder/accounts"
	: >"$folder/contacts"
	timeout 240 baresip -f "$folder" -4 >"$folder.out" 2>&1 </dev/null &
	others+=($!)
	# It is looked for in the table of the system: it takes one connection at a time, and
	# one that only tries would be in the way of the one that controls it.
	for tries in $(seq 100); do
		! grep -q ":$(printf %04X $((at + 2))) 00000000:0000 0A " /proc/net/tcp || return 0
		if [ "$tries" = 100 ] || ! kill -0 "${others[-1]}" 2>/dev/null; then
			guilty=$1
			fail "baresip ($1) did not start"
		fi
		sleep 0.1
	done
}

# holds_call has it hold a call, as "sip baresip" tells.
holds_call() { # NAME PORT [flag]...
	local name=$1 at=$2
	guilty=$name
	shift 2
	"$work/sip" baresip --control "127.0.0.1:$((at + 2))" --folder "$work/$name" "$@" || fail "baresip ($name)"
}

{ command baresip -h 2>/dev/null || true; } | sed -n "s|^baresip \(v[^ ]*\).*|baresip \1 against the server at $SIP, API at $URL|p"

echo "Baresip calls"
baresip caller +12065550001 "${port[1]}" "" sndfile.so
holds_call caller "${port[1]}" --uri "sip:$talk_number@$SIP"
ends --number "$talk_number" --attribute first=1 --attribute second=2 +12065550001=CUSTOMER_DISCONNECT

echo "Baresip is called, and holds at once"
baresip callee +12065550002 "${port[0]}" ";answermode=auto"
holds_call callee "${port[0]}" "${api[@]}" --flow "$talk_flow" --from "$talk_number" --number +12065550002 --hold-first
ends --method API --number "$talk_number" --attribute first=1 --attribute second=2 +12065550002=CUSTOMER_DISCONNECT
sound in 1
sound out 1
settled
stop
echo "All calls went as they should"
