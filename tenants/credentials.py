"""What a stored key sends to OpenAI: the one place that makes credentials of it, and one error where it can't."""

from datetime import datetime
from typing import Final

from chatkit_client.credentials import Credentials
from encryption.vault import SecretError
from tenants.keys import open_key, open_replaced
from tenants.models import ApiKey, ReplacedKey
from tenants.models.epoch import SEEN_WITHIN

# Reasons of findings and refusals; tenants/verdict_words.py has their words.
KEY_UNREADABLE: Final = "key_unreadable"
KEY_MALFORMED: Final = "key_malformed"


class KeyUnusable(Exception):
    """No call can be made with this row; `reason` says why, and holds nothing of it."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


def credentials_of(row: ApiKey | ReplacedKey) -> Credentials:
    """Raises KeyUnusable."""
    key = row.key if isinstance(row, ReplacedKey) else row
    try:
        secret = open_replaced(row) if isinstance(row, ReplacedKey) else open_key(row)
        return Credentials(secret, organization=key.organization, project=key.project)
    except SecretError:
        raise KeyUnusable(KEY_UNREADABLE) from None
    except ValueError:
        raise KeyUnusable(KEY_MALFORMED) from None


def credentials_since(key: ApiKey, at: datetime) -> tuple[Credentials, ...]:
    """All that stood in this row since then, oldest first: a process may have gone by any of them. Raises KeyUnusable.

    Reads `key.replaced`, which wants to be prefetched.
    """
    replaced = [row for row in key.replaced.all() if row.replaced_at + SEEN_WITHIN >= at]
    return (*map(credentials_of, replaced), credentials_of(key))
