"""A customer of the site."""

import re
import uuid
from typing import ClassVar

from django.core.validators import MinValueValidator, RegexValidator
from django.db import models

from tenants.models.epoch import ObservedModel
from tenants.upstreams import default_upstream, validate_upstream

validate_lower_case = RegexValidator(
    r"^[a-z0-9][a-z0-9_-]*\Z",
    "Lower-case letters, digits, hyphens and underscores only, the first a letter or a digit.",
)
# What stands in a name is shown, logged and kept in the audit for ever.
refuse_secrets = RegexValidator(
    r"(?<![A-Za-z0-9])(sk-|ek_|domain_pk_)[A-Za-z0-9_-]{8}",
    "This looks like a key, and a name is shown to everybody here. Choose another name, and paste a key only into the field "
    "“API key”.",
    inverse_match=True,
    flags=re.IGNORECASE,
)


class TenantState(models.TextChoices):
    ACTIVE = "active", "active"
    SUSPENDED = "suspended", "suspended"
    # Being taken apart by sessions_api/delete_tenant.py; there is no way back.
    DELETING = "deleting", "being deleted"


class Tenant(ObservedModel):
    id = models.UUIDField(primary_key=True, default=uuid.uuid4, editable=False)
    name = models.CharField(
        max_length=120, unique=True, validators=[refuse_secrets], help_text="As your team calls this customer."
    )
    slug = models.SlugField(
        max_length=60,
        unique=True,
        validators=[validate_lower_case],
        help_text="Short name for commands: lower-case letters, digits, hyphens, underscores.",
    )
    public_id = models.CharField(
        "public ID",
        max_length=31,
        unique=True,
        editable=False,
        help_text="What the tenant's pages carry. Not a secret.",
    )
    state = models.CharField(
        max_length=10,
        choices=TenantState.choices,
        default=TenantState.ACTIVE,
        help_text="Suspending stops new sessions within two seconds and cancels live ones at OpenAI.",
    )
    upstream = models.CharField(
        "OpenAI address",
        max_length=32,
        default=default_upstream,
        validators=[validate_upstream],
        help_text="Which of the operator's allowed OpenAI addresses this tenant's keys are sent to.",
    )
    user_scope_token = models.TextField(
        editable=False, help_text="Sealed secret from which each visitor's user at OpenAI is derived. Never rotated."
    )
    visitor_epoch = models.PositiveIntegerField(
        default=0, editable=False, help_text="Raising it turns every visitor into a new one."
    )
    sessions_per_minute = models.PositiveIntegerField(
        null=True,
        blank=True,
        validators=[MinValueValidator(1)],
        help_text="For the whole tenant. Empty: the site's default.",
    )
    sessions_per_minute_per_visitor = models.PositiveIntegerField(
        null=True,
        blank=True,
        validators=[MinValueValidator(1)],
        help_text="For one visitor. Empty: the site's default.",
    )
    fallback_text = models.CharField(
        max_length=300,
        blank=True,
        help_text="Shown on the tenant's page when the chat is unavailable, for instance: “Write to us at help@example.com.”",
    )
    fallback_url = models.CharField(
        "fallback address",
        max_length=300,
        blank=True,
        validators=[
            RegexValidator(
                r"^(https://|mailto:|tel:)[^\s<>\"']+\Z",
                "Start with https://, mailto: or tel:, without blanks or quotes.",
            )
        ],
        help_text="Where the fallback text leads: an https:, mailto: or tel: address.",
    )
    domain_verification_key = models.CharField(
        max_length=200,
        blank=True,
        validators=[RegexValidator(r"^[A-Za-z0-9_\-]+\Z", "Only letters, digits, hyphens and underscores.")],
        help_text="For the “openai-domain-verify” meta tag of older guides; optional. ChatKit itself does not read it.",
    )
    created_at = models.DateTimeField(auto_now_add=True)
    updated_at = models.DateTimeField(auto_now=True)

    unobserved: ClassVar[frozenset[str]] = frozenset({"updated_at"})

    class Meta:
        ordering = ["name"]

    def __str__(self) -> str:
        return self.name

    @property
    def is_active(self) -> bool:
        return self.state == TenantState.ACTIVE
