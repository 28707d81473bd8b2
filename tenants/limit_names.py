"""What limits are called: in the ledger, in a tenant's list of limits on trial, in LIMITS_LOG_ONLY."""

from typing import Final

from django.db import models


class LimitName(models.TextChoices):
    TENANT = "tenant_limit", "sessions per minute, whole tenant"
    VISITOR = "visitor_limit", "sessions per minute, one visitor"
    ADDRESS = "address_limit", "sessions per minute, one address"
    NEW_VISITOR = "new_visitor_limit", "new visitors per minute"
    QUOTA_DAY = "quota_day", "daily quota"
    QUOTA_MONTH = "quota_month", "monthly quota"
    CHAT_TENANT = "chat_tenant", "chat messages per minute, whole tenant"
    CHAT_VISITOR = "chat_visitor", "chat messages per minute, one visitor"
    TOKENS_DAY = "tokens_day", "daily tokens, whole tenant"
    VISITOR_TOKENS_DAY = "visitor_tokens_day", "daily tokens, one visitor"
    COST_MONTH = "cost_month", "monthly budget"


# Of chats that the platform serves itself; the others are of sessions.
CHAT_LIMITS: Final = frozenset(
    {
        LimitName.CHAT_TENANT,
        LimitName.CHAT_VISITOR,
        LimitName.TOKENS_DAY,
        LimitName.VISITOR_TOKENS_DAY,
        LimitName.COST_MONTH,
    }
)
