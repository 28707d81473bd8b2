from django.apps import AppConfig


class KeyHealthConfig(AppConfig):
    name = "key_health"
    verbose_name = "Key health"
