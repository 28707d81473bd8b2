"""What a site admin registers: tenants, their keys, assistants and allowed domains; and the epoch that announces each change."""

from tenants.models.agent import AgentVersion
from tenants.models.assistant import Assistant, AssistantKey, Backend
from tenants.models.domain import AllowedDomain
from tenants.models.epoch import ConfigEpoch, ObservedModel, ObservedQuerySet
from tenants.models.identity_key import IdentityKey
from tenants.models.key import ApiKey, ReplacedKey, Verdict
from tenants.models.tenant import IdentityAlgorithm, IdentityMode, Tenant, TenantState

__all__ = [
    "AgentVersion",
    "AllowedDomain",
    "ApiKey",
    "Assistant",
    "AssistantKey",
    "Backend",
    "ConfigEpoch",
    "IdentityAlgorithm",
    "IdentityKey",
    "IdentityMode",
    "ObservedModel",
    "ObservedQuerySet",
    "ReplacedKey",
    "Tenant",
    "TenantState",
    "Verdict",
]
