#!/usr/bin/env bash
# Holds chats with a ringdown server as its users do: with the real AWS command
# line interface, and with amazon-connect-chatjs, the library of chat widgets, as
# it is published. What they print and hear is checked.
#
#   scripts/chat.sh            CHATJS=FOLDER uses the library that is in the folder
set -euo pipefail
cd "$(dirname "$0")/.."
# shellcheck source=scripts/server.sh
. scripts/server.sh
# shellcheck source=scripts/aws.sh
. scripts/aws.sh

# participant runs "aws connectparticipant …", which must succeed; it sets out. Of
# its own accord it signs nothing: a token is all that it shows.
participant() {
	status=0
	out=$(aws connectparticipant "$@" --endpoint-url "$URL" --no-sign-request --output text 2>"$DATA/stderr") || status=$?
	err=$(cat "$DATA/stderr")
	[ "$status" = 0 ] || fail "aws connectparticipant $* (exit code $status)" "$err"
}

# until_is repeats a command of participant until it prints something.
until_is() { # WANT MEANING COMMAND...
	local want=$1 meaning=$2 tries
	shift 2
	for tries in $(seq 50); do
		participant "$@"
		[ "$(printf '%s' "$out" | tr '\t\n' '  ')" != "$want" ] || break
		sleep 0.1
	done
	is "$want" "$meaning"
}

need_aws
if ! command -v node >/dev/null; then
	echo "chat: node is missing (apt-get install nodejs npm)" >&2
	exit 1
fi
start_server
echo "$(aws --version 2>&1) and node $(node --version) against $URL"

echo "An instance and a flow that greets"
ok create-instance --identity-management-type CONNECT_MANAGED --instance-alias chat \
	--inbound-calls-enabled --outbound-calls-enabled --query Id
instance=$out
end='"Errors":[{"NextAction":"end","ErrorType":"NoMatchingError"}]'
done='{"NextAction":"end","Condition":{"Operator":"Equals","Operands":["WaitCompleted"]}}'
flow='{"Version":"2019-10-30","StartAction":"hello","Actions":[
{"Identifier":"hello","Type":"MessageParticipant","Parameters":{"Text":"Hello!"},"Transitions":{"NextAction":"wait",'$end'}},
{"Identifier":"wait","Type":"Wait","Parameters":{"TimeLimitSeconds":"3600","Events":["CustomerReturned"]},"Transitions":{"NextAction":"end","Conditions":['$done',{"NextAction":"again","Condition":{"Operator":"Equals","Operands":["CustomerReturned"]}}],'$end'}},
{"Identifier":"again","Type":"MessageParticipant","Parameters":{"Text":"You said something."},"Transitions":{"NextAction":"rest",'$end'}},
{"Identifier":"rest","Type":"Wait","Parameters":{"TimeLimitSeconds":"3600"},"Transitions":{"NextAction":"end","Conditions":['$done'],'$end'}},
{"Identifier":"end","Type":"DisconnectParticipant","Parameters":{},"Transitions":{}}]}'
ok create-contact-flow --instance-id "$instance" --name greeting --type CONTACT_FLOW --content "$flow" --query ContactFlowId
flow_id=$out

# start_chat starts one and sets chat to its answer, JSON.
start_chat() {
	format=json ok start-chat-contact --instance-id "$instance" --contact-flow-id "$flow_id" --participant-details DisplayName=Mary
	chat=$out
}
field() { node -e 'process.stdout.write(JSON.parse(process.argv[1])[process.argv[2]] ?? "")' "$chat" "$1"; }

echo "By the command line"
start_chat
participant create-participant-connection --participant-token "$(field ParticipantToken)" --type CONNECTION_CREDENTIALS \
	--connect-participant --query ConnectionCredentials.ConnectionToken
token=$out
until_is "SYSTEM Hello!" "the greeting" get-transcript --connection-token "$token" --query "Transcript[?Type=='MESSAGE'].[ParticipantRole,Content]"
participant send-message --connection-token "$token" --content-type text/plain --content "I have a question." --query Id
message=$out
until_is "SYSTEM Hello! CUSTOMER I have a question. SYSTEM You said something." "messages both ways" \
	get-transcript --connection-token "$token" --sort-order ASCENDING --query "Transcript[?Type=='MESSAGE'].[ParticipantRole,Content]"
participant send-event --connection-token "$token" --content-type application/vnd.amazonaws.connect.event.typing --query AbsoluteTime
about '^20[0-9-]*T[0-9:.]*Z$' "send-event"
participant get-transcript --connection-token "$token" --start-position "Id=$message" --max-results 1 --query 'Transcript[].Content'
is "I have a question." "get-transcript from a position"

printf 'These are the terms.' >"$DATA/terms.txt"
participant start-attachment-upload --connection-token "$token" --attachment-name terms.txt --attachment-size-in-bytes 20 --content-type text/plain \
	--query '[AttachmentId,UploadMetadata.Url]'
read -r attachment link <<<"$out"
curl -fsS -T "$DATA/terms.txt" -H 'Content-Type: text/plain' "$link"
participant complete-attachment-upload --connection-token "$token" --attachment-ids "$attachment"
participant get-attachment --connection-token "$token" --attachment-id "$attachment" --query Url
out=$(curl -fsS "$out")
is "These are the terms." "an attachment, up and down"

participant disconnect-participant --connection-token "$token"
participant get-transcript --connection-token "$token" --max-results 1 --query 'Transcript[].ContentType'
is "application/vnd.amazonaws.connect.event.chat.ended" "the transcript after the end"
status=0
aws connectparticipant send-message --connection-token "$token" --content-type text/plain --content "!" --endpoint-url "$URL" --no-sign-request >/dev/null 2>"$DATA/stderr" || status=$?
out=$(grep -o AccessDeniedException "$DATA/stderr" || true)
is "AccessDeniedException" "nothing can be said after the end"

echo "By amazon-connect-chatjs"
modules=${CHATJS:-}
if [ -z "$modules" ]; then
	modules=$DATA/chatjs
	scripts/chatjs/install.sh "$modules" >/dev/null
fi
start_chat
ENDPOINT=$URL CHAT=$chat MODULES=$modules node scripts/chatjs/chat.mjs || fail "chatjs"
echo "all as it should be: $checks checks by the command line, and a chat by chatjs"
