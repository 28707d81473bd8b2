"""The platform's own secrets, made once by whoever needs them first and kept sealed."""

import secrets
from functools import partial
from typing import Any, Final
from uuid import UUID, uuid4

from django.db import IntegrityError, models, transaction

from encryption.secret import Secret
from encryption.vault import Binding, open_token, seal

SITE_OWNER: Final = UUID(int=0)


class SiteSecret(models.Model):
    """A secret of the whole site, such as the key of the public ids; never rotated."""

    id = models.UUIDField(primary_key=True, default=uuid4, editable=False)
    name = models.CharField(max_length=50, unique=True, editable=False)
    token = models.TextField(editable=False)
    created_at = models.DateTimeField(auto_now_add=True)

    def __str__(self) -> str:
        return self.name

    def binding(self) -> Binding:
        return Binding(owner=SITE_OWNER, purpose=f"site:{self.name}", row=self.id)


_opened: dict[str, Secret] = {}


def site_secret(name: str) -> Secret:
    """The secret of this name, 256 random bits as text, made on first use; raises SecretError.

    The first call of a process reads the database, so a process makes it before it serves requests.
    """
    cached = _opened.get(name)
    if cached is not None:
        return cached
    row = SiteSecret.objects.filter(name=name).first() or _make(name)
    secret = open_token(row.token, row.binding())
    # Kept only once the row is there for good: a row of a transaction that is rolled back takes its secret with it.
    transaction.on_commit(partial(_opened.__setitem__, name, secret))
    return secret


def _make(name: str) -> SiteSecret:
    """Insert the secret, or read the one that another process inserted in between."""
    row = SiteSecret(name=name)
    row.token = seal(secrets.token_urlsafe(32), row.binding())
    try:
        with transaction.atomic():
            row.save(force_insert=True)
    except IntegrityError:
        return SiteSecret.objects.get(name=name)
    return row


def forget_site_secrets(**kwargs: Any) -> None:
    """Read every site secret from the database again on its next use."""
    _opened.clear()
