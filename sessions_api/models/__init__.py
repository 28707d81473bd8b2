"""The ledger of session requests, live sessions, visitors and what erases them, and the use of quotas."""

from sessions_api.models.erasures import TenantDeletion, ThreadErasure, VisitorErasure
from sessions_api.models.ledger import LiveSession, SessionRequest
from sessions_api.models.quotas import QuotaNotice, QuotaUsage
from sessions_api.models.visitors import RevokedVisitor, VisitorLink

__all__ = [
    "LiveSession",
    "QuotaNotice",
    "QuotaUsage",
    "RevokedVisitor",
    "SessionRequest",
    "TenantDeletion",
    "ThreadErasure",
    "VisitorErasure",
    "VisitorLink",
]
