#!/usr/bin/env bash
# Drives a ringdown server with the real AWS command line interface: every
# command below is called as its users call it, with --endpoint-url and
# credentials and nothing else, and what it prints is checked. Any `aws` will
# do; the commands that an old one does not know are named at the end, and
# only those may be missing.
#
#   scripts/aws-cli.sh [command]...    with commands: check that each was called
set -euo pipefail
cd "$(dirname "$0")/.."
# shellcheck source=scripts/server.sh
. scripts/server.sh
# shellcheck source=scripts/aws.sh
. scripts/aws.sh

: "${USERS:=2500}" # how many the paginator has to go through

# Commands that an older `aws` does not know, because its service model lacks
# the operations. Debian 12 has such a one, 2.9.
newer="search-agent-statuses search-user-hierarchy-groups"

need_aws
start_server
echo "$(aws --version 2>&1) against $URL"
uuid='[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}'

echo "An instance and what it starts with"
ok create-instance --identity-management-type CONNECT_MANAGED --instance-alias aws-cli \
	--inbound-calls-enabled --outbound-calls-enabled --query Id
about "^$uuid\$" "create-instance prints an id"
instance=$out
here=(--instance-id "$instance")

ok list-queues "${here[@]}" --queue-types STANDARD --query 'QueueSummaryList[].[Name,QueueType]'
is "BasicQueue STANDARD" "list-queues"
ok list-hours-of-operations "${here[@]}" --query 'HoursOfOperationSummaryList[].Name'
is "Basic Hours" "list-hours-of-operations"
ok list-routing-profiles "${here[@]}" --query 'RoutingProfileSummaryList[].[Name,Id]'
about "^Basic Routing Profile	$uuid\$" "list-routing-profiles"
routing=${out##*$'\t'}
ok list-security-profiles "${here[@]}" --query 'sort(SecurityProfileSummaryList[].Name)'
is "Admin Agent CallCenterManager QualityAnalyst" "list-security-profiles"
ok list-security-profiles "${here[@]}" --query "SecurityProfileSummaryList[?Name=='Agent'].Id"
agent_profile=$out
ok list-security-profiles "${here[@]}" --query "SecurityProfileSummaryList[?Name=='Admin'].Id"
admin_profile=$out
ok list-contact-flows "${here[@]}" --contact-flow-types CUSTOMER_QUEUE --query 'ContactFlowSummaryList[].[ContactFlowType,Name]'
about "^CUSTOMER_QUEUE	Default customer queue\$" "list-contact-flows"
ok list-phone-numbers "${here[@]}" --query 'length(PhoneNumberSummaryList)'
is "0" "list-phone-numbers"

echo "Hierarchy"
ok describe-user-hierarchy-structure "${here[@]}" --query 'keys(HierarchyStructure)'
is "" "describe-user-hierarchy-structure of a new instance"
silent update-user-hierarchy-structure "${here[@]}" --hierarchy-structure 'LevelOne={Name=Division},LevelTwo={Name=Team}'
ok describe-user-hierarchy-structure "${here[@]}" --query 'HierarchyStructure.[LevelOne.Name,LevelTwo.Name]'
is "Division Team" "describe-user-hierarchy-structure"
ok create-user-hierarchy-group "${here[@]}" --name Support --query HierarchyGroupId
support=$out
ok create-user-hierarchy-group "${here[@]}" --name Returns --parent-group-id "$support" --query HierarchyGroupId
returns=$out
ok describe-user-hierarchy-group "${here[@]}" --hierarchy-group-id "$returns" \
	--query 'HierarchyGroup.[Name,LevelId,HierarchyPath.LevelOne.Name,HierarchyPath.LevelTwo.Name]'
is "Returns 2 Support Returns" "describe-user-hierarchy-group"
ok list-user-hierarchy-groups "${here[@]}" --query 'sort(UserHierarchyGroupSummaryList[].Name)'
is "Returns Support" "list-user-hierarchy-groups"

echo "A user"
ok create-user "${here[@]}" --username mmajor --password 'Passw0rd-1' \
	--identity-info FirstName=Mary,LastName=Major \
	--phone-config PhoneType=DESK_PHONE,AutoAccept=true,AfterContactWorkTimeLimit=60,DeskPhoneNumber=+15555551212 \
	--routing-profile-id "$routing" --security-profile-ids "$agent_profile" --tags Department=Support --query UserArn
about "^arn:aws:connect:us-east-1:[0-9]{12}:instance/$instance/agent/$uuid\$" "create-user prints the ARN"
arn=$out
user=${arn##*/}
mary=("${here[@]}" --user-id "$user")

ok describe-user "${mary[@]}" --query 'User.[Username,IdentityInfo.FirstName,IdentityInfo.LastName,RoutingProfileId,SecurityProfileIds[0],Tags.Department]'
is "mmajor Mary Major $routing $agent_profile Support" "describe-user"
ok describe-user "${mary[@]}" --query 'User.PhoneConfig.[PhoneType,AutoAccept,AfterContactWorkTimeLimit,DeskPhoneNumber]'
is "DESK_PHONE True 60 +15555551212" "describe-user shows the phone settings of the shorthand"
ok describe-user "${mary[@]}"
case "$out$err" in *Passw0rd*) fail "describe-user shows the password" ;; esac
passed "describe-user without --query keeps the password to itself"
ok list-users "${here[@]}" --query 'UserSummaryList[].[Username,Id]'
is "mmajor $user" "list-users"
refused DuplicateResourceException "" create-user "${here[@]}" --username mmajor --password 'Passw0rd-1' \
	--identity-info FirstName=Mary,LastName=Major --phone-config PhoneType=SOFT_PHONE \
	--routing-profile-id "$routing" --security-profile-ids "$agent_profile"

echo "Changes to a user"
silent update-user-identity-info "${mary[@]}" --identity-info FirstName=Maria,LastName=Minor,Email=maria@example.com
silent update-user-phone-config "${mary[@]}" --phone-config PhoneType=SOFT_PHONE,AutoAccept=false,AfterContactWorkTimeLimit=30
silent update-user-hierarchy "${mary[@]}" --hierarchy-group-id "$returns"
silent update-user-security-profiles "${mary[@]}" --security-profile-ids "$agent_profile" "$admin_profile"
silent update-user-routing-profile "${mary[@]}" --routing-profile-id "$routing"
ok describe-user "${mary[@]}" --query 'User.[IdentityInfo.FirstName,IdentityInfo.LastName,IdentityInfo.Email,PhoneConfig.PhoneType,PhoneConfig.AutoAccept,PhoneConfig.AfterContactWorkTimeLimit,HierarchyGroupId,RoutingProfileId,length(SecurityProfileIds)]'
is "Maria Minor maria@example.com SOFT_PHONE False 30 $returns $routing 2" "describe-user shows every change"
refused ResourceNotFoundException "" update-user-routing-profile "${mary[@]}" --routing-profile-id 00000000-0000-4000-8000-000000000000
silent update-user-hierarchy "${mary[@]}"
ok describe-user "${mary[@]}" --query 'User.HierarchyGroupId'
is "None" "update-user-hierarchy without a group takes the user out"
silent update-user-hierarchy "${mary[@]}" --hierarchy-group-id "$returns"

echo "Tags"
silent tag-resource --resource-arn "$arn" --tags Department=Sales,Site=Berlin
ok list-tags-for-resource --resource-arn "$arn" --query 'tags.[Department,Site]'
is "Sales Berlin" "list-tags-for-resource"
silent untag-resource --resource-arn "$arn" --tag-keys Site
ok list-tags-for-resource --resource-arn "$arn" --query 'tags'
is "Sales" "list-tags-for-resource after untag-resource"

echo "Searches"
ok search-users "${here[@]}" --query '[ApproximateTotalCount,Users[0].Username]' \
	--search-criteria 'StringCondition={FieldName=Username,Value=mma,ComparisonType=STARTS_WITH}'
is "1 mmajor" "search-users by name"
ok search-users "${here[@]}" --query 'Users[].Username' \
	--search-criteria "HierarchyGroupCondition={Value=$support,HierarchyGroupMatchType=WITH_CHILD_GROUPS}" \
	--search-filter 'TagFilter={TagCondition={TagKey=Department,TagValue=Sales}}'
is "mmajor" "search-users by hierarchy and tag"
if knows search-agent-statuses; then
	ok search-agent-statuses "${here[@]}" --query 'sort(AgentStatuses[].Name)' \
		--search-criteria 'OrConditions=[{StringCondition={FieldName=name,Value=Avail,ComparisonType=STARTS_WITH}},{StringCondition={FieldName=name,Value=Offline,ComparisonType=EXACT}}]'
	is "Available Offline" "search-agent-statuses"
fi
if knows search-user-hierarchy-groups; then
	ok search-user-hierarchy-groups "${here[@]}" --query 'UserHierarchyGroups[].Name' \
		--search-criteria 'StringCondition={FieldName=name,Value=Returns,ComparisonType=EXACT}'
	is "Returns" "search-user-hierarchy-groups"
fi

echo "Errors"
refused ResourceNotFoundException "" describe-user "${here[@]}" --user-id 00000000-0000-4000-8000-000000000000
refused ResourceNotFoundException "" list-users --instance-id 00000000-0000-4000-8000-000000000000
AWS_SECRET_ACCESS_KEY=wrong refused InvalidSignatureException "signature" list-users "${here[@]}"
AWS_ACCESS_KEY_ID=AKIAUNKNOWN refused UnrecognizedClientException "security token" list-users "${here[@]}"
refused ResourceInUseException "" delete-user-hierarchy-group "${here[@]}" --hierarchy-group-id "$returns"
silent delete-user "${mary[@]}"
refused ResourceNotFoundException "" delete-user "${mary[@]}"
ok list-users "${here[@]}" --query 'length(UserSummaryList)'
is "0" "list-users after delete-user"

echo "The paginator over $USERS users"
ok create-instance --identity-management-type SAML --instance-alias aws-cli-pages \
	--inbound-calls-enabled --outbound-calls-enabled --query Id
pages=(--instance-id "$out")
ok list-routing-profiles "${pages[@]}" --query 'RoutingProfileSummaryList[0].Id'
routing=$out
ok list-security-profiles "${pages[@]}" --query 'SecurityProfileSummaryList[0].Id'
go run ./scripts/fillusers --endpoint-url "$URL" "${pages[@]}" --routing-profile-id "$routing" \
	--security-profile-id "$out" --count "$USERS" | sort >"$DATA/made"

# complete checks that what was printed over all pages is the users, each once.
complete() {
	tr -s '\t' '\n' <<<"$out" | sort >"$DATA/listed"
	[ -z "$(uniq -d "$DATA/listed")" ] || fail "$1 repeats users" "$(uniq -d "$DATA/listed" | head -n 3)"
	diff "$DATA/made" "$DATA/listed" >"$DATA/difference" || fail "$1 is not complete" "$(head -n 5 "$DATA/difference")"
	passed "$1 is complete and without repeats"
}
ok list-users "${pages[@]}" --query 'UserSummaryList[].Username'
complete "list-users"
ok list-users "${pages[@]}" --page-size 99 --query 'UserSummaryList[].Username'
complete "list-users by pages of 99"
ok search-users "${pages[@]}" --query 'Users[].Username'
complete "search-users"
# The CLI's own continuation token holds the server's and an offset. It is made
# for a whole answer, which text is not: that is printed page by page.
format=json ok list-users "${pages[@]}" --max-items 150 --page-size 100 --query 'NextToken'
ok list-users "${pages[@]}" --page-size 100 --starting-token "${out//\"/}" --query 'UserSummaryList[].Username'
got=$(tr -s '\t' '\n' <<<"$out" | grep -c '^agent-' || true)
[ "$got" = $((USERS - 150)) ] || fail "list-users from --starting-token gave $got users, want $((USERS - 150))"
passed "list-users goes on from --starting-token"

finish "$@"
