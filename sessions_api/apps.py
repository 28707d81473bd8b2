from django.apps import AppConfig


class SessionsApiConfig(AppConfig):
    name = "sessions_api"
    verbose_name = "Sessions"

    def ready(self) -> None:
        from django.core.checks import Tags, register

        from sessions_api import receivers  # noqa: F401 (connects them)
        from sessions_api.checks import check_spool_directory

        register(check_spool_directory, Tags.security)
