# bash completion of trine. Made by tools/completions.py from the program's own help (make completions).
_trine_among() { # WORD LIST
    local one
    for one in $2; do
        [[ $one == "$1" ]] && return
    done
    return 1
}

_trine() {
    local IFS=$' 	
'
    local current=${COMP_WORDS[COMP_CWORD]} before=${COMP_WORDS[COMP_CWORD - 1]} command=${COMP_WORDS[1]-}
    local verbs='' options='' files='' directories='' words='' optional='' choices='' operands='' kind=''
    COMPREPLY=()
    if ((COMP_CWORD == 1)); then
        COMPREPLY=($(compgen -W 'corpus train adapt read write handle atlas eval export market truth introspect judge ask chat good odds principles values serve key --help --version' -- "$current"))
        return
    fi
    case $command in
    corpus)
        verbs='build show'
        options='--duplicates --force --help --json --manifest --on-error --out --tokenizer --vocabulary'
        files='--manifest --tokenizer'
        directories='--out'
        words='--vocabulary'
        operands='files'
        ;;
    train)
        options='--batch --beta1 --beta2 --blocks --candidates --clip --context --corpus --decay --evidence-gradient
            --evidence-steps --f32 --final-rate --fresh --handle-gradient --head-width --heads --help --inner
            --key-value-heads --learning-rate --ngram-damping --ngram-decay --ngram-orders --ngram-rate --ngram-rows
            --no-latents --out --pass-sequences --recipe --report-every --rope-base --save-every --score-every
            --score-focus --score-weight --seed --slot-width --split --steps --threads --told-probability
            --validation-every --warmup-steps --width'
        words='--batch --beta1 --beta2 --blocks --candidates --clip --context --decay --evidence-gradient
            --evidence-steps --final-rate --handle-gradient --head-width --heads --inner --key-value-heads
            --learning-rate --ngram-damping --ngram-decay --ngram-orders --ngram-rate --ngram-rows --pass-sequences
            --report-every --rope-base --save-every --score-every --score-focus --score-weight --seed --slot-width
            --split --steps --threads --told-probability --validation-every --warmup-steps --width'
        directories='--corpus'
        files='--out --recipe'
        ;;
    adapt)
        options='--adapt-attention-out --adapt-down --adapt-gate-up --adapt-qkv --adapter-alpha --adapter-first
            --adapter-rank --base --batch --beta1 --beta2 --candidates --clip --context --corpus --decay
            --evidence-gradient --evidence-steps --f32 --final-rate --fresh --handle-gradient --help --learning-rate
            --ngram-damping --ngram-decay --ngram-orders --ngram-rate --ngram-rows --no-latents --out
            --pass-sequences --recipe --report-every --save-every --score-every --score-focus --score-weight --seed
            --slot-width --split --steps --threads --told-probability --validation-every --warmup-steps'
        words='--adapt-attention-out --adapt-down --adapt-gate-up --adapt-qkv --adapter-alpha --adapter-first
            --adapter-rank --batch --beta1 --beta2 --candidates --clip --context --decay --evidence-gradient
            --evidence-steps --final-rate --handle-gradient --learning-rate --ngram-damping --ngram-decay
            --ngram-orders --ngram-rate --ngram-rows --pass-sequences --report-every --save-every --score-every
            --score-focus --score-weight --seed --slot-width --split --steps --threads --told-probability
            --validation-every --warmup-steps'
        files='--base --out --recipe'
        directories='--corpus'
        ;;
    read)
        options='--base --by-token --decide --help --json --model --slot --svg --top'
        optional='--json'
        files='--base --model --svg'
        words='--decide --slot --top'
        operands='files'
        ;;
    write)
        options='--as --author --base --chat --date --handle --help --json --lean --like --min-p --mix --model
            --prompt --seed --sweep --tell --temperature --tokens --top-p --truth --vector'
        optional='--json'
        words='--as --author --date --min-p --mix --prompt --seed --sweep --tell --temperature --tokens --top-p'
        files='--base --handle --like --model --truth --vector'
        ;;
    handle)
        options='--author --base --date --handle --help --json --like --mix --model --tell --vector'
        optional='--json'
        words='--author --date --mix --tell'
        files='--base --handle --like --model --vector'
        ;;
    atlas)
        options='--base --components --corpus --help --json --model --picture --samples --slot'
        optional='--json'
        files='--base --model --picture'
        words='--components --samples --slot'
        directories='--corpus'
        ;;
    eval)
        options='--base --corpus --decide --help --json --model --paths --pieces --plain --split --validation-every'
        optional='--json'
        files='--base --model --pieces --plain'
        directories='--corpus'
        words='--decide --validation-every'
        ;;
    export)
        options='--as --author --base --date --handle --help --like --mix --model --out --tell --type --vector
            --without-adapter'
        words='--author --date --mix --tell'
        files='--base --handle --like --model --out --vector'
        ;;
    market)
        verbs='import run show explain plot'
        options='--beliefs --corpus --days --engine --help --opinions --out --picture --published-weights --seed
            --standard --strategy --weight --without'
        files='--beliefs --opinions --out --picture --strategy'
        directories='--corpus'
        words='--days --seed --standard --weight'
        operands='files'
        ;;
    truth)
        verbs='train eval opinions direction'
        options='--answers --asked-alone --asked-every --author --base --batch --beliefs --calibrate --corpus
            --first-block --hear --help --introspect --json --learning-rate --model --name --opinions --out --plain
            --rank --rounds --seed --standard --steps --threads --truth --vector --ways --weight --without'
        optional='--json'
        files='--answers --base --beliefs --calibrate --hear --model --opinions --out --truth --vector'
        words='--asked-every --author --batch --first-block --learning-rate --name --rank --rounds --seed --standard
            --steps --threads --ways --weight --without'
        directories='--corpus --introspect'
        ;;
    introspect)
        verbs='train eval'
        options='--base --batch --corpus --help --json --learning-rate --model --out --pieces --rank --seed --split
            --steps --threads --time --truth --validation-every'
        optional='--json'
        files='--base --model --out --truth'
        words='--batch --learning-rate --pieces --rank --seed --steps --threads --time --validation-every'
        directories='--corpus'
        ;;
    judge)
        options='--authors --base --corpus --formula --hear --help --json --model --standard --threads --truth'
        optional='--json'
        words='--authors --standard --threads'
        files='--base --hear --model --truth'
        directories='--corpus'
        ;;
    ask)
        options='--base --candidates --corpus --hear --help --json --model --seed --standard --threads --truth'
        optional='--json'
        files='--base --hear --model --truth'
        words='--candidates --seed --standard --threads'
        directories='--corpus'
        ;;
    chat)
        options='--base --corpus --good --guard --hear --help --key --model --no-dream --odds --principles --prompt
            --research --seed --space --standard --temperature --tokens --truth --values --why'
        files='--base --good --guard --hear --key --model --odds --space --truth --values'
        directories='--corpus --principles'
        words='--prompt --seed --standard --temperature --tokens'
        ;;
    good)
        verbs='train eval attack beliefs'
        options='--base --batch --beta --example-steps --examples --good --guard --help --json --learning-rate
            --length-normalised --model --offsets --out --pair-rate --pair-steps --pairs --per-offset --principles
            --radius --rank --replies --requests --seed --space --steps --threads --tokens'
        optional='--json'
        files='--base --examples --good --guard --model --out --pairs --replies --requests --space'
        words='--batch --beta --example-steps --learning-rate --offsets --pair-rate --pair-steps --per-offset
            --radius --rank --seed --steps --threads --tokens'
        directories='--principles'
        ;;
    odds)
        verbs='fit eval'
        options='--base --candidates --good --hear --help --json --model --odds --out --questions --replies
            --standard --threads --tokens --truth'
        optional='--json'
        files='--base --good --hear --model --odds --out --questions --replies --truth'
        words='--candidates --standard --threads --tokens'
        ;;
    principles)
        verbs='show check sign key'
        options='--help --key --out'
        files='--key --out'
        operands='directories'
        ;;
    values)
        verbs='space new effect show set mix'
        options='--base --good --help --high --low --model --name --out --pairs --principles --radius --share --space'
        files='--base --good --high --low --model --out --pairs --space'
        words='--name --radius --share'
        directories='--principles'
        operands='files'
        ;;
    serve)
        options='--address --base --context --conversations --corpus --good --guard --help --jobs --key --keys
            --local-scope --market --model --name --odds --port --principles --profile --queue --research --space
            --standard --truth --workers'
        words='--address --context --name --port --queue --standard --workers'
        files='--base --conversations --good --guard --key --keys --market --model --odds --profile --space --truth'
        directories='--corpus --jobs --principles'
        ;;
    key)
        verbs='new list revoke'
        options='--days --help --keys --name --rate --scope'
        words='--days --name --rate'
        files='--keys'
        ;;
    *) return ;;
    esac
    if [[ $current == = ]]; then # "--option=value" comes as three words
        current=''
    elif [[ $before == = ]] && ((COMP_CWORD > 3)); then
        before=${COMP_WORDS[COMP_CWORD - 2]}
    fi
    case "$command $before" in
    'corpus --duplicates') choices='drop keep' ;;
    'corpus --on-error') choices='fail skip' ;;
    'eval --split') choices='held-out validation' ;;
    'export --as') choices='gguf lora control-vector huggingface' ;;
    'export --type') choices='f32 f16 bf16 q8_0 q4_0 q4_1 q4_k' ;;
    'market --engine') choices='exact kelly' ;;
    'market --without') choices='proofs coherence calibration frequency doubt' ;;
    'introspect --split') choices='held-out validation' ;;
    'serve --local-scope') choices='good truth dream' ;;
    'key --scope') choices='good truth dream' ;;
    esac
    if [[ -n $choices ]]; then
        COMPREPLY=($(compgen -W "$choices" -- "$current"))
        return
    elif _trine_among "$before" "$words"; then
        return
    elif _trine_among "$before" "$directories"; then
        kind=directories
    elif _trine_among "$before" "$files" || { _trine_among "$before" "$optional" && [[ $current != -* ]]; }; then
        kind=files
    elif [[ $current == -* ]]; then
        COMPREPLY=($(compgen -W "$options" -- "$current"))
        return
    elif [[ -n $verbs ]] && ((COMP_CWORD == 2)); then
        COMPREPLY=($(compgen -W "$verbs" -- "$current"))
        return
    elif [[ -z $operands ]]; then
        COMPREPLY=($(compgen -W "$options" -- "$current"))
        return
    else
        kind=$operands
    fi
    compopt -o filenames
    if [[ $kind == directories ]]; then
        mapfile -t COMPREPLY < <(compgen -d -- "$current")
    else
        mapfile -t COMPREPLY < <(compgen -f -- "$current")
    fi
}
complete -F _trine trine
