from typing import Any

from django.apps import AppConfig
from django.db.models.signals import post_migrate


def _ensure_epoch(*, sender: AppConfig, using: str, **_: Any) -> None:
    """After every migration and every emptying of the tables the epoch has its row."""
    sender.get_model("ConfigEpoch").objects.using(using).get_or_create(pk=1)


class TenantsConfig(AppConfig):
    name = "tenants"
    verbose_name = "Tenants"

    def ready(self) -> None:
        post_migrate.connect(_ensure_epoch, sender=self)
