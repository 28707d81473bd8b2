"""Groups the ledger's outcomes into the three that an operator acts on differently."""

from django.db import models

GRANTED = "granted"

# The platform or OpenAI could not serve a request that was in order: somebody must act.
FAILED = frozenset(
    {
        "tenant_misconfigured",
        "busy",
        "upstream_throttled",
        "upstream_unavailable",
        "upstream_invalid",
        "platform_unavailable",
        "internal_error",
    }
)


class OutcomeGroup(models.TextChoices):
    GRANTED = "granted", "granted"
    REFUSED = "refused", "refused"
    FAILED = "failed", "failed"


def group_of(outcome: str) -> OutcomeGroup:
    if outcome == GRANTED:
        return OutcomeGroup.GRANTED
    return OutcomeGroup.FAILED if outcome in FAILED else OutcomeGroup.REFUSED
