#!/usr/bin/env bash
# Compiles requirements/*.in to locks with hashes in the folder given: `requirements` itself to renew them, another one to compare.
set -euo pipefail
cd "$(dirname "$0")/.."
target=$1
for name in base production dev bench node; do
    # An existing lock keeps its versions, so that only what its input asks for changes.
    [ "$target" = requirements ] || cp "requirements/$name.txt" "$target/$name.txt"
    .venv/bin/uv pip compile --quiet --python-version 3.11 --python-platform linux --generate-hashes --no-header \
        --no-emit-index-url --no-annotate "requirements/$name.in" --output-file "$target/$name.txt"
done
