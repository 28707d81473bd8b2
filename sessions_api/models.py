"""The ledger of session requests, and what is needed to cancel a live session."""

import uuid

from django.db import models

from tenants.models import ApiKey, Tenant


class SessionRequest(models.Model):
    """One call of the session endpoint, granted or refused. Append-only: triggers refuse UPDATE and DELETE.

    Outlives its tenant, hence no constraint on the foreign key. Visitors are named by an HMAC; addresses are cut to /24 or /48.
    """

    id = models.UUIDField(primary_key=True, default=uuid.uuid4)
    at = models.DateTimeField()
    tenant = models.ForeignKey(
        Tenant,
        on_delete=models.DO_NOTHING,
        db_constraint=False,
        # The index on tenant and time serves for the tenant alone.
        db_index=False,
        null=True,
        related_name="session_requests",
    )
    assistant_slug = models.CharField(max_length=60, blank=True)
    key_id = models.UUIDField(null=True)
    outcome = models.CharField(max_length=32, help_text="“granted”, or the code of the refusal.")
    reason = models.CharField(max_length=40, blank=True, help_text="What lies behind the code; for the operator only.")
    count = models.PositiveIntegerField(
        default=1, help_text="More than 1: refusals of one kind in one minute, counted together."
    )
    is_refresh = models.BooleanField(default=False)
    is_preflight = models.BooleanField(default=False)
    origin = models.CharField(max_length=300, blank=True)
    visitor_ref = models.CharField(max_length=32, blank=True)
    visitor_kind = models.CharField(
        max_length=5, blank=True, default="", help_text="anon, or known by a signed identity."
    )
    identity = models.CharField(
        max_length=40, blank=True, default="", help_text="“ok”, or why the signed identity was refused or is missing."
    )
    would_refuse = models.CharField(
        max_length=80, blank=True, default="", help_text="Limits on trial that would have refused this."
    )
    address = models.CharField(max_length=45, blank=True)
    latency_ms = models.PositiveIntegerField(default=0, help_text="The whole answer.")
    upstream_ms = models.PositiveIntegerField(null=True, help_text="OpenAI's part; empty where OpenAI was not asked.")
    upstream_status = models.PositiveSmallIntegerField(null=True)
    upstream_request_id = models.CharField(max_length=128, blank=True)
    request_id = models.CharField(max_length=40, blank=True)
    client = models.CharField("script version", max_length=40, blank=True)

    class Meta:
        ordering = ["-at"]
        verbose_name = "session request"
        indexes = [
            models.Index(fields=["at"], name="session_request_at"),
            models.Index(fields=["tenant", "at"], name="session_request_tenant_at"),
            # What the console looks rows up by (admin.py): of 2 million rows each takes milliseconds, else up to a second.
            models.Index(fields=["request_id"], name="session_request_id"),
            models.Index(fields=["upstream_request_id"], name="session_request_upstream"),
            models.Index(fields=["visitor_ref", "at"], name="session_request_visitor_at"),
            models.Index(fields=["origin", "at"], name="session_request_origin_at"),
            models.Index(fields=["outcome", "at"], name="session_request_outcome_at"),
        ]

    def __str__(self) -> str:
        return f"{self.outcome} {self.origin}"


class LiveSession(models.Model):
    """A granted session that could still be used: enough to cancel it at OpenAI. Purged after its expiry."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4)
    session_id = models.CharField(max_length=128)
    tenant = models.ForeignKey(Tenant, on_delete=models.CASCADE, related_name="live_sessions")
    key = models.ForeignKey(ApiKey, on_delete=models.CASCADE, related_name="live_sessions")
    assistant_id = models.UUIDField(null=True)
    visitor_ref = models.CharField(max_length=32, db_index=True)
    origin = models.CharField(max_length=300, blank=True, default="")
    granted_at = models.DateTimeField()
    expires_at = models.DateTimeField(db_index=True)
    cancel_requested_at = models.DateTimeField(null=True, db_index=True)
    # Of a session that is to be cancelled: all that were marked at once for one reason are one wave (waves.py).
    cancel_reason = models.CharField(max_length=24, blank=True, default="")
    claim = models.UUIDField(null=True, db_index=True)
    claimed_until = models.DateTimeField(null=True)
    attempts = models.PositiveSmallIntegerField(default=0)
    cancelled_at = models.DateTimeField(null=True)

    class Meta:
        ordering = ["-granted_at"]
        verbose_name = "live session"

    def __str__(self) -> str:
        return f"session until {self.expires_at:%H:%M:%S}"


class VisitorLink(models.Model):
    """What leads from a visitor's name at OpenAI to its name in our ledger, and back; erasing the visitor destroys it.

    Without this row nobody can tell whose the ledger's rows are: `ref` is an HMAC under a key that is random per visitor.
    """

    user = models.CharField(max_length=120, primary_key=True, help_text="The visitor's `user` at OpenAI.")
    tenant = models.ForeignKey(Tenant, on_delete=models.CASCADE, related_name="visitor_links")
    ref = models.CharField(max_length=32, db_index=True)
    # Of a known visitor, hex; an anonymous one's is the id in its token, and kept nowhere else.
    pseudonym = models.CharField(max_length=32, blank=True, default="")
    first_seen_at = models.DateTimeField()

    class Meta:
        ordering = ["-first_seen_at"]
        verbose_name = "visitor"

    def __str__(self) -> str:
        return self.ref


class RevokedVisitor(models.Model):
    """Tokens of this visitor that were issued up to this second count no more: signed out, or erased."""

    ref = models.CharField(max_length=32, primary_key=True)
    tenant = models.ForeignKey(Tenant, on_delete=models.CASCADE, related_name="revoked_visitors")
    revoked_at = models.DateTimeField(db_index=True)

    class Meta:
        verbose_name = "revoked visitor"

    def __str__(self) -> str:
        return self.ref


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
