"""The deed: runs checks side by side, each with its own deadline, and never longer than all may take together."""

import logging
import queue
import threading
import time
from collections.abc import Sequence
from typing import Final

from django.db import connections

from doctor.findings import Check, Finding, fail

logger = logging.getLogger(__name__)

AT_ONCE: Final = 6
TOTAL_SECONDS: Final = 90.0


def examine(
    checks: Sequence[Check], *, at_once: int = AT_ONCE, total: float = TOTAL_SECONDS
) -> list[tuple[Check, Finding]]:
    """Gives each check with its finding, in the order that they came in. What hangs is left behind and counts as a failure."""
    ends = time.monotonic() + total
    found: dict[int, Finding] = {}
    done: queue.SimpleQueue[tuple[int, Finding]] = queue.SimpleQueue()
    until: dict[int, float] = {}
    waiting = list(range(len(checks)))
    while waiting or until:
        now = time.monotonic()
        for number in [number for number, end in until.items() if end <= now or ends <= now]:
            del until[number]
            found[number] = _too_long(checks[number])
        if ends <= now:
            break
        while waiting and len(until) < at_once:
            number = waiting.pop(0)
            until[number] = now + checks[number].deadline
            # A daemon: a check that hangs must not keep the process from ending.
            threading.Thread(target=_run, args=(number, checks[number], done), daemon=True).start()
        if not until:
            continue
        try:
            number, finding = done.get(timeout=max(0.0, min(*until.values(), ends) - time.monotonic()))
        except queue.Empty:
            continue
        if until.pop(number, None) is not None:
            found[number] = finding
    for number in waiting:
        found[number] = fail("It was not begun: the checks before it took all the time.", "Mend those first.")
    return [(check, found[number]) for number, check in enumerate(checks)]


def _run(number: int, check: Check, done: "queue.SimpleQueue[tuple[int, Finding]]") -> None:
    try:
        finding = check.run()
    except Exception as problem:
        # Only the kind: the text of an exception may hold what nobody shall read.
        finding = fail(
            f"The check itself broke ({type(problem).__name__}).", "Mend what fails above it, then run doctor again."
        )
    finally:
        connections.close_all()
    done.put((number, finding))


def _too_long(check: Check) -> Finding:
    return fail(
        f"No answer within {check.deadline:.0f} s.",
        "Something in its way hangs: the network, a name server, or the part itself.",
    )
