#!/bin/bash
# Runs the fuzz targets in BUILD for SECONDS altogether, or each for SECONDS with "each".
#   tests/fuzz/run.sh BUILD SECONDS [each]
# Seeds are small valid files made by the program itself; findings stay in BUILD/findings.
set -eu
build=$1 seconds=$2 trine=${TRINE:-./trine}
targets=$(ls "$build"/*_fuzz)
count=$(echo "$targets" | wc -l)
[ "${3:-}" = each ] || seconds=$((seconds / count))
[ "$seconds" -gt 0 ] || seconds=1
seeds=$build/seeds
if [ ! -e "$seeds/layer/truth.gguf" ]; then # the last that is made
    . tests/cli/tiny.sh
    mkdir -p "$seeds/gguf" "$seeds/safetensors" "$seeds/json" "$seeds/lines" "$seeds/beliefs" "$seeds/strategy" "$seeds/market" "$seeds/layer" \
        "$seeds/config_json" "$seeds/index_json"
    TRINE=$trine
    tiny_corpus
    tiny_train "$work/own.gguf" --steps 2 --ngram-rows 2
    "$trine" export --model "$work/own.gguf" --as gguf --type f32 --out "$seeds/gguf/base.gguf"
    "$trine" export --model "$work/own.gguf" --as gguf --type q8_0 --out "$seeds/gguf/small.gguf"
    "$trine" export --model "$work/own.gguf" --as control-vector --out "$seeds/gguf/vector.gguf"
    "$trine" export --model "$work/own.gguf" --as huggingface --type f16 --out "$work/hf"
    mv "$work/own.gguf" "$seeds/gguf/"
    mv "$work/hf/model.safetensors" "$seeds/safetensors/"
    mv "$work/hf/tokenizer.json" "$seeds/json/"
    mv "$work/hf/config.json" "$seeds/config_json/"
    printf '{"weight_map":{"a":"part.safetensors","b":"part.safetensors"}}' >"$seeds/index_json/index.json"
    mv "$work/manifest.json" "$seeds/lines/"
    head -n 3 "$work/docs.jsonl" | gzip >"$seeds/lines/docs.gz"
    head -n 3 "$work/docs.jsonl" >"$seeds/lines/docs"
    cp recipes/market/africa.jsonl "$seeds/beliefs/"
    cp recipes/market/momentum.strategy "$seeds/strategy/"
    "$trine" market run --beliefs recipes/market/africa.jsonl --days 3 --out "$seeds/market/record" >/dev/null 2>&1
    printf '{"sentence":"a","verdict":true}\n{"sentence":"b","verdict":false}\n' >"$work/beliefs.jsonl"
    "$trine" truth train --model "$seeds/gguf/own.gguf" --beliefs "$work/beliefs.jsonl" --calibrate "$work/beliefs.jsonl" \
        --steps 2 --batch 2 --rank 2 --out "$seeds/layer/truth.gguf" >"$work/log" 2>&1 || fail "a layer to begin with: $(cat "$work/log")"
fi
mkdir -p "$build/findings" "$seeds/gazetteer" "$seeds/picture" "$seeds/principles" "$seeds/dialogue" "$seeds/values" "$seeds/request"
printf '%s\n' '{"prompt":"a","reply":"b"}' '{"prompt":[{"role":"user","text":"a"}],"chosen":"b","rejected":"c"}' \
    '{"chosen":"\n\nHuman: a\n\nAssistant: b","rejected":"\n\nHuman: a\n\nAssistant: c"}' \
    '{"prompt":"a","label":"safe"}' >"$seeds/dialogue/lines"
cp recipes/principles/*.json "$seeds/principles/"
printf 'Paris\t48.8534\t2.3488\tFR\t2138551\tcity\tLutetia|Париж\nZürich\t47.4\t8.55\tCH\t341730\tcity\nFrance\t46\t2\tFR\t67000000\tarea\tFRA\n' \
    >"$seeds/gazetteer/places"
printf '1,2 3,4.5 -5,6\n170,-10 -170,-12 179.5,-14\n' >"$seeds/gazetteer/coasts"
printf '{"model":"m/dream","prompt":"a","max_tokens":3,"stop":["b"],"logprobs":2,"handle":{"author":"a","date":1863,"mix":{"a":1}}}' \
    >"$seeds/request/completion"
printf '{"model":"m","messages":[{"role":"user","content":[{"type":"text","text":"a"}]}],"values":{"warm-cool":0.5},"why":true,"stream":true}' \
    >"$seeds/request/chat"
for kind in across palette rgba grey16; do
    python3 tests/cli/tiny_pictures.py --draw "$seeds/picture/$kind.png" $kind
done
# What layers are read for, and the tensors beside a fuzzed config.json.
export FUZZ_MODEL=$seeds/gguf/own.gguf FUZZ_SAFETENSORS=$seeds/safetensors/model.safetensors FUZZ_VALUES=$seeds/values
for target in $targets; do
    name=$(basename "$target" _fuzz)
    case $name in
    safetensors) kind=safetensors ;;
    tokenizer_json) kind=json ;;
    manifest | jsonl) kind=lines ;;
    beliefs | strategy | market | layer | gazetteer | picture | principles | dialogue | values | request | config_json | index_json) kind=$name ;;
    *) kind=gguf ;;
    esac
    mkdir -p "$build/corpus/$name"
    echo "fuzzing $name for $seconds s"
    # Deep stacks and open libraries are no findings: leaks are looked for, 512 MB are the bound.
    "$target" -max_total_time="$seconds" -rss_limit_mb=1024 -malloc_limit_mb=512 -timeout=20 -max_len=400000 \
        -print_final_stats=1 -artifact_prefix="$build/findings/$name-" "$build/corpus/$name" "$seeds/$kind" \
        >"$build/$name.log" 2>&1 || {
        tail -n 30 "$build/$name.log" >&2
        echo "finding in $name: see $build/findings" >&2
        exit 1
    }
    grep -E "number_of_executed_units|new_units_added" "$build/$name.log"
done
