#!/usr/bin/env bash
# Joins a ringdown server and Asterisk, the exchange that most who run their own have,
# as trunks of each other: over UDP, TCP and TLS of a private authority, with passwords
# both ways, each registered with the other. Calls go in and out with all three ways of
# pressing keys, several codecs and lengths of packets, and offers of fax, video, ICE
# and encryption; sound is moved, a session refreshed, callers are transferred. What is
# heard is found in what Asterisk records, what became of the calls by the API.
#
#   scripts/asterisk.sh     ASTERISK="chroot /srv/debian11 asterisk" runs one that is
#                           elsewhere; it must see the same /tmp and /proc
#
# The package asterisk starts an exchange at port 5060 when it is installed, and Debian
# 12 has none: scripts/install-deps.sh leaves it out. One for this script alone:
#
#   debootstrap --variant=minbase bullseye /srv/debian11 http://deb.debian.org/debian
#   mount --bind /proc /srv/debian11/proc; mount --bind /tmp /srv/debian11/tmp
#   chroot /srv/debian11 apt-get install -y --no-install-recommends asterisk
set -euo pipefail
cd "$(dirname "$0")/.."
# shellcheck source=scripts/server.sh
. scripts/server.sh
# shellcheck source=scripts/sip/telephones.sh
. scripts/sip/telephones.sh

read -ra asterisk <<<"${ASTERISK:-asterisk}"
command -v "${asterisk[0]}" >/dev/null || {
	echo "there is no ${asterisk[0]}: the head of this script tells how to get Asterisk" >&2
	exit 1
}
need openssl openssl
prepare 3
at=${port[0]}    # of SIP, on an address for each transport
secure=${port[1]} # of the server's SIP over TLS
home=$work/asterisk
mkdir -p "$home"/{etc,lib,db,spool/outgoing,run,log}

# An authority of this run's own, and what it says of both sides.
authority() {
	openssl req -x509 -newkey rsa:2048 -nodes -keyout "$work/ca.key" -out "$work/ca.pem" -days 2 -subj "/CN=authority"
	local name
	for name in server:127.0.0.1 asterisk:127.0.0.4; do
		openssl req -newkey rsa:2048 -nodes -keyout "$work/${name%:*}.key" -out "$work/request" -subj "/CN=${name%:*}"
		openssl x509 -req -in "$work/request" -CA "$work/ca.pem" -CAkey "$work/ca.key" -CAcreateserial -out "$work/${name%:*}.pem" -days 2 \
			-extfile <(echo "subjectAltName=IP:${name#*:}")
	done
}
authority >/dev/null 2>&1 || fail "openssl makes no certificates"
export SSL_CERT_FILE=$work/ca.pem

cat >"$work/ringdown.yaml" <<END
numbers: [{number: "+14155550101"}, {number: "+14155550102"}, {number: "+14155550103"}, {number: "+14155550104"}, {number: "+14155550105"}]
speech: {engine: none}
sip:
  tls: {listen: "127.0.0.1:$secure", cert: $work/server.pem, key: $work/server.key}
  trunks:
    - {name: udp, address: "sip:127.0.0.2:$at", prefixes: ["+12061"], username: ringdown, password: out, inbound-username: asterisk, inbound-password: in,
       register: true, session-expires: 90s, probe: 5s}
    - {name: tcp, address: "sip:127.0.0.3:$at;transport=tcp", prefixes: ["+12062"], username: ringdown, password: out, refer: true}
    - {name: tls, address: "sip:127.0.0.4:$at;transport=tls", prefixes: ["+12063"], username: ringdown, password: out}
    - {name: office, registrar: true, sources: [127.0.0.5], username: ringdown, password: out, inbound-username: office, inbound-password: in}
END
start
"$work/sip" transfer "${api[@]}" --number +14155550105 --to +12062000022

# What Asterisk is told.
cat >"$home/etc/asterisk.conf" <<END
[directories]
astetcdir => $home/etc
astvarlibdir => $home/lib
astdbdir => $home/db
astspooldir => $home/spool
astrundir => $home/run
astlogdir => $home/log
astkeydir => $home/lib
END
# All modules, but for those that would listen at ports of their own.
printf 'noload => %s.so\n' chan_sip chan_iax2 chan_skinny chan_mgcp chan_unistim chan_ooh323 pbx_dundi res_hep | cat <(printf '[modules]\nautoload=yes\n') - >"$home/etc/modules.conf"
printf '[general]\n[logfiles]\nmessages => notice,warning,error,verbose(4)\n' >"$home/etc/logger.conf"
printf '[general]\nrtpstart=%d\nrtpend=%d\n' $((30000 + at % 5000)) $((31000 + at % 5000)) >"$home/etc/rtp.conf"

# endpoint is a way from Asterisk to the server; what follows its name, transport,
# keys and codecs goes into it as it is.
endpoint() { # NAME TRANSPORT DTMF CODECS [line]...
	local uri=sip:$SIP
	case $2 in
	tcp) uri="$uri;transport=tcp" ;;
	tls) uri="sip:127.0.0.1:$secure;transport=tls" ;;
	esac
	printf '[%s]\ntype=aor\ncontact=%s\n' "$1" "$uri"
	printf '[%s]\ntype=endpoint\ntransport=%s\ndtmf_mode=%s\ndisallow=all\nallow=%s\naors=%s\noutbound_auth=%s\ncontext=called\ndirect_media=no\n' "$1" "$2" "$3" "$4" "$1" "$2"
	shift 4
	[ $# = 0 ] || printf '%s\n' "$@"
}
{
	for name in udp:127.0.0.2 tcp:127.0.0.3 tls:127.0.0.4 office:127.0.0.5; do
		protocol=${name%:*} user=asterisk
		[ "$protocol" != office ] || protocol=udp user=office
		printf '[%s]\ntype=transport\nprotocol=%s\nbind=%s:%s\n' "${name%:*}" "$protocol" "${name#*:}" "$at"
		[ "$name" != tls:127.0.0.4 ] || printf '%s\n' method=tlsv1_2 "cert_file=$work/asterisk.pem" "priv_key_file=$work/asterisk.key" "ca_list_file=$work/ca.pem" verify_server=yes
		printf '[%s]\ntype=auth\nauth_type=userpass\nusername=%s\npassword=in\n' "${name%:*}" "$user"
	done
	# Whoever comes from the server: it is known by its address, and must know a password.
	printf '%s\n' "[out]" type=auth auth_type=userpass username=ringdown password=out
	printf '%s\n' "[ringdown]" type=aor max_contacts=1
	printf '%s\n' "[ringdown]" type=endpoint context=called disallow=all allow=ulaw,alaw auth=out aors=ringdown timers=always timers_sess_expires=90 direct_media=yes
	printf '%s\n' "[server]" type=identify endpoint=ringdown "match=127.0.0.1"
	printf '%s\n' "[office]" type=registration transport=office outbound_auth=office "server_uri=sip:$SIP" "client_uri=sip:+12065550105@$SIP" contact_user=+12065550105 retry_interval=2 max_random_initial_delay=0
	endpoint events udp rfc4733 ulaw,alaw timers=always timers_sess_expires=90
	endpoint info tcp info ulaw,alaw
	endpoint tones tls inband ulaw,alaw
	endpoint branch office rfc4733 ulaw
	endpoint alaw udp auto alaw,ulaw
	endpoint ten udp rfc4733 ulaw:10
	endpoint thirty udp rfc4733 ulaw:30
	endpoint all udp rfc4733 g722,gsm,alaw,ulaw,h264 ice_support=yes rtcp_mux=yes max_video_streams=1
	endpoint fax udp rfc4733 ulaw t38_udptl=yes t38_udptl_ec=redundancy
	endpoint near udp rfc4733 ulaw direct_media=yes
	endpoint wide udp rfc4733 g722
	endpoint secret tls rfc4733 ulaw media_encryption=sdes
} >"$home/etc/pjsip.conf"
cat >"$home/etc/extensions.conf" <<END
[talk]
exten => s,1,MixMonitor($home/said.wav,r($home/heard-\${CALLERID(num)}.wav))
exten => s,n,Wait(4.5)
exten => s,n,SendDTMF(1)
exten => s,n,Wait(2)
exten => s,n,SendDTMF(2)
exten => s,n,Wait(2)
exten => s,n,Hangup()
[fax]
exten => s,1,ReceiveFAX($home/fax.tif,f)
[stay]
exten => s,1,Wait(4.5)
exten => s,n,SendDTMF(1)
exten => s,n,Wait(50)
exten => s,n,SendDTMF(2)
exten => s,n,Wait(2)
exten => s,n,Hangup()
[refer]
exten => s,1,Wait(1)
exten => s,n,Transfer(PJSIP/sip:+12069999999@127.0.0.1)
exten => s,n,Log(NOTICE,the transfer is a \${TRANSFERSTATUS})
exten => s,n,Goto(talk,s,1)
[transferred]
exten => s,1,Dial(PJSIP/+14155550105@info,20)
[listen]
exten => s,1,Answer()
exten => s,n,Wait(30)
[called]
exten => +12061000086,1,Busy()
exten => +12061000087,1,Dial(PJSIP/$menu_number@near,20)
exten => +12062000022,1,Answer()
exten => +12062000022,n,PlayTones(440)
exten => +12062000022,n,Wait(3)
exten => +12062000022,n,Hangup()
exten => _+.,1,Progress()
exten => _+.,n,MixMonitor($home/said.wav,r($home/heard-\${EXTEN}.wav))
exten => _+.,n,Wait(1)
exten => _+.,n,Answer()
exten => _+.,n,Goto(talk,s,2)
exten => ringdown,1,Hangup()
END

"${asterisk[@]}" -f -C "$home/etc/asterisk.conf" >/dev/null 2>&1 </dev/null &
others+=($!)
ln -s "$home/log/messages" "$work/asterisk.out"
guilty=asterisk
ask() { "${asterisk[@]}" -C "$home/etc/asterisk.conf" -rx "$*"; }

# soon waits until a command prints what is looked for.
soon() { # WHAT PATTERN COMMAND...
	local what=$1 pattern=$2 tries
	shift 2
	for tries in $(seq 150); do
		! "$@" 2>/dev/null | grep -q -- "$pattern" || break
		[ "$tries" != 150 ] || fail "$what: not within half a minute"
		sleep 0.2
	done
	echo "  ok  $what"
}

# calls has Asterisk call a number of the server as somebody.
calls() { # ENDPOINT NUMBER FROM EXTENSION
	printf 'Channel: PJSIP/%s@%s\nCallerID: <%s>\nContext: %s\nExtension: s\nPriority: 1\n' "$2" "$1" "$3" "$4" >"$work/call"
	mv "$work/call" "$home/spool/outgoing/$3.call"
}

# heard looks for the prompts of the talk flow in what Asterisk has recorded.
heard() { # NUMBER...
	local number
	for number; do
		"$work/sip" tones --file "$home/heard-$number.wav" 700 1000 1300 1600 || fail "what $number has heard"
	done
	echo "  ok  $# calls heard each prompt in its turn"
}

soon "Asterisk has started" Asterisk ask core waitfullybooted
echo "$("${asterisk[@]}" -V) against the server at $SIP, API at $URL"
soon "the server is registered with Asterisk" 'sip:ringdown@' ask pjsip show aor ringdown
soon "Asterisk is registered with the server" ' Registered' ask pjsip show registrations

calls events "$talk_number" +12061000001 stay # a session of 90 s is refreshed after 45

echo "Asterisk calls: keys as events, by INFO and as tones; UDP, TCP and TLS; A-law, 10 and 30 ms; ICE and video"
calls events "$talk_number" +12061000002 talk
calls info "$talk_number" +12062000003 talk
calls tones "$talk_number" +12063000004 talk
calls branch "$talk_number" +12065550105 talk
calls alaw "$talk_number" +12061000006 talk
calls ten "$talk_number" +12061000007 talk
calls thirty "$talk_number" +12061000008 talk
calls all "$talk_number" +12061000009 talk
calls events "$talk_number" +12061000010 refer # it stays, for this is declined
incoming=(+12061000002 +12062000003 +12063000004 +12065550105 +12061000006 +12061000007 +12061000008 +12061000009 +12061000010)
ends --number "$talk_number" --attribute first=1 --attribute second=2 "${incoming[@]/%/=CUSTOMER_DISCONNECT}"
heard "${incoming[@]}"
soon "a REFER is declined, and the call goes on" 'the transfer is a FAILURE' cat "$home/log/messages"

echo "Asterisk is called: UDP, TCP, TLS, and where it has registered"
outgoing=(+12061000020 +12062000021 +12063000023 +12065550105)
"$work/sip" dial "${api[@]}" --flow "$talk_flow" --from "$talk_number" "${outgoing[@]}" +12061000086
ends --method API --number "$talk_number" --attribute first=1 --attribute second=2 "${outgoing[@]/%/=CUSTOMER_DISCONNECT}"
ends --method API --unanswered +12061000086=TELECOM_BUSY
heard "${outgoing[@]}"

echo "Asterisk offers what cannot be: wideband alone, encryption alone, fax within a call"
calls wide "$talk_number" +12061000030 talk
calls secret "$talk_number" +12063000031 talk
ends --unanswered +12061000030=TELECOM_PROBLEM +12063000031=TELECOM_PROBLEM
calls fax "$talk_number" +12061000032 fax
soon "fax is refused, and the call goes on" 'refused to negotiate T.38' cat "$home/log/messages"
ends +12061000032=CUSTOMER_DISCONNECT

echo "Asterisk joins two calls of the server and steps aside; a caller is transferred by REFER"
"$work/sip" dial "${api[@]}" --flow "$talk_flow" --from "$talk_number" +12061000087
printf 'Channel: Local/s@transferred/n\nCallerID: <+12062000040>\nContext: listen\nExtension: s\nPriority: 1\n' >"$work/call"
mv "$work/call" "$home/spool/outgoing/transferred.call"
soon "the sound of both goes past Asterisk" 'Remotely bridged' cat "$home/log/messages"
ends --method API +12061000087=CUSTOMER_DISCONNECT
ends +12062000040=CUSTOMER_DISCONNECT

echo "A session is refreshed"
ends --wait 60s --attribute first=1 --attribute second=2 +12061000001=CUSTOMER_DISCONNECT
settled
stop
echo "All calls went as they should"
