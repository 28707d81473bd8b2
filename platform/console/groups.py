"""The three groups that a site needs, and what each may do. Only superusers change people, whatever a group says."""

from collections.abc import Callable, Mapping
from typing import Final

from django.contrib.auth.models import Group, Permission
from django.db import transaction
from django.db.models import Q

from audit.actions import Action
from audit.changes import described
from audit.record import Actor, Subject, record

# Framework tables that show people nothing they need, or would let them go round the audit.
_NOBODYS: Final = frozenset({"admin", "auth", "axes", "contenttypes", "encryption", "sessions"})

# Asking for the re-wrapping of the vault's rows, which shows and changes no secret.
_REWRAP: Final = "add_rewraprun"


def _is_looked_at(permission: Permission) -> bool:
    return permission.codename.startswith("view_")


GROUPS: Final[Mapping[str, Callable[[Permission], bool]]] = {
    "Auditors": lambda permission: permission.codename == "view_auditevent",
    "Operators": _is_looked_at,
    "Site admins": lambda permission: _is_looked_at(permission) or permission.content_type.app_label != "audit",
}


def setup_groups(*, actor: Actor) -> dict[str, int]:
    """Makes the groups, or sets their permissions back to this; returns how many each group has. Safe to repeat."""
    grantable = Permission.objects.filter(
        ~Q(content_type__app_label__in=_NOBODYS) | Q(content_type__app_label="encryption", codename=_REWRAP)
    ).select_related("content_type")
    with transaction.atomic():
        return {name: _set_up(name, {p for p in grantable if allows(p)}, actor) for name, allows in GROUPS.items()}


def _set_up(name: str, permissions: set[Permission], actor: Actor) -> int:
    group, is_new = Group.objects.get_or_create(name=name)
    had = set(group.permissions.all())
    if is_new or had != permissions:
        group.permissions.set(permissions)
        granted = {"added": _names(permissions - had), "removed": _names(had - permissions)}
        record(
            Action.GROUP_CREATED if is_new else Action.GROUP_CHANGED,
            actor=actor,
            subject=Subject(type="group", id=str(group.pk), label=name),
            changes=described(["permissions"], {"permissions": granted}),
        )
    return len(permissions)


def _names(permissions: set[Permission]) -> list[str]:
    return sorted(f"{p.content_type.app_label}.{p.codename}" for p in permissions)
