"""Websites of tenants and developers, each on an origin of its own."""

import json
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from tests.journeys.demo import ROOT, wait_until_open


@contextmanager
def website(port: int, folder: Path, **site: Any) -> Iterator[str]:
    """Serves one site of `sandbox.sites` (its fields are described there); yields its origin."""
    file = folder / f"site-{port}.json"
    file.write_text(json.dumps([{"port": port, **site}]))
    process = subprocess.Popen([sys.executable, "-m", "sandbox.sites", "--config", str(file)], cwd=ROOT)
    try:
        wait_until_open(port)
        yield f"http://127.0.0.1:{port}"
    finally:
        process.terminate()
        process.wait(timeout=10)
