"""Tokens by which machines read the operations API."""

import uuid

from django.conf import settings
from django.db import models


class OpsScope(models.TextChoices):
    SESSIONS_READ = "sessions:read", "sessions and usage"
    TENANTS_READ = "tenants:read", "tenants' states"
    KEYS_READ = "keys:read", "keys' verdicts"
    METRICS_READ = "metrics:read", "Prometheus metrics"


class OpsToken(models.Model):
    """A machine's read token, shown once when it is made; only a SHA-256 of its 256 random bits is kept."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    label = models.CharField(max_length=80, unique=True)
    prefix = models.CharField(max_length=12, editable=False, help_text="First characters, to recognise it by.")
    digest = models.CharField(max_length=64, unique=True, editable=False)
    scopes = models.JSONField(default=list)
    created_by = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, editable=False, on_delete=models.SET_NULL)
    created_at = models.DateTimeField(auto_now_add=True)
    expires_at = models.DateTimeField(null=True, blank=True)
    revoked_at = models.DateTimeField(null=True, editable=False)

    class Meta:
        ordering = ["label"]
        verbose_name = "operations token"

    def __str__(self) -> str:
        return self.label
