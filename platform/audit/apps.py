from typing import Any

from django.apps import AppConfig
from django.db.models.signals import post_migrate


def _ensure_head(*, sender: AppConfig, using: str, **_: Any) -> None:
    """After every migration and every emptying of the tables the chain has its head row."""
    sender.get_model("ChainHead")._default_manager.using(using).get_or_create(pk=1)


class AuditConfig(AppConfig):
    name = "audit"
    verbose_name = "Audit"

    def ready(self) -> None:
        post_migrate.connect(_ensure_head, sender=self)
