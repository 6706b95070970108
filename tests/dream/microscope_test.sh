#!/bin/bash
# The atlas's report in a real browser, from a file: the map, its keys, finding, colours, narrow and dark; and that nothing
# is asked of any network. It is the same page whatever flags the program was built with, so one build tests it.
set -eu
skip() { echo "skipped: $1"; exit 77; }
[ "${TRINE_BUILD:-build}" = build ] || skip "the report's page is tested with the plain build"
command -v node >/dev/null 2>&1 || skip "there is no Node.js"
export CHROMIUM=${CHROMIUM:-$(command -v chromium || true)}
[ -n "$CHROMIUM" ] || skip "there is no chromium, so the report was not tried in a browser"
. tests/studio_packages.sh
studio_packages || skip "npm could not install the studio's packages, which drive the browser"
here=$PWD
. tests/cli/tiny.sh
tiny_corpus
cd "$work"
# Names that would be markup, and would run a script if they were.
sed -i 's/"date":/"style":{"kind":"categorical","field":"style"},&/' manifest.json
sed -i 's/^{/{"style":"<img src=x onerror=alert(1)>",/; 7,$s/"id":"/&<img src=x onerror=alert(2)>/' docs.jsonl
"$TRINE" corpus build --force --manifest manifest.json --out corpus docs.jsonl >/dev/null
tiny_train "$work/tiny.gguf" --steps 40
"$TRINE" atlas --model tiny.gguf --corpus corpus --samples 2 --tokens 30 --disputed 30 --prompt '</script><script>alert(1)</script>' \
    --report page.html 2>log || fail "no report: $(cat log)"
cd "$here"
timeout 120 node tests/dream/microscope_page.mjs "$work/page.html" "${SHOTS:-}"
