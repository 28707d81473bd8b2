"""People and groups: only superusers change them, with the password again, and each change is audited."""

from typing import ClassVar

from django.contrib.auth.admin import GroupAdmin, UserAdmin
from django.contrib.auth.models import Group, User
from django.db import models
from django.http import HttpRequest, HttpResponse

from audit.actions import Action
from console.audited_admin import AuditedAdmin, Vocabulary
from console.passwords import audited_password_change
from console.reauthentication import PasswordAgainMixin, ask_again, is_recent


class SuperusersOnly(AuditedAdmin):
    """Whoever may change people could make themselves a superuser: so only superusers may, and others look on."""

    def has_add_permission(self, request: HttpRequest) -> bool:
        return _is_superuser(request)

    def has_change_permission(self, request: HttpRequest, obj: models.Model | None = None) -> bool:
        return _is_superuser(request)

    def has_delete_permission(self, request: HttpRequest, obj: models.Model | None = None) -> bool:
        return _is_superuser(request)


class ConsoleUserAdmin(PasswordAgainMixin, SuperusersOnly, UserAdmin):  # type: ignore[type-arg]
    audit_actions = {User: Vocabulary(Action.USER_CREATED, Action.USER_CHANGED, Action.USER_DELETED)}
    # Names and addresses of people are only named: an event can't be erased.
    audited_values: ClassVar[frozenset[str]] = frozenset(
        {"username", "is_active", "is_staff", "is_superuser", "groups", "user_permissions"}
    )
    list_display = ["username", "first_name", "last_name", "is_active", "is_staff", "is_superuser", "last_login"]

    def user_change_password(self, request: HttpRequest, id: str, form_url: str = "") -> HttpResponse:
        if not is_recent(request):
            return ask_again(request)
        change = super().user_change_password
        return audited_password_change(request, id, lambda: change(request, id, form_url))


class ConsoleGroupAdmin(PasswordAgainMixin, SuperusersOnly, GroupAdmin):
    audit_actions = {Group: Vocabulary(Action.GROUP_CREATED, Action.GROUP_CHANGED, Action.GROUP_DELETED)}
    audited_values: ClassVar[frozenset[str]] = frozenset({"name", "permissions"})


def _is_superuser(request: HttpRequest) -> bool:
    return bool(request.user.is_active and request.user.is_superuser)
