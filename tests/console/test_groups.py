import pytest
from django.contrib.auth.models import Group, Permission
from django.core.management import call_command

from audit.actions import Action
from audit.models import AuditEvent
from audit.record import SYSTEM
from console.groups import setup_groups

pytestmark = pytest.mark.django_db


def codenames(name: str) -> set[str]:
    return set(Group.objects.get(name=name).permissions.values_list("codename", flat=True))


def test_auditors_see_the_audit_and_nothing_else():
    setup_groups(actor=SYSTEM)

    assert codenames("Auditors") == {"view_auditevent"}


def test_operators_see_everything_and_change_nothing():
    setup_groups(actor=SYSTEM)

    assert {"view_tenant", "view_apikey", "view_auditevent"} <= codenames("Operators")
    assert all(name.startswith("view_") for name in codenames("Operators"))


def test_site_admins_change_everything_but_people_and_the_audit():
    setup_groups(actor=SYSTEM)

    assert {"add_tenant", "change_apikey", "delete_tenant", "view_auditevent"} <= codenames("Site admins")
    assert not {"add_user", "change_user", "change_group", "change_auditevent", "delete_sitesecret"} & codenames(
        "Site admins"
    )


def test_running_it_again_sets_back_what_drifted_and_says_so():
    setup_groups(actor=SYSTEM)
    group = Group.objects.get(name="Auditors")
    group.permissions.add(Permission.objects.get(codename="add_tenant"))
    events_before = AuditEvent.objects.count()

    call_command("setup_groups")

    assert codenames("Auditors") == {"view_auditevent"}
    event = AuditEvent.objects.latest("seq")
    assert AuditEvent.objects.count() == events_before + 1
    assert (event.action, event.actor) == (Action.GROUP_CHANGED, "system")
    assert event.changes["values"]["permissions"] == {"added": [], "removed": ["tenants.add_tenant"]}
