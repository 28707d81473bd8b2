"""What limits are called: in the ledger, in a tenant's list of limits on trial, in LIMITS_LOG_ONLY."""

from django.db import models


class LimitName(models.TextChoices):
    TENANT = "tenant_limit", "sessions per minute, whole tenant"
    VISITOR = "visitor_limit", "sessions per minute, one visitor"
    ADDRESS = "address_limit", "sessions per minute, one address"
    NEW_VISITOR = "new_visitor_limit", "new visitors per minute"
    QUOTA_DAY = "quota_day", "daily quota"
    QUOTA_MONTH = "quota_month", "monthly quota"
