"""A cap on the calls in work per tenant, so that one tenant's hanging upstream never takes the others' room."""

from collections import Counter
from collections.abc import Hashable, Iterator
from contextlib import contextmanager

from gateway.errors import Code, PublicError


class Bulkhead:
    """Counts within one process and one event loop; nothing waits here, what is over the cap is refused at once."""

    def __init__(self, *, capacity: int) -> None:
        self._capacity = capacity
        self._in_work: Counter[Hashable] = Counter()

    @contextmanager
    def room(self, name: Hashable) -> Iterator[None]:
        """Take one place; raises PublicError (busy) when all are taken."""
        if self._in_work[name] >= self._capacity:
            raise PublicError(Code.BUSY, reason="bulkhead")
        self._in_work[name] += 1
        try:
            yield
        finally:
            self._in_work[name] -= 1
            if not self._in_work[name]:
                del self._in_work[name]
