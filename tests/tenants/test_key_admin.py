import pytest
from django.db import connection
from django.test import Client
from django.urls import reverse

from audit.models import AuditEvent
from audit.record import SYSTEM
from tenants.keys import open_key, retire_key
from tenants.models import ApiKey, AssistantKey, Verdict
from tenants.signals import key_changed
from tests.tenants.cast import give_assistant, give_key, key_text, register
from tests.tenants.forms import errors_of, filled, posted
from tests.tenants.leaks import leaks_of

pytestmark = pytest.mark.django_db


def add_url(tenant):
    return f"{reverse('admin:tenants_apikey_add')}?tenant={tenant.pk}"


def url(name, key):
    return reverse(f"admin:tenants_apikey_{name}", args=[key.pk])


def forget_password(client):
    session = client.session
    session["password_given_at"] = 0
    session.save()


@pytest.fixture
def tenant(db):
    return register()


class TestAdding:
    def test_a_key_is_sealed_audited_and_shown_by_its_last_four(self, console, tenant):
        text = key_text()

        answer = posted(console, add_url(tenant), label="production", api_key=f" {text}\n", project="proj_1")

        key = ApiKey.objects.get()
        assert answer.url == reverse("admin:tenants_tenant_change", args=[tenant.pk])
        assert open_key(key).reveal() == text
        assert (key.tenant, key.project) == (tenant, "proj_1")
        assert f"sk-…{text[-4:]}" in console.get(answer.url).content.decode()
        added = AuditEvent.objects.get(action="key:added")
        assert (added.actor, added.changes["fields"]) == ("ada", ["key", "label", "project"])

    def test_a_label_that_somebody_else_changed_meanwhile_is_not_changed_back(self, console, tenant):
        key = give_key(tenant)
        stale = filled(console, url("change", key))
        posted(console, url("change", key), label="spare")

        answer = console.post(url("change", key), {**stale, "project": "proj_1"})

        assert "Somebody changed this meanwhile: Label." in errors_of(answer)
        assert ApiKey.objects.values_list("label", "project").get() == ("spare", "")
        assert 'name="seen"' in console.get(url("change", key)).content.decode()

    def test_an_assistant_without_a_key_gets_it(self, console, tenant):
        assistant = give_assistant(tenant)

        posted(console, add_url(tenant), label="production", api_key=key_text())

        assert AssistantKey.objects.get().assistant == assistant

    @pytest.mark.proof("K10", "K12")
    @pytest.mark.parametrize("start", ["sk-admin-", "ek_", "domain_pk_", "sk-proj-\N{ZERO WIDTH SPACE}", "sk- ", ""])
    def test_what_is_no_key_is_refused_and_not_shown_again(self, console, tenant, start):
        text = start + key_text()[8:]

        answer = posted(console, add_url(tenant), label="production", api_key=text)

        assert errors_of(answer)
        assert leaks_of(text, answer.content.decode()) == []
        assert not ApiKey.objects.exists()

    @pytest.mark.proof("K10")
    def test_a_good_key_beside_a_bad_field_is_not_shown_again(self, console, tenant):
        text = key_text()

        answer = posted(console, add_url(tenant), label="production", api_key=text, project="not a project")

        page = answer.content.decode()
        assert "starts with “proj_”" in page
        assert leaks_of(text, page) == []
        assert "taken" not in answer.context["adminform"].form["api_key"].as_widget()

    @pytest.mark.proof("K10")
    def test_the_field_hides_what_is_typed_and_browsers_do_not_keep_it(self, console, tenant):
        widget = console.get(add_url(tenant)).context["adminform"].form["api_key"].as_widget()

        assert 'type="password"' in widget
        assert 'autocomplete="off"' in widget
        assert "value=" not in widget

    def test_the_same_key_at_another_tenant_is_warned_of_not_refused(self, console, tenant):
        text = key_text()
        give_key(register("Birch"), text)

        answer = posted(console, add_url(tenant), label="production", api_key=text)

        page = console.get(answer.url).content.decode()
        assert "The very same key is stored as “production” of Birch" in page
        assert ApiKey.objects.count() == 2

    def test_a_label_that_is_taken_is_refused(self, console, tenant):
        give_key(tenant)

        answer = posted(console, add_url(tenant), label="production", api_key=key_text())

        assert "already exists" in errors_of(answer)

    def test_without_a_tenant_it_says_where_to_begin(self, console):
        answer = console.get(reverse("admin:tenants_apikey_add"), follow=True)

        assert "Open the tenant that it shall belong to" in answer.content.decode()

    def test_it_wants_the_password_again(self, console, tenant):
        forget_password(console)

        opened = console.get(add_url(tenant))
        sent = console.post(add_url(tenant), {"label": "production", "api_key": key_text()})

        assert opened.url.startswith("/admin/reauthenticate/")
        assert sent.url.startswith("/admin/reauthenticate/")
        assert not ApiKey.objects.exists()


class TestReplacingAndRetiring:
    def test_replacing_keeps_the_row_and_forgets_the_verdict(self, console, tenant):
        key, text = give_key(tenant), key_text()
        ApiKey.objects.update(verdict=Verdict.INVALID_KEY)

        console.post(url("replace", key), {"api_key": text})

        key.refresh_from_db()
        assert open_key(key).reveal() == text
        assert key.verdict == Verdict.UNCHECKED
        assert AuditEvent.objects.filter(action="key:replaced").exists()

    @pytest.mark.parametrize("name", ["replace", "retire"])
    def test_a_key_that_somebody_else_retires_at_that_moment_is_said_to_be_retired(self, console, tenant, name):
        key = give_key(tenant)
        others = []

        def somebody_else(execute, sql, params, many, context):
            if "tenants_configepoch" in sql and not others:
                others.append(key)
                retire_key(key=key, actor=SYSTEM)
            return execute(sql, params, many, context)

        with connection.execute_wrapper(somebody_else):
            answer = console.post(url(name, key), {"api_key": key_text()})

        assert others
        assert answer.url == url("change", key)
        assert "This key is retired, which is final." in console.get(answer.url).content.decode()

    @pytest.mark.proof("K10")
    def test_a_refused_replacement_changes_nothing_and_is_not_shown(self, console, tenant):
        old, text = key_text(), "sk-admin-" + key_text()[8:]
        key = give_key(tenant, old)

        answer = console.post(url("replace", key), {"api_key": text})

        assert "admin key" in errors_of(answer)
        assert leaks_of(text, answer.content.decode()) == []
        key.refresh_from_db()
        assert open_key(key).reveal() == old

    def test_retiring_names_the_assistants_that_stop(self, console, tenant):
        key = give_key(tenant)
        give_assistant(tenant, key)

        page = console.get(url("retire", key)).content.decode()
        console.post(url("retire", key))

        assert "“Help” has no other key" in page
        key.refresh_from_db()
        assert key.is_retired

    def test_a_retired_key_can_be_looked_at_and_nothing_else(self, console, tenant):
        key = retire_key(key=give_key(tenant), actor=SYSTEM)

        page = console.get(url("change", key))

        assert "for good" in page.content.decode()
        assert "Replace…" not in page.content.decode()
        assert console.post(url("replace", key), {"api_key": key_text()}).status_code == 403

    @pytest.mark.parametrize("name", ["replace", "retire"])
    def test_both_want_the_password_again(self, console, tenant, name):
        key = give_key(tenant)
        forget_password(console)

        answer = console.post(url(name, key), {"api_key": key_text()})

        assert answer.url.startswith("/admin/reauthenticate/")
        key.refresh_from_db()
        assert not key.is_retired

    def test_a_key_is_never_deleted_by_itself(self, console, tenant):
        key = give_key(tenant)

        assert console.post(url("delete", key), {"post": "yes"}).status_code == 403


class TestThePage:
    def test_it_says_in_words_what_is_wrong_and_what_to_do(self, console, tenant):
        key = give_key(tenant)
        give_assistant(tenant, key)
        ApiKey.objects.update(verdict=Verdict.MISSING_SCOPE)
        AssistantKey.objects.update(verdict=Verdict.WORKFLOW_MISSING)

        page = console.get(url("change", key)).content.decode()

        assert "write access to ChatKit" in page
        assert "With" in page
        assert "Help" in page

    def test_reading_needs_no_password_and_changing_does(self, console, tenant):
        key = give_key(tenant)
        forget_password(console)

        assert console.get(url("change", key)).status_code == 200
        assert console.post(url("change", key), {"label": "other"}).url.startswith("/admin/reauthenticate/")

    def test_another_project_asks_for_a_new_check_and_another_label_does_not(self, console, tenant):
        key = give_key(tenant)
        asked = []

        def hear(*, key_id, **_):
            asked.append(key_id)

        key_changed.connect(hear)
        posted(console, url("change", key), label="renamed")
        renamed = list(asked)
        posted(console, url("change", key), project="proj_1")
        key_changed.disconnect(hear)

        assert (renamed, asked) == ([], [key.id])
        assert AuditEvent.objects.filter(action="key:changed").count() == 2


@pytest.mark.proof("K2")
def test_no_page_of_the_console_holds_any_part_of_a_key_or_of_its_token(console, tenant):
    text = key_text()
    key = give_key(tenant, text)
    assistant = give_assistant(tenant, key)
    token = ApiKey.objects.get(pk=key.pk).token
    scope = tenant.user_scope_token
    pages = [reverse("admin:index"), reverse("operations"), reverse("admin:audit_auditevent_changelist")]
    for model, row in (("tenant", tenant), ("apikey", key), ("assistant", assistant)):
        pages += [reverse(f"admin:tenants_{model}_{view}") for view in ("changelist", "add")]
        pages += [reverse(f"admin:tenants_{model}_{view}", args=[row.pk]) for view in ("change", "history", "delete")]
    pages += [url("replace", key), url("retire", key), add_url(tenant)]
    pages += [reverse("admin:tenants_apikey_changelist") + f"?q={text}", f"/admin/tenants/apikey/{text}/change/"]
    autocomplete = "/admin/autocomplete/?app_label=tenants&model_name=assistantkey&field_name=key&term="
    pages += [autocomplete, autocomplete + text]

    for page in pages:
        answer = console.get(page, follow=True)
        shown = answer.content.decode()
        if text in page:
            # What the visitor of the page typed into its address comes back in its search box.
            shown = shown.replace(text, "")
        assert leaks_of(text, shown) == [], page
        for sealed in (token, scope):
            assert sealed not in shown, page
            assert sealed.split(".")[3] not in shown, page


@pytest.mark.proof("K2")
@pytest.mark.parametrize("debug", [True, False])
def test_not_even_a_crash_shows_the_key(superuser, log_in, tenant, settings, debug):
    settings.DEBUG = debug
    text = key_text()
    console = log_in(superuser, client=Client(raise_request_exception=False))

    def fail(**_):
        raise RuntimeError("a listener that breaks")

    key_changed.connect(fail)
    try:
        adding = posted(console, add_url(tenant), label="production", api_key=text)
    finally:
        key_changed.disconnect(fail)

    assert adding.status_code == 500
    assert ("a listener that breaks" in adding.content.decode()) is debug
    assert leaks_of(text, adding.content.decode()) == []
    assert not ApiKey.objects.exists()
