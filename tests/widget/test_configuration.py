"""The public configuration over raw HTTP: an allow-list of fields, and refusals that any page may read."""

import json

import pytest

from audit.record import SYSTEM
from sessions_api.models import SessionRequest
from tenants.states import suspend_tenant
from tests.sessions_api.cast import ORIGIN
from tests.tenants.cast import give_assistant
from tests.tenants.leaks import leaks_of
from tests.widget.waiting import wait_for

pytestmark = pytest.mark.django_db(transaction=True)

STRANGER = "https://stranger.example"


def ask(platform, shop, *, origin=ORIGIN, query="", method="GET", headers=None):
    sent = {**({"Origin": origin} if origin else {}), **(headers or {})}
    return platform.request(method, f"/api/v1/tenants/{shop.public_id}/widget/{query}", headers=sent)


def test_the_page_gets_these_fields_and_no_others(platform, shop):
    answer = ask(platform, shop)

    assert answer.status == 200
    assert answer.json == {
        "tenant": shop.public_id,
        "assistant": "help",
        "name": "Help",
        "backend": "hosted_workflow",
        "chat": None,
        "client_tools": [],
        "chatkit_js": answer.json["chatkit_js"],
        "appearance": {
            "greeting": "",
            "prompts": [],
            "placeholder": "",
            "color_scheme": "auto",
            "accent": "",
            "launcher_side": "right",
            "launcher_label": "",
        },
        "history": True,
        "attachments": {"enabled": False, "max_files": 10, "max_size_mb": 20, "accept": {}},
        "limit_text": "",
        "fallback": {"text": "", "url": ""},
        "embed_version": answer.json["embed_version"],
    }
    assert answer.json["chatkit_js"].endswith("/chatkit.js")


def test_nothing_of_the_set_up_can_be_read_from_it(platform, shop):
    shown = ask(platform, shop).body.decode()

    assert leaks_of(shop.key_text, shown) == []
    for private in (
        shop.assistant.workflow_id,
        str(shop.tenant.id),
        str(shop.key.id),
        shop.tenant.slug,
        shop.key.label,
    ):
        assert private not in shown


def test_another_assistant_is_named_in_the_query(platform, shop):
    give_assistant(shop.tenant, shop.key, slug="desk", greeting="Good evening")

    wait_for(lambda: ask(platform, shop, query="?assistant=desk").status == 200)
    answer = ask(platform, shop, query="?assistant=desk")

    assert (answer.json["assistant"], answer.json["appearance"]["greeting"]) == ("desk", "Good evening")
    assert ask(platform, shop, query="?assistant=nobody").code == "assistant_unknown"


def test_an_allowed_page_asks_without_a_preflight_and_may_read_the_answer(platform, shop):
    answer = ask(platform, shop)

    assert answer.headers["access-control-allow-origin"] == ORIGIN
    assert "access-control-allow-credentials" not in answer.headers
    assert answer.headers["vary"] == "Origin"
    assert answer.headers["cache-control"] == "no-store"
    assert "set-cookie" not in answer.headers


def test_a_stranger_may_read_why_it_is_refused_and_the_ledger_knows_it(platform, shop):
    answer = ask(platform, shop, origin=STRANGER)

    assert (answer.status, answer.code) == (403, "origin_not_allowed")
    assert answer.headers["access-control-allow-origin"] == STRANGER
    assert answer.json["error"]["request_id"] == answer.headers["x-request-id"]
    row = SessionRequest.objects.get(outcome="origin_not_allowed")
    assert (row.origin, row.tenant_id, row.request_id) == (STRANGER, shop.tenant.id, answer.headers["x-request-id"])


@pytest.mark.parametrize(
    ("origin", "code"),
    [
        (None, "origin_missing"),
        ("null", "origin_null"),
        ("https://shop.example/", "origin_malformed"),
        ("https://SHOP.example", "origin_malformed"),
        ("https://a@shop.example", "origin_malformed"),
        ('https://x"><script>', "origin_malformed"),
        ("http://shop.example", "origin_not_allowed"),
        ("https://shop.example.evil.example", "origin_not_allowed"),
        ("https://cdn.platform.openai.com", "origin_not_allowed"),
    ],
)
def test_only_well_formed_origins_are_echoed(platform, shop, origin, code):
    answer = ask(platform, shop, origin=origin)

    assert answer.code == code
    echoed = answer.headers.get("access-control-allow-origin")
    assert echoed == (origin if code == "origin_not_allowed" else None)
    assert answer.headers["vary"] == "Origin"


def test_a_suspended_tenant_and_a_made_up_one_look_the_same(platform, shop):
    suspend_tenant(tenant=shop.tenant, actor=SYSTEM)
    wait_for(lambda: ask(platform, shop).status == 404)

    suspended = ask(platform, shop)
    made_up = platform.request("GET", f"/api/v1/tenants/tn_{'x' * 28}/widget/", headers={"Origin": ORIGIN})

    def without_id(answer):
        return {**json.loads(answer.body)["error"], "request_id": ""}

    assert (suspended.status, made_up.status) == (404, 404)
    assert without_id(suspended) == without_id(made_up)
    assert made_up.headers["access-control-allow-origin"] == ORIGIN


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE"])
def test_it_can_only_be_read(platform, shop, method):
    answer = ask(platform, shop, method=method)

    assert answer.code == "method_not_allowed"
    assert answer.headers["allow"] == "GET, OPTIONS"
