"""A server under everything that clients do to it, also what they should not.

    soak.py PROGRAM MODEL [LAYERS...] [--clients 64] [--seconds 300] [--workers 8] [--queue 32] [--tokens 32] [--seed 1]

PROGRAM is ./trine, MODEL a model, LAYERS what `trine serve` takes beside it (--good FILE --guard FILE --space FILE
--standard NAME, another --model ...). Each client asks one thing after the other: completions and chats, whole, as streams,
and left in the middle; read, judge, values, embeddings, atlas, models, the page; conversations that are kept, read back and
deleted; and what is broken: no JSON, wrong types, random bytes, bodies that are too long, half requests, readers and senders
who dawdle. In the middle the server is killed (SIGKILL) and started again; at the end it is told to stop.

Fails when a status comes that was not asked for, when a text is another than the first time it was asked for, when a
conversation lacks what was acknowledged, when resident memory grows by more than a tenth after the first quarter of the
server's life, when connections or work are left over, or when the server does not end cleanly.
"""
import argparse
import collections
import contextlib
import http.client
import json
import os
import random
import re
import signal
import socket
import statistics
import struct
import subprocess
import sys
import tempfile
import threading
import time
import traceback
import urllib.parse

GROWTH_MOST = 0.1
SETTLED = 30  # seconds after which all that workers keep, and what they need at worst at a time, has been asked for
PATIENCE = 180  # seconds for a reply


def fox(draw):
    subject = draw.choice(["the quick fox", "my fellow citizens", "the ship", "the wind", "the state of the union", "a lazy dog"])
    return f"{subject} {draw.choice(['jumps over', 'is strong in', 'sailed', 'was'])} {draw.randrange(20)}"


class Server:
    def __init__(self, options, layers, directory):
        self.options, self.directory = options, directory
        self.keys = {scope: self.key("new", "--scope", scope) for scope in ("good", "truth", "dream")}
        self.owners = [self.key("new", "--scope", "dream") for _ in range(4)]
        self.revoked = self.key("new", "--scope", "dream", "--name", "revoked")
        line = next(line for line in self.key("list").splitlines() if line.endswith("revoked"))
        self.key("revoke", line.split()[0])
        self.command = [options.program, "serve", "--model", options.model, *layers, "--keys", f"{directory}/keys", "--conversations",
                        f"{directory}/kept", "--workers", str(options.workers), "--queue", str(options.queue)]
        self.log = open(f"{directory}/log", "w+b")
        self.port = 0
        self.lives = []  # of each process, the series of (second, bytes)
        self.start()

    def key(self, *arguments):
        return subprocess.run([self.options.program, "key", arguments[0], "--keys", f"{self.directory}/keys", *arguments[1:]], check=True,
                              text=True, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL).stdout.strip()

    def start(self):
        self.process = subprocess.Popen([*self.command, "--port", str(self.port)], stdout=subprocess.PIPE, stderr=self.log, text=True)
        line = self.process.stdout.readline()
        if not line.startswith("listening on "):
            sys.exit(f"the server does not listen: {self.errors()}")
        self.port = urllib.parse.urlsplit(line.split()[-1]).port
        self.lives.append([])
        self.started = time.monotonic()
        self.is_up = True  # after the number of lives: who looks at both sees one of them change

    def kill(self):
        self.is_up = False
        self.process.kill()
        self.process.wait()
        self.process.stdout.close()

    def errors(self):
        self.log.seek(0)
        return self.log.read().decode(errors="replace")

    def resident(self):
        with open(f"/proc/{self.process.pid}/statm") as file:
            return int(file.read().split()[1]) * os.sysconf("SC_PAGESIZE")

    def watch(self, until):
        while not until.wait(0.5):
            with contextlib.suppress(OSError):
                bytes_ = self.resident()
                if self.is_up:  # and no process that is about to be one, or was
                    self.lives[-1].append((time.monotonic() - self.started, bytes_))


class Record:
    """What all clients found, together."""

    def __init__(self):
        self.lock = threading.Lock()
        self.statuses = collections.defaultdict(collections.Counter)
        self.seconds = collections.defaultdict(list)
        self.first_tokens, self.tokens, self.compared = [], 0, 0
        self.firsts, self.failures, self.conversations = {}, [], []

    def fail(self, message):
        with self.lock:
            self.failures.append(message)

    def same(self, key, value):
        """What was asked for in the same words is answered in the same words."""
        with self.lock:
            first = self.firsts.setdefault(key, value)
            self.compared += 1
        if first != value:
            self.fail(f"{key[:200]}: first {str(first)[:200]!r}, then {str(value)[:200]!r}")


class Conversation:
    def __init__(self, id_, key):
        self.id, self.key = id_, key
        self.said = []  # [user's text, reply or None where nobody knows whether it was kept]
        self.is_deleted = False

    def missing(self, messages):
        """What was acknowledged and is not there, or is there and was never said; None: all is well."""
        pairs = [(user["content"], reply["content"]) for user, reply in zip(messages[::2], messages[1::2])]
        if len(messages) % 2 or [message["role"] for message in messages] != ["user", "assistant"] * len(pairs):
            return f"roles {[message['role'] for message in messages]}"
        at = 0
        for user, reply in self.said:
            if at < len(pairs) and pairs[at][0] == user and reply in (None, pairs[at][1]):
                at += 1
            elif reply is not None:
                return f"'{user}' was answered with '{reply}'; kept is {pairs[at:at + 1]}"
        return None if at == len(pairs) else f"{pairs[at]} was never said"


class Lost(Exception):
    """The connection ended where it should not."""


class Client:
    def __init__(self, number, server, record, models, stop):
        self.server, self.record, self.models, self.stop = server, record, models, stop
        self.draw = random.Random(f"{server.options.seed} {number}")
        self.key = server.owners[number % len(server.owners)]
        self.connection, self.life = None, 0
        self.conversations = []
        self.number, self.count = number, 0
        self.dream = models["dream"]
        tasks = [(self.complete, 20), (self.stream, 20), (self.leave, 12), (self.read, 6), (self.embed, 6), (self.look, 8), (self.break_, 25),
                 (self.dawdle, 2), (self.scope, 4)]
        if models["chats"]:
            tasks += [(self.chat, 10), (self.converse, 12), (self.leave_chat, 4)]
        if models["truth"]:
            tasks += [(self.judge, 5)]
        if models["values"]:
            tasks += [(self.grant, 4)]
        self.tasks, self.weights = zip(*tasks)

    def run(self):
        life, first = 0, []
        while not self.stop.is_set():
            if life != len(self.server.lives):  # each thing once, so that the server soon has all the memory that it wants
                life, first = len(self.server.lives), self.draw.sample(self.tasks, len(self.tasks))
            try:
                (first.pop() if first else self.draw.choices(self.tasks, self.weights)[0])()
            except (Lost, OSError, http.client.HTTPException) as error:
                self.close()
                if not self.server.is_up or len(self.server.lives) != life:
                    with self.record.lock:
                        self.record.statuses["(killed)"]["lost"] += 1
                    time.sleep(0.2)
                else:
                    self.complain(error)
            except Exception as error:
                self.close()
                self.complain(error)
        self.close()

    def complain(self, error):
        steps = [frame.name for frame in traceback.extract_tb(error.__traceback__) if frame.filename == __file__]
        self.record.fail(f"client {self.number} in {', '.join(steps)}: {type(error).__name__} {error}")

    def close(self):
        if self.connection is not None:
            self.connection.close()
        self.connection = None

    # Asking.

    def send(self, method, path, body=None, key=None):
        """Begins a request, mostly on the connection of the last one; the reply's head."""
        if self.connection is None or self.life != len(self.server.lives) or self.draw.random() < 0.2:
            self.close()
            self.life = len(self.server.lives)
            self.connection = http.client.HTTPConnection("127.0.0.1", self.server.port, timeout=PATIENCE)
            self.connection.connect()
        headers = {"Authorization": f"Bearer {key or self.key}"} if key != "" else {}
        data = body if body is None or isinstance(body, bytes) else json.dumps(body)
        self.connection.request(method, path, data, headers)
        return self.connection.getresponse()

    def note(self, route, status, begun):
        with self.record.lock:
            self.record.statuses[route][status] += 1
            if begun is not None:
                self.record.seconds[route].append(time.monotonic() - begun)

    def ask(self, route, method, path, body=None, statuses=(200,), key=None, waits=True):
        """The reply's JSON, or bytes; None where another status than 200 was wanted and came."""
        while True:
            begun = time.monotonic()
            response = self.send(method, path, body, key)
            data = response.read()
            status = response.status
            is_refused = status == 429 and waits
            self.note(route, status, None if is_refused else begun)
            if not is_refused:
                break
            if response.headers["Retry-After"] is None or self.stop.is_set():
                return None
            time.sleep(self.draw.uniform(0.1, 1))
        is_json = response.headers.get_content_type() == "application/json"
        value = json.loads(data) if is_json and data else data
        if status not in statuses:
            self.record.fail(f"{method} {path} {str(body)[:200]}: {status} {data[:300]!r}")
        elif status >= 400 and (not is_json or not value["error"]["message"] or value["error"]["type"] is None):
            self.record.fail(f"{method} {path}: an error without its message: {data[:300]!r}")
        return value if status == 200 else None

    def events(self, route, path, body):
        """The events of a stream, or None when the queue is full; leaves the connection in the middle when not exhausted."""
        begun, first = time.monotonic(), None
        response = self.send("POST", path, {**body, "stream": True})
        if response.status == 429:
            response.read()
            self.note(route, 429, None)
            time.sleep(self.draw.uniform(0.1, 1))
            return
        if response.status != 200:
            self.note(route, response.status, begun)
            self.record.fail(f"{path} {str(body)[:200]}: {response.status} {response.read()[:300]!r}")
            return
        is_done = False
        for line in response:
            if line == b"data: [DONE]\n":
                is_done = True
            elif line.startswith(b"data: "):
                event = json.loads(line[6:])
                if "error" in event:
                    self.record.fail(f"{path} {str(body)[:200]}: {event}")
                if first is None and any(choice.get("text") or choice.get("delta", {}).get("content") for choice in event["choices"]):
                    first = time.monotonic() - begun
                yield event
        if not is_done:
            raise Lost(f"a stream of {path} that is cut short")
        self.note(route, 200, begun)
        with self.record.lock:
            if first is not None:
                self.record.first_tokens.append(first)

    def count_tokens(self, usage):
        with self.record.lock:
            self.record.tokens += usage["completion_tokens"]

    # What may be asked.

    def wish(self):
        """A completion out of so few that each is asked for often."""
        draw = random.Random(self.draw.randrange(60))
        body = {"model": self.dream, "prompt": fox(draw), "max_tokens": draw.randint(1, self.server.options.tokens), "seed": draw.randrange(100),
                "temperature": draw.choice([0, 0.8, 1, 2]), "n": draw.choice([1, 1, 1, 3])}
        if draw.random() < 0.3:
            body["logprobs"] = draw.randint(0, 5)
        if draw.random() < 0.2:
            body["echo"] = True
        if draw.random() < 0.2:
            body["stop"] = ["e", "the "]
        if draw.random() < 0.4 and self.models["labels"]:
            body["handle"] = {"author": draw.choice(self.models["labels"])}
        if draw.random() < 0.1:
            body["prompt"] = [body["prompt"], fox(draw) * 10]
        return body

    def complete(self):
        body = self.wish()
        reply = self.ask("completions", "POST", "/v1/completions", body)
        if reply is not None:
            self.count_tokens(reply["usage"])
            self.record.same(json.dumps(body), [choice["text"] for choice in reply["choices"]])

    def stream(self, wish=None, route="completions, streamed"):
        body = wish or self.wish()
        texts, usage = collections.defaultdict(str), None
        for event in self.events(route, "/v1/completions", {**body, "stream_options": {"include_usage": True}}):
            for choice in event["choices"]:
                texts[choice["index"]] += choice["text"]
            usage = event.get("usage")
        if usage is not None:
            self.count_tokens(usage)
            self.record.same(json.dumps(body), [texts[i] for i in range(len(texts))])

    def walk_away(self, route, path, body):
        """Reads a little of a stream, and leaves in one of several manners."""
        most = self.draw.choice([0, 1, 2, 5, 20])
        events = self.events(route, path, body)
        for count, _ in enumerate(events):
            if count >= most:
                break
        else:
            return
        if self.draw.random() < 0.5 and self.connection.sock is not None:
            self.connection.sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))  # a reset
        self.close()
        events.close()
        self.note(route, "left", None)

    def leave(self):
        self.walk_away("completions, left", "/v1/completions", {**self.wish(), "max_tokens": 8 * self.server.options.tokens, "n": 8, "stop": None,
                                                                "prompt": fox(self.draw), "reading": self.draw.random() < 0.3})

    def chat_wish(self):
        draw = random.Random(self.draw.randrange(40))
        body = {"model": draw.choice(self.models["chats"]), "messages": [{"role": "user", "content": fox(draw)}],
                "max_tokens": self.server.options.tokens, "seed": draw.randrange(100), "temperature": draw.choice([0, 0.8])}
        if draw.random() < 0.3:
            body["messages"] = [{"role": "system", "content": "be brief"}, {"role": "user", "content": fox(draw)},
                                {"role": "assistant", "content": fox(draw)}, *body["messages"]]
        return body

    def chat(self):
        body = self.chat_wish()
        if self.draw.random() < 0.5:
            reply = self.ask("chat", "POST", "/v1/chat/completions", body)
            if reply is not None:
                self.count_tokens(reply["usage"])
                self.record.same(json.dumps(body), reply["choices"][0]["message"]["content"])
            return
        events = list(self.events("chat, streamed", "/v1/chat/completions", body))
        if events:
            self.record.same(json.dumps(body), "".join(event["choices"][0]["delta"].get("content", "") for event in events))

    def leave_chat(self):
        self.walk_away("chat, left", "/v1/chat/completions", {**self.chat_wish(), "n": 4, "temperature": 1})

    def converse(self):
        """Says something in a conversation of one's own, reads one back, or deletes one."""
        act = self.draw.random()
        if len(self.conversations) < 3:
            made = self.ask("conversations", "POST", "/v1/conversations", {"title": f"of {self.number}"})
            if made is None:
                return
            self.conversations.append(Conversation(made["id"], self.key))
            with self.record.lock:
                self.record.conversations.append(self.conversations[-1])
        conversation = self.draw.choice(self.conversations)
        path = f"/v1/conversations/{conversation.id}"
        if act < 0.1:
            conversation.is_deleted = True  # whether or not that is acknowledged, it may be
            self.conversations.remove(conversation)
            if self.ask("conversations", "DELETE", path) is not None:
                self.ask("conversations", "GET", path, statuses=(404,))
        elif act < 0.2:
            stranger = next(key for key in self.server.owners if key != self.key)
            self.ask("conversations", "GET", path, statuses=(404,), key=stranger)
        elif act < 0.4:
            whole = self.ask("conversations", "GET", path)
            problem = whole and conversation.missing(whole["messages"])
            if problem:
                self.record.fail(f"conversation {conversation.id}: {problem}")
        else:
            self.say(conversation)

    def say(self, conversation):
        self.count += 1
        text = f"{fox(self.draw)} {self.count}"
        body = {"model": self.models["chats"][0], "messages": [{"role": "user", "content": text}], "max_tokens": self.server.options.tokens,
                "conversation": conversation.id}
        said = [text, None]
        conversation.said.append(said)
        if self.draw.random() < 0.2:
            self.walk_away("chat, kept, left", "/v1/chat/completions", body)
        elif self.draw.random() < 0.5:
            events = list(self.events("chat, kept", "/v1/chat/completions", body))
            if events:
                said[1] = "".join(event["choices"][0]["delta"].get("content", "") for event in events)
        else:
            reply = self.ask("chat, kept", "POST", "/v1/chat/completions", body)
            if reply is not None:
                said[1] = reply["choices"][0]["message"]["content"]

    def read(self):
        draw = random.Random(self.draw.randrange(20))
        body = {"model": self.dream, "text": (fox(draw) + ". ") * draw.choice([1, 10, 100]), "by_token": draw.random() < 0.3}
        reply = self.ask("read", "POST", "/v1/read", body)
        if reply is not None:
            self.record.same(json.dumps(body), reply)

    def embed(self):
        draw = random.Random(self.draw.randrange(20))
        texts = [fox(draw) for _ in range(draw.choice([1, 3, 20]))]
        reply = self.ask("embeddings", "POST", "/v1/embeddings", {"model": self.dream, "input": texts})
        for text, entry in zip(texts, reply["data"] if reply is not None else []):
            self.record.same("embedding of " + text, entry["embedding"])

    def judge(self):
        draw = random.Random(self.draw.randrange(20))
        reply = self.ask("judge", "POST", "/v1/judge", {"model": self.models["truth"], "statement": fox(draw) + "."})
        if reply is not None:
            self.record.same("judging " + reply["statement"], {**reply, "seconds": 0})

    def grant(self):
        name = self.draw.choice(self.models["values"])
        wish = {name: self.draw.choice([-1000, -1, 0, 0.1, 3])}
        reply = self.ask("values", "POST", "/v1/values", {"model": self.models["good"], "values": wish})
        if reply is not None:
            self.record.same(json.dumps(wish), reply)

    def look(self):
        path = self.draw.choice(["/", "/health", "/openapi.json", "/v1/models", "/metrics", f"/v1/models/{urllib.parse.quote(self.dream)}", "/v1/conversations",
                                 f"/v1/atlas?model={urllib.parse.quote(self.dream)}", "/v1/jobs"])
        statuses = (200, 404) if path in ("/", "/v1/jobs") else (200, 400) if "atlas" in path else (200,)
        reply = self.ask("page, models, atlas", "GET", path, statuses=statuses)
        if reply is not None and path in ("/", "/openapi.json", "/v1/atlas"):
            self.record.same(path, reply)

    def scope(self):
        """Who may not."""
        kind = self.draw.randrange(4)
        body = {"model": self.dream, "prompt": "x", "max_tokens": 1}
        key, status = [("", 401), ("trine-" + "x" * 43, 401), (self.server.revoked, 401), (self.server.keys["truth"], 403)][kind]
        self.ask("strangers", "POST", "/v1/completions", body, statuses=(status,), key=key)

    # What may not be asked.

    def break_(self):
        self.draw.choice([self.break_json, self.break_json, self.break_types, self.break_types, self.break_bytes, self.break_http, self.break_off,
                          self.break_limits, self.break_routes])()

    def break_json(self):
        """A request in which some bytes are others: all is well but a fault of the server's."""
        data = bytearray(json.dumps({**self.wish(), "max_tokens": 2, "n": 1}).encode())
        for _ in range(self.draw.choice([1, 1, 2, 5])):
            at = self.draw.randrange(len(data))
            data[at:at + self.draw.randrange(3)] = self.draw.randbytes(self.draw.randrange(3))
        self.ask("broken JSON", "POST", "/v1/completions", bytes(data), statuses=(200, 400, 403, 404))

    def break_types(self):
        path, body = self.draw.choice([("/v1/completions", {**self.wish(), "max_tokens": 2}), ("/v1/embeddings", {"input": "x"}), ("/v1/read", {"text": "x"}),
                                       ("/v1/conversations", {"title": "x"}), ("/v1/values", {"values": {}}), ("/v1/judge", {"statement": "x"}),
                                       ("/v1/chat/completions", {"messages": [{"role": "user", "content": "x"}], "max_tokens": 2})])
        name = self.draw.choice(list(body))
        others = [[], {}, [[]], [{}], -1, 1.5, 1e300, 2**62, True, "\ud7ff" * 50, {"a": {"b": []}}, [1, "a", None], "a" * 5000]
        wrong = {"model": self.dream, **body, name: self.draw.choice(others)}
        self.ask("wrong types", "POST", path, wrong, statuses=(200, 400, 403, 404))

    def break_bytes(self):
        body = self.draw.choice([b"", b"{", b"\xff" * 100, b"[" * 5000, b'{"a":' * 5000, self.draw.randbytes(500), b"null", b'"' + b"x" * 100000,
                                 b'{"prompt": "x", "padding": [' + b"{}," * 1000000 + b"1]}"])
        self.ask("broken JSON", "POST", self.draw.choice(["/v1/completions", "/v1/read", "/v1/chat/completions", "/v1/judge"]), body,
                 statuses=(400, 404))

    def break_routes(self):
        method, path, statuses = self.draw.choice([
            ("GET", "/none", (404,)), ("PUT", "/v1/models", (405,)), ("GET", "/v1/completions", (405,)), ("DELETE", "/", (405,)),
            ("GET", "/v1/models/none", (404,)), ("GET", "/v1/conversations/none", (404,)), ("GET", "/%00", (400,)), ("GET", "/../x", (400,)),
            ("GET", "/" + "x" * 4000, (404,)), ("GET", "/v1/models?" + "a=b&" * 500, (200,))])
        self.ask("no such route", method, path, statuses=statuses)

    def raw(self):
        connection = socket.create_connection(("127.0.0.1", self.server.port), timeout=PATIENCE)
        return contextlib.closing(connection)

    def head(self, length, path="/v1/completions"):
        return (f"POST {path} HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer {self.key}\r\n"
                f"Content-Length: {length}\r\n\r\n").encode()

    def status_of(self, connection):
        """Of the reply, or None when there is none."""
        with connection.makefile("rb") as file:
            line = file.readline(200)
        match = re.match(rb"HTTP/1\.[01] (\d+)", line)
        return int(match.group(1)) if match else None

    def break_http(self):
        """What is no HTTP. A connection that it leaves open is closed from here."""
        lines = [self.draw.randbytes(self.draw.randrange(1, 2000)), b"GET / HTTP/9.9\r\n\r\n", b"GET  /\r\n\r\n", b"\r\n" * 100, b"\x16\x03\x01" * 30,
                 b"POST /v1/completions HTTP/1.1\r\nHost: a\r\nContent-Length: -1\r\n\r\n", b"GET / HTTP/1.1\r\n" + b"A: b\r\n" * 9000 + b"\r\n",
                 b"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n", b"GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n"]
        with self.raw() as connection:
            status = None
            with contextlib.suppress(OSError):  # it may have hung up
                connection.settimeout(5)
                connection.sendall(self.draw.choice(lines) + b"\r\n\r\n")
                connection.shutdown(socket.SHUT_WR)
                status = self.status_of(connection)
        self.note("no HTTP", status or "closed", None)
        if status is not None and not 400 <= status < 500 and status != 505:
            self.record.fail(f"what is no HTTP gets {status}")

    def break_off(self):
        """Half a request."""
        data = self.head(100) + b"{" * 100
        with self.raw() as connection:
            connection.sendall(data[:self.draw.randrange(len(data))])
            time.sleep(self.draw.choice([0, 0, 0.01, 0.5]))
        self.note("half requests", "left", None)

    def break_limits(self):
        kind = self.draw.randrange(3)
        if kind == 0:
            self.ask("limits", "GET", "/v1/models?x=" + "y" * (40 << 10), statuses=(414, 431))
            self.close()
        elif kind == 1:
            body = {"model": self.dream, "prompt": "the " * 20000, "max_tokens": 4000}
            self.ask("limits", "POST", "/v1/completions", body, statuses=(400,))
        else:
            with self.raw() as connection:
                with contextlib.suppress(ConnectionError):  # it reads no more, and may say so
                    connection.sendall(self.head(5 << 20))
                    connection.sendall(b" " * (5 << 20))
                status = self.status_of(connection)
            if status is None:
                raise Lost("no reply to a body that is too long")
            self.note("limits", status, None)
            if status != 413:
                self.record.fail(f"a body that is too long gets {status}")

    def dawdle(self):
        """Who sends or reads slowly gets the same."""
        body = {**self.wish(), "n": 4, "logprobs": 5, "stream": True}
        wish = {name: value for name, value in body.items() if name != "stream"}
        data = json.dumps(body).encode()
        with contextlib.closing(socket.socket()) as connection:
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 2048)
            connection.settimeout(PATIENCE)
            connection.connect(("127.0.0.1", self.server.port))
            head = self.head(len(data)).replace(b"HTTP/1.1", b"HTTP/1.0")  # no chunks: it ends with the connection
            for at in range(0, len(head + data), 40):
                connection.sendall((head + data)[at:at + 40])
                time.sleep(0.002)
            received, begun = b"", time.monotonic()
            while piece := connection.recv(512):
                received += piece
                if time.monotonic() - begun < 2:
                    time.sleep(0.01)
        if not received:
            raise Lost("a slow reader gets nothing")
        status = int(received[9:12])
        self.note("slow readers", status, begun)
        if status == 429:
            return
        if status != 200:
            self.record.fail(f"a slow reader gets {received[:300]!r}")
            return
        if not received.endswith(b"data: [DONE]\n\n"):
            raise Lost("a slow reader's stream is cut short")
        texts = collections.defaultdict(str)
        for line in received.split(b"\n"):
            if line.startswith(b"data: {"):
                for choice in json.loads(line[6:])["choices"]:
                    texts[choice["index"]] += choice["text"]
        self.record.same(json.dumps(wish), [texts[i] for i in range(len(texts))])


def look_at_models(server):
    """What can be asked of the server: names of models, labels of authors, directions of values."""
    connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=PATIENCE)

    def get(path):
        connection.request("GET", path, headers={"Authorization": f"Bearer {server.owners[0]}"})
        response = connection.getresponse()
        value = json.loads(response.read())
        return value if response.status == 200 else None

    listed = get("/v1/models")["data"]
    by_layer = {layer: next((model["id"] for model in listed if model["layer"] == layer), None) for layer in ("good", "truth", "dream")}
    atlas = get("/v1/atlas?model=" + urllib.parse.quote(by_layer["dream"]))
    values = by_layer["good"] and get("/v1/values?model=" + urllib.parse.quote(by_layer["good"]))
    connection.close()
    return {**by_layer, "chats": [model["id"] for model in listed if model["chat"]],
            "labels": [point["label"] for point in atlas["points"]] if atlas else [],
            "values": [direction["name"] for direction in values["directions"]] if values else []}


def check_conversations(server, record, models):
    client = Client(0, server, record, models, threading.Event())
    messages = 0
    for conversation in record.conversations:
        client.key = conversation.key
        statuses = (404, 200) if conversation.is_deleted else (200,)
        whole = client.ask("read back", "GET", f"/v1/conversations/{conversation.id}", statuses=statuses)
        if whole is None or conversation.is_deleted:
            continue
        messages += len(whole["messages"])
        problem = conversation.missing(whole["messages"])
        if problem:
            record.fail(f"conversation {conversation.id}: {problem}")
    client.close()
    return messages


def metrics(server):
    connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=PATIENCE)
    connection.request("GET", "/metrics")
    text = connection.getresponse().read().decode()
    connection.close()
    return {name: float(value) for name, value in re.findall(r"^(\S+) (\S+)$", text, re.MULTILINE)}


def check_rest(server, record):
    """Nothing is left of clients who went."""
    for _ in range(100):
        counts = metrics(server)
        left = {name: counts[f"trine_{name}"] for name in ("jobs_running", "jobs_waiting", "connections")}
        if (left["jobs_running"], left["jobs_waiting"], left["connections"]) == (0, 0, 1):
            return
        time.sleep(0.1)
    record.fail(f"ten seconds after the last client left there are {left}")


def check_end(server, record):
    """While somebody reads a stream."""
    reader = socket.create_connection(("127.0.0.1", server.port))
    body = b'{"prompt": "the", "max_tokens": 4000, "n": 9, "stream": true, "model": "' + look_at_models(server)["dream"].encode() + b'"}'
    reader.sendall(f"POST /v1/completions HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer {server.owners[0]}\r\nContent-Length: {len(body)}\r\n\r\n".encode() + body)
    reader.recv(100)
    begun = time.monotonic()
    server.process.send_signal(signal.SIGTERM)
    try:
        status = server.process.wait(20)
    except subprocess.TimeoutExpired:
        server.process.kill()
        status = "no end"
    seconds = time.monotonic() - begun
    reader.close()
    if status != 0 or seconds > 6:
        record.fail(f"told to stop, the server ends with {status} after {seconds:.1f} s")
    errors = [line for line in server.errors().splitlines() if "did not wait for a request" not in line]
    if errors:
        record.fail(f"{len(errors)} lines in the server's log: {errors[:5]}")
    return seconds


def growth(series):
    """Of resident memory, from the end of the first quarter to the end, each the median of some samples; None: too short."""
    end = series[-1][0] if series else 0
    begin = max(end / 4, SETTLED)
    if end < begin * 1.5:
        return None

    def median(first, last):
        return statistics.median(bytes_ for second, bytes_ in series if first <= second <= last)
    return median(end - end / 8, end) / median(begin, begin + end / 8) - 1


def print_memory(server, record):
    for number, series in enumerate(server.lives):
        grown = growth(series)
        shown = [series[(len(series) - 1) * i // 12] for i in range(13)] if series else []
        print(f"memory of life {number + 1}, MB: " + "  ".join(f"{bytes_ / 1e6:.0f}" for _, bytes_ in shown) + "   " +
              (f"too short to tell whether it grows (under {1.5 * SETTLED:.0f} s)" if grown is None else
               f"after the first quarter {grown:+.1%}"))
        if grown is not None and grown > GROWTH_MOST:
            record.fail(f"memory of life {number + 1} grows by {grown:.1%} after its first quarter")


def print_table(record, seconds):
    print(f"{'':24} {'statuses':44} {'median s':>9} {'95 %':>9}")
    for route in sorted(record.statuses):
        counts = "  ".join(f"{status}: {count}" for status, count in sorted(record.statuses[route].items(), key=str))
        took = sorted(record.seconds[route])
        times = f"{statistics.median(took):9.3f} {took[int(len(took) * 0.95)]:9.3f}" if took else ""
        print(f"{route:24} {counts:44} {times}")
    firsts = sorted(record.first_tokens)
    if firsts:
        print(f"{'first token of a stream':24} {len(firsts):<44} {statistics.median(firsts):9.3f} {firsts[int(len(firsts) * 0.95)]:9.3f}")
    requests = sum(sum(counter.values()) for counter in record.statuses.values())
    print(f"{requests} requests, {requests / seconds:.1f} a second; {record.tokens / seconds:.1f} tokens/s to those who stayed; "
          f"{len(record.firsts)} replies compared {record.compared} times")


def soak(options, layers, directory):
    server, record, stop = Server(options, layers, directory), Record(), threading.Event()
    models = look_at_models(server)
    print("models: " + ", ".join(f"{name} {value if isinstance(value, str) else len(value or [])}" for name, value in models.items()))
    threads = [threading.Thread(target=Client(number, server, record, models, stop).run) for number in range(options.clients)]
    watcher = threading.Thread(target=server.watch, args=[stop])
    begun = time.monotonic()
    for thread in [watcher, *threads]:
        thread.start()
    time.sleep(options.seconds / 2)
    server.kill()
    server.start()
    print(f"killed and started again after {time.monotonic() - begun:.0f} s, with {len(record.conversations)} conversations")
    time.sleep(max(0, begun + options.seconds - time.monotonic()))
    stop.set()
    for thread in [watcher, *threads]:
        thread.join()
    seconds = time.monotonic() - begun
    messages = check_conversations(server, record, models)
    check_rest(server, record)
    descriptors = len(os.listdir(f"/proc/{server.process.pid}/fd"))
    ended = check_end(server, record)
    print_table(record, seconds)
    print(f"{len(record.conversations)} conversations with {messages} messages read back; {descriptors} files open; ended in {ended:.1f} s")
    print_memory(server, record)
    for failure in record.failures[:20]:
        print(f"FAILED: {failure}")
    print(f"{len(record.failures)} failures")
    return 1 if record.failures else 0


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("program")
    parser.add_argument("model")
    parser.add_argument("--clients", type=int, default=64)
    parser.add_argument("--seconds", type=float, default=300)
    parser.add_argument("--workers", type=int, default=8)
    parser.add_argument("--queue", type=int, default=32)
    parser.add_argument("--tokens", type=int, default=32, help="of the longest text")
    parser.add_argument("--seed", type=int, default=1, help="of what clients do")
    options, layers = parser.parse_known_args()
    with tempfile.TemporaryDirectory() as directory:
        sys.exit(soak(options, layers, directory))


if __name__ == "__main__":
    main()
