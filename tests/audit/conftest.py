"""Short ways to append events."""

from collections.abc import Callable

import pytest
from django.db import transaction

from audit.actions import Action
from audit.models import AuditEvent
from audit.record import SYSTEM, Actor, Subject, record

PASSWORD = "a long sentence that nobody guesses"


@pytest.fixture
def append() -> Callable[..., AuditEvent]:
    """Appends one event in a transaction of its own."""

    def append(label: str = "Harbour Books", *, action: Action = Action.TENANT_CHANGED, actor: Actor = SYSTEM, **about):
        changes = about.pop("changes", None)
        with transaction.atomic():
            return record(action, actor=actor, subject=Subject("tenant", "7", label, **about), changes=changes)

    return append


@pytest.fixture
def auditor(db):
    from django.contrib.auth import get_user_model
    from django.contrib.auth.models import Permission

    user = get_user_model().objects.create_user("otto", password=PASSWORD, is_staff=True)
    user.user_permissions.add(Permission.objects.get(codename="view_auditevent"))
    return user


@pytest.fixture
def as_auditor(client, auditor):
    client.force_login(auditor)
    return client
