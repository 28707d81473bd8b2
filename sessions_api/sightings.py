"""Whether a visitor's token still counted when the session's rows were written: signing out and erasing revoke tokens.

All moments are whole seconds: a token that was issued in the second of the revocation counts no more.
"""

from collections import OrderedDict
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from django.db import connection

from sessions_api.models import RevokedVisitor

MAX_REMEMBERED: Final = 10_000
_REVOCATIONS: Final = f'SELECT ref, revoked_at FROM "{RevokedVisitor._meta.db_table}" WHERE ref = ANY(%s)'  # noqa: S608


@dataclass(frozen=True, slots=True)
class Sighting:
    """A visitor that was named by a token of ours; `token_issued_at` in epoch seconds."""

    ref: str
    token_issued_at: int


class VisitorRevoked(Exception):
    """The token that named this visitor counts no more, so nothing was written; `revoked_at` in epoch seconds."""

    def __init__(self, ref: str, revoked_at: int) -> None:
        super().__init__(ref)
        self.ref = ref
        self.revoked_at = revoked_at


class RevokedHere:
    """Revocations that this process has met; the one that was met longest ago is forgotten first."""

    def __init__(self, *, most: int = MAX_REMEMBERED) -> None:
        self._most = most
        self._revoked_at: OrderedDict[str, int] = OrderedDict()

    def remember(self, revoked: VisitorRevoked) -> None:
        self._revoked_at[revoked.ref] = max(revoked.revoked_at, self._revoked_at.get(revoked.ref, 0))
        self._revoked_at.move_to_end(revoked.ref)
        if len(self._revoked_at) > self._most:
            self._revoked_at.popitem(last=False)

    def names(self, ref: str, token_issued_at: int) -> bool:
        """Whether a token of this visitor is known to count no more; False also where nobody knows."""
        revoked_at = self._revoked_at.get(ref)
        return revoked_at is not None and token_issued_at <= revoked_at


def revocations(refs: Iterable[str]) -> dict[str, int]:
    """When the tokens of these visitors were revoked, in one query; who is not there was not."""
    asked = sorted(set(refs))
    if connection.vendor == "postgresql":
        # Asked by every flush: building this query from the model took longer than its answer (bench/README.md).
        with connection.cursor() as cursor:
            cursor.execute(_REVOCATIONS, [asked])
            return {ref: int(at.timestamp()) for ref, at in cursor.fetchall()}
    found = RevokedVisitor.objects.filter(ref__in=asked).values_list("ref", "revoked_at")
    return {ref: int(at.timestamp()) for ref, at in found}
