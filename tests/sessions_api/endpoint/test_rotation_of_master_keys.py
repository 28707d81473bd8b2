"""E5: master keys are rotated under live sessions, while the re-wrapper is killed, run twice at once, and keys are replaced."""

import os
import random
import subprocess
import sys
import threading
import time
import uuid
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from typing import Any

import pytest
from django.db import connections

from audit.record import SYSTEM
from encryption.rotation import rewrap_rows, verify_rows
from encryption.secret import Secret
from encryption.standing import rows_to_rewrap, standing
from encryption.vault import seal
from sandbox.testing import Sandbox
from tenants.keys import key_binding, open_key, replace_key
from tenants.models import ApiKey, Tenant
from tenants.registration import complete_new_tenant
from tests.encryption.keys import key as key_of
from tests.encryption.keys import ring
from tests.platform_server import ROOT, database_url, running_platform
from tests.proof.plugin import Proof
from tests.sessions_api.cast import WORKFLOW, Shop, environment_for, open_shop
from tests.sessions_api.load import Load, p99
from tests.tenants.cast import key_text


def make_tenants(number: int) -> dict[uuid.UUID, str]:
    """So many tenants with a key each, made in bulk; the keys' texts by their ids."""
    tenants, keys, texts = [], [], {}
    for place in range(number):
        tenant = Tenant(name=f"Tenant {place}", slug=f"tenant-{place}")
        complete_new_tenant(tenant)
        key = ApiKey(tenant=tenant, label="production", last_four="0000", fingerprint=f"{place:016x}")
        texts[key.id] = key_text()
        key.token = seal(Secret(texts[key.id]), key_binding(key))
        tenants.append(tenant)
        keys.append(key)
    Tenant.objects.bulk_create(tenants, batch_size=500)
    ApiKey.objects.bulk_create(keys, batch_size=500)
    return texts


class Edits:
    """Somebody who goes on replacing keys, every other time in a process whose ring still begins with the old master key."""

    def __init__(
        self, texts: dict[uuid.UUID, str], shops: list[Shop], sandbox: Sandbox, rings: tuple[str, str], settings: Any
    ):
        self.texts, self.done = texts, 0
        self._shops, self._sandbox, self._rings, self._settings = shops, sandbox, rings, settings
        self._stop = threading.Event()
        self.failure: BaseException | None = None

    def _edit(self) -> None:
        chance = random.Random(5)
        ids = sorted(self.texts)
        live = {shop.key.id for shop in self._shops}
        try:
            while not self._stop.wait(0.02):
                key = ApiKey.objects.get(pk=chance.choice([*live, *chance.sample(ids, 3)]))
                text = self._sandbox.add_key(workflows=[WORKFLOW]) if key.pk in live else key_text()
                self._settings.MASTER_KEYS = self._rings[self.done % 2]
                replace_key(key=key, plaintext=Secret(text), actor=SYSTEM)
                self.texts[key.pk] = text
                self.done += 1
        except BaseException as failure:
            self.failure = failure
        finally:
            connections.close_all()

    @contextmanager
    def running(self) -> Iterator[None]:
        thread = threading.Thread(target=self._edit)
        thread.start()
        try:
            yield
        finally:
            self._stop.set()
            thread.join()
            self._settings.MASTER_KEYS = self._rings[0]


def rewrapper(master_keys: str, *options: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-u", "manage.py", "master_keys", "rewrap", *options],
        cwd=ROOT,
        env={
            **os.environ,
            "DJANGO_SETTINGS_MODULE": "config.settings.test",
            "DATABASE_URL": database_url(),
            "MASTER_KEYS": master_keys,
        },
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def kill_in_the_middle(process: subprocess.Popen[str], *, batches: int) -> None:
    """SIGKILL once it has told of so many batches; it must not have come to its end before."""
    assert process.stdout is not None
    for _ in range(batches):
        assert process.stdout.readline().startswith("["), "it came to its end before it was killed"
    process.kill()
    process.communicate()


@pytest.mark.proof("E5")
@pytest.mark.timeout(3_600)
def test_no_session_fails_no_edit_is_lost_and_no_row_is_left(
    same_site: None, sandbox: Sandbox, settings: Any, proof: Proof
) -> None:
    tenants, kills, batch = (
        proof.size(reduced=150, full=10_000),
        proof.size(reduced=3, full=10),
        proof.size(reduced=10, full=200),
    )
    old = settings.MASTER_KEYS
    texts = make_tenants(tenants)
    shops = [open_shop(sandbox, name, sessions_per_minute=1_000_000) for name in ("Alder", "Birch")]
    texts |= {shop.key.id: shop.key_text for shop in shops}
    fresh = f"new:{key_of('new')}"
    rings = (f"{fresh},{old}", f"{old},{fresh}")
    settings.MASTER_KEYS = rings[0]
    total = rows_to_rewrap()
    assert total >= 2 * tenants

    edits = Edits(texts, shops, sandbox, rings, settings)
    with (
        running_platform(**{**environment_for(sandbox), "MASTER_KEYS": rings[0]}) as platform,
        ExitStack() as meanwhile,
    ):
        loads = [meanwhile.enter_context(Load(platform, shop=shop, visitors=3, pause=0.02).running()) for shop in shops]
        meanwhile.enter_context(edits.running())
        began = time.monotonic()
        for _ in range(kills):
            kill_in_the_middle(rewrapper(rings[0], "--batch", str(batch), "--pause", "0.05"), batches=3)
        left_by_the_killed = rows_to_rewrap()
        pair = [rewrapper(rings[0], "--batch", str(batch)) for _ in range(2)]
        said = [process.communicate(timeout=600) for process in pair]
        seconds = time.monotonic() - began
    told = [one for load in loads for one in load.told]

    last = rewrapper(rings[0])
    _, errors = last.communicate(timeout=600)
    assert last.returncode == 0, errors
    assert all("Can't be opened" not in error for _, error in said), said
    assert edits.failure is None
    # Each was killed after it had moved some; edits under the old ring meanwhile put rows back.
    assert left_by_the_killed > 0
    assert {one.code for one in told} == {"granted"}
    assert standing().is_complete
    settings.MASTER_KEYS = fresh
    keys = list(ApiKey.objects.all())
    lost = [key.pk for key in keys if open_key(key).reveal() != edits.texts[key.pk]]
    assert (len(keys), lost) == (len(texts), [])
    assert verify_rows()[1] == []

    # Once more without anybody beside it, for its speed alone.
    settings.MASTER_KEYS = f"{ring('newer')},{fresh}"
    calm = time.monotonic()
    moved = rewrap_rows().rewrapped
    rate = moved / (time.monotonic() - calm)
    assert standing().is_complete
    proof.record(
        rows=total,
        kills=kills,
        sessions=len(told),
        failed=sum(one.code != "granted" for one in told),
        sessions_per_second=round(len(told) / seconds),
        session_p99_ms=round(1000 * p99([one.seconds for one in told])),
        edits=edits.done,
        lost=len(lost),
        left=standing().left,
        rows_per_second=round(rate),
    )
