"""What leads to a visitor, and whose tokens count no more."""

from django.db import models

from tenants.models import Tenant


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
