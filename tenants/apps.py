from typing import Any

from django.apps import AppConfig
from django.db.models.signals import post_migrate


def _ensure_epoch(*, sender: AppConfig, using: str, **_: Any) -> None:
    """After every migration and every emptying of the tables the epoch has its row."""
    sender.get_model("ConfigEpoch")._default_manager.using(using).get_or_create(pk=1)


class TenantsConfig(AppConfig):
    name = "tenants"
    verbose_name = "Tenants"

    def ready(self) -> None:
        from django.core.checks import register

        from encryption import registry
        from tenants.checks import check_limits
        from tenants.identity_keys import identity_binding
        from tenants.keys import key_binding
        from tenants.models import ApiKey, IdentityKey, ReplacedKey, Tenant
        from tenants.openai_list_panel import openai_list_panel
        from tenants.tenant_page import register_panel
        from tenants.user_scope import user_scope_binding

        registry.register(ApiKey, "token", binding_of=key_binding)
        registry.register(ReplacedKey, "token", binding_of=lambda replaced: key_binding(replaced.key), related=("key",))
        registry.register(IdentityKey, "token", binding_of=identity_binding)
        registry.register(Tenant, "user_scope_token", binding_of=user_scope_binding)
        register(check_limits)
        register_panel(openai_list_panel, anchor="openai-list", title="OpenAI's list")
        post_migrate.connect(_ensure_epoch, sender=self)
