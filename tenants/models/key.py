"""A tenant's OpenAI key: the ciphertext and what may be known about it."""

import uuid
from typing import ClassVar

from django.core.validators import RegexValidator
from django.db import models
from django.utils import timezone

from tenants.models.epoch import ObservedModel
from tenants.models.tenant import Tenant, refuse_secrets


class Verdict(models.TextChoices):
    """What the last checks say of a key, or of a (key, assistant) pair."""

    UNCHECKED = "unchecked", "not checked yet"
    HEALTHY = "healthy", "healthy"
    DEGRADED = "degraded", "degraded"
    INVALID_KEY = "invalid_key", "key refused"
    MISSING_SCOPE = "missing_scope", "permission missing"
    WORKFLOW_MISSING = "workflow_missing", "workflow not found"
    MODEL_MISSING = "model_missing", "model not available"
    BILLING = "billing", "billing blocked"
    THROTTLED = "throttled", "throttled"
    UPSTREAM_DOWN = "upstream_down", "OpenAI unreachable"


# A condemned key or pair gets no traffic, but goes on being checked.
CONDEMNED = frozenset(
    {
        Verdict.INVALID_KEY,
        Verdict.MISSING_SCOPE,
        Verdict.WORKFLOW_MISSING,
        Verdict.MODEL_MISSING,
        Verdict.BILLING,
    }
)


class ApiKey(ObservedModel):
    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    tenant = models.ForeignKey(Tenant, on_delete=models.CASCADE, related_name="keys")
    label = models.CharField(
        max_length=80,
        validators=[refuse_secrets],
        help_text="To tell keys apart, for instance “production, EU project”.",
    )
    token = models.TextField(editable=False, help_text="The sealed key (encryption/vault.py); never shown.")
    last_four = models.CharField(max_length=4, editable=False)
    fingerprint = models.CharField(
        max_length=16,
        editable=False,
        help_text="HMAC of the key under a site key: equal fingerprints are the same key.",
    )
    organization = models.CharField(
        "OpenAI organization",
        max_length=64,
        blank=True,
        validators=[RegexValidator(r"^org-[A-Za-z0-9_-]+\Z", "An organization ID starts with “org-”.")],
        help_text="Only for a key that belongs to several organizations: “org-…”, from platform.openai.com → Settings → General.",
    )
    project = models.CharField(
        "OpenAI project",
        max_length=64,
        blank=True,
        validators=[RegexValidator(r"^proj_[A-Za-z0-9_-]+\Z", "A project ID starts with “proj_”.")],
        help_text="Only for a legacy user key: “proj_…”. The workflow must belong to this project.",
    )
    verdict = models.CharField(max_length=20, choices=Verdict.choices, default=Verdict.UNCHECKED, editable=False)
    verdict_since = models.DateTimeField(default=timezone.now, editable=False)
    checked_at = models.DateTimeField(null=True, editable=False)
    retired_at = models.DateTimeField(null=True, editable=False)
    created_at = models.DateTimeField(auto_now_add=True)

    unobserved: ClassVar[frozenset[str]] = frozenset({"checked_at"})

    class Meta:
        ordering = ["tenant", "label"]
        verbose_name = "OpenAI key"
        constraints = [models.UniqueConstraint(fields=["tenant", "label"], name="key_label_once_per_tenant")]

    def __str__(self) -> str:
        return f"{self.label} ({self.masked})"

    @property
    def masked(self) -> str:
        return f"sk-…{self.last_four}"

    @property
    def is_retired(self) -> bool:
        return self.retired_at is not None

    @property
    def is_condemned(self) -> bool:
        return self.verdict in CONDEMNED


class ReplacedKey(models.Model):
    """The ciphertext of a key that was replaced: what it opened can be cancelled with it alone, for as long as that may live."""

    key = models.ForeignKey(ApiKey, on_delete=models.CASCADE, related_name="replaced")
    token = models.TextField(editable=False, help_text="Sealed for the row of the key; never shown.")
    replaced_at = models.DateTimeField(db_index=True, editable=False)

    class Meta:
        ordering = ["replaced_at"]
        verbose_name = "replaced key"

    def __str__(self) -> str:
        return f"replaced at {self.replaced_at:%H:%M:%S}"
