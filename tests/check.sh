#!/usr/bin/env bash
# Everything that can be said without running the product. Called by `make check`.
set -uo pipefail
cd "$(dirname "$0")/.."
failed=()
step() { # title, command…
    local title=$1
    shift
    if output=$("$@" 2>&1); then
        echo "ok    $title"
    else
        echo "FAIL  $title"
        echo "$output" | tail -n 60
        failed+=("$title")
    fi
}

locks_match_inputs() {
    local draft
    draft=$(mktemp -d)
    bash requirements/compile.sh "$draft" || return 1
    for name in base production dev bench node; do
        diff -u "requirements/$name.txt" "$draft/$name.txt" || { echo "Run: make lock"; return 1; }
    done
}

production_settings_hold() {
    local secrets
    secrets=$(.venv/bin/python -m encryption.make_secrets)
    env $secrets DJANGO_SETTINGS_MODULE=config.settings.production ALLOWED_HOSTS=chat.example.com \
        PLATFORM_URL=https://chat.example.com PREVIEW_ORIGIN=https://preview.example.net \
        DATABASE_URL=postgres://app@database/app REDIS_URL=redis://redis:6379/0 CELERY_BROKER_URL=redis://redis:6379/1 \
        .venv/bin/python -W ignore manage.py check --deploy --fail-level WARNING
}

public_openapi_is_what_the_code_says() {
    .venv/bin/python -W ignore manage.py public_openapi | diff -u docs/openapi-public.yaml - || { echo "Run: make openapi"; return 1; }
}

export PYTHONPATH=$PWD:$PWD/platform DJANGO_SETTINGS_MODULE=config.settings.test
step "ruff" .venv/bin/ruff check
step "ruff format" .venv/bin/ruff format --check
# Without its cache: from a warm one the Django plugin loses reverse managers.
step "mypy, strict" .venv/bin/mypy --cache-dir=/dev/null
step "import layers" .venv/bin/lint-imports
step "migrations are what the models say" .venv/bin/python manage.py makemigrations --check --dry-run
step "check --deploy on production settings" production_settings_hold
step "docs/openapi-public.yaml is what the code says" public_openapi_is_what_the_code_says
step "locks are what their inputs compile to" locks_match_inputs
step "front end: TypeScript, Biome, size, built files" bash frontend/run.sh check
if [ ${#failed[@]} -gt 0 ]; then
    echo "Failed: ${failed[*]}"
    exit 1
fi
echo "All checks hold."
