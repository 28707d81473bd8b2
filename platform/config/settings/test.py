"""The suite: real parts, throw-away secrets made at start, quick password hashes."""

import base64
import os
import secrets
import tempfile


def _ring(key_id: str) -> str:
    return f"{key_id}:{base64.b64encode(secrets.token_bytes(32)).decode()}"


os.environ.setdefault("SECRET_KEY", secrets.token_urlsafe(50))
os.environ.setdefault("MASTER_KEYS", _ring("test"))
os.environ.setdefault("SIGNING_KEYS", _ring("test"))
os.environ.setdefault("REQUIRE_HTTPS", "0")
os.environ.setdefault("VAR_DIR", tempfile.mkdtemp(prefix="chatkit-platform-test-"))
os.environ.setdefault("ALLOWED_HOSTS", "127.0.0.1,localhost,testserver,preview.localhost")

from config.settings.base import *  # noqa: E402, F403
from config.settings.base import CHAT_FILES_STORAGE, DATABASES, VAR_DIR  # noqa: E402

PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
STORAGES = {
    "default": CHAT_FILES_STORAGE,
    "staticfiles": {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"},
}
if DATABASES["default"]["ENGINE"].endswith("sqlite3"):
    # A file, not memory: the grouped writer, loaders and servers of the tests are other threads and processes.
    DATABASES["default"]["TEST"] = {"NAME": str(VAR_DIR / "test.sqlite3")}
