#!/bin/bash
# What doc/truth.md reports: truth authors trained on verdicts alone and toward the market, for three seeds and three
# shares of verdicts, and measured on held-out topics. What is there already is not made again.
# Usage: measure.sh PROGRAM smollm2|addresses BASES OUT MODEL [BASE_CHECKPOINT|CORPUS]
#   BASES: what statements.py or address_facts.py wrote. smollm2: MODEL is models/smollm2-sotu/smollm2-sotu.gguf on
#   BASE_CHECKPOINT; addresses: MODEL is what `make demo` trained, CORPUS its corpus.
# STAGES (default: "opinions train ablate eval"), SEEDS (default: "1 2 3"), SHARES (default: "0.2 1.0 0.05"), STEPS.
set -eu
if [ $# -ne 6 ]; then
    sed -n '4,8s/^# //p' "$0" >&2
    exit 2
fi
trine=$1 kind=$2 bases=$3 out=$4 model=$5 beside=$6
here=$(dirname "$0")
seeds=${SEEDS:-1 2 3}
mkdir -p "$out"
case $kind in
smollm2)
    of_model=(--model "$model" --base "$beside")
    heard=(--hear "$beside")
    settings=(--steps "${STEPS:-240}" --batch 48 --learning-rate 0.001)
    ;;
addresses)
    of_model=(--model "$model")
    heard=()
    settings=(--steps "${STEPS:-300}" --batch 32 --learning-rate 0.003 --rank 16)
    ;;
*)
    echo "measure.sh: '$kind' is neither smollm2 nor addresses" >&2
    exit 2
    ;;
esac

opinions() { # what the traders say of the statements: the same at every share and seed
    local any=$bases/base-1.0-s1.jsonl
    if [ ! -e "$out/models.jsonl" ]; then
        "$trine" truth opinions "${of_model[@]}" --name dream --beliefs "$any" --out "$out/models.jsonl"
        if [ "$kind" = smollm2 ]; then
            "$trine" truth opinions --model "$beside" --name checkpoint --beliefs "$any" --out "$out/checkpoint.jsonl"
            cat "$out/checkpoint.jsonl" >>"$out/models.jsonl"
        fi
    fi
    [ "$kind" = smollm2 ] || [ -e "$out/library.jsonl" ] ||
        "$trine" truth opinions "${of_model[@]}" --ways none --corpus "$beside" --beliefs "$any" --out "$out/library.jsonl"
    "$here/liar.py" "$bases/base-1.0-s1.jsonl" >"$out/liar.jsonl" # lies about what the others never learn, too
}

train() { # NAME SHARE SEED FLAGS...
    local layer=$out/$1-$2-s$3.gguf
    [ -e "$layer" ] && return
    echo "== $1, $2 of the verdicts, seed $3"
    "$trine" truth train "${of_model[@]}" --beliefs "$bases/base-$2-s$3.jsonl" --calibrate "$bases/calibrate.jsonl" \
        "${settings[@]}" --seed "$3" --out "$layer" "${@:4}" 2>"$layer.log" | tee "$layer.txt"
}

models=(--opinions "$out/models.jsonl") library=()
[ "$kind" = smollm2 ] || library=(--opinions "$out/library.jsonl")

train_all() {
    for share in ${SHARES:-0.2 1.0 0.05}; do
        for seed in $seeds; do
            train plain $share $seed --plain
            train market $share $seed "${models[@]}" "${library[@]}"
        done
    done
}

ablate() {
    for seed in $seeds; do
        train without-coherence 0.2 $seed "${models[@]}" "${library[@]}" --without coherence
        train without-models 0.2 $seed "${library[@]}"
        [ "$kind" = smollm2 ] && continue
        train without-reading 0.2 $seed "${models[@]}"
        train one-round 1.0 $seed "${models[@]}" "${library[@]}" --rounds 1
    done
    train liar 0.2 1 "${models[@]}" "${library[@]}" --opinions "$out/liar.jsonl"
}

evaluate() { # NAME FLAGS...
    [ -e "$out/$1.json" ] && return
    "$trine" truth eval "${of_model[@]}" "${heard[@]}" --beliefs "$bases/held_out.jsonl" \
        --calibrate "$bases/calibrate.jsonl" --answers "$out/$1.answers" --json "$out/$1.json" "${@:2}"
}

evaluate_all() {
    evaluate base
    for layer in "$out"/*.gguf; do
        evaluate "$(basename "$layer" .gguf)" --truth "$layer"
    done
    [ "$kind" = addresses ] || return 0
    evaluate base-reading --corpus "$beside"
    for layer in "$out"/{market-*,plain-0.2,without-reading-0.2}-s*.gguf; do
        evaluate "$(basename "$layer" .gguf)-reading" --truth "$layer" --corpus "$beside"
    done
}

for stage in ${STAGES:-opinions train ablate eval}; do
    case $stage in
    opinions) opinions ;;
    train) train_all ;;
    ablate) ablate ;;
    eval) evaluate_all ;;
    esac
done
