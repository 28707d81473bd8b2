"""One answer at a time in a conversation, whatever process makes it: a claim on the thread's row that expires unless renewed.

Two tabs, or a message that is sent twice, would else let two runs write into each other's answer, and a retry delete what
another run is saying. Whoever has the turn renews it; a process that is killed frees its conversations within CLAIM_SECONDS.
Synchronous units of work, for a thread of the chat desk; each may be repeated.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Final

from django.db.models import Count, Q, Sum
from django.db.models.functions import Length
from django.utils import timezone

from chat_server.conversations import NoSuchRow, Owner, Piece, create_thread, my_thread
from chat_server.models import Thread, ThreadItem
from gateway.fresh_ids import fresh_hex

CLAIM_SECONDS: Final = 30
# What a stored part has beside its text: names of fields, ids, times, the seal.
ENVELOPE: Final = 300
_AT_ONCE: Final = 500


@dataclass(slots=True, eq=False)
class Turn:
    """The right of one run to write in one conversation. `thread_id` is empty until the conversation has a row."""

    thread_id: str = ""
    holder: str = field(default_factory=fresh_hex)


def claim(owner: Owner, turn: Turn) -> int | None:
    """About how many characters the conversation has, if the turn is ours now; None while another has it. Raises NoSuchRow."""
    now = timezone.now()
    thread = my_thread(owner, turn.thread_id)
    is_free = Q(run_until__isnull=True) | Q(run_until__lt=now) | Q(run_holder=turn.holder)
    until = now + timedelta(seconds=CLAIM_SECONDS)
    if not thread.filter(is_free).update(run_holder=turn.holder, run_until=until):
        if not thread.exists():
            raise NoSuchRow
        return None
    # Neither database reads the bodies for their length.
    items = ThreadItem.objects.filter(thread_id=turn.thread_id).order_by()
    stored = items.aggregate(bytes=Sum(Length("body"), default=0), parts=Count("pk"))
    chars: int = stored["bytes"] - ENVELOPE * stored["parts"]
    return max(0, chars)


def begin_thread(owner: Owner, piece: Piece, turn: Turn | None) -> None:
    """Make the conversation, with the turn in it taken."""
    if turn is None:
        create_thread(owner, piece)
        return
    until = timezone.now() + timedelta(seconds=CLAIM_SECONDS)
    create_thread(owner, piece, holder=turn.holder, until=until)
    turn.thread_id = piece.id


def renew(turns: Iterable[Turn]) -> None:
    begun = [turn for turn in turns if turn.thread_id]
    for start in range(0, len(begun), _AT_ONCE):
        some = begun[start : start + _AT_ONCE]
        held = Thread.objects.filter(
            pk__in=[turn.thread_id for turn in some], run_holder__in=[turn.holder for turn in some]
        )
        held.update(run_until=timezone.now() + timedelta(seconds=CLAIM_SECONDS))


def release(turn: Turn) -> None:
    Thread.objects.filter(pk=turn.thread_id, run_holder=turn.holder).update(run_holder="", run_until=None)
