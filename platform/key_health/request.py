"""The deed behind “Check now”."""

from enum import Enum

from django.db import transaction

from audit.actions import Action
from audit.record import Actor, record
from key_health.plans import plan_key
from key_health.tasks import check_plans
from sessions_api.hints import send_hint
from tenants.audit_subjects import subject_of
from tenants.models import ApiKey, ConfigEpoch


class Requested(Enum):
    """What becomes of the request; each a sentence for the person who asked."""

    SENT = "The check of {key} is queued; reload in a few seconds."
    LATER = (
        "The check of {key} is queued for later: the message broker is away, and the worker's next tick takes it up."
    )
    INACTIVE = "{key} is not checked: its tenant is not active, or the key is retired."

    def sentence(self, key: ApiKey) -> str:
        return self.value.format(key=key)


def request_check(*, key: ApiKey, actor: Actor) -> Requested:
    """Makes all checks of the key due and tells the worker; audited. `key.tenant` is read."""
    if key.is_retired or not key.tenant.is_active:
        return Requested.INACTIVE
    told: list[bool] = []
    with transaction.atomic():
        ConfigEpoch.lock()
        plan_ids = plan_key(key.pk, changed=False)
        record(Action.KEY_CHECK_REQUESTED, actor=actor, subject=subject_of(key))
        transaction.on_commit(lambda: told.append(send_hint(check_plans, plan_ids)))
    return Requested.SENT if all(told) else Requested.LATER
