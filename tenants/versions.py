"""The deeds on what an assistant of the platform's own backend is: write a draft, publish it, go back to an earlier version."""

from collections.abc import Mapping
from typing import Any, Final

from django.core.exceptions import ValidationError
from django.db import transaction

from audit.actions import Action
from audit.changes import described
from audit.record import Actor, record
from tenants.agent_tools import validate_client_tools, validate_vector_stores
from tenants.assistants import forget_pair_verdicts
from tenants.audit_subjects import subject_of
from tenants.models import AgentVersion, Assistant
from tenants.models.agent import MAX_INSTRUCTIONS
from tenants.models.assistant import Backend
from tenants.versioning import NoSuchVersion, Versions

CONTENT: Final = (
    *("instructions", "model", "vector_store_ids", "web_search", "client_tools", "ask_visitor"),
    *("max_input_chars", "max_turns", "max_output_tokens"),
)
# Everything but the words: instructions are the tenant's own property and may be long.
AUDITED: Final = frozenset(CONTENT) - {"instructions", "client_tools"}
VERSIONS: Final = Versions(AgentVersion, owner="assistant", pointer="published_version", content=CONTENT)


@transaction.atomic
def save_draft(*, assistant: Assistant, values: Mapping[str, Any], actor: Actor) -> AgentVersion:
    """Writes `values` (fields of a version, and `note`) into the draft, or begins one. Raises ValidationError.

    A new draft begins as a copy of the published version, where there is one. Nothing that visitors meet changes.
    """
    assistant = Assistant.objects.lock(assistant.pk)
    before = VERSIONS.draft_of(assistant)
    draft = VERSIONS.save_draft(assistant, _cleaned(values), created_by=actor.name)
    changed = VERSIONS.differences(before, draft)
    if changed or before is None or before.note != draft.note:
        record(
            Action.VERSION_DRAFTED,
            actor=actor,
            subject=subject_of(assistant),
            changes=described(
                [each.field for each in changed],
                {each.field: {"old": each.old, "new": each.new} for each in changed if each.field in AUDITED},
            ),
        )
    return draft


@transaction.atomic
def discard_draft(*, assistant: Assistant, actor: Actor) -> None:
    """The draft is deleted; the next one begins as the published version. Raises NoSuchVersion."""
    assistant = Assistant.objects.lock(assistant.pk)
    draft = VERSIONS.draft_of(assistant)
    if draft is None:
        raise NoSuchVersion("There is no draft to discard.")
    published = VERSIONS.published_of(assistant)
    lost = VERSIONS.differences(published, draft)
    draft.delete()
    record(
        Action.VERSION_DISCARDED,
        actor=actor,
        subject=subject_of(assistant),
        changes=described([each.field for each in lost], {}),
    )


@transaction.atomic
def publish(*, assistant: Assistant, actor: Actor, note: str = "") -> AgentVersion:
    """The draft becomes the next version and answers from the next message on. Raises NoSuchVersion, ValidationError."""
    assistant = Assistant.objects.lock(assistant.pk)
    draft = VERSIONS.draft_of(assistant)
    if draft is None:
        raise NoSuchVersion("There is no draft to publish. Write one first.")
    before = VERSIONS.published_of(assistant)
    draft.note = note or draft.note
    draft.created_by = actor.name
    version = VERSIONS.publish(assistant, draft)
    _record_move(Action.VERSION_PUBLISHED, assistant, before, version, actor)
    return version


@transaction.atomic
def roll_back(*, assistant: Assistant, number: int, actor: Actor) -> AgentVersion:
    """Another published version answers from the next message on; to repeat it changes nothing. Raises NoSuchVersion."""
    assistant = Assistant.objects.lock(assistant.pk)
    version = VERSIONS.numbered(assistant, number)
    if version is None:
        raise NoSuchVersion(f"{assistant} has no version {number}. Its page lists those that it has.")
    before = VERSIONS.published_of(assistant)
    if before != version:
        VERSIONS.point(assistant, version)
        _record_move(Action.VERSION_ROLLED_BACK, assistant, before, version, actor)
    return version


def _cleaned(values: Mapping[str, Any]) -> dict[str, Any]:
    """Raises ValidationError for what no answer could be made of, by field."""
    errors: dict[str, Any] = {}
    if unknown := set(values) - {*CONTENT, "note"}:
        raise ValidationError(f"A version has no {', '.join(sorted(unknown))}.")
    if "instructions" in values:
        # A TextField looks at neither by itself.
        if not str(values["instructions"]).strip():
            errors["instructions"] = "Say what the assistant is for and how it answers."
        elif len(values["instructions"]) > MAX_INSTRUCTIONS:
            errors["instructions"] = (
                f"At most {MAX_INSTRUCTIONS} characters: they are sent with each message. Put what is longer into files."
            )
    for field, validate in (("vector_store_ids", validate_vector_stores), ("client_tools", validate_client_tools)):
        if field in values:
            try:
                validate(values[field])
            except ValidationError as refusal:
                errors[field] = refusal
    if errors:
        raise ValidationError(errors)
    return dict(values)


def _record_move(
    action: Action, assistant: Assistant, before: AgentVersion | None, version: AgentVersion, actor: Actor
) -> None:
    if assistant.backend == Backend.PLATFORM and (before is None or before.model != version.model):
        # What was found of the one model says nothing of the other.
        forget_pair_verdicts(assistant)
    numbers = {"old": None if before is None else before.number, "new": version.number}
    record(
        action,
        actor=actor,
        subject=subject_of(assistant),
        changes=described(["published_version"], {"published_version": numbers}, model=version.model),
    )
