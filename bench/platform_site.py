"""The platform as in production, on a database and a Redis of the bench's own: real migrations, real tenants, every step on.

Limits are high enough that nobody is refused, and are counted all the same: Redis is the bench's own process, so every
charge of the limiter shows in its command statistics.
"""

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final
from urllib.parse import urlsplit

import psycopg
import redis
from psycopg import sql

from bench.callers import Caller
from bench.contestants import ORIGIN, ROOT, UVICORN, WORKFLOW, Contestant, Place, http, production_flags
from bench.processes import DidNotStart, Family, Running, free_port
from encryption.make_secrets import fresh_secrets

# One for each run: a short run must not end another one's database.
DATABASE: Final = f"chatkit_platform_bench_{os.getpid()}"
# One charge a microsecond is as much as the limiter's clock can tell apart.
HIGH: Final = 6_000_000
# Far above the default of 64: the bench asks what the platform can do, and the bulkhead has a run of its own.
CONCURRENCY: Final = 5_000


@dataclass
class Site:
    """The platform's database, Redis and the visitors of its tenants.

    `sets_per_session` is how often a granted session writes to Redis, `sets_per_newcomer` how much more often a visitor's
    first one does.
    """

    environment: dict[str, str]
    redis_url: str
    database_url: str
    visitors: "dict[str, VisitorsOf]"
    sets_per_session: int = 0
    sets_per_newcomer: int = 0

    @property
    def newcomers(self) -> int:
        """How many of the measured tenant's visitors have had their first session so far."""
        return self.visitors["alder"].known

    def charged(self, granted: int, newcomers: int) -> int:
        """How often the limiter must have written for these sessions."""
        return granted * self.sets_per_session + newcomers * self.sets_per_newcomer

    def granted_rows(self, since: datetime) -> int:
        with psycopg.connect(self.database_url) as connection:
            row = connection.execute(
                "SELECT count(*) FROM sessions_api_sessionrequest WHERE outcome = 'granted' AND at >= %s", [since]
            ).fetchone()
        return int(row[0]) if row else 0

    def limiter_writes(self) -> int:
        with redis.Redis.from_url(self.redis_url) as client:
            statistics: dict[str, Any] = client.info("commandstats")
        return int(statistics.get("cmdstat_set", {}).get("calls", 0))


def open_site(place: Place, family: Family, database_url: str) -> Site:
    """Redis, migrations and two tenants: `alder`, and `hanging`, whose key never gets an answer."""
    redis_url = start_redis(place, family)
    environment = {
        **place.environment,
        **fresh_secrets(),
        "DJANGO_SETTINGS_MODULE": "config.settings.production",
        "DATABASE_URL": database_url,
        "REDIS_URL": f"{redis_url}/0",
        "CELERY_BROKER_URL": f"{redis_url}/1",
        "VAR_DIR": str(place.folder),
        "ALLOWED_HOSTS": "127.0.0.1",
        "TRUSTED_PROXY_COUNT": "1",
        "OPENAI_BASE_URLS": f"openai={place.upstream}/v1",
        "OPENAI_CA_FILE": str(place.certificates.bundle),
        "SESSIONS_PER_MINUTE_TENANT": str(HIGH),
        "SESSIONS_PER_MINUTE_VISITOR": str(HIGH),
        "SESSIONS_PER_MINUTE_ADDRESS": str(HIGH),
        "NEW_VISITORS_PER_MINUTE_TENANT": str(HIGH),
        "TENANT_CONCURRENCY": str(CONCURRENCY),
        "PROCESS_CONCURRENCY": str(CONCURRENCY),
        "LOG_LEVEL": "WARNING",
    }
    manage(environment, "migrate", "--verbosity", "0")
    visitors = {name: VisitorsOf(_register(environment, name)) for name in ("alder", "hanging")}
    return Site(environment, redis_url, database_url, visitors)


def start_platform(site: Site, place: Place, *, processes: int, **changes: str) -> Contestant:
    port = free_port()
    workers = ("--workers", str(processes)) if processes > 1 else ()
    running = Running.start(
        f"platform-{processes}{'-isolation' if changes else ''}",
        (*UVICORN, *production_flags(), "--port", str(port), *workers, "config.asgi:application"),
        environment={**site.environment, **changes},
        folder=place.folder,
        at=ROOT,
    )
    return Contestant("platform", processes, running, port, site.visitors["alder"])


class VisitorsOf:
    """Makes the visitors of one tenant: each with an address of its own and, after its first session, its own token."""

    def __init__(self, public_id: str) -> None:
        self._path = f"/api/v1/tenants/{public_id}/chatkit/session/"
        self._tokens: dict[int, str] = {}

    @property
    def known(self) -> int:
        return len(self._tokens)

    def __call__(self, port: int, number: int) -> Caller:
        def learn(body: bytes) -> bytes | None:
            if number in self._tokens:
                return None
            self._tokens[number] = json.loads(body)["visitor_token"]
            return self._request(number)

        return Caller(port, self._request(number), learn=learn)

    def _request(self, number: int) -> bytes:
        token = self._tokens.get(number)
        body = {"backends": ["hosted_workflow"], **({"visitor_token": token, "refresh": True} if token else {})}
        return http(
            self._path,
            json.dumps(body).encode(),
            # As a proxy in front would say it, from the addresses that are set aside for benchmarks.
            f"X-Forwarded-For: 198.18.{number >> 8 & 255}.{number & 255}",
            "X-Forwarded-Proto: https",
            "X-Chatkit-Client: embed/1.0.0",
        )


def start_redis(place: Place, family: Family) -> str:
    program = shutil.which("redis-server")
    if program is None:
        raise DidNotStart("redis-server is missing. Install Debian's package `redis-server`.")
    port = free_port()
    command = [program, "--port", str(port), "--bind", "127.0.0.1", "--save", "", "--dir", str(place.folder)]
    running = Running.start("redis", command, environment=place.environment, folder=place.folder, at=place.folder)
    family.add(running)
    running.wait_for_port(port)
    return f"redis://127.0.0.1:{port}"


@contextmanager
def fresh_database() -> Iterator[str]:
    """A database of its own on the server of DATABASE_URL, which must be on this machine; dropped at the end."""
    url = os.environ.get("DATABASE_URL", "postgres://postgres@127.0.0.1:5432/postgres")
    parts = urlsplit(url)
    if not parts.scheme.startswith("postgres") or parts.hostname not in ("127.0.0.1", "localhost", "::1"):
        raise DidNotStart(
            "DATABASE_URL must name a PostgreSQL server on loopback: postgres://user@127.0.0.1:5432/name."
        )
    name = sql.Identifier(DATABASE)
    try:
        server = psycopg.connect(parts._replace(path="/postgres").geturl(), autocommit=True, connect_timeout=3)
    except psycopg.OperationalError as problem:
        raise DidNotStart(
            f"PostgreSQL does not answer at {parts.hostname}:{parts.port}: start it ({problem})."
        ) from None
    with server:
        server.execute(sql.SQL("CREATE DATABASE {}").format(name))
        try:
            yield parts._replace(path=f"/{DATABASE}").geturl()
        finally:
            server.execute(sql.SQL("DROP DATABASE {} WITH (FORCE)").format(name))


def _register(environment: dict[str, str], name: str) -> str:
    # The key's end tells the stand-in what to do with it.
    key = "sk-proj-" + os.urandom(20).hex() + ("hang" if name == "hanging" else "work")
    words = ["--name", name.title(), "--slug", name, "--domain", ORIGIN, "--workflow", WORKFLOW]
    answer = manage({**environment, "OPENAI_API_KEY": key}, "register_tenant", *words)
    return str(json.loads(answer)["public_id"])


def manage(environment: dict[str, str], *words: str) -> str:
    done = subprocess.run(  # noqa: S603 our own commands
        [sys.executable, str(ROOT / "manage.py"), *words],
        env=environment,
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode:
        raise DidNotStart(f"manage.py {words[0]} failed:\n{done.stdout[-1500:]}{done.stderr[-1500:]}")
    return done.stdout
