#!/usr/bin/env bash
# Signs in with the real AWS command line interface: a SAML identity provider is
# added, its responses are exchanged for temporary credentials, those for a
# federation token, and the token's SignInUrl opens a session. What must be
# refused is refused with the right error.
#
#   scripts/aws-cli-signin.sh [command]...    with commands: check that each was called
set -euo pipefail
cd "$(dirname "$0")/.."
# shellcheck source=scripts/server.sh
. scripts/server.sh
# shellcheck source=scripts/aws.sh
. scripts/aws.sh

# call is that of scripts/aws.sh for the service of $service.
call() {
	status=0
	out=$(aws "${service:-connect}" "$@" --endpoint-url "$URL" --output "${format:-text}" 2>"$DATA/stderr") || status=$?
	err=$(cat "$DATA/stderr")
	case " $called " in *" $1 "*) ;; *) called="$called $1" ;; esac
}

# as runs a check with temporary credentials.
as() { # access key, secret, session token, check…
	AWS_ACCESS_KEY_ID=$1 AWS_SECRET_ACCESS_KEY=$2 AWS_SESSION_TOKEN=$3 "${@:4}"
}

# respond prints a response of the identity provider about a user.
respond() { # user, flag…
	"$DATA/saml" response --key "$DATA/idp.pem" --role "$role" --provider "$provider" \
		--audience "$audience" --recipient "$acs" --user "$@"
}

# assume exchanges a response for credentials: key, secret and token.
assume() { # response
	service=sts ok assume-role-with-saml --role-arn "$role" --principal-arn "$provider" --saml-assertion "$1" \
		--query '[Credentials.AccessKeyId,Credentials.SecretAccessKey,Credentials.SessionToken]'
	read -r key secret token <<<"$out"
}

# not_assumed checks that a response is refused.
not_assumed() { # what, exception, part of the message, response
	service=sts refused "$2" "$3" assume-role-with-saml --role-arn "$role" --principal-arn "$provider" --saml-assertion "$4"
	echo "      ($1)"
}

# page opens a page as a browser with a fresh or given jar of cookies does; it
# sets code and html.
page() { # jar, curl's arguments…
	code=$(curl -sS -L --max-redirs 5 -b "$1" -c "$1" -o "$DATA/page" -w '%{http_code}' "${@:2}")
	html=$(cat "$DATA/page")
}

# shows checks the page that was opened.
shows() { # code, extended regular expression, what
	[ "$code" = "$1" ] || fail "$3: HTTP status $code, want $1" "$html"
	grep -Eq -- "$2" <<<"$html" || fail "$3: the page has no \"$2\"" "$html"
	passed "$3"
}

need_aws
# Roles for services are in the configuration file.
start_server --config <(
	cat <<'YAML'
sign-in:
  roles:
    - name: reports
      assumed-by: [user/nightly]
      policy:
        Version: "2012-10-17"
        Statement: {Effect: Allow, Action: "connect:ListUsers", Resource: "*"}
YAML
)
echo "$(aws --version 2>&1) against $URL"

echo "An instance of type SAML with a user"
ok create-instance --identity-management-type SAML --instance-alias aws-cli-signin \
	--inbound-calls-enabled --outbound-calls-enabled --query Id
instance=$out
here=(--instance-id "$instance")
ok list-routing-profiles "${here[@]}" --query 'RoutingProfileSummaryList[0].Id'
routing=$out
ok list-security-profiles "${here[@]}" --query "SecurityProfileSummaryList[?Name=='Agent'].Id"
ok create-user "${here[@]}" --username mmajor --identity-info FirstName=Mary,LastName=Major,Email=mary@example.com \
	--phone-config PhoneType=SOFT_PHONE --routing-profile-id "$routing" --security-profile-ids "$out" --query UserArn
user=$out
refused InvalidRequestException "cannot be used for federation with Amazon Connect" get-federation-token "${here[@]}"

echo "An identity provider"
go build -o "$DATA/saml" ./scripts/saml
"$DATA/saml" metadata --key "$DATA/idp.pem" >"$DATA/idp.xml"
entered=$(bin/ringdown idp add --metadata "$DATA/idp.xml" --name corp --role agents --data "$DATA")
# What an operator would copy from there to the identity provider.
IFS=, read -r role provider < <(grep -Eo 'arn:aws:iam::[0-9]{12}:role/agents,arn:aws:iam::[0-9]{12}:saml-provider/corp' <<<"$entered")
audience=$(sed -n 's/^ *Audience (entity id) *//p' <<<"$entered")
acs=$(sed -n 's/^ *Sign-in URL (ACS, reply URL) *//p' <<<"$entered")
acs=${acs/INSTANCE/$instance}
account=$(cut -d: -f5 <<<"$role")
out=$(bin/ringdown idp list --data "$DATA")
about '^corp  *https://idp\.example\.org/saml  *agents ' "ringdown idp list"

echo "Credentials"
response=$(respond mmajor)
service=sts ok assume-role-with-saml --role-arn "$role" --principal-arn "$provider" --saml-assertion "$response" --duration-seconds 1800 \
	--query '[AssumedRoleUser.Arn,Subject,SubjectType,Issuer,Audience,Credentials.AccessKeyId,Credentials.SecretAccessKey,Credentials.SessionToken]'
read -r arn subject type issuer recipient key secret token <<<"$out"
out="$arn $subject $type $issuer $recipient"
is "arn:aws:sts::$account:assumed-role/agents/mmajor mmajor persistent https://idp.example.org/saml $acs" "assume-role-with-saml"
service=sts as "$key" "$secret" "$token" ok get-caller-identity --query '[Arn,UserId]'
about "assumed-role/agents/mmajor	AROA[A-Z0-9]{17}:mmajor\$" "get-caller-identity"
as "$key" "$secret" "$token" refused AccessDeniedException "connect:ListUsers" list-users "${here[@]}"

echo "A federation token, and what it opens"
as "$key" "$secret" "$token" ok get-federation-token "${here[@]}" --query '[UserArn,SignInUrl]'
read -r arn url <<<"$out"
[ "$arn" = "$user" ] || fail "get-federation-token is for $arn, want $user"
passed "get-federation-token"
page "$DATA/jar" "$url"
shows 200 'mmajor|Mary' "SignInUrl opens the session of the user"
page "$DATA/jar" "$URL/-/login/$instance/home"
shows 200 'mmajor|Mary' "the session is open"
page "$DATA/second" "$url"
case "$code" in 4??) passed "SignInUrl opens one session: $code" ;; *) fail "SignInUrl opened twice: $code" "$html" ;; esac

echo "A browser"
response=$(respond mmajor)
page "$DATA/browser" --data-urlencode "SAMLResponse=$response" "$acs"
shows 200 'mmajor|Mary' "a posted response opens the session of the user"
page "$DATA/replay" --data-urlencode "SAMLResponse=$response" "$acs"
case "$code" in 4??) passed "a response that is posted again is refused: $code" ;; *) fail "replayed: $code" "$html" ;; esac
not_assumed "posted to a page before" InvalidIdentityToken "used before" "$response"

echo "Refusals"
response=$(respond mmajor)
assume "$response"
not_assumed "replayed" InvalidIdentityToken "used before" "$response"
not_assumed "expired" ExpiredTokenException "" "$(respond mmajor --age 20m)"
not_assumed "tampered with" InvalidIdentityToken "Response signature invalid" "$(respond john --tampered mmajor)"
not_assumed "forged" InvalidIdentityToken "Response signature invalid" "$("$DATA/saml" response --key "$DATA/forger.pem" --role "$role" --provider "$provider" --audience "$audience" --recipient "$acs" --user mmajor)"
not_assumed "for another audience" InvalidIdentityToken "audience" "$(respond mmajor --audience https://elsewhere.example.org)"
not_assumed "for another role" AccessDenied "Not authorized to perform sts:AssumeRoleWithSAML" "$(respond mmajor --role "${role}s")"
AWS_SESSION_TOKEN=${token}x AWS_ACCESS_KEY_ID=$key AWS_SECRET_ACCESS_KEY=$secret refused UnrecognizedClientException "" get-federation-token "${here[@]}"
assume "$(respond john)"
as "$key" "$secret" "$token" refused UserNotFoundException "" get-federation-token "${here[@]}"
assume "$(respond MMajor)"
as "$key" "$secret" "$token" refused UserNotFoundException "" get-federation-token "${here[@]}"
service=sts refused AccessDenied "Roles may not be assumed by root accounts" assume-role --role-arn "${role/agents/reports}" --role-session-name nightly-1

echo "A role for a service"
eval "$(bin/ringdown keys create --data "$DATA" --user nightly --policy <(echo '{"Version":"2012-10-17","Statement":{"Effect":"Allow","Action":"connect:DescribeUser","Resource":"*"}}') 2>/dev/null)"
service=sts ok assume-role --role-arn "${role/agents/reports}" --role-session-name nightly-1 \
	--query '[Credentials.AccessKeyId,Credentials.SecretAccessKey,Credentials.SessionToken]'
read -r key secret token <<<"$out"
as "$key" "$secret" "$token" ok list-users "${here[@]}" --query 'UserSummaryList[].Username'
is "mmajor" "list-users with the role's credentials"
service=sts refused AccessDenied "sts:AssumeRole" assume-role --role-arn "$role" --role-session-name nightly-1

echo "Nothing secret in the logs"
for word in "$secret" "$token" "$response"; do
	if grep -qF -- "$word" "$DATA/log" "$DATA/audit.jsonl"; then fail "a secret is written down"; fi
done
passed "neither the log nor the audit log has credentials or responses"

finish "$@"
