#!/usr/bin/env bash
# Starts a server in a temporary folder and works through a tour of
# "aws connect" calls, each printed with its answer. The server then runs until
# Ctrl-C, or ends at once when TOUR_ONCE=1. Everything goes with it.
set -euo pipefail
cd "$(dirname "$0")/.."
# shellcheck source=scripts/server.sh
. scripts/server.sh

if ! command -v aws >/dev/null; then
	echo "The tour needs the AWS CLI (apt-get install awscli, or see the AWS CLI user guide)." >&2
	exit 1
fi

if [ -t 1 ]; then bold=$'\033[1m' plain=$'\033[0m'; else bold='' plain=''; fi

say() { printf '\n%s%s%s\n' "$bold" "$*" "$plain"; }

# aws_connect prints a command as somebody would type it, runs it and prints
# its answer, which stays in out.
aws_connect() {
	printf '$ aws connect'
	local word
	for word in "$@"; do
		case "$word" in
		*\'*) printf ' "%s"' "$word" ;;
		*[!a-zA-Z0-9_=,.:/@+-]*) printf " '%s'" "$word" ;;
		*) printf ' %s' "$word" ;;
		esac
	done
	printf '\n'
	local status=0
	out=$(aws connect "$@" --endpoint-url "$URL" 2>&1) || status=$?
	[ -z "$out" ] || sed '/^$/d; s/^/    /' <<<"$out"
	return $status
}

start_server
say "A server listens on $URL, with its data in $DATA"
echo "Each call below also carries --endpoint-url $URL"

say "A contact centre, made in an instant, and what it starts with"
aws_connect create-instance --identity-management-type CONNECT_MANAGED --instance-alias tour \
	--inbound-calls-enabled --outbound-calls-enabled --query Id --output text
instance=$out
aws_connect list-queues --instance-id "$instance" --queue-types STANDARD --query 'QueueSummaryList[].[Name,Arn]' --output text
aws_connect list-routing-profiles --instance-id "$instance" --query 'RoutingProfileSummaryList[0].Id' --output text
routing=$out
aws_connect list-security-profiles --instance-id "$instance" --query "SecurityProfileSummaryList[?Name=='Agent'].Id" --output text
security=$out

say "A hierarchy of teams"
aws_connect update-user-hierarchy-structure --instance-id "$instance" --hierarchy-structure 'LevelOne={Name=Division},LevelTwo={Name=Team}'
aws_connect create-user-hierarchy-group --instance-id "$instance" --name Support --query HierarchyGroupId --output text
support=$out
aws_connect create-user-hierarchy-group --instance-id "$instance" --name Returns --parent-group-id "$support" --query HierarchyGroupId --output text
returns=$out

say "An agent in it"
aws_connect create-user --instance-id "$instance" --username mary --password 'Passw0rd-1' \
	--identity-info FirstName=Mary,LastName=Major \
	--phone-config PhoneType=DESK_PHONE,AutoAccept=true,AfterContactWorkTimeLimit=60,DeskPhoneNumber=+15555551212 \
	--hierarchy-group-id "$returns" --routing-profile-id "$routing" --security-profile-ids "$security" \
	--tags Department=Support --query UserArn --output text
arn=$out
user=${arn##*/}
aws_connect update-user-identity-info --instance-id "$instance" --user-id "$user" --identity-info FirstName=Mary,LastName=Minor,Email=mary@example.com
aws_connect tag-resource --resource-arn "$arn" --tags Site=Berlin
aws_connect describe-user --instance-id "$instance" --user-id "$user"

say "Found by name, by team and by tag"
aws_connect search-users --instance-id "$instance" \
	--search-criteria 'StringCondition={FieldName=Username,Value=mar,ComparisonType=STARTS_WITH}' \
	--query '[ApproximateTotalCount,Users[].Username]' --output text
aws_connect search-users --instance-id "$instance" \
	--search-criteria "HierarchyGroupCondition={Value=$support,HierarchyGroupMatchType=WITH_CHILD_GROUPS}" \
	--search-filter 'TagFilter={TagCondition={TagKey=Site,TagValue=Berlin}}' \
	--query 'Users[].Username' --output text

# refused is aws_connect that is expected to be answered with an error.
refused() {
	if aws_connect "$@"; then
		echo "that should have been refused" >&2
		exit 1
	fi
}

say "Errors say what is wrong"
refused create-user --instance-id "$instance" --username mary --password 'Passw0rd-1' \
	--identity-info FirstName=Mary,LastName=Major --phone-config PhoneType=SOFT_PHONE \
	--routing-profile-id "$routing" --security-profile-ids "$security"
refused delete-user-hierarchy-group --instance-id "$instance" --hierarchy-group-id "$returns"
refused describe-user --instance-id "$instance" --user-id 00000000-0000-4000-8000-000000000000

say "A flow is checked before it is published; this one has a mistake"
cat >"$DATA/greeting.json" <<'END'
{
  "Version": "2019-10-30",
  "StartAction": "hello",
  "Actions": [
    {"Identifier": "hello", "Type": "MessageParticipant", "Parameters": {"Text": "Hello!"},
     "Transitions": {"NextAction": "by", "Errors": [{"ErrorType": "NoMatchingError", "NextAction": "bye"}]}},
    {"Identifier": "bye", "Type": "DisconnectParticipant", "Parameters": {}, "Transitions": {}}
  ]
}
END
echo "\$ ringdown flow check greeting.json"
(cd "$DATA" && "$OLDPWD/bin/ringdown" flow check greeting.json 2>&1) | sed 's/^/    /' || true
refused create-contact-flow --instance-id "$instance" --name Greeting --type CONTACT_FLOW --content "file://$DATA/greeting.json"
sed -i 's/"by"/"bye"/' "$DATA/greeting.json"
aws_connect create-contact-flow --instance-id "$instance" --name Greeting --type CONTACT_FLOW --content "file://$DATA/greeting.json" \
	--query ContactFlowId --output text
flow=$out

say "A phone number that leads to it"
centre=${arn%/agent/*}
aws_connect search-available-phone-numbers --target-arn "$centre" --phone-number-country-code US --phone-number-type TOLL_FREE \
	--max-results 1 --query 'AvailableNumbersList[0].PhoneNumber' --output text
aws_connect claim-phone-number --target-arn "$centre" --phone-number "$out" --query PhoneNumberId --output text
aws_connect associate-phone-number-contact-flow --instance-id "$instance" --phone-number-id "$out" --contact-flow-id "$flow"

if [ "${TOUR_ONCE:-}" = 1 ]; then
	say "That was the tour."
	exit
fi
say "The server goes on until Ctrl-C. To use it from another terminal, in this folder:"
echo "eval \"\$(bin/ringdown env --data $DATA)\""
echo "aws connect list-users --instance-id $instance --endpoint-url $URL"
wait "$SERVER_PID"
