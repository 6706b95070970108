#!/bin/bash
# Attacks on one good author: on its values, at random and by gradients, alone and under the guard; and by prompts. The control
# is an author trained without offsets, of whom nothing is protected. recipes/values/directions.sh comes first.
# Usage: recipes/good/attack.sh PROGRAM MODEL BASE_CHECKPOINT OUT REQUESTS.jsonl
#   OUT: of train.sh. STAGES (default "values control prompts"), SEED, RADIUS (default 5). What is there already is not made again.
set -eu
if [ $# -ne 5 ]; then
    sed -n '4,5s/^# //p' "$0" >&2
    exit 2
fi
here=$(dirname "$0")
trine=$1 model=(--model "$2" --base "$3") out=$4 requests=$5 guard=(--guard "$4/guard.gguf")

attack() { # NAME FLAGS...
    echo "== $1"
    [ -e "$out/$1.json" ] || "$trine" good attack "${model[@]}" --requests "$requests" --offsets 1000 --per-offset 1 --steps 8 \
        --tokens 16 --json="$out/$1.json" "${@:2}"
}

values() {
    attack attack-guarded --good "$out/good.gguf" --space "$out/space.json" "${guard[@]}"
    attack attack-author --offsets 300 --good "$out/good.gguf" --space "$out/space.json"
}

control() {
    [ -e "$out/control.gguf" ] ||
        "$trine" good train "${model[@]}" --examples "$here/examples.jsonl" --pairs "$here/pairs.jsonl" --radius 0 \
            --seed "${SEED:-1}" --out "$out/control.gguf"
    "$trine" values space "${model[@]}" --good "$out/control.gguf" --pairs "$here/pairs.jsonl" --radius "${RADIUS:-5}" --share 0 \
        --space "$out/control-space.json"
    attack control-guarded --offsets 300 --good "$out/control.gguf" --space "$out/control-space.json" "${guard[@]}"
    attack control-author --offsets 300 --good "$out/control.gguf" --space "$out/control-space.json"
}

prompts() { # the safe ones, too: a guard that declines whatever looks odd declines these
    for label in unsafe safe; do
        "$here/attacks.py" "$requests" "$out/prompts-$label" --label $label --count 40 >/dev/null
        for file in "$out/prompts-$label"/*.jsonl; do
            echo "== $label, $(basename "$file" .jsonl)"
            [ -e "${file%l}" ] || "$trine" good eval "${model[@]}" --good "$out/good.gguf" "${guard[@]}" --tokens 24 \
                --requests "$file" --json="${file%l}"
        done
    done
}

for stage in ${STAGES:-values control prompts}; do
    case $stage in
    values) values ;;
    control) control ;;
    prompts) prompts ;;
    esac
done
