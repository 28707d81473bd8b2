"""The base class of every admin page that can write: each change leaves its events in the transaction of the change."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

from django import forms
from django.contrib import admin
from django.contrib.admin.checks import ModelAdminChecks
from django.core import checks
from django.db import models, transaction
from django.forms.models import BaseModelFormSet
from django.http import HttpRequest, HttpResponse

from audit.actions import Action
from audit.changes import described
from audit.record import Actor, Subject, record

if TYPE_CHECKING:
    _ModelAdmin = admin.ModelAdmin[models.Model]
else:
    _ModelAdmin = admin.ModelAdmin


@dataclass(frozen=True, slots=True)
class Vocabulary:
    """The actions that stand for adding, changing and deleting rows of one model."""

    added: Action
    changed: Action
    deleted: Action


class AuditedAdminChecks(ModelAdminChecks):
    """A model or inline without its actions would fail only at the first save: say so at the start."""

    def check(self, admin_obj: Any, **kwargs: Any) -> list[checks.CheckMessage]:
        inlines = [inline.model for inline in admin_obj.inlines]
        return [
            *super().check(admin_obj, **kwargs),
            *(
                checks.Error(
                    f"{type(admin_obj).__name__}.audit_actions says nothing about {model.__name__}.",
                    hint=f"Add {model.__name__}: Vocabulary(added, changed, deleted), members of audit.actions.Action.",
                    obj=type(admin_obj),
                    id="console.E001",
                )
                for model in (admin_obj.model, *inlines)
                if model not in admin_obj.audit_actions
            ),
        ]


class AuditedAdmin(_ModelAdmin):
    """A ModelAdmin whose additions, changes and deletions, inlines and bulk deletions among them, are audit events.

    Subclasses whose `save_model` (or another hook) calls a deed that records by itself don't call `super()` there.
    """

    # Actions by model: this page's and those of its inlines.
    audit_actions: ClassVar[Mapping[type[models.Model], Vocabulary]] = {}
    # Names of the fields, of the model or its inlines, whose old and new values may be kept. All others are only named.
    audited_values: ClassVar[frozenset[str]] = frozenset()
    checks_class = AuditedAdminChecks

    def audit_subject(self, obj: models.Model) -> Subject:
        """What an event about this row is about. Override to name its tenant."""
        return Subject(type=str(obj._meta.model_name), id=str(obj.pk), label=str(obj))

    def save_model(self, request: HttpRequest, obj: models.Model, form: Any, change: bool) -> None:
        super().save_model(request, obj, form, change)
        self.record_form(request, obj, form, added=not change)

    def delete_model(self, request: HttpRequest, obj: models.Model) -> None:
        subject = self.audit_subject(obj)
        with transaction.atomic():
            super().delete_model(request, obj)
            self._record_deleted(request, type(obj), [subject])

    def delete_queryset(self, request: HttpRequest, queryset: models.QuerySet[Any]) -> None:
        with transaction.atomic():
            subjects = [self.audit_subject(obj) for obj in queryset]
            super().delete_queryset(request, queryset)
            self._record_deleted(request, queryset.model, subjects)

    def save_formset(self, request: HttpRequest, form: Any, formset: Any, change: bool) -> None:
        # A deleted row forgets its key, so its subject is taken before.
        deleted = [self.audit_subject(row.instance) for row in formset.deleted_forms if not row.instance._state.adding]
        formset.save()
        for row, added in saved_rows(formset):
            self.record_form(request, row.instance, row, added=added)
        self._record_deleted(request, formset.model, deleted)

    def response_action(
        self, request: HttpRequest, queryset: models.QuerySet[Any], *args: Any, **kwargs: Any
    ) -> HttpResponse | None:
        # Django runs bulk actions without a transaction; an action and its events stand or fall together.
        with transaction.atomic():
            return super().response_action(request, queryset, *args, **kwargs)

    def record_form(self, request: HttpRequest, obj: models.Model, form: Any, *, added: bool) -> None:
        """One event for what a saved form did to this row; none where nothing was changed."""
        if not added and not form.changed_data:
            return
        vocabulary = self.audit_actions[type(obj)]
        record(
            vocabulary.added if added else vocabulary.changed,
            actor=Actor.of(request),
            subject=self.audit_subject(obj),
            changes=form_changes(form, self.audited_values),
        )

    def _record_deleted(self, request: HttpRequest, model: type[models.Model], subjects: Iterable[Subject]) -> None:
        for subject in subjects:
            record(self.audit_actions[model].deleted, actor=Actor.of(request), subject=subject)


def saved_rows(formset: "BaseModelFormSet[Any, Any]") -> Iterator[tuple[Any, bool]]:
    """The forms of a saved formset that added (True) or changed (False) a row."""
    added = {id(obj) for obj in formset.new_objects}
    changed = {id(obj) for obj, _fields in formset.changed_objects}
    for row in formset.forms:
        if id(row.instance) in added:
            yield row, True
        elif id(row.instance) in changed:
            yield row, False


def form_changes(form: Any, harmless: frozenset[str]) -> dict[str, Any]:
    """Names of all changed fields, values of the harmless ones; what a password field holds is never harmless."""
    values = {
        name: _values(form.fields[name], form.initial.get(name), form.cleaned_data.get(name))
        for name in form.changed_data
        if name in harmless and not isinstance(form.fields[name].widget, forms.PasswordInput)
    }
    return described(form.changed_data, values)


def _values(field: forms.Field, old: Any, new: Any) -> dict[str, Any]:
    if isinstance(field, forms.ModelMultipleChoiceField):
        before = {str(obj) for obj in old or () if isinstance(obj, models.Model)}
        after = {str(obj) for obj in new or ()}
        return {"added": sorted(after - before), "removed": sorted(before - after)}
    if isinstance(field, forms.ModelChoiceField):
        return {"old": field.prepare_value(old), "new": field.prepare_value(new)}
    return {"old": old, "new": new}
