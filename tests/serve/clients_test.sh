#!/bin/bash
# OpenAI's own package and curl against the real server with a little model of all layers: clients_test.py. The package,
# of the version in requirements.txt, is installed once under build/clients.
set -eu
skip() { echo "skipped: $1"; exit 77; }
here=build/clients
python=$here/python/bin/python
wanted=$(sed -n 's/^openai==//p' tests/serve/requirements.txt)
is_there() { [ "$("$python" -c 'import openai; print(openai.__version__)' 2>/dev/null)" = "$wanted" ]; }
if ! is_there; then
    mkdir -p "$here"
    { python3 -m venv --clear "$here/python" &&
        timeout 300 "$here/python/bin/pip" install -q --retries 1 --timeout 15 -r tests/serve/requirements.txt; } >"$here/log" 2>&1 || true
    is_there || skip "the package openai $wanted could not be installed: $(tail -n 1 "$here/log")"
fi
. tests/cli/tiny.sh
. tests/serve/tiny_layers.sh
tiny_layers --steps 600 --learning-rate 0.004 --seed 2
tiny_values
# A plain checkpoint that says how it chats.
"$TRINE" export --model "$work/dream.gguf" --as huggingface --out "$work/chatty"
printf '{"chat_template":"<|im_start|> <|im_end|>"}' >"$work/chatty/tokenizer_config.json"
"$python" tests/serve/clients_test.py "$TRINE" "$work"
