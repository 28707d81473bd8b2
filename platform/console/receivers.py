"""Log-ins, log-outs, refused log-ins and lock-outs become audit events, each in a transaction of its own.

A log-in whose event can't be written fails with it. Attempts while a lock stands are refused unread; the lock's event
stands for them.
"""

from dataclasses import replace
from typing import Any

from axes.signals import user_locked_out
from django.contrib.auth.models import AbstractBaseUser
from django.contrib.auth.signals import user_logged_in, user_logged_out, user_login_failed
from django.db import transaction
from django.dispatch import receiver
from django.http import HttpRequest

from audit.actions import Action
from audit.record import Actor, Subject, record
from console.reauthentication import mark_given
from console.sessions import mark_opened


@receiver(user_logged_in, dispatch_uid="console.logged_in")
def note_login(*, request: HttpRequest, user: AbstractBaseUser, **_: Any) -> None:
    mark_opened(request.session)
    mark_given(request)
    actor = replace(Actor.of(request), name=user.get_username(), id=str(user.pk))
    with transaction.atomic():
        record(Action.LOGIN_SUCCEEDED, actor=actor, subject=_person(user))


@receiver(user_logged_out, dispatch_uid="console.logged_out")
def note_logout(*, request: HttpRequest, user: AbstractBaseUser | None, **_: Any) -> None:
    if user is None:
        return
    actor = replace(Actor.of(request), name=user.get_username(), id=str(user.pk))
    with transaction.atomic():
        record(Action.LOGGED_OUT, actor=actor, subject=_person(user))


@receiver(user_login_failed, dispatch_uid="console.login_failed")
def note_failure(*, credentials: dict[str, Any], request: HttpRequest | None = None, **_: Any) -> None:
    if request is None or _is_refused_unread(request) or _asks_password_again(request):
        return
    with transaction.atomic():
        record(Action.LOGIN_FAILED, actor=Actor.of(request), subject=_name(credentials.get("username")))


@receiver(user_locked_out, dispatch_uid="console.locked_out")
def note_lock(*, request: HttpRequest, username: str | None, **_: Any) -> None:
    if _is_refused_unread(request):
        return
    with transaction.atomic():
        record(Action.LOGIN_LOCKED, actor=Actor.of(request), subject=_name(username))


def _is_refused_unread(request: HttpRequest) -> bool:
    """A lock already stood when this request came: axes marks it, but counts no failure."""
    return (
        bool(getattr(request, "axes_locked_out", False)) and getattr(request, "axes_failures_since_start", None) is None
    )


def _asks_password_again(request: HttpRequest) -> bool:
    """The page that asks for the password again records its failures itself, under a name of their own."""
    return request.resolver_match is not None and request.resolver_match.view_name == "reauthenticate"


def _person(user: AbstractBaseUser) -> Subject:
    return Subject(type="user", id=str(user.pk), label=user.get_username())


def _name(username: str | None) -> Subject:
    """Whoever was tried, as typed: it need not exist, and people do type passwords there, so it is cut."""
    return Subject(type="user", id="", label=(username or "")[:64])
