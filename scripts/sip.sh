#!/usr/bin/env bash
# Calls a ringdown server, and has it call, with sipp: 1,000 calls in and 1,000 out
# through a menu, with sound and keys, none of which may be lost; then calls that
# are busy, not answered, refused, cancelled, held, broken off or never
# acknowledged. What became of each is asked by the API and compared with its
# contact record.
#
#   scripts/sip.sh             CALLS=N makes N calls each way instead of 1,000
#
# sipp sends events of keys (RFC 4733) through a raw socket: this needs root, or
# CAP_NET_RAW for sipp.
set -euo pipefail
cd "$(dirname "$0")/.."
# shellcheck source=scripts/server.sh
. scripts/server.sh
# shellcheck source=scripts/sip/telephones.sh
. scripts/sip/telephones.sh

calls=${CALLS:-1000}
need sipp sip-tester
prepare 20
cat >"$work/ringdown.yaml" <<END
numbers: [{number: "+14155550101"}, {number: "+14155550102"}, {number: "+14155550103"}, {number: "+14155550104"}]
speech: {engine: none}
sip:
  trunks:
    - {name: events, address: "sip:127.0.0.1:${port[0]}", prefixes: ["+12065"]}
    - {name: tones, address: "sip:127.0.0.1:${port[1]}", prefixes: ["+12064"]}
    - {name: refuses, address: "sip:127.0.0.1:${port[2]}", prefixes: ["+12066"]}
    - {name: rings, address: "sip:127.0.0.1:${port[3]}", prefixes: ["+12067"]}
    - {name: leaves, address: "sip:127.0.0.1:${port[4]}", prefixes: ["+12068"]}
    - {name: silent, address: "sip:127.0.0.1:${port[5]}", prefixes: ["+120690"]}
    - {name: nobody, address: "sip:127.0.0.1:${port[6]};transport=tcp", prefixes: ["+120691"]}
END
start
echo "$(sipp -v | sed -n 's/^ *\(SIPp v[^ ]*\)\..*/\1/p') against the server at $SIP, API at $URL"

# What takes half a minute goes on beside the rest.
telephone unacknowledged caller-no-ack "${port[7]}" +12069 3 -r 10 -s "$talk_number"
"$work/sip" hear --port "${port[5]}" --hz 1 --wait 10m 2>/dev/null & # it listens, and says nothing
others+=($!)
"$work/sip" dial "${api[@]}" --flow "$menu_flow" --from "$menu_number" --ring 60 +12069000001 +12069000002 >/dev/null

echo "$calls calls in"
SECONDS=0
# By UDP, except those that press by INFO: all of these share a TCP connection.
telephone events caller-events "${port[8]}" +12065 $((calls / 2)) -r 20 -s "$campaign_number"
telephone info caller-info "${port[9]}" +12064 $((calls * 3 / 10)) -r 12 -t t1 -s "$menu_number"
telephone tones caller-tones "${port[10]}" +12063 $((calls / 5)) -r 8 -s "$menu_number"
done_with events info tones
took=$SECONDS
ends --prefix +12065 --count $((calls / 2)) --number "$campaign_number" --choices --attribute campaign=spring
ends --prefix +12064 --count $((calls * 3 / 10)) --number "$menu_number" --choices
ends --prefix +12063 --count $((calls / 5)) --number "$menu_number" --choices
sound in "$calls"
echo "  ok  $((calls / took)) calls a second went through the menu"

echo "$calls calls out"
SECONDS=0
telephone callees callee-events "${port[0]}" "" $((calls * 6 / 10))
telephone tones callee-tones "${port[1]}" "" $((calls * 4 / 10))
"$work/sip" dial "${api[@]}" --flow "$menu_flow" --from "$menu_number" --rate 24 --prefix +12065 --count $((calls * 6 / 10)) &
dialling=$!
"$work/sip" dial "${api[@]}" --flow "$menu_flow" --from "$menu_number" --rate 16 --prefix +12064 --count $((calls * 4 / 10))
wait "$dialling" || fail "calls could not be started"
done_with callees tones
took=$SECONDS
ends --method API --prefix +12065 --count $((calls * 6 / 10)) --number "$menu_number" --choices --ringing 100ms
ends --method API --prefix +12064 --count $((calls * 4 / 10)) --number "$menu_number" --choices --ringing 100ms
sound out "$calls"
echo "  ok  $((calls / took)) calls a second went through the menu"

echo "Nobody comes to the telephone"
refusals=(486=TELECOM_BUSY 600=TELECOM_BUSY 480=TELECOM_UNANSWERED 408=TELECOM_UNANSWERED 487=TELECOM_UNANSWERED
	404=TELECOM_NUMBER_INVALID 484=TELECOM_NUMBER_INVALID 603=TELECOM_POTENTIAL_BLOCKING 403=TELECOM_POTENTIAL_BLOCKING
	503=TELECOM_PROBLEM 500=TELECOM_PROBLEM 488=TELECOM_PROBLEM)
numbers=() expected=()
for refusal in "${refusals[@]}"; do
	for n in 1 2 3; do
		numbers+=("+120660${refusal%=*}0$n")
		expected+=("+120660${refusal%=*}0$n=${refusal#*=}")
	done
done
telephone refuses callee-refuses "${port[2]}" "" ${#numbers[@]}
telephone rings callee-rings "${port[3]}" "" 5
"$work/sip" dial "${api[@]}" --flow "$menu_flow" --from "$menu_number" "${numbers[@]}"
"$work/sip" dial "${api[@]}" --flow "$menu_flow" --from "$menu_number" --ring 15 --prefix +12067 --count 5
# A telephone that is not there: nothing listens for the connection.
"$work/sip" dial "${api[@]}" --flow "$menu_flow" --from "$menu_number" +12069100001
done_with refuses rings
ends --method API --unanswered "${expected[@]}"
ends --method API --unanswered --prefix +12067 --count 5 --reason TELECOM_UNANSWERED
ends --method API --unanswered +12069100001=TELECOM_PROBLEM

echo "Somebody hangs up"
telephone leaves callee-leaves "${port[4]}" "" 10
"$work/sip" dial "${api[@]}" --flow "$menu_flow" --from "$menu_number" --prefix +12068 --count 10
telephone goes caller-leaves "${port[11]}" +12062 10 -r 5 -s "$menu_number"
done_with leaves goes
ends --method API --prefix +12068 --count 10 --reason CUSTOMER_DISCONNECT
ends --prefix +12062 --count 10 --reason CUSTOMER_DISCONNECT

echo "A caller gives up at once"
telephone cancels caller-cancels "${port[12]}" +12061 20 -r 10 -s "$menu_number" -trace_logs -log_file "$work/cancels.answered"
done_with cancels
mapfile -t answered < <(sort -u "$work/cancels.answered" 2>/dev/null)
mapfile -t cancelled < <(sed -n 's/^\(+[0-9]*\);.*/\1/p' "$work/cancels.csv" | grep -vxF -f <(printf '%s\n' none "${answered[@]}"))
[ ${#cancelled[@]} != 0 ] || fail "each of 20 calls was answered before its CANCEL"
ends --unanswered "${cancelled[@]/%/=TELECOM_ORIGINATOR_CANCEL}"
[ ${#answered[@]} = 0 ] || ends "${answered[@]/%/=CUSTOMER_DISCONNECT}"
echo "  ok  ${#cancelled[@]} calls were cancelled, ${#answered[@]} answered first and hung up"

echo "A caller holds, resumes with sound elsewhere, and asks for an offer"
"$work/sip" hear --port "${port[13]}" --hz 1200 --streams 3 --wait 60s &
hearing=$!
telephone holds caller-holds "${port[14]}" +12060 3 -l 1 -s "$holding_number" -key heard "${port[13]}"
done_with holds
wait "$hearing" || fail "sound did not go where it was told to"
ends --prefix +12060 --count 3 --choices

echo "A caller of nobody"
telephone unknown caller-unknown "${port[15]}" +12068 5 -r 10 -s +14155550199
done_with unknown
ends --none --prefix +12068 --count 5

echo "Half a minute"
done_with unacknowledged
ends --prefix +12069 --count 3 --reason TELECOM_PROBLEM
ends --method API --unanswered --wait 60s +12069000001=TELECOM_TIMEOUT +12069000002=TELECOM_TIMEOUT

settled
stop

echo "A server with a trunk elsewhere"
cat >"$work/ringdown.yaml" <<END
numbers: [{number: "+14155550101"}, {number: "+14155550102"}, {number: "+14155550103"}, {number: "+14155550104"}]
speech: {engine: none}
sip: {trunks: [{name: elsewhere, sources: [127.0.0.2]}]}
END
start
"$work/sip" stranger --server "$SIP" --from 127.0.0.1 --friend 127.0.0.2 --number "$menu_number"
stop
echo "All calls ended as they should"
