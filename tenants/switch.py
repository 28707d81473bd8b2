"""The deeds that change who answers for an assistant: OpenAI's hosted workflow, or the platform itself; and the way back.

Pages keep their snippet. Within two seconds every process goes by the other backend; chats that are open are ended, and their
pages fetch the configuration anew and go on (docs/architecture.md).
"""

import uuid
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Final

from django.conf import settings
from django.db import transaction
from django.db.models import F

from audit.actions import Action
from audit.changes import described
from audit.record import Actor, record
from tenants.assistants import forget_pair_verdicts
from tenants.audit_subjects import subject_of
from tenants.models import AgentVersion, Assistant
from tenants.models.assistant import Backend
from tenants.readiness import Readiness, readiness_of
from tenants.signals import access_withdrawn
from tenants.versions import VERSIONS, save_draft

WITHDRAWN: Final = "backend_switched"


class SwitchRefused(Exception):
    """The assistant could not answer after it; `reasons` say what is missing and the cure."""

    def __init__(self, reasons: tuple[str, ...]) -> None:
        super().__init__(" ".join(reasons))
        self.reasons = reasons


@dataclass(frozen=True, slots=True)
class Switched:
    """What became of one assistant: “switched”, “unchanged” or “refused” (then with reasons). Warnings are no refusal."""

    assistant_id: uuid.UUID
    outcome: str
    reasons: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()


@transaction.atomic
def switch_backend(*, assistant: Assistant, to: str, actor: Actor) -> Switched:
    """Raises SwitchRefused, and ValueError for what is no backend. Safe to repeat: where it answers already nothing is done."""
    backend = Backend(to)
    assistant = Assistant.objects.lock(assistant.pk)
    if assistant.backend == backend:
        return Switched(assistant.pk, "unchanged")
    ready = readiness_of(assistant, backend)
    if ready.blockers:
        raise SwitchRefused(ready.blockers)
    before = assistant.backend
    Assistant.objects.filter(pk=assistant.pk).update(
        backend=backend, previous_backend=before, credential_epoch=F("credential_epoch") + 1
    )
    assistant.refresh_from_db()
    # A verdict on a workflow says nothing of a model.
    forget_pair_verdicts(assistant)
    # Live sessions at OpenAI are cancelled there; chats of our own end by the epoch.
    access_withdrawn.send(
        sender=Assistant, tenant_id=assistant.tenant_id, key_id=None, assistant_id=assistant.pk, reason=WITHDRAWN
    )
    record(
        Action.BACKEND_SWITCHED,
        actor=actor,
        subject=subject_of(assistant),
        changes=described(["backend"], {"backend": {"old": before, "new": backend.value}}),
    )
    return Switched(assistant.pk, "switched", warnings=ready.warnings)


def switch_back(*, assistant: Assistant, actor: Actor) -> Switched:
    """To what it was before the last switch. Raises SwitchRefused, also where it was never switched."""
    if not assistant.previous_backend:
        raise SwitchRefused((f"“{assistant}” was never switched: there is nothing to go back to.",))
    return switch_backend(assistant=assistant, to=assistant.previous_backend, actor=actor)


def switch_many(*, assistant_ids: Iterable[uuid.UUID], to: str, actor: Actor) -> Iterator[Switched]:
    """Each by itself and in its own transaction: one that is refused stops no other. Lazy, so that progress can be shown.

    What is gone meanwhile is “refused”, too.
    """
    for assistant_id in assistant_ids:
        assistant = Assistant.objects.filter(pk=assistant_id).first()
        if assistant is None:
            yield Switched(assistant_id, "refused", ("It was deleted meanwhile.",))
            continue
        try:
            yield switch_backend(assistant=assistant, to=to, actor=actor)
        except SwitchRefused as refusal:
            yield Switched(assistant_id, "refused", refusal.reasons)


def would_switch(assistant: Assistant, to: str) -> Switched:
    """What `switch_backend` would do, without doing it."""
    if assistant.backend == to:
        return Switched(assistant.pk, "unchanged")
    ready: Readiness = readiness_of(assistant, Backend(to))
    return Switched(
        assistant.pk, "refused" if ready.blockers else "switched", reasons=ready.blockers, warnings=ready.warnings
    )


@transaction.atomic
def prepare_switch(*, assistant: Assistant, actor: Actor, model: str = "") -> AgentVersion:
    """A draft with `model` or the default one; where a draft or a published version stands already, that one, unchanged."""
    assistant = Assistant.objects.lock(assistant.pk)
    known = VERSIONS.draft_of(assistant) or VERSIONS.published_of(assistant)
    if known is not None:
        return known
    values = {
        "model": model or settings.CHAT_DEFAULT_MODEL,
        "instructions": first_instructions(assistant),
        "note": "made by “Prepare”: look it over before it is published",
    }
    return save_draft(assistant=assistant, values=values, actor=actor)


def first_instructions(assistant: Assistant) -> str:
    """A workflow's own words stay at OpenAI, where no API gives them out: somebody has to bring them over."""
    return (
        f"You are “{assistant.name}”, the assistant on the website of {assistant.tenant.name}.\n\n"
        "Answer in the language of the visitor, briefly and kindly. Keep to what the website offers; when you don't know "
        "something, say so and say whom to ask. Never ask for passwords or payment details.\n"
    )
