"""One origin, one family of sub-domains, or one pattern of previews, whose pages may open a tenant's chat."""

from django.core.validators import RegexValidator
from django.db import models

from tenants.models.epoch import ObservedModel
from tenants.models.tenant import Tenant
from tenants.origins import OriginRule


class AllowedDomain(ObservedModel):
    tenant = models.ForeignKey(Tenant, on_delete=models.CASCADE, related_name="domains")
    scheme = models.CharField(max_length=5, choices=[("https", "https"), ("http", "http")], default="https")
    host = models.CharField(
        max_length=253, help_text="Canonical: lower case, IDNA, no trailing dot; a preview pattern with its star."
    )
    port = models.PositiveIntegerField(null=True, blank=True, help_text="Empty: the scheme's default port.")
    include_subdomains = models.BooleanField(
        default=False, help_text="Every name below this one, at any depth; never the name itself."
    )
    expires_on = models.DateField(
        "last day",
        null=True,
        blank=True,
        help_text="Of a preview pattern, which must have one, in UTC. No other entry ends.",
    )
    domain_key = models.CharField(
        "OpenAI domain key",
        max_length=200,
        blank=True,
        validators=[RegexValidator(r"^domain_pk_[A-Za-z0-9_-]+\Z", "A domain key starts with “domain_pk_”.")],
        help_text="“domain_pk_…”, which OpenAI shows when the tenant puts this website on its own allow-list. It is public. "
        "Only for assistants that this platform serves.",
    )
    listed_at_openai = models.DateField(
        "on OpenAI's list since",
        null=True,
        blank=True,
        help_text="When the tenant put this website on its list at OpenAI; for your own check-list.",
    )
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering = ["host", "port"]
        verbose_name = "allowed domain"
        # Two constraints where one with `nulls_distinct=False` would do, which SQLite doesn't know.
        constraints = [
            models.UniqueConstraint(
                fields=["tenant", "scheme", "host", "port", "include_subdomains"],
                name="domain_and_port_once_per_tenant",
                violation_error_message="This domain is already allowed.",
            ),
            models.UniqueConstraint(
                fields=["tenant", "scheme", "host", "include_subdomains"],
                condition=models.Q(port__isnull=True),
                name="domain_once_per_tenant",
                violation_error_message="This domain is already allowed.",
            ),
            # The star is in the host, where a release that knows no patterns sees a name that no browser sends.
            models.CheckConstraint(
                condition=models.Q(host__contains="*", expires_on__isnull=False)
                | (~models.Q(host__contains="*") & models.Q(expires_on__isnull=True)),
                name="pattern_and_nothing_else_expires",
            ),
        ]

    def __str__(self) -> str:
        return self.entry

    @property
    def rule(self) -> OriginRule:
        return OriginRule(self.scheme, self.host, self.port, self.include_subdomains, self.expires_on)

    @property
    def entry(self) -> str:
        """As one would type it: `https://*.example.com:8443`, `https://app-*.example.com`."""
        wildcard = "*." if self.include_subdomains else ""
        port = f":{self.port}" if self.port else ""
        return f"{self.scheme}://{wildcard}{self.host}{port}"
