"""What makes a check due: listens to what the deeds on keys and assistants announce, inside the transaction of the change.

Not to each save of a row: the deeds announce when all their rows are written, so that rows are locked before plans, as
`conclude` does. What was saved without a deed gets its plan from the tick (`plan_missing`).
"""

import uuid
from functools import partial
from typing import Any

from django.db import transaction
from django.db.models.signals import post_delete
from django.dispatch import receiver

from key_health.models import CheckPlan
from key_health.plans import drop_plans, plan_key
from key_health.tasks import check_plans
from sessions_api.hints import send_hint
from tenants.models import AssistantKey
from tenants.signals import access_withdrawn, key_changed


@receiver(key_changed, dispatch_uid="key_health.key_changed")
def on_key_changed(*, key_id: uuid.UUID, **_: Any) -> None:
    _look_soon(plan_key(key_id))


@receiver(post_delete, sender=AssistantKey, dispatch_uid="key_health.pair_deleted")
def on_pair_deleted(*, instance: AssistantKey, **_: Any) -> None:
    CheckPlan.objects.filter(key_id=instance.key_id, assistant_id=instance.assistant_id).delete()


@receiver(access_withdrawn, dispatch_uid="key_health.access_withdrawn")
def on_access_withdrawn(*, tenant_id: uuid.UUID, **_: Any) -> None:
    drop_plans(tenant_id=tenant_id)


def _look_soon(plan_ids: list[int]) -> None:
    if plan_ids:
        transaction.on_commit(partial(send_hint, check_plans, plan_ids))
