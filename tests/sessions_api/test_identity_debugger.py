"""The debugger says of a pasted token what the endpoint would say, and keeps nothing of it."""

import re
import time

import pytest
from django.urls import reverse
from django.utils.html import escape

from audit.models import AuditEvent
from audit.record import SYSTEM
from console.groups import setup_groups
from gateway.identity_refusals import IdentityRefusal
from gateway.identity_tokens import Identity
from sessions_api.identity_debugger import examine
from tenants.identity_keys import retire_identity_key
from tests.gateway.refused_tokens import CASES, Scene
from tests.gateway.signing import claims, two_signers
from tests.sessions_api.signed import change_tenant, give_signer
from tests.tenants.cast import register
from tests.tenants.leaks import leaks_of

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


def address(tenant):
    return reverse("identity-debugger", args=[tenant.pk])


def sign(signer, tenant, **changes):
    return signer.token(claims(tenant.public_id, int(time.time()), **changes))


@pytest.mark.proof("T7")
@pytest.mark.parametrize("algorithm", ["HS256", "EdDSA", "RS256"])
def test_it_refuses_what_the_endpoint_refuses_for_the_same_reason(tenant, algorithm):
    change_tenant(tenant, identity_algorithm=algorithm)
    tenant.refresh_from_db()
    signer, _ = give_signer(tenant, algorithm)
    scene = Scene(tenant.public_id, "tn_" + "B" * 28, int(time.time()), signer, two_signers(algorithm)[1])

    for case in (case for case in CASES if case.algorithm == algorithm):
        finding = examine(tenant, case.make(scene), now=time.time())

        assert finding.reason == case.reason, case
        assert finding.words is not None


def test_a_good_token_shows_what_it_would_give(operator, tenant):
    change_tenant(tenant, identity_mode="required", identity_claims=["plan", "roles", "locale"])
    signer, key = give_signer(tenant)

    page = operator.post(
        address(tenant), {"token": f" {sign(signer, tenant, sub='Zoë 42', plan='gold <b>', roles=['admin'])}\n"}
    ).content.decode()

    assert "This token would be taken" in page
    assert "<code>Zoë 42</code>" in page
    assert f"the key “{key.label}”" in page
    assert f"<code>plan</code> = <code>{escape('gold <b>')}</code>" in page
    assert "Left out" in page
    assert "<code>roles</code>" in page
    assert "<code>locale</code>" in page
    assert re.search(r"UTC, (300|29\d) s from now", page)


def test_it_works_before_anything_is_switched_on(operator, tenant):
    signer, _ = give_signer(tenant)

    page = operator.post(address(tenant), {"token": sign(signer, tenant)}).content.decode()

    assert "This token would be taken" in page
    assert "every visitor stays anonymous" in page


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"aud": "tn_other"}, "&quot;tn_other&quot;"),
        ({"exp": 1_600_000_000, "iat": 1_600_000_000 - 60}, "2020-09-13 12:26:40 UTC"),
        ({"exp": True}, "true"),
        ({"exp": 10**15, "iat": 10**15 - 1}, "1000000000000000"),
        ({"sub": 42}, "42"),
    ],
)
def test_a_refused_token_shows_the_cure_and_what_it_says_itself(operator, tenant, changes, says):
    signer, _ = give_signer(tenant)

    page = operator.post(address(tenant), {"token": sign(signer, tenant, **changes)}).content.decode()

    assert "This token would be refused" in page
    assert "(not believed)" in page
    assert says in page
    assert any(escape(reason.words.cure) in page for reason in IdentityRefusal)


def test_two_public_keys_say_which_one_vouched(tenant):
    change_tenant(tenant, identity_algorithm="EdDSA")
    tenant.refresh_from_db()
    signer, key = give_signer(tenant, "EdDSA")
    give_signer(tenant, "EdDSA", label="new")

    finding = examine(tenant, sign(signer, tenant), now=time.time())
    retire_identity_key(key=key, actor=SYSTEM)
    after = examine(tenant, sign(signer, tenant), now=time.time())

    assert isinstance(finding.identity, Identity)
    assert finding.identity.key.label == "website"
    assert after.reason == "jwt_signature"


def test_nothing_of_the_token_comes_back_or_stays(operator, tenant, caplog):
    caplog.set_level("DEBUG")
    signer, _ = give_signer(tenant)
    events = AuditEvent.objects.count()
    good, bad = sign(signer, tenant), sign(signer, tenant, aud="tn_other")

    pages = [operator.post(address(tenant), {"token": token}).content.decode() for token in (good, bad)]

    for token in (good, bad):
        _head, payload, signature = token.split(".")
        for text in (*pages, caplog.text):
            assert payload not in text
            assert signature not in text
    assert leaks_of(signer.secret, "".join(pages) + caplog.text) == []
    assert AuditEvent.objects.count() == events


@pytest.mark.parametrize("token", ["", "x", "x" * 5_000, "a.b.c", "\x00", "é.é.é", "x" * 200_000])
def test_no_text_is_a_defect_of_the_page(operator, tenant, token):
    give_signer(tenant)

    answer = operator.post(address(tenant), {"token": token})

    assert answer.status_code == 200
    assert "would be taken" not in answer.content.decode()


def test_only_people_who_may_see_tenants_get_in(client, tenant, django_user_model):
    for page in ("identity-debugger", "identity-code"):
        assert client.get(reverse(page, args=[tenant.pk])).status_code == 302
    client.force_login(django_user_model.objects.create_user("nobody", is_staff=True))
    for page in ("identity-debugger", "identity-code"):
        assert client.get(reverse(page, args=[tenant.pk])).status_code == 403
