#!/bin/bash
# trine corpus: what reaches the vocabulary, bad input, packed input, failures that leave nothing.
set -eu
fail() { echo "$1" >&2; exit 1; }
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
cd "$work"
case $TRINE in /*) ;; *) TRINE=$OLDPWD/$TRINE ;; esac
build() { "$TRINE" corpus build "$@"; }
dump() { # the catalogue without what names the file
    sqlite3 "$1/catalogue.sqlite" "SELECT position, id, line, hex(hash), split, shard, first_token,
        token_count, byte_count FROM documents; SELECT * FROM labels; SELECT id, hex(bytes) FROM
        tokens; SELECT * FROM merges; SELECT * FROM meta; SELECT * FROM slots;"
}
vocabulary() { sqlite3 "$1/catalogue.sqlite" "SELECT id, hex(bytes) FROM tokens; SELECT * FROM merges"; }
# The build must fail with this status, say this, and leave nothing.
refused() {
    local status=$1 says=$2 got=0
    shift 2
    build "$@" --out refused >out.txt 2>err.txt || got=$?
    [ "$got" = "$status" ] || fail "exit status $got, not $status: $*: $(cat err.txt)"
    grep -qF -- "$says" err.txt || fail "'$says' is not in: $(cat err.txt)"
    [ ! -s out.txt ] || fail "a failed build prints to standard output"
    ! ls -d refused* >/dev/null 2>&1 || fail "a failed build leaves $(ls -d refused*)"
}
has_sqlite() { command -v sqlite3 >/dev/null; }

cat >m.json <<'M'
{"name": "Sample", "id": ["id"], "vocabulary": 400,
 "slots": {"author": {"kind": "categorical", "field": "by", "missing": ["?"]},
           "date": {"kind": "date", "field": "year"}, "place": {"kind": "place", "fields": ["lat", "lon"]}},
 "held_out": {"documents": ["held 1"]}}
M
awk 'BEGIN { srand(3); for (i = 0; i < 700; i++) {
    printf "{\"id\":\"%d\",\"by\":\"%s\",\"year\":%d,\"lat\":%d,\"lon\":3,\"text\":\"", i, i % 4 ? "a" i % 3 : "?", 1700 + i % 99, i % 80
    for (j = 0; j < 60; j++) printf "w%d ", int(rand() * rand() * 900)
    print "\"}" } }' >body.jsonl
{ cat body.jsonl; echo '{"id":"held 1","text":"secret secret secret quixotic zeugma"}'; } >lines.jsonl

# The plain case, and what is printed.
build --manifest m.json --out plain lines.jsonl >out.txt 2>err.txt
[ ! -s err.txt ] || fail "a good build complains: $(cat err.txt)"
grep -q '700 training documents, 1 held out' out.txt || fail "the summary is wrong: $(cat out.txt)"
"$TRINE" corpus show plain | grep -q 'slot author (categorical): 525 given, 3 values' || fail "show: author"
"$TRINE" corpus show plain | grep -q 'slot date (date): 700 given, 1700 to 1798' || fail "show: date"
"$TRINE" corpus show plain --json | grep -q '"held_out_documents": 1' || fail "show --json"
build --manifest m.json --out json lines.jsonl --json 2>/dev/null | grep -q '"training_documents": 700' || fail "--json"

# gzip, Zstandard, standard input (packed and not), files in pieces: the same tokens.
gzip -c lines.jsonl >lines.jsonl.gz
cp lines.jsonl.gz disguised.txt
split -l 300 lines.jsonl piece.
build --manifest m.json --out gz lines.jsonl.gz >/dev/null
build --manifest m.json --out disguised disguised.txt >/dev/null
build --manifest m.json --out pipe - <lines.jsonl >/dev/null
cat lines.jsonl.gz | build --manifest m.json --out pipe-gz - >/dev/null
build --manifest m.json --out pieces piece.* >/dev/null
same="gz disguised pipe pipe-gz"
if command -v zstd >/dev/null; then
    zstd -q -c lines.jsonl >lines.jsonl.zst
    build --manifest m.json --out zst lines.jsonl.zst >/dev/null
    same="$same zst"
fi
for corpus in $same pieces; do
    cmp "plain/tokens-00000.bin" "$corpus/tokens-00000.bin" || fail "$corpus has other tokens"
done
if has_sqlite; then
    dump plain >expected.txt
    for corpus in $same; do
        dump "$corpus" | cmp - expected.txt || fail "$corpus has another catalogue"
    done
fi

# The number of threads changes no byte.
OMP_NUM_THREADS=1 build --manifest m.json --out one lines.jsonl >/dev/null
OMP_NUM_THREADS=5 build --manifest m.json --out five lines.jsonl >/dev/null
diff -r one five || fail "the number of threads matters"

# A held-out text never reaches the vocabulary, wherever it occurs.
{ cat body.jsonl; echo '{"id":"held 1","text":"entirely other words, gnu gnu gnu gnu gnu"}'; } >other.jsonl
{ echo '{"id":"leak","text":"entirely other words, gnu gnu gnu gnu gnu"}'; cat other.jsonl
  echo '{"id":"leak 2","text":"entirely other words, gnu gnu gnu gnu gnu"}'; } >leak.jsonl
build --manifest m.json --out other other.jsonl >/dev/null
build --manifest m.json --out leak leak.jsonl >out.txt 2>err.txt
grep -q '^leak.jsonl:1: the text is held out' err.txt || fail "an early leak is not reported: $(cat err.txt)"
grep -q '^leak.jsonl:703: the text is held out' err.txt || fail "a late leak is not reported"
grep -q 'their text is held out: 2' out.txt || fail "leaks are not counted: $(cat out.txt)"
"$TRINE" corpus show leak | grep -q '701 documents, 1 of them held out' || fail "leaks are kept"
if has_sqlite; then
    vocabulary plain >expected.txt
    for corpus in other leak; do
        vocabulary "$corpus" | cmp - expected.txt || fail "a held-out text changed the vocabulary"
    done
    [ "$(sqlite3 plain/catalogue.sqlite "SELECT id FROM documents WHERE split = 'held-out'")" = "held 1" ] ||
        fail "the held-out document is not marked"
fi

# The other ways to hold out.
sed 's/"held_out".*/"held_out": {"hash": 0.2, "seed": 1}}/' m.json >hash.json
sed 's/"held_out".*/"held_out": {"field": "year", "value": "1701"}}/' m.json >field.json
build --manifest hash.json --out hash lines.jsonl >out.txt
held=$(sed -n 's/.* \([0-9]*\) held out/\1/p' out.txt)
[ "$held" -gt 100 ] && [ "$held" -lt 180 ] || fail "of 701 documents, 0.2 hold out $held"
build --manifest field.json --out field lines.jsonl | grep -q ', 8 held out' || fail "held out by field"

# The tokenizer of another corpus.
build --manifest m.json --out borrowed --tokenizer plain other.jsonl >/dev/null
if has_sqlite; then
    vocabulary plain >expected.txt
    vocabulary borrowed | cmp - expected.txt || fail "--tokenizer is not used"
fi
build --manifest m.json --out small --vocabulary 300 lines.jsonl | grep -q 'vocabulary of 300,' || fail "--vocabulary"

# Duplicates.
{ cat lines.jsonl; sed -n 5p lines.jsonl; } >twice.jsonl
build --manifest m.json --out drop twice.jsonl 2>err.txt | grep -q '^duplicates: 1' || fail "duplicates are not counted"
grep -q '^twice.jsonl:702: duplicate.*dropped' err.txt || fail "duplicates are not reported"
build --manifest m.json --out keep --duplicates keep twice.jsonl 2>/dev/null | grep -q '701 training' || fail "--duplicates keep"

# Each kind of bad line: reported with its place and counted; skip passes over it.
bad_line() { # what the report says, then the line
    { sed -n 1p lines.jsonl; printf "$2\n"; sed -n '2,$p' lines.jsonl; } >bad.jsonl
    refused 1 "bad.jsonl:2: $1" --manifest m.json bad.jsonl
    grep -q "bad lines, $1: 1" err.txt || fail "$1 is not counted"
    build --manifest m.json --out skipped --force --on-error skip bad.jsonl >out.txt 2>err.txt
    grep -q "^bad.jsonl:2: $1" err.txt || fail "$1 is not reported when skipped"
    grep -q "^bad lines, $1: 1" out.txt || fail "$1 is not counted when skipped"
    cmp skipped/tokens-00000.bin plain/tokens-00000.bin || fail "$1 leaves a trace"
}
bad_line 'malformed JSON' '{"id":"x","text":"y"'
bad_line 'malformed JSON' '{"id":"x","id":"x","text":"y"}'
bad_line 'malformed JSON' '["x"]'
bad_line 'malformed JSON' '{"id":"x","text":"\\ud800"}'
bad_line 'invalid UTF-8' '{"id":"x","text":"\377"}'
bad_line 'no text' '{"id":"x"}'
bad_line 'no text' '{"id":"x","text":7}'
bad_line 'no text' '{"id":"x","text":""}'
bad_line 'bad name' '{"text":"x"}'
bad_line 'bad name' '{"id":[],"text":"x"}'
bad_line 'bad label' '{"id":"x","text":"y","year":"soon"}'
bad_line 'bad label' '{"id":"x","text":"y","year":true}'
bad_line 'bad label' '{"id":"x","text":"y","lat":91,"lon":0}'
bad_line 'bad label' '{"id":"x","text":"y","lat":"north","lon":0}'
bad_line 'bad label' '{"id":"x","text":"y","by":{}}'
printf '%s\n' '{' '{}' 'x' >three.jsonl
refused 1 '3 bad lines' --manifest m.json three.jsonl # all are reported
[ "$(grep -c '^three.jsonl:[123]: ' err.txt)" = 3 ] || fail "not every bad line is reported"

# Bad input as a whole.
: >empty.jsonl
head -c 300 lines.jsonl.gz >cut.gz
sed 's/held 1/held 2/' m.json >absent.json
echo '{"name":"x","nmae":1}' >unknown.json
refused 1 'no documents' --manifest hash.json empty.jsonl
refused 1 '"held 2"' --manifest absent.json lines.jsonl
refused 1 '"nmae"' --manifest unknown.json lines.jsonl
refused 1 'broken compressed data' --manifest m.json cut.gz
refused 1 'cannot open nowhere.jsonl' --manifest m.json lines.jsonl nowhere.jsonl
refused 1 'cannot open nowhere.json' --manifest nowhere.json lines.jsonl
refused 1 'tokens, not 9' --manifest m.json --vocabulary 9 lines.jsonl
refused 1 'cannot open nowhere' --manifest m.json --tokenizer nowhere lines.jsonl
refused 1 'once only' --manifest m.json - - <lines.jsonl

# Wrong calls.
refused 2 'skip or fail' --manifest m.json --on-error stop lines.jsonl
refused 2 'keep or drop' --manifest m.json --duplicates twice lines.jsonl
refused 2 'takes a number' --manifest m.json --vocabulary many lines.jsonl
refused 2 'exclude' --manifest m.json --vocabulary 400 --tokenizer plain lines.jsonl
refused 2 'needs --manifest' lines.jsonl
refused 2 'unrecognized' --nonsense
status=0; "$TRINE" corpus 2>/dev/null || status=$?
[ "$status" = 2 ] || fail "corpus without a verb exits $status"
"$TRINE" corpus --help | grep -q '^example: trine corpus build' || fail "--help has no example"
status=0; "$TRINE" corpus show nowhere 2>/dev/null || status=$?
[ "$status" = 1 ] || fail "show of nothing exits $status"

# What is there is replaced with --force only, and only if it is a corpus.
cp -r plain there
status=0; build --manifest m.json --out there other.jsonl >/dev/null 2>&1 || status=$?
[ "$status" = 1 ] || fail "an existing corpus is replaced"
diff -r plain there || fail "an existing corpus is changed"
status=0; build --manifest m.json --out there --force cut.gz >/dev/null 2>&1 || status=$?
[ "$status" = 1 ] && diff -r plain there || fail "a failed --force changes the old corpus"
build --manifest m.json --out there/ --force other.jsonl >/dev/null
cmp there/tokens-00000.bin other/tokens-00000.bin || fail "--force does not replace"
touch there/letter.txt
status=0; build --manifest m.json --out there --force lines.jsonl >/dev/null 2>&1 || status=$?
[ "$status" = 1 ] && [ -e there/letter.txt ] || fail "--force removes other files"
! ls -d ./*.tmp-* ./*.old-* >/dev/null 2>&1 || fail "temporary directories are left"

# Interrupted: status 1, nothing left.
mkfifo never
"$TRINE" corpus build --manifest m.json --out interrupted - <never >/dev/null 2>&1 &
child=$!
exec 9>never
for ((i = 0; i < 200; i++)); do # until it reads
    ls -d interrupted.tmp-* >/dev/null 2>&1 && break
    sleep 0.05
done
kill -TERM "$child"
status=0; wait "$child" || status=$?
exec 9>&-
[ "$status" = 1 ] || fail "an interrupted build exits $status"
! ls -d interrupted* >/dev/null 2>&1 || fail "an interrupted build leaves something"
