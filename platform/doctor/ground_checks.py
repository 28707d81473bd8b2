"""The ground the platform stands on: database, cache, keys, disks, addresses."""

import shutil
import time
import uuid
from datetime import date
from pathlib import Path
from urllib.parse import urlsplit

from django.conf import settings
from django.core.cache import cache
from django.core.exceptions import ImproperlyConfigured
from django.db import DEFAULT_DB_ALIAS, DatabaseError, connection
from django.db.migrations.executor import MigrationExecutor
from django.utils import timezone

from doctor.findings import Finding, fail, ok, warn, worst
from encryption.checks import check_key_files, check_rings, check_sealed_columns
from sessions_api.checks import check_spool_directory
from sessions_api.spool import SUFFIX
from sessions_api.spool_status import spool_status
from tenants.models import Assistant, Backend, TenantState

GIGABYTE = 1024**3
SPOOL_PATIENCE_SECONDS = 60
SUNSET_NOTICE_DAYS = 90


def database() -> Finding:
    try:
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1")
            cursor.fetchone()
        executor = MigrationExecutor(connection)
        missing = executor.migration_plan(executor.loader.graph.leaf_nodes())
    except (DatabaseError, ImproperlyConfigured, OSError) as problem:
        return fail(
            f"The database does not answer ({type(problem).__name__}).",
            "See that it runs and that DATABASE_URL names it: host, user, password, database.",
        )
    if missing:
        return fail(f"{len(missing)} migrations are not applied.", "Run `manage.py migrate`.")
    return ok(f"It answers ({connection.vendor}); all migrations are applied.")


def cache_answers() -> Finding:
    name, value = f"doctor:{uuid.uuid4().hex}", uuid.uuid4().hex
    try:
        cache.set(name, value, timeout=10)
        is_kept = cache.get(name) == value
        cache.delete(name)
    except Exception as problem:
        # Each cache has errors of its own.
        return fail(
            f"The cache takes nothing ({type(problem).__name__}). Limits are kept by each process for itself meanwhile.",
            "See that Redis runs, that REDIS_URL names it, and that it is no read-only replica and not out of memory.",
        )
    if not is_kept:
        return fail("The cache does not keep what is written.", "See Redis' memory limit and eviction.")
    if not settings.REDIS_URL:
        return ok("There is no REDIS_URL: limits are kept in each process, which suits a single one.")
    return ok("Redis answers and keeps what is written.")


def keys() -> Finding:
    """The rings of master and signing keys, their files, and whether each sealed row's master key is there."""
    try:
        problems = [
            *check_rings(None),
            *check_key_files(None),
            *check_sealed_columns(None, databases=[DEFAULT_DB_ALIAS]),
        ]
    except (DatabaseError, ImproperlyConfigured) as problem:
        return fail(f"Rows could not be looked at ({type(problem).__name__}).", "Mend the database first.")
    found = [fail(problem.msg, problem.hint or "") for problem in problems]
    return worst(found, otherwise="Master and signing keys fit, and none is missing that a row is sealed under.")


def spool() -> Finding:
    folder: Path = settings.SPOOL_DIR
    if problems := check_spool_directory(None):
        return fail(problems[0].msg, problems[0].hint or "")
    status = spool_status(folder)
    if status.bad:
        return fail(
            f"{status.bad} lines were set aside and are not in the ledger.",
            "Do what “The spool does not drain” in docs/operating.md says of .bad files.",
        )
    if not status.lines:
        return ok("The spool is empty.")
    age = _age_of_oldest(folder)
    if age > SPOOL_PATIENCE_SECONDS:
        return fail(
            f"{status.lines} requests wait in the spool, the oldest file for {age:.0f} s.",
            "See that the database takes writes and a web process runs: “The spool does not drain” in docs/operating.md.",
        )
    return warn(
        f"{status.lines} requests wait in the spool.", "Look again in a minute: they are written by themselves."
    )


def _age_of_oldest(folder: Path) -> float:
    times = [path.stat().st_mtime for path in folder.glob(f"*{SUFFIX}") if path.exists()]
    return time.time() - min(times) if times else 0.0


def disks() -> Finding:
    found = [_disk("SPOOL_DIR", settings.SPOOL_DIR), _disk("CHAT_FILES_DIR", settings.CHAT_FILES_DIR)]
    return worst(found, otherwise="SPOOL_DIR and CHAT_FILES_DIR have room.")


def _disk(name: str, folder: Path) -> Finding:
    there = next(path for path in (folder, *folder.absolute().parents) if path.exists())
    usage = shutil.disk_usage(there)
    return room(name, free=usage.free, total=usage.total)


def room(name: str, *, free: int, total: int) -> Finding:
    """In bytes."""
    says = f"The disk of {name} has {free / GIGABYTE:.1f} GB left ({100 * free / max(total, 1):.0f} %)."
    cure = "Make room, or move the directory to a larger disk."
    if free < GIGABYTE / 4:
        return fail(says, cure)
    return warn(says, cure) if free < 2 * GIGABYTE else ok(says)


def sunset() -> Finding:
    hosted = Assistant.objects.filter(backend=Backend.HOSTED_WORKFLOW, tenant__state=TenantState.ACTIVE).count()
    return sunset_of(hosted, today=timezone.now().date(), day=settings.SUNSET_DATE)


def sunset_of(hosted: int, *, today: date, day: date) -> Finding:
    if not hosted:
        return ok("No assistant depends on a workflow of Agent Builder.")
    cure = "Prepare them on the console's page about the sunset, and switch them to this platform."
    if today >= day:
        return fail(f"OpenAI shut Agent Builder on {day}, and {hosted} assistants still depend on a workflow.", cure)
    left = (day - today).days
    says = f"{hosted} assistants depend on a workflow, which OpenAI retires on {day}, in {left} days."
    return warn(says, cure) if left <= SUNSET_NOTICE_DAYS else ok(says)


def preview_origin() -> Finding:
    return apart(console=settings.PLATFORM_URL, preview=settings.PREVIEW_ORIGIN)


def apart(*, console: str, preview: str) -> Finding:
    if urlsplit(console).hostname == urlsplit(preview).hostname:
        return fail(
            "PREVIEW_ORIGIN has the console's host: a third party's script would run beside the page that takes keys.",
            "Give the preview a host name of its own, with DNS and certificate.",
        )
    return ok("Previews have a host of their own.")


def proxies() -> Finding:
    return plausible(count=settings.TRUSTED_PROXY_COUNT, url=settings.PLATFORM_URL)


def plausible(*, count: int, url: str) -> Finding:
    cure = "Set it to the number of your own proxies in front; the console's page “Your address” shows what arrives."
    if count < 0:
        return fail("TRUSTED_PROXY_COUNT is below 0.", cure)
    is_https = urlsplit(url).scheme == "https"
    if is_https and count == 0:
        return warn(
            "PLATFORM_URL is https, so a proxy stands in front, but TRUSTED_PROXY_COUNT is 0: all visitors are one address.",
            cure,
        )
    if not is_https and count > 0:
        return warn("TRUSTED_PROXY_COUNT says that a proxy stands in front, and PLATFORM_URL is plain http.", cure)
    if count > 3:
        return warn(f"TRUSTED_PROXY_COUNT is {count}. Too high, and callers can make addresses up.", cure)
    return ok(f"TRUSTED_PROXY_COUNT is {count}, which fits PLATFORM_URL.")
