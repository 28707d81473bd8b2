from django.apps import AppConfig


class KeyHealthConfig(AppConfig):
    name = "key_health"
    verbose_name = "Key health"

    def ready(self) -> None:
        from key_health import receivers  # noqa: F401 (connects them)
