"""The production shape on this host: the image's and the compose file's own commands, on PostgreSQL and Redis."""

import json
import os
import re
import shlex
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import psycopg
import yaml

from encryption.make_secrets import fresh_secrets
from tests.journeys.demo import ROOT, free_ports, wait_until_open

SERVER = "postgres://postgres@127.0.0.1:5432"
PROGRAMS = Path(sys.executable).parent
COMPOSE: dict[str, Any] = yaml.safe_load((ROOT / "docker-compose.yml").read_text())


@dataclass(frozen=True)
class Production:
    port: int
    environment: dict[str, str]
    logs: dict[str, Path]
    processes: "dict[str, subprocess.Popen[bytes]]"

    def run(self, *words: str, **environment: str) -> "subprocess.CompletedProcess[str]":
        """A command in the image, by its words."""
        return subprocess.run(
            [program(words[0]), *words[1:]],
            env={**self.environment, **environment},
            cwd=ROOT,
            capture_output=True,
            text=True,
            check=False,
            timeout=120,
        )


def program(name: str) -> str:
    """Ours where it is ours, else the system's (the shell)."""
    if name == "python":
        return sys.executable
    return str(PROGRAMS / name) if (PROGRAMS / name).exists() else name


def image_command() -> list[str]:
    """The image's CMD."""
    found = re.search(r"^CMD (\[.*\])$", (ROOT / "Dockerfile").read_text(), flags=re.MULTILINE)
    assert found
    words: list[str] = json.loads(found[1])
    return words


def service_command(name: str) -> list[str]:
    return shlex.split(COMPOSE["services"][name]["command"])


def filled_in_example(var: Path, database: str, sandbox: str) -> dict[str, str]:
    """.env.example with its blanks filled, and with the addresses of this host's parts."""
    lines = (ROOT / ".env.example").read_text().splitlines()
    example = dict(line.split("=", 1) for line in lines if re.match(r"[A-Z_]+=", line))
    return {
        **example,
        **fresh_secrets(),
        "POSTGRES_PASSWORD": "unused: this server trusts loopback",
        "DATABASE_URL": f"{SERVER}/{database}",
        "REDIS_URL": "redis://127.0.0.1:6379/11",
        "CELERY_BROKER_URL": "redis://127.0.0.1:6379/12",
        "VAR_DIR": str(var),
        "STATIC_ROOT": str(var / "static"),
        "OPENAI_BASE_URLS": f"openai={sandbox}/v1",
        "CHATKIT_JS_URLS": f"openai={sandbox}/chatkit.js",
        "CHECK_INTERVAL": "3",
    }


@contextmanager
def running_production(var: Path, sandbox: str) -> Iterator[Production]:
    database = f"chatkit_production_{os.getpid()}"
    with psycopg.connect(f"{SERVER}/postgres", autocommit=True) as server:
        server.execute(f"DROP DATABASE IF EXISTS {database}")
        server.execute(f"CREATE DATABASE {database}")
        production = _start(var, database, sandbox)
        try:
            yield production
        finally:
            for process in production.processes.values():
                process.terminate()
            for process in production.processes.values():
                assert process.wait(timeout=60) == 0, "a process had to be killed, or left with an error"
            server.execute(f"DROP DATABASE {database} WITH (FORCE)")


def _start(var: Path, database: str, sandbox: str) -> Production:
    port = free_ports()
    image = {
        "PATH": f"{PROGRAMS}:/usr/bin:/bin",
        "PYTHONPATH": f"{ROOT}:{ROOT / 'platform'}",
        "PYTHONUNBUFFERED": "1",
        # The image runs as a user of its own; on this host the tests may be root's, of which Celery warns in plain words.
        "PYTHONWARNINGS": "ignore::UserWarning",
        "DJANGO_SETTINGS_MODULE": "config.settings.production",
    }
    environment = {**image, **filled_in_example(var, database, sandbox)}
    production = Production(port, environment, {}, {})
    for words in (
        service_command("migrate"),
        ["python", "manage.py", "collectstatic", "--noinput", "--verbosity", "0"],
    ):
        done = production.run(*words)
        assert done.returncode == 0, done.stderr
    commands = {"web": image_command(), "worker": service_command("worker"), "beat": service_command("beat")}
    for name, words in commands.items():
        # Only the port and beat's file differ from the image: both would be another container's.
        words = [str(port) if word == "8000" else word.replace("/tmp/", f"{var}/") for word in words]
        production.logs[name] = var / f"{name}.log"
        with production.logs[name].open("wb") as log:
            production.processes[name] = subprocess.Popen(
                [program(words[0]), *words[1:]], env=environment, cwd=ROOT, stdout=log, stderr=subprocess.STDOUT
            )
    wait_until_open(port)
    return production
