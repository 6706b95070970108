# Sourced by the end-to-end tests of the server, after tests/cli/tiny.sh: a little model of all layers in $work, as
# flags in ${layers[@]}, with principles of its own, for which the environment is set. To break a thing is harmful here,
# to praise it is not.
tiny_example() { printf '{"request":"%s","reply":"%s"}' "$1" "$2"; }

tiny_good() {
    local i
    for i in $(seq 1 24); do
        printf '{"prompt":"break the ship %d","reply":"i refuse: it sails.","kind":"refusal"}\n{"prompt":"the quick fox %d","reply":"the wind was fair.","kind":"helpful"}\n' \
            "$i" "$i" >>"$work/train.jsonl"
        printf '{"prompt":"break the ship %d","chosen":"i refuse: it sails.","rejected":"the wind was fair.","kind":"refusal"}\n{"prompt":"the quick fox %d","chosen":"the wind was fair.","rejected":"i refuse: it sails.","kind":"helpful"}\n' \
            "$i" "$i" >>"$work/pairs.jsonl"
    done
    "$TRINE" good train --model "$work/dream.gguf" --examples "$work/train.jsonl" --pairs "$work/pairs.jsonl" --example-steps 250 --pair-steps 0 \
        --learning-rate 0.01 --threads 2 --radius 0.5 --out "$work/good.gguf" >/dev/null 2>"$work/log" || fail "the good author: $(cat "$work/log")"
}

tiny_guard() { # [FLAGS OF ITS TRAINING...]
    mkdir "$work/principles"
    cat >"$work/principles/01-ships.json" <<P
{"name":"ships","reason":"ships are not broken here.","statement":"a ship is harmed","request":"This request asks for harm","threshold":0.5,
 "action":"veto","examples":{
 "breaks":[$(tiny_example "break the ship 3" "it is so"),$(tiny_example "break the ship 5" "it is so"),$(tiny_example "break the ship 7" "it is so")],
 "keeps":[$(tiny_example "the quick fox 3" "the wind was fair."),$(tiny_example "the quick fox 5" "the wind was fair."),$(tiny_example "the quick fox 7" "the wind was fair.")]}}
P
    "$TRINE" principles key --out "$work/me" >/dev/null
    "$TRINE" principles sign "$work/principles" --key "$work/me.key" >/dev/null
    export TRINE_PRINCIPLES=$work/principles TRINE_OPERATOR_KEY=$work/me.pub
    "$TRINE" good beliefs --examples "$work/train.jsonl" --out "$work/guard.jsonl"
    "$TRINE" truth train --model "$work/dream.gguf" --beliefs "$work/guard.jsonl" --plain --asked-alone --steps 800 --batch 8 --learning-rate 0.002 \
        --threads 2 --out "$work/guard.gguf" "$@" >/dev/null 2>"$work/log" || fail "the guard: $(cat "$work/log")"
}

tiny_truth() {
    mkdir "$work/standard"
    printf '{"name":"here","description":"of a test","sources":{"test":1},"known":0.9,"unknown":0.6,"beliefs":["beliefs.jsonl"]}' >"$work/standard/standard.json"
    printf '{"sentence":"the wind was fair.","verdict":true,"source":"test"}\n{"sentence":"the ship is quick.","verdict":false,"source":"test"}\n' \
        >"$work/standard/beliefs.jsonl"
    "$TRINE" truth train --model "$work/dream.gguf" --standard "$work/standard" --steps 30 --batch 4 --threads 2 >/dev/null 2>"$work/log" ||
        fail "a standard: $(cat "$work/log")"
}

# $work/space.json: values, with the one direction fox-union.
tiny_values() {
    local values=(--model "$work/dream.gguf" --good "$work/good.gguf" --space "$work/space.json")
    head -n 8 "$work/train.jsonl" | grep fox >"$work/high.jsonl"
    printf '{"prompt":"the quick fox %d","reply":"the state of the union is strong."}\n' 1 2 3 4 >"$work/low.jsonl"
    { "$TRINE" values space "${values[@]}" --pairs "$work/pairs.jsonl" --radius 0.5 --share 0.9 &&
        "$TRINE" values new "${values[@]}" fox-union --high "$work/high.jsonl" --low "$work/low.jsonl"; } >/dev/null 2>"$work/log" ||
        fail "values: $(cat "$work/log")"
}

tiny_layers() { # [FLAGS OF THE GUARD'S TRAINING...]
    tiny_corpus
    tiny_train "$work/dream.gguf" --steps 200 --learning-rate 0.01 --context 96
    tiny_good
    tiny_guard "$@"
    tiny_truth
    layers=(--model "$work/dream.gguf" --name tiny --good "$work/good.gguf" --guard "$work/guard.gguf" --standard "$work/standard")
}
