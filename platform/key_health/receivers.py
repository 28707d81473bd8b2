"""What makes a check due: listens to changes of keys, assistants and their pairs, inside the transaction of the change."""

import uuid
from functools import partial
from typing import Any

from django.db import transaction
from django.db.models.signals import post_delete, post_save
from django.dispatch import receiver

from key_health.models import CheckPlan
from key_health.plans import drop_plans, plan_assistant, plan_key
from key_health.tasks import check_plans
from sessions_api.hints import send_hint
from tenants.models import ApiKey, Assistant, AssistantKey
from tenants.signals import access_withdrawn, key_changed


@receiver(key_changed, dispatch_uid="key_health.key_changed")
def on_key_changed(*, key_id: uuid.UUID, **_: Any) -> None:
    _look_soon(plan_key(key_id))


@receiver(post_save, sender=ApiKey, dispatch_uid="key_health.key_saved")
def on_key_saved(*, instance: ApiKey, raw: bool, update_fields: frozenset[str] | None, **_: Any) -> None:
    if raw or (update_fields is not None and update_fields <= ApiKey.unobserved):
        return
    _look_soon(plan_key(instance.pk))


@receiver(post_save, sender=Assistant, dispatch_uid="key_health.assistant_saved")
def on_assistant_saved(*, instance: Assistant, raw: bool, **_: Any) -> None:
    if not raw:
        _look_soon(plan_assistant(instance.pk))


@receiver(post_save, sender=AssistantKey, dispatch_uid="key_health.pair_saved")
def on_pair_saved(*, instance: AssistantKey, raw: bool, **_: Any) -> None:
    if not raw:
        _look_soon(plan_assistant(instance.assistant_id))


@receiver(post_delete, sender=AssistantKey, dispatch_uid="key_health.pair_deleted")
def on_pair_deleted(*, instance: AssistantKey, **_: Any) -> None:
    CheckPlan.objects.filter(key_id=instance.key_id, assistant_id=instance.assistant_id).delete()


@receiver(access_withdrawn, dispatch_uid="key_health.access_withdrawn")
def on_access_withdrawn(*, tenant_id: uuid.UUID, **_: Any) -> None:
    drop_plans(tenant_id=tenant_id)


def _look_soon(plan_ids: list[int]) -> None:
    if plan_ids:
        transaction.on_commit(partial(send_hint, check_plans, plan_ids))
