"""The sunset console: who depends on a workflow, what a switch needs, and many switched at once, each by itself."""

import re
from datetime import timedelta

import pytest
from django.contrib.auth.models import Permission, User
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from audit.models import AuditEvent
from audit.record import SYSTEM
from dashboards import sunset_bulk
from dashboards.sunset import countdown, counts
from tenants.keys import retire_key
from tenants.models import AgentVersion, Assistant, AssistantKey, Tenant, Verdict
from tenants.switch import switch_backend
from tests.console.conftest import PASSWORD
from tests.dashboards.ledger import a_request
from tests.tenants.cast import give_assistant, give_key, give_version, register

pytestmark = pytest.mark.django_db


def hosted(name: str = "Alder", *, ready: bool = True) -> Assistant:
    tenant = register(name)
    assistant = give_assistant(tenant, give_key(tenant), workflow_id=f"wf_{name.lower()}")
    if ready:
        give_version(assistant)
        assistant.refresh_from_db()
    return assistant


def page(client: Client, query: str = "") -> str:
    return client.get(reverse("sunset") + query).content.decode()


def words(html: str) -> str:
    return " ".join(re.sub(r"<[^>]+>", " ", html).split())


def choose(client: Client, deed: str, *assistants: Assistant, **more: str) -> str:
    """The confirmation page's words."""
    data = {"deed": deed, "chosen": [str(each.pk) for each in assistants], **more}
    return words(client.post(reverse("sunset-choose"), data, follow=True).content.decode())


def go_on(client: Client, **more: str) -> str:
    job = client.session["sunset_job"]["id"]
    return words(client.post(reverse("sunset-bulk"), {"job": job, **more}, follow=True).content.decode())


def test_an_assistant_on_a_workflow_stands_there_with_its_traffic_its_error_and_what_is_missing(
    console: Client,
) -> None:
    alder = hosted(ready=False)
    now = timezone.now()
    for ago, amount in ((timedelta(hours=1), 3), (timedelta(days=3), 4), (timedelta(days=9), 50)):
        a_request(now - ago, tenant=alder.tenant, assistant_slug=alder.slug, count=amount)
    a_request(
        now - timedelta(hours=2),
        "tenant_misconfigured",
        reason="workflow_missing",
        tenant=alder.tenant,
        assistant_slug=alder.slug,
    )
    AssistantKey.objects.update(verdict=Verdict.WORKFLOW_MISSING)

    told = words(page(console))

    assert "wf_alder" in told
    assert "3 · 7" in told
    assert "last refused 2" in told
    assert "Version none yet: Prepare writes a draft" in told
    assert "Key “production” can be used" in told
    assert counts().failing == 1


def test_a_platforms_own_assistant_is_not_stranded(console: Client) -> None:
    tenant = register()
    give_assistant(tenant, give_key(tenant), workflow_id="", backend="platform")

    assert "No assistant depends on a workflow any more." in words(page(console))


@pytest.mark.parametrize(
    ("before", "sentence"),
    [(6, "6 days left, until"), (1, "1 day left, until"), (0, "retired since"), (-40, "retired since")],
)
def test_the_days_are_counted_down_and_then_it_is_retired(settings, before: int, sentence: str) -> None:
    assert countdown(settings.SUNSET_DATE - timedelta(days=before)).sentence.startswith(sentence)


def test_one_is_prepared_published_and_switched_and_rolled_back(console: Client) -> None:
    alder = hosted(ready=False)

    assert "Model" in choose(console, "prepare", alder)
    go_on(console, model="gpt-5-mini")
    assert AgentVersion.objects.get(assistant=alder, number=None).model == "gpt-5-mini"
    choose(console, "publish", alder)
    go_on(console)
    choose(console, "switch", alder)
    assert "1 of 1" in go_on(console)
    alder.refresh_from_db()
    assert alder.backend == "platform"
    assert "Switched to this platform (1)" in words(page(console))
    choose(console, "roll_back", alder)
    go_on(console)

    alder.refresh_from_db()
    assert alder.backend == "hosted_workflow"
    actions = set(AuditEvent.objects.filter(actor="ada").values_list("action", flat=True))
    assert {"version:drafted", "version:published", "assistant:backend_switched"} <= actions


def test_the_confirmation_names_who_would_be_refused_and_why_and_the_others_go_on(console: Client) -> None:
    ready, unwritten, keyless = hosted("Alder"), hosted("Birch", ready=False), hosted("Cedar")
    retire_key(key=keyless.keys.get(), actor=SYSTEM)

    told = choose(console, "switch", ready, unwritten, keyless)
    after = go_on(console)

    assert "2 of 3 would be refused" in told
    assert "Birch · Help : Version: none yet" in told
    assert "Cedar · Help : Key: none in use" in told
    assert Assistant.objects.filter(backend="platform").get() == ready
    assert "No version is published" in after
    assert "It has no key in use" in after


def test_many_are_done_in_steps_and_whoever_was_cut_off_goes_on_and_nothing_is_done_twice(
    console: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sunset_bulk, "STEP", 2)
    chosen = [hosted(name) for name in ("Alder", "Birch", "Cedar", "Damson", "Elder")]
    choose(console, "switch", every="1")
    go_on(console)
    # Killed after the deed and before the page's answer was kept: the third is done, and the job does not know it.
    switch_backend(assistant=chosen[2], to="platform", actor=SYSTEM)

    assert "Switch: 2 of 5 done" in words(page(console))
    assert "4 of 5" in go_on(console)
    told = go_on(console)

    assert "5 of 5" in told
    assert "Cedar · Help unchanged" in told
    assert Assistant.objects.filter(backend="platform").count() == 5
    assert AuditEvent.objects.filter(action="assistant:backend_switched").count() == 5


def test_rolling_back_twice_does_not_lead_forward_again(console: Client) -> None:
    alder = hosted()
    switch_backend(assistant=alder, to="platform", actor=SYSTEM)
    for _ in range(2):
        choose(console, "roll_back", alder)
        go_on(console)

    alder.refresh_from_db()
    assert alder.backend == "hosted_workflow"


def test_a_step_of_another_choice_does_nothing(console: Client) -> None:
    alder = hosted()
    choose(console, "switch", alder)

    told = words(console.post(reverse("sunset-bulk"), {"job": "other"}, follow=True).content.decode())

    assert "Nothing was done" in told
    assert not Assistant.objects.filter(backend="platform").exists()


def test_the_password_is_asked_again_before_many_are_changed(console: Client, settings) -> None:
    alder = hosted()
    settings.REAUTHENTICATION_LIFETIME = timedelta(0)

    answer = console.post(reverse("sunset-choose"), {"one": f"switch:{alder.pk}"}, follow=True)

    assert answer.redirect_chain[-1][0].startswith(reverse("reauthenticate"))


def test_who_may_only_look_sees_the_list_and_changes_nothing(log_in) -> None:
    alder = hosted()
    vera = User.objects.create_user("vera", "", PASSWORD, is_staff=True)
    vera.user_permissions.set(Permission.objects.filter(codename="view_assistant"))
    client = log_in(vera)

    assert "wf_alder" in page(client)
    assert "Switch…" not in page(client)
    assert client.post(reverse("sunset-choose"), {"one": f"switch:{alder.pk}"}).status_code == 403
    assert client.post(reverse("sunset-bulk"), {}).status_code == 403
    vera.user_permissions.clear()
    assert client.get(reverse("sunset")).status_code == 403


def test_ten_thousand_tenants_are_a_page_of_few_queries(console: Client) -> None:
    switched = hosted("Alder")
    switch_backend(assistant=switched, to="platform", actor=SYSTEM)
    hosted("Birch")
    tenants = Tenant.objects.bulk_create(
        Tenant(name=f"T{n}", slug=f"t{n}", public_id=f"tn_{n:028d}", user_scope_token="not opened here")
        for n in range(10_000)
    )
    Assistant.objects.bulk_create(
        Assistant(tenant=tenant, name="Help", slug="help", workflow_id="wf_1", is_default=True) for tenant in tenants
    )
    page(console)

    with CaptureQueriesContext(connection) as queries:
        told = page(console)

    assert "page 1 of 401" in told
    assert len(queries) <= 12, [query["sql"][:90] for query in queries]


def test_the_operations_page_and_the_tenants_page_lead_here(console: Client) -> None:
    alder = hosted()
    AssistantKey.objects.update(verdict=Verdict.WORKFLOW_MISSING)

    operations = console.get(reverse("operations")).content.decode()
    tenant = console.get(reverse("admin:tenants_tenant_change", args=[alder.tenant_id])).content.decode()

    assert f'{reverse("sunset")}?q=alder">Sunset console' in operations
    assert "On a workflow" in operations
    assert f"{reverse('sunset')}?q=alder" in tenant
