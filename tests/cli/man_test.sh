#!/bin/bash
# Every command and every long option of --help stands in the man page.
set -eu
fail() { echo "$1" >&2; exit 1; }
page=doc/trine.1
plain=$(sed 's/\\-/-/g' "$page")
commands=$("$TRINE" --help | sed -n 's/^  \([a-z]*\) .*/\1/p')
[ -n "$commands" ] || fail "the help lists no commands"
for command in $commands; do
    grep -q "^\.B trine $command" <<<"$plain" || fail "the man page has no entry for $command"
    [ "$command" = train ] || [ "$command" = adapt ] && continue # its settings are listed by --help, from one table
    for option in $("$TRINE" "$command" --help | sed -n 's/^  \(--[a-z-]*\).*/\1/p'); do
        grep -q -e "$option" <<<"$plain" || fail "the man page does not name $option of $command"
    done
done
if command -v mandoc >/dev/null; then
    mandoc -T lint -W error "$page" || fail "mandoc finds errors"
fi
