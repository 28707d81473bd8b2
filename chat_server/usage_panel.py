"""The panel of a tenant's page on its chats that the platform serves: runs, tokens, cost, budgets, notices."""

from django.http import HttpRequest
from django.template.loader import render_to_string
from django.utils import timezone
from django.utils.safestring import SafeString

from chat_server.budget_usage import amount_in_words, chat_trials, dollars, spent_of
from chat_server.models import BudgetNotice, ChatRun
from chat_server.run_figures import spent_since
from gateway.budgets import Measure
from gateway.quotas import Period
from tenants.limit_names import CHAT_LIMITS, LimitName
from tenants.models import Backend
from tenants.snapshot import chat_limits_of, limits_of_tenant
from tenants.tenant_page import PageFacts


def usage_panel(request: HttpRequest, facts: PageFacts) -> SafeString:
    """Empty for a tenant that never had a chat of this kind."""
    tenant, now = facts.tenant, timezone.now()
    is_served = any(each.backend == Backend.PLATFORM for each in facts.assistants)
    if not is_served and not ChatRun.objects.filter(tenant_id=tenant.pk).exists():
        return SafeString("")
    on_trial = limits_of_tenant(tenant).log_only
    trials = {trial.limit: trial for trial in chat_trials(tenant_id=tenant.pk, at=now)}
    context = {
        "tenant": tenant,
        "limits": chat_limits_of(tenant),
        "spans": [
            (label, spent, dollars(spent.cost))
            for label, spent in (
                ("today", spent_since(Period.DAY.bounds(now)[0], tenant_id=tenant.pk)),
                ("this month", spent_since(Period.MONTH.bounds(now)[0], tenant_id=tenant.pk)),
            )
        ],
        "budgets": spent_of([tenant], at=now),
        "on_trial": [
            (name.label, name in on_trial, trials.get(name))
            for name in LimitName
            if name in CHAT_LIMITS and (name in on_trial or name in trials)
        ],
        "notices": [
            (notice, *(amount_in_words(_measure(notice.name), each) for each in (notice.budget, notice.used)))
            for notice in BudgetNotice.objects.filter(tenant=tenant)[:5]
        ],
        "may_see_runs": request.user.has_perm("chat_server.view_chatrun"),
    }
    return render_to_string("chat_server/usage_panel.html", context, request)


def _measure(name: str) -> Measure:
    return Measure.COST if name == LimitName.COST_MONTH else Measure.TOKENS
