"""The server beside llama.cpp's: same file, same prompts, same number of clients, in turn.

    serve.py PROGRAM MODEL.gguf LLAMA_SERVER [--clients 1 8] [--requests 3] [--tokens 64] [--words 80] [--threads 2]

PROGRAM is ./trine, LLAMA_SERVER llama.cpp's llama-server. Each client asks one completion after the other, streamed, by
chance (temperature 0.8), of a prompt that no other request has. Shown are the tokens of all clients per second of wall
time, and the time to the first token: median and worst.
"""
import argparse
import http.client
import json
import os
import random
import socket
import statistics
import subprocess
import sys
import threading
import time

WORDS = ("the of and to in a that is for it with as was on by be at from are this which have not they had their one all we "
         "his but an or were been there more when who will no out so up into them can only other time new some could these "
         "may then do first any my now such like our over man me even most made after also did many before must through "
         "years where much your way well down should because each just those people how too little state good very make "
         "world still own see men work long get here between both life being under never day same another know while last "
         "might us great old year off come since against go came right used take three").split()


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


def start(command, port):
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    for _ in range(600):
        try:
            connection = http.client.HTTPConnection("127.0.0.1", port, timeout=5)
            connection.request("GET", "/health")
            if connection.getresponse().status == 200:
                return process
        except OSError:
            pass
        if process.poll() is not None:
            sys.exit(f"{command[0]} ended with {process.returncode}")
        time.sleep(0.1)
    sys.exit(f"{command[0]} does not answer")


def complete(port, model, prompt, tokens, seed):
    """Seconds to the first token, and how many came."""
    body = {"model": model, "prompt": prompt, "max_tokens": tokens, "temperature": 0.8, "top_p": 0.95, "seed": seed,
            "stream": True, "stream_options": {"include_usage": True}}
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=600)
    begun = time.monotonic()
    connection.request("POST", "/v1/completions", json.dumps(body), {"Content-Type": "application/json"})
    response = connection.getresponse()
    if response.status != 200:
        sys.exit(f"{response.status}: {response.read().decode()}")
    first, count = None, 0
    for line in response:
        if not line.startswith(b"data: ") or line.startswith(b"data: [DONE]"):
            continue
        event = json.loads(line[6:])
        if any(choice.get("text") for choice in event.get("choices", [])):
            first = first or time.monotonic() - begun
        if event.get("usage"):
            count = event["usage"]["completion_tokens"]
    return first or time.monotonic() - begun, count


def load(port, model, clients, options, seed):
    firsts, counts, lock = [], [], threading.Lock()

    def client(number):
        draw = random.Random(seed * 1000 + number)
        for request in range(options.requests):
            prompt = " ".join(draw.choice(WORDS) for _ in range(options.words))
            first, count = complete(port, model, prompt, options.tokens, number * 100 + request)
            with lock:
                firsts.append(first)
                counts.append(count)

    threads = [threading.Thread(target=client, args=(number,)) for number in range(clients)]
    begun = time.monotonic()
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    seconds = time.monotonic() - begun
    return sum(counts) / seconds, statistics.median(firsts), max(firsts)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("program")
    parser.add_argument("model")
    parser.add_argument("peer")
    parser.add_argument("--clients", type=int, nargs="+", default=[1, 8])
    parser.add_argument("--requests", type=int, default=3)
    parser.add_argument("--tokens", type=int, default=64)
    parser.add_argument("--words", type=int, default=80)
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--rounds", type=int, default=3)
    options = parser.parse_args()
    most = max(options.clients)
    ports = {"trine": free_port()}
    ports["llama.cpp"] = free_port()
    servers = {
        "trine": ([options.program, "serve", "--model", options.model, "--name", "m", "--local-scope", "dream",
                   "--workers", str(most), "--port", str(ports["trine"])], "m/dream"),
        "llama.cpp": ([options.peer, "-m", options.model, "-t", str(options.threads), "-np", str(most), "-c",
                       str(1024 * most), "--port", str(ports["llama.cpp"]), "--no-webui"], "m"),
    }
    os.environ.pop("OPENBLAS_CORETYPE", None)
    figures = {}
    for round_ in range(options.rounds):
        for name, (command, model) in servers.items():
            process = start(command, ports[name])
            try:
                complete(ports[name], model, "The first of all words", 8, 1)
                for clients in options.clients:
                    figures.setdefault((name, clients), []).append(
                        load(ports[name], model, clients, options, round_ + 1))
            finally:
                process.terminate()
                process.wait()
    for clients in options.clients:
        rates = {}
        for name in servers:
            runs = figures[name, clients]
            rates[name] = statistics.median(run[0] for run in runs)
            print(f"{clients:3} clients  {name:10} {rates[name]:8.1f} tokens/s  first token "
                  f"{statistics.median(run[1] for run in runs):6.3f} s, worst {max(run[2] for run in runs):6.3f} s")
        print(f"             ratio      {rates['trine'] / rates['llama.cpp']:8.2f}")


if __name__ == "__main__":
    main()
