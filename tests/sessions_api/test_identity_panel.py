"""What a tenant's page says of its signed visitors: what the mode would refuse, and what the ledger's page says of each."""

from datetime import timedelta

import pytest
from django.urls import reverse
from django.utils import timezone

from audit.record import SYSTEM
from console.groups import setup_groups
from sessions_api.identity_share import identity_share
from sessions_api.models import SessionRequest
from sessions_api.outcome_words import identity_in_words
from tenants.models import IdentityKey
from tests.gateway.signing import two_signers
from tests.sessions_api.signed import change_tenant, give_signer
from tests.tenants.cast import register

pytestmark = pytest.mark.django_db


@pytest.fixture
def tenant(db):
    return register()


@pytest.fixture
def operator(client, django_user_model):
    setup_groups(actor=SYSTEM)
    user = django_user_model.objects.create_user("otto", is_staff=True)
    user.groups.set(user.groups.model.objects.filter(name="Operators"))
    client.force_login(user)
    return client


def page_of(operator, tenant):
    return operator.get(reverse("admin:tenants_tenant_change", args=[tenant.pk])).content.decode()


def requests(tenant, identity, times=1, **fields):
    for _ in range(times):
        row = {"at": timezone.now(), "outcome": "granted", "tenant_id": tenant.pk, "identity": identity}
        SessionRequest.objects.create(**(row | fields))


def test_the_share_counts_seven_days_of_this_tenant_s_requests(tenant):
    requests(tenant, "ok", 5)
    requests(tenant, "jwt_missing", 3)
    requests(tenant, "jwt_audience", count=1)
    requests(tenant, "jwt_expired", 1)
    requests(tenant, "jwt_expired", 1, outcome="rate_limited")
    requests(tenant, "jwt_expired", at=timezone.now() - timedelta(days=8))
    requests(tenant, "")
    requests(tenant, "ok", is_preflight=True)
    requests(register("Birch"), "jwt_expired")

    share = identity_share(tenant)

    assert (share.good, share.missing, share.bad, share.total) == (5, 3, 3, 11)
    assert [(row.reason, row.count) for row in share.refused] == [("jwt_expired", 2), ("jwt_audience", 1)]
    assert (share.by_optional, share.by_required) == ("27.3 %", "54.5 %")


def test_while_only_reporting_the_page_says_what_would_be_refused_and_why(operator, tenant):
    change_tenant(tenant, identity_mode="report_only")
    nothing_yet = page_of(operator, tenant)
    requests(tenant, "ok", 3)
    requests(tenant, "jwt_lifetime", 1)

    page = page_of(operator, tenant)

    assert "nothing to tell yet" in nothing_yet
    assert "<strong>25.0 %</strong>" in page
    assert "jwt_lifetime" in page
    assert "more than ten minutes" in page


def test_keys_are_listed_with_what_they_are_good_for(operator, tenant):
    give_signer(tenant, label="one that counts")
    give_signer(tenant, "EdDSA", label="one that waits")

    page = page_of(operator, tenant)

    assert "one that counts" in page
    assert "waits: signature is HS256" in page
    assert two_signers("EdDSA")[0].pem.splitlines()[1] not in page
    assert IdentityKey.objects.get(label="one that counts").token not in page


@pytest.mark.parametrize(
    ("mode", "says"), [("optional", "every signed visitor is refused"), ("required", "nobody can open")]
)
def test_a_mode_that_refuses_everybody_for_want_of_a_key_says_so(operator, tenant, mode, says):
    change_tenant(tenant, identity_mode=mode)

    assert says in page_of(operator, tenant)


@pytest.mark.parametrize(
    ("kind", "identity", "says"),
    [
        ("known", "ok", "known by a signed identity"),
        ("known", "kept", "named by its visitor token now"),
        ("anon", "", "anonymous"),
        ("", "jwt_expired", "The token has expired."),
    ],
)
def test_the_page_of_a_request_says_who_it_was_and_what_became_of_the_identity(operator, tenant, kind, identity, says):
    requests(tenant, identity, visitor_kind=kind, outcome="granted" if kind else "identity_invalid", reason=identity)
    row = SessionRequest.objects.get()

    page = operator.get(reverse("admin:sessions_api_sessionrequest_change", args=[row.pk])).content.decode()

    assert says in page
    assert operator.get(reverse("admin:sessions_api_sessionrequest_changelist")).status_code == 200


def test_what_this_release_does_not_know_is_shown_as_it_stands():
    assert identity_in_words("of_tomorrow") == "of_tomorrow"
