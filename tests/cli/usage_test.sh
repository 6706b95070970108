#!/bin/bash
# The program without a verb, with a wrong one, and its help.
set -eu
fail() { echo "$1" >&2; exit 1; }
"$TRINE" --version | grep -q '^trine [0-9]' || fail "--version prints no version"
"$TRINE" --help | grep -q 'usage: trine COMMAND' || fail "--help prints no usage"
status=0; "$TRINE" nonsense 2>/dev/null || status=$?
[ "$status" = 2 ] || fail "an unknown command exits $status, not 2"
status=0; "$TRINE" 2>/dev/null || status=$?
[ "$status" = 2 ] || fail "no command exits $status, not 2"
