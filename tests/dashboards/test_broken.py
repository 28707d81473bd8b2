"""Nobody who gets no session may be missing from “Who is broken now”."""

from datetime import UTC, datetime, timedelta

import pytest
from django.db import connection
from django.test import RequestFactory
from django.test.utils import CaptureQueriesContext

from console.cards import Tone
from dashboards.broken import Gap, who_is_broken
from dashboards.cards import platform_cards
from dashboards.key_figures import NO_KEY, key_states, tenants_by_state, worst_states
from tenants.models import AllowedDomain, AssistantKey, TenantState, Verdict
from tests.dashboards.ledger import a_key, a_request, a_tenant, an_assistant

NOW = datetime(2026, 11, 23, 12, 30, tzinfo=UTC)

pytestmark = pytest.mark.django_db


def told() -> list[tuple[str, str, str]]:
    return [(broken.tenant.slug, broken.reach, broken.verdict.value) for broken in who_is_broken()]


def test_the_broken_are_listed_with_words_and_a_refused_key_once() -> None:
    tenant = a_tenant()
    key = a_key(tenant, verdict=Verdict.INVALID_KEY, verdict_since=NOW)
    well = a_key(tenant, label="well", verdict=Verdict.HEALTHY)
    a_key(tenant, label="retired", verdict=Verdict.INVALID_KEY, retired_at=NOW)
    a_key(a_tenant("birch", state=TenantState.SUSPENDED), verdict=Verdict.BILLING)
    an_assistant(tenant, key, well)
    AssistantKey.objects.filter(key=key).update(verdict=Verdict.INVALID_KEY)

    broken = who_is_broken()

    assert [each.key_id for each in broken] == [key.pk]
    assert "replace" in broken[0].words.cure


def test_a_tenant_whose_keys_are_all_retired_has_no_usable_key() -> None:
    tenant = a_tenant()
    old = a_key(tenant, label="old", verdict=Verdict.HEALTHY, retired_at=NOW - timedelta(days=9))
    an_assistant(tenant, old, a_key(tenant, verdict=Verdict.HEALTHY, retired_at=NOW))

    (broken,) = who_is_broken()

    assert (broken.verdict, broken.reach, broken.key, broken.since) == (Gap.NO_KEY, "every one", "", NOW)
    assert broken.words.title == "no usable key"
    assert "Add a key" in broken.words.cure


def test_an_assistant_without_a_key_in_use_is_named_beside_others_that_have_one() -> None:
    tenant = a_tenant()
    an_assistant(tenant, a_key(tenant, verdict=Verdict.HEALTHY))
    an_assistant(tenant, slug="never", is_default=False)
    an_assistant(tenant, a_key(tenant, label="old", retired_at=NOW), slug="no-more", is_default=False)

    assert told() == [("alder", "Never", "no_key"), ("alder", "No-More", "no_key")]


def test_a_tenant_in_use_without_a_default_assistant_is_listed() -> None:
    alder, birch, cedar = a_tenant("alder"), a_tenant("birch"), a_tenant("cedar")
    an_assistant(alder, a_key(alder, verdict=Verdict.HEALTHY), is_default=False)
    a_key(birch, verdict=Verdict.HEALTHY)
    AllowedDomain.objects.create(tenant=birch, host="birch.example")
    a_key(cedar, verdict=Verdict.HEALTHY)

    assert told() == [("alder", "–", "no_default_assistant"), ("birch", "–", "no_default_assistant")]


def test_who_can_open_no_chat_at_all_comes_first() -> None:
    alder, birch = a_tenant("alder"), a_tenant("birch")
    an_assistant(alder, a_key(alder, verdict=Verdict.DEGRADED), is_default=False)
    an_assistant(birch, a_key(birch, retired_at=NOW))

    assert [verdict for _, _, verdict in told()] == ["no_key", "no_default_assistant", "degraded"]


def test_a_tenant_that_was_never_set_up_is_not_broken_until_somebody_asks_it_for_a_session() -> None:
    tenant = a_tenant()
    an_assistant(tenant)
    assert told() == []

    a_request(NOW, "tenant_misconfigured", reason="no_key", tenant=tenant)

    assert told() == [("alder", "every one", "no_key")]


@pytest.mark.parametrize("state", [TenantState.SUSPENDED, TenantState.DELETING])
def test_tenants_out_of_use_have_no_gaps(state: TenantState) -> None:
    tenant = a_tenant(state=state)
    an_assistant(tenant, a_key(tenant, retired_at=NOW))

    assert told() == []


def test_a_degraded_key_does_not_hide_its_condemned_pair() -> None:
    tenant = a_tenant()
    key = a_key(tenant, verdict=Verdict.DEGRADED)
    an_assistant(tenant, key)
    AssistantKey.objects.update(verdict=Verdict.WORKFLOW_MISSING)

    assert told() == [("alder", "Helper", "workflow_missing"), ("alder", "every one", "degraded")]


def test_what_may_mend_itself_does_not_push_a_refused_key_out_of_the_list() -> None:
    tenant = a_tenant()
    for number in range(5):
        a_key(tenant, label=f"slow {number}", verdict=Verdict.THROTTLED, verdict_since=NOW - timedelta(days=1))
    a_key(tenant, verdict=Verdict.INVALID_KEY, verdict_since=NOW)

    assert who_is_broken(most=3)[0].verdict == Verdict.INVALID_KEY


def test_a_pair_of_a_condemned_key_counts_as_condemned() -> None:
    tenant = a_tenant()
    an_assistant(tenant, a_key(tenant, verdict=Verdict.INVALID_KEY), a_key(tenant, label="b", verdict=Verdict.HEALTHY))

    counted = {state.verdict: (state.keys, state.pairs) for state in key_states()}

    assert counted == {Verdict.INVALID_KEY: (1, 1), Verdict.HEALTHY: (1, 1)}


def test_each_active_tenant_counts_once_by_the_worst_state_of_its_keys() -> None:
    alder, birch, cedar = a_tenant("alder"), a_tenant("birch"), a_tenant("cedar", state=TenantState.SUSPENDED)
    a_key(alder, verdict=Verdict.HEALTHY)
    a_key(alder, label="b", verdict=Verdict.BILLING)
    an_assistant(birch, a_key(birch, verdict=Verdict.HEALTHY))
    AssistantKey.objects.update(verdict=Verdict.WORKFLOW_MISSING)
    a_key(cedar, verdict=Verdict.INVALID_KEY)
    a_key(a_tenant("dogwood"), verdict=Verdict.INVALID_KEY, retired_at=NOW)

    counted = [(each.state, each.tenants) for each in tenants_by_state()]

    assert counted == [("billing", 1), ("workflow_missing", 1), (NO_KEY, 1)]
    assert worst_states()[cedar.pk] == Verdict.INVALID_KEY


def test_figures_of_keys_cost_the_same_queries_however_many_tenants_there_are() -> None:
    for number in range(7):
        tenant = a_tenant(f"t{number}")
        an_assistant(tenant, a_key(tenant, retired_at=NOW if number % 2 else None, verdict=Verdict.INVALID_KEY))
        an_assistant(tenant, slug="other", is_default=False)

    with CaptureQueriesContext(connection) as of_broken:
        [(broken.words, broken.tone, str(broken.tenant), broken.reach) for broken in who_is_broken()]
    with CaptureQueriesContext(connection) as of_states:
        tenants_by_state()

    assert (len(of_broken), len(of_states)) == (4, 3)


def test_the_first_page_gives_no_all_clear_where_a_tenant_has_no_usable_key(admin_user: object) -> None:
    request = RequestFactory().get("/admin/")
    request.user = admin_user  # type: ignore[assignment]
    tenant = a_tenant()
    key = a_key(tenant, verdict=Verdict.HEALTHY)
    an_assistant(tenant, key)
    before = {card.label: card for card in platform_cards(request)}
    type(key).objects.update(retired_at=NOW)

    after = {card.label: card for card in platform_cards(request)}

    assert (before["Tenants left unserved"].value, before["Tenants left unserved"].tone) == ("0", Tone.OK)
    assert (after["Tenants left unserved"].value, after["Tenants left unserved"].tone) == ("1", Tone.BAD)
    assert after["Tenants left unserved"].url == "/admin/operations/"
