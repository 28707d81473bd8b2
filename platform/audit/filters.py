"""Filters of the audit list, none of which reads the whole table to find its choices."""

import uuid
from typing import Any, Final

from django.contrib import admin
from django.contrib.auth import get_user_model
from django.db.models import QuerySet
from django.http import HttpRequest

from audit.actions import Action
from audit.models import AuditEvent

_MOST_CHOICES: Final = 100


class ActionFilter(admin.SimpleListFilter):
    """By noun; once a noun is chosen, by its verbs."""

    title = "what"
    parameter_name = "what"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        chosen = (self.value() or "").partition(":")[0]
        choices: list[tuple[str, str]] = []
        for noun in dict.fromkeys(action.partition(":")[0] for action in Action.values):
            choices.append((noun, noun.replace("_", " ")))
            if noun == chosen:
                verbs = [action for action in Action.values if action.startswith(f"{noun}:")]
                choices += [(action, f"– {action.partition(':')[2].replace('_', ' ')}") for action in verbs]
        return choices

    def queryset(self, request: HttpRequest, queryset: QuerySet[AuditEvent]) -> QuerySet[AuditEvent]:
        value = self.value()
        if not value:
            return queryset
        # A list of members, not a prefix: it can use the index on every database.
        return queryset.filter(action__in=[action for action in Action.values if f"{action}:".startswith(f"{value}:")])


class WhenFilter(admin.DateFieldListFilter):
    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.title = "when"


class ActorFilter(admin.SimpleListFilter):
    """By the people there are; somebody who was deleted is found by searching for the name."""

    title = "who"
    parameter_name = "who"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        users = get_user_model()._default_manager.order_by("username").values_list("username", flat=True)
        return [(name, name) for name in ("system", "anonymous", *users[:_MOST_CHOICES])]

    def queryset(self, request: HttpRequest, queryset: QuerySet[AuditEvent]) -> QuerySet[AuditEvent]:
        return queryset.filter(actor=self.value()) if self.value() else queryset


class TenantFilter(admin.SimpleListFilter):
    """By the tenants that were ever registered, under their first name; deleted ones too, since rows here outlive them.

    For any list whose rows have a `tenant_id`. A link may name a tenant that the choices have no room for.
    """

    title = "tenant"
    parameter_name = "tenant"

    def lookups(self, request: HttpRequest, model_admin: Any) -> list[tuple[str, str]]:
        registered = AuditEvent.objects.filter(action=Action.TENANT_CREATED, tenant_id__isnull=False)
        rows = registered.order_by("tenant_name").values_list("tenant_id", "tenant_name")
        return [(str(tenant_id), name) for tenant_id, name in rows[:_MOST_CHOICES]]

    def queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> QuerySet[Any]:
        try:
            return queryset.filter(tenant_id=uuid.UUID(self.value() or ""))
        except ValueError:
            return queryset
