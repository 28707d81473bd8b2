"""Writes spooled rows into the database once it takes them, each exactly once, oldest first, behind live traffic.

A thread of its own tries every second while something waits. Rows are told apart by their ids, so a group may be written
again after a crash or a lost answer. Its first success also tells the writer that the database is back.

What has changed meanwhile:
    the tenant is deleted    its SessionRequest stays, as in the ledger at large; LiveSession and VisitorLink go with the
                             tenant, whose keys and secrets are destroyed, so they would be of no use to anybody
    the key is deleted       the LiveSession likewise
    the visitor is revoked   the LiveSession is marked for cancelling: the session was granted while nobody could know
    the visitor is erased    likewise, its tokens count no more, and the VisitorLink is left out: it leads to the person
"""

import logging
import threading
import time
import uuid
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from itertools import chain
from typing import Final

from django.db import DataError, IntegrityError, connections
from django.db.models import Model

from sessions_api.erased import erased_among
from sessions_api.models import LiveSession, VisitorLink
from sessions_api.revoke import CancelReason, revoke_visitor
from sessions_api.rows import insert_rows, is_away, on_kept_connection
from sessions_api.sightings import revocations
from sessions_api.spool import Spool, SpoolFile
from sessions_api.spool_lines import BadLine, SpooledRows, read_line
from tenants.models import ApiKey, Tenant

logger = logging.getLogger(__name__)

GROUP_LINES: Final = 200
RETRY_SECONDS: Final = 1.0
LONGEST_PAUSE: Final = 0.5


class Replay:
    """`on_written` is told after each group how many seconds it took; 0 where nothing waits."""

    def __init__(self, spool: Spool, *, on_written: Callable[[float], None]) -> None:
        self._spool = spool
        self._on_written = on_written
        self._ending = threading.Event()
        self._thread = threading.Thread(target=self._work, name="session-replay", daemon=True)
        self._says_why = True

    def start(self) -> None:
        self._thread.start()

    def close(self, *, seconds: float, is_last_round: bool) -> None:
        """End after the group in work; `is_last_round`: try once more to leave nothing behind. Blocks."""
        self._ending.set()
        self._thread.join(timeout=seconds)
        if self._thread.is_alive():
            # The database hangs. The files are let go of when the process ends.
            return
        if is_last_round:
            self._round(ends_at=time.monotonic() + seconds)
            connections.close_all()
        self._spool.close()

    def _work(self) -> None:
        try:
            while not self._ending.wait(RETRY_SECONDS):
                self._round()
        finally:
            connections.close_all()

    def _round(self, *, ends_at: float | None = None) -> None:
        try:
            while (file := self._spool.oldest()) is not None:
                if not self._write(file, ends_at=ends_at):
                    return
            self._on_written(0.0)
            self._says_why = True
        except Exception as error:
            # Each second anew: once is enough for the log, until it has worked in between.
            if self._says_why:
                known = is_away(error)
                logger.warning("Spooled rows can't be written yet (%s)", type(error).__name__, exc_info=not known)
            self._says_why = False

    def _write(self, file: SpoolFile, *, ends_at: float | None) -> bool:
        """Write a file's rows and remove it; False when the end came first."""
        rows = 0
        for group in self._spool.read(file, lines=GROUP_LINES):
            if self._ending.is_set() if ends_at is None else time.monotonic() > ends_at:
                return False
            began = time.monotonic()
            file.bad += write_lines([line for _, line in group])
            file.done = group[-1][0]
            rows += len(group)
            took = time.monotonic() - began
            self._on_written(took)
            self._says_why = True
            # Half of the time is the live traffic's; a database that was slow just now may be quick again.
            self._ending.wait(min(took, LONGEST_PAUSE) if ends_at is None else 0)
        if self._spool.retire(file):
            logger.info("%d requests' spooled rows are written", rows)
            if file.bad:
                logger.error("%d lines of the spool were set aside in %s: look at them", len(file.bad), file.path.stem)
            if file.torn:
                logger.warning("A last line that a crash had cut off was set aside in %s", file.path.stem)
        return True


def write_lines(lines: Sequence[bytes]) -> list[bytes]:
    """Commit the rows of these lines; gives those that are not ours or that the database refuses for what they are."""
    good: dict[bytes, SpooledRows] = {}
    bad: list[bytes] = []
    for line in lines:
        try:
            good[line] = read_line(line)
        except BadLine as why:
            logger.error("A line of the spool is not written: %s", why)
            bad.append(line)
    if not good:
        return bad
    try:
        on_kept_connection(lambda _: _insert(list(good.values())))
    except (IntegrityError, DataError) as error:
        if len(good) == 1:
            logger.error("A line of the spool is refused by the database (%s)", type(error).__name__)
            return [*bad, *good]
        for line in good:
            bad += write_lines([line])
    return bad


def _insert(spooled: Sequence[SpooledRows]) -> None:
    rows = list(chain.from_iterable(one.rows for one in spooled))
    children = [row for row in rows if isinstance(row, LiveSession | VisitorLink)]
    tenants = set(Tenant.objects.filter(pk__in={row.tenant_id for row in children}).values_list("pk", flat=True))
    live = [row for row in children if isinstance(row, LiveSession)]
    keys = set(ApiKey.objects.filter(pk__in={row.key_id for row in live}).values_list("pk", flat=True))
    erased = _revoke_erased([row for row in children if isinstance(row, VisitorLink) and row.tenant_id in tenants])
    _mark_revoked(spooled, live)
    kept = (row for row in rows if _has_parents(row, tenants=tenants, keys=keys))
    insert_rows((row for row in kept if not (isinstance(row, VisitorLink) and row.user in erased)), once_more=True)


def _has_parents(row: Model, *, tenants: set[uuid.UUID], keys: set[uuid.UUID]) -> bool:
    if isinstance(row, LiveSession):
        return row.tenant_id in tenants and row.key_id in keys
    return not isinstance(row, VisitorLink) or row.tenant_id in tenants


def _revoke_erased(links: Sequence[VisitorLink]) -> set[str]:
    """Their names at OpenAI. The erasure may not have known what the visitor is called here, so nobody revoked its tokens."""
    erased = erased_among(links)
    for link in erased:
        revoke_visitor(tenant_id=link.tenant_id, ref=link.ref, reason=CancelReason.VISITOR_ERASED)
    return {link.user for link in erased}


def _mark_revoked(spooled: Sequence[SpooledRows], live: Sequence[LiveSession]) -> None:
    if not live:
        return
    revoked_at = revocations(row.visitor_ref for row in live)
    for one in spooled:
        for row in one.rows:
            if isinstance(row, LiveSession) and row.visitor_ref in revoked_at:
                known_since = one.sighting.token_issued_at if one.sighting else int(row.granted_at.timestamp())
                if known_since <= revoked_at[row.visitor_ref]:
                    row.cancel_requested_at = datetime.now(UTC)
