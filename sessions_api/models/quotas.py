"""What tenants have used of their quotas, and what was said of it."""

from django.db import models

from gateway.quotas import Period
from tenants.models import Tenant

_PERIODS = [(period.value, period.value) for period in Period]


class QuotaUsage(models.Model):
    """What a tenant had used of a quota at the last look (watch_quotas.py); one row for each period.

    `used` never falls, though rows of the ledger be deleted when their time is over.
    """

    tenant = models.ForeignKey(Tenant, on_delete=models.CASCADE, related_name="quota_usage")
    period = models.CharField(max_length=5, choices=_PERIODS)
    starts_on = models.DateField()
    used = models.PositiveIntegerField()
    quota = models.PositiveIntegerField(null=True, help_text="Empty: the tenant has none any more.")
    runs_out_at = models.DateTimeField(
        null=True,
        help_text="At the pace of the last 24 hours; empty where the period ends first, or where it is used up.",
    )
    looked_at = models.DateTimeField()

    class Meta:
        verbose_name = "use of a quota"
        verbose_name_plural = "use of quotas"
        constraints = [
            models.UniqueConstraint(fields=["tenant", "period", "starts_on"], name="one_usage_per_period"),
        ]

    def __str__(self) -> str:
        return f"{self.used} of {self.quota}"

    @property
    def percent(self) -> int:
        return 100 * self.used // self.quota if self.quota else 0


class QuotaNotice(models.Model):
    """That a tenant has used so much (50, 80, 100 %) of a quota: said once for each period and size of the quota."""

    tenant = models.ForeignKey(Tenant, on_delete=models.CASCADE, related_name="quota_notices")
    period = models.CharField(max_length=5, choices=_PERIODS)
    starts_on = models.DateField()
    threshold = models.PositiveSmallIntegerField(help_text="Percent.")
    quota = models.PositiveIntegerField()
    used = models.PositiveIntegerField()
    at = models.DateTimeField()

    class Meta:
        ordering = ["-at", "-threshold"]
        verbose_name = "notice of a quota"
        verbose_name_plural = "notices of quotas"
        constraints = [
            models.UniqueConstraint(
                fields=["tenant", "period", "starts_on", "quota", "threshold"], name="one_notice_per_threshold"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.threshold} % of {self.quota} in the {self.period} from {self.starts_on}"
