"""What production guards by its settings alone, read from a process that starts with production's environment."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from encryption.make_secrets import fresh_secrets

ROOT = Path(__file__).resolve().parents[2]
READ = """
import json, sys
from django.conf import settings
print(json.dumps({name: getattr(settings, name) for name in sys.argv[1:]}))
"""
EXPECTED: dict[str, Any] = {
    "DEBUG": False,
    # Only this host can set a cookie of such a name, only over https, for the whole of it.
    "SESSION_COOKIE_NAME": "__Host-sessionid",
    "CSRF_COOKIE_NAME": "__Host-csrftoken",
    "SESSION_COOKIE_SECURE": True,
    "CSRF_COOKIE_SECURE": True,
    "SESSION_COOKIE_HTTPONLY": True,
    "CSRF_COOKIE_HTTPONLY": True,
    "SESSION_COOKIE_SAMESITE": "Lax",
    # Without these browsers refuse the names above.
    "SESSION_COOKIE_PATH": "/",
    "CSRF_COOKIE_PATH": "/",
    "SESSION_COOKIE_DOMAIN": None,
    "CSRF_COOKIE_DOMAIN": None,
    "SECURE_SSL_REDIRECT": True,
    "SECURE_HSTS_SECONDS": 365 * 24 * 3600,
    "SECURE_HSTS_INCLUDE_SUBDOMAINS": True,
    "SECURE_HSTS_PRELOAD": True,
}


@pytest.fixture(scope="module")
def production() -> dict[str, Any]:
    """The settings as production has them where nothing but the necessary is given."""
    environment = {
        **fresh_secrets(),
        "PATH": os.environ["PATH"],
        "PYTHONPATH": os.pathsep.join([str(ROOT), str(ROOT / "platform")]),
        "DJANGO_SETTINGS_MODULE": "config.settings.production",
        "ALLOWED_HOSTS": "chat.example.com",
        "DATABASE_URL": "postgres://app@database/app",
    }
    command = [sys.executable, "-c", READ, *EXPECTED]
    done = subprocess.run(command, env=environment, cwd=ROOT, capture_output=True, text=True, check=True)
    settings: dict[str, Any] = json.loads(done.stdout)
    return settings


@pytest.mark.parametrize("name", EXPECTED)
def test_production_is_guarded_by_default(production: dict[str, Any], name: str) -> None:
    assert production[name] == EXPECTED[name]
