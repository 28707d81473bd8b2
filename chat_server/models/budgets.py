"""What tenants have used of their budgets of tokens and money, and what was said of it."""

from django.db import models

from tenants.limit_names import LimitName
from tenants.models import Tenant

_NAMES = [(name.value, name.label) for name in (LimitName.TOKENS_DAY, LimitName.COST_MONTH)]


class BudgetUsage(models.Model):
    """What a tenant had used of a budget at the last look (watch_budgets.py); one row for each period.

    Tokens, or microdollars. `used` never falls, though rows of the ledger be deleted when their time is over.
    """

    tenant = models.ForeignKey(Tenant, on_delete=models.CASCADE, related_name="budget_usage")
    name = models.CharField(max_length=20, choices=_NAMES)
    starts_on = models.DateField()
    used = models.PositiveBigIntegerField()
    budget = models.PositiveBigIntegerField(null=True, help_text="Empty: the tenant has none any more.")
    runs_out_at = models.DateTimeField(
        null=True,
        help_text="At the pace of the last 24 hours; empty where the period ends first, or where it is used up.",
    )
    looked_at = models.DateTimeField()

    class Meta:
        verbose_name = "use of a budget"
        verbose_name_plural = "use of budgets"
        constraints = [
            models.UniqueConstraint(fields=["tenant", "name", "starts_on"], name="one_budget_usage_per_period"),
        ]

    def __str__(self) -> str:
        return f"{self.used} of {self.budget}"

    @property
    def percent(self) -> int:
        return 100 * self.used // self.budget if self.budget else 0


class BudgetNotice(models.Model):
    """That a tenant has used so much (50, 80, 100 %) of a budget: said once for each period and size of the budget."""

    tenant = models.ForeignKey(Tenant, on_delete=models.CASCADE, related_name="budget_notices")
    name = models.CharField(max_length=20, choices=_NAMES)
    starts_on = models.DateField()
    threshold = models.PositiveSmallIntegerField(help_text="Percent.")
    budget = models.PositiveBigIntegerField()
    used = models.PositiveBigIntegerField()
    at = models.DateTimeField()

    class Meta:
        ordering = ["-at", "-threshold"]
        verbose_name = "notice of a budget"
        verbose_name_plural = "notices of budgets"
        constraints = [
            models.UniqueConstraint(
                fields=["tenant", "name", "starts_on", "budget", "threshold"], name="one_budget_notice_per_threshold"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.threshold} % of {self.budget} from {self.starts_on}"
