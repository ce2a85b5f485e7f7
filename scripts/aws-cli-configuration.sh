#!/usr/bin/env bash
# Builds a contact centre with the real AWS command line interface, family by
# family, uses what it has built, and tears it down again: prompts with audio,
# flows and modules, phone numbers, storage, integrations, views, data tables,
# evaluation forms, rules, templates, vocabularies, workspaces, notifications,
# e-mail addresses. The commands that an old `aws` does not know are named at the
# end, and only those may be missing.
set -euo pipefail
cd "$(dirname "$0")/.."
# shellcheck source=scripts/server.sh
. scripts/server.sh
# shellcheck source=scripts/aws.sh
. scripts/aws.sh

# Commands that an older `aws` does not know. Debian 12 has such a one, 2.9.
newer="create-prompt create-evaluation-form create-contact-flow-module-version batch-get-flow-association create-view create-data-table create-workspace create-email-address"

need_aws
start_server
echo "$(aws --version 2>&1) against $URL"

ok create-instance --identity-management-type CONNECT_MANAGED --instance-alias configured \
	--inbound-calls-enabled --outbound-calls-enabled --query Id
instance=$out
here=(--instance-id "$instance")

# le writes a number as so many bytes, the least first.
le() { # number, bytes
	local n=$1 i
	for ((i = 0; i < $2; i++)); do
		printf "\\x$(printf %02x $((n & 255)))"
		n=$((n >> 8))
	done
}

# wav writes a second of silence: µ-law, one channel, 8,000 samples.
wav() {
	printf 'RIFF' && le $((8000 + 36)) 4 && printf 'WAVEfmt ' && le 16 4 && le 7 2 && le 1 2
	le 8000 4 && le 8000 4 && le 1 2 && le 8 2 && printf 'data' && le 8000 4
	head -c 8000 /dev/zero | tr '\0' '\377'
}

echo "Prompts"
mkdir -p "$DATA/objects/recordings"
wav >"$DATA/objects/recordings/hello.wav"
ok list-prompts "${here[@]}" --query 'PromptSummaryList[0].Id'
prompt=$out
if knows create-prompt; then
	ok create-prompt "${here[@]}" --name Hello --s3-uri s3://recordings/hello.wav --query PromptId
	prompt=$out
	ok get-prompt-file "${here[@]}" --prompt-id "$prompt" --query PromptPresignedUrl
	curl -fsS -o "$DATA/heard.wav" "$out" || fail "the presigned URL leads nowhere" "$out"
	cmp "$DATA/heard.wav" "$DATA/objects/recordings/hello.wav" || fail "what is heard is not what was given"
	passed "get-prompt-file leads to the audio"
	forged=$(curl -s -o /dev/null -w "%{http_code}" "${out/signature=/signature=x}")
	[ "$forged" = 403 ] || fail "a forged URL is not refused: $forged" "$out"
	passed "a forged URL is refused"
	echo "no audio" >"$DATA/objects/recordings/text.wav"
	refused InvalidParameterException "S3Uri" create-prompt "${here[@]}" --name Text --s3-uri s3://recordings/text.wav
	refused InvalidParameterException "S3Uri" create-prompt "${here[@]}" --name None --s3-uri s3://recordings/none.wav
fi

echo "Flows"
hello='{"Version":"2019-10-30","StartAction":"hello","Metadata":{},"Actions":[
 {"Identifier":"hello","Type":"MessageParticipant","Parameters":{"PromptId":"'$prompt'"},
  "Transitions":{"NextAction":"bye","Errors":[{"NextAction":"bye","ErrorType":"NoMatchingError"}],"Conditions":[]}},
 {"Identifier":"bye","Type":"DisconnectParticipant","Parameters":{},"Transitions":{}}]}'
ok create-contact-flow "${here[@]}" --name Hello --type CONTACT_FLOW --content "$hello" --query ContactFlowId
flow=$out
refused InvalidContactFlowException "" create-contact-flow "${here[@]}" --name Broken --type CONTACT_FLOW --content "${hello/NoMatchingError/NoSuchError}"
refused InvalidContactFlowException "" create-contact-flow "${here[@]}" --name Dangling --type CONTACT_FLOW --content "${hello/$prompt/00000000-0000-4000-8000-000000000000}"
grep -q 'Actions\[0\]' "$DATA/log" || fail "the server's log does not tell what is wrong with a flow" "$(tail -n 2 "$DATA/log")"
passed "the server's log tells what is wrong with a flow"
silent update-contact-flow-content "${here[@]}" --contact-flow-id "$flow:\$SAVED" --content '{"unfinished":true}'
ok describe-contact-flow "${here[@]}" --contact-flow-id "$flow" --query 'ContactFlow.[Name,State,Type]'
is "Hello ACTIVE CONTACT_FLOW" "describe-contact-flow"
ok describe-contact-flow "${here[@]}" --contact-flow-id "$flow:\$SAVED" --query 'ContactFlow.Content'
is '{"unfinished":true}' 'describe-contact-flow of the $SAVED content'
echo "$hello" >"$DATA/hello.json"
bin/ringdown flow check "$DATA/hello.json" >/dev/null || fail "ringdown flow check refuses a good flow"
passed "ringdown flow check accepts what the server accepts"
end='{"Version":"2019-10-30","StartAction":"end","Metadata":{},"Actions":[{"Identifier":"end","Type":"EndFlowModuleExecution","Parameters":{},"Transitions":{}}]}'
ok create-contact-flow-module "${here[@]}" --name Greeting --content "$end" --query Id
module=$out
if knows create-contact-flow-module-version; then
	ok create-contact-flow-module-version "${here[@]}" --contact-flow-module-id "$module" --query Version
	is "1" "create-contact-flow-module-version"
	ok create-contact-flow-module-alias "${here[@]}" --contact-flow-module-id "$module" --alias-name live --contact-flow-module-version 1 --query Id
	ok describe-contact-flow-module "${here[@]}" --contact-flow-module-id "$module:live" --query 'ContactFlowModule.[Name,Version]'
	is "Greeting 1" "describe-contact-flow-module by an alias"
fi

echo "Phone numbers"
arn=arn:aws:connect:us-east-1:123456789012:instance/$instance
ok search-available-phone-numbers --target-arn "$arn" --phone-number-country-code US --phone-number-type TOLL_FREE \
	--max-results 1 --query 'AvailableNumbersList[0].PhoneNumber'
about '^\+18[0-9]{9}$' "search-available-phone-numbers"
number=$out
ok claim-phone-number --target-arn "$arn" --phone-number "$number" --phone-number-description Support --query PhoneNumberId
number_id=$out
refused InvalidParameterException "not available" claim-phone-number --target-arn "$arn" --phone-number "$number"
silent associate-phone-number-contact-flow "${here[@]}" --phone-number-id "$number_id" --contact-flow-id "$flow"
if knows batch-get-flow-association; then
	ok batch-get-flow-association "${here[@]}" --resource-ids "arn:aws:connect:us-east-1:123456789012:phone-number/$number_id" \
		--resource-type VOICE_PHONE_NUMBER --query 'FlowAssociationSummaryList[0].FlowId'
	about "$flow\$" "batch-get-flow-association shows the number's flow"
fi
ok list-phone-numbers-v2 --target-arn "$arn" --query 'ListPhoneNumbersSummaryList[].[PhoneNumber,PhoneNumberType]'
is "$number TOLL_FREE" "list-phone-numbers-v2"

echo "What the instance is joined with"
ok associate-instance-storage-config "${here[@]}" --resource-type CALL_RECORDINGS \
	--storage-config 'StorageType=S3,S3Config={BucketName=recordings,BucketPrefix=calls}' --query AssociationId
ok list-instance-storage-configs "${here[@]}" --resource-type CALL_RECORDINGS --query 'StorageConfigs[].[StorageType,S3Config.BucketName]'
is "S3 recordings" "list-instance-storage-configs"
# Version 1 of the CLI would load what a URL as --origin leads to.
origin=(--cli-input-json '{"Origin":"https://agent.example.com"}')
silent associate-approved-origin "${here[@]}" "${origin[@]}"
refused ResourceConflictException "" associate-approved-origin "${here[@]}" "${origin[@]}"
ok list-approved-origins "${here[@]}" --query 'Origins'
is "https://agent.example.com" "list-approved-origins"
silent associate-lambda-function "${here[@]}" --function-arn arn:aws:lambda:us-east-1:123456789012:function:look-up
ok list-lambda-functions "${here[@]}" --query 'LambdaFunctions'
is "arn:aws:lambda:us-east-1:123456789012:function:look-up" "list-lambda-functions"

echo "Views and data tables"
if knows create-view; then
	ok list-views "${here[@]}" --type AWS_MANAGED --query 'length(ViewsSummaryList) > `3`'
	is "True" "list-views shows AWS's own"
	ok create-view "${here[@]}" --name Customer --status PUBLISHED --query 'View.[Name,Status]' \
		--content '{"Template":"{\"Head\":{\"Title\":\"Customer\",\"Configuration\":{\"Layout\":{\"Columns\":[\"12\"]}}},\"Body\":[]}","Actions":["Next"]}'
	is "Customer PUBLISHED" "create-view"
fi
if knows create-data-table; then
	ok create-data-table "${here[@]}" --name Stores --time-zone Europe/Berlin --value-lock-level NONE --status PUBLISHED --query Id
	table=(--data-table-id "$out")
	ok create-data-table-attribute "${here[@]}" "${table[@]}" --name City --value-type TEXT --primary --query Name
	ok create-data-table-attribute "${here[@]}" "${table[@]}" --name Phone --value-type TEXT --query Name
	ok batch-create-data-table-value "${here[@]}" "${table[@]}" --query '[length(Successful),length(Failed)]' \
		--values '[{"AttributeName":"Phone","Value":"+493012345","PrimaryValues":[{"AttributeName":"City","Value":"Berlin"}]}]'
	is "1 0" "batch-create-data-table-value"
	ok list-data-table-values "${here[@]}" "${table[@]}" --query 'Values[].Value'
	is "+493012345" "list-data-table-values"
fi

echo "Quality and automation"
if knows create-evaluation-form; then
	ok create-evaluation-form "${here[@]}" --title Courtesy --query EvaluationFormId \
		--items '[{"Section":{"Title":"Greeting","RefId":"s1","Items":[{"Question":{"Title":"Was it polite?","RefId":"q1","QuestionType":"NUMERIC","QuestionTypeProperties":{"Numeric":{"MinValue":0,"MaxValue":10}}}}]}}]'
	form=$out
	ok activate-evaluation-form "${here[@]}" --evaluation-form-id "$form" --evaluation-form-version 1 --query EvaluationFormVersion
	is "1" "activate-evaluation-form"
fi
ok create-rule "${here[@]}" --name Escalate --publish-status DRAFT --trigger-event-source EventSourceName=OnPostCallAnalysisAvailable \
	--function '{"Version":"2022-11-25","RuleFunction":{"Operator":"AND","Operands":[{"Operator":"CONTAINS_ANY","Operands":["refund"],"ComparisonValue":"$.ContactLens.PostCall.ExactMatch.Transcript","Negate":false}]}}' --actions '[{"ActionType":"ASSIGN_CONTACT_CATEGORY","AssignContactCategoryAction":{}}]' --query RuleId
ok list-rules "${here[@]}" --query 'RuleSummaryList[].Name'
is "Escalate" "list-rules"
ok create-task-template "${here[@]}" --name Refund --fields '[{"Id":{"Name":"Task name"},"Type":"NAME"}]' --contact-flow-id "$flow" --query Id
ok get-task-template "${here[@]}" --task-template-id "$out" --query '[Name,Status]'
is "Refund ACTIVE" "get-task-template"
ok create-vocabulary "${here[@]}" --vocabulary-name Products --language-code en-US --content $'Phrase\tIPA\tSoundsLike\tDisplayAs\nring-down\t\t\tRingdown' --query State
about '^(ACTIVE|CREATION_IN_PROGRESS)$' "create-vocabulary"

echo "What agents see"
if knows create-workspace; then
	ok create-workspace "${here[@]}" --name Desk --title 'The desk' --query WorkspaceId
	workspace=$out
	ok list-workspaces "${here[@]}" --query "WorkspaceSummaryList[?Id=='$workspace'].Name"
	is "Desk" "list-workspaces"
fi
if knows create-email-address; then
	ok create-email-address "${here[@]}" --email-address support@example.com --query EmailAddressId
	ok describe-email-address "${here[@]}" --email-address-id "$out" --query EmailAddress
	is "support@example.com" "describe-email-address"
fi

echo "Tearing it down"
silent disassociate-phone-number-contact-flow "${here[@]}" --phone-number-id "$number_id"
silent release-phone-number --phone-number-id "$number_id"
silent delete-contact-flow "${here[@]}" --contact-flow-id "$flow"
refused ResourceNotFoundException "" describe-contact-flow "${here[@]}" --contact-flow-id "$flow"
silent delete-instance "${here[@]}"
refused ResourceNotFoundException "" list-queues "${here[@]}"
left=$(grep -rl "$instance" "$DATA/objects" || true)$(find "$DATA/objects" -name "*$instance*" | head -n 1)
[ -z "$left" ] || fail "files of the deleted instance are left" "$left"
passed "no file of the instance is left"

finish "$@"
