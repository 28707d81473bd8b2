"""The image's very commands, on this host's PostgreSQL and Redis: what `docker compose up` would run."""

import json
import time
from collections.abc import Callable, Iterator

import pytest
import requests

from sandbox.testing import Sandbox, running_sandbox
from tests.journeys.production import COMPOSE, Production, running_production

pytestmark = pytest.mark.services

ORIGIN = "https://shop.example"
THROUGH_PROXY = {"Host": "chat.example.com", "X-Forwarded-Proto": "https", "X-Forwarded-For": "203.0.113.9"}


@pytest.fixture(scope="module")
def sandbox() -> Iterator[Sandbox]:
    with running_sandbox() as sandbox:
        yield sandbox


@pytest.fixture(scope="module")
def production(on_services: None, tmp_path_factory: pytest.TempPathFactory, sandbox: Sandbox) -> Iterator[Production]:
    with running_production(tmp_path_factory.mktemp("production"), sandbox.url) as production:
        yield production


def register(production: Production, sandbox: Sandbox) -> str:
    key = sandbox.add_key(workflows=["wf_shop"])
    done = production.run(
        *("python", "manage.py", "register_tenant", "--name", "Shop", "--slug", "shop", "--domain", ORIGIN),
        *("--assistant-name", "Shop", "--workflow", "wf_shop"),
        OPENAI_API_KEY=key,
    )
    assert done.returncode == 0, done.stderr
    return str(json.loads(done.stdout)["public_id"])


def wait_for(what: str, seen: Callable[[], object], seconds: float = 40) -> None:
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline:
        if seen():
            return
        time.sleep(0.3)
    raise AssertionError(f"{what} was not seen within {seconds:.0f} s.")


class TestProductionShape:
    def test_sessions_are_granted_through_the_proxy_and_keys_checked_by_the_worker(
        self, production: Production, sandbox: Sandbox
    ) -> None:
        public_id = register(production, sandbox)
        address = f"http://127.0.0.1:{production.port}/api/v1/tenants/{public_id}/chatkit/session/"

        granted = requests.post(address, json={}, headers={**THROUGH_PROXY, "Origin": ORIGIN}, timeout=20)
        plain = requests.post(address, json={}, headers={"Host": "chat.example.com", "Origin": ORIGIN}, timeout=20)

        assert granted.status_code == 200, granted.text
        assert granted.json()["client_secret"].startswith("ek_")
        # Never a redirect: a preflight may not follow one.
        assert plain.status_code == 403
        wait_for("the worker's check", lambda: sandbox.calls(method="GET", path="/chatkit/threads"))

    def test_the_console_is_guarded_for_https(self, production: Production) -> None:
        address = f"http://127.0.0.1:{production.port}/admin/login/"

        page = requests.get(address, headers=THROUGH_PROXY, timeout=20)
        plain = requests.get(address, headers={"Host": "chat.example.com"}, timeout=20, allow_redirects=False)

        assert page.status_code == 200
        assert "max-age=31536000" in page.headers["Strict-Transport-Security"]
        assert page.headers["Set-Cookie"].startswith("__Host-csrftoken=")
        assert "Secure" in page.headers["Set-Cookie"]
        assert plain.status_code == 301
        assert "server" not in page.headers

    def test_the_health_checks_of_the_compose_file_pass(self, production: Production) -> None:
        probe = COMPOSE["services"]["web"]["healthcheck"]["test"][1:]
        ping = COMPOSE["services"]["worker"]["healthcheck"]["test"][1].split(" --destination")[0].split()

        probed = production.run(*[word.replace(":8000", f":{production.port}") for word in probe])
        wait_for("the worker's answer to a ping", lambda: production.run(*ping, "--timeout", "5").returncode == 0, 60)

        assert probed.returncode == 0

    def test_every_line_of_every_log_is_json_without_secrets(self, production: Production) -> None:
        wait_for(
            "a line of web and worker", lambda: all(production.logs[name].stat().st_size for name in ("web", "worker"))
        )

        lines = [line for log in production.logs.values() for line in log.read_text().splitlines()]

        assert len(lines) >= 5
        assert [line for line in lines if not line.startswith("{")] == []
        assert all(json.loads(line)["event"] for line in lines)
        assert not any(production.environment[name] in line for line in lines for name in ("SECRET_KEY", "MASTER_KEYS"))
