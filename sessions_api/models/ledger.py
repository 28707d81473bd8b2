"""The ledger of session requests, and what is needed to cancel a live session."""

import uuid
from typing import Final

from django.db import models

from tenants.models import ApiKey, Tenant

# In `identity`: the tenant's own server vouched for the visitor, by a token that this request brought.
IDENTITY_OK: Final = "ok"


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
            # What quotas are counted from, without looking at the rows themselves.
            models.Index(
                fields=["tenant", "at"], condition=models.Q(outcome="granted"), name="session_request_granted"
            ),
            models.Index(
                fields=["tenant", "at"], condition=~models.Q(would_refuse=""), name="session_request_on_trial"
            ),
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
