"""Re-wrapping the vault's rows, with its audit: by the command line, or asked for in the console and done by the worker."""

from collections.abc import Callable
from datetime import timedelta
from typing import Final
from uuid import uuid4

from django.db import IntegrityError, transaction
from django.db.models import Q
from django.utils import timezone

from audit.actions import Action
from audit.record import Actor, Subject, record
from encryption.models import RewrapRun
from encryption.providers import get_keyring
from encryption.rotation import Progress, rewrap_rows
from encryption.standing import Standing, note_seen_keys, rows_to_rewrap, standing

# Much longer than a piece, so that a claim expires only when its worker was killed.
LEASE: Final = timedelta(seconds=60)
PIECE_SECONDS: Final = 10.0
MOST_FAILURES_KEPT: Final = 100


def rewrap_now(
    *, actor: Actor, batch: int, pause: float, tell: Callable[[Progress], None]
) -> tuple[Progress, Standing]:
    """Moves all rows here and now; what was done, and how the rows stand afterwards."""
    note_seen_keys()
    with transaction.atomic():
        _record_start(actor, get_keyring().primary_id(), rows_to_rewrap(), via="command line")
    progress = rewrap_rows(batch=batch, pause=pause, tell=tell)
    after = standing()
    with transaction.atomic():
        _record_end(actor, after.primary_id, progress.rewrapped, len(progress.failures), after.left)
    return progress, after


def request_rewrap(*, actor: Actor) -> RewrapRun | None:
    """Leaves the work to the worker; None where somebody has asked already."""
    primary_id, total = get_keyring().primary_id(), rows_to_rewrap()
    try:
        with transaction.atomic():
            run = RewrapRun.objects.create(
                primary_id=primary_id, total=total, requested_by=actor.name, requested_by_id=actor.id
            )
            _record_start(actor, primary_id, total, via="console")
    except IntegrityError:
        return None
    return run


def advance_rewrap(*, seconds: float = PIECE_SECONDS, batch: int = 500) -> None:
    """One piece of what was asked for, if anything was and no other worker is at it."""
    note_seen_keys()
    run = _claimed()
    if run is None:
        return
    if get_keyring().primary_id() != run.primary_id:
        _release(run, note=f"The worker's first master key is another one than “{run.primary_id}”: restart the worker.")
        return
    before = run.rewrapped

    def keep(progress: Progress) -> None:
        RewrapRun.objects.filter(pk=run.pk, claim=run.claim).update(rewrapped=before + progress.rewrapped)

    progress = rewrap_rows(batch=batch, seconds=seconds, tell=keep)
    if not progress.is_through:
        _release(run)
        return
    left = standing().left
    with transaction.atomic():
        ended = RewrapRun.objects.filter(pk=run.pk, claim=run.claim).update(
            is_open=False,
            claim=None,
            claimed_until=None,
            note="",
            ended_at=timezone.now(),
            left=left,
            failed=len(progress.failures),
            failures=[str(failure) for failure in list(progress.failures.values())[:MOST_FAILURES_KEPT]],
        )
        # Whoever comes too late, after its claim ran out, has changed rows rightly and reports nothing.
        if ended:
            actor = Actor(run.requested_by, id=run.requested_by_id)
            _record_end(actor, run.primary_id, before + progress.rewrapped, len(progress.failures), left)


def _claimed() -> RewrapRun | None:
    now, claim = timezone.now(), uuid4()
    free = RewrapRun.objects.filter(Q(claimed_until=None) | Q(claimed_until__lte=now), is_open=True)
    # Most looks find nothing, and a look should not write.
    if not free.exists() or not free.update(claim=claim, claimed_until=now + LEASE):
        return None
    return RewrapRun.objects.get(claim=claim)


def _release(run: RewrapRun, *, note: str = "") -> None:
    RewrapRun.objects.filter(pk=run.pk, claim=run.claim).update(claim=None, claimed_until=None, note=note)


def _subject(primary_id: str) -> Subject:
    return Subject(type="master_key", id=primary_id, label=primary_id)


def _record_start(actor: Actor, primary_id: str, rows: int, *, via: str) -> None:
    facts = {"rows": rows, "via": via}
    record(Action.MASTER_KEYS_REWRAP_STARTED, actor=actor, subject=_subject(primary_id), changes=facts)


def _record_end(actor: Actor, primary_id: str, rewrapped: int, failed: int, left: int) -> None:
    facts = {"rewrapped": rewrapped, "failed": failed, "left": left}
    record(Action.MASTER_KEYS_REWRAP_ENDED, actor=actor, subject=_subject(primary_id), changes=facts)
