"""The admin of tenants, keys and assistants. Importing the modules registers them."""

from tenants.admin.assistant import AssistantAdmin
from tenants.admin.key import ApiKeyAdmin
from tenants.admin.tenant import TenantAdmin

__all__ = ["ApiKeyAdmin", "AssistantAdmin", "TenantAdmin"]
