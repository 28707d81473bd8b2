"""I2: PostgreSQL is cut off, silent, slow, read-only, locked, out of connections.

Known tenants' visitors notice nothing, the others are told to come again, and afterwards every granted session has its
row, once.
"""

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path

import psycopg
import pytest
from django.db import connection

from sandbox.testing import Sandbox
from sessions_api.models import LiveSession, SessionRequest, VisitorLink
from sessions_api.spool import waiting_files
from tests.database_proxy import DatabaseProxy, running_proxy
from tests.platform_server import Platform, running_platform
from tests.proof.plugin import Proof
from tests.sessions_api.cast import environment_for, kill_backends, open_shop
from tests.sessions_api.load import Load, p99, wait_until, written

# A guard: how long it took is recorded. The catalogue has 5 s, and a machine that does nothing else.
UNTIL_HEALED = 30.0
Mood = Callable[[DatabaseProxy, Platform], AbstractContextManager[None]]


@contextmanager
def cut(proxy: DatabaseProxy, platform: Platform) -> Iterator[None]:
    proxy.cut()
    yield
    proxy.mend()


@contextmanager
def silent(proxy: DatabaseProxy, platform: Platform) -> Iterator[None]:
    """Commits arrive and their answers do not."""
    proxy.mute()
    yield
    proxy.mend()


@contextmanager
def slow(proxy: DatabaseProxy, platform: Platform) -> Iterator[None]:
    proxy.slow_down(5)
    yield
    proxy.mend()


@contextmanager
def read_only(proxy: DatabaseProxy, platform: Platform) -> Iterator[None]:
    _set_read_only("on")
    kill_backends()
    try:
        yield
    finally:
        _set_read_only("off")
        kill_backends()


@contextmanager
def locked(proxy: DatabaseProxy, platform: Platform) -> Iterator[None]:
    with _other_connection() as other:
        other.execute("LOCK TABLE sessions_api_sessionrequest IN ACCESS EXCLUSIVE MODE")
        yield


@contextmanager
def out_of_connections(proxy: DatabaseProxy, platform: Platform) -> Iterator[None]:
    """The process has one connection, and a page of the console holds it while it waits for a lock."""
    stop = threading.Event()

    def open_pages() -> None:
        while not stop.is_set():
            platform.request("GET", "/admin/", headers={"Cookie": "sessionid=" + "a" * 32}, timeout=60)

    with _other_connection() as other:
        other.execute("LOCK TABLE django_session IN ACCESS EXCLUSIVE MODE")
        person = threading.Thread(target=open_pages)
        person.start()
        try:
            yield
        finally:
            stop.set()
            other.rollback()
            person.join()


MOODS: list[tuple[Mood, dict[str, str]]] = [
    (cut, {}),
    (silent, {}),
    (slow, {}),
    (read_only, {}),
    (locked, {}),
    (out_of_connections, {"DATABASE_POOL_SIZE": "1"}),
]


@pytest.mark.proof("I2")
@pytest.mark.parametrize(("mood", "extra"), MOODS, ids=[mood.__name__ for mood, _ in MOODS])
def test_visitors_of_known_tenants_notice_nothing_and_every_row_is_written_once(
    backends_die: None,
    same_site: None,
    sandbox: Sandbox,
    tmp_path: Path,
    proof: Proof,
    mood: Mood,
    extra: dict[str, str],
) -> None:
    shop = open_shop(sandbox, sessions_per_minute=100_000)
    cold = open_shop(sandbox, "Birch")
    environment = {**environment_for(sandbox), **extra, "SPOOL_DIR": str(tmp_path / "spool")}
    with running_proxy() as proxy, running_platform(DATABASE_URL=proxy.url, **environment) as platform:
        assert shop.ask(platform).status == 200
        with Load(platform, shop=shop, pause=0.02).running() as load:
            time.sleep(1)
            gone_at = time.monotonic()
            with mood(proxy, platform):
                # It may have noticed nothing yet: the row is written as long as it is answered.
                time.sleep(4)
                stranger = cold.ask(platform)
                mostly = _bytes(tmp_path / "spool")
                time.sleep(proof.size(reduced=2, full=20))
            _start_anew()
            back_at = time.monotonic()
            healed = wait_until(lambda: not waiting_files(tmp_path / "spool"), seconds=UNTIL_HEALED)
            time.sleep(1)
        log = platform.log
    sessions = load.granted

    assert set(load.codes) == {"granted"}
    assert (stranger.code, stranger.headers.get("retry-after")) in {("granted", None), ("platform_unavailable", "5")}
    assert mostly > 0
    assert written(sessions) == dict.fromkeys(sessions, 1)
    assert SessionRequest.objects.filter(outcome="granted").count() == len(sessions) + 1 + (stranger.status == 200)
    assert (
        LiveSession.objects.count()
        == VisitorLink.objects.count()
        == SessionRequest.objects.exclude(outcome="platform_unavailable").count()
    )
    assert list((tmp_path / "spool").iterdir()) == []
    assert "Traceback" not in log
    during = [one.seconds for one in load.told if gone_at + 3 < one.at < back_at]
    before = [one.seconds for one in load.told if one.at < gone_at]
    proof.record(
        sessions=len(sessions),
        healed_s=round(healed, 2),
        p99_before_s=round(p99(before), 3),
        p99_s=round(p99(during), 3),
    )


@pytest.mark.proof("I2", "I5")
def test_killed_while_the_database_is_away_it_loses_nothing_that_it_has_answered(
    on_services: None, same_site: None, sandbox: Sandbox, tmp_path: Path
) -> None:
    """Two processes that share a spool; one is killed with its rows on the disk, and the other writes them."""
    shop = open_shop(sandbox, sessions_per_minute=100_000)
    environment = {**environment_for(sandbox), "SPOOL_DIR": str(tmp_path / "spool")}
    with (
        running_proxy() as proxy,
        running_platform(DATABASE_URL=proxy.url, **environment) as survivor,
        running_platform(DATABASE_URL=proxy.url, **environment) as victim,
    ):
        assert shop.ask(survivor).status == shop.ask(victim).status == 200
        with Load(survivor, victim, shop=shop, visitors=8, pause=0.02).running() as load:
            time.sleep(0.5)
            proxy.cut()
            time.sleep(4)
            victim.process.kill()
            victim.wait()
            time.sleep(0.5)
        assert len(waiting_files(tmp_path / "spool")) == 2
        proxy.mend()
        wait_until(lambda: not waiting_files(tmp_path / "spool"), seconds=UNTIL_HEALED)

    answered = load.granted
    assert len(answered) > 20
    assert written(answered) == dict.fromkeys(answered, 1)
    # Who was being answered when it was killed may have a row, and was told nothing; no more than that.
    rows = SessionRequest.objects.filter(outcome="granted").count()
    assert 0 <= rows - len(answered) - 2 <= 8
    assert VisitorLink.objects.count() == LiveSession.objects.count() == rows


def test_a_full_spool_ends_in_503_and_never_in_unknown(
    on_services: None, same_site: None, sandbox: Sandbox, tmp_path: Path
) -> None:
    shop = open_shop(sandbox, sessions_per_minute=100_000)
    environment = {**environment_for(sandbox), "SPOOL_DIR": str(tmp_path / "spool"), "SPOOL_MAX_BYTES": "20000"}
    with running_proxy() as proxy, running_platform(DATABASE_URL=proxy.url, **environment) as platform:
        assert shop.ask(platform).status == 200
        proxy.cut()
        time.sleep(2.5)
        codes = [shop.ask(platform).code for _ in range(25)]
        minted = len(sandbox.creates())
        time.sleep(1.2)
        full = shop.ask(platform)
        ready = platform.request("GET", "/readyz")
        proxy.mend()
        wait_until(lambda: not waiting_files(tmp_path / "spool"), seconds=UNTIL_HEALED)
        again = wait_until(lambda: shop.ask(platform).status == 200)

    assert set(codes) == {"granted", "platform_unavailable"}
    assert (full.status, full.code, full.headers["retry-after"]) == (503, "platform_unavailable", "5")
    # What can't be recorded is not minted.
    assert len(sandbox.creates()) - minted <= 1
    assert (ready.status, ready.json["spool"]) == (503, "full")
    assert again < UNTIL_HEALED
    granted = SessionRequest.objects.filter(outcome="granted").count()
    assert granted == codes.count("granted") + 2


@pytest.mark.proof("I2")
def test_a_locked_sqlite_file_is_a_database_that_is_away(
    transactional_db: None, sandbox: Sandbox, tmp_path: Path
) -> None:
    if connection.vendor != "sqlite":
        pytest.skip("of SQLite")
    shop = open_shop(sandbox, sessions_per_minute=100_000)
    environment = {**environment_for(sandbox), "SPOOL_DIR": str(tmp_path / "spool")}
    with running_platform(**environment) as platform:
        assert shop.ask(platform).status == 200
        connection.cursor().execute("BEGIN IMMEDIATE")
        answers = [shop.ask(platform) for _ in range(5)]
        meanwhile = _bytes(tmp_path / "spool")
        connection.cursor().execute("ROLLBACK")
        wait_until(lambda: not waiting_files(tmp_path / "spool"), seconds=30)

    assert [answer.code for answer in answers] == ["granted"] * 5
    assert meanwhile > 0
    assert SessionRequest.objects.filter(outcome="granted").count() == LiveSession.objects.count() == 6


def _bytes(folder: Path) -> int:
    return sum(path.stat().st_size for path in waiting_files(folder))


def _other_connection() -> psycopg.Connection:
    database = connection.settings_dict
    return psycopg.connect(
        host=database["HOST"],
        port=database["PORT"] or 5432,
        user=database["USER"],
        password=database["PASSWORD"],
        dbname=database["NAME"],
    )


def _set_read_only(value: str) -> None:
    database = connection.settings_dict
    with psycopg.connect(
        host=database["HOST"],
        port=database["PORT"] or 5432,
        user=database["USER"],
        password=database["PASSWORD"],
        dbname="postgres",
        autocommit=True,
    ) as other:
        other.execute(f'ALTER DATABASE "{database["NAME"]}" SET default_transaction_read_only = {value}')


def _start_anew() -> None:
    """The test's own pool may have lost its connections too; it is not what is tested here."""
    connection.close()
    connection.close_pool()
