"""A broker that is away, in each of the ways in which it can be: saves and “Check now” stay quick, and nothing is lost."""

import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from key_health.check import check_due
from sandbox.testing import Sandbox
from tenants.models import ApiKey, Tenant, Verdict
from tests.key_health.cast import Customer
from tests.key_health.processes import ROOT, environment

pytestmark = pytest.mark.django_db(transaction=True)

# As a web process does it, in a process of its own: its Celery application has never met a broker.
SAVE_AND_ASK = """
import sys, time, django
django.setup()
from audit.record import SYSTEM
from encryption.secret import Secret
from key_health.request import request_check
from tenants.keys import add_key
from sessions_api.hints import load_broker_client
from tenants.models import Tenant

load_broker_client()
tenant, secret = Tenant.objects.get(name="Alder"), Secret(sys.stdin.read())
started = time.monotonic()
key = add_key(tenant=tenant, label="second", plaintext=secret, actor=SYSTEM)
saved = time.monotonic() - started
print(saved, request_check(key=key, actor=SYSTEM).name, time.monotonic() - started - saved)
"""


@pytest.fixture(params=["refuses", "swallows", "accepts and is silent"])
def dead_broker(request: pytest.FixtureRequest) -> Iterator[str]:
    with socket.socket() as server:
        server.bind(("127.0.0.1", 0))
        address = server.getsockname()
        waiting: list[socket.socket] = []
        if request.param == "accepts and is silent":
            server.listen(50)
        if request.param == "swallows":
            # With its queue full the kernel drops further attempts, as a firewall would.
            server.listen(0)
            for _ in range(3):
                client = socket.socket()
                client.setblocking(False)
                client.connect_ex(address)
                waiting.append(client)
        yield f"redis://127.0.0.1:{address[1]}/0"
        for client in waiting:
            client.close()


@pytest.mark.proof("I4")
def test_a_key_is_saved_and_asked_for_at_once_and_checked_by_the_next_tick(
    sandbox: Sandbox, alder: Customer, dead_broker: str, tmp_path: Path
) -> None:
    check_due()
    secret = sandbox.add_key(project="proj_alder")

    done = subprocess.run(
        [sys.executable, "-c", SAVE_AND_ASK],
        env=environment(tmp_path / "var", base_url=sandbox.base_url, broker=dead_broker),
        cwd=ROOT,
        input=secret,
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    saved, answer, asked = done.stdout.split()

    # 0.3 s for the broker, and that only once: the second hint does not even try. Without these limits either would wait for as
    # long as TCP is patient, so a busy machine can be given room.
    assert float(saved) < 3, done.stdout
    assert float(asked) < min(1.0, float(saved)), done.stdout
    assert answer == "LATER"
    assert "the broker is away" in done.stderr
    assert secret not in done.stdout + done.stderr
    check_due()
    assert ApiKey.objects.get(tenant=Tenant.objects.get(name="Alder"), label="second").verdict == Verdict.HEALTHY
