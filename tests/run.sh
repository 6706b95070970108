#!/bin/sh
# Runs test programs (cmocka) and end-to-end scripts, counts them, and prints what failed.
#   tests/run.sh NAME PROGRAM TEST...      a TEST ending in .sh gets the program as $TRINE
# Tests that take long are named with their seconds: they all have to be through in half an hour.
set -u
name=$1
TRINE=$2
TRINE_BUILD=$1
export TRINE TRINE_BUILD
# fontconfig keeps what it read; under the leak sanitizer that is no fault of ours.
export LSAN_OPTIONS="suppressions=$PWD/tests/leaks_of_libraries.txt:print_suppressions=0"
# The leak sanitizer falls over the thread-local storage of libraries opened late, if it watches it.
export ASAN_OPTIONS="intercept_tls_get_addr=0"
shift 2
log=$(mktemp)
trap 'rm -f "$log"' EXIT
passed=0 failed=0 skipped=0
for test in "$@"; do
    started=$(date +%s)
    if [ "${test%.sh}" != "$test" ]; then
        bash "$test" >"$log" 2>&1
    else
        "./$test" >"$log" 2>&1
    fi
    code=$?
    seconds=$(($(date +%s) - started))
    [ "$seconds" -lt 15 ] || echo "  $seconds s: $test"
    case $code in
    0) passed=$((passed + 1)) ;;
    77) skipped=$((skipped + 1)); sed "s|^|$test: |" "$log" | tail -n 1 ;;
    *)
        failed=$((failed + 1))
        echo "FAILED (exit $code): $test"
        tail -n 60 "$log" | sed 's/^/    /'
        ;;
    esac
    grep -i 'skipped:' "$log" | sed 's/^/  /'
done
echo "$name: $passed programs passed, $failed failed, $skipped skipped"
echo "$passed passed, $failed failed, $skipped skipped"
[ "$failed" = 0 ]
