"""Walks the chain of audit events and says where it first fails to hold.

What holds: sequence numbers run 1, 2, 3 … without a gap, each event's hash is that of its columns, each names the hash before it,
and the head names the last. Rewriting everything, head included, is visible only against a link that was kept elsewhere: a
`Checkpoint`, the `seq:hash` that each verification prints.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from django.db import transaction

from audit.models import AuditEvent, ChainHead
from audit.record import link_hash

GENESIS: Final = "0" * 64
_PAGE: Final = 2000


class Fault(StrEnum):
    """Why a link does not hold."""

    MISSING = "missing"
    ALTERED = "altered"
    UNLINKED = "unlinked"
    EXTRA = "extra"
    CUT_OFF = "cut_off"
    NOT_THE_CHECKPOINT = "not_the_checkpoint"


SENTENCES: Final = {
    Fault.MISSING: "the event with this number is gone",
    Fault.ALTERED: "the event was changed after it was written",
    Fault.UNLINKED: "the event doesn't continue the one before it",
    Fault.EXTRA: "an event stands past the end of the chain",
    Fault.CUT_OFF: "the chain's end was cut off, or its head was changed",
    Fault.NOT_THE_CHECKPOINT: "the chain isn't the one from which the checkpoint was taken",
}


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """One link as it was at some time, kept outside this database."""

    seq: int
    hash: str

    @classmethod
    def parse(cls, text: str) -> "Checkpoint":
        """From `seq:hash`; raises ValueError."""
        match = re.fullmatch(r"([1-9][0-9]{0,17}):([0-9a-f]{64})", text.strip())
        if match is None:
            raise ValueError(
                "A checkpoint looks like 1234:0f3c…, a number and 64 hexadecimal digits, as printed before."
            )
        return cls(int(match[1]), match[2])

    def __str__(self) -> str:
        return f"{self.seq}:{self.hash}"


@dataclass(frozen=True, slots=True)
class Verification:
    """How far the chain holds: `checked` links do, `fault` names what is wrong with number `bad_seq`, the first that does not."""

    checked: int
    head: Checkpoint | None
    bad_seq: int | None = None
    fault: Fault | None = None

    @property
    def holds(self) -> bool:
        return self.fault is None


def verify_chain(*, checkpoint: Checkpoint | None = None) -> Verification:
    """Checks every link, on one snapshot of head and events; a writer meanwhile is no alarm."""
    with transaction.atomic():
        # Under the head's lock no event is appended, so what the head says and what is found can be compared.
        head = ChainHead.objects.select_for_update().get(pk=1)
        end = Checkpoint(head.seq, head.hash)
        extra = AuditEvent.objects.filter(seq__gt=end.seq).order_by("seq").values_list("seq", flat=True).first()
    return _walk(end, checkpoint, extra)


def _walk(end: Checkpoint, checkpoint: Checkpoint | None, extra: int | None) -> Verification:
    last = GENESIS
    expected = 1
    for event in _events_up_to(end.seq):
        fault = _fault_of(event, expected, last)
        if fault is None and checkpoint is not None and event.seq == checkpoint.seq and event.hash != checkpoint.hash:
            fault = Fault.NOT_THE_CHECKPOINT
        if fault is not None:
            # A row before its turn (number 0, or one twice) is itself the bad one; a later one shows that `expected` is gone.
            return Verification(expected - 1, None, min(event.seq, expected), fault)
        last, expected = event.hash, expected + 1
    if extra is not None:
        return Verification(expected - 1, None, extra, Fault.EXTRA)
    if expected - 1 != end.seq or last != end.hash:
        return Verification(expected - 1, None, expected, Fault.CUT_OFF)
    if checkpoint is not None and checkpoint.seq > end.seq:
        return Verification(expected - 1, None, expected, Fault.CUT_OFF)
    return Verification(expected - 1, Checkpoint(end.seq, last))


def _fault_of(event: AuditEvent, expected: int, last: str) -> Fault | None:
    if event.seq > expected:
        return Fault.MISSING
    if event.seq < expected:
        return Fault.EXTRA
    if link_hash(event) != event.hash:
        return Fault.ALTERED
    if event.prev_hash != last:
        return Fault.UNLINKED
    return None


def _events_up_to(seq: int) -> Iterator[AuditEvent]:
    """In order, page by page: no long transaction, and no more than a page in memory."""
    last = -1
    while page := list(AuditEvent.objects.filter(seq__gt=last, seq__lte=seq).order_by("seq")[:_PAGE]):
        yield from page
        last = page[-1].seq


def link_fault(event: AuditEvent) -> Fault | None:
    """What is wrong with this one event and its joint to the one before it; None where both hold."""
    before = AuditEvent.objects.filter(seq=event.seq - 1).values_list("hash", flat=True).first()
    if before is None and event.seq > 1:
        return Fault.MISSING
    return _fault_of(event, event.seq, before or GENESIS)
