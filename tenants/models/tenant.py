"""A customer of the site."""

import re
import uuid
from decimal import Decimal
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


class IdentityMode(models.TextChoices):
    """What becomes of a visitor's `identity_token`, a JWT that the tenant signs."""

    OFF = "off", "off: tokens are ignored"
    REPORT_ONLY = "report_only", "report only: tokens are checked, everybody stays anonymous"
    OPTIONAL = "optional", "optional: with a good token a visitor is known, without one anonymous"
    REQUIRED = "required", "required: nobody chats without a good token"


class IdentityAlgorithm(models.TextChoices):
    HS256 = "HS256", "HS256: a secret that both sides share"
    EDDSA = "EdDSA", "EdDSA: a public key (Ed25519)"
    RS256 = "RS256", "RS256: a public key (RSA)"


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
    credential_epoch = models.PositiveIntegerField(
        default=0, editable=False, help_text="Raising it ends every chat of this tenant that the platform serves."
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
    sessions_per_minute_per_address = models.PositiveIntegerField(
        null=True,
        blank=True,
        validators=[MinValueValidator(1)],
        help_text="For one network address (IPv4 address or IPv6 /64). Empty: the site's default.",
    )
    new_visitors_per_minute = models.PositiveIntegerField(
        null=True,
        blank=True,
        validators=[MinValueValidator(1)],
        help_text="Visitors whom nobody has seen before, for the whole tenant. Empty: the site's default.",
    )
    sessions_per_day = models.PositiveIntegerField(
        "daily quota",
        null=True,
        blank=True,
        validators=[MinValueValidator(1)],
        help_text="Sessions granted from midnight to midnight UTC. Empty: the site's default, which may be none.",
    )
    sessions_per_month = models.PositiveIntegerField(
        "monthly quota",
        null=True,
        blank=True,
        validators=[MinValueValidator(1)],
        help_text="Sessions granted in a calendar month, UTC. Empty: the site's default, which may be none.",
    )
    messages_per_minute = models.PositiveIntegerField(
        null=True,
        blank=True,
        validators=[MinValueValidator(1)],
        help_text="Chat messages that this platform answers, for the whole tenant. Empty: the site's default.",
    )
    messages_per_minute_per_visitor = models.PositiveIntegerField(
        null=True,
        blank=True,
        validators=[MinValueValidator(1)],
        help_text="The same for one visitor. Empty: the site's default.",
    )
    tokens_per_day = models.PositiveBigIntegerField(
        null=True,
        blank=True,
        validators=[MinValueValidator(1)],
        help_text="Input and output tokens, for the whole tenant, UTC. Empty: the site's default, which may be none.",
    )
    tokens_per_day_per_visitor = models.PositiveBigIntegerField(
        null=True,
        blank=True,
        validators=[MinValueValidator(1)],
        help_text="The same for one visitor. Empty: the site's default, which may be none.",
    )
    cost_per_month = models.DecimalField(
        "monthly budget (USD)",
        max_digits=12,
        decimal_places=2,
        null=True,
        blank=True,
        validators=[MinValueValidator(Decimal("0.01"))],
        help_text="By the price table, in a calendar month, UTC. Empty: none.",
    )
    limit_text = models.CharField(
        max_length=300,
        blank=True,
        validators=[refuse_secrets],
        help_text="What a visitor reads at a limit, in the tenant's own words. Empty: the platform's.",
    )
    conversation_retention_days = models.PositiveIntegerField(
        "keep conversations (days)",
        null=True,
        blank=True,
        validators=[MinValueValidator(1)],
        help_text="Chats that this platform stores are deleted so long after their last message. Empty: the site's default.",
    )
    log_only_limits = models.JSONField(
        "limits on trial",
        default=list,
        blank=True,
        help_text="Limits that refuse nobody yet: what they would refuse is only noted in the ledger.",
    )
    identity_mode = models.CharField(
        "signed visitors",
        max_length=11,
        choices=IdentityMode.choices,
        default=IdentityMode.OFF,
        help_text="Whether your customer's own server says who a visitor is, by a token that it signs.",
    )
    identity_algorithm = models.CharField(
        "signature",
        max_length=5,
        choices=IdentityAlgorithm.choices,
        default=IdentityAlgorithm.HS256,
        help_text="The one algorithm whose tokens count; any other is refused.",
    )
    identity_claims = models.JSONField(
        "claims for the workflow",
        default=list,
        blank=True,
        help_text="Claims of the token that reach the workflow as state variables, for instance plan, locale. Nothing else does.",
    )
    retention_days = models.PositiveIntegerField(
        "keep session requests (days)",
        null=True,
        blank=True,
        validators=[MinValueValidator(1)],
        help_text="Older ones are deleted, and the audit says how many. Empty: the site's default.",
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
