"""What tenants and visitors have used of their budgets, from the ledger of runs."""

from django.db.models import F, Max, Sum

from chat_server.models import BudgetUsage, ChatRun
from gateway.budgets import Budget, Measure

_SUMS = {
    Measure.TOKENS: Sum(F("input_tokens") + F("output_tokens"), default=0),
    Measure.COST: Sum("cost_microdollars", default=0),
}


class RunUsage:
    """What counters of budgets are made from, when there are none (gateway/token_budgets.py)."""

    def used(self, budget: Budget) -> int:
        """Two queries by index: the runs of the period, and what was seen of it before rows of it were pruned."""
        rows = ChatRun.objects.filter(
            tenant_id=budget.tenant_id, at__gte=budget.starts_at, at__lt=budget.ends_at
        ).order_by()
        if budget.visitor_ref:
            rows = rows.filter(visitor_ref=budget.visitor_ref)
        used: int = rows.aggregate(used=_SUMS[budget.measure])["used"]
        if budget.visitor_ref:
            return used
        seen = BudgetUsage.objects.filter(
            tenant_id=budget.tenant_id, name=budget.reason, starts_on=budget.starts_at.date()
        ).aggregate(used=Max("used"))
        return max(used, seen["used"] or 0)
