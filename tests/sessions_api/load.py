"""Visitors who keep asking for sessions, what they were told, and what became of it in the ledger."""

from __future__ import annotations

import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial

from sessions_api.models import SessionRequest
from tests.platform_server import Platform
from tests.sessions_api.cast import Shop, someone_elsewhere


@dataclass(frozen=True)
class Told:
    """One answer: `at` on the monotonic clock, when it came; `seconds`, how long it took."""

    at: float
    seconds: float
    code: str
    request_id: str


class Load:
    """So many visitors, each asking again as soon as it is answered, in turns at each of the servers.

    `rotation` in place of the servers: a list that may change meanwhile.
    """

    def __init__(
        self,
        *platforms: Platform,
        shop: Shop,
        visitors: int = 4,
        pause: float = 0.0,
        rotation: Sequence[Platform] | None = None,
    ) -> None:
        self.told: list[Told] = []
        self._platforms = platforms if rotation is None else rotation
        self._shop = shop
        self._pause = pause
        self._stop = threading.Event()
        self._lock = threading.Lock()
        self._unsent: Counter[Platform] = Counter()
        self._threads = [threading.Thread(target=self._ask, args=(number,)) for number in range(visitors)]

    @property
    def codes(self) -> Counter[str]:
        return Counter(one.code for one in self.told)

    @property
    def granted(self) -> list[str]:
        """The request ids of what was granted."""
        return [one.request_id for one in self.told if one.code == "granted"]

    def _ask(self, number: int) -> None:
        while not self._stop.is_set():
            with self._lock:
                platform = self._platforms[number % len(self._platforms)]
                self._unsent[platform] += 1
            number += 1
            began = time.monotonic()
            try:
                answer = self._shop.ask(
                    platform, headers=someone_elsewhere(), on_sent=partial(self._sent, platform), timeout=60
                )
                code, request_id = answer.code, answer.headers["x-request-id"]
            except OSError as error:
                code, request_id = type(error).__name__, ""
            now = time.monotonic()
            self.told.append(Told(now, now - began, code, request_id))
            self._stop.wait(self._pause)

    def _sent(self, platform: Platform) -> None:
        with self._lock:
            self._unsent[platform] -= 1

    def has_unsent(self, platform: Platform) -> bool:
        """Whether somebody has chosen this server and not yet sent the whole request."""
        with self._lock:
            return self._unsent[platform] > 0

    @contextmanager
    def running(self) -> Iterator[Load]:
        for thread in self._threads:
            thread.start()
        try:
            yield self
        finally:
            self._stop.set()
            for thread in self._threads:
                thread.join()


def p99(seconds: Sequence[float]) -> float:
    return sorted(seconds)[int(len(seconds) * 0.99)]


def written(request_ids: Sequence[str]) -> Counter[str]:
    """How many rows of a granted session each of these request ids has."""
    rows = SessionRequest.objects.filter(outcome="granted", request_id__in=request_ids)
    return Counter(rows.values_list("request_id", flat=True))


def wait_until(holds: Callable[[], object], *, seconds: float = 10.0) -> float:
    """How long it took to come to this."""
    began = time.monotonic()
    while not holds():
        assert time.monotonic() - began < seconds, "it did not come to this in time"
        time.sleep(0.05)
    return time.monotonic() - began
