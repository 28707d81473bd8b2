import re

import pytest
from django.contrib.auth.models import Permission, User
from django.urls import reverse

from audit.models import AuditEvent
from audit.record import SYSTEM
from tenants.domains import allow_domain
from tenants.models import TenantState
from tenants.states import start_deletion, suspend_tenant
from tests.console.conftest import PASSWORD
from tests.tenants.cast import give_assistant, give_key, register
from tests.tenants.forms import errors_of

pytestmark = pytest.mark.django_db

ADD = "/admin/tenants/tenant/add/"
LIST = "/admin/tenants/tenant/"


def page_of(tenant):
    return reverse("admin:tenants_tenant_change", args=[tenant.pk])


def actions():
    return list(AuditEvent.objects.order_by("seq").values_list("action", flat=True))


@pytest.fixture
def viewer(log_in):
    user = User.objects.create_user("vera", "", PASSWORD, is_staff=True)
    seen = ["view_tenant", "view_apikey", "view_assistant", "view_alloweddomain", "view_assistantkey"]
    user.user_permissions.set(Permission.objects.filter(codename__in=seen))
    return log_in(user)


class TestStates:
    def test_suspending_and_resuming_have_a_page_each_and_are_audited(self, console):
        tenant = register()
        suspend = reverse("admin:tenants_tenant_suspend", args=[tenant.pk])
        resume = reverse("admin:tenants_tenant_resume", args=[tenant.pk])

        told = "the chat isn't set up for this page, as if there were no such tenant"
        assert told in console.get(suspend).content.decode()
        console.post(suspend)
        tenant.refresh_from_db()
        assert tenant.state == TenantState.SUSPENDED
        assert told in console.get(page_of(tenant)).content.decode()
        console.post(resume)
        tenant.refresh_from_db()
        assert tenant.state == TenantState.ACTIVE
        assert actions()[-2:] == ["tenant:suspended", "tenant:resumed"]

    def test_deletion_says_what_will_happen_and_wants_the_slug_typed(self, console):
        tenant = register()
        delete = reverse("admin:tenants_tenant_delete", args=[tenant.pk])

        page = console.get(delete).content.decode()
        wrong = console.post(delete, {"slug": "birch"})

        order = ["Suspended.", "Sessions cancelled.", "Visitors erased.", "Keys destroyed.", "Rows deleted."]
        assert [page.index(step) for step in order] == sorted(page.index(step) for step in order)
        assert "exactly" in errors_of(wrong)
        tenant.refresh_from_db()
        assert tenant.state == TenantState.ACTIVE

        console.post(delete, {"slug": "alder"})

        tenant.refresh_from_db()
        assert tenant.state == TenantState.DELETING
        assert actions()[-1] == "tenant:deletion_started"

    def test_deletion_wants_the_password_again(self, console, settings):
        tenant = register()
        session = console.session
        session["password_given_at"] = 0
        session.save()

        answer = console.post(reverse("admin:tenants_tenant_delete", args=[tenant.pk]), {"slug": "alder"})

        assert answer.url.startswith("/admin/reauthenticate/")
        tenant.refresh_from_db()
        assert tenant.state == TenantState.ACTIVE

    def test_a_tenant_that_is_being_deleted_can_only_be_looked_at(self, console):
        tenant = start_deletion(tenant=register(), actor=SYSTEM)

        page = console.get(page_of(tenant)).content.decode()

        assert "is being deleted" in page
        assert "Add OpenAI key" not in page
        assert 'name="_save"' not in page
        assert console.post(reverse("admin:tenants_tenant_suspend", args=[tenant.pk])).status_code == 403


class TestHistory:
    def test_it_is_the_audits_and_knows_what_no_form_did(self, console):
        tenant = register()
        key = give_key(tenant)
        suspend_tenant(tenant=tenant, actor=SYSTEM)

        of_tenant = console.get(reverse("admin:tenants_tenant_history", args=[tenant.pk]), follow=True)
        of_key = console.get(reverse("admin:tenants_apikey_history", args=[key.pk]), follow=True)

        shown = [event.action for event in of_tenant.context["cl"].result_list]
        assert shown == ["tenant:suspended", "key:added", "tenant:created"]
        assert [event.action for event in of_key.context["cl"].result_list] == ["key:added"]

    def test_who_may_not_see_the_audit_gets_djangos_own(self, viewer):
        tenant = register()

        answer = viewer.get(reverse("admin:tenants_tenant_history", args=[tenant.pk]))

        assert answer.status_code == 200


class TestPermissions:
    def test_who_may_only_look_sees_the_page_and_can_change_nothing(self, viewer):
        tenant = register()
        key = give_key(tenant)
        assistant = give_assistant(tenant, key)
        allow_domain(tenant=tenant, text="shop.example.com", actor=SYSTEM)

        page = viewer.get(page_of(tenant))
        of_assistant = viewer.get(reverse("admin:tenants_assistant_change", args=[assistant.pk])).content.decode()

        assert page.status_code == 200
        assert "shop.example.com" in page.content.decode()
        assert "state with this workflow" in of_assistant.lower()
        assert "Seen" not in page.content.decode() + of_assistant
        for word in ("Suspend…", "Check now", "Add OpenAI key", "Add assistant", 'name="_save"'):
            assert word not in page.content.decode()
        for name, row in (
            ("tenant_suspend", tenant),
            ("tenant_resume", tenant),
            ("tenant_delete", tenant),
            ("apikey_replace", key),
            ("apikey_retire", key),
        ):
            assert viewer.post(reverse(f"admin:tenants_{name}", args=[row.pk])).status_code == 403

    def test_who_may_only_look_reads_choices_and_lists_in_words(self, viewer):
        tenant = register()
        tenant.log_only_limits, tenant.identity_claims = ["visitor_limit"], ["plan", "locale"]
        tenant.save()
        allow_domain(tenant=tenant, text="http://localhost:3000", actor=SYSTEM, allow_http=True)

        page = viewer.get(page_of(tenant)).content.decode()

        assert "sessions per minute, one visitor</div>" in page
        assert "plan, locale</div>" in page
        assert "[&quot;" not in page
        assert '<td class="field-allow_http">' in page
        assert "<p>yes</p>" in page
        assert "None" not in page

    def test_the_page_leads_to_each_of_its_parts(self, console):
        page = console.get(page_of(register())).content.decode()

        anchors = re.findall(r'<a href="#([\w-]+)">', page.partition('class="on-this-page"')[2].partition("</nav>")[0])
        assert anchors[:5] == ["install", "keys", "assistants", "domains-group", "fieldset-0-0-heading"]
        assert {"limits", "identity"} <= set(anchors[5:])
        places = [page.find(f'id="{anchor}"') for anchor in anchors]
        assert -1 not in places
        assert places == sorted(places)

    def test_a_new_tenant_s_name_is_asked_for_before_its_websites(self, console):
        page = console.get(ADD).content.decode()

        assert -1 < page.find('name="name"') < page.find('id="domains-group"')

    def test_staff_without_permissions_is_refused(self, log_in):
        client = log_in(User.objects.create_user("sam", "", PASSWORD, is_staff=True))
        tenant = register()
        key = give_key(tenant)

        for url in (
            LIST,
            ADD,
            page_of(tenant),
            reverse("admin:tenants_tenant_history", args=[tenant.pk]),
            reverse("admin:tenants_apikey_changelist"),
            reverse("admin:tenants_apikey_change", args=[key.pk]),
            reverse("admin:tenants_apikey_replace", args=[key.pk]),
            reverse("admin:tenants_assistant_changelist"),
        ):
            assert client.get(url).status_code in {302, 403}, url
        assert client.post(reverse("tenant-preview", args=[tenant.pk])).status_code == 403

    def test_a_stranger_is_sent_to_the_log_in(self, client):
        tenant = register()

        for url in (page_of(tenant), reverse("admin:tenants_tenant_delete", args=[tenant.pk])):
            assert "/admin/login/" in client.get(url).url
