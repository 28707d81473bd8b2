"""What a tenant signs its visitors' identity tokens with: a secret that we share, or a public key of its own."""

import uuid

from django.db import models

from tenants.models.epoch import ObservedModel
from tenants.models.tenant import IdentityAlgorithm, Tenant, refuse_secrets


class IdentityKey(ObservedModel):
    """One secret (HS256, sealed) or public key (PEM) of a tenant; two may count at a time, so that it can be changed."""

    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    tenant = models.ForeignKey(Tenant, on_delete=models.CASCADE, related_name="identity_keys")
    label = models.CharField(max_length=80, validators=[refuse_secrets], help_text="To tell them apart.")
    algorithm = models.CharField(max_length=5, choices=IdentityAlgorithm.choices, editable=False)
    token = models.TextField(blank=True, editable=False, help_text="The sealed secret; never shown again.")
    public_key = models.TextField(blank=True, editable=False, help_text="PEM.")
    fingerprint = models.CharField(max_length=16, editable=False)
    created_at = models.DateTimeField(auto_now_add=True)
    retired_at = models.DateTimeField(null=True, editable=False)

    class Meta:
        ordering = ["tenant", "created_at"]
        verbose_name = "signing key of a tenant"
        verbose_name_plural = "signing keys of tenants"

    def __str__(self) -> str:
        return f"{self.label} ({self.algorithm})"

    @property
    def is_retired(self) -> bool:
        return self.retired_at is not None
