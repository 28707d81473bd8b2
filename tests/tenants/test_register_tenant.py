import io
import json
import sys

import pytest
from django.core.management import CommandError, call_command

from tenants.keys import open_key
from tenants.models import AgentVersion, AllowedDomain, ApiKey, Assistant, AssistantKey, Tenant
from tests.tenants.cast import key_text

pytestmark = pytest.mark.django_db

ALDER = ("--name", "Alder", "--slug", "alder")


@pytest.fixture(autouse=True)
def _no_key_around(monkeypatch):
    monkeypatch.delenv("OPENAI_API_KEY", raising=False)


def run(*arguments):
    out = io.StringIO()
    call_command("register_tenant", *arguments, stdout=out)
    return json.loads(out.getvalue())


def test_one_command_makes_a_tenant_that_can_open_sessions(monkeypatch):
    text = key_text()
    monkeypatch.setenv("OPENAI_API_KEY", text)

    answer = run(
        *ALDER, "--domain", "http://127.0.0.1:8003", "--domain", "shop.example.com", "--allow-http", "--workflow", "wf_1",
        "--assistant-name", "Help", "--accent", "#336699",
    )  # fmt: skip

    tenant = Tenant.objects.get()
    assert answer == {"public_id": tenant.public_id, "created": True}
    assert [domain.entry for domain in tenant.domains.all()] == ["http://127.0.0.1:8003", "https://shop.example.com"]
    assert open_key(tenant.keys.get()).reveal() == text
    assistant = tenant.assistants.get()
    assert (assistant.is_default, assistant.accent, assistant.ranked_keys.get().key.tenant) == (True, "#336699", tenant)


def test_a_second_run_adds_what_is_missing_and_changes_nothing(monkeypatch):
    monkeypatch.setenv("OPENAI_API_KEY", key_text())
    first = run(*ALDER, "--domain", "a.example.com", "--workflow", "wf_1")

    second = run("--name", "Other", "--slug", "alder", "--domain", "b.example.com", "--workflow", "wf_2")

    assert second == {"public_id": first["public_id"], "created": False}
    assert Tenant.objects.get().name == "Alder"
    assert AllowedDomain.objects.count() == 2
    assert (ApiKey.objects.count(), AssistantKey.objects.count()) == (1, 1)
    assert Assistant.objects.get().workflow_id == "wf_1"


def test_a_key_that_comes_later_is_given_to_the_assistant(monkeypatch):
    run(*ALDER, "--workflow", "wf_1")
    monkeypatch.setenv("OPENAI_API_KEY", key_text())

    run(*ALDER)

    assert AssistantKey.objects.get().key == ApiKey.objects.get()


def test_the_key_may_come_from_a_file_or_from_standard_input(tmp_path, monkeypatch):
    in_file, typed = key_text(), key_text()
    (tmp_path / "key").write_text(in_file + "\n")
    monkeypatch.setattr(sys, "stdin", io.StringIO(typed + "\n"))

    run(*ALDER, "--key-file", str(tmp_path / "key"))
    run("--name", "Birch", "--slug", "birch", "--key-file", "-")

    assert [open_key(key).reveal() for key in ApiKey.objects.order_by("created_at")] == [in_file, typed]


@pytest.mark.parametrize(
    ("arguments", "cure"),
    [
        (("--domain", "https://shop.example.com/chat"), "Leave out everything after the domain"),
        (("--workflow", "wf_1", "--accent", "red"), "A colour as #rrggbb"),
        (("--workflow", "68ee"), "starts with “wf_”"),
        (("--upstream", "elsewhere"), "OPENAI_BASE_URLS"),
        (("--key-file", "/nowhere/key"), "Give the path"),
    ],
)
def test_a_refusal_names_the_cure_and_leaves_nothing_behind(arguments, cure):
    with pytest.raises(CommandError, match=cure):
        run(*ALDER, *arguments)

    assert not Tenant.objects.exists()


PLATFORM = ("--backend", "platform", "--model", "gpt-sandbox", "--instructions", "You help with bicycles.")
CEDAR = ("--name", "Cedar", "--slug", "cedar")


def test_an_assistant_that_the_platform_serves_is_made_with_its_first_version(monkeypatch):
    monkeypatch.setenv("OPENAI_API_KEY", key_text())

    for _ in range(2):
        run(*CEDAR, *PLATFORM)

    assistant = Assistant.objects.get()
    version = AgentVersion.objects.get()
    assert (assistant.backend, assistant.workflow_id, assistant.slug) == ("platform", "", "default")
    assert assistant.published_version == version
    assert (version.number, version.model, version.instructions) == (1, "gpt-sandbox", "You help with bicycles.")
    assert AssistantKey.objects.get().key == ApiKey.objects.get()


def test_a_tenant_that_is_there_gets_one_beside_its_hosted_assistant(monkeypatch):
    monkeypatch.setenv("OPENAI_API_KEY", key_text())
    run(*CEDAR, "--workflow", "wf_1")

    run(*CEDAR, *PLATFORM, "--assistant-slug", "chat")

    hosted, chat = Assistant.objects.order_by("created_at")
    assert (hosted.backend, hosted.is_default, chat.backend, chat.is_default) == (
        *("hosted_workflow", True),
        *("platform", False),
    )
    assert chat.published_version.number == 1
    assert AssistantKey.objects.filter(assistant=chat).count() == 1


@pytest.mark.parametrize(
    ("arguments", "cure"),
    [
        (("--backend", "platform"), "needs --model and --instructions"),
        ((*PLATFORM[:4], "--instructions", "  "), "needs --model and --instructions"),
        ((*PLATFORM, "--workflow", "wf_1"), "Leave it out"),
        (("--model", "gpt-sandbox"), "need --backend platform"),
        ((*PLATFORM[:2], "--model", "a model", "--instructions", "Help."), "no blanks"),
    ],
)
def test_half_a_version_is_refused_with_the_cure(arguments, cure):
    with pytest.raises(CommandError, match=cure):
        run(*CEDAR, *arguments)

    assert not Tenant.objects.exists()


def test_a_hosted_assistant_is_not_switched_by_the_way():
    run(*CEDAR, "--workflow", "wf_1")

    with pytest.raises(CommandError, match="switch_backend"):
        run(*CEDAR, *PLATFORM)

    assert not AgentVersion.objects.exists()


def test_a_refused_key_is_not_repeated(monkeypatch):
    text = "sk-admin-" + key_text()
    monkeypatch.setenv("OPENAI_API_KEY", text)

    with pytest.raises(CommandError) as refusal:
        run(*ALDER)

    assert "admin key" in str(refusal.value)
    assert text[12:] not in repr(refusal.value)
