#!/bin/sh
# Installs the Debian packages that are named as arguments and missing: quietly when this may be
# done (root, or sudo without a password), otherwise by saying which one line does it.
set -eu
missing=""
for package in "$@"; do
    [ "$(dpkg-query -W -f '${db:Status-Status}' "$package" 2>/dev/null || true)" = installed ] ||
        missing="$missing $package"
done
# A tool that was installed in another way serves as well.
for tool in npm gcc make; do
    if command -v "$tool" >/dev/null 2>&1; then
        missing=$(printf '%s ' $missing | sed "s/\\b$tool \\|\\b$tool\$//")
    fi
done
missing=$(printf '%s ' $missing)
[ -n "$(printf '%s' "$missing" | tr -d ' ')" ] || exit 0
echo "Installing Debian packages: $missing" >&2
if [ "$(id -u)" = 0 ]; then
    run=""
elif command -v sudo >/dev/null 2>&1 && sudo -n true 2>/dev/null; then
    run="sudo"
else
    echo "Trine needs Debian packages that are missing. Please run:" >&2
    echo "  sudo apt-get update && sudo apt-get install --no-install-recommends -y $missing" >&2
    exit 1
fi
export DEBIAN_FRONTEND=noninteractive
log=$(mktemp)
trap 'rm -f "$log"' EXIT
if ! { $run apt-get update -q && $run env DEBIAN_FRONTEND=noninteractive apt-get install -q \
    --no-install-recommends -y $missing; } >"$log" 2>&1; then
    tail -n 20 "$log" >&2
    echo "The packages could not be installed; please install them and try again: $missing" >&2
    exit 1
fi
