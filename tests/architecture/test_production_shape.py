"""The files of the production shape say what the code needs; without a docker engine they are proven by parsing."""

import re
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

ROOT = Path(__file__).resolve().parents[2]
SETTINGS = (ROOT / "platform" / "config" / "settings").glob("*.py")
COMPOSE: dict[str, Any] = yaml.safe_load((ROOT / "docker-compose.yml").read_text())


def names_read_by_settings() -> set[str]:
    return {
        name
        for file in SETTINGS
        for name in re.findall(r"(?:env\.\w+|secret|directory)\(\s*\"([A-Z_]+)\"", file.read_text())
    }


def names_of_the_example() -> set[str]:
    return set(re.findall(r"^#?([A-Z][A-Z_]+)=", (ROOT / ".env.example").read_text(), flags=re.MULTILINE))


def test_env_example_names_what_settings_read_and_nothing_else() -> None:
    assert names_of_the_example() - {"POSTGRES_PASSWORD"} == names_read_by_settings()


def test_env_example_holds_no_secret() -> None:
    lines = dict(re.findall(r"^([A-Z_]+)=(.*)$", (ROOT / ".env.example").read_text(), flags=re.MULTILINE))

    assert [lines[name] for name in ("SECRET_KEY", "MASTER_KEYS", "SIGNING_KEYS", "POSTGRES_PASSWORD")] == [
        "",
        "",
        "",
        "",
    ]


def test_compose_has_every_part_with_a_health_check() -> None:
    services = COMPOSE["services"]

    assert set(services) == {"migrate", "web", "worker", "beat", "database", "redis"}
    assert {name for name, service in services.items() if "healthcheck" in service} == {
        "web",
        "worker",
        "database",
        "redis",
    }
    assert services["web"]["env_file"] == services["worker"]["env_file"] == services["beat"]["env_file"] == ".env"


def test_nothing_is_published_beyond_loopback() -> None:
    published = [port for service in COMPOSE["services"].values() for port in service.get("ports", [])]

    assert published
    assert all(port.startswith("127.0.0.1:") for port in published)


def test_the_image_is_multi_stage_locked_and_not_root() -> None:
    text = (ROOT / "Dockerfile").read_text()

    assert len(re.findall(r"^FROM ", text, flags=re.MULTILINE)) == 2
    assert "--require-hashes" in text
    assert re.search(r"^USER app$", text, flags=re.MULTILINE)
    assert "--no-proxy-headers" in text
    assert "--no-server-header" in text


@pytest.mark.parametrize(
    "copied", re.findall(r"^COPY (?!--from)(\S+)", (ROOT / "Dockerfile").read_text(), flags=re.MULTILINE)
)
def test_what_the_image_copies_is_tracked_and_not_ignored(copied: str) -> None:
    tracked = subprocess.run(["git", "ls-files", copied], cwd=ROOT, capture_output=True, text=True, check=True).stdout
    allowed = (ROOT / ".dockerignore").read_text().splitlines()

    assert tracked
    assert f"!{copied}" in allowed
