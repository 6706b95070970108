#!/bin/bash
# Keys are made, listed and revoked; the file is its owner's alone and holds no key; what is no file of keys is refused.
set -eu
fail() { echo "$1" >&2; exit 1; }
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
unset TRINE_KEYS
file=$work/keys.sqlite
expect() { # STATUS WORDS ARGUMENTS...
    local status=0
    "$TRINE" key "${@:3}" >"$work/said" 2>&1 || status=$?
    [ "$status" = "$1" ] && grep -q -e "$2" "$work/said" || fail "key ${*:3}: exit $status, not $1: $(cat "$work/said")"
}
new() { "$TRINE" key new --keys "$file" "$@" 2>"$work/note" || fail "key new $*: $(cat "$work/note")"; }

expect 1 'trine key new' list --keys "$file"
[ ! -e "$file" ] || fail "list made a file"
umask 0
text=$(new --scope good --rate 60 --name 'reading room' --days 30)
umask 022
[[ $text =~ ^trine-[A-Za-z0-9_-]{43}$ ]] || fail "the key is '$text'"
[ "$(stat -c %a "$file")" = 600 ] || fail "the file of keys has mode $(stat -c %a "$file")"
id=$(sed -n 's/^This key, \([0-9a-f]*\), is shown once.*/\1/p' "$work/note")
[ "${#id}" = 16 ] || fail "no id: $(cat "$work/note")"
! grep -q "$text" "$work/note" || fail "the key stands in the note, too"
other=$(new --scope dream)
[ "$other" != "$text" ] || fail "two keys are the same"
for secret in "${text#trine-}" "${other#trine-}"; do
    ! grep -a -q -e "$secret" "$file"* || fail "the file holds a key"
done

expect 0 "^$id  good         60  $(date -u +%F)  $(date -u -d '+30 days' +%F)  reading room\$" list --keys "$file"
grep -q '^[0-9a-f]*  dream         -  [0-9-]*  -           $' "$work/said" || fail "list says: $(cat "$work/said")"
expect 0 "$id does not work any more" revoke "$id" --keys "$file"
expect 1 "holds no key $id" revoke "$id" --keys "$file"
TRINE_KEYS=$file expect 0 ' dream ' list
[ "$(wc -l <"$work/said")" = 2 ] || fail "a revoked key is listed: $(cat "$work/said")"
(cd "$work" && "$TRINE" key new --scope truth >/dev/null 2>&1 && [ -e trine-keys.sqlite ]) || fail "no file by default"

# A key that nobody could see is none.
if [ -e /dev/full ]; then
    status=0; "$TRINE" key new --scope good --keys "$work/full.sqlite" >/dev/full 2>/dev/null || status=$?
    [ "$status" = 1 ] || fail "a key that is not printed: exit $status"
    expect 0 'holds no keys' list --keys "$work/full.sqlite"
fi

# Several at once, from nothing.
for i in 1 2 3 4 5 6 7 8; do "$TRINE" key new --scope good --name "n$i" --keys "$work/many.sqlite" >"$work/out$i" 2>&1 & done
wait
expect 0 'n1$' list --keys "$work/many.sqlite"
[ "$(grep -c ' n[1-8]$' "$work/said")" = 8 ] || fail "of 8 keys there are: $(cat "$work/said" "$work"/out*)"

chmod 644 "$file"
expect 1 'chmod 600' list --keys "$file"
expect 1 'chmod 600' new --scope good --keys "$file"
install -m 600 /dev/null "$work/text"
for i in $(seq 1 400); do echo "a text of another kind, line $i"; done >"$work/text"
expect 1 'no file of trine' list --keys "$work/text"
expect 1 'no file of trine' new --scope good --keys "$work/text"
expect 1 'is no file' list --keys "$work"
expect 1 'cannot create' new --scope good --keys "$work/none/keys"

expect 0 'usage: trine key' --help
expect 2 'is wanted'
expect 2 'none of new' forge
expect 2 'one argument too many' revoke a b
expect 2 'wants the ID' revoke
expect 2 'wants the ID' list "$id"
expect 2 'wants --scope' new
expect 2 'is no scope' new --scope none
expect 2 '--rate' new --scope good --rate -1
expect 2 '--rate' new --scope good --rate nan
expect 2 '--days' new --scope good --days 0
expect 2 '--days' new --scope good --days 1e9
expect 2 'at most 63' new --scope good --name "$(printf '%64s' x)"
expect 2 'belong to new' list --scope good
expect 2 'key --help' list --colour
for name in $'a\nb' $'a\x1b[31m' $'\xff' $'a\xe2\x80\xaeb'; do
    expect 1 'the name of a key' new --scope good --name "$name" --keys "$work/names.sqlite"
done
expect 0 'shown once' new --scope good --name 'Bücherei 図書館' --keys "$work/names.sqlite"
expect 0 'Bücherei 図書館$' list --keys "$work/names.sqlite"
