"""The deeds on assistants: which one is the default, which keys they use, and what a changed workflow means for what is known."""

from typing import Any

from django.db import transaction
from django.db.models import Exists, OuterRef
from django.utils import timezone

from audit.actions import Action
from audit.changes import described
from audit.record import Actor, record
from tenants.audit_subjects import subject_of
from tenants.models import ApiKey, Assistant, AssistantKey, ConfigEpoch, Tenant, Verdict
from tenants.signals import access_withdrawn, key_changed


@transaction.atomic
def add_assistant(
    *, tenant: Tenant, name: str, slug: str, actor: Actor, workflow_id: str = "", **fields: Any
) -> Assistant:
    """A new assistant, the default one if it is the tenant's first. Raises ValidationError."""
    assistant = Assistant(tenant=tenant, name=name, slug=slug, workflow_id=workflow_id, **fields)
    former = make_room_for_default(assistant)
    assistant.full_clean()
    assistant.save(force_insert=True)
    record_default(former, is_default=False, actor=actor)
    given = {"name": name, "slug": slug, "workflow_id": workflow_id}
    record(
        Action.ASSISTANT_CREATED,
        actor=actor,
        subject=subject_of(assistant),
        changes=described([*given, *fields], {field: {"old": None, "new": value} for field, value in given.items()}),
    )
    return assistant


def make_room_for_default(assistant: Assistant) -> Assistant | None:
    """Before an assistant is saved: a tenant's first is the default, and a new default takes the flag from the old one.

    Gives the old one where it lost the flag: `record_default` is to be called for it when all rows are written.
    """
    ConfigEpoch.bump()
    former = Assistant.objects.filter(tenant=assistant.tenant, is_default=True).exclude(pk=assistant.pk).first()
    if former is None:
        assistant.is_default = True
    elif assistant.is_default:
        former.is_default = False
        former.save(update_fields=["is_default"])
        return former
    return None


def record_default(assistant: Assistant | None, *, is_default: bool, actor: Actor) -> None:
    """The event of the assistant, if any, that got or lost the flag by a change of another one."""
    if assistant is None:
        return
    record(
        Action.ASSISTANT_CHANGED,
        actor=actor,
        subject=subject_of(assistant),
        changes=described(["is_default"], {"is_default": {"old": not is_default, "new": is_default}}),
    )


@transaction.atomic
def let_assistant_use_key(*, assistant: Assistant, key: ApiKey, actor: Actor, position: int = 1) -> AssistantKey:
    """Pairs them, and asks for the pair's check. Both must belong to one tenant: the database refuses anything else."""
    pair = AssistantKey(assistant=assistant, key=key, position=position)
    pair.full_clean()
    pair.save()
    key_changed.send(sender=AssistantKey, key_id=key.id)
    record(
        Action.PAIR_ADDED,
        actor=actor,
        subject=subject_of(pair),
        changes=described(["key", "position"], {"key": {"old": None, "new": str(key)}}),
    )
    return pair


def forget_pair_verdicts(assistant: Assistant) -> None:
    """After another workflow was entered: what was found about the old one says nothing. Asks for new checks."""
    pairs = AssistantKey.objects.filter(assistant=assistant)
    pairs.update(verdict=Verdict.UNCHECKED, verdict_since=timezone.now(), checked_at=None)
    for key_id in pairs.filter(key__retired_at__isnull=True).values_list("key_id", flat=True):
        key_changed.send(sender=Assistant, key_id=key_id)


@transaction.atomic
def delete_assistant(*, assistant: Assistant, actor: Actor) -> None:
    """Deletes an assistant, withdraws its live sessions, and passes the default on to the tenant's oldest other one."""
    subject, tenant, assistant_id, was_default = (
        subject_of(assistant),
        assistant.tenant,
        assistant.id,
        assistant.is_default,
    )
    ConfigEpoch.bump()
    # A check that is being written down has the pair, and needs the assistant next: let it finish.
    list(AssistantKey.objects.select_for_update().filter(assistant=assistant).order_by("pk"))
    assistant.delete()
    access_withdrawn.send(
        sender=Assistant, tenant_id=tenant.id, key_id=None, assistant_id=assistant_id, reason="assistant_deleted"
    )
    heir = Assistant.objects.filter(tenant=tenant).order_by("created_at").first() if was_default else None
    if heir is not None:
        heir.is_default = True
        heir.save(update_fields=["is_default"])
    record(Action.ASSISTANT_DELETED, actor=actor, subject=subject)
    record_default(heir, is_default=True, actor=actor)


@transaction.atomic
def give_to_keyless_assistants(*, key: ApiKey, actor: Actor) -> list[Assistant]:
    """Lets the tenant's assistants that have no key in use take this one: without any they can't open a chat."""
    in_use = AssistantKey.objects.filter(assistant=OuterRef("pk"), key__retired_at__isnull=True)
    given = list(Assistant.objects.filter(~Exists(in_use), tenant=key.tenant))
    for assistant in given:
        let_assistant_use_key(assistant=assistant, key=key, actor=actor)
    return given


@transaction.atomic
def give_oldest_key(*, assistant: Assistant, actor: Actor) -> ApiKey | None:
    """Lets an assistant for which nobody chose a key take the tenant's oldest one in use."""
    key = ApiKey.objects.filter(tenant=assistant.tenant, retired_at__isnull=True).order_by("created_at").first()
    if key is not None:
        let_assistant_use_key(assistant=assistant, key=key, actor=actor)
    return key
