"""`manage.py doctor` against a real platform process, and a sandbox in place of OpenAI."""

import json
from collections.abc import Callable, Iterator
from io import StringIO
from typing import Any

import pytest
from django.core.management import CommandError, call_command

from audit.record import SYSTEM
from doctor import web_checks
from doctor.findings import Level
from doctor.models import Pulse
from key_health.models import KeyCheck
from sandbox.testing import Sandbox
from tenants.domains import allow_domain
from tenants.models import Tenant, TenantState
from tests.doctor.local_server import answering
from tests.key_health.cast import Customer, check_all
from tests.platform_server import Platform, free_port, running_platform
from tests.tenants.cast import give_chat

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def door(alder: Customer, sandbox: Sandbox, pulse: Pulse, settings: Any) -> Iterator[Platform]:
    allow_domain(tenant=alder.tenant, text="https://shop.example", actor=SYSTEM)
    check_all()
    with running_platform(
        OPENAI_BASE_URLS=f"openai={sandbox.base_url}", CHATKIT_JS_URLS=f"openai={sandbox.chatkit_js}"
    ) as platform:
        settings.PLATFORM_URL = platform.url
        yield platform


def run(*arguments: str) -> tuple[int, dict[str, dict[str, str]]]:
    """Exit code, and the last finding of each title."""
    out, status = StringIO(), 0
    try:
        call_command("doctor", *arguments, "--json", stdout=out)
    except SystemExit as end:
        status = int(end.code or 0)
    return status, {check["title"]: check for check in json.loads(out.getvalue())["checks"]}


def levels(found: dict[str, dict[str, str]]) -> dict[str, str]:
    return {title: check["level"] for title, check in found.items() if check["level"] == Level.FAIL}


def test_a_healthy_platform_and_tenant_pass_and_nothing_is_written(
    door: Platform, alder: Customer, sandbox: Sandbox, settings: Any
) -> None:
    from datetime import date

    settings.SUNSET_DATE = date(2999, 1, 1)
    checks = KeyCheck.objects.count()

    status, found = run("alder")

    assert levels(found) == {}
    assert status == 0
    assert found["alder: round trip"]["level"] == Level.OK
    assert "created and cancelled" in found["alder/help: workflow with key production"]["sentence"]
    assert "OpenAI-Beta" in found["alder/help: workflow with key production"]["sentence"]
    assert "accepts the key" in found["alder: key production"]["sentence"]
    assert KeyCheck.objects.count() == checks
    assert sandbox.live_sessions() == []
    assert alder.secret not in json.dumps(found)


def test_each_thing_that_is_wrong_with_a_tenant_fails_with_its_cure(
    door: Platform, alder: Customer, sandbox: Sandbox
) -> None:
    def broken(title: str, needle: str) -> None:
        status, found = run("alder")
        assert (status, found[title]["level"]) == (1, Level.FAIL)
        assert needle in found[title]["sentence"] + found[title]["cure"]
        assert alder.secret not in json.dumps(found)

    sandbox.set_workflow(alder.workflow_id, exists=False)
    broken("alder/help: workflow with key production", "workflow")
    sandbox.set_key(alder.secret, "invalid")
    broken("alder: key production", "platform.openai.com → API keys")
    alder.tenant.domains.all().delete()
    broken("alder: websites", "No website is allowed")
    broken("alder: round trip", "no website to ask as")
    Tenant.objects.filter(pk=alder.tenant.pk).update(state=TenantState.SUSPENDED)
    broken("alder: state", "suspended")


def test_a_website_that_the_web_process_refuses_is_told(door: Platform, alder: Customer, settings: Any) -> None:
    def refuse(origin: str, query: str = "") -> None:
        from doctor.tenant_checks import _round_trip

        finding = _round_trip(alder.tenant.public_id, origin, query)
        assert finding.level is Level.FAIL
        assert finding.cure

    refuse("https://elsewhere.example")
    refuse("https://shop.example", "?assistant=nobody")


def test_assistants_that_no_process_serves_are_told(door: Platform, alder: Customer, sandbox: Sandbox) -> None:
    give_chat(alder.tenant, alder.key)
    door.wait_for_configuration()

    status, found = run("alder", "--assistant", "chat")

    assert status == 1
    assert "SERVE_CHAT=1" in found["chats served here"]["cure"]
    assert found["alder/chat: version"]["level"] == Level.OK
    assert "lets the key use the model" in found["alder/chat: model with key production"]["sentence"]
    assert found["alder: websites"]["level"] == Level.WARN
    assert "OpenAI" in found["alder: websites"]["cure"]
    sandbox.set_model("gpt-sandbox", exists=False)
    assert run("alder", "--assistant", "chat")[1]["alder/chat: model with key production"]["level"] == Level.FAIL


def test_a_process_that_serves_chats_passes(alder: Customer, sandbox: Sandbox, pulse: Pulse, settings: Any) -> None:
    allow_domain(tenant=alder.tenant, text="https://shop.example", actor=SYSTEM)
    give_chat(alder.tenant, alder.key)
    with running_platform(
        OPENAI_BASE_URLS=f"openai={sandbox.base_url}", CHATKIT_JS_URLS=f"openai={sandbox.chatkit_js}", SERVE_CHAT="1"
    ) as platform:
        settings.PLATFORM_URL = platform.url

        assert web_checks.chats().level is Level.OK


@pytest.mark.parametrize(
    ("answer", "check"),
    [
        ((301, {}, b""), web_checks.platform_url),
        ((503, {}, b'{"ready": false}'), web_checks.platform_url),
        ((400, {}, b'{"error": {"code": "host_invalid"}}'), web_checks.platform_url),
        ((404, {}, b""), web_checks.scripts),
        ((200, {}, b"alert(1)"), web_checks.scripts),
        ((200, {"Location": "http://127.0.0.1:1/"}, None), web_checks.scripts),
    ],
)
def test_an_address_that_leads_elsewhere_is_told(
    answer: tuple[int, dict[str, str], bytes | None], check: Callable[[], Any], settings: Any
) -> None:
    status, headers, body = answer
    # None: the file itself, without the headers that pages need.
    body = web_checks.embed_scripts().current.body if body is None else body
    with answering(status, headers, body) as url:
        settings.PLATFORM_URL = url

        finding = check()

    assert finding.level is Level.FAIL
    assert finding.cure


def test_what_does_not_answer_is_told(settings: Any) -> None:
    settings.PLATFORM_URL = f"http://127.0.0.1:{free_port()}"
    settings.OPENAI_BASE_URLS = {"openai": f"http://127.0.0.1:{free_port()}/v1"}

    for check in (web_checks.platform_url, web_checks.scripts, web_checks.clock):
        assert check().level is Level.FAIL


def test_wrong_use_names_near_ones_and_exits_with_two(alder: Customer) -> None:
    for arguments, needle in (
        (["aldr"], "Did you mean alder?"),
        (["alder", "--assistant", "halp"], "Did you mean help?"),
        (["--assistant", "help"], "slug before it"),
    ):
        with pytest.raises(CommandError, match=needle.replace("?", r"\?")) as refusal:
            call_command("doctor", *arguments)
        assert refusal.value.returncode == 2


def test_the_table_shows_the_cure_below_what_fails(alder: Customer, settings: Any) -> None:
    settings.PLATFORM_URL = f"http://127.0.0.1:{free_port()}"
    out = StringIO()

    with pytest.raises(SystemExit):
        call_command("doctor", stdout=out)

    lines = out.getvalue().splitlines()
    place = next(number for number, line in enumerate(lines) if line.startswith("fail  PLATFORM_URL"))
    assert "→ See that the web process runs" in lines[place + 1] + lines[place + 2]
    assert "failures" in lines[-1]
    assert "\x1b" not in out.getvalue()
