"""How far the erasure of a visitor, or the deletion of a whole tenant, has come."""

import uuid

from django.db import models

from tenants.models import Tenant


class ThreadErasure(models.Model):
    """How far somebody's threads are erased at OpenAI, key by key (erase_keys.py): a row to be claimed."""

    started_at = models.DateTimeField()
    due_at = models.DateTimeField()
    claim = models.UUIDField(null=True, db_index=True)
    claimed_until = models.DateTimeField(null=True)
    attempts = models.PositiveSmallIntegerField(default=0)
    # Keys whose threads are erased, or that were given up on: ids of both, and what to call the latter in the audit.
    keys_done = models.JSONField(default=list)
    keys_unreachable = models.JSONField(default=list)
    # What each of them came to, for a certificate: `{"key", "fingerprint", "threads_deleted", "not_reached"}`.
    by_key = models.JSONField(default=list)
    # Of the key under way: the last thread that belongs to somebody else, and failures in a row.
    cursor = models.CharField(max_length=210, blank=True)
    failures = models.PositiveSmallIntegerField(default=0)
    threads_of_key = models.PositiveIntegerField(default=0)
    threads_deleted = models.PositiveIntegerField(default=0)
    # What was deleted of the chats that the platform itself served: `{"threads": n, …}`, as the listeners name it.
    served_here = models.JSONField(default=dict)

    class Meta:
        abstract = True


class TenantDeletion(ThreadErasure):
    """How far the deletion of a tenant has come (delete_tenant.py); goes with its row, the audit keeps the counts."""

    tenant = models.OneToOneField(Tenant, on_delete=models.CASCADE, related_name="deletion")

    def __str__(self) -> str:
        return f"deletion of {self.tenant_id}"


class VisitorErasure(ThreadErasure):
    """The erasure of one visitor, under way or done (erase_visitor.py). Outlives its tenant, hence no constraint.

    `user` and `ref` name the visitor until it is erased, and are blank from then on.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    tenant = models.ForeignKey(
        Tenant, on_delete=models.DO_NOTHING, db_constraint=False, related_name="visitor_erasures"
    )
    user = models.CharField(max_length=120, blank=True, db_index=True)
    ref = models.CharField(max_length=32, blank=True)
    requested_by = models.CharField(max_length=150, help_text="A user's name, or “system” for the command line.")
    finished_at = models.DateTimeField(null=True, db_index=True)
    certificate = models.TextField(blank=True, help_text="Signed (certificate.py).")

    class Meta:
        ordering = ["-started_at"]
        verbose_name = "erasure of a visitor"
        verbose_name_plural = "erasures of visitors"
        constraints = [
            models.UniqueConstraint(
                fields=["tenant", "user"], condition=models.Q(finished_at=None), name="one_erasure_at_a_time"
            )
        ]

    def __str__(self) -> str:
        return f"erasure {self.id}"
