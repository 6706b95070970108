#!/bin/bash
# What Trine is packaged with: the unit of systemd and its options, the container, the completions of three shells. Every check
# is also held against a copy with a fault in it, which it must find.
set -eu
fail() { echo "$1" >&2; exit 1; }
command -v python3 >/dev/null || { echo "skipped: python3 is not installed"; exit 77; }
[ "${TRINE_BUILD:-build}" = build ] || { echo "skipped: packaging is the same for every build, and tested with the plain one"; exit 77; }
export PYTHONDONTWRITEBYTECODE=1
here=tests/packaging
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
passes() { "$@" >"$work/said" 2>&1 || fail "$*: $(cat "$work/said")"; }
faulty() { # FILE SED... -- CHECK...: CHECK finds a fault in what SED makes of FILE, which stands at the end of it
    local file=$1 edits=()
    shift
    while [ "$1" != -- ]; do edits+=(-e "$1"); shift; done
    shift
    sed "${edits[@]}" "$file" >"$work/${file##*/}"
    ! cmp -s "$file" "$work/${file##*/}" || fail "${edits[*]} changes nothing in $file"
    if "$@" "$work/${file##*/}" >"$work/said" 2>&1; then fail "$* finds no fault after ${edits[*]}"; fi
}

### The unit
unit=packaging/trine.service
check_unit() { python3 $here/lint_unit.py "$1"; }
passes check_unit $unit
for edit in '/^ProtectSystem=/d' 's/^ProtectSystem=strict/ProtectSystem=full/' 's/^NoNewPrivileges=yes/NoNewPrivileges=no/' \
    's/^CapabilityBoundingSet=$/CapabilityBoundingSet=CAP_CHOWN/' 's/^User=trine/User=root/' '/^User=/d' 's/^PrivateTmp/PrivatTmp/' \
    's/^MemoryDenyWriteExecute=no/MemoryDenyWriteExecute=yes/' '/oneDNN/d' '/^SystemCallFilter=~/d' '/^SystemCallFilter=@/d' \
    's/^RestrictAddressFamilies=.*/& AF_UNIX/' 's/^LimitNOFILE=.*/LimitNOFILE=12/' '/^LimitNOFILE/d' '/^StateDirectory=/d' \
    's/^Restart=.*/Restart=no/' '/^RestartPreventExitStatus/d' 's/^\[Service\]/[Servise]/' '/^\[Install\]/d' 's/^Type=exec/&\n&/' \
    's/^Type=exec/&\nthis is no key/' 's/^EnvironmentFile=.*/EnvironmentFile=trine.conf/' 's/ \$TRINE_OPTIONS//' 's/^IPAddressDeny.*//' \
    's/^StateDirectoryMode=.*/StateDirectoryMode=0755/' 's/^ProtectHome=yes/ProtectHome=yes /'; do
    faulty $unit "$edit" -- check_unit
done
if command -v systemd-analyze >/dev/null && version=$(systemd-analyze --version | sed -n 's/^systemd \([0-9]*\).*/\1/p') &&
    [ "${version:-0}" -ge 250 ]; then
    verify() { # says things on standard error, and is content with them
        sed "s|^ExecStart=/usr/local/bin/trine|ExecStart=$TRINE|" "$1" >"$work/verified.service"
        systemd-analyze verify --man=no "$work/verified.service" >"$work/verified" 2>&1 && ! grep verified.service "$work/verified"
    }
    passes verify $unit
    for edit in 's/^PrivateTmp=/PrivatTmp=/' 's/^Restart=.*/Restart=never/' 's/^ExecStart=.*/ExecStart=trine-of-nobody serve/' \
        's/^SystemCallFilter=@.*/SystemCallFilter=@nothing/' 's/^LimitNOFILE=.*/LimitNOFILE=many/'; do
        faulty $unit "$edit" -- verify
    done
    # Of 10, which is a service without any of this; 1.1 it is.
    exposed() { systemd-analyze security --offline=true --no-pager --threshold=13 "$1"; }
    passes exposed $unit
    faulty $unit '/^ProtectSystem=/d' '/^CapabilityBoundingSet=/d' -- exposed
else
    echo "skipped: systemd-analyze verify (none here, or older than 250)"
fi
if command -v systemd-sysusers >/dev/null; then
    make_user() { rm -rf "$work/users" && mkdir -p "$work/users/etc" && systemd-sysusers --root="$work/users" "$(realpath "$1")" &&
        grep -q "^$(sed -n 's/^User=//p' $unit):[^:]*:[0-9]*:[0-9]*:[^:]*:/var/lib/trine:/usr/sbin/nologin$" "$work/users/etc/passwd"; }
    passes make_user packaging/trine.sysusers
    faulty packaging/trine.sysusers 's/^u trine/u other/' -- make_user
fi

### Its options: variables that the man page has, options that the program takes
check_options() {
    local name value options status count=0
    while IFS== read -r name value; do
        count=$((count + 1))
        case $name in
        TRINE_OPTIONS)
            [[ $value == \'*\' ]] || { echo "options without quotes: $value"; return 1; }
            value=${value//\/var\/lib/$work/none} # nor does a server that is installed here matter
            value=${value//\/srv/$work/none}
            eval "options=(${value:1:-1})"
            status=0
            timeout 60 "$TRINE" serve "${options[@]}" --port 0 </dev/null >"$work/served" 2>&1 || status=$?
            # Where the files are not there, it fails (1); called wrongly, it says so (2).
            [ $status = 1 ] && grep -q "$work/none/trine/" "$work/served" || { echo "serve ${options[*]}: $status, $(cat "$work/served")"; return 1; }
            ;;
        TRINE_*) sed 's/\\-/-/g' doc/trine.1 | grep -qx "\.B $name" || { echo "the man page has no $name"; return 1; } ;;
        OMP_NUM_THREADS) ;;
        *) echo "what is $name?"; return 1 ;;
        esac
    done < <(sed -n 's/^#\{0,1\}\([A-Z_]*=.*\)/\1/p' "$1")
    [ $count -ge 4 ] && grep -q '^TRINE_OPTIONS=' "$1"
}
passes check_options packaging/trine.conf
faulty packaging/trine.conf 's/--local-scope/--lokal-scope/' -- check_options
faulty packaging/trine.conf '/^#TRINE_OPTIONS/s/--keys/--key-file/' -- check_options
faulty packaging/trine.conf 's/TRINE_BASE/TRINE_BASIS/' -- check_options
faulty packaging/trine.conf 's/^TRINE_OPTIONS/#&/' -- check_options

### The container
dockerfile=packaging/Dockerfile
lint() { python3 $here/lint_dockerfile.py "$1"; }
passes lint $dockerfile
for edit in 's/^FROM debian:12-slim/FROM debian:latest/' 's/^FROM debian:12 AS build/FROM ubuntu:22.04 AS build/' '/^USER/d' 's/^USER.*/USER root/' \
    's/^USER.*/USER 0:0/' 's/^HEALTHCHECK.*/HEALTHCHECK NONE/' '/^ *curl/d' 's|8080/health|9090/health|' 's/--no-install-recommends//' \
    's|&& rm -rf /var/lib/apt/lists.*|\\|' 's/^RUN apt-get update/RUN true/' 's/--from=build/--from=builder/' 's|^COPY --from.*|&\nCOPY model.gguf /models/|' \
    's/^ENTRYPOINT.*/ENTRYPOINT trine/' 's/^EXPOSE.*/EXPOZE 8080/' 's/^USER.*/&\nRUN true/' 's/libdnnl2/libdnnl2 libdnnl-dev/' 's/zlib1g /zlib1g zlib1g /' \
    's/, "--keys", "[^"]*"//' 's/^WORKDIR \/trine/ENV DATABASE_PASSWORD=x/' 's/ AS build//'; do
    faulty $dockerfile "$edit" -- lint
done

# What it builds with is what the Makefile asks for, but for tests.
packages() { python3 $here/lint_dockerfile.py --packages "$1" "$2" | sort; }
asked=$(make -s --no-print-directory --eval 'print-packages: ; @echo $(DEBIAN_PACKAGES)' print-packages)
builds() { diff <(packages "$1" 0 | grep -e '-dev$') <(tr ' ' '\n' <<<"$asked" | grep -e '-dev$' | grep -v cmocka | sort); }
passes builds $dockerfile
faulty $dockerfile 's/libsodium-dev//' -- builds

# What it runs with is what the program is linked with or opens late, and what asks for its health.
if command -v dpkg >/dev/null && command -v strings >/dev/null && grep -q bookworm /etc/os-release; then
    # The byte before the first string of a section may be a letter as well.
    libraries=$(strings -a "$TRINE" | sed -nE 's/^.?(lib[a-z0-9_+-]+\.so\.[0-9]+)$/\1/p' | sort -u)
    for library in libdnnl.so.2 libmicrohttpd.so.12 libsqlite3.so.0; do
        grep -qx "$library" <<<"$libraries" || fail "the program seems not to use $library"
    done
    needed=$(for library in $libraries; do
        dpkg -S "*/x86_64-linux-gnu/$library" 2>/dev/null | sed -n 's/^\([a-z0-9.+-]*\):.*/\1/p' | head -n 1 | grep . || echo "nobody's-$library"
    done | grep -vx 'libc6' | sort -u)
    runs() { diff <(packages "$1" 1 | grep -vx curl) <(echo "$needed"); }
    passes runs $dockerfile
    faulty $dockerfile 's/libmicrohttpd12//' -- runs
    faulty $dockerfile 's/^ *curl/& libgsl27/' -- runs
fi

# All that is built and installed gets into the container, and no model does. The tree is that of somebody who has built and
# trained.
tree=$work/tree
mkdir -p "$tree/studio/node_modules/some" "$tree/demo" "$tree/models"
cp -r Makefile doc include packaging recipes src tools "$tree/"
find studio -maxdepth 1 -type f -exec cp {} "$tree/studio/" \;
cp -r studio/src studio/public "$tree/studio/"
touch "$tree/studio/node_modules/some/file" "$tree/demo/sotu.gguf" "$tree/models/m.gguf" "$tree/recipes/standards/plain/truth.gguf" "$tree/trine"
context_is_whole() { # IGNORED
    local context=$work/context unwanted file
    rm -rf "$context" "$work/installed"
    cp "$1" "$tree/.dockerignore"
    python3 $here/docker_context.py "$tree" "$context"
    unwanted=$(cd "$context" && find . \( -name '*.gguf' -o -name node_modules -o -name demo -o -name models -o -name .git -o -path ./trine \))
    [ -z "$unwanted" ] || { echo "the container gets $unwanted"; return 1; }
    sources() { (cd "$1" && find src include studio/src studio/public tools -type f -not -name '*.pyc' | sort); }
    diff <(sources "$tree") <(sources "$context") && make -n -C "$context" STUDIO=1 all || return 1
    mkdir -p "$context/build"
    cp "$TRINE" "$context/trine"
    touch "$context/build/libtrine.a" "$context/build/libtrine.so.0"
    make -C "$context" STUDIO=0 -o trine -o build/libtrine.a -o build/libtrine.so.0 install DESTDIR="$work/installed" || return 1
    for file in standards/plain/beliefs.jsonl principles/principles.sig trine.conf; do
        [ -e "$work/installed/usr/local/share/trine/$file" ] || { echo "$file is not installed"; return 1; }
    done
}
passes context_is_whole .dockerignore
faulty .dockerignore '/^!src/d' -- context_is_whole
faulty .dockerignore '/principles/d' -- context_is_whole
faulty .dockerignore '/gguf/d' 's/^!recipes.*/!recipes/' -- context_is_whole
faulty .dockerignore '/^\*$/d' -- context_is_whole
faulty .dockerignore '/^!tools/d' -- context_is_whole
faulty .dockerignore '/node_modules/d' -- context_is_whole

### Completions: what the program's help says, and of every option whether the program knows it
completions=$work/shells
tools/completions.py "$TRINE" $completions
passes tools/completions.py --check "$TRINE" $completions
cp -r $completions "$work/completions"
echo '# a line too many' >>"$work/completions/trine.fish"
if tools/completions.py --check "$TRINE" "$work/completions" 2>"$work/said"; then fail "stale completions are not noticed"; fi
grep -q "not what the program's help says: .*trine.fish" "$work/said" || fail "stale completions: $(cat "$work/said")"

passes bash -n $completions/trine.bash
faulty $completions/trine.bash 's/^complete /) &/' -- bash -n
. $completions/trine.bash
[ "$(complete -p trine)" = 'complete -F _trine trine' ] || fail "bash has no completion: $(complete -p trine)"
completed() { # WORDS...: what bash makes of the last one, on one line
    COMP_WORDS=("$@") COMP_CWORD=$(($# - 1)) COMPREPLY=()
    _trine 2>/dev/null # compopt is for a completion that a key began
    local IFS=' '
    echo "${COMPREPLY[*]}"
}
completes() { # EXPECTED WORDS...
    [ "$(completed "${@:2}")" = "$1" ] || fail "'${*:2}' is completed to '$(completed "${@:2}")', not '$1'"
}
commands=$("$TRINE" --help | sed -n 's/^  \([a-z]*\) .*/\1/p' | xargs)
completes "$commands --help --version" trine ''
completes 'serve' trine se
completes 'new list revoke' trine key ''
completes 'check' trine principles ch
completes '--local-scope' trine serve --loc
completes 'good truth dream' trine serve --local-scope ''
completes 'dream' trine key new --scope d
completes 'dream' trine serve --local-scope = d
completes 'gguf lora control-vector huggingface' trine export --as ''
completes 'README.md' trine write --like READ
completes 'README.md' trine read READ
completes 'recipes' trine atlas --corpus rec
completes 'recipes/sotu' trine corpus show --json build --out recipes/sot
completes '' trine serve --port ''
completes '' trine train --threads ''
completes '--json' trine read --json --js
completes 'README.md' trine read --json READ
completes '' trine nothing --he
mkdir "$work/a directory" && touch "$work/a file"
completes "$work/a file" trine read "$work/a f"
completes "$work/a directory" trine atlas --corpus "$work/a"

# Of every option the program says whether it knows it.
passes python3 $here/known_options.py "$TRINE" src/cli/*.c
printf '#!/bin/sh\n"%s" "$@" | sed "s/--local-scope S/--local-scope  /; s/--queue N/--qeue N/"\n' "$TRINE" >"$work/program"
chmod +x "$work/program"
if python3 $here/known_options.py "$work/program" src/cli/serve.c 2>"$work/said"; then fail "wrong options are not noticed"; fi
for name in --local-scope --qeue 'no help names --queue'; do grep -q -e "$name" "$work/said" || fail "nothing is said of $name: $(cat "$work/said")"; done

# At a terminal, with the key.
lines=('trine serve --loc' 'trine serve --local-scope ' 'trine key n' 'trine key new ' 'trine write --like READ' 'trine write --like README.md ')
passes python3 $here/press_tab.py bash $completions/trine.bash "${lines[@]}"
if PRESS_TAB_SECONDS=1 python3 $here/press_tab.py bash $completions/trine.bash 'trine key n' 'trine key none ' 2>/dev/null; then fail "any text is expected"; fi
if command -v zsh >/dev/null; then
    passes zsh -n $completions/_trine
    faulty $completions/_trine 's/^_trine "/) &/' -- zsh -n
    lines[1]='trine serve --local-scope='
    for command in $commands; do lines+=("trine $command --hel" "trine $command --help "); done
    passes python3 $here/press_tab.py zsh $completions/_trine "${lines[@]}"
else
    echo "skipped: zsh is not installed"
fi
if command -v fish >/dev/null; then
    passes fish --no-config -n $completions/trine.fish
    faulty $completions/trine.fish 's/^complete -c trine -f/end\n&/' -- fish --no-config -n
    fish_completes() { # EXPECTED LINE
        said=$(fish --no-config -c "source $completions/trine.fish; complete -C '$2'" | cut -f 1 | sort | xargs)
        [ "$said" = "$1" ] || fail "fish completes '$2' to '$said', not '$1'"
    }
    fish_completes "$(tr ' ' '\n' <<<"$commands" | sort | xargs)" 'trine '
    fish_completes '--local-scope' 'trine serve --loc'
    fish_completes 'dream good truth' 'trine serve --local-scope '
    fish_completes 'check key show sign' 'trine principles '
    fish_completes 'README.md' 'trine write --like READ'
    fish_completes 'README.md' 'trine read READ'
    fish_completes '' 'trine serve READ'
    fish_completes 'recipes/' 'trine atlas --corpus rec'
else
    echo "skipped: fish is not installed"
fi

### The server answers with the system calls and the sockets that the unit leaves it
. tests/cli/tiny.sh
tiny_corpus
tiny_train "$work/tiny.gguf"
if python3 $here/under_filter.py $unit "$TRINE" --version >"$work/said" 2>&1; then
    faulty $unit 's/^SystemCallFilter=~.*/&\nSystemCallFilter=~@network-io/' -- sh -c 'python3 "$0" "$3" "$1" serve --model "$2" --port 0' \
        $here/under_filter.py "$TRINE" "$work/tiny.gguf"
    "$TRINE" key new --scope dream --keys "$work/keys.sqlite" >"$work/key" 2>/dev/null
    python3 $here/under_filter.py $unit "$TRINE" serve --model "$work/tiny.gguf" --corpus "$work/corpus" --keys "$work/keys.sqlite" \
        --conversations "$work/conversations.sqlite" --port 0 >"$work/out" 2>"$work/log" &
    server=$!
    trap 'kill $server 2>/dev/null || true; rm -rf "$work"' EXIT
    for _ in $(seq 600); do grep -q listening "$work/out" && break; kill -0 $server 2>/dev/null || fail "no server: $(cat "$work/log")"; sleep 0.1; done
    url=$(sed -n 's/^listening on //p' "$work/out")
    ask() { # PATH [BODY]
        curl -sS --max-time 60 --fail-with-body -H "Authorization: Bearer $(cat "$work/key")" ${2:+-d "$2"} "$url$1" >"$work/said" ||
            fail "$1 under the unit's filter: $(cat "$work/said" "$work/log")"
    }
    ask /health
    ask /v1/completions '{"prompt":"the quick","max_tokens":8}'
    ask /v1/read '{"text":"whereas the ship sailed"}'
    ask /v1/atlas
    ask /metrics
    ask /v1/conversations '{}'
    ask /
    kill $server
    status=0; wait $server || status=$?
    [ $status = 0 ] || fail "the server ends with $status under the filter: $(cat "$work/log")"
else
    status=$?
    [ $status = 77 ] || fail "the program under the unit's filter: $status, $(cat "$work/said")"
    cat "$work/said"
fi
