"""Groups the ledger's outcomes into the three that an operator acts on differently."""

from django.db import models

from gateway.errors import Code

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


def codes_of(group: str) -> list[str]:
    """The outcomes of a group: a list of members can use an index, which “none of those” can't."""
    if group == OutcomeGroup.GRANTED:
        return [GRANTED]
    return [code.value for code in Code if group_of(code) == group]


def group_of(outcome: str) -> OutcomeGroup:
    if outcome == GRANTED:
        return OutcomeGroup.GRANTED
    return OutcomeGroup.FAILED if outcome in FAILED else OutcomeGroup.REFUSED
