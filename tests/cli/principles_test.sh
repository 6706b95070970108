#!/bin/bash
# Keys are made, a set is signed, shown and checked; a changed one is refused; the shipped one verifies.
set -eu
fail() { echo "$1" >&2; exit 1; }
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
unset TRINE_PRINCIPLES TRINE_OPERATOR_KEY
expect() { # STATUS WORDS ARGUMENTS...
    local status=0
    "$TRINE" principles "${@:3}" >"$work/said" 2>&1 || status=$?
    [ "$status" = "$1" ] && grep -q -e "$2" "$work/said" || fail "principles ${*:3}: exit $status, not $1: $(cat "$work/said")"
}
expect 0 'recipes/principles, verified: signed by' check
expect 0 'recipes/principles, verified: signed by' show
grep -q '^  mass-casualty-weapons .* veto .* 0.50  I do not help' "$work/said" || fail "show says: $(cat "$work/said")"

expect 0 'me.key the secret one' key --out "$work/me"
[ "$(stat -c %a "$work/me.key")" = 600 ] || fail "the secret key has mode $(stat -c %a "$work/me.key")"
grep -q '^trine-public-key [A-Za-z0-9+/]*=$' "$work/me.pub" || fail "the public key: $(cat "$work/me.pub")"
cp "$work/me.pub" "$work/half.pub"
expect 1 'exists already' key --out "$work/me"
expect 1 'exists already' key --out "$work/half"
[ ! -e "$work/half.key" ] || fail "half a pair was made"
expect 0 'the secret one' key --out "$work/you"

mkdir "$work/mine"
cp recipes/principles/*.json "$work/mine"
expect 1 'is not signed' check "$work/mine" --key "$work/me.pub"
expect 0 'NOT VERIFIED: .* is not signed' show "$work/mine"
expect 0 "$work/mine is signed by $(cut -d' ' -f2 "$work/me.pub")" sign "$work/mine" --key "$work/me.key"
expect 0 'verified: signed by' check "$work/mine" --key "$work/me.pub"
TRINE_PRINCIPLES=$work/mine TRINE_OPERATOR_KEY=$work/me.pub expect 0 "6 principles in $work/mine, verified" check
expect 1 "not the operator's" check "$work/mine" --key "$work/you.pub"
expect 1 "not the operator's" check "$work/mine" # the key of the shipped set
sed -i 's/0.5,/0.9,/' "$work/mine/06-privacy.json"
expect 1 'is not what was signed' check "$work/mine" --key "$work/me.pub"
expect 0 'NOT VERIFIED: .* is not what was signed' show "$work/mine" --key "$work/me.pub"
grep -q '^  privacy .* 0.90 ' "$work/said" || fail "show says: $(cat "$work/said")"
echo '{' >"$work/mine/06-privacy.json"
expect 1 '06-privacy.json: line' show "$work/mine" --key "$work/me.pub"
expect 1 '06-privacy.json: line' sign "$work/mine" --key "$work/me.key"
expect 1 'is no key' sign "$work/mine" --key "$work/me.pub"
chmod 644 "$work/me.key"
expect 1 'chmod 600' sign "$work/mine" --key "$work/me.key"
expect 1 'cannot open' check --key "$work/none"
expect 1 'cannot open' show --key "$work/none"
expect 1 'no directory' check "$work/none"

expect 0 'usage: trine principles' --help
expect 2 'is wanted'
expect 2 'none of show' forge
expect 2 'one argument too many' show a b
expect 2 'sign wants' sign "$work/mine"
expect 2 'sign wants' sign --key "$work/me.key"
expect 2 'belongs to key' show --out x
expect 2 'belongs to key' key
expect 2 'belongs to key' key --out x "$work/mine"
expect 2 'principles --help' show --colour
