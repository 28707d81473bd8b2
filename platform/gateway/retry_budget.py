"""How much of a process's traffic may be second attempts: at most a tenth, so that retries never double an outage's load.

Every call pays a tenth of a token in, every retry takes a whole one out, and no more than ten are kept. It starts empty:
over any stretch of time the retries are at most a tenth of the calls since the start, and at most ten of them at once.
"""

from typing import Final

CALLS_PER_RETRY: Final = 10
MOST_SAVED: Final = 10


class RetryBudget:
    """Of one process and one event loop. Counted in tenths, in whole numbers."""

    def __init__(self) -> None:
        self._tenths = 0

    def called(self) -> None:
        """A call was made that is no retry."""
        self._tenths = min(self._tenths + 1, MOST_SAVED * CALLS_PER_RETRY)

    def take(self) -> bool:
        """Whether one retry may be made now, which then counts as made."""
        if self._tenths < CALLS_PER_RETRY:
            return False
        self._tenths -= CALLS_PER_RETRY
        return True
