"""A change of a password, a person's own or another's, is an audit event in the same transaction."""

from collections.abc import Callable
from typing import TypeVar

from django.contrib.auth import get_user_model
from django.db import transaction
from django.http import HttpRequest, HttpResponseBase

from audit.actions import Action
from audit.record import Actor, Subject, record

R = TypeVar("R", bound=HttpResponseBase)


def audited_password_change(request: HttpRequest, user_id: str | int, view: Callable[[], R]) -> R:
    """Runs Django's own view, which has no hook for this, and compares the stored hash before and after."""
    if request.method != "POST":
        return view()
    users = get_user_model()._default_manager.filter(pk=user_id)
    with transaction.atomic():
        before = users.values_list("password", flat=True).first()
        answer = view()
        user = users.first()
        if user is not None and user.password != before:
            subject = Subject(type="user", id=str(user.pk), label=user.get_username())
            record(Action.PASSWORD_CHANGED, actor=Actor.of(request), subject=subject)
    return answer
