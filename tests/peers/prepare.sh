#!/bin/bash
# Builds llama.cpp as llama-cpp-python carries it, with the gguf package beside it, once, under build/peers; minutes of both
# cores. `make test` begins it in the background; peers_test.sh waits for it. Says on the last line why it could not.
set -eu
here=build/peers
mkdir -p "$here"
exec 9>"$here/lock"
flock 9
"$here/python/bin/python" -c 'import llama_cpp, gguf, numpy' 2>/dev/null && exit 0
command -v g++ >/dev/null || tools/packages.sh g++ >/dev/null 2>&1 || true
{ python3 -m venv "$here/python" && timeout 1200 "$here/python/bin/pip" install -q -r tests/peers/requirements.txt; } >"$here/log" 2>&1 ||
    { tail -n 1 "$here/log"; exit 1; }
