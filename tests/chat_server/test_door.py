"""Who has the chat door: processes with SERVE_CHAT=1, which load what it takes before anybody asks."""

import os
import subprocess
import sys

import pytest

from sandbox.testing import Sandbox
from tests.chat_server.chat_cast import Chat, Talker, create
from tests.platform_server import ROOT, running_platform
from tests.sessions_api.cast import Shop, environment_for

HEAVY = ("agents", "chatkit", "openai", "mcp")


def modules_of(program: str, **environment: str) -> set[str]:
    """Which of the heavy packages a process has loaded after this program."""
    told = subprocess.run(
        [sys.executable, "-c", f"{program}; import sys; print(*sys.modules, file=sys.stderr)"],
        cwd=ROOT,
        env={
            **os.environ,
            "DJANGO_SETTINGS_MODULE": "config.settings.test",
            "PYTHONPATH": os.pathsep.join([str(ROOT), str(ROOT / "platform")]),
            **environment,
        },
        capture_output=True,
        text=True,
        check=True,
    )
    return set(told.stderr.split()) & set(HEAVY)


@pytest.mark.parametrize("serve_chat", ["0", "1"])
def test_importing_the_application_loads_nothing_of_chats(serve_chat: str) -> None:
    everything = (
        "import config.asgi, config.urls, config.celery_app, chat_server.tasks; from django.contrib import admin"
    )

    assert modules_of(f"import config.asgi; {everything}; admin.autodiscover()", SERVE_CHAT=serve_chat) == set()


def test_the_chat_door_does_load_it() -> None:
    """So that the test above is no proof by names that are none."""
    assert modules_of("import config.asgi, config.chat_urls") == set(HEAVY)


@pytest.mark.django_db(transaction=True)
def test_elsewhere_there_is_nothing_at_its_addresses(sandbox: Sandbox, chat_shop: Shop) -> None:
    with running_platform(**environment_for(sandbox), SERVE_CHAT="0") as platform:
        talker = Talker(platform, chat_shop.public_id, chat_shop.origin, "ct1.k.p.m")
        answers = [
            talker.ask(create()),
            platform.request("GET", f"{talker.path}attachments/atc_1/"),
        ]

    assert [(answer.status, answer.code) for answer in answers] == [(404, "not_found")] * 2


@pytest.mark.django_db(transaction=True)
def test_where_a_chat_is_served_its_neighbours_are_too(chat: Chat) -> None:
    widget = f"/api/v1/tenants/{chat.shop.public_id}/widget/"

    answer = chat.platform.request("GET", widget, headers={"Origin": chat.shop.origin})

    assert answer.json["backend"] == "platform"
    assert answer.json["chat"]["url"].endswith(f"/api/v1/tenants/{chat.shop.public_id}/chatkit/")
