"""How often one address may try to log in. Beyond it no password is hashed, and one event a minute stands for the rest.

axes counts by name and network, so whoever tries a new name each time never meets its lock; each such failure is a hash, a
row of axes' and an event in a chain that is never shortened.
"""

import ipaddress
import time
from collections import Counter
from collections.abc import Callable
from threading import Lock
from typing import Final

from django.contrib import admin
from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.template.response import TemplateResponse

from audit.actions import Action
from audit.addresses import truncate_address
from audit.record import Actor, Subject, record

FAILURES_PER_MINUTE: Final = 20
_WINDOW: Final = 60


class LoginAttempts:
    """Attempts by network and minute, counted in this process: without I/O, so nothing that is down can lift the limit."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._minute = 0
        self._now: Counter[str] = Counter()
        self._before: Counter[str] = Counter()

    def take(self, network: str, *, minute: int) -> int:
        """Counts an attempt before it is made, or many at once would all pass; returns its number, from 1."""
        with self._lock:
            if minute != self._minute:
                self._before = self._now if minute == self._minute + 1 else Counter()
                self._now, self._minute = Counter(), minute
            self._now[network] += 1
            return self._now[network]

    def give_back(self, network: str) -> None:
        """A right password is no failure: an office that comes in at nine doesn't lock itself out."""
        with self._lock:
            self._now[network] = max(0, self._now[network] - 1)

    def refused_in_the_minute_before(self, network: str) -> int:
        return max(0, self._before[network] - FAILURES_PER_MINUTE)

    def forget(self) -> None:
        with self._lock:
            self._minute = 0
            self._now, self._before = Counter(), Counter()


attempts: Final = LoginAttempts()


def limited_login(request: HttpRequest, view: Callable[[], HttpResponse]) -> HttpResponse:
    """What `view`, the log-in of a form that was sent, answers; or 429 without asking it."""
    network = _network_of(request.META.get("REMOTE_ADDR", ""))
    now = int(time.time())
    number = attempts.take(network, minute=now // _WINDOW)
    if number > FAILURES_PER_MINUTE:
        if number == FAILURES_PER_MINUTE + 1:
            _record_limit(request, refused_before=attempts.refused_in_the_minute_before(network))
        return _refusal(request, seconds=_WINDOW - now % _WINDOW)
    answer = view()
    if answer.status_code == 302:
        attempts.give_back(network)
    return answer


def _network_of(address: str) -> str:
    """An IPv4 address, or the /64 that an IPv6 client can hop about in; the gateway wrote it in its shortest form."""
    return str(ipaddress.ip_network((address, 64), strict=False)) if ":" in address else address


def _record_limit(request: HttpRequest, *, refused_before: int) -> None:
    prefix = truncate_address(request.META.get("REMOTE_ADDR", ""))
    facts = {"attempts_per_minute": FAILURES_PER_MINUTE, "refused_in_the_minute_before": refused_before}
    with transaction.atomic():
        record(Action.LOGIN_LIMITED, actor=Actor.of(request), subject=Subject("network", "", prefix), changes=facts)


def _refusal(request: HttpRequest, *, seconds: int) -> HttpResponse:
    context = {**admin.site.each_context(request), "seconds": seconds}
    headers = {"Retry-After": str(seconds), "Cache-Control": "no-store"}
    return TemplateResponse(request, "console/limited.html", context, status=429, headers=headers)
