#!/bin/bash
# Tokens, logits and exports beside llama.cpp, on SmolLM2. Fetches the checkpoint and builds llama.cpp once, under
# build/peers; $TRINE_PEERS names a Python that has what requirements.txt asks for already.
set -eu
skip() { echo "skipped: $1"; exit 77; }
case $TRINE in *sanitize*) skip "the plain build is compared" ;; esac
here=build/peers
mkdir -p "$here/work"
base=$(recipes/smollm2-sotu/fetch.sh "$here") || skip "the checkpoint could not be fetched"
python=${TRINE_PEERS:-$here/python/bin/python}
if [ -n "${TRINE_PEERS:-}" ]; then
    "$python" -c 'import llama_cpp, gguf, numpy' 2>/dev/null || skip "$TRINE_PEERS lacks llama_cpp, gguf or numpy"
else
    why=$(tests/peers/prepare.sh) || skip "llama-cpp-python could not be installed: $why"
fi
adapted=models/smollm2-sotu/smollm2-sotu.gguf
[ -e "$adapted" ] || adapted=
TRINE_BASE=$base "$python" tests/peers/compare.py "$TRINE_BUILD/tests/peers/driver" "$TRINE" "$base" "$here/work" $adapted
