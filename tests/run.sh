#!/usr/bin/env bash
# `make test`: the embedded default first, then PostgreSQL and Redis where they answer, then the front end's unit tests.
set -uo pipefail
cd "$(dirname "$0")/.."
failed=0

if ! command -v chromium >/dev/null; then
    if [ "$(id -u)" = 0 ] && command -v apt-get >/dev/null; then
        echo "Installing Debian's Chromium for the browser tests"
        { apt-get update -qq && apt-get install -y -qq --no-install-recommends chromium; } >/dev/null 2>&1 || echo "Chromium could not be installed."
    else
        echo "Chromium is missing: the browser tests will say so. Install it: apt-get install chromium"
    fi
fi

# What fails is tried once more by itself, and said: a test that passes only then is flaky and wants mending, but tells
# nothing against the change.
suite() {
    .venv/bin/pytest "$@" && return 0
    echo "== SECOND TRY of what failed, by itself. Whatever passes now is flaky: mend it."
    .venv/bin/pytest --last-failed --last-failed-no-failures none "$@"
}

answers() { (exec 3<>"/dev/tcp/127.0.0.1/$1") 2>/dev/null; }

echo "== The suite on the embedded default: SQLite, no Redis, Celery on files"
(
    unset DATABASE_URL REDIS_URL CELERY_BROKER_URL
    suite "$@"
) || failed=1

if answers 5432 && answers 6379; then
    # Without what touches neither: the demo brings its own database, the sandbox and the OpenAI edge have none.
    echo "== The suite again on PostgreSQL and Redis: every room that has rows or limits"
    (
        export DATABASE_URL=${TEST_DATABASE_URL:-postgres://postgres@127.0.0.1:5432/chatkit_platform}
        export REDIS_URL=${TEST_REDIS_URL:-redis://127.0.0.1:6379/9} CELERY_BROKER_URL=${TEST_BROKER_URL:-redis://127.0.0.1:6379/10}
        suite -m "not demo" --ignore tests/sandbox --ignore tests/chatkit_client --ignore tests/architecture "$@"
    ) || failed=1
else
    echo "== PostgreSQL (127.0.0.1:5432) or Redis (127.0.0.1:6379) does not answer: the suite did NOT run on them."
    [ "${CI:-}" = true ] && failed=1
fi

echo "== The front end's unit tests"
bash frontend/run.sh test || failed=1
exit $failed
