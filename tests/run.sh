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

on_services() { # lane, two databases of Redis, what to run…
    export DATABASE_URL=${TEST_DATABASE_URL:-postgres://postgres@127.0.0.1:5432/chatkit_platform}_$1
    export REDIS_URL=${TEST_REDIS_SERVER:-redis://127.0.0.1:6379}/$2 CELERY_BROKER_URL=${TEST_REDIS_SERVER:-redis://127.0.0.1:6379}/$3
    suite "services-$1" -m "not demo" "${@:4}"
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

doors=(tests/gateway tests/sessions_api)
rooms=(--ignore tests/gateway --ignore tests/sessions_api)
lane "The doors on the embedded default: SQLite, no Redis, Celery on files" on_sqlite doors "${doors[@]}"
lane "The other rooms, and the journeys, on the embedded default" on_sqlite rooms "${rooms[@]}"
if answers 5432 && answers 6379; then
    lane "The doors again on PostgreSQL and Redis" on_services doors 9 10 "${doors[@]}"
    # Without what touches neither: the demo brings its own database, the sandbox and the OpenAI edge have none.
    lane "The other rooms again on PostgreSQL and Redis" on_services rooms 13 14 "${rooms[@]}" \
        --ignore tests/sandbox --ignore tests/chatkit_client --ignore tests/architecture
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
