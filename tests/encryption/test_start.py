"""E6: no process starts with an unfit ring; each says the cure and nothing of the key."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.encryption.keys import key, ring

ROOT = Path(__file__).resolve().parents[2]
PROCESSES = {
    "check": ["manage.py", "check"],
    "web": ["-m", "uvicorn", "config.asgi:application", "--port", "0", "--lifespan", "on"],
    "worker": ["-m", "celery", "-A", "config", "worker", "-c", "1"],
    "beat": ["-m", "celery", "-A", "config", "beat", "--pidfile", ""],
}
SHORT = key("short")[:20]
UNFIT = {
    "short": (f"a:{SHORT}", "32 are needed"),
    "missing": ("", "is not set"),
    "twice": (f"{ring('a')},b:{key('a')}", "the same key stands there twice"),
    "an example": ("a:" + "QUJD" * 10 + "QUI=", "is an example or typed text"),
    "in a file that everybody reads": (ring("a"), "chmod 0400"),
}


@pytest.mark.proof("E6")
@pytest.mark.parametrize("process", PROCESSES)
def test_a_process_with_an_unfit_ring_stops_and_says_the_cure(process, tmp_path, proof):
    faults = list(UNFIT)[: proof.size(reduced=1, full=len(UNFIT))]

    for fault in faults:
        text, cure = UNFIT[fault]
        done = start(process, text, tmp_path, in_a_file="file" in fault)

        said = done.stdout + done.stderr
        assert done.returncode != 0, fault
        assert "MASTER_KEYS" in said, fault
        assert cure in said, fault
        assert not [secret for secret in (SHORT, key("a"), "QUJD" * 10) if secret in said], fault
    proof.record(unfit_rings=len(faults))


def start(process, text, folder, *, in_a_file):
    environment = {
        **{name: value for name, value in os.environ.items() if not name.startswith("MASTER_KEYS")},
        "DJANGO_SETTINGS_MODULE": "config.settings.production",
        "PYTHONPATH": f"{ROOT}{os.pathsep}{ROOT / 'platform'}",
        "SIGNING_KEYS": ring("signing"),
        "VAR_DIR": str(folder),
        "DATABASE_URL": f"sqlite:///{folder / 'db.sqlite3'}",
        "CELERY_BROKER_URL": "filesystem://",
    }
    if in_a_file:
        file = folder / "master-keys"
        file.write_text(text)
        file.chmod(0o644)
        environment["MASTER_KEYS_FILE"] = str(file)
    else:
        environment["MASTER_KEYS"] = text
    command = [sys.executable, *PROCESSES[process]]
    return subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=60, check=False)
