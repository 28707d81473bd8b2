"""Waiting for what another process does soon."""

import time
from collections.abc import Callable


def wait_for(holds: Callable[[], bool], *, seconds: float = 5.0) -> None:
    until = time.monotonic() + seconds
    while not holds():
        assert time.monotonic() < until, f"not within {seconds} s"
        time.sleep(0.05)
