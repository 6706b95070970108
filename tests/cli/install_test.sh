#!/bin/bash
# make install puts exactly these files where they belong, for everyone to read; make uninstall takes them away and nothing else.
set -eu
fail() { echo "$1" >&2; exit 1; }
[ "${TRINE_BUILD:-build}" = build ] || { echo "skipped: what is installed is the plain build"; exit 77; }
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
root=$work/root

# Everything below PREFIX but the unit of systemd.
{
    printf '%s\n' bin/trine include/trine.h lib/libtrine.a lib/libtrine.so lib/libtrine.so.0 lib/pkgconfig/trine.pc lib/sysusers.d/trine.conf \
        share/bash-completion/completions/trine share/fish/vendor_completions.d/trine.fish share/man/man1/trine.1 \
        share/trine/operator.pub share/trine/principles/principles.sig share/trine/trine.conf share/zsh/site-functions/_trine
    for standard in plain before-1900 oz; do printf '%s\n' share/trine/standards/$standard/{standard.json,beliefs.jsonl}; done
    (cd recipes && printf 'share/trine/%s\n' principles/*.json)
} | sort >"$work/files"
expected() { # PREFIX UNIT_DIRECTORY
    { sed "s|^|$1/|" "$work/files"; echo "$2/trine.service"; } | sort
}
found() { (cd "$1" && find . -type f -o -type l) | sed 's|^\.||' | sort; }
is_installed() { # ROOT PREFIX UNIT_DIRECTORY
    diff <(expected "$2" "$3") <(found "$1") >"$work/difference"
}
put() { make -s install "$@" >"$work/log" 2>&1 || fail "make install $*: $(cat "$work/log")"; }
take() { make -s uninstall "$@" >"$work/log" 2>&1 || fail "make uninstall $*: $(cat "$work/log")"; }
nothing_left() { # ROOT
    [ -z "$(found "$1")" ] || fail "uninstall leaves $(found "$1")"
    [ -z "$(find "$1" -mindepth 1 -name '*trine*')" ] || fail "uninstall leaves $(find "$1" -mindepth 1 -name '*trine*')"
}

umask 077
put DESTDIR="$root"
is_installed "$root" /usr/local /usr/local/lib/systemd/system || fail "$(cat "$work/difference")"
unreadable=$(find "$root/usr" \( -type d -not -perm -055 -o -type f -not -perm -044 \))
[ -z "$unreadable" ] || fail "not for everyone to read: $unreadable"
cmp -s "$TRINE" "$root/usr/local/bin/trine" || fail "another program is installed"
"$root/usr/local/bin/trine" --version | grep -q '^trine [0-9]' || fail "the installed program has no version"
"$root/usr/local/bin/trine" serve --help | grep -q '^usage: trine serve' || fail "the installed program has no server"
cmp -s packaging/trine.service "$root/usr/local/lib/systemd/system/trine.service" || fail "the unit for /usr/local is not as it stands"
cmp -s packaging/trine.conf "$root/usr/local/share/trine/trine.conf" || fail "the example of options is not as it stands"
put DESTDIR="$root" # again, over it
is_installed "$root" /usr/local /usr/local/lib/systemd/system || fail "installed twice: $(cat "$work/difference")"

# The list would tell a file too many, and one too few.
touch "$root/usr/local/lib/stray"
if is_installed "$root" /usr/local /usr/local/lib/systemd/system; then fail "a file too many is not noticed"; fi
rm "$root/usr/local/lib/stray" "$root/usr/local/share/man/man1/trine.1"
if is_installed "$root" /usr/local /usr/local/lib/systemd/system; then fail "a missing file is not noticed"; fi

take DESTDIR="$root"
nothing_left "$root"
take DESTDIR="$root" # twice is no error

# What somebody else put there stays: a tool, a standard, a truth author, a principle of one's own.
put DESTDIR="$root"
mkdir -p "$root/usr/local/share/trine/standards/mine"
others="bin/other lib/systemd/system/other.service share/trine/standards/mine/standard.json share/trine/standards/plain/truth.gguf
    share/trine/principles/mine.json"
for file in $others; do echo mine >"$root/usr/local/$file"; done
take DESTDIR="$root"
[ "$(found "$root")" = "$(printf '/usr/local/%s\n' $others | sort)" ] || fail "of what others have is left: $(found "$root")"

# Another prefix, and a distribution's directory of units.
put DESTDIR="$work/other" PREFIX=/usr SYSTEMD_UNIT_DIR=/lib/systemd/system
is_installed "$work/other" /usr /lib/systemd/system || fail "PREFIX=/usr: $(cat "$work/difference")"
grep -q '^ExecStart=/usr/bin/trine serve ' "$work/other/lib/systemd/system/trine.service" || fail "the unit starts another program"
grep -q '^prefix=/usr$' "$work/other/usr/lib/pkgconfig/trine.pc" || fail "trine.pc names another prefix"
if grep -rq /usr/local "$work/other/lib" "$work/other/usr/lib/pkgconfig" "$work/other/usr/share"; then fail "/usr/local stands in a file below /usr"; fi
take DESTDIR="$work/other" PREFIX=/usr SYSTEMD_UNIT_DIR=/lib/systemd/system
nothing_left "$work/other"
