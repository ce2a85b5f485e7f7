#!/usr/bin/env bash
# Starts a task and an outbound call with the real AWS command line interface,
# looks at them, changes them, finds them and stops them. The person called does
# not exist: the server answers in their place. The commands that an old `aws`
# does not know are named at the end, and only those may be missing.
set -euo pipefail
cd "$(dirname "$0")/.."
# shellcheck source=scripts/server.sh
. scripts/server.sh
# shellcheck source=scripts/aws.sh
. scripts/aws.sh

# Commands that an older `aws` does not know. Debian 12 has such a one, 2.9.
newer="search-contacts list-associated-contacts tag-contact untag-contact pause-contact resume-contact create-contact get-contact-metrics update-contact-routing-data"

need_aws
start_server
echo "$(aws --version 2>&1) against $URL"

ok create-instance --identity-management-type CONNECT_MANAGED --instance-alias contacts \
	--inbound-calls-enabled --outbound-calls-enabled --query Id
instance=$out
here=(--instance-id "$instance")
ok list-queues "${here[@]}" --queue-types STANDARD --query 'QueueSummaryList[0].Arn'
queue=$out
cat >"$DATA/flow.json" <<END
{"Version": "2019-10-30", "StartAction": "target", "Actions": [
	{"Identifier": "target", "Type": "UpdateContactTargetQueue", "Parameters": {"QueueId": "$queue"},
		"Transitions": {"NextAction": "enter", "Errors": [{"NextAction": "end", "ErrorType": "NoMatchingError"}]}},
	{"Identifier": "enter", "Type": "TransferContactToQueue", "Parameters": {},
		"Transitions": {"NextAction": "end", "Errors": [{"NextAction": "end", "ErrorType": "QueueAtCapacity"}, {"NextAction": "end", "ErrorType": "NoMatchingError"}]}},
	{"Identifier": "end", "Type": "DisconnectParticipant", "Parameters": {}, "Transitions": {}}]}
END
ok create-contact-flow "${here[@]}" --name Waits --type CONTACT_FLOW --content "file://$DATA/flow.json" --query ContactFlowId
flow=$out

# queued waits until a contact is in the queue: its flow begins after the answer
# to whoever started it.
queued() { # contact
	local tries
	for tries in $(seq 50); do
		ok describe-contact "${here[@]}" --contact-id "$1" --query 'Contact.QueueInfo.Id'
		[ "$out" = None ] || break
		[ "$tries" != 50 ] || fail "contact $1 does not come to its queue"
		sleep 0.2
	done
	[ "${queue##*/}" = "$out" ] || fail "contact $1 is in the queue $out"
	passed "it waits in the queue"
}

echo "A task"
ok start-task-contact "${here[@]}" --contact-flow-id "$flow" --name 'Call Mary' --description 'She asked for it' \
	--attributes Language=en,Tier=gold --references 'Order={Value=https://example.com/1,Type=URL}' --client-token one --query ContactId
task=$out
ok start-task-contact "${here[@]}" --contact-flow-id "$flow" --name 'Call Mary' --description 'She asked for it' \
	--attributes Language=en,Tier=gold --references 'Order={Value=https://example.com/1,Type=URL}' --client-token one --query ContactId
is "$task" "the same token leads to the same task"
queued "$task"
ok describe-contact "${here[@]}" --contact-id "$task" --query 'Contact.[Name,Channel,InitiationMethod,DisconnectReason]'
is "Call Mary TASK API None" "describe-contact"
silent update-contact-attributes "${here[@]}" --initial-contact-id "$task" --attributes Tier=,City=Bern
format=json
ok get-contact-attributes "${here[@]}" --initial-contact-id "$task"
format=
is '{     "Attributes": {         "City": "Bern",         "Language": "en",         "Tier": ""     } }' "get-contact-attributes"
ok list-contact-references "${here[@]}" --contact-id "$task" --reference-types URL --query 'ReferenceSummaryList[0].Url.Value'
is "https://example.com/1" "list-contact-references"
silent update-contact "${here[@]}" --contact-id "$task" --name 'Call Mary back'
if knows tag-contact; then
	silent tag-contact "${here[@]}" --contact-id "$task" --tags Team=A,Shift=late
	silent untag-contact "${here[@]}" --contact-id "$task" --tag-keys Shift
	ok describe-contact "${here[@]}" --contact-id "$task" --query 'Contact.[Name,Tags.Team,Tags.Shift]'
	is "Call Mary back A None" "describe-contact shows what was changed"
fi
if knows pause-contact; then
	silent pause-contact "${here[@]}" --contact-id "$task"
	refused ConflictException "paused" pause-contact "${here[@]}" --contact-id "$task"
	silent resume-contact "${here[@]}" --contact-id "$task"
fi
if knows get-contact-metrics; then
	ok get-contact-metrics "${here[@]}" --contact-id "$task" --metrics Name=POSITION_IN_QUEUE --query 'MetricResults[0].Value.Number'
	is "1.0" "get-contact-metrics"
fi
ok transfer-contact "${here[@]}" --contact-id "$task" --contact-flow-id "$flow" --queue-id "$queue" --query ContactId
next=$out
queued "$next"
refused InvalidRequestException "Exactly one of" start-task-contact "${here[@]}" --name Nothing

echo "A task for tomorrow"
tomorrow=$(($(date +%s) + 86400))
ok start-task-contact "${here[@]}" --contact-flow-id "$flow" --name Later --scheduled-time "$tomorrow" --related-contact-id "$next" --query ContactId
later=$out
silent update-contact-schedule "${here[@]}" --contact-id "$later" --scheduled-time $((tomorrow + 3600))
refused InvalidRequestException "past" update-contact-schedule "${here[@]}" --contact-id "$later" --scheduled-time 1700000000
if knows list-associated-contacts; then
	ok list-associated-contacts "${here[@]}" --contact-id "$next" --query 'ContactSummaryList[].ContactId'
	is "$task $next $later" "list-associated-contacts"
fi

echo "An outbound call"
ok search-available-phone-numbers --target-arn "arn:aws:connect:$AWS_REGION:123456789012:instance/$instance" --phone-number-country-code US \
	--phone-number-type DID --max-items 1 --query 'AvailableNumbersList[0].PhoneNumber'
number=${out%%$'\n'*}
ok claim-phone-number --target-arn "arn:aws:connect:$AWS_REGION:123456789012:instance/$instance" --phone-number "$number" --query PhoneNumberId
ok start-outbound-voice-contact "${here[@]}" --contact-flow-id "$flow" --destination-phone-number +12065550100 \
	--source-phone-number "$number" --attributes Language=en --query ContactId
voice=$out
queued "$voice"
ok describe-contact "${here[@]}" --contact-id "$voice" --query 'Contact.[Channel,CustomerEndpoint.Address,SystemEndpoint.Address]'
is "VOICE +12065550100 $number" "describe-contact"
refused InvalidRequestException "SourcePhoneNumber or QueueId" start-outbound-voice-contact "${here[@]}" --contact-flow-id "$flow" --destination-phone-number +12065550100

echo "Finding and stopping them"
if knows search-contacts; then
	range="Type=INITIATION_TIMESTAMP,StartTime=$((tomorrow - 90000)),EndTime=$tomorrow"
	ok search-contacts "${here[@]}" --time-range "$range" --search-criteria Channels=VOICE --query 'Contacts[].Id'
	is "$voice" "search-contacts by channel"
	ok search-contacts "${here[@]}" --time-range "$range" --sort FieldName=INITIATION_TIMESTAMP,Order=ASCENDING --page-size 1 --query 'Contacts[].Id'
	is "$task $next $later $voice" "search-contacts, one a page"
fi
for contact in "$next" "$later" "$voice"; do
	silent stop-contact "${here[@]}" --contact-id "$contact"
	refused ContactNotFoundException "ended" stop-contact "${here[@]}" --contact-id "$contact"
done
ok describe-contact "${here[@]}" --contact-id "$next" --query 'Contact.DisconnectReason'
is "API" "why the task ended"
ok describe-contact "${here[@]}" --contact-id "$voice" --query 'Contact.DisconnectReason'
is "OTHER" "why the call ended"
silent update-contact-attributes "${here[@]}" --initial-contact-id "$voice" --attributes Seen=yes
silent delete-instance "${here[@]}"
refused ResourceNotFoundException "" describe-contact "${here[@]}" --contact-id "$voice"

finish "$@"
