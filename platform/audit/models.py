"""The chain of audit events: append-only, linked by hash, its order given by `seq`."""

import uuid

from django.db import models

from audit.actions import action_choices


class ChainHead(models.Model):
    """The last link, one row with id 1; locked for the length of an append, so that the chain can't fork."""

    seq = models.PositiveBigIntegerField(default=0)
    hash = models.CharField(max_length=64, default="0" * 64)


class AuditEvent(models.Model):
    """One thing that somebody did, or that happened, to configuration, keys or access.

    Names its subject by text, not by foreign key: an event outlives its subject. `hash` is SHA-256 over 0x00 and the
    canonical JSON (RFC 8785) of the other columns, `prev_hash` among them. Database triggers refuse UPDATE and DELETE.
    """

    seq = models.PositiveBigIntegerField(unique=True)
    id = models.UUIDField(primary_key=True, default=uuid.uuid4)
    at = models.DateTimeField(db_index=True)
    action = models.CharField(max_length=40, choices=action_choices, db_index=True)
    actor = models.CharField(max_length=150, help_text="A user's name, or “system”.")
    actor_id = models.CharField(max_length=36, blank=True)
    address = models.CharField(
        max_length=45, blank=True, help_text="Where the request came from, truncated to /24 or /48."
    )
    tenant_id = models.UUIDField(null=True, db_index=True)
    tenant_name = models.CharField(max_length=120, blank=True)
    subject_type = models.CharField(max_length=40)
    subject_id = models.CharField(max_length=64)
    subject = models.CharField(max_length=200)
    changes = models.JSONField(
        default=dict, help_text="Names of the fields changed; old and new values of harmless ones."
    )
    request_id = models.CharField(max_length=40, blank=True)
    prev_hash = models.CharField(max_length=64)
    hash = models.CharField(max_length=64)

    class Meta:
        ordering = ["-seq"]
        verbose_name = "audit event"

    def __str__(self) -> str:
        return f"{self.action} {self.subject}"


class PrunePermit(models.Model):
    """Lets one transaction delete the rows of one tenant in one append-only table that are older than `before`.

    The table's DELETE trigger looks for it (append_only.py). It is written, used and removed in one transaction
    (prune.py), and PostgreSQL accepts it in that very transaction alone.
    """

    table_name = models.CharField(max_length=63)
    tenant_id = models.UUIDField(null=True)
    before = models.DateTimeField()
    transaction = models.BigIntegerField(null=True, help_text="PostgreSQL's number of the transaction.")

    def __str__(self) -> str:
        return f"{self.table_name} before {self.before}"
