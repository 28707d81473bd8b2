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


class SeenMasterKey(models.Model):
    """Since when a worker has seen a master key's id in its ring: how old the key is at least."""

    key_id = models.CharField(max_length=32, primary_key=True, editable=False)
    first_seen_at = models.DateTimeField(auto_now_add=True)

    def __str__(self) -> str:
        return self.key_id


class RewrapRun(models.Model):
    """A re-wrapping that somebody asked for in the console; the worker does it in pieces, each claimed by one process.

    What is still to be done is not written here: the tokens themselves say it.
    """

    id = models.UUIDField(primary_key=True, default=uuid4, editable=False)
    # The master key that was primary for whoever asked; a worker whose ring begins with another one leaves the run alone.
    primary_id = models.CharField(max_length=32, editable=False)
    requested_at = models.DateTimeField(auto_now_add=True)
    requested_by = models.CharField(max_length=150, editable=False)
    requested_by_id = models.CharField(max_length=36, blank=True, editable=False)
    is_open = models.BooleanField(default=True, editable=False)
    claim = models.UUIDField(null=True, editable=False)
    claimed_until = models.DateTimeField(null=True, editable=False)
    # Rows under other keys when it began, and those that were moved since.
    total = models.PositiveIntegerField(editable=False)
    rewrapped = models.PositiveIntegerField(default=0, editable=False)
    # The first of the rows that can't be opened, as “table pk: why”; `failed` counts all.
    failed = models.PositiveIntegerField(default=0, editable=False)
    failures = models.JSONField(default=list, editable=False)
    note = models.CharField(max_length=200, blank=True, editable=False)
    ended_at = models.DateTimeField(null=True, editable=False)
    # Rows under another key than the primary at its end.
    left = models.PositiveIntegerField(null=True, editable=False)

    class Meta:
        ordering = ["-requested_at"]
        verbose_name = "re-wrapping"
        constraints = [
            models.UniqueConstraint(fields=["is_open"], condition=models.Q(is_open=True), name="one_open_rewrap_run")
        ]

    def __str__(self) -> str:
        return f"re-wrapping under {self.primary_id}"


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
