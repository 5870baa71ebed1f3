#!/bin/sh
# Tells sessionstamp that a password was changed or a user disabled.
#
#   export SESSIONSTAMP_URL=https://…/idp/…   SESSIONSTAMP_SECRET=whsec_…
#   ./send-signal.sh password_changed upn someone@example.com
#   ./send-signal.sh ping
#
# What:    password_changed (by the user), password_reset (by an administrator), disabled,
#          sessions_revoked, ping
# Format:  upn, email, object_id, immutable_id, sam_account_name, security_identifier
# Then the value, and the time if it was not now: 2026-01-31T02:38:00Z
#
# Both variables are printed by `sessionstamp signal add webhook`. The request is signed
# as Standard Webhooks says:
# https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md
#
# Needs curl, openssl and od. Exit status: 0 it was taken, 1 it was not (call again, it is
# harmless), 2 the call is wrong. No value is printed.
set -eu

fail() {
  echo "send-signal.sh: $1" >&2
  exit "${2:-2}"
}

usage() {
  sed -n '2,16s/^# \{0,1\}//p' "$0"
}

# A text as JSON.
quote() {
  printf '"%s"' "$(printf '%s' "$1" | sed 's/[\\"]/\\&/g')"
}

# What the receiver would take, and then drop, is refused here, where somebody sees it.
check() {
  case $2$3 in *[[:cntrl:]]*) fail "a value holds a control character" ;; esac
  case $1 in
  upn | email) case $2 in ?*@?*) ;; *) fail "$1 is a name with @ in it" ;; esac ;;
  object_id) case $2 in ????????-????-????-????-????????????) ;; *) fail "object_id is 32 hexadecimal digits with hyphens" ;; esac ;;
  security_identifier) case $2 in S-1-*) ;; *) fail "security_identifier begins with S-1-" ;; esac ;;
  immutable_id | sam_account_name) [ -n "$2" ] || fail "the value is empty" ;;
  *) fail "unknown format. Call it with --help to see what there is" ;;
  esac
  case $3 in
  [0-9][0-9][0-9][0-9]-[01][0-9]-[0-3][0-9]T[0-2][0-9]:[0-5][0-9]:[0-5][0-9]Z) ;;
  *) fail "the time is not written like 2026-01-31T02:38:00Z, in UTC" ;;
  esac
}

# Binary from and to hexadecimal. No key is an argument of a program: others could read it
# in the list of processes.
to_hex() { od -An -v -tx1 | tr -d ' \n'; }
from_hex() {
  rest=$1
  while [ -n "$rest" ]; do
    tail=${rest#??}
    # shellcheck disable=SC2059 # the format is what we made
    printf "\\$(printf %03o "0x${rest%"$tail"}")"
    rest=$tail
  done
}

# The key of 64 bytes, each combined with $2: the two pads of HMAC (RFC 2104).
pad() {
  rest=$1 count=0
  while [ $count -lt 64 ]; do
    byte=00
    if [ -n "$rest" ]; then
      tail=${rest#??}
      byte=${rest%"$tail"} rest=$tail
    fi
    printf %02x $((0x$byte ^ $2))
    count=$((count + 1))
  done
}

# HMAC-SHA256 of standard input, in base64.
sign() {
  inner=$({ from_hex "$(pad "$1" 0x36)"; cat; } | openssl dgst -sha256 -binary | to_hex)
  from_hex "$(pad "$1" 0x5c)$inner" | openssl dgst -sha256 -binary | openssl base64 -A
}

case ${1-} in
-h | --help)
  usage
  exit 0
  ;;
'')
  usage >&2
  exit 2
  ;;
ping) type=test.ping ;;
password_changed | password_reset | disabled | sessions_revoked) type=user.$1 ;;
*) fail "unknown: what happened. Call it with --help to see what there is" ;;
esac
[ -n "${SESSIONSTAMP_URL-}" ] || fail "SESSIONSTAMP_URL is not set: it is the address that 'sessionstamp signal add webhook' printed"
[ -n "${SESSIONSTAMP_SECRET-}" ] || fail "SESSIONSTAMP_SECRET is not set: it is the secret that 'sessionstamp signal add webhook' printed"
case $SESSIONSTAMP_URL in
https://* | http://127.0.0.1:* | http://localhost:*) ;;
*) fail "SESSIONSTAMP_URL must begin with https://" ;;
esac

key=$(printf %s "${SESSIONSTAMP_SECRET#whsec_}" | openssl base64 -d -A | to_hex)
[ ${#key} -ge 48 ] && [ ${#key} -le 128 ] || fail "SESSIONSTAMP_SECRET is not whsec_ and base64 of 24 to 64 bytes"

if [ "$type" = test.ping ]; then
  [ $# -eq 1 ] || fail "ping stands alone"
  body='{"type":"test.ping","timestamp":"'$(date -u +%Y-%m-%dT%H:%M:%SZ)'","data":{}}'
else
  [ $# -eq 3 ] || [ $# -eq 4 ] || fail "$1 needs a format and a value, such as: $1 upn someone@example.com"
  at=${4-$(date -u +%Y-%m-%dT%H:%M:%SZ)}
  check "$2" "$3" "$at"
  actor="admin"
  if [ "$1" = password_changed ]; then actor=user; fi
  body='{"type":"'$type'","timestamp":'$(quote "$at")',"data":{"subject":{"format":'$(quote "$2")',"value":'$(quote "$3")'},"actor":"'$actor'"}}'
fi

# The same event with the same time has the same id, however often it is sent.
id=msg_$(printf %s "$type $* ${at-$(date +%s)}" | openssl dgst -sha256 -binary | to_hex)
timestamp=$(date +%s)
signature=v1,$(printf %s "$id.$timestamp.$body" | sign "$key")

status=$(printf %s "$body" | curl --disable --silent --show-error --max-time 20 --retry 4 --retry-max-time 120 \
  --output /dev/null --write-out '%{http_code}' --data-binary @- \
  --header 'Content-Type: application/json' --header "webhook-id: $id" \
  --header "webhook-timestamp: $timestamp" --header "webhook-signature: $signature" \
  "$SESSIONSTAMP_URL") || fail "the address does not answer: send it again later" 1
case $status in
204) echo "sent" ;;
401) fail "refused (401): the secret is another one, or this machine's clock is wrong by more than five minutes" 1 ;;
404) fail "refused (404): there is no such source. 'sessionstamp signal list' shows those there are" 1 ;;
400) fail "refused (400): it can't be read. Look at format, value and time" 1 ;;
413 | 429 | 5??) fail "not taken ($status): send it again later" 1 ;;
*) fail "something else answers at the address ($status): look for a proxy in between" 1 ;;
esac
