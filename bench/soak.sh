#!/bin/bash
# soak.py on little models of all layers, which it trains first (a minute).
#   bench/soak.sh PROGRAM [FLAGS OF soak.py...]
set -eu
if [ $# -lt 1 ]; then
    sed -n '3s/^# *//p' "$0" >&2
    exit 2
fi
TRINE=$(realpath "$1")
shift
cd "$(dirname "$0")/.."
. tests/cli/tiny.sh
. tests/serve/tiny_layers.sh
tiny_layers --steps 600 --learning-rate 0.004 --seed 2
tiny_values
"$TRINE" export --model "$work/dream.gguf" --as huggingface --out "$work/chatty" # a plain checkpoint that says how it chats
printf '{"chat_template":"<|im_start|> <|im_end|>"}' >"$work/chatty/tokenizer_config.json"
python3 bench/soak.py "$TRINE" "$work/dream.gguf" --name tiny --good "$work/good.gguf" --guard "$work/guard.gguf" --space "$work/space.json" \
    --standard "$work/standard" --model "$work/chatty" --name chatty "$@"
