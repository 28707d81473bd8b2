"""A console session ends after a while without activity, and after a day's work in any case."""

import time
from collections.abc import Callable
from datetime import timedelta
from typing import Final

from django.conf import settings
from django.contrib import messages
from django.contrib.auth.models import AnonymousUser
from django.contrib.sessions.backends.base import SessionBase
from django.db import transaction
from django.http import HttpRequest, HttpResponseBase

from audit.actions import Action
from audit.record import Actor, Subject, record

OPENED_AT: Final = "opened_at"
SEEN_AT: Final = "seen_at"
# Activity is noted at most this often, so that a page isn't a write; a session may end that much too early.
_NOTED_EVERY: Final = 30.0


def mark_opened(session: SessionBase) -> None:
    session[OPENED_AT] = session[SEEN_AT] = time.time()


class SessionExpiryMiddleware:
    """Logs out whoever is past SESSION_IDLE_LIMIT or SESSION_ABSOLUTE_LIMIT, says so, and lets the request go on.

    Stands after the message middleware. A session without its marks wasn't opened by a log-in here, and ends as well.
    """

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        if request.user.is_authenticated:
            self._end_or_note(request)
        return self.get_response(request)

    def _end_or_note(self, request: HttpRequest) -> None:
        now = time.time()
        reason = _reason_to_end(request.session, now)
        if reason:
            _end(request, reason)
        elif now - request.session[SEEN_AT] >= _NOTED_EVERY:
            request.session[SEEN_AT] = now


def _reason_to_end(session: SessionBase, now: float) -> str:
    opened_at, seen_at = session.get(OPENED_AT), session.get(SEEN_AT)
    if not isinstance(opened_at, float) or not isinstance(seen_at, float):
        return "it had no beginning"
    if now - opened_at >= settings.SESSION_ABSOLUTE_LIMIT.total_seconds():
        return f"it had lasted {_spoken(settings.SESSION_ABSOLUTE_LIMIT)}"
    if now - seen_at >= settings.SESSION_IDLE_LIMIT.total_seconds():
        return f"nothing had happened for {_spoken(settings.SESSION_IDLE_LIMIT)}"
    return ""


def _end(request: HttpRequest, reason: str) -> None:
    with transaction.atomic():
        record(
            Action.LOGGED_OUT,
            actor=Actor.of(request),
            subject=Subject(type="user", id=str(request.user.pk), label=request.user.get_username()),
            changes={"reason": f"The session was ended because {reason}."},
        )
        request.session.flush()
    request.user = AnonymousUser()
    unsaved = "" if request.method in {"GET", "HEAD"} else " What you sent was not saved."
    messages.warning(request, f"Your session was ended because {reason}.{unsaved} Log in again to go on.")


def _spoken(limit: timedelta) -> str:
    minutes = int(limit.total_seconds() // 60)
    return f"{minutes // 60} hours" if minutes >= 120 and minutes % 60 == 0 else f"{minutes} minutes"
