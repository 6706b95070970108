"""What OpenAI's own package and curl see of `trine serve`. Run by clients_test.sh, which makes the models.

    clients_test.py PROGRAM WORK     WORK: the files of tests/serve/tiny_layers.sh, chatty/ and space.json
"""
import asyncio
import base64
import collections
import contextlib
import json
import os
import re
import sqlite3
import struct
import subprocess
import sys
import tempfile
import time
import unittest
import urllib.request

import openai

PROGRAM, WORK = sys.argv[1:3]
LAYERS = ["--model", f"{WORK}/dream.gguf", "--name", "tiny", "--good", f"{WORK}/good.gguf", "--guard", f"{WORK}/guard.gguf",
          "--space", f"{WORK}/space.json", "--standard", f"{WORK}/standard"]
CHATTY = ["--model", f"{WORK}/chatty", "--name", "chatty"]  # a plain checkpoint that knows chats
DREAM, GOOD, CHATS = "tiny/dream", "tiny/good", "chatty/dream"
FOX = [{"role": "user", "content": "the quick fox 8"}]
SHIP = [{"role": "user", "content": "break the ship 8"}]
# Seconds in which work ends that nobody waits for; all of it would take minutes.
AT_ONCE = 20 if "sanitize" in os.environ.get("TRINE_BUILD", "") else 5


class Server:
    def __init__(self, *options):
        self.log = tempfile.TemporaryFile("w+")
        self.process = subprocess.Popen([PROGRAM, "serve", "--port", "0", *options], stdout=subprocess.PIPE, stderr=self.log,
                                        text=True)
        line = self.process.stdout.readline()
        if not line.startswith("listening on "):
            raise AssertionError(f"the server does not listen: {line}{self.errors()}")
        self.url = line.split()[-1]

    def errors(self):
        self.log.seek(0)
        return self.log.read()

    def client(self, key="anything", **options):
        return openai.OpenAI(base_url=self.url + "/v1", api_key=key, **{"max_retries": 0, "timeout": 60, **options})

    def counts(self):
        text = urllib.request.urlopen(self.url + "/metrics", timeout=10).read().decode()
        return {name: float(value) for name, value in re.findall(r"^(\S+) (\S+)$", text, re.MULTILINE)}

    def await_jobs(self, running, seconds, waiting=0):
        """Seconds until so many are worked on."""
        begun = time.monotonic()
        while True:
            counts = self.counts()
            if (counts["trine_jobs_running"], counts["trine_jobs_waiting"]) == (running, waiting):
                return time.monotonic() - begun
            if time.monotonic() - begun > seconds:
                raise AssertionError(f"after {seconds} s {counts['trine_jobs_running']:.0f} requests are worked on and "
                                     f"{counts['trine_jobs_waiting']:.0f} wait, not {running} and {waiting}")
            time.sleep(0.005)

    def stop(self):
        self.process.stdout.close()
        self.process.terminate()
        status, errors = self.process.wait(10), self.errors()
        self.log.close()
        if status != 0:
            raise AssertionError(f"the server ended with {status}: {errors}")


def setUpModule():
    global server, client
    server = Server(*LAYERS, *CHATTY, "--local-scope", "dream", "--conversations", f"{WORK}/kept.sqlite")
    unittest.addModuleCleanup(server.stop)
    client = server.client()


def complete(prompt="the wind", model=DREAM, max_tokens=40, **options):
    return client.completions.create(model=model, prompt=prompt, max_tokens=max_tokens, **options)


def chat(messages=FOX, model=GOOD, **options):
    return client.chat.completions.create(model=model, messages=messages, **options)


def joined(events):
    """The text of each choice, why it ended, and the usage, of completions or chats."""
    texts, reasons, usage = collections.defaultdict(str), {}, None
    for event in events:
        for choice in event.choices:
            assert choice.index not in reasons, "something comes after the end"
            delta = getattr(choice, "delta", None)
            texts[choice.index] += (delta.content or "") if delta is not None else choice.text
            if choice.finish_reason is not None:
                reasons[choice.index] = choice.finish_reason
        usage = event.usage or usage
    return [texts[i] for i in range(len(texts))], [reasons[i] for i in range(len(texts))], usage


class Models(unittest.TestCase):
    def test_list(self):
        models = {model.id: model for model in client.models.list()}
        self.assertEqual(set(models), {GOOD, "tiny/truth", DREAM, CHATS})
        dream = models[DREAM]
        self.assertEqual((dream.object, dream.owned_by, dream.layer, dream.chat), ("model", "trine", "dream", False))
        self.assertEqual([slot["name"] for slot in dream.slots], ["author", "date"])
        self.assertTrue(models[CHATS].chat)
        self.assertLess(abs(dream.created - time.time()), 600)

    def test_one(self):
        self.assertEqual(client.models.retrieve(DREAM).id, DREAM)
        self.assertEqual(client.models.retrieve("tiny").id, GOOD)
        for name in ("none", "tiny/none", "tin", "tinyy", "/etc/passwd", "tiny/dream/"):
            with self.assertRaises(openai.NotFoundError, msg=name):
                client.models.retrieve(name)


class Completions(unittest.TestCase):
    def test_whole(self):
        reply = complete(seed=7)
        self.assertEqual((reply.object, reply.model, len(reply.choices)), ("text_completion", DREAM, 1))
        self.assertEqual((reply.choices[0].index, reply.choices[0].finish_reason, reply.choices[0].logprobs), (0, "length", None))
        self.assertEqual(reply.usage.completion_tokens, 40)
        self.assertEqual(reply.usage.total_tokens, reply.usage.prompt_tokens + 40)
        self.assertNotEqual(reply.id, complete(seed=7).id)
        self.assertEqual(len(complete(max_tokens=openai.NOT_GIVEN).choices[0].text) > 0, True)

    def test_seed(self):
        texts = [complete(seed=seed, temperature=1.5).choices[0].text for seed in (7, 7, 8, -1, -1, 2**63 - 1)]
        self.assertEqual(texts[0], texts[1])
        self.assertEqual(texts[3], texts[4])
        self.assertEqual(len(set(texts)), 4)
        self.assertEqual(complete(temperature=0).choices[0].text, complete(temperature=0, seed=5).choices[0].text)
        self.assertNotEqual(complete(temperature=2).choices[0].text, complete(temperature=2).choices[0].text)

    def test_stream(self):
        for options in ({"seed": 7}, {"seed": 3, "temperature": 2, "max_tokens": 200}, {"seed": 3, "n": 3, "echo": True},
                        {"seed": 3, "max_tokens": 1}, {"max_tokens": 0}, {"prompt": ["the", "my fellow", "the wind"], "seed": 1}):
            whole = complete(**options)
            events = list(complete(**options, stream=True, stream_options={"include_usage": True}))
            texts, reasons, usage = joined(events)
            self.assertEqual(texts, [choice.text for choice in whole.choices], options)
            self.assertEqual(reasons, [choice.finish_reason for choice in whole.choices])
            self.assertEqual(usage, whole.usage)
            self.assertEqual((events[-1].choices, len({event.id for event in events})), ([], 1))
            self.assertTrue(all(event.usage is None for event in complete(**options, stream=True)))

    def test_several(self):
        texts = [choice.text for choice in complete(seed=4, n=3).choices]
        self.assertEqual(texts, [complete(seed=seed).choices[0].text for seed in (4, 5, 6)])
        prompts = ["the", "my fellow"]
        reply = complete(prompts, seed=4, n=2)
        self.assertEqual([choice.index for choice in reply.choices], [0, 1, 2, 3])
        self.assertEqual([choice.text for choice in reply.choices],
                         [complete(prompt, seed=seed).choices[0].text for prompt in prompts for seed in (4, 5)])
        self.assertEqual(reply.usage.prompt_tokens,
                         sum(complete(prompt, max_tokens=1).usage.prompt_tokens for prompt in prompts))

    def test_stop(self):
        text = complete(seed=7).choices[0].text
        for stop in (text[9:10], text[6:15], [text[30:33], text[12:20]], ["nowhere"], text[:3], [text[-4:]]):
            ends = [text.find(one) for one in ([stop] if isinstance(stop, str) else stop) if one in text]
            expected = text[:min(ends)] if ends else text
            reply = complete(seed=7, stop=stop).choices[0]
            self.assertEqual((reply.text, reply.finish_reason), (expected, "stop" if ends else "length"), stop)
            self.assertEqual(joined(complete(seed=7, stop=stop, stream=True))[0], [expected])
            echoed = complete(seed=7, stop=stop, echo=True, logprobs=0).choices[0]
            self.assertEqual(echoed.text, "the wind" + expected)
            self.assertTrue(("the wind" + text).startswith("".join(echoed.logprobs.tokens)))

    def test_logprobs(self):
        reply = complete(seed=7, logprobs=3, echo=True).choices[0]
        told = reply.logprobs
        self.assertEqual("".join(told.tokens), reply.text)
        self.assertEqual([reply.text[at:at + len(token)] for at, token in zip(told.text_offset, told.tokens)], told.tokens)
        for token, own, top in zip(told.tokens, told.token_logprobs, told.top_logprobs):
            self.assertEqual(len(top), 3)
            self.assertTrue(own <= max(top.values()) <= 0)
            self.assertTrue(token not in top or top[token] == own)
        greedy = complete(temperature=0, logprobs=1).choices[0].logprobs
        self.assertEqual([{token: own} for token, own in zip(greedy.tokens, greedy.token_logprobs)], greedy.top_logprobs)

        pieces = collections.defaultdict(list)
        for event in complete(seed=7, logprobs=3, echo=True, stream=True):
            for choice in event.choices:
                if choice.logprobs is not None:
                    self.assertEqual("".join(choice.logprobs.tokens), choice.text)
                    for name, values in choice.logprobs:
                        pieces[name] += values
        self.assertEqual(dict(pieces), dict(told))
        scored = complete(reply.text, max_tokens=0, echo=True, logprobs=0).choices[0]
        self.assertEqual(scored.text, reply.text)
        if scored.logprobs.tokens == told.tokens:
            for a, b in zip(scored.logprobs.token_logprobs, told.token_logprobs):
                self.assertLess(abs(a - b), 0.05)

    def test_offsets_of_broken_characters(self):
        """At temperature 2 there are bytes that are no characters; each is shown as one."""
        for seed in range(4):
            reply = complete(seed=seed, temperature=2, max_tokens=300, logprobs=0).choices[0]
            told = reply.logprobs
            self.assertEqual(sorted(told.text_offset), told.text_offset)
            shown = [reply.text[at:after] for at, after in zip(told.text_offset, told.text_offset[1:] + [len(reply.text)])]
            self.assertEqual([(a, b) for a, b in zip(shown, told.tokens) if "\ufffd" not in b and a != b], [])

    def test_handles(self):
        def written(handle):
            return complete("", seed=2, extra_body={"handle": handle}).choices[0].text
        ann = written({"author": "Author Ann"})
        self.assertEqual(ann, written({"author": "Ann"}))
        self.assertEqual(ann, written({"mix": {"Author Ann": 2}}))
        self.assertNotEqual(ann, written({"author": "Bob"}))
        self.assertNotEqual(written({"author": "Ann", "date": 1850}), "")
        vector = client.embeddings.create(model=DREAM, input="my fellow citizens, the state of the union").data[0].embedding
        self.assertEqual(written({"vector": {"author": vector}}), written({"vector": {"author": vector}}))
        for handle in ({"author": "Nobody"}, {"date": "soon"}, {"author": 3}, {"vector": {"author": [1]}}, {"shift": [{"component": 9}]},
                       {"file": "x"}, [], {"mix": {}}, {"mix": {"Ann": 1, "Bob": -1}}, {"tell": {"author": []}}, {"handle": {}},
                       {"handle": {"trine_handle": 1}}, {"vector": {"author": [1e308] * 6}}, {"date": 1e308}):
            with self.assertRaises(openai.BadRequestError, msg=str(handle)):
                written(handle)

    def test_reading(self):
        events = list(complete("", seed=2, stream=True, max_tokens=60, extra_body={"reading": True, "handle": {"date": 1850}}))
        readings = [event.reading for event in events if getattr(event, "reading", None)]
        self.assertEqual({frozenset(reading) for reading in readings}, {frozenset(["author", "tokens"])})
        self.assertAlmostEqual(sum(label["probability"] for label in readings[-1]["author"]), 1, 5)

    def test_characters(self):
        for prompt in ("Ça va? 你好 👩‍👩‍👧 \u0000x", "\ud7ff\ue000\U0010ffff", "<|endoftext|>", "\x7f\t\n\r"):
            reply = complete(prompt, echo=True, logprobs=0, max_tokens=1) if "\0" not in prompt else None
            if reply is not None:
                self.assertTrue(reply.choices[0].text.startswith(prompt), repr(prompt))
            else:
                with self.assertRaises(openai.BadRequestError):
                    complete(prompt)

    def test_many_at_once(self):
        wishes = [{"prompt": prompt, "seed": seed, "max_tokens": 60, "temperature": 1, "extra_body": {"handle": handle}}
                  for seed in range(4) for prompt, handle in (("the", {}), ("my", {"author": "Bob"}), ("the wind", {"date": 1820}))]
        alone = [complete(**wish).choices[0].text for wish in wishes]

        async def together():
            async with openai.AsyncOpenAI(base_url=server.url + "/v1", api_key="x", max_retries=0) as many:
                async def one(wish, is_stream):
                    reply = await many.completions.create(model=DREAM, stream=is_stream, **wish)
                    return "".join([e.choices[0].text async for e in reply]) if is_stream else reply.choices[0].text
                return await asyncio.gather(*(one(wish, i % 2 == 0) for i, wish in enumerate(wishes * 2)))
        self.assertEqual(asyncio.run(together()), alone * 2)


class Chats(unittest.TestCase):
    def test_good(self):
        reply = chat(extra_body={"why": True})
        choice = reply.choices[0]
        self.assertEqual((choice.message.role, choice.message.content, choice.finish_reason),
                         ("assistant", "the wind was fair.", "stop"))
        self.assertEqual((reply.object, reply.model, reply.trine["outcome"]), ("chat.completion", GOOD, "replied"))
        self.assertTrue(reply.usage.prompt_tokens > 0 and reply.usage.completion_tokens > 0)
        self.assertFalse(hasattr(chat(), "trine"))
        self.assertEqual(chat(model="tiny").model, GOOD)

    def test_declined(self):
        reply = chat(SHIP, extra_body={"why": True})
        choice = reply.choices[0]
        self.assertEqual((choice.finish_reason, choice.message.refusal), ("content_filter", None))
        self.assertTrue(choice.message.content.startswith("I won't"), choice.message.content)
        self.assertGreater(reply.trine["request"]["screen"], 0.5)
        events = list(chat(SHIP, stream=True, extra_body={"why": True}))
        self.assertEqual(joined(events)[:2], ([choice.message.content], ["content_filter"]))
        self.assertEqual(events[-1].trine["outcome"], "declined_request")

    def test_stream(self):
        for options in ({}, {"messages": SHIP}, {"n": 2, "temperature": 1.5, "seed": 3}, {"stop": ["was"]}, {"max_tokens": 3},
                        {"model": CHATS, "seed": 1, "max_tokens": 60}, {"model": CHATS, "seed": 1, "n": 3, "max_tokens": 20},
                        {"model": CHATS, "seed": 1, "stop": "e", "max_tokens": 60},
                        {"model": CHATS, "seed": 5, "temperature": 2, "max_tokens": 200}):
            whole = chat(**options)
            texts, reasons, usage = joined(chat(**options, stream=True, stream_options={"include_usage": True}))
            self.assertEqual(texts, [choice.message.content for choice in whole.choices], options)
            self.assertEqual(reasons, [choice.finish_reason for choice in whole.choices], options)
            self.assertEqual(usage, whole.usage, options)

    def test_package_gathers_a_stream(self):
        options = {"model": CHATS, "messages": FOX, "max_completion_tokens": 60, "seed": 4, "stop": "e", "logprobs": True}
        with client.chat.completions.stream(**options) as stream:
            deltas = "".join(event.delta for event in stream if event.type == "content.delta")
            final = stream.get_final_completion()
        whole = client.chat.completions.create(**options)
        self.assertEqual((deltas, final.choices[0].message.content), (whole.choices[0].message.content,) * 2)
        self.assertEqual(final.choices[0].logprobs.content, whole.choices[0].logprobs.content)

    def test_logprobs(self):
        for options in ({"seed": 4}, {"seed": 4, "temperature": 2}, {"temperature": 0}):
            reply = chat(model=CHATS, max_tokens=80, logprobs=True, top_logprobs=4, **options).choices[0]
            told = reply.logprobs.content
            text = b"".join(bytes(token.bytes) for token in told).decode(errors="replace").replace("\0", "\ufffd")
            self.assertEqual(text, reply.message.content)
            for token in told:
                self.assertEqual([len(token.top_logprobs), token.top_logprobs],
                                 [4, sorted(token.top_logprobs, key=lambda other: -other.logprob)])
                self.assertLessEqual(token.logprob, token.top_logprobs[0].logprob)
        with self.assertRaises(openai.BadRequestError):
            chat(logprobs=True)

    def test_roles(self):
        parts = [{"role": "developer", "content": "be brief"}, {"role": "user", "content": "the quick fox"},
                 {"role": "assistant", "content": "the wind was fair."},
                 {"role": "user", "content": [{"type": "text", "text": "the quick "}, {"type": "text", "text": "fox 3"}]}]
        for model in (GOOD, CHATS):
            replies = [chat(parts[at:], model=model, max_tokens=5, temperature=0) for at in (0, 1, 3, 3)]
            read = [reply.usage.prompt_tokens for reply in replies]
            self.assertTrue(read[0] > read[1] > read[2] == read[3], read)
            whole = [{"role": "user", "content": "the quick fox 3"}]
            self.assertEqual(replies[2].choices, chat(whole, model=model, max_tokens=5, temperature=0).choices)
        bad = ([{"role": "assistant", "content": "x"}], [{"role": "tool", "content": "x", "tool_call_id": "1"}], [], ["x"], "x",
               [{"role": "user"}], [{"role": "user", "content": [{"type": "image_url", "image_url": {"url": "http://x/"}}]}],
               [{"role": "user", "content": [7]}], [{"role": "user", "content": {"text": "x"}}])
        for messages in bad:
            for model in (GOOD, CHATS):
                with self.assertRaises(openai.BadRequestError, msg=str(messages)):
                    chat(messages, model=model)

    def test_values(self):
        granted = client.post("/values", body={"model": GOOD, "values": {"fox-union": 0.2}}, cast_to=object)
        reply = chat(extra_body={"values": {"fox-union": 0.2}, "why": True})
        self.assertEqual(reply.trine["values"], granted)
        self.assertEqual(chat(SHIP, extra_body={"values": {"fox-union": 50}}).choices[0].finish_reason, "content_filter")
        directions = client.get("/values?model=tiny", cast_to=object)["directions"]
        self.assertEqual(directions, [{"name": "fox-union", "low": "fox", "high": "union"}])
        for values in ({"other": 1}, {"fox-union": "much"}, [], {"fox-union": 1e9}):
            with self.assertRaises(openai.BadRequestError, msg=str(values)):
                chat(extra_body={"values": values})
        with self.assertRaises(openai.BadRequestError):
            chat(model=CHATS, extra_body={"values": {"fox-union": 1}})

    def test_unsupported(self):
        tool = {"type": "function", "function": {"name": "f", "parameters": {"type": "object", "properties": {}}}}
        for options in ({"tools": [tool]}, {"response_format": {"type": "json_object"}}, {"presence_penalty": 1},
                        {"logit_bias": {"5": 1}}, {"modalities": ["text", "audio"]}, {"n": 0}, {"n": 17}, {"temperature": 2.5},
                        {"temperature": -1}, {"top_p": "x"}, {"max_tokens": 0}, {"max_tokens": 10**9}, {"stop": ["x"] * 17},
                        {"stop": [""]}, {"seed": 1.5}, {"stream_options": {"include_usage": True}}, {"top_logprobs": 2}):
            with self.assertRaises(openai.BadRequestError, msg=str(options)) as caught:
                chat(model=CHATS, **options)
            self.assertEqual(caught.exception.param, next(iter(options)), options)
        ignored = chat(user="somebody", metadata={"a": "b"}, store=False, frequency_penalty=0, extra_body={"nobody_knows": [1]})
        self.assertEqual(ignored.choices[0].message.content, chat().choices[0].message.content)

    def test_conversations(self):
        made = client.post("/conversations", body={"title": "ships ⛵"}, cast_to=object)
        said = [chat(FOX, extra_body={"conversation": made["id"]}).choices[0].message.content,
                joined(chat(SHIP, stream=True, extra_body={"conversation": made["id"]}))[0][0]]
        kept = client.get(f"/conversations/{made['id']}", cast_to=object)
        self.assertEqual([message["content"] for message in kept["messages"]],
                         [FOX[0]["content"], said[0], SHIP[0]["content"], said[1]])
        self.assertEqual(kept["title"], "ships ⛵")
        # A stream that cannot be kept ends with an error, which the package raises; nothing is half kept.
        with contextlib.closing(sqlite3.connect(f"{WORK}/kept.sqlite")) as file, file:
            file.execute("UPDATE conversations SET messages = 9999 WHERE id = ?", [made["id"]])
        events, stream = [], chat(FOX, stream=True, extra_body={"conversation": made["id"]})
        with self.assertRaises(openai.APIError) as caught:
            events.extend(stream)
        self.assertIn("too many messages", str(caught.exception))
        self.assertEqual(len(client.get(f"/conversations/{made['id']}", cast_to=object)["messages"]), 4)
        self.assertTrue(client.delete(f"/conversations/{made['id']}", cast_to=object)["deleted"])
        with self.assertRaises(openai.NotFoundError):
            chat(FOX, extra_body={"conversation": made["id"]})

    def test_deleted_meanwhile(self):
        """A reply does not bring back the conversation that was deleted while it was written."""
        for _ in range(50):  # some replies end before it is deleted
            made = client.post("/conversations", body={"title": ""}, cast_to=object)
            stream = chat(FOX, CHATS, max_tokens=2000, temperature=2, stream=True, extra_body={"conversation": made["id"]})
            next(iter(stream))
            client.delete(f"/conversations/{made['id']}", cast_to=object)
            try:
                collections.deque(stream, 0)
            except openai.APIError as error:
                self.assertEqual(error.code, "conversation_not_found")
                break
        else:
            self.fail("no reply was still written when its conversation was deleted")
        with self.assertRaises(openai.NotFoundError):
            client.get(f"/conversations/{made['id']}", cast_to=object)


class Embeddings(unittest.TestCase):
    def test_formats(self):
        texts = ["the quick fox jumps", "my fellow citizens, the state of the union", "the quick fox jumps"]
        floats = client.embeddings.create(model=DREAM, input=texts, encoding_format="float")
        self.assertEqual([entry.index for entry in floats.data], [0, 1, 2])
        self.assertEqual(floats.data[0].embedding, floats.data[2].embedding)
        self.assertNotEqual(floats.data[0].embedding, floats.data[1].embedding)
        self.assertEqual(len(floats.data[0].embedding), 6)
        self.assertEqual(floats.usage.prompt_tokens, floats.usage.total_tokens)
        encoded = client.embeddings.create(model=DREAM, input=texts, encoding_format="base64")
        for by_name, by_bytes, by_default in zip(floats.data, encoded.data, client.embeddings.create(model=DREAM, input=texts).data):
            numbers = struct.unpack("<6f", base64.b64decode(by_bytes.embedding, validate=True))
            self.assertEqual([struct.unpack("<f", struct.pack("<f", x))[0] for x in by_name.embedding], list(numbers))
            self.assertEqual(list(by_default.embedding), list(numbers))
        one = client.embeddings.create(model=DREAM, input=texts[1], encoding_format="float").data[0].embedding
        self.assertEqual(one, floats.data[1].embedding)

    def test_refused(self):
        for options in ({"input": []}, {"input": ""}, {"input": [[1, 2]]}, {"input": "x", "dimensions": 5}, {"input": ["x"] * 257},
                        {"input": "x", "encoding_format": "hex"}, {"input": {"a": "b"}}, {"input": ["x", None]}):
            with self.assertRaises(openai.BadRequestError, msg=str(options)):
                client.embeddings.create(**{"model": DREAM, "encoding_format": "float", **options})
        with self.assertRaises(openai.BadRequestError):
            client.embeddings.create(model=GOOD, input="x")


class Errors(unittest.TestCase):
    def test_bad(self):
        for options, code, param in (({"prompt": 3}, "invalid_value", "prompt"), ({"prompt": [1, 2]}, "invalid_value", "prompt"),
                                     ({"max_tokens": 5000}, "invalid_value", "max_tokens"), ({"n": 1.5}, "invalid_value", "n"),
                                     ({"prompt": ["the"] * 33}, "invalid_value", "prompt"), ({"n": 65}, "invalid_value", "n"),
                                     ({"logprobs": 6}, "invalid_value", "logprobs"), ({"stream": "yes"}, "invalid_value", "stream"),
                                     ({"best_of": 3}, "unsupported_field", "best_of"), ({"suffix": "x"}, "unsupported_field", "suffix"),
                                     ({"model": GOOD}, "wrong_layer", "model"), ({"model": "tiny/truth"}, "wrong_layer", "model"),
                                     ({"prompt": "word " * 5000}, "context_length_exceeded", "prompt"),
                                     ({"extra_body": {"handle": {"author": "x" * 2000}}}, "invalid_value", "author")):
            with self.assertRaises(openai.BadRequestError, msg=str(options)[:80]) as caught:
                complete(**options)
            error = caught.exception
            self.assertEqual((error.code, error.param, error.type), (code, param, "invalid_request_error"), str(options)[:80])
        with self.assertRaises(openai.BadRequestError):
            client.post("/completions", body=[1], cast_to=object)

    def test_absent(self):
        for call in (lambda: complete(model="none"), lambda: client.files.list(), lambda: client.responses.create(model=DREAM, input="x"),
                     lambda: client.get("/conversations/none", cast_to=object), lambda: client.get("/../v1/models/x", cast_to=object),
                     lambda: client.post("/judge", body={"model": "tiny", "statement": "x", "standard": "none"}, cast_to=object)):
            with self.assertRaises(openai.NotFoundError) as caught:
                call()
            self.assertEqual(caught.exception.type, "not_found_error")

    def test_too_long(self):
        """The reply arrives though the server reads no more of the request."""
        for bytes_ in (5 << 20, 40 << 20):
            with self.assertRaises(openai.APIStatusError) as caught:
                complete("x" * bytes_)
            self.assertEqual(caught.exception.status_code, 413)
        self.assertEqual(len(client.models.list().data), 4)

    def test_timeout(self):
        begun = time.monotonic()
        with self.assertRaises(openai.APITimeoutError):
            client.with_options(timeout=0.3).completions.create(model=DREAM, prompt="the", max_tokens=4000, n=64)
        self.assertLess(time.monotonic() - begun, 5)
        server.await_jobs(0, AT_ONCE)


class Keys(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.file = f"{WORK}/keys.sqlite"
        cls.keys = {name: cls.new(name) for name in ("good", "truth", "dream")}
        cls.keys["slow"] = cls.new("dream", "--rate", "60")
        cls.server = Server(*LAYERS, "--keys", cls.file, "--conversations", f"{WORK}/owned.sqlite")
        cls.addClassCleanup(cls.server.stop)

    @classmethod
    def new(cls, scope, *options):
        return subprocess.run([PROGRAM, "key", "new", "--keys", cls.file, "--scope", scope, *options], check=True, text=True,
                              stdout=subprocess.PIPE, stderr=subprocess.DEVNULL).stdout.strip()

    def client(self, name, **options):
        return self.server.client(self.keys.get(name, name), **options)

    def test_unknown(self):
        for key in ("wrong", "trine-" + "A" * 43, self.keys["good"][:-1], self.keys["good"] + "x", "x" * 5000):
            with self.assertRaises(openai.AuthenticationError, msg=key[:60]) as caught:
                self.client(key).models.list()
            self.assertEqual((caught.exception.code, caught.exception.response.headers["www-authenticate"]), ("invalid_api_key", "Bearer"))

    def test_scopes(self):
        seen = {name: {model.id for model in self.client(name).models.list()} for name in ("good", "truth", "dream")}
        self.assertEqual(seen, {"good": {GOOD}, "truth": {GOOD, "tiny/truth"}, "dream": {GOOD, "tiny/truth", DREAM}})
        for name in ("good", "truth"):
            for call in (lambda c: c.completions.create(model=DREAM, prompt="x"), lambda c: c.embeddings.create(model=DREAM, input="x"),
                         lambda c: c.chat.completions.create(model=DREAM, messages=FOX), lambda c: c.get("/atlas", cast_to=object),
                         lambda c: c.chat.completions.create(model=GOOD, messages=FOX, extra_body={"handle": {}})):
                with self.assertRaises(openai.PermissionDeniedError) as caught:
                    call(self.client(name))
                self.assertEqual((caught.exception.code, caught.exception.type), ("scope", "permission_error"))
        with self.assertRaises(openai.PermissionDeniedError):
            self.client("good").post("/judge", body={"statement": "x"}, cast_to=object)
        self.assertIn("probability", self.client("truth").post("/judge", body={"statement": "the wind was fair."}, cast_to=object))
        self.assertEqual(self.client("good").chat.completions.create(model=GOOD, messages=FOX).choices[0].finish_reason, "stop")

    def test_rate(self):
        slow = self.client("slow")
        with self.assertRaises(openai.RateLimitError) as caught:
            for _ in range(100):
                slow.models.list()
        self.assertEqual(caught.exception.code, "rate_limit_exceeded")
        self.assertEqual(caught.exception.response.headers["retry-after"], "1")
        self.assertEqual(len(slow.with_options(max_retries=3).models.list().data), 3)

    def test_owners(self):
        mine = self.client("good").post("/conversations", body={"title": "mine"}, cast_to=object)["id"]
        other = self.client("dream")
        for call in (lambda: other.get(f"/conversations/{mine}", cast_to=object),
                     lambda: other.delete(f"/conversations/{mine}", cast_to=object),
                     lambda: other.chat.completions.create(model=GOOD, messages=FOX, extra_body={"conversation": mine})):
            with self.assertRaises(openai.NotFoundError):
                call()
        self.assertEqual(other.get("/conversations", cast_to=object)["conversations"], [])

    def test_revoked(self):
        key = self.new("good", "--name", "gone")
        held = self.server.client(key)
        self.assertEqual(len(held.models.list().data), 1)
        listed = subprocess.run([PROGRAM, "key", "list", "--keys", self.file], check=True, text=True, stdout=subprocess.PIPE).stdout
        id_ = re.search(r"\b[0-9a-f]{16}\b", next(line for line in listed.splitlines() if "gone" in line)).group()
        subprocess.run([PROGRAM, "key", "revoke", "--keys", self.file, id_], check=True, stdout=subprocess.DEVNULL)
        with self.assertRaises(openai.AuthenticationError):
            held.models.list()


class Leaving(unittest.TestCase):
    """Whoever leaves is not worked for."""

    def leave(self, stream, events=3):
        for _, _ in zip(range(events), stream):
            pass
        self.assertEqual(server.counts()["trine_jobs_running"], 1)
        stream.close()
        server.await_jobs(0, AT_ONCE)

    def setUp(self):
        server.await_jobs(0, 10)

    def test_streams(self):
        self.leave(complete("the", max_tokens=4000, n=60, stream=True))
        self.leave(complete("the", max_tokens=4000, n=60, stream=True, logprobs=5, extra_body={"reading": True}))
        self.leave(complete("the", max_tokens=4000, n=60, stream=True, stop=["never is this said"]))
        self.leave(chat(model=CHATS, max_tokens=2000, n=16, temperature=2, stream=True))

    def test_whole_replies(self):
        long = "the quick fox jumps over the wind and "
        for path, body in (("/completions", {"prompt": "the", "max_tokens": 4000, "n": 60}),
                           ("/completions", {"prompt": [f"{i} {long * 100}" for i in range(32)], "max_tokens": 0, "n": 2}),
                           ("/embeddings", {"input": [long * 1000] * 60}), ("/read", {"text": long * 50000}),
                           ("/read", {"text": long * 50000, "by_token": True}),
                           ("/chat/completions", {"model": CHATS, "messages": FOX, "max_tokens": 2000, "n": 16})):
            body = {"model": DREAM, **body}
            with self.assertRaises(openai.APITimeoutError, msg=str(body)[:80]):
                client.with_options(timeout=0.5).post(path, body=body, cast_to=object)
            server.await_jobs(0, AT_ONCE)

    def test_counts(self):
        before = server.counts()["trine_dropped_gone_total"]
        self.leave(complete("the", max_tokens=4000, n=60, stream=True))
        self.assertEqual(server.counts()["trine_dropped_gone_total"], before + 1)


class Queue(unittest.TestCase):
    def test_full(self):
        little = Server(*LAYERS, "--local-scope", "dream", "--workers", "1", "--queue", "1")
        self.addCleanup(little.stop)
        asks = little.client()
        long = {"model": DREAM, "prompt": "the", "max_tokens": 4000, "n": 60, "stream": True}
        worked = asks.completions.create(**long)
        next(iter(worked))

        async def overfill():
            async with openai.AsyncOpenAI(base_url=little.url + "/v1", api_key="x", max_retries=0) as many:
                waits = asyncio.create_task(many.completions.create(**long))
                await asyncio.to_thread(little.await_jobs, 1, 10, 1)
                with self.assertRaises(openai.RateLimitError) as caught:
                    await many.completions.create(model=DREAM, prompt="the")
                self.assertEqual((caught.exception.code, caught.exception.type), ("queue_full", "rate_limit_error"))
                self.assertEqual(caught.exception.response.headers["retry-after"], "1")
                self.assertEqual(len((await many.models.list()).data), 3)  # is not queued
                # Who left has no place in the queue; who asks again, as the package does, is served in time.
                waits.cancel()
                again = many.with_options(max_retries=5).completions.create(model=DREAM, prompt="the", max_tokens=2)
                later = asyncio.create_task(again)
                await asyncio.to_thread(little.await_jobs, 1, 10, 1)
                worked.close()
                self.assertEqual((await asyncio.wait_for(later, 30)).usage.completion_tokens, 2)
        asyncio.run(overfill())
        little.await_jobs(0, 5)
        self.assertEqual(little.counts()["trine_refused_total"], 1)

    def test_stopped(self):
        """What was cut short is not taken for the whole."""
        little = Server(*LAYERS, "--local-scope", "dream")
        stream = little.client().completions.create(model=DREAM, prompt="the", max_tokens=4000, n=60, stream=True)
        next(iter(stream))
        little.stop()
        with self.assertRaises(Exception):
            collections.deque(stream, 0)


def curl(*arguments, path="/v1/completions", input=None, show="%{http_code}"):
    """Status (or what is to be shown), head, body."""
    with tempfile.NamedTemporaryFile() as head:
        done = subprocess.run(["curl", "-sS", "-m", "30", "-D", head.name, "-w", f"\n{show}", *arguments, server.url + path],
                              input=input, capture_output=True, timeout=60)
        body, _, shown = done.stdout.rpartition(b"\n")
        assert done.returncode == 0, done.stderr.decode()
        return shown.decode(), head.read().decode().lower(), body


class Curl(unittest.TestCase):
    body = {"model": DREAM, "prompt": "the wind", "max_tokens": 30, "seed": 7}

    def test_plain(self):
        status, head, body = curl("-d", json.dumps(self.body))
        self.assertEqual(status, "200")
        self.assertIn("content-type: application/json", head)
        self.assertEqual(json.loads(body)["choices"][0]["text"], complete(seed=7, max_tokens=30).choices[0].text)

    def test_stream(self):
        status, head, body = curl("-N", "-d", json.dumps({**self.body, "stream": True}))
        self.assertEqual(status, "200")
        self.assertIn("content-type: text/event-stream", head)
        self.assertIn("cache-control: no-store", head)
        events = body.decode().split("\n\n")
        self.assertEqual(events[-2:], ["data: [DONE]", ""])
        texts = [json.loads(event.removeprefix("data: "))["choices"][0]["text"] for event in events[:-2]]
        self.assertEqual("".join(texts), complete(seed=7, max_tokens=30).choices[0].text)
        self.assertGreater(len(texts), 10)

    def test_ways_to_send(self):
        text = complete(seed=7, max_tokens=30).choices[0].text
        body = json.dumps(self.body)
        for way in (["-H", "Transfer-Encoding: chunked"], ["--http1.0"], ["-H", "Expect: 100-continue"], ["--http2"], ["--compressed"],
                    ["-H", "Content-Type: text/plain"], ["-H", "Connection: close"]):
            status, _, reply = curl(*way, "-d", body)
            self.assertEqual((status, json.loads(reply)["choices"][0]["text"]), ("200", text), way)
        long = json.dumps({**self.body, "padding": "x" * (2 << 20)})  # curl waits for a 100
        self.assertEqual(curl("-d", "@-", input=long.encode())[0], "200")
        for way in ([], ["-H", "Transfer-Encoding: chunked"], ["--http1.0"], ["-H", "Expect:"]):
            status, _, reply = curl(*way, "--data-binary", "@-", input=b"x" * (9 << 20))
            self.assertEqual(status, "413", way)
        again = ["--next", "-sS", "-d", body, server.url + "/v1/completions", "-o", "/dev/null", "-w", " %{http_code} %{num_connects}"]
        shown, _, _ = curl("-d", body, "-o", "/dev/null", server.url + "/v1/completions", *again)
        self.assertTrue(shown.rstrip().endswith("200 0"), shown)

    def test_other_methods(self):
        for method, path, status in (("PUT", "/v1/completions", "405"), ("GET", "/v1/completions", "405"), ("POST", "/v1/models", "405"),
                                     ("PATCH", "/", "405"), ("DELETE", "/v1/models/tiny", "405"), ("OPTIONS", "/v1/models", "204")):
            shown, head, _ = curl("-X", method, path=path)
            self.assertEqual(shown, status, (method, path))
            self.assertIn("allow: ", head)
        for path in ("/", "/health", "/v1/models", "/openapi.json"):
            shown, head, _ = curl("-I", path=path)
            length = re.search(r"content-length: (\d+)", head).group(1)
            _, _, body = curl(path=path)
            self.assertEqual((shown, length), ("200", str(len(body))), path)

    def test_strangers(self):
        for headers in (["Host: elsewhere.example"], ["Origin: http://elsewhere.example"], ["Sec-Fetch-Site: cross-site"],
                        ["X-Forwarded-For: 10.0.0.1"], ["Origin: null"]):
            flags = [flag for header in headers for flag in ("-H", header)]
            self.assertEqual(curl(*flags, path="/v1/models")[0], "403", headers)
        self.assertEqual(curl("-H", f"Origin: {server.url}", path="/v1/models")[0], "200")

    def test_no_json(self):
        for body in (b"", b"{", b"[]", b"null", b"\xff\xfe", b'{"model": "\xff"}', b'{"prompt": "\\ud800"}', b"[" * 100000, b'{"a":' * 3000,
                     b'{"prompt": "a", "prompt": "b"}', b'{"temperature": 1e999}', b'{"seed": 99999999999999999999}', b"{}x",
                     b'{"prompt": "x", "max_tokens": 1, "padding": [' + b"{}," * 1000000 + b"1]}"):
            status, _, reply = curl("--data-binary", "@-", input=body)
            self.assertEqual((status, json.loads(reply)["error"]["type"]), ("400", "invalid_request_error"), body[:40])


if __name__ == "__main__":
    unittest.main(argv=[sys.argv[0], *sys.argv[3:]])
