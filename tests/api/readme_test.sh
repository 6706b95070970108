#!/bin/bash
# The README's program, compiled against an installed tree, reads and writes.
set -eu
. tests/cli/tiny.sh
if grep -q __asan_init "$TRINE"; then
    echo "skipped: the installed library is tested in the plain build"
    exit 77
fi
tiny_corpus
tiny_train "$work/tiny.gguf"
make -s install PREFIX="$work/root" >"$work/install.log" 2>&1 || fail "make install: $(cat "$work/install.log")"
sed -n '/^```c$/,/^```$/p' README.md | sed '/^```/d' >"$work/continue.c"
[ "$(wc -l <"$work/continue.c")" -gt 20 ] || fail "the README has no program"
export PKG_CONFIG_PATH=$work/root/lib/pkgconfig
[ "$(pkg-config --modversion trine)" = "$("$TRINE" --version | cut -d' ' -f2)" ] || fail "another version is installed"
gcc -Wall -Wextra -Werror -std=c11 "$work/continue.c" $(pkg-config --cflags --libs trine) -o "$work/continue"
run() { LD_LIBRARY_PATH=$work/root/lib "$work/continue" "$@"; }
run "$work/tiny.gguf" "my fellow citizens, the state of the union in 12 is strong." >"$work/out"
head -1 "$work/out" | grep -q '^Author Bob ([01]\.[0-9]*), about 1[89]' || fail "the program says $(head -1 "$work/out")"
[ "$(wc -c <"$work/out")" -gt 60 ] || fail "the program writes nothing"
run "$work/absent" x 2>"$work/err" && fail "a missing model is no error"
grep -q absent "$work/err" || fail "the error does not name the file: $(cat "$work/err")"
if command -v g++ >/dev/null; then
    echo '#include <trine.h>' | g++ -Wall -Wextra -Werror -fsyntax-only $(pkg-config --cflags trine) -x c++ - ||
        fail "trine.h is no C++"
fi
for file in bin/trine lib/libtrine.a lib/libtrine.so share/man/man1/trine.1; do
    [ -e "$work/root/$file" ] || fail "$file was not installed"
done
shown=$(nm -D --defined-only "$work/root/lib/libtrine.so.0" | awk '$3 !~ /^trine_/ { print $3 }')
[ -z "$shown" ] || fail "the shared library shows $shown"
make -s uninstall PREFIX="$work/root"
[ -z "$(find "$work/root" -type f -o -type l)" ] || fail "uninstall leaves $(find "$work/root" -type f)"
