"""T7, I1: an identity opens one chat; with the token that it was good for, the same browser comes back."""

import threading
import time
from collections import Counter
from collections.abc import Callable

import pytest
from django.conf import settings

from audit.record import SYSTEM
from sandbox.testing import Sandbox
from sessions_api.models import LiveSession, SessionRequest
from tenants.identity_keys import retire_identity_key
from tests.platform_server import Platform, running_platform
from tests.proof.plugin import Proof
from tests.sessions_api.cast import environment_for
from tests.sessions_api.signed import give_signer, open_signed_shop


def at_once(deed: Callable[[int], str], times: int) -> Counter[str]:
    barrier, told = threading.Barrier(times), []

    def run(number: int) -> None:
        barrier.wait()
        told.append(deed(number))

    threads = [threading.Thread(target=run, args=[number]) for number in range(times)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return Counter(told)


@pytest.mark.proof("T7")
def test_a_stolen_identity_opens_nothing_and_the_browser_that_used_it_goes_on(
    platform: Platform, sandbox: Sandbox
) -> None:
    shop = open_signed_shop(sandbox)
    identity = shop.sign()
    theirs = shop.ask(platform, identity=identity).json["visitor_token"]
    thief = shop.ask(platform).json["visitor_token"]
    neighbour = shop.ask(platform, identity=shop.sign(sub="user-43")).json["visitor_token"]
    same_person = shop.ask(platform, identity=shop.sign()).json["visitor_token"]
    before = len(sandbox.creates())

    stolen = [
        shop.ask(platform, identity=identity, visitor=visitor)
        for visitor in (None, thief, neighbour, same_person, theirs[:-1], "")
    ]
    rows = SessionRequest.objects.filter(outcome="identity_invalid").values_list("reason", flat=True)
    refused = len(sandbox.creates())
    reloads = [shop.ask(platform, identity=identity, visitor=theirs) for _ in range(2)]

    assert [answer.code for answer in stolen] == ["identity_invalid"] * 6
    assert list(rows) == ["jwt_replayed"] * 6
    assert refused == before
    assert [answer.status for answer in reloads] == [200, 200]
    assert len({call["user"] for call in sandbox.creates()[before:]}) == 1


@pytest.mark.proof("T7")
def test_the_answer_of_a_reload_keeps_the_identity_good_for_the_next_one(platform: Platform, sandbox: Sandbox) -> None:
    shop = open_signed_shop(sandbox, "required")
    identity, visitor = shop.sign(), None

    for _ in range(4):
        answer = shop.ask(platform, identity=identity, visitor=visitor)
        visitor = answer.json["visitor_token"]

    assert answer.status == 200
    assert len({call["user"] for call in sandbox.creates()}) == 1


@pytest.mark.proof("T7")
def test_of_many_requests_at_once_with_one_identity_exactly_one_is_granted(
    platform: Platform, sandbox: Sandbox, proof: Proof
) -> None:
    shop = open_signed_shop(sandbox)
    shop.ask(platform)
    sandbox.set_latency(100)
    rounds = proof.size(reduced=3, full=25)

    for number in range(rounds):
        identity = shop.sign(sub=f"user-{number}")
        told = at_once(lambda _, token=identity: shop.ask(platform, identity=token).code, 8)
        assert told == {"granted": 1, "identity_invalid": 7}
    assert len(sandbox.creates()) == rounds + 1


@pytest.mark.proof("T7")
def test_of_many_requests_at_two_processes_exactly_one_is_granted(
    on_services: None, transactional_db: None, sandbox: Sandbox, proof: Proof
) -> None:
    shop = open_signed_shop(sandbox)
    environment = environment_for(sandbox) | {"REDIS_URL": settings.REDIS_URL}
    with running_platform(**environment) as one, running_platform(**environment) as other:
        for number in range(proof.size(reduced=5, full=50)):
            identity = shop.sign(sub=f"user-{number}")
            told = at_once(lambda turn, token=identity: shop.ask((one, other)[turn % 2], identity=token).code, 8)
            assert told == {"granted": 1, "identity_invalid": 7}


@pytest.mark.proof("T7")
def test_what_opened_nothing_may_be_shown_again(platform: Platform, sandbox: Sandbox) -> None:
    shop = open_signed_shop(sandbox)
    shop.ask(platform)
    identity = shop.sign()
    sandbox.set_host("down")

    failed = shop.ask(platform, identity=identity)
    sandbox.set_host("up")

    assert failed.code == "upstream_unavailable"
    assert shop.ask(platform, identity=identity).status == 200


@pytest.mark.proof("T7")
def test_what_a_limit_stopped_may_be_shown_again(platform: Platform, sandbox: Sandbox) -> None:
    shop = open_signed_shop(sandbox, sessions_per_minute_per_visitor=1)
    identity = shop.sign()
    shop.ask(platform, identity=shop.sign())
    limited = shop.ask(platform, identity=identity)
    shop.switch(platform, sessions_per_minute_per_visitor=100)

    assert limited.code == "rate_limited"
    assert shop.ask(platform, identity=identity).status == 200


@pytest.mark.proof("T8")
def test_a_retired_key_takes_back_within_two_seconds_what_it_vouched_for(platform: Platform, sandbox: Sandbox) -> None:
    shop = open_signed_shop(sandbox, "required")
    other, _ = give_signer(shop.shop.tenant, label="new")
    by_old = shop.ask(platform, identity=shop.sign()).json["visitor_token"]
    shop.signer, old = other, shop.signer
    by_new = shop.ask(platform, identity=shop.sign()).json["visitor_token"]

    retire_identity_key(key=shop.key, actor=SYSTEM)
    time.sleep(2)

    assert shop.ask(platform, visitor=by_old).code == "identity_required"
    assert shop.ask(platform, visitor=by_new).status == 200
    shop.signer = old
    assert shop.ask(platform, identity=shop.sign()).code == "identity_invalid"
    assert len({call["user"] for call in sandbox.creates()}) == 1


@pytest.mark.proof("T8")
def test_a_key_that_is_retired_during_the_call_to_openai_opens_nothing(platform: Platform, sandbox: Sandbox) -> None:
    shop = open_signed_shop(sandbox)
    shop.ask(platform)
    sandbox.set_latency(2_500)
    told: list[str] = []
    visitor = threading.Thread(target=lambda: told.append(shop.ask(platform, identity=shop.sign()).code))

    visitor.start()
    time.sleep(0.4)
    retire_identity_key(key=shop.key, actor=SYSTEM)
    visitor.join()

    assert told == ["platform_unavailable"]
    assert LiveSession.objects.count() == 1


def test_a_preview_is_anonymous_where_everybody_else_must_sign_in(platform: Platform, sandbox: Sandbox) -> None:
    from gateway.preview_tickets import mint_preview_ticket

    shop = open_signed_shop(sandbox, "required")
    ticket = mint_preview_ticket(tenant_public_id=shop.public_id, assistant_slug="help", now=int(time.time()))

    answer = platform.post_session(
        shop.public_id, origin=settings.PREVIEW_ORIGIN, headers={"X-Preview-Ticket": ticket}, body={"assistant": "help"}
    )

    assert answer.status == 200
    assert SessionRequest.objects.get().visitor_kind == "anon"
