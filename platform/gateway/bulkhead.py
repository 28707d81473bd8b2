"""Caps on the calls in work: per tenant, so that one tenant's hanging upstream never takes the others' room, and for the
whole process, so that many such tenants together never take its memory."""

from collections import Counter
from collections.abc import Hashable, Iterator
from contextlib import contextmanager

from gateway.errors import Code, PublicError


class Bulkhead:
    """Counts within one process and one event loop; nothing waits here, what is over a cap is refused at once."""

    def __init__(self, *, capacity: int, total: int) -> None:
        self._capacity = capacity
        self._total = total
        self._in_work: Counter[Hashable] = Counter()
        self._all = 0

    @contextmanager
    def room(self, name: Hashable) -> Iterator[None]:
        """Take one place; raises PublicError (busy) when all of this name's, or all of the process's, are taken."""
        if self._in_work[name] >= self._capacity:
            raise PublicError(Code.BUSY, reason="bulkhead")
        if self._all >= self._total:
            raise PublicError(Code.BUSY, reason="process_full")
        self._in_work[name] += 1
        self._all += 1
        try:
            yield
        finally:
            self._all -= 1
            self._in_work[name] -= 1
            if not self._in_work[name]:
                del self._in_work[name]
