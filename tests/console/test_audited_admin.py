"""Each change through the admin and its event stand or fall together."""

import pytest
from django.contrib import admin
from django.contrib.admin.models import LogEntry
from django.contrib.auth.models import Group, Permission, User
from django.test import Client
from django.urls import reverse

from audit.actions import Action
from audit.models import AuditEvent, ChainHead
from console.admin import AuditedAdmin, Vocabulary
from console.audited_admin import AuditedAdminChecks

pytestmark = pytest.mark.django_db


def last_event() -> AuditEvent:
    return AuditEvent.objects.latest("seq")


def user_form(**changed) -> dict:
    form = {
        "username": "ada",
        "email": "ada@example.com",
        "is_active": "on",
        "is_staff": "on",
        "is_superuser": "on",
        "last_login_0": "",
        "last_login_1": "",
        "date_joined_0": "2026-01-02",
        "date_joined_1": "03:04:05",
    }
    return {name: value for name, value in {**form, **changed}.items() if value is not None}


def test_adding_a_person_is_an_event_without_the_password(console):
    given = {
        "username": "grace",
        "usable_password": "true",
        "password1": "not in any row 42",
        "password2": "not in any row 42",
    }

    answer = console.post(reverse("admin:auth_user_add"), given)

    assert answer.status_code == 302, answer.context["errors"]
    event = last_event()
    assert event.action == Action.USER_CREATED
    assert (event.actor, event.subject_type, event.subject) == ("ada", "user", "grace")
    assert "password1" in event.changes["fields"]
    assert event.changes["values"] == {"username": {"old": None, "new": "grace"}}
    assert "not in any row" not in repr(vars(event))


def test_a_change_names_every_field_and_keeps_values_of_harmless_ones_only(console, superuser):
    group = Group.objects.create(name="Operators")
    answer = console.post(
        reverse("admin:auth_user_change", args=[superuser.pk]),
        user_form(
            username="ada2", email="private@example.com", groups=[group.pk], last_login_0=None, last_login_1=None
        ),
    )

    assert answer.status_code == 302, answer.context["errors"]
    event = last_event()
    assert event.action == Action.USER_CHANGED
    assert {"username", "email", "groups"} <= set(event.changes["fields"])
    assert event.changes["values"]["username"] == {"old": "ada", "new": "ada2"}
    assert event.changes["values"]["groups"] == {"added": ["Operators"], "removed": []}
    assert "private@example.com" not in repr(vars(event))


def test_taking_a_permission_from_a_group_is_named(console):
    group = Group.objects.create(name="Operators")
    kept, taken = Permission.objects.all()[:2]
    group.permissions.set([kept, taken])

    console.post(reverse("admin:auth_group_change", args=[group.pk]), {"name": "Operators", "permissions": [kept.pk]})

    event = last_event()
    assert event.action == Action.GROUP_CHANGED
    assert event.changes["values"]["permissions"] == {"added": [], "removed": [str(taken)]}


def test_saving_without_a_change_is_no_event(console):
    group = Group.objects.create(name="Operators")
    before = last_event().seq

    console.post(reverse("admin:auth_group_change", args=[group.pk]), {"name": "Operators"})

    assert last_event().seq == before


def test_deleting_one_is_an_event_that_still_names_it(console):
    group = Group.objects.create(name="Operators")
    key = str(group.pk)

    console.post(reverse("admin:auth_group_delete", args=[group.pk]), {"post": "yes"})

    event = last_event()
    assert (event.action, event.subject_id, event.subject) == (Action.GROUP_DELETED, key, "Operators")


def test_deleting_many_is_an_event_each(console):
    groups = [Group.objects.create(name=name) for name in ("one", "two", "three")]

    console.post(
        reverse("admin:auth_group_changelist"),
        {"action": "delete_selected", "_selected_action": [group.pk for group in groups], "post": "yes"},
    )

    assert not Group.objects.exists()
    assert set(AuditEvent.objects.filter(action=Action.GROUP_DELETED).values_list("subject", flat=True)) == {
        "one",
        "two",
        "three",
    }


def test_djangos_own_history_is_kept_as_well(console):
    console.post(reverse("admin:auth_group_add"), {"name": "Operators"})

    assert LogEntry.objects.filter(object_repr="Operators").exists()


@pytest.mark.parametrize("whose", ["own", "another's"])
def test_a_changed_password_is_an_event_without_it(console, superuser, password, whose):
    new = "never to be seen in a row 99"
    if whose == "own":
        page, form = (
            reverse("admin:password_change"),
            {"old_password": password, "new_password1": new, "new_password2": new},
        )
    else:
        page = reverse("admin:auth_user_password_change", args=[superuser.pk])
        form = {"usable_password": "true", "password1": new, "password2": new}

    answer = console.post(page, form)

    assert answer.status_code == 302
    event = last_event()
    assert (event.action, event.subject) == (Action.PASSWORD_CHANGED, "ada")
    assert "never to be seen" not in repr(vars(event))


def test_a_refused_password_change_is_no_event(console, password):
    before = last_event().seq

    answer = console.post(
        reverse("admin:password_change"), {"old_password": "wrong", "new_password1": "a b c", "new_password2": "a b c"}
    )

    assert answer.status_code == 200
    assert last_event().seq == before


@pytest.mark.parametrize("deed", ["add", "change", "delete", "bulk", "password"])
def test_what_cannot_be_recorded_does_not_happen(superuser, log_in, deed):
    console = log_in(superuser, client=Client(raise_request_exception=False))
    group = Group.objects.create(name="Operators")
    hash_before = superuser.password
    deeds = {
        "add": (reverse("admin:auth_group_add"), {"name": "New"}),
        "change": (reverse("admin:auth_group_change", args=[group.pk]), {"name": "Renamed"}),
        "delete": (reverse("admin:auth_group_delete", args=[group.pk]), {"post": "yes"}),
        "bulk": (
            reverse("admin:auth_group_changelist"),
            {"action": "delete_selected", "_selected_action": [group.pk], "post": "yes"},
        ),
        "password": (
            reverse("admin:auth_user_password_change", args=[superuser.pk]),
            {"usable_password": "true", "password1": "a fine new sentence", "password2": "a fine new sentence"},
        ),
    }
    ChainHead.objects.all().delete()

    answer = console.post(*deeds[deed])

    assert answer.status_code == 500
    assert list(Group.objects.values_list("name", flat=True)) == ["Operators"]
    superuser.refresh_from_db()
    assert superuser.password == hash_before


class MembershipInline(admin.TabularInline):
    model = User.groups.through
    extra = 0


class GroupWithMembers(AuditedAdmin):
    inlines = [MembershipInline]
    fields = ["name"]
    audit_actions = {
        Group: Vocabulary(Action.GROUP_CREATED, Action.GROUP_CHANGED, Action.GROUP_DELETED),
        User.groups.through: Vocabulary(Action.PAIR_ADDED, Action.PAIR_CHANGED, Action.PAIR_REMOVED),
    }
    audited_values = frozenset({"user"})


def send(rf, superuser, group, **form):
    prefix = "User_groups"
    request = rf.post(
        "/",
        {
            "name": group.name,
            f"{prefix}-MIN_NUM_FORMS": 0,
            f"{prefix}-MAX_NUM_FORMS": 1000,
            **{f"{prefix}-{name}": value for name, value in form.items()},
        },
    )
    request.user = superuser
    request._dont_enforce_csrf_checks = True
    request.session, request._messages = {}, Notes()
    return GroupWithMembers(Group, admin.site).changeform_view(request, str(group.pk))


class Notes(list):
    def add(self, level, message, extra_tags=""):
        self.append(message)


def test_inlines_added_changed_and_deleted_are_an_event_each(rf, superuser):
    group = Group.objects.create(name="Operators")
    grace, alan = (User.objects.create_user(name) for name in ("grace", "alan"))
    through = User.groups.through

    send(rf, superuser, group, **{"TOTAL_FORMS": 1, "INITIAL_FORMS": 0, "0-user": grace.pk, "0-group": group.pk})
    row = through.objects.get()
    initial = {"TOTAL_FORMS": 1, "INITIAL_FORMS": 1, "0-id": row.pk, "0-group": group.pk}
    send(rf, superuser, group, **initial, **{"0-user": alan.pk})
    send(rf, superuser, group, **initial, **{"0-user": alan.pk, "0-DELETE": "on"})

    assert not through.objects.exists()
    added, changed, removed = AuditEvent.objects.order_by("seq")
    assert (added.action, added.changes["values"]) == (Action.PAIR_ADDED, {"user": {"old": None, "new": grace.pk}})
    assert (changed.action, changed.changes["values"]) == (
        Action.PAIR_CHANGED,
        {"user": {"old": grace.pk, "new": alan.pk}},
    )
    assert (removed.action, removed.subject_id) == (Action.PAIR_REMOVED, str(row.pk))


def test_a_page_without_words_for_a_model_is_refused_at_the_start():
    class Speechless(AuditedAdmin):
        inlines = [MembershipInline]
        audit_actions = {Group: Vocabulary(Action.GROUP_CREATED, Action.GROUP_CHANGED, Action.GROUP_DELETED)}

    found = AuditedAdminChecks().check(Speechless(Group, admin.site))

    assert [error.id for error in found] == ["console.E001"]
    assert "User_groups" in found[0].msg


def test_only_superusers_change_people_whatever_permissions_others_have(client, log_in, password):
    clerk = User.objects.create_user("clerk", password=password, is_staff=True)
    clerk.user_permissions.set(Permission.objects.filter(content_type__app_label="auth"))
    client = log_in(clerk)

    looked_at = client.get(reverse("admin:auth_user_change", args=[clerk.pk]))
    changed = client.post(reverse("admin:auth_user_change", args=[clerk.pk]), user_form(username="clerk"))
    new_password = client.post(
        reverse("admin:auth_user_password_change", args=[clerk.pk]), {"password1": "x y z", "password2": "x y z"}
    )

    assert looked_at.status_code == 200
    assert changed.status_code == 403
    assert new_password.status_code == 403
    clerk.refresh_from_db()
    assert not clerk.is_superuser
