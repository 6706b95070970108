#!/bin/bash
# The real server with a little model of all layers: what it says is what the commands say, also to many at once; keys,
# kept conversations, and how it ends.
set -eu
. tests/cli/tiny.sh
. tests/serve/tiny_layers.sh
tiny_layers

# Calls that cannot be served.
refuse() { # STATUS MESSAGE FLAGS...
    local status=0
    timeout 60 "$TRINE" serve "${@:3}" >"$work/said" 2>"$work/log" || status=$?
    [ "$status" = "$1" ] && grep -q -e "$2" "$work/log" || fail "serve ${*:3}: $status, $(cat "$work/log")"
}
refuse 2 '--model FILE is wanted'
refuse 2 'stands after its --model' --good "$work/good.gguf" --model "$work/dream.gguf"
refuse 2 'is no option' --model "$work/dream.gguf" more
refuse 2 'is no scope\|scope' --model "$work/dream.gguf" --local-scope all
refuse 1 'no such file\|No such file' --model "$work/none.gguf"
refuse 1 'wants --guard' --model "$work/dream.gguf" --good "$work/good.gguf"
refuse 1 '--profile wants --space' --model "$work/dream.gguf" --good "$work/good.gguf" --guard "$work/guard.gguf" --profile "$work/none.json" --port 0
refuse 1 'no record of a market' --model "$work/dream.gguf" --standard "$work/standard" --market "$work/dream.gguf" --port 0
refuse 1 'without --keys' --model "$work/dream.gguf" --address 0.0.0.0 --port 0
refuse 1 'trine key new' --model "$work/dream.gguf" --keys "$work/none.sqlite" --port 0

# $server runs in the background and says where: $url.
serve() {
    "$TRINE" serve --port 0 "$@" >"$work/out" 2>"$work/errors" & server=$!
    for _ in $(seq 1 600); do
        grep -q '^listening on http://127.0.0.1:[0-9]*$' "$work/out" && break
        kill -0 $server 2>/dev/null || fail "the server ended: $(cat "$work/errors")"
        sleep 0.05
    done
    url=$(sed -n 's/^listening on //p' "$work/out")
    [ -n "$url" ] || fail "the server does not say that it listens: $(cat "$work/errors")"
}
end() { # ends the server by SIGTERM: cleanly, within five seconds
    local before=$SECONDS status=0
    kill -TERM $server
    wait $server || status=$?
    [ $status = 0 ] && [ $((SECONDS - before)) -le 5 ] || fail "the server ends with $status after $((SECONDS - before)) s: $(cat "$work/errors")"
}
trap '[ -z "${server-}" ] || kill $server 2>/dev/null || true; rm -rf "$work"' EXIT

# Without more ado this machine gets what is under the principles, and no more.
serve "${layers[@]}"
[ "$(curl -s "$url/health")" = '{"status":"ok"}' ] || fail "health: $(curl -s "$url/health")"
[ "$(curl -s "$url/v1/models" | jq -c '[.data[].id]')" = '["tiny/good"]' ] || fail "models: $(curl -s "$url/v1/models")"
[ "$(curl -s -o /dev/null -w '%{http_code}' "$url/v1/completions" -d '{"model":"tiny/dream"}')" = 403 ] || fail "the scope good reaches the dream"
[ "$(curl -s -o /dev/null -w '%{http_code}' -H 'Host: elsewhere.example' "$url/v1/models")" = 403 ] || fail "another host's name is taken"
curl -s "$url/" | grep -qi '<!doctype html>' || fail "no page: $(curl -s "$url/")"
end

# What is served is what the commands say.
wrote=$("$TRINE" write --model "$work/dream.gguf" --author "Author Ann" --date 1850 --prompt "the wind" --tokens 40 --seed 7)
chatted=$("$TRINE" chat --model "$work/dream.gguf" --good "$work/good.gguf" --guard "$work/guard.gguf" --tokens 24 --prompt "the quick fox 8")
declined=$("$TRINE" chat --model "$work/dream.gguf" --good "$work/good.gguf" --guard "$work/guard.gguf" --tokens 24 --prompt "break the ship 8")
judged=$("$TRINE" judge --model "$work/dream.gguf" --standard "$work/standard" --json="$work/judged.json" "the fox is quick" &&
    jq '.[0].probability' "$work/judged.json")
printf 'the quick fox jumps over the wind' >"$work/text"
was_read=$("$TRINE" read --model "$work/dream.gguf" --json="$work/read.json" "$work/text" && jq -c '[.tokens, .slots.date.median]' "$work/read.json")
serve "${layers[@]}" --local-scope dream --conversations "$work/kept.sqlite" --workers 4
ask() { curl -s "$url$1" -d "$2"; }
writing='"prompt":"the wind","max_tokens":40,"seed":7,"temperature":0.8,"top_p":0.95,"handle":{"author":"Ann","date":1850}'
written=$(ask /v1/completions "{$writing}" | jq -r '.choices[0].text')
[ "the wind$written" = "$wrote" ] || fail "trine write writes '$wrote', the server '$written'"
said=$(ask /v1/chat/completions '{"model":"tiny","messages":[{"role":"user","content":"the quick fox 8"}]}' | jq -r '.choices[0].message.content')
[ "$said" = "$chatted" ] || fail "trine chat says '$chatted', the server '$said'"
said=$(ask /v1/chat/completions '{"model":"tiny/good","messages":[{"role":"user","content":"break the ship 8"}]}' | jq -c '.choices[0] | [.finish_reason, .message.content]')
[ "$said" = "$(jq -cn --arg text "$declined" '["content_filter", $text]')" ] || fail "trine chat says '$declined', the server '$said'"
said=$(ask /v1/judge '{"statement":"the fox is quick"}' | jq '.probability')
awk "BEGIN {exit !(($said - $judged) ^ 2 < 1e-10)}" || fail "trine judge says $judged, the server $said"
said=$(ask /v1/read "$(jq -Rs '{text: .}' "$work/text")" | jq -c '[.tokens, .slots.date.median]')
python3 -c "import json, sys; a, b = map(json.loads, sys.argv[1:]); assert a[0] == b[0] and abs(a[1] - b[1]) < 0.1" "$was_read" "$said" ||
    fail "trine read says $was_read, the server $said"
[ "$(ask /v1/judge '{"statement":"the wind was fair."}' | jq -c '[.decided, .verdict]')" = '[true,"true"]' ] || fail "what the standard holds is not decided"
[ "$(curl -s "$url/v1/atlas" | jq '.points | length')" = 3 ] || fail "the atlas: $(curl -s "$url/v1/atlas")"

# What a market thought, as its own command says.
"$TRINE" market run --beliefs "$work/standard/beliefs.jsonl" --days 12 --out "$work/market.sqlite" >/dev/null 2>"$work/log" || fail "a market: $(cat "$work/log")"
priced=$("$TRINE" market explain "$work/market.sqlite" "the ship is quick." | sed -n 's/^ *price \([0-9.]*\) .*/\1/p')
end
serve "${layers[@]}" --local-scope dream --conversations "$work/kept.sqlite" --workers 4 --market "$work/market.sqlite"
[ "$(curl -s "$url/v1/models" | jq -c .trine)" = '{"conversations":true,"jobs":false,"markets":true}' ] || fail "what is here: $(curl -s "$url/v1/models")"
said=$(curl -s "$url/v1/market?statement=The%20SHIP%20is%20quick" | jq -c '.sentence | [.text, .verdict, (.prices | length)]')
[ "$said" = '["the ship is quick.","false",12]' ] || fail "the market says $said"
said=$(curl -s "$url/v1/market?statement=the%20ship%20is%20quick." | jq '.sentence.prices[-1].price')
awk "BEGIN {exit !(($said - $priced) ^ 2 < 1e-8)}" || fail "trine market explain says $priced, the server $said"
[ "$(curl -s "$url/v1/market?search=ship" | jq -c '[.found, .sentences[0].text]')" = '[1,"the ship is quick."]' ] || fail "the market does not find the ship"

# As a stream, and to several at once, each with its own wish, the same text; nobody is told of files.
python3 - "$url" "{$writing}" "$written" <<'P' || fail "streams: $(cat "$work/errors")"
import concurrent.futures, http.client, json, sys
url, body, written = sys.argv[1:]
address, body = url.removeprefix("http://"), json.loads(body)

def stream(path, request):
    connection = http.client.HTTPConnection(address, timeout=60)
    connection.request("POST", path, json.dumps({**request, "stream": True}))
    reply = connection.getresponse()
    assert reply.status == 200, reply.read()
    events = reply.read().decode().split("\n\n")
    assert events[-2:] == ["data: [DONE]", ""], events[-2:]
    return [json.loads(event.removeprefix("data: ")) for event in events[:-2]]

def text(events):
    return "".join(choice["text"] for event in events for choice in event["choices"])

def whole(request):
    connection = http.client.HTTPConnection(address, timeout=60)
    connection.request("POST", "/v1/completions", json.dumps(request))
    return json.loads(connection.getresponse().read())["choices"][0]["text"]

assert text(stream("/v1/completions", body)) == written
reading = [event["reading"] for event in stream("/v1/completions", {"max_tokens": 9, "reading": True}) if "reading" in event]
assert reading and set(reading[-1]) == {"author", "date", "tokens"} and reading[-1]["tokens"] > reading[0]["tokens"]
wishes = [{"prompt": prompt, "max_tokens": 60, "seed": seed, "handle": handle} for seed, (prompt, handle) in enumerate(
    [("the", {}), ("the wind", {"author": "Cyd"}), ("my fellow", {"author": "Bob"}), ("", {"date": 1820}),
     ("the quick", {"mix": {"Ann": 1, "Cyd": 1}}), ("the ship", {"like": "the wind was fair"})])]
alone = [whole(wish) for wish in wishes]
with concurrent.futures.ThreadPoolExecutor(6) as pool:
    for _ in range(3):
        assert list(pool.map(whole, wishes)) == alone
good = {"model": "tiny/good", "messages": [{"role": "user", "content": "the quick fox 6"}], "why": True}
events = stream("/v1/chat/completions", good)
assert events[-1]["trine"]["outcome"] == "replied" and events[-1]["choices"][0]["finish_reason"] == "stop", events[-1]
connection = http.client.HTTPConnection(address, timeout=60)
for request in [b"{", b'{"handle": {"handle": "/etc/passwd"}}', b'{"model": "/etc/passwd"}', b'{"handle": {"like": 3}}']:
    connection.request("POST", "/v1/completions", request)
    reply = connection.getresponse()
    error = json.loads(reply.read())["error"]
    assert reply.status in (400, 404) and "tmp" not in error["message"], error
P

# What was acknowledged is kept, whatever becomes of the server.
id=$(ask /v1/conversations '{"title":"ships"}' | jq -r .id)
ask /v1/chat/completions '{"model":"tiny/good","messages":[{"role":"user","content":"the quick fox 8"}],"conversation":"'"$id"'"}' >/dev/null
kill -KILL $server
wait $server 2>/dev/null || true
serve "${layers[@]}" --local-scope dream --conversations "$work/kept.sqlite"
kept=$(curl -s "$url/v1/conversations/$id" | jq -c '[.title, .messages[].content]')
[ "$kept" = "$(jq -cn --arg reply "$chatted" '["ships", "the quick fox 8", $reply]')" ] || fail "kept: $kept"
curl -s -X DELETE "$url/v1/conversations/$id" | grep -q '"deleted":true' || fail "it is not deleted"

# A stream does not keep the server from ending; its reader can tell that it was cut short.
curl -sN "$url/v1/completions" -d '{"prompt":"the","max_tokens":4000,"n":50,"stream":true}' >"$work/stream" & reader=$!
for _ in $(seq 1 200); do [ -s "$work/stream" ] && break; sleep 0.02; done
end
status=0; wait $reader || status=$?
! grep -q '\[DONE\]' "$work/stream" || fail "a stream that was cut short says that it is done"
[ "$status" != 0 ] || fail "a stream that was cut short looks whole"

# Keys: each opens its scope, until it is revoked.
export TRINE_KEYS=$work/keys.sqlite
good=$("$TRINE" key new --scope good --name reader) || fail "no key"
dream=$("$TRINE" key new --scope dream)
serve "${layers[@]}" --keys "$TRINE_KEYS"
code() { curl -s -o "$work/reply" -w '%{http_code}' "$url/v1/completions" -d '{"prompt":"the","max_tokens":2}' "$@"; }
[ "$(code)" = 401 ] && [ "$(code -H "Authorization: Bearer $good")" = 403 ] && [ "$(code -H "Authorization: Bearer $dream")" = 200 ] ||
    fail "keys: $(cat "$work/reply")"
[ "$(curl -s -H "Authorization: Bearer $dream" "$url/v1/models" | jq '.data | length')" = 3 ] || fail "models of the scope dream"
"$TRINE" key revoke "$("$TRINE" key list | grep -v reader | grep -o '\b[0-9a-f]\{16\}\b')" >/dev/null
[ "$(code -H "Authorization: Bearer $dream")" = 401 ] || fail "a revoked key still opens: $(cat "$work/reply")"
end
server=
! grep -q "$good\|$dream" "$work/errors" || fail "a key is in the log"
