#!/bin/sh
# Builds the studio: studio/build.sh HEADER writes what src/serve/studio_files.c takes in, HEADER being below the root.
# Without Node.js, or without npm's registry, it says so and writes a header with nothing in it: the program is built all the
# same, and its page says what is missing. A page that does not build is an error.
set -eu
cd "$(dirname "$0")/.."
root=$(pwd)
header=$root/$1
without() {
    echo "studio: $1; the program is built without its page (try again with: make studio)" >&2
    mkdir -p "$(dirname "$header")"
    echo "/* The studio was not built: $1. */" >"$header"
    exit 0
}
command -v npm >/dev/null 2>&1 || without "there is no npm"
node -e 'const [major, minor] = process.versions.node.split(".").map(Number);
    process.exit(major > 18 || (major === 18 && minor >= 13) ? 0 : 1)' ||
    without "Node.js $(node --version) is too old, it must be 18.13 or later"

log=$(mktemp)
trap 'rm -f "$log"' EXIT
cd studio
# npm leaves this file behind what it installed; what only the tests need is not installed here, nor removed.
if [ ! -e node_modules/.package-lock.json ] || [ package-lock.json -nt node_modules/.package-lock.json ]; then
    npm ci --omit=dev --ignore-scripts --no-audit --no-fund --fetch-retries=1 --fetch-timeout=60000 >"$log" 2>&1 || {
        grep "^npm error" "$log" | head -n 3 >&2
        rm -rf node_modules
        without "npm could not install what it is made with"
    }
fi
npm run --silent build >"$log" 2>&1 || {
    cat "$log" >&2
    exit 1
}
cd "$root"
mkdir -p "$(dirname "$header")"
tools/embed_studio.sh build/studio/dist >"$header.tmp"
mv "$header.tmp" "$header"
