"""Those who call through a breaker, and the clock that it goes by."""

from gateway.breaker import Breaker


class Clock:
    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


def call(breaker: Breaker, caller: str, *, fails: bool) -> None:
    passage = breaker.enter(caller)
    assert passage is not None
    if fails:
        passage.failed("down")
    else:
        passage.succeeded()
