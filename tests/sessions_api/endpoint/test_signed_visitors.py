"""T6, T7: whom the tenant's own server vouches for, in every mode, and that nobody else becomes that visitor."""

import time

import pytest

from gateway.visitor_tokens import Visitor, VisitorKind, mint_visitor_token, read_visitor_token
from sandbox.testing import Sandbox
from sessions_api.identify import KNOWN_LIFETIME
from sessions_api.models import SessionRequest, VisitorLink
from tests.gateway.refused_tokens import CASES, Scene
from tests.gateway.signing import two_signers
from tests.platform_server import Platform
from tests.sessions_api.signed import SignedShop, open_signed_shop

MODES = ("off", "report_only", "optional", "required")


def users(sandbox: Sandbox) -> list[str]:
    return [call["user"] for call in sandbox.creates()]


def last_row() -> SessionRequest:
    return SessionRequest.objects.latest("at")


def aged(shop: SignedShop, token: str, seconds: int) -> str:
    """The same visitor's token as it was so long ago."""
    rules = {"tenant_public_id": shop.public_id, "epoch": 0}
    read = read_visitor_token(token, **rules, now=int(time.time()))
    return mint_visitor_token(read.visitor, **rules, now=read.issued_at - seconds, proof=read.proof)


@pytest.mark.proof("T6")
def test_a_visitor_is_the_same_one_by_every_token_that_names_it(platform: Platform, sandbox: Sandbox) -> None:
    shop = open_signed_shop(sandbox)

    answers = [shop.ask(platform, identity=shop.sign(sub=sub)) for sub in ("a", "a", "b", "a ")]

    assert [answer.status for answer in answers] == [200] * 4
    first, again, other, blank = users(sandbox)
    assert first == again
    assert len({first, other, blank}) == 3
    rows = SessionRequest.objects.order_by("at")
    assert [(row.visitor_kind, row.identity) for row in rows] == [("known", "ok")] * 4
    assert len({row.visitor_ref for row in rows}) == 3
    assert set(VisitorLink.objects.values_list("user", "ref")) == {
        (user, row.visitor_ref) for user, row in zip(users(sandbox), rows, strict=True)
    }


@pytest.mark.proof("T6")
def test_one_name_at_two_tenants_is_two_visitors(platform: Platform, sandbox: Sandbox) -> None:
    alder, birch = open_signed_shop(sandbox), open_signed_shop(sandbox, name="Birch")

    for shop in (alder, birch):
        assert shop.ask(platform, identity=shop.sign()).status == 200

    assert len({user.rpartition(".")[2] for user in users(sandbox)}) == 2


@pytest.mark.proof("T7")
@pytest.mark.parametrize("algorithm", ["HS256", "EdDSA", "RS256"])
def test_every_token_that_must_be_refused_is_refused_at_the_endpoint(
    algorithm: str, platform: Platform, sandbox: Sandbox, proof
) -> None:
    shop = open_signed_shop(sandbox, "required", algorithm=algorithm)
    other = open_signed_shop(sandbox, "required", algorithm=algorithm, name="Birch")
    stranger = other.signer if algorithm == "HS256" else two_signers(algorithm)[1]
    scene = Scene(shop.public_id, other.public_id, int(time.time()), shop.signer, stranger)
    cases = [case for case in CASES if case.algorithm == algorithm]

    told = {str(case): shop.ask(platform, identity=case.make(scene)).code for case in cases}
    written = list(SessionRequest.objects.order_by("at").values_list("outcome", "reason", "identity"))

    proof.record(**{f"refused_{algorithm}": len(cases)})
    assert {name: code for name, code in told.items() if code != "identity_invalid"} == {}
    assert written == [("identity_invalid", case.reason.value, case.reason.value) for case in cases]
    assert sandbox.creates() == []
    assert shop.ask(platform, identity=scene.good()).status == 200


@pytest.mark.proof("T6")
@pytest.mark.parametrize("mode", MODES)
def test_what_each_mode_makes_of_each_credential(mode: str, platform: Platform, sandbox: Sandbox) -> None:
    shop = open_signed_shop(sandbox, "optional")
    anonymous = shop.ask(platform).json["visitor_token"]
    known = shop.ask(platform, identity=shop.sign()).json["visitor_token"]
    their_user = dict(zip(("anonymous", "known"), users(sandbox), strict=True))
    shop.switch(platform, identity_mode=mode)

    def ask(**credentials: str) -> str:
        before = len(sandbox.creates())
        answer = shop.ask(platform, **credentials)
        made = users(sandbox)[before:]
        if answer.status != 200:
            return answer.code
        return next((name for name, user in their_user.items() if user in made), "somebody new")

    found = {
        "nothing": ask(),
        "an anonymous token": ask(visitor=anonymous),
        "a known token": ask(visitor=known),
        "a known token of yesterday": ask(visitor=aged(shop, known, KNOWN_LIFETIME + 5)),
        "a good identity": ask(identity=shop.sign()),
        "a good identity and an anonymous token": ask(identity=shop.sign(), visitor=anonymous),
        "a bad identity": ask(identity=shop.sign(sub=None)),
        "a bad identity and a known token": ask(identity=shop.sign(exp=None), visitor=known),
        "an empty identity": ask(identity=""),
    }

    enforced = {
        "a known token": "known",
        "a good identity": "known",
        "a good identity and an anonymous token": "known",
        "a bad identity": "identity_invalid",
        "a bad identity and a known token": "identity_invalid",
        "an empty identity": "identity_invalid",
    }
    expected = dict.fromkeys(found, "somebody new") | {
        "an anonymous token": "anonymous",
        "a good identity and an anonymous token": "anonymous",
    }
    if mode == "optional":
        expected |= enforced
    if mode == "required":
        expected = dict.fromkeys(found, "identity_required") | enforced
    assert found == expected


@pytest.mark.proof("T6")
def test_a_verified_visitor_s_history_is_reached_unverified_after_no_switch_of_mode(
    platform: Platform, sandbox: Sandbox
) -> None:
    """Whoever was known keeps every token that any mode ever gave; none leads back without being vouched for."""
    shop = open_signed_shop(sandbox, "required")
    known = shop.ask(platform, identity=shop.sign()).json["visitor_token"]
    their_user = users(sandbox)[0]
    given: list[str] = []

    for mode in ("off", "report_only", "optional", "off", "required", "report_only", "required", "optional"):
        shop.switch(platform, identity_mode=mode)
        before = len(sandbox.creates())
        answers = [shop.ask(platform, visitor=token) for token in (None, *given, aged(shop, known, KNOWN_LIFETIME))]
        unverified = users(sandbox)[before:]
        by_known = shop.ask(platform, visitor=known)
        given += [answer.json["visitor_token"] for answer in (*answers, by_known) if answer.status == 200][:3]

        assert their_user not in unverified, mode
        assert (users(sandbox)[-1] == their_user) == (mode in ("optional", "required")), mode
        if mode in ("optional", "required"):
            given.pop()


@pytest.mark.proof("T6")
def test_a_known_token_slides_for_a_day_from_its_last_use(platform: Platform, sandbox: Sandbox) -> None:
    shop = open_signed_shop(sandbox, "required")
    token = shop.ask(platform, identity=shop.sign()).json["visitor_token"]

    for _ in range(3):
        answer = shop.ask(platform, visitor=aged(shop, token, KNOWN_LIFETIME - 60))
        token = answer.json["visitor_token"]

    assert answer.status == 200
    assert len(set(users(sandbox))) == 1
    assert len(set(SessionRequest.objects.values_list("visitor_ref", flat=True))) == 1
    assert last_row().identity == "kept"


@pytest.mark.proof("T6")
def test_the_token_given_for_an_identity_is_a_known_visitor_s_with_a_pseudonym(
    platform: Platform, sandbox: Sandbox
) -> None:
    shop = open_signed_shop(sandbox)

    token = shop.ask(platform, identity=shop.sign(sub="Zoë")).json["visitor_token"]

    read = read_visitor_token(token, tenant_public_id=shop.public_id, epoch=0, now=int(time.time()))
    pseudonym = bytes.fromhex(VisitorLink.objects.get().pseudonym)
    assert read.visitor == Visitor(VisitorKind.KNOWN, "Zoë".encode(), pseudonym)


def test_a_row_names_nobody(platform: Platform, sandbox: Sandbox) -> None:
    shop = open_signed_shop(sandbox, "required", identity_claims=["plan"])
    token = shop.sign(sub="ada@example.com", plan="gold-plan")

    shop.ask(platform, identity=token)
    shop.ask(platform, identity=token)

    rows = str(list(SessionRequest.objects.values())) + str(list(VisitorLink.objects.values()))
    assert not [word for word in ("ada@example", "gold-plan", token, token.split(".")[1]) if word in rows]
    assert not [word for word in ("ada@example", "gold-plan", token.split(".")[1][:20]) if word in platform.log]


def test_while_only_reporting_everybody_stays_anonymous_and_the_ledger_says_what_would_be(
    platform: Platform, sandbox: Sandbox
) -> None:
    shop = open_signed_shop(sandbox, "report_only", identity_claims=["plan"])

    answers = [
        shop.ask(platform, identity=identity)
        for identity in (shop.sign(plan="gold"), shop.sign(aud="tn_other"), shop.sign(jti=None), None)
    ]

    assert [answer.status for answer in answers] == [200] * 4
    rows = list(SessionRequest.objects.order_by("at").values_list("visitor_kind", "identity"))
    assert rows == [(("anon"), said) for said in ("ok", "jwt_audience", "jwt_jti_missing", "jwt_missing")]
    assert len(set(users(sandbox))) == 4
    assert all("state_variables" not in call["body"]["workflow"] for call in sandbox.creates())


@pytest.mark.proof("T6")
def test_listed_claims_and_nothing_else_reach_the_workflow(platform: Platform, sandbox: Sandbox) -> None:
    shop = open_signed_shop(sandbox, identity_claims=["plan", "age", "beta", "roles", "absent"])
    payload = {
        "plan": "gold",
        "age": 41,
        "beta": True,
        "roles": ["admin"],
        "email": "a@example.com",
        "workflow": {"id": "wf_other"},
        "user": "v1.someone",
        "expires_after": 1,
        "state_variables": {"admin": True},
    }
    token = shop.ask(platform).json["visitor_token"]

    shop.ask(platform, identity=shop.sign(**payload), visitor=token)

    plain, signed = (call["body"] for call in sandbox.creates())
    assert signed["workflow"].pop("state_variables") == {"plan": "gold", "age": 41, "beta": True}
    assert {**signed, "user": ""} == {**plain, "user": ""}


def test_a_known_visitor_whom_the_limit_of_new_ones_refused_is_a_new_one_when_it_tries_again(
    platform: Platform, sandbox: Sandbox
) -> None:
    shop = open_signed_shop(sandbox, new_visitors_per_minute=1)
    let_in = shop.ask(platform, identity=shop.sign(sub="a"))

    refused = [shop.ask(platform, identity=shop.sign(sub="b")) for _ in range(2)]
    again = shop.ask(platform, identity=shop.sign(sub="a"))

    assert (let_in.status, again.status) == (200, 200)
    assert [answer.code for answer in refused] == ["rate_limited"] * 2
    assert len(set(SessionRequest.objects.filter(outcome="rate_limited").values_list("visitor_ref", flat=True))) == 1
