from django.apps import AppConfig
from django.db.models.signals import post_migrate


class EncryptionConfig(AppConfig):
    name = "encryption"
    verbose_name = "Encryption"

    def ready(self) -> None:
        from encryption import checks, registry
        from encryption.models import SiteSecret, forget_site_secrets

        checks.register_checks()
        registry.register(SiteSecret, "token", binding_of=SiteSecret.binding)
        # `flush` and `migrate` may leave another database than the one that was read.
        post_migrate.connect(forget_site_secrets, sender=self, dispatch_uid="encryption.forget_site_secrets")
