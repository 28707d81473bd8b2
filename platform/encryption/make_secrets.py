"""Prints fresh secrets as lines for an environment file: `python -m encryption.make_secrets >> .env`.

Runs without settings, since settings need what it makes.
"""

import base64
import secrets


def fresh_ring(key_id: str) -> str:
    """A ring of one random 256-bit key, as MASTER_KEYS and SIGNING_KEYS take it."""
    return f"{key_id}:{base64.b64encode(secrets.token_bytes(32)).decode()}"


def fresh_secrets(*, key_id: str = "k1") -> dict[str, str]:
    return {
        "SECRET_KEY": secrets.token_urlsafe(50),
        "MASTER_KEYS": fresh_ring(key_id),
        "SIGNING_KEYS": fresh_ring(key_id),
    }


if __name__ == "__main__":
    for name, value in fresh_secrets().items():
        print(f"{name}={value}")  # noqa: T201  (printing is this program's deed)
