"""Public id, tenant, address, origin, method, type, body, assistant, limits, upstream: the first that fails answers."""

from typing import Any

import pytest

from audit.record import SYSTEM
from sandbox.testing import Sandbox
from sessions_api.models import SessionRequest
from tenants.states import suspend_tenant
from tests.platform_server import Answer, Platform, running_platform, session_path
from tests.sessions_api.cast import WORKFLOW, Shop, environment_for, open_shop, someone_elsewhere

TOO_LARGE = b'{"assistant": "' + b"x" * 9000 + b'"}'


def test_a_call_that_is_wrong_in_everything_is_told_one_thing_after_the_other(
    platform: Platform, sandbox: Sandbox, same_site: None
) -> None:
    shop = open_shop(sandbox, sessions_per_minute=1)
    sandbox.set_workflow(WORKFLOW, exists=False)
    forged = shop.public_id[:-1] + ("0" if shop.public_id[-1] != "0" else "1")
    call: dict[str, Any] = {
        "public_id": forged,
        "method": "PUT",
        "headers": {"Origin": "https://stranger.example", "Content-Type": "text/plain"},
        "body": TOO_LARGE,
    }
    told: list[str] = []

    def ask(**cure: Any) -> Answer:
        call.update(cure)
        answer = platform.request(
            call["method"], session_path(call["public_id"]), headers=call["headers"], body=call["body"]
        )
        told.append(answer.code)
        return answer

    ask()
    ask(public_id=shop.public_id)
    refused = ask(headers={"Origin": shop.origin, "Content-Type": "text/plain"})
    ask(method="POST")
    ask(headers={"Origin": shop.origin, "Content-Type": "application/json"})
    ask(body=b'{"assistant": 7}')
    ask(body=b'{"assistant": "nobody", "backends": ["platform"]}')
    ask(body=b'{"backends": ["platform"]}')
    ask(body=b"{}")
    ask(body=b"{}")

    assert told == [
        "tenant_unknown",
        "origin_not_allowed",
        "method_not_allowed",
        "content_type_invalid",
        "body_too_large",
        "body_invalid",
        "assistant_unknown",
        "integration_outdated",
        "tenant_misconfigured",
        "rate_limited",
    ]
    assert refused.headers["allow"] == "POST, OPTIONS"
    assert len(sandbox.creates()) == 1


def test_a_suspended_tenant_is_unknown_to_the_outside_and_known_to_the_operator(platform: Platform, shop: Shop) -> None:
    unknown = platform.post_session("tn_" + "A" * 28, origin="https://stranger.example")
    suspend_tenant(tenant=shop.tenant, actor=SYSTEM)

    answer = shop.ask(platform, origin="https://stranger.example")

    assert _without_id(answer) == _without_id(unknown)
    assert SessionRequest.objects.get().reason == "tenant_suspended"


def test_a_flood_from_one_address_is_stopped_before_its_origin_is_looked_at(
    sandbox: Sandbox, transactional_db: None
) -> None:
    shop = open_shop(sandbox)
    environment = {**environment_for(sandbox), "SESSIONS_PER_MINUTE_ADDRESS": "3", "TRUSTED_PROXY_COUNT": "1"}
    with running_platform(**environment) as platform:
        flood = someone_elsewhere()
        answers = [shop.ask(platform, origin="https://stranger.example", headers=flood) for _ in range(8)]
        elsewhere = shop.ask(platform, headers=someone_elsewhere())

    codes = [answer.code for answer in answers]
    assert codes == ["origin_not_allowed"] * 6 + ["rate_limited"] * 2
    assert int(answers[-1].headers["retry-after"]) >= 1
    assert elsewhere.status == 200
    # The flood has left its count, in one row, when the server ended.
    assert SessionRequest.objects.get(reason="address_flood").count == 2


BODIES = [
    (b"[]", "body_invalid"),
    (b"null", "body_invalid"),
    (b"7", "body_invalid"),
    (b"{", "body_invalid"),
    (b"\xff\xfe", "body_invalid"),
    (b"[" * 8000, "body_invalid"),
    (b'{"a": ' + b"9" * 5000 + b"}", "body_invalid"),
    (b'{"assistant": 1}', "body_invalid"),
    (b'{"visitor_token": []}', "body_invalid"),
    (b'{"identity_token": {}}', "body_invalid"),
    (b'{"refresh": "yes"}', "body_invalid"),
    (b'{"refresh": 1}', "body_invalid"),
    (b'{"backends": "hosted_workflow"}', "body_invalid"),
    (b'{"backends": [1]}', "body_invalid"),
    (b'{"assistant": "nobody"}', "assistant_unknown"),
    (b'{"assistant": "\\ud800"}', "assistant_unknown"),
    (b'{"assistant": "\\u0000"}', "assistant_unknown"),
    (b'{"assistant": ""}', "assistant_unknown"),
    (b'{"backends": []}', "integration_outdated"),
    (b'{"backends": ["platform"]}', "integration_outdated"),
    (b'{"backends": ["platform", "hosted_workflow"]}', "granted"),
    (b'{"assistant": null, "visitor_token": null, "refresh": null, "backends": null}', "granted"),
    (b'{"assistant": "help", "visitor_token": "\\ud800", "identity_token": "ignored"}', "granted"),
    (b'{"visitor_token": "' + b"v" * 4000 + b'"}', "granted"),
    (b'{"unknown": {"deeply": [1, 2, 3]}}', "granted"),
]


def test_bodies(platform: Platform, shop: Shop) -> None:
    told = [(body, shop.ask(platform, body=body).code) for body, _ in BODIES]

    assert told == BODIES


SAYS = [
    (b'{"assistant": 1}', "'assistant' must be a string."),
    (b'{"visitor_token": ["canary"]}', "'visitor_token' must be a string."),
    (b'{"identity_token": {"canary": 1}}', "'identity_token' must be a string."),
    (b'{"refresh": "canary"}', "'refresh' must be true or false."),
    (b'{"backends": "canary"}', "'backends' must be a list of strings."),
    (b'["canary"]', "This one is JSON, but no object."),
    (b"canary", "This one is not JSON in UTF-8."),
]


def test_a_body_that_is_refused_is_told_which_field_is_wrong_and_never_what_it_said(
    platform: Platform, shop: Shop
) -> None:
    told = [shop.ask(platform, body=body).json["error"]["message"] for body, _ in SAYS]

    assert [message.partition("types. ")[2] for message in told] == [sentence for _, sentence in SAYS]
    assert "canary" not in " ".join(told)


CONTENT_TYPES = [
    ("application/json", "granted"),
    ("application/json; charset=utf-8", "granted"),
    ("Application/JSON", "granted"),
    ("text/plain", "content_type_invalid"),
    ("text/plain; application/json", "content_type_invalid"),
    ("application/json-patch+json", "content_type_invalid"),
    ("application/x-www-form-urlencoded", "content_type_invalid"),
    ("", "content_type_invalid"),
]


@pytest.mark.proof("O5")
def test_content_types(platform: Platform, shop: Shop) -> None:
    told = [(kind, shop.ask(platform, headers={"Content-Type": kind}).code) for kind, _ in CONTENT_TYPES]

    assert told == CONTENT_TYPES


@pytest.mark.proof("O5")
def test_other_methods(platform: Platform, shop: Shop) -> None:
    answers = [shop.ask(platform, method=method) for method in ("GET", "HEAD", "PUT", "PATCH", "DELETE", "TRACE")]

    assert [answer.status for answer in answers] == [405] * 6
    assert [answer.headers["allow"] for answer in answers] == ["POST, OPTIONS"] * 6


def _without_id(answer: Answer) -> dict[str, Any]:
    error = dict(answer.json["error"])
    del error["request_id"]
    return error
