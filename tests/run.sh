#!/usr/bin/env bash
# `make test`: the embedded default, PostgreSQL and Redis where they answer, and the front end's unit tests. Most tests wait, for
# servers, deadlines and browsers, so several lanes run at once; each has its own databases, and is printed when it ends.
set -uo pipefail
cd "$(dirname "$0")/.."

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
    .venv/bin/pytest -o cache_dir=".pytest_cache/$1" "${@:2}" && return 0
    echo "== SECOND TRY of what failed, by itself. Whatever passes now is flaky: mend it."
    .venv/bin/pytest -o cache_dir=".pytest_cache/$1" --last-failed --last-failed-no-failures none "${@:2}"
}

on_sqlite() {
    unset DATABASE_URL REDIS_URL CELERY_BROKER_URL
    suite "$@"
}

# Without what touches neither: the demo brings its own database, the sandbox and the OpenAI edge have none.
on_services() {
    export DATABASE_URL=${TEST_DATABASE_URL:-postgres://postgres@127.0.0.1:5432/chatkit_platform}
    export REDIS_URL=${TEST_REDIS_URL:-redis://127.0.0.1:6379/9} CELERY_BROKER_URL=${TEST_BROKER_URL:-redis://127.0.0.1:6379/10}
    suite services -m "not demo" --ignore tests/sandbox --ignore tests/chatkit_client --ignore tests/architecture
}

no_services() {
    echo "PostgreSQL (127.0.0.1:5432) or Redis (127.0.0.1:6379) does not answer: the suite did NOT run on them."
    [ "${CI:-}" != true ]
}

answers() { (exec 3<>"/dev/tcp/127.0.0.1/$1") 2>/dev/null; }

# Once, before lanes that may both want them.
bash frontend/run.sh || exit 1
logs=$(mktemp -d)
lanes=()
# Each lane is a group of processes of its own, so that it ends as a whole when somebody ends the run.
set -m
stop() {
    for each in "${lanes[@]}"; do kill -TERM -- "-${each%%|*}" 2>/dev/null; done
    exit 130
}
trap stop INT TERM HUP
trap 'rm -rf "$logs"' EXIT
lane() { # title, command…
    local log="$logs/${#lanes[@]}"
    echo "== begun: $1"
    "${@:2}" >"$log" 2>&1 &
    lanes+=("$!|$log|$1")
}

lane "The doors on the embedded default: SQLite, no Redis, Celery on files" on_sqlite doors tests/gateway tests/sessions_api
lane "The other rooms, and the journeys, on the embedded default" \
    on_sqlite rooms --ignore tests/gateway --ignore tests/sessions_api
if answers 5432 && answers 6379; then
    lane "The suite again on PostgreSQL and Redis: every room that has rows or limits" on_services
else
    lane "The suite on PostgreSQL and Redis" no_services
fi
lane "The front end's unit tests" bash frontend/run.sh test

failed=()
for each in "${lanes[@]}"; do
    IFS='|' read -r pid log title <<<"$each"
    wait "$pid" || failed+=("$title")
    echo "== $title"
    cat "$log"
done
[ ${#failed[@]} -eq 0 ] && exit 0
printf 'FAILED: %s\n' "${failed[@]}"
exit 1
