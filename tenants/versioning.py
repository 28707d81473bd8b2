"""Draft → publish → roll back, for whatever has versions: one draft to write in, numbered versions that never change again.

The version's model has `number` and `published_at` (both null for the draft), `note` and `created_by`; the owner's model has a
foreign key to the version that counts. Which one that is, is all that publishing and rolling back change at the owner.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from django.core.exceptions import ObjectDoesNotExist
from django.db import models
from django.utils import timezone

V = TypeVar("V", bound=models.Model)


@dataclass(frozen=True, slots=True)
class Difference:
    """Of one field, between the version that counts and another: `old` is None where there is none yet."""

    field: str
    label: str
    old: Any
    new: Any


@dataclass(frozen=True, slots=True)
class Versions(Generic[V]):
    """`owner` names the version's foreign key to what it is a version of; `content` the fields that make a version up."""

    model: type[V]
    owner: str
    pointer: str
    content: tuple[str, ...]

    def all_of(self, owner: models.Model) -> models.QuerySet[V]:
        return self._rows(owner).order_by(models.F("number").desc(nulls_first=True))

    def draft_of(self, owner: models.Model) -> V | None:
        return self._rows(owner).filter(number=None).first()

    def numbered(self, owner: models.Model, number: int) -> V | None:
        return self._rows(owner).filter(number=number).first()

    def published_of(self, owner: models.Model) -> V | None:
        found: V | None = getattr(owner, self.pointer)
        return found

    def save_draft(self, owner: models.Model, values: Mapping[str, Any], *, created_by: str) -> V:
        """Writes into the draft, or begins one: from the published version where there is one. Raises ValidationError."""
        draft = self.draft_of(owner)
        if draft is None:
            published = self.published_of(owner)
            begun = {} if published is None else self.content_of(published)
            draft = self.model(**{self.owner: owner, **begun})
        for field in (*self.content, "note"):
            if field in values:
                setattr(draft, field, values[field])
        draft.created_by = created_by  # type: ignore[attr-defined]
        draft.full_clean()
        draft.save()
        return draft

    def publish(self, owner: models.Model, draft: V) -> V:
        """The draft gets its number and counts from now on. The owner's row must be locked. Raises ValidationError."""
        draft.full_clean()
        last = self._rows(owner).aggregate(last=models.Max("number"))["last"] or 0
        draft.number, draft.published_at = last + 1, timezone.now()  # type: ignore[attr-defined]
        draft.save()
        self.point(owner, draft)
        return draft

    def point(self, owner: models.Model, version: V) -> None:
        setattr(owner, self.pointer, version)
        owner.save(update_fields=[self.pointer])

    def content_of(self, version: V) -> dict[str, Any]:
        return {field: getattr(version, field) for field in self.content}

    def differences(self, old: V | None, new: V) -> list[Difference]:
        """What `new` would change, in the order of `content`."""
        found = []
        for field in self.content:
            before, after = None if old is None else getattr(old, field), getattr(new, field)
            if before != after:
                label = str(self.model._meta.get_field(field).verbose_name)  # type: ignore[union-attr]
                found.append(Difference(field, label, before, after))
        return found

    def _rows(self, owner: models.Model) -> models.QuerySet[V]:
        return self.model._default_manager.filter(**{self.owner: owner})


class NoSuchVersion(ObjectDoesNotExist):
    """The owner has no version of this number, or no draft; the message says the cure."""
