"""Reads the environment: every name also as NAME_FILE, so that secrets can live in files."""

from pathlib import Path
from typing import Final

import environ
from django.core.exceptions import ImproperlyConfigured

env = environ.FileAwareEnv()


def secret(name: str, *, cure: str) -> str:
    """The value of a secret, or a start that stops with a sentence which names the cure and never the value."""
    value: str = env.str(name, default="").strip()
    if not value:
        raise ImproperlyConfigured(f"{name} is not set. {cure} It may also be given as a file: {name}_FILE=/path.")
    return value


def directory(name: str, *, default: Path) -> Path:
    return Path(env.str(name, default=str(default)))


ROOT: Final = Path(__file__).resolve().parents[3]
VAR_DIR: Final = directory("VAR_DIR", default=ROOT / "var")
REQUIRE_HTTPS: Final[bool] = env.bool("REQUIRE_HTTPS", default=True)
