"""Two tenants in one process, their runs interleaved: each call carries its tenant's key, organization and project alone.

The environment is as hostile as an operator's shell may be: the packages would read all of it.
"""

import asyncio
import hashlib

import pytest

from tests.chat_server.run_cast import a_chat, a_key, errors_in

pytestmark = pytest.mark.asyncio

AT_ONCE = 20
BATCH = 500
HOSTILE = {
    "OPENAI_API_KEY": "key-of-the-operator",
    "OPENAI_ADMIN_KEY": "admin-of-the-operator",
    "OPENAI_ORG_ID": "org-of-the-operator",
    "OPENAI_PROJECT_ID": "proj_of_the_operator",
    "OPENAI_BASE_URL": "http://127.0.0.1:1/v1",
    "OPENAI_CUSTOM_HEADERS": "Authorization: Bearer key-of-the-operator\nX-Of-The-Operator: 1",
    "HTTPS_PROXY": "http://127.0.0.1:1",
    "HTTP_PROXY": "http://127.0.0.1:1",
    "ALL_PROXY": "http://127.0.0.1:1",
    "SSL_CERT_FILE": "/nowhere.pem",
}


@pytest.mark.timeout(1800)
async def test_interleaved_runs_of_two_tenants_each_carry_their_own_key(sandbox, monkeypatch, proof):
    for name, value in HOSTILE.items():
        monkeypatch.setenv(name, value)
        monkeypatch.setenv(name.lower(), value)
    runs = proof.size(reduced=200, full=10_000)
    texts = {
        "anna": sandbox.add_key(project="proj_anna", organization="org-anna"),
        "bert": sandbox.add_key(project="proj_bert"),
    }
    keys = {
        "anna": a_key(texts["anna"], organization="org-anna", project="proj_anna"),
        "bert": a_key(texts["bert"]),
    }
    expected = {
        "anna": (_fingerprint(texts["anna"]), "org-anna", "proj_anna"),
        "bert": (_fingerprint(texts["bert"]), None, None),
    }

    async with a_chat(sandbox, keys=[keys["anna"]]) as first:
        free = asyncio.Semaphore(AT_ONCE)

        async def run(number):
            async with free:
                name = ("anna", "bert")[number % 2]
                chat = type(first)(first.models, first.base_url, (keys[name],), breakers=first.breakers)
                assert not errors_in(await chat.say(f"{name} {number}"))
                assert chat.row.key_id == keys[name].id

        for start in range(0, runs, BATCH):
            async with asyncio.TaskGroup() as group:
                for number in range(start, min(start + BATCH, runs)):
                    group.create_task(run(number))
            calls = await asyncio.to_thread(sandbox.calls, path="/v1/responses", limit=BATCH + 1)
            assert len(calls) == min(BATCH, runs - start)
            for call in calls:
                _assert_own(call, expected[call["text"].partition(" ")[0]])
            await asyncio.to_thread(sandbox.forget_calls)
    proof.record(calls=runs)


def _assert_own(call, expected):
    headers = call["headers"]
    sent = call["key"], headers.get("openai-organization"), headers.get("openai-project")
    assert sent == expected, call["text"]
    assert "x-of-the-operator" not in call["header_names"]
    assert "cookie" not in call["header_names"]


def _fingerprint(key):
    return hashlib.sha256(key.encode()).hexdigest()[:16]
